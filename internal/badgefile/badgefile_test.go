package badgefile

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/labfile/delimited"
	"github.com/dosevault/dosevault/internal/person"
)

const heading = "organisation,barcode,batch,staff_number,position,from,to\n"

func TestRows(t *testing.T) {
	for _, c := range []struct{ row, column, reason string }{
		{"Ysbyty,B1,L1,S1,whole body,2026-10-01,2026-10-31", "", ""},
		{"Ysbyty,B1,L1,S1,Right-Finger,01/10/2026,31/10/2026", "", ""},
		{",B1,L1,,control,2026-10-01,2026-10-31", "", ""},
		{"Ysbyty,B 1,L1,S1,eye,2026-10-01,2026-10-31", "barcode", "1 to 32 letters"},
		{"Ysbyty,B1,,S1,eye,2026-10-01,2026-10-31", "batch", "1 to 32 letters"},
		{"Ysbyty,B1,L1,S1,nose,2026-10-01,2026-10-31", "position", "one of these is expected: whole body, collar, eye"},
		{"Ysbyty,B1,L1,S1,control,2026-10-01,2026-10-31", "staff_number", "a control badge is worn by nobody"},
		{"Ysbyty,B1,L1,,eye,2026-10-01,2026-10-31", "staff_number", "the wearer's staff number is expected"},
		{"Ysbyty,B1,L1," + strings.Repeat("7", 41) + ",eye,2026-10-01,2026-10-31", "staff_number", "at most 40"},
		{"Ysbyty,B1,L1,#REF!,eye,2026-10-01,2026-10-31", "staff_number", "a formula of the spreadsheet failed"},
		{"Ysbyty,B1,L1,S1,eye,1.10.2026,2026-10-31", "from", "a date such as"},
		{"Ysbyty,B1,L1,S1,eye,2026-10-01,", "to", "a date such as"},
		{"Ysbyty,B1,L1,S1,eye,2026-10-01,2026-09-30", "to", "not before the first day"},
		{"Ysbyty,B1,L1,S1,eye,2026-10-01,2027-10-02", "to", "at most 12 months"},
		{"Ysbyty,B1,L1,S1", "", "4 columns, where the heading has 7"},
	} {
		rep, err := Read(strings.NewReader(heading + c.row + "\n"))
		if err != nil {
			t.Fatal(c.row, err)
		}
		switch {
		case c.reason == "" && len(rep.Badges) != 1:
			t.Errorf("%s: %+v", c.row, rep.Refused)
		case c.reason != "" && (len(rep.Refused) != 1 || rep.Refused[0].Column != c.column || !strings.Contains(rep.Refused[0].Reason, c.reason) || rep.Refused[0].Number != 2):
			t.Errorf("%s: %+v", c.row, rep.Refused)
		}
	}
}

func TestAList(t *testing.T) {
	b := []byte("\ufeffRhif Staff;Serial Number;Batch;Colour;Position;Wear from;To\nS1;B1;L1;red;whole body;2026-10-01;2026-10-31\n;;;;;;\nS2;B1;L1;red;eye;2026-10-01;2026-10-31\nS3;B3;L1;red;eye;2026-10-01;2026-10-31\n")
	rep, err := Read(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if rep.Has(Organisation) || rep.Heading(Barcode) != "Serial Number" || !slices.Equal(rep.NotUsed, []string{"Colour"}) || !slices.Equal(rep.Ignored, []int{3}) || len(rep.Badges) != 2 {
		t.Errorf("%+v", rep)
	}
	if x := rep.Badges[0]; x.Barcode != "B1" || x.Batch != "L1" || x.StaffNumber.Expose() != "S1" || x.Position != dose.WholeBody || x.From != day.Of(2026, 10, 1) || x.To != day.Of(2026, 10, 31) || x.Number != 2 {
		t.Errorf("%+v", x)
	}
	if r := rep.Refused; len(r) != 1 || r[0] != (Refusal{4, 4, "Serial Number", "the same badge as in row 2", "", person.NewValue("S2")}) {
		t.Errorf("%+v", r)
	}
	if err := sound(rep, b); err != nil {
		t.Error(err)
	}
}

func TestFilesThatAreNone(t *testing.T) {
	for file, want := range map[string]string{
		"": "", "Siân Ŵyn\nSiân Ŵyn\n": "line 1: the headings must be",
		"organisation,barcode,batch,staff_number,position,from\n":                "line 1: the headings must be",
		"barcode,batch,staff_number,position,from,to,Serial No.,serial number\n": "column 8: column 1 says the same already",
	} {
		rep, err := Read(strings.NewReader(file))
		if e, ok := errors.AsType[*delimited.Error](err); rep != nil || !ok || !strings.Contains(e.Error(), want) || strings.Contains(e.Error(), "Ŵyn") {
			t.Errorf("%q: %v", file, err)
		}
	}
}

// sound holds a report to what it promises of any file.
func sound(rep *Report, original []byte) error {
	if len(rep.Badges)+len(rep.Refused)+len(rep.Ignored) != rep.In {
		return fmt.Errorf("%d rows in, %d badges, %d refused, %d blank", rep.In, len(rep.Badges), len(rep.Refused), len(rep.Ignored))
	}
	var only []int
	for _, r := range rep.Refused {
		only = append(only, r.Number)
	}
	for _, b := range rep.Badges {
		if (b.Position == dose.Control) != b.StaffNumber.IsZero() || b.To < b.From || !IsCode(b.Barcode) || !IsCode(b.Batch) {
			return fmt.Errorf("row %d was accepted", b.Number)
		}
	}
	var out bytes.Buffer
	if err := WriteRefused(&out, original, rep, only); err != nil {
		return err
	}
	again, err := Read(&out)
	if err != nil || again.In != len(rep.Refused) {
		return fmt.Errorf("the refused rows read again: %w", err)
	}
	return nil
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("S1,B1,L1,Ysbyty,eye,2026-10-01,2026-10-31\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, append([]byte(heading), b...)} {
			rep, err := Read(bytes.NewReader(b))
			if err != nil {
				continue
			}
			if err := sound(rep, b); err != nil {
				t.Fatal(err)
			}
		}
	})
}

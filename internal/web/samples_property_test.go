package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/labfile/xlsx/xlsxtest"
	"github.com/dosevault/dosevault/internal/person"
)

// laboratory is an invented laboratory's way of writing, and a file of it.
type laboratory struct {
	layout labfile.Layout
	roles  []string // of the columns
	file   []byte
}

// invented draws a laboratory and a file, in which something may be wrong in any row.
func invented(t *rapid.T) laboratory {
	pickOne := func(name string, texts ...string) string { return rapid.SampledFrom(texts).Draw(t, name) }
	maybe := func(name string) bool { return rapid.Bool().Draw(t, name) }
	var x laboratory
	l := &x.layout
	l.Name = "lab"
	sheet := maybe("spreadsheet")
	l.Decimal = pickOne("decimal", ".", ",")
	if d := pickOne("dates", labfile.DateFormats...); d != labfile.DateFormats[0] {
		l.Dates = []string{d}
	}
	l.Round, l.HeadingRow = maybe("round"), rapid.IntRange(1, 3).Draw(t, "heading row")
	if maybe("negative") {
		l.Negative = "below level"
	}
	if !sheet {
		l.Separators = pickOne("separator", ",", ";", "\t", "|")
		l.Encoding = pickOne("encoding", "", "ISO-8859-14")
	}

	// The columns, in any order.
	x.roles = []string{labfile.RoleBarcode, labfile.RoleFrom, labfile.RoleTo}
	for _, r := range []string{labfile.RoleAccount, labfile.RolePosition, labfile.RoleScanned, labfile.RoleVersion, labfile.RoleName, labfile.RoleBirth, labfile.RoleNotes, "", ""} {
		if maybe("column " + r) {
			x.roles = append(x.roles, r)
		}
	}
	long := maybe("a row for each quantity")
	quantities := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"Hp(10)", "Hp(0.07)", "Hp(3)", "neutron Hp(10)"}), 1, 4, rapid.ID).Draw(t, "quantities")
	if long {
		x.roles = append(x.roles, labfile.RoleQuantity, labfile.RoleValue)
	} else {
		x.roles = append(x.roles, quantities...)
	}
	x.roles = rapid.Permutation(x.roles).Draw(t, "order")
	has := func(role string) bool { return slices.Contains(x.roles, role) }
	headings := make([]string, len(x.roles))
	for i, r := range x.roles {
		words := []string{"Ŵ", "x", "Serial", "From", "To", "Hp(10) mSv", "Hp(3)", "Remarks", "Customer", "", "Total dose", strconv.Itoa(i)}
		headings[i] = pickOne("heading", append(words, "A "+r, "B"+strconv.Itoa(i), "C"+strconv.Itoa(i))...)
	}
	if !slices.ContainsFunc(headings, func(h string) bool { return strings.Trim(h, "0123456789") != "" }) {
		headings[0] = "Badge"
	}

	// What texts mean.
	positions := map[string]string{"Trunk": "whole body", "Eye": "eye", "RF": "right finger", "Left ring": "left finger", "N": "collar", "K": "control", "F": "foetal"}
	if has(labfile.RolePosition) {
		l.Positions = map[string]string{}
		for _, p := range rapid.SliceOfNDistinct(rapid.SampledFrom(slices.Sorted(maps.Keys(positions))), 1, 5, rapid.ID).Draw(t, "positions") {
			l.Positions[p] = positions[p]
		}
	} else {
		l.Position = pickOne("position", "whole body", "collar")
	}
	if !has(labfile.RoleAccount) {
		l.Account = "700123"
	}
	l.Codes = map[string]string{}
	for _, c := range []string{"NR", "<0.1", "--", "", "Unused"} {
		if maybe("code " + c) {
			l.Codes[c] = pickOne("meaning", labfile.CodeMeanings...)
		}
	}
	if has(labfile.RoleNotes) {
		l.Notes = map[string]string{"Late": "nothing", "Badge lost": "lost"}
		delete(l.Codes, "") // a blank that a note explains is not asked about
	}
	for _, q := range quantities {
		one := &labfile.Quantity{Quantity: q, Unit: pickOne("unit", labfile.UnitNames...), Minimum: pickOne("minimum", "", "0.1"), Optional: maybe("optional")}
		if one.Optional { // then a blank says nothing, and is not asked about
			delete(l.Codes, "")
		}
		if maybe("elsewhere") {
			one.Elsewhere = "ignored"
		}
		if long {
			one.Text = "of " + q
		}
		l.Quantities = append(l.Quantities, one)
	}

	// The rows.
	cell := func(role string, n int) string {
		date := func(d day.Day) string {
			format := append(l.Dates, labfile.DateFormats[0])[0]
			return d.Time().Format(strings.NewReplacer("YYYY", "2006", "MMM", "Jan", "MM", "01", "DD", "02").Replace(format))
		}
		switch first := day.Of(2026, time.Month(1+n%2), 1); role {
		case labfile.RoleBarcode:
			return fmt.Sprintf("B%d", n/2)
		case labfile.RoleFrom:
			return date(first)
		case labfile.RoleTo:
			return date(first + 14)
		case labfile.RoleScanned:
			return pickOne("scanned", "", date(day.Of(2026, time.March, 2)))
		case labfile.RoleBirth:
			return pickOne("birth", "", date(day.Of(1985, time.March, 1)), "x")
		case labfile.RoleAccount:
			return "700123"
		case labfile.RolePosition:
			return pickOne("at", append(slices.Sorted(maps.Keys(l.Positions)), "Foot")...)
		case labfile.RoleVersion:
			return pickOne("version", "", "0", "1", "x")
		case labfile.RoleName:
			return pickOne("name", "Ŵyn-Jones, Siân", "Ifans  Llŷr", "")
		case labfile.RoleNotes:
			return pickOne("note", "", "", "Late", "Badge lost", "Late\nBadge lost", "?")
		case labfile.RoleQuantity:
			return pickOne("what", "of Hp(10)", "of Hp(3)", "of something")
		case "":
			return pickOne("more", "", "x", "1")
		}
		number := rapid.SampledFrom([]string{"0", "0.05", "0.35", "12", "1.2345678", "-0.1"}).Draw(t, "number")
		return pickOne("dose", strings.Replace(number, ".", l.Decimal, 1), "NR", "<0.1", "", "Unused", "--", "QQ")
	}
	rows := [][]string{headings}
	for n := range rapid.IntRange(0, 12).Draw(t, "rows") {
		row := make([]string, len(x.roles))
		for i, r := range x.roles {
			row[i] = cell(r, n)
		}
		rows = append(rows, row)
	}
	if long { // a sample shows what is in it
		l.Quantities = slices.DeleteFunc(l.Quantities, func(q *labfile.Quantity) bool {
			return !slices.ContainsFunc(rows, func(row []string) bool { return slices.Contains(row, q.Text) })
		})
	}
	x.write(t, sheet, rows)
	return x
}

// write writes the file, and says in the profile where its columns are.
func (x *laboratory) write(t *rapid.T, sheet bool, rows [][]string) {
	for range x.layout.HeadingRow - 1 {
		rows = append([][]string{{"Monthly results"}}, rows...)
	}
	if sheet {
		x.file = xlsxtest.Texts(rows...)
	} else {
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Comma = rune(x.layout.Separators[0])
		if err := w.WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		x.file = b.Bytes()
		if x.layout.Encoding != "" {
			latin, err := charmap.ISO8859_14.NewEncoder().Bytes(x.file)
			if err != nil {
				t.Fatal(err)
			}
			x.file = latin
		}
	}
	l := x.layout
	s, err := labfile.OpenSample(x.file, &l)
	if err != nil {
		t.Skip(err) // as a file whose headings are one blank
	}
	if len(s.Headings) < len(x.roles) {
		t.Skip("a spreadsheet ends before headings that are blank")
	}
	if err := s.SetRoles(&l, x.roles); err != nil {
		t.Fatal(err)
	}
	x.layout.Columns = l.Columns
	// Quantities stand in the order of their columns, or of how often their texts are there: which of two faults of a row
	// is named goes by it.
	if texts := s.Texts(l.Columns.Quantity); len(texts) > 0 {
		place := func(q *labfile.Quantity) int {
			return slices.IndexFunc(texts, func(t labfile.Text) bool { return t.Text == q.Text })
		}
		slices.SortFunc(x.layout.Quantities, func(a, b *labfile.Quantity) int { return place(a) - place(b) })
		return
	}
	if l.Columns.Quantity.IsZero() {
		mine := map[string]*labfile.Quantity{}
		for _, q := range x.layout.Quantities {
			mine[q.Quantity] = q
		}
		for i, q := range l.Quantities {
			mine[q.Quantity].Column = q.Column
			x.layout.Quantities[i] = mine[q.Quantity]
		}
	}
}

// reads is what a file says by a profile's text.
func reads(file, text []byte) (string, error) {
	p, err := labfile.ParseProfile(text)
	if err != nil {
		return "", err
	}
	rep, err := labfile.Read(bytes.NewReader(file), labfile.Options{Profile: p, Today: day.At(sampleNow)})
	if err != nil {
		return err.Error(), nil
	}
	var b strings.Builder
	for _, r := range rep.Rows {
		name, birth := r.Name.Expose(), r.Birth.Expose()
		r.Name, r.Birth = person.Value{}, person.Value{}
		fmt.Fprintf(&b, "%+v %s %s\n", r, name, birth)
	}
	for _, r := range rep.Refused {
		fmt.Fprintf(&b, "%+v\n", r)
	}
	return fmt.Sprint(b.String(), rep.Ignored, rep.Merged), nil
}

// A file of any laboratory, read by the profile that the pages make from it when somebody who knows the laboratory answers,
// reads as by the laboratory's own profile: the same rows, refusals and all.
func TestAnyProfileFromASample(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := invented(t)
		truth, err := x.layout.JSON()
		if err != nil {
			t.Fatal(err)
		}
		want, err := reads(x.file, truth)
		if err != nil {
			t.Skip(err) // as one whose quantities are not measured where its badges are worn
		}
		s := newSample()
		pages := samplePagesOf(s)
		first, err := labfile.Guess(x.file)
		if err != nil { // as where no heading is a text
			t.Skip(err)
		}
		draft, err := first.JSON()
		if err != nil {
			t.Fatal(err)
		}
		s.samples.files[sampleID(2)], s.samples.drafts[sampleID(2)] = x.file, draft
		q := &questions{t, s, pages, samplePath + "/" + sampleID(2).String()}

		q.answers("file", url.Values{"row": {strconv.Itoa(x.layout.HeadingRow)}, "separator": {x.layout.Separators}, "encoding": {x.layout.Encoding}})
		columns := url.Values{}
		for i, r := range x.roles {
			columns.Set(numbered("column", i), r)
		}
		q.answers("columns", columns)
		reading := url.Values{"dates": x.layout.Dates, "decimal": {x.layout.Decimal}, "numbers": nil}
		if x.layout.Round {
			reading.Add("numbers", "round")
		}
		if x.layout.Negative != "" {
			reading.Add("numbers", "negative")
		}
		if x.layout.Account != "" {
			reading.Set("account", x.layout.Account)
		}
		if x.layout.Position != "" {
			reading.Set("position", x.layout.Position)
		}
		q.answers("reading", reading)
		if x.layout.Positions != nil {
			known := url.Values{}
			for i, text := range q.work().positions() {
				known.Set(numbered("position", i), x.layout.Positions[text.Text])
			}
			if len(known) == 0 || !slices.ContainsFunc(q.work().positions(), func(t labfile.Text) bool { return x.layout.Positions[t.Text] != "" }) {
				t.Skip("the file has no position that is known")
			}
			q.answers("positions", known)
		}
		doses := url.Values{}
		for i, row := range q.work().doseRows(context.Background()) {
			for _, mine := range x.layout.Quantities {
				if row.Quantity != "" && mine.Quantity != row.Quantity || row.Quantity == "" && mine.Text != row.of.Text {
					continue
				}
				doses.Set(numbered("quantity", i), mine.Quantity)
				doses.Set(numbered("unit", i), mine.Unit)
				doses.Set(numbered("minimum", i), mine.Minimum)
				doses[numbered("also", i)] = nil
				if mine.Optional {
					doses.Add(numbered("also", i), "optional")
				}
				if mine.Elsewhere != "" {
					doses.Add(numbered("also", i), "ignored")
				}
			}
		}
		if len(doses) == 0 {
			t.Skip("the file has no quantity that is known")
		}
		q.answers("doses", doses)
		codes := url.Values{}
		for i, text := range q.work().codes() {
			codes.Set(numbered("code", i), x.layout.Codes[text.Text])
		}
		for i, text := range q.work().notes() {
			codes.Set(numbered("note", i), x.layout.Notes[text.Text])
		}
		if x.layout.Notes != nil && !slices.ContainsFunc(q.work().notes(), func(t labfile.Text) bool { return x.layout.Notes[t.Text] != "" }) {
			t.Skip("the file has no note that is known")
		}
		q.answers("codes", codes)
		if to := q.answers("about", url.Values{"name": {"lab"}}); to != "check" {
			t.Fatalf("the name leads to %q", to)
		}
		q.ask("check")
		w := sends(pages, http.MethodPost, q.path+"/save", nil)
		if w.Code != http.StatusSeeOther {
			t.Fatalf("not stored: %d: %s", w.Code, w.Body)
		}
		text := s.profiles.texts[profileID(4)]
		got, err := reads(x.file, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("the file reads differently: %s\nby %s\nand by %s", d, truth, text)
		}
	})
}

// work is the sample as the pages have it at the moment.
func (q *questions) work() *sampleWork {
	n := sampleID(2)
	l, err := labfile.ParseDraft(q.s.samples.drafts[n])
	if err != nil {
		q.Fatalf("%v", err)
	}
	s, err := labfile.OpenSample(q.s.samples.files[n], l)
	if err != nil {
		q.Fatalf("%v", err)
	}
	return &sampleWork{l: l, s: s}
}

func samplePagesOf(s *sample) http.Handler {
	return New(Config{Vault: s, Register: s, Origin: sampleOrigin, VaultOrigin: sampleVault, Now: func() time.Time { return sampleNow }, Log: discard})
}

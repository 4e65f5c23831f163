package register

import (
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
)

func TestAcceptedRowsSurvive(t *testing.T) {
	rows := []accepted{
		{PeriodRow{ID: id.New[id.Row](), Wearer: id.New[id.Wearer](), Organisation: id.New[id.Organisation](), Starts: 20454, Ends: 20484}, Wear{dose.Eye, true}, 3,
			Report{Scanned: 20500, Notes: []string{noteBits[0]}, Readings: []dose.Reading{{Quantity: dose.Hp3, Dose: 350, Qualifier: dose.Measured}}}},
		{PeriodRow{ID: id.New[id.Row](), Organisation: id.New[id.Organisation](), Starts: 1, Ends: 2}, Wear{dose.Control, false}, 0, Report{}},
	}
	b := []byte{acceptedVersion}
	for i := range rows {
		b = appendAccepted(b, &rows[i])
	}
	back, err := decodeAccepted(b)
	if err != nil || back.len() != 2 {
		t.Fatalf("%+v, %v", back, err)
	}
	if got := []accepted{back.row(1), back.row(0)}; !reflect.DeepEqual(got, rows) { // the control badge, nobody's, comes first
		t.Errorf("%+v, want %+v", got, rows)
	}
	if got, want := back.wearers(), []owned{{rows[0].period.Wearer, 1, 2}}; !reflect.DeepEqual(got, want) {
		t.Errorf("wearers %+v, want %+v", got, want)
	}
	if none, err := decodeAccepted(b[:1]); err != nil || none.len() != 0 {
		t.Errorf("no rows: %v, %v", none, err)
	}
	for n := range len(b) {
		if rows, err := decodeAccepted(b[:n]); err == nil && rows.len() == 2 {
			t.Errorf("cut to %d of %d bytes it was read", n, len(b))
		}
	}
}

// Rows of one wearer stand together, by wear period and version, whatever the file's order.
func TestAcceptedRowsAreOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := []byte{acceptedVersion}
		n := rapid.IntRange(0, 30).Draw(t, "rows")
		for range n {
			a := accepted{version: rapid.IntRange(0, 3).Draw(t, "version")}
			a.period.ID[15], a.period.Wearer[0] = rapid.ByteRange(0, 3).Draw(t, "period"), rapid.ByteRange(0, 3).Draw(t, "wearer")
			b = appendAccepted(b, &a)
		}
		rows, err := decodeAccepted(b)
		if err != nil || rows.len() != n {
			t.Fatalf("%d rows, want %d: %v", rows.len(), n, err)
		}
		key := func(i int) string {
			a := rows.row(i)
			return fmt.Sprint(a.period.Wearer, a.period.ID, a.version)
		}
		for i := 1; i < n; i++ {
			if key(i-1) > key(i) {
				t.Fatalf("row %d is out of order", i)
			}
		}
		covered := 0
		for _, o := range rows.wearers() {
			for i := o.from; i < o.to; i++ {
				if rows.row(i).period.Wearer != o.wearer {
					t.Fatalf("row %d is not its wearer's", i)
				}
				covered++
			}
		}
		for i := range n {
			if rows.row(i).period.Wearer.IsZero() {
				covered++
			}
		}
		if covered != n {
			t.Fatalf("%d of %d rows are somebody's or nobody's", covered, n)
		}
	})
}

package register

import (
	"reflect"
	"testing"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
)

func TestAcceptedRowsSurvive(t *testing.T) {
	rows := []accepted{
		{PeriodRow{ID: id.New[id.Row](), Wearer: id.New[id.Wearer](), Organisation: id.New[id.Organisation](), Starts: 20454, Ends: 20484}, Wear{dose.Eye, true}, 3,
			Report{Scanned: 20500, Notes: []string{noteBits[0]}, Readings: []dose.Reading{{Quantity: dose.Hp3, Dose: 350, Qualifier: dose.Measured}}}},
		{PeriodRow{ID: id.New[id.Row](), Organisation: id.New[id.Organisation](), Starts: 1, Ends: 2}, Wear{dose.Control, false}, 0, Report{}},
	}
	b := encodeAccepted(rows)
	back, err := decodeAccepted(b)
	if err != nil || !reflect.DeepEqual(back, rows) {
		t.Errorf("%+v, %v, want %+v", back, err, rows)
	}
	if none, err := decodeAccepted(encodeAccepted(nil)); err != nil || len(none) != 0 {
		t.Errorf("no rows: %v, %v", none, err)
	}
	for n := range len(b) {
		if n == 1 { // no rows
			continue
		}
		if rows, err := decodeAccepted(b[:n]); err == nil && len(rows) == 2 {
			t.Errorf("cut to %d of %d bytes it was read", n, len(b))
		}
	}
}

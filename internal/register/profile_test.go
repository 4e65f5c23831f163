package register_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/labfile/xlsx/xlsxtest"
	"github.com/dosevault/dosevault/internal/register"
)

const labProfile = `{"name": "lab", "account": "700123", "separators": ";",
	"columns": {"barcode": "Serial", "position": "Site", "from": "From", "to": "To", "name": "Wearer", "quantity": "What", "value": "µSv"}, "positions": {"T": "whole body"},
	"quantities": [{"quantity": "Hp(10)", "text": "deep", "unit": "µSv"}, {"quantity": "Hp(0.07)", "text": "skin", "unit": "µSv"}], "codes": {"<": "below level"}}`

// A file that a profile describes is previewed, corrected and stored as any other, and the profile stays with it.
func TestFileByAProfile(t *testing.T) {
	h := newHouse(t)
	ws := h.takeOn(h.joiner(h.org))
	jan, feb, mar := h.badge(h.org, ws[0], time.January), h.badge(h.org, ws[0], time.February), h.badge(h.org, ws[0], time.March)
	h.dispatch(jan, feb, mar)
	row := func(b register.Dispatched, what, value string) []string {
		return []string{b.Barcode, "T", b.From.String(), b.To.String(), "DAVIES ANDRÉ", what, value}
	}
	moved := mar
	moved.To++
	sheet := xlsxtest.Texts([]string{"Serial", "Site", "From", "To", "Wearer", "What", "µSv"},
		row(jan, "deep", "350"), row(jan, "skin", "400"), row(feb, "deep", "?"), row(feb, "skin", "1"), row(moved, "deep", "1"), row(moved, "skin", "2"))

	n, err := h.web.ReceiveBy(t.Context(), h.auth, sheet, "Cardiff Dosimetry", []byte(labProfile))
	h.ok(err)
	did, err := work(t.Context(), h.worker)
	h.ok(err)
	im, p, err := h.web.PreviewOf(t.Context(), h.auth, n)
	h.ok(err)
	if !did || p == nil {
		t.Fatalf("the import is %s: %s", im.State, im.Failure)
	}
	want := "4 µSv: neither a number in µSv (decimal mark \".\") nor a code that the profile knows\n5 : row 4 of the same badge is refused\n6 From: the badge was issued for 2026-03-01 to 2026-03-31"
	if got := texts(p.Refused); got != want {
		t.Errorf("refused:\n%s", got)
	}
	if got := texts(p.Notices); got != "2 Wearer: label differs: check assignment" {
		t.Errorf("notices:\n%s", got)
	}
	if im.Counts != (register.Counts{In: 4, Stored: 1, Refused: 3}) {
		t.Errorf("%+v", im.Counts)
	}

	// All rows of a refused badge come back, as text by the same profile.
	var out bytes.Buffer
	h.ok(h.web.WriteRefused(t.Context(), h.auth, n, &out))
	if got := bytes.Count(out.Bytes(), []byte("\n")); got != 5 || bytes.Contains(out.Bytes(), []byte(jan.Barcode)) {
		t.Errorf("refused rows as written:\n%s", &out)
	}
	h.accept(n)
	_, err = work(t.Context(), h.worker)
	h.ok(err)
	corrected := bytes.ReplaceAll(out.Bytes(), []byte(";?"), []byte(";<"))
	n, err = h.web.ReceiveBy(t.Context(), h.auth, corrected, "Cardiff Dosimetry", []byte(labProfile))
	h.ok(err)
	_, err = work(t.Context(), h.worker)
	h.ok(err)
	if _, p, err = h.web.PreviewOf(t.Context(), h.auth, n); err != nil || p.Accepted != 1 || len(p.Refused) != 1 {
		t.Fatalf("the corrected file: %+v, %v", p, err)
	}
	h.accept(n)
	_, err = work(t.Context(), h.worker)
	h.ok(err)
	if m, n := total(h.record(ws[0]), dose.Effective, 2026); m != 350 || n != 2 {
		t.Errorf("effective dose %d µSv of %d badges, want 350 of 2", m, n)
	}

	if _, err := h.web.ReceiveBy(t.Context(), h.auth, []byte("a"), "Cardiff Dosimetry", []byte("{}")); err == nil {
		t.Error("a profile that says nothing was taken")
	}
}

package register

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// all returns 16 equal bytes, for an id.
func all(b byte) [16]byte { return [16]byte(bytes.Repeat([]byte{b}, 16)) }

// These bytes are frozen: what any release stored is read by every later one.
func TestBlobVectors(t *testing.T) {
	for _, c := range []struct {
		name, want string
		got        []byte
	}{
		{"whole body", "01" + "01" + "00", Wear{Position: dose.WholeBody}.encode()},
		{"left wrist, not counted", "01" + "06" + "01", Wear{dose.LeftWrist, true}.encode()},
		{"an empty report", "01" + "00" + "00" + "00000000" + "00", Report{}.encode()},
		{"a report", "01" + "01" + "0b" + "0000505d" + "03" +
			"01" + "01" + "000000000000015e" + // Hp(10) measured, 350 µSv
			"03" + "02" + "0000000000000000" + // Hp(0.07) below level
			"04" + "09" + "00000000004c4b40", // neutron, special entry, 5 Sv
			Report{Scanned: 20573, NotCounted: true, Notes: []string{labfile.NoteUnused, labfile.NoteReceivedDamaged, labfile.NoteMultipleAccounts}, Readings: []dose.Reading{
				{Quantity: dose.Hp10, Qualifier: dose.Measured, Dose: 350}, {Quantity: dose.Hp007, Qualifier: dose.BelowLevel}, {Quantity: dose.NeutronHp10, Qualifier: dose.SpecialEntry, Dose: 5_000_000}}}.encode()},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	for _, c := range []struct {
		stored string
		into   any
		want   any
	}{
		{`{"department":"Cathlab","job_title":"Radiograffydd"}`, &Employment{}, &Employment{"Cathlab", "Radiograffydd"}},
		{`{"declared":"2026-01-02","end":"2026-09-30","foetal":["B00001"],"review":"2025-12-31"}`, &Health{}, &Health{day.Of(2026, 1, 2), day.Of(2026, 9, 30), []string{"B00001"}, day.Of(2025, 12, 31)}},
		{`{"accounts":["700123"],"levels":[{"Kind":1,"Dose":6000,"From":"2026-01-01","To":"","Name":"own"}]}`, &Settings{}, &Settings{Accounts: []string{"700123"}, Levels: []dose.Level{{Kind: dose.Effective, Dose: 6000, From: day.Of(2026, 1, 1), Name: "own"}}}},
		{`{"wearer":"aeaqcaibaeaqcaibaeaqcaibae","kind":1,"window":1,"year":2026,"dose":16000,"bound":15000,"name":"IRR17","on":"2026-01-31","opened":7}`, &Investigation{},
			&Investigation{Wearer: id.Wearer(all(1)), Kind: dose.Effective, Window: dose.CalendarYear, Year: 2026, Dose: 16_000, Bound: 15_000, Name: "IRR17", On: day.Of(2026, 1, 31), Opened: 7}},
	} {
		if err := decode([]byte(c.stored), c.into); err != nil {
			t.Errorf("%s: %v", c.stored, err)
			continue
		}
		if diff := cmp.Diff(c.want, c.into); diff != "" {
			t.Errorf("%s: %s", c.stored, diff)
		}
		if b, err := encode(c.into); err != nil || string(b) != c.stored {
			t.Errorf("%s was stored as %s, %v", c.stored, b, err)
		}
	}
}

func TestBlobsThatAreWrong(t *testing.T) {
	report := Report{Readings: []dose.Reading{{Quantity: dose.Hp10}}}.encode()
	for what, b := range map[string][]byte{"empty": nil, "short": report[:7], "cut": report[:len(report)-1], "longer": append(bytes.Clone(report), 0), "another version": append([]byte{2}, report[1:]...)} {
		if _, err := decodeReport(b); err == nil {
			t.Errorf("a report that is %s was read", what)
		}
	}
	for what, b := range map[string][]byte{"empty": nil, "short": {1, 1}, "longer": {1, 1, 0, 0}, "another version": {2, 1, 0}, "unknown flags": {1, 1, 2}} {
		if _, err := decodeWear(b); err == nil {
			t.Errorf("a wear period that is %s was read", what)
		}
	}
}

// Every report comes back, and none is longer than one padded length: the vault's padding then hides how much it says.
func TestReportsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Report{Scanned: day.Day(rapid.Int32().Draw(t, "scanned")), NotCounted: rapid.Bool().Draw(t, "not counted")}
		for _, n := range noteBits {
			if rapid.Bool().Draw(t, n) {
				r.Notes = append(r.Notes, n)
			}
		}
		for q := dose.Hp10; q <= dose.NeutronHp10; q++ {
			if rapid.Bool().Draw(t, q.String()) {
				r.Readings = append(r.Readings, dose.Reading{Quantity: q, Qualifier: dose.Qualifier(rapid.Uint8().Draw(t, "qualifier")), Dose: dose.MicroSv(rapid.Int64().Draw(t, "dose"))})
			}
		}
		b := r.encode()
		if len(b)+4 > readingPad {
			t.Fatalf("%d bytes", len(b))
		}
		got, err := decodeReport(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// manifestRows is what the vector of the manifest is over.
func manifestRows() *Rows {
	org := id.Organisation(all(0xa0))
	w1, w2 := id.Wearer(all(1)), id.Wearer(all(2))
	period := func(n byte, w id.Wearer, starts, ends day.Day, sealed string) PeriodRow {
		return PeriodRow{ID: id.Row(all(n)), Barcode: sealed, Organisation: org, Wearer: w, Starts: starts, Ends: ends, Sealed: []byte(sealed)}
	}
	reading := func(p PeriodRow, version uint32, sealed string) ReadingRow {
		return ReadingRow{Period: p.ID, Wearer: p.Wearer, Version: version, Sealed: []byte(sealed)}
	}
	one, two, control := period(0x31, w1, 20454, 20484, "period"), period(0x30, w2, 20485, 20512, "other"), period(0x33, id.Wearer{}, 20454, 20484, "control")
	return &Rows{
		Wearers: []WearerRow{
			{ID: w1, Organisation: org, Version: 1, Sealed: []byte("employment"), Health: []byte("health")},
			{ID: w1, Organisation: org, Version: 2, Sealed: []byte("employment 2"), Health: []byte("health 2")},
			{ID: w2, Organisation: org, Version: 1, Sealed: []byte("e"), Health: []byte("h")},
			{ID: id.Wearer(all(3)), Organisation: id.Organisation(all(0xb0)), Version: 1, Sealed: []byte("x"), Health: []byte("y")},
		},
		Periods:        []PeriodRow{one, two, control},
		Readings:       []ReadingRow{reading(one, 1, "first"), reading(one, 3, "re-issue"), reading(two, 1, "their"), reading(control, 1, "background")},
		ReadingPeriods: []PeriodRow{one, two, control},
		Investigations: []InvestigationRow{{ID: id.Row(all(0x51)), Organisation: org, Tag: bytes.Repeat([]byte{0x99}, 16), Sealed: []byte("investigation")}},
	}
}

// The hashes were computed from the format's description by a program in another language.
func TestManifestVector(t *testing.T) {
	want := []vaultclient.Manifest{
		{Organisation: id.Organisation(all(0xa0)), Kind: "laboratory", Rows: 11, Hash: unhex("ceaa38625490e00f0056074a7dfa1a72caf701b91a345f4aed933e703b94fc9c")},
		{Organisation: id.Organisation(all(0xb0)), Kind: "laboratory", Rows: 1, Hash: unhex("6afc8d4ccc1b1f0879cc2acd1fb6458620a1e80892b2eee65b08126ffd83c910")},
	}
	for range 5 {
		rows := manifestRows()
		shuffle(rows.Wearers)
		shuffle(rows.Periods)
		shuffle(rows.Readings)
		if diff := cmp.Diff(want, Manifests("laboratory", rows)); diff != "" {
			t.Fatal(diff)
		}
	}
}

func shuffle[T any](s []T) { rand.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] }) }

// Whatever is changed, dropped or given to somebody else shows.
func TestManifestNoticesEveryChange(t *testing.T) {
	untouched := Manifests("laboratory", manifestRows())[0].Hash
	other := id.Wearer(all(9))
	for what, change := range map[string]func(*Rows){
		"a wearer's version":        func(r *Rows) { r.Wearers[1].Version++ },
		"a wearer's row":            func(r *Rows) { r.Wearers[0].Sealed = []byte("x") },
		"a wearer's health":         func(r *Rows) { r.Wearers[0].Health = []byte("x") },
		"a dropped wearer":          func(r *Rows) { r.Wearers = r.Wearers[1:] },
		"a period's wearer":         func(r *Rows) { r.Periods[0].Wearer = other },
		"a period's first day":      func(r *Rows) { r.Periods[0].Starts++ },
		"a period's last day":       func(r *Rows) { r.Periods[0].Ends++ },
		"a period's blob":           func(r *Rows) { r.Periods[0].Sealed = []byte("x") },
		"a dropped period":          func(r *Rows) { r.Periods = r.Periods[1:] },
		"a reading's version":       func(r *Rows) { r.Readings[1].Version = 2 },
		"a reading's blob":          func(r *Rows) { r.Readings[0].Sealed = []byte("x") },
		"two readings' blobs":       func(r *Rows) { r.Readings[0].Sealed, r.Readings[1].Sealed = r.Readings[1].Sealed, r.Readings[0].Sealed },
		"a dropped re-issue":        func(r *Rows) { r.Readings = append(r.Readings[:1:1], r.Readings[2:]...) },
		"a reading's wearer":        func(r *Rows) { r.ReadingPeriods[0].Wearer = other },
		"an investigation's tag":    func(r *Rows) { r.Investigations[0].Tag = bytes.Repeat([]byte{1}, 16) },
		"an investigation's blob":   func(r *Rows) { r.Investigations[0].Sealed = []byte("x") },
		"a dropped investigation":   func(r *Rows) { r.Investigations = nil },
		"a row of somewhere else's": func(r *Rows) { r.Wearers[3].Organisation = r.Wearers[0].Organisation },
	} {
		rows := manifestRows()
		change(rows)
		if got := Manifests("laboratory", rows); bytes.Equal(got[0].Hash, untouched) {
			t.Errorf("%s makes no difference", what)
		}
	}
}

// A value is bound to each plain column beside it: changing one moves it to where it does not open.
func TestContextsBindTheirColumns(t *testing.T) {
	differ := func(what string, a, b vaultclient.Context) {
		t.Helper()
		if cmp.Equal(a, b) {
			t.Errorf("%s is not bound", what)
		}
	}
	p := manifestRows().Periods[0]
	for what, change := range map[string]func(*PeriodRow){
		"a period's id":      func(p *PeriodRow) { p.ID[0]++ },
		"its barcode":        func(p *PeriodRow) { p.Barcode += "1" },
		"its batch":          func(p *PeriodRow) { p.Batch += "1" },
		"its organisation":   func(p *PeriodRow) { p.Organisation[0]++ },
		"its wearer":         func(p *PeriodRow) { p.Wearer[0]++ },
		"its first day":      func(p *PeriodRow) { p.Starts++ },
		"its last day":       func(p *PeriodRow) { p.Ends++ },
		"its import":         func(p *PeriodRow) { p.Import[0]++ },
		"barcode from batch": func(p *PeriodRow) { p.Barcode, p.Batch = p.Barcode[:3], p.Barcode[3:] },
	} {
		q := p
		change(&q)
		differ(what, p.context(), q.context())
	}
	moved := p
	moved.State = Returned
	if !cmp.Equal(p.context(), moved.context()) {
		t.Error("a badge's state is bound, though it changes")
	}
	r := ReadingRow{Period: p.ID, Wearer: p.Wearer, Version: 1}
	for what, change := range map[string]func(*ReadingRow, *PeriodRow){
		"a reading's period": func(r *ReadingRow, _ *PeriodRow) { r.Period[0]++ },
		"its version":        func(r *ReadingRow, _ *PeriodRow) { r.Version++ },
		"its import":         func(r *ReadingRow, _ *PeriodRow) { r.Import[0]++ },
		"its wearer":         func(_ *ReadingRow, p *PeriodRow) { p.Wearer[0]++ },
		"its organisation":   func(_ *ReadingRow, p *PeriodRow) { p.Organisation[0]++ },
		"its year":           func(_ *ReadingRow, p *PeriodRow) { p.Ends += 366 },
	} {
		r2, p2 := r, p
		change(&r2, &p2)
		differ(what, r.context(&p), r2.context(&p2))
	}
	w := manifestRows().Wearers[0]
	for what, change := range map[string]func(*WearerRow){
		"a wearer's id":    func(w *WearerRow) { w.ID[0]++ },
		"its version":      func(w *WearerRow) { w.Version++ },
		"its organisation": func(w *WearerRow) { w.Organisation[0]++ },
		"its import":       func(w *WearerRow) { w.Import[0]++ },
	} {
		v := w
		change(&v)
		differ(what, w.context(policy.ClassHealth), v.context(policy.ClassHealth))
	}
	differ("a wearer's class", w.context(policy.ClassHealth), w.context(policy.ClassEmployment))
	i := manifestRows().Investigations[0]
	for what, change := range map[string]func(*InvestigationRow){
		"an investigation's id": func(i *InvestigationRow) { i.ID[0]++ },
		"its organisation":      func(i *InvestigationRow) { i.Organisation[0]++ },
		"its tag":               func(i *InvestigationRow) { i.Tag = bytes.Repeat([]byte{1}, 16) },
		"its import":            func(i *InvestigationRow) { i.Import[0]++ },
	} {
		j := i
		change(&j)
		differ(what, i.context(), j.context())
	}
	n := id.Import(all(4))
	d := documentContext(n, docFile, 1)
	differ("a document's name", d, documentContext(n, docPreview, 1))
	differ("a document's part", d, documentContext(n, docFile, 2))
	differ("a document's import", d, documentContext(id.Import(all(5)), docFile, 1))
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

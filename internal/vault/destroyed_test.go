package vault_test

import (
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/incident"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// What a recipient was sent and destroyed before somebody else may have had it is not concerned: of the recipient, window and organisation that it
// confirms, and of nothing else; and where nobody knows when it began, all of it is.
func TestDestroyed(t *testing.T) {
	h := newHouse(t)
	a, b := h.organisation("A"), h.organisation("B")
	one, two, three := h.join(a, "Rees, Ifan, A1")[0], h.join(a, "Bowen, Siân, A2")[0], h.join(b, "Parry, Mair, B1")[0]
	day := func(year int, month time.Month, n int) time.Time {
		return time.Date(year, month, n, 0, 0, 0, 0, time.UTC)
	}
	const lab, other = vc.Recipient("supplier:L"), vc.Recipient("supplier:M")
	cli := h.nodes["cli"]
	for _, d := range []struct {
		to          vc.Recipient
		from, until time.Time
		rows        []vc.DeclaredRow
	}{
		{lab, day(2011, 1, 1), day(2012, 1, 1), []vc.DeclaredRow{{Wearer: one, Fields: policy.FieldName | policy.FieldNI}, {Wearer: three, Fields: policy.FieldName}}},
		{lab, day(2012, 1, 1), day(2013, 1, 1), []vc.DeclaredRow{{Wearer: one, Fields: policy.FieldName}, {Wearer: two, Fields: policy.FieldName}}},
		{other, day(2011, 1, 1), day(2012, 1, 1), []vc.DeclaredRow{{Wearer: two, Fields: policy.FieldBirth}}},
	} {
		if err := cli.Declare(t.Context(), h.root, vc.Declaration{Import: id.New[id.Import](), Recipient: d.to, From: d.from, To: d.until, Rows: d.rows}); err != nil {
			t.Fatal(err)
		}
	}
	window := func(who vc.Recipient, began time.Time) *vc.Hypothesis {
		return &vc.Hypothesis{Recipient: who, From: day(2010, 1, 1), To: day(2017, 1, 1), Began: began}
	}
	began := day(2016, 10, 6)
	n := must(cli.EnterStep(t.Context(), h.root, vc.NewStep{Kind: vc.Declared, Text: "Hacked", Hypothesis: window(lab, began)}))
	enter := func(s vc.NewStep) error {
		s.Incident = n
		_, err := cli.EnterStep(t.Context(), h.root, s)
		return err
	}
	scope := func() vc.Exposures {
		t.Helper()
		r, ok := incident.Scope(must(cli.Incidents(t.Context(), h.root))[0])
		if !ok {
			t.Fatal("nothing to ask")
		}
		return must(cli.Exposures(t.Context(), h.root, r))
	}
	fields := func(x vc.Exposures, w id.Wearer) (f policy.Fields) {
		for _, e := range x.List {
			if e.Wearer == w {
				f |= e.Fields
			}
		}
		return f
	}
	of2011 := func(at time.Time) vc.NewStep {
		return vc.NewStep{Kind: vc.Destroyed, Text: "Certificate 12", Moment: at, Destruction: &vc.Destruction{Recipient: lab, From: day(2011, 1, 1), To: day(2012, 1, 1)}}
	}
	for what, s := range map[string]vc.NewStep{
		"before it was sent":     of2011(day(2011, 6, 1)),
		"without what":           {Kind: vc.Destroyed, Text: "Certificate 12"},
		"by nobody":              {Kind: vc.Destroyed, Text: "x", Destruction: &vc.Destruction{From: day(2011, 1, 1), To: day(2012, 1, 1)}},
		"with a note":            {Kind: vc.Noted, Text: "x", Destruction: of2011(began).Destruction},
		"begun after its window": {Kind: vc.Supposed, Text: "x", Hypothesis: window(lab, day(2018, 1, 1))},
	} {
		if err := enter(s); code(err) != vc.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	if x := scope(); x.Wearers != 3 || len(x.Destroyed) != 0 {
		t.Errorf("%d wearers", x.Wearers)
	}
	// Afterwards is too late.
	if err := enter(of2011(day(2016, 11, 1))); err != nil {
		t.Fatal(err)
	}
	if x := scope(); x.Wearers != 3 || fields(x, one) != policy.FieldName|policy.FieldNI {
		t.Errorf("destroyed after it began: %d wearers", x.Wearers)
	}
	// One organisation's, then everybody's.
	s := of2011(day(2015, 3, 1))
	s.Organisation = a
	if err := enter(s); err != nil {
		t.Fatal(err)
	}
	if x := scope(); x.Wearers != 3 || fields(x, one) != policy.FieldName || fields(x, three) != policy.FieldName || incident.Wearers(x.Destroyed) != 1 || incident.Spared(x) != 0 {
		t.Errorf("destroyed for A: %+v", x)
	}
	if err := enter(of2011(day(2015, 3, 1))); err != nil {
		t.Fatal(err)
	}
	if x := scope(); x.Wearers != 2 || fields(x, three) != 0 || incident.Spared(x) != 1 {
		t.Errorf("destroyed for all: %+v", x)
	}
	// Another supplier's is not touched, and with one more hypothesis that knows no beginning all of it is concerned again; also after a restart.
	if err := enter(vc.NewStep{Kind: vc.Supposed, Text: "The other one", Hypothesis: window(other, began)}); err != nil {
		t.Fatal(err)
	}
	h.stop()
	h.start()
	cli = h.nodes["cli"]
	if x := scope(); fields(x, two) != policy.FieldName|policy.FieldBirth || fields(x, three) != 0 {
		t.Errorf("with the other supplier: %+v", x)
	}
	if err := enter(vc.NewStep{Kind: vc.Supposed, Text: "Nobody knows since when", Hypothesis: window(lab, time.Time{})}); err != nil {
		t.Fatal(err)
	}
	if x := scope(); x.Wearers != 3 || fields(x, one) != policy.FieldName|policy.FieldNI || len(x.Destroyed) != 0 {
		t.Errorf("nobody knows since when: %+v", x)
	}
}

package register_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// someDoses has four people of the house's organisation with a badge or more each; the first works for a second employer too, where the dose is high.
func someDoses(h *house) (second id.Organisation, ws []id.Wearer) {
	second = h.organisation("Ysbyty Glan-y-Nant", "700456")
	ws = h.takeOn(h.joiner(h.org), h.joiner(h.org), h.joiner(h.org), h.joiner(h.org), h.joiner(h.org))
	again := h.joiner(second)
	again.SamePerson = ws[0]
	there := h.takeOn(again)[0]
	badges := []register.Dispatched{h.badge(h.org, ws[0], time.January), h.badge(h.org, ws[0], time.February), h.badge(h.org, ws[1], time.January), h.badge(h.org, ws[2], time.March),
		h.badge(h.org, ws[2], time.April), h.badge(h.org, ws[3], time.October), h.badge(second, there, time.January)}
	badges[4].Position, badges[5].State = dose.Foetal, register.Issued
	control := h.badge(h.org, id.Wearer{}, time.January)
	control.Position = dose.Control
	h.dispatch(append(badges, control)...)
	h.imported(file(line{Dispatched: badges[0], deep: "0.40"}, line{Dispatched: badges[1], deep: "0.05"}, line{Dispatched: badges[2], deep: "2.00"},
		line{Dispatched: badges[3], deep: "-", note: "Dosimeter received damaged. No evaluation possible."}, line{Dispatched: badges[4], deep: "0.90"}))
	h.imported(file(line{Dispatched: badges[6], account: "700456", deep: "17.77"}))
	return second, append(ws, there)
}

func TestOrganisationDoses(t *testing.T) {
	h := newHouse(t)
	second, ws := someDoses(h)
	entries := func(org id.Organisation) int { return h.entries(org, "reveal") }
	doses := func(auth vc.Auth, org id.Organisation) string {
		t.Helper()
		got, err := h.web.OrganisationDoses(t.Context(), auth, org, 2026)
		h.ok(err)
		var s []string
		for _, w := range got.Wearers {
			effective := dose.Collect(dose.Effective, 2026, [][]dose.Total{w.Totals})
			s = append(s, fmt.Sprintf("%d: %s of %s over %d, %d findings, %+v, %s", slices.Index(ws, w.Wearer), effective.Sum.MilliSv(), w.Highest.Limit.MilliSv(), w.Employments, len(w.Findings), w.Badges, w.Department))
		}
		c := got.Collective
		s = append(s, fmt.Sprintf("%s man-mSv, %d people, %d incomplete, %d without, highest %s", c.Sum.MilliSv(), c.People, c.Incomplete, c.NoResult, c.Highest.MilliSv()))
		for i, m := range got.Months {
			if m.People+m.NoResult > 0 {
				s = append(s, fmt.Sprintf("%v: %s", time.Month(i+1), m.Sum.MilliSv()))
			}
		}
		return strings.Join(s, "\n")
	}

	// A supervisor sees the own employment alone: nothing says that somebody works elsewhere too.
	supervisor := h.user(policy.Supervisor, h.org)
	before := entries(h.org)
	want := `1: 2 of 20 over 1, 0 findings, {Worn:1 Read:1 Lost:0 NotReturned:0}, Cathlab
0: 0.45 of 20 over 1, 0 findings, {Worn:2 Read:2 Lost:0 NotReturned:0}, Cathlab
2: 0 of 0 over 1, 0 findings, {Worn:1 Read:0 Lost:1 NotReturned:0}, Cathlab
3: 0 of 0 over 1, 0 findings, {Worn:1 Read:0 Lost:0 NotReturned:0}, Cathlab
2.45 man-mSv, 2 people, 0 incomplete, 1 without, highest 2
January: 2.4
February: 0.05
March: 0`
	noLimit := func(s string) string { // ids are random, and those without a share stand in their order
		lines := strings.Split(s, "\n")
		slices.Sort(lines[2:4])
		return strings.Join(lines, "\n")
	}
	if got := noLimit(doses(supervisor, h.org)); got != want {
		t.Errorf("the supervisor sees\n%s\nwant\n%s", got, want)
	}
	if n := entries(h.org) - before; n != 2 {
		t.Errorf("%d entries, want one for the doses of everybody and one for the organisation's settings", n)
	}

	// A co-ordinator sees the person's dose; the organisation's own sums stay its own.
	want = strings.Replace(want, "1: 2 of 20 over 1, 0 findings, {Worn:1 Read:1 Lost:0 NotReturned:0}, Cathlab\n0: 0.45 of 20 over 1, 0 findings,",
		"0: 18.22 of 20 over 2, 2 findings,", 1)
	want = strings.Replace(want, "Cathlab\n2:", "Cathlab\n1: 2 of 20 over 1, 0 findings, {Worn:1 Read:1 Lost:0 NotReturned:0}, Cathlab\n2:", 1)
	before, there := entries(h.org), entries(second)
	if got := noLimit(doses(h.auth, h.org)); got != want {
		t.Errorf("the co-ordinator sees\n%s\nwant\n%s", got, want)
	}
	if n, m := entries(h.org)-before, entries(second)-there; n != 3 || m != 2 {
		t.Errorf("%d and %d entries, want 3 here (employments, doses, settings) and 2 there", n, m)
	}

	// What the page of one wearer says is what the list says.
	for i, w := range ws[:2] {
		m, _ := total(h.record(w), dose.Effective, 2026)
		if want := []dose.MicroSv{18_220, 2_000}[i]; m != want {
			t.Errorf("wearer %d has %d µSv, want %d", i, m, want)
		}
	}
	years, err := h.web.DoseYears(t.Context(), supervisor, h.org)
	h.ok(err)
	if !slices.Equal(years, []int{2026}) {
		t.Errorf("years %v", years)
	}
	before = entries(h.org)
	trend, err := h.web.CollectiveDoses(t.Context(), supervisor, h.org, []int{2025, 2026})
	h.ok(err)
	if trend[0].People != 0 || trend[1].Sum != 2_450 || trend[1].People != 2 || trend[1].NoResult != 1 || entries(h.org)-before != 1 {
		t.Errorf("the trend is %+v with %d entries", trend, entries(h.org)-before)
	}
}

// TestOrganisationDosesAreNotForEverybody: who works with no doses, or not with this organisation, learns not even that it is
// there, and nothing of it is asked of the vault. The vault would refuse them too.
func TestOrganisationDosesAreNotForEverybody(t *testing.T) {
	h := newHouse(t)
	second, ws := someDoses(h)
	entries := func() int { return h.entries(h.org, "reveal") + h.entries(h.org, "refuse") }
	local := h.user(policy.Local, h.org)
	before := entries()
	for _, who := range []vc.Auth{local, h.user(policy.Supervisor, second), h.user(policy.DataProtection, h.org), h.user(policy.RecordsOfficer), h.user(policy.Operator),
		h.signIn(vc.NewUser{Name: "Siân Ŵyn-Jones", Role: policy.Wearer, Wearers: ws[:1]})} {
		_, err := h.web.OrganisationDoses(t.Context(), who, h.org, 2026)
		_, errYears := h.web.DoseYears(t.Context(), who, h.org)
		_, errTrend := h.web.CollectiveDoses(t.Context(), who, h.org, []int{2026})
		for _, err := range []error{err, errYears, errTrend} {
			if e, ok := err.(*vc.Error); !ok || e.Code != vc.NotFound {
				t.Errorf("it answered %v", err)
			}
		}
	}
	if n := entries() - before; n != 0 {
		t.Errorf("the vault was asked: %d entries", n)
	}
	first, last := day.Of(2026, 1, 1), day.Of(2026, 12, 31)
	rows, err := h.store.ResultsOf(t.Context(), h.org, first, last)
	h.ok(err)
	i := slices.IndexFunc(rows, func(r register.Result) bool { return r.Wearer == ws[0] })
	r := rows[i].Reports[0]
	item := vc.Item{Context: vc.Context{Table: "reading", Row: r.Period, Version: r.Version, Class: policy.ClassDose, Organisation: h.org, Wearer: ws[0],
		Year: uint16(rows[i].Ends.Year()), Bind: r.Import[:]}, Value: r.Sealed}
	_, err = h.v.Open(t.Context(), vault.Caller{Node: "web", Auth: local}, vc.OpenRequest{Purpose: policy.AssessDose, Items: []vc.Item{item}})
	if e, ok := err.(*vc.Error); !ok || e.Code != vc.Refused || entries()-before != 1 {
		t.Errorf("the vault answered %v, with %d entries", err, entries()-before)
	}
}

// TestBadgesStandInWithinAnEmployment: an eye badge at one employer does not stand before the collar badge at another.
func TestBadgesStandInWithinAnEmployment(t *testing.T) {
	h := newHouse(t)
	second := h.organisation("Ysbyty Glan-y-Nant", "700456")
	w := h.takeOn(h.joiner(h.org))[0]
	again := h.joiner(second)
	again.SamePerson = w
	w2 := h.takeOn(again)[0]
	eye, body := h.badge(h.org, w, time.May), h.badge(second, w2, time.May)
	eye.Position = dose.Eye
	h.dispatch(eye, body)
	h.imported(file(line{Dispatched: eye, deep: "1.00"}))
	h.imported(file(line{Dispatched: body, account: "700456", deep: "2.00"}))
	if m, n := total(h.record(w), dose.Lens, 2026); m != 3_000 || n != 2 {
		t.Errorf("the lens has %d µSv of %d badges, want 3000 of 2", m, n)
	}
	got, err := h.web.OrganisationDoses(t.Context(), h.auth, h.org, 2026)
	h.ok(err)
	if s := got.Wearers[0].Highest; s != (dose.Share{Kind: dose.Lens, Dose: 3_000, Limit: 20_000}) {
		t.Errorf("the highest share is %+v", s)
	}
}

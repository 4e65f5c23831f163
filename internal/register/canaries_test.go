package register_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// atDesk is the command line on the vault's machine, with a co-ordinator signed in.
func (h *house) atDesk() (*register.Service, vc.Auth) {
	h.Helper()
	user, err := h.v.Whoami(h.Context(), vault.Caller{Node: "web", Auth: h.auth})
	h.ok(err)
	s, err := h.v.RedeemCode(h.Context(), vault.Caller{Node: "cli"}, h.v.NewCode(user.ID, "cli"))
	h.ok(err)
	return h.service("cli", nil), vc.Auth{Session: s.Token}
}

// history gives an organisation people who left two years ago and earlier, in different ways, and some who are there.
func (h *house) history(desk *register.Service, auth vc.Auth, left, there int) (leavers []id.Wearer) {
	h.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	var joiners []register.Joiner
	for i := range left + there {
		j := h.joiner(h.org)
		j.Employment.Department = []string{"Cathlab", "Theatre", "Imaging"}[i%3]
		if i < left {
			j.To = day.Of(2024, time.September, 30) - day.Day(rnd.IntN(300))
		}
		joiners = append(joiners, j)
	}
	ws := h.takeOn(joiners...)
	var badges []register.Dispatched
	var rows []labfile.Row
	for i, w := range ws {
		last := day.Of(2026, time.September, 1)
		if i < left {
			last = joiners[i].To.AddMonths(-1)
		}
		months := 3 + rnd.IntN(12)
		for m := range months {
			if i%7 == 3 && m == 2 {
				continue // a gap
			}
			from := day.Of(last.Year(), last.Time().Month()-time.Month(months-m-1), 1)
			for _, p := range []dose.Position{dose.WholeBody, dose.LeftFinger}[:1+i%2] {
				h.made++
				d := register.Dispatched{Barcode: fmt.Sprintf("B%05dK", h.made), Batch: "N" + from.String(), State: register.Sent, Organisation: h.org, Wearer: w, Position: p, From: from, To: from.AddMonths(1) - 1}
				if i%4 != 1 {
					d.Returned, d.Sent = d.To+5, d.To+9
				}
				badges = append(badges, d)
				for v := range 1 + h.made%9/8 {
					rows = append(rows, labfile.Row{Number: len(rows) + 1, Account: "700123", Barcode: d.Barcode, Position: p, From: d.From, To: d.To, Scanned: d.To + 40, Version: v,
						Readings: []dose.Reading{{Quantity: map[dose.Position]dose.Quantity{dose.WholeBody: dose.Hp10, dose.LeftFinger: dose.Hp007}[p], Dose: dose.MicroSv(10 * rnd.IntN(20)), Qualifier: dose.Measured}}})
				}
			}
		}
	}
	_, err := desk.Dispatch(h.Context(), auth, badges, "Cardiff Dosimetry")
	h.ok(err)
	_, err = desk.ImportRows(h.Context(), auth, "Cardiff Dosimetry", rows)
	h.ok(err)
	return ws[:left]
}

// plant plants canaries at the desk, and returns who they are, as only this test knows.
func (h *house) plant(desk *register.Service, auth vc.Auth, n int) []id.Wearer {
	h.Helper()
	before, err := h.store.WearersOf(h.Context(), h.org)
	h.ok(err)
	made, err := desk.Plant(h.Context(), auth, h.org, func(ctx context.Context, worn []vc.Span) ([]vc.Change, error) {
		return h.v.Invent(ctx, vault.Caller{Node: "cli", Auth: auth}, h.org, n, worn)
	})
	h.ok(err)
	after, err := h.store.WearersOf(h.Context(), h.org)
	h.ok(err)
	var birds []id.Wearer
	for _, w := range after {
		if !slices.ContainsFunc(before, func(b register.WearerRow) bool { return b.ID == w.ID }) {
			birds = append(birds, w.ID)
		}
	}
	if len(birds) != made {
		h.Fatalf("%d were planted, %d are new", made, len(birds))
	}
	return birds
}

// figures are what pages say of an organisation without naming anybody, and of everybody but some.
func (h *house) figures(auth vc.Auth, without []id.Wearer) map[string]string {
	h.Helper()
	out := map[string]string{}
	put := func(what string, v any, err error) {
		h.Helper()
		h.ok(err)
		out[what] = fmt.Sprintf("%+v", v)
	}
	orgs, err := h.web.Vault.Organisations(h.Context(), auth)
	h.ok(err)
	for _, o := range orgs {
		put("current headcount", o.Current, nil)
	}
	years := []int{2022, 2023, 2024, 2025, 2026}
	sums, err := h.web.CollectiveDoses(h.Context(), auth, h.org, years)
	put("collective doses", sums, err)
	for _, y := range years {
		d, err := h.web.OrganisationDoses(h.Context(), auth, h.org, y)
		h.ok(err)
		put(fmt.Sprint("doses of ", y), []any{d.Collective, d.Months, slices.DeleteFunc(d.Wearers, func(w register.WearerDoses) bool { return slices.Contains(without, w.Wearer) })}, nil)
	}
	rates, err := h.web.ReturnRates(h.Context(), auth, 24)
	put("return rates", rates, err)
	by, err := h.web.DepartmentRates(h.Context(), auth, h.org, 24)
	put("return rates by department", by, err)
	gaps, err := h.web.Gaps(h.Context(), auth, h.org)
	put("gaps", gaps, err)
	for _, on := range []day.Day{day.Of(2025, time.March, 1), day.Of(2026, time.October, 31)} {
		late, err := h.web.Unreturned(h.Context(), auth, h.org, on)
		put("not returned on "+on.String(), late, err)
	}
	inv, err := h.web.Investigations(h.Context(), auth, h.org)
	put("investigations", inv, err)
	counts, err := h.web.BadgeCounts(h.Context(), auth, h.org, day.At(now).AddMonths(-24), day.At(now).AddMonths(24))
	slices.SortFunc(counts, func(a, b register.BadgeCount) int {
		return strings.Compare(fmt.Sprintf("%+v", a), fmt.Sprintf("%+v", b))
	})
	put("batches of two years", counts, err)
	return out
}

// Canaries change no figure that anybody works with.
func TestCanariesChangeNoFigure(t *testing.T) {
	h := newHouse(t)
	desk, auth := h.atDesk()
	h.history(desk, auth, 60, 16)
	before := h.figures(h.auth, nil)
	birds := h.plant(desk, auth, 0)
	if len(birds) != 3 {
		t.Fatalf("%d canaries for 60 who left", len(birds))
	}
	if again := h.plant(desk, auth, 0); len(again) != 0 {
		t.Errorf("%d more than the default", len(again))
	}
	birds = append(birds, h.plant(desk, auth, 40)...)
	if diff := cmp.Diff(before, h.figures(h.auth, birds)); diff != "" {
		t.Errorf("before and after:\n%s", diff)
	}
}

// features are what the register's plain columns and lengths say of somebody who has left.
type features struct {
	Badges, AtOnce, Gaps, Reports, Reissued, Steps, States int
	First, Last                                            day.Day
	Versions                                               uint32
	Wearer, Health, Period, Reading                        int // lengths
	Form                                                   string
}

func (h *house) features(w id.Wearer) features {
	h.Helper()
	rows, err := h.store.Wearers(h.Context(), []id.Wearer{w})
	h.ok(err)
	results, err := h.store.Results(h.Context(), []id.Wearer{w}, 0)
	h.ok(err)
	f := features{Versions: rows[0].Version, Wearer: len(rows[0].Sealed), Health: len(rows[0].Health)}
	slices.SortFunc(results, func(a, b register.Result) int { return int(a.Starts - b.Starts) })
	at := map[day.Day]int{}
	for i, r := range results {
		f.Badges++
		at[r.Starts]++
		f.AtOnce = max(f.AtOnce, at[r.Starts])
		if i > 0 && r.Starts > results[i-1].Ends+1 {
			f.Gaps++
		}
		f.Reports += len(r.Reports)
		for _, rep := range r.Reports {
			f.Reading = max(f.Reading, len(rep.Sealed))
			if rep.Version > 1 {
				f.Reissued++
			}
		}
		steps, err := h.store.Movements(h.Context(), r.Barcode)
		h.ok(err)
		f.Steps += len(steps)
		f.Period, f.States = len(r.Sealed), int(r.State)
		f.Form = strings.Map(func(c rune) rune {
			if c >= '0' && c <= '9' {
				return '0'
			}
			return c
		}, r.Barcode)
	}
	f.First, f.Last = results[0].Starts, results[len(results)-1].Ends
	return f
}

// Nothing that the register shows of a canary in the clear is other than what it shows of somebody who has left: it is
// copied from one of them.
func TestCanariesLookLikeLeavers(t *testing.T) {
	h := newHouse(t)
	desk, auth := h.atDesk()
	leavers := h.history(desk, auth, 60, 4)
	real := map[features]bool{}
	for _, w := range leavers {
		real[h.features(w)] = true
	}
	birds := h.plant(desk, auth, 40)
	if len(birds) != 40 {
		t.Fatalf("%d were planted", len(birds))
	}
	seen := map[features]bool{}
	for _, b := range birds {
		f := h.features(b)
		if seen[f] = true; !real[f] {
			t.Errorf("nobody who left is like %+v", f)
		}
	}
	if len(seen) < 20 {
		t.Errorf("only %d different ones among 40", len(seen))
	}
	// Nor do ids tell, which are what tables are sorted by: those of canaries lie anywhere among the others.
	all := append(slices.Clone(leavers), birds...)
	slices.SortFunc(all, func(a, b id.Wearer) int { return slices.Compare(a[:], b[:]) })
	runs := 1
	for i := 1; i < len(all); i++ {
		if slices.Contains(birds, all[i]) != slices.Contains(birds, all[i-1]) {
			runs++
		}
	}
	if runs < 20 { // 49 are expected of 40 among 60, with a standard deviation of 5
		t.Errorf("canaries and others lie apart: %d runs", runs)
	}
	// Their records are those of people who never used a badge.
	for _, b := range birds[:2] {
		user := h.user(policy.Supervisor, h.org)
		rec, err := h.web.WearerRecord(t.Context(), user, b, 0)
		if err == nil || rec != nil {
			t.Error("a canary's record was opened like any other")
		}
	}
}

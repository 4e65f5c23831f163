package register

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// OrganisationDoses are the doses of an organisation's wearers in a calendar year, as its entry in the ledger names them.
type OrganisationDoses struct {
	Year       int
	Levels     []dose.Level      // the employer's own
	Wearers    []WearerDoses     // those with a badge whose period ends in the year; the highest share of a limit first
	Collective dose.Collective   // effective, of the work for this organisation alone
	Months     []dose.Collective // the same, of the periods that ended in each month
}

// WearerDoses are one wearer's doses of a year.
type WearerDoses struct {
	Wearer      id.Wearer
	Department  string
	Subject     dose.Subject
	Employments int            // that the doses are summed over; more than 1 only for who may see them all
	Totals      []dose.Total   // of the year, by kind
	Findings    []dose.Finding // limits and levels passed in the year
	Highest     dose.Share     // the total that is the largest part of its limit
	Badges      BadgeResults   // of this employment
}

// BadgeResults counts badges whose period ends in a year, without those that belong to no assigned dose.
type BadgeResults struct {
	Worn        int // all of them
	Read        int // reported with a result, also “unused”
	Lost        int // reported lost or damaged
	NotReturned int // reported so, or still out after their last day
}

// around is how much of the years beside a year is looked at, in months: a sum of three months, or a badge that stands in for
// another, may begin in the one and end in the other.
const around = 3

// atOnce is how many values of an organisation's year are opened in one call, so that one entry names them all: 6,000 wearers with
// a badge a month.
const atOnce = 150_000

// errNoOrganisation says that there is no such organisation, or none whose doses the caller works with.
var errNoOrganisation = &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such organisation"}

// seesDoses finds who asks, and that it is somebody who works with an organisation's doses; whoever handles its badges alone does not.
// The vault would refuse too; this is so that nothing is asked of it, and an organisation without doses answers nobody.
func (s *Service) seesDoses(ctx context.Context, auth vaultclient.Auth, org id.Organisation) (vaultclient.User, error) {
	user, mine, err := s.handles(ctx, auth)
	if sees := user.Role == policy.Coordinator || user.Role == policy.Supervisor; err == nil && (!sees || !mine[org]) {
		err = errNoOrganisation
	}
	return user, err
}

// OrganisationDoses opens an organisation's doses of a calendar year for the caller, with one entry in its ledger: for a
// co-ordinator summed over all of a person's employments (with an entry in the ledgers of those, too), for a supervisor of the own organisation alone. An unborn
// child's dose is not among them. Code NotFound: no such organisation, or none that the caller works with.
func (s *Service) OrganisationDoses(ctx context.Context, auth vaultclient.Auth, org id.Organisation, year int) (*OrganisationDoses, error) {
	user, err := s.seesDoses(ctx, auth, org)
	if err != nil {
		return nil, err
	}
	out := &OrganisationDoses{Year: year, Collective: dose.Collect(dose.Effective, year, nil)}
	first, last := yearBounds(year)
	results, err := s.Store.ResultsOf(ctx, org, first.AddMonths(-around), last.AddMonths(around))
	if err != nil {
		return nil, err
	}
	wearers := endingIn(results, first, last)
	if len(wearers) == 0 {
		return out, nil
	}
	set, err := s.settings(ctx, auth, policy.AssessDose, []vaultclient.Organisation{{ID: org}})
	if err != nil {
		return nil, err
	}
	for _, one := range set {
		out.Levels = one.Levels
	}
	people, err := s.employmentsOf(ctx, auth, user, wearers)
	if err != nil {
		return nil, err
	}
	asked := make(map[id.Wearer]bool, len(wearers))
	for _, w := range wearers {
		asked[w] = true
	}
	results = slices.DeleteFunc(results, func(r Result) bool { return !asked[r.Wearer] })
	elsewhere, err := s.resultsElsewhere(ctx, people, asked, first.AddMonths(-around), last.AddMonths(around))
	if err != nil {
		return nil, err
	}
	results = newestOnly(append(results, elsewhere...))
	rows, err := s.Store.Wearers(ctx, wearers)
	if err != nil {
		return nil, err
	}
	departments, opened, err := s.openYear(ctx, auth, rows, results)
	if err != nil {
		return nil, err
	}
	all := map[*employments][]openedResult{}
	for _, o := range opened {
		all[people[o.Wearer]] = append(all[people[o.Wearer]], o)
	}
	var own [][]dose.Total
	for _, w := range wearers {
		one, ownTotals := s.doses(w, people[w], all[people[w]], out.Levels, year)
		one.Department = departments[w]
		out.Wearers, own = append(out.Wearers, one), append(own, ownTotals)
	}
	slices.SortFunc(out.Wearers, func(a, b WearerDoses) int {
		if c := b.Highest.Compare(a.Highest); c != 0 {
			return c
		}
		return bytes.Compare(a.Wearer[:], b.Wearer[:])
	})
	out.Collective = dose.Collect(dose.Effective, year, own)
	out.Months = months(year, opened[:len(opened)-len(elsewhere)])
	return out, nil
}

func yearBounds(year int) (first, last day.Day) {
	return day.Of(year, time.January, 1), day.Of(year, time.December, 31)
}

// endingIn returns the wearers of wear periods that end from one day to another, in order of id.
func endingIn(results []Result, first, last day.Day) (wearers []id.Wearer) {
	seen := map[id.Wearer]bool{}
	for i := range results {
		if r := &results[i]; r.Ends >= first && r.Ends <= last && !seen[r.Wearer] {
			seen[r.Wearer] = true
			wearers = append(wearers, r.Wearer)
		}
	}
	slices.SortFunc(wearers, func(a, b id.Wearer) int { return bytes.Compare(a[:], b[:]) })
	return wearers
}

// newestOnly leaves each wear period its newest report.
func newestOnly(results []Result) []Result {
	for i := range results {
		if n := len(results[i].Reports); n > 1 {
			results[i].Reports = results[i].Reports[n-1:]
		}
	}
	return results
}

// employments are those of one human being that the caller sees.
type employments struct {
	subject dose.Subject
	wearers []id.Wearer
}

// index numbers an employment among a human being's.
func (e *employments) index(w id.Wearer) int { return slices.Index(e.wearers, w) }

// employmentsOf finds the employments over which each wearer's doses are summed: all of the person's for a co-ordinator, else the wearer's own.
func (s *Service) employmentsOf(ctx context.Context, auth vaultclient.Auth, user vaultclient.User, wearers []id.Wearer) (map[id.Wearer]*employments, error) {
	out := make(map[id.Wearer]*employments, len(wearers))
	if user.Role != policy.Coordinator {
		for _, w := range wearers {
			out[w] = &employments{dose.Subject{Group: dose.Adult}, []id.Wearer{w}}
		}
		return out, nil
	}
	links, err := s.Vault.Linked(ctx, auth, policy.AssessDose, wearers)
	if err != nil {
		return nil, err
	}
	for _, linked := range links {
		if len(linked) == 0 || out[linked[0].Wearer] != nil {
			continue
		}
		e := &employments{subject: subject(linked)}
		for _, l := range linked {
			e.wearers = append(e.wearers, l.Wearer)
			out[l.Wearer] = e
		}
	}
	return out, nil
}

// resultsElsewhere returns the results, of periods that end from one day to another, of people's employments that are not asked about themselves.
func (s *Service) resultsElsewhere(ctx context.Context, people map[id.Wearer]*employments, asked map[id.Wearer]bool, from, to day.Day) ([]Result, error) {
	var others []id.Wearer
	for w := range people {
		if !asked[w] {
			others = append(others, w)
		}
	}
	results, err := s.Store.Results(ctx, others, from)
	return slices.DeleteFunc(results, func(r Result) bool { return r.Ends > to }), err
}

// openYear opens wearers' departments and results in one call.
func (s *Service) openYear(ctx context.Context, auth vaultclient.Auth, rows []WearerRow, results []Result) (map[id.Wearer]string, []openedResult, error) {
	items := make([]vaultclient.Item, 0, len(rows)+2*len(results))
	for i := range rows {
		items = append(items, vaultclient.Item{Context: rows[i].context(policy.ClassEmployment), Value: rows[i].Sealed})
	}
	values, err := s.openBy(ctx, auth, policy.AssessDose, "an organisation's doses", atOnce, append(items, resultItems(results)...))
	if err != nil {
		return nil, nil, err
	}
	departments := make(map[id.Wearer]string, len(rows))
	for i := range rows {
		var e Employment
		if err := decode(values[i], &e); err != nil {
			return nil, nil, err
		}
		departments[rows[i].ID] = e.Department
	}
	opened, err := decodeResults(results, values[len(rows):])
	return departments, opened, err
}

// doses sums up one wearer's year: over all employments, and the totals of this one alone.
func (s *Service) doses(w id.Wearer, e *employments, results []openedResult, levels []dose.Level, year int) (out WearerDoses, own []dose.Total) {
	out = WearerDoses{Wearer: w, Subject: e.subject, Employments: len(e.wearers)}
	var all, mine []dose.Record
	first, last := yearBounds(year)
	for _, o := range results {
		this := o.Wearer == w
		if this && o.Ends >= first && o.Ends <= last {
			out.Badges.add(o, s.today())
		}
		if len(o.Reports) == 0 {
			continue
		}
		r := record(o.Wear, o.PeriodRow, o.Reports[0].Report, e.index(o.Wearer))
		all = append(all, r)
		if this {
			mine = append(mine, r)
		}
	}
	a := dose.Evaluate(e.subject, levels, all, s.today())
	out.Totals = ofYear(a.Totals, year)
	for _, f := range a.Findings {
		if f.Year == year {
			out.Findings = append(out.Findings, f)
		}
	}
	out.Highest = dose.HighestShare(e.subject, year, out.Totals)
	if own = out.Totals; len(mine) < len(all) {
		own = ofYear(dose.Evaluate(e.subject, nil, mine, s.today()).Totals, year)
	}
	return out, own
}

func ofYear(totals []dose.Total, year int) []dose.Total {
	return slices.DeleteFunc(totals, func(t dose.Total) bool { return t.Year != year })
}

// add counts a badge.
func (b *BadgeResults) add(o openedResult, today day.Day) {
	if o.NotCounted || len(o.Reports) > 0 && o.Reports[0].NotCounted {
		return
	}
	b.Worn++
	if len(o.Reports) == 0 {
		if o.State == Issued && o.Ends < today {
			b.NotReturned++
		}
		return
	}
	var read, missing bool
	for _, r := range o.Reports[0].Readings {
		read = read || r.Qualifier.Accumulates() || r.Qualifier == dose.Unused
		missing = missing || r.Qualifier == dose.NotReturned
	}
	switch {
	case read:
		b.Read++
	case missing:
		b.NotReturned++
	default:
		b.Lost++
	}
}

// months collects the effective doses of the periods that ended in each month of a year.
func months(year int, opened []openedResult) []dose.Collective {
	type month struct {
		w id.Wearer
		m time.Month
	}
	of := map[month][]dose.Record{}
	for _, o := range opened {
		if o.Ends.Year() == year && len(o.Reports) > 0 {
			k := month{o.Wearer, o.Ends.Time().Month()}
			of[k] = append(of[k], record(o.Wear, o.PeriodRow, o.Reports[0].Report, 0))
		}
	}
	var totals [13][][]dose.Total
	for k, records := range of {
		totals[k.m] = append(totals[k.m], dose.Evaluate(dose.Subject{}, nil, records, 0).Totals)
	}
	out := make([]dose.Collective, 12)
	for m := range out {
		out[m] = dose.Collect(dose.Effective, year, totals[m+1])
	}
	return out
}

// DoseYears returns the calendar years in which an organisation's badges have periods that ended, newest first. It opens
// nothing. Code NotFound: no such organisation, or none that the caller works with.
func (s *Service) DoseYears(ctx context.Context, auth vaultclient.Auth, org id.Organisation) ([]int, error) {
	if _, err := s.seesDoses(ctx, auth, org); err != nil {
		return nil, err
	}
	counts, err := s.Store.BadgeCounts(ctx, org, 0, s.today())
	if err != nil {
		return nil, err
	}
	var years []int
	for _, c := range counts {
		years = append(years, c.Ends.Year())
	}
	slices.SortFunc(years, func(a, b int) int { return b - a })
	return slices.Compact(years), nil
}

// CollectiveDoses opens an organisation's effective doses of some calendar years, each year with one entry in its ledger, and
// returns what they come to: of the work for this organisation alone. Code NotFound: as OrganisationDoses.
func (s *Service) CollectiveDoses(ctx context.Context, auth vaultclient.Auth, org id.Organisation, years []int) ([]dose.Collective, error) {
	if _, err := s.seesDoses(ctx, auth, org); err != nil {
		return nil, err
	}
	var out []dose.Collective
	for _, year := range years { // one at a time, so that memory stays flat
		first, last := yearBounds(year)
		results, err := s.Store.ResultsOf(ctx, org, first, last)
		if err != nil {
			return nil, err
		}
		results = slices.DeleteFunc(newestOnly(results), func(r Result) bool { return len(r.Reports) == 0 })
		_, opened, err := s.openYear(ctx, auth, nil, results)
		if err != nil {
			return nil, err
		}
		of := map[id.Wearer][]dose.Record{}
		for _, o := range opened {
			of[o.Wearer] = append(of[o.Wearer], record(o.Wear, o.PeriodRow, o.Reports[0].Report, 0))
		}
		var people [][]dose.Total
		for _, records := range of {
			people = append(people, dose.Evaluate(dose.Subject{}, nil, records, 0).Totals)
		}
		out = append(out, dose.Collect(dose.Effective, year, people))
	}
	return out, nil
}

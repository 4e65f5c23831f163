package register

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// human is one human being in an evaluation: all employments, and all results of the last five years.
type human struct {
	subject dose.Subject
	wearers []vaultclient.LinkedWearer
	records []dose.Record
	latest  day.Day         // last day of the newest period in the import
	by      id.Wearer       // whose badge that was
	org     id.Organisation // and whose employee
}

// employment numbers one of the human being's employments.
func (h *human) employment(w id.Wearer) int {
	return slices.IndexFunc(h.wearers, func(l vaultclient.LinkedWearer) bool { return l.Wearer == w })
}

// evaluation sums the doses of everyone in an import over all of a person's employments.
type evaluation struct {
	s       *Service
	auth    vaultclient.Auth
	rows    *acceptedRows
	wearers []owned
	since   day.Day
	levels  map[id.Organisation][]dose.Level
	mu      sync.Mutex
	whole   bool               // of everybody, not of an import: the newest result counts as what it is about
	summed  map[id.Wearer]bool // the first employment of persons with several, who may be met with each of them
}

// evaluate sums, and returns the investigations that an import opens: once for each person, quantity, year and bound.
func (s *Service) evaluate(ctx context.Context, auth vaultclient.Auth, im ImportRow, rows *acceptedRows) ([]InvestigationRow, error) {
	e := &evaluation{s: s, auth: auth, rows: rows, wearers: rows.wearers(), summed: map[id.Wearer]bool{}}
	if len(e.wearers) == 0 {
		return nil, nil
	}
	first := day.Day(1 << 30)
	for i := e.wearers[0].from; i < rows.len(); i++ {
		first = min(first, rows.row(i).period.Ends)
	}
	e.since = fiveYearsBefore(first)
	var err error
	if e.levels, err = s.levels(ctx, auth); err != nil {
		return nil, err
	}
	const most = 2_500 // wearers at a time, so that memory stays flat: each may have some hundred results
	parts := slices.Collect(slices.Chunk(e.wearers, most))
	found := make([][]finding, len(parts))
	group, ctxGroup := errgroup.WithContext(ctx)
	group.SetLimit(underWay)
	for i, part := range parts {
		group.Go(func() (err error) {
			found[i], err = e.findings(ctxGroup, part)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return s.openInvestigations(ctx, auth, im, slices.Concat(found...))
}

// finding is an investigation that may have to be opened, by the organisation of the wearer.
type finding struct {
	Investigation
	org id.Organisation
}

// findings evaluates some of the wearers, with all that they are linked to.
func (e *evaluation) findings(ctx context.Context, part []owned) (found []finding, err error) {
	humans, of, err := e.humans(ctx, part)
	if err != nil {
		return nil, err
	}
	newest := map[id.Row]int{} // version by wear period: an import may hold a report and its re-issue
	for _, h := range humans {
		for _, l := range h.wearers {
			e.add(h, l.Wearer, newest)
		}
	}
	if err := e.earlier(ctx, humans, of, newest); err != nil {
		return nil, err
	}
	for _, h := range humans {
		for _, f := range dose.Evaluate(h.subject, e.levels[h.org], h.records, 0).Findings {
			found = append(found, finding{Investigation{Wearer: h.by, Kind: f.Kind, Window: f.Window, Year: f.Year, Dose: f.Dose, Bound: f.Bound,
				Overexposure: f.Overexposure, Name: findingName(f), On: f.On, Opened: e.s.Now().UnixMicro()}, h.org})
		}
	}
	return found, nil
}

// add adds what the import says of a wearer; newest gets the versions that count.
func (e *evaluation) add(h *human, w id.Wearer, newest map[id.Row]int) {
	n, ok := slices.BinarySearchFunc(e.wearers, w, func(o owned, w id.Wearer) int { return bytes.Compare(o.wearer[:], w[:]) })
	if !ok {
		return
	}
	for i := e.wearers[n].from; i < e.wearers[n].to; i++ {
		a := e.rows.row(i)
		one := record(a.wear, &a.period, a.report, h.employment(w))
		if _, again := newest[a.period.ID]; again { // the version before stands in the row before
			h.records[len(h.records)-1] = one
		} else {
			h.records = append(h.records, one)
		}
		newest[a.period.ID] = a.version
		if a.period.Ends >= h.latest {
			h.latest, h.by, h.org = a.period.Ends, w, a.period.Organisation
		}
	}
}

// findingName names the level, or regulation and paragraph of the limit.
func findingName(f dose.Finding) string {
	if f.Limit != nil {
		return f.Limit.Regulation + " " + f.Limit.Paragraph
	}
	return f.Level.Name
}

// humans finds the human beings behind wearers, with what limits hold for them, but for those whom another part has found.
func (e *evaluation) humans(ctx context.Context, part []owned) ([]*human, map[id.Wearer]*human, error) {
	wearers := make([]id.Wearer, len(part))
	for i, o := range part {
		wearers[i] = o.wearer
	}
	links, err := e.s.Vault.Linked(ctx, e.auth, policy.AssessDose, wearers)
	if err != nil {
		return nil, nil, fmt.Errorf("asking for linked employments: %w", err)
	}
	var humans []*human
	var all []id.Wearer
	of := make(map[id.Wearer]*human, len(wearers))
	for _, linked := range links {
		if len(linked) == 0 || !e.first(linked) {
			continue
		}
		h := &human{wearers: linked, subject: subject(linked)}
		humans = append(humans, h)
		for _, l := range linked {
			of[l.Wearer] = h
			all = append(all, l.Wearer)
		}
	}
	rows, err := e.s.Store.Wearers(ctx, all)
	if err != nil {
		return nil, nil, err
	}
	health, err := e.s.health(ctx, e.auth, policy.AssessDose, rows)
	if err != nil {
		return nil, nil, err
	}
	for w, one := range health {
		if h := of[w]; !one.Declared.IsZero() && one.Declared > h.subject.Declared {
			h.subject.Declared, h.subject.PregnancyEnd = one.Declared, one.End
		}
	}
	return humans, of, nil
}

// first reports whether nobody has met the person with these employments before.
func (e *evaluation) first(linked []vaultclient.LinkedWearer) bool {
	if len(linked) == 1 {
		return true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	met := e.summed[linked[0].Wearer]
	e.summed[linked[0].Wearer] = true
	return !met
}

// subject says whose limits hold: the strictest of a person's employments.
func subject(linked []vaultclient.LinkedWearer) dose.Subject {
	sub := dose.Subject{Group: dose.Adult}
	for _, l := range linked {
		switch l.Group {
		case vaultclient.Trainee:
			sub.Group = dose.Trainee
		case vaultclient.Other:
			sub.Group = dose.Other
		}
		sub.Reproductive = sub.Reproductive || l.Reproductive
	}
	return sub
}

// health opens wearers' health rows.
func (s *Service) health(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, rows []WearerRow) (map[id.Wearer]Health, error) {
	items := make([]vaultclient.Item, len(rows))
	for i := range rows {
		items[i] = vaultclient.Item{Context: rows[i].context(policy.ClassHealth), Value: rows[i].Health}
	}
	opened, err := s.open(ctx, auth, purpose, "limits in pregnancy", items)
	if err != nil {
		return nil, err
	}
	out := make(map[id.Wearer]Health, len(rows))
	for i, b := range opened {
		var h Health
		if err := decode(b, &h); err != nil {
			return nil, err
		}
		out[rows[i].ID] = h
	}
	return out, nil
}

// earlier adds the results that the register holds, but for those that the import supersedes.
func (e *evaluation) earlier(ctx context.Context, humans []*human, of map[id.Wearer]*human, superseded map[id.Row]int) error {
	var wearers []id.Wearer
	for _, h := range humans {
		for _, l := range h.wearers {
			wearers = append(wearers, l.Wearer)
		}
	}
	results, err := e.s.Store.Results(ctx, wearers, e.since)
	if err != nil {
		return err
	}
	kept := results[:0]
	for _, r := range results {
		if len(r.Reports) == 0 {
			continue
		}
		r.Reports = r.Reports[len(r.Reports)-1:] // the newest version counts
		if by, gone := superseded[r.ID]; !gone {
			kept = append(kept, r)
		} else if r.Reports[0].Version > uint32(by)+1 {
			return errChanged
		}
	}
	opened, err := e.s.openResults(ctx, e.auth, policy.AssessDose, "earlier doses, to be summed", kept)
	if err != nil {
		return err
	}
	for _, o := range opened {
		h := of[o.Wearer]
		if e.whole && o.Ends >= h.latest {
			h.latest, h.by, h.org = o.Ends, o.Wearer, o.Organisation
		}
		h.records = append(h.records, record(o.Wear, o.PeriodRow, o.Reports[0].Report, h.employment(o.Wearer)))
	}
	return nil
}

// openedResult is a wear period with what its blobs say.
type openedResult struct {
	*PeriodRow
	Wear
	Reports []openedReport // by version
}

type openedReport struct {
	Version uint32
	Report
}

// openResults opens wear periods and all their reports.
func (s *Service) openResults(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, reason string, results []Result) ([]openedResult, error) {
	opened, err := s.open(ctx, auth, purpose, reason, resultItems(results))
	if err != nil {
		return nil, err
	}
	return decodeResults(results, opened)
}

// resultItems are the sealed values of wear periods, each with its reports.
func resultItems(results []Result) (items []vaultclient.Item) {
	for i := range results {
		r := &results[i]
		items = append(items, vaultclient.Item{Context: r.context(), Value: r.Sealed})
		for j := range r.Reports {
			items = append(items, vaultclient.Item{Context: r.Reports[j].context(&r.PeriodRow), Value: r.Reports[j].Sealed})
		}
	}
	return items
}

// decodeResults reads what resultItems opened to.
func decodeResults(results []Result, opened [][]byte) (out []openedResult, err error) {
	out = make([]openedResult, len(results))
	for i := range results {
		r := &results[i]
		out[i].PeriodRow = &r.PeriodRow
		if out[i].Wear, err = decodeWear(opened[0]); err != nil {
			return nil, err
		}
		opened = opened[1:]
		for _, rep := range r.Reports {
			one, err := decodeReport(opened[0])
			if err != nil {
				return nil, err
			}
			opened = opened[1:]
			out[i].Reports = append(out[i].Reports, openedReport{rep.Version, one})
		}
	}
	return out, nil
}

// record is a report as package dose takes it; employment numbers the person's employments.
func record(w Wear, p *PeriodRow, r Report, employment int) dose.Record {
	return dose.Record{Employment: employment, Position: w.Position, From: p.Starts, To: p.Ends, Readings: r.Readings, NotCounted: r.NotCounted || w.NotCounted}
}

// levels returns each organisation's own investigation levels.
func (s *Service) levels(ctx context.Context, auth vaultclient.Auth) (map[id.Organisation][]dose.Level, error) {
	orgs, err := s.Vault.Organisations(ctx, auth)
	if err != nil {
		return nil, err
	}
	set, err := s.settings(ctx, auth, policy.AssessDose, orgs)
	if err != nil {
		return nil, err
	}
	out := map[id.Organisation][]dose.Level{}
	for org, one := range set {
		out[org.ID] = one.Levels
	}
	return out, nil
}

// openInvestigations seals those findings that none is open for yet: one investigation for each person, kind and year
// however many levels were passed, for the highest of them, and likewise one alert of an overexposure for each limit's window.
func (s *Service) openInvestigations(ctx context.Context, auth vaultclient.Auth, im ImportRow, found []finding) ([]InvestigationRow, error) {
	if len(found) == 0 {
		return nil, nil
	}
	tags := make([]vaultclient.TagItem, len(found))
	for i, f := range found {
		tags[i] = vaultclient.TagItem{Wearer: f.Wearer, Label: fmt.Sprintf("investigation/%d/%d", f.Kind, f.Year)}
		if f.Overexposure {
			tags[i].Label = fmt.Sprintf("overexposure/%d/%d/%d", f.Kind, f.Window, f.Year)
		}
	}
	hashes, err := s.Vault.Tags(ctx, auth, policy.AssessDose, tags)
	if err != nil {
		return nil, fmt.Errorf("naming investigations: %w", err)
	}
	have, err := s.Store.HasTags(ctx, hashes)
	if err != nil {
		return nil, err
	}
	highest := map[string]int{}
	for i, f := range found {
		if j, ok := highest[string(hashes[i])]; !ok || f.Bound > found[j].Bound {
			highest[string(hashes[i])] = i
		}
	}
	var rows []InvestigationRow
	var items []vaultclient.Item
	for i, f := range found {
		if have[i] || highest[string(hashes[i])] != i {
			continue
		}
		row := InvestigationRow{ID: id.New[id.Row](), Organisation: f.org, Tag: hashes[i], Import: im.ID}
		b, err := encodeNamed(f.Wearer, f.Investigation)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
		items = append(items, vaultclient.Item{Context: row.context(), Value: b, Pad: investigationPad})
	}
	sealed, err := s.seal(ctx, auth, policy.AssessDose, items)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		rows[i].Sealed = sealed[i]
	}
	return rows, nil
}

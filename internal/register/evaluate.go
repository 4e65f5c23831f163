package register

import (
	"context"
	"fmt"
	"slices"

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

// evaluate sums the doses of everyone in an import over all of a person's employments, and returns the
// investigations that it opens: once for each person, quantity, year and bound.
func (s *Service) evaluate(ctx context.Context, auth vaultclient.Auth, im ImportRow, reports []accepted) ([]InvestigationRow, error) {
	var wearers []id.Wearer
	seen := map[id.Wearer]bool{}
	first := day.Day(1 << 30)
	for i := range reports {
		p := &reports[i].period
		if p.Wearer.IsZero() {
			continue
		}
		first = min(first, p.Ends)
		if !seen[p.Wearer] {
			seen[p.Wearer] = true
			wearers = append(wearers, p.Wearer)
		}
	}
	if len(wearers) == 0 {
		return nil, nil
	}
	humans, of, err := s.humans(ctx, auth, wearers)
	if err != nil {
		return nil, err
	}
	newest := make(map[id.Row]int, len(reports)) // version by wear period: an import may hold a report and its re-issue
	for i := range reports {
		newest[reports[i].period.ID] = max(newest[reports[i].period.ID], reports[i].version)
	}
	for i := range reports {
		m := &reports[i]
		h := of[m.period.Wearer]
		if h == nil || m.version != newest[m.period.ID] {
			continue
		}
		h.records = append(h.records, record(m.wear, &m.period, m.report, h.employment(m.period.Wearer)))
		if m.period.Ends >= h.latest {
			h.latest, h.by, h.org = m.period.Ends, m.period.Wearer, m.period.Organisation
		}
	}
	if err := s.earlier(ctx, auth, humans, of, fiveYearsBefore(first), newest); err != nil {
		return nil, err
	}
	levels, err := s.levels(ctx, auth)
	if err != nil {
		return nil, err
	}
	var found []Investigation
	var orgs []id.Organisation
	for _, h := range humans {
		if h.latest.IsZero() {
			continue
		}
		for _, f := range dose.Evaluate(h.subject, levels[h.org], h.records, 0).Findings {
			found = append(found, Investigation{Wearer: h.by, Kind: f.Kind, Window: f.Window, Year: f.Year, Dose: f.Dose, Bound: f.Bound,
				Overexposure: f.Overexposure, Name: findingName(f), On: f.On, Opened: s.Now().UnixMicro()})
			orgs = append(orgs, h.org)
		}
	}
	return s.openInvestigations(ctx, auth, im, found, orgs)
}

// findingName names the level, or regulation and paragraph of the limit.
func findingName(f dose.Finding) string {
	if f.Limit != nil {
		return f.Limit.Regulation + " " + f.Limit.Paragraph
	}
	return f.Level.Name
}

// humans finds the human beings behind wearers, with what limits hold for them.
func (s *Service) humans(ctx context.Context, auth vaultclient.Auth, wearers []id.Wearer) ([]*human, map[id.Wearer]*human, error) {
	links, err := s.Vault.Linked(ctx, auth, policy.AssessDose, wearers)
	if err != nil {
		return nil, nil, fmt.Errorf("asking for linked employments: %w", err)
	}
	var humans []*human
	var all []id.Wearer
	of := make(map[id.Wearer]*human, len(wearers))
	for _, linked := range links {
		if len(linked) == 0 || of[linked[0].Wearer] != nil {
			continue
		}
		h := &human{wearers: linked, subject: subject(linked)}
		humans = append(humans, h)
		for _, l := range linked {
			of[l.Wearer] = h
			all = append(all, l.Wearer)
		}
	}
	rows, err := s.Store.Wearers(ctx, all)
	if err != nil {
		return nil, nil, err
	}
	health, err := s.health(ctx, auth, policy.AssessDose, rows)
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
func (s *Service) earlier(ctx context.Context, auth vaultclient.Auth, humans []*human, of map[id.Wearer]*human, since day.Day, superseded map[id.Row]int) error {
	var wearers []id.Wearer
	for _, h := range humans {
		for _, l := range h.wearers {
			wearers = append(wearers, l.Wearer)
		}
	}
	const most = 5_000 // wearers at a time, so that memory stays flat
	for len(wearers) > 0 {
		n := min(most, len(wearers))
		results, err := s.Store.Results(ctx, wearers[:n], since)
		if err != nil {
			return err
		}
		wearers = wearers[n:]
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
		opened, err := s.openResults(ctx, auth, policy.AssessDose, "earlier doses, to be summed", kept)
		if err != nil {
			return err
		}
		for _, o := range opened {
			h := of[o.Wearer]
			h.records = append(h.records, record(o.Wear, o.PeriodRow, o.Reports[0].Report, h.employment(o.Wearer)))
		}
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
func (s *Service) openInvestigations(ctx context.Context, auth vaultclient.Auth, im ImportRow, found []Investigation, orgs []id.Organisation) ([]InvestigationRow, error) {
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
		row := InvestigationRow{ID: id.New[id.Row](), Organisation: orgs[i], Tag: hashes[i], Import: im.ID}
		b, err := encode(f)
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

package register

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// NamedBadge is a badge with who wears it, revealed to a caller.
type NamedBadge struct {
	Badge
	Identity   person.Identity // name; empty: a control badge
	Department string
	Position   dose.Position
}

// Period is a wear period of an organisation's badges.
type Period struct {
	Organisation id.Organisation
	From, To     day.Day
	Batch        string // "": any
}

// Print is what goes onto paper or into a file: its badges, revealed to the export that it is.
type Print struct {
	Export id.Export
	Badges []NamedBadge // by department, then name
}

// errNothing says that there is nothing to print, so that nobody was revealed.
var errNothing = wrong("no badge of this organisation, department and period has to be printed")

// named reveals who wears badges, in their order. Every name read is entered, for the export too that auth names.
func (s *Service) named(ctx context.Context, auth vaultclient.Auth, reason string, badges []Badge, departments map[id.Wearer]string) ([]NamedBadge, error) {
	out := make([]NamedBadge, len(badges))
	var wearers []id.Wearer
	var worn []Badge
	for i, b := range badges {
		out[i] = NamedBadge{Badge: b, Position: dose.Control}
		if !b.Wearer.IsZero() {
			out[i].Department = departments[b.Wearer]
			wearers, worn = append(wearers, b.Wearer), append(worn, b)
		}
	}
	if len(worn) == 0 {
		return out, nil
	}
	unique := slices.Clone(wearers)
	slices.SortFunc(unique, func(a, b id.Wearer) int { return slices.Compare(a[:], b[:]) })
	unique = slices.Compact(unique)
	records, err := s.Vault.Reveal(ctx, auth, vaultclient.RevealRequest{Purpose: policy.IssueBadges, Fields: policy.FieldName, Wearers: unique, Reason: reason})
	if err != nil {
		return nil, err
	}
	names := make(map[id.Wearer]person.Identity, len(records))
	for _, r := range records {
		names[r.Wearer] = r.Identity
	}
	positions, err := s.Worn(ctx, auth, reason, worn)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if !out[i].Wearer.IsZero() {
			out[i].Identity, out[i].Position, positions = names[out[i].Wearer], positions[0].Position, positions[1:]
		}
	}
	return out, nil
}

// departments opens the departments of the wearers of badges. It names nobody.
func (s *Service) departments(ctx context.Context, auth vaultclient.Auth, reason string, badges []Badge) (map[id.Wearer]string, error) {
	seen := map[id.Wearer]bool{}
	var wearers []id.Wearer
	for _, b := range badges {
		if !b.Wearer.IsZero() && !seen[b.Wearer] {
			seen[b.Wearer] = true
			wearers = append(wearers, b.Wearer)
		}
	}
	rows, err := s.Store.Wearers(ctx, wearers)
	if err != nil {
		return nil, err
	}
	work, err := s.employments(ctx, auth, policy.IssueBadges, reason, rows)
	if err != nil {
		return nil, err
	}
	out := make(map[id.Wearer]string, len(work))
	for w, e := range work {
		out[w] = e.Department
	}
	return out, nil
}

// Named reveals who wears badges and where they work, in their order.
func (s *Service) Named(ctx context.Context, auth vaultclient.Auth, reason string, badges []Badge) ([]NamedBadge, error) {
	departments, err := s.departments(ctx, auth, reason, badges)
	if err != nil {
		return nil, err
	}
	return s.named(ctx, auth, reason, badges, departments)
}

// inPeriod returns the badges of a period.
func (s *Service) inPeriod(ctx context.Context, auth vaultclient.Auth, p Period) ([]Badge, error) {
	_, mine, err := s.handles(ctx, auth)
	if err != nil {
		return nil, err
	}
	if !mine[p.Organisation] {
		return nil, errNoBadge
	}
	all, err := s.Store.Badges(ctx, BadgeFilter{Organisation: p.Organisation, Batch: p.Batch, From: p.To, To: p.To})
	return slices.DeleteFunc(all, func(b Badge) bool { return b.Starts != p.From }), err
}

// Departments lists the departments whose people wear badges in a period, by name, and how many badges each has. What
// belongs to no department, and control badges, stand under "".
func (s *Service) Departments(ctx context.Context, auth vaultclient.Auth, p Period) (map[string]int, error) {
	badges, err := s.inPeriod(ctx, auth, p)
	if err != nil {
		return nil, err
	}
	of, err := s.departments(ctx, auth, "departments of a period", badges)
	if err != nil {
		return nil, err
	}
	out := map[string]int{}
	for _, b := range badges {
		out[of[b.Wearer]]++
	}
	return out, nil
}

// PrintPeriod reveals the badges of a period, all or those of one department, to a print: it has an id, is entered as a
// recipient before the first name is read, and can be answered for from then on. Departments are looked up first, by the
// caller, so that nobody who is not printed is entered as printed.
func (s *Service) PrintPeriod(ctx context.Context, auth vaultclient.Auth, p Period, department *string, reason string) (*Print, error) {
	badges, err := s.inPeriod(ctx, auth, p)
	if err != nil {
		return nil, err
	}
	departments, err := s.departments(ctx, auth, reason, badges)
	if err != nil {
		return nil, err
	}
	badges = slices.DeleteFunc(badges, func(b Badge) bool { return department != nil && departments[b.Wearer] != *department })
	if len(badges) == 0 {
		return nil, errNothing
	}
	return s.print(ctx, auth, reason, badges, departments)
}

// PrintUnreturned reveals who has not returned their badges to a file, likewise.
func (s *Service) PrintUnreturned(ctx context.Context, auth vaultclient.Auth, org id.Organisation, on day.Day) (*Print, error) {
	badges, err := s.Unreturned(ctx, auth, org, on)
	if err != nil {
		return nil, err
	}
	if len(badges) == 0 {
		return nil, errNothing
	}
	const reason = "list of badges not returned"
	departments, err := s.departments(ctx, auth, reason, badges)
	if err != nil {
		return nil, err
	}
	return s.print(ctx, auth, reason, badges, departments)
}

func (s *Service) print(ctx context.Context, auth vaultclient.Auth, reason string, badges []Badge, departments map[id.Wearer]string) (*Print, error) {
	if !auth.Export.IsZero() {
		return nil, errors.New("a print within a print")
	}
	out := &Print{Export: id.New[id.Export]()}
	auth.Export = out.Export
	var err error
	if out.Badges, err = s.named(ctx, auth, reason, badges, departments); err != nil {
		return nil, err
	}
	slices.SortStableFunc(out.Badges, func(a, b NamedBadge) int {
		return cmp.Or(cmp.Compare(a.Department, b.Department), cmp.Compare(person.Fold(a.Identity.Surname.Expose()), person.Fold(b.Identity.Surname.Expose())),
			cmp.Compare(person.Fold(a.Identity.Forenames.Expose()), person.Fold(b.Identity.Forenames.Expose())), cmp.Compare(a.Barcode, b.Barcode))
	})
	return out, nil
}

// Rate is how an organisation's or a department's badges of finished periods came back.
type Rate struct {
	Organisation id.Organisation
	Department   string // of one organisation's rates by department
	InTime       int
	Late         int
	Unknown      int // back, but nobody scanned them
	NotBack      int
}

// Total is the number of badges that had to come back.
func (r Rate) Total() int { return r.InTime + r.Late + r.Unknown + r.NotBack }

func (r *Rate) add(c ReturnClass, n int) {
	switch c {
	case InTime:
		r.InTime += n
	case Late:
		r.Late += n
	case BackUnknown:
		r.Unknown += n
	default:
		r.NotBack += n
	}
}

// rateWindow bounds the periods that rates are about: ended within the months before today, and so long ago that a badge
// that is not back is late.
func (s *Service) rateWindow(months int) (from, to day.Day) {
	to = s.today() - ReturnDays - 1
	return to.AddMonths(-months) + 1, to
}

// ReturnRates returns how the badges of the last months came back, by organisation. It opens nothing.
func (s *Service) ReturnRates(ctx context.Context, auth vaultclient.Auth, months int) (map[id.Organisation]Rate, error) {
	from, to := s.rateWindow(months)
	counts, err := s.BadgeCounts(ctx, auth, id.Organisation{}, from, to)
	if err != nil {
		return nil, err
	}
	out := map[id.Organisation]Rate{}
	for _, c := range counts {
		r := out[c.Organisation]
		r.Organisation = c.Organisation
		r.add(c.Return, c.N)
		out[c.Organisation] = r
	}
	return out, nil
}

// DepartmentRates returns how one organisation's badges came back, by department. The departments are opened for it.
func (s *Service) DepartmentRates(ctx context.Context, auth vaultclient.Auth, org id.Organisation, months int) (map[string]Rate, error) {
	_, mine, err := s.handles(ctx, auth)
	if err != nil {
		return nil, err
	}
	if !mine[org] {
		return nil, errNoBadge
	}
	from, to := s.rateWindow(months)
	badges, err := s.Store.Badges(ctx, BadgeFilter{Organisation: org, From: from, To: to})
	if err != nil {
		return nil, err
	}
	badges = slices.DeleteFunc(badges, func(b Badge) bool { return b.Wearer.IsZero() })
	departments, err := s.departments(ctx, auth, "return rates by department", badges)
	if err != nil {
		return nil, err
	}
	out := map[string]Rate{}
	for _, b := range badges {
		r := out[departments[b.Wearer]]
		r.Organisation, r.Department = org, departments[b.Wearer]
		r.add(b.returnClass(), 1)
		out[r.Department] = r
	}
	return out, nil
}

// returnClass says how a badge came back; BadgeCounts of a store says the same.
func (b *Badge) returnClass() ReturnClass {
	switch {
	case !b.Returned.IsZero() && day.At(b.Returned.UTC()) <= b.Ends+ReturnDays:
		return InTime
	case !b.Returned.IsZero():
		return Late
	case b.State >= Returned:
		return BackUnknown
	}
	return NotBack
}

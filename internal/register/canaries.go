package register

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Canaries are wearers whom nobody should look at: see docs/security.md. In the register each is somebody who wore badges and
// has left. The plain columns are copied from somebody who seems to have done so, and the sealed ones say that no badge was
// ever used, so that no sum and no count of people changes.

// Inventor makes up people who have left, as long as somebody wore badges each; see vaultclient.Client.Invent.
type Inventor func(ctx context.Context, worn []vaultclient.Span) ([]vaultclient.Change, error)

// planting is a vault that is told of all who are taken on that they are invented. The rows in the register are made by
// what makes those of other people, so that nothing in them differs.
type planting struct{ Vault }

// Stage stages invented people.
func (p planting) Stage(ctx context.Context, auth vaultclient.Auth, n id.Import, changes []vaultclient.Change) ([]vaultclient.Staged, error) {
	for i := range changes {
		changes[i].Invented = true
	}
	return p.Vault.Stage(ctx, auth, n, changes)
}

// The longest that a pattern may be looked for, and what it is like.
const (
	mostPatterns = 500 // that one call may invent
	goneDays     = 180 // since the last badge of somebody who seems to have left
	fewPatterns  = 10  // who left so long ago that no list of badges shows them; with fewer, later ones are taken too
	// fewAtAll wear badges in a year of which a page of doses is hardly more than some records: the vault tells those apart.
	fewAtAll = 12
)

// draw returns a random number below n.
func draw(n int) int {
	k, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // unreachable: the system's random numbers never fail
	}
	return int(k.Int64())
}

// pattern is what stands in the clear of somebody who seems to have left: each badge with its reports, the earliest first.
type pattern struct {
	of   id.Wearer
	worn []Result
}

func (p *pattern) span() vaultclient.Span {
	s := vaultclient.Span{First: p.worn[0].Starts}
	for _, w := range p.worn {
		s.Last = max(s.Last, w.Ends)
	}
	return s
}

// positions are where badges that somebody had at once may have been worn: the first on the trunk.
var positions = []dose.Position{dose.WholeBody, dose.LeftFinger, dose.RightFinger, dose.Eye, dose.Collar}

// places says where each badge is worn; false: more at once than there are positions, or the same period twice in other ways.
func (p *pattern) places() ([]dose.Position, bool) {
	out := make([]dose.Position, len(p.worn))
	taken := map[day.Day]int{}
	for i, w := range p.worn {
		n := taken[w.Starts]
		if n >= len(positions) {
			return nil, false
		}
		out[i], taken[w.Starts] = positions[n], n+1
	}
	return out, true
}

// steady reports whether one period followed another: whoever has a gap stands on the page of gaps.
func (p *pattern) steady() bool {
	for i := 1; i < len(p.worn); i++ {
		if a, b := p.worn[i-1], p.worn[i]; b.Starts > a.Ends+1 || b.Starts != a.Starts && b.Starts <= a.Ends {
			return false
		}
	}
	return true
}

// patterns returns those of an organisation, in random order.
func (s *Service) patterns(ctx context.Context, org id.Organisation) ([]pattern, error) {
	all, err := s.Store.ResultsOf(ctx, org, 0, endOfDays)
	if err != nil {
		return nil, err
	}
	by := map[id.Wearer]*pattern{}
	for _, r := range all {
		if by[r.Wearer] == nil {
			by[r.Wearer] = &pattern{of: r.Wearer}
		}
		by[r.Wearer].worn = append(by[r.Wearer].worn, r)
	}
	inYear := map[int]map[id.Wearer]bool{}
	for _, r := range all {
		y := r.Ends.Year()
		if inYear[y] == nil {
			inYear[y] = map[id.Wearer]bool{}
		}
		inYear[y][r.Wearer] = true
	}
	unfit := func(r Result) bool { return len(r.Reports) == 0 || len(inYear[r.Ends.Year()]) < fewAtAll }
	today := s.today()
	var longGone, gone []pattern
	for _, p := range by {
		slices.SortFunc(p.worn, func(a, b Result) int {
			return cmp.Or(cmp.Compare(a.Starts, b.Starts), cmp.Compare(a.Ends, b.Ends), cmp.Compare(a.Barcode, b.Barcode))
		})
		last := p.span().Last
		_, fits := p.places()
		switch {
		case !fits, slices.ContainsFunc(p.worn, unfit):
		case last < today.AddMonths(-keptMonths):
			longGone = append(longGone, *p)
		case last < today-goneDays && p.steady():
			gone = append(gone, *p)
		}
	}
	if len(longGone) < fewPatterns {
		longGone = append(longGone, gone...)
	}
	for i := len(longGone) - 1; i > 0; i-- { // nobody can know whom a canary is like
		j := draw(i + 1)
		longGone[i], longGone[j] = longGone[j], longGone[i]
	}
	return longGone[:min(len(longGone), mostPatterns)], nil
}

// Plant takes invented people on, with badges and readings like those of somebody who has left, and returns how many. It is
// three imports, as the history is that an installation begins with; whoever is cut off between them has canaries without badges.
func (s *Service) Plant(ctx context.Context, auth vaultclient.Auth, org id.Organisation, invent Inventor) (int, error) {
	if err := s.worksWith(ctx, auth, org); err != nil {
		return 0, err
	}
	models, err := s.patterns(ctx, org)
	if err != nil {
		return 0, err
	}
	spans := make([]vaultclient.Span, len(models))
	for i := range models {
		spans[i] = models[i].span()
	}
	made, err := invent(ctx, spans)
	if err != nil || len(made) == 0 {
		return 0, err
	}
	models = models[:min(len(models), len(made))]
	joiners, err := s.invented(ctx, auth, org, made, models)
	if err != nil {
		return 0, err
	}
	told := New(s.Config)
	told.Vault = planting{s.Vault}
	taken, err := told.TakeOn(ctx, auth, joiners, nil, "HR")
	if err != nil || len(models) == 0 {
		return taken.New, err
	}
	badges, err := s.badgesLike(ctx, org, models, taken.Wearers)
	if err != nil {
		return taken.New, err
	}
	if _, err := s.Dispatch(ctx, auth, badges, "dosimetry laboratory"); err != nil {
		return taken.New, fmt.Errorf("badges of invented people: %w", err)
	}
	return taken.New, s.neverUsed(ctx, auth, org, models, badges)
}

// invented are people to take on, each with the department of the one whom they are like. Departments are opened of everybody,
// as for a list, so that the entry does not name those who were copied.
func (s *Service) invented(ctx context.Context, auth vaultclient.Auth, org id.Organisation, made []vaultclient.Change, models []pattern) ([]Joiner, error) {
	known, err := s.EmploymentsOf(ctx, auth, org)
	if err != nil {
		return nil, err
	}
	joiners := make([]Joiner, len(made))
	for i, m := range made {
		from, err := day.Parse(m.From)
		if err != nil {
			return nil, err
		}
		to, err := day.Parse(m.To)
		if err != nil {
			return nil, err
		}
		joiners[i] = Joiner{Organisation: org, Identity: m.Identity, Contact: m.Contact, From: from, To: to, New: true}
		if i < len(models) {
			joiners[i].Employment = known[models[i].of]
		}
	}
	return joiners, nil
}

// badgesLike are badges in the batches and periods of others, with the same steps on their way, under barcodes that nobody has.
func (s *Service) badgesLike(ctx context.Context, org id.Organisation, models []pattern, wearers []id.Wearer) ([]Dispatched, error) {
	var out []Dispatched
	taken := map[string]bool{}
	for i := range models {
		places, _ := models[i].places()
		for k, w := range models[i].worn {
			code, err := s.codeLike(ctx, w.Barcode, taken)
			if err != nil {
				return nil, err
			}
			steps, err := s.Store.Movements(ctx, w.Barcode)
			if err != nil {
				return nil, err
			}
			d := Dispatched{Barcode: code, Batch: w.Batch, State: Issued, Organisation: org, Wearer: wearers[i], Position: places[k], From: w.Starts, To: w.Ends}
			for _, m := range steps {
				if m.Undone.IsZero() {
					d.State = m.To
					d.steps = append(d.steps, Movement{Barcode: code, From: m.From, To: m.To, At: m.At, By: m.By})
				}
			}
			if len(steps) == 0 && d.State < Sent {
				d.State = Sent // it was read
			}
			out = append(out, d)
		}
	}
	return out, nil
}

// codeLike is a barcode that nobody has, near another one: other digits at its end.
func (s *Service) codeLike(ctx context.Context, like string, taken map[string]bool) (string, error) {
	for tries := range 200 {
		b, left := []byte(like), 3+tries/50
		for i := len(b) - 1; i >= 0 && left > 0; i-- {
			if b[i] >= '0' && b[i] <= '9' {
				b[i] = byte('0' + draw(10))
				left--
			}
		}
		code := string(b)
		if taken[code] {
			continue
		}
		known, err := s.Store.Periods(ctx, []string{code})
		if err != nil {
			return "", err
		}
		if len(known) == 0 {
			taken[code] = true
			return code, nil
		}
	}
	return "", wrong("no barcode is free that is like the others: canaries were planted without badges")
}

// neverUsed reports of badges, as often as of those that they are like, that they were never used.
func (s *Service) neverUsed(ctx context.Context, auth vaultclient.Auth, org id.Organisation, models []pattern, badges []Dispatched) error {
	set, err := s.settings(ctx, auth, policy.AssessDose, []vaultclient.Organisation{{ID: org}})
	if err != nil {
		return err
	}
	account := ""
	for _, one := range set {
		if len(one.Accounts) > 0 {
			account = one.Accounts[0]
		}
	}
	if account == "" {
		return wrong("the organisation has no account at a laboratory: canaries were planted without readings")
	}
	var rows []labfile.Row
	for i := range models {
		for _, w := range models[i].worn {
			d := badges[0]
			badges = badges[1:]
			scanned := min(d.To+day.Day(30+draw(60)), s.today())
			for _, r := range w.Reports {
				row := labfile.Row{Number: len(rows) + 1, Account: account, Barcode: d.Barcode, Position: d.Position, From: d.From, To: d.To, Scanned: scanned, Version: int(r.Version) - 1, Notes: []string{labfile.NoteUnused}}
				for _, q := range []dose.Quantity{dose.Hp10, dose.Hp3, dose.Hp007} {
					if d.Position.Measures(q) {
						row.Readings = append(row.Readings, dose.Reading{Quantity: q, Qualifier: dose.Unused})
					}
				}
				rows = append(rows, row)
			}
		}
	}
	if _, err := s.ImportRows(ctx, auth, "dosimetry laboratory", rows); err != nil {
		return fmt.Errorf("readings of invented people: %w", err)
	}
	return nil
}

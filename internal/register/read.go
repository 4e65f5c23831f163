package register

import (
	"context"
	"slices"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// WearerRecord is what the register knows of a wearer.
type WearerRecord struct {
	Employment     Employment
	Reports        []WearerReport // newest period first, newest version first
	Subject        dose.Subject   // whose limits hold
	Levels         []dose.Level   // the employer's own
	Assessment     dose.Assessment
	Investigations []Investigation
	Employments    int // that the assessment sums over; more than 1 only for who may see them all
}

// WearerReport is one report of one badge.
type WearerReport struct {
	Organisation id.Organisation
	Barcode      string
	Wear         Wear
	From, To     day.Day
	Version      int // the laboratory's
	Superseded   bool
	Report       Report
}

// purposeFor is why a user looks at a wearer's doses.
func purposeFor(u vaultclient.User) policy.Purpose {
	if u.Role == policy.Wearer {
		return policy.OwnRecord
	}
	return policy.AssessDose
}

// WearerRecord returns a wearer's record, revealed to the caller. A co-ordinator's, and the wearer's own, covers all the person's employments.
// ErrNotFound: there is no such wearer.
func (s *Service) WearerRecord(ctx context.Context, auth vaultclient.Auth, w id.Wearer) (*WearerRecord, error) {
	user, err := s.Vault.Whoami(ctx, auth)
	if err != nil {
		return nil, err
	}
	purpose := purposeFor(user)
	wearers := []id.Wearer{w}
	out := &WearerRecord{Subject: dose.Subject{Group: dose.Adult}, Employments: 1}
	switch {
	case user.Role == policy.Wearer && slices.Contains(user.Wearers, w):
		wearers = user.Wearers // a wearer's own dose is the sum over all their employments
		out.Employments = len(wearers)
	case user.Role == policy.Coordinator:
		links, err := s.Vault.Linked(ctx, auth, purpose, wearers)
		if err != nil {
			return nil, err
		}
		out.Subject = subject(links[0])
		wearers = wearers[:0]
		for _, l := range links[0] {
			wearers = append(wearers, l.Wearer)
		}
		out.Employments = len(wearers)
	}
	rows, err := s.Store.Wearers(ctx, []id.Wearer{w})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, ErrNotFound
	}
	b, err := s.open(ctx, auth, purpose, "", []vaultclient.Item{{Context: rows[0].context(policy.ClassEmployment), Value: rows[0].Sealed}})
	if err != nil {
		return nil, err
	}
	if err := decode(b[0], &out.Employment); err != nil {
		return nil, err
	}
	results, err := s.Store.Results(ctx, wearers, 0)
	if err != nil {
		return nil, err
	}
	opened, err := s.openResults(ctx, auth, purpose, "", results)
	if err != nil {
		return nil, err
	}
	var records []dose.Record
	for _, o := range opened {
		for i, r := range o.Reports {
			newest := i == len(o.Reports)-1
			if newest {
				records = append(records, record(o.Wear, o.PeriodRow, r.Report, slices.Index(wearers, o.Wearer)))
			}
			out.Reports = append(out.Reports, WearerReport{o.Organisation, o.Barcode, o.Wear, o.Starts, o.Ends, int(r.Version) - 1, !newest, r.Report})
		}
	}
	slices.SortFunc(out.Reports, func(a, b WearerReport) int {
		if a.To != b.To {
			return int(b.To) - int(a.To)
		}
		if a.Barcode != b.Barcode {
			if a.Barcode < b.Barcode {
				return -1
			}
			return 1
		}
		return b.Version - a.Version
	})
	if user.Role != policy.Wearer {
		if err := s.employersView(ctx, auth, purpose, rows[0].Organisation, w, out); err != nil {
			return nil, err
		}
	}
	out.Assessment = dose.Evaluate(out.Subject, out.Levels, records, s.today())
	return out, nil
}

// employersView adds what an organisation keeps of its own: levels and investigations.
func (s *Service) employersView(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, org id.Organisation, w id.Wearer, out *WearerRecord) error {
	set, err := s.settings(ctx, auth, purpose, []vaultclient.Organisation{{ID: org}})
	if err != nil {
		return err
	}
	for _, one := range set {
		out.Levels = one.Levels
	}
	all, err := s.Investigations(ctx, auth, org)
	if err != nil {
		return err
	}
	for _, v := range all {
		if v.Wearer == w {
			out.Investigations = append(out.Investigations, v)
		}
	}
	return nil
}

// overviewMonths is how far back an overview counts badges.
const overviewMonths = 6

// states counts what all organisations have. Who asks while it is being counted gets the same answer: it says nothing of
// anybody, and counting badges takes longer than all else on an overview.
func (s *Service) states(ctx context.Context, since day.Day) ([]OrganisationState, error) {
	counted := s.counting.DoChan(since.String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute) // who asked first may go away
		defer cancel()
		return s.Store.States(ctx, since)
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-counted:
		states, _ := r.Val.([]OrganisationState)
		return states, r.Err
	}
}

// Overview returns the state of the organisations that the caller works with, and the service's newest imports. All of it stands
// in the clear in the register: nothing is opened for it.
func (s *Service) Overview(ctx context.Context, auth vaultclient.Auth) ([]OrganisationState, []ImportRow, error) {
	orgs, err := s.Vault.Organisations(ctx, auth)
	if err != nil {
		return nil, nil, err
	}
	states, err := s.states(ctx, s.today().AddMonths(-overviewMonths))
	if err != nil {
		return nil, nil, err
	}
	mine := map[id.Organisation]bool{}
	for _, o := range orgs {
		mine[o.ID] = true
	}
	var out []OrganisationState
	for _, st := range states {
		if mine[st.Organisation] {
			out = append(out, st)
		}
	}
	imports, _, err := s.Store.Imports(ctx, 0, 100)
	imports = slices.DeleteFunc(imports, func(im ImportRow) bool { return im.Kind == KindPerson || im.Kind == KindNote }) // no files
	return out, imports[:min(len(imports), 10)], err
}

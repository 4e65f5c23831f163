package register

import (
	"cmp"
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
	Waiting        []WearerBadge  // badges of which there is no report yet, newest period first
	Subject        dose.Subject   // whose limits hold
	Levels         []dose.Level   // the employer's own
	Assessment     dose.Assessment
	Investigations []Investigation
	Records        []vaultclient.Record // the fields asked for: of the wearer, or of all the own employments of a wearer who looks
	Employments    int                  // that the assessment sums over; more than 1 only for who may see them all
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

// WearerBadge is a badge without a report.
type WearerBadge struct {
	Organisation id.Organisation
	Barcode      string
	Wear         Wear
	From, To     day.Day
	State        BadgeState
}

// purposeFor is why a user looks at a wearer's doses.
func purposeFor(u vaultclient.User) policy.Purpose {
	if u.Role == policy.Wearer {
		return policy.OwnRecord
	}
	return policy.AssessDose
}

// WearerRecord returns a wearer's record, revealed to the caller, with fields that the vault holds of them if any are asked for. A co-ordinator's, and the
// wearer's own, covers all the person's employments; what is read is one entry in the ledger of each, and one for what the organisation keeps of its own.
// ErrNotFound: there is no such wearer.
func (s *Service) WearerRecord(ctx context.Context, auth vaultclient.Auth, w id.Wearer, fields policy.Fields) (*WearerRecord, error) {
	user, err := s.Vault.Whoami(ctx, auth)
	if err != nil {
		return nil, err
	}
	purpose := purposeFor(user)
	wearers, named := []id.Wearer{w}, []id.Wearer{w}
	out := &WearerRecord{Subject: dose.Subject{Group: dose.Adult}, Employments: 1}
	switch {
	case user.Role == policy.Wearer && slices.Contains(user.Wearers, w):
		wearers, named = user.Wearers, user.Wearers // a wearer's own dose is the sum over all their employments
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
	results, err := s.Store.Worn(ctx, wearers)
	if err != nil {
		return nil, err
	}
	items := append([]vaultclient.Item{{Context: rows[0].context(policy.ClassEmployment), Value: rows[0].Sealed}}, resultItems(results)...)
	kept, err := s.keptOf(ctx, user, rows[0].Organisation)
	if err != nil {
		return nil, err
	}
	look := vaultclient.LookRequest{OpenRequest: vaultclient.OpenRequest{Purpose: purpose, Items: append(items, kept.items...), About: []id.Wearer{w}}, Fields: fields, Wearers: named}
	if user.Role != policy.Wearer {
		look.Reason = "a wearer's record" // also of the organisation's own rows
	}
	values, err := s.look(ctx, auth, look, out)
	if err != nil {
		return nil, err
	}
	if err := decode(values[0], &out.Employment); err != nil {
		return nil, err
	}
	opened, err := decodeResults(results, values[1:len(items)])
	if err != nil {
		return nil, err
	}
	if err := kept.decode(values[len(items):], out); err != nil {
		return nil, err
	}
	out.evaluate(opened, wearers, s.today())
	return out, nil
}

// look opens values, and reads fields into the record if any are asked for, in one call.
func (s *Service) look(ctx context.Context, auth vaultclient.Auth, r vaultclient.LookRequest, out *WearerRecord) ([][]byte, error) {
	if r.Fields == 0 {
		return s.Vault.Open(ctx, auth, r.OpenRequest)
	}
	got, err := s.Vault.Look(ctx, auth, r)
	out.Records = got.Records
	return got.Values, err
}

// evaluate lays out the reports of wear periods and sums the newest up.
func (x *WearerRecord) evaluate(opened []openedResult, wearers []id.Wearer, today day.Day) {
	var records []dose.Record
	for _, o := range opened {
		if len(o.Reports) == 0 {
			x.Waiting = append(x.Waiting, WearerBadge{o.Organisation, o.Barcode, o.Wear, o.Starts, o.Ends, o.State})
		}
		for i, r := range o.Reports {
			newest := i == len(o.Reports)-1
			if newest {
				records = append(records, record(o.Wear, o.PeriodRow, r.Report, slices.Index(wearers, o.Wearer)))
			}
			x.Reports = append(x.Reports, WearerReport{o.Organisation, o.Barcode, o.Wear, o.Starts, o.Ends, int(r.Version) - 1, !newest, r.Report})
		}
	}
	slices.SortFunc(x.Reports, func(a, b WearerReport) int {
		return cmp.Or(int(b.To)-int(a.To), cmp.Compare(a.Barcode, b.Barcode), b.Version-a.Version)
	})
	slices.SortFunc(x.Waiting, func(a, b WearerBadge) int { return cmp.Or(int(b.To)-int(a.To), cmp.Compare(a.Barcode, b.Barcode)) })
	x.Assessment = dose.Evaluate(x.Subject, x.Levels, records, today)
}

// kept is what an organisation keeps of its own: settings and investigations.
type kept struct {
	items    []vaultclient.Item
	settings int // 1: the first item are the settings
	rows     []InvestigationRow
}

// keptOf finds what an organisation keeps of its own. A wearer does not see it.
func (s *Service) keptOf(ctx context.Context, user vaultclient.User, org id.Organisation) (k kept, err error) {
	if user.Role == policy.Wearer {
		return k, nil
	}
	sealed, err := s.Store.Organisations(ctx)
	if err != nil {
		return k, err
	}
	if b, ok := sealed[org]; ok {
		k.items, k.settings = append(k.items, vaultclient.Item{Context: organisationContext(org), Value: b}), 1
	}
	k.rows, err = s.Store.Investigations(ctx, org)
	k.items = append(k.items, investigationItems(k.rows)...)
	return k, err
}

// decode adds levels, and the wearer's investigations, to the record. Others' stayed closed.
func (k kept) decode(values [][]byte, out *WearerRecord) error {
	if k.settings > 0 {
		var set Settings
		if err := decode(values[0], &set); err != nil {
			return err
		}
		out.Levels = set.Levels
	}
	var err error
	out.Investigations, err = decodeInvestigations(k.rows, values[k.settings:])
	return err
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

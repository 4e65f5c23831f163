package register

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Joiner is a wearer to take on, or to change: the key is organisation and staff number.
type Joiner struct {
	Organisation id.Organisation
	Identity     person.Identity
	Contact      person.Contact
	NI           person.Value
	From, To     day.Day
	Classified   bool
	SamePerson   id.Wearer
	// What the source does not say of a known wearer stays as it is: the last day, being classified.
	KeepTo, KeepClassified bool
	// See vaultclient.Change; Replace and Also count for the employment too.
	New           bool
	Wearer        id.Wearer
	Replace, Also policy.Fields

	Employment Employment
	Health     Health
}

// Taken says what became of joiners.
type Taken struct {
	Import  id.Import
	Wearers []id.Wearer // in order
	New     int
	Changed int
	Same    int
}

// TakeOn takes wearers on or changes them, in both databases, all of them or none. sha256 is the list's they came
// from, nil for a form; sender is who sent it.
func (s *Service) TakeOn(ctx context.Context, auth vaultclient.Auth, joiners []Joiner, sha256 []byte, sender string) (Taken, error) {
	return s.takeOnAs(ctx, auth, KindPeople, joiners, sha256, sender)
}

// TakeOnOne takes one wearer on by a form, or changes one, and returns who it is.
func (s *Service) TakeOnOne(ctx context.Context, auth vaultclient.Auth, j Joiner) (id.Wearer, error) {
	taken, err := s.takeOnAs(ctx, auth, KindPerson, []Joiner{j}, nil, "")
	if err != nil {
		return id.Wearer{}, err
	}
	return taken.Wearers[0], nil
}

func (s *Service) takeOnAs(ctx context.Context, auth vaultclient.Auth, kind string, joiners []Joiner, sha256 []byte, sender string) (Taken, error) {
	return s.takeOnBy(ctx, auth, ImportRow{ID: id.New[id.Import](), Kind: kind, SHA256: sha256}, joiners, sender)
}

// takeOnBy is one import of people; im has its id, kind and hash.
func (s *Service) takeOnBy(ctx context.Context, auth vaultclient.Auth, im ImportRow, joiners []Joiner, sender string) (Taken, error) {
	out := Taken{Import: im.ID}
	im.State, im.Owner, im.Node, im.Created = Importing, s.Owner, s.Node, s.Now()
	im.Counts = Counts{In: len(joiners), Stored: len(joiners)}
	if err := s.Vault.Intake(ctx, auth, vaultclient.Intake{Import: im.ID, Source: im.Kind, SHA256: im.SHA256, Rows: len(joiners), Sender: sender}); err != nil {
		return out, fmt.Errorf("entering the list: %w", err)
	}
	if err := s.Store.CreateImport(ctx, im, nil); err != nil {
		return out, err
	}
	return out, s.orFail(ctx, auth, im, func(ctx context.Context) error { return s.takeOn(ctx, auth, im, joiners, &out) })
}

// orFail does work that stores an import's rows while it is held, and ends the import where they were not stored.
func (s *Service) orFail(ctx context.Context, auth vaultclient.Auth, im ImportRow, work func(context.Context) error) error {
	err := s.held(ctx, im, work)
	if err == nil {
		return nil
	}
	// Nothing was stored, or all of it was and only the ledger is behind: then Reconcile goes on.
	if now, look := s.Store.Import(ctx, im.ID); look == nil && now.State == Importing {
		im.State, im.Failure = Failed, "it was not stored"
		if no, ok := errors.AsType[*InputError](err); ok {
			im.Failure = no.Message
		}
		err = errors.Join(err, s.Vault.Discard(ctx, auth, im.ID), s.Store.Move(ctx, Importing, im))
	}
	return err
}

// changesOf are what joiners change in the vault.
func changesOf(joiners []Joiner) []vaultclient.Change {
	changes := make([]vaultclient.Change, len(joiners))
	for i, j := range joiners {
		changes[i] = vaultclient.Change{Organisation: j.Organisation, Identity: j.Identity, Contact: j.Contact, NI: j.NI,
			From: j.From.String(), To: j.To.String(), Classified: j.Classified, SamePerson: j.SamePerson, KeepTo: j.KeepTo, KeepClassified: j.KeepClassified,
			New: j.New, Wearer: j.Wearer, Replace: j.Replace, Also: j.Also}
	}
	return changes
}

func (s *Service) takeOn(ctx context.Context, auth vaultclient.Auth, im ImportRow, joiners []Joiner, out *Taken) error {
	staged, err := s.Vault.Stage(ctx, auth, im.ID, changesOf(joiners))
	if err != nil {
		return fmt.Errorf("staging wearers: %w", err)
	}
	out.Wearers = make([]id.Wearer, len(staged))
	for i, st := range staged {
		out.Wearers[i] = st.Wearer
	}
	rows, err := s.wearerRows(ctx, auth, im, joiners, out.Wearers)
	if err != nil {
		return err
	}
	written := make(map[id.Wearer]bool, len(rows.Wearers))
	for i := range rows.Wearers {
		written[rows.Wearers[i].ID] = true
	}
	for _, st := range staged {
		switch {
		case st.State == "new":
			out.New++
		case st.State == "changed", written[st.Wearer]:
			out.Changed++
		default:
			out.Same++
		}
	}
	im.Stored = out.New + out.Changed
	im.Ignored = im.In - im.Counts.Refused - im.Stored
	return s.finish(ctx, auth, im, Importing, rows)
}

// wearerRows makes the rows of joiners. What a joiner says nothing of stays as it is, and a wearer of whom nothing
// changes gets no new row.
func (s *Service) wearerRows(ctx context.Context, auth vaultclient.Auth, im ImportRow, joiners []Joiner, wearers []id.Wearer) (*Rows, error) {
	old, err := s.Store.Wearers(ctx, wearers)
	if err != nil {
		return nil, err
	}
	employments, err := s.employments(ctx, auth, policy.KeepRecords, "what a change leaves as it is", old)
	if err != nil {
		return nil, err
	}
	version := make(map[id.Wearer]uint32, len(old))
	for _, w := range old {
		version[w.ID] = w.Version
	}
	rows := &Rows{}
	var of []Joiner
	for i, j := range joiners {
		w := wearers[i]
		if was, known := employments[w]; known {
			if j.Replace&policy.FieldEmployment == 0 {
				j.Employment.Department = cmp.Or(j.Employment.Department, was.Department)
				j.Employment.JobTitle = cmp.Or(j.Employment.JobTitle, was.JobTitle)
			}
			if j.Employment == was && j.Health.isZero() {
				continue
			}
		}
		rows.Wearers = append(rows.Wearers, WearerRow{ID: w, Organisation: j.Organisation, Version: version[w] + 1, Import: im.ID})
		of = append(of, j)
	}
	if err := s.keepHealth(ctx, auth, old, rows.Wearers, of); err != nil {
		return nil, err
	}
	items := make([]vaultclient.Item, 0, 2*len(of))
	var sealed []*[]byte // where each goes
	for i, j := range of {
		b, err := encode(j.Employment)
		if err != nil {
			return nil, err
		}
		w := &rows.Wearers[i]
		items = append(items, vaultclient.Item{Context: w.context(policy.ClassEmployment), Value: b, Pad: wearerPad})
		sealed = append(sealed, &w.Sealed)
		if w.Health != nil {
			continue // kept
		}
		if b, err = encode(j.Health); err != nil {
			return nil, err
		}
		items = append(items, vaultclient.Item{Context: w.context(policy.ClassHealth), Value: b, Pad: healthPad})
		sealed = append(sealed, &w.Health)
	}
	out, err := s.seal(ctx, auth, policy.KeepRecords, items)
	if err != nil {
		return nil, err
	}
	for i, b := range out {
		*sealed[i] = b
	}
	return rows, nil
}

// employments opens what the organisations' side of wearers' rows says.
func (s *Service) employments(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, reason string, rows []WearerRow) (map[id.Wearer]Employment, error) {
	items := make([]vaultclient.Item, len(rows))
	for i := range rows {
		items[i] = vaultclient.Item{Context: rows[i].context(policy.ClassEmployment), Value: rows[i].Sealed}
	}
	opened, err := s.open(ctx, auth, purpose, reason, items)
	if err != nil {
		return nil, err
	}
	out := make(map[id.Wearer]Employment, len(rows))
	for i, b := range opened {
		var e Employment
		if err := decode(b, &e); err != nil {
			return nil, err
		}
		out[rows[i].ID] = e
	}
	return out, nil
}

// keepHealth seals for the new rows of joiners that say nothing of health what their old rows say. The caller may write
// health and not read it, so the vault does it and shows nothing; it is sealed anew, so that a row does not tell whether it changed.
func (s *Service) keepHealth(ctx context.Context, auth vaultclient.Auth, old, rows []WearerRow, of []Joiner) error {
	was := make(map[id.Wearer]WearerRow, len(old))
	for _, w := range old {
		was[w.ID] = w
	}
	var items, to []vaultclient.Item
	var kept []*WearerRow
	for i := range rows {
		if w, known := was[rows[i].ID]; known && of[i].Health.isZero() {
			kept = append(kept, &rows[i])
			items = append(items, vaultclient.Item{Context: w.context(policy.ClassHealth), Value: w.Health})
			to = append(to, vaultclient.Item{Context: rows[i].context(policy.ClassHealth), Pad: healthPad})
		}
	}
	for i := 0; i < len(items); i += batch {
		end := min(i+batch, len(items))
		sealed, err := s.Vault.Reseal(ctx, auth, policy.KeepRecords, items[i:end], to[i:end])
		if err != nil {
			return fmt.Errorf("keeping what is known of health: %w", err)
		}
		for k, b := range sealed {
			kept[i+k].Health = b
		}
	}
	return nil
}

// Dispatched is one badge of a dispatch list.
type Dispatched struct {
	Barcode      string
	Batch        string
	State        BadgeState
	Organisation id.Organisation
	Wearer       id.Wearer // zero: control badge
	Position     dose.Position
	From, To     day.Day
	NotCounted   bool // worn beside another; also what a foetal badge says here

	// When it came back and went to the laboratory, where a list of the time before dosevault says so; State says the same.
	Returned, Sent day.Day

	steps []Movement // instead of these: a canary's
}

// movements are the steps that the list knows of.
func (d *Dispatched) movements() (out []Movement) {
	if d.steps != nil {
		return d.steps
	}
	if !d.Returned.IsZero() {
		out = append(out, Movement{Barcode: d.Barcode, From: Issued, To: Returned, At: d.Returned.Time()})
	}
	if !d.Sent.IsZero() {
		out = append(out, Movement{Barcode: d.Barcode, From: Returned, To: Sent, At: d.Sent.Time()})
	}
	return out
}

// maxCode is the longest barcode or batch.
const maxCode = 40

// plain reports whether a code can be printed on a badge; it then holds nothing that ends it where it is bound.
func plain(s string) bool {
	return len(s) <= maxCode && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// Dispatch stores badges with their wear periods, all of them or none. A barcode that is there already is ErrExists.
func (s *Service) Dispatch(ctx context.Context, auth vaultclient.Auth, badges []Dispatched, sender string) (id.Import, error) {
	im := ImportRow{ID: id.New[id.Import](), Kind: KindDispatch, State: Importing, Owner: s.Owner, Node: s.Node, Created: s.Now(), Counts: Counts{In: len(badges), Stored: len(badges)}}
	for i, d := range badges {
		if d.To < d.From || !plain(d.Barcode) || d.Barcode == "" || !plain(d.Batch) {
			return im.ID, wrong("badge %d: a barcode and batch of printed characters, at most %d, and a period that ends after it begins are needed", i+1, maxCode)
		}
	}
	if err := s.Vault.Intake(ctx, auth, vaultclient.Intake{Import: im.ID, Source: KindDispatch, Rows: len(badges), Sender: sender}); err != nil {
		return im.ID, fmt.Errorf("entering the dispatch list: %w", err)
	}
	if err := s.Store.CreateImport(ctx, im, nil); err != nil {
		return im.ID, err
	}
	err := s.held(ctx, im, func(ctx context.Context) error { return s.dispatch(ctx, auth, im, badges) })
	if now, look := s.Store.Import(ctx, im.ID); err != nil && look == nil && now.State == Importing {
		im.State, im.Failure = Failed, "it was not stored"
		err = errors.Join(err, s.Store.Move(ctx, Importing, im))
	}
	return im.ID, err
}

// dispatch stores badges under an import.
func (s *Service) dispatch(ctx context.Context, auth vaultclient.Auth, im ImportRow, badges []Dispatched) error {
	rows := &Rows{Periods: make([]PeriodRow, len(badges))}
	items := make([]vaultclient.Item, len(badges))
	for i, d := range badges {
		wear := Wear{d.Position, d.NotCounted}
		if d.Position == dose.Foetal {
			wear = Wear{dose.WholeBody, true}
		}
		p := &rows.Periods[i]
		*p = PeriodRow{ID: id.New[id.Row](), Barcode: d.Barcode, Batch: d.Batch, State: d.State, Organisation: d.Organisation, Wearer: d.Wearer, Starts: d.From, Ends: d.To, Import: im.ID}
		rows.Movements = append(rows.Movements, d.movements()...)
		items[i] = vaultclient.Item{Context: p.context(), Value: wear.encode(), Pad: periodPad}
	}
	sealed, err := s.seal(ctx, auth, policy.IssueBadges, items)
	if err != nil {
		return err
	}
	for i := range rows.Periods {
		rows.Periods[i].Sealed = sealed[i]
	}
	return s.finish(ctx, auth, im, Importing, rows)
}

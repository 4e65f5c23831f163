package register

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/badgefile"
	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/peoplefile"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Lists of people, of leavers and of dispatched badges come in two steps, as laboratories' files do: a preview, then a
// confirmation that stores all that the preview accepts, or nothing. Both are done by the session of whoever loads the
// list, without a worker. Between the steps nothing of the file is kept but, sealed, the rows that were accepted, the
// preview, and those that were refused as they stood.

// docRefused holds the refused rows of a list as CSV, to be corrected and loaded again.
const docRefused = "refused"

// maxList is how many rows a list has at most.
const maxList = 50_000

// isList reports whether an import is of a list.
func (im ImportRow) isList() bool {
	return im.Kind == KindPeople || im.Kind == KindLeavers || im.Kind == KindDispatch
}

// purpose is what an import's documents are read and written for.
func (im ImportRow) purpose() policy.Purpose {
	if im.isList() {
		return policy.KeepRecords
	}
	return policy.AssessDose
}

// List is a list that somebody loads.
type List struct {
	Kind         string // KindPeople, KindLeavers or KindDispatch
	File         []byte
	Organisation id.Organisation // whose people are in it, where it has no column that says so; may be zero
	Sender       string          // who sent it: a department or laboratory, not a person
}

// ListPreview is what storing a list would do.
type ListPreview struct {
	Counts                          // Stored are those that would be; what is the same already counts as ignored
	New, Changed, Ended, Same int   // people; New are the badges of a dispatch list
	Controls                  int   // of the badges
	Blank                     []int // rows
	Refused                   []RowNote
	Rows                      []ListChange // about known people, those of whom nothing changes left out
	Alike                     []ListAlike
	NotUsed                   []string // headings of columns that were not read
	NINotTaken                int
	ByOrg                     map[id.Organisation]int // rows accepted
}

// ListChange is a row that changes somebody who is known.
type ListChange struct {
	Row    int
	Ends   bool          // it is, or is changed to be, somebody's last day
	Fields policy.Fields // that become another than before
}

// ListAlike is a row of somebody new who may be somebody known, or somebody in another row.
type ListAlike struct {
	Row   int
	Like  []vaultclient.Candidate
	Twins []int // rows
}

// listed is a row that a list stores, as it is sealed in docRows.
type listed struct {
	Row          int             `json:"row"`
	Organisation id.Organisation `json:"organisation"`
	Wearer       id.Wearer       `json:"wearer,omitzero"` // as the preview knew; zero: somebody new, or a control badge

	Identity       []byte     `json:"identity,omitempty"` // stored forms
	Contact        []byte     `json:"contact,omitempty"`
	NI             string     `json:"ni,omitempty"`
	From           day.Day    `json:"from,omitzero"`
	To             day.Day    `json:"to,omitzero"`
	Classified     bool       `json:"classified,omitempty"`
	KeepTo         bool       `json:"keep_to,omitempty"`
	KeepClassified bool       `json:"keep_classified,omitempty"`
	Employment     Employment `json:"employment,omitzero"`
	Moves          bool       `json:"moves,omitempty"` // Employment is another than before

	Barcode  string        `json:"barcode,omitempty"`
	Batch    string        `json:"batch,omitempty"`
	Position dose.Position `json:"position,omitempty"`
}

// joiner is a row about a person.
func (l *listed) joiner() (Joiner, error) {
	identity, err := person.DecodeIdentity(l.Identity)
	if err != nil {
		return Joiner{}, errBlob
	}
	contact, err := person.DecodeContact(l.Contact)
	if err != nil {
		return Joiner{}, errBlob
	}
	var also policy.Fields
	if l.Moves {
		also = policy.FieldEmployment
	}
	return Joiner{Also: also, Organisation: l.Organisation, Identity: identity, Contact: contact, NI: person.NewValue(l.NI), From: l.From, To: l.To, Classified: l.Classified,
		KeepTo: l.KeepTo, KeepClassified: l.KeepClassified, New: l.Wearer.IsZero(), Wearer: l.Wearer, Employment: l.Employment}, nil
}

// joinersOf are rows about people.
func joinersOf(rows []listed) ([]Joiner, error) {
	joiners := make([]Joiner, len(rows))
	for i := range rows {
		var err error
		if joiners[i], err = rows[i].joiner(); err != nil {
			return nil, err
		}
	}
	return joiners, nil
}

// listReading is a list that was read, on its way to its preview.
type listReading struct {
	preview ListPreview
	rows    []listed
	refused func(w io.Writer, rows []int) error // writes them as they stood
	// What the file calls the columns that badges are found by.
	barcode, staffNumber string
	staff                []person.Value // the badges' staff numbers: what is kept of them is whose they are
	// What the refused rows, which can be had as they stood, hold of whom.
	others []vaultclient.StaffKey
	held   policy.Fields
}

// whose notes whose row was refused, if that can be read. of knows the employer.
func (r *listReading) whose(org id.Organisation, reason string, staff person.Value) {
	if reason == "" {
		r.others = append(r.others, vaultclient.StaffKey{Organisation: org, StaffNumber: staff})
	}
}

func (r *listReading) refuse(row int, column, text string) {
	r.preview.Refused = append(r.preview.Refused, RowNote{Row: row, Column: column, Text: text})
}

// ReceiveList takes a list in: that it arrived is entered, it is read and held against what is known, and what was found is
// sealed and waits for somebody to confirm it. An *InputError says why the file is none, and nothing of it is kept.
func (s *Service) ReceiveList(ctx context.Context, auth vaultclient.Auth, l List) (id.Import, error) {
	sum := sha256.Sum256(l.File)
	im := ImportRow{ID: id.New[id.Import](), Kind: l.Kind, State: Previewed, Node: s.Node, SHA256: sum[:], Created: s.Now()}
	switch {
	case !im.isList():
		return im.ID, wrong("there is no such kind of list")
	case len(l.File) == 0:
		return im.ID, wrong("the file is empty")
	case len(l.File) > maxFile:
		return im.ID, wrong("the file has %d MiB; at most %d MiB are taken", len(l.File)>>20, maxFile>>20)
	}
	if err := s.Vault.Intake(ctx, auth, vaultclient.Intake{Import: im.ID, Source: im.Kind, SHA256: sum[:], Bytes: int64(len(l.File)), Sender: l.Sender}); err != nil {
		return im.ID, fmt.Errorf("entering the list: %w", err)
	}
	documents, err := s.previewList(ctx, auth, &im, l)
	if err == nil {
		err = s.Store.CreateImport(ctx, im, documents)
	}
	if err != nil {
		return im.ID, errors.Join(err, s.Vault.Discard(context.WithoutCancel(ctx), auth, im.ID))
	}
	return im.ID, nil
}

// previewList reads a list, holds it against what is known, and seals what was found.
func (s *Service) previewList(ctx context.Context, auth vaultclient.Auth, im *ImportRow, l List) (map[string][][]byte, error) {
	orgs, err := s.Vault.Organisations(ctx, auth)
	if err != nil {
		return nil, err
	}
	read, hold := s.readPeople, s.holdPeople
	if l.Kind == KindDispatch {
		read, hold = s.readBadges, s.holdBadges
	}
	r, err := read(l, orgs)
	if file, ok := errors.AsType[*labfile.FileError](err); ok {
		err = wrong("%s", file)
	}
	if err != nil {
		return nil, err
	}
	if n := len(r.rows) + len(r.others); n > maxList {
		return nil, wrong("the list has %d rows; at most %d are taken at once: divide it", n, maxList)
	}
	if len(r.others) > 0 {
		if err := s.enterRefused(ctx, auth, *im, r); err != nil {
			return nil, err
		}
	}
	if len(r.rows) > 0 {
		if err := hold(ctx, auth, *im, r); err != nil {
			return nil, err
		}
	}
	p := &r.preview
	p.ByOrg = map[id.Organisation]int{}
	for i := range r.rows {
		p.ByOrg[r.rows[i].Organisation]++
	}
	slices.SortFunc(p.Refused, func(a, b RowNote) int { return a.Row - b.Row })
	p.Counts = Counts{In: p.In, Stored: p.New + p.Changed + p.Ended, Refused: len(p.Refused), Ignored: p.Same + len(p.Blank)}
	if p.In != p.Stored+len(p.Refused)+p.Ignored {
		return nil, fmt.Errorf("%d rows came in, but %d were accepted, refused or ignored", p.In, p.Stored+len(p.Refused)+p.Ignored)
	}
	im.Counts = p.Counts
	return s.sealList(ctx, auth, *im, r)
}

// enterRefused enters whose rows were refused before anybody was looked up. They are in no list of changes, but whoever
// opens the refused rows sees what they hold.
func (s *Service) enterRefused(ctx context.Context, auth vaultclient.Auth, im ImportRow, r *listReading) error {
	wearers, err := s.Vault.FindStaff(ctx, auth, policy.KeepRecords, r.others)
	if err != nil {
		return fmt.Errorf("finding whose rows were refused: %w", err)
	}
	return s.Vault.Intake(ctx, auth, r.intake(im, r.others, wearers))
}

// intake says whom a list names: the wearers that keys were found for, and the employers of all of them.
func (r *listReading) intake(im ImportRow, keys []vaultclient.StaffKey, wearers []id.Wearer) vaultclient.Intake {
	in := vaultclient.Intake{Import: im.ID, Source: im.Kind, SHA256: im.SHA256, Rows: r.preview.In, Held: r.held}
	for i, w := range wearers {
		if !w.IsZero() {
			in.Wearers = append(in.Wearers, w)
		}
		if org := keys[i].Organisation; !slices.Contains(in.About, org) {
			in.About = append(in.About, org)
		}
	}
	return in
}

// sealList seals what was found in a list.
func (s *Service) sealList(ctx context.Context, auth vaultclient.Auth, im ImportRow, r *listReading) (map[string][][]byte, error) {
	documents := map[string][][]byte{}
	keep := func(name string, b []byte, err error) error {
		if err == nil {
			documents[name], err = s.sealDocument(ctx, auth, im, name, b)
		}
		return err
	}
	preview, err := encode(r.preview)
	if err := keep(docPreview, preview, err); err != nil {
		return nil, err
	}
	rows, err := encode(r.rows)
	if err := keep(docRows, rows, err); err != nil {
		return nil, err
	}
	if len(r.preview.Refused) == 0 {
		return documents, nil
	}
	only := make([]int, len(r.preview.Refused))
	for i, n := range r.preview.Refused {
		only[i] = n.Row
	}
	var refused bytes.Buffer
	err = r.refused(&refused, only)
	return documents, keep(docRefused, refused.Bytes(), err)
}

// organisations finds the employers that a list's rows name, each text once.
type organisations struct {
	all  []vaultclient.Organisation
	list id.Organisation // of the whole list, where a row names none
	seen map[string]found
}

type found struct {
	org    id.Organisation
	reason string // why there is none
}

// of returns the employer of a row, or why there is none.
func (o *organisations) of(name string) (id.Organisation, string) {
	if name == "" {
		if o.list.IsZero() {
			return o.list, "no employer: fill the column in, or say whose list it is when you load it"
		}
		return o.list, ""
	}
	if f, ok := o.seen[name]; ok {
		return f.org, f.reason
	}
	org, err := OrganisationNamed(o.all, name)
	f := found{org: org}
	if err != nil {
		f.reason = err.Error()
	}
	if o.seen == nil {
		o.seen = map[string]found{}
	}
	o.seen[name] = f
	return f.org, f.reason
}

// OrganisationNamed finds an organisation by its name, its id, or what its name alone begins with. The error repeats nothing.
func OrganisationNamed(all []vaultclient.Organisation, name string) (id.Organisation, error) {
	var hits []vaultclient.Organisation
	for _, o := range all {
		if strings.EqualFold(o.Name, name) || o.ID.String() == name {
			return o.ID, nil
		}
		if strings.HasPrefix(person.Fold(o.Name), person.Fold(name)) {
			hits = append(hits, o)
		}
	}
	switch len(hits) {
	case 1:
		return hits[0].ID, nil
	case 0:
		return id.Organisation{}, errors.New("none of your organisations has this name, or begins with it")
	}
	return id.Organisation{}, fmt.Errorf("%d of your organisations begin with this: write the whole name", len(hits))
}

// readPeople reads a list of people, or of leavers.
func (s *Service) readPeople(l List, all []vaultclient.Organisation) (*listReading, error) {
	opt := peoplefile.Options{Today: s.today(), Leavers: l.Kind == KindLeavers}
	rep, err := peoplefile.Read(bytes.NewReader(l.File), opt)
	if err != nil {
		return nil, err
	}
	orgs := organisations{all: all, list: l.Organisation}
	if rep.OrganisationColumn == "" && l.Organisation.IsZero() {
		return nil, wrong("the list has no column that names the employer: say whose list it is, or add the column")
	}
	r := &listReading{refused: func(w io.Writer, rows []int) error { return peoplefile.WriteRefused(w, l.File, opt, rep, rows) }}
	r.preview = ListPreview{Counts: Counts{In: rep.In}, Blank: rep.Ignored, NotUsed: rep.NotUsed, NINotTaken: rep.NINotTaken}
	r.held = policy.FieldName | policy.FieldBirth | policy.FieldSex | policy.FieldStaffNumber | policy.FieldRegistration | policy.FieldContact | policy.FieldEmployment
	for _, x := range rep.Refused {
		r.refuse(x.Number, x.Column, x.Reason)
		org, reason := orgs.of(x.Organisation)
		r.whose(org, reason, x.StaffNumber)
		if x.HasNI {
			r.held |= policy.FieldNI
		}
	}
	for _, p := range rep.People {
		org, reason := orgs.of(p.Organisation)
		if reason != "" {
			r.refuse(p.Number, rep.OrganisationColumn, reason)
			continue
		}
		r.rows = append(r.rows, listed{Row: p.Number, Organisation: org, Identity: p.Identity.Encode(), Contact: p.Contact.Encode(), NI: p.NI.Expose(), From: p.From, To: p.To,
			Classified: p.Classified, KeepTo: !rep.HasTo, KeepClassified: !rep.HasClassified, Employment: Employment{Department: p.Department, JobTitle: p.JobTitle}})
	}
	return r, nil
}

// holdPeople holds people against whom the vault knows.
func (s *Service) holdPeople(ctx context.Context, auth vaultclient.Auth, im ImportRow, r *listReading) error {
	joiners, err := joinersOf(r.rows)
	if err != nil {
		return err
	}
	for i := range joiners {
		joiners[i].New = false // whether somebody is, the vault says
	}
	weighed, err := s.Vault.Weigh(ctx, auth, im.ID, changesOf(joiners))
	if err != nil {
		return fmt.Errorf("holding the list against who is known: %w", err)
	}
	moves, err := s.otherWork(ctx, auth, r.rows, weighed)
	if err != nil {
		return err
	}
	var kept []listed
	p := &r.preview
	for i, w := range weighed {
		row := r.rows[i]
		if moves[i] && w.State == "same" {
			w.State = "changed"
		}
		if moves[i] {
			w.Fields |= policy.FieldEmployment
		}
		switch unknown := w.Wearer.IsZero(); {
		case im.Kind == KindLeavers && unknown:
			r.refuse(row.Row, "", "no wearer of that organisation has this staff number")
			continue
		case w.State == "refused":
			r.refuse(row.Row, "", w.Reason)
			continue
		case w.State == "new":
			p.New++
		case w.State == "same":
			p.Same++
			continue
		case w.Ends:
			p.Ended++
		default:
			p.Changed++
		}
		row.Wearer, row.Moves = w.Wearer, moves[i]
		kept = append(kept, row)
		if w.State != "new" {
			p.Rows = append(p.Rows, ListChange{Row: row.Row, Ends: w.Ends, Fields: w.Fields})
		}
		if len(w.Like)+len(w.Twins) > 0 {
			alike := ListAlike{Row: row.Row, Like: w.Like}
			for _, n := range w.Twins {
				alike.Twins = append(alike.Twins, r.rows[n].Row)
			}
			p.Alike = append(p.Alike, alike)
		}
	}
	r.rows = kept
	return nil
}

// otherWork says of each row whether it gives somebody known another department or job title.
func (s *Service) otherWork(ctx context.Context, auth vaultclient.Auth, rows []listed, weighed []vaultclient.Weighed) ([]bool, error) {
	var known []id.Wearer
	for i, w := range weighed {
		if !w.Wearer.IsZero() && rows[i].Employment != (Employment{}) {
			known = append(known, w.Wearer)
		}
	}
	out := make([]bool, len(rows))
	if len(known) == 0 {
		return out, nil
	}
	old, err := s.Store.Wearers(ctx, known)
	if err != nil {
		return nil, err
	}
	was, err := s.employments(ctx, auth, policy.KeepRecords, "what a list would change", old)
	if err != nil {
		return nil, err
	}
	for i, w := range weighed {
		before, at := was[w.Wearer], rows[i].Employment
		out[i] = !w.Wearer.IsZero() && (Employment{cmp.Or(at.Department, before.Department), cmp.Or(at.JobTitle, before.JobTitle)}) != before
	}
	return out, nil
}

// readBadges reads a list of dispatched badges.
func (s *Service) readBadges(l List, all []vaultclient.Organisation) (*listReading, error) {
	rep, err := badgefile.Read(bytes.NewReader(l.File))
	if err != nil {
		return nil, err
	}
	orgs := organisations{all: all, list: l.Organisation}
	if !rep.Has(badgefile.Organisation) && l.Organisation.IsZero() {
		return nil, wrong("the list has no column that names the employer: say whose list it is, or add the column")
	}
	r := &listReading{refused: func(w io.Writer, rows []int) error { return badgefile.WriteRefused(w, l.File, rep, rows) }}
	r.preview = ListPreview{Counts: Counts{In: rep.In}, Blank: rep.Ignored, NotUsed: rep.NotUsed}
	r.held = policy.FieldStaffNumber
	for _, x := range rep.Refused {
		r.refuse(x.Number, x.Column, x.Reason)
		org, reason := orgs.of(x.Organisation)
		r.whose(org, reason, x.StaffNumber)
	}
	r.barcode, r.staffNumber = rep.Heading(badgefile.Barcode), rep.Heading(badgefile.StaffNumber)
	for _, b := range rep.Badges {
		org, reason := orgs.of(b.Organisation)
		if reason != "" {
			r.refuse(b.Number, rep.Heading(badgefile.Organisation), reason)
			continue
		}
		r.staff = append(r.staff, b.StaffNumber)
		r.rows = append(r.rows, listed{Row: b.Number, Organisation: org, Barcode: b.Barcode, Batch: b.Batch, Position: b.Position, From: b.From, To: b.To})
	}
	return r, nil
}

// holdBadges holds badges against who is known and which badges are there.
func (s *Service) holdBadges(ctx context.Context, auth vaultclient.Auth, im ImportRow, r *listReading) error {
	var keys []vaultclient.StaffKey
	var worn []int
	barcodes := make([]string, len(r.rows))
	for i := range r.rows {
		row := &r.rows[i]
		barcodes[i] = row.Barcode
		if row.Position == dose.Control {
			continue
		}
		keys, worn = append(keys, vaultclient.StaffKey{Organisation: row.Organisation, StaffNumber: r.staff[i]}), append(worn, i)
	}
	var wearers []id.Wearer
	if len(keys) > 0 {
		var err error
		if wearers, err = s.Vault.FindStaff(ctx, auth, policy.IssueBadges, keys); err != nil {
			return err
		}
		for i, w := range wearers {
			r.rows[worn[i]].Wearer = w
		}
	}
	there, err := s.Store.Periods(ctx, barcodes)
	if err != nil {
		return err
	}
	known := make(map[string]bool, len(there))
	for i := range there {
		known[there[i].Barcode] = true
	}
	var kept []listed
	for _, row := range r.rows {
		switch control := row.Position == dose.Control; {
		case known[row.Barcode]:
			r.refuse(row.Row, r.barcode, "a badge with it is there already")
			continue
		case !control && row.Wearer.IsZero():
			r.refuse(row.Row, r.staffNumber, "no wearer of that organisation has it: take them on first, with a list of people or on the organisation's page")
			continue
		case control:
			r.preview.Controls++
		}
		r.preview.New++
		kept = append(kept, row)
	}
	r.rows = kept
	if len(keys) == 0 {
		return nil // control badges are nobody's
	}
	return s.Vault.Intake(ctx, auth, r.intake(im, keys, wearers))
}

// ListPreviewOf opens what storing a list would do, or did. Code NotFound: there is none.
func (s *Service) ListPreviewOf(ctx context.Context, auth vaultclient.Auth, n id.Import) (*ListPreview, error) {
	im, err := s.File(ctx, auth, n)
	if err != nil {
		return nil, err
	}
	b, err := s.openDocument(ctx, auth, im, docPreview, "looking at what a list would change")
	if errors.Is(err, ErrNotFound) || !im.isList() {
		return nil, errNoFile
	}
	if err != nil {
		return nil, err
	}
	p := &ListPreview{}
	return p, decode(b, p)
}

// acceptList stores all that a list's preview accepted, or nothing: then the list has failed, and says why.
func (s *Service) acceptList(ctx context.Context, auth vaultclient.Auth, im ImportRow) error {
	b, err := s.openDocument(ctx, auth, im, docRows, "storing what was accepted")
	if errors.Is(err, ErrNotFound) {
		return ErrState // it was answered before
	}
	if err != nil {
		return err
	}
	var rows []listed
	if err := decode(b, &rows); err != nil {
		return err
	}
	if len(rows) == 0 || len(rows) != im.Stored {
		return wrong("there is nothing to store: decline the list")
	}
	if im, err = s.Store.ClaimOne(ctx, im.ID, Previewed, Importing, s.hold()); err != nil {
		return err
	}
	return s.orFail(ctx, auth, im, func(ctx context.Context) error {
		if im.Kind == KindDispatch {
			return s.storeBadges(ctx, auth, im, rows)
		}
		return s.storePeople(ctx, auth, im, rows)
	})
}

func (s *Service) storePeople(ctx context.Context, auth vaultclient.Auth, im ImportRow, rows []listed) error {
	joiners, err := joinersOf(rows)
	if err != nil {
		return err
	}
	err = s.takeOn(ctx, auth, im, joiners, &Taken{})
	if no, ok := errors.AsType[*vaultclient.Error](err); ok && no.Code == vaultclient.Invalid {
		n, why := 0, ""
		if at, rest, cut := strings.Cut(no.Message, ": "); cut {
			fmt.Sscanf(at, "person %d", &n)
			why = rest
		}
		if n > 0 && n <= len(rows) {
			return wrong("row %d: %s. Something changed since the preview, so nothing was stored: load the list again", rows[n-1].Row, why)
		}
	}
	return err
}

func (s *Service) storeBadges(ctx context.Context, auth vaultclient.Auth, im ImportRow, rows []listed) error {
	badges := make([]Dispatched, len(rows))
	for i, r := range rows {
		if r.Barcode == "" {
			return errBlob // rows of another kind of list
		}
		badges[i] = Dispatched{Barcode: r.Barcode, Batch: r.Batch, State: Issued, Organisation: r.Organisation, Wearer: r.Wearer, Position: r.Position, From: r.From, To: r.To}
	}
	err := s.dispatch(ctx, auth, im, badges)
	if errors.Is(err, ErrExists) {
		return errChanged
	}
	return err
}

// writeRefusedList writes a list's refused rows as they stood in it.
func (s *Service) writeRefusedList(ctx context.Context, auth vaultclient.Auth, im ImportRow, w io.Writer) error {
	b, err := s.openDocument(ctx, auth, im, docRefused, "refused rows, to be corrected")
	if errors.Is(err, ErrNotFound) {
		return wrong("no row of the list was refused")
	}
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

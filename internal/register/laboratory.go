package register

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// importFields are what a job needs to import a laboratory's file: labels to compare, limits to choose, doses to sum.
const importFields = policy.FieldName | policy.FieldBirth | policy.FieldSex | policy.FieldHealth | policy.FieldDose | policy.FieldDocument | policy.FieldEmployment

// Bounds of a job.
const (
	grantLifetime = 24 * time.Hour
	maxWearers    = 150_000
	lateAfter     = 120 // days after a period's end, when a laboratory may refuse a badge
)

// The documents of an import.
const (
	docFile    = "file"
	docProfile = "profile" // as the file is read; none for a layout that is built in
	docPreview = "preview"
	docRows    = "rows"   // the rows that the preview accepts: these are stored, or nothing
	docAccept  = "accept" // empty: that it opens says that somebody who may had it sealed
)

// RowNote is something about one row of a file, without what the row says of anybody.
type RowNote struct {
	Row    int    `json:"row"` // number of the record, the heading being 1
	Line   int    `json:"line,omitempty"`
	Column string `json:"column,omitempty"`
	Text   string `json:"text"`
}

// Preview is what an import would do.
type Preview struct {
	Counts
	Profile  string                  `json:"profile,omitempty"` // name and version of what it was read by
	Accepted int                     `json:"accepted"`
	Reissues int                     `json:"reissues"`
	Refused  []RowNote               `json:"refused"`
	Ignored  []int                   `json:"ignored"`
	Notices  []RowNote               `json:"notices"` // accepted, but look at them
	ByOrg    map[id.Organisation]int `json:"by_organisation"`
}

// Receive takes a laboratory's file in: it is entered as it arrives, sealed, and waits for a worker to preview it.
// The same file that was imported before is refused. sender is the laboratory, not a person.
func (s *Service) Receive(ctx context.Context, auth vaultclient.Auth, file []byte, sender string) (id.Import, error) {
	return s.ReceiveBy(ctx, auth, file, sender, nil)
}

// ReceiveBy takes a laboratory's file in that is to be read by a profile, in the text of labfile.ParseProfile; nil: by a
// layout that is built in. The profile stays with the file, sealed: what a file was read by can be told as long as it is kept.
func (s *Service) ReceiveBy(ctx context.Context, auth vaultclient.Auth, file []byte, sender string, profile []byte) (id.Import, error) {
	sum := sha256.Sum256(file)
	im := ImportRow{ID: id.New[id.Import](), Kind: KindLaboratory, State: Received, Node: s.Node, SHA256: sum[:], Created: s.Now()}
	if len(file) == 0 {
		return im.ID, wrong("the file is empty")
	}
	if len(file) > maxFile {
		return im.ID, wrong("the file has %d MiB; at most %d MiB are taken", len(file)>>20, maxFile>>20)
	}
	if profile != nil {
		if _, err := labfile.ParseProfile(profile); err != nil {
			return im.ID, wrong("%s", err)
		}
	}
	in := vaultclient.Intake{Import: im.ID, Source: KindLaboratory, SHA256: sum[:], Bytes: int64(len(file)), Sender: sender}
	if err := s.Vault.Intake(ctx, auth, in); err != nil {
		return im.ID, fmt.Errorf("entering the file: %w", err)
	}
	switch old, err := s.Store.ImportOf(ctx, sum[:]); {
	case err == nil:
		return im.ID, wrong("this very file was imported on %s; nothing was stored again", old.Created.Format("2 January 2006"))
	case !errors.Is(err, ErrNotFound):
		return im.ID, err
	}
	g, err := s.Vault.GrantJob(ctx, auth, vaultclient.JobGrant{Purpose: policy.AssessDose, Fields: importFields, MaxWearers: maxWearers, Import: im.ID, Node: "worker", Lifetime: grantLifetime})
	if err != nil {
		return im.ID, fmt.Errorf("giving leave for the import: %w", err)
	}
	im.Grant = g
	documents := map[string][][]byte{}
	if documents[docFile], err = s.sealDocument(ctx, auth, im, docFile, file); err != nil {
		return im.ID, err
	}
	if profile != nil {
		if documents[docProfile], err = s.sealDocument(ctx, auth, im, docProfile, profile); err != nil {
			return im.ID, err
		}
	}
	return im.ID, s.Store.CreateImport(ctx, im, documents)
}

// readFile reads an import's file by the profile that came with it.
func (s *Service) readFile(ctx context.Context, auth vaultclient.Auth, im ImportRow, file []byte) (*labfile.Report, error) {
	o := labfile.Options{Today: s.today()}
	switch b, err := s.openDocument(ctx, auth, im, docProfile, "how the laboratory's file is read"); {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return nil, err
	default:
		if o.Profile, err = labfile.ParseProfile(b); err != nil {
			return nil, wrong("%s", err) // written for another version of the program
		}
	}
	return labfile.Read(bytes.NewReader(file), o)
}

const maxFile = 64 << 20

// accepted is a row that an import stores: a report, and the wear period that it is of.
type accepted struct {
	period  PeriodRow // ID, Organisation, Wearer, Starts and Ends
	wear    Wear
	version int // the laboratory's
	report  Report
}

// label is what a row says of whom its badge belongs to.
type label struct {
	row, line int
	vaultclient.Comparison
}

// reading is a file held against the register.
type reading struct {
	preview  Preview
	accepted []accepted
	labels   []label
	name     string // what the file's column of names is called
}

// Claim takes the oldest import in a state into another, to work on it. ErrNotFound: none waits.
func (s *Service) Claim(ctx context.Context, from, to State) (ImportRow, error) {
	return s.Store.Claim(ctx, from, to, s.hold())
}

// WorkOn does the next step of an import that was claimed for it: previewing or importing.
func (s *Service) WorkOn(ctx context.Context, im ImportRow) error {
	err := s.held(ctx, im, func(ctx context.Context) error {
		switch im.State {
		case Previewing:
			return s.preview(ctx, im)
		case Importing:
			return s.importFile(ctx, im)
		}
		return fmt.Errorf("nothing is to be done for an import that is %s", im.State)
	})
	var input *InputError
	var file *labfile.FileError
	var vault *vaultclient.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &input), errors.As(err, &file):
		// The file is wrong, not the program: say so, and don't try again.
	case errors.As(err, &vault) && (vault.Code == vaultclient.Refused || vault.Code == vaultclient.Unauthenticated || vault.Code == vaultclient.Invalid):
		// The vault refuses: trying again by itself does not help.
	case errors.Is(err, errBlob):
		// Somebody changed the database.
	default:
		return err // a fault that may pass; the import stays in its state until Reconcile
	}
	return s.fail(ctx, im, err.Error())
}

// GiveUp fails an import on which the worker failed again and again, so that those behind it have their turn. One whose
// rows are stored meanwhile is left alone.
func (s *Service) GiveUp(ctx context.Context, im ImportRow) error {
	err := s.fail(ctx, im, "it failed again and again, and nothing was stored: see the worker's log, then load the file again")
	if errors.Is(err, ErrState) {
		return nil
	}
	return err
}

// fail ends an import. Its file goes, and the vault destroys the key and enters it.
func (s *Service) fail(ctx context.Context, im ImportRow, why string) error {
	from := im.State
	im.State, im.Failure = Failed, why
	if err := s.Store.Move(ctx, from, im); err != nil {
		return err
	}
	return s.Vault.Discard(ctx, vaultclient.Auth{}, im.ID)
}

// preview reads a file and says what an import would do.
func (s *Service) preview(ctx context.Context, im ImportRow) error {
	r, err := s.read(ctx, im)
	if err != nil {
		return err
	}
	auth := vaultclient.Auth{Grant: im.Grant}
	keep := func(ctx context.Context, name string, b []byte) error {
		parts, err := s.sealDocument(ctx, auth, im, name, b)
		if err != nil {
			return err
		}
		return s.Store.SetDocument(ctx, im.ID, name, parts)
	}
	both, ctxBoth := errgroup.WithContext(ctx)
	both.Go(func() error { return keep(ctxBoth, docRows, encodeAccepted(r.accepted)) })
	both.Go(func() error {
		if err := s.compareLabels(ctxBoth, auth, r); err != nil {
			return err
		}
		b, err := encode(r.preview)
		if err != nil {
			return err
		}
		return keep(ctxBoth, docPreview, b)
	})
	if err := both.Wait(); err != nil {
		return err
	}
	im.State = Previewed
	im.Counts = r.preview.Counts
	return s.Store.Move(ctx, Previewing, im)
}

// read reads an import's file, enters whom it names, and holds its rows against the register.
func (s *Service) read(ctx context.Context, im ImportRow) (*reading, error) {
	auth := vaultclient.Auth{Grant: im.Grant}
	file, err := s.openDocument(ctx, auth, im, docFile, "reading the laboratory's file")
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(file); !bytes.Equal(sum[:], im.SHA256) {
		return nil, errBlob
	}
	rep, err := s.readFile(ctx, auth, im, file)
	if err != nil {
		return nil, err
	}
	return s.match(ctx, auth, im, rep, len(file))
}

// match holds a report's rows against the register. size is the file's in bytes, 0 for rows without a file.
func (s *Service) match(ctx context.Context, auth vaultclient.Auth, im ImportRow, rep *labfile.Report, size int) (*reading, error) {
	orgs, err := s.Vault.Organisations(ctx, auth)
	if err != nil {
		return nil, err
	}
	accounts, err := s.accounts(ctx, auth, orgs)
	if err != nil {
		return nil, err
	}
	barcodes := make([]string, len(rep.Rows))
	for i := range rep.Rows {
		barcodes[i] = rep.Rows[i].Barcode
	}
	found, err := s.Store.Periods(ctx, barcodes)
	if err != nil {
		return nil, err
	}
	known := make(map[string]*dispatched, len(found))
	for i := range found {
		known[found[i].Barcode] = &dispatched{Result: &found[i]}
	}
	if err := s.enterNamed(ctx, auth, im, rep, known, size); err != nil {
		return nil, err
	}
	if err := s.wears(ctx, auth, found, known); err != nil {
		return nil, err
	}
	r := &reading{name: rep.Heading(labfile.FieldName), preview: Preview{Profile: rep.Profile, ByOrg: map[id.Organisation]int{}, Ignored: rep.Ignored, Refused: []RowNote{}, Notices: []RowNote{}},
		accepted: make([]accepted, 0, len(rep.Rows)), labels: make([]label, 0, len(rep.Rows))}
	p := &r.preview
	for _, f := range rep.Refused {
		p.Refused = append(p.Refused, RowNote{f.Number, f.Line, f.Column, f.Reason})
	}
	for i := range rep.Rows {
		row := &rep.Rows[i]
		res := known[row.Barcode]
		column, reason := refuse(row, res, accounts)
		if reason == "" {
			if n := res.rowOf(row.Version); n != 0 { // at another position, else labfile has refused it
				column, reason = labfile.FieldBarcode, fmt.Sprintf("the same badge and version as in row %d", n)
			}
			res.seen = append(res.seen, seen{row.Version, row.Number})
		}
		if reason != "" {
			p.Refused = append(p.Refused, RowNote{row.Number, row.Line, rep.Heading(column), reason})
			continue
		}
		if len(res.Reports) > 0 {
			p.Reissues++
		}
		if late := int(row.Scanned - res.Ends); !row.Scanned.IsZero() && late > lateAfter {
			p.Notices = append(p.Notices, RowNote{row.Number, row.Line, rep.Heading(labfile.FieldScanned), fmt.Sprintf("read %d days after the end of its period", late)})
		}
		r.accepted = append(r.accepted, accepted{res.PeriodRow, res.wear, row.Version,
			Report{Scanned: row.Scanned, NotCounted: row.NotCounted || res.wear.NotCounted, Notes: row.Notes, Readings: row.Readings}})
		if !row.Control && (!row.Name.IsZero() || !row.Birth.IsZero()) {
			r.labels = append(r.labels, label{row.Number, row.Line, vaultclient.Comparison{Wearer: res.Wearer, Name: row.Name, Birth: row.Birth}})
		}
		p.ByOrg[res.Organisation]++
	}
	sort.Slice(p.Refused, func(i, j int) bool { return p.Refused[i].Row < p.Refused[j].Row })
	p.Accepted = len(r.accepted)
	p.Counts = Counts{In: rep.In - len(rep.Merged), Stored: len(r.accepted), Refused: len(p.Refused), Ignored: len(p.Ignored)}
	if p.In != p.Stored+p.Counts.Refused+p.Counts.Ignored {
		return nil, fmt.Errorf("%d rows came in, but %d were stored, refused or ignored", p.In, p.Stored+p.Counts.Refused+p.Counts.Ignored)
	}
	return r, nil
}

// dispatched is a badge that a file reports on.
type dispatched struct {
	*Result
	wear Wear
	seen []seen // what was accepted of it
}

// seen is a version of a badge's report and the row that it stands in.
type seen struct{ version, row int }

// rowOf returns the row that a version was accepted from, 0 for none.
func (d *dispatched) rowOf(version int) int {
	for _, s := range d.seen {
		if s.version == version {
			return s.row
		}
	}
	return 0
}

// refuse says why a row can't be stored: a column and a reason, or nothing.
func refuse(row *labfile.Row, res *dispatched, accounts map[string]id.Organisation) (column labfile.Field, reason string) {
	if res == nil {
		return labfile.FieldBarcode, "no badge with this serial number was dispatched: check the number, or load the dispatch list first"
	}
	org, known := accounts[row.Account]
	switch {
	case !known:
		return labfile.FieldAccount, "no organisation has this account"
	case org != res.Organisation:
		return labfile.FieldBarcode, "this badge was issued to another organisation than the account's"
	case row.Control != res.Wearer.IsZero():
		return labfile.FieldPosition, "one of report and dispatch says control badge, the other does not"
	case row.From != res.Starts || row.To != res.Ends:
		return labfile.FieldFrom, fmt.Sprintf("the badge was issued for %s to %s", res.Starts, res.Ends)
	case row.Position == dose.Foetal && res.wear == (Wear{dose.WholeBody, true}):
		// only the wearer's health row says that it is foetal
	case row.Position != res.wear.Position && !row.Control:
		return labfile.FieldPosition, fmt.Sprintf("the badge was issued to be worn at: %s", res.wear.Position)
	}
	version := uint32(row.Version) + 1
	for _, r := range res.Reports {
		switch {
		case r.Version == version:
			return labfile.FieldVersion, "this badge and version is stored already: leave the row out, or have it re-issued under a higher version"
		case r.Version > version:
			return labfile.FieldVersion, fmt.Sprintf("version %d of this badge is stored already", r.Version-1)
		}
	}
	return 0, ""
}

// accounts returns the organisation of each laboratory account.
func (s *Service) accounts(ctx context.Context, auth vaultclient.Auth, orgs []vaultclient.Organisation) (map[string]id.Organisation, error) {
	set, err := s.settings(ctx, auth, policy.AssessDose, orgs)
	if err != nil {
		return nil, err
	}
	out := map[string]id.Organisation{}
	for org, one := range set {
		for _, a := range one.Accounts {
			out[a] = org.ID
		}
	}
	return out, nil
}

// enterNamed enters, in each organisation's ledger, whom the file names and what it holds of them.
func (s *Service) enterNamed(ctx context.Context, auth vaultclient.Auth, im ImportRow, rep *labfile.Report, known map[string]*dispatched, size int) error {
	held := policy.FieldDose
	seen := map[id.Wearer]bool{}
	var named []id.Wearer
	for i := range rep.Rows {
		row := &rep.Rows[i]
		if !row.Name.IsZero() {
			held |= policy.FieldName
		}
		if !row.Birth.IsZero() {
			held |= policy.FieldBirth
		}
		if res := known[row.Barcode]; res != nil && !res.Wearer.IsZero() && !seen[res.Wearer] {
			seen[res.Wearer] = true
			named = append(named, res.Wearer)
		}
	}
	if len(named) == 0 {
		return nil
	}
	return s.Vault.Intake(ctx, auth, vaultclient.Intake{Import: im.ID, Source: KindLaboratory, SHA256: im.SHA256, Bytes: int64(size), Rows: rep.In, Via: im.Node, Held: held, Wearers: named})
}

// wears opens what wear periods say of their badges.
func (s *Service) wears(ctx context.Context, auth vaultclient.Auth, found []Result, known map[string]*dispatched) error {
	items := make([]vaultclient.Item, len(found))
	for i := range found {
		items[i] = vaultclient.Item{Context: found[i].context(), Value: found[i].Sealed}
	}
	opened, err := s.open(ctx, auth, policy.AssessDose, "positions of badges", items)
	if err != nil {
		return err
	}
	for i, b := range opened {
		if known[found[i].Barcode].wear, err = decodeWear(b); err != nil {
			return err
		}
	}
	return nil
}

// compareLabels has the vault compare the names on the rows with the wearers'. No name comes back.
func (s *Service) compareLabels(ctx context.Context, auth vaultclient.Auth, r *reading) error {
	for part := range slices.Chunk(r.labels, batch) {
		items := make([]vaultclient.Comparison, len(part))
		for i, l := range part {
			items[i] = l.Comparison
		}
		verdicts, err := s.Vault.Compare(ctx, auth, policy.AssessDose, items)
		if err != nil {
			return fmt.Errorf("comparing labels: %w", err)
		}
		for i, v := range verdicts {
			if v == vaultclient.Different {
				r.preview.Notices = append(r.preview.Notices, RowNote{part[i].row, part[i].line, r.name, "label differs: check assignment"})
			}
		}
	}
	slices.SortStableFunc(r.preview.Notices, func(a, b RowNote) int { return a.Row - b.Row })
	return nil
}

// PreviewOf returns an import's preview.
func (s *Service) PreviewOf(ctx context.Context, auth vaultclient.Auth, n id.Import) (ImportRow, *Preview, error) {
	im, err := s.Store.Import(ctx, n)
	if err != nil {
		return im, nil, err
	}
	b, err := s.openDocument(ctx, auth, im, docPreview, "looking at the preview")
	if errors.Is(err, ErrNotFound) {
		return im, nil, nil
	}
	if err != nil {
		return im, nil, err
	}
	p := &Preview{}
	return im, p, decode(b, p)
}

// Accept has a previewed import stored. Only who may seal a file's documents may accept it: a state that somebody
// changed in the register moves nothing.
func (s *Service) Accept(ctx context.Context, auth vaultclient.Auth, n id.Import) error {
	im, err := s.Store.Import(ctx, n)
	if err != nil {
		return err
	}
	if im.isList() {
		return s.acceptList(ctx, auth, im)
	}
	if im.Kind != KindLaboratory {
		return fmt.Errorf("what is no laboratory's file %w", ErrState)
	}
	parts, err := s.sealDocument(ctx, auth, im, docAccept, nil)
	if err != nil {
		return err
	}
	if err := s.Store.SetDocument(ctx, n, docAccept, parts); err != nil {
		return err
	}
	im.State = Confirmed
	return s.Store.Move(ctx, Previewed, im)
}

// WriteRefused writes the refused rows of an import as they stood in its file, to be corrected and loaded again. It is
// a reveal of what the file holds.
func (s *Service) WriteRefused(ctx context.Context, auth vaultclient.Auth, n id.Import, w io.Writer) error {
	if im, err := s.Store.Import(ctx, n); err == nil && im.isList() {
		return s.writeRefusedList(ctx, auth, im, w)
	}
	im, p, err := s.PreviewOf(ctx, auth, n)
	if err != nil {
		return err
	}
	if p == nil {
		return wrong("the import has no preview yet")
	}
	file, err := s.openDocument(ctx, auth, im, docFile, "refused rows, to be corrected")
	if err != nil {
		return err
	}
	rep, err := s.readFile(ctx, auth, im, file)
	if err != nil {
		return err
	}
	rows := make([]int, len(p.Refused))
	for i, r := range p.Refused {
		rows[i] = r.Row
	}
	return labfile.WriteRefused(w, file, rep, rows)
}

// errChanged says that what was accepted can't be stored any more.
var errChanged = wrong("the register changed since the preview, so not all that was accepted could be stored: load the file again")

// importFile stores what was accepted in the preview.
func (s *Service) importFile(ctx context.Context, im ImportRow) error {
	auth := vaultclient.Auth{Grant: im.Grant}
	if _, err := s.openDocument(ctx, auth, im, docAccept, "importing what was accepted"); errors.Is(err, ErrNotFound) {
		return wrong("nobody accepted this import: load the file again")
	} else if err != nil {
		return err
	}
	b, err := s.openDocument(ctx, auth, im, docRows, "importing what was accepted")
	if err != nil {
		return err
	}
	rows, err := decodeAccepted(b)
	if err != nil {
		return err
	}
	if len(rows) != im.Stored {
		return errBlob
	}
	err = s.store(ctx, auth, im, Importing, rows)
	if errors.Is(err, ErrExists) {
		return errChanged
	}
	return err
}

// ImportRows stores rows that were read already, without a file: the history that an installation begins with.
// Rows that can't be stored are an error, and nothing is stored.
func (s *Service) ImportRows(ctx context.Context, auth vaultclient.Auth, sender string, rows []labfile.Row) (id.Import, error) {
	im := ImportRow{ID: id.New[id.Import](), Kind: KindLaboratory, State: Importing, Owner: s.Owner, Node: s.Node, Created: s.Now()}
	if err := s.Vault.Intake(ctx, auth, vaultclient.Intake{Import: im.ID, Source: KindLaboratory, Rows: len(rows), Sender: sender}); err != nil {
		return im.ID, fmt.Errorf("entering the rows: %w", err)
	}
	g, err := s.Vault.GrantJob(ctx, auth, vaultclient.JobGrant{Purpose: policy.AssessDose, Fields: importFields, MaxWearers: maxWearers, Import: im.ID, Node: s.Node, Lifetime: grantLifetime})
	if err != nil {
		return im.ID, fmt.Errorf("giving leave for the import: %w", err)
	}
	im.Grant = g
	if err := s.Store.CreateImport(ctx, im, nil); err != nil {
		return im.ID, err
	}
	return im.ID, s.held(ctx, im, func(ctx context.Context) error {
		r, err := s.match(ctx, vaultclient.Auth{Grant: g}, im, &labfile.Report{In: len(rows), Rows: rows}, 0)
		if err != nil {
			return err
		}
		if len(r.preview.Refused) > 0 {
			f := r.preview.Refused[0]
			return wrong("row %d: %s: %s; nothing was stored", f.Row, f.Column, f.Text)
		}
		im.Counts = r.preview.Counts
		return s.store(ctx, vaultclient.Auth{Grant: g}, im, Importing, r.accepted)
	})
}

// store seals the rows' readings, evaluates everyone in them, commits, and has the vault's ledger confirm.
func (s *Service) store(ctx context.Context, auth vaultclient.Auth, im ImportRow, from State, reports []accepted) error {
	rows := &Rows{}
	items := make([]vaultclient.Item, len(reports))
	for i := range reports {
		a := &reports[i]
		r := ReadingRow{Period: a.period.ID, Wearer: a.period.Wearer, Version: uint32(a.version) + 1, Import: im.ID}
		items[i] = vaultclient.Item{Context: r.context(&a.period), Value: a.report.encode(), Pad: readingPad}
		rows.Readings = append(rows.Readings, r)
		rows.ReadingPeriods = append(rows.ReadingPeriods, a.period)
	}
	// The vault seals while the register reads what is to be summed.
	both, ctxBoth := errgroup.WithContext(ctx)
	both.Go(func() error {
		sealed, err := s.seal(ctxBoth, auth, policy.AssessDose, items)
		for i := range sealed {
			rows.Readings[i].Sealed = sealed[i]
		}
		return err
	})
	both.Go(func() (err error) {
		rows.Investigations, err = s.evaluate(ctxBoth, auth, im, reports)
		return err
	})
	if err := both.Wait(); err != nil {
		return err
	}
	return s.finish(ctx, auth, im, from, rows)
}

// finish commits an import's rows in the register, then in the vault's ledgers.
func (s *Service) finish(ctx context.Context, auth vaultclient.Auth, im ImportRow, from State, rows *Rows) error {
	rows.sort()
	hashed := make(chan []vaultclient.Manifest, 1)
	go func() { hashed <- manifests(im.Kind, rows) }()
	im.State = Stored
	err := s.Store.Commit(ctx, from, im, rows)
	manifests := <-hashed
	if err != nil {
		return fmt.Errorf("storing the import: %w", err)
	}
	return s.confirm(ctx, auth, im, manifests)
}

// confirm has the vault confirm an import that the register has stored.
func (s *Service) confirm(ctx context.Context, auth vaultclient.Auth, im ImportRow, manifests []vaultclient.Manifest) error {
	if err := s.Vault.Confirm(ctx, auth, im.ID, manifests); err != nil {
		return fmt.Errorf("entering the import in the ledger: %w", err)
	}
	if im.isList() { // its rows are where they belong now
		if err := s.Store.SetDocument(ctx, im.ID, docRows, nil); err != nil {
			return err
		}
	}
	im.State = Done
	return s.Store.Move(ctx, Stored, im)
}

// Reconcile goes on after a stop at any point: what somebody had begun who is silent now is begun again, what the
// register stored is confirmed, and what the vault has waiting but the register never stored is dropped. Workers call it
// at their start, when they take back what was theirs, and from time to time.
func (s *Service) Reconcile(ctx context.Context) error {
	for {
		im, err := s.Store.Reclaim(ctx, s.hold())
		if errors.Is(err, ErrNotFound) {
			break
		}
		if err == nil {
			err = s.held(ctx, im, func(ctx context.Context) error { return s.goOn(ctx, im) })
		}
		if err != nil && !errors.Is(err, ErrState) { // else somebody took it meanwhile
			return err
		}
	}
	pending, err := s.Vault.Pending(ctx)
	if err != nil {
		return err
	}
	for _, n := range pending {
		switch im, err := s.Store.Import(ctx, n); {
		case errors.Is(err, ErrNotFound), err == nil && !im.State.KeepsFile():
			if err := s.Vault.Discard(ctx, vaultclient.Auth{}, n); err != nil {
				return err
			}
		case err != nil:
			return err
		}
	}
	return nil
}

// goOn brings an import that was left on its way to where it can be begun again, or to its end.
func (s *Service) goOn(ctx context.Context, im ImportRow) error {
	from := im.State
	if from == Stored {
		rows, err := s.Store.ImportRows(ctx, im.ID)
		if err != nil {
			return err
		}
		return s.confirm(ctx, vaultclient.Auth{}, im, Manifests(im.Kind, rows))
	}
	im.State = map[State]State{Previewing: Received, Importing: Confirmed}[from]
	switch _, err := s.Store.Document(ctx, im.ID, docFile); {
	case errors.Is(err, ErrNotFound):
		im.State, im.Failure = Failed, "it was stopped before anything was stored" // no file to begin again with
	case err != nil:
		return err
	}
	if err := s.Store.Move(ctx, from, im); err != nil || im.State != Failed {
		return err
	}
	return s.Vault.Discard(ctx, vaultclient.Auth{}, im.ID)
}

func (s *Service) hold() Hold { return Hold{s.Owner, Lease} }

// held does work on an import that this process holds, and says so again and again. When it is another's, since this one
// was silent for too long, the work's context ends; it could store nothing any more.
func (s *Service) held(ctx context.Context, im ImportRow, work func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var beat sync.WaitGroup
	defer beat.Wait()
	defer cancel()
	beat.Go(func() {
		tick := time.NewTicker(Lease / 4)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := s.Store.Extend(ctx, im.ID, s.hold()); errors.Is(err, ErrState) {
				cancel()
			} else if err != nil && ctx.Err() == nil {
				s.Log.Warn("holding an import", "import", im.ID, "error", err)
			}
		}
	})
	return work(ctx)
}

// fiveYearsBefore is the first day that a sum ending on a day can need.
func fiveYearsBefore(d day.Day) day.Day { return day.Of(d.Year()-5, time.January, 1) }

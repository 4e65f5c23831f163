package register

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dosevault/dosevault/internal/day"
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
	maxFile       = 256 << 20 // bytes
	maxRows       = 1_500_000
	maxWearers    = 300_000
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

// reading says how an import's file is read: by the profile that came with it.
func (s *Service) reading(ctx context.Context, auth vaultclient.Auth, im ImportRow) (labfile.Options, error) {
	o := labfile.Options{Profile: labfile.Landauer(), Today: s.today(), MaxBytes: maxFile, MaxRows: maxRows}
	b, err := s.openDocument(ctx, auth, im, docProfile, "how the laboratory's file is read")
	switch {
	case errors.Is(err, ErrNotFound):
		return o, nil
	case err != nil:
		return o, err
	}
	if o.Profile, err = labfile.ParseProfile(b); err != nil {
		return o, wrong("%s", err) // written for another version of the program
	}
	return o, nil
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
			if im.Kind == KindEvaluation {
				return s.evaluateNight(ctx, im)
			}
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
	case errors.As(err, &vault) && vault.Code == vaultclient.IsFrozen && vault.Scope != string(vaultclient.Everything):
		// It would wait for two people, and those behind it with it.
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
	if im.State != Previewed {
		return fmt.Errorf("the import %w than %s", ErrState, Previewed)
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
	how, err := s.reading(ctx, auth, im)
	if err != nil {
		return err
	}
	rep, err := labfile.Read(bytes.NewReader(file), how)
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
	if rows.len() != im.Stored {
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
		auth := vaultclient.Auth{Grant: g}
		b := []byte{acceptedVersion}
		p, err := s.match(ctx, auth, im, readAlready(rows), func(part []byte) error {
			b = append(b, part...)
			return nil
		})
		if err != nil {
			return err
		}
		if len(p.Refused) > 0 {
			f := p.Refused[0]
			return wrong("row %d: %s: %s; nothing was stored", f.Row, f.Column, f.Text)
		}
		stored, err := decodeAccepted(b)
		if err != nil {
			return err
		}
		im.Counts = p.Counts
		return s.store(ctx, auth, im, Importing, stored)
	})
}

// store seals the rows' readings, evaluates everyone in them, commits, and has the vault's ledger confirm. The vault seals
// some while those before are being inserted, and what is to be summed is read beside both.
func (s *Service) store(ctx context.Context, auth vaultclient.Auth, im ImportRow, from State, rows *acceptedRows) error {
	ctx, stop := context.WithCancel(ctx)
	group, ctxGroup := errgroup.WithContext(ctx)
	defer group.Wait()
	defer stop()
	im.State = Stored
	manifests := newManifests(im.Kind)
	sealed := make(chan *Rows, 1)
	group.Go(func() error {
		defer close(sealed)
		return s.sealReadings(ctxGroup, auth, im, rows, func(part *Rows) error {
			manifests.add(part)
			select {
			case sealed <- part:
				return nil
			case <-ctxGroup.Done():
				return ctxGroup.Err()
			}
		})
	})
	last := &Rows{}
	group.Go(func() (err error) {
		last.Investigations, err = s.evaluate(ctxGroup, auth, im, rows)
		return err
	})
	err := s.Store.Commit(ctx, from, im, func(yield func(*Rows, error) bool) {
		for part := range sealed {
			if !yield(part, nil) {
				return
			}
		}
		err := group.Wait()
		last.sort()
		manifests.add(last)
		yield(last, err)
	})
	if err != nil {
		return fmt.Errorf("storing the import: %w", err)
	}
	return s.confirm(ctx, auth, im, manifests.list())
}

// sealReadings seals the rows' readings, some at a time.
func (s *Service) sealReadings(ctx context.Context, auth vaultclient.Auth, im ImportRow, rows *acceptedRows, take func(*Rows) error) error {
	const most = 10_000
	for from := 0; from < rows.len(); from += most {
		part := &Rows{}
		var items []vaultclient.Item
		for i := from; i < min(from+most, rows.len()); i++ {
			a := rows.row(i)
			r := ReadingRow{Period: a.period.ID, Wearer: a.period.Wearer, Version: uint32(a.version) + 1, Import: im.ID}
			items = append(items, vaultclient.Item{Context: r.context(&a.period), Value: a.report.encode(), Pad: readingPad})
			part.Readings = append(part.Readings, r)
			part.ReadingPeriods = append(part.ReadingPeriods, a.period)
		}
		sealed, err := s.seal(ctx, auth, policy.AssessDose, items)
		if err != nil {
			return err
		}
		for i := range sealed {
			part.Readings[i].Sealed = sealed[i]
		}
		if err := take(part); err != nil {
			return err
		}
	}
	return nil
}

// finish commits an import's rows in the register, then in the vault's ledgers.
func (s *Service) finish(ctx context.Context, auth vaultclient.Auth, im ImportRow, from State, rows *Rows) error {
	manifests := Manifests(im.Kind, rows)
	im.State = Stored
	if err := s.Store.Commit(ctx, from, im, Whole(rows)); err != nil {
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
// at their start, when they take back what was theirs, and from time to time. Samples that nobody came back to are dropped.
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
	if err := s.dropOldSamples(ctx); err != nil {
		return err
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
	return s.dropEnded(ctx)
}

// dropEnded has the vault drop what was declined or has failed, once for each in this process: whoever ended it may have
// stopped before saying so, and its key would stay. Dropping twice is no error.
func (s *Service) dropEnded(ctx context.Context) error {
	for _, st := range []State{Declined, Failed} {
		ended, err := s.Store.InState(ctx, st)
		if err != nil {
			return err
		}
		for _, im := range ended {
			if _, done := s.dropped.Load(im.ID); done {
				continue
			}
			var no *vaultclient.Error
			if err := s.Vault.Discard(ctx, vaultclient.Auth{}, im.ID); err != nil && !(errors.As(err, &no) && no.Code == vaultclient.Conflict) { // else it is none of the vault's to drop
				return err
			}
			s.dropped.Store(im.ID, true)
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
	case errors.Is(err, ErrNotFound) && im.Kind == KindEvaluation: // it has no file
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

package register

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// An investigation is never changed. What is found, and that it is closed or opened again, is written in rows of the same
// table beside it, which only their opened text tells from investigations: their number then says how much is
// investigated and written, not how many doses were high. The tag of a note is over its investigation and its number
// among the notes, so that two people who write at once do not both write the third.

// Investigation is opened when a level or a limit is passed.
type Investigation struct {
	Wearer       id.Wearer    `json:"wearer"` // stands before the JSON, too
	Kind         dose.Kind    `json:"kind"`
	Window       dose.Window  `json:"window"`
	Year         int          `json:"year"`
	Dose         dose.MicroSv `json:"dose"`  // µSv, when it was opened
	Bound        dose.MicroSv `json:"bound"` // µSv
	Overexposure bool         `json:"overexposure,omitempty"`
	Name         string       `json:"name"` // of the level, or regulation and paragraph of the limit
	On           day.Day      `json:"on"`
	Opened       int64        `json:"opened"` // µs
	Closed       int64        `json:"closed,omitempty"`
	Reason       string       `json:"reason,omitempty"`

	ID    id.Row              `json:"-"`
	Notes []InvestigationNote `json:"-"` // in order
}

// InvestigationNote is what somebody wrote about an investigation, with what became of it.
type InvestigationNote struct {
	Of    id.Row `json:"of"`
	Seq   int    `json:"seq"` // from 1
	At    int64  `json:"at"`  // µs
	By    string `json:"by"`
	Text  string `json:"text"`
	Close bool   `json:"close,omitempty"`
	Open  bool   `json:"open,omitempty"` // again
}

// What a note does to an investigation.
const (
	NoteOnly  = ""
	NoteClose = "close"
	NoteOpen  = "open"
)

// MaxNote is how long a note may be, in bytes.
const MaxNote = 1500

// Investigations returns an organisation's investigations with what was written about them, newest first.
func (s *Service) Investigations(ctx context.Context, auth vaultclient.Auth, org id.Organisation) ([]Investigation, error) {
	rows, err := s.Store.Investigations(ctx, org)
	if err != nil {
		return nil, err
	}
	return s.openInvestigationRows(ctx, auth, rows)
}

// openInvestigationRows opens rows of investigations and of notes; the notes are put to their investigations.
func (s *Service) openInvestigationRows(ctx context.Context, auth vaultclient.Auth, rows []InvestigationRow) ([]Investigation, error) {
	opened, err := s.open(ctx, auth, policy.AssessDose, "investigations", investigationItems(rows))
	if err != nil {
		return nil, err
	}
	return decodeInvestigations(rows, opened)
}

func investigationItems(rows []InvestigationRow) []vaultclient.Item {
	items := make([]vaultclient.Item, len(rows))
	for i := range rows {
		items[i] = vaultclient.Item{Context: rows[i].context(), Value: rows[i].Sealed}
	}
	return items
}

// decodeInvestigations reads what rows opened to, newest first.
func decodeInvestigations(rows []InvestigationRow, opened [][]byte) ([]Investigation, error) {
	var out []Investigation
	notes := map[id.Row][]InvestigationNote{}
	for i, b := range opened {
		if len(b) == 0 {
			continue // another wearer's, which stayed closed
		}
		w, b, err := cutWearer(b)
		if err != nil {
			return nil, err
		}
		var n InvestigationNote
		if err := decode(b, &n); err != nil {
			return nil, err
		}
		if !n.Of.IsZero() {
			notes[n.Of] = append(notes[n.Of], n)
			continue
		}
		v := Investigation{ID: rows[i].ID}
		if err := decode(b, &v); err != nil {
			return nil, err
		}
		if v.Wearer != w {
			return nil, errBlob
		}
		out = append(out, v)
	}
	for i := range out {
		v := &out[i]
		v.Notes = notes[v.ID]
		slices.SortFunc(v.Notes, func(a, b InvestigationNote) int { return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.At, b.At)) })
		for _, n := range v.Notes {
			switch {
			case n.Close:
				v.Closed, v.Reason = n.At, n.Text
			case n.Open:
				v.Closed, v.Reason = 0, ""
			}
		}
	}
	slices.SortFunc(out, func(a, b Investigation) int {
		return cmp.Or(int(b.On)-int(a.On), slices.Compare(a.ID[:], b.ID[:]))
	})
	return out, nil
}

// OpenInvestigations counts what is open, for each of those organisations that the caller works with and that have, or had, investigations. Those
// are opened for it, with an entry in each one's ledger.
func (s *Service) OpenInvestigations(ctx context.Context, auth vaultclient.Auth) (map[id.Organisation]int, error) {
	orgs, err := s.Vault.Organisations(ctx, auth)
	if err != nil {
		return nil, err
	}
	var all []InvestigationRow
	of := map[id.Row]id.Organisation{}
	open := map[id.Organisation]int{}
	for _, o := range orgs {
		rows, err := s.Store.Investigations(ctx, o.ID)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			of[r.ID], open[o.ID] = o.ID, 0
		}
		all = append(all, rows...)
	}
	found, err := s.openInvestigationRows(ctx, auth, all)
	if err != nil {
		return nil, err
	}
	for _, v := range found {
		if v.Closed == 0 {
			open[of[v.ID]]++
		}
	}
	return open, nil
}

// errMeanwhile says that somebody else wrote about an investigation meanwhile.
var errMeanwhile = &vaultclient.Error{Code: vaultclient.Conflict, Message: "somebody else wrote about this investigation meanwhile: look at it again"}

// Note writes about an investigation, and closes it or opens it again where what says so. Closing and opening again
// need a reason. ErrNotFound: the organisation has no such investigation.
func (s *Service) Note(ctx context.Context, auth vaultclient.Auth, org id.Organisation, of id.Row, what, text string) error {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return wrong("write what was found, or why")
	case len(text) > MaxNote || !utf8.ValidString(text):
		return wrong("a note has at most %d characters", MaxNote)
	}
	all, err := s.Investigations(ctx, auth, org)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(v Investigation) bool { return v.ID == of })
	if i < 0 {
		return ErrNotFound
	}
	v := all[i]
	if what == NoteClose && v.Closed != 0 || what == NoteOpen && v.Closed == 0 {
		return errMeanwhile
	}
	user, err := s.Vault.Whoami(ctx, auth)
	if err != nil {
		return err
	}
	n := InvestigationNote{Of: of, Seq: len(v.Notes) + 1, At: s.Now().UnixMicro(), By: user.Name, Text: text, Close: what == NoteClose, Open: what == NoteOpen}
	return s.storeNote(ctx, auth, org, v.Wearer, n)
}

// storeNote stores a note as an import of its own, so that its entry in the ledger vouches for it.
func (s *Service) storeNote(ctx context.Context, auth vaultclient.Auth, org id.Organisation, w id.Wearer, n InvestigationNote) error {
	b, err := encodeNamed(w, n)
	if err != nil {
		return err
	}
	if len(b) > investigationPad-4 {
		return wrong("this note is longer than fits: write it shorter, or as two")
	}
	tags, err := s.Vault.Tags(ctx, auth, policy.AssessDose, []vaultclient.TagItem{{Wearer: w, Label: fmt.Sprintf("note/%s/%d", n.Of, n.Seq)}})
	if err != nil {
		return fmt.Errorf("naming a note: %w", err)
	}
	im := ImportRow{ID: id.New[id.Import](), Kind: KindNote, State: Importing, Owner: s.Owner, Node: s.Node, Created: s.Now(), Counts: Counts{In: 1, Stored: 1}}
	row := InvestigationRow{ID: id.New[id.Row](), Organisation: org, Tag: tags[0], Import: im.ID}
	sealed, err := s.seal(ctx, auth, policy.AssessDose, []vaultclient.Item{{Context: row.context(), Value: b, Pad: investigationPad}})
	if err != nil {
		return err
	}
	row.Sealed = sealed[0]
	if err := s.Vault.Intake(ctx, auth, vaultclient.Intake{Import: im.ID, Source: KindNote, Rows: 1}); err != nil {
		return fmt.Errorf("entering the note: %w", err)
	}
	if err := s.Store.CreateImport(ctx, im, nil); err != nil {
		return err
	}
	err = s.finish(ctx, auth, im, Importing, &Rows{Investigations: []InvestigationRow{row}})
	if now, look := s.Store.Import(ctx, im.ID); err != nil && look == nil && now.State == Importing {
		im.State, im.Failure = Failed, "it was not stored"
		if move := s.Store.Move(ctx, Importing, im); move != nil {
			return errors.Join(err, move)
		}
		if errors.Is(err, ErrExists) {
			return errMeanwhile
		}
	}
	return err
}

package register_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// TestNotesOnAnInvestigation: it is written about, closed and opened again; nothing of it is changed for that, the
// what is open is counted by organisation, and nobody writes but who may.
func TestNotesOnAnInvestigation(t *testing.T) {
	h := newHouse(t)
	w := h.takeOn(h.joiner(h.org))[0]
	b := h.badge(h.org, w, time.January)
	h.dispatch(b)
	h.imported(file(line{Dispatched: b, deep: "16.00"}))
	all := func() []register.Investigation {
		t.Helper()
		vs, err := h.web.Investigations(t.Context(), h.auth, h.org)
		h.ok(err)
		return vs
	}
	open := func() (n int) {
		t.Helper()
		counts, err := h.web.OpenInvestigations(t.Context(), h.auth)
		h.ok(err)
		if n, ok := counts[h.org]; !ok || len(counts) != 1 {
			t.Errorf("%d of %v", n, counts)
		}
		return counts[h.org]
	}
	first := all()
	if len(first) == 0 || first[0].Wearer != w || open() != len(first) {
		t.Fatalf("%d investigations, %d open", len(first), open())
	}
	v := first[0]
	stored, err := h.store.Investigations(t.Context(), h.org)
	h.ok(err)
	note := func(what, text string) error { return h.web.Note(t.Context(), h.auth, h.org, v.ID, what, text) }
	h.ok(note(register.NoteOnly, " The badge lay in the beam.\nAsked the supervisor. "))
	h.ok(note(register.NoteClose, "No dose to the person."))
	got := all()[0]
	if len(got.Notes) != 2 || got.Notes[0].Text != "The badge lay in the beam.\nAsked the supervisor." || got.Notes[0].By != "Mair Evans" || got.Closed == 0 || got.Reason != "No dose to the person." ||
		got.Dose != v.Dose || got.Opened != v.Opened {
		t.Errorf("closed: %+v", got)
	}
	if n := open(); n != len(first)-1 {
		t.Errorf("%d are open after one of %d was closed", n, len(first))
	}
	var conflict *vc.Error
	if err := note(register.NoteClose, "again"); !errors.As(err, &conflict) || conflict.Code != vc.Conflict {
		t.Errorf("closed twice: %v", err)
	}
	h.ok(note(register.NoteOpen, "The film badge says otherwise."))
	if got := all()[0]; got.Closed != 0 || len(got.Notes) != 3 || open() != len(first) {
		t.Errorf("open again: %+v", got)
	}
	for what, text := range map[string]string{"nothing": " ", "too much": strings.Repeat("x", register.MaxNote+1), "no text": "\xff", "too much once sealed": strings.Repeat("\x01", register.MaxNote)} {
		if err := note(register.NoteOnly, text); err == nil {
			t.Errorf("%s was written", what)
		} else if _, ok := errors.AsType[*register.InputError](err); !ok {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := h.web.Note(t.Context(), h.auth, h.org, id.New[id.Row](), "", "x"); !errors.Is(err, register.ErrNotFound) {
		t.Errorf("about none: %v", err)
	}
	supervisor := h.signIn(vc.NewUser{Name: "Owain Rees", Role: policy.Supervisor, Organisations: []id.Organisation{h.org}})
	if err := h.web.Note(t.Context(), supervisor, h.org, v.ID, register.NoteClose, "x"); !denied(err) {
		t.Errorf("a supervisor closes it: %v", err)
	}
	// What was stored before stands as it was; each note has one length, one place, and an entry that vouches for it.
	rows, err := h.store.Investigations(t.Context(), h.org)
	h.ok(err)
	for _, was := range stored {
		for _, r := range rows {
			if r.ID == was.ID && string(r.Sealed) != string(was.Sealed) {
				t.Error("an investigation was changed")
			}
		}
	}
	if len(rows) != len(stored)+3 || len(rows[0].Sealed) != len(rows[len(rows)-1].Sealed) {
		t.Errorf("%d rows of %d and %d bytes", len(rows), len(rows[0].Sealed), len(rows[len(rows)-1].Sealed))
	}
	for _, r := range rows {
		im, err := h.store.ImportRows(t.Context(), r.Import)
		h.ok(err)
		if m := register.Manifests("", im); len(m) != 1 || m[0].Rows == 0 {
			t.Errorf("manifests of its import: %v", m)
		}
	}
}

// TestAnOverviewOpensNothing: whoever looks at the overview, however often, has read nothing, and nothing is entered; that an organisation
// has, or had, investigations is plain. Whoever reads one has read its wearer's dose, and the entry says whose; a look at somebody else reads none.
func TestAnOverviewOpensNothing(t *testing.T) {
	h := newHouse(t)
	ws := h.takeOn(h.joiner(h.org), h.joiner(h.org))
	w, other := ws[0], ws[1]
	b := h.badge(h.org, w, time.January)
	h.dispatch(b)
	h.imported(file(line{Dispatched: b, deep: "16.00"}))
	found, err := h.web.Investigations(t.Context(), h.auth, h.org)
	h.ok(err)
	h.ok(h.web.Note(t.Context(), h.auth, h.org, found[0].ID, register.NoteClose, "No dose to the person."))
	supervisor := h.user(policy.Supervisor, h.org)
	// named counts the supervisor's reveals of a dose that name whose investigation it is.
	named := func() (n int) {
		t.Helper()
		page, err := h.v.Ledger(t.Context(), vault.Caller{Node: "web", Auth: h.auth}, vc.LedgerRequest{Organisation: h.org, Wearer: w, Limit: 1000})
		h.ok(err)
		for _, e := range page.Entries {
			if e.Kind == "reveal" && e.Role == string(policy.Supervisor) && e.Fields&policy.FieldDose != 0 {
				n++
			}
		}
		return n
	}
	before := h.entries(h.org, "reveal")
	for _, who := range []vc.Auth{h.auth, supervisor} {
		states, imports, err := h.web.Overview(t.Context(), who)
		h.ok(err)
		if len(states) != 1 || states[0].Investigations == 0 || slices.ContainsFunc(imports, func(im register.ImportRow) bool { return im.Kind == register.KindNote }) {
			t.Errorf("the overview is %+v, %+v", states, imports)
		}
	}
	if n := h.entries(h.org, "reveal") - before; n != 0 {
		t.Errorf("two overviews entered %d reveals", n)
	}
	if _, err := h.web.WearerRecord(t.Context(), supervisor, other, 0); err != nil || h.entries(h.org, "reveal")-before != 2 {
		t.Errorf("%d entries: %v", h.entries(h.org, "reveal")-before, err)
	}
	if n := named(); n != 0 {
		t.Errorf("a look at somebody else entered %d times whose investigation there is", n)
	}
	if rec, err := h.web.WearerRecord(t.Context(), supervisor, w, 0); err != nil || len(rec.Investigations) != len(found) || named() != 1 {
		t.Errorf("%+v, %v; entered %d times", rec, err, named())
	}
	before = h.entries(h.org, "reveal")
	if counts, err := h.web.OpenInvestigations(t.Context(), supervisor); err != nil || counts[h.org] != len(found)-1 {
		t.Errorf("%v: %v", counts, err)
	}
	if n := h.entries(h.org, "reveal") - before; n != 1 || named() != 2 {
		t.Errorf("counting what is open entered %d reveals, want 1; it names the wearer %d times, want 2", n, named())
	}
}

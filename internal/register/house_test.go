package register_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// now is the clock of all tests.
var now = time.Date(2026, time.October, 31, 9, 0, 0, 0, time.UTC)

// house is a real vault and a real register, both on SQLite, with a co-ordinator signed in on the web node.
type house struct {
	*testing.T
	v           *vault.Vault
	keys        vault.KeyDir
	store       register.Store
	auth        vc.Auth
	web, worker *register.Service
	org         id.Organisation
	ledgers     map[id.Organisation]*counted
	made        int // people and badges so far
}

func newHouse(t *testing.T) *house {
	t.Helper()
	t.Parallel() // most of the time goes into making ledgers durable
	dir, keys := t.TempDir(), vault.KeyDir(filepath.Join(t.TempDir(), "keys"))
	clock := func() time.Time { return now }
	h := &house{T: t, keys: keys, ledgers: map[id.Organisation]*counted{}}
	h.ok(keys.Create([]string{"web", "worker"}, now))
	vs, err := sqlite.OpenVault(t.Context(), filepath.Join(dir, "vault.db"))
	h.ok(err)
	h.v, err = vault.Open(t.Context(), vault.Config{Store: vs, Keys: keys, Now: clock, Log: slog.New(slog.DiscardHandler)})
	h.ok(err)
	t.Cleanup(func() { h.v.Close() })
	rs, err := sqlite.OpenRegister(t.Context(), filepath.Join(dir, "register.db"))
	h.ok(err)
	t.Cleanup(func() { rs.Close() })
	h.store = rs
	link, err := h.v.FirstUser(t.Context(), "Mair Evans")
	h.ok(err)
	h.ok(h.v.SingleAdministrator(t.Context(), 0)) // who approves is tested elsewhere
	session, err := h.v.RedeemLink(t.Context(), vault.Caller{Node: "web"}, link)
	h.ok(err)
	h.auth = vc.Auth{Session: session.Token}
	h.web, h.worker = h.service("web", nil), h.service("worker", nil)
	h.org = h.organisation("Bwrdd Iechyd Llŷn", "700123")
	return h
}

// owner is whose the imports of all nodes are: so a worker takes back at once what any of them leaves.
var owner = id.New[id.Owner]()

// service returns a service on a node. With a fuse, it is cut off from both databases once that has burnt.
func (h *house) service(node string, f *fuse) *register.Service {
	if f == nil {
		f = &fuse{at: -1}
	}
	return register.New(register.Config{Store: fusedStore{h.store, f}, Vault: fusedVault{h.v, node, f}, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Node: node, Owner: owner})
}

func (h *house) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) organisation(name, account string, levels ...dose.Level) id.Organisation {
	h.Helper()
	ids, err := h.v.CreateOrganisations(h.Context(), vault.Caller{Node: "web", Auth: h.auth}, []vc.Organisation{{Name: name, Kind: vc.HealthBoard}})
	h.ok(err)
	h.ok(h.web.SetSettings(h.Context(), h.auth, ids[0], register.Settings{Accounts: []string{account}, Levels: levels}))
	return ids[0]
}

// joiner makes somebody new of the organisation.
func (h *house) joiner(org id.Organisation) register.Joiner {
	h.made++
	return register.Joiner{Organisation: org, From: day.Of(2019, 1, 1), Employment: register.Employment{Department: "Cathlab", JobTitle: "Radiographer"},
		Identity: person.Identity{Surname: person.NewValue("Ŵyn-Jones"), Forenames: person.NewValue("Siân"), StaffNumber: person.NewValue(fmt.Sprintf("S%04d", h.made)),
			Birth: person.NewValue("1985-03-01"), Sex: person.NewValue("F")}}
}

func (h *house) takeOn(js ...register.Joiner) []id.Wearer {
	h.Helper()
	taken, err := h.web.TakeOn(h.Context(), h.auth, js, nil, "HR")
	h.ok(err)
	return taken.Wearers
}

// badge is a badge that a wearer of the organisation wore in a month of 2026.
func (h *house) badge(org id.Organisation, w id.Wearer, month time.Month) register.Dispatched {
	h.made++
	return register.Dispatched{Barcode: fmt.Sprintf("B%05d", h.made), Batch: "B1", State: register.Issued, Organisation: org, Wearer: w, Position: dose.WholeBody,
		From: day.Of(2026, month, 1), To: day.Of(2026, month+1, 1) - 1}
}

func (h *house) dispatch(ds ...register.Dispatched) {
	h.Helper()
	_, err := h.web.Dispatch(h.Context(), h.auth, ds, "Cardiff Dosimetry")
	h.ok(err)
}

// line is a row of a DoseReport about a badge, with what the test changes of it.
type line struct {
	register.Dispatched
	account, name, deep, scan, use, note string
	version                              int
}

func (l line) cells() []string {
	or := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	use := map[dose.Position]string{dose.WholeBody: "CHEST", dose.Eye: "LENS", dose.RightFinger: "RFINGER", dose.LeftFinger: "LFINGER", dose.Foetal: "FETAL", dose.Control: "CONTROL"}[l.Position]
	c := make([]string, len(labfile.Landauer().Headings()))
	c[0], c[1], c[2], c[3] = or(l.account, "700123"), "Ysbyty", "RAD", "41"
	c[4] = or(l.scan, (l.To + 20).String())
	c[5] = c[4]
	c[6], c[9], c[11], c[12] = "00001", or(l.name, "WYN-JONES SIAN"), "Luxel+ Pa", or(l.use, use)
	c[14], c[15] = l.From.String(), l.To.String()
	switch deep := or(l.deep, "M"); {
	case c[12] == "CONTROL":
		c[6], c[9] = "00DRS-1", "CONTROL"
	case deep == "-":
	case c[12] == "CHEST":
		c[16], c[17], c[18] = deep, deep, deep
	case c[12] == "LENS":
		c[16], c[17], c[18] = "M", deep, deep
	case c[12] == "FETAL":
		c[16], c[17], c[18] = deep, "M", "M"
	default:
		c[18] = deep
	}
	c[29], c[30], c[31], c[32] = "2019/04", l.Barcode, fmt.Sprint(l.version), l.note
	return c
}

// file makes a DoseReport of lines; a line without barcode is a blank row.
func file(lines ...line) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	head := labfile.Landauer().Headings()
	w.Write(head)
	for _, l := range lines {
		if l.Barcode == "" {
			w.Write(make([]string, len(head)))
			continue
		}
		w.Write(l.cells())
	}
	w.Flush()
	return b.Bytes()
}

// work claims and does one step, as a worker does, and reports whether there was any.
func work(ctx context.Context, s *register.Service) (bool, error) {
	for from, to := range map[register.State]register.State{register.Received: register.Previewing, register.Confirmed: register.Importing} {
		im, err := s.Claim(ctx, from, to)
		if errors.Is(err, register.ErrNotFound) {
			continue
		}
		if err != nil {
			return false, err
		}
		return true, s.WorkOn(ctx, im)
	}
	return false, nil
}

// preview receives a file and previews it.
func (h *house) preview(b []byte) (register.ImportRow, *register.Preview) {
	h.Helper()
	n, err := h.web.Receive(h.Context(), h.auth, b, "Cardiff Dosimetry")
	h.ok(err)
	did, err := work(h.Context(), h.worker)
	h.ok(err)
	if !did {
		h.Fatal("there was nothing to preview")
	}
	im, p, err := h.web.PreviewOf(h.Context(), h.auth, n)
	h.ok(err)
	return im, p
}

// imported previews, accepts and imports a file.
func (h *house) imported(b []byte) (register.ImportRow, *register.Preview) {
	h.Helper()
	im, p := h.preview(b)
	if p == nil {
		h.Fatalf("no preview: %s", im.Failure)
	}
	h.accept(im.ID)
	_, err := work(h.Context(), h.worker)
	h.ok(err)
	im, err = h.store.Import(h.Context(), im.ID)
	h.ok(err)
	return im, p
}

func (h *house) record(w id.Wearer) *register.WearerRecord {
	h.Helper()
	rec, err := h.web.WearerRecord(h.Context(), h.auth, w, 0)
	h.ok(err)
	return rec
}

func total(rec *register.WearerRecord, k dose.Kind, year int) (m dose.MicroSv, counted int) {
	for _, t := range rec.Assessment.Totals {
		if t.Kind == k && t.Year == year {
			return t.Dose, t.Counted
		}
	}
	return 0, 0
}

// texts lists notes as "row column: text".
func texts(ns []register.RowNote) string {
	var s []string
	for _, n := range ns {
		s = append(s, fmt.Sprintf("%d %s: %s", n.Row, n.Column, n.Text))
	}
	return strings.Join(s, "\n")
}

// counted is what has been read of an organisation's ledger.
type counted struct {
	seen map[string]bool
	kind map[string]int
}

// entries counts an organisation's ledger entries of a kind. It reads from the newest to those that it knows. Reading a
// ledger is entered too, so that pages shift while they are read.
func (h *house) entries(org id.Organisation, kind string) int {
	h.Helper()
	c := h.ledgers[org]
	if c == nil {
		c = &counted{map[string]bool{}, map[string]int{}}
		h.ledgers[org] = c
	}
	for at, known := 0, false; !known; {
		page, err := h.v.Ledger(h.Context(), vault.Caller{Node: "web", Auth: h.auth}, vc.LedgerRequest{Organisation: org, Offset: at, Limit: 100})
		h.ok(err)
		before := len(c.seen)
		for _, e := range page.Entries {
			if place := fmt.Sprint(e.Log, " ", e.Seq); !c.seen[place] {
				c.seen[place] = true
				c.kind[e.Kind]++
			}
		}
		at += len(page.Entries)
		known = len(c.seen) < before+len(page.Entries)-1 || len(page.Entries) == 0 || at >= page.Total
	}
	return c.kind[kind]
}

// fuse cuts a service off from both databases after a number of steps, as a crash does: before a call, or after it
// was done but before its answer arrived. The same step never comes twice.
type fuse struct {
	mu    sync.Mutex // one use case may do two things at once
	at, n int        // -1: never
	once  bool       // only that one step fails, and the service goes on as it sees fit
	where string
}

var errCut = errors.New("cut off")

func (f *fuse) step(what string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	if f.n == f.at {
		f.where = what
	}
	return f.n == f.at || f.at >= 0 && f.n > f.at && !f.once
}

func (f *fuse) burnt() bool { return f.where != "" }

func fused[T any](f *fuse, name string, call func() (T, error)) (T, error) {
	var zero T
	if f.step("before " + name) {
		return zero, errCut
	}
	v, err := call()
	if f.step("after " + name) {
		return zero, errCut
	}
	return v, err
}

func fusedErr(f *fuse, name string, call func() error) error {
	_, err := fused(f, name, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

// fusedVault is a vault as a node calls it.
type fusedVault struct {
	v    *vault.Vault
	node string
	f    *fuse
}

func (w fusedVault) as(a vc.Auth) vault.Caller { return vault.Caller{Node: w.node, Auth: a} }

func (w fusedVault) Whoami(ctx context.Context, a vc.Auth) (vc.User, error) {
	return fused(w.f, "whoami", func() (vc.User, error) { return w.v.Whoami(ctx, w.as(a)) })
}
func (w fusedVault) Organisations(ctx context.Context, a vc.Auth) ([]vc.Organisation, error) {
	return fused(w.f, "organisations", func() ([]vc.Organisation, error) { return w.v.Organisations(ctx, w.as(a)) })
}
func (w fusedVault) Reveal(ctx context.Context, a vc.Auth, r vc.RevealRequest) ([]vc.Record, error) {
	return fused(w.f, "revealing", func() ([]vc.Record, error) { return w.v.Reveal(ctx, w.as(a), r) })
}
func (w fusedVault) Weigh(ctx context.Context, a vc.Auth, n id.Import, ch []vc.Change) ([]vc.Weighed, error) {
	return fused(w.f, "weigh", func() ([]vc.Weighed, error) { return w.v.Weigh(ctx, w.as(a), n, ch) })
}
func (w fusedVault) FindStaff(ctx context.Context, a vc.Auth, p policy.Purpose, keys []vc.StaffKey) ([]id.Wearer, error) {
	return fused(w.f, "looking for staff numbers", func() ([]id.Wearer, error) { return w.v.FindStaff(ctx, w.as(a), p, keys) })
}
func (w fusedVault) Stage(ctx context.Context, a vc.Auth, n id.Import, ch []vc.Change) ([]vc.Staged, error) {
	return fused(w.f, "stage", func() ([]vc.Staged, error) { return w.v.Stage(ctx, w.as(a), n, ch) })
}
func (w fusedVault) Confirm(ctx context.Context, a vc.Auth, n id.Import, ms []vc.Manifest) error {
	return fusedErr(w.f, "confirm", func() error { return w.v.Confirm(ctx, w.as(a), n, ms) })
}
func (w fusedVault) Discard(ctx context.Context, a vc.Auth, n id.Import) error {
	return fusedErr(w.f, "discard", func() error { return w.v.Discard(ctx, w.as(a), n) })
}
func (w fusedVault) Pending(ctx context.Context) ([]id.Import, error) {
	return fused(w.f, "pending", func() ([]id.Import, error) { return w.v.Pending(ctx, w.as(vc.Auth{})) })
}
func (w fusedVault) StandingGrants(ctx context.Context) ([]vc.StandingGrant, error) {
	return fused(w.f, "standing grants", func() ([]vc.StandingGrant, error) { return w.v.StandingGrants(ctx, w.as(vc.Auth{})) })
}
func (w fusedVault) Compare(ctx context.Context, a vc.Auth, p policy.Purpose, items []vc.Comparison) ([]vc.Verdict, error) {
	return fused(w.f, "compare", func() ([]vc.Verdict, error) { return w.v.Compare(ctx, w.as(a), p, items) })
}
func (w fusedVault) Linked(ctx context.Context, a vc.Auth, p policy.Purpose, ws []id.Wearer) ([][]vc.LinkedWearer, error) {
	return fused(w.f, "linked", func() ([][]vc.LinkedWearer, error) { return w.v.Linked(ctx, w.as(a), p, ws) })
}
func (w fusedVault) Tags(ctx context.Context, a vc.Auth, p policy.Purpose, items []vc.TagItem) ([][]byte, error) {
	return fused(w.f, "tags", func() ([][]byte, error) { return w.v.Tags(ctx, w.as(a), p, items) })
}
func (w fusedVault) Seal(ctx context.Context, a vc.Auth, p policy.Purpose, items []vc.Item) ([][]byte, error) {
	return fused(w.f, "seal", func() ([][]byte, error) { return w.v.Seal(ctx, w.as(a), p, items) })
}
func (w fusedVault) Reseal(ctx context.Context, a vc.Auth, p policy.Purpose, items, to []vc.Item) ([][]byte, error) {
	return fused(w.f, "reseal", func() ([][]byte, error) { return w.v.Reseal(ctx, w.as(a), p, items, to) })
}
func (w fusedVault) Open(ctx context.Context, a vc.Auth, r vc.OpenRequest) ([][]byte, error) {
	return fused(w.f, "open", func() ([][]byte, error) { return w.v.Open(ctx, w.as(a), r) })
}
func (w fusedVault) Look(ctx context.Context, a vc.Auth, r vc.LookRequest) (vc.Look, error) {
	return fused(w.f, "look", func() (vc.Look, error) { return w.v.Look(ctx, w.as(a), r) })
}
func (w fusedVault) Intake(ctx context.Context, a vc.Auth, in vc.Intake) error {
	return fusedErr(w.f, "intake", func() error { return w.v.Intake(ctx, w.as(a), in) })
}
func (w fusedVault) GrantJob(ctx context.Context, a vc.Auth, j vc.JobGrant) (id.Grant, error) {
	return fused(w.f, "grant", func() (id.Grant, error) { return w.v.GrantJob(ctx, w.as(a), j) })
}

// fusedStore is a store whose calls can be cut off; those that are not here are not used by what is tested so.
type fusedStore struct {
	register.Store
	f *fuse
}

func (s fusedStore) Organisations(ctx context.Context) (map[id.Organisation][]byte, error) {
	return fused(s.f, "reading settings", func() (map[id.Organisation][]byte, error) { return s.Store.Organisations(ctx) })
}
func (s fusedStore) CreateImport(ctx context.Context, im register.ImportRow, docs map[string][][]byte) error {
	return fusedErr(s.f, "creating the import", func() error { return s.Store.CreateImport(ctx, im, docs) })
}
func (s fusedStore) Import(ctx context.Context, n id.Import) (register.ImportRow, error) {
	return fused(s.f, "reading the import", func() (register.ImportRow, error) { return s.Store.Import(ctx, n) })
}
func (s fusedStore) ImportOf(ctx context.Context, sum []byte) (register.ImportRow, error) {
	return fused(s.f, "looking for the file", func() (register.ImportRow, error) { return s.Store.ImportOf(ctx, sum) })
}
func (s fusedStore) Move(ctx context.Context, from register.State, im register.ImportRow) error {
	return fusedErr(s.f, "moving to "+string(im.State), func() error { return s.Store.Move(ctx, from, im) })
}
func (s fusedStore) Claim(ctx context.Context, from, to register.State, by register.Hold) (register.ImportRow, error) {
	return fused(s.f, "claiming", func() (register.ImportRow, error) { return s.Store.Claim(ctx, from, to, by) })
}
func (s fusedStore) ClaimOne(ctx context.Context, n id.Import, from, to register.State, by register.Hold) (register.ImportRow, error) {
	return fused(s.f, "claiming one", func() (register.ImportRow, error) { return s.Store.ClaimOne(ctx, n, from, to, by) })
}
func (s fusedStore) SetDocument(ctx context.Context, n id.Import, name string, parts [][]byte) error {
	return fusedErr(s.f, "keeping a document", func() error { return s.Store.SetDocument(ctx, n, name, parts) })
}
func (s fusedStore) Document(ctx context.Context, n id.Import, name string) ([][]byte, error) {
	return fused(s.f, "reading a document", func() ([][]byte, error) { return s.Store.Document(ctx, n, name) })
}
func (s fusedStore) Commit(ctx context.Context, from register.State, im register.ImportRow, parts iter.Seq2[*register.Rows, error]) error {
	return fusedErr(s.f, "committing", func() error { return s.Store.Commit(ctx, from, im, parts) })
}
func (s fusedStore) Periods(ctx context.Context, barcodes []string) ([]register.Result, error) {
	return fused(s.f, "looking for barcodes", func() ([]register.Result, error) { return s.Store.Periods(ctx, barcodes) })
}
func (s fusedStore) Worn(ctx context.Context, ws []id.Wearer) ([]register.Result, error) {
	return fused(s.f, "reading a wearer's badges", func() ([]register.Result, error) { return s.Store.Worn(ctx, ws) })
}
func (s fusedStore) Results(ctx context.Context, ws []id.Wearer, since day.Day) ([]register.Result, error) {
	return fused(s.f, "reading results", func() ([]register.Result, error) { return s.Store.Results(ctx, ws, since) })
}
func (s fusedStore) Wearers(ctx context.Context, ws []id.Wearer) ([]register.WearerRow, error) {
	return fused(s.f, "reading wearers", func() ([]register.WearerRow, error) { return s.Store.Wearers(ctx, ws) })
}
func (s fusedStore) HasTags(ctx context.Context, tags [][]byte) ([]bool, error) {
	return fused(s.f, "looking for tags", func() ([]bool, error) { return s.Store.HasTags(ctx, tags) })
}

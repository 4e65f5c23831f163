package vault_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// house is a vault on a real database behind its real wire, with a co-ordinator signed in.
type house struct {
	t      testing.TB
	dir    string
	keys   vault.KeyDir
	v      *vault.Vault
	server *vault.Server
	served chan error
	nodes  map[string]*vc.Client
	root   vc.Auth // the co-ordinator, on the node cli
	clock  func() time.Time
	users  map[string]id.User // whom signIn signed in, by name
	demo   bool               // nobody has a passkey
	opened atomic.Bool        // once
}

// now is the vault's clock. Its first start lies a little back, since a vault that has just started takes no signatures of machines
// that may have been seen before.
func (h *house) now() time.Time {
	if !h.opened.Load() {
		return h.clock().Add(-5 * time.Second)
	}
	return h.clock()
}

func newHouse(t testing.TB) *house {
	t.Helper()
	return newHouseAt(t, time.Now)
}

// newHouseAt is a house with another clock.
func newHouseAt(t testing.TB, clock func() time.Time) *house {
	t.Helper()
	h := &house{t: t, clock: clock, users: map[string]id.User{}, dir: t.TempDir(), keys: vault.KeyDir(filepath.Join(t.TempDir(), "keys"))}
	if err := h.keys.Create([]string{"web", "worker", "cli"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	h.start()
	t.Cleanup(h.stop)
	link, err := h.v.FirstUser(t.Context(), "Mair Evans")
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.nodes["cli"].RedeemLink(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	h.root = vc.Auth{Session: s.Token}
	// Most tests are about something else than who approves.
	if err := h.v.SingleAdministrator(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) start() {
	h.t.Helper()
	store, err := sqlite.OpenVault(h.t.Context(), filepath.Join(h.dir, "vault.db"))
	if err != nil {
		h.t.Fatal(err)
	}
	h.v, err = vault.Open(h.t.Context(), vault.Config{Store: store, Keys: h.keys, Now: h.now, Log: slog.New(slog.DiscardHandler), Origin: vaultOrigin, Demo: h.demo})
	if err != nil {
		h.t.Fatal(err)
	}
	h.opened.Store(true)
	if h.server, err = vault.NewServer(h.v, h.keys); err != nil {
		h.t.Fatal(err)
	}
	sock := filepath.Join(h.dir, "s")
	os.Remove(sock)
	l, err := net.Listen("unix", sock)
	if err != nil {
		h.t.Fatal(err)
	}
	h.served = make(chan error, 1)
	go func(s *vault.Server) { h.served <- s.Serve(l) }(h.server)
	h.nodes = map[string]*vc.Client{}
	for _, n := range []string{"web", "worker", "cli"} {
		conf, err := vc.NodeConfig(string(h.keys), n, "unix:"+sock)
		if err != nil {
			h.t.Fatal(err)
		}
		h.nodes[n] = vc.New(conf)
	}
}

func (h *house) stop() {
	for _, c := range h.nodes {
		c.Close()
	}
	if stopped(h.v) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := h.server.Shutdown(ctx); err != nil {
		h.t.Error(err)
	}
	if err := <-h.served; err != nil {
		h.t.Error(err)
	}
	if err := h.v.Close(); err != nil {
		h.t.Error(err)
	}
}

func stopped(v *vault.Vault) bool {
	select {
	case <-v.Stopped():
		return true
	default:
		return false
	}
}

func (h *house) signIn(node string, u vc.NewUser) vc.Auth {
	h.t.Helper()
	ids := must(h.nodes["cli"].CreateUsers(h.t.Context(), h.root, []vc.NewUser{u}))
	h.users[u.Name] = ids[0]
	return vc.Auth{Session: must(h.v.RedeemCode(h.t.Context(), vault.Caller{Node: node}, h.v.NewCode(ids[0], node))).Token}
}

func (h *house) organisation(name string) id.Organisation {
	h.t.Helper()
	return must(h.nodes["cli"].CreateOrganisations(h.t.Context(), h.root, []vc.Organisation{{Name: name, Kind: vc.HealthBoard}}))[0]
}

// join takes wearers on, each "Surname, Forenames, staff number[, NI]".
func (h *house) join(org id.Organisation, people ...string) []id.Wearer {
	h.t.Helper()
	var changes []vc.Change
	for _, p := range people {
		f := strings.Split(p, ", ")
		c := vc.Change{Organisation: org, From: "2020-01-01", Identity: person.Identity{Surname: person.NewValue(f[0]), Forenames: person.NewValue(f[1]),
			StaffNumber: person.NewValue(f[2]), Birth: person.NewValue("1980-02-03"), Sex: person.NewValue("F")},
			Contact: person.Contact{Email: person.NewValue(strings.ToLower(f[2]) + "@board.example")}}
		if len(f) > 3 {
			c.NI, c.Classified = person.NewValue(f[3]), true
		}
		changes = append(changes, c)
	}
	n := id.New[id.Import]()
	staged := must(h.nodes["cli"].Stage(h.t.Context(), h.root, n, changes))
	if err := h.nodes["cli"].Confirm(h.t.Context(), h.root, n, nil); err != nil {
		h.t.Fatal(err)
	}
	var ws []id.Wearer
	for _, s := range staged {
		ws = append(ws, s.Wearer)
	}
	return ws
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func code(err error) vc.Code {
	var e *vc.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestRevealIsEnteredAndSurvivesARestart(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("Bwrdd Iechyd Glyndŵr")
	ws := h.join(org, "Jones, Siân, A1", "Prys-Davies, Llŷr, A2, AB123456C", "O’Brien, Tomos, A3")
	web := h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator})

	for range 2 {
		recs, err := h.nodes["web"].Reveal(t.Context(), web, vc.RevealRequest{Purpose: policy.IssueBadges, Fields: policy.FieldName, Wearers: ws})
		if err != nil {
			t.Fatal(err)
		}
		if len(recs) != 3 || recs[1].Identity.Forenames.Expose() != "Llŷr" || !recs[0].Identity.Birth.IsZero() || !recs[0].Current {
			t.Fatalf("revealed %+v", recs)
		}
		page, err := h.nodes["web"].Ledger(t.Context(), web, vc.LedgerRequest{Organisation: org, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		// newest first: the reading of the ledger itself is entered with the installation's organisation
		i := slices.IndexFunc(page.Entries, func(e vc.Entry) bool { return e.Kind == "reveal" })
		if i < 0 {
			t.Fatalf("no reveal in %+v", page.Entries)
		}
		e := page.Entries[i]
		if e.Count != 3 || e.Actor != "Rhys Prosser" || e.Fields != policy.FieldName|policy.FieldEmployment || e.Purpose != policy.IssueBadges || e.Node != "web" {
			t.Fatalf("entry %+v", e)
		}
		h.stop()
		h.start()
	}
}

func TestPolicyRefusesAndRefusalsAreEntered(t *testing.T) {
	h := newHouse(t)
	a, b := h.organisation("A"), h.organisation("B")
	ours, theirs := h.join(a, "Jones, Siân, A1"), h.join(b, "Evans, Gwen, B1", "Rees, Ifan, B2, AB123456C")
	rps := h.signIn("web", vc.NewUser{Name: "S", Role: policy.Supervisor, Organisations: []id.Organisation{a}})
	web := h.nodes["web"]
	ctx := t.Context()

	if _, err := web.Reveal(ctx, rps, vc.RevealRequest{Purpose: policy.AssessDose, Fields: policy.FieldName, Wearers: ours}); err != nil {
		t.Errorf("own organisation: %v", err)
	}
	// The first refusal has an entry of its own; the others of its minute are summed up.
	if recs, err := web.Reveal(ctx, rps, vc.RevealRequest{Purpose: policy.AssessDose, Fields: policy.FieldName, Wearers: theirs[:1]}); code(err) != vc.Refused || recs != nil {
		t.Errorf("another organisation: got %v, %v", recs, err)
	}
	for what, ask := range map[string]vc.RevealRequest{
		"both":          {Purpose: policy.AssessDose, Fields: policy.FieldName, Wearers: append(slices.Clone(ours), theirs...)},
		"NI number":     {Purpose: policy.AssessDose, Fields: policy.FieldNI, Wearers: ours},
		"other purpose": {Purpose: policy.OwnRecord, Fields: policy.FieldName, Wearers: ours},
		"date of birth": {Purpose: policy.AssessDose, Fields: policy.FieldName | policy.FieldBirth, Wearers: ours},
	} {
		if recs, err := web.Reveal(ctx, rps, ask); code(err) != vc.Refused || recs != nil {
			t.Errorf("%s: got %v, %v", what, recs, err)
		}
	}
	if _, err := web.Search(ctx, rps, vc.SearchRequest{Purpose: policy.IssueBadges, Limit: 25}); code(err) != vc.Refused {
		t.Errorf("search over all organisations: %v", err)
	}
	if got := h.entries(b, "refuse"); len(got) != 1 || got[0].Count != 1 {
		t.Errorf("the first refusal stands in the other organisation's ledger as %+v", got)
	}
	// A session works on its own node only, and ends.
	if _, err := h.nodes["worker"].Whoami(ctx, rps); code(err) != vc.Unauthenticated {
		t.Errorf("on another node: %v", err)
	}
	if err := web.SignOut(ctx, rps); err != nil {
		t.Fatal(err)
	}
	if _, err := web.Reveal(ctx, rps, vc.RevealRequest{Purpose: policy.AssessDose, Fields: policy.FieldName, Wearers: ours}); code(err) != vc.Unauthenticated {
		t.Errorf("after signing out: %v", err)
	}
}

func TestSearch(t *testing.T) {
	h := newHouse(t)
	org, other := h.organisation("A"), h.organisation("B")
	h.join(org, "Jones, Siân Mair, A1", "Jones, Sian, A2", "Prys-Davies, Llŷr, A3", "O’Brien, Tomos, A4", "ap Rhys, Ŵyn, A5")
	h.join(other, "Jones, Siân, B1")
	for query, want := range map[string]string{
		"jones":       "Jones Sian,Jones Siân Mair",
		"SIAN jon":    "Jones Sian,Jones Siân Mair",
		"mair jones":  "Jones Siân Mair",
		"llyr":        "Prys-Davies Llŷr",
		"davies prys": "Prys-Davies Llŷr",
		"obrien":      "O’Brien Tomos",
		"wyn":         "ap Rhys Ŵyn",
		"jones jones": "",
		"a4":          "O’Brien Tomos",
		"zzz":         "",
		"":            "ap Rhys Ŵyn,Jones Sian,Jones Siân Mair,O’Brien Tomos,Prys-Davies Llŷr",
	} {
		res := must(h.nodes["cli"].Search(t.Context(), h.root, vc.SearchRequest{Purpose: policy.IssueBadges, Organisation: org, Query: person.NewValue(query), Limit: 10}))
		var got []string
		for _, r := range res.Records {
			got = append(got, r.Identity.Surname.Expose()+" "+r.Identity.Forenames.Expose())
		}
		if strings.Join(got, ",") != want || res.Total != len(got) {
			t.Errorf("%q found %v (of %d), want %s", query, got, res.Total, want)
		}
	}
	all := must(h.nodes["cli"].Search(t.Context(), h.root, vc.SearchRequest{Purpose: policy.IssueBadges, Query: person.NewValue("jones"), Offset: 2, Limit: 10}))
	if all.Total != 3 || len(all.Records) != 1 {
		t.Errorf("over all organisations: %d of %d", len(all.Records), all.Total)
	}
	// Only the page is revealed, not all that matched.
	x := must(h.nodes["cli"].Exposures(t.Context(), h.root, vc.ExposureRequest{From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour), List: true}))
	if x.Wearers != 5 {
		t.Errorf("%d wearers exposed, want the 5 that were on a page", x.Wearers)
	}
}

func TestNIsAreForClassifiedPeopleAndLinkPersons(t *testing.T) {
	h := newHouse(t)
	a, b := h.organisation("A"), h.organisation("B")
	n := id.New[id.Import]()
	if _, err := h.nodes["cli"].Stage(t.Context(), h.root, n, []vc.Change{{Organisation: a, NI: person.NewValue("AB123456C"),
		Identity: person.Identity{Surname: person.NewValue("X"), StaffNumber: person.NewValue("1")}}}); code(err) != vc.Invalid {
		t.Errorf("NI number of somebody not classified: %v", err)
	}
	one := h.join(a, "Rees, Ifan, A1, AB123456C")[0]
	two := h.join(b, "Rees, Ifan, B1, ab 12 34 56 c")[0]
	three := h.join(b, "Rees, Ifan, B2")[0]
	links := must(h.nodes["cli"].Linked(t.Context(), h.root, policy.AssessDose, []id.Wearer{one, three}))
	if len(links[0]) != 2 || links[0][1].Wearer != two || len(links[1]) != 1 {
		t.Errorf("links %v", links)
	}
	officer := h.signIn("web", vc.NewUser{Name: "R", Role: policy.RecordsOfficer})
	found := must(h.nodes["web"].FindNI(t.Context(), officer, policy.StatutoryReturn, person.NewValue("AB123456C")))
	if len(found) != 2 {
		t.Errorf("found %v", found)
	}
	if got := must(h.nodes["web"].FindNI(t.Context(), officer, policy.StatutoryReturn, person.NewValue("AB123456D"))); len(got) != 0 {
		t.Errorf("a miss found %v", got)
	}
	if _, err := h.nodes["cli"].FindNI(t.Context(), h.root, policy.KeepRecords, person.NewValue("AB123456C")); code(err) != vc.Refused {
		t.Errorf("the co-ordinator looked for an NI number: %v", err)
	}
}

func TestSealedValuesOpenOnlyInTheirPlace(t *testing.T) {
	h := newHouse(t)
	org, other := h.organisation("A"), h.organisation("B")
	ws := append(h.join(org, "Jones, Siân, A1", "Evans, Gwen, A2"), h.join(other, "Rees, Ifan, B1")...)
	item := vc.Item{Context: vc.Context{Table: "reading", Row: id.New[id.Row](), Version: 1, Class: policy.ClassDose, Organisation: org, Wearer: ws[0], Year: 2026, Bind: []byte("bind")}, Value: []byte("0.35 mSv"), Pad: 64}
	blob := vc.Item{Context: vc.Context{Table: "wearer", Row: id.New[id.Row](), Version: 1, Class: policy.ClassEmployment, Organisation: org, Wearer: ws[0]}, Value: []byte("Radiology"), Pad: 64}
	sealed := must(h.nodes["cli"].Seal(t.Context(), h.root, policy.AssessDose, []vc.Item{item, blob}))
	open := func(it vc.Item) ([]byte, error) {
		out, err := h.nodes["cli"].Open(t.Context(), h.root, vc.OpenRequest{Purpose: policy.AssessDose, Items: []vc.Item{it}})
		if err != nil {
			return nil, err
		}
		return out[0], nil
	}
	item.Value, blob.Value = sealed[0], sealed[1]
	if got, err := open(item); err != nil || string(got) != "0.35 mSv" {
		t.Fatalf("opened %q, %v", got, err)
	}
	if got, err := open(blob); err != nil || string(got) != "Radiology" {
		t.Fatalf("opened %q, %v", got, err)
	}
	for what, move := range map[string]func(*vc.Item){
		"row":          func(i *vc.Item) { i.Row = id.New[id.Row]() },
		"version":      func(i *vc.Item) { i.Version = 2 },
		"year":         func(i *vc.Item) { i.Year = 2025 },
		"wearer":       func(i *vc.Item) { i.Wearer = ws[1] },
		"organisation": func(i *vc.Item) { i.Organisation = other },
		"class":        func(i *vc.Item) { i.Class = policy.ClassDocument },
		"bind":         func(i *vc.Item) { i.Bind = []byte("bound") },
		"table":        func(i *vc.Item) { i.Table = "badge" },
		"bytes":        func(i *vc.Item) { i.Value = append(slices.Clone(i.Value[:len(i.Value)-1]), i.Value[len(i.Value)-1]^1) },
		"empty":        func(i *vc.Item) { i.Value = nil },
		"key":          func(i *vc.Item) { i.Value = append([]byte{0, 2}, i.Value[2:]...) },
	} {
		it := item
		move(&it)
		if got, err := open(it); code(err) != vc.Invalid {
			t.Errorf("moved to another %s: %q, %v", what, got, err)
		}
	}
	// The organisation's key is not lent to a wearer of another organisation.
	blob.Wearer = ws[2]
	if got, err := open(blob); code(err) != vc.Invalid {
		t.Errorf("blob of another organisation's wearer: %q, %v", got, err)
	}
}

func TestGrantsKeepTheirBounds(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ws := h.join(org, "Jones, Siân, A1", "Evans, Gwen, A2", "Rees, Ifan, A3")
	fields := policy.FieldName | policy.FieldDose | policy.FieldEmployment
	g := must(h.nodes["cli"].GrantJob(t.Context(), h.root, vc.JobGrant{Purpose: policy.AssessDose, Fields: fields, MaxWearers: 2, Import: id.New[id.Import](), Node: "worker", Lifetime: time.Hour}))
	worker, auth := h.nodes["worker"], vc.Auth{Grant: g}
	ask := func(f policy.Fields, p policy.Purpose, who ...id.Wearer) error {
		_, err := worker.Reveal(t.Context(), auth, vc.RevealRequest{Purpose: p, Fields: f, Wearers: who})
		return err
	}
	if err := ask(policy.FieldName, policy.AssessDose, ws[0], ws[1]); err != nil {
		t.Error(err)
	}
	if err := ask(policy.FieldName, policy.AssessDose, ws[1], ws[0]); err != nil {
		t.Errorf("the same two again: %v", err)
	}
	if err := ask(policy.FieldName, policy.AssessDose, ws[2]); code(err) != vc.Refused {
		t.Errorf("a third wearer: %v", err)
	}
	if err := ask(policy.FieldContact, policy.AssessDose, ws[0]); code(err) != vc.Refused {
		t.Errorf("another field: %v", err)
	}
	if err := ask(policy.FieldName, policy.IssueBadges, ws[0]); code(err) != vc.Refused {
		t.Errorf("another purpose: %v", err)
	}
	if _, err := h.nodes["web"].Reveal(t.Context(), auth, vc.RevealRequest{Purpose: policy.AssessDose, Fields: policy.FieldName, Wearers: ws[:1]}); code(err) != vc.Unauthenticated {
		t.Errorf("on another node: %v", err)
	}
}

func TestStagedPeopleAreNobodyUntilConfirmed(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	n := id.New[id.Import]()
	change := vc.Change{Organisation: org, Identity: person.Identity{Surname: person.NewValue("Jones"), StaffNumber: person.NewValue("1")}}
	must(h.nodes["cli"].Stage(t.Context(), h.root, n, []vc.Change{change}))
	count := func() int {
		return must(h.nodes["cli"].Search(t.Context(), h.root, vc.SearchRequest{Purpose: policy.IssueBadges, Organisation: org, Limit: 10})).Total
	}
	h.stop()
	h.start()
	if got := count(); got != 0 {
		t.Errorf("%d wearers before confirming", got)
	}
	if p := must(h.nodes["worker"].Pending(t.Context())); len(p) != 1 || p[0] != n {
		t.Errorf("pending %v", p)
	}
	for range 2 {
		if err := h.nodes["worker"].Confirm(t.Context(), vc.Auth{}, n, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := count(); got != 1 {
		t.Errorf("%d wearers after confirming twice", got)
	}
	if err := h.nodes["cli"].Discard(t.Context(), h.root, n); code(err) != vc.Conflict {
		t.Errorf("dropping a confirmed import: %v", err)
	}
	if err := h.nodes["web"].Confirm(t.Context(), vc.Auth{}, n, nil); code(err) != vc.Unauthenticated {
		t.Errorf("a web node without a session: %v", err)
	}
}

// Nothing is sealed for what was dropped: its key is gone, and there is none to come.
func TestNothingIsSealedForWhatWasDropped(t *testing.T) {
	h := newHouse(t)
	cli, n := h.nodes["cli"], id.New[id.Import]()
	doc := []vc.Item{{Context: vc.Context{Table: "document", Row: id.Row(n), Class: policy.ClassDocument}, Value: []byte("a file")}}
	if err := cli.Intake(t.Context(), h.root, vc.Intake{Import: n, Source: "laboratory"}); err != nil {
		t.Fatal(err)
	}
	must(cli.Seal(t.Context(), h.root, policy.AssessDose, doc))
	if err := cli.Discard(t.Context(), h.root, n); err != nil {
		t.Fatal(err)
	}
	if _, err := cli.Seal(t.Context(), h.root, policy.AssessDose, doc); code(err) != vc.Conflict {
		t.Errorf("a document of it was sealed: %v", err)
	}
}

func TestLinksAndCodesWorkOnce(t *testing.T) {
	h := newHouse(t)
	u := must(h.nodes["cli"].CreateUsers(t.Context(), h.root, []vc.NewUser{{Name: "X", Role: policy.Coordinator}}))[0]
	link := must(h.nodes["cli"].NewLink(t.Context(), h.root, u))
	must(h.nodes["cli"].RedeemLink(t.Context(), link))
	if _, err := h.nodes["cli"].RedeemLink(t.Context(), link); code(err) != vc.Unauthenticated {
		t.Errorf("a link worked twice: %v", err)
	}
	secret := h.v.NewCode(u, "web")
	if _, err := h.nodes["cli"].RedeemCode(t.Context(), secret); code(err) != vc.Unauthenticated {
		t.Errorf("a code worked on another node: %v", err)
	}
	if _, err := h.nodes["web"].RedeemCode(t.Context(), secret); code(err) != vc.Unauthenticated {
		t.Errorf("a code worked after somebody else tried it: %v", err)
	}
	must(h.nodes["web"].RedeemCode(t.Context(), h.v.NewCode(u, "web")))
}

// Many at once: every answer has its entry, and the logs hold together at the next start.
func TestConcurrentRevealsShareCommits(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ws := h.join(org, "Jones, Siân, A1", "Evans, Gwen, A2")
	const sessions, each = 16, 20
	var wg sync.WaitGroup
	for range sessions {
		auth := h.signIn("web", vc.NewUser{Name: "C", Role: policy.Coordinator})
		wg.Go(func() {
			for range each {
				if _, err := h.nodes["web"].Reveal(t.Context(), auth, vc.RevealRequest{Purpose: policy.IssueBadges, Fields: policy.FieldName, Wearers: ws[:1]}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	h.stop()
	h.start()
	x := must(h.nodes["cli"].Exposures(t.Context(), h.root, vc.ExposureRequest{Recipient: "node:web", From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour), List: true, Proofs: true}))
	if len(x.List) != 1 || x.List[0].Entries != sessions*each || len(x.Proofs) != sessions*each {
		t.Errorf("exposures %+v, %d proofs", x.List, len(x.Proofs))
	}
}

func TestARolledBackDatabaseIsRefusedAtStart(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ws := h.join(org, "Jones, Siân, A1")
	h.stop()
	db := filepath.Join(h.dir, "vault.db")
	old := must(os.ReadFile(db))
	h.start()
	must(h.nodes["cli"].Reveal(t.Context(), h.root, vc.RevealRequest{Purpose: policy.IssueBadges, Fields: policy.FieldName, Wearers: ws}))
	h.stop()
	now := must(os.ReadFile(db))
	if left, _ := filepath.Glob(db + "-*"); len(left) > 0 {
		t.Fatalf("a closed database left %v behind", left)
	}
	if err := os.WriteFile(db, old, 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.OpenVault(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	_, err = vault.Open(t.Context(), vault.Config{Store: store, Keys: h.keys, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	store.Close()
	if err == nil || !strings.Contains(err.Error(), "rolled back") {
		t.Errorf("opened a rolled-back database: %v", err)
	}
	if err := os.WriteFile(db, now, 0o600); err != nil {
		t.Fatal(err)
	}
	h.start()
}

func TestTheSameListTwiceChangesNothing(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	h.join(org, "Jones, Siân, A1", "Rees, Ifan, A2, AB123456C")
	change := func(surname, staff, email, ni string) vc.Change {
		c := vc.Change{Organisation: org, From: "2020-01-01", Identity: person.Identity{Surname: person.NewValue(surname), StaffNumber: person.NewValue(staff)},
			Contact: person.Contact{Email: person.NewValue(email)}}
		if ni != "" {
			c.NI, c.Classified = person.NewValue(ni), true
		}
		return c
	}
	stage := func(c ...vc.Change) []vc.Staged {
		n := id.New[id.Import]()
		out := must(h.nodes["cli"].Stage(t.Context(), h.root, n, c))
		if err := h.nodes["cli"].Confirm(t.Context(), h.root, n, nil); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if got := stage(change("Jones", "A1", "a1@board.example", ""), change("Rees", "A2", "a2@board.example", "AB123456C")); got[0].State != "same" || got[1].State != "same" {
		t.Errorf("the same again: %+v", got)
	}
	if got := stage(change("Prys", "A1", "new@board.example", ""), change("Rees", "A2", "a2@board.example", "AB123456D")); got[0].State != "changed" || got[1].State != "changed" {
		t.Errorf("changed: %+v", got)
	}
	officer := h.signIn("web", vc.NewUser{Name: "R", Role: policy.RecordsOfficer})
	find := func(ni string) int {
		return len(must(h.nodes["web"].FindNI(t.Context(), officer, policy.StatutoryReturn, person.NewValue(ni))))
	}
	for range 2 {
		if find("AB123456C") != 0 || find("AB123456D") != 1 {
			t.Error("the old NI number is still found, or the new one is not")
		}
		res := must(h.nodes["cli"].Search(t.Context(), h.root, vc.SearchRequest{Purpose: policy.IssueBadges, Organisation: org, Query: person.NewValue("jones"), Limit: 10}))
		if len(res.Records) != 1 || res.Records[0].Identity.Surname.Expose() != "Prys" {
			t.Errorf("the former name finds %+v", res.Records)
		}
		h.stop()
		h.start()
	}
}

func TestWhoSearchesFindsWhomTheyMaySee(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	h.join(org, "Jones, Siân, A1", "Jones, Ifan, A2, AB123456C")
	officer := h.signIn("web", vc.NewUser{Name: "R", Role: policy.RecordsOfficer})
	res := must(h.nodes["web"].Search(t.Context(), officer, vc.SearchRequest{Purpose: policy.StatutoryReturn, Organisation: org, Limit: 10}))
	if res.Total != 1 || len(res.Records) != 1 || res.Records[0].Identity.Forenames.Expose() != "Ifan" {
		t.Errorf("the records officer found %d of %d, want the classified one", len(res.Records), res.Total)
	}
}

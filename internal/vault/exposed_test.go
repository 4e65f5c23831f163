package vault_test

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// Whatever is asked, the index answers as the ledgers do: with half of them indexed, with all, and with more entries added to it later; over the turn of a
// year, with windows that cut through a month, that overlap, and that begin or end at an entry.
func TestTheIndexAnswersAsTheLedgersDo(t *testing.T) {
	begin := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	c := clockAt(begin)
	h := newHouseAt(t, c.now)
	web := h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator})
	orgs := []id.Organisation{h.organisation("A"), h.organisation("B")}
	var ws []id.Wearer
	for _, org := range orgs {
		ws = append(ws, h.crowd(org, 6)...)
	}
	rng := rand.New(rand.NewPCG(7, 7))
	export := id.New[id.Export]()
	moments := []time.Time{begin}
	work := func(n int) {
		for range n {
			c.pass(time.Duration(rng.IntN(100)) * time.Hour)
			web = h.again("Rhys Prosser")
			auth, node := web, "web"
			switch rng.IntN(4) {
			case 0:
				auth, node = h.root, "cli"
			case 1:
				auth.Export = export
			}
			who := ws[rng.IntN(len(ws)):]
			fields := policy.FieldName
			if rng.IntN(2) == 0 {
				fields |= policy.FieldStaffNumber
			}
			must(h.nodes[node].Reveal(t.Context(), auth, vc.RevealRequest{Purpose: policy.IssueBadges, Fields: fields, Wearers: who}))
			if rng.IntN(5) == 0 {
				from := begin.AddDate(0, -rng.IntN(30), 0)
				d := vc.Declaration{Import: id.New[id.Import](), Recipient: "supplier:Cardiff Dosimetry", From: from, To: from.AddDate(0, 1+rng.IntN(9), 0), SHA256: make([]byte, 32)}
				for _, w := range who {
					d.Rows = append(d.Rows, vc.DeclaredRow{Wearer: w, Fields: policy.FieldName | policy.FieldDose, Years: []uint16{2025, 2023}})
				}
				if err := h.nodes["cli"].Declare(t.Context(), h.root, d); err != nil {
					t.Fatal(err)
				}
			}
			moments = append(moments, c.now())
		}
	}
	work(30)
	recipients := []vc.Recipient{"", "node:web", "node:cli", vc.Recipient("user:" + h.users["Rhys Prosser"].String()), vc.Recipient("export:" + export.String()), "supplier:Cardiff Dosimetry", "supplier:Nobody"}
	var questions []vc.ExposureRequest
	window := func() vc.Hypothesis {
		a, b := moments[rng.IntN(len(moments))], moments[rng.IntN(len(moments))]
		switch rng.IntN(4) {
		case 0:
			a, b = time.Unix(0, 0), begin.AddDate(9, 0, 0)
		case 1:
			a = a.Add(-time.Duration(rng.IntN(2000)) * time.Hour)
		}
		if b.Before(a) {
			a, b = b, a
		}
		h := vc.Hypothesis{Recipient: recipients[rng.IntN(len(recipients))], From: a, To: b.Add(time.Microsecond)}
		if rng.IntN(2) == 0 {
			h.Began = b
		}
		return h
	}
	for range 60 {
		one := window()
		q := vc.ExposureRequest{Recipient: one.Recipient, From: one.From, To: one.To, Began: one.Began, List: true, Proofs: rng.IntN(4) == 0}
		for range rng.IntN(3) {
			q.Also = append(q.Also, window())
		}
		for range rng.IntN(3) {
			gone := window()
			q.Less = append(q.Less, vc.Destruction{Recipient: gone.Recipient, From: gone.From, To: gone.To, At: gone.From, Organisation: orgs[rng.IntN(2)]})
		}
		questions = append(questions, q)
	}
	ask := func() (out []vc.Exposures) {
		h.stays()
		for _, q := range questions {
			out = append(out, must(h.nodes["cli"].Exposures(t.Context(), h.root, q)))
		}
		return out
	}
	index := func(percent int64) {
		if err := h.v.Index(t.Context(), percent); err != nil {
			t.Fatal(err)
		}
	}
	same := func(when string, want []vc.Exposures) {
		t.Helper()
		found, gone := 0, 0
		for i, got := range ask() {
			found += len(got.List)
			gone += len(got.Destroyed)
			if diff := cmp.Diff(want[i], got); diff != "" {
				t.Fatalf("%s: %+v: %s", when, questions[i], diff)
			}
		}
		if found == 0 || gone == 0 {
			t.Fatalf("%d exposures and %d that were destroyed were found", found, gone)
		}
	}
	plain := ask()
	index(50)
	same("half indexed", plain)
	index(100)
	same("all indexed", plain)
	work(10)
	index(60)
	withMore := ask()
	h.stop()
	h.start()
	index(100)
	same("more indexed, after a start", withMore)
	if n, err := h.v.ForgetIndex(t.Context()); err != nil || n < 20 {
		t.Fatalf("%d rows, %v", n, err)
	}
	same("without an index", withMore)
}

// What stands in a row of the index comes back, and nothing else does.
func FuzzExposed(f *testing.F) {
	f.Add([]byte{1, 1, 'a', 3, 0, 0, 0, 0, 0})
	f.Add(vault.SampleExposed())
	f.Fuzz(func(t *testing.T, b []byte) {
		again, err := vault.ReadExposed(b)
		if err != nil {
			return
		}
		twice, err := vault.ReadExposed(again)
		if err != nil || string(twice) != string(again) {
			t.Errorf("%x is read as %x, and that as %x, %v", b, again, twice, err)
		}
	})
}

// Verify makes the index again, and says which log's rows were changed, dropped or put back.
func TestVerifyFindsAChangedIndex(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ws := h.crowd(org, 4)
	web := h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator})
	see := func() {
		t.Helper()
		if err := h.names(web, ws...); err != nil {
			t.Fatal(err)
		}
		if err := h.v.Index(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
	}
	rows := func() map[string][]byte {
		t.Helper()
		all := map[string][]byte{}
		if err := h.v.IndexRows(t.Context(), func(id, sealed []byte) { all[string(id)] = sealed }); err != nil {
			t.Fatal(err)
		}
		return all
	}
	holds := func() (int, error) {
		t.Helper()
		src := must(sqlite.OpenVerify(filepath.Join(h.dir, "vault.db")))
		defer src.Close()
		logs, rows, err := src.Keys(t.Context(), must(h.keys.Root()), must(h.keys.Epoch(1)))
		if err != nil {
			t.Fatal(err)
		}
		return vault.CheckExposed(t.Context(), src, rows.Open, logs.Open)
	}
	see()
	before := rows()
	see()
	after := rows()
	if n, err := holds(); err != nil || n != len(after)-1 || n < 6 {
		t.Fatalf("%d of %d rows hold: %v", n, len(after), err)
	}
	changed := 0
	for key, row := range before {
		if err := h.v.PutIndexRow(t.Context(), key, row); err != nil {
			t.Fatal(err)
		}
		if _, err := holds(); err == nil || !strings.Contains(err.Error(), "log "+org.String()) {
			t.Errorf("row %x was put back, and verify says: %v", key, err)
		}
		if err := h.v.PutIndexRow(t.Context(), key, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := holds(); err == nil {
			t.Errorf("row %x was dropped, and verify says nothing", key)
		}
		if err := h.v.PutIndexRow(t.Context(), key, after[key]); err != nil {
			t.Fatal(err)
		}
		changed++
	}
	if _, err := holds(); err != nil || changed < 6 {
		t.Errorf("as it was: %v", err)
	}
}

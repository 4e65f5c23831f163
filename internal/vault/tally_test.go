package vault_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger/verify"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// moment is a vault's database as it was between two changes, with the head that was kept outside then.
type moment struct{ database, head []byte }

// history makes changes of authority of every kind, one after the other, and returns the database after each.
func history(t *testing.T) (vault.KeyDir, []moment) {
	h := newHouse(t)
	var moments []moment
	keep := func() {
		t.Helper()
		h.stop()
		moments = append(moments, moment{must(os.ReadFile(filepath.Join(h.dir, "vault.db"))), must(os.ReadFile(filepath.Join(string(h.keys), "vault", "head")))})
		h.start()
	}
	cli := func() *vc.Client { return h.nodes["cli"] }
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		keep()
	}
	keep()
	org := h.organisation("Bwrdd Iechyd Glyndŵr")
	keep()
	ws := h.join(org, "Jones, Siân, A1", "Prys-Davies, Llŷr, A2, AB123456C", "Jones, Siân, A3")
	keep()
	web := h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator})
	keep()
	user := must(h.nodes["web"].Whoami(t.Context(), web))
	_, machine := h.machine("HR", "staff", 5, org)
	keep()
	check(second(cli().NewLink(t.Context(), h.root, user.ID)))
	job := id.New[id.Import]()
	check(cli().Intake(t.Context(), h.root, vc.Intake{Import: job, Source: "laboratory", SHA256: make([]byte, 32), Rows: 1, Held: policy.FieldDose}))
	check(second(cli().GrantJob(t.Context(), h.root, vc.JobGrant{Node: "worker", Purpose: policy.AssessDose, Fields: policy.FieldDose, MaxWearers: 2, Import: job, Lifetime: time.Hour})))
	check(second(cli().Seal(t.Context(), h.root, policy.KeepRecords, []vc.Item{{Context: vc.Context{Table: "document", Row: id.Row(job), Class: policy.ClassDocument}, Value: []byte("a file")}})))
	staged := id.New[id.Import]()
	check(second(cli().Stage(t.Context(), h.root, staged, []vc.Change{{Organisation: org, From: "2024-01-01", Identity: person.Identity{Surname: person.NewValue("Bowen"), StaffNumber: person.NewValue("A9")}}})))
	check(cli().Discard(t.Context(), h.root, staged))
	check(h.change(vc.Change{Organisation: org, Wearer: ws[0], KeepTo: true, KeepClassified: true, Identity: person.Identity{KnownAs: person.NewValue("Siani")}}))
	check(cli().TellApart(t.Context(), h.root, ws[0], ws[2]))
	check(cli().LinkPersons(t.Context(), h.root, ws[0], ws[2]))
	check(cli().ChangeOrganisation(t.Context(), h.root, vc.Organisation{ID: org, Name: "Bwrdd Iechyd Llŷn", Kind: vc.HealthBoard}))
	check(cli().EndMachine(t.Context(), h.root, machine))
	check(h.nodes["web"].SignOut(t.Context(), web))
	check(cli().EndUser(t.Context(), h.root, user.ID))
	staged = id.New[id.Import]()
	check(second(cli().Stage(t.Context(), h.root, staged, []vc.Change{{Organisation: org, From: "2024-01-01", Identity: person.Identity{Surname: person.NewValue("Bowen"), StaffNumber: person.NewValue("A9")}}})))
	return h.keys, moments
}

// opens reports whether the vault starts on a database.
func opens(ctx context.Context, path string, keys vault.KeyDir) error {
	store, err := sqlite.OpenVault(ctx, path)
	if err != nil {
		return err
	}
	v, err := vault.Open(ctx, vault.Config{Store: store, Keys: keys, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return errors.Join(err, store.Close())
	}
	return v.Close()
}

// verifies reports whether the independent verifier finds nothing in a database.
func verifies(ctx context.Context, path string, keys vault.KeyDir) error {
	src, err := sqlite.OpenVerify(path)
	if err != nil {
		return err
	}
	defer src.Close()
	opt, authority, err := src.Keys(ctx, must(keys.Root()), must(keys.Epoch(1)))
	if err != nil {
		return err
	}
	opt.Heads = []verify.Head{must(verify.ParseCheckpoint(must(keys.Head())))}
	report, err := verify.Ledgers(ctx, src, opt)
	if err != nil {
		return err
	}
	authority.Tallies = report.Tallies
	return verify.Authority(ctx, src, authority)
}

// rowsOf are a database's sealed rows as one hash, to see whether an attack changed any.
func rowsOf(db *sql.DB, name string) (h [sha256.Size]byte) {
	var all strings.Builder
	for _, t := range vault.Tables {
		rows := must(db.Query("SELECT id, sealed FROM " + name + "." + string(t) + " ORDER BY id"))
		for rows.Next() {
			var key, sealed []byte
			if err := rows.Scan(&key, &sealed); err != nil {
				panic(err)
			}
			fmt.Fprintf(&all, "%s %x %x\n", t, key, sealed)
		}
		rows.Close()
	}
	return sha256.Sum256([]byte(all.String()))
}

// Whatever somebody who can write to the database drops, copies, puts back or swaps, the vault does not start on it and verify
// finds it, though most rows open by themselves; and both take every database that nobody touched.
func TestRowsPutBackDroppedOrAddedAreFound(t *testing.T) {
	keys, moments := history(t)
	dir := t.TempDir()
	head := filepath.Join(string(keys), "vault", "head")
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		now, old := filepath.Join(dir, fmt.Sprint(n, ".db")), filepath.Join(dir, fmt.Sprint(n, "old.db"))
		at := rapid.IntRange(1, len(moments)-1).Draw(t, "moment")
		before := rapid.IntRange(0, at-1).Draw(t, "earlier")
		for path, b := range map[string][]byte{now: moments[at].database, old: moments[before].database, head: moments[at].head} {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		db := must(sql.Open("sqlite", "file:"+now+"?_pragma=synchronous(OFF)&_pragma=foreign_keys(0)"))
		db.SetMaxOpenConns(1)
		exec := func(q string) { must(db.Exec(q)) }
		exec("ATTACH '" + old + "' AS old")
		untouched := rowsOf(db, "main")
		table := string(rapid.SampledFrom(vault.Tables).Draw(t, "table"))
		row := fmt.Sprint(rapid.IntRange(0, 7).Draw(t, "row"))
		one := "(SELECT id FROM " + table + " ORDER BY id LIMIT 1 OFFSET " + row + ")"
		back := func(tables ...string) {
			for _, t := range tables {
				exec("DELETE FROM main." + t)
				exec("INSERT INTO main." + t + " SELECT * FROM old." + t)
			}
		}
		switch rapid.SampledFrom([]string{"nothing", "delete", "add", "put back", "swap", "table", "table and tally", "all but the log", "all"}).Draw(t, "attack") {
		case "delete":
			exec("DELETE FROM main." + table + " WHERE id = " + one)
		case "add": // rows of an earlier moment that are gone
			exec("INSERT OR IGNORE INTO main." + table + " SELECT * FROM old." + table)
		case "put back":
			exec("INSERT OR REPLACE INTO main." + table + " SELECT * FROM old." + table + " ORDER BY id LIMIT 1 OFFSET " + row)
		case "swap":
			exec("UPDATE main." + table + " SET sealed = (SELECT sealed FROM main." + table + " ORDER BY id DESC LIMIT 1) WHERE id = " + one)
		case "table":
			back(table)
		case "table and tally":
			back(table)
			exec("DELETE FROM main.tally WHERE id = CAST('" + table + "' AS BLOB)")
			exec("INSERT INTO main.tally SELECT * FROM old.tally WHERE id = CAST('" + table + "' AS BLOB)")
		case "all but the log":
			for _, t := range vault.Tables {
				back(string(t))
			}
		case "all": // the head that is kept outside tells
			for _, t := range vault.Tables {
				back(string(t))
			}
			back("log", "leaf", "opening", "node")
		}
		touched := rowsOf(db, "main") != untouched
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		// The secrets either open or don't, and the verifier needs some of them only.
		if err := verifies(context.Background(), now, keys); touched == (err == nil) && table != "secret" {
			t.Errorf("touched: %v, but verify says: %v", touched, err)
		}
		err := opens(context.Background(), now, keys)
		if touched == (err == nil) && (table != "field" || err != nil) { // a field that does not open is refused at its use
			t.Errorf("touched: %v, but: %v", touched, err)
		}
		if err != nil && !strings.Contains(err.Error(), "table ") && !strings.Contains(err.Error(), "log installation") && !strings.Contains(err.Error(), "secret") {
			t.Errorf("the error names no table: %v", err)
		}
		for _, path := range []string{now, old} {
			os.Remove(path)
		}
	})
}

// A commit that changes rows of authority without an entry of its own moves the installation log on all the same, so that
// its head binds them: that a passkey was used is not undone by putting its counter, tally and checkpoint back.
func TestARowThatChangesAloneMovesTheLogOn(t *testing.T) {
	h := newHouse(t)
	n, d, _ := h.enrol(vc.NewUser{Name: "Llŷr Prys", Role: policy.Coordinator})
	h.stop()
	path := filepath.Join(h.dir, "vault.db")
	before := must(os.ReadFile(path))
	h.start()
	// The start is an entry: what follows is held against the vault that has started.
	size := func() string { return strings.Split(string(must(h.keys.Head())), "\n")[1] }
	started := size()
	must(h.v.FinishAssertion(t.Context(), n, [32]byte{}, d.get(must(h.v.BeginAssertion(n, [32]byte{})))))
	if size() == started {
		t.Error("a passkey was used, and the head outside does not tell")
	}
	h.stop()
	if err := os.WriteFile(path, before, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := opens(t.Context(), path, h.keys); err == nil || !strings.Contains(err.Error(), "rolled back") {
		t.Errorf("the database from before: %v", err)
	}
}

// Two lists that wait change the same person one after the other: versions are not given twice, and nothing of either is lost.
func TestTwoListsChangeOnePerson(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	w := h.join(org, "Jones, Siân, A1")[0]
	keep := vc.Change{Organisation: org, Wearer: w, KeepTo: true, KeepClassified: true}
	one, other := keep, keep
	one.Identity.KnownAs = person.NewValue("Siani")
	other.Contact.Phone = person.NewValue("01248 123456")
	var lists []id.Import
	for _, c := range []vc.Change{one, other} {
		lists = append(lists, id.New[id.Import]())
		must(h.nodes["cli"].Stage(t.Context(), h.root, lists[len(lists)-1], []vc.Change{c}))
	}
	for _, n := range lists {
		if err := h.nodes["cli"].Confirm(t.Context(), h.root, n, nil); err != nil {
			t.Fatal(err)
		}
	}
	h.stop()
	h.start()
	got := must(h.nodes["cli"].Reveal(t.Context(), h.root, vc.RevealRequest{Purpose: policy.KeepRecords, Fields: policy.FieldName | policy.FieldContact, Wearers: []id.Wearer{w}}))[0]
	if got.Identity.KnownAs.Expose() != "Siani" || got.Contact.Phone.Expose() != "01248 123456" {
		t.Errorf("known as %q, telephone %q", got.Identity.KnownAs.Expose(), got.Contact.Phone.Expose())
	}
}

// What the vault goes by is what it tallied: no table is read past the function that tallies what it reads.
func TestTablesAreReadOnceAndTallied(t *testing.T) {
	for _, name := range must(filepath.Glob("*.go")) {
		if n := strings.Count(string(must(os.ReadFile(name))), "store.Rows("); n > 0 && name != "tally.go" && name != "vault.go" && !strings.HasSuffix(name, "_test.go") {
			t.Errorf("%s reads a table by itself: use rows or loadRows", name)
		}
	}
}

package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger/verify"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/seal"
	"github.com/dosevault/dosevault/internal/store/snapshot"
	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// VerifyVault writes a real vault's ledgers over a turn of the year and verifies them while it runs, with the keys of its
// key directory; and then as somebody left them who may write to the database. exec executes a statement on it.
func VerifyVault(t *testing.T, store vault.Store, source func() (*snapshot.Vault, error), exec func(statement string)) {
	t.Helper()
	ctx := t.Context()
	keys := vault.KeyDir(filepath.Join(t.TempDir(), "keys"))
	now := time.Date(2025, 12, 31, 23, 50, 0, 0, time.UTC)
	if err := keys.Create([]string{"cli"}, now); err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(ctx, vault.Config{Store: store, Keys: keys, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	link, err := v.FirstUser(ctx, "Mair Evans")
	if err != nil {
		t.Fatal(err)
	}
	session, err := v.RedeemLink(ctx, vault.Caller{Node: "cli"}, link)
	if err != nil {
		t.Fatal(err)
	}
	caller := vault.Caller{Node: "cli", Auth: vaultclient.Auth{Session: session.Token}}
	orgs, err := v.CreateOrganisations(ctx, caller, []vaultclient.Organisation{{Name: "Bwrdd Iechyd Llŷn", Kind: vaultclient.HealthBoard}})
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte("rows"))
	var imports []id.Import
	for i, staff := range []string{"S1", "S2"} {
		n := id.New[id.Import]()
		imports = append(imports, n)
		staged, err := v.Stage(ctx, caller, n, []vaultclient.Change{{Organisation: orgs[0], From: "2020-01-01",
			Identity: person.Identity{Surname: person.NewValue("Ŵyn"), Forenames: person.NewValue("Siân"), StaffNumber: person.NewValue(staff)}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Confirm(ctx, caller, n, []vaultclient.Manifest{{Organisation: orgs[0], Kind: "people", Rows: 1, Hash: hash[:]}}); err != nil {
			t.Fatal(err)
		}
		if _, err := v.Reveal(ctx, caller, vaultclient.RevealRequest{Purpose: policy.IssueBadges, Fields: policy.FieldName, Wearers: []id.Wearer{staged[0].Wearer}}); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			now = now.Add(20 * time.Minute)
		}
	}

	report, err := verifyVault(t, ctx, source, keys)
	must(t, err)
	if len(report.Logs) != 3 || report.Logs[1].Log != orgs[0].String()+"/2025" || report.Logs[2].Log != orgs[0].String()+"/2026" {
		t.Fatalf("logs are %+v", report.Logs)
	}
	for _, l := range report.Logs {
		if l.Leaves < 3 || l.Opened != l.Leaves {
			t.Errorf("log %s: %d leaves, %d opened", l.Log, l.Leaves, l.Opened)
		}
	}
	if m := report.Manifests; len(m) != 2 || m[0].Import != imports[0] || m[1].Import != imports[1] || m[1].Organisation != orgs[0] {
		t.Errorf("manifests are %+v", m)
	}

	for _, c := range []struct{ change, undo string }{
		{"UPDATE leaf SET seq = 900 WHERE seq = 1", "UPDATE leaf SET seq = 1 WHERE seq = 900"},
		{"UPDATE node SET idx = 900 WHERE idx = 1", "UPDATE node SET idx = 1 WHERE idx = 900"},
		{"UPDATE opening SET seq = 900 WHERE seq = 1", "UPDATE opening SET seq = 1 WHERE seq = 900"},
		{"UPDATE log SET name = 'x' WHERE name = 'installation'", "UPDATE log SET name = 'installation' WHERE name = 'x'"},
		{"UPDATE meta SET name = 'x' WHERE name = 'installation'", "UPDATE meta SET name = 'installation' WHERE name = 'x'"},
	} {
		exec(c.change)
		_, err := verifyVault(t, ctx, source, keys)
		var d *verify.Difference
		if !errors.As(err, &d) {
			t.Errorf("%s: error is %v, want a difference", c.change, err)
		}
		exec(c.undo)
	}
	_, err = verifyVault(t, ctx, source, keys)
	must(t, err)

	// Each table's rows dropped, as far as it has any, and put back when they are gone.
	found := func(what, table string) {
		t.Helper()
		_, err := verifyVault(t, ctx, source, keys)
		var d *verify.Difference
		if !errors.As(err, &d) || d.Log != "table "+table {
			t.Errorf("%s: error is %v, want a difference in table %s", what, err, table)
		}
	}
	for _, of := range vault.Tables {
		n := 0
		must(t, store.Rows(ctx, of, func([]byte, []byte) error { n++; return nil }))
		if of == vault.TableSecret || n == 0 {
			continue // without secrets nothing opens at all
		}
		table := `"` + string(of) + `"`
		exec("CREATE TABLE gone AS SELECT * FROM " + table)
		exec("DELETE FROM " + table)
		if of == vault.TableTally {
			_, err := verifyVault(t, ctx, source, keys)
			if err == nil {
				t.Error("without tallies the tables verify")
			}
		} else if of != vault.TableOrganisationKey { // without those the openings don't open
			found("dropped", string(of))
		}
		exec("INSERT INTO " + table + " SELECT * FROM gone")
		exec("DROP TABLE gone")
	}
	exec("CREATE TABLE earlier AS SELECT * FROM session")
	must(t, v.SignOut(ctx, caller))
	_, err = verifyVault(t, ctx, source, keys)
	must(t, err)
	exec("INSERT INTO session SELECT * FROM earlier")
	found("a session that has ended put back", "session")
	exec("DROP TABLE earlier")
	if _, err := v.Whoami(ctx, caller); err == nil {
		t.Error("the running vault takes the session that was put back")
	}
	src, err := source()
	must(t, err)
	defer src.Close()
	var tables []string
	for _, of := range vault.Tables {
		tables = append(tables, string(of))
	}
	check(t, "tables that verify knows", slices.Sorted(slices.Values(src.Tables())), slices.Sorted(slices.Values(tables)))
}

func verifyVault(t *testing.T, ctx context.Context, source func() (*snapshot.Vault, error), keys vault.KeyDir) (*verify.Report, error) {
	t.Helper()
	src, err := source()
	must(t, err)
	defer src.Close()
	root, err := keys.Root()
	must(t, err)
	epoch, err := keys.Epoch(1)
	must(t, err)
	opt, authority, err := src.Keys(ctx, root, epoch)
	must(t, err)
	kept, err := keys.Head()
	must(t, err)
	head, err := verify.ParseCheckpoint(kept)
	must(t, err)
	for name, k := range map[string][2]seal.Key{"root": {seal.NewKey(), epoch}, "epoch": {root, seal.NewKey()}} {
		if _, _, err := src.Keys(ctx, k[0], k[1]); err == nil {
			t.Errorf("another %s key was taken", name)
		}
	}
	opt.Heads = []verify.Head{head}
	report, err := verify.Ledgers(ctx, src, opt)
	if err != nil {
		return nil, err
	}
	authority.Tallies = report.Tallies
	return report, verify.Authority(ctx, src, authority)
}

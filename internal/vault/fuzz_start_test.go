package vault_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// What a fuzzed start finds changed.
const (
	rowSpoilt  = iota // the bytes of a row
	rowAdded          // a row of that id, with another's bytes
	rowSays           // what a row says, written by a commit as if a vault had said it
	fileSpoilt        // a file of the key directory
	headSpoilt        // a log's last checkpoint
	changeKinds
)

// keyFiles are the files of the key directory that a vault reads.
var keyFiles = []string{"head", "root.key", "epoch-1.key", "tls.crt", "tls.key", "nodes/web.crt"}

// Whatever stands in the database or in the key directory, a vault does not start on it and says so, or starts and answers.
func FuzzStart(f *testing.F) {
	h := newFuzzHouse(f)
	f.Fuzz(func(t *testing.T, change, which, row byte, content []byte) {
		if len(content) > 1<<16 {
			return
		}
		change %= changeKinds
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		h.unpack(t)
		table := vault.Tables[int(which)%len(vault.Tables)]
		var all []vault.Put
		check(h.store.Rows(t.Context(), table, func(key, sealed []byte) error {
			all = append(all, vault.Put{Table: table, ID: key, Sealed: sealed})
			return nil
		}))
		if len(all) == 0 {
			all = []vault.Put{{Table: table, ID: make([]byte, 16), Sealed: []byte("nothing")}}
		}
		one := all[int(row)%len(all)]
		b, refused := &vault.Batch{}, false
		switch change {
		case rowSpoilt:
			refused = !bytes.Equal(content, one.Sealed) && table != vault.TableField // a field is opened when it is read
			one.Sealed = append([]byte{}, content...)
			b.Puts = []vault.Put{one}
		case rowAdded:
			refused = !slices.ContainsFunc(all, func(p vault.Put) bool { return bytes.Equal(p.ID, content) })
			one.ID = append([]byte{}, content...)
			b.Puts = []vault.Put{one}
		case rowSays:
			check(h.store.Close())
			v, _, err := startOn(t.Context(), filepath.Join(h.dir, "vault.db"), h.keys)
			check(err)
			check(v.PutRow(t.Context(), table, one.ID, h.realIDs(content)))
			check(v.Close())
		case headSpoilt:
			logs := must(h.store.Logs(t.Context()))
			of := logs[int(row)%len(logs)]
			refused = !bytes.Equal(content, of.Checkpoint)
			b.Checkpoints = map[string][]byte{of.Name: append([]byte{}, content...)}
		}
		if change != rowSays {
			check(h.store.Commit(t.Context(), b))
			check(h.store.Close())
		}
		if change == fileSpoilt {
			check(os.WriteFile(filepath.Join(string(h.keys), "vault", keyFiles[int(which)%len(keyFiles)]), content, 0o600))
		}
		v, _, err := startOn(t.Context(), filepath.Join(h.dir, "vault.db"), h.keys)
		if strings.HasSuffix(t.Name(), "/nothing_changed") && err != nil {
			t.Error(err)
		}
		if err == nil {
			if refused {
				t.Errorf("it starts with change %d of %s", change, table)
			}
			lookRound(t, h, v)
			check(v.Close())
		}
		check(os.RemoveAll(h.dir))
	})
}

// startOn opens a vault as the program does, up to its listener.
func startOn(ctx context.Context, database string, keys vault.KeyDir) (*vault.Vault, *vault.Server, error) {
	store, err := sqlite.OpenVault(ctx, database)
	if err != nil {
		return nil, nil, err
	}
	v, err := vault.Open(ctx, vault.Config{Store: store, Keys: keys, Now: func() time.Time { return fuzzNow.Add(10 * time.Second) }, Log: slog.New(slog.DiscardHandler), Origin: vaultOrigin})
	if err != nil {
		store.Close()
		return nil, nil, err
	}
	server, err := vault.NewServer(v, keys)
	if err != nil {
		v.Close()
		return nil, nil, err
	}
	return v, server, nil
}

// lookRound asks a vault for all that its rows say. Each may fail; none may bring it down.
func lookRound(t *testing.T, h *fuzzHouse, v *vault.Vault) {
	ctx := t.Context()
	var ws []id.Wearer
	for _, s := range h.standIns {
		if n, err := id.Parse[id.Wearer](s[1]); err == nil && s[0][:6] == "wearer" {
			ws = append(ws, n)
		}
	}
	for _, p := range h.callers {
		c := vault.Caller{Node: p.node, Auth: p.auth}
		v.Whoami(ctx, c)
		v.Organisations(ctx, c)
		v.Users(ctx, c)
		v.AllSessions(ctx, c)
		v.Grants(ctx, c)
		v.StandingGrants(ctx, c)
		v.Machines(ctx, c)
		v.Providers(ctx, c)
		v.Approvals(ctx, c)
		v.Frozen(ctx, c)
		v.Alarms(ctx, c, vc.AlarmsRequest{Limit: 10})
		v.AllBudgets(ctx, c)
		v.Policies(ctx, c)
		v.Passkeys(ctx, c)
		v.Pending(ctx, c)
		v.WhoMay(ctx, c, vc.WhoMayRequest{Wearer: ws[0], Fields: policy.AllFields})
		v.Ledger(ctx, c, vc.LedgerRequest{Organisation: h.orgs[0], Limit: 50})
		v.Exposures(ctx, c, vc.ExposureRequest{From: fuzzNow.Add(-time.Hour), To: fuzzNow.Add(time.Hour), List: true, Proofs: true})
		v.Search(ctx, c, vc.SearchRequest{Purpose: policy.IssueBadges, Query: person.NewValue("q"), Leavers: true, Limit: 10})
		v.Reveal(ctx, c, vc.RevealRequest{Purpose: policy.AssessDose, Fields: policy.FieldName, Wearers: ws[:1]})
		v.Linked(ctx, c, policy.AssessDose, ws)
		c.Node = vault.OriginNode
		v.ApprovalViews(ctx, c)
	}
	v.SignInProviders()
	v.SettleApprovals(ctx)
}

package vaultdb_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/store/postgres/vaultdb"
	"github.com/dosevault/dosevault/internal/store/storetest"
	"github.com/dosevault/dosevault/internal/store/storetest/pgtest"
	"github.com/dosevault/dosevault/internal/vault"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func open(t *testing.T, address string) *vaultdb.Store {
	t.Helper()
	s, err := vaultdb.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVault(t *testing.T) {
	storetest.Vault(t, func(t *testing.T) (vault.Store, func() vault.Store) {
		address := pgtest.Shared(t).Database(t)
		reopen := func() vault.Store { return open(t, address) }
		return reopen(), reopen
	})
}

// One vault at a time: a second one is refused, until the first one is gone.
func TestOneVaultOnly(t *testing.T) {
	address := pgtest.Shared(t).Database(t)
	first := open(t, address)
	if _, err := vaultdb.Open(t.Context(), address); err == nil || !strings.Contains(err.Error(), "another vault is running") || strings.Contains(err.Error(), "\n") {
		t.Fatalf("a second vault: %v", err)
	}
	commit(t, first, "i1")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := open(t, address)
	defer second.Close()
	commit(t, second, "i2")
}

// batch is the next entry of the installation log.
func batch(checkpoint string) *vault.Batch {
	return &vault.Batch{
		Puts:        []vault.Put{{Table: vault.TableUser, ID: []byte("a"), Sealed: []byte(checkpoint)}},
		Checkpoints: map[string][]byte{ledger.InstallationLog: []byte(checkpoint)},
	}
}

func commit(t *testing.T, s vault.Store, checkpoint string) {
	t.Helper()
	if err := s.Commit(t.Context(), batch(checkpoint)); err != nil {
		t.Fatal(err)
	}
}

// stops checks that a commit fails in a way that stops the vault, and that nothing of it is there.
func stops(t *testing.T, what, address string, s vault.Store, b *vault.Batch) {
	t.Helper()
	if err := s.Commit(t.Context(), b); err == nil || errors.Is(err, vault.ErrNotCommitted) {
		t.Errorf("%s: error %v, want one that stops the vault", what, err)
	}
	s.Close()
	again := open(t, address)
	defer again.Close()
	got, err := again.Get(t.Context(), vault.TableUser, [][]byte{[]byte("a")})
	if err != nil || string(got[0]) != "i1" {
		t.Errorf("%s: the row is %s, %v", what, got, err)
	}
}

// A vault whose connection, and with it the lock, is lost stops, also while it had nothing to do.
func TestLostConnection(t *testing.T) {
	address := pgtest.Shared(t).Database(t)
	s := open(t, address)
	commit(t, s, "i1")
	pgtest.Exec(t, address, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
	stops(t, "a lost connection", address, s, batch("i2"))
}

// A database that was restored, or written to by another vault, underneath a running one stops it, whether or not the
// commit has an entry.
func TestAnotherHead(t *testing.T) {
	for what, b := range map[string]*vault.Batch{"an entry": batch("i2"), "a row": {Puts: batch("i2").Puts}} {
		address := pgtest.Shared(t).Database(t)
		s := open(t, address)
		commit(t, s, "i1")
		pgtest.Exec(t, address, "UPDATE log SET checkpoint = 'i0'")
		stops(t, what, address, s, b)
	}
}

// A commit that the server warns about is in doubt: so is one whose wait for a standby was broken off.
func TestStandbyThatDoesNotAnswer(t *testing.T) {
	server, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	address := server.URL("postgres")
	s := open(t, address)
	defer s.Close()
	commit(t, s, "i1")
	pgtest.Exec(t, address, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
	pgtest.Exec(t, address, "SELECT pg_reload_conf()")
	waitsForStandby(t, address)
	outcome := make(chan error)
	go func() { outcome <- s.Commit(context.Background(), batch("i2")) }()
	for {
		select {
		case err := <-outcome:
			if err == nil || errors.Is(err, vault.ErrNotCommitted) {
				t.Errorf("error %v, want one that stops the vault", err)
			}
			return
		default:
			pgtest.Exec(t, address, "SET synchronous_commit = off; SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
		}
	}
}

// waitsForStandby returns once commits wait for a standby: the server reads its settings when it comes to it.
func waitsForStandby(t *testing.T, address string) {
	t.Helper()
	watch, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close(context.Background())
	if _, err := watch.Exec(t.Context(), "SET synchronous_commit = off"); err != nil {
		t.Fatal(err)
	}
	for waited := false; !waited; {
		committed := make(chan error, 1)
		go func() {
			conn, err := pgx.Connect(t.Context(), address)
			if err == nil {
				_, err = conn.Exec(t.Context(), "CREATE TABLE probe (); DROP TABLE probe")
				conn.Close(context.Background())
			}
			committed <- err
		}()
		for done := false; !done; {
			select {
			case err := <-committed:
				if done = true; err != nil {
					t.Fatal(err)
				}
			default:
				tag, err := watch.Exec(t.Context(), "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
				if err != nil {
					t.Fatal(err)
				}
				waited = waited || tag.RowsAffected() > 0
			}
		}
	}
}

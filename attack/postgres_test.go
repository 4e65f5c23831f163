package attack_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/attack/scan"
	"github.com/dosevault/dosevault/internal/store/storetest/pgtest"
)

// onServer is a PostgreSQL server of the test binary's own with a filled, stopped demonstration, which tests copy.
type onServer struct {
	once            sync.Once
	server          *pgtest.Server
	vault, register string // addresses
	dir             string // with data and keys
	err             error
}

var filledServer onServer

func (f *onServer) fill(t *testing.T) {
	if f.server, f.err = pgtest.Start(); f.err != nil {
		return
	}
	for _, name := range []string{"vault", "register"} {
		pgtest.Exec(t, f.server.URL("postgres"), "CREATE DATABASE "+name)
	}
	f.vault, f.register = f.server.URL("vault"), f.server.URL("register")
	h := house.New(t)
	h.Env = []string{"DOSEVAULT_VAULT_DATABASE=" + f.vault, "DOSEVAULT_DATABASE=" + f.register}
	h.Start("demo", "--people", small)
	h.Stop()
	if f.dir, f.err = os.MkdirTemp("", "dva"); f.err == nil {
		f.err = os.CopyFS(f.dir, os.DirFS(filepath.Dir(h.Dir)))
	}
}

func (f *onServer) remove() {
	if f.server != nil {
		f.server.Stop()
	}
	os.RemoveAll(f.dir)
}

// copyOnPostgreSQL returns a house on a copy of a filled, stopped demonstration on PostgreSQL.
func copyOnPostgreSQL(t *testing.T) *house.House {
	t.Helper()
	f := &filledServer
	f.once.Do(func() { f.fill(t) })
	if f.err != nil {
		t.Fatal(f.err)
	}
	h := house.New(t)
	for from, to := range map[string]string{"data": h.Dir, "keys": h.Keys} {
		copyTree(t, filepath.Join(f.dir, from), to)
	}
	h.Env = []string{"DOSEVAULT_VAULT_DATABASE=" + f.server.Database(t, f.vault), "DOSEVAULT_DATABASE=" + f.server.Database(t, f.register)}
	return h
}

// TestOnPostgreSQL: promises 1, 2, 3, 6 and 7, and the faults, on PostgreSQL, by the attacks that SQLite stands where they
// are not about files. They come one after the other, since the server is stopped under them.
func TestOnPostgreSQL(t *testing.T) {
	t.Run("killed while a file comes in", func(t *testing.T) {
		killedWhileAFileComesIn(t, copyOnPostgreSQL, nothingOnServer, killedAt{"importing", "'importing', 'stored', 'done'", 0})
	})
	t.Run("what was obtained stands in the ledger", func(t *testing.T) { attacks(t, copyOnPostgreSQL(t), 5) })
	t.Run("a worker killed in an import", aWorkerKilled)
	t.Run("a lost connection reveals nothing", aLostConnection)
	t.Run("a server that crashes reveals nothing", aCrashedServer)
	t.Run("what is changed is found", changedOnPostgreSQL)
	t.Run("rows of authority put back", func(t *testing.T) { authorityPutBack(t, copyOnPostgreSQL(t)) })
}

// nothingOnServer scans the server's files, its write-ahead log too, once all that it has in memory is written.
func nothingOnServer(t *testing.T, h *house.House, set *scan.Set) {
	t.Helper()
	pgtest.Exec(t, registerDB(h), "CHECKPOINT")
	nothingReadable(t, set, filledServer.server.Data(), h.Log())
	nothingReadable(t, keys(t, h), filledServer.server.Data())
}

// A worker takes over what another one leaves that is gone for good: nothing has to be started again.
func aWorkerKilled(t *testing.T) {
	h := copyOnPostgreSQL(t)
	h.Start("demo")
	coordinator(t, h)
	path := filepath.Join(t.TempDir(), "report.csv")
	write(t, path, reissued(t, "8"))
	first, other := h.Process("worker"), h.Beside("worker")
	signal := func(s syscall.Signal) {
		if err := syscall.Kill(first, s); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP) // so that the other one gets it
	before := number(t, registerDB(h), "SELECT count(*) FROM reading")
	cmd, printed := background(t, h, "import", "--yes", path)
	until(t, h, registerDB(h), "SELECT count(*) FROM import WHERE state IN ('importing', 'stored') AND owner IS NOT NULL")
	other.Kill()
	signal(syscall.SIGCONT)
	if err := cmd.Wait(); err != nil {
		t.Errorf("the import: %v\n%s", err, printed)
	}
	h.Stop()
	if out, err := h.Run("verify"); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
	if n := number(t, registerDB(h), "SELECT count(*) FROM reading"); n == before {
		t.Error("nothing was stored")
	}
}

// The vault whose connection is cut, and with it the lock that makes it the only one, stops and starts anew.
func aLostConnection(t *testing.T) {
	h := copyOnPostgreSQL(t)
	from := time.Now()
	h.Start("demo")
	r := readWithoutPause(t, h)
	r.more(t, 50)
	pgtest.Exec(t, vaultDB(h), "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
	waitFor(t, h, "commit ended in doubt")
	waitFor(t, h, "a process ended; starting it again")
	r.more(t, 20)
	// A second vault on the same database is refused, and the first one goes on.
	if out, err := h.Run("vault", "--demo", "--listen", house.FreePort(t), "--vault-listen", house.FreePort(t)); err == nil || !strings.Contains(out, "another vault") {
		t.Errorf("a second vault: %v\n%s", err, out)
	}
	r.more(t, 20)
	r.settle(t, h, from)
}

// The server loses its power with readers at work: none gets anything until it is back, and what was acknowledged is there.
func aCrashedServer(t *testing.T) {
	h := copyOnPostgreSQL(t)
	from := time.Now()
	h.Start("demo")
	r := readWithoutPause(t, h)
	r.more(t, 50)
	filledServer.server.Crash(t)
	r.none(t, "without a database")
	filledServer.server.Restart(t)
	r.more(t, 20)
	r.settle(t, h, from)
}

// Who can write to the databases changes nothing unnoticed.
func changedOnPostgreSQL(t *testing.T) {
	for name, c := range map[string]struct {
		vault     bool
		statement string
		verify    string // what verify says
		start     string // what the vault says that does not start; empty: it starts
	}{
		"a reading deleted":         {false, "DELETE FROM reading WHERE wear_period = (SELECT wear_period FROM reading WHERE version = 1 ORDER BY wear_period LIMIT 1)", "the ledger says", ""},
		"a reading's version moved": {false, "UPDATE reading SET version = version + 40 WHERE wear_period = (SELECT wear_period FROM reading ORDER BY wear_period LIMIT 1)", "are not those that were entered", ""},
		"a wearer re-assigned":      {false, "UPDATE wearer SET organisation = (SELECT organisation FROM wearer GROUP BY 1 ORDER BY count(*) LIMIT 1) WHERE id = (SELECT id FROM wearer WHERE organisation = (SELECT organisation FROM wearer GROUP BY 1 ORDER BY count(*) DESC LIMIT 1) LIMIT 1)", "the ledger says", ""},
		"rows hidden":               {false, "UPDATE pg_class SET relrowsecurity = true WHERE oid = 'reading'::regclass", "table reading of the database is not the one", ""},
		"an entry changed":          {true, "UPDATE leaf SET data = set_byte(data, 20, get_byte(data, 20) # 1) WHERE seq = 1 AND log = (SELECT id FROM log WHERE name = 'installation')", "log installation, entry 1", ""},
		"the tail of a log cut":     {true, "DELETE FROM leaf WHERE log = (SELECT id FROM log WHERE name = 'installation') AND seq > 5", "log installation", "log installation"},
		"a user copied":             {true, `INSERT INTO "user" SELECT substr(sha256(id), 1, 16), sealed FROM "user" LIMIT 1`, "", "does not open here"},
	} {
		t.Run(name, func(t *testing.T) {
			h := copyOnPostgreSQL(t)
			database := registerDB(h)
			if c.vault {
				database = vaultDB(h)
			}
			tamper(t, database, c.statement)
			if c.verify != "" {
				verifyFails(t, h, []string{c.verify})
			}
			if c.start != "" {
				if out, err := h.Run("vault", "--demo", "--listen", h.Listen, "--vault-listen", h.Vault); err == nil || !strings.Contains(out, c.start) {
					t.Errorf("the vault: %v\n%s", err, out)
				}
			}
		})
	}
}

// Package attack_test attacks the real program from outside, as docs/security.md says for each promise.
package attack_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/store/postgres/server"
	"github.com/dosevault/dosevault/internal/store/storetest/pgtest"
)

// small is how many people a demonstration has here, besides the 200 marker people.
const small = "60"

// filled is a stopped demonstration that tests copy. It is made once and never changed.
var filled struct {
	once       sync.Once
	dir        string
	checkpoint []byte
	err        error
}

// copyOfFilled returns a house on a copy of a filled, stopped demonstration.
func copyOfFilled(t *testing.T) *house.House {
	t.Helper()
	filled.once.Do(func() {
		dir, err := os.MkdirTemp("", "dva")
		if err != nil {
			filled.err = err
			return
		}
		h := house.New(t)
		h.Start("demo", "--people", small)
		out, err := h.Run("checkpoint")
		if err != nil {
			filled.err = fmt.Errorf("checkpoint: %w: %s", err, out)
			return
		}
		filled.checkpoint = []byte(out)
		h.Stop()
		filled.dir = dir
		for _, sub := range []string{"data", "keys"} {
			if err := os.CopyFS(filepath.Join(dir, sub), os.DirFS(filepath.Join(filepath.Dir(h.Dir), sub))); err != nil {
				filled.err = err
				return
			}
		}
	})
	if filled.err != nil {
		t.Fatal(filled.err)
	}
	h := house.New(t)
	for from, to := range map[string]string{"data": h.Dir, "keys": h.Keys} {
		copyTree(t, filepath.Join(filled.dir, from), to)
	}
	return h
}

func TestMain(m *testing.M) {
	house.Main(m, func() {
		if filled.dir != "" {
			os.RemoveAll(filled.dir)
		}
		filledServer.remove()
	}, pgtest.StopShared)
}

// copyTree copies files with their modes; key files keep 0600.
func copyTree(t testing.TB, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(target, 0o700)
		case d.Type().IsRegular():
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(target, b, 0o600)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// vaultDB and registerDB are where a house's databases are: files, or addresses of PostgreSQL's.
func vaultDB(h *house.House) string {
	return address(h, "DOSEVAULT_VAULT_DATABASE", filepath.Join(h.Dir, "vault", "vault.db"))
}
func registerDB(h *house.House) string {
	return address(h, "DOSEVAULT_DATABASE", filepath.Join(h.Dir, "register", "register.db"))
}

func address(h *house.House, name, file string) string {
	for _, v := range h.Env {
		if a, ok := strings.CutPrefix(v, name+"="); ok {
			return a
		}
	}
	return file
}

// openDB opens a stopped installation's database as an attacker does.
func openDB(t testing.TB, path string) *sql.DB {
	t.Helper()
	db := connect(t, path, "?_pragma=foreign_keys(0)")
	if server.Is(path) {
		if _, err := db.Exec("SET session_replication_role = replica"); err != nil { // no key between tables is in the way
			t.Fatal(err)
		}
	}
	return db
}

// connect opens a database by one connection; how a file is opened stands after its name.
func connect(t testing.TB, path, how string) *sql.DB {
	t.Helper()
	driver, name := "sqlite", "file:"+path+how
	if server.Is(path) {
		driver, name = "pgx", path
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

// tamper runs statements on a database and fails when they change nothing.
func tamper(t testing.TB, path string, statements ...string) {
	t.Helper()
	db := openDB(t, path)
	changed := int64(0)
	for _, s := range statements {
		res, err := db.Exec(s)
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			t.Fatal(err)
		}
		changed += n
	}
	if changed == 0 {
		t.Fatalf("%v changed nothing: nothing is shown", statements)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// verifyFails runs verify, which must find a difference that names all of want.
func verifyFails(t testing.TB, h *house.House, want []string, args ...string) {
	t.Helper()
	out, err := h.Run(append([]string{"verify"}, args...)...)
	if err == nil {
		t.Errorf("verify found nothing:\n%s", out)
		return
	}
	for _, w := range want {
		if !strings.Contains(out, w) {
			t.Errorf("verify does not name %q:\n%s", w, out)
		}
	}
}

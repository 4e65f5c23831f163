package server_test

import (
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dosevault/dosevault/internal/store/postgres/server"
	"github.com/dosevault/dosevault/internal/store/storetest/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// connect connects as the stores do.
func connect(t *testing.T, address string) error {
	t.Helper()
	c, err := server.Parse(address)
	if err != nil {
		return err
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), c)
	if err != nil {
		return err
	}
	defer pool.Close()
	return pool.Ping(t.Context())
}

func wants(t *testing.T, what string, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: error %v, want one line with %q", what, err, text)
	}
}

// A server, or a database of it, that may lose what it committed is refused in a line that says what to set.
func TestSettings(t *testing.T) {
	s := pgtest.Shared(t)
	if err := connect(t, s.Database(t)); err != nil {
		t.Errorf("the server as it comes: %v", err)
	}
	off := s.Database(t)
	name := off[strings.LastIndex(off, "/")+1 : strings.Index(off, "?")]
	pgtest.Exec(t, off, "ALTER DATABASE "+name+" SET synchronous_commit = off")
	wants(t, "synchronous_commit off", connect(t, off), "set synchronous_commit = on")
	pgtest.Exec(t, off, "ALTER DATABASE "+name+" SET synchronous_commit = local")
	if err := connect(t, off); err != nil {
		t.Errorf("local, without a standby: %v", err)
	}
	ascii := s.Database(t)
	pgtest.Exec(t, ascii, "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0")
	wants(t, "another encoding", connect(t, s.URL("ascii")), "ENCODING 'UTF8'")

	for setting, text := range map[string]string{"fsync=off": "set fsync = on", "full_page_writes=off": "set full_page_writes = on", "synchronous_standby_names=x": "set synchronous_commit = on"} {
		other, err := pgtest.Start(setting, "synchronous_commit=local")
		if err != nil {
			t.Fatal(err)
		}
		wants(t, setting, connect(t, other.URL("postgres")), text)
		other.Stop()
	}
}

// What the server is told to be less careful about later does not hold for a connection that is there.
func TestSettingsStay(t *testing.T) {
	address := pgtest.Shared(t).Database(t)
	c, err := server.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	c.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var got string
	if err := pool.QueryRow(t.Context(), "SHOW synchronous_commit").Scan(&got); err != nil || got != "on" {
		t.Fatalf("synchronous_commit is %s, %v", got, err)
	}
	pgtest.Exec(t, address, "ALTER SYSTEM SET synchronous_commit = off")
	pgtest.Exec(t, address, "SELECT pg_reload_conf()")
	defer func() {
		pgtest.Exec(t, address, "ALTER SYSTEM RESET synchronous_commit")
		pgtest.Exec(t, address, "SELECT pg_reload_conf()")
	}()
	for connect(t, address) == nil { // until the server has read it
	}
	if err := pool.QueryRow(t.Context(), "SHOW synchronous_commit").Scan(&got); err != nil || got != "on" {
		t.Errorf("after a change synchronous_commit is %s, %v", got, err)
	}
}

// No error holds a password, and none travels a network unprotected.
func TestAddresses(t *testing.T) {
	const secret = "hunter2"
	for address, text := range map[string]string{
		"postgres://dosevault:" + secret + "@db.example.org/register":                         "sslmode=verify-full",
		"postgres://dosevault:" + secret + "@db.example.org/register?sslmode=disable":         "sslmode=verify-full",
		"postgres://dosevault:" + secret + "@db.example.org/register?sslmode=nonsense":        "is not understood",
		"postgres://dosevault:" + secret + "@db.example.org:port/register":                    "is not understood",
		"postgres://dosevault:" + secret + "%zz@localhost/register":                           "is not understood",
		"host=localhost password=" + secret:                                                   "is not understood",
		"postgres://dosevault:" + secret + "@localhost:1/register?host=" + os.TempDir():       "failed to connect",
		"postgres://dosevault:" + secret + "@localhost:1/register":                            "failed to connect",
		"postgres://dosevault:" + secret + "@127.0.0.1:1/register?sslmode=disable":            "failed to connect",
		"postgres://dosevault:" + secret + "@localhost:1/register?sslmode=require&x=" + "yes": "failed to connect",
	} {
		err := connect(t, address)
		if err == nil || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: error %v, want %q without the password", address, err, text)
		}
	}
}

var migrations = fstest.MapFS{"00001_x.sql": {Data: []byte("-- +goose Up\nCREATE TABLE x (id BIGINT);\n")}}

func TestMigrate(t *testing.T) {
	address := pgtest.Shared(t).Database(t)
	c, err := server.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	var nodes sync.WaitGroup
	for range 4 {
		nodes.Go(func() {
			if err := server.Migrate(t.Context(), c, "register", migrations); err != nil {
				t.Errorf("nodes that start at the same time: %v", err)
			}
		})
	}
	nodes.Wait()
	wants(t, "the vault in the register's database", server.Migrate(t.Context(), c, "vault", migrations), "the vault needs a database of its own")
}

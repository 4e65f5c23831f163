package pgtest

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) {
	if os.Getenv("PGTEST_ABANDON") != "" {
		s, err := Start()
		if err != nil {
			panic(err)
		}
		os.Stdout.WriteString(s.Base)
		os.Exit(0) // without stopping it
	}
	Main(m)
}

func TestDatabases(t *testing.T) {
	s := Shared(t)
	first := s.Database(t)
	Exec(t, first, "CREATE TABLE a AS SELECT 7 AS n")
	for address, want := range map[string]bool{s.Database(t): false, s.Database(t, first): true, first: true} {
		conn, err := pgx.Connect(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		var have bool
		if err := conn.QueryRow(t.Context(), "SELECT to_regclass('a') IS NOT NULL").Scan(&have); err != nil || have != want {
			t.Errorf("%s has the table: %v, %v; want %v", address, have, err, want)
		}
		conn.Close(t.Context())
	}
}

// A test binary that ends without a word leaves neither server nor files.
func TestNothingIsLeft(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PGTEST_ABANDON=1")
	out, err := cmd.Output()
	if err != nil || len(out) == 0 {
		t.Fatalf("%q, %v", out, err)
	}
	for range 1000 {
		if _, err := os.Stat(string(out)); os.IsNotExist(err) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%s is left", out)
}

func TestCrash(t *testing.T) {
	s, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	address := s.Database(t)
	Exec(t, address, "CREATE TABLE a AS SELECT 7 AS n")
	s.Crash(t)
	if conn, err := pgx.Connect(t.Context(), address); err == nil {
		conn.Close(t.Context())
		t.Error("it answers after the crash")
	}
	s.Restart(t)
	Exec(t, address, "INSERT INTO a VALUES (8)")
}

func TestSettings(t *testing.T) {
	s, err := Start("fsync=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	conn, err := pgx.Connect(t.Context(), s.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var fsync string
	if err := conn.QueryRow(t.Context(), "SHOW fsync").Scan(&fsync); err != nil || fsync != "off" {
		t.Errorf("fsync is %s, %v", fsync, err)
	}
}

// Package pgtest starts a PostgreSQL server for a test binary: initdb and start once, on a socket and a directory of
// its own, and an empty database for each test. The server ends with the test binary, however that ends.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a running server.
type Server struct {
	Base  string // holds the socket, and data
	leash io.WriteCloser
	ended chan struct{}
	log   *bytes.Buffer // read after ended

	mu sync.Mutex
	n  int // databases made
}

// run keeps the server until its standard input ends, then stops it at once and removes its directory: nothing is
// left when a test binary is killed. A line starts a server that has ended again.
const run = `postgres=$1 base=$2; shift 2
"$postgres" -D "$base/data" "$@" </dev/null & server=$!
while read -r line; do
	wait $server
	"$postgres" -D "$base/data" "$@" </dev/null & server=$!
done
kill -QUIT $server 2>/dev/null
wait $server
rm -rf "$base"`

// Start starts a server with settings such as "fsync=off". Without any it is as durable as the program wants it.
func Start(settings ...string) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	base, err := os.MkdirTemp("", "dvpg")
	if err != nil {
		return nil, err
	}
	attr, err := own(base)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(base))
	}
	initdb := exec.CommandContext(context.Background(), filepath.Join(bin, "initdb"), "-D", filepath.Join(base, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = attr, base
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w\n%s", err, out), os.RemoveAll(base))
	}
	args := []string{"-c", run, "sh", filepath.Join(bin, "postgres"), base, "-c", "listen_addresses=", "-c", "unix_socket_directories=" + base, "-c", "max_connections=200"}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	s := &Server{Base: base, ended: make(chan struct{}), log: &bytes.Buffer{}}
	cmd := exec.CommandContext(context.Background(), "sh", args...)
	cmd.SysProcAttr, cmd.Dir = attr, base
	cmd.Stdout, cmd.Stderr = s.log, s.log
	if s.leash, err = cmd.StdinPipe(); err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(base))
	}
	go func() {
		cmd.Wait()
		close(s.ended)
	}()
	if err := s.ready(); err != nil {
		s.Stop()
		return nil, fmt.Errorf("PostgreSQL did not start: %w\n%s", err, s.log)
	}
	return s, nil
}

// ready waits until the server answers.
func (s *Server) ready() error {
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := s.exec("SELECT 1")
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// Crash kills the server and all its processes with signal 9, as a machine does that loses its power.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.Data(), "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(b), "\n")
	children, err := os.ReadFile(filepath.Join("/proc", first, "task", first, "children"))
	if err != nil {
		t.Fatal(err)
	}
	all := append([]string{first}, strings.Fields(string(children))...)
	for _, text := range all {
		pid, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
	// One that is still ending holds the memory that they share, and the server would refuse to start.
	for _, pid := range all {
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			if stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat")); err != nil || strings.Contains(string(stat), ") Z ") {
				break
			}
		}
	}
}

// Restart starts a server again that crashed, on the files that it left.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if _, err := io.WriteString(s.leash, "again\n"); err != nil {
		t.Fatal(err)
	}
	if err := s.ready(); err != nil {
		t.Fatalf("PostgreSQL did not start again: %v", err)
	}
}

// programs returns the directory of the server's programs, the newest version's.
func programs() (string, error) {
	found, best := "", 0
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	for _, dir := range dirs {
		if v, err := strconv.Atoi(filepath.Base(filepath.Dir(dir))); err == nil && v > best {
			if _, err := exec.LookPath(filepath.Join(dir, "initdb")); err == nil {
				found, best = dir, v
			}
		}
	}
	if found != "" {
		return found, nil
	}
	p, err := exec.LookPath("initdb")
	if err == nil {
		p, err = filepath.EvalSymlinks(p)
	}
	if err != nil {
		return "", fmt.Errorf("the tests need PostgreSQL 15 or newer (on Debian: apt-get install postgresql): %w", err)
	}
	return filepath.Dir(p), nil
}

// own gives a directory to who runs the server: not root, whom PostgreSQL refuses to run as.
func own(dir string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{}, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

// Stop ends the server and removes its directory.
func (s *Server) Stop() {
	s.leash.Close()
	<-s.ended
}

// URL is a database's address.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/" + database, RawQuery: url.Values{"host": {s.Base}}.Encode()}
	return u.String()
}

// Data is the directory with the server's files.
func (s *Server) Data() string { return filepath.Join(s.Base, "data") }

// exec executes a statement in the server's first database.
func (s *Server) exec(query string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, query)
	return errors.Join(err, conn.Close(ctx))
}

// Create makes an empty database that lasts as long as the server, and returns its address.
func (s *Server) Create(name string) (string, error) {
	return s.URL(name), s.exec("CREATE DATABASE " + name)
}

// Database makes a database for a test and returns its address: an empty one, or a copy of one that nobody is connected to.
func (s *Server) Database(t testing.TB, template ...string) string {
	t.Helper()
	s.mu.Lock()
	s.n++
	name := fmt.Sprintf("test%d", s.n)
	s.mu.Unlock()
	query := "CREATE DATABASE " + name
	for _, address := range template {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		query += " TEMPLATE " + strings.TrimPrefix(u.Path, "/")
	}
	if err := s.exec(query); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return s.URL(name)
}

// Exec executes a statement in a database as its owner, who keeps none of the program's rules.
func Exec(t testing.TB, address, query string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

var (
	mu     sync.Mutex
	shared *Server
)

// Shared returns the test binary's server. Its TestMain is to call Main, or StopShared.
func Shared(t testing.TB) *Server {
	t.Helper()
	mu.Lock()
	defer mu.Unlock()
	if shared == nil {
		s, err := Start()
		if err != nil {
			t.Fatal(err)
		}
		shared = s
	}
	return shared
}

// StopShared ends the test binary's server, if one was started.
func StopShared() {
	mu.Lock()
	defer mu.Unlock()
	if shared != nil {
		shared.Stop()
		shared = nil
	}
}

// Main runs a test binary's tests and ends its server.
func Main(m *testing.M) {
	code := m.Run()
	StopShared()
	os.Exit(code)
}

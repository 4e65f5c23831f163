package cli_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/dosevault/dosevault/internal/store/storetest/pgtest"
	"github.com/dosevault/dosevault/internal/testport"

	_ "github.com/dosevault/dosevault/internal/cli" // what is built below: a cached result must not outlive a change of it
)

// program is the real program, built once.
var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "dosevault-cli")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "dosevault")
		build := exec.Command("go", "build", "-o", program, "github.com/dosevault/dosevault/cmd/dosevault")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
			return 1
		}
		defer pgtest.StopShared()
		return m.Run()
	}())
}

// TestScripts runs testdata/script: what people do on the command line, on the real program. Beside testscript's own
// commands the scripts know:
//
//	dosevault …           runs a command; with ! before it, it must fail with exit code 1
//	misused …             runs a command that is used wrongly: exit code 2
//	start NAME …          starts serve or demo, and goes on when it is ready; what it prints is in NAME.out and NAME.err
//	halt                  stops it
//	keep NAME TEXT FILE   keeps what a regular expression's group found in a file, or in stdout, as $NAME
//	nowhere LIST DIR      none of the lines of LIST stands in a file below DIR; with ! before it, one does
//
// At the end of each script everything that any command printed as an error is searched for the lines of the script's
// file personal, if there is one.
func TestScripts(t *testing.T) {
	scripts(t, testscript.Params{Dir: "testdata/script"}, func(*testscript.Env) {})
}

// password stands in the addresses of the databases, and nowhere in what is printed.
const password = "not-to-be-printed"

// TestScriptsOnPostgreSQL runs the longest of these scripts with both databases on a PostgreSQL server, and those of
// testdata/postgresql. "nowhere" looks through the server's files too. One more command:
//
//	statement ADDRESS STATEMENT   executes a statement as somebody who may write to the database
func TestScriptsOnPostgreSQL(t *testing.T) {
	server := pgtest.Shared(t)
	own, err := filepath.Glob("testdata/postgresql/*.txtar")
	if err != nil || len(own) == 0 {
		t.Fatalf("%d scripts, %v", len(own), err)
	}
	scripts(t, testscript.Params{Files: append(own, "testdata/script/first-days.txtar")}, func(env *testscript.Env) {
		for _, name := range []string{"DOSEVAULT_DATABASE", "DOSEVAULT_VAULT_DATABASE"} {
			env.Setenv(name, strings.Replace(server.Database(t), "postgres@", "postgres:"+password+"@", 1))
		}
		env.Values[runKey{}].(*run).files = server.Data()
	})
}

func scripts(t *testing.T, p testscript.Params, setup func(env *testscript.Env)) {
	p.WorkdirRoot = shortDir(t)
	docs, err := filepath.Abs("../../docs")
	if err != nil {
		t.Fatal(err)
	}
	p.Setup = func(env *testscript.Env) error {
		for name, value := range map[string]string{
			"HOME": env.WorkDir, "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "",
			"DOSEVAULT_DIR": filepath.Join(env.WorkDir, "data"), "DOSEVAULT_KEYS": filepath.Join(env.WorkDir, "keys"),
			"DOSEVAULT_LISTEN": freeAddress(t), "DOSEVAULT_VAULT_LISTEN": freeAddress(t), "NODES": freeAddress(t), "TZ": "UTC", "DOCS": docs,
		} {
			env.Setenv(name, value)
		}
		r := &run{work: env.WorkDir}
		env.Values[runKey{}] = r
		env.Defer(func() { r.end(t) })
		setup(env)
		return nil
	}
	p.Cmds = map[string]func(ts *testscript.TestScript, neg bool, args []string){
		"dosevault": dosevault, "misused": misused, "start": start, "halt": halt, "keep": keep, "nowhere": nowhere,
		"statement": func(_ *testscript.TestScript, _ bool, args []string) { pgtest.Exec(t, args[0], args[1]) },
	}
	testscript.Run(t, p)
}

// shortDir returns a directory with a short path, since a socket lies in it.
func shortDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "dvs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := testport.Free()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

type runKey struct{}

// run is what a script has under way.
type run struct {
	work    string
	files   string // of the database server, if there is one
	server  *exec.Cmd
	ended   chan error
	mu      sync.Mutex
	printed bytes.Buffer // as errors, by all commands
}

func of(ts *testscript.TestScript) *run { return ts.Value(runKey{}).(*run) }

func (r *run) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.printed.Write(p)
}

// do runs a command and returns its exit code.
func do(ts *testscript.TestScript, args []string) int {
	err := ts.Exec(program, args...)
	of(ts).Write([]byte(ts.ReadFile("stderr")))
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	if exit != nil {
		return exit.ExitCode()
	}
	return 0
}

func dosevault(ts *testscript.TestScript, neg bool, args []string) {
	want := 0
	if neg {
		want = 1
	}
	if got := do(ts, args); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func misused(ts *testscript.TestScript, _ bool, args []string) {
	if got := do(ts, args); got != 2 {
		ts.Fatalf("exit code %d, want 2", got)
	}
}

func start(ts *testscript.TestScript, _ bool, args []string) {
	r := of(ts)
	if r.server != nil {
		ts.Fatalf("it runs already")
	}
	out, err := os.Create(ts.MkAbs(args[0] + ".out"))
	ts.Check(err)
	defer out.Close()
	errs, err := os.Create(ts.MkAbs(args[0] + ".err"))
	ts.Check(err)
	defer errs.Close()
	r.server = exec.Command(program, args[1:]...)
	for _, name := range []string{"HOME", "DOSEVAULT_DIR", "DOSEVAULT_KEYS", "DOSEVAULT_LISTEN", "DOSEVAULT_VAULT_LISTEN", "DOSEVAULT_DATABASE", "DOSEVAULT_VAULT_DATABASE", "TZ", "PATH"} {
		r.server.Env = append(r.server.Env, name+"="+ts.Getenv(name))
	}
	r.server.Stdout, r.server.Stderr = out, errs
	ts.Check(r.server.Start())
	r.ended = make(chan error, 1)
	go func(c *exec.Cmd, ended chan error) { ended <- c.Wait() }(r.server, r.ended)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(ts.ReadFile(args[0]+".out")+ts.ReadFile(args[0]+".err"), "Pages: ") {
			return
		}
		select {
		case err := <-r.ended:
			r.server = nil
			ts.Fatalf("it ended before it was ready: %v\n%s", err, ts.ReadFile(args[0]+".err"))
		default:
		}
	}
	ts.Fatalf("it was not ready in time")
}

func halt(ts *testscript.TestScript, _ bool, _ []string) {
	if err := of(ts).stop(); err != nil {
		ts.Fatalf("%v", err)
	}
}

func (r *run) stop() error {
	if r.server == nil {
		return nil
	}
	defer func() { r.server = nil }()
	r.server.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-r.ended:
		return err
	case <-time.After(20 * time.Second):
		return errors.Join(errors.New("it did not stop within 20 seconds"), r.server.Process.Kill())
	}
}

// end stops what runs and looks for personal texts among what was printed as errors.
func (r *run) end(t *testing.T) {
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	logs, err := filepath.Glob(filepath.Join(r.work, "*.err"))
	if err != nil {
		t.Error(err)
	}
	for _, f := range logs {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Error(err)
		}
		r.Write(b)
	}
	if bytes.Contains(r.printed.Bytes(), []byte(password)) {
		t.Errorf("a password was printed:\n%s", &r.printed)
	}
	personal, err := os.ReadFile(filepath.Join(r.work, "personal"))
	if err != nil {
		return // the script has nobody in it
	}
	for _, text := range lines(personal) {
		if bytes.Contains(r.printed.Bytes(), []byte(text)) {
			t.Errorf("%q was printed as an error or logged:\n%s", text, &r.printed)
		}
	}
}

func lines(b []byte) (out []string) {
	for _, l := range strings.Split(string(b), "\n") {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

func keep(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: keep NAME TEXT FILE")
	}
	text, err := regexp.Compile(args[1])
	ts.Check(err)
	found := text.FindStringSubmatch(ts.ReadFile(args[2]))
	if len(found) != 2 {
		ts.Fatalf("%s has no %s", args[2], args[1])
	}
	ts.Setenv(args[0], found[1])
}

func nowhere(ts *testscript.TestScript, neg bool, args []string) {
	list := lines([]byte(ts.ReadFile(args[0])))
	if len(list) == 0 {
		ts.Fatalf("%s is empty", args[0])
	}
	files, found := 0, ""
	look := func(path string, d os.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) || err == nil && !d.Type().IsRegular() {
			return nil // a running server's files come and go
		}
		if err != nil {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		for _, text := range list {
			if bytes.Contains(b, []byte(text)) {
				found = fmt.Sprintf("%q stands in %s", text, filepath.Base(path))
			}
		}
		return err
	}
	ts.Check(filepath.WalkDir(ts.MkAbs(args[1]), look))
	if server := of(ts).files; server != "" {
		ts.Check(filepath.WalkDir(server, look))
	}
	switch {
	case files == 0:
		ts.Fatalf("there is no file in %s", args[1])
	case neg && found == "":
		ts.Fatalf("%q stands nowhere", list)
	case !neg && found != "":
		ts.Fatalf("%s", found)
	}
}

// Package house starts the real program for tests that attack it, or use it, from outside: built once for each test
// binary, on directories of the test's own, with invented people. It has no door that a user has not.
package house

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/testpasskey"
	"github.com/dosevault/dosevault/internal/testport"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// built is the directory of the built program.
var built string

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "dosevault-build")
	if err != nil {
		return "", err
	}
	built = dir
	exe := filepath.Join(dir, "dosevault")
	cmd := exec.Command("go", "build", "-o", exe, "github.com/dosevault/dosevault/cmd/dosevault")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the program: %w\n%s", err, out)
	}
	return exe, nil
})

// Binary returns the built program.
func Binary(t testing.TB) string {
	t.Helper()
	exe, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

// Main runs a test binary's tests and removes what was built for them: for TestMain.
func Main(m *testing.M, cleanup ...func()) {
	code := m.Run()
	for _, fn := range cleanup {
		fn()
	}
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// House is an installation of the real program on directories of the test's own.
type House struct {
	T             testing.TB
	Dir, Keys     string
	Listen, Vault string   // addresses of the pages and of the vault's sign-in
	Home          string   // for the command line's session
	Env           []string // more of the environment of its programs
	cmd           *exec.Cmd
	ended         chan error
	log           *safeBuffer
}

// New returns a house that is not started yet. Its directories have short paths, since a socket lies in them.
func New(t testing.TB) *House {
	t.Helper()
	base, err := os.MkdirTemp("", "dv")
	if err != nil {
		t.Fatal(err)
	}
	h := &House{T: t, Dir: filepath.Join(base, "data"), Keys: filepath.Join(base, "keys"), Home: filepath.Join(base, "home"), Listen: FreePort(t), Vault: FreePort(t), log: &safeBuffer{}}
	t.Cleanup(func() {
		h.Stop()
		if t.Failed() {
			t.Logf("the program's log:\n%s", h.log.String())
		}
		os.RemoveAll(base)
	})
	return h
}

// FreePort returns an address of this machine that nothing listens on.
func FreePort(t testing.TB) string {
	t.Helper()
	address, err := testport.Free()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// Command returns a command of the program on the house's directories, not started. Its environment is the house's.
func (h *House) Command(args ...string) *exec.Cmd {
	cmd := exec.Command(Binary(h.T), args...)
	cmd.Env = append(os.Environ(), "DOSEVAULT_DIR="+h.Dir, "DOSEVAULT_KEYS="+h.Keys, "HOME="+h.Home, "XDG_CONFIG_HOME="+filepath.Join(h.Home, ".config"), "XDG_DATA_HOME="+filepath.Join(h.Home, ".data"))
	cmd.Env = append(cmd.Env, h.Env...)
	return cmd
}

// Beside starts another process of the installation, such as a second worker, and returns once it is ready. It is killed
// when the test ends, if it has not ended before.
func (h *House) Beside(args ...string) *os.Process {
	h.T.Helper()
	cmd := h.Command(args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, h.log
	if err := cmd.Start(); err != nil {
		h.T.Fatal(err)
	}
	go func() {
		cmd.Wait()
		in.Close()
	}()
	h.T.Cleanup(func() { cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "ready\n" {
		h.T.Fatalf("%v did not start: %q, %v", args, line, err)
	}
	go io.Copy(io.Discard, out)
	return cmd.Process
}

// Run runs a command and returns what it printed on both outputs; the error says its exit.
func (h *House) Run(args ...string) (string, error) {
	out, err := h.Command(args...).CombinedOutput()
	return string(out), err
}

// Start starts demo or serve, and returns once the pages answer.
func (h *House) Start(args ...string) {
	h.T.Helper()
	h.Launch(args...)
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		select {
		case err := <-h.ended:
			h.ended <- err
			h.T.Fatalf("%v ended before it was ready: %v\n%s", args, err, h.log.String())
		default:
		}
		if strings.Contains(h.log.String(), "Pages: ") && h.Answers() {
			return
		}
	}
	h.T.Fatalf("%v was not ready in time\n%s", args, h.log.String())
}

// Answers reports whether the pages answer.
func (h *House) Answers() bool {
	resp, err := (&http.Client{Timeout: time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Get("http://" + h.Listen + "/welcome")
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode < 500
}

// Launch starts demo or serve in a process group of its own and returns at once.
func (h *House) Launch(args ...string) {
	h.T.Helper()
	h.cmd = h.Command(append(args, "--listen", h.Listen, "--vault-listen", h.Vault)...)
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	h.log.Reset()
	h.cmd.Stdout, h.cmd.Stderr = h.log, h.log
	if err := h.cmd.Start(); err != nil {
		h.T.Fatal(err)
	}
	h.ended = make(chan error, 1)
	go func(c *exec.Cmd, ended chan error) { ended <- c.Wait() }(h.cmd, h.ended)
}

// Log returns what the running program printed.
func (h *House) Log() string { return h.log.String() }

// Stop ends the program as a service manager would, and waits for it and its children.
func (h *House) Stop() {
	if h.cmd == nil {
		return
	}
	h.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-h.ended:
	case <-time.After(30 * time.Second):
		h.cmd.Process.Kill()
		h.T.Error("the program did not stop within 30 seconds")
	}
	h.cmd = nil
}

// Kill kills the supervisor and all its children with signal 9, and waits until they are gone.
func (h *House) Kill() {
	h.T.Helper()
	pids := append(h.Processes(), h.cmd.Process.Pid)
	for _, pid := range pids {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	<-h.ended
	for _, pid := range pids {
		for syscall.Kill(pid, 0) == nil {
			time.Sleep(5 * time.Millisecond)
		}
	}
	h.cmd = nil
}

// Processes returns the process ids of the supervisor's children.
func (h *House) Processes() []int {
	var pids []int
	// Each thread has the children that it started.
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", h.cmd.Process.Pid))
	for _, f := range threads {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // the thread has ended
		}
		for _, f := range strings.Fields(string(b)) {
			if n, err := strconv.Atoi(f); err == nil {
				pids = append(pids, n)
			}
		}
	}
	if len(pids) > 0 {
		return pids
	}
	// A kernel without these lists: look through all processes.
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range all {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		rest := string(b[bytes.LastIndexByte(b, ')')+1:])
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(h.cmd.Process.Pid) {
			if n, err := strconv.Atoi(filepath.Base(filepath.Dir(f))); err == nil {
				pids = append(pids, n)
			}
		}
	}
	return pids
}

// Process returns the id of the child that runs a subcommand: vault, web or worker.
func (h *House) Process(name string) int {
	h.T.Helper()
	for _, pid := range h.Processes() {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if args := bytes.Split(b, []byte{0}); err == nil && len(args) > 1 && string(args[1]) == name {
			return pid
		}
	}
	h.T.Fatalf("no process runs the %s", name)
	return 0
}

// Client returns a client of the vault as a node, with that node's own key: what somebody has who took the node over.
func (h *House) Client(node string) *vaultclient.Client {
	h.T.Helper()
	conf, err := vaultclient.NodeConfig(h.Keys, node, "unix:"+filepath.Join(h.Dir, "run", "vault.sock"))
	if err != nil {
		h.T.Fatal(err)
	}
	c := vaultclient.New(conf)
	h.T.Cleanup(c.Close)
	return c
}

// FirstLink returns the secret of the first sign-in link that serve printed.
func (h *House) FirstLink() string {
	h.T.Helper()
	for lines := bufio.NewScanner(strings.NewReader(h.log.String())); lines.Scan(); {
		if _, secret, ok := strings.Cut(lines.Text(), "secret="); ok {
			return strings.TrimSpace(secret)
		}
	}
	h.T.Fatalf("no sign-in link was printed:\n%s", h.log.String())
	return ""
}

// DemoUsers reads the users that a demonstration's sign-in page lists: id by name.
func (h *House) DemoUsers() map[string]string {
	h.T.Helper()
	resp, err := http.Get("http://" + h.Vault + "/signin?return=http://" + h.Listen)
	if err != nil {
		h.T.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.T.Fatal(err)
	}
	users := map[string]string{}
	for _, part := range strings.Split(string(b), `name="user" value="`)[1:] {
		user, rest, _ := strings.Cut(part, `"`)
		_, rest, _ = strings.Cut(rest, "<button>")
		name, _, _ := strings.Cut(rest, "</button>")
		users[name] = user
	}
	return users
}

// Code signs in as a user of a demonstration the way a browser does, and returns the code that it is sent back to the node web with.
func (h *House) Code(user string) (string, error) {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm("http://"+h.Vault+"/signin", map[string][]string{"return": {"http://" + h.Listen}, "user": {user}})
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	to, err := resp.Location()
	if err != nil {
		return "", errors.Join(fmt.Errorf("status %d", resp.StatusCode), err)
	}
	return to.Query().Get("code"), nil
}

// SignIn signs in as a user of a demonstration, and redeems the code as a node.
func (h *House) SignIn(c *vaultclient.Client, user string) (vaultclient.Auth, error) {
	code, err := h.Code(user)
	if err != nil {
		return vaultclient.Auth{}, err
	}
	s, err := c.RedeemCode(context.Background(), code)
	return vaultclient.Auth{Session: s.Token}, err
}

// Enrol spends a one-time link for a passkey as a browser does, and redeems the code that it is sent on with as the node web.
func (h *House) Enrol(c *vaultclient.Client, secret string) (vaultclient.Auth, error) {
	d, err := testpasskey.New("http://" + h.Vault)
	if err != nil {
		return vaultclient.Auth{}, err
	}
	code, err := d.Enrol(context.Background(), secret)
	if err != nil {
		return vaultclient.Auth{}, err
	}
	s, err := c.RedeemCode(context.Background(), code)
	return vaultclient.Auth{Session: s.Token}, err
}

// CommandLine returns a code from the vault's own pages by which a user of a demonstration signs in on the command line.
func (h *House) CommandLine(user string) (string, error) {
	client, err := h.Browser(user)
	if err != nil {
		return "", err
	}
	defer client.CloseIdleConnections()
	page, err := read(client.PostForm("http://"+h.Vault+"/account/command-line", nil))
	if err != nil {
		return "", err
	}
	_, rest, ok := strings.Cut(page, `readonly value="`)
	secret, _, _ := strings.Cut(rest, `"`)
	if !ok {
		return "", errors.New("no code for the command line")
	}
	return secret, nil
}

// Browser returns a client that is signed in on the vault's own pages as a user of a demonstration.
func (h *House) Browser(user string) (*http.Client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Jar: jar}
	_, err = read(client.PostForm("http://"+h.Vault+"/signin", url.Values{"to": {"/account"}, "user": {user}}))
	return client, err
}

// Sign has a user of a demonstration read a proposal on the vault's own pages and sign it.
func (h *House) Sign(user string, n id.Approval) error {
	client, err := h.Browser(user)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	page, err := read(client.Get("http://" + h.Vault + "/approvals/" + n.String()))
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(page, `name="digest" value="`)
	digest, _, ok := strings.Cut(rest, `"`)
	if !ok {
		return errors.New("there is nothing to sign")
	}
	_, err = read(client.PostForm("http://"+h.Vault+"/approvals/"+n.String()+"/sign", url.Values{"digest": {digest}}))
	return err
}

// Agree has two users of a demonstration agree to something: the first one, whose session is given, proposes it by a node, and
// both sign it on the vault's own pages.
func (h *House) Agree(c *vaultclient.Client, auth vaultclient.Auth, one, other string, kind vaultclient.ApprovalKind, body any) (id.Approval, error) {
	n, err := c.Propose(context.Background(), auth, kind, body)
	if err != nil {
		return n, err
	}
	return n, errors.Join(h.Sign(one, n), h.Sign(other, n))
}

// read returns the text of a page; one that is not answered well is an error.
func read(resp *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", resp.StatusCode)
	}
	return string(b), err
}

// Office signs a user of a demonstration in on the command line and returns its client and session.
func (h *House) Office(user string) (*vaultclient.Client, vaultclient.Auth, error) {
	h.T.Helper()
	c := h.Client("cli")
	code, err := h.CommandLine(user)
	if err != nil {
		return c, vaultclient.Auth{}, err
	}
	s, err := c.RedeemLink(context.Background(), code)
	return c, vaultclient.Auth{Session: s.Token}, err
}

// safeBuffer is a buffer that a process writes and a test reads.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (s *safeBuffer) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.b.Reset()
}

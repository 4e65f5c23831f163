package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/dosevault/dosevault/internal/api"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/store/postgres/server"
	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/vaultcmd"
	"github.com/dosevault/dosevault/internal/web"
	"github.com/dosevault/dosevault/internal/worker"
)

// nodesFlag is where nodes of other machines reach the vault. Who may call is decided by certificate, there as on the socket.
type nodesFlag struct {
	VaultNodes string `help:"Address on which the vault also answers nodes of other machines, by their certificates, as in vault.example.org:8443." env:"DOSEVAULT_VAULT_NODES" placeholder:"ADDRESS" group:"place"`
}

func (n nodesFlag) flags() []string {
	if n.VaultNodes == "" {
		return nil
	}
	return []string{"--vault-nodes", n.VaultNodes}
}

// oneAdministrator declares that a single administrator decides. Ending it needs no keys: that is done on the vault's own pages.
type oneAdministrator struct {
	SingleAdministrator      bool          `help:"Declare that a single administrator decides here: what takes two people takes effect without a second one, after a delay in which it can be declined. It stays declared until somebody ends it on the vault's own pages."`
	SingleAdministratorDelay time.Duration `help:"That delay, at most 144h; 0s for trials with invented people." default:"24h" placeholder:"TIME"`
}

// delay is what was declared, nil when nothing was.
func (o oneAdministrator) delay() *time.Duration {
	if !o.SingleAdministrator {
		return nil
	}
	return &o.SingleAdministratorDelay
}

// sessionLimits are how long somebody stays signed in on the pages and the command line.
type sessionLimits struct {
	SessionIdle  time.Duration `help:"How long a session may go unused." default:"${session_idle}" env:"DOSEVAULT_SESSION_IDLE" group:"place"`
	SessionLimit time.Duration `help:"How long a session lasts at most." default:"${session_limit}" env:"DOSEVAULT_SESSION_LIMIT" group:"place"`
}

func (s sessionLimits) limits() vault.SessionLimits {
	return vault.SessionLimits{Idle: s.SessionIdle, Lifetime: s.SessionLimit}
}

// flags are the limits as they are passed on to the vault's process.
func (s sessionLimits) flags() []string {
	return []string{"--session-idle", s.SessionIdle.String(), "--session-limit", s.SessionLimit.String()}
}

// budgetFlags say how much may be read in a day.
type budgetFlags struct {
	BudgetFactor int `help:"Multiply what users may read in a day by this, for a service of more than some 20,000 people. It is entered at each start." default:"1" env:"DOSEVAULT_BUDGET_FACTOR" placeholder:"N" group:"place"`
}

// flags are those that are passed on to the vault's process.
func (b budgetFlags) flags() []string {
	return []string{"--budget-factor", strconv.Itoa(b.BudgetFactor)}
}

func (b budgetFlags) check() error {
	if b.BudgetFactor < 1 || b.BudgetFactor > vault.MaxBudgetFactor {
		return fmt.Errorf("--budget-factor: 1 to %d is expected", vault.MaxBudgetFactor)
	}
	return nil
}

// VaultCmd runs the vault alone.
type VaultCmd struct {
	place
	addresses
	oneAdministrator
	sessionLimits
	budgetFlags
	alarmSettings
	nodesFlag
	Demo    bool   `help:"List every user on the sign-in page." hidden:""`
	LinkFor string `help:"Make a sign-in link for this user." hidden:"" env:"DOSEVAULT_LINK_FOR"`
}

// Run runs the vault until it is told to stop; see package vaultcmd for what it prints.
func (c *VaultCmd) Run(e *env) error {
	if c.Demo != c.isDemo() {
		return errors.New("a demonstration is started by dosevault demo, and nothing else by it")
	}
	if err := c.check(); err != nil {
		return err
	}
	pages, signIn, err := c.origins()
	if err != nil {
		return err
	}
	alarms, err := c.settings()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(e.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	return vaultcmd.Run(ctx, vaultcmd.Config{Database: c.vaultDB(), Address: c.VaultDatabase, Keys: c.Keys, Socket: c.socket(), Nodes: c.VaultNodes, Listen: c.VaultListen, Certificate: c.vaultCertificate(), Origin: signIn, Pages: pages, Demo: c.Demo, Single: c.delay(), LinkFor: c.LinkFor, Budgets: c.BudgetFactor, Sessions: c.limits(), Alarms: alarms, Ready: e.stdout, Log: e.log})
}

// WebCmd runs a web node alone.
type WebCmd struct {
	place
	addresses
	Warning []web.Weakness `help:"What does not hold on this set-up, shown to users." hidden:"" sep:"none"`
}

// Run serves the pages until it is told to stop.
func (c *WebCmd) Run(e *env) error {
	ctx, stop := signal.NotifyContext(e.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	pages, signIn, err := c.origins()
	if err != nil {
		return err
	}
	client, err := c.client("web")
	if err != nil {
		return err
	}
	defer client.Close()
	svc, closeRegister, err := c.openRegister(ctx, "web", id.Owner{}, e.log)
	if err != nil {
		return err
	}
	defer closeRegister()
	handler := web.New(web.Config{Vault: client, Register: pagesRegister{svc, client}, Origin: pages, VaultOrigin: signIn, Demo: c.isDemo(), Now: time.Now, Log: e.log, Warnings: c.Warning})
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	mux.Handle(api.Prefix+"/", api.New(api.Config{Vault: client, Register: svc, Now: time.Now, Log: e.log}))
	l, err := c.certificate().Listen(ctx, c.Listen, e.log)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(e.log.Handler(), slog.LevelWarn)}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	fmt.Fprintln(e.stdout, "ready")
	select {
	case <-ctx.Done():
	case err = <-failed:
		return err
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return server.Shutdown(end)
}

// WorkerCmd runs a worker alone.
type WorkerCmd struct {
	place
	Number int `help:"Which of the workers with this data directory on this machine it is, so that it takes back at once what it left when it ended. 0: another one each time." default:"0"`
}

// Run works through what waits in the register until it is told to stop.
func (c *WorkerCmd) Run(e *env) error {
	// What a worker has in memory is mostly what it works on: it is collected less often while there is room.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(256 << 20)
	ctx, stop := signal.NotifyContext(e.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	svc, closeRegister, err := c.openRegister(ctx, "worker", c.owner(c.Number), e.log)
	if err != nil {
		return err
	}
	defer closeRegister()
	fmt.Fprintln(e.stdout, "ready")
	return worker.Run(ctx, svc, e.log)
}

// ServeCmd runs vault, web node and worker on one machine.
type ServeCmd struct {
	place
	addresses
	oneAdministrator
	sessionLimits
	budgetFlags
	alarmSettings
	nodesFlag
	LinkFor string `help:"Print a sign-in link for the user of this name: the way back in when nobody who could make one can sign in. It is entered in the installation's log." placeholder:"NAME"`
	UID     int    `help:"When started as root: run vault, web node and worker as three users from this number on, and this group. 0 runs all as root." default:"0" name:"uid"`
	Workers int    `help:"How many workers to run beside each other. Imports of several files then go on at the same time." default:"1"`
}

// Run makes an installation where there is none and serves it.
func (c *ServeCmd) Run(e *env) error {
	if c.isDemo() {
		return fmt.Errorf("%s is a demonstration with invented people: dosevault demo serves it; choose another --dir for the real thing", c.Dir)
	}
	if err := c.check(); err != nil {
		return err
	}
	pages, signIn, err := c.origins()
	if err != nil {
		return err
	}
	if err := c.limits().Check(); err != nil {
		return fmt.Errorf("--session-idle, --session-limit: %w", err)
	}
	if err := c.prepare(false); err != nil {
		return err
	}
	warnings := c.warnings(c.UID)
	if c.SingleAdministrator {
		warnings = append(warnings, web.OneAdministrator(c.SingleAdministratorDelay.String()))
	}
	texts := make([]string, len(warnings))
	for i, w := range warnings {
		texts[i] = w.Text(e.ctx)
	}
	fmt.Fprintln(e.stderr, "Not held on this set-up: "+strings.Join(texts, "; ")+".")
	s := &supervisor{place: c.place, addresses: c.addresses, e: e, uid: c.UID, linkFor: c.LinkFor, single: c.delay(), workers: c.Workers, vaultFlags: slices.Concat(c.sessionLimits.flags(), c.budgetFlags.flags(), c.nodesFlag.flags()), vaultEnv: c.environment(), warnings: warnings}
	what := "First sign-in"
	if c.LinkFor != "" {
		what = "Sign-in"
	}
	return s.run(func(link string) {
		if link != "" {
			fmt.Fprintf(e.stdout, "%s, once, within ten minutes: %s/link?secret=%s\n", what, signIn, link)
		}
		fmt.Fprintf(e.stdout, "Pages: %s\n", pages)
	})
}

// warnings says which promises do not hold on this set-up.
func (p place) warnings(uid int) []web.Weakness {
	var w []web.Weakness
	if !server.Remote(p.Database) || !server.Remote(p.VaultDatabase) {
		w = append(w, web.OneDisk)
	}
	if os.Geteuid() != 0 || uid == 0 {
		w = append(w, web.OneUser)
	}
	return append(w, web.NoWitness)
}

// supervisor starts the processes of one machine and starts again what ends by itself.
type supervisor struct {
	place
	addresses
	e        *env
	uid      int
	demo     bool
	linkFor  string // at the vault's first start only
	single   *time.Duration
	workers  int      // 0: one
	vaultEnv []string // what only the vault's process is told
	warnings []web.Weakness

	vaultFlags []string // for the vault's process, besides those of every process
	vaultAlone bool     // no web node and no worker

	mu       sync.Mutex
	stopping bool
	running  map[int]*exec.Cmd
}

// run serves until it is told to stop; ready is called once all are up, with the secret of a first sign-in link if there is one.
func (s *supervisor) run(ready func(link string)) error {
	ctx, stop := signal.NotifyContext(s.e.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	link, err := s.start(ctx)
	if err != nil {
		s.stop()
		return err
	}
	ready(link)
	<-ctx.Done()
	s.stop()
	return nil
}

// start brings all processes up, the vault first.
func (s *supervisor) start(ctx context.Context) (link string, err error) {
	if err := s.own(); err != nil {
		return "", err
	}
	s.running = map[int]*exec.Cmd{}
	flags := []string{"--dir", s.Dir, "--keys", s.Keys}
	listen := s.addresses.flags()
	vaultArgs := slices.Concat([]string{"vault"}, flags, listen, s.vaultFlags)
	if s.demo {
		vaultArgs = append(vaultArgs, "--demo")
	}
	if s.single != nil {
		vaultArgs = append(vaultArgs, "--single-administrator", "--single-administrator-delay", s.single.String())
	}
	webArgs := append(append([]string{"web"}, flags...), listen...)
	for _, w := range s.warnings {
		webArgs = append(webArgs, "--warning", string(w))
	}
	all := [][]string{vaultArgs, webArgs}
	for n := range max(s.workers, 1) {
		all = append(all, append([]string{"worker", "--number", strconv.Itoa(n + 1)}, flags...))
	}
	if s.vaultAlone {
		all = all[:1]
	}
	for i, args := range all {
		l, err := s.launch(ctx, i, args)
		if err != nil {
			return "", fmt.Errorf("starting the %s: %w", args[0], err)
		}
		if l != "" {
			link = l
		}
	}
	return link, nil
}

// own gives each process what is its own, when they run as different users.
func (s *supervisor) own() error {
	if s.uid == 0 || os.Geteuid() != 0 {
		return nil
	}
	return ownership(s.place, s.uid)
}

// launch starts one process, waits until it is ready, and has it started again when it ends.
func (s *supervisor) launch(ctx context.Context, i int, args []string) (link string, err error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), exe, args...) // stop ends it, the vault last
	cmd.Stderr = s.e.stderr
	cmd.Env = append(s.environment(args[0]), supervised+"=1")
	if args[0] == "vault" && s.linkFor != "" {
		cmd.Env = append(cmd.Env, "DOSEVAULT_LINK_FOR="+s.linkFor) // not an argument, which anybody on the machine can read
		s.linkFor = ""
	}
	// A child ends when this pipe does, so that none is left behind by a supervisor that was killed.
	leash, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if s.uid != 0 && os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(s.uid + min(i, 2)), Gid: uint32(s.uid)}
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	if s.stopping {
		s.mu.Unlock()
		return "", context.Canceled
	}
	if err := cmd.Start(); err != nil {
		s.mu.Unlock()
		return "", err
	}
	s.running[i] = cmd
	s.mu.Unlock()
	lines := bufio.NewScanner(out)
	up := false
	for lines.Scan() {
		if l, ok := strings.CutPrefix(lines.Text(), "link "); ok {
			link = l
		}
		if lines.Text() == "ready" {
			up = true
			break
		}
	}
	if !up {
		err := cmd.Wait()
		return "", fmt.Errorf("it ended before it was ready: %w", errors.Join(err))
	}
	go func() {
		io.Copy(io.Discard, out)
		err := cmd.Wait()
		leash.Close()
		s.again(ctx, i, args, err)
	}()
	return link, nil
}

// environment is what a process sees: of the databases' addresses its own one. They are no arguments, which anybody on the
// machine can read.
func (s *supervisor) environment(process string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		if process != "vault" && slices.ContainsFunc(alarmSecrets, func(name string) bool { return strings.HasPrefix(v, name) }) {
			return true
		}
		return strings.HasPrefix(v, "DOSEVAULT_DATABASE=") || strings.HasPrefix(v, "DOSEVAULT_VAULT_DATABASE=")
	})
	if process == "vault" {
		return append(append(env, "DOSEVAULT_VAULT_DATABASE="+s.VaultDatabase), s.vaultEnv...)
	}
	return append(env, "DOSEVAULT_DATABASE="+s.Database)
}

// again starts a process that ended by itself, less and less often.
func (s *supervisor) again(ctx context.Context, i int, args []string, why error) {
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		s.mu.Lock()
		stopping := s.stopping
		s.mu.Unlock()
		if stopping || ctx.Err() != nil {
			return
		}
		s.e.log.Error("a process ended; starting it again", "process", args[0], "error", why, "in", wait)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if _, why = s.launch(ctx, i, args); why == nil {
			return
		}
	}
}

// stop ends all processes, the vault last, and waits.
func (s *supervisor) stop() {
	s.mu.Lock()
	s.stopping = true
	running := s.running
	s.mu.Unlock()
	for _, i := range slices.Backward(slices.Sorted(maps.Keys(running))) {
		cmd := running[i]
		if cmd == nil || cmd.Process == nil {
			continue
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			continue // it has ended
		}
		for range 150 {
			if err := cmd.Process.Signal(syscall.Signal(0)); err != nil {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
}

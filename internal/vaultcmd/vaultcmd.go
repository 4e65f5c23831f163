// Package vaultcmd runs the vault as a process of its own: its wire for nodes and its own web origin. It links the
// vault and its store and nothing else of the house, so that the dependency list of cmd/dosevault-vault is the vault's.
package vaultcmd

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/dosevault/dosevault/internal/store/postgres/server"
	postgres "github.com/dosevault/dosevault/internal/store/postgres/vaultdb"
	sqlite "github.com/dosevault/dosevault/internal/store/sqlite/vaultdb"
	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/vault/courier"
	"github.com/dosevault/dosevault/internal/vault/origin"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Config is what the process works with.
type Config struct {
	Database string // path of vault.db
	Address  string // of a PostgreSQL database instead of the file; empty: the file
	Keys     string // key directory
	Socket   string // path where nodes of this machine reach the vault
	Nodes    string // address where nodes of other machines do; empty: none can
	Listen   string // address of the sign-in pages
	Certificate
	Origin string // those pages as browsers see them, as in http://localhost:8081
	Pages  string // origin of the web node that browsers are sent back to, as in http://localhost:8080
	Demo   bool   // list every user on the sign-in page: invented people only
	// Single, when set, declares that a single administrator decides, after this delay.
	Single   *time.Duration
	LinkFor  string // name of a user who gets a sign-in link at this start; empty: nobody
	Sessions vault.SessionLimits
	Alarms   courier.Settings // where alarms go
	Ready    io.Writer
	Log      *slog.Logger
	Budgets  int // what the default budgets are multiplied by; 0: 1
}

// Run runs the vault until the context ends. It writes lines to Ready: "link SECRET" for a first sign-in or the one asked for, then "ready".
func Run(ctx context.Context, c Config) error {
	// A crash must not write the vault's memory to a disk.
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("forbidding core dumps: %w", err)
	}
	store, err := c.open(ctx)
	if err != nil {
		return err
	}
	v, err := vault.Open(ctx, vault.Config{Store: store, Keys: vault.KeyDir(c.Keys), Now: time.Now, Log: c.Log, BudgetFactor: c.Budgets, Sessions: c.Sessions,
		Origin: c.Origin, Demo: c.Demo})
	if err != nil {
		return errors.Join(err, store.Close())
	}
	collecting, cancel := context.WithCancel(ctx)
	defer cancel()
	go collectSeldom(collecting)
	return errors.Join(c.serve(ctx, v), v.Close())
}

func (c Config) open(ctx context.Context) (vault.Store, error) {
	if c.Address != "" {
		return postgres.Open(ctx, c.Address)
	}
	return sqlite.Open(ctx, c.Database)
}

func (c Config) serve(ctx context.Context, v *vault.Vault) error {
	first := "First co-ordinator"
	if c.Demo {
		first = "Eleri Vaughan"
	}
	link, err := v.FirstUser(ctx, first)
	if err != nil {
		return err
	}
	switch {
	case c.Single != nil:
		err = v.SingleAdministrator(ctx, *c.Single)
	case c.Demo && link != "":
		// A demonstration fills itself through the doors of its first co-ordinator, before there is anybody to approve.
		err = v.SingleAdministrator(ctx, 0)
	}
	if err != nil {
		return err
	}
	if delay, ok := v.Single(); ok {
		c.Log.Warn("a single administrator decides here: what elsewhere takes two people takes effect without a second one", "after", delay)
	}
	if c.LinkFor != "" {
		if link, err = v.LinkAtStart(ctx, c.LinkFor); err != nil {
			return err
		}
	}
	if link != "" {
		fmt.Fprintln(c.Ready, "link", link)
	}
	server, err := vault.NewServer(v, vault.KeyDir(c.Keys))
	if err != nil {
		return err
	}
	alarms, err := courier.New(v, c.Alarms, c.Origin, time.Now, c.Log)
	if err != nil {
		return err
	}
	wires, err := c.wires(ctx)
	if err != nil {
		return err
	}
	signIn, err := c.Certificate.Listen(ctx, c.Listen, c.Log)
	if err != nil {
		closeAll(wires)
		return err
	}
	pages := (&origin.Origin{Vault: v, URL: c.Origin, Nodes: map[string]string{c.Pages: "web"}, Demo: c.Demo, Log: c.Log}).Server()
	failed := make(chan error, 1+len(wires))
	for _, wire := range wires {
		go func() { failed <- server.Serve(wire) }()
	}
	go func() { failed <- pages.Serve(signIn) }()
	if alarms != nil {
		delivering, cancel := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			alarms.Run(delivering)
		}()
		defer func() {
			cancel()
			<-done
		}()
	}
	fmt.Fprintln(c.Ready, "ready")
	select {
	case <-ctx.Done():
	case <-v.Stopped():
		err = fmt.Errorf("the ledger can't be written, so the vault stops: free space or mend the disk, then start again: %w", v.Err())
	case err = <-failed:
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, server.Shutdown(end), pages.Shutdown(end))
}

// Thaw opens a vault that is stopped, and thaws a scope without a second person; without a scope it lists what is frozen.
func Thaw(ctx context.Context, c Config, scope string) (err error) {
	if conn, err := (&net.Dialer{}).DialContext(ctx, "unix", c.Socket); err == nil {
		conn.Close()
		return fmt.Errorf("a vault answers on %s: stop the service first", c.Socket)
	}
	store, err := c.open(ctx)
	if err != nil {
		return err
	}
	v, err := vault.Open(ctx, vault.Config{Store: store, Keys: vault.KeyDir(c.Keys), Now: time.Now, Log: c.Log, Sessions: vault.DefaultSessionLimits})
	if err != nil {
		return errors.Join(err, store.Close())
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	if scope == "" {
		frozen := v.FrozenOffline()
		for _, s := range frozen {
			fmt.Fprintln(c.Ready, s)
		}
		if len(frozen) == 0 {
			fmt.Fprintln(c.Ready, "Nothing is frozen.")
		}
		return nil
	}
	parsed, err := vaultclient.ParseScope(scope)
	if err != nil {
		return err
	}
	if err := v.ThawOffline(ctx, parsed); err != nil {
		return err
	}
	fmt.Fprintf(c.Ready, "Thawed: %s. That is entered in the installation's log, and an alarm goes out when the service starts.\n", parsed)
	return nil
}

// wires listens wherever nodes reach the vault.
func (c Config) wires(ctx context.Context) ([]net.Listener, error) {
	local, err := c.socket(ctx)
	if err != nil || c.Nodes == "" {
		return []net.Listener{local}, err
	}
	network, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Nodes)
	if err != nil {
		local.Close()
		return nil, fmt.Errorf("listening for nodes of other machines: %w", err)
	}
	return []net.Listener{local, network}, nil
}

func closeAll(ls []net.Listener) {
	for _, l := range ls {
		l.Close()
	}
}

// socket listens where nodes of this machine reach the vault. A socket left by a vault that was killed is in the way; one that answers
// belongs to another vault.
func (c Config) socket(ctx context.Context) (net.Listener, error) {
	if conn, err := (&net.Dialer{}).DialContext(ctx, "unix", c.Socket); err == nil {
		conn.Close()
		return nil, fmt.Errorf("another vault answers on %s", c.Socket)
	}
	if err := os.Remove(c.Socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", c.Socket)
	if err != nil {
		return nil, err
	}
	// Who may connect is decided by certificate; the directory decides who may try.
	return l, os.Chmod(c.Socket, 0o660)
}

// Main runs the vault with flags of its own and returns the exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	c := Config{Ready: stdout, Log: slog.New(slog.NewTextHandler(stderr, nil))}
	f := flag.NewFlagSet("dosevault-vault", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&c.Database, "database", "", "path of vault.db, or the address of a PostgreSQL database; one with a password belongs into DOSEVAULT_VAULT_DATABASE instead")
	f.StringVar(&c.Keys, "keys", "", "key directory")
	f.StringVar(&c.Socket, "socket", "", "path of the socket for nodes of this machine")
	f.StringVar(&c.Nodes, "nodes", "", "address, host and port, where nodes of other machines reach the vault with their certificates; none without it")
	f.StringVar(&c.Listen, "listen", "localhost:8081", "address of the sign-in pages")
	f.StringVar(&c.Origin, "origin", "", "the same as browsers see it, as in https://vault.badges.example.org; http:// and that address without it")
	f.StringVar(&c.Cert, "tls-cert", "", "file with the certificates that those pages are served with; without it only this machine may reach them")
	f.StringVar(&c.Key, "tls-key", "", "file with their key")
	f.StringVar(&c.LinkFor, "link-for", "", "name of a user to make a sign-in link for, when nobody who could can sign in")
	single := f.Bool("single-administrator", false, "declare that a single administrator decides: what takes two people takes effect without a second one, after a delay")
	delay := f.Duration("single-administrator-delay", vault.DefaultDelay, "that delay, at most six days; 0 for trials with invented people")
	f.DurationVar(&c.Sessions.Idle, "session-idle", vault.DefaultSessionLimits.Idle, "how long a session may go unused")
	f.DurationVar(&c.Sessions.Lifetime, "session-limit", vault.DefaultSessionLimits.Lifetime, "how long a session lasts at most")
	f.IntVar(&c.Budgets, "budget-factor", 1, "what the default budgets are multiplied by, for a service of many people")
	thaw := f.String("thaw", "", "thaw this, as in user:ID, without a second person, and end; the vault must be stopped")
	mail := f.String("alarm-mail", "", "e-mail addresses that alarms go to, with commas between them")
	f.StringVar(&c.Alarms.From, "alarm-from", "", "sender of these e-mails")
	f.StringVar(&c.Alarms.SMTP, "smtp", "", "mail server, as in smtps://user@mail.board.example; its password in DOSEVAULT_SMTP_PASSWORD")
	f.StringVar(&c.Alarms.Webhook, "alarm-webhook", "", "address that alarms are posted to, signed with the key in DOSEVAULT_ALARM_WEBHOOK_KEY")
	f.StringVar(&c.Pages, "pages", "http://localhost:8080", "origin of the web node")
	if err := f.Parse(args); err != nil {
		return 2
	}
	// The environment says what no argument does: arguments can be read by anybody on the machine.
	if to := cmp.Or(*mail, os.Getenv("DOSEVAULT_ALARM_MAIL")); to != "" {
		c.Alarms.Mail = strings.Split(to, ",")
	}
	c.Alarms.From = cmp.Or(c.Alarms.From, os.Getenv("DOSEVAULT_ALARM_FROM"))
	c.Alarms.SMTP = cmp.Or(c.Alarms.SMTP, os.Getenv("DOSEVAULT_SMTP"))
	c.Alarms.Webhook = cmp.Or(c.Alarms.Webhook, os.Getenv("DOSEVAULT_ALARM_WEBHOOK"))
	c.Alarms.Password, c.Alarms.WebhookKey = os.Getenv("DOSEVAULT_SMTP_PASSWORD"), os.Getenv("DOSEVAULT_ALARM_WEBHOOK_KEY")
	c.Origin = cmp.Or(c.Origin, "http://"+c.Listen)
	if c.Database == "" {
		c.Database = os.Getenv("DOSEVAULT_VAULT_DATABASE")
	}
	if *single {
		c.Single = delay
	}
	if server.Is(c.Database) {
		c.Address = c.Database
	}
	if c.Budgets < 1 || c.Budgets > vault.MaxBudgetFactor {
		fmt.Fprintf(stderr, "dosevault-vault: --budget-factor: 1 to %d is expected\n", vault.MaxBudgetFactor)
		return 2
	}
	if c.Database == "" || c.Keys == "" || c.Socket == "" || f.NArg() > 0 {
		fmt.Fprintln(stderr, "dosevault-vault: --database, --keys and --socket are needed")
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := Run
	if *thaw != "" {
		run = func(ctx context.Context, c Config) error { return Thaw(ctx, c, *thaw) }
	}
	if err := run(ctx, c); err != nil {
		fmt.Fprintln(stderr, "dosevault-vault:", err)
		return 1
	}
	return 0
}

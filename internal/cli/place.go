package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/store/postgres"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// place is where an installation lies on this machine: the data directory and the key directory.
//
//	DIR/vault/vault.db          the vault's database
//	DIR/register/register.db    the register's
//	DIR/run/vault.sock          where nodes on this machine reach the vault
//	DIR/demo                    marks a demonstration, which is never served as the real thing
//
// Each database can be on a PostgreSQL server instead.
type place struct {
	Dir  string `help:"Data directory." default:"${dir}" env:"DOSEVAULT_DIR" type:"path" group:"place"`
	Keys string `help:"Key directory; must lie outside the data directory." default:"${keys}" env:"DOSEVAULT_KEYS" type:"path" group:"place"`
	// VaultAddress is where a node of another machine than the vault's reaches it.
	VaultAddress string `help:"Where a node of another machine reaches the vault, as in vault.example.org:8443. Without it: by the socket in --dir." env:"DOSEVAULT_VAULT_ADDRESS" placeholder:"ADDRESS" group:"place"`
	databases
}

// databases are the addresses of databases on PostgreSQL; empty: a file in the data directory. They may hold a password,
// and are never printed.
type databases struct {
	Database      string `help:"Address of the register's PostgreSQL database, such as postgres://USER@HOST/NAME?sslmode=verify-full. Without it the register is a file in --dir." env:"DOSEVAULT_DATABASE" placeholder:"ADDRESS" group:"place"`
	VaultDatabase string `help:"Address of the vault's PostgreSQL database, another one." env:"DOSEVAULT_VAULT_DATABASE" placeholder:"ADDRESS" group:"place"`
}

func (p place) vaultDB() string    { return filepath.Join(p.Dir, "vault", "vault.db") }
func (p place) registerDB() string { return filepath.Join(p.Dir, "register", "register.db") }
func (p place) socket() string     { return filepath.Join(p.Dir, "run", "vault.sock") }
func (p place) demoMark() string   { return filepath.Join(p.Dir, "demo") }
func (p place) keyDir() vault.KeyDir {
	return vault.KeyDir(p.Keys)
}

// nodes are the nodes of an installation on one machine.
var nodes = []string{"web", "worker", "cli"}

// isDemo reports whether the data directory is a demonstration's.
func (p place) isDemo() bool {
	_, err := os.Stat(p.demoMark())
	return err == nil
}

// exists reports whether an installation was made here.
func (p place) exists() bool {
	proof := p.vaultDB()
	if p.Database != "" || p.VaultDatabase != "" || p.VaultAddress != "" {
		proof = filepath.Join(p.Keys, "nodes", "vault.crt") // of a vault that may be elsewhere
	}
	_, err := os.Stat(proof)
	return err == nil
}

// prepare makes the directories and, for a new installation, the keys.
func (p place) prepare(demo bool) error {
	if p.VaultAddress != "" {
		return errors.New("--vault-address says where another machine's vault is, and here one is to be started: give --vault-nodes to this one, or start web and worker alone with --vault-address")
	}
	if err := vault.CheckKeyDir(p.Keys, p.Dir); err != nil {
		return err
	}
	if p.Database != "" && p.Database == p.VaultDatabase {
		return errors.New("the vault and the register need two databases: whoever holds the one must not hold the other")
	}
	if len(p.socket()) > 100 {
		return fmt.Errorf("the data directory's path is too long for a socket in it (%d of 100 characters): choose a shorter --dir", len(p.socket()))
	}
	if p.exists() && !p.keyDir().Exists() {
		return fmt.Errorf("%s holds an installation, but %s holds no keys: give the --keys that belong to it", p.Dir, p.Keys)
	}
	if !p.exists() && demo {
		if entries, err := os.ReadDir(p.Dir); err == nil && len(entries) > 0 && !p.isDemo() {
			return fmt.Errorf("%s is not empty and no demonstration: choose another --dir", p.Dir)
		}
	}
	for _, sub := range []string{"", "vault", "register", "run"} {
		if err := os.MkdirAll(filepath.Join(p.Dir, sub), 0o700); err != nil {
			return fmt.Errorf("making the data directory: %w", err)
		}
	}
	if demo {
		if err := os.WriteFile(p.demoMark(), []byte("This directory holds invented people only.\n"), 0o600); err != nil {
			return err
		}
	}
	if !p.keyDir().Exists() {
		if err := p.keyDir().Create(nodes, time.Now()); err != nil {
			return err
		}
	}
	// SQLite gives its write-ahead log the database's mode, so the mode is set before it makes anything.
	var files []string
	if p.VaultDatabase == "" {
		files = append(files, p.vaultDB())
	}
	if p.Database == "" {
		files = append(files, p.registerDB())
	}
	for _, db := range files {
		f, err := os.OpenFile(db, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return fmt.Errorf("making the databases: %w", err)
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// client returns the vault's client for a node of this machine.
func (p place) client(node string) (*vaultclient.Client, error) {
	conf, err := vaultclient.NodeConfig(p.Keys, node, cmp.Or(p.VaultAddress, "unix:"+p.socket()))
	if err != nil {
		return nil, err
	}
	return vaultclient.New(conf), nil
}

// openRegister opens the register for a node. A zero owner is one for this process.
func (p place) openRegister(ctx context.Context, node string, owner id.Owner, log *slog.Logger) (*register.Service, func() error, error) {
	client, err := p.client(node)
	if err != nil {
		return nil, nil, err
	}
	store, err := p.registerStore(ctx)
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	svc := register.New(register.Config{Store: store, Vault: client, Now: time.Now, Log: log, Node: node, Owner: owner})
	return svc, func() error {
		client.Close()
		return store.Close()
	}, nil
}

// owner is whose the imports are that a worker works on: always the same for one of this number, machine and directory, so
// that after a crash it takes back its own at once.
func (p place) owner(number int) id.Owner {
	host, err := os.Hostname()
	if err != nil || number == 0 {
		return id.Owner{} // one for this process: its imports are taken over after a while
	}
	h := sha256.Sum256(fmt.Appendf(nil, "worker\x00%s\x00%s\x00%d", host, p.Dir, number))
	return id.Owner(h[:16])
}

func (p place) registerStore(ctx context.Context) (register.Store, error) {
	if p.Database != "" {
		return postgres.OpenRegister(ctx, p.Database)
	}
	return sqlite.OpenRegister(ctx, p.registerDB())
}

// errNoInstallation says what to do where there is none.
var errNoInstallation = errors.New("there is no installation here: start one with dosevault serve, or give --dir and --keys of another")

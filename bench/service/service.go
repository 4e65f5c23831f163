// Package service starts the real program for a benchmark: built from this tree, on a directory of its own, with a
// co-ordinator signed in.
package service

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/store/postgres"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/store/storetest/pgtest"
	"github.com/dosevault/dosevault/internal/testpasskey"
	"github.com/dosevault/dosevault/internal/testport"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Service is a running installation.
type Service struct {
	Dir, Keys string
	Pages     string              // where the web node answers: host and port
	Origin    string              // the vault's own origin
	Vault     *vaultclient.Client // as the node cli
	Auth      vaultclient.Auth    // the co-ordinator's
	Register  *register.Service
	Database  string // address of the register's PostgreSQL database; empty: a file
	wire      string // address of the vault for its nodes
	store     register.Store
	server    *pgtest.Server
	cmd       *exec.Cmd
	base      string
}

// Setup is how an installation runs.
type Setup struct {
	PostgreSQL bool // its databases are on a server of its own, which has its files in the directory for temporary ones
	TCP        bool // clients reach the vault by TCP over loopback, not by its socket
}

// Start builds and starts the program in a new directory below dir, which is removed by Stop.
func Start(ctx context.Context, dir string, setup Setup) (_ *Service, err error) {
	base, err := os.MkdirTemp(dir, "bench")
	if err != nil {
		return nil, err
	}
	s := &Service{Dir: filepath.Join(base, "data"), Keys: filepath.Join(base, "keys"), base: base}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	exe := filepath.Join(base, "dosevault")
	build := exec.CommandContext(ctx, "go", "build", "-o", exe, "github.com/dosevault/dosevault/cmd/dosevault")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the program: %w\n%s", err, out)
	}
	if s.Pages, err = testport.Free(); err != nil {
		return nil, err
	}
	signIn, err := testport.Free()
	if err != nil {
		return nil, err
	}
	s.Origin = "http://" + signIn
	s.wire = "unix:" + filepath.Join(s.Dir, "run", "vault.sock")
	s.cmd = exec.Command(exe, "serve", "--dir", s.Dir, "--keys", s.Keys, "--listen", s.Pages, "--vault-listen", signIn,
		"--single-administrator", "--single-administrator-delay", "0s")
	if setup.TCP {
		if s.wire, err = testport.Free(); err != nil {
			return nil, err
		}
		s.cmd.Args = append(s.cmd.Args, "--vault-nodes", s.wire)
	}
	if setup.PostgreSQL {
		if s.server, err = pgtest.Start(); err != nil {
			return nil, err
		}
		if s.Database, err = s.server.Create("register"); err != nil {
			return nil, err
		}
		vault, err := s.server.Create("vault")
		if err != nil {
			return nil, err
		}
		s.cmd.Args = append(s.cmd.Args, "--database", s.Database, "--vault-database", vault)
	}
	s.cmd.Env = append(os.Environ(), "DOSEVAULT_BUDGET_FACTOR=1000") // readers at full speed are what is measured
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	secret := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, after, ok := strings.Cut(lines.Text(), "secret="); ok {
			secret = after
		}
		if strings.HasPrefix(lines.Text(), "Pages:") {
			break
		}
	}
	if secret == "" {
		return nil, errors.New("the program printed no sign-in link")
	}
	go io.Copy(io.Discard, out)
	if s.Vault, err = s.Client("cli"); err != nil {
		return nil, err
	}
	session, err := s.Vault.RedeemLink(ctx, secret)
	if err != nil {
		return nil, err
	}
	s.Auth = vaultclient.Auth{Session: session.Token}
	if setup.PostgreSQL {
		s.store, err = postgres.OpenRegister(ctx, s.Database)
	} else {
		s.store, err = sqlite.OpenRegister(ctx, filepath.Join(s.Dir, "register", "register.db"))
	}
	if err != nil {
		return nil, err
	}
	s.Register = register.New(register.Config{Store: s.store, Vault: s.Vault, Now: time.Now, Log: slog.New(slog.DiscardHandler), Node: "cli"})
	return s, nil
}

// Client returns the vault's client as a node.
func (s *Service) Client(node string) (*vaultclient.Client, error) {
	conf, err := vaultclient.NodeConfig(s.Keys, node, s.wire)
	if err != nil {
		return nil, err
	}
	return vaultclient.New(conf), nil
}

// Sessions signs n co-ordinators in on the web node.
func (s *Service) Sessions(ctx context.Context, node *vaultclient.Client, n int) ([]vaultclient.Auth, error) {
	users := make([]vaultclient.NewUser, n)
	for i := range users {
		users[i] = vaultclient.NewUser{Name: fmt.Sprintf("Reader %d", i), Role: policy.Coordinator}
	}
	ids, err := s.Vault.CreateUsers(ctx, s.Auth, users)
	if err != nil {
		return nil, err
	}
	auths := make([]vaultclient.Auth, n)
	for i, u := range ids {
		link, err := s.Vault.NewLink(ctx, s.Auth, u)
		if err != nil {
			return nil, err
		}
		device, err := testpasskey.New(s.Origin)
		if err != nil {
			return nil, err
		}
		code, err := device.Enrol(ctx, link)
		if err != nil {
			return nil, err
		}
		session, err := node.RedeemCode(ctx, code)
		if err != nil {
			return nil, err
		}
		auths[i].Session = session.Token
	}
	return auths, nil
}

// Stop stops the program and removes its directory.
func (s *Service) Stop() error {
	var errs []error
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if s.Vault != nil {
		s.Vault.Close()
	}
	if s.cmd != nil && s.cmd.Process != nil {
		errs = append(errs, s.cmd.Process.Signal(syscall.SIGTERM), s.cmd.Wait())
	}
	if s.server != nil {
		s.server.Stop()
	}
	return errors.Join(append(errs, os.RemoveAll(s.base))...)
}

// Employ takes on n invented people at one organisation with a laboratory account.
func (s *Service) Employ(ctx context.Context, name, account string, n int) (id.Organisation, []id.Wearer, error) {
	orgs, err := s.Vault.CreateOrganisations(ctx, s.Auth, []vaultclient.Organisation{{Name: name, Kind: vaultclient.HealthBoard}})
	if err != nil {
		return id.Organisation{}, nil, err
	}
	if err := s.Register.SetSettings(ctx, s.Auth, orgs[0], register.Settings{Accounts: []string{account}}); err != nil {
		return orgs[0], nil, err
	}
	joiners := make([]register.Joiner, n)
	for i := range joiners {
		joiners[i] = register.Joiner{Organisation: orgs[0], From: day.Of(2020, time.January, 1),
			Identity: person.Identity{Surname: person.NewValue(Surname(i)), Forenames: person.NewValue("Synthetic"), StaffNumber: person.NewValue(strconv.Itoa(1_000_000 + i)), Sex: person.NewValue("F"), Birth: person.NewValue("1980-01-31")}}
	}
	taken, err := s.Register.TakeOn(ctx, s.Auth, joiners, nil, "benchmark")
	return orgs[0], taken.Wearers, err
}

// Surname is the name of the i-th of the invented people, in letters.
func Surname(i int) string {
	b := []byte("Aaaaa")
	for k := len(b) - 1; k > 0; k-- {
		b[k] += byte(i % 26)
		i /= 26
	}
	return string(b)
}

// Peaks returns the most memory that each of the program's processes has had, in MiB, by its command.
func (s *Service) Peaks() (map[string]int, error) {
	return each(s, func(pid string) (int, error) {
		status, err := os.ReadFile("/proc/" + pid + "/status")
		if err != nil {
			return 0, err
		}
		_, rest, _ := strings.Cut(string(status), "VmHWM:")
		kib, err := strconv.Atoi(strings.Fields(rest)[0])
		return kib >> 10, err
	})
}

// CPU returns the time that each of the program's processes has spent on the processors so far, user and system, by its command.
func (s *Service) CPU() (map[string]time.Duration, error) {
	return each(s, func(pid string) (time.Duration, error) {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			return 0, err
		}
		_, rest, _ := strings.Cut(string(stat), ") ") // behind the command's name; see proc(5)
		fields := strings.Fields(rest)
		user, err := strconv.Atoi(fields[11])
		system, err2 := strconv.Atoi(fields[12])
		return time.Duration(user+system) * time.Second / 100, errors.Join(err, err2)
	})
}

// each asks about each of the program's processes, by its command.
func each[T any](s *Service, ask func(pid string) (T, error)) (map[string]T, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
	if err != nil {
		return nil, err
	}
	var children []string // of any thread
	for _, thread := range threads {
		list, err := os.ReadFile(thread)
		if err != nil {
			return nil, err
		}
		children = append(children, strings.Fields(string(list))...)
	}
	found := map[string]T{}
	for _, pid := range children {
		line, err := os.ReadFile("/proc/" + pid + "/cmdline")
		if err != nil {
			return nil, err
		}
		answer, err := ask(pid)
		if err != nil {
			return nil, err
		}
		for _, command := range []string{"vault", "web", "worker"} {
			if strings.Contains(string(line), "\x00"+command+"\x00") {
				found[command] = answer
			}
		}
	}
	return found, nil
}

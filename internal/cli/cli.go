// Package cli has the commands. It is the only place that wires the house
// together: which store, which vault, which pages. It holds no rules of its own.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// env is what a command works with.
type env struct {
	ctx            context.Context
	stdin          io.Reader
	stdout, stderr io.Writer
	log            *slog.Logger
}

// supervised is the variable by which a process knows that a supervisor holds its standard input.
const supervised = "DOSEVAULT_SUPERVISED"

type commands struct {
	Demo          DemoCmd          `cmd:"" help:"Create a demonstration with invented people, run the main job on it, and serve it."`
	Serve         ServeCmd         `cmd:"" help:"Run a service on this machine: vault, web node and worker."`
	SignIn        SignInCmd        `cmd:"" name:"signin" help:"Sign in on the command line with a one-time link."`
	SignOut       SignOutCmd       `cmd:"" name:"signout" help:"End the command line's session."`
	Sessions      SessionsCmd      `cmd:"" help:"Where you, or everybody, are signed in; end a session."`
	Provider      ProviderCmd      `cmd:"" help:"Organisations' own sign-ins (OpenID Connect)."`
	Import        ImportCmd        `cmd:"" help:"Preview a laboratory's file, and import it."`
	Profiles      ProfilesCmd      `cmd:"" help:"How laboratories' files are read."`
	Organisations OrganisationsCmd `cmd:"" help:"Employers."`
	Users         UsersCmd         `cmd:"" help:"Who signs in."`
	People        PeopleCmd        `cmd:"" help:"Wearers."`
	Machines      MachinesCmd      `cmd:"" help:"Machines outside, such as an HR system: their leave."`
	Approvals     ApprovalsCmd     `cmd:"" help:"What takes two people: proposals, and what became of them."`
	Budgets       BudgetsCmd       `cmd:"" help:"How much may be read in a day, and how much was."`
	Grants        GrantsCmd        `cmd:"" help:"Leave for work without a user: standing grants, machines and running jobs."`
	Canaries      CanariesCmd      `cmd:"" help:"Invented people, whose records only a thief opens."`
	Freeze        FreezeCmd        `cmd:"" help:"Stop a user, node, grant, recipient, organisation or everything, before the next reveal."`
	Frozen        FrozenCmd        `cmd:"" help:"What is frozen."`
	Thaw          ThawCmd          `cmd:"" help:"Thaw without a second person, on the host of the stopped vault."`
	Alarms        AlarmsCmd        `cmd:"" help:"What somebody has to look at; acknowledge it."`
	Badges        BadgesCmd        `cmd:"" help:"Badges."`
	Policy        PolicyCmd        `cmd:"" help:"Who may see what: test, change and explain the policies."`
	Search        SearchCmd        `cmd:"" help:"Look for wearers by name or staff number. The names shown are entered in the ledger."`
	Exposures     ExposuresCmd     `cmd:"" help:"What became readable to a user, node, job, supplier or export in a window."`
	Incident      IncidentCmd      `cmd:"" help:"A suspected breach, or a drill: declare it, see who is concerned, and enter what is done."`
	Drill         DrillCmd         `cmd:"" help:"Rehearse a breach on the service's own ledgers, with nothing sent: how long each part takes. --history plays the breach of 2016 through."`
	Disclosures   DisclosuresCmd   `cmd:"" help:"What recipients held outside dosevault."`
	Verify        VerifyCmd        `cmd:"" help:"Recompute every ledger and hold the register against it."`
	Checkpoint    CheckpointCmd    `cmd:"" help:"Print the ledger's signed head, to be kept elsewhere."`
	Vault         VaultCmd         `cmd:"" help:"Run the vault alone."`
	Web           WebCmd           `cmd:"" help:"Run a web node alone."`
	Worker        WorkerCmd        `cmd:"" help:"Run a worker alone."`
}

// Main runs a command and returns the exit code: 0 done, 1 it failed or a difference was found, 2 wrong usage.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c commands
	code := -1
	dir, keys := defaultPlaces(len(args) > 0 && args[0] == "demo")
	parser, err := kong.New(&c, kong.Name("dosevault"), kong.Writers(stdout, stderr), kong.Exit(func(n int) { code = n }),
		kong.Description("Staff radiation badges, doses and limits; nothing readable at rest, and a ledger entry before anything is read."),
		kong.ExplicitGroups([]kong.Group{{Key: "place", Title: "Where the installation is, and as whom you work:"}}),
		kong.Vars{"dir": dir, "keys": keys, "session": sessionFile(),
			"session_idle": vault.DefaultSessionLimits.Idle.String(), "session_limit": vault.DefaultSessionLimits.Lifetime.String()}, kong.UsageOnError(), kong.ShortUsageOnError())
	if err != nil {
		fmt.Fprintln(stderr, "dosevault:", err)
		return 2
	}
	k, err := parser.Parse(args)
	if code >= 0 { // help was asked for
		return code
	}
	if err != nil {
		fmt.Fprintln(stderr, "dosevault:", err)
		return 2
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if os.Getenv(supervised) != "" {
		go func() {
			io.Copy(io.Discard, stdin)
			cancel()
		}()
	}
	e := &env{ctx: ctx, stdin: stdin, stdout: stdout, stderr: stderr, log: slog.New(slog.NewTextHandler(stderr, nil))}
	if err := k.Run(e); err != nil {
		fmt.Fprintln(stderr, "dosevault:", strings.ReplaceAll(explain(err), "\n", "; "))
		return 1
	}
	return 0
}

// explain adds to an error what to do about it, where that is known.
func explain(err error) string {
	var v *vaultclient.Error
	switch {
	case errors.Is(err, vaultclient.ErrUnavailable):
		return "the vault is not reachable: is dosevault serve running with the same --dir and --keys?"
	case errors.As(err, &v) && v.Code == vaultclient.Unauthenticated:
		return v.Message + "; sign in with dosevault signin LINK"
	case errors.As(err, &v):
		return v.Message
	}
	return err.Error()
}

// defaultPlaces returns the usual data and key directories, a demonstration's apart from the real ones.
func defaultPlaces(demo bool) (dir, keys string) {
	name := "dosevault"
	if demo {
		name = "dosevault-demo"
	}
	data, config := os.Getenv("XDG_DATA_HOME"), os.Getenv("XDG_CONFIG_HOME")
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	if data == "" {
		data = filepath.Join(home, ".local", "share")
	}
	if config == "" {
		config = filepath.Join(home, ".config")
	}
	return filepath.Join(data, name), filepath.Join(config, name, "keys")
}

func sessionFile() string {
	_, keys := defaultPlaces(false)
	return filepath.Join(filepath.Dir(keys), "session")
}

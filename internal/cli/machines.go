package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// MachinesCmd holds what is done with machines outside.
type MachinesCmd struct {
	Propose MachinesProposeCmd `cmd:"" help:"Propose leave for a machine outside, by its public key. It takes two people."`
	List    MachinesListCmd    `cmd:"" help:"List the machines that have leave, or had it."`
	End     MachinesEndCmd     `cmd:"" help:"End a machine's leave at once."`
}

// MachinesProposeCmd proposes leave for a machine.
type MachinesProposeCmd struct {
	signedIn
	signInPages
	Name         string   `arg:"" help:"The machine's name, as the ledgers are to call it; no person's."`
	For          string   `help:"What it does: doses or badges (reads them), laboratory (delivers files), staff (sends joiners, changes and leavers) or ledger (reads a ledger)." required:"" placeholder:"WORK" enum:"doses,badges,laboratory,staff,ledger"`
	Field        []string `help:"Of doses and badges: only these of its fields (name, staff_number, dose, employment); may be given several times." sep:"none" placeholder:"FIELD"`
	Organisation []string `help:"An organisation that it works with; may be given several times. Without one: the whole service." sep:"none" placeholder:"NAME"`
	People       int      `help:"How many different people it may touch, ever." required:"" placeholder:"N"`
	Key          string   `help:"A file with its Ed25519 public key, as openssl pkey -pubout writes it. The machine keeps the private one to itself." required:"" type:"existingfile" placeholder:"FILE"`
	Days         int      `help:"After how many days its leave ends; at most 365." default:"365"`
}

// Run proposes the leave, and prints the id that the machine will sign under and by what its key is told.
func (c *MachinesProposeCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	work := vaultclient.Works[slices.IndexFunc(vaultclient.Works, func(w vaultclient.Work) bool { return w.Name == c.For })]
	m := vaultclient.NewMachine{Name: strings.Join(strings.Fields(c.Name), " "), Purpose: work.Purpose, Fields: work.Fields, MaxWearers: c.People, Node: "web", Ends: time.Now().AddDate(0, 0, c.Days).UTC().Truncate(time.Second)}
	if c.Days < 1 || c.Days > 365 {
		return errors.New("--days: 1 to 365 are expected")
	}
	if len(c.Field) > 0 {
		if m.Fields, err = policy.ParseFields(c.Field...); err != nil {
			return fmt.Errorf("--field: %w", err)
		}
		if (c.For != "doses" && c.For != "badges") || m.Fields&^work.Fields != 0 {
			return fmt.Errorf("--field: a machine for %s reads %s", c.For, work.Fields)
		}
	}
	text, err := os.ReadFile(c.Key)
	if err != nil {
		return err
	}
	if m.Key, err = vaultclient.ParseMachineKey(string(text)); err != nil {
		return fmt.Errorf("--key: %w", err)
	}
	orgs, err := client.Organisations(e.ctx, auth)
	if err != nil {
		return err
	}
	if m.Organisations, err = organisationsNamed(orgs, c.Organisation); err != nil {
		return err
	}
	n, err := propose(e, client, auth, c.signInPages, vaultclient.ApproveMachine, m)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Once it has leave, the machine signs with keyid=\"%s\", until %s.\nFingerprint of its public key: %s\n", n, m.Ends.UTC().Format("2 January 2006"), vaultclient.Fingerprint(m.Key))
	return nil
}

// MachinesListCmd lists machines.
type MachinesListCmd struct{ signedIn }

// Run prints the machines.
func (c *MachinesListCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	machines, err := client.Machines(e.ctx, auth)
	if err != nil {
		return err
	}
	orgs, err := client.Organisations(e.ctx, auth)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tFOR\tORGANISATIONS\tPEOPLE\tENDS\tGIVEN BY\tMACHINE")
	for _, m := range machines {
		ends := m.Ends.Format(time.DateOnly)
		if !m.Ended.IsZero() {
			ends = "ended " + m.Ended.Format(time.DateOnly)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d of %d\t%s\t%s\tgrant:%s\n", m.Name, m.WorkOf().Name, whereOf(orgs, m.Organisations), m.Used, m.MaxWearers, ends, m.By, m.ID)
	}
	return t.Flush()
}

// MachinesEndCmd ends a machine's leave.
type MachinesEndCmd struct {
	signedIn
	Name string `arg:"" help:"The machine's name, or the id that machines list prints."`
}

// Run ends the machine's leave.
func (c *MachinesEndCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	machines, err := client.Machines(e.ctx, auth)
	if err != nil {
		return err
	}
	for _, m := range machines {
		if m.Ended.IsZero() && m.Ends.After(time.Now()) && (strings.EqualFold(m.Name, c.Name) || "grant:"+m.ID.String() == c.Name) {
			if err := client.EndMachine(e.ctx, auth, m.ID); err != nil {
				return err
			}
			fmt.Fprintf(e.stdout, "Ended: %s.\n", m.Name)
			return nil
		}
	}
	return errors.New("no machine of this name has leave: see dosevault machines list")
}

package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dosevault/dosevault/internal/vaultclient"
)

// BudgetsCmd holds what is done with budgets.
type BudgetsCmd struct {
	List  BudgetsListCmd  `cmd:"" default:"withargs" help:"What you read in the last day, and how much that may be; or everybody."`
	Set   BudgetsSetCmd   `cmd:"" help:"Give a user, a role, a node, a machine or an organisation another budget. A higher one is proposed: it takes two people."`
	Break BudgetsBreakCmd `cmd:"" help:"Go over your budget: twice as much for an hour, once in 24 hours. It is entered with the reason, and alarmed."`
}

// BudgetsListCmd lists budgets.
type BudgetsListCmd struct {
	signedIn
	All bool `help:"Everybody who read something in the last day, and every budget that was set."`
}

// Run prints what was read and may be.
func (c *BudgetsListCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	if !c.All {
		b, err := client.Budgets(e.ctx, auth)
		if err != nil {
			return err
		}
		return printBudgets(e, []vaultclient.Budgets{b})
	}
	all, err := client.AllBudgets(e.ctx, auth)
	if err != nil {
		return err
	}
	return printBudgets(e, all)
}

func printBudgets(e *env, all []vaultclient.Budgets) error {
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WHO\tROLE\tCLASS\tIN 24 HOURS\tAT MOST")
	for _, b := range all {
		for _, l := range b.Lines {
			fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\n", b.Who, b.Role, l.Class, l.Used, l.Limit)
		}
		if !b.Broken.IsZero() {
			fmt.Fprintf(t, "%s\t%s\tgoes over it until %s\n", b.Who, b.Role, b.Broken.Format(time.RFC3339))
		}
	}
	return t.Flush()
}

// BudgetsSetCmd lowers a budget, or proposes to raise one.
type BudgetsSetCmd struct {
	signedIn
	signInPages
	Who    string         `arg:"" help:"user:ID, role:NAME, node:NAME, grant:ID or organisation:ID."`
	Limits map[string]int `arg:"" help:"CLASS=NUMBER, several: guesses, identity, ni, contact, health, dose, document, employment." sep:"none"`
}

// Run sets it.
func (c *BudgetsSetCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	b := vaultclient.NewBudget{Who: vaultclient.Recipient(c.Who), Limits: c.Limits}
	err = client.SetBudget(e.ctx, auth, b)
	if known := (*vaultclient.Error)(nil); errors.As(err, &known) && known.Code == vaultclient.NeedsApproval {
		_, err = propose(e, client, auth, c.signInPages, vaultclient.ApproveBudget, b)
		return err
	}
	if err != nil {
		return err
	}
	var s []string
	for _, class := range slices.Sorted(maps.Keys(c.Limits)) {
		s = append(s, class+" "+strconv.Itoa(c.Limits[class]))
	}
	fmt.Fprintf(e.stdout, "Set for %s, in 24 hours: %s.\n", c.Who, strings.Join(s, ", "))
	return nil
}

// BudgetsBreakCmd goes over a budget.
type BudgetsBreakCmd struct {
	signedIn
	Reason string `help:"Why, in at least 10 characters; it stays in the ledger, so name nobody." required:"" placeholder:"TEXT"`
}

// Run breaks the glass.
func (c *BudgetsBreakCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	if strings.TrimSpace(c.Reason) == "" {
		return errors.New("--reason: a reason is needed")
	}
	b, err := client.BreakGlass(e.ctx, auth, c.Reason)
	if err != nil {
		return err
	}
	return printBudgets(e, []vaultclient.Budgets{b})
}

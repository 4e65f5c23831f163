package cli

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// propose makes a proposal, says where it is signed, which is not here, and returns its id.
func propose(e *env, client *vaultclient.Client, auth vaultclient.Auth, at signInPages, kind vaultclient.ApprovalKind, body any) (id.Approval, error) {
	n, err := client.Propose(e.ctx, auth, kind, body)
	if err != nil {
		return n, err
	}
	all, err := client.Approvals(e.ctx, auth)
	if err != nil {
		return n, err
	}
	for _, one := range all {
		if one.ID == n && one.State == vaultclient.Done {
			fmt.Fprintf(e.stdout, "Done, since one person decides here: approval:%s.\n", n)
			return n, nil
		}
	}
	fmt.Fprintf(e.stdout, "Proposed: approval:%s. It takes two people. Sign it, and have somebody else approve it, at %s/approvals/%s\n", n, at.url(), n)
	return n, nil
}

// ApprovalsCmd holds what is done with proposals on the command line. They are signed on the vault's own pages only.
type ApprovalsCmd struct {
	List     ApprovalsListCmd     `cmd:"" default:"1" help:"List the proposals that you made or may approve."`
	Withdraw ApprovalsWithdrawCmd `cmd:"" help:"Take back a proposal that you made."`
}

// ApprovalsListCmd lists proposals.
type ApprovalsListCmd struct {
	signedIn
}

// Run prints the proposals.
func (c *ApprovalsListCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	all, err := client.Approvals(e.ctx, auth)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ABOUT\tSTATE\tPROPOSED\tUNTIL\tPROPOSAL")
	for _, one := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\tapproval:%s\n", one.Kind, stateOf(one), one.Created.Format(time.DateOnly), one.Expires.Format(time.DateOnly), one.ID)
	}
	return t.Flush()
}

// stateOf says what a proposal waits for, or what became of it.
func stateOf(one vaultclient.Approval) string {
	switch {
	case one.State != vaultclient.Waiting:
		return string(one.State)
	case !one.Signed && one.Mine:
		return "waits for your signature"
	case !one.Signed:
		return "waits for its proposer's signature"
	case !one.Due.IsZero():
		return "takes effect on " + one.Due.Format(time.DateTime)
	case one.Mine:
		return "waits for somebody else"
	}
	return "waits for you"
}

// ApprovalsWithdrawCmd takes a proposal back.
type ApprovalsWithdrawCmd struct {
	signedIn
	ID string `arg:"" help:"The proposal, as approvals list prints it."`
}

// Run withdraws the proposal.
func (c *ApprovalsWithdrawCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	n, err := approvalID(c.ID)
	if err != nil {
		return err
	}
	if err := client.WithdrawApproval(e.ctx, auth, n); err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, "Withdrawn.")
	return nil
}

func approvalID(text string) (id.Approval, error) {
	text, ok := strings.CutPrefix(text, "approval:")
	n, err := id.Parse[id.Approval](text)
	if !ok || err != nil {
		return n, errors.New("a proposal is given as approval:…, as approvals list prints it")
	}
	return n, nil
}

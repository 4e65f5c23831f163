package vaultclient

import (
	"context"
	"encoding/json"
	"time"

	"github.com/dosevault/dosevault/internal/id"
)

// ApprovalKind is what a proposal is about.
type ApprovalKind string

// The kinds of proposals. Their bodies are JSON.
const (
	ApproveUser     ApprovalKind = "user"     // makes a user who sees much or decides much, or changes one so; the body is a UserChange
	ApproveRecovery ApprovalKind = "recovery" // lets its proposer make an enrolment link for somebody who has passkeys; a Recovery
	ApproveThaw     ApprovalKind = "thaw"     // thaws what is frozen; a Thaw
	ApproveBudget   ApprovalKind = "budget"   // raises a budget; a NewBudget
	ApproveGrant    ApprovalKind = "grant"    // gives leave for recurring work without a user; a NewGrant
	ApproveMachine  ApprovalKind = "machine"  // gives a machine outside leave; a NewMachine
	ApprovePolicies ApprovalKind = "policies" // changes the policies; the body is a PoliciesChange

	ApproveAgreement ApprovalKind = "policies-agreement" // an organisation agrees to them; the body is a PoliciesAgreement
)

// UserChange is the body of a proposal to make a user, or to change one.
type UserChange struct {
	User id.User `json:"user,omitzero"` // whom it changes; zero: somebody new
	NewUser
}

// Recovery is the body of a proposal to give somebody a new enrolment link.
type Recovery struct {
	User id.User `json:"user"`
}

// Thaw is the body of a proposal to thaw what is frozen.
type Thaw struct {
	Scope Scope `json:"scope"`
}

// ApprovalState is what became of a proposal.
type ApprovalState string

// The states of proposals.
const (
	Waiting   ApprovalState = "waiting"
	Done      ApprovalState = "done"
	Declined  ApprovalState = "declined"
	Withdrawn ApprovalState = "withdrawn"
	Expired   ApprovalState = "expired"
)

// Proposal asks for something that takes two people.
type Proposal struct {
	Kind ApprovalKind    `json:"kind"`
	Body json.RawMessage `json:"body"`
}

// Approval is a proposal as a node may see it: what is proposed is shown on the vault's own pages only.
type Approval struct {
	ID      id.Approval   `json:"id"`
	Kind    ApprovalKind  `json:"kind"`
	State   ApprovalState `json:"state"`
	Mine    bool          `json:"mine,omitempty"`   // the caller proposed it
	Signed  bool          `json:"signed,omitempty"` // by who proposed it: it waits for somebody else
	Created time.Time     `json:"created"`
	Expires time.Time     `json:"expires"`
	Due     time.Time     `json:"due,omitzero"` // when it takes effect without a second person
}

// Propose makes a proposal of a kind. It waits for a signature of the caller's on the vault's own pages, and then for
// somebody else's; where one person decides without delay it is done when Propose returns.
func (c *Client) Propose(ctx context.Context, auth Auth, kind ApprovalKind, body any) (n id.Approval, err error) {
	b, err := json.Marshal(body)
	if err != nil {
		return n, err
	}
	err = call(ctx, c, "propose", auth, Proposal{kind, b}, &n)
	return n, err
}

// Approvals lists the proposals that the caller made or may approve, newest first.
func (c *Client) Approvals(ctx context.Context, auth Auth) (out []Approval, err error) {
	err = call(ctx, c, "approvals", auth, struct{}{}, &out)
	return out, err
}

// WithdrawApproval takes back a proposal that the caller made.
func (c *Client) WithdrawApproval(ctx context.Context, auth Auth, n id.Approval) error {
	return call(ctx, c, "withdraw-approval", auth, n, nil)
}

// EndSingleAdministrator ends that a single administrator decides: what is proposed takes two people from then on.
func (c *Client) EndSingleAdministrator(ctx context.Context, auth Auth) error {
	return call(ctx, c, "end-single-administrator", auth, struct{}{}, nil)
}

package vault

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// recoveryUsable is how long the proposer of a recovery can make its link once it was approved.
const recoveryUsable = 24 * time.Hour

// recoveryProposal lets its proposer make one enrolment link for somebody who has passkeys. The link is made when it is asked
// for and shown once; it does not wait anywhere.
type recoveryProposal struct{ vaultclient.Recovery }

func (b *recoveryProposal) where(v *Vault) []id.Organisation {
	if u := v.state.users[b.User]; u != nil {
		return u.Organisations
	}
	return nil
}

func (*recoveryProposal) may(bool) []ask { return administer }

func (b *recoveryProposal) check(v *Vault, now time.Time) error {
	if !active(v.state.users[b.User], now) {
		return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such user, or their access has ended"}
	}
	return nil
}

func (b *recoveryProposal) read(ctx context.Context, v *Vault) []Line {
	lines := []Line{{"A link for", v.userName(b.User)}}
	if u := v.state.users[b.User]; u != nil {
		lines = append(lines, Line{"Role", words.T(ctx, RoleWords(u.Role))})
	}
	return append(lines, Line{"User", b.User.String()}, Line{"Made by", words.T(ctx, "whoever proposed it, once, within a day")})
}

func (*recoveryProposal) do(*tx, *approved) error { return nil }

func (*recoveryProposal) usable() time.Duration { return recoveryUsable }

// RecoveryLink makes the link that an approved recovery lets its proposer make, once. It asks for the passkey, since whoever
// has the link becomes that user.
func (v *Vault) RecoveryLink(ctx context.Context, c Caller, n id.Approval) (secret string, err error) {
	p, err := v.onOrigin(ctx, c)
	if err != nil {
		return "", err
	}
	if err := v.confirm(ctx, c, p, ConfirmRecovery, n); err != nil {
		return "", err
	}
	err = v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		old := v.state.approvals[n]
		if old == nil || old.Proposer != p.User {
			return errNoApproval
		}
		b, err := readProposal(old.Kind, old.Body)
		if err != nil {
			return err
		}
		r, ok := b.(*recoveryProposal)
		if !ok || old.State != vaultclient.Done || old.Used || !t.now.Before(micro(old.Settled).Add(recoveryUsable)) {
			return ErrNotWaiting
		}
		if err := r.check(v, t.now); err != nil {
			return err
		}
		one := *old
		one.Used = true
		if err := t.keepApproval(n, &one); err != nil {
			return err
		}
		secret, err = t.enrolmentLink(r.User, v.opening(p, ask{purpose: policy.KeepRecords, reason: approvalSubject(n) + ", the link was made"}))
		return err
	})
	return secret, hideCommitError(err)
}

// thawProposal thaws what is frozen.
type thawProposal struct{ vaultclient.Thaw }

func (b *thawProposal) where(v *Vault) []id.Organisation { return v.state.concerned(b.Scope) }

func (*thawProposal) may(bool) []ask {
	return []ask{{action: policy.Freeze, purpose: policy.Oversight}}
}

func (b *thawProposal) check(v *Vault, _ time.Time) error {
	if v.state.frozen[b.Scope] == nil {
		return &vaultclient.Error{Code: vaultclient.Conflict, Message: "this is not frozen"}
	}
	return nil
}

func (b *thawProposal) read(ctx context.Context, v *Vault) []Line {
	what := string(b.Scope)
	if name := v.state.nameOf(b.Scope); name != "" {
		what = name + " (" + what + ")"
	}
	lines := []Line{{"What goes on again", what}}
	if row := v.state.frozen[b.Scope]; row != nil {
		lines = append(lines, Line{"Frozen because", row.Reason}, Line{"Frozen by", v.userName(row.By)}, Line{"Frozen since", words.Moment(ctx, micro(row.At))})
	}
	return lines
}

func (b *thawProposal) do(t *tx, p *approved) error { return t.thaw(b.Scope, p.opening) }

// budgetProposal raises a budget.
type budgetProposal struct{ vaultclient.NewBudget }

func (b *budgetProposal) where(*Vault) []id.Organisation {
	if org := budgetOrganisation(b.Who); !org.IsZero() {
		return []id.Organisation{org}
	}
	return nil
}

// budgetOrganisation is the organisation that a budget is of, if it is one's.
func budgetOrganisation(who vaultclient.Recipient) (org id.Organisation) {
	if name, ok := strings.CutPrefix(string(who), "organisation:"); ok {
		org, _ = id.Parse[id.Organisation](name)
	}
	return org
}

func (*budgetProposal) may(bool) []ask { return administer }

func (b *budgetProposal) check(v *Vault, _ time.Time) error {
	_, err := v.checkBudget(b.NewBudget)
	return err
}

func (b *budgetProposal) read(_ context.Context, v *Vault) []Line {
	who := string(b.Who)
	if name := v.state.nameOf(vaultclient.Scope(b.Who)); name != "" {
		who = name + " (" + who + ")"
	}
	return []Line{{"Whose budget", who}, {"Different people in 24 hours", limitsInWords(b.Limits)}}
}

func (b *budgetProposal) do(t *tx, p *approved) error {
	return t.setBudget(p.opening, budgetOrganisation(b.Who), b.NewBudget)
}

// grantProposal gives a standing grant.
type grantProposal struct{ vaultclient.NewGrant }

func (b *grantProposal) where(*Vault) []id.Organisation { return b.Organisations }

// The proposer could give the same leave for one run; whoever approves may be an administrator as well.
func (b *grantProposal) may(approves bool) []ask {
	work := vaultclient.Standing[b.Work]
	asks := []ask{{action: policy.Grant, purpose: work.Purpose, fields: work.Fields}}
	if approves {
		asks = append(asks, administer...)
	}
	return asks
}

func (b *grantProposal) check(v *Vault, now time.Time) error {
	_, known := vaultclient.Standing[b.Work]
	switch {
	case !known:
		return invalid("no such recurring work")
	case badName(b.Name):
		return invalid("a standing grant has a name of at most %d bytes", maxMachineName)
	case b.MaxWearers < 1 || b.MaxWearers > vaultclient.MaxItems:
		return invalid("a standing grant is for 1 to %d people", vaultclient.MaxItems)
	case len(b.Wearers) > maxNamed || len(b.Wearers) > b.MaxWearers:
		return invalid("a standing grant names at most %d wearers, and no more than it is for", maxNamed)
	case b.Node != "worker" && (b.Node != "cli" || b.Work != vaultclient.Notices):
		return invalid("recurring work is the worker's, and letters about a breach can be the command line's")
	case !b.Ends.After(now) || b.Ends.After(now.Add(maxMachineLife)):
		return invalid("a standing grant ends within a year")
	}
	for _, w := range b.Wearers {
		of := v.state.wearers[w]
		if of == nil || len(b.Organisations) > 0 && !slices.Contains(b.Organisations, of.facts.Organisation) {
			return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such wearer in these organisations"}
		}
	}
	return v.checkOrganisations(b.Organisations)
}

func (b *grantProposal) read(ctx context.Context, _ *Vault) []Line {
	work := vaultclient.Standing[b.Work]
	lines := []Line{
		{"Name", b.Name},
		{"Work", words.T(ctx, WorkWords(b.Work))},
		{"Purpose", words.T(ctx, PurposeWords(work.Purpose))},
		{"Fields", FieldWords(ctx, work.Fields)},
		{"Used by", b.Node},
		{"Different people, at most", words.Count(ctx, b.MaxWearers, "person", "people")},
		{"Ends on", words.Moment(ctx, b.Ends)},
	}
	if len(b.Wearers) > 0 {
		lines = append(lines, Line{"These wearers and no others", wearerWords(b.Wearers)})
	}
	return lines
}

func (b *grantProposal) do(t *tx, p *approved) error { return t.giveStanding(b.NewGrant, p) }

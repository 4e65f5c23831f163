package vault

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// ApprovalView is a proposal as the vault's own pages show it to somebody.
type ApprovalView struct {
	vaultclient.Approval
	About    words.Key
	Where    string // organisations, or the whole service
	Lines    []Line // all that takes effect
	Digest   Digest // of exactly that
	Proposer string // names of people
	By       string
	Settled  time.Time
	Why      string // it could not take effect
	Signers  []Signer
	// What who looks can do with it.
	MaySign, MayDecline, MayWithdraw, MayUse bool
}

// Signer is somebody who signed.
type Signer struct {
	Name    string
	Role    words.Key
	At      time.Time
	Passkey bool // false: in a demonstration
}

// Groups is a digest as people compare it: in groups of four digits and letters.
func (d Digest) Groups() string { return vaultclient.Groups(d[:]) }

// Approvals lists the proposals that the caller made or may approve, newest first, without what they say.
func (v *Vault) Approvals(ctx context.Context, c Caller) ([]vaultclient.Approval, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	out := []vaultclient.Approval{}
	for _, one := range v.viewsFor(ctx, p, nil) {
		out = append(out, one.Approval)
	}
	return out, nil
}

// ApprovalViews shows the proposals that the caller made or may approve, newest first, for the vault's own pages. Staff are
// people too, and proposals name them: that they were read is entered.
func (v *Vault) ApprovalViews(ctx context.Context, c Caller) ([]ApprovalView, error) {
	return v.viewApprovals(ctx, c, nil)
}

// ApprovalViewOf shows one proposal.
func (v *Vault) ApprovalViewOf(ctx context.Context, c Caller, n id.Approval) (ApprovalView, error) {
	views, err := v.viewApprovals(ctx, c, &n)
	if err == nil && len(views) == 0 {
		err = errNoApproval
	}
	if err != nil {
		return ApprovalView{}, err
	}
	return views[0], nil
}

func (v *Vault) viewApprovals(ctx context.Context, c Caller, only *id.Approval) ([]ApprovalView, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	views := v.viewsFor(ctx, p, only)
	if len(views) == 0 {
		return nil, nil
	}
	subject := "approvals"
	if only != nil {
		subject = approvalSubject(*only)
	}
	// Who may see a proposal was decided for each already: this enters that they did.
	a := ask{purpose: policy.KeepRecords, kind: ledger.Oversee, subject: subject}
	if err := v.enter(ctx, p, a, []*party{{policy: v.policyAt(id.Organisation{})}}, ledger.Oversee, 0); err != nil {
		return nil, err
	}
	return views, nil
}

// viewsFor finds the proposals that somebody made or may approve, newest first.
func (v *Vault) viewsFor(ctx context.Context, p *principal, only *id.Approval) []ApprovalView {
	now := v.now()
	v.mu.RLock()
	rows := map[id.Approval]*proposal{}
	for n, one := range v.state.approvals {
		if only == nil || *only == n {
			rows[n] = one
		}
	}
	v.mu.RUnlock()
	about := map[id.Approval]proposed{}
	for n, one := range rows {
		b, err := readProposal(one.Kind, one.Body)
		if err != nil {
			v.log.Error("a proposal can't be read", "approval", n)
			continue
		}
		v.prepare(b)
		about[n] = b
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	var out []ApprovalView
	for n, b := range about {
		one := rows[n]
		_, approves := v.permits(p.User, b, true)
		if !approves && one.Proposer != p.User {
			continue
		}
		out = append(out, v.viewOf(ctx, p, n, one, b, approves, now))
	}
	slices.SortFunc(out, func(a, b ApprovalView) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID.String(), b.ID.String()))
	})
	return out
}

// viewOf is a proposal for somebody. The caller holds the lock.
func (v *Vault) viewOf(ctx context.Context, p *principal, n id.Approval, one *proposal, b proposed, approves bool, now time.Time) ApprovalView {
	mine := one.Proposer == p.User
	x := ApprovalView{
		Approval: vaultclient.Approval{ID: n, Kind: one.Kind, State: one.State, Mine: mine, Signed: one.signedBy(one.Proposer), Created: micro(one.Created), Expires: micro(one.Expires), Due: micro(one.Due)},
		About:    approvalKinds[one.Kind].title, Where: v.whereWords(ctx, one.Organisations), Lines: b.read(ctx, v), Digest: one.digest(v.installation, n),
		Proposer: v.userName(one.Proposer), By: v.userName(one.By), Settled: micro(one.Settled), Why: one.Why,
	}
	for _, s := range one.Signatures {
		x.Signers = append(x.Signers, Signer{Name: v.userName(s.User), Role: RoleWords(s.Role), At: micro(s.At), Passkey: s.Key != nil})
	}
	waits := one.waits(now)
	if one.State == vaultclient.Waiting && !waits {
		x.State = vaultclient.Expired
	}
	x.MaySign = waits && (mine && !x.Signed || !mine && approves && x.Signed)
	x.MayDecline = waits && !mine && approves
	x.MayWithdraw = waits && mine
	if once, ok := b.(usedOnce); ok {
		x.MayUse = mine && one.State == vaultclient.Done && !one.Used && now.Before(micro(one.Settled).Add(once.usable()))
	}
	return x
}

// usedOnce is a proposal that lets its proposer do something once, within a time, after it was approved.
type usedOnce interface{ usable() time.Duration }

// userName is a user's name. The caller holds the lock.
func (v *Vault) userName(n id.User) string {
	if u := v.state.users[n]; u != nil {
		return u.Name
	}
	return ""
}

// micro is a stored time; zero stays zero.
func micro(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.UnixMicro(at).UTC()
}

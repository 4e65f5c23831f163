package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/seal"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// What one person must not decide alone is a proposal. Somebody makes it, reads on the vault's own origin what would take
// effect, and signs its digest with a passkey; then somebody else reads the same and signs the same digest. The second
// signature, the effect and the entries are one commit. Whether each of the two may is asked of the policies when the second
// one signs, so that nobody counts whose role, contract or access has ended meanwhile.
//
// The same person under two users can't be told apart.
//
// # Digest, version 1
//
// SHA-256 over these parts, each behind its length in 4 bytes big endian (a context of package seal):
//
//	"dosevault/v1/approval"
//	the installation's id, as text
//	the proposal's id, 16 bytes
//	the kind, as text
//	the body: JSON in UTF-8 with its members in order of their names, without spaces, and with <, > and & as \u003c, \u003e, \u0026
//	the proposer's id, 16 bytes
//	the organisations where it holds, 16 bytes each; none: the installation
//	until when it can be approved, µs since 1970-01-01 UTC, 8 bytes big endian

// Bounds of proposals.
const (
	approvalLife = 7 * 24 * time.Hour
	maxProposal  = 256 << 10 // bytes of a body
	maxWaiting   = 50        // proposals of one person that wait at a time
)

// Digest is what is signed of a proposal.
type Digest [sha256.Size]byte

// proposal is what waits for a second person, or what became of it.
type proposal struct {
	Kind          vaultclient.ApprovalKind  `json:"kind"`
	Body          json.RawMessage           `json:"body"`
	Organisations []id.Organisation         `json:"organisations,omitempty"`
	Proposer      id.User                   `json:"proposer"`
	Node          string                    `json:"node"` // where it was made
	Created       int64                     `json:"created"`
	Expires       int64                     `json:"expires"`
	Due           int64                     `json:"due,omitempty"` // when it takes effect without a second person, see singleMode
	State         vaultclient.ApprovalState `json:"state"`
	Settled       int64                     `json:"settled,omitempty"` // when it left the state waiting
	By            id.User                   `json:"by,omitzero"`       // who settled it
	Why           string                    `json:"why,omitempty"`     // it could not take effect
	Signatures    []signature               `json:"signatures,omitempty"`
	Used          bool                      `json:"used,omitempty"` // what it lets its proposer do once was done

	rules string // by which whoever acts on it now may
}

// signature is what somebody signed a proposal's digest with, kept so that it can be checked again.
type signature struct {
	User id.User     `json:"user"`
	Role policy.Role `json:"role"`
	At   int64       `json:"at"`
	// The passkey's assertion with what is needed to check it, and the origin that it was made on; none in a demonstration.
	Key    json.RawMessage `json:"key,omitempty"`
	Origin string          `json:"origin,omitempty"`
}

// proposed is what a kind of proposal is about: its body, with what differs from kind to kind.
type proposed interface {
	// where it holds: these organisations, or the installation. It only reads the state.
	where(v *Vault) []id.Organisation
	// may returns what the policies are asked about its proposer, or about who approves: one of it has to be permitted, at
	// each place where it holds. It is asked again when it is approved.
	may(approves bool) []ask
	// check refuses what could not take effect now. It only reads the state.
	check(v *Vault, now time.Time) error
	// read says in plain words all that takes effect. It only reads the state.
	read(ctx context.Context, v *Vault) []Line
	// do takes effect, inside the commit that the second signature is part of. The opening says who and why already.
	do(t *tx, p *approved) error
}

// approved is a proposal as its effect sees it.
type approved struct {
	id       id.Approval
	proposer id.User
	opening  ledger.Opening
}

// Line is something that a proposal does, as it is shown: what is set, and to what.
type Line struct {
	Label words.Key
	Text  string
}

// approvalKind is a kind of proposal.
type approvalKind struct {
	title words.Key
	body  func() proposed
}

// approvalKinds has every kind of proposal.
var approvalKinds = map[vaultclient.ApprovalKind]approvalKind{
	vaultclient.ApproveUser:      {"Make a user who sees much or decides much", func() proposed { return new(userProposal) }},
	vaultclient.ApproveRecovery:  {"Give somebody a new enrolment link", func() proposed { return new(recoveryProposal) }},
	vaultclient.ApproveThaw:      {"Thaw what is frozen", func() proposed { return new(thawProposal) }},
	vaultclient.ApproveBudget:    {"Raise a budget", func() proposed { return new(budgetProposal) }},
	vaultclient.ApproveGrant:     {"Give a standing grant", func() proposed { return new(grantProposal) }},
	vaultclient.ApproveMachine:   {"Give a machine outside leave", func() proposed { return new(machineProposal) }},
	vaultclient.ApprovePolicies:  {"Change the policies", func() proposed { return new(policiesProposal) }},
	vaultclient.ApproveAgreement: {"Let the policies hold for an organisation that they open further", func() proposed { return new(agreementProposal) }},
}

// prepare does before a commit what takes too long inside it.
func (v *Vault) prepare(b proposed) {
	if slow, ok := b.(interface{ prepare(*Vault) }); ok {
		slow.prepare(v)
	}
}

// canonical returns a JSON text with the members of its objects in order of their names.
func canonical(b []byte) (json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var whole any
	if err := d.Decode(&whole); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("more than one value")
	}
	return json.Marshal(whole)
}

// readProposal decodes a body of a kind. What it does not know refuses: it would take effect for nobody who reads it.
func readProposal(kind vaultclient.ApprovalKind, body []byte) (proposed, error) {
	k, ok := approvalKinds[kind]
	if !ok {
		return nil, invalid("no such kind of proposal")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	b := k.body()
	if err := d.Decode(b); err != nil {
		return nil, invalid("the proposal can't be read")
	}
	return b, nil
}

// digest is what is signed; see the format above.
func (p *proposal) digest(installation string, n id.Approval) Digest {
	where := make([]byte, 0, 16*len(p.Organisations))
	for _, org := range p.Organisations {
		where = append(where, org[:]...)
	}
	return sha256.Sum256(seal.NewContext("approval", []byte(installation), n[:], []byte(p.Kind), p.Body, p.Proposer[:], where, binary.BigEndian.AppendUint64(nil, uint64(p.Expires))))
}

// waits reports whether a proposal can still be signed, declined or withdrawn.
func (p *proposal) waits(now time.Time) bool {
	return p.State == vaultclient.Waiting && now.UnixMicro() < p.Expires
}

// signed reports whether somebody signed.
func (p *proposal) signedBy(u id.User) bool {
	return slices.ContainsFunc(p.Signatures, func(s signature) bool { return s.User == u })
}

// acting returns a user as the policies see them; false when they may not act any more, or are frozen. The caller holds the lock, or is
// the committer.
func (v *Vault) acting(n id.User) (*principal, bool) {
	u := v.state.users[n]
	if !active(u, v.now()) || v.state.firstFrozen(vaultclient.UserScope(n)) != "" {
		return nil, false
	}
	return &principal{Principal: policy.Principal{User: u.ID, Role: u.Role, Organisations: u.Organisations, Own: u.Wearers}, only: u.Purpose}, true
}

// permits reports whether the policies let a user propose or approve; the rules are those by which. The caller holds the
// lock, or is the committer.
func (v *Vault) permits(n id.User, b proposed, approves bool) (rules string, ok bool) {
	who, ok := v.acting(n)
	if !ok {
		return "", false
	}
	by := map[string]bool{}
	for _, org := range scopeOf(b.where(v)) {
		allowed := false
		for _, a := range b.may(approves) {
			d := who.rule(v.state.policies.at(org), policy.Request{Action: a.action, Purpose: a.purpose, Fields: a.fields, Principal: who.Principal, Resource: policy.Resource{Organisation: org}})
			if d.Allow && v.state.stops(who, a, []*party{{org: org}}) == "" {
				allowed, by[d.Rule] = true, true
				break
			}
		}
		if !allowed {
			return "", false
		}
	}
	return joinRules(by), true
}

// Why a proposal is not signed, declined or withdrawn.
var (
	errNoApproval  = &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such proposal"}
	ErrNotWaiting  = &vaultclient.Error{Code: vaultclient.Conflict, Message: "this proposal does not wait any more: it was approved, declined or withdrawn, or its time is over"}
	ErrOtherDigest = refused("this is not what waits now: open the proposal again and read it")
	ErrOwnApproval = refused("you proposed this: somebody else has to approve it")
	ErrUnsignedYet = refused("whoever proposed this has not signed it yet")
	errMayNot      = refused("not permitted: your role does not approve this")
	ErrMayNoLonger = refused("whoever proposed this may not do so any more: propose it again")
	errNeedsTwo    = &vaultclient.Error{Code: vaultclient.NeedsApproval, Message: "this takes two people: propose it, and somebody else approves it on the vault's own pages"}
)

// Propose makes a proposal. It does nothing until it is signed on the vault's own pages, first by who proposed it: a node
// can make it, but not sign it. Where one person decides without delay (see [Vault.SingleAdministrator]) it takes effect at once.
func (v *Vault) Propose(ctx context.Context, c Caller, in vaultclient.Proposal) (id.Approval, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return id.Approval{}, err
	}
	if p.User.IsZero() {
		return id.Approval{}, refused("only a signed-in user proposes")
	}
	if len(in.Body) > maxProposal {
		return id.Approval{}, invalid("a proposal has at most %d bytes", maxProposal)
	}
	b, err := readProposal(in.Kind, in.Body)
	if err != nil {
		return id.Approval{}, err
	}
	whole, err := json.Marshal(b) // so that what was left out stands there too
	if err != nil {
		return id.Approval{}, err
	}
	text, err := canonical(whole)
	if err != nil {
		return id.Approval{}, err
	}
	v.prepare(b)
	n := id.New[id.Approval]()
	v.mu.RLock()
	where := b.where(v)
	v.mu.RUnlock()
	made := &proposal{Kind: in.Kind, Body: text, Organisations: where, Proposer: p.User, Node: p.node, State: vaultclient.Waiting}
	err = v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		rules, ok := v.permits(p.User, b, false)
		if !ok {
			return refused("not permitted: your role does not propose this")
		}
		if err := b.check(v, t.now); err != nil {
			return err
		}
		waiting := 0
		for _, other := range v.state.approvals {
			if other.Proposer == p.User && other.waits(t.now) {
				waiting++
			}
		}
		if waiting >= maxWaiting {
			return &vaultclient.Error{Code: vaultclient.Conflict, Message: fmt.Sprintf("%d of your proposals wait already: withdraw some first", waiting)}
		}
		made.Created, made.Expires = t.now.UnixMicro(), t.now.Add(approvalLife).UnixMicro()
		one := *made
		one.rules = rules
		if err := t.enterApproval(n, &one, p, "proposed"); err != nil {
			return err
		}
		if m := v.state.single; m != nil && m.Delay == 0 {
			return t.takeEffect(n, &one, b, p, "without a second person or delay, as declared for this installation")
		}
		return t.keepApproval(n, &one)
	})
	return n, v.approvalFailed(ctx, p, n, made, err)
}

// SignApproval signs a proposal: as who proposed it, and then it waits for somebody else; or as somebody else, and then it
// takes effect. The digest is that of what was shown, and what the passkey's response to [Vault.BeginAssertion] is over. It
// is called by the vault's own origin, never for a node.
func (v *Vault) SignApproval(ctx context.Context, c Caller, n id.Approval, shown Digest, response []byte) error {
	key, err := v.approvalKey(ctx, c, shown, response)
	if err != nil {
		return err
	}
	return v.onApproval(ctx, c, n, func(t *tx, p *principal, one *proposal, b proposed) error {
		if one.digest(v.installation, n) != shown {
			return ErrOtherDigest
		}
		own := p.User == one.Proposer
		switch {
		case own && one.signedBy(p.User):
			return ErrOwnApproval
		case !own && !one.signedBy(one.Proposer):
			return ErrUnsignedYet
		}
		rules, ok := v.permits(one.Proposer, b, false)
		if !ok {
			return ErrMayNoLonger
		}
		if !own {
			if rules, ok = v.permits(p.User, b, true); !ok {
				return errMayNot
			}
		}
		one.rules = rules
		one.Signatures = append(slices.Clip(one.Signatures), signature{User: p.User, Role: p.Role, At: t.now.UnixMicro(), Key: key, Origin: v.passkeys.origin()})
		if !own {
			return t.takeEffect(n, one, b, p, "approved")
		}
		what := "signed by who proposed it"
		if m := v.state.single; m != nil {
			one.Due = t.now.Add(time.Duration(m.Delay) * time.Microsecond).UnixMicro()
			what += ", to take effect without a second person at " + time.UnixMicro(one.Due).UTC().Format(time.RFC3339)
			o := v.opening(p, ask{purpose: policy.KeepRecords, subject: approvalSubject(n), reason: string(one.Kind) + ": " + what})
			if err := t.raise(vaultclient.AlarmSingleWaiting, id.Organisation{}, o); err != nil {
				return err
			}
		}
		if err := t.enterApproval(n, one, p, what); err != nil {
			return err
		}
		return t.keepApproval(n, one)
	})
}

// approvalKey checks that the caller's passkey signed a digest, and returns what is kept of it. In a demonstration nobody has one.
func (v *Vault) approvalKey(ctx context.Context, c Caller, d Digest, response []byte) (json.RawMessage, error) {
	p, err := v.onOrigin(ctx, c)
	if err != nil || v.demo {
		return nil, err
	}
	a, err := v.FinishAssertion(ctx, p.User, d, response)
	if err != nil {
		return nil, err
	}
	return json.Marshal(a)
}

// DeclineApproval turns a proposal down, for whoever may approve it and did not propose it. It is called by the vault's own
// origin, and asks for the passkey: whoever only holds a session's token there could otherwise stop what others agree on.
func (v *Vault) DeclineApproval(ctx context.Context, c Caller, n id.Approval) error {
	p, err := v.onOrigin(ctx, c)
	if err != nil {
		return err
	}
	if err := v.confirm(ctx, c, p, ConfirmDecline, n); err != nil {
		return err
	}
	return v.onApproval(ctx, c, n, func(t *tx, p *principal, one *proposal, b proposed) error {
		if p.User == one.Proposer {
			return ErrOwnApproval
		}
		rules, ok := v.permits(p.User, b, true)
		if !ok {
			return errMayNot
		}
		one.rules = rules
		return t.settle(n, one, p, vaultclient.Declined, "declined")
	})
}

// WithdrawApproval takes a proposal back, for who made it.
func (v *Vault) WithdrawApproval(ctx context.Context, c Caller, n id.Approval) error {
	return v.onApproval(ctx, c, n, func(t *tx, p *principal, one *proposal, _ proposed) error {
		if p.User != one.Proposer {
			return refused("only who proposed this withdraws it: decline it instead")
		}
		return t.settle(n, one, p, vaultclient.Withdrawn, "withdrawn")
	})
}

// onApproval commits what somebody does to a proposal that waits. A refusal is entered.
func (v *Vault) onApproval(ctx context.Context, c Caller, n id.Approval, do func(*tx, *principal, *proposal, proposed) error) error {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return err
	}
	if p.User.IsZero() {
		return refused("only a signed-in user does this")
	}
	v.mu.RLock()
	seen := v.state.approvals[n]
	v.mu.RUnlock()
	if seen == nil {
		return errNoApproval
	}
	b, err := readProposal(seen.Kind, seen.Body) // what a proposal is about never changes
	if err != nil {
		return err
	}
	v.prepare(b)
	err = v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		one := *v.state.approvals[n]
		if !one.waits(t.now) {
			return ErrNotWaiting
		}
		return do(t, p, &one, b)
	})
	return v.approvalFailed(ctx, p, n, seen, err)
}

// approvalFailed enters a refusal, and returns the error that the caller sees.
func (v *Vault) approvalFailed(ctx context.Context, p *principal, n id.Approval, one *proposal, err error) error {
	var known *vaultclient.Error
	if errors.As(err, &known) && known.Code == vaultclient.Refused {
		var parties []*party
		for _, org := range scopeOf(one.Organisations) {
			parties = append(parties, &party{org: org, policy: v.policyAt(org)})
		}
		a := ask{purpose: policy.KeepRecords, subject: approvalSubject(n), reason: known.Message}
		if err := v.enterRefusal(ctx, p, a, parties); err != nil {
			return err
		}
	}
	return hideCommitError(err)
}

// takeEffect does what a proposal proposes and enters that it was done.
func (t *tx) takeEffect(n id.Approval, one *proposal, b proposed, p *principal, what string) error {
	if err := b.check(t.v, t.now); err != nil {
		return err
	}
	o := t.v.opening(p, ask{purpose: policy.KeepRecords, reason: approvalSubject(n) + ", " + what})
	o.Rule = one.rules
	if err := b.do(t, &approved{id: n, proposer: one.Proposer, opening: o}); err != nil {
		return err
	}
	return t.settle(n, one, p, vaultclient.Done, what)
}

// settle writes what became of a proposal and enters it.
func (t *tx) settle(n id.Approval, one *proposal, p *principal, s vaultclient.ApprovalState, what string) error {
	one.State, one.Settled, one.By = s, t.now.UnixMicro(), p.User
	if err := t.enterApproval(n, one, p, what); err != nil {
		return err
	}
	return t.keepApproval(n, one)
}

// keepApproval writes a proposal's row.
func (t *tx) keepApproval(n id.Approval, one *proposal) error {
	sealed, err := t.v.sealRow(TableApproval, n[:], one)
	if err != nil {
		return err
	}
	t.put(TableApproval, n[:], sealed)
	t.apply(func(s *state) { s.approvals[n] = one })
	return nil
}

// enterApproval enters what was done with a proposal, where it holds. The digest binds the entry to what was proposed, which
// may name people and so does not stand in it.
func (t *tx) enterApproval(n id.Approval, one *proposal, p *principal, what string) error {
	d := one.digest(t.v.installation, n)
	for _, org := range scopeOf(one.Organisations) {
		o := t.v.opening(p, ask{purpose: policy.KeepRecords, subject: approvalSubject(n), reason: fmt.Sprintf("%s: %s, digest %x", one.Kind, what, d)})
		o.Rule, o.Policy = one.rules, t.v.state.policies.at(org).Version()
		e, err := t.v.seal(entry{org: org, kind: ledger.Approval, basis: ledger.Gate}, o)
		if err != nil {
			return err
		}
		t.append(e)
	}
	return nil
}

func approvalSubject(n id.Approval) string { return "approval:" + n.String() }

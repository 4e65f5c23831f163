package vault

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Passkey is one of a user's passkeys, as they know it.
type Passkey struct {
	ID     string // short and public; means nothing elsewhere
	Name   string
	Made   time.Time
	Synced bool // may be copied to the user's other devices by whoever keeps it for them
}

func passkeyID(row secretHash) string { return hex.EncodeToString(row[:8]) }

// Passkeys lists the caller's own passkeys, the oldest first.
func (v *Vault) Passkeys(ctx context.Context, c Caller) ([]Passkey, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.state.passkeysOf(p.User), nil
}

func (s *state) passkeysOf(user id.User) (list []Passkey) {
	for row, k := range s.credentials {
		if k.User == user && k.isPasskey() {
			list = append(list, Passkey{passkeyID(row), k.Name, time.UnixMicro(k.Made).UTC(), k.BackupEligible})
		}
	}
	slices.SortFunc(list, func(a, b Passkey) int {
		if d := a.Made.Compare(b.Made); d != 0 {
			return d
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list
}

// BeginEnrolment shows whom a one-time link is for and makes a challenge for a new passkey, without spending the link. It
// returns the options for navigator.credentials.create, as JSON.
func (v *Vault) BeginEnrolment(secret string) (vaultclient.User, json.RawMessage, error) {
	v.mu.RLock()
	l := v.state.links[hashSecret(secret)]
	var u vaultclient.User
	ok := l != nil && !l.Cli && v.now().UnixMicro() < l.Expires
	if ok {
		u = *v.state.users[l.User]
	}
	v.mu.RUnlock()
	if !ok {
		return u, nil, errNoCode
	}
	options, err := v.beginEnrolment(u.ID, enrolmentDigest("link", secret))
	return u, options, err
}

// enrolmentDigest ties a challenge for a new passkey to the link or session that it was made for.
func enrolmentDigest(by, secret string) [sha256.Size]byte {
	return sha256.Sum256([]byte(by + "\n" + secret))
}

func (v *Vault) beginEnrolment(n id.User, digest [sha256.Size]byte) (json.RawMessage, error) {
	if v.passkeys.rp == nil {
		return nil, ErrNoPasskeys
	}
	u, err := v.rpUser(n)
	if err != nil {
		return nil, err
	}
	if len(u.keys) >= maxPasskeys {
		return nil, &vaultclient.Error{Code: vaultclient.Conflict, Message: fmt.Sprintf("there are %d passkeys already: remove one first", len(u.keys))}
	}
	known := make([]protocol.CredentialDescriptor, len(u.keys))
	for i, k := range u.keys {
		known[i] = k.Descriptor()
	}
	options, s, err := v.passkeys.rp.BeginRegistration(u, webauthn.WithCredentialParameters(algorithms), webauthn.WithExclusions(known))
	if err != nil {
		return nil, err
	}
	if err := v.passkeys.keep(&ceremony{session: *s, use: useEnrol, digest: digest}, v.now()); err != nil {
		return nil, err
	}
	return json.Marshal(options.Response)
}

// newPasskey checks the browser's answer to beginEnrolment.
func (v *Vault) newPasskey(n id.User, digest [sha256.Size]byte, name string, response []byte) (*credential, error) {
	name = strings.Join(strings.Fields(name), " ")
	if name == "" || len(name) > 100 {
		return nil, invalid("a passkey needs a name of at most 100 bytes")
	}
	if v.passkeys.rp == nil {
		return nil, ErrNoPasskeys
	}
	if len(response) > maxResponse {
		return nil, ErrPasskey
	}
	got, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return nil, ErrPasskey
	}
	c := v.passkeys.take(got.Response.CollectedClientData.Challenge, useEnrol, v.now())
	if c == nil || c.digest != digest {
		return nil, ErrPasskey
	}
	u, err := v.rpUser(n)
	if err != nil {
		return nil, err
	}
	made, err := v.passkeys.rp.CreateCredential(u, c.session, got)
	if err != nil {
		return nil, ErrPasskey
	}
	k := &credential{User: n, Name: name, Made: v.now().UnixMicro(), ID: made.ID, PublicKey: made.PublicKey, Count: made.Authenticator.SignCount, BackupEligible: made.Flags.BackupEligible}
	for _, t := range made.Transport {
		if len(t) <= 20 && len(k.Transports) < 8 {
			k.Transports = append(k.Transports, string(t))
		}
	}
	return k, nil
}

// addPasskey stores a new passkey with its entry.
func (t *tx) addPasskey(k *credential, o ledger.Opening) error {
	row := t.v.passkeyRow(k.ID)
	if t.v.state.credentials[row] != nil {
		return ErrPasskey // nobody's passkey becomes somebody else's
	}
	if err := t.putCredential(row, k); err != nil {
		return err
	}
	if u := t.v.state.users[k.User]; u != nil && !u.Enrolled { // from now on a link for them takes two people, also once it is removed
		enrolled := *u
		enrolled.Enrolled = true
		sealed, err := t.v.sealRow(TableUser, k.User[:], &enrolled)
		if err != nil {
			return err
		}
		t.put(TableUser, k.User[:], sealed)
		t.apply(func(s *state) { s.users[k.User] = &enrolled })
	}
	return t.enterCredential(k.User, o, "passkey added: "+passkeyID(row))
}

func (t *tx) enterCredential(user id.User, o ledger.Opening, reason string) error {
	o.Subject, o.Reason = user.String(), reason
	e, err := t.v.seal(entry{kind: ledger.Credential, basis: ledger.Gate}, o)
	if err != nil {
		return err
	}
	t.append(e)
	return nil
}

// Enrol spends a one-time link: the user's new passkey is stored, and their session on the origin begins.
func (v *Vault) Enrol(ctx context.Context, secret, name string, response []byte) (vaultclient.Session, error) {
	v.mu.RLock()
	l := v.state.links[hashSecret(secret)]
	v.mu.RUnlock()
	if l == nil || l.Cli {
		return vaultclient.Session{}, v.refuseCode(ctx, OriginNode)
	}
	k, err := v.newPasskey(l.User, enrolmentDigest("link", secret), name, response)
	if err != nil {
		return vaultclient.Session{}, err
	}
	return v.begin(ctx, Caller{Node: OriginNode}, func(t *tx) (id.User, error) {
		n, err := v.spendLink(t, secret)
		if err != nil {
			return n, err
		}
		return n, t.addPasskey(k, ledger.Opening{User: n, Role: v.state.users[n].Role, Node: OriginNode})
	})
}

// BeginPasskey asks the caller for a passkey that they have, over Confirmation("add passkey", nil), and then makes a challenge for
// another one.
func (v *Vault) BeginPasskey(ctx context.Context, c Caller) (json.RawMessage, error) {
	p, err := v.onOrigin(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := v.confirm(ctx, c, p, "add passkey", nil); err != nil {
		return nil, err
	}
	return v.beginEnrolment(p.User, enrolmentDigest("session", c.Auth.Session))
}

// onOrigin finds a user who is signed in on the origin.
func (v *Vault) onOrigin(ctx context.Context, c Caller) (*principal, error) {
	p, err := v.authenticate(ctx, c)
	if err == nil && c.Node != OriginNode {
		err = errUnauthenticated
	}
	return p, err
}

// AddPasskey stores another passkey of the caller, the answer to BeginPasskey.
func (v *Vault) AddPasskey(ctx context.Context, c Caller, name string, response []byte) error {
	p, err := v.onOrigin(ctx, c)
	if err != nil {
		return err
	}
	k, err := v.newPasskey(p.User, enrolmentDigest("session", c.Auth.Session), name, response)
	if err != nil {
		return err
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		return t.addPasskey(k, v.opening(p, ask{}))
	}))
}

// RemovePasskey removes one of the caller's passkeys; it asks for a passkey over Confirmation("remove passkey", its id). The last
// one can only be replaced, by an enrolment link of somebody who administers.
func (v *Vault) RemovePasskey(ctx context.Context, c Caller, passkey string) error {
	p, err := v.onOrigin(ctx, c)
	if err != nil {
		return err
	}
	if err := v.confirm(ctx, c, p, "remove passkey", passkey); err != nil {
		return err
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		if len(v.state.passkeysOf(p.User)) < 2 {
			return &vaultclient.Error{Code: vaultclient.Conflict, Message: "this is the only passkey: add another one first"}
		}
		return t.removePasskeys(p.User, passkey, v.opening(p, ask{}))
	}))
}

// RemovePasskeys removes all passkeys of a user, as when their device was stolen, and ends their sessions; for whoever
// administers. It asks for a passkey over Confirmation("remove passkeys", the user's id).
func (v *Vault) RemovePasskeys(ctx context.Context, c Caller, user id.User) error {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return err
	}
	a, err := v.administerUser(ctx, p, user, true)
	if err != nil {
		return err
	}
	if err := v.confirm(ctx, c, p, "remove passkeys", user); err != nil {
		return err
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		t.dropSessions(user)
		return t.removePasskeys(user, "", v.opening(p, a))
	}))
}

// removePasskeys removes a user's passkeys: the one of an id, or all.
func (t *tx) removePasskeys(user id.User, passkey string, o ledger.Opening) error {
	found := false
	for row, k := range t.v.state.credentials {
		if k.User != user || !k.isPasskey() || passkey != "" && passkeyID(row) != passkey {
			continue
		}
		found = true
		t.put(TableCredential, row[:], nil)
		t.apply(func(s *state) { delete(s.credentials, row) })
		if err := t.enterCredential(user, o, "passkey removed: "+passkeyID(row)); err != nil {
			return err
		}
	}
	if !found {
		return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such passkey"}
	}
	return nil
}

// CommandLink makes a one-time link of the caller's own for the command line, which enrols no passkey. It asks for a passkey
// over Confirmation("command link", nil).
func (v *Vault) CommandLink(ctx context.Context, c Caller) (secret string, err error) {
	p, err := v.onOrigin(ctx, c)
	if err != nil {
		return "", err
	}
	if err := v.confirm(ctx, c, p, "command link", nil); err != nil {
		return "", err
	}
	err = v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		o := v.opening(p, ask{})
		o.Subject, o.Reason = p.User.String(), "for the command line"
		e, err := v.seal(entry{kind: ledger.Link, basis: ledger.Gate}, o)
		if err != nil {
			return err
		}
		t.append(e)
		secret, err = t.putLink(link{User: p.User, Cli: true})
		return err
	})
	return secret, hideCommitError(err)
}

// administerUser asks for leave to decide about a user: in each of their organisations, or in the whole service.
func (v *Vault) administerUser(ctx context.Context, p *principal, user id.User, ends bool) (a ask, err error) {
	v.mu.RLock()
	u := v.state.users[user]
	v.mu.RUnlock()
	if u == nil {
		return a, &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such user"}
	}
	return v.administer(ctx, p, u.Organisations, ends)
}

// administer asks for leave to decide who may do what in some organisations; none: in the whole service. What ends leave goes
// on while everything is frozen.
func (v *Vault) administer(ctx context.Context, p *principal, where []id.Organisation, ends bool) (ask, error) {
	a := ask{action: policy.Administer, purpose: policy.KeepRecords, ends: ends}
	_, err := v.permitEach(ctx, p, a, where)
	return a, err
}

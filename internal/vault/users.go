package vault

import (
	"cmp"
	"context"
	"slices"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Users lists who may sign in, by name, for whoever manages the installation. Staff are people too: that somebody read
// their names is entered.
func (v *Vault) Users(ctx context.Context, c Caller) ([]vaultclient.User, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if _, err := v.gate(ctx, p, ask{action: policy.Manage, purpose: policy.KeepRecords, kind: ledger.Oversee, subject: "users"}); err != nil {
		return nil, err
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	out := make([]vaultclient.User, 0, len(v.state.users))
	for _, u := range v.state.users {
		out = append(out, *u)
	}
	slices.SortFunc(out, func(a, b vaultclient.User) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID.String(), b.ID.String()))
	})
	return out, nil
}

// LinkAtStart makes a one-time link for a user, by name, without a session: for whoever starts the vault with its keys
// when nobody who could make one can sign in. It is entered in the installation's log with no user as its actor.
func (v *Vault) LinkAtStart(ctx context.Context, name string) (secret string, err error) {
	err = v.commit(ctx, func(t *tx) error {
		var found []id.User
		for n, u := range v.state.users {
			if active(u, t.now) && person.Fold(u.Name) == person.Fold(name) {
				found = append(found, n)
			}
		}
		if len(found) != 1 {
			return &vaultclient.Error{Code: vaultclient.NotFound, Message: "there is no such user, or more than one: nobody was given a link"}
		}
		e, err := v.seal(entry{kind: ledger.Link, basis: ledger.Gate}, ledger.Opening{Subject: found[0].String(), Reason: "asked for at the vault's start, by who holds its keys"})
		if err != nil {
			return err
		}
		t.append(e)
		secret, err = t.putLink(found[0])
		return err
	})
	return secret, hideCommitError(err)
}

// EndUser ends a user's access at once: their sessions, links, and the grants that they gave. Who they were stays, for
// the ledger. Nobody ends their own access, so that somebody is left who can make users.
func (v *Vault) EndUser(ctx context.Context, c Caller, user id.User) error {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return err
	}
	v.mu.RLock()
	u := v.state.users[user]
	v.mu.RUnlock()
	if u == nil {
		return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such user"}
	}
	if user == p.User {
		return &vaultclient.Error{Code: vaultclient.Conflict, Message: "you can't end your own access"}
	}
	a := ask{action: policy.Manage, purpose: policy.KeepRecords, ends: true}
	if _, err := v.permitEach(ctx, p, a, u.Organisations); err != nil {
		return err
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		old := v.state.users[user]
		if old == nil || !old.Ended.IsZero() {
			return nil
		}
		ended := *old
		ended.Ended = t.now
		sealed, err := v.sealRow(TableUser, user[:], &ended)
		if err != nil {
			return err
		}
		o := v.opening(p, a)
		o.Subject, o.Reason = user.String(), "access ended"
		e, err := v.seal(entry{kind: ledger.User, basis: ledger.Gate}, o)
		if err != nil {
			return err
		}
		t.put(TableUser, user[:], sealed)
		t.append(e)
		t.apply(func(s *state) { s.users[user] = &ended })
		t.dropSessions(user)
		for h, l := range v.state.links {
			if l.User == user {
				t.put(TableLink, h[:], nil)
				t.apply(func(st *state) { delete(st.links, h) })
			}
		}
		for n, g := range v.state.grants {
			switch {
			case g.User != user:
			case g.isMachine(): // it stays on the list of machines
				if g.Ended != 0 {
					continue
				}
				over := *g
				over.Ended = t.now.UnixMicro()
				if err := t.keepMachine(n, over); err != nil {
					return err
				}
				t.apply(func(st *state) { st.grants[n] = &over })
			default:
				t.put(TableJobGrant, n[:], nil)
				t.apply(func(st *state) { delete(st.grants, n) })
			}
		}
		return nil
	}))
}

package vault

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Users lists who may sign in, by name: to whoever administers the installation all of them, to whoever administers some
// organisations those of these alone. Staff are people too: that somebody read their names is entered.
func (v *Vault) Users(ctx context.Context, c Caller) ([]vaultclient.User, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, org := range scopeOf(p.Organisations) {
		if _, err := v.gate(ctx, p, ask{action: policy.Administer, purpose: policy.KeepRecords, organisation: org, kind: ledger.Oversee, subject: "users"}); err != nil {
			return nil, err
		}
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	out := make([]vaultclient.User, 0, len(v.state.users))
	for _, u := range v.state.users {
		if len(p.Organisations) == 0 || len(u.Organisations) > 0 && !slices.ContainsFunc(u.Organisations, func(o id.Organisation) bool { return !slices.Contains(p.Organisations, o) }) {
			out = append(out, *u)
		}
	}
	slices.SortFunc(out, func(a, b vaultclient.User) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID.String(), b.ID.String()))
	})
	return out, nil
}

// CreateUsers creates users, all or none. Those who see much or decide much take two people: code NeedsApproval says so, and
// nobody is created. On the origin it asks for a passkey over Confirmation("create users", users).
func (v *Vault) CreateUsers(ctx context.Context, c Caller, users []vaultclient.NewUser) ([]id.User, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	for i, u := range users {
		if wrong := v.checkUser(u); wrong != "" {
			return nil, invalid("user %d %s", i+1, wrong)
		}
		if _, err := v.administer(ctx, p, u.Organisations, false); err != nil { // whoever makes a user of the whole service administers it
			return nil, err
		}
	}
	if err := v.confirm(ctx, c, p, "create users", users); err != nil {
		return nil, err
	}
	ids := make([]id.User, len(users))
	err = v.commit(ctx, func(t *tx) (err error) {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		for i, u := range users {
			if takesTwo(nil, u) && (!v.alone(p, u.Role) || v.state.single == nil && i > 0) {
				return errNeedsTwo
			}
			if ids[i], err = t.putUser(u, v.opening(p, ask{purpose: policy.KeepRecords})); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, hideCommitError(err)
	}
	return ids, nil
}

// ChangeUser gives a user another role, organisations, wearers, last day, purpose or name, at once. Whoever does it
// administers where the user was and where they are to be; nobody changes what they may themselves. On the origin it asks
// for a passkey over Confirmation("change user", UserChange{user, to}).
func (v *Vault) ChangeUser(ctx context.Context, c Caller, user id.User, to vaultclient.NewUser) error {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return err
	}
	if user == p.User {
		return &vaultclient.Error{Code: vaultclient.Conflict, Message: "you can't change your own role"}
	}
	if wrong := v.checkUser(to); wrong != "" {
		return invalid("the user %s", wrong)
	}
	a, err := v.administerUser(ctx, p, user, false)
	if err != nil {
		return err
	}
	if a, err = v.administer(ctx, p, to.Organisations, false); err != nil {
		return err
	}
	if err := v.confirm(ctx, c, p, "change user", UserChange{user, to}); err != nil {
		return err
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		old := v.state.users[user]
		switch err := p.alive(&v.state); {
		case err != nil:
			return err
		case old == nil || !old.Ended.IsZero():
			return &vaultclient.Error{Code: vaultclient.Conflict, Message: "their access has ended meanwhile"}
		}
		if takesTwo(old, to) && !v.alone(p, to.Role) {
			return errNeedsTwo
		}
		return t.changeUser(user, to, v.opening(p, a))
	}))
}

// changeUser changes a user. Who may was decided before.
func (t *tx) changeUser(user id.User, to vaultclient.NewUser, o ledger.Opening) error {
	u := *t.v.state.users[user]
	o.Subject, o.Reason = user.String(), strings.TrimSuffix("changed; "+o.Reason, "; ")
	u.Name, u.Role, u.Organisations, u.Wearers, u.Until, u.Purpose = to.Name, to.Role, to.Organisations, to.Wearers, to.Until, to.Purpose
	return t.storeUser(&u, o)
}

// UserChange is what ChangeUser is confirmed for.
type UserChange struct {
	User id.User             `json:"user"`
	To   vaultclient.NewUser `json:"to"`
}

func (t *tx) storeUser(u *vaultclient.User, o ledger.Opening) error {
	sealed, err := t.v.sealRow(TableUser, u.ID[:], u)
	if err != nil {
		return err
	}
	e, err := t.v.seal(entry{kind: ledger.User, basis: ledger.Gate}, o)
	if err != nil {
		return err
	}
	t.put(TableUser, u.ID[:], sealed)
	t.append(e)
	t.apply(func(s *state) { s.users[u.ID] = u })
	return nil
}

// NewLink makes a one-time enrolment link for a user. For one who has had a passkey it takes two people: code NeedsApproval. On the origin it asks for a passkey over Confirmation("new link", user).
func (v *Vault) NewLink(ctx context.Context, c Caller, user id.User) (secret string, err error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return "", err
	}
	a, err := v.administerUser(ctx, p, user, false)
	if err != nil {
		return "", err
	}
	if err := v.confirm(ctx, c, p, "new link", user); err != nil {
		return "", err
	}
	err = v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		// Whoever could give such a link alone could sign in as anybody.
		if u := v.state.users[user]; u != nil && u.Enrolled && !v.alone(p, policy.Administrator) {
			return errNeedsTwo
		}
		secret, err = t.enrolmentLink(user, v.opening(p, a))
		return err
	})
	return secret, hideCommitError(err)
}

// enrolmentLink makes a user's one-time enrolment link, with its entry. It is the one way to a link for somebody else: that
// a user who has had a passkey gets another takes a second person's approval, which is asked before.
func (t *tx) enrolmentLink(user id.User, o ledger.Opening) (secret string, err error) {
	if u := t.v.state.users[user]; u != nil && !u.Provider.IsZero() {
		return "", errByProvider
	}
	if !active(t.v.state.users[user], t.now) {
		return "", &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such user, or their access has ended"}
	}
	o.Subject = user.String()
	e, err := t.v.seal(entry{kind: ledger.Link, basis: ledger.Gate}, o)
	if err != nil {
		return "", err
	}
	t.append(e)
	return t.putLink(link{User: user})
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
		secret, err = t.enrolmentLink(found[0], ledger.Opening{Reason: "asked for at the vault's start, by who holds its keys"})
		return err
	})
	return secret, hideCommitError(err)
}

// EndUser ends a user's access at once: their sessions, links, and the grants that they gave. Who they were stays, for
// the ledger. On the origin it asks for a passkey over Confirmation("end user", user). Nobody ends their own access, so that
// somebody is left who can make users.
func (v *Vault) EndUser(ctx context.Context, c Caller, user id.User) error {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return err
	}
	if user == p.User {
		return &vaultclient.Error{Code: vaultclient.Conflict, Message: "you can't end your own access"}
	}
	a, err := v.administerUser(ctx, p, user, true)
	if err != nil {
		return err
	}
	if err := v.confirm(ctx, c, p, "end user", user); err != nil {
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
		o := v.opening(p, a)
		o.Subject, o.Reason = user.String(), "access ended"
		if err := t.storeUser(&ended, o); err != nil {
			return err
		}
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
			case g.isMachine() || g.isStanding(): // it stays on the list
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

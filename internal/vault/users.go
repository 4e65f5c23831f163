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
	p, err := v.authenticate(c)
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
			if person.Fold(u.Name) == person.Fold(name) {
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

package vault

import (
	"cmp"
	"context"
	"slices"

	"github.com/dosevault/dosevault/internal/ledger"
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

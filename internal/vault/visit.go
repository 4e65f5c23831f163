package vault

import (
	"context"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// OriginNode is the node whose sessions those of the vault's own web origin are. It has no certificate, so none of its
// sessions works on the wire, and none of a node's works on the origin.
const OriginNode = vaultclient.OriginNode

// OriginLifetime is how long a session on the origin lasts at most.
const OriginLifetime = 2 * time.Hour

// BeginOrigin begins a user's session on the vault's own origin. Who calls it has made sure who they are.
func (v *Vault) BeginOrigin(ctx context.Context, user id.User) (vaultclient.Session, error) {
	return v.begin(ctx, Caller{Node: OriginNode}, func(*tx) (id.User, error) { return user, nil })
}

// May reports whether the policies permit a caller an action in the whole service or in one of their organisations. It
// is for a page's navigation: nothing is entered, and the answer opens nothing.
func (v *Vault) May(c Caller, a policy.Action, purpose policy.Purpose) bool {
	p, err := v.caller(c)
	if err != nil {
		return false
	}
	for _, org := range append([]id.Organisation{{}}, p.Organisations...) {
		if _, _, denial := v.decide(p, ask{action: a, purpose: purpose, organisation: org}); denial == nil {
			return true
		}
	}
	return false
}

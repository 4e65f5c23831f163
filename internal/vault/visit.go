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

// How long a session on the origin lasts, and how long it may go unused.
const (
	OriginLifetime = 2 * time.Hour
	originIdle     = 15 * time.Minute
)

// BeginOrigin begins a user's session on the vault's own origin. Who calls it has made sure who they are.
func (v *Vault) BeginOrigin(ctx context.Context, user id.User) (vaultclient.Session, error) {
	return v.begin(ctx, Caller{Node: OriginNode}, func(*tx) (id.User, error) { return user, nil })
}

// lifetimeOn is how long a session on a node lasts.
func lifetimeOn(node string) time.Duration {
	if node == OriginNode {
		return OriginLifetime
	}
	return sessionLifetime
}

// used notes that a session is used; false when it went unused for too long. When it was last used is known to this
// process alone: after a restart it counts as unused since it began.
func (s *session) used(now int64) bool {
	if s.Node != OriginNode {
		return true
	}
	last := max(s.seen.Load(), s.Began)
	if now-last > originIdle.Microseconds() {
		return false
	}
	s.seen.Store(max(now, last))
	return true
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

package vault

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Refused sign-ins of one user are entered one by one. Those that no user can be named for, which anybody can send, are counted
// for each node and entered at most once a minute. Many within ten minutes are an alarm: of a user more than somebody does by mistake,
// on a node more than pages that were loaded again and used links give. A restart forgets the counts, never the entries.
const (
	refusedWithin = 10 * time.Minute
	refusedOfUser = 10
	refusedOnNode = 30
)

// refusedSignIns counts them.
type refusedSignIns struct {
	mu        sync.Mutex
	strangers map[string]*strangers  // by node
	latest    map[string][]time.Time // by user or node, no more than raise an alarm
}

// strangers are refused sign-ins on a node since their last entry.
type strangers struct {
	n       int
	entered time.Time
}

func newRefusedSignIns() refusedSignIns {
	return refusedSignIns{strangers: map[string]*strangers{}, latest: map[string][]time.Time{}}
}

// stranger counts a refused sign-in that no user can be named for; sum is not zero when it is time to enter them.
func (r *refusedSignIns) stranger(node string, now time.Time) (sum int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.strangers[node]
	if s == nil {
		s = new(strangers)
		r.strangers[node] = s
	}
	s.n++
	if now.Sub(s.entered) < time.Minute {
		return 0
	}
	sum, s.n, s.entered = s.n, 0, now
	return sum
}

// full counts a refused sign-in of a user or on a node, and reports whether that makes an alarm; the count begins anew then.
func (r *refusedSignIns) full(of string, most int, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := append(r.latest[of], now)
	for len(all) > 0 && now.Sub(all[0]) >= refusedWithin {
		all = all[1:]
	}
	if len(all) < most {
		r.latest[of] = all
		return false
	}
	delete(r.latest, of)
	return true
}

// refuseSignIn enters that a sign-in on a node was refused.
func (v *Vault) refuseSignIn(ctx context.Context, node string, user id.User, reason string) error {
	o := ledger.Opening{Node: node, Subject: subjectOf(user), Reason: "sign-in: " + reason}
	enter := true
	if user.IsZero() {
		n := v.signIns.stranger(node, v.now())
		o.Reason += fmt.Sprintf(" (refused sign-ins since the last such entry: %d)", n)
		enter = n > 0
	}
	return v.enterRefused(ctx, enter, user, o)
}

// enterRefused counts a refused sign-in or confirmation by a passkey, enters it unless it waits to be summed up, and raises an
// alarm when there were many, or when a passkey was copied.
func (v *Vault) enterRefused(ctx context.Context, enter bool, user id.User, o ledger.Opening) error {
	of, most := "node:"+o.Node, refusedOnNode
	if !user.IsZero() {
		of, most = "user:"+user.String(), refusedOfUser
	}
	many := v.signIns.full(of, most, v.now())
	if !enter && !many {
		return nil
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if enter {
			e, err := v.seal(entry{kind: ledger.Refuse, basis: ledger.Gate}, o)
			if err != nil {
				return err
			}
			t.append(e)
		}
		if strings.HasSuffix(o.Reason, reasonCounter) {
			if err := t.raise(vaultclient.AlarmPasskeyCounter, id.Organisation{}, ledger.Opening{Node: o.Node, Subject: of, Reason: reasonCounter}); err != nil {
				return err
			}
		}
		if many {
			return t.raise(vaultclient.AlarmRefusedSignIns, id.Organisation{}, ledger.Opening{Node: o.Node, Subject: of, Reason: fmt.Sprintf("%d within %.0f minutes", most, refusedWithin.Minutes())})
		}
		return nil
	}))
}

// refusePasskey enters that a sign-in by passkey was refused, and returns what the browser is told: no more than that.
func (v *Vault) refusePasskey(ctx context.Context, user id.User, reason string) error {
	if err := v.refuseSignIn(ctx, OriginNode, user, reason); err != nil {
		return err
	}
	return ErrPasskey
}

// refuseCode counts a one-time code or link that a node brought and that opens nothing.
func (v *Vault) refuseCode(ctx context.Context, node string) error {
	if err := v.refuseSignIn(ctx, node, id.User{}, "a code or link that was used, has expired, or is for another place"); err != nil {
		return err
	}
	return errNoCode
}

func subjectOf(user id.User) string {
	if user.IsZero() {
		return ""
	}
	return user.String()
}

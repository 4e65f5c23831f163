package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// A service with one administrator has nobody who could approve. Whoever starts the vault with its keys can declare so: a
// proposal then takes effect without a second person once a delay is over, and anybody who may approve it can decline it
// until then. It stays declared until somebody ends it, which takes one person and no keys.

// DefaultDelay is how long a proposal waits where there is a single administrator; MaxDelay is the longest that can be
// declared, since a proposal waits a week at most.
const (
	DefaultDelay = 24 * time.Hour
	MaxDelay     = 6 * 24 * time.Hour
)

// settleEvery is how often the vault looks for proposals whose time has come.
const settleEvery = 30 * time.Second

// singleMode is what was declared. The row of table setting has this name.
type singleMode struct {
	Delay int64 `json:"delay"` // µs; zero: a proposal takes effect when it is made, unsigned
	Since int64 `json:"since"` // µs
}

var settingSingle = []byte("single-administrator")

// SingleAdministrator declares that a single administrator decides here, after a delay. It is for whoever starts the vault
// with its keys. A delay of zero leaves no time to decline anything: for trials with invented people.
func (v *Vault) SingleAdministrator(ctx context.Context, delay time.Duration) error {
	if delay < 0 || delay > MaxDelay {
		return fmt.Errorf("a single administrator's proposals take effect after at most %v", MaxDelay)
	}
	return v.commit(ctx, func(t *tx) error {
		m := &singleMode{Delay: delay.Microseconds(), Since: t.now.UnixMicro()}
		if old := v.state.single; old != nil && old.Delay == m.Delay {
			return nil
		}
		return t.setSingle(m, ledger.Opening{Reason: fmt.Sprintf("a single administrator decides, after %v: declared at the vault's start, by who holds its keys", delay)})
	})
}

// EndSingleAdministrator ends that a single administrator decides. What waits then takes two people.
func (v *Vault) EndSingleAdministrator(ctx context.Context, c Caller) error {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return err
	}
	a := ask{action: policy.Administer, purpose: policy.KeepRecords}
	if _, _, err := v.permit(ctx, p, a); err != nil {
		return err
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		if v.state.single == nil {
			return nil
		}
		a.reason = "two people decide from now on"
		return t.setSingle(nil, v.opening(p, a))
	}))
}

// setSingle writes what is declared, nil when nothing is, and enters it.
func (t *tx) setSingle(m *singleMode, o ledger.Opening) error {
	var sealed []byte
	if m != nil {
		var err error
		if sealed, err = t.v.sealRow(TableSetting, settingSingle, m); err != nil {
			return err
		}
	}
	o.Subject = string(settingSingle)
	e, err := t.v.seal(entry{kind: ledger.Approval, basis: ledger.Gate}, o)
	if err != nil {
		return err
	}
	t.put(TableSetting, settingSingle, sealed)
	t.append(e)
	// An installation that is just being made alarms nobody: there is only its first user.
	if len(t.v.state.users) > 1 || len(t.v.state.organisations) > 0 {
		if err := t.raise(vaultclient.AlarmSingleMode, id.Organisation{}, o); err != nil {
			return err
		}
	}
	t.apply(func(s *state) { s.single = m })
	return nil
}

// Single returns after which delay a single administrator decides; false where it takes two people.
func (v *Vault) Single() (delay time.Duration, ok bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.state.single == nil {
		return 0, false
	}
	return time.Duration(v.state.single.Delay) * time.Microsecond, true
}

// SettleApprovals settles the proposals whose time has come: those that expired, and where a single administrator decides
// those whose delay is over. The vault does so by itself, twice a minute.
func (v *Vault) SettleApprovals(ctx context.Context) error {
	now := v.now()
	v.mu.RLock()
	ready := map[id.Approval]*proposal{}
	for n, one := range v.state.approvals {
		if one.State == vaultclient.Waiting && (!one.waits(now) || v.state.single != nil && one.due(now)) {
			ready[n] = one
		}
	}
	v.mu.RUnlock()
	var failed error
	for n, one := range ready {
		b, err := readProposal(one.Kind, one.Body)
		if err == nil {
			v.prepare(b)
			err = v.commit(ctx, func(t *tx) error { return t.settleByItself(n, b) })
		}
		var known *vaultclient.Error
		if errors.As(err, &known) { // it can't take effect as things stand, and nobody is there to be told: it ends here
			err = v.commit(ctx, func(t *tx) error {
				one := *v.state.approvals[n]
				if one.State != vaultclient.Waiting {
					return nil
				}
				one.Why = known.Message
				return t.settle(n, &one, new(principal), vaultclient.Expired, "could not take effect: "+known.Message)
			})
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// due reports whether a proposal takes effect without a second person.
func (p *proposal) due(now time.Time) bool { return p.Due != 0 && now.UnixMicro() >= p.Due }

func (t *tx) settleByItself(n id.Approval, b proposed) error {
	one := *t.v.state.approvals[n]
	switch {
	case one.State != vaultclient.Waiting:
		return nil
	case !one.waits(t.now):
		return t.settle(n, &one, new(principal), vaultclient.Expired, "expired")
	case t.v.state.single == nil || !one.due(t.now):
		return nil
	}
	var ok bool
	if one.rules, ok = t.v.permits(one.Proposer, b, false); !ok {
		return ErrMayNoLonger
	}
	u := t.v.state.users[one.Proposer]
	return t.takeEffect(n, &one, b, &principal{Principal: policy.Principal{User: u.ID, Role: u.Role}}, "not declined in time, as declared for this installation")
}

// settler settles approvals and reminds of deadlines until the vault stops.
func (v *Vault) settler() {
	defer v.beside.Done()
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for {
		select {
		case <-v.quit:
			return
		case <-v.stopped:
			return
		case <-tick.C:
		}
		if err := v.Remind(context.Background()); err != nil && !errors.Is(err, errStopped) {
			v.log.Error("whose time to tell of a breach runs out could not be said; trying again", "error", err, "in", settleEvery)
		}
		if err := v.SettleApprovals(context.Background()); err != nil && !errors.Is(err, errStopped) {
			v.log.Error("proposals whose time has come could not be settled; trying again", "error", err, "in", settleEvery)
		}
	}
}

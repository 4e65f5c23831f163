package vault

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// SessionLimits are how long sessions on nodes last.
type SessionLimits struct {
	Idle     time.Duration // without use
	Lifetime time.Duration // at most, however much it is used
}

// DefaultSessionLimits are those of an installation that sets none.
var DefaultSessionLimits = SessionLimits{Idle: 30 * time.Minute, Lifetime: 10 * time.Hour}

// Check says what is wrong with limits that were set.
func (l SessionLimits) Check() error {
	switch {
	case l.Lifetime < 5*time.Minute || l.Lifetime > 24*time.Hour:
		return fmt.Errorf("a session lasts 5 minutes to 24 hours, not %v", l.Lifetime)
	case l.Idle < time.Minute || l.Idle > l.Lifetime:
		return fmt.Errorf("a session that is not used ends after 1 minute at least, and at most when it ends anyway (%v), not after %v", l.Lifetime, l.Idle)
	}
	return nil
}

// originLimits are those of sessions on the vault's own pages.
var originLimits = SessionLimits{Idle: 15 * time.Minute, Lifetime: OriginLifetime}

// limits are how long a session on a node lasts.
func (v *Vault) limits(node string) SessionLimits {
	if node == OriginNode {
		return originLimits
	}
	return v.sessions
}

// keepUseEvery is how often the moment at which a session was last used is written at most, together with an entry that it
// makes anyway. A vault that was killed remembers an earlier moment, so a session then ends sooner, never later.
const keepUseEvery = 5 * time.Minute

// session is a signed-in user on one node.
type session struct {
	storedSession
	last atomic.Int64 // µs: when it was used
	kept int64        // µs: the same as it was last written; the committer's
}

// storedSession is a session's row.
type storedSession struct {
	ID      string  `json:"id"` // by which people and commands name it; it opens nothing
	User    id.User `json:"user"`
	Node    string  `json:"node"`
	Began   int64   `json:"began"`   // µs
	Expires int64   `json:"expires"` // µs
	Used    int64   `json:"used"`    // µs; see keepUseEvery
}

func newSession(row storedSession) *session {
	s := &session{storedSession: row, kept: row.Used}
	s.last.Store(row.Used)
	return s
}

// newSessionID returns twelve random letters and digits.
func newSessionID() string { return strings.ToLower(rand.Text()[:12]) }

// sessionRuns reports whether a session has neither reached its end nor gone unused for too long.
func (v *Vault) sessionRuns(s *session, at time.Time) bool {
	now := at.UnixMicro()
	return now < s.Expires && now-s.last.Load() < v.limits(s.Node).Idle.Microseconds()
}

// use notes that a running session is used.
func (s *session) use(at time.Time) { s.last.Store(max(at.UnixMicro(), s.last.Load())) }

// keepUse writes when the caller's session was last used, if that was not done for a while.
func (t *tx) keepUse(p *principal) error {
	s := p.session
	if s == nil {
		return nil
	}
	last := s.last.Load()
	if last-s.kept < min(keepUseEvery, t.v.limits(s.Node).Idle/4).Microseconds() {
		return nil
	}
	s.kept = last
	return t.keepSession(p.token, s)
}

// keepSession writes a session's row.
func (t *tx) keepSession(h secretHash, s *session) error {
	row := s.storedSession
	row.Used = s.last.Load()
	sealed, err := t.v.sealRow(TableSession, h[:], row)
	if err != nil {
		return err
	}
	t.put(TableSession, h[:], sealed)
	return nil
}

// dropSession forgets a session.
func (t *tx) dropSession(h secretHash) {
	t.put(TableSession, h[:], nil)
	t.apply(func(st *state) { delete(st.sessions, h) })
}

// dropSessions forgets the sessions of a user.
func (t *tx) dropSessions(of id.User) {
	for h, s := range t.v.state.sessions {
		if s.User == of {
			t.dropSession(h)
		}
	}
}

// dropEndedSessions forgets sessions that have ended by themselves.
func (t *tx) dropEndedSessions() {
	for h, s := range t.v.state.sessions {
		if !t.v.sessionRuns(s, t.now) || !active(t.v.state.users[s.User], t.now) {
			t.dropSession(h)
		}
	}
}

// Sessions lists the caller's own sessions, the last used first.
func (v *Vault) Sessions(ctx context.Context, c Caller) ([]vaultclient.OpenSession, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	return v.openSessions(c, func(u id.User) bool { return u == p.User && !u.IsZero() }), nil
}

// AllSessions lists everybody's sessions, the last used first, for whoever decides who may sign in. Staff are people
// too: that somebody read when they work is entered.
func (v *Vault) AllSessions(ctx context.Context, c Caller) ([]vaultclient.OpenSession, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if _, err := v.gate(ctx, p, ask{action: policy.Administer, purpose: policy.KeepRecords, kind: ledger.Oversee, subject: "sessions"}); err != nil {
		return nil, err
	}
	return v.openSessions(c, func(id.User) bool { return true }), nil
}

func (v *Vault) openSessions(c Caller, of func(id.User) bool) []vaultclient.OpenSession {
	this, now := hashSecret(c.Auth.Session), v.now()
	v.mu.RLock()
	defer v.mu.RUnlock()
	out := []vaultclient.OpenSession{}
	for h, s := range v.state.sessions {
		u := v.state.users[s.User]
		if !of(s.User) || !active(u, now) || !v.sessionRuns(s, now) {
			continue
		}
		out = append(out, vaultclient.OpenSession{ID: s.ID, User: s.User, Name: u.Name, Role: u.Role, Node: s.Node, Began: time.UnixMicro(s.Began).UTC(),
			Used: time.UnixMicro(s.last.Load()).UTC(), Expires: time.UnixMicro(s.Expires).UTC(), This: h == this})
	}
	slices.SortFunc(out, func(a, b vaultclient.OpenSession) int { return cmp.Or(b.Used.Compare(a.Used), cmp.Compare(a.ID, b.ID)) })
	return out
}

// EndSession ends a session at once, by the id that lists show: one's own, or that of somebody for whom one decides who may
// sign in. What it asks for at this moment is refused, unless its entry is durable already. One that has ended is not found.
func (v *Vault) EndSession(ctx context.Context, c Caller, name string) error {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return err
	}
	h, s, u := v.sessionNamed(name)
	var parties []*party
	a := ask{action: policy.Administer, purpose: policy.KeepRecords, ends: true}
	if s == nil || p.User.IsZero() || s.User != p.User {
		// Somebody who may end no sessions of others learns nothing from the answer.
		if parties, err = v.permitEach(ctx, p, a, u.Organisations); err != nil {
			return err
		}
	}
	if s == nil {
		return errNoSession
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		if v.state.sessions[h] != s {
			return errNoSession
		}
		o := v.opening(p, ask{})
		o.Subject, o.Reason = s.ID, "by its own user"
		if len(parties) > 0 {
			rules := map[string]bool{}
			for _, of := range parties {
				maps.Copy(rules, of.rules)
			}
			o.Purpose, o.Rule, o.Reason = string(a.purpose), joinRules(rules), "of user:"+s.User.String()
		}
		e, err := v.seal(entry{kind: ledger.SignOut, basis: ledger.Gate}, o)
		if err != nil {
			return err
		}
		t.append(e)
		t.dropSession(h)
		return nil
	}))
}

var errNoSession = &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such session: it may have ended"}

// sessionNamed finds a session and its user; both are empty when there is none.
func (v *Vault) sessionNamed(name string) (secretHash, *session, vaultclient.User) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for h, s := range v.state.sessions {
		if u := v.state.users[s.User]; s.ID == name && u != nil {
			return h, s, *u
		}
	}
	return secretHash{}, nil, vaultclient.User{}
}

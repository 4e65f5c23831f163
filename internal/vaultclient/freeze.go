package vaultclient

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
)

// Scope is what can be frozen: "everything", "organisation:…", "user:…", "node:…", "grant:…", "supplier:…" or "export:…". What
// follows the colon is an id, or the name of a node or supplier.
type Scope string

// Everything is the scope of all that the vault opens.
const Everything Scope = "everything"

// The kinds of scopes beside everything.
const (
	ScopeOrganisation = "organisation"
	ScopeUser         = "user"
	ScopeNode         = "node"
	ScopeGrant        = "grant" // a job's, a machine's or a standing one
	ScopeSupplier     = "supplier"
	ScopeExport       = "export"
)

// OriginNode is the vault's own pages, as the node of a session. It can't be frozen: thawing happens there.
const OriginNode = "origin"

// OrganisationScope is one organisation's people.
func OrganisationScope(n id.Organisation) Scope { return Scope(ScopeOrganisation + ":" + n.String()) }

// UserScope is one user, with every grant that they gave.
func UserScope(n id.User) Scope { return Scope(ScopeUser + ":" + n.String()) }

// GrantScope is one grant, with what was passed on of it.
func GrantScope(n id.Grant) Scope { return Scope(ScopeGrant + ":" + n.String()) }

// NodeScope is one node, with every session and grant on it.
func NodeScope(name string) Scope { return Scope(ScopeNode + ":" + name) }

// Kind returns what stands before the colon, and Of what stands after it.
func (s Scope) Kind() string { kind, _, _ := strings.Cut(string(s), ":"); return kind }

// Of returns the id or name of what is frozen; nothing for everything.
func (s Scope) Of() string { _, of, _ := strings.Cut(string(s), ":"); return of }

// ParseScope reads a scope in the form that Scope describes; the error says what is expected.
func ParseScope(text string) (Scope, error) {
	s := Scope(text)
	if s == Everything {
		return s, nil
	}
	canonical := ""
	switch of := s.Of(); s.Kind() {
	case ScopeOrganisation:
		if n, err := id.Parse[id.Organisation](of); err == nil && !n.IsZero() {
			canonical = n.String()
		}
	case ScopeUser:
		if n, err := id.Parse[id.User](of); err == nil && !n.IsZero() {
			canonical = n.String()
		}
	case ScopeGrant:
		if n, err := id.Parse[id.Grant](of); err == nil && !n.IsZero() {
			canonical = n.String()
		}
	case ScopeExport:
		if n, err := id.Parse[id.Export](of); err == nil && !n.IsZero() {
			canonical = n.String()
		}
	case ScopeNode, ScopeSupplier:
		if len(of) <= 200 && utf8.ValidString(of) && of == strings.TrimSpace(of) && !strings.ContainsFunc(of, func(r rune) bool { return r < ' ' || r == '\u007f' }) {
			canonical = of
		}
	}
	if canonical == "" || s == NodeScope(OriginNode) {
		return "", &Error{Code: Invalid, Message: "what is frozen is everything, or one organisation, user, grant or export by its id, or one node or supplier by its name; the vault's own pages can't be"}
	}
	return Scope(s.Kind() + ":" + canonical), nil
}

// MaxFreezeReason is how many characters the reason of a freeze may have.
const MaxFreezeReason = 500

// FreezeRequest asks to freeze something.
type FreezeRequest struct {
	Scope   Scope          `json:"scope"`
	Reason  string         `json:"reason"`
	Purpose policy.Purpose `json:"purpose,omitempty"` // oversight, unless it says breach-notice
	// Sure: freeze even if fewer than two people are left who could thaw.
	Sure bool `json:"sure,omitempty"`
}

// Frozen is something that is frozen.
type Frozen struct {
	Scope     Scope     `json:"scope"`
	Name      string    `json:"name,omitempty"` // of the organisation, user or machine, where it has one
	By        string    `json:"by,omitempty"`   // who froze it, by name; empty when the vault did by itself
	At        time.Time `json:"at"`
	Reason    string    `json:"reason"`
	Automatic bool      `json:"automatic,omitempty"`
}

// Freeze stops something before the next reveal. Freezing what is frozen is no error. Code Conflict: fewer than two people
// would be left who could thaw.
func (c *Client) Freeze(ctx context.Context, auth Auth, r FreezeRequest) error {
	return call(ctx, c, "freeze", auth, r, nil)
}

// Frozen lists what is frozen, newest first, as far as the caller may freeze it.
func (c *Client) Frozen(ctx context.Context, auth Auth) (out []Frozen, err error) {
	err = call(ctx, c, "frozen", auth, struct{}{}, &out)
	return out, err
}

// Package policy decides who may see which field for which purpose.
//
// The rules are Cedar policies, one readable file for each action under
// policies/. The facts they decide on (role, organisation, employment,
// classified) come from the vault's own tables; a caller supplies none but the
// purpose. Anything that goes wrong in deciding is a refusal.
//
// What always holds, and is tested: a set of fields is permitted exactly when each
// of its fields is; whoever is tied to organisations is permitted nothing outside
// them; a grant is permitted nothing beyond its bounds. Beside each file of
// policies stands one of examples, and testdata/matrix.txt has every answer.
//
// It does not know sessions, end dates, freezes or budgets: those are the vault's
// own steps, before and after this one. The package is pure: no files, network,
// database or clock.
package policy

import "github.com/dosevault/dosevault/internal/id"

// Principal is who asks, as the vault knows them.
type Principal struct {
	// User or Grant: one of the two is set.
	User  id.User
	Grant id.Grant

	Role          Role              // a user's
	Organisations []id.Organisation // where the role holds; empty for a role that holds in the whole service
	Own           []id.Wearer       // the wearers that the user is

	// A grant's bounds. The grant's organisations stand in Organisations (empty: all of the service).
	GrantPurpose Purpose
	GrantFields  Fields
	Machine      bool // leave for a machine outside, which reads less than it holds: see machine.cedar
}

// Resource is what is asked about. An action on no wearer (manage, oversee, a search over all organisations)
// leaves what does not apply zero.
type Resource struct {
	Organisation id.Organisation // zero: the installation as a whole
	Wearer       id.Wearer
	Classified   bool
	Current      bool // employed today
}

// Request is one question.
type Request struct {
	Action    Action
	Purpose   Purpose
	Fields    Fields // for Reveal, Search, Compare, Write, Grant
	Principal Principal
	Resource  Resource
}

// Decision is the answer.
type Decision struct {
	Allow bool
	// Rule names the policies that permitted, or the reason of a refusal, for the ledger. It holds no personal data.
	Rule string
}

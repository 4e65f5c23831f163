package vault

import (
	"context"
	"slices"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// wide are the roles that see much or decide much: to make one takes two people.
var wide = []policy.Role{policy.Coordinator, policy.RecordsOfficer, policy.Administrator}

// takesTwo reports whether making a user takes two people, or changing them from what they were: when a wide role is new, or
// reaches further than before in organisations, time or purpose.
func takesTwo(old *vaultclient.User, to vaultclient.NewUser) bool {
	switch {
	case !slices.Contains(wide, to.Role):
		return false
	case old == nil || old.Role != to.Role:
		return true
	case !old.Until.IsZero() && (to.Until.IsZero() || to.Until > old.Until), old.Purpose != "" && old.Purpose != to.Purpose:
		return true
	case len(old.Organisations) == 0:
		return false
	}
	return len(to.Organisations) == 0 || slices.ContainsFunc(to.Organisations, func(o id.Organisation) bool { return !slices.Contains(old.Organisations, o) })
}

// alone reports whether one person may make a wide user without anybody else: where that is declared without delay; or as
// long as nobody is there to approve, so that an installation's first co-ordinator can make the second person. An
// administrator's or co-ordinator's role it has to be then. Only the committer calls it.
func (v *Vault) alone(p *principal, role policy.Role) bool {
	if m := v.state.single; m != nil {
		return m.Delay == 0
	}
	if role == policy.RecordsOfficer {
		return false
	}
	for n := range v.state.users {
		who, ok := v.acting(n)
		if ok && n != p.User && who.rule(v.state.policies.service, policy.Request{Action: policy.Administer, Purpose: policy.KeepRecords, Principal: who.Principal}).Allow {
			return false
		}
	}
	return true
}

// administer is what is asked about whoever proposes or approves who may sign in and do what.
var administer = []ask{{action: policy.Administer, purpose: policy.KeepRecords}}

// userProposal makes a user, or changes one.
type userProposal struct{ vaultclient.UserChange }

// Both where they were and where they are to be have to agree.
func (b *userProposal) where(v *Vault) []id.Organisation {
	orgs := slices.Clone(b.Organisations)
	if old := v.state.users[b.User]; old != nil && len(orgs) > 0 {
		if len(old.Organisations) == 0 {
			return nil
		}
		for _, org := range old.Organisations {
			if !slices.Contains(orgs, org) {
				orgs = append(orgs, org)
			}
		}
	}
	return orgs
}

func (*userProposal) may(bool) []ask { return administer }

func (b *userProposal) check(v *Vault, _ time.Time) error {
	if old := v.state.users[b.User]; !b.User.IsZero() && (old == nil || !old.Ended.IsZero()) {
		return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such user, or their access has ended"}
	}
	if wrong := v.checkUser(b.NewUser); wrong != "" {
		return invalid("the user %s", wrong)
	}
	return v.checkOrganisations(b.Organisations)
}

func (b *userProposal) read(ctx context.Context, v *Vault) []Line {
	var lines []Line
	if !b.User.IsZero() {
		lines = append(lines, Line{"Changes", v.userName(b.User) + " (" + b.User.String() + ")"})
	}
	lines = append(lines, []Line{
		{"Name", b.Name},
		{"Role", words.T(ctx, RoleWords(b.Role))},
		{"Organisations", v.whereWords(ctx, b.Organisations)},
	}...)
	if len(b.Wearers) > 0 {
		lines = append(lines, Line{"Sees the own record of", wearerWords(b.Wearers)})
	}
	if !b.Until.IsZero() {
		lines = append(lines, Line{"Last day", words.Date(ctx, b.Until)})
	}
	if b.Purpose != "" {
		lines = append(lines, Line{"For this purpose only", words.T(ctx, PurposeWords(b.Purpose))})
	}
	return lines
}

func (b *userProposal) do(t *tx, p *approved) error {
	if b.User.IsZero() {
		_, err := t.putUser(b.NewUser, p.opening)
		return err
	}
	if b.User == p.proposer || b.User == p.opening.User {
		return refused("nobody takes part in changing what they may themselves")
	}
	return t.changeUser(b.User, b.NewUser, p.opening)
}

// checkOrganisations refuses organisations that are not there. The caller holds the lock, or is the committer.
func (v *Vault) checkOrganisations(orgs []id.Organisation) error {
	for _, org := range orgs {
		if v.state.organisations[org] == nil {
			return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such organisation"}
		}
	}
	return nil
}

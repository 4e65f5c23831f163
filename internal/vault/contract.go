package vault

import (
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// A contractor is a user of any role whose access has a last day, or who asks for one purpose only. Both are looked at
// whenever the user, or what they gave, is used: nobody has to do anything when a contract ends.

// ruleContract is the rule of a refusal whose asker is a contractor for another purpose.
const ruleContract = "contract"

// contractEnd is when a user's access ends by itself: the end of its last day in London. Zero: it does not.
func contractEnd(u *vaultclient.User) time.Time {
	if u.Until.IsZero() {
		return time.Time{}
	}
	y, m, d := u.Until.Time().Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, london)
}

// active reports whether a user's access holds at a moment: it was not ended, their organisation's own sign-in still gives them a role, and the contract, if there is one, runs.
func active(u *vaultclient.User, at time.Time) bool {
	return u != nil && u.Ended.IsZero() && u.Lapsed.IsZero() && (u.Until.IsZero() || at.Before(contractEnd(u)))
}

// upTo returns the earlier of a moment and the end of a user's contract.
func upTo(u *vaultclient.User, at time.Time) time.Time {
	if end := contractEnd(u); !u.Until.IsZero() && end.Before(at) {
		return end
	}
	return at
}

// rule asks the policies, unless the asker's contract is for another purpose: then no policy is asked.
func (p *principal) rule(set *policy.Set, r policy.Request) policy.Decision {
	if p.only != "" && r.Purpose != p.only {
		return policy.Decision{Rule: ruleContract}
	}
	return set.Decide(r)
}

// checkUser says what is wrong with a user who is to be made or changed, in words that follow "user 1 ", or nothing.
func (v *Vault) checkUser(u vaultclient.NewUser) string {
	switch {
	case strings.TrimSpace(u.Name) == "" || len(u.Name) > 200 || !slices.Contains(policy.Roles, u.Role):
		return "needs a name of at most 200 bytes and a known role"
	case !u.Until.IsZero() && !active(&vaultclient.User{Until: u.Until}, v.now()):
		return "has a contract that is over: its last day is today or later"
	case u.Purpose != "" && !slices.Contains(policy.Purposes, u.Purpose):
		return "has a purpose that is none: " + purposeNames()
	}
	return ""
}

func purposeNames() string {
	names := make([]string, len(policy.Purposes))
	for i, p := range policy.Purposes {
		names[i] = string(p)
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

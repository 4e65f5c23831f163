package vault_test

import (
	"testing"

	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// TestNodesMakeNoUsers: a web node or worker with a co-ordinator's session makes no user, link or session by a link, ends
// nobody and lists nobody; the command line does.
func TestNodesMakeNoUsers(t *testing.T) {
	h := newHouse(t)
	u := must(h.nodes["cli"].CreateUsers(t.Context(), h.root, []vc.NewUser{{Name: "Llŷr Prys", Role: policy.Operator}}))[0]
	link := must(h.nodes["cli"].NewLink(t.Context(), h.root, u))
	for _, node := range []string{"web", "worker"} {
		auth, c := h.signIn(node, vc.NewUser{Name: "Co-ordinator on " + node, Role: policy.Coordinator}), h.nodes[node]
		for name, err := range map[string]error{
			"a user":    second(c.CreateUsers(t.Context(), auth, []vc.NewUser{{Name: "Mallory", Role: policy.Operator}})),
			"a link":    second(c.NewLink(t.Context(), auth, u)),
			"a session": second(c.RedeemLink(t.Context(), link)),
			"a list":    second(c.Users(t.Context(), auth)),
			"an end":    c.EndUser(t.Context(), auth, u),
		} {
			if code(err) != vc.Refused {
				t.Errorf("%s by the node %s: %v", name, node, err)
			}
		}
	}
	if s := must(h.nodes["cli"].RedeemLink(t.Context(), link)); s.User.ID != u {
		t.Errorf("signed in as %v", s.User.ID)
	}
}

package vault_test

import (
	"testing"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// TestSearchShowsWhomTheRoleSees: a records officer, who is shown classified people only, gets a list of them and not a
// refusal because somebody else works there too; and no total tells how many others there are.
func TestSearchShowsWhomTheRoleSees(t *testing.T) {
	h := newHouse(t)
	org, none := h.organisation("A"), h.organisation("B")
	h.join(org, "Bowen, Siân, 1", "Rees, Llŷr, 2, AB123456C", "Roberts, Mair, 3")
	h.join(none, "Parry, Owain, 4")
	officer := h.signIn("web", vc.NewUser{Name: "O", Role: policy.RecordsOfficer})
	search := func(auth vc.Auth, purpose policy.Purpose, o id.Organisation, query string) (vc.SearchResult, error) {
		return h.nodes["web"].Search(t.Context(), auth, vc.SearchRequest{Purpose: purpose, Organisation: o, Query: person.NewValue(query), Limit: 25})
	}
	for _, c := range []struct {
		where id.Organisation
		query string
		want  int
	}{{org, "", 1}, {org, "r", 1}, {org, "roberts", 0}, {id.Organisation{}, "", 1}, {none, "", 0}} {
		got, err := search(officer, policy.KeepRecords, c.where, c.query)
		if err != nil || got.Total != c.want || len(got.Records) != c.want {
			t.Errorf("%q: %d of %d, want %d: %v", c.query, len(got.Records), got.Total, c.want, err)
			continue
		}
		if c.want > 0 && got.Records[0].Identity.Surname.Expose() != "Rees" {
			t.Errorf("%q: somebody else was found", c.query)
		}
	}
	// Who may be shown nobody is refused as before.
	for _, role := range []policy.Role{policy.Operator, policy.DataProtection} {
		if _, err := search(h.signIn("web", vc.NewUser{Name: "P", Role: role}), policy.Oversight, org, ""); code(err) != vc.Refused {
			t.Errorf("%s: %v", role, err)
		}
	}
}

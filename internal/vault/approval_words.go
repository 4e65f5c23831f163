package vault

import (
	"context"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/words"
)

// How what a proposal holds is said. The Welsh of these texts stands with that of the origin's pages.

var roleWording = map[policy.Role]words.Key{
	policy.Coordinator:    "Badge co-ordinator",
	policy.Local:          "Local badge co-ordinator",
	policy.Supervisor:     "Radiation protection supervisor",
	policy.RecordsOfficer: "Records officer",
	policy.DataProtection: "Data protection officer",
	policy.Wearer:         "Wearer of a badge",
	policy.Administrator:  "Administrator",
	policy.Operator:       "Operator",
}

// RoleWords is a role as pages say it.
func RoleWords(r policy.Role) words.Key {
	if k, ok := roleWording[r]; ok {
		return k
	}
	return words.Plain(string(r))
}

var purposeWording = map[policy.Purpose]words.Key{
	policy.IssueBadges:     "issuing badges",
	policy.AssessDose:      "assessing doses",
	policy.StatutoryReturn: "records and returns that the law asks for",
	policy.OwnRecord:       "showing somebody their own record",
	policy.BreachNotice:    "telling people of a breach",
	policy.Oversight:       "reading who has seen what",
	policy.KeepRecords:     "keeping people’s records",
}

// PurposeWords is a purpose as pages say it.
func PurposeWords(p policy.Purpose) words.Key {
	if k, ok := purposeWording[p]; ok {
		return k
	}
	return words.Plain(string(p))
}

var fieldWording = map[string]words.Key{
	"name": "name", "birth": "date of birth", "sex": "sex", "staff_number": "staff number", "registration": "registration",
	"ni": "NI number", "contact": "contact", "health": "health", "dose": "dose", "document": "document", "employment": "employment",
}

// FieldWords is a set of fields as pages say it.
func FieldWords(ctx context.Context, f policy.Fields) string {
	var keys []words.Key
	for _, n := range f.Names() {
		keys = append(keys, fieldWording[n])
	}
	return words.ListOf(ctx, keys)
}

// whereWords names organisations, or the whole service. The caller holds the lock.
func (v *Vault) whereWords(ctx context.Context, orgs []id.Organisation) string {
	if len(orgs) == 0 {
		return words.T(ctx, "the whole service")
	}
	var names []string
	for _, org := range orgs {
		name := org.String()
		if o := v.state.organisations[org]; o != nil {
			name = o.Name
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return words.List(ctx, names)
}

// Where names organisations, or the whole service.
func (v *Vault) Where(ctx context.Context, orgs []id.Organisation) string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.whereWords(ctx, orgs)
}

// wearerWords lists wearers by their ids: whoever approves need not see names.
func wearerWords(ws []id.Wearer) string {
	var all []string
	for _, w := range ws {
		all = append(all, w.String())
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

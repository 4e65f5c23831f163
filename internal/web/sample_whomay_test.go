package web

import (
	"context"
	"slices"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// WhoMay answers with some of everybody who can be in an answer: of staff a wearer learns roles only.
func (s *sample) WhoMay(_ context.Context, a vaultclient.Auth, _ vaultclient.WhoMayRequest) (vaultclient.WhoMay, error) {
	u, err := s.user(a)
	if err != nil {
		return vaultclient.WhoMay{}, err
	}
	if !slices.Contains([]policy.Role{policy.Wearer, policy.Coordinator, policy.DataProtection}, u.Role) {
		return vaultclient.WhoMay{}, &vaultclient.Error{Code: vaultclient.Refused, Message: "not permitted for this purpose"}
	}
	rule := []string{"reveal/supervisor"}
	staff := vaultclient.Viewer{Actor: "Huw Parry", Named: true, Role: "supervisor", Number: 1, Purpose: policy.AssessDose, Fields: policy.FieldName | policy.FieldDose, Rules: rule}
	if u.Role == policy.Wearer {
		staff.Actor, staff.Named, staff.Number = "supervisor", false, 2
	}
	return vaultclient.WhoMay{Organisation: organisationID(1), Policy: "0123456789ab", Viewers: []vaultclient.Viewer{
		staff,
		{Actor: "Mair Bowen", Named: true, Role: "wearer", Number: 1, Purpose: policy.OwnRecord, Fields: policy.AllFields, Rules: []string{"reveal/own-record"}},
		{Actor: "HR system", Named: true, Role: "machine", Number: 1, Purpose: policy.KeepRecords, Fields: policy.FieldStaffNumber, Rules: rule},
		{Actor: "a job", Role: "job", Number: 1, Purpose: policy.AssessDose, Fields: policy.FieldDose, Rules: rule},
	}, Rules: map[string]string{"reveal/supervisor": "@id(\"reveal/supervisor\")\npermit (principal in Role::\"supervisor\", action == Action::\"reveal\", resource is Wearer)\nwhen { principal in resource.organisation };"}}, nil
}

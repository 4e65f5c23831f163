package policy

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/id"
)

func TestSees(t *testing.T) {
	s := mustLoad(t)
	for _, c := range []struct {
		who  string
		p    Principal
		want map[Purpose]Sight
	}{
		{"a records officer", Principal{User: id.User{1}, Role: RecordsOfficer}, map[Purpose]Sight{
			StatutoryReturn: {Whom: Classified, Fields: FieldName | FieldBirth | FieldStaffNumber | FieldNI | FieldEmployment},
			KeepRecords:     {Whom: Classified, Fields: FieldName | FieldBirth | FieldStaffNumber | FieldNI | FieldEmployment},
		}},
		{"a supervisor of another organisation", Principal{User: id.User{1}, Role: Supervisor, Organisations: []id.Organisation{{'B'}}}, nil},
		{"a data protection officer", Principal{User: id.User{1}, Role: DataProtection, Organisations: []id.Organisation{{'A'}}}, map[Purpose]Sight{
			BreachNotice: {Whom: Everybody, Fields: FieldName | FieldContact | FieldEmployment},
			Oversight:    {Whom: Everybody, Fields: FieldName | FieldContact | FieldEmployment},
		}},
		{"a wearer", Principal{User: id.User{1}, Role: Wearer, Own: []id.Wearer{{1}}}, map[Purpose]Sight{OwnRecord: {Whom: Own, Fields: AllFields}}},
		{"an operator", Principal{User: id.User{1}, Role: Operator}, nil},
	} {
		got := map[Purpose]Sight{}
		for _, x := range s.Sees(c.p, id.Organisation{'A'}) {
			if len(x.Rules) != 1 || got[x.Purpose].Whom != 0 {
				t.Errorf("%s: %+v beside %+v", c.who, x, got[x.Purpose])
			}
			got[x.Purpose] = x
		}
		for purpose, want := range c.want {
			if x := got[purpose]; x.Whom != want.Whom || x.Fields != want.Fields {
				t.Errorf("%s for %s: %b %s, want %b %s", c.who, purpose, x.Whom, x.Fields, want.Whom, want.Fields)
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("%s sees %v", c.who, got)
		}
	}
}

// What is said that somebody sees of a wearer is what they may read, field by field, and nothing is left out.
func TestSeesOneIsWhatIsPermitted(t *testing.T) {
	s := mustLoad(t)
	rapid.Check(t, func(t *rapid.T) {
		p := principals().Draw(t, "who")
		r := Resource{Organisation: rapid.SampledFrom(someOrganisations).Draw(t, "organisation"), Wearer: rapid.SampledFrom(someWearers).Draw(t, "wearer"),
			Classified: rapid.Bool().Draw(t, "classified"), Current: rapid.Bool().Draw(t, "current")}
		said := map[Purpose]Fields{}
		for _, x := range s.SeesOne(p, r, AllFields) {
			said[x.Purpose] |= x.Fields
		}
		for _, purpose := range Purposes {
			for f := Fields(1); f < endOfFields; f <<= 1 {
				if may := s.Decide(Request{Action: Reveal, Purpose: purpose, Fields: f, Principal: p, Resource: r}).Allow; may != (said[purpose]&f != 0) {
					t.Fatalf("%s for %s: permitted %v, said %s", f, purpose, may, said[purpose])
				}
			}
		}
	})
}

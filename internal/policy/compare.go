package policy

import (
	"fmt"
	"slices"

	"github.com/dosevault/dosevault/internal/id"
)

// Change is a difference between two sets of policies: somebody may do something to fields that they might not, or may no longer.
type Change struct {
	Who     string // as in an example: "supervisor of A", "grant for assess-dose name+dose"
	Action  Action
	Purpose Purpose
	Where   string // as in an example: "classified wearer in A"
	Gained  Fields
	Lost    Fields
	// May and MayNot stand for the fields of an action that names none.
	May, MayNot bool

	// Widens: it opens more of an organisation to somebody, so that the organisation is asked.
	Widens bool
}

// String says a change in one line.
func (c Change) String() string {
	s := fmt.Sprintf("%s may %s for %s, %s:", c.Who, c.Action, c.Purpose, c.Where)
	if c.Gained != 0 {
		s += " now also " + c.Gained.String()
	}
	if c.Lost != 0 {
		if c.Gained != 0 {
			s += ";"
		}
		s += " no longer " + c.Lost.String()
	}
	switch {
	case c.May:
		s += " now"
	case c.MayNot:
		s += " no longer"
	}
	return s
}

// Widens reports whether any of the changes opens more of an organisation.
func Widens(all []Change) bool {
	return slices.ContainsFunc(all, func(c Change) bool { return c.Widens })
}

// asker is somebody who may ask, with a name as in an example.
type asker struct {
	name string
	Principal
}

// place is what may be asked about, likewise.
type place struct {
	name string
	Resource
}

// The organisations and wearers of the enumeration: askers tied to anything are tied to A; own is the asker's.
var (
	inA   = id.Organisation{'A'}
	own   = id.Wearer{1}
	other = id.Wearer{2}
)

// Compare returns how a set of policies answers otherwise than this one, question by question, over everybody who can ask
// and everything that can be asked about. Decide tells no more of askers and resources apart than is tried here, and both
// sets are asked field by field, so nothing that a user may do is missed. Of a grant's fields it tries all, all but one, and
// each alone; whatever a grant holds, every.cedar keeps it within that.
func (s *Set) Compare(next *Set) []Change {
	var all []Change
	actions := slices.DeleteFunc(slices.Clone(Actions), func(a Action) bool {
		return s.files[string(a)+".cedar"] == next.files[string(a)+".cedar"] && s.files[everyAction+".cedar"] == next.files[everyAction+".cedar"]
	})
	for _, who := range everyAsker() {
		for _, action := range actions {
			for _, where := range everyPlace(action) {
				for _, purpose := range Purposes {
					if !who.Grant.IsZero() && purpose != who.GrantPurpose {
						continue
					}
					c := Change{Who: who.name, Action: action, Purpose: purpose, Where: where.name}
					r := Request{Action: action, Purpose: purpose, Principal: who.Principal, Resource: where.Resource}
					if fieldless[action] {
						before, after := s.Decide(r).Allow, next.Decide(r).Allow
						c.May, c.MayNot = after && !before, before && !after
					} else {
						for f := Fields(1); f < endOfFields; f <<= 1 {
							r.Fields = f
							switch before, after := s.Decide(r).Allow, next.Decide(r).Allow; {
							case after && !before:
								c.Gained |= f
							case before && !after:
								c.Lost |= f
							}
						}
					}
					if c.Gained|c.Lost != 0 || c.May || c.MayNot {
						c.Widens = (c.Gained != 0 || c.May) && !where.Organisation.IsZero()
						all = append(all, c)
					}
				}
			}
		}
	}
	return all
}

// everyAsker lists users of each role, tied to an organisation and to none, and grants.
func everyAsker() []asker {
	var all []asker
	tied := func(a asker, of string) {
		all = append(all, a)
		a.name += of
		a.Organisations = []id.Organisation{inA}
		all = append(all, a)
	}
	for _, r := range Roles {
		tied(asker{string(r), Principal{User: id.User{1}, Role: r, Own: []id.Wearer{own}}}, " of A")
	}
	for _, machine := range []bool{false, true} {
		for _, purpose := range Purposes {
			for _, held := range heldFields() {
				kind := "grant"
				if machine {
					kind = "machine"
				}
				p := Principal{Grant: id.Grant{1}, Machine: machine, GrantPurpose: purpose, GrantFields: held}
				tied(asker{fmt.Sprintf("%s for %s with %s", kind, purpose, held), p}, ", of A")
			}
		}
	}
	return all
}

func heldFields() []Fields {
	held := []Fields{AllFields}
	for f := Fields(1); f < endOfFields; f <<= 1 {
		held = append(held, f, AllFields&^f)
	}
	return held
}

// everyPlace lists what an action can be about, for somebody who is tied to A or to nothing: of B nobody else than they
// could be told anything else.
func everyPlace(a Action) []place {
	var all []place
	for _, facts := range []struct {
		name string
		Resource
	}{
		{"", Resource{Current: true}},
		{"classified ", Resource{Current: true, Classified: true}},
		{"former ", Resource{}},
		{"former classified ", Resource{Classified: true}},
	} {
		r := facts.Resource
		r.Organisation = inA
		if about[a]&aWearer != 0 {
			all = append(all, place{facts.name + "wearer", with(r, other)}, place{"own " + facts.name + "record", with(r, own)})
		}
		if a == Write {
			all = append(all, place{facts.name + "newcomer", r})
		}
	}
	if about[a]&anOrganisation != 0 {
		all = append(all, place{"organisation", Resource{Organisation: inA}})
	}
	if about[a]&theWhole != 0 {
		all = append(all, place{"installation", Resource{}})
	}
	return all
}

func with(r Resource, w id.Wearer) Resource {
	r.Wearer = w
	return r
}

package policy

import (
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
)

// Whom says which of the people of an organisation, as far as policies tell them apart; bits that can be joined.
type Whom uint8

// Which people. Own stands for the asker's own record, whatever it is like.
const (
	Present           Whom = 1 << iota // at work, not classified
	PresentClassified                  // at work, classified
	Former                             // has left, was not classified
	FormerClassified                   // has left, was classified
	Own
	OrganisationRows // the organisation's own rows: departments, badge types, dates

	Everybody  = Present | PresentClassified | Former | FormerClassified
	Classified = PresentClassified | FormerClassified
)

// Sight is what somebody may read of some people for a purpose, and by which rules.
type Sight struct {
	Purpose Purpose
	Whom    Whom
	Fields  Fields
	Rules   []string
}

// Sees returns what somebody may read in an organisation: for each purpose and rule, of whom and which fields.
func (s *Set) Sees(p Principal, org id.Organisation) []Sight {
	var all []Sight
	for _, purpose := range Purposes {
		for whom := Present; whom <= OrganisationRows; whom <<= 1 {
			if whom == Own && len(p.Own) == 0 {
				continue
			}
			for _, w := range s.seen(p, purpose, s.stand(p, org, whom)) {
				w.Whom = whom
				all = join(all, w)
			}
		}
	}
	return all
}

// SeesOne returns what somebody may read of one wearer; Whom is left out.
func (s *Set) SeesOne(p Principal, r Resource, fields Fields) []Sight {
	var all []Sight
	for _, purpose := range Purposes {
		for _, w := range s.seen(p, purpose, []Resource{r}) {
			if w.Fields &= fields; w.Fields != 0 {
				all = append(all, w)
			}
		}
	}
	return all
}

// stand returns resources that stand for some people of an organisation; permitted is what all of them are.
func (s *Set) stand(p Principal, org id.Organisation, whom Whom) []Resource {
	somebody := id.Wearer{1}
	for slices.Contains(p.Own, somebody) {
		somebody[15]++
	}
	switch r := (Resource{Organisation: org, Wearer: somebody}); whom {
	case OrganisationRows:
		return []Resource{{Organisation: org}}
	case Own:
		var all []Resource
		r.Wearer = p.Own[0]
		for facts := range 4 {
			r.Classified, r.Current = facts&1 != 0, facts&2 != 0
			all = append(all, r)
		}
		return all
	default:
		r.Classified, r.Current = whom&Classified != 0, whom&(Present|PresentClassified) != 0
		return []Resource{r}
	}
}

// seen returns, by rule, the fields that somebody may read of all of the resources. An NI number, which only classified
// people have, counts when it may be read of those.
func (s *Set) seen(p Principal, purpose Purpose, of []Resource) []Sight {
	var all []Sight
	for f := Fields(1); f < endOfFields; f <<= 1 {
		rule := ""
		for _, r := range of {
			if f == FieldNI && !r.Classified && len(of) > 1 {
				continue
			}
			d := s.Decide(Request{Action: Reveal, Purpose: purpose, Fields: f, Principal: p, Resource: r})
			if !d.Allow {
				rule = ""
				break
			}
			rule = d.Rule
		}
		if rule != "" {
			all = join(all, Sight{Purpose: purpose, Fields: f, Rules: []string{rule}})
		}
	}
	return all
}

// join adds a sight to others: to one of the same rules where only the fields, or only the people, are others.
func join(all []Sight, one Sight) []Sight {
	for i := range all {
		same := all[i].Purpose == one.Purpose && slices.Equal(all[i].Rules, one.Rules)
		if same && all[i].Whom == one.Whom {
			all[i].Fields |= one.Fields
			return all
		}
		if same && all[i].Fields == one.Fields {
			all[i].Whom |= one.Whom
			return all
		}
	}
	return append(all, one)
}

var whomWords = []struct {
	Whom
	words string
}{
	{Everybody, "everybody"}, {Classified, "classified people"}, {Present | PresentClassified, "people at work"}, {Former | FormerClassified, "people who left"},
	{Present | Former, "people who are not classified"}, {Present, "people at work who are not classified"}, {PresentClassified, "classified people at work"},
	{Former, "people who left and were not classified"}, {FormerClassified, "people who left and were classified"},
	{Own, "the own record"}, {OrganisationRows, "departments, badge types and dates"},
}

// String says in English which people are meant.
func (w Whom) String() string {
	var parts []string
	for _, k := range whomWords {
		if w&k.Whom == k.Whom {
			parts = append(parts, k.words)
			w &^= k.Whom
		}
	}
	if len(parts) == 0 {
		return "nobody"
	}
	return strings.Join(parts, ", ")
}

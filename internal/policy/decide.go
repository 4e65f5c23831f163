package policy

import (
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cedar-policy/cedar-go"
)

// The rules of a refusal.
const (
	// NoRule says that no policy permits what was asked, or that one forbids it.
	NoRule = "no-rule"
	// Errored says that the question was malformed (an unknown word, a field that does not exist, a resource that does
	// not fit the action), or that a policy failed to evaluate.
	Errored = "error"
)

// Decide answers one question. It permits only what the policies permit for every field asked for; anything that is
// not understood or goes wrong is a refusal.
//
// What the policies don't say, and Decide adds: exactly one of user and grant asks; Reveal, Search, Compare, Match, Write,
// Grant and Machine name at least one field, the others none; a wearer comes with its organisation; and the resource is of
// a kind that the action is about:
//
//	Reveal           a wearer; an organisation's own rows (no wearer); or a file from outside (neither)
//	Search, Grant, Machine
//	                 an organisation, or the installation (zero organisation); no wearer
//	Compare          a wearer
//	Write            a wearer; without one, somebody being entered or an organisation's own rows; or a file (neither)
//	Match            a wearer, an organisation or the installation
//	Manage, Oversee  a wearer, an organisation or the installation
//	Administer, Freeze
//	                 an organisation or the installation
//
// It costs about two microseconds the first time and less afterwards, keeps nothing of the request but the kind of question
// that it is, and is safe for concurrent use.
func (s *Set) Decide(r Request) (d Decision) {
	defer func() {
		if recover() != nil {
			d = Decision{Rule: Errored}
		}
	}()
	if s.each && r.Fields&(r.Fields-1) != 0 {
		return s.decideEach(r)
	}
	q, ok := s.ask(&r)
	if !ok {
		return Decision{Rule: Errored}
	}
	key := asked{r.Action, r.Purpose, r.Fields, q.entities}
	d, known := s.answers.get(key)
	if !known {
		d = s.evaluate(&r, &q)
		s.answers.keep(key, d)
	}
	return d
}

// evaluate asks Cedar.
func (s *Set) evaluate(r *Request, q *question) Decision {
	answer, diagnostic := cedar.Authorize(s.actions[r.Action], &q.entities, q.request)
	switch {
	case len(diagnostic.Errors) > 0:
		return Decision{Rule: Errored}
	case answer != cedar.Allow || len(diagnostic.Reasons) == 0:
		return Decision{Rule: NoRule}
	case len(diagnostic.Reasons) == 1:
		return Decision{Allow: true, Rule: string(diagnostic.Reasons[0].PolicyID)}
	}
	var rules []string
	for _, reason := range diagnostic.Reasons {
		rules = append(rules, string(reason.PolicyID))
	}
	return Decision{Allow: true, Rule: strings.Join(rules, ", ")}
}

// asked is all that an answer depends on. Principal and resource are stand-ins, of which there are few.
type asked struct {
	action   Action
	purpose  Purpose
	fields   Fields
	entities entities
}

// answers remember what was decided: the same questions come again and again, and a set of policies never changes.
type answers struct {
	known sync.Map // Decision by asked
	n     atomic.Int32
}

// mostAnswers is how many are remembered, so that who asks for ever new sets of fields does not fill memory.
const mostAnswers = 20_000

func (a *answers) get(key asked) (Decision, bool) {
	d, ok := a.known.Load(key)
	if !ok {
		return Decision{}, false
	}
	return d.(Decision), true
}

func (a *answers) keep(key asked, d Decision) {
	if a.n.Load() >= mostAnswers {
		return
	}
	if _, known := a.known.LoadOrStore(key, d); !known {
		a.n.Add(1)
	}
}

// decideEach permits a set of fields when each of them is permitted.
func (s *Set) decideEach(r Request) Decision {
	var rules []string
	for rest := r.Fields; rest != 0; rest &= rest - 1 {
		one := r
		one.Fields = rest & -rest
		d := s.Decide(one)
		if !d.Allow {
			return d
		}
		if !slices.Contains(rules, d.Rule) {
			rules = append(rules, d.Rule)
		}
	}
	return Decision{Allow: true, Rule: strings.Join(rules, ", ")}
}

// question is a request in Cedar's terms.
type question struct {
	request  cedar.Request
	entities entities
}

// ask puts a request in Cedar's terms; false when it is malformed.
//
// Cedar is told how asker and resource stand to each other, not who they are: of the asker's organisations and own
// wearers only the one asked about can matter, so each kind of entity has one stand-in, made once. That keeps ids out
// of Cedar's answers, and makes a question cheap.
func (s *Set) ask(r *Request) (question, bool) {
	purpose := slices.Index(Purposes, r.Purpose)
	if purpose < 0 || r.Fields&^AllFields != 0 || (r.Fields == 0) != fieldless[r.Action] {
		return question{}, false
	}
	resource, ok := s.resource(r)
	if !ok {
		return question{}, false
	}
	principal, ok := s.principal(&r.Principal, &r.Resource)
	if !ok {
		return question{}, false
	}
	return question{
		request: cedar.Request{
			Principal: principal.UID,
			Action:    cedar.EntityUID{Type: typeAction, ID: cedar.String(r.Action)},
			Resource:  resource.UID,
			Context:   s.context(purpose, r.Fields),
		},
		entities: entities{principal, resource},
	}, true
}

// The entity types of the schema.
const (
	typeAction       cedar.EntityType = "Action"
	typeRole         cedar.EntityType = "Role"
	typeUser         cedar.EntityType = "User"
	typeGrant        cedar.EntityType = "Grant"
	typeOrganisation cedar.EntityType = "Organisation"
	typeInstallation cedar.EntityType = "Installation"
	typeWearer       cedar.EntityType = "Wearer"
)

// The stand-ins.
var (
	theUser         = cedar.NewEntityUID(typeUser, "asking")
	theGrant        = cedar.NewEntityUID(typeGrant, "asking")
	theOrganisation = cedar.NewEntityUID(typeOrganisation, "asked")
	theInstallation = cedar.NewEntityUID(typeInstallation, "this")
	theWearer       = cedar.NewEntityUID(typeWearer, "asked")
	theNewcomer     = cedar.NewEntityUID(typeWearer, "newcomer")
)

// kinds of resources, as bits.
type kinds uint8

const (
	aWearer kinds = 1 << iota
	anOrganisation
	theWhole
)

// about is which kinds of resources an action is about; the schema says the same.
var about = map[Action]kinds{
	Reveal:  aWearer | anOrganisation | theWhole,
	Search:  anOrganisation | theWhole,
	Compare: aWearer,
	Match:   aWearer | anOrganisation | theWhole,
	Write:   aWearer | theWhole,
	Manage:  aWearer | anOrganisation | theWhole,
	Oversee: aWearer | anOrganisation | theWhole,
	Grant:   anOrganisation | theWhole,
	Machine: anOrganisation | theWhole,

	Administer: anOrganisation | theWhole,
	Freeze:     anOrganisation | theWhole,
}

// fieldless are the actions that name no field.
var fieldless = map[Action]bool{Manage: true, Oversee: true, Administer: true, Freeze: true}

// resource returns the entity that a request is about; false when it does not fit the action, or the action is unknown.
func (s *Set) resource(r *Request) (*cedar.Entity, bool) {
	var kind kinds
	var e *cedar.Entity
	facts := 0
	if r.Resource.Classified {
		facts |= 1
	}
	if r.Resource.Current {
		facts |= 2
	}
	switch named := !r.Resource.Wearer.IsZero(); {
	case r.Resource.Organisation.IsZero():
		if named {
			return nil, false
		}
		kind, e = theWhole, &s.installation
	case named:
		kind, e = aWearer, &s.wearers[facts]
	case r.Action == Write:
		kind, e = aWearer, &s.newcomers[facts]
	default:
		kind, e = anOrganisation, &s.organisation
	}
	return e, about[r.Action]&kind != 0
}

// principal returns the entity that asks, cut down to what can matter for a resource; false when it is no one.
func (s *Set) principal(p *Principal, r *Resource) (*cedar.Entity, bool) {
	stand := stranger
	switch {
	case len(p.Organisations) == 0:
		stand = everywhere
	case !r.Organisation.IsZero() && slices.Contains(p.Organisations, r.Organisation):
		stand = member
	}
	switch {
	case p.User.IsZero() == p.Grant.IsZero():
		return nil, false
	case !p.Grant.IsZero():
		purpose := slices.Index(Purposes, p.GrantPurpose)
		if purpose < 0 || p.GrantFields&^AllFields != 0 {
			return nil, false
		}
		return s.grant(stand, purpose, p.GrantFields, p.Machine), true
	}
	role := slices.Index(Roles, p.Role)
	if role < 0 {
		return nil, false
	}
	owns := 0
	if !r.Wearer.IsZero() && slices.Contains(p.Own, r.Wearer) {
		owns = 1
	}
	return &s.users[role][stand][owns], true
}

// How the one who asks stands to the organisation asked about.
const (
	everywhere = iota // tied to no organisation
	member            // tied to organisations, this among them
	stranger          // tied to others
	stands
)

// entities are the two that a question has. Roles and organisations are only ever parents.
type entities struct{ principal, resource *cedar.Entity }

// Get implements Cedar's getter of entities.
func (e *entities) Get(uid cedar.EntityUID) (cedar.Entity, bool) {
	switch uid {
	case e.principal.UID:
		return *e.principal, true
	case e.resource.UID:
		return *e.resource, true
	}
	return cedar.Entity{}, false
}

// rules are the policies of one action in a fixed order.
type rules []rule

type rule struct {
	id     cedar.PolicyID
	policy *cedar.Policy
	text   string
}

// All implements Cedar's iterator of policies.
func (rs rules) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		for i := range rs {
			if !yield(rs[i].id, rs[i].policy) {
				return
			}
		}
	}
}

// kept holds what was built once for each set of fields, so that a thousand questions build it once.
// There are 2^11 sets; only those asked for are built.
type kept[T any] [AllFields + 1]atomic.Pointer[T]

// get returns what is kept for f, building it at first. Two goroutines may both build; either result will do.
func (k *kept[T]) get(f Fields, build func() T) *T {
	if v := k[f].Load(); v != nil {
		return v
	}
	v := build()
	k[f].Store(&v)
	return &v
}

// fieldSet returns fields as a Cedar set of their names.
func (s *Set) fieldSet(f Fields) cedar.Set {
	return *s.sets.get(f, func() cedar.Set {
		var names []cedar.Value
		for _, n := range f.Names() {
			names = append(names, cedar.String(n))
		}
		return cedar.NewSet(names...)
	})
}

// context returns the context of a question: purpose (an index into Purposes) and fields.
func (s *Set) context(purpose int, f Fields) cedar.Record {
	return *s.contexts[purpose].get(f, func() cedar.Record {
		return cedar.NewRecord(cedar.RecordMap{
			"purpose": cedar.String(Purposes[purpose]),
			"fields":  s.fieldSet(f),
		})
	})
}

// grant returns the entity of a grant with these bounds.
func (s *Set) grant(stand, purpose int, f Fields, machine bool) *cedar.Entity {
	kind := 0
	if machine {
		kind = 1
	}
	return s.grants[kind][stand][purpose].get(f, func() cedar.Entity {
		return cedar.Entity{
			UID:     theGrant,
			Parents: parents(stand),
			Attributes: cedar.NewRecord(cedar.RecordMap{
				"everywhere": cedar.Boolean(stand == everywhere),
				"machine":    cedar.Boolean(machine),
				"purpose":    cedar.String(Purposes[purpose]),
				"fields":     s.fieldSet(f),
			}),
		}
	})
}

// parents are what a principal belongs to: the organisation asked about, where it is one of theirs, and more.
func parents(stand int, more ...cedar.EntityUID) cedar.EntityUIDSet {
	if stand == member {
		more = append(more, theOrganisation)
	}
	return cedar.NewEntityUIDSet(more...)
}

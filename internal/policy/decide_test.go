package policy

import (
	"errors"
	"flag"
	"strings"
	"sync"
	"testing"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/id"
)

var (
	someOrganisations = []id.Organisation{{'A'}, {'B'}, {'C'}}
	someWearers       = []id.Wearer{{1}, {2}, {3}}
)

// principals draws anybody: users of every role and grants, tied to organisations or to none.
func principals() *rapid.Generator[Principal] {
	return rapid.Custom(func(t *rapid.T) Principal {
		p := Principal{Organisations: rapid.SliceOfNDistinct(rapid.SampledFrom(someOrganisations), 0, 2, rapid.ID).Draw(t, "organisations")}
		if rapid.Bool().Draw(t, "grant") {
			p.Grant = id.Grant{1}
			p.Machine = rapid.Bool().Draw(t, "machine")
			p.GrantPurpose = rapid.SampledFrom(Purposes).Draw(t, "grant purpose")
			p.GrantFields = Fields(rapid.Uint32Range(0, uint32(AllFields)).Draw(t, "grant fields"))
			return p
		}
		p.User = id.User{1}
		p.Role = rapid.SampledFrom(Roles).Draw(t, "role")
		p.Own = rapid.SliceOfNDistinct(rapid.SampledFrom(someWearers), 0, 2, rapid.ID).Draw(t, "own")
		return p
	})
}

// A question costs microseconds: many are asked, unless -rapid.checks says otherwise.
func init() { flag.Set("rapid.checks", "3000") }

// requests draws any question: half of them at random, half an example with some of it changed, so
// that many are permitted or nearly so.
func requests(from []Example) *rapid.Generator[Request] {
	return rapid.Custom(func(t *rapid.T) Request {
		var r Request
		change := func(what string) bool { return true }
		if rapid.Bool().Draw(t, "from an example") {
			r = rapid.SampledFrom(from).Draw(t, "example").Request
			change = func(what string) bool { return rapid.IntRange(0, 5).Draw(t, "change "+what) == 0 }
		}
		if change("action") {
			r.Action = rapid.SampledFrom(Actions).Draw(t, "action")
		}
		if change("purpose") {
			r.Purpose = rapid.SampledFrom(Purposes).Draw(t, "purpose")
		}
		if change("fields") {
			r.Fields = Fields(rapid.Uint32Range(0, uint32(AllFields)).Draw(t, "fields"))
		}
		if change("principal") {
			r.Principal = principals().Draw(t, "principal")
		}
		if change("organisation") {
			r.Resource.Organisation = rapid.SampledFrom(append(someOrganisations, id.Organisation{})).Draw(t, "organisation")
		}
		if change("wearer") {
			r.Resource.Wearer = rapid.SampledFrom(append(someWearers, id.Wearer{})).Draw(t, "wearer")
		}
		if change("classified") {
			r.Resource.Classified = rapid.Bool().Draw(t, "classified")
		}
		if change("current") {
			r.Resource.Current = rapid.Bool().Draw(t, "current")
		}
		return r
	})
}

// A set of fields is permitted exactly when each field of it is permitted by itself.
func TestASetIsPermittedIffEachFieldIs(t *testing.T) {
	s := mustLoad(t)
	asked := requests(examples(t))
	both := [2]int{}
	rapid.Check(t, func(t *rapid.T) {
		r := asked.Draw(t, "request")
		if r.Fields == 0 {
			r.Fields = FieldName
		}
		whole := s.Decide(r).Allow
		each := true
		for f := Fields(1); f < endOfFields; f <<= 1 {
			if one := r; r.Fields&f != 0 {
				one.Fields = f
				each = each && s.Decide(one).Allow
			}
		}
		if whole != each {
			t.Fatalf("%v: the set is permitted: %v, each field of it: %v", r.Fields, whole, each)
		}
		if whole {
			both[0]++
		} else {
			both[1]++
		}
	})
	if both[0] == 0 || both[1] == 0 {
		t.Errorf("%d permitted, %d refused: nothing was shown", both[0], both[1])
	}
}

// The same for every two fields over every role, purpose and resource, without chance.
func TestEveryTwoFieldsByRole(t *testing.T) {
	s := mustLoad(t)
	for _, a := range []Action{Reveal, Search, Compare, Write, Grant} {
		for _, asker := range matrixAskers() {
			for _, place := range matrixPlaces(a) {
				for _, purpose := range Purposes {
					for _, classified := range []bool{false, true} {
						r := Request{Action: a, Purpose: purpose, Principal: asker.Principal, Resource: place.Resource}
						r.Resource.Classified = classified
						var may Fields
						for f := Fields(1); f < endOfFields; f <<= 1 {
							if r.Fields = f; s.Decide(r).Allow {
								may |= f
							}
						}
						for f := Fields(1); f < endOfFields; f <<= 1 {
							for g := f << 1; g < endOfFields; g <<= 1 {
								r.Fields = f | g
								if got, want := s.Decide(r).Allow, r.Fields&^may == 0; got != want {
									t.Fatalf("%s by %s for %s of %s (classified %v): %v: allow=%v, though each alone comes to %v", a, asker.name, purpose, place.name, classified, r.Fields, got, may)
								}
							}
						}
					}
				}
			}
		}
	}
}

// Whoever is tied to organisations is refused everything outside them.
func TestNobodyActsOutsideTheirOrganisations(t *testing.T) {
	s := mustLoad(t)
	asked := requests(examples(t))
	rapid.Check(t, func(t *rapid.T) {
		r := asked.Draw(t, "request")
		if len(r.Principal.Organisations) == 0 {
			r.Principal.Organisations = someOrganisations[:1]
		}
		inside := false
		for _, o := range r.Principal.Organisations {
			inside = inside || o == r.Resource.Organisation
		}
		if d := s.Decide(r); d.Allow && !inside {
			t.Fatalf("permitted by %s", d.Rule)
		}
	})
}

// A grant is permitted nothing beyond its purpose, fields and organisations, and no other action than a job's four; a
// machine may also read ledgers and pass a part of itself on, and it reads little of anybody, whatever it holds.
func TestGrantsStayInTheirBounds(t *testing.T) {
	s := mustLoad(t)
	asked := requests(examples(t))
	permitted := 0
	rapid.Check(t, func(t *rapid.T) {
		r := asked.Draw(t, "request")
		p := &r.Principal
		if p.Grant.IsZero() {
			*p = Principal{Grant: id.Grant{1}, Organisations: p.Organisations, GrantPurpose: r.Purpose, GrantFields: r.Fields}
		}
		d := s.Decide(r)
		if !d.Allow {
			return
		}
		permitted++
		switch {
		case p.Machine && (r.Action == Oversee || r.Action == Grant):
		case r.Action != Reveal && r.Action != Search && r.Action != Compare && r.Action != Write:
			t.Fatalf("%s by %s", r.Action, d.Rule)
		case p.Machine && r.Action != Write && r.Fields&^(FieldName|FieldStaffNumber|FieldDose|FieldDocument|FieldEmployment) != 0:
			t.Fatalf("a machine reads %v by %s", r.Fields, d.Rule)
		}
		switch {
		case r.Purpose != p.GrantPurpose:
			t.Fatalf("%s, given for %s, by %s", r.Purpose, p.GrantPurpose, d.Rule)
		case r.Fields&^p.GrantFields != 0:
			t.Fatalf("%v, given for %v, by %s", r.Fields, p.GrantFields, d.Rule)
		case r.Resource.Organisation.IsZero() && r.Fields != FieldDocument && r.Action != Grant: // a file from outside, before it is read
			t.Fatalf("the installation, by %s", d.Rule)
		}
	})
	if permitted == 0 {
		t.Error("no grant was permitted anything: nothing was shown")
	}
}

// Nobody gives a grant for what an import, or a notice of a breach, does not need, and nobody reads an NI number of who is not classified.
func TestWhatNobodyMay(t *testing.T) {
	s := mustLoad(t)
	asked := requests(examples(t))
	rapid.Check(t, func(t *rapid.T) {
		r := asked.Draw(t, "request")
		d := s.Decide(r)
		if !d.Allow {
			return
		}
		needed := FieldName | FieldBirth | FieldSex | FieldHealth | FieldDose | FieldDocument | FieldEmployment
		if r.Purpose == BreachNotice {
			needed = FieldName | FieldContact | FieldEmployment
		}
		if r.Action == Grant && r.Fields&^needed != 0 {
			t.Fatalf("grant of %v by %s", r.Fields, d.Rule)
		}
		if (r.Action == Reveal || r.Action == Compare || r.Action == Write) && r.Fields&FieldNI != 0 && !r.Resource.Classified {
			t.Fatalf("%s of an NI number of an unclassified wearer by %s", r.Action, d.Rule)
		}
		if r.Principal.Role == Operator && r.Principal.Grant.IsZero() {
			t.Fatalf("an operator, by %s", d.Rule)
		}
	})
}

// Each question that passes ask conforms to the schema: the policies were validated for exactly these.
func TestQuestionsConformToTheSchema(t *testing.T) {
	s := mustLoad(t)
	asked := requests(examples(t))
	v := validate.New(resolvedSchema(t))
	well := 0
	rapid.Check(t, func(t *rapid.T) {
		r := asked.Draw(t, "request")
		q, ok := s.ask(&r)
		if !ok {
			return
		}
		well++
		if err := v.Request(q.request); err != nil {
			t.Fatal(err)
		}
		for _, e := range []*cedar.Entity{q.entities.principal, q.entities.resource} {
			if err := v.Entity(*e); err != nil {
				t.Fatal(err)
			}
		}
		if q.entities.principal.UID != q.request.Principal || q.entities.resource.UID != q.request.Resource {
			t.Fatal("the entities are not those of the question")
		}
	})
	if well == 0 {
		t.Error("no question was well-formed: nothing was shown")
	}
}

// ordinary is a question that is permitted.
func ordinary() Request {
	return Request{
		Action: Reveal, Purpose: IssueBadges, Fields: FieldName | FieldStaffNumber,
		Principal: Principal{User: id.User{1}, Role: Coordinator},
		Resource:  Resource{Organisation: id.Organisation{'A'}, Wearer: id.Wearer{1}, Current: true},
	}
}

func TestMalformedIsRefused(t *testing.T) {
	s := mustLoad(t)
	if d := s.Decide(ordinary()); !d.Allow {
		t.Fatalf("the ordinary question is refused: %s", d.Rule)
	}
	grant := func(r *Request) {
		r.Principal = Principal{Grant: id.Grant{1}, GrantPurpose: IssueBadges, GrantFields: FieldName | FieldStaffNumber}
	}
	wellFormed := ordinary()
	if grant(&wellFormed); !s.Decide(wellFormed).Allow {
		t.Fatal("the ordinary grant is refused")
	}
	for name, spoil := range map[string]func(*Request){
		"no action":             func(r *Request) { r.Action = "" },
		"unknown action":        func(r *Request) { r.Action = "erase" },
		"no purpose":            func(r *Request) { r.Purpose = "" },
		"unknown purpose":       func(r *Request) { r.Purpose = "Issue-Badges" },
		"no role":               func(r *Request) { r.Principal.Role = "" },
		"unknown role":          func(r *Request) { r.Principal.Role = "janitor" },
		"no fields":             func(r *Request) { r.Fields = 0 },
		"unknown field":         func(r *Request) { r.Fields |= endOfFields },
		"only unknown fields":   func(r *Request) { r.Fields = 1 << 31 },
		"nobody":                func(r *Request) { r.Principal.User = id.User{} },
		"user and grant":        func(r *Request) { r.Principal.Grant = id.Grant{1} },
		"wearer of nowhere":     func(r *Request) { r.Resource.Organisation = id.Organisation{} },
		"grant of no purpose":   func(r *Request) { grant(r); r.Principal.GrantPurpose = "" },
		"grant of odd purpose":  func(r *Request) { grant(r); r.Principal.GrantPurpose = "curiosity"; r.Purpose = "curiosity" },
		"grant of odd fields":   func(r *Request) { grant(r); r.Principal.GrantFields |= endOfFields },
		"compare nobody":        func(r *Request) { r.Action = Compare; r.Fields = FieldName; r.Resource.Wearer = id.Wearer{} },
		"compare nowhere":       func(r *Request) { r.Action = Compare; r.Purpose = KeepRecords; r.Resource = Resource{} },
		"search for one wearer": func(r *Request) { r.Action = Search },
		"manage fields":         func(r *Request) { r.Action = Manage; r.Purpose = KeepRecords },
	} {
		r := ordinary()
		spoil(&r)
		if d := s.Decide(r); d.Allow || d.Rule != Errored {
			t.Errorf("%s: allow=%v %s", name, d.Allow, d.Rule)
		}
	}
}

// A policy that fails to evaluate refuses, even where another permits.
func TestEvaluationErrorIsRefused(t *testing.T) {
	for name, bad := range map[string]string{
		"permit": `@id("every/bad") permit (principal, action, resource) when { resource.colour == "red" };`,
		"forbid": `@id("every/bad") forbid (principal, action, resource) when { context.purpose > 3 };`,
	} {
		s := mustLoad(t)
		var p cedar.Policy
		if err := p.UnmarshalCedar([]byte(bad)); err != nil {
			t.Fatal(err)
		}
		s.actions[Reveal] = append(s.actions[Reveal][:len(s.actions[Reveal]):len(s.actions[Reveal])], rule{id: "every/bad", policy: &p})
		s.answers = answers{}
		if d := s.Decide(ordinary()); d.Allow || d.Rule != Errored {
			t.Errorf("%s: allow=%v %s", name, d.Allow, d.Rule)
		}
	}
}

func TestWithoutPoliciesEverythingIsRefused(t *testing.T) {
	for name, s := range map[string]*Set{"nil": nil, "zero": {}} {
		if d := s.Decide(ordinary()); d.Allow || d.Rule != Errored {
			t.Errorf("%s set: allow=%v %s", name, d.Allow, d.Rule)
		}
	}
	empty := mustLoad(t)
	empty.actions = nil
	if d := empty.Decide(ordinary()); d.Allow || d.Rule != NoRule {
		t.Errorf("no policies: allow=%v %s", d.Allow, d.Rule)
	}
}

// Several policies that permit are all named, in the order of the file.
func TestRuleNamesAllThatPermit(t *testing.T) {
	s := mustLoad(t)
	var p cedar.Policy
	if err := p.UnmarshalCedar([]byte(`permit (principal, action == Action::"reveal", resource);`)); err != nil {
		t.Fatal(err)
	}
	s.actions[Reveal] = append(s.actions[Reveal][:len(s.actions[Reveal]):len(s.actions[Reveal])], rule{id: "reveal/also", policy: &p})
	s.answers = answers{}
	for range 20 {
		if d := s.Decide(ordinary()); d.Rule != "reveal/co-ordinator, reveal/also" {
			t.Fatalf("rule %q", d.Rule)
		}
	}
}

// A rule is one of the policies' ids or a reason, never anything of the request.
func TestRuleIsAPolicyOrAReason(t *testing.T) {
	s := mustLoad(t)
	asked := requests(examples(t))
	known := map[string]bool{NoRule: true, Errored: true}
	for _, r := range s.distinct() {
		known[string(r.id)] = true
	}
	rapid.Check(t, func(t *rapid.T) {
		d := s.Decide(asked.Draw(t, "request"))
		for _, r := range strings.Split(d.Rule, ", ") {
			if !known[r] {
				t.Fatalf("rule %q", d.Rule)
			}
		}
		if d.Allow == (d.Rule == NoRule || d.Rule == Errored) {
			t.Fatalf("allow=%v by rule %q", d.Allow, d.Rule)
		}
	})
}

// A decision does not depend on what was decided before, nor on who else is deciding.
func TestConcurrentDecisionsAgree(t *testing.T) {
	shared := mustLoad(t)
	all := examples(t)
	failed := make(chan error, 8)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range all {
				e := all[(i*(2*g+1)+g)%len(all)]
				if d := shared.Decide(e.Request); d.Allow != e.Allow || d.Rule != e.Rule {
					failed <- errors.New(e.At + ": another answer under concurrency: " + d.Rule)
					return
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
}

func BenchmarkDecide(b *testing.B) {
	s := mustLoad(b)
	grant := ordinary()
	grant.Principal = Principal{Grant: id.Grant{1}, GrantPurpose: IssueBadges, GrantFields: FieldName | FieldStaffNumber, Organisations: someOrganisations}
	own := ordinary()
	own.Purpose, own.Fields = OwnRecord, AllFields
	own.Principal = Principal{User: id.User{1}, Role: Wearer, Own: someWearers}
	own.Resource.Classified = true
	search := ordinary()
	search.Action, search.Resource = Search, Resource{}
	refused := ordinary()
	refused.Fields |= FieldBirth
	for _, c := range []struct {
		name  string
		r     Request
		allow bool
	}{{"reveal", ordinary(), true}, {"grant", grant, true}, {"own-record", own, true}, {"search", search, true}, {"refused", refused, false}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if d := s.Decide(c.r); d.Allow != c.allow {
					b.Fatal(d.Rule)
				}
			}
		})
	}
}

// What was decided is remembered for this very question, and for no other.
func TestAnswersAreRememberedForTheirQuestionAlone(t *testing.T) {
	s := mustLoad(t)
	for _, e := range examples(t) {
		once := s.Decide(e.Request)
		if again := s.Decide(e.Request); again != once {
			t.Errorf("%s: first %v, then %v", e.Request.Action, once, again)
		}
		if q, ok := s.ask(&e.Request); ok {
			if asked := s.evaluate(&e.Request, &q); asked != once {
				t.Errorf("%s: remembered %v, asked anew %v", e.Request.Action, once, asked)
			}
		}
	}
}

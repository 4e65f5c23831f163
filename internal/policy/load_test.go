package policy

import (
	"strings"
	"testing"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
)

func mustLoad(t testing.TB) *Set {
	t.Helper()
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func resolvedSchema(t testing.TB) *resolved.Schema {
	t.Helper()
	text, err := files.ReadFile("policies/schema.cedarschema")
	if err != nil {
		t.Fatal(err)
	}
	var sc schema.Schema
	sc.SetFilename("schema.cedarschema")
	if err := sc.UnmarshalCedar(text); err != nil {
		t.Fatal(err)
	}
	r, err := sc.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPoliciesValidateAgainstSchema(t *testing.T) {
	v := validate.New(resolvedSchema(t), validate.WithStrict())
	for _, r := range mustLoad(t).distinct() {
		if err := v.Policy(string(r.id), (*ast.Policy)(r.policy.AST())); err != nil {
			t.Errorf("%s: %v", r.id, err)
		}
	}
	var wrong cedar.Policy
	if err := wrong.UnmarshalCedar([]byte(`permit (principal is User, action == Action::"reveal", resource) when { resource.colour };`)); err != nil {
		t.Fatal(err)
	}
	if v.Policy("wrong", (*ast.Policy)(wrong.AST())) == nil {
		t.Error("the validator accepts an attribute that the schema does not have")
	}
}

// A misspelt purpose or field would be valid Cedar: in a permit it would permit nothing, in a forbid it would forbid nothing.
func TestPoliciesUseKnownWords(t *testing.T) {
	known := map[string]bool{}
	for _, f := range AllFields.Names() {
		known[f] = true
	}
	for _, p := range Purposes {
		known[string(p)] = true
	}
	words := 0
	for _, r := range mustLoad(t).distinct() {
		id, p := r.id, r.policy
		for _, c := range p.AST().Conditions {
			ast.Inspect(ast.NewNode(c.Body), func(n ast.IsNode) bool {
				if v, ok := n.(ast.NodeValue); ok {
					if w, ok := v.Value.(types.String); ok {
						words++
						if !known[string(w)] {
							t.Errorf("%s: %q is no field and no purpose", id, w)
						}
					}
				}
				return true
			})
		}
	}
	if words < 50 {
		t.Errorf("only %d words were looked at", words)
	}
}

func TestSchemaAgreesWithWords(t *testing.T) {
	sc := resolvedSchema(t)
	roles := sc.Enums[typeRole].Values
	if len(roles) != len(Roles) {
		t.Fatalf("the schema has %d roles, the words %d", len(roles), len(Roles))
	}
	for i, r := range Roles {
		if string(roles[i].ID) != string(r) {
			t.Errorf("role %d is %s in the schema, %s in the words", i, roles[i], r)
		}
	}
	if len(sc.Actions) != len(Actions) {
		t.Errorf("the schema has %d actions, the words %d", len(sc.Actions), len(Actions))
	}
	for _, a := range Actions {
		action, ok := sc.Actions[cedar.NewEntityUID(typeAction, cedar.String(a))]
		if !ok {
			t.Errorf("%s is not in the schema", a)
			continue
		}
		var k kinds
		for _, r := range action.AppliesTo.Resources {
			k |= map[cedar.EntityType]kinds{typeWearer: aWearer, typeOrganisation: anOrganisation, typeInstallation: theWhole}[r]
		}
		if k != about[a] {
			t.Errorf("%s is about %03b, and %03b in the schema", a, about[a], k)
		}
	}
}

func TestVersion(t *testing.T) {
	v := mustLoad(t).Version()
	if len(v) != 12 || v != mustLoad(t).Version() {
		t.Errorf("version %q", v)
	}
	for name := range Carried() {
		changed := Carried()
		changed[name] += "// \n"
		s, err := load(changed)
		if err != nil {
			t.Fatal(err)
		}
		if decides := !strings.HasSuffix(name, ".examples"); decides != (s.Version() != v) {
			t.Errorf("with a changed %s the version is %s, was %s", name, s.Version(), v)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	const good = `@id("manage/x") permit (principal, action == Action::"manage", resource);`
	for _, c := range []struct{ name, file, text, want string }{
		{"syntax", "manage.cedar", "permit (principal, action", "manage.cedar"},
		{"no id", "manage.cedar", `permit (principal, action == Action::"manage", resource);`, "manage.cedar:1"},
		{"another file's id", "manage.cedar", strings.Replace(good, "manage/x", "reveal/x", 1), "should begin with"},
		{"an id twice", "manage.cedar", good + "\n" + good, "manage.cedar:2"},
		{"another file's action", "manage.cedar", strings.Replace(good, `"manage"`, `"reveal"`, 1), "scope"},
		{"any action", "manage.cedar", `@id("manage/x") permit (principal, action, resource);`, "every action"},
		{"several actions", "manage.cedar", `@id("manage/x") permit (principal, action in [Action::"manage", Action::"reveal"], resource);`, "scope"},
		{"a permit for every action", "every.cedar", `@id("every/x") permit (principal, action, resource);`, "every action"},
		{"a file of no action", "erase.cedar", `@id("erase/x") permit (principal, action == Action::"erase", resource);`, "files for"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Carried()
			m[c.file] = c.text
			if _, err := load(m); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	for _, gone := range []string{"reveal.cedar", "every.cedar"} {
		m := Carried()
		delete(m, gone)
		if _, err := load(m); err == nil || !strings.Contains(err.Error(), gone+" is missing") {
			t.Errorf("without %s: %v", gone, err)
		}
	}
}

// Every policy and every condition of it matters to an example: without it, one comes out otherwise.
func TestEachConditionHasItsExamples(t *testing.T) {
	all := examples(t)
	notices := func(s *Set) bool {
		for _, e := range all {
			if got := s.Decide(e.Request); got.Allow != e.Allow || got.Rule != e.Rule {
				return true
			}
		}
		return false
	}
	for _, r := range mustLoad(t).distinct() {
		id, p := r.id, r.policy
		if !notices(without(t, id, nil)) {
			t.Errorf("no example notices when %s is gone", id)
		}
		for i := range p.AST().Conditions {
			changed := *p.AST()
			changed.Conditions = append(changed.Conditions[:i:i], changed.Conditions[i+1:]...)
			if !notices(without(t, id, cedar.NewPolicyFromAST(&changed))) {
				t.Errorf("no example notices when condition %d of %s is gone", i+1, id)
			}
		}
		wider := *p.AST()
		wider.Principal = ast.ScopeTypeAll{}
		if _, all := p.AST().Principal.(ast.ScopeTypeAll); !all && !notices(without(t, id, cedar.NewPolicyFromAST(&wider))) {
			t.Errorf("no example notices when %s is for any principal", id)
		}
	}
}

// without returns the policies with one replaced, or taken away (nil).
func without(t testing.TB, id cedar.PolicyID, p *cedar.Policy) *Set {
	t.Helper()
	s := mustLoad(t)
	for a, rs := range s.actions {
		var changed rules
		for _, r := range rs {
			if r.id == id {
				r.policy = p
			}
			if r.policy != nil {
				changed = append(changed, r)
			}
		}
		s.actions[a] = changed
	}
	s.answers = answers{} // of the examples, which were asked when the policies were read
	return s
}

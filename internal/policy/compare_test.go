package policy

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// changed returns the carried policies with one text of a file replaced by another, unless it does not parse.
func changed(t testing.TB, name, old, new string) (*Set, error) {
	t.Helper()
	text := Carried()[name]
	if !strings.Contains(text, old) {
		t.Fatalf("%s does not hold %q", name, old)
	}
	return Parse(Files{name: strings.Replace(text, old, new, 1)})
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ what, file, old, new, want string }{
		{"what nothing can permit", "every.cedar", `context.fields.contains("ni")`, `false`, "can't be changed"},
		{"the schema", schemaFile, "classified: Bool", "classified: Long", "can't be changed"},
		{"a misspelt purpose", "reveal.cedar", `"issue-badges"`, `"issue-badgers"`, "no field and no purpose"},
		{"an attribute that is not there", "reveal.cedar", "resource.classified", "resource.famous", "reveal/records-officer"},
		{"an example that comes out otherwise", "manage.cedar", `"keep-records"`, `"oversight"`, "manage.examples:"},
		{"bad syntax", "manage.cedar", "permit (", "permit", "manage.cedar"},
	} {
		if _, err := changed(t, c.file, c.old, c.new); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
	for what, files := range map[string]Files{
		"a new file": {"erase.cedar": "", "erase.examples": ""},
		"a long one": {"manage.cedar": Carried()["manage.cedar"] + strings.Repeat("//\n", maxFile/3)},
		"many rules": {"manage.cedar": strings.Repeat(`permit (principal, action == Action::"manage", resource);`, maxPolicies+1)},
	} {
		if _, err := Parse(files); err == nil {
			t.Errorf("%s is accepted", what)
		}
	}
}

func TestCompareSaysWhatChanges(t *testing.T) {
	before := mustLoad(t)
	if all := before.Compare(before); len(all) > 0 {
		t.Fatalf("nothing changed, but %v", all)
	}
	files := Files{
		"reveal.cedar": strings.Replace(Carried()["reveal.cedar"], `["name", "staff_number", "dose", "employment"].containsAll(context.fields) };

@id("reveal/supervisor-organisation-rows")`, `["name", "staff_number", "birth", "employment"].containsAll(context.fields) };

@id("reveal/supervisor-organisation-rows")`, 1),
		"reveal.examples": "",
	}
	after, err := Parse(files)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, purpose := range []string{"issue-badges", "assess-dose"} {
		for _, where := range []string{"wearer", "own record", "classified wearer", "own classified record", "former wearer", "own former record", "former classified wearer", "own former classified record"} {
			want["supervisor of A may reveal for "+purpose+", "+where+": now also date of birth; no longer dose"] = true
		}
	}
	all := before.Compare(after)
	for _, c := range all {
		if !want[c.String()] {
			t.Errorf("%s", c)
		}
		delete(want, c.String())
		if !c.Widens {
			t.Errorf("%s: an organisation's own people, and it does not widen", c)
		}
	}
	for missing := range want {
		t.Errorf("missing: %s", missing)
	}
	if got := after.Compare(before); len(got) != len(all) {
		t.Errorf("%d changes there, %d back", len(all), len(got))
	}
	if after.Version() == before.Version() {
		t.Error("the version stays")
	}
}

// Whatever is changed: where Compare finds nothing, no question of a user is answered otherwise, however many fields it names.
func TestCompareMissesNothing(t *testing.T) {
	before := mustLoad(t)
	asked := requests(examples(t))
	type changed struct {
		*Set
		said []Change
	}
	var sets []changed
	for _, c := range [][3]string{
		{"reveal.cedar", `"name", `, `"name", "birth", `}, {"reveal.cedar", `resource.classified`, `!resource.current`}, {"reveal.cedar", `"dose", `, ``},
		{"search.cedar", `{ principal in resource }`, `{ true }`}, {"search.cedar", `"issue-badges", `, `"oversight", `}, {"oversee.cedar", `{ principal in resource }`, `{ context.purpose == "oversight" }`},
		{"write.cedar", `"employment"`, `"employment", "ni"`},
	} {
		text := Carried()[c[0]]
		after, err := Parse(Files{c[0]: strings.Replace(text, c[1], c[2], -1), strings.TrimSuffix(c[0], ".cedar") + ".examples": "", "every.examples": ""})
		if err != nil || !strings.Contains(text, c[1]) {
			t.Fatalf("%v: %v", c, err)
		}
		sets = append(sets, changed{after, before.Compare(after)})
	}
	differ := 0
	rapid.Check(t, func(t *rapid.T) {
		after := rapid.SampledFrom(sets).Draw(t, "policies")
	next:
		for range 30 { // most questions are answered as before
			r := asked.Draw(t, "request")
			if !r.Principal.Grant.IsZero() {
				continue
			}
			a, b := before.Decide(r).Allow, after.Decide(r).Allow
			if a == b {
				continue
			}
			differ++
			for _, c := range after.said {
				if c.Action == r.Action && c.Purpose == r.Purpose && (c.May || c.MayNot || (c.Gained|c.Lost)&r.Fields != 0) && strings.HasPrefix(c.Who, string(r.Principal.Role)) {
					continue next
				}
			}
			t.Fatalf("%+v was %v, is %v, and Compare says nothing of it", r, a, b)
		}
	})
	if differ == 0 {
		t.Error("no question was answered otherwise: nothing was shown")
	}
}

func TestTextIsTheRuleWithItsComment(t *testing.T) {
	s := mustLoad(t)
	for _, r := range s.distinct() {
		text := s.Text(string(r.id))
		if !strings.Contains(text, `@id("`+string(r.id)+`")`) || !strings.HasSuffix(text, ";") || strings.Count(text, "@id(") != 1 {
			t.Errorf("%s: %q", r.id, text)
		}
	}
	if text := s.Text("reveal/records-officer"); !strings.HasPrefix(text, "// The records officer keeps") {
		t.Errorf("%q", text)
	}
}

package policy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
)

// example is one line of policies/*.examples.
type example struct {
	at      string // file:line
	text    string
	request Request
	allow   bool
	rule    string
}

// examples reads the examples beside the policies.
func examples(t testing.TB) []example {
	t.Helper()
	names, err := filepath.Glob("policies/*.examples")
	if err != nil || len(names) != len(Actions)+1 {
		t.Fatalf("%d files of examples, want one for each action and every.examples (%v)", len(names), err)
	}
	var all []example
	for _, name := range names {
		stem := strings.TrimSuffix(filepath.Base(name), ".examples")
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			e, err := parseExample(stem, line)
			e.at = fmt.Sprintf("%s:%d", name, i+1)
			if err != nil {
				t.Fatalf("%s: %v", e.at, err)
			}
			all = append(all, e)
		}
	}
	return all
}

func parseExample(stem, line string) (example, error) {
	cells := strings.Split(line, "|")
	for i := range cells {
		cells[i] = strings.Join(strings.Fields(cells[i]), " ")
	}
	if stem != everyAction {
		cells = append([]string{stem}, cells...)
	}
	if len(cells) != 6 {
		return example{}, fmt.Errorf("%d cells", len(cells))
	}
	e := example{text: strings.Join(cells, " | ")}
	e.request.Action, e.request.Purpose = Action(cells[0]), Purpose(cells[2])
	var err error
	if e.request.Principal, err = parseWho(cells[1]); err != nil {
		return e, err
	}
	if e.request.Fields, err = parseSet(cells[3]); err != nil {
		return e, err
	}
	if e.request.Resource, err = parseResource(cells[4], &e.request.Principal); err != nil {
		return e, err
	}
	answer, rule, _ := strings.Cut(cells[5], " ")
	switch {
	case answer == "allow" && rule != "":
		e.allow, e.rule = true, rule
	case answer == "refuse" && rule == "":
		e.rule = NoRule
	case answer == "refuse" && rule == Errored:
		e.rule = Errored
	default:
		return e, fmt.Errorf("answer %q", cells[5])
	}
	return e, nil
}

// parseWho reads "<role>[ of A[ and B]]", or "grant" or "machine" and then "[ of A] for <purpose> <fields>".
func parseWho(s string) (Principal, error) {
	var p Principal
	var err error
	kind, rest, _ := strings.Cut(s, " ")
	if kind == "grant" || kind == "machine" {
		p.Grant, p.Machine = id.Grant{1}, kind == "machine"
		of, bounds, ok := strings.Cut(" "+rest, " for ")
		purpose, fields, ok2 := strings.Cut(bounds, " ")
		if !ok || !ok2 {
			return p, fmt.Errorf("grant %q", s)
		}
		p.GrantPurpose = Purpose(purpose)
		if p.GrantFields, err = parseSet(fields); err != nil {
			return p, err
		}
		s = "grant" + of
	} else {
		p.User = id.User{1}
	}
	who, of, tied := strings.Cut(s, " of ")
	if p.Grant.IsZero() {
		p.Role = Role(who)
	}
	if tied {
		for _, o := range strings.Split(of, " and ") {
			p.Organisations = append(p.Organisations, organisation(o))
		}
	}
	return p, nil
}

func parseSet(s string) (Fields, error) {
	switch s {
	case "-":
		return 0, nil
	case "all":
		return AllFields, nil
	}
	return ParseFields(strings.Split(s, "+")...)
}

// parseResource reads "installation", "organisation A", or "[own ][classified ]wearer|record|newcomer in A".
func parseResource(s string, p *Principal) (Resource, error) {
	var r Resource
	if s == "installation" {
		return r, nil
	}
	if o, ok := strings.CutPrefix(s, "organisation "); ok {
		r.Organisation = organisation(o)
		return r, nil
	}
	what, o, ok := strings.Cut(s, " in ")
	if !ok {
		return r, fmt.Errorf("resource %q", s)
	}
	r.Organisation = organisation(o)
	r.Current = true
	what, own := strings.CutPrefix(what, "own ")
	what, r.Classified = strings.CutPrefix(what, "classified ")
	switch {
	case what == "newcomer" && !own:
	case what == "wearer" && !own:
		r.Wearer = id.Wearer{2}
		p.Own = []id.Wearer{{7}}
	case what == "record" && own:
		r.Wearer = id.Wearer{1}
		p.Own = []id.Wearer{{7}, {1}}
	default:
		return r, fmt.Errorf("resource %q", s)
	}
	return r, nil
}

func organisation(letter string) id.Organisation { return id.Organisation{letter[0]} }

func TestExamples(t *testing.T) {
	s := mustLoad(t)
	for _, e := range examples(t) {
		if got := s.Decide(e.request); got.Allow != e.allow || got.Rule != e.rule {
			t.Errorf("%s: %s\n\tgot allow=%v %s", e.at, e.text, got.Allow, got.Rule)
		}
	}
}

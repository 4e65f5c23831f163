package policy

import (
	"fmt"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
)

// Example is a line of a file of examples: a question, and the answer that the policies give. Every rule and condition of the
// policies that the program carries has one that comes out otherwise without it.
type Example struct {
	At      string // file:line
	Text    string
	Request Request
	Allow   bool
	Rule    string
}

// Examples reads the examples of files; an error names file and line.
func Examples(files Files) ([]Example, error) {
	var all []Example
	for _, name := range files.Names() {
		stem, ok := strings.CutSuffix(name, ".examples")
		if !ok {
			continue
		}
		for i, line := range strings.Split(files[name], "\n") {
			if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			e, err := parseExample(stem, line)
			e.At = fmt.Sprintf("%s:%d", name, i+1)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", e.At, err)
			}
			all = append(all, e)
		}
	}
	return all, nil
}

// Wrong returns a line for each example that the policies answer otherwise than it says.
func (s *Set) Wrong(all []Example) []string {
	var wrong []string
	for _, e := range all {
		if got := s.Decide(e.Request); got.Allow != e.Allow || got.Rule != e.Rule {
			answer := "refuse " + got.Rule
			if got.Allow {
				answer = "allow " + got.Rule
			}
			wrong = append(wrong, fmt.Sprintf("%s: %s: the answer is %q", e.At, e.Text, answer))
		}
	}
	return wrong
}

func parseExample(stem, line string) (Example, error) {
	cells := strings.Split(line, "|")
	for i := range cells {
		cells[i] = strings.Join(strings.Fields(cells[i]), " ")
	}
	if stem != everyAction {
		cells = append([]string{stem}, cells...)
	}
	if len(cells) != 6 {
		return Example{}, fmt.Errorf("%d cells", len(cells))
	}
	e := Example{Text: strings.Join(cells, " | ")}
	e.Request.Action, e.Request.Purpose = Action(cells[0]), Purpose(cells[2])
	var err error
	if e.Request.Principal, err = parseWho(cells[1]); err != nil {
		return e, err
	}
	if e.Request.Fields, err = parseSet(cells[3]); err != nil {
		return e, err
	}
	if e.Request.Resource, err = parseResource(cells[4], &e.Request.Principal); err != nil {
		return e, err
	}
	answer, rule, _ := strings.Cut(cells[5], " ")
	switch {
	case answer == "allow" && rule != "":
		e.Allow, e.Rule = true, rule
	case answer == "refuse" && rule == "":
		e.Rule = NoRule
	case answer == "refuse" && rule == Errored:
		e.Rule = Errored
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

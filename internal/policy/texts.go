package policy

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
)

// Files are policies and their examples as text, by file name: "reveal.cedar", "reveal.examples".
type Files map[string]string

const (
	schemaFile  = "schema.cedarschema"
	maxFile     = 64 << 10 // bytes of a file
	maxPolicies = 200      // in a file: an answer may not take longer the more of them somebody adds
)

// Carried returns the files that the program carries, the schema among them.
func Carried() Files {
	all := Files{}
	entries, err := files.ReadDir("policies")
	if err != nil {
		panic(err) // embedded
	}
	for _, e := range entries {
		text, err := files.ReadFile(path.Join("policies", e.Name()))
		if err != nil {
			panic(err)
		}
		all[e.Name()] = string(text)
	}
	return all
}

// Fixed reports whether a file can't be changed: the schema, and what no rule of another file can permit.
func Fixed(name string) bool {
	return name == schemaFile || name == everyAction+".cedar"
}

// With returns the files with others in the place of those of the same name.
func (f Files) With(changed Files) Files {
	all := maps.Clone(f)
	maps.Copy(all, changed)
	return all
}

// Less returns the files that another set does not have, or has otherwise.
func (f Files) Less(other Files) Files {
	rest := Files{}
	for name, text := range f {
		if old, ok := other[name]; !ok || old != text {
			rest[name] = text
		}
	}
	return rest
}

// Names returns the names of the files, in order.
func (f Files) Names() []string { return slices.Sorted(maps.Keys(f)) }

// Parse makes policies of the files that the program carries and others in their place: what an installation changed.
// They pass the schema, use no word that is no field and no purpose, and answer every example, the carried ones of files
// that were not changed among them. An error names file and line, or the examples that come out otherwise.
func Parse(changed Files) (*Set, error) {
	carried := Carried()
	for _, name := range changed.Names() {
		_, known := carried[name]
		switch {
		case !known:
			return nil, fmt.Errorf("policies: %s: there is no such file: a file is named after an action", name)
		case Fixed(name) && changed[name] != carried[name]:
			return nil, fmt.Errorf("policies: %s can't be changed", name)
		case len(changed[name]) > maxFile:
			return nil, fmt.Errorf("policies: %s has more than %d bytes", name, maxFile)
		}
	}
	all := carried.With(changed)
	s, err := load(all)
	if err != nil {
		return nil, err
	}
	s.each = len(changed.Less(carried)) > 0
	if err := s.validate(all[schemaFile]); err != nil {
		return nil, err
	}
	list, err := Examples(all)
	if err != nil {
		return nil, err
	}
	if wrong := s.Wrong(list); len(wrong) > 0 {
		return nil, errors.New("policies: examples come out otherwise:\n" + strings.Join(wrong, "\n"))
	}
	return s, nil
}

// validate holds the policies against the schema and the words.
func (s *Set) validate(text string) error {
	var sc schema.Schema
	sc.SetFilename(schemaFile)
	if err := sc.UnmarshalCedar([]byte(text)); err != nil {
		return fmt.Errorf("policies: %w", err)
	}
	resolved, err := sc.Resolve()
	if err != nil {
		return fmt.Errorf("policies: %w", err)
	}
	v := validate.New(resolved, validate.WithStrict())
	known := map[string]bool{}
	for _, f := range fieldNames {
		known[f] = true
	}
	for _, p := range Purposes {
		known[string(p)] = true
	}
	for _, r := range s.distinct() {
		tree := (*ast.Policy)(r.policy.AST())
		if err := v.Policy(string(r.id), tree); err != nil {
			return fmt.Errorf("policies: %s: %w", r.id, err)
		}
		for _, c := range tree.Conditions {
			var unknown error
			ast.Inspect(ast.NewNode(c.Body), func(n ast.IsNode) bool {
				if value, ok := n.(ast.NodeValue); ok {
					// A misspelt word is valid Cedar: in a permit it would permit nothing, in a forbid it would forbid nothing.
					if w, ok := value.Value.(types.String); ok && !known[string(w)] {
						unknown = fmt.Errorf("policies: %s: %q is no field and no purpose", r.id, w)
					}
				}
				return true
			})
			if unknown != nil {
				return unknown
			}
		}
	}
	return nil
}

// distinct returns every policy once, in order of id.
func (s *Set) distinct() []rule {
	all := map[cedar.PolicyID]rule{}
	for _, rs := range s.actions {
		for _, r := range rs {
			all[r.id] = r
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b rule) int { return cmp.Compare(a.id, b.id) })
}

// Text returns a rule as it stands in its file, with the comment above it; empty for what is no rule's id.
func (s *Set) Text(id string) string {
	for _, r := range s.distinct() {
		if string(r.id) == id {
			return r.text
		}
	}
	return ""
}

// cut returns the policy that begins in a line of a file (1 is the first), with the comment above it, up to its end.
func cut(text string, line int) string {
	lines := strings.Split(text, "\n")
	first, last := line-1, line-1
	for first > 0 && strings.HasPrefix(lines[first-1], "//") {
		first--
	}
	for last < len(lines)-1 && !strings.HasSuffix(strings.TrimSpace(lines[last]), ";") {
		last++
	}
	return strings.Join(lines[first:last+1], "\n")
}

package policy

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/id"
)

var update = flag.Bool("update", false, "write testdata/matrix.txt anew")

const matrixFile = "testdata/matrix.txt"

const matrixHead = `Who may do what with which field: every answer of the policies, for review.
Written by "go test ./internal/policy -update"; a change here is a change of who sees what.

  yes   permitted      cla   permitted of classified people only      .   refused

Who asks is tied to organisation A, or to none ("everywhere"); who or what is asked about belongs to A or to B.
"self" is a wearer whom the asking user is. A set of fields is permitted exactly when each of its fields is.
What is not in a block is refused: every other purpose, every other resource, every other asker.

`

// matrixAsker is a row of the matrix.
type matrixAsker struct {
	name string
	Principal
}

func matrixAskers() []matrixAsker {
	var all []matrixAsker
	for _, r := range Roles {
		p := Principal{User: id.User{1}, Role: r, Own: []id.Wearer{{1}}}
		all = append(all, matrixAsker{string(r) + " everywhere", p})
		p.Organisations = []id.Organisation{organisation("A")}
		all = append(all, matrixAsker{string(r) + " of A", p})
	}
	// Two grants stand for all jobs: every other is a bound of these.
	g := Principal{Grant: id.Grant{1}, GrantPurpose: AssessDose, GrantFields: FieldName | FieldBirth | FieldHealth | FieldDose | FieldEmployment}
	all = append(all, matrixAsker{"grant everywhere for assess-dose: name birth health dose employment", g})
	g.Organisations = []id.Organisation{organisation("A")}
	all = append(all, matrixAsker{"grant of A for assess-dose: name birth health dose employment", g})
	for _, m := range []struct {
		name    string
		purpose Purpose
		fields  Fields
	}{
		{"reader of doses", AssessDose, AllFields &^ FieldDocument},
		{"reader of badges", IssueBadges, AllFields &^ FieldDocument},
		{"laboratory's delivery", AssessDose, AllFields},
		{"staff feed", KeepRecords, AllFields},
		{"reader of ledgers", Oversight, AllFields},
	} {
		g := Principal{Grant: id.Grant{1}, Machine: true, GrantPurpose: m.purpose, GrantFields: m.fields}
		all = append(all, matrixAsker{"machine everywhere, " + m.name + " with every field", g})
		g.Organisations = []id.Organisation{organisation("A")}
		all = append(all, matrixAsker{"machine of A, " + m.name + " with every field", g})
	}
	return all
}

// matrixPlaces are what is asked about, by action.
func matrixPlaces(a Action) []struct {
	name string
	Resource
} {
	type place = struct {
		name string
		Resource
	}
	A, B := organisation("A"), organisation("B")
	var ps []place
	if about[a]&aWearer != 0 {
		ps = append(ps,
			place{"wearer in A", Resource{Organisation: A, Wearer: id.Wearer{2}, Current: true}},
			place{"wearer in B", Resource{Organisation: B, Wearer: id.Wearer{2}, Current: true}},
			place{"self in A", Resource{Organisation: A, Wearer: id.Wearer{1}, Current: true}},
			place{"self in B", Resource{Organisation: B, Wearer: id.Wearer{1}, Current: true}})
	}
	if a == Write {
		ps = append(ps, place{"newcomer in A", Resource{Organisation: A, Current: true}}, place{"newcomer in B", Resource{Organisation: B, Current: true}})
	}
	if about[a]&anOrganisation != 0 {
		ps = append(ps, place{"organisation A", Resource{Organisation: A}}, place{"organisation B", Resource{Organisation: B}})
	}
	if about[a]&theWhole != 0 {
		ps = append(ps, place{"installation", Resource{}})
	}
	return ps
}

// matrix writes every answer: purposes and resources with the same answers share a row.
func matrix(s *Set) string {
	var b strings.Builder
	b.WriteString(matrixHead)
	for _, a := range Actions {
		columns := []string{"name", "birth", "sex", "staff", "regist", "ni", "contact", "health", "dose", "document", "employment"}
		sets := make([]Fields, len(columns))
		for i := range sets {
			sets[i] = 1 << i
		}
		if fieldless[a] {
			columns, sets = []string{"may"}, []Fields{0}
		}
		line := func(cells []string) string {
			var l strings.Builder
			for i, c := range cells {
				fmt.Fprintf(&l, "%-*s", max(len(columns[i]), 3)+2, c)
			}
			return l.String()
		}
		fmt.Fprintf(&b, "%s\n    %s\n", strings.ToUpper(string(a)), strings.TrimSpace(line(columns)))
		var none []string
		for _, asker := range matrixAskers() {
			var blocks grouped
			for _, place := range matrixPlaces(a) {
				var rows grouped
				for _, purpose := range Purposes {
					cells := make([]string, len(sets))
					for i, f := range sets {
						cells[i] = matrixCell(s, Request{Action: a, Purpose: purpose, Fields: f, Principal: asker.Principal, Resource: place.Resource})
					}
					if slices.ContainsFunc(cells, func(c string) bool { return c != "." }) {
						rows.add(line(cells), string(purpose))
					}
				}
				if len(rows.keys) > 0 {
					blocks.add(rows.lines("    %[1]s%[2]s\n"), place.name)
				}
			}
			if len(blocks.keys) == 0 {
				none = append(none, asker.name)
				continue
			}
			fmt.Fprintf(&b, "  %s\n%s", asker.name, blocks.lines("   %[2]s\n%[1]s"))
		}
		fmt.Fprintf(&b, "  nothing at all\n")
		for _, n := range none {
			fmt.Fprintf(&b, "   %s\n", n)
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// matrixCell returns the answer to a question, with the wearer classified and not.
func matrixCell(s *Set, r Request) string {
	r.Resource.Classified = false
	plain := s.Decide(r).Allow
	r.Resource.Classified = true
	switch classified := s.Decide(r).Allow; {
	case plain && classified:
		return "yes"
	case classified:
		return "cla"
	case plain:
		return "unclassified only"
	}
	return "."
}

// grouped collects names under what they have in common, in order of first appearance.
type grouped struct {
	keys  []string
	names map[string][]string
}

func (g *grouped) add(key, name string) {
	if g.names == nil {
		g.names = map[string][]string{}
	}
	if g.names[key] == nil {
		g.keys = append(g.keys, key)
	}
	g.names[key] = append(g.names[key], name)
}

// lines formats each key (1) and its names (2).
func (g *grouped) lines(format string) string {
	var b strings.Builder
	for _, k := range g.keys {
		fmt.Fprintf(&b, format, k, strings.Join(g.names[k], ", "))
	}
	return b.String()
}

func TestMatrix(t *testing.T) {
	got := matrix(mustLoad(t))
	if *update {
		if err := os.WriteFile(matrixFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(matrixFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("who may see what has changed; if that is meant, run with -update and have the difference reviewed:\n%s", diff)
	}
}

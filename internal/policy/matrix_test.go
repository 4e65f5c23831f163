package policy

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/id"
)

var update = flag.Bool("update", false, "write testdata/matrix.txt anew")

const matrixFile = "testdata/matrix.txt"

const matrixHead = `Who may do what with which field: every answer of the policies, for review.
Written by "go test ./internal/policy -update"; a change here is a change of who sees what.

  yes   of everybody      cla   of classified people only      .   never
  A row that is not there is refused in every column; what is refused altogether is named at the end of each block.
  The principal is tied to A, or to no organisation ("everywhere"); the resource belongs to A or to B.
  "own" is a wearer whom the asking user is.

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
	// Two grants stand for all: every other is a bound of these.
	g := Principal{Grant: id.Grant{1}, GrantPurpose: AssessDose, GrantFields: FieldName | FieldBirth | FieldHealth | FieldDose | FieldEmployment}
	all = append(all, matrixAsker{"grant everywhere for assess-dose: name birth health dose employment", g})
	g.Organisations = []id.Organisation{organisation("A")}
	all = append(all, matrixAsker{"grant of A for assess-dose: name birth health dose employment", g})
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
			place{"own in A", Resource{Organisation: A, Wearer: id.Wearer{1}, Current: true}},
			place{"own in B", Resource{Organisation: B, Wearer: id.Wearer{1}, Current: true}})
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

// matrix writes every answer.
func matrix(s *Set) string {
	var b strings.Builder
	b.WriteString(matrixHead)
	row := func(purpose, place string, cells []string) {
		fmt.Fprintf(&b, "    %-17s%-17s", purpose, place)
		for i, c := range cells {
			fmt.Fprintf(&b, "%-*s", len(matrixColumn(i))+1, c)
		}
		b.WriteString("\n")
	}
	for _, a := range Actions {
		columns := AllFields.Names()
		sets := make([]Fields, len(columns))
		for i := range sets {
			sets[i] = 1 << i
		}
		if a == Manage || a == Oversee {
			columns, sets = []string{"may"}, []Fields{0}
		}
		fmt.Fprintf(&b, "%s\n", strings.ToUpper(string(a)))
		for i := range columns {
			if len(columns) > 1 {
				columns[i] = matrixColumn(i)
			}
		}
		row("", "", columns)
		var none []string
		for _, asker := range matrixAskers() {
			headed := false
			for _, place := range matrixPlaces(a) {
				for _, purpose := range Purposes {
					cells := make([]string, len(sets))
					some := false
					for i, f := range sets {
						r := Request{Action: a, Purpose: purpose, Fields: f, Principal: asker.Principal, Resource: place.Resource}
						plain := s.Decide(r).Allow
						r.Resource.Classified = true
						classified := s.Decide(r).Allow
						cells[i] = "."
						switch {
						case plain && classified:
							cells[i], some = "yes", true
						case classified:
							cells[i], some = "cla", true
						case plain:
							cells[i], some = "unclassified only", true
						}
					}
					if some {
						if !headed {
							fmt.Fprintf(&b, "  %s\n", asker.name)
							headed = true
						}
						row(string(purpose), place.name, cells)
					}
				}
			}
			if !headed {
				name, _, _ := strings.Cut(asker.name, " for ")
				none = append(none, name)
			}
		}
		fmt.Fprintf(&b, "  nothing for: %s\n\n", strings.Join(none, ", "))
	}
	return b.String()
}

func matrixColumn(i int) string {
	return [...]string{"name", "birth", "sex", "staff", "regist.", "ni", "contact", "health", "dose", "document", "employment"}[i]
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

package policy

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
)

//go:embed policies
var files embed.FS

// everyAction names the file of what is forbidden whatever the action; each other file is named after its action.
const everyAction = "every"

// Set is the policies, ready to decide. It is immutable but for what it keeps ready, and safe for concurrent use.
// The zero Set refuses everything.
type Set struct {
	version string
	files   Files
	actions map[Action]rules
	// each: a set of fields is asked about field by field. Of the policies that the program carries a test shows that
	// it makes no difference; of others nobody knows, and what they permit is compared by field.
	each bool

	// Entities, made once: see ask.
	users              [][stands][2]cedar.Entity // by role, stand, owns the wearer
	wearers, newcomers [4]cedar.Entity           // by classified + 2 × current
	organisation       cedar.Entity
	installation       cedar.Entity
	sets               kept[cedar.Set]
	contexts           []kept[cedar.Record]            // by purpose
	grants             [2][stands][]kept[cedar.Entity] // a job's and a machine's, by purpose

	answers answers
}

// Load returns the policies that the program carries. An error names file, line and what is wrong: it means that the
// program was built from policies that its own tests refuse.
func Load() (*Set, error) { return Parse(nil) }

// Version identifies the policies: the first 12 hex digits of a SHA-256 over the names and contents of their files
// and schema. It goes into the ledger with each decision's rule.
func (s *Set) Version() string { return s.version }

// Files returns the files that the policies were made of.
func (s *Set) Files() Files { return maps.Clone(s.files) }

// load reads every.cedar, which only forbids, and one *.cedar file for each action.
// Each policy carries an id that begins with its file's name, and its scope names its file's action.
func load(files Files) (*Set, error) {
	hash := sha256.New()
	of := map[string]rules{}
	for _, name := range files.Names() {
		text := files[name]
		if path.Ext(name) == ".examples" {
			continue
		}
		fmt.Fprintf(hash, "%s %d\n%s", name, len(text), text)
		stem, ok := strings.CutSuffix(name, ".cedar")
		if !ok {
			continue
		}
		var err error
		if of[stem], err = parse(name, stem, text); err != nil {
			return nil, err
		}
	}
	s := &Set{version: hex.EncodeToString(hash.Sum(nil))[:12], files: files, actions: map[Action]rules{}}
	every := of[everyAction]
	if every == nil {
		return nil, fmt.Errorf("policies: %s.cedar is missing", everyAction)
	}
	for _, a := range Actions {
		own := of[string(a)]
		if own == nil {
			return nil, fmt.Errorf("policies: %s.cedar is missing: each action has a file", a)
		}
		s.actions[a] = slices.Concat(every, own)
	}
	if len(of) != len(Actions)+1 {
		return nil, fmt.Errorf("policies: %d files for %d actions: a file is named after an action, or %s.cedar", len(of), len(Actions), everyAction)
	}
	s.makeEntities()
	return s, nil
}

// parse reads one file of policies and holds it to the rules that load states.
func parse(name, stem, text string) (rules, error) {
	list, err := cedar.NewPolicyListFromBytes(name, []byte(text))
	if err != nil {
		return nil, fmt.Errorf("policies: %s: %w", name, err)
	}
	if len(list) > maxPolicies {
		return nil, fmt.Errorf("policies: %s has more than %d policies", name, maxPolicies)
	}
	rs := rules{}
	for _, p := range list {
		id := cedar.PolicyID(p.Annotations()["id"])
		at := fmt.Sprintf("policies: %s:%d", name, p.Position().Line)
		if !strings.HasPrefix(string(id), stem+"/") {
			return nil, fmt.Errorf("%s: @id(%q) should begin with %q", at, id, stem+"/")
		}
		if slices.ContainsFunc(rs, func(r rule) bool { return r.id == id }) {
			return nil, fmt.Errorf("%s: %q is there twice", at, id)
		}
		switch scope := (*ast.Policy)(p.AST()).Action.(type) {
		case ast.ScopeTypeAll:
			if stem != everyAction || p.Effect() != cedar.Forbid {
				return nil, fmt.Errorf("%s: only a forbid of %s.cedar is for every action", at, everyAction)
			}
		case ast.ScopeTypeEq:
			if want := cedar.NewEntityUID(typeAction, cedar.String(stem)); scope.Entity != want {
				return nil, fmt.Errorf("%s: the scope should say action == %s", at, want)
			}
		default:
			return nil, fmt.Errorf("%s: the scope should say action == %s::%q", at, typeAction, stem)
		}
		rs = append(rs, rule{id, p, cut(text, p.Position().Line)})
	}
	return rs, nil
}

// makeEntities builds the stand-ins of ask.
func (s *Set) makeEntities() {
	s.organisation = cedar.Entity{UID: theOrganisation}
	s.installation = cedar.Entity{UID: theInstallation}
	for facts := range s.wearers {
		attributes := cedar.NewRecord(cedar.RecordMap{
			"organisation": theOrganisation,
			"classified":   cedar.Boolean(facts&1 != 0),
			"current":      cedar.Boolean(facts&2 != 0),
		})
		s.wearers[facts] = cedar.Entity{UID: theWearer, Attributes: attributes}
		s.newcomers[facts] = cedar.Entity{UID: theNewcomer, Attributes: attributes}
	}
	s.users = make([][stands][2]cedar.Entity, len(Roles))
	for role, name := range Roles {
		for stand := range stands {
			for owns, own := range []cedar.Set{{}, cedar.NewSet(theWearer)} {
				s.users[role][stand][owns] = cedar.Entity{
					UID:     theUser,
					Parents: parents(stand, cedar.NewEntityUID(typeRole, cedar.String(name))),
					Attributes: cedar.NewRecord(cedar.RecordMap{
						"everywhere": cedar.Boolean(stand == everywhere),
						"own":        own,
					}),
				}
			}
		}
	}
	s.contexts = make([]kept[cedar.Record], len(Purposes))
	for kind := range s.grants {
		for stand := range s.grants[kind] {
			s.grants[kind][stand] = make([]kept[cedar.Entity], len(Purposes))
		}
	}
}

// Package deptest holds the house to its plan: which package stands on which floor, who may import whom, and
// what a package may not touch. docs/architecture.md tells the same plan with its reasons.
//
// The rules are plain functions over what `go list` says and over parsed source, so that each is tried on a
// small bad example as well as on the repository. A package that is not in the plan is a violation: put it
// on its floor first. The linter's depguard repeats the rules that matter while typing; this package decides.
package deptest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Module is the house's module path.
const Module = "github.com/dosevault/dosevault"

// Package is what the rules need to know of one package.
type Package struct {
	ImportPath string
	Name       string
	Dir        string
	GoFiles    []string // without tests
	CgoFiles   []string
	Imports    []string // without tests
	Deps       []string // all imports, direct or not
	Module     *struct{ Path string }
	Standard   bool
}

// in returns the path below the module, as in internal/vault, or nothing for a package of another module.
func in(importPath string) string {
	if rest, ok := strings.CutPrefix(importPath, Module+"/"); ok {
		return rest
	}
	return ""
}

// floors is the plan. Packages below a named one stand on its floor.
var floors = map[string]int{
	"internal/id": 0, "internal/day": 0,
	"internal/dose": 0, "internal/words": 0, "internal/person": 0, "internal/seal": 0, "internal/ledger": 0, "internal/policy": 0, "internal/deadline": 0,
	"internal/labfile": 1, "internal/peoplefile": 1, "internal/badgefile": 1, "internal/letter": 1,
	"internal/vault": 2, "internal/vaultclient": 2,
	"internal/register": 3,
	"internal/incident": 4, "internal/sharing": 4,
	"internal/web": 5, "internal/api": 5, "internal/worker": 5,
	"internal/cli": 6, "internal/vaultcmd": 6,
}

// beside are the packages that stand on no floor: persistence behind the interfaces that others declare, the
// generator of synthetic people, what tests share, and this package.
var beside = []string{"internal/store", "internal/synth", "internal/deptest", "internal/testport", "internal/testmachine", "internal/testpasskey", "internal/testcorpus", "internal/testwords"}

// neighbours are the imports allowed between two packages of one floor.
var neighbours = map[string][]string{
	"internal/dose":       {"internal/id", "internal/day"},
	"internal/deadline":   {"internal/id"},
	"internal/words":      {"internal/day"},
	"internal/person":     {"internal/id", "internal/day"},
	"internal/policy":     {"internal/id", "internal/day"},
	"internal/ledger":     {"internal/id", "internal/day", "internal/policy"},
	"internal/seal":       {"internal/id", "internal/policy"},
	"internal/peoplefile": {"internal/labfile/delimited", "internal/labfile/table"},
	"internal/badgefile":  {"internal/labfile/delimited", "internal/labfile/table"},
	"internal/vault":      {"internal/vaultclient"},
	"internal/cli":        {"internal/vaultcmd"},
}

// full returns the import path of a package of the house, and another package's path as it is.
func full(p string) string {
	if under(p, "internal") || under(p, "cmd") {
		return Module + "/" + p
	}
	return p
}

// under reports whether a path is a package or lies below it.
func under(p, top string) bool { return p == top || strings.HasPrefix(p, top+"/") }

func underAny(p string, tops []string) bool {
	return slices.ContainsFunc(tops, func(top string) bool { return under(p, top) })
}

// room returns the named package of the plan that p is or lies below.
func room(p string) (string, int, bool) {
	for ; p != "." && p != "/"; p = path.Dir(p) {
		if floor, ok := floors[p]; ok {
			return p, floor, true
		}
	}
	return "", 0, false
}

// Violation is one broken rule.
type Violation struct {
	Where  string // package or file
	What   string
	Reason string
}

func (v Violation) String() string { return v.Where + " " + v.What + ": " + v.Reason }

// CheckFloors reports imports that do not lead to a floor below.
func CheckFloors(pkgs []Package) (bad []Violation) {
	for _, p := range pkgs {
		self := in(p.ImportPath)
		if !strings.HasPrefix(self, "internal/") || underAny(self, beside) {
			continue
		}
		top, floor, ok := room(self)
		if !ok {
			bad = append(bad, Violation{self, "stands on no floor", "every package has its place in the plan: see docs/architecture.md and internal/deptest"})
			continue
		}
		for _, imp := range p.Imports {
			other := in(imp)
			if other == "" || under(other, top) {
				continue
			}
			_, otherFloor, ok := room(other)
			switch {
			case !ok || otherFloor < floor: // what stands beside has rules of its own
			case otherFloor > floor:
				bad = append(bad, Violation{self, "imports " + other, fmt.Sprintf("floor %d may not import from floor %d above it", floor, otherFloor)})
			case !underAny(other, neighbours[top]):
				bad = append(bad, Violation{self, "imports " + other, fmt.Sprintf("both stand on floor %d, and this pair is not among the neighbours", floor)})
			}
		}
	}
	return bad
}

// fence says who alone may import a package, or what a package may never import.
type fence struct {
	from    []string // the packages that it is about; empty: all but those in except
	except  []string
	to      []string // what they may not import: house paths, or full import paths
	through bool     // forbidden indirectly as well
	reason  string
}

var fences = []fence{
	{from: []string{"internal/web", "internal/api"}, to: []string{"internal/store", "internal/seal", "internal/vault", "internal/ledger", "database/sql"},
		reason: "a web node is the vault's client: it holds no key and opens no database"},
	{from: []string{"internal/worker"}, to: []string{"internal/store", "internal/seal", "internal/vault"},
		reason: "a worker redeems grants as the vault's client: it holds no key and opens no database by itself"},
	{from: []string{"internal/vault", "internal/vaultclient"}, to: []string{"internal/register", "internal/dose", "internal/labfile", "internal/peoplefile", "internal/letter", "internal/web", "internal/synth"}, through: true,
		reason: "the vault stays small enough to be read in a day, and knows no dose"},
	{from: []string{"internal/vault/origin"}, to: []string{"internal/store", "internal/seal", "internal/ledger", "database/sql"},
		reason: "the origin's pages hold no key and write nothing by themselves: they ask the vault as the signed-in user"},
	{from: []string{"internal/register"}, to: []string{"internal/vault", "internal/store", "internal/seal", "internal/ledger"},
		reason: "the register declares what it stores and asks the vault through its client"},
	{from: []string{"internal/labfile", "internal/peoplefile"}, to: []string{"internal/vaultclient", "database/sql", "net", "os"},
		reason: "reading a file's rows needs its bytes, nothing else"},
	{except: []string{"internal/cli", "internal/vaultcmd", "internal/store", "cmd/dosevault-vault", "attack", "bench"}, to: []string{"internal/store", "internal/vault"},
		reason: "only cli wires the vault and the stores to the rest"},
	{except: []string{"internal/cli", "cmd", "attack", "bench"}, to: []string{"internal/web", "internal/worker", "internal/api", "internal/cli"},
		reason: "only cli wires floor 5 together, and only commands start it"},
	{except: []string{"internal/cli", "internal/vault", "internal/seal", "internal/store"}, to: []string{"internal/seal"},
		reason: "keys never leave the vault: it seals and opens"},
	{except: []string{"internal/cli", "attack", "bench", "internal/synth"}, to: []string{"internal/synth"},
		reason: "synthetic people are for the demo, the attacks and the benchmarks"},
	{from: []string{"attack/scan"}, to: []string{"internal"}, through: true,
		reason: "an attack looks from outside, with none of the product's own code"},
	{from: []string{"internal/ledger/verify"}, to: []string{"internal/policy", "internal/seal", "golang.org/x/mod/sumdb/tlog"}, through: true,
		reason: "the verifier shares no code path with the writer"},
	{from: []string{"cmd/dosevault-vault"}, to: []string{"internal/cli", "internal/register", "internal/web", "internal/worker", "internal/api", "internal/dose", "internal/labfile", "internal/peoplefile", "internal/synth",
		"github.com/a-h/templ", "github.com/chromedp/chromedp", "github.com/schollz/progressbar/v3"}, through: true,
		reason: "this command exists so that the vault's dependency list can be read"},
	{except: []string{"internal/store/storetest", "internal/deptest", "internal/web/webtest", "internal/vault/origin/oidctest", "attack"}, to: []string{"testing", "github.com/zitadel/oidc/v3/pkg/op", "pgregory.net/rapid", "github.com/google/go-cmp", "github.com/chromedp/chromedp", "go.uber.org/goleak", "github.com/rogpeppe/go-internal"},
		reason: "test code has no place in the product"},
}

// CheckFences reports imports that a fence forbids. A package may always import what lies below itself.
func CheckFences(pkgs []Package) (bad []Violation) {
	for _, p := range pkgs {
		self := in(p.ImportPath)
		for _, f := range fences {
			if len(f.from) > 0 && !underAny(self, f.from) || underAny(self, f.except) {
				continue
			}
			imports := p.Imports
			if f.through {
				imports = p.Deps
			}
			for _, imp := range imports {
				i := slices.IndexFunc(f.to, func(to string) bool { return under(imp, full(to)) })
				if i >= 0 && !under(p.ImportPath, full(f.to[i])) {
					bad = append(bad, Violation{self, "imports " + strings.TrimPrefix(imp, Module+"/"), f.reason})
				}
			}
		}
	}
	return bad
}

// impure are the standard packages that floor 0 does without, and those below them.
var impure = []string{"os", "io/ioutil", "net", "database/sql", "syscall", "plugin", "runtime/debug"}

// CheckPure reports packages of floor 0 that import files, network or database.
func CheckPure(pkgs []Package) (bad []Violation) {
	for _, p := range pkgs {
		self := in(p.ImportPath)
		if _, floor, ok := room(self); !ok || floor != 0 {
			continue
		}
		for _, imp := range p.Imports {
			if underAny(imp, impure) {
				bad = append(bad, Violation{self, "imports " + imp, "floor 0 is pure: no files, network or database"})
			}
		}
	}
	return bad
}

// clock are the functions of package time that read or wait for the clock.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// CheckClock reports uses of the clock in a file of floor 0, whatever name package time has there.
func CheckClock(name string, source []byte) ([]Violation, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, source, 0)
	if err != nil {
		return nil, err
	}
	as := ""
	for _, imp := range f.Imports {
		if p, _ := strconv.Unquote(imp.Path.Value); p == "time" {
			as = "time"
			if imp.Name != nil {
				as = imp.Name.Name
			}
		}
	}
	var bad []Violation
	report := func(id *ast.Ident) {
		if slices.Contains(clock, id.Name) {
			bad = append(bad, Violation{fset.Position(id.Pos()).String(), "uses time." + id.Name, "floor 0 is pure: the caller gives the time"})
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == as && as != "" {
				report(n.Sel)
			}
		case *ast.Ident:
			if as == "." {
				report(n)
			}
		}
		return true
	})
	return bad, nil
}

// vague are package names that say nothing of what is inside.
var vague = []string{"util", "utils", "common", "helper", "helpers", "model", "models", "type", "types", "misc", "shared", "base"}

// CheckNames reports packages with a vague name.
func CheckNames(pkgs []Package) (bad []Violation) {
	for _, p := range pkgs {
		if slices.Contains(vague, p.Name) || slices.Contains(vague, path.Base(p.ImportPath)) {
			bad = append(bad, Violation{in(p.ImportPath), "is called " + p.Name, "a package is named after what it knows"})
		}
	}
	return bad
}

// maxMain is the number of lines that a main.go stays under.
const maxMain = 30

// CheckMain reports a main.go that is too long to only start something.
func CheckMain(name string, source []byte) []Violation {
	if n := strings.Count(string(source), "\n"); n >= maxMain {
		return []Violation{{name, fmt.Sprintf("has %d lines", n), fmt.Sprintf("a main.go stays under %d: it starts package cli and does nothing itself", maxMain)}}
	}
	return nil
}

// banned are modules that the house does without, each with its reason.
var banned = map[string]string{
	"github.com/mattn/go-sqlite3":    "needs cgo; modernc.org/sqlite does not",
	"github.com/antzucaro/matchr":    "is under the GPL",
	"github.com/xrash/smetrics":      "compares bytes, which is wrong for ŵ and ŷ",
	"github.com/pkg/errors":          "the standard errors package does it",
	"github.com/sirupsen/logrus":     "log/slog is the logger",
	"github.com/stretchr/testify":    "tests use package testing and go-cmp",
	"gorm.io/gorm":                   "SQL is written by hand",
	"filippo.io/age":                 "does not pass under fips140=only",
	"github.com/aws/aws-sdk-go-v2":   "no cloud SDK beside the vault: use an exec: helper",
	"cloud.google.com/go":            "no cloud SDK beside the vault: use an exec: helper",
	"github.com/Azure/azure-sdk-for": "no cloud SDK beside the vault: use an exec: helper",
}

// CheckModules reports packages of a banned module and packages that need cgo, among the house's own and all that they link.
func CheckModules(deps []Package) (bad []Violation) {
	for _, p := range deps {
		if p.Standard {
			continue
		}
		if len(p.CgoFiles) > 0 || slices.Contains(p.Imports, "C") {
			bad = append(bad, Violation{p.ImportPath, "uses cgo", "the binary is built with CGO_ENABLED=0"})
		}
		for module, reason := range banned {
			if under(p.ImportPath, module) {
				bad = append(bad, Violation{p.ImportPath, "is linked", module + " " + reason})
			}
		}
	}
	return bad
}

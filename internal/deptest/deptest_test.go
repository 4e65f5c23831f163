package deptest

import (
	"fmt"
	"strings"
	"testing"
)

// pkg is a package of the house that imports others, given below the module or in full.
func pkg(p string, imports ...string) Package {
	one := Package{ImportPath: full(p), Name: p[strings.LastIndexByte(p, '/')+1:]}
	if one.ImportPath == p { // attack, bench
		one.ImportPath = Module + "/" + p
	}
	for _, imp := range imports {
		one.Imports = append(one.Imports, full(imp))
	}
	one.Deps = one.Imports
	return one
}

func TestFloors(t *testing.T) {
	for _, c := range []struct {
		p    Package
		want string // part of the violation; empty: allowed
	}{
		{pkg("internal/dose", "internal/day", "fmt"), ""},
		{pkg("internal/register", "internal/vaultclient", "internal/labfile", "internal/id"), ""},
		{pkg("internal/vault", "internal/vaultclient", "internal/seal"), ""},
		{pkg("internal/vault/origin", "internal/vault"), ""},
		{pkg("internal/vault", "internal/vault/origin"), ""},
		{pkg("internal/cli", "internal/web", "internal/worker", "internal/store/sqlite"), ""},
		{pkg("internal/store/sqlite", "internal/vault", "internal/register"), ""},
		{pkg("attack/scan", "fmt"), ""},
		{pkg("internal/id", "internal/dose"), "floor 0, and this pair"},
		{pkg("internal/person", "internal/policy"), "floor 0, and this pair"},
		{pkg("internal/dose", "internal/labfile"), "floor 0 may not import from floor 1"},
		{pkg("internal/vaultclient", "internal/vault"), "this pair"},
		{pkg("internal/register", "internal/web"), "floor 3 may not import from floor 5"},
		{pkg("internal/web", "internal/worker"), "both stand on floor 5"},
		{pkg("internal/worker/queue", "internal/web/page"), "both stand on floor 5"},
		{pkg("internal/incident", "internal/sharing"), "both stand on floor 4"},
		{pkg("internal/web", "internal/cli"), "floor 6"},
		{pkg("internal/cellar", "fmt"), "stands on no floor"},
	} {
		check(t, c.p, c.want, CheckFloors([]Package{c.p}))
	}
}

func check(t *testing.T, p Package, want string, bad []Violation) {
	t.Helper()
	if want == "" && len(bad) > 0 || want != "" && !strings.Contains(fmt.Sprint(bad), want) {
		t.Errorf("%s importing %v: %v, want %q", p.ImportPath, p.Imports, bad, want)
	}
}

func TestFences(t *testing.T) {
	for _, c := range []struct {
		p    Package
		want string
	}{
		{pkg("internal/web", "internal/vaultclient", "internal/register", "net/http"), ""},
		{pkg("internal/store/sqlite", "internal/vault", "internal/register", "database/sql"), ""},
		{pkg("internal/store/storetest", "testing", "internal/register"), ""},
		{pkg("internal/vault", "internal/seal", "internal/ledger", "os"), ""},
		{pkg("internal/cli", "internal/store/sqlite", "internal/vault", "internal/web", "internal/synth"), ""},
		{pkg("cmd/dosevault", "internal/cli"), ""},
		{pkg("cmd/dosevault-vault", "internal/vault", "internal/store/sqlite/vaultdb", "internal/seal/x"), "keys never leave"},
		{pkg("cmd/dosevault-vault", "internal/vault", "internal/store/sqlite/vaultdb"), ""},
		{pkg("attack/scan", "internal/abi/..."), "an attack looks from outside"},
		{pkg("internal/web", "internal/store/sqlite"), "a web node is the vault's client"},
		{pkg("internal/web/page", "internal/seal"), "a web node is the vault's client"},
		{pkg("internal/web", "internal/vault"), "a web node is the vault's client"},
		{pkg("internal/worker", "internal/vault"), "a worker redeems grants"},
		{pkg("internal/vault", "internal/dose"), "knows no dose"},
		{pkg("internal/vault/origin", "internal/web/page"), "small enough"},
		{pkg("internal/vault/origin", "internal/seal"), "hold no key"},
		{pkg("internal/register", "internal/vault"), "asks the vault through its client"},
		{pkg("internal/register", "internal/store/sqlite"), "asks the vault through its client"},
		{pkg("internal/labfile", "os"), "reading a file's rows"},
		{pkg("internal/incident", "internal/store/sqlite"), "only cli wires"},
		{pkg("internal/synth", "internal/web"), "only cli wires floor 5"},
		{pkg("internal/register", "internal/seal"), "keys never leave"},
		{pkg("internal/worker", "internal/synth"), "synthetic people"},
		{pkg("internal/ledger/verify", "golang.org/x/mod/sumdb/tlog"), "shares no code path"},
		{pkg("cmd/dosevault-vault", "internal/register"), "dependency list"},
		{pkg("cmd/dosevault-vault", "github.com/a-h/templ/runtime"), "dependency list"},
		{pkg("internal/dose", "pgregory.net/rapid"), "test code"},
		{pkg("internal/dose", "testing"), "test code"},
	} {
		check(t, c.p, c.want, CheckFences([]Package{c.p}))
	}
	// Some fences look through what is imported.
	far := pkg("cmd/dosevault-vault", "internal/vault")
	far.Deps = append(far.Deps, full("internal/dose"))
	check(t, far, "dependency list", CheckFences([]Package{far}))
	// The standard library has an internal of its own.
	own := pkg("attack/scan", "fmt")
	own.Deps = append(own.Deps, "internal/abi")
	check(t, own, "", CheckFences([]Package{own}))
}

func TestPure(t *testing.T) {
	for imp, want := range map[string]string{"os": "imports os", "os/exec": "imports os/exec", "net/http": "imports net/http", "database/sql": "no files", "strings": "", "crypto/rand": ""} {
		p := pkg("internal/dose", imp)
		check(t, p, want, CheckPure([]Package{p}))
	}
	p := pkg("internal/vault", "os", "net")
	check(t, p, "", CheckPure([]Package{p}))
}

func TestClock(t *testing.T) {
	for source, want := range map[string]string{
		`import "time"; var x = time.Unix(1, 0)`:              "",
		`import "time"; func f() { time.Now() }`:              "x.go:1:43 uses time.Now",
		`import "time"; var now = time.Now`:                   "uses time.Now",
		`import clock "time"; func f() { clock.Sleep(1) }`:    "uses time.Sleep",
		`import . "time"; func f() { _ = Since(Time{}) }`:     "uses time.Since",
		`import "time"; var x = time.NewTimer(time.Second)`:   "uses time.NewTimer",
		`import "x/time"; func f() { time.Now() }`:            "",
		`type c struct{}; func (c) Now() {}; var x = c{}.Now`: "",
	} {
		bad, err := CheckClock("x.go", []byte("package x; "+source))
		if err != nil {
			t.Fatal(err)
		}
		if want == "" && len(bad) > 0 || want != "" && !strings.Contains(fmt.Sprint(bad), want) {
			t.Errorf("%s: %v, want %q", source, bad, want)
		}
	}
	if _, err := CheckClock("x.go", []byte("no go")); err == nil {
		t.Error("what can't be parsed passes")
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"util", "common", "helpers", "models", "types"} {
		if len(CheckNames([]Package{pkg("internal/" + name)})) == 0 {
			t.Errorf("a package may be called %s", name)
		}
	}
	if bad := CheckNames([]Package{pkg("internal/dose")}); len(bad) > 0 {
		t.Error(bad)
	}
	if p := (Package{ImportPath: full("internal/dose"), Name: "utils"}); len(CheckNames([]Package{p})) == 0 {
		t.Error("the package clause is not looked at")
	}
}

func TestMain30(t *testing.T) {
	if bad := CheckMain("main.go", []byte(strings.Repeat("x\n", 29))); len(bad) > 0 {
		t.Error(bad)
	}
	if len(CheckMain("main.go", []byte(strings.Repeat("x\n", 30)))) == 0 {
		t.Error("30 lines pass")
	}
}

func TestModules(t *testing.T) {
	for _, c := range []struct {
		p    Package
		want string
	}{
		{Package{ImportPath: "github.com/mattn/go-sqlite3"}, "needs cgo"},
		{Package{ImportPath: "github.com/antzucaro/matchr/x"}, "GPL"},
		{Package{ImportPath: "example.org/x", CgoFiles: []string{"a.go"}}, "uses cgo"},
		{Package{ImportPath: "example.org/x", Imports: []string{"C"}}, "uses cgo"},
		{Package{ImportPath: "net", Standard: true, CgoFiles: []string{"a.go"}}, ""},
		{Package{ImportPath: "modernc.org/sqlite"}, ""},
	} {
		check(t, c.p, c.want, CheckModules([]Package{c.p}))
	}
}

func TestText(t *testing.T) {
	slash := "/" // so that this file passes its own test
	for text, want := range map[string]string{
		"see " + slash + "root/x":               "1 holds",
		"a\nb\n\"" + slash + "home/me/key\"":    "3 holds",
		slash + "work/main":                     "1 holds",
		"from https://" + "proxy" + ".golang.x": "1 holds",
		"https://example.org/home/page":         "",
		"../" + "work/x, net" + "/" + "work/x":  "",
		"root / home":                           "",
		"\x00 " + slash + "root/":               "",
	} {
		bad := CheckText("f", []byte(text))
		if want == "" && len(bad) > 0 || want != "" && !strings.Contains(fmt.Sprint(bad), "f:"+want) {
			t.Errorf("%q: %v, want %q", text, bad, want)
		}
	}
}

func TestCommands(t *testing.T) {
	doc := "```console\n$ dosevault ledger export FILE --dir x # comment\noutput\n$ ./script/test | tail\n```\n```sh\n$ dosevault nothing\n```\n" +
		"  ```console\n  $ sudo A=b go run ./cmd/dosevault demo \\\n      --once\n  $ ls -l\n  $ C=1 dosevault verify\n  ```\n"
	var got []string
	for _, c := range Commands("README.md", doc) {
		script, dir, sub := c.Own()
		got = append(got, fmt.Sprint(c.Where, " ", script, " ", dir, " ", sub))
	}
	want := "README.md:2  cmd/dosevault [ledger export]\nREADME.md:4 script/test  []\nREADME.md:10  cmd/dosevault [demo]\nREADME.md:12   []\nREADME.md:13  cmd/dosevault [verify]"
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

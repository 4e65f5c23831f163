package deptest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// root is the repository, seen from this package.
const root = "../.."

func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, &stderr)
	}
	return out
}

func list(t *testing.T, args ...string) []Package {
	t.Helper()
	out := run(t, "go", append([]string{"list", "-e", "-json=ImportPath,Name,Dir,GoFiles,CgoFiles,Imports,Deps,Module,Standard"}, args...)...)
	var all []Package
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p Package
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func report(t *testing.T, bad []Violation) {
	t.Helper()
	for _, v := range bad {
		t.Error(v)
	}
}

func TestTheHouseKeepsItsPlan(t *testing.T) {
	pkgs := list(t, "./...")
	if len(pkgs) < 5 {
		t.Fatalf("only %d packages listed: is this the repository?", len(pkgs))
	}
	report(t, CheckFloors(pkgs))
	report(t, CheckFences(pkgs))
	report(t, CheckPure(pkgs))
	report(t, CheckNames(pkgs))
	for _, p := range pkgs {
		self := in(p.ImportPath)
		_, floor, planned := room(self)
		for _, name := range p.GoFiles {
			source, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if planned && floor == 0 {
				bad, err := CheckClock(self+"/"+name, source)
				if err != nil {
					t.Error(err)
				}
				report(t, bad)
			}
			if name == "main.go" && under(self, "cmd") {
				report(t, CheckMain(self+"/"+name, source))
			}
		}
	}
}

func TestNoBannedModuleAndNoCgo(t *testing.T) { report(t, CheckModules(list(t, "-deps", "./..."))) }

// files returns the repository's files: those that git knows or would add, or all where there is no git.
func files(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	if out, err := cmd.Output(); err == nil {
		return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	}
	var all []string
	err := fs.WalkDir(os.DirFS(root), ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.HasPrefix(p, ".git/") {
			all = append(all, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestNoMachineInTheText(t *testing.T) {
	all := files(t)
	if len(all) < 10 {
		t.Fatalf("only %d files: is this the repository?", len(all))
	}
	for _, name := range all {
		content, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed, but not yet committed
		}
		if err != nil {
			t.Error(err)
			continue
		}
		report(t, CheckText(name, content))
	}
}

func TestDocumentedCommandsExist(t *testing.T) {
	tmp := t.TempDir()
	built := map[string]bool{}
	build := func(dir string) (string, error) {
		bin := filepath.Join(tmp, filepath.Base(dir))
		if built[dir] {
			return bin, nil
		}
		cmd := exec.Command("go", "build", "-o", bin, "./"+dir)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building %s: %w\n%s", dir, err, out)
		}
		built[dir] = true
		return bin, nil
	}
	seen := 0
	for _, name := range files(t) {
		if filepath.Ext(name) != ".md" {
			continue
		}
		content, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range Commands(name, string(content)) {
			script, dir, sub := c.Own()
			switch {
			case script != "":
				seen++
				if st, err := os.Stat(filepath.Join(root, script)); err != nil || st.Mode()&0o111 == 0 {
					t.Errorf("%s: ./%s is no file that can be run", c.Where, script)
				}
			case dir != "":
				seen++
				bin, err := build(dir)
				if err != nil {
					t.Fatalf("%s: %v", c.Where, err)
				}
				if len(sub) == 0 {
					continue
				}
				if out, err := exec.Command(bin, append(sub, "--help")...).CombinedOutput(); err != nil {
					t.Errorf("%s: %s %s: %v\n%s", c.Where, filepath.Base(dir), strings.Join(sub, " "), err, out)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no document shows a command")
	}
}

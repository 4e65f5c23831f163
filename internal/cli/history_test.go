package cli_test

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/store/storetest/pgtest"
	"github.com/dosevault/dosevault/internal/synth"
)

// The history, small, on both databases: the scope is exactly what the laboratory held, wearer by wearer, every organisation of it is told, and
// each row of the laboratory's list ends where it should.
func TestHistory(t *testing.T) {
	s := synth.Generate(synth.Historical(60))
	held := map[string]int{}
	organisations := map[int]bool{}
	disclosed := s.Disclosed()
	list, err := s.WriteSupplierList(io.Discard, disclosed)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range disclosed {
		held[strings.Join(d.Fields.Names(), " ")]++
		organisations[s.Wearers[d.Wearer].Organisation] = true
	}
	history := func(t *testing.T, env []string) (out []byte, problems string, err error) {
		t.Helper()
		dir, err := os.MkdirTemp("", "dvh")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		cmd := exec.Command(program, "drill", "--history", "--people", "60", "--json", "--dir", filepath.Join(dir, "data"), "--keys", filepath.Join(dir, "keys"))
		cmd.Env = append(os.Environ(), env...)
		var said strings.Builder
		cmd.Stderr = &said
		out, err = cmd.Output()
		return out, said.String(), err
	}
	check := func(t *testing.T, env []string) {
		t.Helper()
		out, problems, err := history(t, env)
		if err != nil {
			t.Fatalf("%v\n%s%s", err, out, problems)
		}
		var got struct {
			Number        string
			People        int
			Organisations int
			Wearers       []struct{ Fields []string }
			Parts         []struct{ Name, Says string }
			List          []struct {
				Outcome string
				Wearers []string
			}
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		fields := map[string]int{}
		for _, w := range got.Wearers {
			fields[strings.Join(w.Fields, " ")]++
		}
		if diff := cmp.Diff(held, fields); diff != "" {
			t.Errorf("the scope is not what the laboratory held:\n%s", diff)
		}
		if got.People != 60 || got.Organisations != len(organisations) || !strings.HasSuffix(got.Number, "-1") {
			t.Errorf("%s: %d people of %d organisations", got.Number, got.People, got.Organisations)
		}
		var names []string
		for _, p := range got.Parts {
			names = append(names, p.Name)
		}
		// Each row of the list ends where it should, and a match is of the right person: each person's rows lead to the same wearers, and nobody else's do.
		outcomes, whose, person := map[string]int{}, map[string]int{}, map[int]string{}
		for i, row := range got.List {
			outcomes[row.Outcome]++
			if of := list.Of[i]; row.Outcome == "matched" {
				for _, w := range row.Wearers {
					if was, ok := whose[w]; of < 0 || ok && was != of {
						t.Errorf("row %d is person %d's and was matched with somebody else", i, of)
					}
					whose[w] = of
				}
				person[of] = row.Wearers[0]
			}
		}
		if outcomes["dummy"] != list.Dummies || outcomes["not ours"] != list.Strangers || len(got.List) != list.Rows || outcomes["cannot be identified"] < list.Nobody || len(person)*10 < list.Disclosed*8 {
			t.Errorf("%v of %+v", outcomes, list)
		}
		if want := []string{"declare", "scope", "freeze", "assess", "tell", "clocks", "list", "report", "close"}; !slices.Equal(names, want) {
			t.Errorf("played %v", names)
		}
	}
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		check(t, nil)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		server := pgtest.Shared(t)
		register := "DOSEVAULT_DATABASE=" + server.Database(t)
		check(t, []string{register, "DOSEVAULT_VAULT_DATABASE=" + server.Database(t)})
		// Nobody invented comes into a register that is in use.
		if out, problems, err := history(t, []string{register}); err == nil || !strings.Contains(problems, "the register's database is in use") {
			t.Errorf("%v\n%s%s", err, out, problems)
		}
	})
}

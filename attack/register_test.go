package attack_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// reader reads registers that somebody wrote to, as the signed-in co-ordinator of the demonstration they were taken from,
// through its running vault.
type reader struct {
	client  *vaultclient.Client
	auth    vaultclient.Auth
	wearers []id.Wearer
	orgs    []id.Organisation
	file    id.Import   // that has documents
	stored  []id.Import // profiles
}

// read reads what the pages and the command line read of the rows that are attacked, and returns it as text. An error
// is what a user is told.
func (r *reader) read(db string) (string, error) {
	ctx := context.Background()
	store, err := sqlite.OpenRegister(ctx, db)
	if err != nil {
		return "", err
	}
	defer store.Close()
	s := register.New(register.Config{Store: store, Vault: r.client, Now: time.Now, Node: "web"})
	var out bytes.Buffer
	show := func(v any) {
		b, err := json.Marshal(v)
		if err != nil {
			b = []byte(err.Error())
		}
		out.Write(append(b, '\n'))
	}
	for _, w := range r.wearers {
		rec, err := s.WearerRecord(ctx, r.auth, w, 0)
		if err != nil {
			return "", fmt.Errorf("a wearer's record: %w", err)
		}
		show(rec)
	}
	for _, o := range r.orgs {
		all, err := s.Investigations(ctx, r.auth, o)
		if err != nil {
			return "", fmt.Errorf("investigations: %w", err)
		}
		show(all)
	}
	all, err := s.Profiles(ctx, r.auth)
	if err != nil {
		return "", fmt.Errorf("profiles: %w", err)
	}
	show(all)
	for _, n := range r.stored {
		_, text, err := s.Profile(ctx, r.auth, n)
		if err != nil {
			return "", fmt.Errorf("a profile: %w", err)
		}
		show(text)
	}
	_, preview, err := s.PreviewOf(ctx, r.auth, r.file)
	if err != nil {
		return "", fmt.Errorf("a preview: %w", err)
	}
	show(preview)
	if err := s.WriteRefused(ctx, r.auth, r.file, &out); err != nil {
		return "", fmt.Errorf("a laboratory's file: %w", err)
	}
	return out.String(), nil
}

// victims are two rows of each table for an attack: of different wearers and, where there are some, organisations, with
// results, so that somebody reads them.
var victims = map[string][2]string{
	"organisation":  {"id = (SELECT organisation FROM wearer WHERE id = ?1)", "id = (SELECT organisation FROM wearer WHERE id = ?2)"},
	"wearer":        {"id = ?1", "id = ?2"},
	"wear_period":   {"id = (SELECT max(wear_period) FROM reading WHERE wearer = ?1)", "id = (SELECT max(wear_period) FROM reading WHERE wearer = ?2)"},
	"movement":      {"barcode = (SELECT barcode FROM movement GROUP BY 1 HAVING max(seq) = 2 ORDER BY 1 LIMIT 1) AND seq = 2 AND ?1 <> ?2", "barcode = (SELECT barcode FROM movement GROUP BY 1 HAVING max(seq) = 2 ORDER BY 1 DESC LIMIT 1) AND seq = 2 AND ?1 <> ?2"},
	"reading":       {"wearer = ?1 AND wear_period = (SELECT max(wear_period) FROM reading WHERE wearer = ?1)", "wearer = ?2 AND wear_period = (SELECT max(wear_period) FROM reading WHERE wearer = ?2)"},
	"investigation": {"id = (SELECT min(id) FROM investigation WHERE ?1 <> ?2)", "id = (SELECT max(id) FROM investigation WHERE ?1 <> ?2)"},
	"profile":       {"name = 'one' AND ?1 <> ?2", "name = 'two' AND ?1 <> ?2"},
	"import":        {"id = (SELECT import FROM document WHERE name = 'file') AND ?1 <> ?2", "kind = 'dispatch' AND ?1 <> ?2"},
	"document":      {"name = 'file' AND ?1 <> ?2", "name = 'preview' AND ?1 <> ?2"},
}

// target is a demonstration and two wearers of different organisations in it.
type target struct {
	h    *house.House
	a, b []byte
}

// newTarget finds two wearers who have two results or more and no re-issues.
func newTarget(t *testing.T, h *house.House) target {
	t.Helper()
	db := openDB(t, registerDB(h))
	defer db.Close()
	tg := target{h: h}
	const good = "SELECT w.id FROM wearer w WHERE (SELECT count(*) FROM reading r WHERE r.wearer = w.id) > 3 AND NOT EXISTS (SELECT 1 FROM reading r WHERE r.wearer = w.id AND version > 1)"
	if err := db.QueryRow(good + " ORDER BY w.id LIMIT 1").Scan(&tg.a); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow(good+" AND w.organisation <> (SELECT organisation FROM wearer WHERE id = $1) ORDER BY w.id DESC LIMIT 1", tg.a).Scan(&tg.b); err != nil {
		t.Fatal(err)
	}
	return tg
}

// newReader starts the house and signs in.
func newReader(t *testing.T, tg target) *reader {
	t.Helper()
	r := &reader{wearers: []id.Wearer{id.Wearer(tg.a), id.Wearer(tg.b)}}
	db := openDB(t, registerDB(tg.h))
	rows, err := db.Query("SELECT id FROM organisation")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			t.Fatal(err)
		}
		r.orgs = append(r.orgs, id.Organisation(b))
	}
	var file []byte
	if err := db.QueryRow("SELECT import FROM document WHERE name = 'file'").Scan(&file); err != nil {
		t.Fatal(err)
	}
	r.file = id.Import(file)
	db.Close()
	tg.h.Start("demo", "--people", small)
	r.client = tg.h.Client("web")
	if r.auth, err = tg.h.SignIn(r.client, tg.h.DemoUsers()["Eleri Vaughan"]); err != nil {
		t.Fatal(err)
	}
	return r
}

// store stores profiles, which a demonstration has none of.
func (r *reader) store(t *testing.T, tg target, names ...string) {
	t.Helper()
	store, err := sqlite.OpenRegister(t.Context(), registerDB(tg.h))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	s := register.New(register.Config{Store: store, Vault: r.client, Now: time.Now, Node: "web"})
	for _, name := range names {
		n, err := s.AddProfile(t.Context(), r.auth, []byte(`{"name": "`+name+`", "account": "1", "position": "eye",
			"columns": {"barcode": 1, "from": 2, "to": 3}, "quantities": [{"quantity": "Hp(3)", "column": 4, "unit": "mSv"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		r.stored = append(r.stored, n)
	}
}

// change is one thing that somebody with write access to the register does, and where.
type change struct {
	place string // table.column, or table and "a row deleted", "a row added"
	how   string
	do    func(db *sql.DB) (int64, error)
}

// changes lists the changes of every column of every table that the database has.
func changes(t *testing.T, tg target) []change {
	t.Helper()
	db := openDB(t, registerDB(tg.h))
	defer db.Close()
	tables := schema(t, db)
	var all []change
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		pick, ok := victims[table]
		if !ok {
			t.Errorf("table %s is new: say here which of its rows are attacked", table)
			continue
		}
		exec := func(q string) func(*sql.DB) (int64, error) {
			return func(db *sql.DB) (int64, error) {
				res, err := db.Exec(q, tg.a, tg.b)
				if err != nil {
					return 0, fmt.Errorf("%s: %w", q, err)
				}
				return res.RowsAffected()
			}
		}
		var names, copied []string
		for _, c := range tables[table] {
			names = append(names, c.name)
			copied = append(copied, c.name)
			var edit, longer string
			switch c.kind {
			case "BLOB":
				edit = fmt.Sprintf("CAST(substr(%[1]s, 1, length(%[1]s) - 1) || CASE substr(%[1]s, -1) WHEN x'07' THEN x'08' ELSE x'07' END AS BLOB)", c.name)
				longer = fmt.Sprintf("CAST(%s || x'00' AS BLOB)", c.name)
			case "INTEGER":
				edit = c.name + " + 1"
			case "TEXT":
				edit = c.name + " || 'x'"
			default:
				t.Fatalf("%s.%s has type %s", table, c.name, c.kind)
			}
			if c.kind == "BLOB" && table == "import" {
				edit = fmt.Sprintf("CASE WHEN %s IS NULL THEN zeroblob(16) ELSE %s END", c.name, edit)
			}
			place := table + "." + c.name
			where := pick[0] + " AND ?1 <> ?2"
			all = append(all, change{place, "edited", exec("UPDATE " + table + " SET " + c.name + " = " + edit + " WHERE " + where)})
			if longer != "" {
				all = append(all, change{place, "made longer", exec("UPDATE " + table + " SET " + c.name + " = " + longer + " WHERE " + where)})
			}
			all = append(all, change{place, "swapped with another row's", swap(tg, table, c.name, tables[table], pick)})
			if c.key > 0 { // a copy of a row needs another key
				copied[len(copied)-1] = edit
			}
			if table == "investigation" && c.name == "tag" || table == "wear_period" && c.name == "barcode" || table == "profile" && c.name == "version" {
				copied[len(copied)-1] = edit
			}
		}
		all = append(all,
			change{table + ", a row deleted", "deleted", exec("DELETE FROM " + table + " WHERE " + pick[0] + " AND ?1 <> ?2")},
			change{table + ", a row added", "added", exec("INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") SELECT " + strings.Join(copied, ", ") + " FROM " + table + " WHERE " + pick[0] + " AND ?1 <> ?2")})
	}
	return all
}

// swap exchanges one column of two rows. The rows are written anew, since the column may be part of a key.
func swap(tg target, table, name string, columns []column, pick [2]string) func(*sql.DB) (int64, error) {
	return func(db *sql.DB) (int64, error) {
		var names []string
		at := -1
		for i, c := range columns {
			names = append(names, c.name)
			if c.name == name {
				at = i
			}
		}
		var rows [2][]any
		for i, where := range pick {
			rows[i] = make([]any, len(columns))
			into := make([]any, len(columns))
			for k := range rows[i] {
				into[k] = &rows[i][k]
			}
			if err := db.QueryRow("SELECT "+strings.Join(names, ", ")+" FROM "+table+" WHERE "+where+" AND ?1 <> ?2", tg.a, tg.b).Scan(into...); err != nil {
				return 0, fmt.Errorf("reading two rows of %s: %w", table, err)
			}
		}
		if fmt.Sprint(rows[0][at]) == fmt.Sprint(rows[1][at]) {
			return -1, nil // the two have the same
		}
		for _, row := range rows {
			var conditions []string
			var args []any
			for i, c := range columns {
				if c.key > 0 {
					args = append(args, row[i])
					conditions = append(conditions, fmt.Sprintf("%s = ?%d", c.name, len(args)))
				}
			}
			if res, err := db.Exec("DELETE FROM "+table+" WHERE "+strings.Join(conditions, " AND "), args...); err != nil {
				return 0, err
			} else if n, _ := res.RowsAffected(); n != 1 {
				return 0, fmt.Errorf("%d rows of %s have one key", n, table)
			}
		}
		rows[0][at], rows[1][at] = rows[1][at], rows[0][at]
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ")
		for _, row := range rows {
			if _, err := db.Exec("INSERT INTO "+table+" ("+strings.Join(names, ", ")+") VALUES ("+marks+")", row...); err != nil {
				return 0, err
			}
		}
		return 2, nil
	}
}

// unnoticed reads from docs/security.md the changes of the register that nothing finds.
func unnoticed(t *testing.T) map[string]bool {
	t.Helper()
	_, section, ok := strings.Cut(string(read(t, filepath.Join("..", "docs", "security.md"))), "### Changes of the register that nothing finds\n")
	if !ok {
		t.Fatal("docs/security.md has no list of the changes that nothing finds")
	}
	section, _, _ = strings.Cut(section, "\n#")
	out := map[string]bool{}
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.HasPrefix(cells[1], "-") || strings.TrimSpace(cells[1]) == "table" {
			continue
		}
		table := strings.TrimSpace(cells[1])
		for what := range strings.SplitSeq(cells[2], ",") {
			if what = strings.TrimSpace(what); strings.HasPrefix(what, "a row ") {
				out[table+", "+what] = true
			} else {
				out[table+"."+what] = true
			}
		}
	}
	return out
}

// TestEveryColumnOfTheRegister: promise 7. Somebody edits, lengthens and swaps every column, and deletes and adds a row
// of every table. Each change is found by verify, or refused when somebody reads the row, or stands in the list of
// docs/security.md of what nothing finds. What stands in that list must really be unnoticed.
func TestEveryColumnOfTheRegister(t *testing.T) {
	t.Parallel()
	tg := newTarget(t, copyOfFilled(t))
	all := changes(t, tg)
	r := newReader(t, tg)
	r.store(t, tg, "one", "two")
	scratch := t.TempDir()
	baseline := filepath.Join(scratch, "baseline.db")
	db := openDB(t, registerDB(tg.h))
	if _, err := db.Exec("VACUUM INTO ?1", baseline); err != nil {
		t.Fatal(err)
	}
	db.Close()
	pristine := read(t, baseline)
	want, err := r.read(baseline)
	if err != nil {
		t.Fatalf("the untouched register: %v", err)
	}
	if again, err := r.read(baseline); err != nil || again != want || len(want) < 2000 {
		t.Fatalf("the untouched register reads differently the second time: %v", err)
	}

	// Each worker has a stopped copy of the installation for verify.
	work := make(chan change)
	var mu sync.Mutex
	missed := map[string][]string{}
	found, refused := 0, 0
	var group sync.WaitGroup
	for range 2 {
		h := copyOfFilled(t)
		if out, err := h.Run("verify"); err != nil {
			t.Fatalf("the untouched register: %v\n%s", err, out)
		}
		group.Go(func() {
			for c := range work {
				for _, suffix := range []string{"", "-wal", "-shm"} {
					os.Remove(registerDB(h) + suffix)
				}
				if err := os.WriteFile(registerDB(h), pristine, 0o600); err != nil {
					t.Error(err)
					continue
				}
				db := openDB(t, registerDB(h))
				n, err := c.do(db)
				db.Close()
				switch {
				case err != nil:
					t.Errorf("%s %s: %v", c.place, c.how, err)
					continue
				case n < 0:
					continue
				case n == 0:
					t.Errorf("%s %s: nothing was changed, so nothing is shown", c.place, c.how)
					continue
				}
				out, err := h.Run("verify")
				if err != nil {
					if strings.Contains(out, "panic") || !strings.Contains(out, "verify") && !strings.Contains(out, "register") && !strings.Contains(out, "import") {
						t.Errorf("%s %s: verify does not say what is wrong:\n%s", c.place, c.how, out)
					}
					mu.Lock()
					found++
					mu.Unlock()
					continue
				}
				got, err := r.read(registerDB(h))
				mu.Lock()
				switch {
				case err != nil:
					refused++
				case got == want:
					missed[c.place] = append(missed[c.place], c.how)
				default:
					missed[c.place] = append(missed[c.place], c.how+", and another text was read")
				}
				mu.Unlock()
			}
		})
	}
	for _, c := range all {
		work <- c
	}
	close(work)
	group.Wait()
	t.Logf("%d changes: %d found by verify, %d refused when read, %d places unnoticed", len(all), found, refused, len(missed))
	listed := unnoticed(t)
	for _, place := range slices.Sorted(maps.Keys(missed)) {
		if !listed[place] {
			t.Errorf("unnoticed and not listed in docs/security.md: %s (%s)", place, strings.Join(missed[place], "; "))
		}
	}
	for _, place := range slices.Sorted(maps.Keys(listed)) {
		if missed[place] == nil {
			t.Errorf("listed in docs/security.md as unnoticed, but it is found: %s", place)
		}
	}
}

// TestAMovedCiphertextDoesNotOpen: a sealed value opens in its own row, for its own wearer, in its own version and column.
func TestAMovedCiphertextDoesNotOpen(t *testing.T) {
	t.Parallel()
	tg := newTarget(t, copyOfFilled(t))
	pristine := read(t, registerDB(tg.h))
	db := openDB(t, registerDB(tg.h))
	var again []byte // a wearer with a re-issued reading
	if err := db.QueryRow("SELECT wearer FROM reading WHERE version = 2 AND wearer <> zeroblob(16) ORDER BY wearer LIMIT 1").Scan(&again); err != nil {
		t.Fatal(err)
	}
	db.Close()
	r := newReader(t, tg)
	r.wearers = append(r.wearers, id.Wearer(again))
	one := "(SELECT sealed FROM reading WHERE wearer = ?1 ORDER BY wear_period LIMIT 1)"
	mine := "wearer = ?1 AND wear_period = (SELECT max(wear_period) FROM reading WHERE wearer = ?1)"
	for name, q := range map[string]string{
		"nothing moved":                        "",
		"to another reading of the wearer":     "UPDATE reading SET sealed = " + one + " WHERE " + mine + " AND ?2 <> ?3",
		"to another wearer's reading":          "UPDATE reading SET sealed = (SELECT sealed FROM reading WHERE wearer = ?2 LIMIT 1) WHERE " + mine + " AND ?2 <> ?3",
		"to a later version":                   "UPDATE reading SET sealed = (SELECT sealed FROM reading o WHERE o.wearer = ?3 AND o.wear_period = reading.wear_period AND version = 1) WHERE wearer = ?3 AND version = 2 AND ?1 <> ?2",
		"to an earlier version":                "UPDATE reading SET sealed = (SELECT sealed FROM reading o WHERE o.wearer = ?3 AND o.wear_period = reading.wear_period AND version = 2) WHERE wearer = ?3 AND version = 1 AND EXISTS (SELECT 1 FROM reading o WHERE o.wearer = ?3 AND o.wear_period = reading.wear_period AND version = 2) AND ?1 <> ?2",
		"from health to employment":            "UPDATE wearer SET sealed = health WHERE id = ?1 AND ?2 <> ?3",
		"from another wearer's row":            "UPDATE wearer SET sealed = (SELECT sealed FROM wearer WHERE id = ?2) WHERE id = ?1 AND ?2 <> ?3",
		"from a reading to its wear period":    "UPDATE wear_period SET sealed = " + one + " WHERE wearer = ?1 AND ?2 <> ?3",
		"a wear period's to another":           "UPDATE wear_period SET sealed = (SELECT max(sealed) FROM wear_period WHERE wearer = ?1) WHERE wearer = ?1 AND ?2 <> ?3",
		"one investigation's to another":       "UPDATE investigation SET sealed = (SELECT sealed FROM investigation ORDER BY id LIMIT 1) WHERE id = (SELECT max(id) FROM investigation) AND ?1 <> ?2 AND ?2 <> ?3",
		"an organisation's settings":           "UPDATE organisation SET sealed = (SELECT sealed FROM organisation o WHERE o.id = (SELECT organisation FROM wearer WHERE id = ?2)) WHERE id = (SELECT organisation FROM wearer WHERE id = ?1) AND ?2 <> ?3",
		"the preview in the file's place":      "UPDATE document SET sealed = (SELECT sealed FROM document d WHERE d.name = 'preview' LIMIT 1) WHERE name = 'file' AND ?1 <> ?2 AND ?2 <> ?3",
		"the import's leave in the preview's":  "UPDATE document SET sealed = (SELECT sealed FROM document d WHERE d.name = 'accept' LIMIT 1) WHERE name = 'preview' AND ?1 <> ?2 AND ?2 <> ?3",
		"a reading and its period re-assigned": "UPDATE reading SET wearer = ?2 WHERE " + mine + " AND ?2 <> ?3; UPDATE wear_period SET wearer = ?2 WHERE wearer = ?1 AND id NOT IN (SELECT wear_period FROM reading WHERE wearer = ?1) AND ?2 <> ?3",
		"a wear period's days":                 "UPDATE wear_period SET starts = starts - 365, ends = ends - 365 WHERE wearer = ?1 AND ?2 <> ?3",
		"a wear period's barcode":              "UPDATE wear_period SET barcode = 'A1111A1111' WHERE wearer = ?1 AND id = (SELECT max(wear_period) FROM reading WHERE wearer = ?1) AND ?2 <> ?3",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "register.db")
			if err := os.WriteFile(path, pristine, 0o600); err != nil {
				t.Fatal(err)
			}
			for part := range strings.SplitSeq(q, "; ") {
				if q == "" {
					continue
				}
				db := openDB(t, path)
				res, err := db.Exec(part, tg.a, tg.b, again)
				if err != nil {
					t.Fatal(err)
				}
				if n, _ := res.RowsAffected(); n == 0 {
					t.Fatal("nothing was changed, so nothing is shown")
				}
				db.Close()
			}
			_, err := r.read(path)
			if (err == nil) != (q == "") {
				t.Errorf("read with error %v", err)
			}
			if err != nil && !strings.Contains(err.Error(), "does not open") && !strings.Contains(err.Error(), "not of that organisation") {
				t.Errorf("the error does not say what is wrong: %v", err)
			}
		})
	}
}

// TestADeletedRolledBackOrReassignedReadingIsFound: verify names the import and the organisation's log, whatever else
// was made to fit.
func TestADeletedRolledBackOrReassignedReadingIsFound(t *testing.T) {
	t.Parallel()
	for name, statements := range map[string][]string{
		"one deleted":                   {"DELETE FROM reading WHERE (wearer, wear_period) = (SELECT wearer, wear_period FROM reading ORDER BY wearer DESC LIMIT 1)"},
		"deleted with its wear period":  {"DELETE FROM reading WHERE wearer = (SELECT max(wearer) FROM reading)", "DELETE FROM wear_period WHERE wearer = (SELECT max(wearer) FROM wear_period)"},
		"a re-issue taken back":         {"DELETE FROM reading WHERE (wearer, wear_period, version) = (SELECT wearer, wear_period, version FROM reading WHERE version = 2 LIMIT 1)"},
		"re-assigned with all its rows": {"UPDATE reading SET wearer = (SELECT max(id) FROM wearer) WHERE wearer = (SELECT min(wearer) FROM reading WHERE wearer <> zeroblob(16))", "UPDATE wear_period SET wearer = (SELECT max(id) FROM wearer) WHERE wearer = (SELECT min(wearer) FROM wear_period WHERE wearer <> zeroblob(16))"},
		"moved into an earlier import":  {"UPDATE reading SET import = (SELECT import FROM wear_period LIMIT 1) WHERE wearer = (SELECT max(wearer) FROM reading)"},
		"moved into an import that waits": {
			"INSERT INTO import (id, kind, state, node, created) VALUES (randomblob(16), 'laboratory', 'stored', 'cli', 1)",
			"UPDATE reading SET import = (SELECT id FROM import WHERE state = 'stored') WHERE wearer = (SELECT max(wearer) FROM reading)"},
		"a badge hidden by a longer id": {"UPDATE wear_period SET wearer = CAST(wearer || x'00' AS BLOB) WHERE id = (SELECT id FROM wear_period p WHERE NOT EXISTS (SELECT 1 FROM reading WHERE wear_period = p.id) LIMIT 1)"},
		"an investigation deleted":      {"DELETE FROM investigation WHERE id = (SELECT min(id) FROM investigation)"},
		"a wearer deleted":              {"DELETE FROM wearer WHERE id = (SELECT max(id) FROM wearer)"},
	} {
		t.Run(name, func(t *testing.T) {
			h := copyOfFilled(t)
			tamper(t, registerDB(h), statements...)
			verifyFails(t, h, []string{"import"})
		})
	}
}

// TestAnOldRegisterIsFound: the whole register put back to what it was before the last import; and a deletion in an
// import that is put back to "stored", which the worker then enters anew.
func TestAnOldRegisterIsFound(t *testing.T) {
	t.Parallel()
	h := copyOfFilled(t)
	old := read(t, registerDB(h))
	h.Start("demo", "--people", small)
	coordinator(t, h)
	path := filepath.Join(t.TempDir(), "report.csv")
	if err := os.WriteFile(path, reissued(t, "9"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := h.Run("import", "--yes", path); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	h.Stop()
	if out, err := h.Run("verify"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	today := read(t, registerDB(h))
	if err := os.WriteFile(registerDB(h), old, 0o600); err != nil {
		t.Fatal(err)
	}
	verifyFails(t, h, []string{"/2026", "import"})

	if err := os.WriteFile(registerDB(h), today, 0o600); err != nil {
		t.Fatal(err)
	}
	tamper(t, registerDB(h), "UPDATE import SET state = 'stored' WHERE created = (SELECT max(created) FROM import)",
		"DELETE FROM reading WHERE (wearer, wear_period, version) = (SELECT wearer, wear_period, version FROM reading WHERE version = 10 LIMIT 1)")
	verifyFails(t, h, []string{"/2026", "import"})
	h.Start("demo", "--people", small)
	until(t, h, registerDB(h), "SELECT count(*) = 0 FROM import WHERE state = 'stored'")
	h.Stop()
	verifyFails(t, h, []string{"/2026", "import"})
}

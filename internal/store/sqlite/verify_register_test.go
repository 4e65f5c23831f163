package sqlite_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger/verify"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/store/sqlite"
)

// filled is a register of two organisations with five imports, the entries that vouch for four of them, and what is in it.
type filled struct {
	bytes     []byte
	manifests []verify.ManifestEntry
	people    id.Import
	dispatch  id.Import
	first     id.Import // laboratory
	second    id.Import // laboratory: re-issues
	waiting   id.Import // stored, without an entry
	a, b      id.Organisation
}

func blob(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// fill stores the imports as the service does.
func fill(t *testing.T) *filled {
	t.Helper()
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "register.db")
	store, err := sqlite.OpenRegister(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	f := &filled{a: id.Organisation{0xa}, b: id.Organisation{0xb}}
	seq := map[string]int64{}
	commit := func(kind string, state register.State, rows *register.Rows) id.Import {
		im := register.ImportRow{ID: id.New[id.Import](), Kind: kind, State: register.Importing, Node: "worker", Grant: id.New[id.Grant](), SHA256: blob(32), Created: time.UnixMicro(1)}
		if err := store.CreateImport(ctx, im, map[string][][]byte{"file": {blob(60), blob(60)}}); err != nil {
			t.Fatal(err)
		}
		for i := range rows.Wearers {
			rows.Wearers[i].Import = im.ID
		}
		for i := range rows.Periods {
			rows.Periods[i].Import = im.ID
		}
		for i := range rows.Readings {
			rows.Readings[i].Import = im.ID
		}
		for i := range rows.Investigations {
			rows.Investigations[i].Import = im.ID
		}
		im.State = state
		if err := store.Commit(ctx, register.Importing, im, rows); err != nil {
			t.Fatal(err)
		}
		if state == register.Done {
			for _, m := range register.Manifests(kind, rows) {
				log := m.Organisation.String() + "/2026"
				seq[log] += 3
				f.manifests = append(f.manifests, verify.ManifestEntry{Log: log, Seq: seq[log], Import: im.ID, Kind: m.Kind, Rows: m.Rows, Hash: m.Hash, Organisation: m.Organisation})
			}
		}
		return im.ID
	}
	for _, org := range []id.Organisation{f.a, f.b} {
		if err := store.SetOrganisation(ctx, org, blob(100)); err != nil {
			t.Fatal(err)
		}
	}

	var people, dispatch, first, second, waiting register.Rows
	for i := range 12 {
		w := register.WearerRow{ID: id.New[id.Wearer](), Organisation: []id.Organisation{f.a, f.b}[i%2], Version: 1, Sealed: blob(80), Health: blob(60)}
		people.Wearers = append(people.Wearers, w)
		for month := range 3 {
			p := register.PeriodRow{ID: id.New[id.Row](), Barcode: fmt.Sprintf("B%d-%d", i, month), Batch: fmt.Sprintf("batch %d", i%2), State: register.Issued, Organisation: w.Organisation,
				Wearer: w.ID, Starts: day.Of(2026, time.Month(1+month), 1), Ends: day.Of(2026, time.Month(2+month), 0), Sealed: blob(40)}
			if i > 9 {
				p.Wearer = id.Wearer{}
			}
			dispatch.Periods = append(dispatch.Periods, p)
			r := register.ReadingRow{Period: p.ID, Wearer: p.Wearer, Version: 1, Sealed: blob(90)}
			if month < 2 {
				first.Readings, first.ReadingPeriods = append(first.Readings, r), append(first.ReadingPeriods, p)
			}
			if month == 1 {
				r.Version, r.Sealed = 2, blob(90)
				second.Readings, second.ReadingPeriods = append(second.Readings, r), append(second.ReadingPeriods, p)
			}
			if month == 2 && i == 0 {
				waiting.Readings, waiting.ReadingPeriods = append(waiting.Readings, r), append(waiting.ReadingPeriods, p)
			}
		}
		first.Investigations = append(first.Investigations, register.InvestigationRow{ID: id.New[id.Row](), Organisation: w.Organisation, Tag: blob(16), Sealed: blob(70)})
	}
	for _, p := range dispatch.Periods {
		dispatch.Movements = append(dispatch.Movements, register.Movement{Barcode: p.Barcode, From: register.Issued, To: register.Returned, At: p.Ends.Time()})
	}
	f.people = commit(register.KindPeople, register.Done, &people)
	f.dispatch = commit(register.KindDispatch, register.Done, &dispatch)
	f.first = commit(register.KindLaboratory, register.Done, &first)
	f.second = commit(register.KindLaboratory, register.Done, &second)
	f.waiting = commit(register.KindLaboratory, register.Stored, &waiting)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if f.bytes, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return f
}

// open opens a database as somebody who may write to it and keeps no rule.
func open(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=synchronous(OFF)&_pragma=foreign_keys(0)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

// verified changes a copy of the register and verifies it.
func (f *filled) verified(t *testing.T, manifests []verify.ManifestEntry, changes ...func(*sql.DB)) (*verify.RegisterReport, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "register.db")
	if err := os.WriteFile(path, f.bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		db := open(t, path)
		change(db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	src, err := sqlite.OpenVerifyRegister(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	return verify.Register(context.Background(), src, manifests)
}

// statement is a change by a statement, which must change something.
func statement(t *testing.T, query string, args ...any) func(*sql.DB) {
	return func(db *sql.DB) {
		t.Helper()
		res, err := db.Exec(query, args...)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		if n, _ := res.RowsAffected(); n == 0 {
			t.Fatalf("%s: changed nothing", query)
		}
	}
}

// entry returns the entry of an import in an organisation's ledger.
func (f *filled) entry(t *testing.T, n id.Import, org id.Organisation) verify.ManifestEntry {
	i := slices.IndexFunc(f.manifests, func(m verify.ManifestEntry) bool { return m.Import == n && m.Organisation == org })
	if i < 0 {
		t.Fatal("no such entry")
	}
	return f.manifests[i]
}

func TestVerifyRegisterUntouched(t *testing.T) {
	f := fill(t)
	r, err := f.verified(t, f.manifests)
	// 12 wearers, 36 wear periods, 24 readings with 12 investigations, 12 re-issues; four imports in two ledgers each.
	if err != nil || r.Imports != 8 || r.Rows != 96 || r.Awaiting != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	// Entered meanwhile, but not yet moved on.
	db := filepath.Join(t.TempDir(), "register.db")
	if err := os.WriteFile(db, f.bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.OpenRegister(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	rows, err := store.ImportRows(t.Context(), f.waiting)
	if err != nil {
		t.Fatal(err)
	}
	m := register.Manifests("laboratory", rows)[0]
	r, err = f.verified(t, append(slices.Clone(f.manifests), verify.ManifestEntry{Log: "x", Import: f.waiting, Kind: m.Kind, Rows: m.Rows, Hash: m.Hash, Organisation: m.Organisation}))
	if err != nil || r.Imports != 9 || r.Rows != 97 || r.Awaiting != 0 {
		t.Errorf("once it is entered: %+v, %v", r, err)
	}
}

// unseen are the columns that no manifest covers.
var unseen = map[string]string{
	"wear_period.barcode": "bound by the sealed value's context: it does not open beside another",
	"wear_period.batch":   "bound by the sealed value's context: it does not open beside another",
	"wear_period.state":   "logistics, which changes too often to be entered",
	"movement.*":          "logistics, which changes too often to be entered",
	"organisation.*":      "settings stand in no import; they open in their own row alone",
	"import.*":            "how far an import has come: what it stored is vouched for by the ledger",
	"document.*":          "parts open in their own place alone, under a key for each import",
}

// Every column of every table is edited, made longer or put out of range, and exchanged between two rows; rows are deleted and
// added. Each is found, except in the columns of unseen, which really are not seen.
func TestVerifyRegisterEveryColumn(t *testing.T) {
	f := fill(t)
	tables := map[string][]string{}
	kinds := map[string]string{}
	if _, err := f.verified(t, f.manifests, func(db *sql.DB) {
		rows, err := db.Query("SELECT m.name, c.name, c.type FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'goose%'")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var table, column, kind string
			if err := rows.Scan(&table, &column, &kind); err != nil {
				t.Fatal(err)
			}
			tables[table] = append(tables[table], column)
			kinds[table+"."+column] = kind
		}
	}); err != nil {
		t.Fatal(err)
	}
	if len(tables) != 8 {
		t.Fatalf("tables are %v", tables)
	}
	// Two rows of a table, of different wearers, organisations and imports where the table has some.
	pick := func(table string) (string, string) {
		switch table {
		case "wearer", "wear_period", "investigation":
			if table == "wear_period" { // wearers 0 and 1, in other months
				return "barcode = 'B0-0'", "barcode = 'B1-2'"
			}
			return fmt.Sprintf("id = (SELECT max(id) FROM %s WHERE organisation = x'%x')", table, f.a[:]), fmt.Sprintf("id = (SELECT min(id) FROM %s WHERE organisation = x'%x')", table, f.b[:])
		case "reading":
			return fmt.Sprintf("(wearer, wear_period, version) = (SELECT wearer, wear_period, version FROM reading WHERE import = x'%x' ORDER BY wearer DESC LIMIT 1)", f.second[:]),
				fmt.Sprintf("(wearer, wear_period, version) = (SELECT wearer, wear_period, version FROM reading WHERE import = x'%x' AND wearer <> zeroblob(16) ORDER BY wearer LIMIT 1)", f.first[:])
		case "import":
			return fmt.Sprintf("id = x'%x'", f.people[:]), fmt.Sprintf("id = x'%x'", f.second[:])
		case "movement":
			return "barcode = 'B0-0'", "barcode = 'B1-2'"
		case "document":
			return fmt.Sprintf("import = x'%x' AND part = 1", f.people[:]), fmt.Sprintf("import = x'%x' AND part = 0", f.second[:])
		}
		return "id = (SELECT min(id) FROM organisation)", "id = (SELECT max(id) FROM organisation)"
	}
	for table, columns := range tables {
		one, two := pick(table)
		find := func(place, how string, changes ...func(*sql.DB)) {
			t.Helper()
			_, err := f.verified(t, f.manifests, changes...)
			reason := unseen[place]
			if reason == "" {
				reason = unseen[table+".*"]
			}
			var d *verify.Difference
			switch {
			case reason != "" && err != nil:
				t.Errorf("%s %s: found, though no manifest covers it: %v", place, how, err)
			case reason == "" && !errors.As(err, &d):
				t.Errorf("%s %s: error is %v", place, how, err)
			case reason == "" && !strings.Contains(d.What, "import "):
				t.Errorf("%s %s: %q does not name an import", place, how, d.What)
			}
		}
		list := strings.Join(columns, ", ")
		for _, c := range columns {
			place := table + "." + c
			edits := map[string]string{}
			switch kinds[place] {
			case "BLOB":
				edits["edited"] = fmt.Sprintf("CAST(substr(%[1]s, 1, length(%[1]s) - 1) || CASE substr(%[1]s, -1) WHEN x'07' THEN x'08' ELSE x'07' END AS BLOB)", c)
				edits["made longer"] = fmt.Sprintf("CAST(%s || x'00' AS BLOB)", c)
				edits["made shorter"] = fmt.Sprintf("CAST(substr(%[1]s, 1, length(%[1]s) - 1) AS BLOB)", c)
				edits["emptied"] = "x''"
			case "INTEGER":
				edits["edited"] = c + " + 1"
				// What is cut to 32 bits hashes and opens as before, but is not found by a query.
				edits["2^32 higher"], edits["2^32 lower"] = c+" + 4294967296", c+" - 4294967296"
			case "TEXT":
				edits["edited"] = c + " || 'x'"
			}
			for how, edit := range edits {
				find(place, how, statement(t, "UPDATE "+table+" SET "+c+" = "+edit+" WHERE "+one))
			}
			switch place {
			case "wearer.version", "wearer.import", "wear_period.import", "investigation.import": // the same in each
				continue
			case "reading.version", "document.import", "document.part": // the key of a third row
				continue
			}
			find(place, "exchanged", func(db *sql.DB) {
				for _, q := range []string{
					"CREATE TABLE kept AS SELECT * FROM " + table + " WHERE " + one + " OR " + two,
					"DELETE FROM " + table + " WHERE " + one + " OR " + two,
				} {
					if _, err := db.Exec(q); err != nil {
						t.Fatalf("%s: %v", q, err)
					}
				}
				parts := slices.Clone(columns)
				parts[slices.Index(parts, c)] = "(SELECT o." + c + " FROM kept o WHERE o.rowid <> kept.rowid)"
				statement(t, "INSERT INTO "+table+" ("+list+") SELECT "+strings.Join(parts, ", ")+" FROM kept")(db)
				if _, err := db.Exec("DROP TABLE kept"); err != nil {
					t.Fatal(err)
				}
			})
		}
		find(table+", a row", "deleted", statement(t, "DELETE FROM "+table+" WHERE "+one))
		copied := slices.Clone(columns) // with a key of its own
		for column, other := range map[string]string{"id": "randomblob(16)", "part": "part + 9", "tag": "randomblob(16)", "barcode": "'another'"} {
			if i := slices.Index(columns, column); i >= 0 {
				copied[i] = other
			}
		}
		if table == "reading" {
			copied[slices.Index(columns, "version")] = "version + 9"
		}
		find(table+", a row", "added", statement(t, "INSERT INTO "+table+" ("+list+") SELECT "+strings.Join(copied, ", ")+" FROM "+table+" WHERE "+one))
	}
}

// The first entry that does not hold is named, with what there is to say.
func TestVerifyRegisterNamesTheEntry(t *testing.T) {
	f := fill(t)
	x := func(b [16]byte) string { return fmt.Sprintf("x'%x'", b[:]) }
	one := "(wearer, wear_period) = (SELECT r.wearer, r.wear_period FROM reading r JOIN wear_period p ON p.wearer = r.wearer AND p.id = r.wear_period WHERE r.import = " + x(f.first) + " AND p.organisation = " + x(f.b) + " LIMIT 1)"
	whole := verify.ManifestEntry{Log: "register", Seq: -1}
	of := func(n id.Import, org id.Organisation) verify.ManifestEntry { return f.entry(t, n, org) }
	for name, c := range map[string]struct {
		queries []string
		want    verify.ManifestEntry
		what    string
	}{
		"a reading deleted":           {[]string{"DELETE FROM reading WHERE import = " + x(f.first) + " AND " + one}, of(f.first, f.b), "stores 17 rows, the ledger says 18"},
		"a re-issue taken back":       {[]string{"DELETE FROM reading WHERE version = 2 AND import = " + x(f.second) + " AND " + "wear_period = (SELECT r.wear_period FROM reading r JOIN wear_period p ON p.wearer = r.wearer AND p.id = r.wear_period WHERE r.import = " + x(f.second) + " AND p.organisation = " + x(f.a) + " LIMIT 1)"}, of(f.second, f.a), "stores 5 rows, the ledger says 6"},
		"all of an import deleted":    {[]string{"DELETE FROM reading WHERE import = " + x(f.second)}, of(f.second, f.a), "stores no row of it, the ledger says 6"},
		"all rows deleted":            {[]string{"DELETE FROM reading", "DELETE FROM wear_period", "DELETE FROM wearer"}, of(f.people, f.a), "stores no row of it, the ledger says 6"},
		"a wear period deleted":       {[]string{"DELETE FROM wear_period WHERE (wearer, id) = (SELECT wearer, wear_period FROM reading WHERE import = " + x(f.first) + " ORDER BY wearer DESC LIMIT 1)"}, verify.ManifestEntry{Log: "reading", Seq: -1}, "belongs to no wear period"},
		"a reading given to somebody": {[]string{"UPDATE reading SET wearer = (SELECT max(id) FROM wearer) WHERE wearer = (SELECT min(wearer) FROM reading WHERE wearer <> zeroblob(16))"}, verify.ManifestEntry{Log: "reading", Seq: -1}, "belongs to no wear period"},
		"re-assigned with its period": {[]string{"UPDATE reading SET wearer = (SELECT max(id) FROM wearer WHERE organisation = " + x(f.a) + ") WHERE wearer = (SELECT min(p.wearer) FROM wear_period p WHERE p.wearer <> zeroblob(16) AND p.organisation = " + x(f.a) + ")", "UPDATE wear_period SET wearer = (SELECT max(id) FROM wearer WHERE organisation = " + x(f.a) + ") WHERE wearer = (SELECT min(p.wearer) FROM wear_period p WHERE p.wearer <> zeroblob(16) AND p.organisation = " + x(f.a) + ")"}, of(f.dispatch, f.a), "are not those that were entered"},
		"two readings' blobs": {[]string{"UPDATE reading SET sealed = CASE version WHEN 1 THEN (SELECT sealed FROM reading o WHERE o.wear_period = reading.wear_period AND version = 2) ELSE (SELECT sealed FROM reading o WHERE o.wear_period = reading.wear_period AND version = 1) END WHERE wear_period = (SELECT max(r.wear_period) FROM reading r JOIN wear_period p ON p.wearer = r.wearer AND p.id = r.wear_period WHERE version = 2 AND p.organisation = " + x(f.b) + ")"},
			of(f.first, f.b), "are not those that were entered"},
		"a byte moved from an id to a tag": {[]string{"UPDATE investigation SET tag = CAST(substr(id, 16) || tag AS BLOB), id = substr(id, 1, 15) WHERE id = (SELECT min(id) FROM investigation)"}, verify.ManifestEntry{Log: "investigation", Seq: -1}, "has an id of another length"},
		"a period hidden in the past":      {[]string{"UPDATE wear_period SET ends = ends - 4294967296 WHERE id = (SELECT min(id) FROM wear_period)"}, verify.ManifestEntry{Log: "wear_period", Seq: -1}, "has a day out of range"},
		"rows of no import":                {[]string{"INSERT INTO wearer SELECT randomblob(16), 1, organisation, zeroblob(16), sealed, health FROM wearer LIMIT 1"}, whole, "1 rows of import " + id.Import{}.String()},
		"a row added to one that is entered": {[]string{"INSERT INTO wearer SELECT randomblob(16), 1, organisation, import, sealed, health FROM wearer WHERE organisation = " + x(f.b) + " LIMIT 1"},
			of(f.people, f.b), "stores 7 rows, the ledger says 6"},
		"put back to stored, and a row added in another organisation": {[]string{"UPDATE import SET state = 'stored'", "INSERT INTO wearer SELECT randomblob(16), 1, randomblob(16), import, sealed, health FROM wearer LIMIT 1"}, whole, f.people.String()},
		"what waits moved on":                 {[]string{"UPDATE import SET state = 'done'"}, whole, "1 rows of import " + f.waiting.String()},
		"what waits without its import":       {[]string{"DELETE FROM import WHERE state = 'stored'"}, whole, "1 rows of import " + f.waiting.String()},
		"two that nobody vouches for":         {[]string{"UPDATE import SET state = 'done'", "INSERT INTO wearer SELECT randomblob(16), 1, organisation, zeroblob(16), sealed, health FROM wearer LIMIT 1"}, whole, "import " + id.Import{}.String()},
		"the first of two in the ledgers":     {[]string{"DELETE FROM reading WHERE version = 2", "DELETE FROM investigation"}, of(f.first, f.a), "the ledger says 18"},
		"an entry before rows without ledger": {[]string{"UPDATE import SET state = 'done'", "DELETE FROM reading WHERE version = 2"}, of(f.second, f.a), "stores no row"},
	} {
		t.Run(name, func(t *testing.T) {
			var changes []func(*sql.DB)
			for _, q := range c.queries {
				changes = append(changes, statement(t, q))
			}
			_, err := f.verified(t, f.manifests, changes...)
			differs(t, err, c.want.Log, c.want.Seq, c.what)
		})
	}
}

func differs(t *testing.T, err error, log string, seq int64, what string) {
	t.Helper()
	var d *verify.Difference
	if !errors.As(err, &d) || d.Log != log || d.Seq != seq || !strings.Contains(d.What, what) {
		t.Errorf("error is %v; want a difference in %s, entry %d: …%s…", err, log, seq, what)
	}
}

// What the ledgers say is held against an untouched register.
func TestVerifyRegisterEntries(t *testing.T) {
	f := fill(t)
	last := len(f.manifests) - 1
	for _, c := range map[string]struct {
		change func([]verify.ManifestEntry) []verify.ManifestEntry
		at     int // the entry that differs; -1: rows without one
		what   string
	}{
		"another hash":   {func(m []verify.ManifestEntry) []verify.ManifestEntry { m[3].Hash = blob(32); return m }, 3, "are not those"},
		"an empty hash":  {func(m []verify.ManifestEntry) []verify.ManifestEntry { m[3].Hash = nil; return m }, 3, "are not those"},
		"another number": {func(m []verify.ManifestEntry) []verify.ManifestEntry { m[2].Rows++; return m }, 2, "stores 18 rows, the ledger says 19"},
		"no rows":        {func(m []verify.ManifestEntry) []verify.ManifestEntry { m[2].Rows = 0; return m }, 2, "stores 18 rows, the ledger says 0"},
		"another kind":   {func(m []verify.ManifestEntry) []verify.ManifestEntry { m[2].Kind = "people"; return m }, 2, "stores no rows of table wear_period"},
		"another organisation": {func(m []verify.ManifestEntry) []verify.ManifestEntry {
			m[1].Organisation = id.Organisation{0xc}
			return m
		}, 1, "stores no row of it, the ledger says 6"},
		"another import":            {func(m []verify.ManifestEntry) []verify.ManifestEntry { m[1].Import[0]++; return m }, 1, "stores no row of it"},
		"entered twice":             {func(m []verify.ManifestEntry) []verify.ManifestEntry { return append(m, m[0]) }, 0, "entered twice: entry 3 of log"},
		"none for one organisation": {func(m []verify.ManifestEntry) []verify.ManifestEntry { return m[:last] }, -1, "6 rows of import " + f.second.String() + " and organisation " + f.b.String()},
		"none at all":               {func([]verify.ManifestEntry) []verify.ManifestEntry { return nil }, -1, "stand in no ledger"},
	} {
		m := c.change(slices.Clone(f.manifests))
		_, err := f.verified(t, m)
		if c.at < 0 {
			differs(t, err, "register", -1, c.what)
		} else {
			differs(t, err, m[c.at].Log, m[c.at].Seq, c.what)
		}
	}

	// An import that stored nothing for an organisation.
	nothing := verify.ManifestEntry{Log: "x/2026", Seq: 9, Import: id.New[id.Import](), Organisation: f.a, Kind: "people", Hash: bytes.Clone(emptySum)}
	if r, err := f.verified(t, append(slices.Clone(f.manifests), nothing)); err != nil || r.Imports != 9 {
		t.Errorf("an entry of no rows: %+v, %v", r, err)
	}
	nothing.Hash[0]++
	_, err := f.verified(t, append(slices.Clone(f.manifests), nothing))
	differs(t, err, "x/2026", 9, "its 0 rows are not those")
}

// emptySum is SHA-256 of nothing.
var emptySum = []byte("\xe3\xb0\xc4\x42\x98\xfc\x1c\x14\x9a\xfb\xf4\xc8\x99\x6f\xb9\x24\x27\xae\x41\xe4\x64\x9b\x93\x4c\xa4\x95\x99\x1b\x78\x52\xb8\x55")

// The register goes by indexes, verify by tables: a database in which they are not the same hides rows from the one alone.
func TestVerifyRegisterSchema(t *testing.T) {
	f := fill(t)
	many := func(queries ...string) []func(*sql.DB) {
		var out []func(*sql.DB)
		for _, q := range queries {
			out = append(out, func(db *sql.DB) {
				if _, err := db.Exec(q); err != nil {
					t.Fatalf("%s: %v", q, err)
				}
			})
		}
		return out
	}
	for name, c := range map[string]struct {
		changes []func(*sql.DB)
		what    string
	}{
		"a trigger":      {many("CREATE TRIGGER forget AFTER INSERT ON reading BEGIN DELETE FROM reading WHERE version = NEW.version - 1; END"), "a trigger forget that the program does not create"},
		"a view":         {many("ALTER TABLE reading RENAME TO readings", "CREATE VIEW reading AS SELECT * FROM readings"), "reading"},
		"an index less":  {many("DROP INDEX investigation_of_organisation"), "index investigation_of_organisation of the database is missing"},
		"another index":  {many("DROP INDEX investigation_of_organisation", "CREATE INDEX investigation_of_organisation ON investigation (organisation) WHERE sealed IS NULL"), "is not the one that the program creates"},
		"a looser table": {many("ALTER TABLE wearer RENAME TO w", "CREATE TABLE wearer (id, version, organisation, import, sealed, health, PRIMARY KEY (id, version)) WITHOUT ROWID", "INSERT INTO wearer SELECT * FROM w", "DROP TABLE w"), "table wearer of the database is not the one"},
		"an index that holds nothing": {many(
			"PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = sql || ' WHERE sealed IS NULL' WHERE name = 'investigation_of_organisation'",
			"REINDEX investigation_of_organisation",
			"PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, ' WHERE sealed IS NULL', '') WHERE name = 'investigation_of_organisation'"), "the database is damaged or was changed from outside"},
		"a text where bytes belong": {many(
			"PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'STRICT, ', '') WHERE name = 'wear_period'",
			"UPDATE wear_period SET sealed = CAST(sealed AS TEXT)",
			"PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, ') WITHOUT', ') STRICT, WITHOUT') WHERE name = 'wear_period'"), "the database is damaged or was changed from outside"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.verified(t, f.manifests, c.changes...)
			differs(t, err, "register", -1, c.what)
		})
	}
}

// An absent file or another one is an error, not an empty register; and a canceled verification is no difference.
func TestVerifyRegisterOpen(t *testing.T) {
	dir := t.TempDir()
	if _, err := sqlite.OpenVerifyRegister(filepath.Join(dir, "absent.db")); err == nil {
		t.Error("an absent file was opened")
	}
	path := filepath.Join(dir, "other.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("no database "), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.OpenVerifyRegister(path); err == nil {
		t.Error("another file was opened")
	}

	f := fill(t)
	if err := os.WriteFile(path, f.bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := sqlite.OpenVerifyRegister(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	// The register goes on: the snapshot is of the moment when it was opened.
	statement(t, "DELETE FROM investigation")(open(t, path))
	if _, err := verify.Register(t.Context(), src, f.manifests); err != nil {
		t.Errorf("the snapshot: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var d *verify.Difference
	if _, err := verify.Register(ctx, src, f.manifests); err == nil || errors.As(err, &d) {
		t.Errorf("canceled: %v", err)
	}
}

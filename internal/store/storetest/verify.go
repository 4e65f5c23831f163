package storetest

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger/verify"
	"github.com/dosevault/dosevault/internal/register"
)

// Tampered is a register's database in the hands of somebody who may write to it and keeps no rule. Statements are in
// the words of SQLite; those used here another database can be taught, or they can be put into its own.
type Tampered interface {
	// Open opens the database with the store. The suite fills and closes it first.
	Open(t *testing.T) register.Store
	// Columns returns the kind of each column, BLOB, INTEGER or TEXT, by table.
	Columns(t *testing.T) map[string]map[string]string
	// Verify verifies the database as statements leave it, and then leaves it as it was. An UPDATE, INSERT or DELETE that
	// changes nothing is the test's error.
	Verify(t *testing.T, manifests []verify.ManifestEntry, statements ...string) (*verify.RegisterReport, error)
}

// VerifyRegister runs what package verify must find on a register's database. open makes an empty one.
func VerifyRegister(t *testing.T, open func(t *testing.T) Tampered) {
	for name, run := range map[string]func(*testing.T, *Filled){
		"untouched": verifyUntouched, "every column": verifyEveryColumn, "the entry is named": verifyNamesTheEntry, "entries": verifyEntries,
	} {
		t.Run(name, func(t *testing.T) { run(t, Fill(t, open(t))) })
	}
}

// Filled is a register of two organisations with five imports, the entries that vouch for four of them, and what is in it.
type Filled struct {
	Tampered
	Manifests []verify.ManifestEntry
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

// Fill stores the imports as the service does.
func Fill(t *testing.T, db Tampered) *Filled {
	t.Helper()
	store := db.Open(t)
	f := &Filled{Tampered: db, a: id.Organisation{0xa}, b: id.Organisation{0xb}}
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
		if err := store.Commit(ctx, register.Importing, im, register.Whole(rows)); err != nil {
			t.Fatal(err)
		}
		if state == register.Done {
			for _, m := range register.Manifests(kind, rows) {
				log := m.Organisation.String() + "/2026"
				seq[log] += 3
				f.Manifests = append(f.Manifests, verify.ManifestEntry{Log: log, Seq: seq[log], Import: im.ID, Kind: m.Kind, Rows: m.Rows, Hash: m.Hash, Organisation: m.Organisation})
			}
		}
		return im.ID
	}
	for _, org := range []id.Organisation{f.a, f.b} {
		if err := store.SetOrganisation(ctx, org, blob(100)); err != nil {
			t.Fatal(err)
		}
	}

	for _, name := range []string{"one", "two"} {
		im := register.ImportRow{ID: id.New[id.Import](), Kind: register.KindProfile, State: register.Done, Node: "web", SHA256: blob(32), Created: time.UnixMicro(1)}
		if err := store.CreateProfile(ctx, im, register.ProfileRow{Name: name, Version: 1}, nil); err != nil {
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
	must(t, store.Close())
	return f
}

// entry returns the entry of an import in an organisation's ledger.
func (f *Filled) entry(t *testing.T, n id.Import, org id.Organisation) verify.ManifestEntry {
	i := slices.IndexFunc(f.Manifests, func(m verify.ManifestEntry) bool { return m.Import == n && m.Organisation == org })
	if i < 0 {
		t.Fatal("no such entry")
	}
	return f.Manifests[i]
}

func verifyUntouched(t *testing.T, f *Filled) {
	r, err := f.Verify(t, f.Manifests)
	// 12 wearers, 36 wear periods, 24 readings with 12 investigations, 12 re-issues; four imports in two ledgers each.
	if err != nil || r.Imports != 8 || r.Rows != 96 || r.Awaiting != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	// Entered meanwhile, but not yet moved on.
	store := f.Open(t)
	rows, err := store.ImportRows(t.Context(), f.waiting)
	must(t, err)
	must(t, store.Close())
	m := register.Manifests("laboratory", rows)[0]
	r, err = f.Verify(t, append(slices.Clone(f.Manifests), verify.ManifestEntry{Log: "x", Import: f.waiting, Kind: m.Kind, Rows: m.Rows, Hash: m.Hash, Organisation: m.Organisation}))
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
	"profile.*":           "what it says is bound to its name, version and hash, and opens in its own import alone",
	"document.*":          "parts open in their own place alone, under a key for each import",
}

// Every column of every table is edited, made longer or put out of range, and exchanged between two rows; rows are deleted and
// added. Each is found, except in the columns of unseen, which really are not seen.
func verifyEveryColumn(t *testing.T, f *Filled) {
	tables := f.Columns(t)
	if len(tables) != 9 {
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
		case "profile":
			return "name = 'one'", "name = 'two'"
		case "document":
			return fmt.Sprintf("import = x'%x' AND part = 1", f.people[:]), fmt.Sprintf("import = x'%x' AND part = 0", f.second[:])
		}
		return "id = (SELECT min(id) FROM organisation)", "id = (SELECT max(id) FROM organisation)"
	}
	for table, kinds := range tables {
		columns := slices.Sorted(maps.Keys(kinds))
		one, two := pick(table)
		find := func(place, how string, changes ...string) {
			t.Helper()
			_, err := f.Verify(t, f.Manifests, changes...)
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
			switch kinds[c] {
			case "BLOB":
				edits["edited"] = fmt.Sprintf("CAST(substr(%[1]s, 1, length(%[1]s) - 1) || CASE substr(%[1]s, length(%[1]s), 1) WHEN x'07' THEN x'08' ELSE x'07' END AS BLOB)", c)
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
				find(place, how, "UPDATE "+table+" SET "+c+" = "+edit+" WHERE "+one)
			}
			switch place {
			case "wearer.version", "wearer.import", "wear_period.import", "investigation.import": // the same in each
				continue
			case "reading.version", "document.import", "document.part": // the key of a third row
				continue
			}
			parts := slices.Clone(columns)
			parts[slices.Index(parts, c)] = "(SELECT o." + c + " FROM kept o WHERE o.rowid <> kept.rowid)"
			find(place, "exchanged",
				"CREATE TABLE kept AS SELECT * FROM "+table+" WHERE "+one+" OR "+two,
				"DELETE FROM "+table+" WHERE "+one+" OR "+two,
				"INSERT INTO "+table+" ("+list+") SELECT "+strings.Join(parts, ", ")+" FROM kept",
				"DROP TABLE kept")
		}
		find(table+", a row", "deleted", "DELETE FROM "+table+" WHERE "+one)
		copied := slices.Clone(columns) // with a key of its own
		for column, other := range map[string]string{"id": "randomblob(16)", "part": "part + 9", "tag": "randomblob(16)", "barcode": "'another'"} {
			if i := slices.Index(columns, column); i >= 0 {
				copied[i] = other
			}
		}
		if table == "profile" {
			copied[slices.Index(columns, "import")] = "randomblob(16)"
		}
		if table == "reading" || table == "profile" {
			copied[slices.Index(columns, "version")] = "version + 9"
		}
		find(table+", a row", "added", "INSERT INTO "+table+" ("+list+") SELECT "+strings.Join(copied, ", ")+" FROM "+table+" WHERE "+one)
	}
}

// The first entry that does not hold is named, with what there is to say.
func verifyNamesTheEntry(t *testing.T, f *Filled) {
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
			_, err := f.Verify(t, f.Manifests, c.queries...)
			Differs(t, err, c.want.Log, c.want.Seq, c.what)
		})
	}
}

// Differs checks that an error is a difference in a log, or table, and entry.
func Differs(t *testing.T, err error, log string, seq int64, what string) {
	t.Helper()
	var d *verify.Difference
	if !errors.As(err, &d) || d.Log != log || d.Seq != seq || !strings.Contains(d.What, what) {
		t.Errorf("error is %v; want a difference in %s, entry %d: …%s…", err, log, seq, what)
	}
}

// What the ledgers say is held against an untouched register.
func verifyEntries(t *testing.T, f *Filled) {
	last := len(f.Manifests) - 1
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
		m := c.change(slices.Clone(f.Manifests))
		_, err := f.Verify(t, m)
		if c.at < 0 {
			Differs(t, err, "register", -1, c.what)
		} else {
			Differs(t, err, m[c.at].Log, m[c.at].Seq, c.what)
		}
	}

	// An import that stored nothing for an organisation.
	nothing := verify.ManifestEntry{Log: "x/2026", Seq: 9, Import: id.New[id.Import](), Organisation: f.a, Kind: "people", Hash: bytes.Clone(emptySum)}
	if r, err := f.Verify(t, append(slices.Clone(f.Manifests), nothing)); err != nil || r.Imports != 9 {
		t.Errorf("an entry of no rows: %+v, %v", r, err)
	}
	nothing.Hash[0]++
	_, err := f.Verify(t, append(slices.Clone(f.Manifests), nothing))
	Differs(t, err, "x/2026", 9, "its 0 rows are not those")
}

// emptySum is SHA-256 of nothing.
var emptySum = []byte("\xe3\xb0\xc4\x42\x98\xfc\x1c\x14\x9a\xfb\xf4\xc8\x99\x6f\xb9\x24\x27\xae\x41\xe4\x64\x9b\x93\x4c\xa4\x95\x99\x1b\x78\x52\xb8\x55")

package verify_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/ledger/verify"
)

// differs asserts that verifying names this log and entry.
func differs(t *testing.T, err error, log string, seq int64, what string) {
	t.Helper()
	var d *verify.Difference
	if !errors.As(err, &d) {
		t.Errorf("error is %v, want a difference in %s, entry %d", err, log, seq)
		return
	}
	if d.Log != log || d.Seq != seq || !strings.Contains(d.What, what) {
		t.Errorf("difference is in %s, entry %d: %s; want %s, entry %d: …%s…", d.Log, d.Seq, d.What, log, seq, what)
	}
}

func TestUntouched(t *testing.T) {
	s := makeSample(t)
	var heads []verify.Head
	for _, h := range s.earlyHeads {
		heads = append(heads, h)
	}
	for log := range s.trees {
		heads = append(heads, s.head(log))
	}
	r, err := ledgers(t, s.path, s.options(heads...))
	if err != nil {
		t.Fatal(err)
	}
	var leaves int64
	for i, l := range r.Logs {
		root := s.trees[l.Log].Root()
		if l.Leaves != s.trees[l.Log].Size() || l.Root != root || l.Opened != l.Leaves || l.Erased != 0 || l.Unchecked != 0 {
			t.Errorf("log %s is reported as %+v", l.Log, l)
		}
		if want := []string{"installation", s.a25, s.a26, s.b26}[i]; l.Log != want {
			t.Errorf("log %d is %s, want %s", i, l.Log, want)
		}
		leaves += l.Leaves
	}
	if r.Leaves != leaves || !r.Logs[0].Newest.Equal(s.now) {
		t.Errorf("%d leaves, newest %s; want %d, %s", r.Leaves, r.Logs[0].Newest, leaves, s.now)
	}
	if m := r.Manifests; len(m) != 1 || m[0].Log != s.a26 || m[0].Seq != 2 || m[0].Import != s.manifest || m[0].Organisation != s.orgA || m[0].Rows != 3 || m[0].Kind != "people" {
		t.Errorf("manifests are %+v", r.Manifests)
	}

	// Without what opens openings they are counted.
	opt := s.options(heads...)
	opt.Open = nil
	if r, err = ledgers(t, s.path, opt); err != nil || r.Logs[0].Unchecked != r.Logs[0].Leaves || r.Logs[0].Opened != 0 {
		t.Errorf("without keys: %+v, %v", r, err)
	}
}

// An erased opening is no difference.
func TestErasedOpening(t *testing.T) {
	s := makeSample(t)
	path := tampered(t, s.copy(), func(db *sql.DB) {
		mustExec(t, db, "DELETE FROM opening WHERE log = $1 AND seq IN (1, 3)", s.ids[s.a25])
	})
	r, err := ledgers(t, path, s.options())
	if err != nil || r.Logs[1].Erased != 2 || r.Logs[1].Opened != r.Logs[1].Leaves-2 {
		t.Errorf("%+v, %v", r, err)
	}
}

// Every entry of every log, each of its columns, in every way.
func TestEveryEntryTampered(t *testing.T) {
	s := makeSample(t)
	whole := s.copy()
	type change struct {
		name string
		do   func(db *sql.DB)
		seq  int64
	}
	for log, number := range s.ids {
		size := s.trees[log].Size()
		t.Run(log, func(t *testing.T) {
			t.Parallel()
			for seq := range size {
				var changes []change
				add := func(name string, at int64, query string, a ...any) {
					changes = append(changes, change{name, func(db *sql.DB) { mustExec(t, db, query, a...) }, at})
				}
				var leaf []byte
				if err := s.db.QueryRow("SELECT data FROM leaf WHERE log = $1 AND seq = $2", number, seq).Scan(&leaf); err != nil {
					t.Fatal(err)
				}
				for offset := range leaf {
					flipped := append([]byte(nil), leaf...)
					flipped[offset] ^= 1 << (offset % 8)
					if offset%6 == int(seq)%6 || offset < 4 { // a sixth of the bytes each, so that it stays fast
						add(fmt.Sprintf("flip byte %d", offset), seq, "UPDATE leaf SET data = $1 WHERE log = $2 AND seq = $3", flipped, number, seq)
					}
				}
				add("shorten", seq, "UPDATE leaf SET data = substr(data, 1, 55) WHERE log = $1 AND seq = $2", number, seq)
				add("empty", seq, "UPDATE leaf SET data = x'' WHERE log = $1 AND seq = $2", number, seq)
				add("delete", seq, "DELETE FROM leaf WHERE log = $1 AND seq = $2", number, seq)
				add("delete all", seq, "DELETE FROM leaf WHERE log = $1 AND seq >= $2", number, seq)
				add("delete and close the gap", seq, "DELETE FROM leaf WHERE log = $1 AND seq = $2", number, seq)
				closing := changes[len(changes)-1].do
				changes[len(changes)-1].do = func(db *sql.DB) {
					closing(db)
					for n := seq + 1; n < size; n++ {
						mustExec(t, db, "UPDATE leaf SET seq = seq - 1 WHERE log = $1 AND seq = $2", number, n)
					}
				}
				changes = append(changes, change{"insert a copy", func(db *sql.DB) {
					for n := size - 1; n >= seq; n-- {
						mustExec(t, db, "UPDATE leaf SET seq = seq + 1 WHERE log = $1 AND seq = $2", number, n)
					}
					mustExec(t, db, "INSERT INTO leaf SELECT log, $1, data FROM leaf WHERE log = $2 AND seq = $3", seq, number, (seq+5)%(size+1)+b2i((seq+5)%(size+1) == seq))
				}, seq})
				if seq+1 < size {
					changes = append(changes, change{"swap with the next", func(db *sql.DB) {
						swap(t, db, "leaf", "data", number, seq, seq+1)
					}, seq}, change{"swap openings", func(db *sql.DB) {
						swap(t, db, "opening", "sealed", number, seq, seq+1)
					}, seq})
				}
				add("renumber", seq, "UPDATE leaf SET seq = 9999 WHERE log = $1 AND seq = $2", number, seq)
				var sealed []byte
				if err := s.db.QueryRow("SELECT sealed FROM opening WHERE log = $1 AND seq = $2", number, seq).Scan(&sealed); err != nil {
					t.Fatal(err)
				}
				sealed[int(seq)*7%len(sealed)] ^= 0x10
				add("flip opening", seq, "UPDATE opening SET sealed = $1 WHERE log = $2 AND seq = $3", sealed, number, seq)
				add("empty opening", seq, "UPDATE opening SET sealed = x'' WHERE log = $1 AND seq = $2", number, seq)
				if leaf[1] <= 2 {
					add("delete opening", seq, "DELETE FROM opening WHERE log = $1 AND seq = $2", number, seq)
				}
				for _, c := range changes {
					path := tampered(t, whole, c.do)
					_, err := ledgers(t, path, s.options())
					before := t.Failed()
					differs(t, err, log, c.seq, "")
					if t.Failed() && !before {
						t.Fatalf("entry %d: %s", seq, c.name)
					}
				}
			}
		})
	}
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func swap(t testing.TB, db *sql.DB, table, column string, log, a, b int64) {
	t.Helper()
	key := "seq"
	if table == "node" {
		key = "idx"
	}
	mustExec(t, db, fmt.Sprintf("UPDATE %[1]s AS x SET %[2]s = (SELECT y.%[2]s FROM %[1]s y WHERE y.log = x.log AND y.%[3]s = $1 + $2 - x.%[3]s) WHERE log = $3 AND %[3]s IN ($4, $5)", table, column, key), a, b, log, a, b)
}

// Every stored node: the entry named is the one that completes its subtree.
func TestEveryNodeTampered(t *testing.T) {
	s := makeSample(t)
	whole := s.copy()
	for log, number := range s.ids {
		var tree ledger.Tree
		rows, err := s.db.Query("SELECT data FROM leaf WHERE log = $1 ORDER BY seq", number)
		if err != nil {
			t.Fatal(err)
		}
		completes := map[int64]int64{}
		for seq := int64(0); rows.Next(); seq++ {
			var leaf []byte
			if err := rows.Scan(&leaf); err != nil {
				t.Fatal(err)
			}
			var nodes []ledger.Node
			tree, nodes = tree.Append(leaf)
			for _, n := range nodes {
				completes[n.Index] = seq
			}
		}
		rows.Close()
		for idx, seq := range completes {
			for name, query := range map[string]string{
				"flip":    "UPDATE node SET hash = CAST(x'0102' || substr(hash, 3) AS BLOB) WHERE log = $1 AND idx = $2",
				"shorten": "UPDATE node SET hash = substr(hash, 1, 31) WHERE log = $1 AND idx = $2",
				"delete":  "DELETE FROM node WHERE log = $1 AND idx = $2",
				"move":    "UPDATE node SET idx = idx + 1000 WHERE log = $1 AND idx = $2",
				"before":  "UPDATE node SET idx = -1 WHERE log = $1 AND idx = $2",
			} {
				path := tampered(t, whole, func(db *sql.DB) { mustExec(t, db, query, number, idx) })
				_, err := ledgers(t, path, s.options())
				want := seq
				if name == "before" {
					want = 0
				}
				if before := t.Failed(); !before {
					differs(t, err, log, want, "stored node")
					if t.Failed() {
						t.Errorf("%s node %d", name, idx)
					}
				}
			}
		}
		path := tampered(t, whole, func(db *sql.DB) {
			mustExec(t, db, "INSERT INTO node VALUES ($1, $2, zeroblob(32))", number, len(completes))
		})
		_, err = ledgers(t, path, s.options())
		differs(t, err, log, s.trees[log].Size(), "nodes were added")
	}
}

// What an attacker without the signing key can do to a log as a whole.
func TestLogsTampered(t *testing.T) {
	s := makeSample(t)
	whole := s.copy()
	inst := ledger.InstallationLog
	n := func(log string) int64 { return s.trees[log].Size() }
	early := func(log string) int64 { return s.earlyTrees[log].Size() }
	cut := func(db *sql.DB, log string, to int64) {
		mustExec(t, db, "DELETE FROM leaf WHERE log = $1 AND seq >= $2", s.ids[log], to)
		mustExec(t, db, "DELETE FROM opening WHERE log = $1 AND seq >= $2", s.ids[log], to)
		forge(t, db, s.ids[log], log)
	}
	back := func(db *sql.DB, log string) {
		cut(db, log, early(log))
		cp, err := s.signer.Sign(s.earlyTrees[log].Head(log), nil)
		if err != nil {
			t.Fatal(err)
		}
		mustExec(t, db, "UPDATE log SET checkpoint = $1 WHERE id = $2", cp, s.ids[log])
	}
	for name, c := range map[string]struct {
		do   func(db *sql.DB)
		log  string
		seq  int64
		what string
	}{
		"checkpoint flipped": {func(db *sql.DB) {
			mustExec(t, db, "UPDATE log SET checkpoint = CAST(replace(CAST(checkpoint AS TEXT), '\n\n', '\nx\n\n') AS BLOB) WHERE name = $1", s.a25)
		}, s.a25, -1, "malformed"},
		"checkpoint's size": {func(db *sql.DB) {
			mustExec(t, db, "UPDATE log SET checkpoint = CAST(replace(CAST(checkpoint AS TEXT), char(10)||'6'||char(10), char(10)||'5'||char(10)) AS BLOB) WHERE name = $1", s.a25)
		}, s.a25, -1, "signature"},
		"checkpoint empty": {func(db *sql.DB) { mustExec(t, db, "UPDATE log SET checkpoint = x'' WHERE name = $1", s.a26) }, s.a26, -1, "malformed"},
		"checkpoint of another log": {func(db *sql.DB) {
			mustExec(t, db, "UPDATE log SET checkpoint = $1 WHERE name = $2", s.checkpoint(s.b26), s.a26)
		}, s.a26, -1, "another log"},
		"checkpoint from before": {func(db *sql.DB) {
			cp, _ := s.signer.Sign(s.earlyTrees[s.a26].Head(s.a26), nil)
			mustExec(t, db, "UPDATE log SET checkpoint = $1 WHERE name = $2", cp, s.a26)
		}, s.a26, early(s.a26), "does not cover"},
		"checkpoint by another key": {func(db *sql.DB) {
			mustExec(t, db, "UPDATE log SET checkpoint = $1 WHERE name = $2", other(t, s.installed, s.trees[s.b26].Head(s.b26)), s.b26)
		}, s.b26, -1, "no signature"},
		"log dropped": {func(db *sql.DB) { mustExec(t, db, "DELETE FROM log WHERE name = $1", s.b26) }, fmt.Sprintf("#%d of leaf", s.ids[s.b26]), -1, "belong to no log"},
		"log dropped with its rows": {func(db *sql.DB) {
			for _, q := range []string{"log WHERE id", "leaf WHERE log", "node WHERE log", "opening WHERE log"} {
				mustExec(t, db, "DELETE FROM "+q+" = $1", s.ids[s.b26])
			}
		}, s.b26, -1, "missing"},
		"year dropped with its rows": {func(db *sql.DB) {
			for _, q := range []string{"log WHERE id", "leaf WHERE log", "node WHERE log", "opening WHERE log"} {
				mustExec(t, db, "DELETE FROM "+q+" = $1", s.ids[s.a25])
			}
		}, s.a25, -1, "missing"},
		"installation log dropped": {func(db *sql.DB) { mustExec(t, db, "DELETE FROM log WHERE name = 'installation'") }, inst, -1, "missing"},
		"log renamed": {func(db *sql.DB) {
			mustExec(t, db, "UPDATE log SET name = $1 WHERE name = $2", strings.Replace(s.b26, "2026", "2027", 1), s.b26)
		}, s.b26, -1, "missing"},
		"logs exchanged": {func(db *sql.DB) {
			mustExec(t, db, "UPDATE log SET id = 100 WHERE name = $1", s.a26)
			mustExec(t, db, "UPDATE log SET id = $1 WHERE name = $2", s.ids[s.a26], s.b26)
			mustExec(t, db, "UPDATE log SET id = $1 WHERE name = $2", s.ids[s.b26], s.a26)
		}, s.a26, 0, "year before"},
		"log renumbered":    {func(db *sql.DB) { mustExec(t, db, "UPDATE log SET id = 100 WHERE name = $1", s.a26) }, fmt.Sprintf("#%d of leaf", s.ids[s.a26]), -1, "no log"},
		"log added":         {func(db *sql.DB) { mustExec(t, db, "INSERT INTO log VALUES (77, 'extra', x'')") }, "extra", -1, "no log"},
		"leaf of no log":    {func(db *sql.DB) { mustExec(t, db, "INSERT INTO leaf VALUES (77, 0, zeroblob(56))") }, "#77 of leaf", -1, "no log"},
		"node of no log":    {func(db *sql.DB) { mustExec(t, db, "INSERT INTO node VALUES (-7, 0, zeroblob(32))") }, "#-7 of node", -1, "no log"},
		"opening of no log": {func(db *sql.DB) { mustExec(t, db, "INSERT INTO opening VALUES (9223372036854775807, 0, x'00')") }, "#9223372036854775807 of opening", -1, "no log"},
		"opening without leaf": {func(db *sql.DB) {
			mustExec(t, db, "INSERT INTO opening VALUES ($1, $2, x'00')", s.ids[s.b26], n(s.b26))
		}, s.b26, n(s.b26), "without a leaf"},
		"opening before the first leaf": {func(db *sql.DB) { mustExec(t, db, "INSERT INTO opening VALUES ($1, -1, x'00')", s.ids[s.b26]) }, s.b26, -1, "without a leaf"},
		"leaf appended": {func(db *sql.DB) {
			mustExec(t, db, "INSERT INTO leaf SELECT log, seq + 1, data FROM leaf WHERE log = $1 AND seq = $2", s.ids[s.b26], n(s.b26)-1)
		}, s.b26, n(s.b26), ""},
		"leaf before the first": {func(db *sql.DB) { mustExec(t, db, "INSERT INTO leaf VALUES ($1, -1, zeroblob(56))", s.ids[inst]) }, inst, 0, "out of order"},
		"installation renamed": {func(db *sql.DB) {
			mustExec(t, db, "UPDATE meta SET value = CAST('other' AS BLOB) WHERE name = 'installation'")
		}, inst, -1, "another log"},
		"installation forgotten":     {func(db *sql.DB) { mustExec(t, db, "DELETE FROM meta") }, inst, -1, "another log"},
		"log emptied":                {func(db *sql.DB) { cut(db, s.b26, 0) }, s.b26, 0, "cut or rolled back: 0 entries"},
		"tail cut, checkpoint stays": {func(db *sql.DB) { cut(db, s.b26, n(s.b26)-1) }, s.b26, n(s.b26) - 1, "cut or rolled back"},
		"tail cut, checkpoint re-signed without the key": {func(db *sql.DB) {
			cut(db, s.b26, 4)
			mustExec(t, db, "UPDATE log SET checkpoint = $1 WHERE name = $2", other(t, s.installed, forge(t, db, s.ids[s.b26], s.b26)), s.b26)
		}, s.b26, -1, "no signature"},
		"installation's tail cut":      {func(db *sql.DB) { cut(db, inst, n(inst)-1) }, inst, n(inst) - 1, "cut or rolled back"},
		"log rolled back":              {func(db *sql.DB) { back(db, s.a26) }, s.a26, early(s.a26), "cut or rolled back"},
		"installation log rolled back": {func(db *sql.DB) { back(db, inst) }, s.a26, early(s.a26), "no head"},
		"entry rewritten with its tree": {func(db *sql.DB) {
			mustExec(t, db, "UPDATE leaf SET data = CAST(substr(data, 1, 16) || x'0000000000000001' || substr(data, 25) AS BLOB) WHERE log = $1 AND seq = 3", s.ids[s.a25])
			forge(t, db, s.ids[s.a25], s.a25)
		}, s.a25, 3, "entries from here to 3"},
		"installation's entry rewritten with its tree": {func(db *sql.DB) {
			mustExec(t, db, "UPDATE leaf SET data = CAST(substr(data, 1, 16) || x'0000000000000001' || substr(data, 25) AS BLOB) WHERE log = $1 AND seq = 3", s.ids[inst])
			forge(t, db, s.ids[inst], inst)
		}, inst, -1, "together with the stored nodes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ledgers(t, tampered(t, whole, c.do), s.options())
			differs(t, err, c.log, c.seq, c.what)
		})
	}

	// All of it at once: only a head kept outside tells.
	path := tampered(t, s.early, func(*sql.DB) {})
	if _, err := ledgers(t, path, s.options()); err != nil {
		t.Errorf("an earlier state that was true then: %v", err)
	}
	_, err := ledgers(t, path, s.options(s.head(inst)))
	differs(t, err, inst, early(inst), fmt.Sprintf("%d entries, kept head has %d", early(inst), n(inst)))
	_, err = ledgers(t, path, s.options(s.earlyHeads[inst], s.head(s.b26)))
	differs(t, err, s.b26, early(s.b26), "kept head has")

	// An entry of the installation log rewritten by somebody who has the key, after a head was kept.
	path = tampered(t, whole, func(db *sql.DB) {
		mustExec(t, db, "UPDATE leaf SET data = CAST(substr(data, 1, 16) || x'0000000000000001' || substr(data, 25) AS BLOB) WHERE log = $1 AND seq = 3", s.ids[inst])
		cp, err := s.signer.Sign(forge(t, db, s.ids[inst], inst), nil)
		if err != nil {
			t.Fatal(err)
		}
		mustExec(t, db, "UPDATE log SET checkpoint = $1 WHERE name = 'installation'", cp)
	})
	_, err = ledgers(t, path, s.options(s.earlyHeads[inst]))
	differs(t, err, inst, 0, "not those of the kept head")

	// A log that only a kept head knows.
	path = tampered(t, s.early, func(*sql.DB) {})
	gone, err := s.signer.Sign(s.trees[s.b26].Head(strings.Replace(s.b26, "2026", "2031", 1)), nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := verify.ParseCheckpoint(gone)
	if err != nil {
		t.Fatal(err)
	}
	_, err = ledgers(t, path, s.options(h))
	differs(t, err, h.Log, -1, "the log is missing")
}

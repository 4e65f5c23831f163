package verify_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/ledger/verify"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/seal"
	"github.com/dosevault/dosevault/internal/store/sqlite"
)

// installed is an installation written with the real writer's formats into a file with the real schema.
type installed struct {
	t        testing.TB
	db       *sql.DB
	path     string
	name     string
	signer   *ledger.Signer
	key      seal.Key
	seed     seal.Key
	trees    map[string]ledger.Tree
	ids      map[string]int64
	now      time.Time
	faulty   bool // a log's first entry is what is committed first
	headless bool // no entry of heads follows
}

// written is one entry on its way.
type written struct {
	log     string
	kind    ledger.Kind
	opening ledger.Opening
}

func schema(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	up, _, _ := strings.Cut(string(b), "-- +goose Down")
	return up
}

func openFile(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(OFF)&_pragma=foreign_keys(0)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func install(t testing.TB) *installed {
	in := &installed{
		t: t, path: filepath.Join(t.TempDir(), "vault.db"), name: id.New[id.Row]().String(), key: seal.NewKey(), seed: seal.NewKey(),
		trees: map[string]ledger.Tree{}, ids: map[string]int64{}, now: time.Date(2025, 12, 30, 9, 0, 0, 0, time.UTC),
	}
	in.signer = ledger.NewSigner(in.name, in.seed)
	in.db = openFile(t, in.path)
	in.exec(schema(t, "../../store/sqlite/vaultdb/migrations/00001_vault.sql"))
	in.exec("INSERT INTO meta VALUES ('installation', $1)", []byte(in.name))
	return in
}

func (in *installed) exec(query string, a ...any) {
	in.t.Helper()
	if _, err := in.db.Exec(query, a...); err != nil {
		in.t.Fatalf("%s: %v", query, err)
	}
}

// commit writes entries as the vault does: in one transaction, with an opening entry for a new log, and the heads last.
func (in *installed) commit(entries ...written) {
	in.t.Helper()
	in.now = in.now.Add(time.Minute)
	tx, err := in.db.Begin()
	if err != nil {
		in.t.Fatal(err)
	}
	defer tx.Rollback()
	exec := func(query string, a ...any) {
		if _, err := tx.Exec(query, a...); err != nil {
			in.t.Fatalf("%s: %v", query, err)
		}
	}
	var touched []string
	seen := map[string]bool{}
	add := func(w written) {
		b, hash := w.opening.Encode()
		count := len(w.opening.Wearers)
		if w.kind == ledger.Heads {
			count = len(w.opening.Heads)
		}
		leaf := ledger.Leaf{Kind: w.kind, Basis: ledger.Gate, Count: uint32(count), Recorded: in.now, Occurred: in.now, Opening: hash}.Encode()
		tree := in.trees[w.log]
		seq := tree.Size()
		sealed, err := in.key.Box().Seal(seal.NewContext("opening", hash[:]), 256, b)
		if err != nil {
			in.t.Fatal(err)
		}
		tree, nodes := tree.Append(leaf)
		in.trees[w.log] = tree
		number := in.ids[w.log]
		if number == 0 {
			number = int64(len(in.ids) + 1)
			in.ids[w.log] = number
			exec("INSERT INTO log VALUES ($1, $2, x'')", number, w.log)
		}
		exec("INSERT INTO leaf VALUES ($1, $2, $3)", number, seq, leaf)
		exec("INSERT INTO opening VALUES ($1, $2, $3)", number, seq, sealed)
		for _, n := range nodes {
			exec("INSERT INTO node VALUES ($1, $2, $3)", number, n.Index, n.Hash[:])
		}
		if !seen[w.log] {
			seen[w.log] = true
			touched = append(touched, w.log)
		}
	}
	open := func(w written) {
		if in.trees[w.log].Size() == 0 && !in.faulty {
			o := ledger.Opening{Subject: w.log}
			last := ""
			for name := range in.trees {
				if strings.HasPrefix(name, strings.SplitAfter(w.log, "/")[0]) && name < w.log && name > last {
					last = name
				}
			}
			if last != "" {
				h := in.trees[last].Head(last)
				o.Previous = &h
			}
			add(written{w.log, ledger.OpenLog, o})
		}
		add(w)
	}
	for _, w := range entries {
		open(w)
	}
	var heads []ledger.Head
	for _, log := range touched {
		if log != ledger.InstallationLog {
			heads = append(heads, in.trees[log].Head(log))
		}
	}
	if len(heads) > 0 && !in.headless {
		open(written{ledger.InstallationLog, ledger.Heads, ledger.Opening{Heads: heads}})
	}
	for log := range seen {
		exec("UPDATE log SET checkpoint = $1 WHERE id = $2", in.checkpoint(log), in.ids[log])
	}
	if err := tx.Commit(); err != nil {
		in.t.Fatal(err)
	}
}

func (in *installed) checkpoint(log string) []byte {
	cp, err := in.signer.Sign(in.trees[log].Head(log), nil)
	if err != nil {
		in.t.Fatal(err)
	}
	return cp
}

func (in *installed) head(log string) verify.Head {
	in.t.Helper()
	h, err := verify.ParseCheckpoint(in.checkpoint(log))
	if err != nil {
		in.t.Fatal(err)
	}
	return h
}

// copy returns the database's bytes.
func (in *installed) copy() []byte {
	in.t.Helper()
	b, err := os.ReadFile(in.path)
	if err != nil {
		in.t.Fatal(err)
	}
	return b
}

func (in *installed) options(heads ...verify.Head) verify.Options {
	return verify.Options{PublicKey: in.signer.PublicKey(), Heads: heads,
		Open: func(_ string, hash [sha256.Size]byte, sealed []byte) ([]byte, error) {
			return in.key.Box().Open(seal.NewContext("opening", hash[:]), sealed)
		}}
}

func ledgers(t testing.TB, path string, opt verify.Options) (*verify.Report, error) {
	t.Helper()
	src, err := sqlite.OpenVerify(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	return verify.Ledgers(t.Context(), src, opt)
}

// sample is an installation with two organisations and three years' logs, and what tests need to know of it.
type sample struct {
	*installed
	a25, a26, b26 string
	early         []byte // the file in mid-life
	earlyHeads    map[string]verify.Head
	earlyTrees    map[string]ledger.Tree
	manifest      id.Import
	orgA          id.Organisation
}

func makeSample(t testing.TB) *sample {
	orgA, orgB := id.Organisation{1}, id.Organisation{2}
	s := &sample{installed: install(t), orgA: orgA, earlyHeads: map[string]verify.Head{}, earlyTrees: map[string]ledger.Tree{}, manifest: id.Import{5, 5}}
	s.a25, s.a26, s.b26 = orgA.String()+"/2025", orgA.String()+"/2026", orgB.String()+"/2026"
	reveal := func(log string, n int) written {
		o := ledger.Opening{Role: policy.Coordinator, Recipients: []string{"node:web"}, Fields: policy.FieldName, Purpose: "issue-badges"}
		for i := range n {
			o.Wearers = append(o.Wearers, id.Wearer{byte(i + 1), 7})
		}
		return written{log, ledger.Reveal, o}
	}
	s.commit(written{ledger.InstallationLog, ledger.Start, ledger.Opening{Policy: "p1"}})
	for i := range 5 {
		s.commit(reveal(s.a25, i+1))
	}
	s.now = time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
	s.commit(reveal(s.a26, 3), reveal(s.b26, 2))
	s.commit(reveal(s.b26, 1), reveal(s.b26, 4))
	hash := sha256.Sum256([]byte("rows"))
	s.commit(written{s.a26, ledger.Import, ledger.Opening{Import: s.manifest, Manifest: &ledger.Manifest{Kind: "people", Rows: 3, Hash: hash[:]}}})
	s.early = s.copy()
	for log, tree := range s.trees {
		s.earlyHeads[log], s.earlyTrees[log] = s.head(log), tree
	}
	for i := range 4 {
		s.commit(reveal(s.a26, 1), reveal(s.b26, 1))
		if i == 2 {
			s.commit(written{ledger.InstallationLog, ledger.SignIn, ledger.Opening{User: id.User{9}}})
		}
	}
	return s
}

// tampered writes bytes to a new file, changes it and returns its path.
func tampered(t testing.TB, b []byte, change func(db *sql.DB)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vault.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	db := openFile(t, path)
	change(db)
	db.Close()
	return path
}

func mustExec(t testing.TB, db *sql.DB, query string, a ...any) {
	t.Helper()
	r, err := db.Exec(query, a...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if n, _ := r.RowsAffected(); n == 0 {
		t.Fatalf("%s %v: changed nothing", query, a)
	}
}

// forge recomputes a log's stored nodes over its leaves as they stand now, as an attacker would, and returns its head.
func forge(t testing.TB, db *sql.DB, number int64, log string) ledger.Head {
	t.Helper()
	rows, err := db.Query("SELECT data FROM leaf WHERE log = $1 ORDER BY seq", number)
	if err != nil {
		t.Fatal(err)
	}
	var tree ledger.Tree
	var nodes []ledger.Node
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			t.Fatal(err)
		}
		var added []ledger.Node
		tree, added = tree.Append(b)
		nodes = append(nodes, added...)
	}
	rows.Close()
	if _, err := db.Exec("DELETE FROM node WHERE log = $1", number); err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		mustExec(t, db, "INSERT INTO node VALUES ($1, $2, $3)", number, n.Index, n.Hash[:])
	}
	return tree.Head(log)
}

func other(t testing.TB, in *installed, h ledger.Head) []byte {
	t.Helper()
	cp, err := ledger.NewSigner(in.name, seal.NewKey()).Sign(h, nil)
	if err != nil {
		t.Fatal(err)
	}
	return cp
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

var errDisk = errors.New("disk failed")

// failingSource fails after three rows of a table.
type failingSource struct {
	verify.Source
	table string
}

func (f *failingSource) fail(table string, fn func(int64, []byte) error) func(int64, []byte) error {
	rows := 0
	return func(n int64, b []byte) error {
		if rows++; rows > 3 && f.table == table {
			return errDisk
		}
		return fn(n, b)
	}
}

func (f *failingSource) Leaves(ctx context.Context, log string, fn func(int64, []byte) error) error {
	return f.Source.Leaves(ctx, log, f.fail("leaf", fn))
}
func (f *failingSource) Nodes(ctx context.Context, log string, fn func(int64, []byte) error) error {
	return f.Source.Nodes(ctx, log, f.fail("node", fn))
}
func (f *failingSource) Openings(ctx context.Context, log string, fn func(int64, []byte) error) error {
	return f.Source.Openings(ctx, log, f.fail("opening", fn))
}

func openSource(t testing.TB, path string) (verify.Source, error) {
	src, err := sqlite.OpenVerify(path)
	if err == nil {
		t.Cleanup(func() { src.Close() })
	}
	return src, err
}

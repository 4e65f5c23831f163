package verify_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/ledger/verify"
	"github.com/dosevault/dosevault/internal/seal"
	"github.com/dosevault/dosevault/internal/store/sqlite"
)

// memory is a source of one installation log in memory.
type memory struct {
	checkpoint    []byte
	leaves, nodes []byte
}

func (m *memory) Installation(context.Context) (string, error) { return "inst", nil }
func (m *memory) Logs(context.Context) ([]verify.Log, error) {
	return []verify.Log{{Name: "installation", Checkpoint: m.checkpoint}}, nil
}
func (m *memory) Leaves(_ context.Context, _ string, fn func(int64, []byte) error) error {
	return each(m.leaves, ledger.LeafSize, fn)
}
func (m *memory) Nodes(_ context.Context, _ string, fn func(int64, []byte) error) error {
	return each(m.nodes, 32, fn)
}
func (m *memory) Openings(_ context.Context, _ string, fn func(int64, []byte) error) error {
	return each(m.leaves, ledger.LeafSize, fn)
}

func each(b []byte, size int, fn func(int64, []byte) error) error {
	var n int64
	for part := range slices.Chunk(b, size) {
		if err := fn(n, part); err != nil {
			return err
		}
		n++
	}
	return nil
}

func makeMemory(t testing.TB, n int) (*memory, verify.Options) {
	signer := ledger.NewSigner("inst", seal.NewKey())
	m := &memory{}
	var tree ledger.Tree
	for i := range n {
		l := ledger.Leaf{Kind: ledger.SignIn, Basis: ledger.Gate, Recorded: time.UnixMicro(int64(i)), Occurred: time.UnixMicro(int64(i))}
		if i == 0 {
			l.Kind = ledger.OpenLog
		}
		b := l.Encode()
		var nodes []ledger.Node
		tree, nodes = tree.Append(b)
		m.leaves = append(m.leaves, b...)
		for _, n := range nodes {
			m.nodes = append(m.nodes, n.Hash[:]...)
		}
	}
	var err error
	if m.checkpoint, err = signer.Sign(tree.Head("installation"), nil); err != nil {
		t.Fatal(err)
	}
	return m, verify.Options{PublicKey: signer.PublicKey()}
}

// BenchmarkLeaves is the verifier without SQL and without opening openings.
func BenchmarkLeaves(b *testing.B) {
	const n = 200_000
	m, opt := makeMemory(b, n)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := verify.Ledgers(b.Context(), m, opt); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "leaves/s")
}

// BenchmarkSQLite reads the same leaves from a file: openings of 300 bytes that are read but not opened.
func BenchmarkSQLite(b *testing.B) {
	const n = 200_000
	m, opt := makeMemory(b, n)
	path := filepath.Join(b.TempDir(), "vault.db")
	fill(b, path, m)
	b.ResetTimer()
	for b.Loop() {
		src, err := sqlite.OpenVerify(path)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := verify.Ledgers(b.Context(), src, opt); err != nil {
			b.Fatal(err)
		}
		src.Close()
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "leaves/s")
}

func fill(t testing.TB, path string, m *memory) {
	db := openFile(t, path)
	if _, err := db.Exec(schema(t, "../../store/sqlite/vaultdb/migrations/00001_vault.sql")); err != nil {
		t.Fatal(err)
	}
	mustExec(t, db, "INSERT INTO meta VALUES ('installation', CAST('inst' AS BLOB))")
	mustExec(t, db, "INSERT INTO log VALUES (1, 'installation', $1)", m.checkpoint)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	sealed := make([]byte, 300)
	insert := func(query string, b []byte, size int, as func([]byte) []byte) {
		stmt, err := tx.Prepare(query)
		if err == nil {
			err = each(b, size, func(n int64, part []byte) error { _, err := stmt.Exec(n, as(part)); return err })
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	same := func(b []byte) []byte { return b }
	insert("INSERT INTO leaf VALUES (1, $1, $2)", m.leaves, ledger.LeafSize, same)
	insert("INSERT INTO opening VALUES (1, $1, $2)", m.leaves, ledger.LeafSize, func([]byte) []byte { return sealed })
	insert("INSERT INTO node VALUES (1, $1, $2)", m.nodes, 32, same)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	db.Close()
}

// Memory does not grow with the log.
func TestMemoryIsFlat(t *testing.T) {
	var used []uint64
	for _, n := range []int{20_000, 200_000} {
		m, opt := makeMemory(t, n)
		peak := &peakSource{memory: m}
		runtime.GC()
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := verify.Ledgers(t.Context(), peak, opt); err != nil {
			t.Fatal(err)
		}
		used = append(used, max(peak.most, before.HeapAlloc)-before.HeapAlloc)
	}
	if used[1] > used[0]+256<<10 {
		t.Errorf("%d bytes in use for 20,000 leaves, %d for 200,000", used[0], used[1])
	}
}

// peakSource measures what is in use after a collection, now and then.
type peakSource struct {
	*memory
	most uint64
}

func (p *peakSource) Leaves(ctx context.Context, log string, fn func(int64, []byte) error) error {
	size := int64(len(p.leaves) / ledger.LeafSize)
	return p.memory.Leaves(ctx, log, func(n int64, b []byte) error {
		if n%(size/4) == size/4-1 {
			runtime.GC()
			var s runtime.MemStats
			runtime.ReadMemStats(&s)
			p.most = max(p.most, s.HeapAlloc)
		}
		return fn(n, b)
	})
}

// A vault in WAL mode goes on writing while its ledgers are verified as of one moment; so it is before and after it runs.
func TestVerifyWhileTheVaultRuns(t *testing.T) {
	s := makeSample(t)
	if _, err := s.db.Exec("PRAGMA journal_mode = WAL"); err != nil {
		t.Fatal(err)
	}
	src, err := sqlite.OpenVerify(s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	want := s.trees["installation"].Size()
	for i := range 5 {
		s.commit(written{"installation", ledger.SignIn, ledger.Opening{Node: fmt.Sprint(i)}})
	}
	if r, err := verify.Ledgers(t.Context(), src, s.options()); err != nil || r.Logs[0].Leaves != want {
		t.Errorf("the snapshot has %+v, %v; want %d entries", r, err, want)
	}
	if r, err := ledgers(t, s.path, s.options()); err != nil || r.Logs[0].Leaves != want+5 {
		t.Errorf("a later snapshot: %+v, %v", r, err)
	}
	s.db.Close() // takes the write-ahead log with it
	if r, err := ledgers(t, s.path, s.options()); err != nil || r.Logs[0].Leaves != want+5 {
		t.Errorf("after the vault stopped: %+v, %v", r, err)
	}
}

// The connection can't write, and a file that is not there, or is no database, is an error and not an empty ledger.
func TestOpenVerify(t *testing.T) {
	dir := t.TempDir()
	if _, err := sqlite.OpenVerify(filepath.Join(dir, "absent.db")); err == nil {
		t.Error("an absent file was opened")
	}
	path := tampered(t, []byte("this is no database, and long enough to be read as one: it is not SQLite's header"), func(*sql.DB) {})
	if _, err := sqlite.OpenVerify(path); err == nil {
		t.Error("another file was opened")
	}
	odd := filepath.Join(dir, "a b?c%20#d.db")
	m, opt := makeMemory(t, 3)
	plain := filepath.Join(dir, "plain.db")
	fill(t, plain, m)
	copyFile(t, plain, odd)
	if _, err := ledgers(t, odd, opt); err != nil {
		t.Errorf("a file with an odd name: %v", err)
	}
}

package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/vault"
)

// Vault runs the suite on a vault's store. open opens an empty one; reopen opens the same one once more, after the first was closed.
func Vault(t *testing.T, open func(t *testing.T) (s vault.Store, reopen func() vault.Store)) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s vault.Store)
		// after checks what is there once the store was closed and opened again; nil: nothing more
		after func(t *testing.T, s vault.Store)
	}{
		{"values in the clear", meta, metaAfter},
		{"rows are put, replaced and deleted", puts, putsAfter},
		{"rows come in the order asked for", get, nil},
		{"an error of the reader ends the reading", rowsStop, nil},
		{"logs, entries and nodes", logs, logsAfter},
		{"a batch is all or nothing", batches, batchesAfter},
		{"a commit without time does nothing", noTime, nil},
		{"readers see whole commits", wholeCommits, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, reopen := open(t)
			c.run(t, s)
			must(t, s.Close())
			s = reopen()
			if c.after != nil {
				c.after(t, s)
			}
			must(t, s.Close())
		})
	}
}

func meta(t *testing.T, s vault.Store) {
	got, err := s.Meta(ctx, "format")
	must(t, err)
	if got != nil {
		t.Errorf("a value that was never set is %q, want nil", got)
	}
	must(t, s.SetMeta(ctx, "format", []byte("1")))
	must(t, s.SetMeta(ctx, "other", []byte("x")))
	must(t, s.SetMeta(ctx, "format", []byte("2")))
	metaAfter(t, s)
}

func metaAfter(t *testing.T, s vault.Store) {
	for name, want := range map[string]string{"format": "2", "other": "x"} {
		got, err := s.Meta(ctx, name)
		must(t, err)
		check(t, name, string(got), want)
	}
}

func put(t vault.Table, id, sealed string) vault.Put {
	return vault.Put{Table: t, ID: []byte(id), Sealed: []byte(sealed)}
}

// table reads a whole table, each row as "id=sealed", in order of id.
func table(t *testing.T, s vault.Store, of vault.Table) []string {
	t.Helper()
	var keys, values [][]byte
	must(t, s.Rows(ctx, of, func(id, sealed []byte) error {
		keys, values = append(keys, id), append(values, sealed) // they are the caller's to keep
		return nil
	}))
	out := make([]string, len(keys))
	for i := range keys {
		out[i] = string(keys[i]) + "=" + string(values[i])
	}
	slices.Sort(out)
	return out
}

func puts(t *testing.T, s vault.Store) {
	for _, of := range vault.Tables {
		if rows := table(t, s, of); len(rows) != 0 {
			t.Errorf("the empty store has %d rows in %s", len(rows), of)
		}
	}
	var b vault.Batch
	for _, of := range vault.Tables {
		b.Puts = append(b.Puts, put(of, "a", "1"), put(of, "b", "2 "+string(of)), put(of, "c", ""))
	}
	must(t, s.Commit(ctx, &b))
	b = vault.Batch{}
	for _, of := range vault.Tables {
		b.Puts = append(b.Puts,
			put(of, "a", "once"), put(of, "a", "changed"), // the last one holds
			vault.Put{Table: of, ID: []byte("c")}, // deleted
			vault.Put{Table: of, ID: []byte("nobody")},
			put(of, "d", "4"), vault.Put{Table: of, ID: []byte("d")}, put(of, "d", "5"))
	}
	must(t, s.Commit(ctx, &b))
	must(t, s.Commit(ctx, &vault.Batch{}))
	putsAfter(t, s)
}

func putsAfter(t *testing.T, s vault.Store) {
	for _, of := range vault.Tables {
		check(t, string(of), table(t, s, of), []string{"a=changed", "b=2 " + string(of), "d=5"})
	}
}

func get(t *testing.T, s vault.Store) {
	const n = 1203 // more than fits into one statement's list
	var b vault.Batch
	var ids [][]byte
	for i := range n {
		b.Puts = append(b.Puts, put(vault.TableField, fmt.Sprintf("k%04d", i), fmt.Sprintf("v%04d", i)))
		ids = append(ids, []byte(fmt.Sprintf("k%04d", n-1-i)))
	}
	must(t, s.Commit(ctx, &b))
	ids = append(ids, []byte("unknown"), []byte("k0003"), nil)
	got, err := s.Get(ctx, vault.TableField, ids)
	must(t, err)
	if len(got) != len(ids) {
		t.Fatalf("%d rows for %d ids", len(got), len(ids))
	}
	for i := range n {
		if want := fmt.Sprintf("v%04d", n-1-i); string(got[i]) != want {
			t.Fatalf("row %d is %q, want %q", i, got[i], want)
		}
	}
	if got[n] != nil || string(got[n+1]) != "v0003" || got[n+2] != nil {
		t.Errorf("an unknown id, one asked for twice, and none gave %q", got[n:])
	}
	few, err := s.Get(ctx, vault.TableField, [][]byte{[]byte("k0007"), []byte("unknown"), []byte("k0007")})
	must(t, err)
	if len(few) != 3 || string(few[0]) != "v0007" || few[1] != nil || string(few[2]) != "v0007" {
		t.Errorf("an id asked for twice, and an unknown one between, gave %q", few)
	}
	none, err := s.Get(ctx, vault.TableField, nil)
	must(t, err)
	other, err := s.Get(ctx, vault.TableUser, [][]byte{[]byte("k0003")})
	must(t, err)
	if len(none) != 0 || len(other) != 1 || other[0] != nil {
		t.Errorf("no ids gave %q; another table's gave %q", none, other)
	}
}

func rowsStop(t *testing.T, s vault.Store) {
	must(t, s.Commit(ctx, &vault.Batch{Puts: []vault.Put{put(vault.TableUser, "a", "1"), put(vault.TableUser, "b", "2")}}))
	stop, calls := errors.New("enough"), 0
	wantErr(t, "an error of the reader's", s.Rows(ctx, vault.TableUser, func([]byte, []byte) error { calls++; return stop }), stop)
	if calls != 1 {
		t.Errorf("the reader was called %d times, want once", calls)
	}
	check(t, "afterwards", table(t, s, vault.TableUser), []string{"a=1", "b=2"})
}

func hash(b byte) (h ledger.Hash) {
	for i := range h {
		h[i] = b
	}
	return h
}

// leaf is an entry with one node.
func leaf(log string, seq int64, b byte) vault.NewLeaf {
	return vault.NewLeaf{Log: log, Seq: seq, Leaf: []byte{b}, Opening: []byte{b, b}, Nodes: []ledger.Node{{Index: seq, Hash: hash(b)}}}
}

func logs(t *testing.T, s vault.Store) {
	none, err := s.Logs(ctx)
	must(t, err)
	if len(none) != 0 {
		t.Errorf("the empty store has %d logs", len(none))
	}
	must(t, s.Commit(ctx, &vault.Batch{
		Leaves:      []vault.NewLeaf{leaf("installation", 0, 1), leaf("b/2026", 0, 2), leaf("installation", 1, 3)},
		Checkpoints: map[string][]byte{"installation": []byte("i2"), "b/2026": []byte("b1"), "a/2026": []byte("a0")},
	}))
	must(t, s.Commit(ctx, &vault.Batch{Leaves: []vault.NewLeaf{leaf("installation", 2, 4)}, Checkpoints: map[string][]byte{"installation": []byte("i3")}}))
	logsAfter(t, s)
}

func logsAfter(t *testing.T, s vault.Store) {
	got, err := s.Logs(ctx)
	must(t, err)
	check(t, "logs in order of name", got, []vault.LogState{
		{Name: "a/2026", Size: 0, Checkpoint: []byte("a0")}, {Name: "b/2026", Size: 1, Checkpoint: []byte("b1")}, {Name: "installation", Size: 3, Checkpoint: []byte("i3")},
	})
	for _, c := range []struct {
		log      string
		seq, end int64
		want     []vault.StoredLeaf
	}{
		{"installation", 0, 3, []vault.StoredLeaf{{Seq: 0, Leaf: []byte{1}, Opening: []byte{1, 1}}, {Seq: 1, Leaf: []byte{3}, Opening: []byte{3, 3}}, {Seq: 2, Leaf: []byte{4}, Opening: []byte{4, 4}}}},
		{"installation", 1, 2, []vault.StoredLeaf{{Seq: 1, Leaf: []byte{3}, Opening: []byte{3, 3}}}},
		{"b/2026", 0, 10, []vault.StoredLeaf{{Seq: 0, Leaf: []byte{2}, Opening: []byte{2, 2}}}},
		{"installation", 2, 2, nil},
		{"nobody/2026", 0, 10, nil},
	} {
		got, err := s.Leaves(ctx, c.log, c.seq, c.end)
		must(t, err)
		check(t, fmt.Sprintf("entries %d to %d of %s", c.seq, c.end, c.log), got, c.want)
	}
	nodes, err := s.Nodes(ctx, "installation", []int64{2, 0, 1, 2})
	must(t, err)
	check(t, "nodes in the order asked for", nodes, []ledger.Hash{hash(4), hash(1), hash(3), hash(4)})
	if got, err := s.Nodes(ctx, "installation", []int64{0, 3}); err == nil {
		t.Errorf("a node that is missing gave %v", got)
	}
	if got, err := s.Nodes(ctx, "a/2026", []int64{0}); err == nil {
		t.Errorf("a node of another log gave %v", got)
	}
	if got, err := s.Nodes(ctx, "installation", nil); err != nil || len(got) != 0 {
		t.Errorf("no nodes gave %v, %v", got, err)
	}
}

func batches(t *testing.T, s vault.Store) {
	must(t, s.Commit(ctx, &vault.Batch{Puts: []vault.Put{put(vault.TableUser, "a", "1")}, Leaves: []vault.NewLeaf{leaf("installation", 0, 1)}, Checkpoints: map[string][]byte{"installation": []byte("i1")}}))
	for what, spoil := range map[string]func(b *vault.Batch){
		"an entry's number twice":             func(b *vault.Batch) { b.Leaves = append(b.Leaves, leaf("installation", 0, 9)) },
		"a node twice":                        func(b *vault.Batch) { b.Leaves[1].Nodes = append(b.Leaves[1].Nodes, b.Leaves[1].Nodes[0]) },
		"an entry of a log that is not there": func(b *vault.Batch) { b.Leaves = append(b.Leaves, leaf("nobody/2026", 0, 9)) },
	} {
		b := &vault.Batch{
			Puts:        []vault.Put{put(vault.TableUser, "a", "2"), put(vault.TableUser, "b", "2"), put(vault.TableSession, "s", "2")},
			Leaves:      []vault.NewLeaf{leaf("installation", 1, 2), leaf("new/2026", 0, 3)},
			Checkpoints: map[string][]byte{"installation": []byte("i2"), "new/2026": []byte("n1")},
		}
		spoil(b)
		wantErr(t, what, s.Commit(ctx, b), vault.ErrNotCommitted)
		first(t, s, what)
	}
	// A log that a failed batch would have made is made by the next one.
	must(t, s.Commit(ctx, &vault.Batch{Leaves: []vault.NewLeaf{leaf("installation", 1, 2), leaf("new/2026", 0, 3)},
		Checkpoints: map[string][]byte{"installation": []byte("i2"), "new/2026": []byte("n1")}}))
	batchesAfter(t, s)
}

// first checks that only the first batch is there.
func first(t *testing.T, s vault.Store, what string) {
	t.Helper()
	check(t, what+": users", table(t, s, vault.TableUser), []string{"a=1"})
	check(t, what+": sessions", len(table(t, s, vault.TableSession)), 0)
	got, err := s.Logs(ctx)
	must(t, err)
	check(t, what+": logs", got, []vault.LogState{{Name: "installation", Size: 1, Checkpoint: []byte("i1")}})
	if got, err := s.Nodes(ctx, "installation", []int64{1}); err == nil {
		t.Errorf("%s: a node of the failed batch is there: %v", what, got)
	}
}

func batchesAfter(t *testing.T, s vault.Store) {
	got, err := s.Logs(ctx)
	must(t, err)
	check(t, "logs", got, []vault.LogState{{Name: "installation", Size: 2, Checkpoint: []byte("i2")}, {Name: "new/2026", Size: 1, Checkpoint: []byte("n1")}})
	leaves, err := s.Leaves(ctx, "new/2026", 0, 9)
	must(t, err)
	check(t, "entries of the new log", leaves, []vault.StoredLeaf{{Seq: 0, Leaf: []byte{3}, Opening: []byte{3, 3}}})
}

func noTime(t *testing.T, s vault.Store) {
	must(t, s.Commit(ctx, &vault.Batch{Puts: []vault.Put{put(vault.TableUser, "a", "1")}, Leaves: []vault.NewLeaf{leaf("installation", 0, 1)}, Checkpoints: map[string][]byte{"installation": []byte("i1")}}))
	done, cancel := context.WithCancel(ctx)
	cancel()
	wantErr(t, "a commit without time", s.Commit(done, &vault.Batch{Puts: []vault.Put{put(vault.TableUser, "b", "2")}}), vault.ErrNotCommitted)
	first(t, s, "after it")
	must(t, s.Commit(ctx, &vault.Batch{Puts: []vault.Put{put(vault.TableUser, "c", "3")}})) // the store works on
	check(t, "users", table(t, s, vault.TableUser), []string{"a=1", "c=3"})
}

// wholeCommits writes the same number into a hundred rows, again and again, while others read: no reader sees two numbers.
func wholeCommits(t *testing.T, s vault.Store) {
	const rows, rounds = 100, 60
	write := func(n int) {
		b := &vault.Batch{Leaves: []vault.NewLeaf{leaf("installation", int64(n), byte(n))}, Checkpoints: map[string][]byte{"installation": []byte(fmt.Sprint(n + 1))}}
		for i := range rows {
			b.Puts = append(b.Puts, put(vault.TableField, fmt.Sprintf("k%02d", i), fmt.Sprint(n)))
		}
		must(t, s.Commit(ctx, b))
	}
	write(0)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for seen := 0; ; seen++ {
				select {
				case <-stop:
					if seen > 0 {
						return
					}
				default:
				}
				var one []byte
				n := 0
				if err := s.Rows(ctx, vault.TableField, func(_, sealed []byte) error {
					if n++; one != nil && !bytes.Equal(one, sealed) {
						return fmt.Errorf("rows of two commits: %s and %s", one, sealed)
					}
					one = sealed
					return nil
				}); err != nil || n != rows {
					t.Errorf("%d rows, %v", n, err)
					return
				}
				ls, err := s.Logs(ctx)
				if err != nil || len(ls) != 1 || fmt.Sprint(ls[0].Size) != string(ls[0].Checkpoint) {
					t.Errorf("a log and its checkpoint are of two commits: %+v, %v", ls, err)
					return
				}
			}
		})
	}
	for n := 1; n < rounds; n++ {
		write(n)
	}
	close(stop)
	readers.Wait()
}

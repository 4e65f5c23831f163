package vault

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
)

// Everything durable goes through one goroutine, the committer. A request hands it an op; the committer runs
// the ops that wait, one after the other, into one batch, commits the batch, and only then changes what is in
// memory and answers. So concurrent requests share one flush, checks made inside an op see what the ops before
// it did, and nothing in memory runs ahead of the database.

// maxGroup is how many ops share a commit at most.
const maxGroup = 512

// errStopped says that the vault no longer commits.
var errStopped = errors.New("the vault has stopped: its ledger can't be written")

// op is one request's part of a commit. run may look at the state and write to tx; an error drops this op
// alone, with all that it wrote. It must not block.
type op struct {
	run  func(tx *tx) error
	done chan error
}

// entry is an entry on its way into a log. The opening was sealed beforehand, since that takes longer than the append.
type entry struct {
	org      id.Organisation // zero: installation log
	kind     ledger.Kind
	basis    ledger.Basis
	count    int
	occurred time.Time // zero: when it is recorded
	hash     [sha256.Size]byte
	sealed   []byte
}

// tx collects what one op, or one group of them, writes.
type tx struct {
	v       *Vault
	now     time.Time // one timestamp for the whole commit
	puts    []Put
	entries []entry
	applies []func(*state)
}

func (t *tx) put(table Table, key, sealed []byte) {
	t.puts = append(t.puts, Put{table, key, sealed})
}
func (t *tx) append(e entry) { t.entries = append(t.entries, e) }

// apply registers what changes in memory once the commit is durable.
func (t *tx) apply(fn func(*state)) { t.applies = append(t.applies, fn) }

// commit hands an op to the committer and waits until it is durable. A caller that goes away meanwhile gets
// an error; what it asked for may still be entered, which errs on the side of the ledger.
func (v *Vault) commit(ctx context.Context, run func(*tx) error) error {
	o := &op{run, make(chan error, 1)}
	select {
	case v.ops <- o:
	case <-v.stopped:
		return errStopped
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-o.done:
		return err
	case <-v.stopped:
		select { // the committer may have answered as its last act
		case err := <-o.done:
			return err
		default:
			return errStopped
		}
	case <-ctx.Done():
		return ctx.Err()
	}
}

// committer runs until the vault is closed or a commit ends in doubt.
func (v *Vault) committer() {
	defer close(v.stopped)
	for {
		var group []*op
		select {
		case o := <-v.ops:
			group = append(group, o)
		case <-v.quit:
			return
		}
		// Whoever is about to hand in something more gets to do so: a commit costs little more for many than for one.
		for more := true; more && len(group) < maxGroup; {
			runtime.Gosched()
			n := len(group)
			group = v.waiting(group)
			more = len(group) > n
		}
		for len(group) > 0 {
			var err error
			if group, err = v.commitGroup(group); err != nil {
				v.failure = err
				v.log.Error("stopping: a commit ended in doubt; the next start verifies what the database holds", "error", err)
				return
			}
		}
	}
}

// waiting adds the ops that wait to a group.
func (v *Vault) waiting(group []*op) []*op {
	for len(group) < maxGroup {
		select {
		case o := <-v.ops:
			group = append(group, o)
		default:
			return group
		}
	}
	return group
}

// commitGroup runs ops into one commit, answers them, and returns those that must wait for the next one.
// The error is not nil when it is unknown whether the commit happened.
func (v *Vault) commitGroup(group []*op) (rest []*op, err error) {
	all := &tx{v: v, now: v.recordTime()}
	var committed []*op
	for i, o := range group {
		one := &tx{v: v, now: all.now}
		if err := o.run(one); err != nil {
			o.done <- err
			continue
		}
		all.puts = append(all.puts, one.puts...)
		all.entries = append(all.entries, one.entries...)
		all.applies = append(all.applies, one.applies...)
		committed = append(committed, o)
		if len(one.applies) > 0 {
			// What it changes is in memory only after the commit, and the next op's checks must see it.
			rest = group[i+1:]
			break
		}
	}
	err = v.write(all)
	var answer error
	if err != nil {
		answer = fmt.Errorf("writing the ledger: %w", err)
	}
	for _, o := range committed {
		o.done <- answer
	}
	if errors.Is(err, ErrNotCommitted) {
		err = nil
	}
	return rest, err
}

// recordTime returns the commit's timestamp: the clock's, but never before an earlier commit's.
func (v *Vault) recordTime() time.Time {
	now := v.now().UTC().Truncate(time.Microsecond)
	if now.Before(v.lastCommit) {
		now = v.lastCommit
	}
	v.lastCommit = now
	return now
}

// write appends the entries to their logs, commits the batch and applies it. Only the committer calls it.
func (v *Vault) write(t *tx) error {
	if len(t.puts) == 0 && len(t.entries) == 0 {
		return nil
	}
	b := &Batch{Puts: t.puts}
	trees := map[string]ledger.Tree{}
	var touched []string
	add := func(log string, e entry) {
		tree, ok := trees[log]
		if !ok {
			tree = v.trees[log]
			if log != ledger.InstallationLog {
				touched = append(touched, log)
			}
		}
		occurred := e.occurred
		if occurred.IsZero() {
			occurred = t.now
		}
		leaf := ledger.Leaf{Kind: e.kind, Basis: e.basis, Count: uint32(e.count), Recorded: t.now, Occurred: occurred, Opening: e.hash}.Encode()
		next, nodes := tree.Append(leaf)
		b.Leaves = append(b.Leaves, NewLeaf{log, tree.Size(), leaf, e.sealed, nodes})
		trees[log] = next
	}
	for _, e := range t.entries {
		log := logFor(e.org, t.now)
		if tree, ok := trees[log]; !ok && v.trees[log].Size() == 0 || ok && tree.Size() == 0 {
			first, err := v.openLogEntry(e.org, log)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrNotCommitted, err)
			}
			add(log, first)
		}
		add(log, e)
	}
	// Rows that change without an entry of their own get one of heads without any: so no two commits that change rows have
	// the same size of the installation log, and its head binds the tallies.
	if len(touched) > 0 || len(trees) == 0 {
		var heads []ledger.Head
		for _, log := range touched {
			heads = append(heads, trees[log].Head(log))
		}
		e, err := v.seal(entry{kind: ledger.Heads, basis: ledger.Gate, count: len(heads)}, ledger.Opening{Heads: heads})
		if err != nil {
			return fmt.Errorf("%w: %w", ErrNotCommitted, err)
		}
		add(ledger.InstallationLog, e)
	}
	changes := v.tallies.weigh(t.puts, trees[ledger.InstallationLog].Size())
	err := v.putTallies(b, changes)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotCommitted, err)
	}
	if b.Checkpoints, err = v.sign(trees, v.tallies.line(changes)); err != nil {
		return fmt.Errorf("%w: signing a checkpoint: %w", ErrNotCommitted, err)
	}
	if err := v.store.Commit(context.Background(), b); err != nil {
		return err
	}
	v.tallies.apply(changes)
	v.mu.Lock()
	for log, tree := range trees {
		v.trees[log] = tree
		v.checkpoints[log] = b.Checkpoints[log]
	}
	for _, fn := range t.applies {
		fn(&v.state)
	}
	v.mu.Unlock()
	if cp := b.Checkpoints[ledger.InstallationLog]; cp != nil {
		if err := v.keys.SetHead(cp); err != nil {
			// The entry is durable; only the copy outside is late. Say so, and go on: the next commit tries again.
			v.log.Error("the last head could not be kept outside the database", "error", err)
		}
	}
	return nil
}

// sign signs the heads of logs, beside each other: a signature takes as long as most of what else a commit does.
func (v *Vault) sign(trees map[string]ledger.Tree, tallies []byte) (map[string][]byte, error) {
	signed := make(map[string][]byte, len(trees))
	var mu sync.Mutex
	var group sync.WaitGroup
	var failed error
	one := func(log string, tree ledger.Tree) {
		var line []byte
		if log == ledger.InstallationLog {
			line = tallies
		}
		cp, err := v.signer.Sign(tree.Head(log), line)
		mu.Lock()
		defer mu.Unlock()
		signed[log], failed = cp, errors.Join(failed, err)
	}
	for log, tree := range trees {
		if log != ledger.InstallationLog {
			group.Go(func() { one(log, tree) })
		}
	}
	one(ledger.InstallationLog, trees[ledger.InstallationLog])
	group.Wait()
	return signed, failed
}

// logFor names the log that an entry of an organisation belongs to.
func logFor(org id.Organisation, at time.Time) string {
	if org.IsZero() {
		return ledger.InstallationLog
	}
	return fmt.Sprintf("%s/%d", org, at.Year())
}

// openLogEntry is a log's first: it holds the head of the year before, where there is one.
func (v *Vault) openLogEntry(org id.Organisation, log string) (entry, error) {
	o := ledger.Opening{Subject: log}
	if !org.IsZero() {
		last := ""
		for name := range v.trees { // names of one organisation sort by year
			if len(name) == len(log) && name[:27] == log[:27] && name < log && name > last {
				last = name
			}
		}
		if last != "" {
			h := v.trees[last].Head(last)
			o.Previous = &h
		}
	}
	return v.seal(entry{org: org, kind: ledger.OpenLog, basis: ledger.Gate}, o)
}

// seal encodes an opening, hashes it and seals it for its reader: the organisation, apart for health, or the installation.
func (v *Vault) seal(e entry, o ledger.Opening) (entry, error) {
	if o.Policy == "" && (o.Role != "" || !o.Grant.IsZero()) { // somebody acted
		o.Policy = v.policyAt(e.org).Version()
	}
	b, hash := o.Encode()
	box, err := v.openingBox(e.org, o.Fields&policy.FieldHealth != 0)
	if err != nil {
		return e, err
	}
	e.hash = hash
	e.sealed, err = box.Seal(openingContext(e.org, hash), openingPad, b)
	return e, err
}

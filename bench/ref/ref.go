// Package ref has reference workloads, so that a benchmark can state a ratio measured on the same disk in the
// same run instead of a bare figure.
//
// They do what the program does without what the program is for: HashChain makes appends durable and chained
// but seals nothing and decides nothing; PlainImport parses and stores the same rows in the clear. None of them
// runs on a file system in memory, where a durable write costs nothing and every ratio is wrong.
package ref

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// ErrMemory says that a directory lies on a file system in memory.
var ErrMemory = errors.New("ref: a file system in memory measures no durable write: name a directory on a disk")

// Result is what a workload did, and how long it took.
type Result struct {
	N       int // entries or rows
	Elapsed time.Duration
}

// PerSecond returns entries or rows a second.
func (r Result) PerSecond() float64 { return float64(r.N) / r.Elapsed.Seconds() }

// Disk describes where a benchmark ran.
type Disk struct {
	FileSystem string
	Fdatasync  time.Duration // median of one small append made durable
}

func (d Disk) String() string { return fmt.Sprintf("%s, fdatasync %v", d.FileSystem, d.Fdatasync) }

// Describe returns the file system and the fdatasync time of a directory; on a file system in memory it is ErrMemory.
func Describe(dir string) (Disk, error) {
	name, err := FileSystem(dir)
	if err != nil {
		return Disk{}, err
	}
	took, err := Fdatasync(dir)
	return Disk{name, took}, err
}

// Fdatasync returns the median time that appending 4096 bytes to a file in dir and making them durable takes, of 101 tries.
func Fdatasync(dir string) (time.Duration, error) {
	f, err := scratch(dir, "fdatasync")
	if err != nil {
		return 0, err
	}
	defer remove(f)
	block := make([]byte, 4096)
	took := make([]time.Duration, 101)
	for i := range took {
		start := time.Now()
		if _, err := f.Write(block); err != nil {
			return 0, fmt.Errorf("ref: writing in %s: %w", dir, err)
		}
		if err := fdatasync(f); err != nil {
			return 0, fmt.Errorf("ref: syncing in %s: %w", dir, err)
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// EntryBytes is the size of one entry of HashChain, about that of a ledger's sealed opening for one wearer.
const EntryBytes = 256

// Chain is a Result of HashChain.
type Chain struct {
	Result
	Groups int           // durable writes that the entries shared
	Median time.Duration // from handing over an entry to knowing it durable
}

// HashChain appends n entries from a number of concurrent writers to a file in dir. Every entry is hashed to the
// one before it; entries that wait at the same time share one write and one fdatasync, and a writer goes on
// only when its entry is durable. It is the least that a tamper-evident log can cost.
func HashChain(dir string, writers, n int) (Chain, error) {
	if _, err := FileSystem(dir); err != nil {
		return Chain{}, err
	}
	return hashChain(dir, writers, n)
}

type appended struct {
	payload [EntryBytes]byte
	done    chan error
}

func hashChain(dir string, writers, n int) (Chain, error) {
	f, err := scratch(dir, "chain")
	if err != nil {
		return Chain{}, err
	}
	defer remove(f)
	queue := make(chan *appended, writers)
	took := make([][]time.Duration, writers)
	failed := make([]error, writers)
	start := time.Now()
	var wg sync.WaitGroup
	for w := range writers {
		share := n / writers
		if w < n%writers {
			share++
		}
		wg.Go(func() {
			e := &appended{done: make(chan error, 1)}
			for i := range share {
				e.payload[0], e.payload[1], e.payload[2] = byte(w), byte(i), byte(i>>8)
				from := time.Now()
				queue <- e
				if failed[w] = <-e.done; failed[w] != nil {
					return
				}
				took[w] = append(took[w], time.Since(from))
			}
		})
	}
	go func() { wg.Wait(); close(queue) }()
	groups := commit(f, queue)
	c := Chain{Result: Result{N: n, Elapsed: time.Since(start)}, Groups: groups}
	all := slices.Concat(took...)
	slices.Sort(all)
	if len(all) > 0 {
		c.Median = all[len(all)/2]
	}
	if err := errors.Join(failed...); err != nil {
		return c, fmt.Errorf("ref: appending in %s: %w", dir, err)
	}
	return c, nil
}

// commit writes what waits in the queue, group by group, until the queue is closed, and returns the number of groups.
// In the file each entry is 32 bytes of SHA-256 over (hash before, payload), then the payload.
func commit(f *os.File, queue <-chan *appended) (groups int) {
	var head [sha256.Size]byte
	var group []*appended
	var buf []byte
	for first := range queue {
		group, buf = append(group[:0], first), buf[:0]
	more:
		for {
			select {
			case e, ok := <-queue:
				if !ok {
					break more
				}
				group = append(group, e)
			default:
				break more
			}
		}
		for _, e := range group {
			head = sha256.Sum256(append(head[:], e.payload[:]...))
			buf = append(append(buf, head[:]...), e.payload[:]...)
		}
		_, err := f.Write(buf)
		if err == nil {
			err = fdatasync(f)
		}
		groups++
		for _, e := range group {
			e.done <- err
		}
	}
	return groups
}

func scratch(dir, name string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "ref-"+name+"-*")
	if err != nil {
		return nil, fmt.Errorf("ref: %w", err)
	}
	return f, nil
}

func remove(f *os.File) {
	f.Close()
	os.Remove(filepath.Clean(f.Name()))
}

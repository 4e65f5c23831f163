package worker_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// queue is a register's store of imports in memory; broken says what reading a file's document answers.
type queue struct {
	register.Store
	mu      sync.Mutex
	imports []*register.ImportRow
	broken  map[id.Import]func() error
	waiting error // what claiming answers, if not nil
	stuck   error // what reconciling meets, if not nil
	asked   int   // how often work was asked for
}

func (q *queue) add(s register.State, broken func() error) id.Import {
	q.mu.Lock()
	defer q.mu.Unlock()
	im := &register.ImportRow{ID: id.New[id.Import](), Kind: register.KindLaboratory, State: s}
	q.imports = append(q.imports, im)
	if q.broken == nil {
		q.broken = map[id.Import]func() error{}
	}
	q.broken[im.ID] = broken
	return im.ID
}

// of returns an import as it stands.
func (q *queue) of(n id.Import) register.ImportRow {
	q.mu.Lock()
	defer q.mu.Unlock()
	return *q.find(n)
}

func (q *queue) find(n id.Import) *register.ImportRow {
	for _, im := range q.imports {
		if im.ID == n {
			return im
		}
	}
	return nil
}

// breaks says how reading an import's file fails, if it does.
func (q *queue) breaks(n id.Import) error {
	q.mu.Lock()
	broken := q.broken[n]
	q.mu.Unlock()
	return broken()
}

func (q *queue) mend() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stuck = nil
}

func (q *queue) times() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.asked
}

func (q *queue) Reclaim(_ context.Context, by register.Hold) (register.ImportRow, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stuck != nil {
		return register.ImportRow{}, q.stuck
	}
	for _, im := range q.imports {
		if im.State.Held() {
			return *im, nil
		}
	}
	return register.ImportRow{}, register.ErrNotFound
}

func (q *queue) InState(_ context.Context, s register.State) (list []register.ImportRow, _ error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, im := range q.imports {
		if im.State == s {
			list = append(list, *im)
		}
	}
	return list, nil
}

func (q *queue) Extend(context.Context, id.Import, register.Hold) error { return nil }

func (q *queue) Claim(_ context.Context, from, to register.State, _ register.Hold) (register.ImportRow, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.asked++
	if q.waiting != nil {
		return register.ImportRow{}, q.waiting
	}
	for _, im := range q.imports {
		if im.State == from {
			im.State = to
			return *im, nil
		}
	}
	return register.ImportRow{}, register.ErrNotFound
}

func (q *queue) Move(_ context.Context, from register.State, im register.ImportRow) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	old := q.find(im.ID)
	if old.State != from {
		return register.ErrState
	}
	*old = im
	return nil
}

func (q *queue) Document(_ context.Context, n id.Import, name string) ([][]byte, error) {
	if err := q.breaks(n); err != nil && name != "file" {
		return nil, err
	}
	return [][]byte{n[:]}, nil
}

// wire is a vault that opens nothing: it fails as the import's file says.
type wire struct {
	register.Vault
	q *queue
}

func (w wire) Pending(context.Context) ([]id.Import, error)               { return nil, nil }
func (w wire) Discard(context.Context, vaultclient.Auth, id.Import) error { return nil }

func (w wire) Open(_ context.Context, _ vaultclient.Auth, r vaultclient.OpenRequest) ([][]byte, error) {
	return nil, w.q.breaks(id.Import(r.Items[0].Value))
}

// run runs a worker in a bubble, where waiting takes no time, and returns what ends it.
func run(t *testing.T, q *queue) (log *bytes.Buffer, end func()) {
	t.Helper()
	log = &bytes.Buffer{}
	logger := slog.New(slog.NewTextHandler(log, nil))
	s := register.New(register.Config{Store: q, Vault: wire{q: q}, Now: time.Now, Log: logger, Node: "worker"})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx, s, logger) }()
	return log, func() {
		t.Helper()
		cancel()
		synctest.Wait()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("it ended with %v", err)
			}
		default:
			t.Error("it did not stop at once when its context ended")
		}
	}
}

func TestItStopsWhenItsContextEnds(t *testing.T) {
	fault := errors.New("disk I/O error")
	for what, q := range map[string]*queue{
		"with nothing to do":     {},
		"while it can't begin":   {stuck: fault},
		"while it can't ask":     {waiting: fault},
		"while an import breaks": nil,
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if q == nil {
					q = &queue{}
					q.add(register.Received, func() error { return fault })
				}
				_, end := run(t, q)
				time.Sleep(10 * time.Minute)
				end()
			})
		})
	}
}

func TestItLooksAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		log, end := run(t, q)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		n := q.add(register.Received, func() error {
			return &vaultclient.Error{Code: vaultclient.Refused, Message: "no"}
		})
		time.Sleep(time.Second)
		synctest.Wait()
		if im := q.of(n); im.State != register.Failed || !strings.Contains(im.Failure, "no") {
			t.Errorf("a second later the import is %s (%q), want failed with the vault's reason\n%s", im.State, im.Failure, log)
		}
		if n := q.times(); n > 2*400 { // 20 times a second; 100 times in the first second, and in the one after some work
			t.Errorf("it asked %d times in 11 seconds", n)
		}
		end()
	})
}

// A fault that passes costs nothing but time; one that stays costs its import, and not those behind it.
func TestItGoesOnAfterAFault(t *testing.T) {
	refused := &vaultclient.Error{Code: vaultclient.Refused, Message: "no"}
	for _, c := range []struct {
		what    string
		fault   error
		times   int // how often the import's file can't be read, before the vault refuses it
		within  time.Duration
		failure string // of that import
	}{
		{"a fault that passes", errors.New("disk I/O error"), 3, 10 * time.Second, "no"},
		{"a fault that stays", errors.New("disk I/O error"), 1000, 5 * time.Minute, "again and again"},
		{"a vault that is away for an hour", vaultclient.ErrUnavailable, 120, 2 * time.Hour, "no"},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, left := &queue{}, c.times
				bad := q.add(register.Received, func() error {
					if left--; left >= 0 {
						return c.fault
					}
					return refused
				})
				behind := q.add(register.Received, func() error { return refused })
				log, end := run(t, q)
				time.Sleep(c.within)
				synctest.Wait()
				end()
				if im := q.of(bad); im.State != register.Failed || !strings.Contains(im.Failure, c.failure) {
					t.Errorf("the import is %s (%q), want failed: %s\n%s", im.State, im.Failure, c.failure, log)
				}
				if im := q.of(behind); im.State != register.Failed {
					t.Errorf("the import behind it is %s: it never had its turn\n%s", im.State, log)
				}
			})
		})
	}
}

// What an earlier stop left under way is begun again, and a fault while doing so is tried again.
func TestItReconcilesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{stuck: vaultclient.ErrUnavailable}
		left := q.add(register.Previewing, func() error { return &vaultclient.Error{Code: vaultclient.Refused, Message: "no"} })
		_, end := run(t, q)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := q.times(); n != 0 || q.of(left).State != register.Previewing {
			t.Errorf("it worked before it had reconciled: asked %d times", n)
		}
		q.mend()
		time.Sleep(time.Minute)
		synctest.Wait()
		if st := q.of(left).State; st != register.Failed {
			t.Errorf("what was left under way is %s, want worked on", st)
		}
		end()
	})
}

package main

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/dosevault/dosevault/bench/ref"
	"github.com/dosevault/dosevault/bench/service"
)

// disk returns a directory that is not in memory, which the benchmark refuses.
func disk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := ref.FileSystem(dir); !errors.Is(err, ref.ErrMemory) {
		return dir
	}
	dir, err := os.MkdirTemp(".", "disk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestAFewRevealsAreMeasured(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	dir := disk(t)
	r, err := run(ctx, dir, service.Setup{TCP: true}, 300, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct{ sessions, people int }{{1, 1}, {64, 1}, {8, 256}}
	if len(r.Measured) != len(want) {
		t.Fatalf("%d measurements, want %d", len(r.Measured), len(want))
	}
	for i, m := range r.Measured {
		if m.Sessions != want[i].sessions || m.People != want[i].people {
			t.Errorf("measurement %d is of %d sessions and %d people a request, want %v", i, m.Sessions, m.People, want[i])
		}
		if m.PerSecond <= 0 || m.P50 <= 0 || m.P99 < m.P50 || m.ClientCPU <= 0 {
			t.Errorf("measurement %d: %+v", i, m)
		}
	}
	if r.Chain <= 0 || r.Ratio != r.Chain/r.Measured[1].PerSecond {
		t.Errorf("the chain's %v over 64 sessions' %v is not %v", r.Chain, r.Measured[1].PerSecond, r.Ratio)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 0 {
		t.Errorf("%d files or directories are left behind", len(left))
	}
}

func TestTooFewPeopleForARequestAreRefused(t *testing.T) {
	if _, err := run(context.Background(), disk(t), service.Setup{}, 255, time.Millisecond); err == nil {
		t.Error("255 people were measured in requests of 256")
	}
}

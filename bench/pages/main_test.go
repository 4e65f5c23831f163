package main

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/dosevault/dosevault/bench/ref"
)

func TestAFewPagesAreMeasured(t *testing.T) {
	dir := t.TempDir()
	if _, err := ref.FileSystem(dir); errors.Is(err, ref.ErrMemory) { // which the benchmark refuses
		if dir, err = os.MkdirTemp(".", "disk"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
	}
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	r, err := run(ctx, dir, 60, 32, false)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Measured) != 7 {
		t.Fatalf("%d pages, want 7", len(r.Measured))
	}
	for _, m := range r.Measured {
		if m.P50 <= 0 || m.P99 < m.P50 || m.Ratio != m.P50/r.Measured[0].P50 {
			t.Errorf("%+v", m)
		}
	}
}

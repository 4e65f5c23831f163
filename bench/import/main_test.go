package main

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/dosevault/dosevault/bench/ref"
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

func TestASmallImportIsMeasured(t *testing.T) {
	for name, onPostgreSQL := range map[string]bool{"SQLite": false, "PostgreSQL": true} {
		t.Run(name, func(t *testing.T) { measured(t, onPostgreSQL) })
	}
}

func measured(t *testing.T, onPostgreSQL bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	dir := disk(t)
	r, err := run(ctx, dir, 30, 5, onPostgreSQL)
	if err != nil {
		t.Fatal(err)
	}
	if r.People != 30 || r.Rows != 150 || r.Disk == "" {
		t.Errorf("measured %d rows of %d people on %q", r.Rows, r.People, r.Disk)
	}
	if r.Preview <= 0 || r.Import <= 0 || r.PlainRows <= 0 || r.Plain <= 0 {
		t.Errorf("a time is missing: %+v", r)
	}
	if want := (r.Preview + r.Import) / r.PlainRows; r.Ratio != want {
		t.Errorf("ratio %v, want both steps over the plain rows, %v", r.Ratio, want)
	}
	for _, process := range []string{"vault", "worker"} {
		if r.Before[process] == 0 || r.Memory[process] < r.Before[process] {
			t.Errorf("%s had %d MiB before the file came and %d MiB after it", process, r.Before[process], r.Memory[process])
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 0 {
		t.Errorf("%d files or directories are left behind", len(left))
	}
}

package main

import (
	"errors"
	"os"
	"testing"

	"github.com/dosevault/dosevault/bench/ref"
)

func TestASmallScopeIsMeasured(t *testing.T) {
	dir := t.TempDir()
	if _, err := ref.FileSystem(dir); errors.Is(err, ref.ErrMemory) { // which the benchmark refuses
		if dir, err = os.MkdirTemp(".", "disk"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
	}
	r, err := run(t.Context(), dir, size{people: 60, organisations: 3, exposures: 1200, years: 2})
	if err != nil {
		t.Fatal(err)
	}
	// Twenty turns of everybody, two of them to the supplier that is asked about.
	if r.Exposures != 1200 || r.Found != 120 || r.FoundPeople != 60 || len(r.Measured) != 4 {
		t.Errorf("%+v", r)
	}
	for _, m := range r.Measured {
		if m.Index <= 0 || m.Ledgers <= 0 {
			t.Errorf("%+v", m)
		}
	}
}

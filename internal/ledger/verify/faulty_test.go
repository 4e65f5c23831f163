package verify_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/ledger/verify"
)

// What a faulty writer, or one taken over, would sign all the same.
func TestFaultyWriter(t *testing.T) {
	inst := ledger.InstallationLog
	root := make([]byte, sha256.Size)
	for name, c := range map[string]struct {
		do   func(s *sample)
		log  func(s *sample) string
		seq  func(s *sample) int64
		what string
	}{
		"clock goes back": {
			func(s *sample) {
				s.now = s.now.Add(-time.Hour)
				s.commit(written{s.b26, ledger.Write, ledger.Opening{}})
			},
			func(*sample) string { return inst }, func(s *sample) int64 { return s.trees[inst].Size() - 1 }, "recorded before"},
		"unknown kind": {
			func(s *sample) { s.commit(written{s.b26, 99, ledger.Opening{}}) },
			func(s *sample) string { return s.b26 }, func(s *sample) int64 { return s.trees[s.b26].Size() - 1 }, "unknown kind 99"},
		"opened twice": {
			func(s *sample) { s.commit(written{s.b26, ledger.OpenLog, ledger.Opening{}}) },
			func(s *sample) string { return s.b26 }, func(s *sample) int64 { return s.trees[s.b26].Size() - 1 }, "must be its first"},
		"never opened": {
			func(s *sample) {
				s.faulty = true
				s.commit(written{id.Organisation{9}.String() + "/2026", ledger.Write, ledger.Opening{}})
			},
			func(*sample) string { return id.Organisation{9}.String() + "/2026" }, func(*sample) int64 { return 0 }, "must be its first"},
		"heads in an organisation's log": {
			func(s *sample) {
				s.commit(written{s.b26, ledger.Heads, ledger.Opening{Heads: []ledger.Head{{Log: s.b26, Size: 1, Root: root}}}})
			},
			func(s *sample) string { return s.b26 }, func(s *sample) int64 { return s.trees[s.b26].Size() - 1 }, "heads stands in"},
		"head goes back": {
			func(s *sample) {
				s.commit(written{inst, ledger.Heads, ledger.Opening{Heads: []ledger.Head{s.earlyTrees[s.b26].Head(s.b26)}}})
			},
			func(*sample) string { return inst }, func(s *sample) int64 { return s.trees[inst].Size() - 1 }, "goes back"},
		"head repeated with another root": {
			func(s *sample) {
				s.commit(written{inst, ledger.Heads, ledger.Opening{Heads: []ledger.Head{{Log: s.b26, Size: s.trees[s.b26].Size(), Root: root}}}})
			},
			func(s *sample) string { return s.b26 }, func(s *sample) int64 { return s.trees[s.b26].Size() }, "not those of the head in entry"},
		"head ahead of its log": {
			func(s *sample) {
				s.commit(written{inst, ledger.Heads, ledger.Opening{Heads: []ledger.Head{{Log: s.b26, Size: 1000, Root: root}}}})
			},
			func(s *sample) string { return s.b26 }, func(s *sample) int64 { return s.trees[s.b26].Size() }, "has 1000"},
		"head of the installation log": {
			func(s *sample) {
				s.commit(written{inst, ledger.Heads, ledger.Opening{Heads: []ledger.Head{s.trees[inst].Head(inst)}}})
			},
			func(*sample) string { return inst }, func(s *sample) int64 { return s.trees[inst].Size() - 1 }, "not of an organisation's log"},
		"head of a log that is not there": {
			func(s *sample) {
				s.commit(written{inst, ledger.Heads, ledger.Opening{Heads: []ledger.Head{{Log: id.Organisation{9}.String() + "/2026", Size: 4, Root: root}}}})
			},
			func(*sample) string { return id.Organisation{9}.String() + "/2026" }, func(*sample) int64 { return -1 }, "it has 4 entries"},
		"year without the year before": {
			func(s *sample) {
				s.faulty = true
				s.commit(written{strings.Replace(s.b26, "2026", "2027", 1), ledger.OpenLog, ledger.Opening{}})
			},
			func(s *sample) string { return strings.Replace(s.b26, "2026", "2027", 1) }, func(*sample) int64 { return 0 }, "is not in the log's first entry"},
		"year after another one": {
			func(s *sample) {
				s.faulty = true
				h := s.earlyTrees[s.b26].Head(s.b26)
				s.commit(written{strings.Replace(s.b26, "2026", "2027", 1), ledger.OpenLog, ledger.Opening{Previous: &h}})
			},
			func(s *sample) string { return strings.Replace(s.b26, "2026", "2027", 1) }, func(*sample) int64 { return 0 }, "another root"},
		"year after one with another root": {
			func(s *sample) {
				s.faulty = true
				h := ledger.Head{Log: s.b26, Size: s.trees[s.b26].Size(), Root: root}
				s.commit(written{strings.Replace(s.b26, "2026", "2027", 1), ledger.OpenLog, ledger.Opening{Previous: &h}})
			},
			func(s *sample) string { return strings.Replace(s.b26, "2026", "2027", 1) }, func(*sample) int64 { return 0 }, "another root"},
		"year after a misnamed one": {
			func(s *sample) {
				s.faulty = true
				h := s.trees[s.b26].Head(s.a26)
				s.commit(written{strings.Replace(s.b26, "2026", "2027", 1), ledger.OpenLog, ledger.Opening{Previous: &h}})
			},
			func(s *sample) string { return strings.Replace(s.b26, "2026", "2027", 1) }, func(*sample) int64 { return 0 }, "is missing"},
		"log that no head names": {
			func(s *sample) {
				s.headless = true
				s.commit(written{id.Organisation{9}.String() + "/2026", ledger.Write, ledger.Opening{}})
			},
			func(*sample) string { return id.Organisation{9}.String() + "/2026" }, func(*sample) int64 { return -1 }, "no entry of the installation log names"},
		"entries that no head covers": {
			func(s *sample) { s.headless = true; s.commit(written{s.b26, ledger.Write, ledger.Opening{}}) },
			func(s *sample) string { return s.b26 }, func(s *sample) int64 { return s.trees[s.b26].Size() - 1 }, "covered by no head"},
		"year after none": {
			func(s *sample) {
				s.faulty = true
				log := id.Organisation{9}.String() + "/2025"
				s.commit(written{id.Organisation{9}.String() + "/2026", ledger.OpenLog, ledger.Opening{Previous: &ledger.Head{Log: log, Size: 3, Root: root}}})
			},
			func(*sample) string { return id.Organisation{9}.String() + "/2026" }, func(*sample) int64 { return 0 }, "is missing"},
		"year before written to after the year's end": {
			func(s *sample) { s.commit(written{s.a25, ledger.Write, ledger.Opening{}}) },
			func(s *sample) string { return s.a26 }, func(*sample) int64 { return 0 }, "another root"},
	} {
		t.Run(name, func(t *testing.T) {
			s := makeSample(t)
			c.do(s)
			_, err := ledgers(t, s.path, s.options())
			differs(t, err, c.log(s), c.seq(s), c.what)
		})
	}
}

// A log that holds nothing, and one that is there twice.
func TestEmptyAndDoubleLog(t *testing.T) {
	in := install(t)
	in.exec("INSERT INTO log VALUES (1, 'installation', $1)", in.checkpoint(ledger.InstallationLog))
	_, err := ledgers(t, in.path, in.options())
	differs(t, err, ledger.InstallationLog, -1, "no entry")

	m, opt := makeMemory(t, 3)
	_, err = verify.Ledgers(t.Context(), twiceSource{m}, opt)
	differs(t, err, ledger.InstallationLog, -1, "twice")
}

// twiceSource gives each log twice.
type twiceSource struct{ *memory }

func (s twiceSource) Logs(ctx context.Context) ([]verify.Log, error) {
	logs, err := s.memory.Logs(ctx)
	return append(logs, logs...), err
}

// What can't be verified with is an error of its own, not a difference.
func TestOptions(t *testing.T) {
	s := makeSample(t)
	foreign := install(t)
	foreign.commit(written{ledger.InstallationLog, ledger.Start, ledger.Opening{}})
	bad := s.options()
	bad.PublicKey = nil
	for name, opt := range map[string]verify.Options{"no key": bad, "a head by another key": s.options(foreign.head(ledger.InstallationLog))} {
		_, err := ledgers(t, s.path, opt)
		var d *verify.Difference
		if err == nil || errors.As(err, &d) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The same key under another installation's name.
	cp, err := ledger.NewSigner("another", s.seed).Sign(s.trees[s.a26].Head(s.a26), nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := verify.ParseCheckpoint(cp)
	if err != nil {
		t.Fatal(err)
	}
	_, err = ledgers(t, s.path, s.options(h))
	differs(t, err, s.a26, -1, "another installation")

	// Reading fails: not taken for a difference.
	failing := &failingSource{Source: nil}
	if failing.Source, err = openSource(t, s.path); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"leaf", "node", "opening"} {
		failing.table = table
		_, err := verify.Ledgers(t.Context(), failing, s.options())
		var d *verify.Difference
		if !errors.Is(err, errDisk) || errors.As(err, &d) {
			t.Errorf("reading table %s fails: %v", table, err)
		}
	}
}

// Package verify recomputes what dosevault's ledgers and register claim, and says where they differ.
//
// It shares no code with the writer (packages ledger, vault and register): formats are decoded here a second time,
// from their descriptions in package ledger and package register; trees are hashed with
// github.com/transparency-dev/merkle; signed notes are read with crypto/ed25519 alone. A mistake, or a
// back door, in the writer is therefore not repeated here.
//
// What it finds ([Ledgers], [Register], [Authority]): an entry changed, dropped, inserted, swapped or moved; a log cut or rolled back behind a head
// that stands in the installation log or was kept outside; a stored node or an opening that is not what was
// entered; a row of the register that was changed, deleted, rolled back, added or re-assigned after its import; a row of
// the vault's own tables that was dropped, added, changed or put back.
//
// What it can't find: a rollback of the whole database to an earlier state that was true then, unless a head from
// after it was kept outside ([Options].Heads); the openings' content when they can't be opened; what a process
// holding the signing key rewrote since the last head kept outside.
//
// The package streams: memory does not grow with the entries, except for two to four bytes for each head in the
// installation log and one [ManifestEntry] for each import. It is pure: no files, network, database or clock.
package verify

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
)

// Source is a consistent snapshot of one installation's ledgers. Slices given to fn are valid only during the
// call; an error of fn ends the walk and is returned. Walks over different tables may be under way at the same time.
type Source interface {
	// Installation returns the installation's id as text.
	Installation(ctx context.Context) (string, error)
	// Logs returns all logs in any order. Rows of leaves, nodes or openings that belong to no log are given as a
	// log without a checkpoint under a name that no log has, as in "#17".
	Logs(ctx context.Context) ([]Log, error)
	// Leaves walks over a log's leaves in ascending order of seq.
	Leaves(ctx context.Context, log string, fn func(seq int64, leaf []byte) error) error
	// Nodes walks over a log's stored nodes in ascending order of idx.
	Nodes(ctx context.Context, log string, fn func(idx int64, hash []byte) error) error
	// Openings walks over a log's sealed openings in ascending order of seq.
	Openings(ctx context.Context, log string, fn func(seq int64, sealed []byte) error) error
}

// Log is a log's name and its latest checkpoint, a signed note.
type Log struct {
	Name       string
	Checkpoint []byte
}

// Options say what to verify against.
type Options struct {
	// PublicKey is the installation's, from outside the database.
	PublicKey ed25519.PublicKey
	// Heads were kept outside, see ParseCheckpoint. Their signatures are checked too.
	Heads []Head
	// Open opens a sealed opening of an entry with that opening hash. May be nil: openings are then only counted,
	// and the heads in the installation log, the links between years and the manifests are not checked.
	Open func(log string, openingHash [sha256.Size]byte, sealed []byte) ([]byte, error)
}

// Difference is the error for something that is not as it was entered.
type Difference struct {
	Log  string // installation, <organisation>/<year>, or a table of the register
	Seq  int64  // the entry; -1: the log as a whole
	What string
}

func (d *Difference) Error() string {
	if d.Seq < 0 {
		return fmt.Sprintf("verify: log %s: %s", d.Log, d.What)
	}
	return fmt.Sprintf("verify: log %s, entry %d: %s", d.Log, d.Seq, d.What)
}

// Report is what was verified.
type Report struct {
	Installation string
	Logs         []LogReport // installation log first, then by name
	Leaves       int64
	Tallies      []byte          // what the installation log's checkpoint says of the vault's tables, see Authority
	Manifests    []ManifestEntry // in order of Logs and seq
}

// LogReport is one log's part.
type LogReport struct {
	Log       string
	Leaves    int64
	Root      [sha256.Size]byte
	Newest    time.Time // recorded-at of the last entry
	Opened    int64     // openings that were opened and checked
	Erased    int64     // entries without an opening
	Unchecked int64     // openings that could not be opened, for want of Options.Open
}

// ManifestEntry is an import's entry, for [Register].
type ManifestEntry struct {
	Log          string
	Seq          int64
	Import       id.Import
	Kind         string // people, dispatch, laboratory
	Rows         int
	Hash         []byte
	Organisation id.Organisation
}

// installationLog names the log that holds what belongs to no organisation.
const installationLog = "installation"

// organisationOf returns the organisation of a log "<organisation>/<year>".
func organisationOf(log string) (id.Organisation, bool) {
	text, year, ok := strings.Cut(log, "/")
	var org id.Organisation
	if !ok || org.UnmarshalText([]byte(text)) != nil || org.IsZero() || len(year) != 4 || strings.Trim(year, "0123456789") != "" {
		return id.Organisation{}, false
	}
	return org, true
}

// Ledgers verifies every log of the source. The error is a *Difference for the first one found: the installation
// log first, then by name; within a log what concerns it as a whole, then by entry. Any other error means that
// verifying was not possible.
func Ledgers(ctx context.Context, src Source, opt Options) (*Report, error) {
	if len(opt.PublicKey) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("verify: the installation's public key has %d bytes, want %d", len(opt.PublicKey), ed25519.PublicKeySize)
	}
	installation, err := src.Installation(ctx)
	if err != nil {
		return nil, fmt.Errorf("verify: reading the installation's id: %w", err)
	}
	logs, err := src.Logs(ctx)
	if err != nil {
		return nil, fmt.Errorf("verify: reading the logs: %w", err)
	}
	v := &verifier{
		ctx: ctx, src: src, opt: opt, installation: installation,
		report: &Report{Installation: installation},
		logs:   map[string][]byte{}, named: map[string]*namedHeads{}, kept: map[string][]Head{}, done: map[string]head{},
	}
	for _, h := range opt.Heads {
		if err := h.Verify(opt.PublicKey); err != nil {
			return nil, fmt.Errorf("verify: the kept head of %s: %w", h.Origin, err)
		}
		v.kept[h.Log] = append(v.kept[h.Log], h)
	}
	for _, heads := range v.kept {
		slices.SortStableFunc(heads, func(a, b Head) int { return int(min(max(a.Size-b.Size, -1), 1)) })
	}
	for _, l := range logs {
		if _, twice := v.logs[l.Name]; twice {
			return nil, &Difference{l.Name, -1, "the log is there twice"}
		}
		v.logs[l.Name] = l.Checkpoint
	}

	if err := v.log(installationLog); err != nil {
		return nil, err
	}
	var names []string
	for name := range v.logs {
		names = append(names, name)
	}
	for name := range v.named {
		names = append(names, name)
	}
	for name := range v.kept {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if name != installationLog {
			if err := v.log(name); err != nil {
				return nil, err
			}
		}
	}
	return v.report, nil
}

// verifier is one run of Ledgers.
type verifier struct {
	ctx          context.Context
	src          Source
	opt          Options
	installation string
	report       *Report
	logs         map[string][]byte      // checkpoints by name
	named        map[string]*namedHeads // by the installation log's entries
	kept         map[string][]Head      // by size
	done         map[string]head        // logs verified
	before       string                 // the log verified last
}

// head is the size and root of a log, as openings hold it.
type head struct {
	Log  string `json:"log"`
	Size int64  `json:"size"`
	Root []byte `json:"root"`
}

// log verifies one log.
func (v *verifier) log(name string) error {
	checkpoint, ok := v.logs[name]
	if !ok {
		switch {
		case v.named[name] != nil:
			n := v.named[name]
			return &Difference{name, -1, fmt.Sprintf("the log is missing: entry %d of the installation log says that it has %d entries", n.seq, n.size)}
		case len(v.kept[name]) > 0:
			return &Difference{name, -1, fmt.Sprintf("the log is missing: a kept head has %d", v.kept[name][len(v.kept[name])-1].Size)}
		}
		return &Difference{name, -1, "the log is missing"}
	}
	_, ofOrganisation := organisationOf(name)
	if name != installationLog && !ofOrganisation {
		return &Difference{name, -1, "rows that belong to no log"}
	}
	cp, err := ParseCheckpoint(checkpoint)
	if err != nil {
		return &Difference{name, -1, "the checkpoint is malformed: " + err.Error()}
	}
	if want := v.installation + ".dosevault/" + name; cp.Origin != want {
		return &Difference{name, -1, fmt.Sprintf("the checkpoint is of another log: its origin is %q, want %q", cp.Origin, want)}
	}
	if err := cp.Verify(v.opt.PublicKey); err != nil {
		return &Difference{name, -1, "the checkpoint is not this installation's: " + err.Error()}
	}
	for _, h := range v.kept[name] {
		if h.Origin != cp.Origin {
			return &Difference{name, -1, fmt.Sprintf("a kept head is of another installation: its origin is %q", h.Origin)}
		}
		if h.Size == cp.Size && !bytes.Equal(h.Tallies, cp.Tallies) {
			return &Difference{name, -1, "the checkpoint has other tallies than the kept head of the same size"}
		}
	}
	if name == installationLog {
		v.report.Tallies = cp.Tallies
	}
	w := &walk{v: v, name: name, checkpoint: cp, kept: v.kept[name], named: v.named[name].reader(), report: LogReport{Log: name}}
	if err := w.run(); err != nil {
		return err
	}
	v.done[name] = head{name, w.report.Leaves, bytes.Clone(w.report.Root[:])}
	v.before = name
	v.report.Logs = append(v.report.Logs, w.report)
	v.report.Leaves += w.report.Leaves
	return nil
}

package verify

import (
	"bytes"
	"crypto/sha256"
	"math"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
)

// The writer's kinds and bases are all known here, and no other ones.
func TestKindsAreTheWriters(t *testing.T) {
	for k := 1; k <= math.MaxUint8; k++ {
		written := !strings.HasPrefix(ledger.Kind(k).String(), "kind(")
		if written != (k <= lastKind) {
			t.Errorf("kind %d (%s): written %t, known here %t", k, ledger.Kind(k), written, k <= lastKind)
		}
		written = !strings.HasPrefix(ledger.Basis(k).String(), "basis(")
		if written != (k <= lastBasis) {
			t.Errorf("basis %d: written %t, known here %t", k, written, k <= lastBasis)
		}
	}
	if ledger.OpenLog != kindOpenLog || ledger.Heads != kindHeads || ledger.Import != kindImport || ledger.LeafSize != leafSize || ledger.InstallationLog != installationLog {
		t.Error("a kind, the leaf's size or the installation log's name is another one in package ledger")
	}
}

// The decoder never panics, and reads what the writer's decoder reads.
func FuzzDecodeLeaf(f *testing.F) {
	good := ledger.Leaf{Kind: ledger.Reveal, Basis: ledger.Gate, Count: 25, Recorded: time.UnixMicro(1773309840000001), Occurred: time.UnixMicro(5), Opening: [32]byte{9}}.Encode()
	f.Add(good)
	f.Add(good[:55])
	f.Add(append(bytes.Clone(good), 0))
	f.Add(make([]byte, leafSize))
	f.Add(bytes.Repeat([]byte{0xff}, leafSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodeLeaf(b)
		l, errWriter := ledger.DecodeLeaf(b)
		if err != nil {
			if errWriter == nil && l.Kind > 0 && l.Kind <= lastKind && l.Basis > 0 && l.Basis <= lastBasis {
				t.Errorf("%x was refused: %v", b, err)
			}
			return
		}
		if errWriter != nil || uint8(l.Kind) != e.kind || uint8(l.Basis) != e.basis || l.Count != e.count || l.Recorded.UnixMicro() != e.recorded || l.Occurred.UnixMicro() != e.occurred || l.Opening != e.opening {
			t.Errorf("%x was read as %+v, the writer reads %+v, %v", b, e, l, errWriter)
		}
	})
}

func TestDecodeOpening(t *testing.T) {
	root := make([]byte, 32)
	good := ledger.Opening{Wearers: []id.Wearer{{1}, {2}}, Previous: &ledger.Head{Log: "x", Size: 1, Root: root}, Import: id.Import{1}, Manifest: &ledger.Manifest{Kind: "people", Rows: 2, Hash: root}}
	b, hash := good.Encode()
	o, err := decodeOpening(b, entry{kind: 4, count: 2, opening: hash})
	if err != nil || len(o.Wearers) != 2 || o.Previous.Log != "x" || o.Manifest.Rows != 2 || o.Import != (id.Import{1}) {
		t.Errorf("%+v, %v", o, err)
	}
	refused := func(name, text string, e entry, what string) {
		t.Helper()
		e.opening = sha256.Sum256([]byte(text))
		if _, err := decodeOpening([]byte(text), e); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", name, err)
		}
	}
	const salt = `{"salt":"AAAAAAAAAAAAAAAAAAAAAA=="`
	if _, err := decodeOpening(b, entry{kind: 4, count: 2}); err == nil {
		t.Error("another leaf's opening was taken")
	}
	refused("count", string(b), entry{kind: 4, count: 3}, "counts 3 wearers")
	refused("heads", salt+"}", entry{kind: kindHeads, count: 1}, "counts 1 logs")
	refused("head without root", salt+`,"heads":[{"log":"x","size":1,"root":""}]}`, entry{kind: kindHeads, count: 1}, "malformed head")
	refused("head of nothing", salt+`,"heads":[{"log":"x","size":0,"root":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}]}`, entry{kind: kindHeads, count: 1}, "malformed head")
	refused("manifest", salt+`,"manifest":{"kind":"people","rows":1,"hash":"AA=="}}`, entry{kind: kindImport}, "malformed manifest")
	refused("short salt", `{"salt":"AAAA"}`, entry{kind: 4}, "malformed")
	refused("salt not first", `{"node":"web","salt":"AAAAAAAAAAAAAAAAAAAAAA=="}`, entry{kind: 4}, "malformed")
	refused("cut", salt, entry{kind: 4}, "malformed")
}

// The verifier shares no code with the writer, nor its tree and note library, and has no way out.
func TestSharesNothingWithTheWriter(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 10 {
		t.Fatalf("go list says %q", out)
	}
	for _, dep := range deps {
		for banned, why := range map[string]string{
			"github.com/dosevault/dosevault/internal/ledger":   "is the writer",
			"github.com/dosevault/dosevault/internal/vault":    "is the writer",
			"github.com/dosevault/dosevault/internal/register": "is the register's writer",
			"github.com/dosevault/dosevault/internal/seal":     "is used by the caller",
			"golang.org/x/mod":   "is what the writer hashes and signs with",
			"database/sql":       "the package is pure",
			"net":                "the package is pure",
			"modernc.org/sqlite": "the package is pure",
		} {
			if dep != "github.com/dosevault/dosevault/internal/ledger/verify" && (dep == banned || strings.HasPrefix(dep, banned+"/")) {
				t.Errorf("depends on %s, but %s %s", dep, banned, why)
			}
		}
	}
}

package ledger

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
)

// Frozen: a leaf of any release reads in every later one, and its bytes are what independent tools hash.
func TestLeafVector(t *testing.T) {
	l := Leaf{Kind: Reveal, Basis: Gate, Count: 25, Recorded: time.UnixMicro(1773309840000001), Occurred: time.UnixMicro(1773309840000000)}
	for i := range l.Opening {
		l.Opening[i] = byte(i)
	}
	const want = "01040100" + "00000019" + "00064cd0df170401" + "00064cd0df170400" +
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	if got := hex.EncodeToString(l.Encode()); got != want {
		t.Errorf("leaf is\n%s, want\n%s", got, want)
	}
	back, err := DecodeLeaf(l.Encode())
	if err != nil || back.Count != 25 || !back.Recorded.Equal(l.Recorded) || !back.Occurred.Equal(l.Occurred) || back.Opening != l.Opening || back.Kind != Reveal || back.Basis != Gate {
		t.Errorf("read back %+v, %v", back, err)
	}
	for _, bad := range [][]byte{nil, make([]byte, LeafSize), l.Encode()[:55], append([]byte{2}, l.Encode()[1:]...)} {
		if _, err := DecodeLeaf(bad); err == nil {
			t.Errorf("%x was read as a leaf", bad)
		}
	}
}

func TestOpeningIsSaltedAndBoundToItsLeaf(t *testing.T) {
	o := Opening{Role: policy.Coordinator, Fields: policy.FieldName | policy.FieldDose, Wearers: []id.Wearer{{1, 2, 3}}}
	a, ha := o.Encode()
	b, hb := o.Encode()
	if ha == hb {
		t.Error("two equal openings have equal hashes")
	}
	if _, err := DecodeOpening(a, ha); err != nil {
		t.Error(err)
	}
	if _, err := DecodeOpening(b, ha); err == nil {
		t.Error("an opening opened another leaf")
	}
}

// The tree agrees with tlog's own, at every size.
func TestTreeAgreesWithTlog(t *testing.T) {
	var tree Tree
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(ix []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(ix))
		for i, x := range ix {
			out[i] = stored[x]
		}
		return out, nil
	})
	for n := int64(0); n < 300; n++ {
		leaf := []byte{byte(n), byte(n >> 8)}
		var nodes []Node
		tree, nodes = tree.Append(leaf)
		want, err := tlog.StoredHashes(n, leaf, read)
		if err != nil || len(want) != len(nodes) {
			t.Fatalf("%d: %d nodes, want %d, %v", n, len(nodes), len(want), err)
		}
		for i, node := range nodes {
			if node.Index != int64(len(stored)) || node.Hash != want[i] {
				t.Fatalf("%d: node %d is %v at %d", n, i, node.Hash, node.Index)
			}
			stored = append(stored, node.Hash)
		}
		root, err := tlog.TreeHash(n+1, read)
		if err != nil || root != tree.Root() {
			t.Fatalf("%d: root differs, %v", n, err)
		}
		edge, _ := read(EdgeIndexes(n + 1))
		again, err := LoadTree(n+1, edge)
		if err != nil || again.Root() != root || again.Size() != n+1 {
			t.Fatalf("%d: loaded tree differs, %v", n, err)
		}
	}
}

func TestAppendLeavesTheOldTreeAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tree Tree
		for range rapid.IntRange(0, 70).Draw(t, "n") {
			tree, _ = tree.Append([]byte("x"))
		}
		root := tree.Root()
		a, _ := tree.Append([]byte("a"))
		b, _ := tree.Append([]byte("b"))
		if tree.Root() != root || a.Root() == b.Root() {
			t.Fatal("an append changed the tree that it was made from")
		}
		if c, _ := tree.Append([]byte("a")); c.Root() != a.Root() {
			t.Fatal("the same append gave another root")
		}
	})
}

func TestCheckpointIsASignedNote(t *testing.T) {
	s := NewSigner("inst", [32]byte{1})
	var tree Tree
	tree, _ = tree.Append([]byte("leaf"))
	cp, err := s.Sign(tree.Head(InstallationLog), nil)
	if err != nil {
		t.Fatal(err)
	}
	vkey, err := s.VerifierKey(InstallationLog)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(cp, note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(n.Text, "inst.dosevault/installation\n1\n") || strings.Count(n.Text, "\n") != 3 {
		t.Errorf("text is %q", n.Text)
	}
}

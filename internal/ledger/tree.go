package ledger

import (
	"encoding/base64"
	"fmt"
	"math/bits"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is a hash of the tree.
type Hash = tlog.Hash

// Node is a complete subtree's hash under its number in tlog's arrangement.
type Node struct {
	Index int64
	Hash  Hash
}

// Tree is a log's size and right edge: all that an append needs. The zero Tree is an empty log.
type Tree struct {
	size int64
	edge []Hash // roots of the complete subtrees, largest first: one for each set bit of size
}

// EdgeIndexes returns the numbers of the nodes that LoadTree wants, in order.
func EdgeIndexes(size int64) []int64 {
	var s []int64
	var at int64
	for level := 62; level >= 0; level-- {
		if size&(1<<level) != 0 {
			s = append(s, tlog.StoredHashIndex(level, at>>level))
			at += 1 << level
		}
	}
	return s
}

// LoadTree returns the tree of a size with the hashes of EdgeIndexes(size).
func LoadTree(size int64, edge []Hash) (Tree, error) {
	if size < 0 || bits.OnesCount64(uint64(size)) != len(edge) {
		return Tree{}, fmt.Errorf("ledger: %d hashes do not make the edge of a log of %d entries", len(edge), size)
	}
	return Tree{size, slices.Clone(edge)}, nil
}

// Size returns the number of leaves.
func (t Tree) Size() int64 { return t.size }

// Append returns the tree with one leaf more and the nodes to be stored; t itself stays as it is.
func (t Tree) Append(leaf []byte) (Tree, []Node) {
	h := tlog.RecordHash(leaf)
	nodes := []Node{{tlog.StoredHashIndex(0, t.size), h}}
	edge := slices.Clone(t.edge)
	for level := 0; t.size&(1<<level) != 0; level++ {
		h = tlog.NodeHash(edge[len(edge)-1], h)
		edge = edge[:len(edge)-1]
		nodes = append(nodes, Node{tlog.StoredHashIndex(level+1, t.size>>(level+1)), h})
	}
	return Tree{t.size + 1, append(edge, h)}, nodes
}

// Root returns the tree's root hash.
func (t Tree) Root() Hash {
	if len(t.edge) == 0 {
		h, err := tlog.TreeHash(0, nil)
		if err != nil {
			panic("ledger: the empty tree has a hash: " + err.Error())
		}
		return h
	}
	h := t.edge[len(t.edge)-1]
	for i := len(t.edge) - 2; i >= 0; i-- {
		h = tlog.NodeHash(t.edge[i], h)
	}
	return h
}

// Head returns the tree's head under the log's name.
func (t Tree) Head(log string) Head {
	root := t.Root()
	return Head{Log: log, Size: t.size, Root: root[:]}
}

// CheckpointBody returns the text of a head that is signed: a C2SP tlog-checkpoint of origin, size and root. tallies, where
// there are any, follow in an extension line:
//
//	<installation>.dosevault/installation
//	4711
//	<base64 of the root>
//	tallies <base64 of 32 bytes>
//
// The installation log's checkpoints have that line. It is a keyed hash over the tables of authority as the commit with the
// last entry left them, so whoever keeps a head binds these tables too. To anybody without the key it tells nothing.
func CheckpointBody(origin string, h Head, tallies []byte) string {
	s := fmt.Sprintf("%s\n%d\n%s\n", origin, h.Size, base64.StdEncoding.EncodeToString(h.Root))
	if tallies != nil {
		s += talliesLine + base64.StdEncoding.EncodeToString(tallies) + "\n"
	}
	return s
}

const talliesLine = "tallies "

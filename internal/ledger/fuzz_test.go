package ledger_test

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/dosevault/dosevault/internal/ledger"
)

// Whatever stands in the tables of a log, it is read as what was written, or not at all.
func FuzzDecode(f *testing.F) {
	s := ledger.NewSigner("abcdefghijklmnopqrstuvwxyz", [32]byte{7})
	root := sha256.Sum256(nil)
	good, err := s.Sign(ledger.Head{Log: ledger.InstallationLog, Size: 3, Root: root[:]}, root[:])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, err := ledger.DecodeLeaf(b); err == nil && !bytes.Equal(l.Encode(), b) {
			t.Errorf("a leaf of %x is written as %x", b, l.Encode())
		}
		if _, err := ledger.DecodeOpening(b, [32]byte{}); err == nil {
			t.Error("an opening of another hash was read")
		}
		if o, err := ledger.DecodeOpening(b, sha256.Sum256(b)); err == nil {
			o.Encode()
		}
		if h, _, err := s.Open(ledger.InstallationLog, b); err == nil && (h.Size != 3 || !bytes.Equal(h.Root, root[:])) {
			t.Errorf("a head that was not signed was read as %+v", h)
		}
	})
}

package vault_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/dosevault/dosevault/internal/vault"
)

func aHead(size int) []byte {
	return fmt.Appendf(nil, "inst.dosevault/installation\n%d\n%s\n\n— a signature\n", size, bytes.Repeat([]byte("r"), 44))
}

// Wherever a write of the head is cut short, the head before it is still there, or the new one is; and the next write mends it.
func TestAHeadCutShortLeavesTheOneBefore(t *testing.T) {
	keys := vault.KeyDir(t.TempDir())
	if err := os.Mkdir(filepath.Join(string(keys), "vault"), 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(string(keys), "vault", "head")
	if head := must(keys.Head()); head != nil {
		t.Fatalf("a head before the first: %q", head)
	}
	var before []byte
	for size := 8; size < 13; size++ { // over a size with a digit more
		if err := keys.SetHead(aHead(size)); err != nil {
			t.Fatal(err)
		}
		after := must(os.ReadFile(path))
		for cut := range len(after) {
			torn := bytes.Clone(after[:cut])
			if cut < len(before) {
				torn = append(torn, before[cut:]...)
			}
			if err := os.WriteFile(path, torn, 0o600); err != nil {
				t.Fatal(err)
			}
			head, err := keys.Head()
			if size > 8 && (err != nil || !bytes.Equal(head, aHead(size)) && !bytes.Equal(head, aHead(size-1))) {
				t.Fatalf("head %d cut after %d bytes: %q, %v", size, cut, head, err)
			}
			if size == 8 && !(head == nil || bytes.Equal(head, aHead(size))) {
				t.Fatalf("the first head cut after %d bytes: %q, %v", cut, head, err)
			}
			if err := keys.SetHead(aHead(size + 1)); err != nil {
				t.Fatal(err)
			}
			if head := must(keys.Head()); !bytes.Equal(head, aHead(size+1)) {
				t.Fatalf("written again after a cut at %d: %q", cut, head)
			}
		}
		if err := os.WriteFile(path, after, 0o600); err != nil {
			t.Fatal(err)
		}
		if head := must(keys.Head()); !bytes.Equal(head, aHead(size)) {
			t.Fatalf("head %d: %q", size, head)
		}
		before = after
	}
	if copied := must(vault.HeadIn(before)); !bytes.Equal(copied, aHead(12)) {
		t.Errorf("a copy of the file: %q", copied)
	}
	if text := must(vault.HeadIn(aHead(12))); !bytes.Equal(text, aHead(12)) {
		t.Errorf("a checkpoint by itself: %q", text)
	}
}

// A head that was changed is not taken for none.
func TestAChangedHeadIsNoHead(t *testing.T) {
	h := newHouse(t)
	h.stop()
	path := filepath.Join(string(h.keys), "vault", "head")
	b := must(os.ReadFile(path))
	for i := range b {
		if i%7 == 0 {
			b[i] ^= 1
		}
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := opens(t.Context(), filepath.Join(h.dir, "vault.db"), h.keys); err == nil {
		t.Error("the vault starts beside a head that is none")
	}
}

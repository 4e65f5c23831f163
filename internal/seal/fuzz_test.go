package seal_test

import (
	"bytes"
	"testing"

	"github.com/dosevault/dosevault/internal/seal"
)

// Whatever bytes are given for a sealed value, only what was sealed under that key and context opens.
func FuzzOpen(f *testing.F) {
	box, ctx := seal.Key{1}.Box(), seal.NewContext("row", []byte("user"), []byte("id"))
	sealed, err := box.Seal(ctx, 64, []byte("value"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := box.Open(ctx, b); err == nil && string(v) != "value" {
			t.Errorf("%x opens as %x", b, v)
		}
		if v, err := box.Open(seal.NewContext("row", []byte("user"), b), sealed); err == nil && !bytes.Equal(b, []byte("id")) {
			t.Errorf("the value opens elsewhere, as %x", v)
		}
		if _, err := box.Unwrap(ctx, b); err == nil {
			t.Errorf("%x is a key", b)
		}
	})
}

package vaultclient

import (
	"testing"

	"github.com/dosevault/dosevault/internal/id"
)

// Whatever text is given for what is frozen, for an id or for a machine's key, it is read as the one thing that it names, or refused.
func FuzzTexts(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := ParseScope(text); err == nil {
			if again, err := ParseScope(string(s)); err != nil || again != s || len(s) > 300 {
				t.Errorf("%q is read as %q", text, s)
			}
		}
		if n, err := id.Parse[id.User](text); err == nil && !n.IsZero() && n.String() != text {
			t.Errorf("%q is read as %s", text, n)
		}
		if k, err := ParseMachineKey(text); err == nil && len(k) != 32 {
			t.Errorf("a key of %d bytes", len(k))
		}
	})
}

package vault

import (
	"strings"
	"testing"
)

func TestASecretCanBeTypedOnACommandLine(t *testing.T) {
	for range 500 {
		s := newSecret()
		if len(s) != 64 || strings.Trim(s, "0123456789abcdef") != "" {
			t.Fatalf("a secret of %d characters that are not all digits and letters", len(s))
		}
	}
}

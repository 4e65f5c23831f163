package courier

import (
	"maps"
	"testing"

	"github.com/dosevault/dosevault/internal/testwords"
	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/words"
)

// Each text of a notice has its Welsh, with as many arguments, and nothing else has.
func TestEveryTextInWelsh(t *testing.T) {
	said, err := testwords.Constants(t.Context(), ".")
	if err != nil {
		t.Fatal(err)
	}
	if len(said.Keys) < 15 {
		t.Fatalf("only %d texts: are these the notices?", len(said.Keys))
	}
	own := words.Catalogue{Texts: maps.Clone(welsh.Texts), Nouns: welsh.Nouns}
	for k := range vault.Welsh {
		delete(own.Texts, k)
	}
	for _, wrong := range said.Wrong(own) {
		t.Error(wrong)
	}
}

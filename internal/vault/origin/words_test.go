package origin

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/dosevault/dosevault/internal/testwords"
	"github.com/dosevault/dosevault/internal/words"
)

// TestEveryTextInWelsh: each text and noun of the origin's pages has its Welsh, with as many arguments, and nothing else
// has; and the templates have no text of their own beside the program's name.
func TestEveryTextInWelsh(t *testing.T) {
	said, err := testwords.Constants(t.Context(), ".", "..") // the vault says itself what is proposed
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	source := ""
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source += string(b)
	}
	for _, m := range regexp.MustCompile(`\.T ("[^"]*")`).FindAllStringSubmatch(source, -1) {
		text, err := strconv.Unquote(m[1])
		if err != nil {
			t.Fatal(err)
		}
		said.Keys[words.Key(text)] = true
	}
	if len(said.Keys) < 30 || len(said.Nouns) == 0 {
		t.Fatalf("only %d texts and %d nouns: is this the origin?", len(said.Keys), len(said.Nouns))
	}
	for _, wrong := range said.Wrong(welsh) {
		t.Error(wrong)
	}
	bare := regexp.MustCompile(`\{\{[^}]*\}\}`).ReplaceAllString(source, " ")
	bare = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(bare, " ")
	for _, word := range regexp.MustCompile(`\pL+`).FindAllString(bare, -1) {
		if word != "dosevault" {
			t.Errorf("%q stands in a template outside T", word)
		}
	}
}

package incident

import (
	"context"
	"testing"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/testwords"
	"github.com/dosevault/dosevault/internal/words"
)

func speak(t *testing.T, l words.Lang) context.Context {
	return words.With(t.Context(), l, &words.Catalogue{})
}

// Each text of the package stands in English and Welsh, whatever catalogue the context has.
func TestEveryTextInWelsh(t *testing.T) {
	said, err := testwords.Constants(t.Context(), ".")
	if err != nil {
		t.Fatal(err)
	}
	if len(said.Keys) < 30 {
		t.Fatalf("only %d texts: is this the package?", len(said.Keys))
	}
	for _, wrong := range said.Wrong(welsh) {
		t.Error(wrong)
	}
	f := policy.FieldName | policy.FieldBirth | policy.FieldContact
	for l, want := range map[words.Lang]string{words.English: "name, date of birth and contact details", words.Welsh: "enw, dyddiad geni a manylion cyswllt"} {
		if got := SayFields(speak(t, l), f); got != want {
			t.Errorf("%s: %s", l, got)
		}
	}
	if n := len(FieldKeys(policy.AllFields)); n != len(fieldKeys) {
		t.Errorf("%d fields have texts", n)
	}
}

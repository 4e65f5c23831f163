package policy_test

import (
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/policy"
)

// Whatever texts are proposed as policies, they are refused in words, or they answer every example and every rule has its text.
func FuzzParse(f *testing.F) {
	carried := policy.Carried()
	for _, name := range carried.Names() {
		if strings.HasPrefix(name, "search.") || strings.HasPrefix(name, "every.") {
			f.Add(name, carried[name])
		}
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		set, err := policy.Parse(policy.Files{name: text})
		if err != nil {
			return
		}
		list, err := policy.Examples(set.Files())
		if err != nil {
			t.Fatal(err)
		}
		if wrong := set.Wrong(list); len(wrong) > 0 {
			t.Errorf("taken with examples that come out otherwise: %v", wrong)
		}
		for _, e := range list {
			if e.Allow && set.Text(e.Rule) == "" {
				t.Errorf("the rule %s has no text", e.Rule)
			}
		}
	})
}

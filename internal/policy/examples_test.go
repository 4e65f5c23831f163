package policy

import "testing"

// examples reads the examples beside the policies.
func examples(t testing.TB) []Example {
	t.Helper()
	all, err := Examples(Carried())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestExamples(t *testing.T) {
	for _, w := range mustLoad(t).Wrong(examples(t)) {
		t.Error(w)
	}
}

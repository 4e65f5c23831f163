package vault

import (
	"strings"
	"testing"
)

// TestLineChanges: what differs is said with a line before it; texts that are too long are not compared line by line.
func TestLineChanges(t *testing.T) {
	for _, x := range []struct{ old, new, want string }{
		{"a\nb\nc\n", "a\nb\nc\n", ""},
		{"a\nb\nc\n", "a\nx\nc\n", "  a|- b|+ x"},
		{"a\nb\n", "a\nb\nc\n", "  b|+ c"},
		{"a\nb\nc\n", "b\nc\n", "- a"},
		{"a\na\n", "a\n", "  a|- a"},
		{"1\n2\n3\n4\n5\n6\n", "1\nx\n3\n4\ny\n6\n", "  1|- 2|+ x|  4|- 5|+ y"},
		{"", "a\n", "- |+ a"},
	} {
		if got := strings.ReplaceAll(lineChanges(x.old, x.new), "\n", "|"); got != x.want {
			t.Errorf("%q to %q: %q, want %q", x.old, x.new, got, x.want)
		}
	}
	long := strings.Repeat("old\n", 100_000)
	got := strings.Split(lineChanges("first\n"+long+"last\n", "first\n"+strings.Repeat("new\n", 100_000)+"last\n"), "\n")
	if len(got) != 200_001 || got[0] != "  first" || got[1] != "- old" || got[200_000] != "+ new" {
		t.Errorf("%d lines of a long text", len(got))
	}
}

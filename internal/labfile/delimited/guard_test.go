package delimited

import (
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// byByte is what a guard makes of a text, byte by byte: how much it passes on, and where its error stands.
func byByte(text string) (passed int, e Error) {
	line, begin, size, columns := 1, 0, 0, 0
	quoted := false
	for i := range len(text) {
		if size == 0 {
			begin = line
		}
		size++
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\n':
			line++
			if !quoted {
				size, columns = 0, 0
			}
		case c == ',' && !quoted:
			columns++
		}
		if columns >= MaxColumns {
			return i, Error{Line: begin, Column: MaxColumns + 1}
		}
		if size > MaxRecord {
			return i, Error{Line: begin, Column: columns + 1}
		}
	}
	return len(text), Error{}
}

// However a text comes in pieces, the guard stops it at the very byte that is one too many.
func TestTheGuardStopsAtTheByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		for range rapid.IntRange(1, 4).Draw(t, "parts") {
			part := rapid.SampledFrom([]string{",", "\n", `"`, "a", `"x,` + "\n" + `"`}).Draw(t, "part")
			times := rapid.SampledFrom([]int{1, 2, 7, MaxColumns / 2, MaxColumns - 1, MaxColumns, MaxRecord/2 - 1, MaxRecord / 2, MaxRecord/2 + 1}).Draw(t, "times")
			text.WriteString(strings.Repeat(part, min(times, (3<<19)/len(part))))
		}
		want, at := byByte(text.String())
		g := &guard{r: strings.NewReader(text.String()), separator: ',', line: 1}
		b := make([]byte, rapid.SampledFrom([]int{1000, 4096, 65536, 1 << 20}).Draw(t, "piece"))
		passed := 0
		var err error
		for err == nil {
			var n int
			n, err = g.Read(b)
			passed += n
		}
		if err == io.EOF {
			err = &Error{}
		}
		if got := err.(*Error); passed != want || got.Line != at.Line || got.Column != at.Column {
			t.Fatalf("passed on %d bytes and stopped at line %d, column %d, want %d, %d and %d", passed, got.Line, got.Column, want, at.Line, at.Column)
		}
	})
}

package delimited

import "testing"

func TestIsError(t *testing.T) {
	for s, want := range map[string]bool{"#N/A": true, "#REF!": true, "#DIV/0!": true, "#NAME?": true, "#GETTING_DATA": true, "#ERROR!": true, "Err:502": true,
		"": false, "#": false, "#!": false, "#1": false, "#n/a": false, "N/A": false, "#Jones!": false, "Err:5x2": false, "Err:": false, "#12!": false} {
		if IsError(s) != want {
			t.Errorf("%q: %t", s, !want)
		}
	}
}

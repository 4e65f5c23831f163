package id

import (
	"encoding/json"
	"testing"
)

func TestTextForm(t *testing.T) {
	for range 1000 {
		w := New[Wearer]()
		back, err := Parse[Wearer](w.String())
		if err != nil || back != w || len(w.String()) != 26 {
			t.Fatalf("%s was read as %s, %v", w, back, err)
		}
	}
	good := New[Wearer]().String()
	for _, bad := range []string{good[:25], good + "a", "A" + good[1:], "1" + good[1:], good[:25] + "b", " " + good[1:]} {
		// The last letter carries two spare bits: only one text in four names an id.
		if v, err := Parse[Wearer](bad); err == nil && v.String() != bad {
			t.Errorf("%q was read as %s", bad, v)
		} else if err == nil && bad != good[:25]+"b" {
			t.Errorf("%q was read as an id", bad)
		}
	}
}

func TestZeroInJSON(t *testing.T) {
	var v struct {
		A Wearer `json:"a,omitzero"`
		B Wearer `json:"b"`
	}
	b, err := json.Marshal(v)
	if err != nil || string(b) != `{"b":""}` {
		t.Fatalf("%s, %v", b, err)
	}
	v.A = New[Wearer]()
	if err := json.Unmarshal(b, &v); err != nil || !v.B.IsZero() {
		t.Fatal(err)
	}
}

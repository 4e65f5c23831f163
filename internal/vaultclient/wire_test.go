package vaultclient

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
)

func TestItemsSurviveTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 5).Draw(t, "n")
		bytesOf := rapid.SliceOfN(rapid.Byte(), 0, 9)
		items := make([]Item, n)
		for i := range items {
			items[i] = Item{Context: Context{Table: rapid.SampledFrom([]string{"reading", "wearer"}).Draw(t, "table"), Row: id.New[id.Row](), Version: rapid.Uint32().Draw(t, "version"),
				Class: policy.Class(rapid.IntRange(1, 7).Draw(t, "class")), Organisation: id.New[id.Organisation](), Wearer: id.New[id.Wearer](), Year: rapid.Uint16().Draw(t, "year"), Bind: bytesOf.Draw(t, "bind")},
				Value: bytesOf.Draw(t, "value"), Pad: rapid.IntRange(0, MaxPad).Draw(t, "pad")}
		}
		b, err := json.Marshal(WireItemsOf(policy.AssessDose, "why", items))
		if err != nil {
			t.Fatal(err)
		}
		var w WireItems
		if err := json.Unmarshal(b, &w); err != nil {
			t.Fatal(err)
		}
		back, err := w.Items()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(items, back, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// Whatever columns a hostile node sends, reading them ends with an error or with items, and never takes more than was sent.
func FuzzItems(f *testing.F) {
	good, err := json.Marshal(WireItemsOf(policy.AssessDose, "", []Item{{Context: Context{Table: "reading", Bind: []byte{1}}, Value: []byte{2, 3}, Pad: 64}}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"lengths":"/////w==","data":"AA==","tables":[]}`))
	f.Add([]byte(`{"lengths":"AAA=","tables":["a"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var w WireItems
		if json.Unmarshal(b, &w) != nil {
			return
		}
		items, err := w.Items()
		if err != nil {
			return
		}
		total := 0
		for _, it := range items {
			total += len(it.Value) + len(it.Bind)
		}
		if total > len(b) {
			t.Fatalf("%d bytes were read from %d", total, len(b))
		}
	})
}

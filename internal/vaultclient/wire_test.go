package vaultclient

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
)

func TestItemsSurviveTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 5).Draw(t, "n")
		bytesOf := rapid.SliceOfN(rapid.Byte(), 0, 9)
		items := make([]Item, n)
		for i := range items {
			items[i] = Item{Context: Context{Table: rapid.SampledFrom([]string{"reading", "wearer"}).Draw(t, "table"), Row: id.New[id.Row](), Version: rapid.Uint32().Draw(t, "version"),
				Class: policy.Class(rapid.IntRange(1, 7).Draw(t, "class")), Organisation: id.New[id.Organisation](), Wearer: id.New[id.Wearer](), Year: rapid.Uint16().Draw(t, "year"), Bind: bytesOf.Draw(t, "bind"), Named: rapid.Bool().Draw(t, "named")},
				Value: bytesOf.Draw(t, "value"), Pad: rapid.IntRange(0, MaxPad).Draw(t, "pad")}
		}
		var back Call[WireItems]
		if err := Decode(sent(t, WireItemsOf(policy.AssessDose, "why", items)), TypeColumns, &back, &back.Body, true); err != nil {
			t.Fatal(err)
		}
		got, err := back.Body.Items()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(items, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// Whatever columns a hostile node sends, reading them ends with an error or with items, and never takes more than was sent.
func FuzzItems(f *testing.F) {
	good := sent(f, WireItemsOf(policy.AssessDose, "", []Item{{Context: Context{Table: "reading", Bind: []byte{1}}, Value: []byte{2, 3}, Pad: 64}}))
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte("\x00\x00\x00\x02{}\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var call Call[WireItems]
		if Decode(b, TypeColumns, &call, &call.Body, true) != nil {
			return
		}
		items, err := call.Body.Items()
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

// sent is what a request with a body of columns is on the wire.
func sent(t interface{ Fatal(...any) }, body WireItems) []byte {
	w, err := NewBody(Call[WireItems]{Body: body}, &body)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ReadBody(w.Reader(), w.Size)
	if err != nil {
		t.Fatal(err)
	}
	if w.Type != TypeColumns || int64(len(b)) != w.Size {
		t.Fatal("the body's type or size is wrong")
	}
	return b
}

func TestBodiesOfAnotherForm(t *testing.T) {
	items := sent(t, WireItems{})
	for name, bad := range map[string]struct {
		b    []byte
		kind string
	}{
		"JSON for columns":   {[]byte(`{"body":{"purpose":"x"}}`), TypeJSON},
		"said to be columns": {[]byte(`{"body":{"purpose":"x"}}`), TypeColumns},
		"cut off":            {items[:len(items)-3], TypeColumns},
		"too long":           {append(items[:len(items):len(items)], 0), TypeColumns},
		"empty":              {nil, TypeColumns},
	} {
		var call Call[WireItems]
		if err := Decode(bad.b, bad.kind, &call, &call.Body, true); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	var call Call[WireSecret]
	if err := Decode([]byte(`{"body":{"secret":"s","more":1}}`), TypeJSON, &call, &call.Body, true); err == nil {
		t.Error("an unknown field: no error")
	}
	if err := Decode([]byte(`{"body":{"secret":"s","more":1}}`), TypeJSON, &call, &call.Body, false); err != nil || call.Body.Secret != "s" {
		t.Errorf("an answer of a newer vault: %v", err)
	}
}

func TestRecordsSurviveTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.Map(rapid.String(), person.NewValue)
		lists := rapid.SliceOfN(texts, 0, 3)
		recs := make([]Record, rapid.IntRange(0, 4).Draw(t, "n"))
		for i := range recs {
			r := &recs[i]
			r.Wearer, r.Organisation, r.From, r.To = id.New[id.Wearer](), id.New[id.Organisation](), rapid.String().Draw(t, "from"), rapid.String().Draw(t, "to")
			r.Current, r.Classified = rapid.Bool().Draw(t, "current"), rapid.Bool().Draw(t, "classified")
			for _, v := range []*person.Value{&r.Identity.Surname, &r.Identity.Forenames, &r.Identity.KnownAs, &r.Identity.Birth, &r.Identity.Sex, &r.Identity.StaffNumber,
				&r.Identity.Registration, &r.NI, &r.Contact.Email, &r.Contact.Phone, &r.Contact.Language} {
				*v = texts.Draw(t, "text")
			}
			r.Identity.Former, r.Contact.Address = lists.Draw(t, "former names"), lists.Draw(t, "address")
		}
		got, err := WireRecordsOf(recs).Records()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(recs, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// Whatever columns come back, reading them ends with an error or with records that hold no more than was sent.
func FuzzRecords(f *testing.F) {
	good := WireRecordsOf([]Record{{From: "2020-01-01", Identity: person.Identity{Surname: person.NewValue("Jones"), Former: []person.Value{person.NewValue("Evans")}}}})
	f.Add(good.Facts, good.Lists, good.Texts.Lengths, good.Texts.Data)
	f.Add(good.Facts, []byte{255, 255}, good.Texts.Lengths, good.Texts.Data)
	f.Add(good.Facts, good.Lists, []byte("\xff\xff\xff\xff"), good.Texts.Data)
	f.Fuzz(func(t *testing.T, facts, lists, lengths, data []byte) {
		w := WireRecords{make([]byte, 16*len(facts)), make([]byte, 16*len(facts)), facts, lists, WireValues{lengths, data}}
		recs, err := w.Records()
		if err != nil {
			return
		}
		total := 0
		for _, r := range recs {
			total += len(r.From) + len(r.To) + len(r.Identity.Surname.Expose()) + len(r.NI.Expose())
		}
		if total > len(data) {
			t.Fatalf("%d bytes were read from %d", total, len(data))
		}
	})
}

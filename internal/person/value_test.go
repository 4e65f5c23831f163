package person

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"log/slog"
	"strings"
	"testing"
	"text/template"

	"pgregory.net/rapid"
)

const secret = "Zqŵxw-Llŷr"

// leaks reports whether printed holds the secret, as text or as the escapes and bytes that verbs make of it.
func leaks(printed string) bool {
	for _, form := range []string{secret, "Zq", fmt.Sprintf("%x", "Zq"), fmt.Sprintf("%X", "Zq"), fmt.Sprintf("% x", "Zq"), "90 113", "0x5a, 0x71", fmt.Sprintf("%x", "Llŷr"), "Llŷr", `Ll\u0177r`} {
		if strings.Contains(printed, form) {
			return true
		}
	}
	return false
}

type badgeLabel struct {
	Name  Value
	other Value
	inner struct{ list []Value }
	deep  map[string]*Value
	any   any
}

func TestAValueNeverPrints(t *testing.T) {
	v := NewValue(secret)
	label := badgeLabel{Name: v, other: v, inner: struct{ list []Value }{[]Value{v}}, deep: map[string]*Value{"x": &v}, any: v}
	things := map[string]any{
		"value": v, "pointer": &v, "slice": []Value{v}, "map": map[string]Value{"a": v}, "key": map[Value]int{v: 1},
		"struct": label, "pointer to struct": &label, "array": [1]Value{v}, "any": []any{v, label},
		"identity": Identity{Surname: v, Former: []Value{v}}, "contact": Contact{Email: v, Address: []Value{v}},
		"unexported identity": struct{ id Identity }{Identity{Surname: v}},
	}
	for name, thing := range things {
		for _, verb := range "vTtbcdoOqxXUeEfFgGspw" {
			for _, flags := range []string{"", "+", "#", "-", " ", "0", "30", ".3", "+#"} {
				if s := fmt.Sprintf("%"+flags+string(verb), thing); leaks(s) {
					t.Errorf("%s as %%%s%c prints %s", name, flags, verb, s)
				}
			}
		}
		if s := fmt.Sprint(thing) + fmt.Sprintln(thing) + fmt.Errorf("importing %v: %w", thing, errors.ErrUnsupported).Error(); leaks(s) {
			t.Errorf("%s prints %s", name, s)
		}
		if b, err := json.Marshal(thing); leaks(string(b)) {
			t.Errorf("%s as JSON: %s, %v", name, b, err)
		}
		if b, err := xml.Marshal(thing); leaks(string(b)) || err != nil && leaks(err.Error()) {
			t.Errorf("%s as XML: %s, %v", name, b, err)
		}
		var out bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).Info("read", "thing", thing, slog.Group("g", "inner", thing), slog.Any("name", thing))
		}
		if leaks(out.String()) {
			t.Errorf("%s in a log: %s", name, out.String())
		}
		out.Reset()
		if err := template.Must(template.New("").Parse(`{{.}} {{printf "%v %#v %s" . . .}} {{print .}} {{html .}} {{js .}}`)).Execute(&out, thing); err != nil || leaks(out.String()) {
			t.Errorf("%s in a template: %s, %v", name, out.String(), err)
		}
		out.Reset()
		if err := htmltemplate.Must(htmltemplate.New("").Parse(`<a title="{{.}}">{{.}}</a><script>let x = {{.}}</script>`)).Execute(&out, thing); leaks(out.String()) {
			t.Errorf("%s in an HTML template: %s, %v", name, out.String(), err)
		}
	}
	if fmt.Sprint(v) != placeholder || fmt.Sprint(Value{}) != placeholder {
		t.Errorf("printed %v and %v, want the placeholder: whether there is a text is personal too", v, Value{})
	}
	defer func() {
		if s := fmt.Sprint(recover()); leaks(s) {
			t.Errorf("a panic prints %s", s)
		}
	}()
	panic(v)
}

func TestErrorsHoldNoValue(t *testing.T) {
	long := NewValue(strings.Repeat(secret, 40))
	odd := NewValue(secret + "\x00")
	_, err := CheckIdentity(Identity{Surname: long, Forenames: odd, KnownAs: long, Former: []Value{long}, Birth: long, Sex: NewValue(secret), StaffNumber: odd, Registration: NewValue(secret)}, today)
	_, err2 := CheckContact(Contact{Email: NewValue(secret), Phone: NewValue(secret), Address: []Value{long}, Language: NewValue(secret)})
	_, err3 := CheckNI(NewValue(secret))
	for _, err := range []error{err, err2, err3} {
		var f *FieldError
		if !errors.As(err, &f) {
			t.Fatalf("%v is no field error", err)
		}
		if s := fmt.Sprintf("%v %+v %#v %+v", err, err, err, *f); leaks(s) {
			t.Errorf("an error prints %s", s)
		}
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != 8 {
		t.Errorf("%d problems were told of an identity with 8:\n%v", n, err)
	}
}

func TestTheStoredFormIsStable(t *testing.T) {
	i := Identity{NewValue("Llŷr"), NewValue("Siân"), NewValue("Shân"), []Value{NewValue("Gŵyn"), NewValue("ab Owain")}, NewValue("1980-02-29"), NewValue("F"), NewValue("12345678-2"), NewValue("HCPC RA012345")}
	const want = `{"surname":"Llŷr","forenames":"Siân","known_as":"Shân","former":["Gŵyn","ab Owain"],"birth":"1980-02-29","sex":"F","staff_number":"12345678-2","registration":"HCPC RA012345"}`
	if got := string(i.Encode()); got != want {
		t.Errorf("stored form %s, want %s", got, want)
	}
	c := Contact{NewValue("a@b.example"), NewValue("029 2018 0000"), []Value{NewValue("Tŷ Gwyn"), NewValue("XW1 1AA")}, NewValue("cy")}
	const wantContact = `{"email":"a@b.example","phone":"029 2018 0000","address":["Tŷ Gwyn","XW1 1AA"],"language":"cy"}`
	if got := string(c.Encode()); got != wantContact {
		t.Errorf("stored form %s, want %s", got, wantContact)
	}
}

func TestDecodingGivesBackWhatWasEncoded(t *testing.T) {
	values := rapid.Custom(func(t *rapid.T) Value { return NewValue(rapid.String().Draw(t, "text")) })
	rapid.Check(t, func(t *rapid.T) {
		draw := func() Value { return values.Draw(t, "field") }
		i := Identity{draw(), draw(), draw(), rapid.SliceOfN(values, 0, 3).Draw(t, "former"), draw(), draw(), draw(), draw()}
		back, err := DecodeIdentity(i.Encode())
		if err != nil || !bytes.Equal(back.Encode(), i.Encode()) || back.Surname != i.Surname || len(back.Former) != len(i.Former) {
			t.Fatalf("an identity came back changed: %v", err)
		}
		c := Contact{draw(), draw(), rapid.SliceOfN(values, 0, 3).Draw(t, "address"), draw()}
		if back, err := DecodeContact(c.Encode()); err != nil || !bytes.Equal(back.Encode(), c.Encode()) {
			t.Fatalf("a contact came back changed: %v", err)
		}
	})
	for _, bad := range []string{"", "{", "[]", `{"surname":1}`} {
		if _, err := DecodeIdentity([]byte(bad)); !errors.Is(err, ErrDecode) {
			t.Errorf("DecodeIdentity(%q): %v", bad, err)
		}
		if _, err := DecodeContact([]byte(bad + "x")); !errors.Is(err, ErrDecode) {
			t.Errorf("DecodeContact(%q): %v", bad, err)
		}
	}
}

// Package person knows what dosevault may know of a human being: the identity
// fields and their rules, how they are normalised and compared, and how two
// wearers are recognised as one person.
//
// A personal value is a [Value]: it prints as a placeholder wherever a program
// prints things by accident, and gives its text only to a caller that asks for
// it by name. The package is pure: no files, network, database or clock.
package person

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"unique"
)

// Value is a personal text. Only Expose gives the text; every form of printing gives a placeholder.
// Two Values are == exactly if their texts are the same.
//
// The text stands behind a handle: package fmt walks into unexported fields of structs, where it may call no
// method, and finds an address there.
type Value struct{ handle unique.Handle[string] }

const placeholder = "[personal]"

// NewValue wraps a personal text.
func NewValue(text string) Value {
	if text == "" {
		return Value{}
	}
	return Value{unique.Make(text)}
}

// Expose returns the text itself.
func (v Value) Expose() string {
	if v == (Value{}) {
		return ""
	}
	return v.handle.Value()
}

// IsZero reports whether there is no text.
func (v Value) IsZero() bool { return v == Value{} }

// Equal reports whether the texts are the same.
func (v Value) Equal(w Value) bool { return v == w }

// String returns a placeholder.
func (v Value) String() string { return placeholder }

// GoString returns a placeholder.
func (v Value) GoString() string { return placeholder }

// Format writes a placeholder for every verb.
func (v Value) Format(f fmt.State, _ rune) { io.WriteString(f, placeholder) }

// MarshalJSON returns a placeholder; see [Identity.Encode] for the stored form.
func (v Value) MarshalJSON() ([]byte, error) { return []byte(`"` + placeholder + `"`), nil }

// MarshalText returns a placeholder.
func (v Value) MarshalText() ([]byte, error) { return []byte(placeholder), nil }

// LogValue returns a placeholder.
func (v Value) LogValue() slog.Value { return slog.StringValue(placeholder) }

// Identity holds the fields of the class identity. Any may be empty.
type Identity struct {
	Surname      Value
	Forenames    Value
	KnownAs      Value
	Former       []Value // earlier surnames, latest first
	Birth        Value   // date of birth, YYYY-MM-DD
	Sex          Value   // F, M or X
	StaffNumber  Value
	Registration Value // professional register, as in "HCPC RA012345"
}

// Contact holds the fields of the class contact.
type Contact struct {
	Email    Value
	Phone    Value
	Address  []Value // lines, the postcode last
	Language Value   // en, cy or empty for both
}

// ErrDecode says that bytes are no stored form of a personal record.
var ErrDecode = errors.New("person: not a stored record")

// storedIdentity is the stored form of an Identity: JSON with these names, which never change.
type storedIdentity struct {
	Surname      string   `json:"surname,omitempty"`
	Forenames    string   `json:"forenames,omitempty"`
	KnownAs      string   `json:"known_as,omitempty"`
	Former       []string `json:"former,omitempty"`
	Birth        string   `json:"birth,omitempty"`
	Sex          string   `json:"sex,omitempty"`
	StaffNumber  string   `json:"staff_number,omitempty"`
	Registration string   `json:"registration,omitempty"`
}

type storedContact struct {
	Email    string   `json:"email,omitempty"`
	Phone    string   `json:"phone,omitempty"`
	Address  []string `json:"address,omitempty"`
	Language string   `json:"language,omitempty"`
}

// Encode returns the stored form, which holds the texts: it is for sealing and for the vault's wire only.
func (i Identity) Encode() []byte {
	return encode(storedIdentity{i.Surname.Expose(), i.Forenames.Expose(), i.KnownAs.Expose(), texts(i.Former), i.Birth.Expose(), i.Sex.Expose(), i.StaffNumber.Expose(), i.Registration.Expose()})
}

// DecodeIdentity reads what Encode returned; the error is ErrDecode.
func DecodeIdentity(b []byte) (Identity, error) {
	var s storedIdentity
	if json.Unmarshal(b, &s) != nil {
		return Identity{}, ErrDecode
	}
	return Identity{NewValue(s.Surname), NewValue(s.Forenames), NewValue(s.KnownAs), values(s.Former), NewValue(s.Birth), NewValue(s.Sex), NewValue(s.StaffNumber), NewValue(s.Registration)}, nil
}

// Encode returns the stored form, which holds the texts: it is for sealing and for the vault's wire only.
func (c Contact) Encode() []byte {
	return encode(storedContact{c.Email.Expose(), c.Phone.Expose(), texts(c.Address), c.Language.Expose()})
}

// DecodeContact reads what Encode returned; the error is ErrDecode.
func DecodeContact(b []byte) (Contact, error) {
	var s storedContact
	if json.Unmarshal(b, &s) != nil {
		return Contact{}, ErrDecode
	}
	return Contact{NewValue(s.Email), NewValue(s.Phone), values(s.Address), NewValue(s.Language)}, nil
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("person: a struct of strings always encodes") // unreachable: no type in it can fail
	}
	return b
}

func texts(vs []Value) []string {
	var s []string
	for _, v := range vs {
		s = append(s, v.Expose())
	}
	return s
}

func values(ss []string) []Value {
	var v []Value
	for _, s := range ss {
		v = append(v, NewValue(s))
	}
	return v
}

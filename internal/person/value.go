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
)

// Value is a personal text. Only Expose gives the text; every form of printing gives a placeholder.
type Value struct{ text string }

const placeholder = "[personal]"

// NewValue wraps a personal text.
func NewValue(text string) Value { return Value{text} }

// Expose returns the text itself.
func (v Value) Expose() string { return v.text }

// IsZero reports whether there is no text.
func (v Value) IsZero() bool { return v.text == "" }

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
	return encode(storedIdentity{i.Surname.text, i.Forenames.text, i.KnownAs.text, texts(i.Former), i.Birth.text, i.Sex.text, i.StaffNumber.text, i.Registration.text})
}

// DecodeIdentity reads what Encode returned; the error is ErrDecode.
func DecodeIdentity(b []byte) (Identity, error) {
	var s storedIdentity
	if json.Unmarshal(b, &s) != nil {
		return Identity{}, ErrDecode
	}
	return Identity{Value{s.Surname}, Value{s.Forenames}, Value{s.KnownAs}, values(s.Former), Value{s.Birth}, Value{s.Sex}, Value{s.StaffNumber}, Value{s.Registration}}, nil
}

// Encode returns the stored form, which holds the texts: it is for sealing and for the vault's wire only.
func (c Contact) Encode() []byte {
	return encode(storedContact{c.Email.text, c.Phone.text, texts(c.Address), c.Language.text})
}

// DecodeContact reads what Encode returned; the error is ErrDecode.
func DecodeContact(b []byte) (Contact, error) {
	var s storedContact
	if json.Unmarshal(b, &s) != nil {
		return Contact{}, ErrDecode
	}
	return Contact{Value{s.Email}, Value{s.Phone}, values(s.Address), Value{s.Language}}, nil
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
		s = append(s, v.text)
	}
	return s
}

func values(ss []string) []Value {
	var v []Value
	for _, s := range ss {
		v = append(v, Value{s})
	}
	return v
}

// Package id has the random identifiers that everything in dosevault goes by.
//
// An id is 16 random bytes and tells nothing about what it names. Its text form
// is 26 lower-case base32 letters and digits (RFC 4648, no padding). Each kind
// of id is a type of its own, so that a wearer can't be passed for an organisation.
package id

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
)

// ID is a random identifier of the kind K.
type ID[K any] [16]byte

// The kinds.
type (
	// Organisation names an employer.
	Organisation = ID[organisation]
	// Wearer names one person's employment with one organisation.
	Wearer = ID[wearer]
	// Person names the link between the wearers that are one human being. It never leaves the vault.
	Person = ID[person]
	// User names somebody who signs in.
	User = ID[user]
	// Grant names leave for work without a user.
	Grant = ID[grant]
	// Import names one file or form on its way in: people, dispatch or laboratory results.
	Import = ID[importKind]
	// Export names one file or print that personal data left in.
	Export = ID[export]
	// Owner names a process that works on imports.
	Owner = ID[owner]
	// Approval names something that takes two people, from when it is proposed.
	Approval = ID[approval]
	// Alarm names an alarm of the vault.
	Alarm = ID[alarm]
	// Incident names a suspected breach, or a drill.
	Incident = ID[incident]
	// Notice names what an organisation is told of a breach, once.
	Notice = ID[notice]
	// Provider names an organisation's own sign-in.
	Provider = ID[provider]
	// Row names a row of the register: badge, wear period, reading, investigation, document.
	Row = ID[row]
)

type (
	organisation struct{}
	wearer       struct{}
	person       struct{}
	user         struct{}
	grant        struct{}
	importKind   struct{}
	export       struct{}
	owner        struct{}
	provider     struct{}
	approval     struct{}
	alarm        struct{}
	incident     struct{}
	notice       struct{}
	row          struct{}
)

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// ErrSyntax says that a text is no identifier.
var ErrSyntax = errors.New("not an identifier: 26 letters a-z and digits 2-7 expected")

// New returns a new random id, as in New[Wearer]().
func New[T ~[16]byte]() T {
	var b [16]byte
	rand.Read(b[:])
	return T(b)
}

// Parse reads the text form, as in Parse[Wearer](s); the error is ErrSyntax.
func Parse[T ~[16]byte](s string) (T, error) {
	var v ID[any]
	err := v.UnmarshalText([]byte(s))
	return T(v), err
}

// From makes an id of 16 bytes, as in From[Wearer](b); the error is ErrSyntax.
func From[T ~[16]byte](b []byte) (T, error) {
	if len(b) != 16 {
		return T{}, ErrSyntax
	}
	return T(b), nil
}

// IsZero reports whether the id names nothing.
func (v ID[K]) IsZero() bool { return v == ID[K]{} }

// String returns the text form.
func (v ID[K]) String() string { return encoding.EncodeToString(v[:]) }

// MarshalText returns the text form.
func (v ID[K]) MarshalText() ([]byte, error) {
	if v.IsZero() {
		return nil, nil
	}
	return encoding.AppendEncode(nil, v[:]), nil
}

// UnmarshalText reads the text form; an empty text is the zero id, the error is ErrSyntax.
func (v *ID[K]) UnmarshalText(b []byte) error {
	*v = ID[K]{}
	if len(b) == 0 {
		return nil
	}
	if len(b) != 26 {
		return ErrSyntax
	}
	// 26 characters carry 130 bits: the last two must be zero, or two texts would name one id.
	if n, err := encoding.Decode(v[:], b); err != nil || n != len(v) || v.String() != string(b) {
		*v = ID[K]{}
		return ErrSyntax
	}
	return nil
}

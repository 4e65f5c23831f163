// Package seal is dosevault's envelope encryption: how values and keys are
// encrypted, what a ciphertext is bound to, and how lengths are hidden.
//
// Every secret is 32 random bytes used with AES-256-GCM and random nonces, from
// the standard library. A ciphertext opens only under the context (additional
// data) that it was sealed with, so a value moved to another row, field,
// version or wearer is refused.
//
// # Sealed value, version 1
//
//	+------+------------------+----------------------+----------------+
//	| 0x01 | nonce (12 bytes) | ciphertext (n bytes) | tag (16 bytes) |
//	+------+------------------+----------------------+----------------+
//
// n is a multiple of the pad length given when sealing; the plaintext under it is
//
//	+--------------------------+-------+------------------+
//	| length (4, big endian)   | value | zero bytes ...   |
//	+--------------------------+-------+------------------+
//
// # Context
//
// The additional data is "dosevault/v1/" and a label, then each part with its length:
//
//	+----------------------+------+----------------------+------+ ...
//	| length (4, big end.) | part | length (4, big end.) | part |
//	+----------------------+------+----------------------+------+ ...
//
// where the first part is the prefixed label. Two different lists of parts never give equal bytes.
//
// A GCM key with random nonces may seal 2^32 values; a wearer's or an organisation's key stays far below.
//
// The package is pure: no files, network, database or clock.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Overhead is how many bytes a sealed value has beyond its padded plaintext.
const Overhead = 1 + 12 + 16

const version = 1

// ErrOpen says that a sealed value does not open: other key, other context, or damaged. It never says which.
var ErrOpen = errors.New("sealed value does not open here")

// ErrTooLong says that a value is longer than a sealed value may hold (1 GiB).
var ErrTooLong = errors.New("value too long to seal")

// Key is a secret of 32 bytes. It prints as a placeholder.
type Key [32]byte

// NewKey returns a new random key.
func NewKey() (k Key) {
	rand.Read(k[:])
	return k
}

// Derive returns the key that a secret has for a purpose (HKDF-SHA-256).
func (k Key) Derive(label string) Key {
	var d Key
	b, err := hkdf.Key(sha256.New, k[:], nil, "dosevault/v1/"+label, len(d))
	if err != nil {
		panic("seal: HKDF of 32 bytes can't fail: " + err.Error())
	}
	copy(d[:], b)
	return d
}

// String returns a placeholder.
func (Key) String() string { return "[key]" }

// GoString returns a placeholder.
func (Key) GoString() string { return "[key]" }

// Format writes a placeholder for every verb.
func (Key) Format(f fmt.State, _ rune) { io.WriteString(f, "[key]") }

// MarshalText returns a placeholder.
func (Key) MarshalText() ([]byte, error) { return []byte("[key]"), nil }

// Context is what a sealed value is bound to.
type Context []byte

// NewContext makes a context of a label and parts. The label is a constant of the program.
func NewContext(label string, parts ...[]byte) Context {
	n := 4 + len("dosevault/v1/") + len(label)
	for _, p := range parts {
		n += 4 + len(p)
	}
	c := make(Context, 0, n)
	c = binary.BigEndian.AppendUint32(c, uint32(len("dosevault/v1/")+len(label)))
	c = append(c, "dosevault/v1/"...)
	c = append(c, label...)
	for _, p := range parts {
		c = binary.BigEndian.AppendUint32(c, uint32(len(p)))
		c = append(c, p...)
	}
	return c
}

// Box seals and opens with one key. It is safe for concurrent use.
type Box struct{ gcm cipher.AEAD }

// Box returns a box with the key.
func (k Key) Box() *Box {
	block, err := aes.NewCipher(k[:])
	if err != nil {
		panic("seal: AES-256 takes 32 bytes: " + err.Error())
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("seal: GCM: " + err.Error())
	}
	return &Box{gcm}
}

// Seal encrypts a value, padded to the next multiple of pad bytes (length included), under a context.
// A pad below 1 counts as 1. The error is ErrTooLong.
func (b *Box) Seal(ctx Context, pad int, value []byte) ([]byte, error) {
	if len(value) > 1<<30 {
		return nil, ErrTooLong
	}
	pad = max(pad, 1)
	n := (4 + len(value) + pad - 1) / pad * pad
	out := make([]byte, 1+n, n+Overhead)
	padded := make([]byte, n)
	binary.BigEndian.PutUint32(padded, uint32(len(value)))
	copy(padded[4:], value)
	out[0] = version
	return b.gcm.Seal(out[:1], nil, padded, ctx), nil
}

// Open decrypts what Seal returned under the same context. The error is ErrOpen.
func (b *Box) Open(ctx Context, sealed []byte) ([]byte, error) {
	if len(sealed) < Overhead+4 || sealed[0] != version {
		return nil, ErrOpen
	}
	padded, err := b.gcm.Open(nil, nil, sealed[1:], ctx)
	if err != nil {
		return nil, ErrOpen
	}
	n := binary.BigEndian.Uint32(padded)
	if int64(n) > int64(len(padded)-4) {
		return nil, ErrOpen
	}
	return padded[4 : 4+n], nil
}

// Wrap encrypts a key under a context.
func (b *Box) Wrap(ctx Context, k Key) []byte {
	sealed, err := b.Seal(ctx, 1, k[:])
	if err != nil {
		panic("seal: a key is short: " + err.Error())
	}
	return sealed
}

// Unwrap decrypts what Wrap returned. The error is ErrOpen.
func (b *Box) Unwrap(ctx Context, wrapped []byte) (Key, error) {
	var k Key
	v, err := b.Open(ctx, wrapped)
	if err != nil || len(v) != len(k) {
		return k, ErrOpen
	}
	copy(k[:], v)
	return k, nil
}

package vaultclient

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"strings"
)

// SignedRequest is what a node got from a machine outside, as it stood on the wire: all that the machine's signature
// (RFC 9421) covers. The vault alone decides whether it holds; that the body is the one of ContentDigest is for the node to
// check.
type SignedRequest struct {
	Method        string `json:"method"`
	Host          string `json:"host"`
	Target        string `json:"target"`         // path and query
	ContentDigest string `json:"content_digest"` // the header field, as are the next two
	Input         string `json:"input"`
	Signature     string `json:"signature"`
}

// Admit begins a machine's session on this node for the one request that it signed, and returns its token. Code
// Unauthenticated: the signature does not hold, is too old, or was used before.
func (c *Client) Admit(ctx context.Context, r SignedRequest) (token string, err error) {
	err = call(ctx, c, "admit", Auth{}, r, &token)
	return token, err
}

// ParseMachineKey reads an Ed25519 public key in PEM, as "openssl pkey -pubout" writes it.
func ParseMachineKey(text string) ([]byte, error) {
	bad := &Error{Code: Invalid, Message: "a machine's key is an Ed25519 public key in PEM, as “openssl pkey -in machine.key -pubout” writes it"}
	block, rest := pem.Decode([]byte(strings.ReplaceAll(strings.TrimSpace(text), "\r\n", "\n")))
	if block == nil || block.Type != "PUBLIC KEY" || len(rest) > 0 {
		return nil, bad
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, bad
	}
	if k, ok := key.(ed25519.PublicKey); ok {
		return k, nil
	}
	return nil, bad
}

// Fingerprint is by what people tell a machine's public key, as whoever runs the machine reads it out: SHA-256 of the key in
// the form of "openssl pkey -pubout -outform DER", in groups of four digits and letters.
func Fingerprint(key []byte) string {
	der, err := x509.MarshalPKIXPublicKey(ed25519.PublicKey(key))
	if err != nil {
		return "" // of no Ed25519 key
	}
	h := sha256.Sum256(der)
	return Groups(h[:])
}

// Groups are bytes as people compare them: in groups of four digits and letters.
func Groups(b []byte) string {
	var groups []string
	for part := range slices.Chunk(b, 2) {
		groups = append(groups, hex.EncodeToString(part))
	}
	return strings.Join(groups, " ")
}

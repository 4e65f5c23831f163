package vaultclient

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
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

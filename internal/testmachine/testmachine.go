// Package testmachine is a machine outside, for tests and benchmarks: it makes a key and signs requests as docs/api.md says,
// and shares no code with what checks them.
package testmachine

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Machine has a key and, once it has leave, the id of its leave.
type Machine struct {
	ID  string
	Key ed25519.PrivateKey
}

// New returns a machine with a new key.
func New() *Machine {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return &Machine{Key: key}
}

// Public is its public key.
func (m *Machine) Public() []byte { return m.Key.Public().(ed25519.PublicKey) }

// PEM is its public key as OpenSSL writes it.
func (m *Machine) PEM() []byte {
	b, err := x509.MarshalPKIXPublicKey(m.Key.Public())
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: b})
}

// Signed returns a request as a node hands it on, signed at a time with a new nonce.
func (m *Machine) Signed(method, host, target string, body []byte, at time.Time) vaultclient.SignedRequest {
	digest := sha256.Sum256(body)
	nonce := make([]byte, 16)
	rand.Read(nonce)
	r := vaultclient.SignedRequest{Method: method, Host: host, Target: target, ContentDigest: "sha-256=:" + base64.StdEncoding.EncodeToString(digest[:]) + ":"}
	path, query, _ := strings.Cut(target, "?")
	params := fmt.Sprintf(`("@method" "@authority" "@path" "@query" "content-digest");created=%d;keyid="%s";nonce="%s"`, at.Unix(), m.ID, hex.EncodeToString(nonce))
	base := strings.Join([]string{`"@method": ` + method, `"@authority": ` + strings.ToLower(host), `"@path": ` + path, `"@query": ?` + query, `"content-digest": ` + r.ContentDigest, `"@signature-params": ` + params}, "\n")
	r.Input = "sig=" + params
	r.Signature = "sig=:" + base64.StdEncoding.EncodeToString(ed25519.Sign(m.Key, []byte(base))) + ":"
	return r
}

// Sign signs an HTTP request with that body.
func (m *Machine) Sign(req *http.Request, body []byte) {
	host := req.Host
	if host == "" {
		host = req.URL.Host
	}
	r := m.Signed(req.Method, host, req.URL.RequestURI(), body, time.Now())
	req.Header.Set("Content-Digest", r.ContentDigest)
	req.Header.Set("Signature-Input", r.Input)
	req.Header.Set("Signature", r.Signature)
}

// Package oidctest runs an OpenID Connect provider in the process of a test: a real one, whose tokens a test can spoil on
// their way. Whoever types a name into its sign-in page is that person.
package oidctest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// Provider is a running provider.
type Provider struct {
	URL string // its issuer

	t       testing.TB
	storage *store
	mu      sync.Mutex
	spoil   func(*Token)
	asked   map[string]int
}

// Token is an ID token on its way to the client.
type Token struct {
	Claims    map[string]any
	Algorithm jose.SignatureAlgorithm
	Key       any  // that it is signed with
	Unsigned  bool // sent with the algorithm none
}

// Start starts a provider on loopback, which ends with the test.
func Start(t testing.TB) *Provider {
	t.Helper()
	p := &Provider{t: t, asked: map[string]int{}}
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	p.URL = server.URL
	clients := map[string]*storage.Client{}
	p.storage = &store{Storage: storage.NewStorageWithClients(people{}, clients), clients: clients, claims: map[string]map[string]any{}}
	p.Rotate(jose.RS256)
	provider, err := op.NewProvider(&op.Config{CodeMethodS256: true, AuthMethodPost: true}, p.storage, op.StaticIssuer(p.URL), op.WithAllowInsecure(), op.WithCrypto(newBox(t)))
	if err != nil {
		t.Fatal(err)
	}
	login := op.NewIssuerInterceptor(provider.IssuerFromRequest).HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request := r.FormValue("authRequestID")
		if r.Method == http.MethodPost {
			if err := p.storage.CheckUsernamePassword(r.PostFormValue("who"), password, request); err != nil {
				http.Error(w, "no such sign-in", http.StatusBadRequest)
				return
			}
			http.Redirect(w, r, op.AuthCallbackURL(provider)(r.Context(), request), http.StatusSeeOther)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>The employer’s sign-in</title><form method="post"><label>Who <input name="who"></label><button>Sign in</button></form></html>`)
	})
	handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked[r.URL.Path]++
		p.mu.Unlock()
		switch {
		case strings.HasPrefix(r.URL.Path, "/login/"):
			login(w, r)
		case r.URL.Path == "/oauth/token":
			p.token(w, r, provider)
		default:
			provider.ServeHTTP(w, r)
		}
	})
	return p
}

// Register makes a client known, with the only address that it may be sent back to.
func (p *Provider) Register(client, secret, redirect string) {
	p.storage.mu.Lock()
	defer p.storage.mu.Unlock()
	p.storage.clients[client] = storage.WebClient(client, secret, redirect)
}

// Says sets what tokens say of somebody.
func (p *Provider) Says(who string, claims map[string]any) {
	p.storage.mu.Lock()
	defer p.storage.mu.Unlock()
	p.storage.claims[who] = claims
}

// Rotate signs with a new key from now on, and publishes that one alone.
func (p *Provider) Rotate(a jose.SignatureAlgorithm) {
	k := &key{id: rand.Text(), algorithm: a}
	var err error
	if a == jose.ES256 {
		k.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		k.private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.storage.mu.Lock()
	defer p.storage.mu.Unlock()
	p.storage.key = k
}

// Spoil has every ID token changed before it is sent; nil: none.
func (p *Provider) Spoil(fn func(*Token)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spoil = fn
}

// Asked is how often a path was asked for.
func (p *Provider) Asked(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[path]
}

// token answers a code, and spoils the ID token if that is asked for.
func (p *Provider) token(w http.ResponseWriter, r *http.Request, provider http.Handler) {
	answer := httptest.NewRecorder()
	provider.ServeHTTP(answer, r)
	p.mu.Lock()
	spoil := p.spoil
	p.mu.Unlock()
	var body map[string]any
	if spoil != nil && json.Unmarshal(answer.Body.Bytes(), &body) == nil && body["id_token"] != nil {
		body["id_token"] = p.again(body["id_token"].(string), spoil)
		b, err := json.Marshal(body)
		if err != nil {
			p.t.Error(err)
		}
		answer.Body = bytes.NewBuffer(b)
	}
	answer.Header().Del("Content-Length")
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes())
}

// again makes another token of one.
func (p *Provider) again(raw string, spoil func(*Token)) string {
	p.storage.mu.Lock()
	k := p.storage.key
	p.storage.mu.Unlock()
	signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{k.algorithm})
	if err != nil {
		p.t.Error(err)
		return ""
	}
	t := &Token{Claims: map[string]any{}, Algorithm: k.algorithm, Key: k.private}
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &t.Claims); err != nil {
		p.t.Error(err)
	}
	spoil(t)
	payload, err := json.Marshal(t.Claims)
	if err != nil {
		p.t.Error(err)
	}
	if t.Unsigned {
		return "eyJhbGciOiJub25lIn0." + encode(payload) + "."
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: t.Algorithm, Key: t.Key}, (&jose.SignerOptions{}).WithHeader("kid", k.id))
	if err != nil {
		p.t.Error(err)
		return ""
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		p.t.Error(err)
		return ""
	}
	out, err := jws.CompactSerialize()
	if err != nil {
		p.t.Error(err)
	}
	return out
}

// store is the library's example of a storage, with other keys and claims.
type store struct {
	*storage.Storage
	mu      sync.Mutex
	clients map[string]*storage.Client
	claims  map[string]map[string]any
	key     *key
}

// GetClientByClientID implements op.Storage.
func (s *store) GetClientByClientID(ctx context.Context, n string) (op.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.Storage.GetClientByClientID(ctx, n)
	if err != nil {
		return nil, err
	}
	return client{c}, nil
}

// SetUserinfoFromRequest implements op.CanSetUserinfoFromRequest.
func (s *store) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, r op.IDTokenRequest, _ []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	info.Subject = r.GetSubject()
	for k, v := range s.claims[r.GetSubject()] {
		info.AppendClaims(k, v)
	}
	return nil
}

// SigningKey implements op.Storage.
func (s *store) SigningKey(context.Context) (op.SigningKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return signingKey{s.key}, nil
}

// KeySet implements op.Storage.
func (s *store) KeySet(context.Context) ([]op.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []op.Key{publicKey{s.key}}, nil
}

// SignatureAlgorithms implements op.Storage.
func (s *store) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256}, nil
}

// client is one whose ID tokens have the claims themselves.
type client struct{ op.Client }

// IDTokenUserinfoClaimsAssertion implements op.Client.
func (client) IDTokenUserinfoClaimsAssertion() bool { return true }

type key struct {
	id        string
	algorithm jose.SignatureAlgorithm
	private   crypto.Signer
}

type signingKey struct{ *key }

func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return k.algorithm }
func (k signingKey) Key() any                                    { return k.private }
func (k signingKey) ID() string                                  { return k.id }

type publicKey struct{ *key }

func (k publicKey) Algorithm() jose.SignatureAlgorithm { return k.algorithm }
func (k publicKey) Key() any                           { return k.private.Public() }
func (k publicKey) ID() string                         { return k.id }
func (k publicKey) Use() string                        { return "sig" }

const password = "the same for everybody"

// people are whoever says so.
type people struct{}

func (people) GetUserByID(n string) *storage.User {
	return &storage.User{ID: n, Username: n, Password: password}
}
func (p people) GetUserByUsername(n string) *storage.User { return p.GetUserByID(n) }
func (people) ExampleClientID() string                    { return "none" }

// box seals codes. The library's own can't work in FIPS 140-only mode.
type box struct{ cipher.AEAD }

func newBox(t testing.TB) box {
	var k [32]byte
	rand.Read(k[:])
	block, err := aes.NewCipher(k[:])
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	return box{aead}
}

// Encrypt implements op.Crypto.
func (b box) Encrypt(s string) (string, error) { return encode(b.Seal(nil, nil, []byte(s), nil)), nil }

// Decrypt implements op.Crypto.
func (b box) Decrypt(s string) (string, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return "", err
	}
	open, err := b.Open(nil, nil, sealed, nil)
	return string(open), err
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

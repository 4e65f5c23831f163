package origin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// hostile is a provider that says whatever a fuzzed input has it say. In its texts ISSUER, NOW and NONCE stand for what they are in
// the sign-in, KEY for its public key, and TOKEN for an ID token.
type hostile struct {
	url                          string
	key                          *ecdsa.PrivateKey
	discovery, keys, said, token string
	nonce                        string
}

func newHostile(t testing.TB) *hostile {
	p := &hostile{}
	var err error
	if p.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			w.Write([]byte(p.real(p.discovery)))
		case "/keys":
			w.Write([]byte(strings.ReplaceAll(p.keys, "KEY", string(must(json.Marshal(jose.JSONWebKey{Key: p.key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}))))))
		default:
			w.Write([]byte(strings.ReplaceAll(p.said, "TOKEN", p.token)))
		}
	}))
	t.Cleanup(s.Close)
	p.url = s.URL
	return p
}

func (p *hostile) real(text string) string {
	return strings.NewReplacer("ISSUER", p.url, "NOW", strconv.FormatInt(time.Now().Unix(), 10), "LATER", strconv.FormatInt(time.Now().Unix()+300, 10), "NONCE", p.nonce).Replace(text)
}

// Whatever an organisation's own sign-in answers, the page says what became of it, and nobody is signed in but by a token that
// it signed for this sign-in, in a role that the organisation gave it.
func FuzzProvider(f *testing.F) {
	h := newHouse(f)
	o := h.origin(false)
	p := newHostile(f)
	org := h.organisation("Ysbyty A")
	provider := must(h.v.AddProvider(f.Context(), h.root, vc.NewProvider{Organisation: org, Issuer: p.url, Client: "dosevault", Secret: "a secret", Name: "name", Claim: "groups", Rules: []vc.ClaimRule{{Value: "rps", Role: policy.Supervisor}}}))
	f.Fuzz(func(t *testing.T, discovery, keys, said, claims string, sign bool) {
		if len(discovery)+len(keys)+len(said)+len(claims) > 1<<16 {
			return
		}
		o.openID.known = nil
		p.discovery, p.keys, p.said, p.token, p.nonce = discovery, keys, said, claims, ""
		b := &browser{t, o, map[string]string{}}
		w := b.post("/openid", url.Values{"provider": {provider.String()}, "return": {nodeOrigin}, "state": {"0123"}})
		if w.Code != http.StatusSeeOther {
			if w.Code != http.StatusBadGateway {
				t.Errorf("a sign-in begins with %d", w.Code)
			}
			return
		}
		to, err := url.Parse(w.Header().Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		if to.Scheme != "https" && to.Hostname() != "localhost" && to.Hostname() != "127.0.0.1" && to.Hostname() != "::1" {
			t.Errorf("the browser is sent to %s", to)
		}
		p.nonce = to.Query().Get("nonce")
		filled := p.real(claims)
		if p.token = filled; sign {
			signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: p.key, KeyID: "k"}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			p.token = must(must(signer.Sign([]byte(filled))).CompactSerialize())
		}
		w = b.get("/openid/" + provider.String() + "/callback?" + url.Values{"code": {"c"}, "state": {to.Query().Get("state")}}.Encode())
		back, err := w.Result().Location()
		if err != nil {
			if w.Code != http.StatusForbidden && w.Code != http.StatusBadGateway {
				t.Errorf("answered with %d: %s", w.Code, w.Body)
			}
			if strings.HasSuffix(t.Name(), "/signed_in") {
				t.Errorf("nobody was signed in: %s", w.Body)
			}
			return
		}
		s := must(h.v.RedeemCode(t.Context(), vault.Caller{Node: "web"}, back.Query().Get("code")))
		var c struct{ Iss, Nonce, Sub string }
		if json.Unmarshal([]byte(filled), &c) != nil || !sign || c.Iss != p.url || c.Nonce != p.nonce || c.Sub == "" {
			t.Errorf("signed in by %q, signed %v", filled, sign)
		}
		if u := s.User; u.Role != policy.Supervisor || len(u.Organisations) != 1 || u.Organisations[0] != org || u.Provider != provider {
			t.Errorf("signed in as %+v", u)
		}
	})
}

package vault_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// A machine's signature is good for the request that it stands on, once, soon, and on its own node.
func TestASignatureIsForOneRequest(t *testing.T) {
	now := clockAt(time.Date(2027, time.July, 14, 9, 0, 0, 0, time.UTC))
	h := newHouseAt(t, now.now)
	org := h.organisation("A")
	tool, n := h.outside("Reporting tool", "doses", 2, org)
	other, _ := h.outside("Another", "doses", 2, org)
	admit := func(node string, r vc.SignedRequest) error {
		token, err := h.nodes[node].Admit(t.Context(), r)
		if err == nil {
			if _, err := h.nodes["worker"].Self(t.Context(), vc.Auth{Machine: token}); code(err) != vc.Unauthenticated {
				t.Errorf("the session on another node: %v", err)
			}
			_, err = h.nodes[node].Self(t.Context(), vc.Auth{Machine: token})
		}
		return err
	}
	fresh := func() vc.SignedRequest { return signed(tool, now.now()) }
	digest := sha256.Sum256([]byte("another body"))
	for what, change := range map[string]func(*vc.SignedRequest){
		"another method": func(r *vc.SignedRequest) { r.Method = "POST" },
		"another host":   func(r *vc.SignedRequest) { r.Host = "badges.example:8443" },
		"another path":   func(r *vc.SignedRequest) { r.Target = "/api/v1/organisations?x=1" },
		"another query":  func(r *vc.SignedRequest) { r.Target = "/api/v1/machine?x=2" },
		"no query":       func(r *vc.SignedRequest) { r.Target = "/api/v1/machine" },
		"another body": func(r *vc.SignedRequest) {
			r.ContentDigest = "sha-256=:" + base64.StdEncoding.EncodeToString(digest[:]) + ":"
		},
		"another time":          func(r *vc.SignedRequest) { r.Input = strings.Replace(r.Input, "created=1", "created=2", 1) },
		"another nonce":         func(r *vc.SignedRequest) { r.Input = strings.Replace(r.Input, `nonce="`, `nonce="0`, 1) },
		"another's name":        func(r *vc.SignedRequest) { r.Input = strings.Replace(r.Input, tool.ID, other.ID, 1) },
		"fewer components":      func(r *vc.SignedRequest) { r.Input = strings.Replace(r.Input, ` "content-digest"`, "", 1) },
		"another's key":         func(r *vc.SignedRequest) { bad := *other; bad.ID = tool.ID; *r = signed(&bad, now.now()) },
		"a minute and a second": func(r *vc.SignedRequest) { *r = signed(tool, now.now().Add(-61*time.Second)) },
		"the future":            func(r *vc.SignedRequest) { *r = signed(tool, now.now().Add(4*time.Second)) },
		"of before the start":   func(r *vc.SignedRequest) { *r = signed(tool, now.now().Add(-4*time.Second)) },
		"nobody's": func(r *vc.SignedRequest) {
			bad := *tool
			bad.ID = strings.Repeat("a", 26)
			*r = signed(&bad, now.now())
		},
	} {
		r := fresh()
		change(&r)
		if err := admit("web", r); code(err) != vc.Unauthenticated {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := admit("cli", fresh()); code(err) != vc.Unauthenticated {
		t.Errorf("on a node that it has no leave for: %v", err)
	}

	once := fresh()
	if err := admit("web", once); err != nil {
		t.Fatal(err)
	}
	again := func(when string) {
		t.Helper()
		if err := admit("web", once); code(err) != vc.Unauthenticated {
			t.Errorf("once more, %s: %v", when, err)
		}
	}
	again("at once")
	now.set(now.now().Add(59 * time.Second))
	again("later")
	now.set(now.now().Add(10 * time.Second))
	if err := admit("web", fresh()); err != nil { // clears what is over
		t.Fatal(err)
	}
	again("when its nonce is forgotten")
	now.set(now.now().Add(-30 * time.Second))
	again("after the clock was put back")
	now.set(now.now().Add(40 * time.Second))
	last := fresh()
	if err := admit("web", last); err != nil {
		t.Fatal(err)
	}
	h.stop()
	h.start()
	if err := admit("web", last); code(err) != vc.Unauthenticated {
		t.Errorf("once more, after a restart: %v", err)
	}

	now.set(now.now().Add(5 * time.Second))
	token := must(h.nodes["web"].Admit(t.Context(), fresh()))
	now.set(now.now().Add(2 * time.Minute))
	if _, err := h.nodes["web"].Self(t.Context(), vc.Auth{Machine: token}); code(err) != vc.Unauthenticated {
		t.Errorf("a session after two minutes: %v", err)
	}
	if err := h.nodes["cli"].EndMachine(t.Context(), h.root, n); err != nil {
		t.Fatal(err)
	}
	if err := admit("web", fresh()); code(err) != vc.Unauthenticated {
		t.Errorf("after its end: %v", err)
	}
}

func TestMachinesKeysAreRead(t *testing.T) {
	for what, text := range map[string]string{
		"nothing":     "",
		"another":     "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEWdp8GUcxkFBxKnNkPPeT1LrhTcGzC8fBLc8IWxBWiZ4nf1VUlcTAW4S5tSl9AQ+0tLkYYuyKBT1EyGqUM0QTRQ==\n-----END PUBLIC KEY-----\n",
		"private":     "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHVsZ2VoZWltdWxnZWhlaW11bGdlaGVpbXVsZ2VoZWlt\n-----END PRIVATE KEY-----\n",
		"something":   "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE",
		"two at once": pemKey + pemKey,
	} {
		if _, err := vc.ParseMachineKey(text); code(err) != vc.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	if k, err := vc.ParseMachineKey(" \r\n" + strings.ReplaceAll(pemKey, "\n", "\r\n")); err != nil || len(k) != 32 {
		t.Errorf("a key: %v", err)
	}
}

const pemKey = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"

// Whatever stands in the fields, reading them neither fails nor takes two texts for one.
func FuzzSignatureFields(f *testing.F) {
	good := `sig=("@method" "@authority" "@path" "@query" "content-digest");created=1800000000;keyid="aeaaaaaaaaaaaaaaaaaaaaaaaa";nonce="0123456789abcdef"`
	sig := "sig=:" + base64.StdEncoding.EncodeToString(make([]byte, 64)) + ":"
	f.Add(good, sig)
	f.Add(good+`;alg="ed25519"`, sig)
	f.Add(strings.Replace(good, "sig=", "a-b=", 1), strings.Replace(sig, "sig=", "a-b=", 1))
	f.Add(good+";created=1", sig)
	f.Add(strings.Replace(good, "created=1", "created=01", 1), sig)
	f.Add("sig=()", "sig=::")
	f.Fuzz(func(t *testing.T, input, signature string) {
		out, ok := vault.SignatureFields(input, signature)
		if !ok {
			return
		}
		b, err := json.Marshal(out)
		if err != nil || out.Created < 1 || len(out.Nonce) < 16 || out.Machine.IsZero() || strings.ContainsAny(input, "\n\r\x00") {
			t.Errorf("%q was read as %s", input, b)
		}
		if !strings.HasSuffix(input, out.Params) || strings.Count(input, `"content-digest"`) != 1 || len(out.Sig) != 64 {
			t.Errorf("%q was read as %s", input, b)
		}
	})
}

package vault_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// What a fuzzed answer of a passkey is for.
const (
	toSignIn = iota
	toEnrol
	toConfirm
	passkeyUses
)

// Stand-ins of an answer's parts: in the whole answer those of the parts, and in the client's data the challenge.
const (
	clientStandIn    = "CLIENT-DATA"
	partStandIn      = "OTHER-DATA"
	byKeyStandIn     = "SIGNATURE"
	keyStandIn       = "KEY-ID"
	handleStandIn    = "USER-HANDLE"
	challengeStandIn = "CHALLENGE"
)

// Whatever a browser answers for a passkey, nobody is signed in, enrolled or confirmed by it unless their key signed what was
// asked, for this origin, with its user verified.
func FuzzPasskey(f *testing.F) {
	h := newHouse(f)
	n, d, caller := h.enrol(vc.NewUser{Name: "Llŷr Prys", Role: policy.Administrator})
	guest := must(h.nodes["cli"].CreateUsers(f.Context(), h.root, []vc.NewUser{{Name: "Guest", Role: policy.Operator}}))[0]
	link, runs := "", 0
	digest := must(vault.Confirmation("create users", []vc.NewUser{{Name: "Made", Role: policy.Operator}}))
	f.Fuzz(func(t *testing.T, use byte, whole, client string, part []byte, sign bool) {
		if len(whole)+len(client)+len(part) > 1<<16 {
			return
		}
		var asked json.RawMessage
		switch use % passkeyUses {
		case toSignIn:
			asked = must(h.v.BeginSignIn())
		case toEnrol:
			if runs++; link == "" || runs%1000 == 0 {
				link = must(h.v.NewLink(t.Context(), vault.Caller{Node: "cli", Auth: h.root}, guest))
			}
			var err error
			if _, asked, err = h.v.BeginEnrolment(link); err != nil {
				t.Fatal(err)
			}
		case toConfirm:
			asked = must(h.v.BeginAssertion(n, digest))
		}
		var options struct{ Challenge string }
		if err := json.Unmarshal(asked, &options); err != nil {
			t.Fatal(err)
		}
		client = strings.ReplaceAll(client, challengeStandIn, options.Challenge)
		url := base64.RawURLEncoding.EncodeToString
		var sig []byte
		if sign {
			hash := sha256.Sum256([]byte(client))
			signed := sha256.Sum256(append(slices.Clone(part), hash[:]...))
			sig = must(d.key.Key.Sign(signed[:]))
		}
		response := []byte(strings.NewReplacer(clientStandIn, url([]byte(client)), partStandIn, url(part), byKeyStandIn, url(sig), keyStandIn, url(d.key.ID), handleStandIn, url(n[:])).Replace(whole))
		var err error
		switch use % passkeyUses {
		case toSignIn:
			_, err = h.v.SignIn(t.Context(), response)
		case toEnrol:
			_, err = h.v.Enrol(t.Context(), link, "Fuzzed", response)
		case toConfirm:
			caller.Passkey = response
			_, err = h.v.CreateUsers(t.Context(), caller, []vc.NewUser{{Name: "Made", Role: policy.Operator}})
		}
		if whole := []string{"FuzzPasskey/sign_in", "FuzzPasskey/enrol", "FuzzPasskey/confirm"}; (err == nil) != slices.Contains(whole, t.Name()) && strings.HasPrefix(t.Name(), "FuzzPasskey/") && !strings.Contains(t.Name(), "#") {
			t.Errorf("answered with %v", err)
		}
		var known *vc.Error
		if err != nil {
			if !errors.As(err, &known) || known.Code == vc.Internal {
				t.Errorf("it failed: %v", err)
			}
			return
		}
		var said struct{ Type, Challenge, Origin string }
		if json.Unmarshal([]byte(client), &said) != nil || said.Challenge != options.Challenge || said.Origin != vaultOrigin || said.Type != map[byte]string{toEnrol: "webauthn.create"}[use%passkeyUses] && said.Type != "webauthn.get" {
			t.Errorf("taken with the client's data %q", client)
		}
		const present, verified = 1, 4
		if use%passkeyUses != toEnrol && (!sign || len(part) < 37 || part[32]&(present|verified) != present|verified) {
			t.Errorf("taken with the authenticator's data %x, signed %v", part, sign)
		}
		if use%passkeyUses == toEnrol {
			link = ""
			if err := h.v.RemovePasskeys(t.Context(), vault.Caller{Node: "cli", Auth: h.root}, guest); err != nil {
				t.Fatal(err)
			}
			guest = must(h.nodes["cli"].CreateUsers(t.Context(), h.root, []vc.NewUser{{Name: "Guest", Role: policy.Operator}}))[0]
		}
	})
}

package vault_test

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/testpasskey"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

const vaultOrigin = "http://localhost:8081"

// device is somebody's authenticator with one passkey.
type device struct {
	rp   virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	key  virtualwebauthn.Credential
}

func newDevice() *device {
	return &device{
		rp:   virtualwebauthn.RelyingParty{ID: "localhost", Name: "dosevault", Origin: vaultOrigin},
		auth: virtualwebauthn.NewAuthenticator(),
		key:  testpasskey.Key(),
	}
}

// create answers options for a new passkey.
func (d *device) create(options json.RawMessage) []byte {
	o := must(virtualwebauthn.ParseAttestationOptions(string(options)))
	d.auth.Options.UserHandle = []byte(o.UserID)
	return []byte(virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.key, *o))
}

// get answers options for a passkey that is there; its counter goes up.
func (d *device) get(options json.RawMessage) []byte {
	d.key.Counter++
	return []byte(virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.key, *must(virtualwebauthn.ParseAssertionOptions(string(options)))))
}

// enrol makes a user with a passkey on a device of their own.
func (h *house) enrol(u vc.NewUser) (id.User, *device, vault.Caller) {
	h.t.Helper()
	n := must(h.nodes["cli"].CreateUsers(h.t.Context(), h.root, []vc.NewUser{u}))[0]
	d, c := newDevice(), vault.Caller{Node: vault.OriginNode}
	link := must(h.nodes["cli"].NewLink(h.t.Context(), h.root, n))
	_, options, err := h.v.BeginEnrolment(link)
	if err != nil {
		h.t.Fatal(err)
	}
	c.Auth.Session = must(h.v.Enrol(h.t.Context(), link, "Laptop", d.create(options))).Token
	return n, d, c
}

// entered counts the entries of a kind in the installation's log whose reason begins so.
func (h *house) entered(kind, reason string) (n int) {
	h.t.Helper()
	page := must(h.nodes["cli"].Ledger(h.t.Context(), h.root, vc.LedgerRequest{Limit: 500}))
	for _, e := range page.Entries {
		if e.Kind == kind && strings.HasPrefix(e.Reason, reason) {
			n++
		}
	}
	return n
}

// TestPasskey: a link enrols once, the passkey signs in as its user and nobody else, and survives a restart.
func TestPasskey(t *testing.T) {
	h := newHouse(t)
	n, d, c := h.enrol(vc.NewUser{Name: "Llŷr Prys", Role: policy.Coordinator})
	if who := must(h.v.Whoami(t.Context(), c)); who.ID != n {
		t.Errorf("enrolled as %v", who.ID)
	}
	h.stop()
	h.start()
	s := must(h.v.SignIn(t.Context(), d.get(must(h.v.BeginSignIn()))))
	if s.User.ID != n {
		t.Errorf("signed in as %v", s.User.ID)
	}
	if _, err := h.nodes["web"].Whoami(t.Context(), vc.Auth{Session: s.Token}); code(err) != vc.Unauthenticated {
		t.Errorf("a session of the origin on a node: %v", err)
	}
	if got := h.entered("credential", "passkey added"); got != 1 {
		t.Errorf("%d entries of an enrolment", got)
	}
}

// TestPasskeyRefused: whatever a response lacks, it does not sign in, and that it was tried is entered.
func TestPasskeyRefused(t *testing.T) {
	h := newHouse(t)
	_, d, _ := h.enrol(vc.NewUser{Name: "Llŷr Prys", Role: policy.Coordinator})
	other, otherDevice, _ := h.enrol(vc.NewUser{Name: "Ann Supervisor", Role: policy.Coordinator})
	for name, response := range map[string]func(d device) []byte{
		"another origin": func(d device) []byte {
			d.rp.Origin = "http://evil.example"
			return d.get(must(h.v.BeginSignIn()))
		},
		"another port": func(d device) []byte {
			d.rp.Origin = "http://localhost:8080"
			return d.get(must(h.v.BeginSignIn()))
		},
		"another host": func(d device) []byte { d.rp.ID = "evil.example"; return d.get(must(h.v.BeginSignIn())) },
		"nobody verified": func(d device) []byte {
			d.auth.Options.UserNotVerified = true
			return d.get(must(h.v.BeginSignIn()))
		},
		"nobody there": func(d device) []byte {
			d.auth.Options.UserNotPresent = true
			return d.get(must(h.v.BeginSignIn()))
		},
		"another's handle": func(d device) []byte {
			d.auth.Options.UserHandle = other[:]
			return d.get(must(h.v.BeginSignIn()))
		},
		"no handle":     func(d device) []byte { d.auth.Options.UserHandle = nil; return d.get(must(h.v.BeginSignIn())) },
		"another's key": func(d device) []byte { d.key.Key = otherDevice.key.Key; return d.get(must(h.v.BeginSignIn())) },
		"counter stays": func(d device) []byte {
			must(h.v.SignIn(t.Context(), d.get(must(h.v.BeginSignIn()))))
			d.key.Counter--
			return d.get(must(h.v.BeginSignIn()))
		},
		"counter back": func(d device) []byte {
			d.key.Counter = 100
			must(h.v.SignIn(t.Context(), d.get(must(h.v.BeginSignIn()))))
			d.key.Counter = 50
			return d.get(must(h.v.BeginSignIn()))
		},
	} {
		_, d, _ := h.enrol(vc.NewUser{Name: "Somebody " + name, Role: policy.Coordinator})
		before := h.entered("refuse", "sign-in: the passkey's")
		if _, err := h.v.SignIn(t.Context(), response(*d)); code(err) != vc.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
		if got := h.entered("refuse", "sign-in: the passkey's") - before; got != 1 {
			t.Errorf("%s: %d entries", name, got)
		}
	}
	if !h.alarmed(vc.AlarmPasskeyCounter) {
		t.Error("a counter that went back raised no alarm")
	}
	stranger := newDevice()
	stranger.auth.Options.UserHandle = other[:]
	for name, response := range map[string]func() []byte{
		"a stranger's": func() []byte { return stranger.get(must(h.v.BeginSignIn())) },
		"a challenge of their own": func() []byte {
			return d.get(json.RawMessage(`{"challenge":"` + strings.Repeat("A", 43) + `","rpId":"localhost"}`))
		},
		"a used challenge": func() []byte {
			o := must(h.v.BeginSignIn())
			must(h.v.SignIn(t.Context(), d.get(o)))
			return d.get(o)
		},
		"a challenge for something else": func() []byte { return d.get(must(h.v.BeginAssertion(other, [32]byte{}))) },
		"nothing":                        func() []byte { return nil },
		"no JSON":                        func() []byte { return []byte("{") },
		"too much":                       func() []byte { return []byte(`"` + strings.Repeat("a", 1<<20) + `"`) },
	} {
		if _, err := h.v.SignIn(t.Context(), response()); code(err) != vc.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := h.entered("refuse", "sign-in: a"); got != 1 {
		t.Errorf("%d entries of what strangers tried within a minute", got)
	}
	if s := must(h.v.SignIn(t.Context(), d.get(must(h.v.BeginSignIn())))); s.User.Name != "Llŷr Prys" {
		t.Errorf("signed in as %v", s.User.ID)
	}
}

// TestPasskeyTooLate: a challenge is answered within minutes, and an ended user signs in no more.
func TestPasskeyTooLate(t *testing.T) {
	var ahead time.Duration
	h := newHouseAt(t, func() time.Time { return time.Now().Add(ahead) })
	n, d, _ := h.enrol(vc.NewUser{Name: "Llŷr Prys", Role: policy.Coordinator})
	o := must(h.v.BeginSignIn())
	ahead = 6 * time.Minute
	if _, err := h.v.SignIn(t.Context(), d.get(o)); code(err) != vc.Unauthenticated {
		t.Errorf("after six minutes: %v", err)
	}
	if err := h.nodes["cli"].EndUser(t.Context(), h.root, n); err != nil {
		t.Fatal(err)
	}
	if _, err := h.v.SignIn(t.Context(), d.get(must(h.v.BeginSignIn()))); code(err) != vc.Unauthenticated {
		t.Errorf("whose access ended: %v", err)
	}
}

// TestEnrolmentRefused: a link enrols its own user's new passkey, once, and a challenge belongs to its link.
func TestEnrolmentRefused(t *testing.T) {
	h := newHouse(t)
	_, d, _ := h.enrol(vc.NewUser{Name: "Llŷr Prys", Role: policy.Coordinator})
	n := must(h.nodes["cli"].CreateUsers(t.Context(), h.root, []vc.NewUser{{Name: "Ann", Role: policy.Coordinator}, {Name: "Ŵyn", Role: policy.Coordinator}}))
	link, another := must(h.nodes["cli"].NewLink(t.Context(), h.root, n[0])), must(h.nodes["cli"].NewLink(t.Context(), h.root, n[1]))
	begin := func(link string) json.RawMessage {
		_, o, err := h.v.BeginEnrolment(link)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	for name, c := range map[string]struct {
		name     string
		response func(*device) []byte
	}{
		"another link's challenge": {"Phone", func(d *device) []byte { return d.create(begin(another)) }},
		"another origin":           {"Phone", func(d *device) []byte { d.rp.Origin = "http://localhost:8080"; return d.create(begin(link)) }},
		"another host":             {"Phone", func(d *device) []byte { d.rp.ID = "evil.example"; return d.create(begin(link)) }},
		"nobody verified":          {"Phone", func(d *device) []byte { d.auth.Options.UserNotVerified = true; return d.create(begin(link)) }},
		"somebody's passkey":       {"Phone", func(x *device) []byte { x.key = d.key; return x.create(begin(link)) }},
		"a sign-in":                {"Phone", func(x *device) []byte { return d.get(must(h.v.BeginSignIn())) }},
		"no name":                  {"  ", func(d *device) []byte { return d.create(begin(link)) }},
		"a long name":              {strings.Repeat("n", 101), func(d *device) []byte { return d.create(begin(link)) }},
		"nothing":                  {"Phone", func(*device) []byte { return nil }},
	} {
		if _, err := h.v.Enrol(t.Context(), link, c.name, c.response(newDevice())); err == nil {
			t.Errorf("%s enrols", name)
		}
	}
	x := newDevice()
	response := x.create(begin(link))
	must(h.v.Enrol(t.Context(), link, "Phone", response))
	if _, err := h.v.Enrol(t.Context(), link, "Phone", response); code(err) != vc.Unauthenticated {
		t.Errorf("a used link: %v", err)
	}
	if _, _, err := h.v.BeginEnrolment(link); code(err) != vc.Unauthenticated {
		t.Errorf("a used link: %v", err)
	}
	if got := h.entered("credential", "passkey added"); got != 2 {
		t.Errorf("%d entries of enrolments", got)
	}
}

// TestAssertion: an assertion holds for its user and digest, once, and can be checked again later, also as it was kept.
func TestAssertion(t *testing.T) {
	h := newHouse(t)
	n, d, _ := h.enrol(vc.NewUser{Name: "Llŷr Prys", Role: policy.Coordinator})
	m, e, _ := h.enrol(vc.NewUser{Name: "Ann Prys", Role: policy.Coordinator})
	digest, other := sha256.Sum256([]byte("one")), sha256.Sum256([]byte("other"))
	response := d.get(must(h.v.BeginAssertion(n, digest)))
	a := must(h.v.FinishAssertion(t.Context(), n, digest, response))
	var kept vault.Assertion
	if err := json.Unmarshal(must(json.Marshal(a)), &kept); err != nil {
		t.Fatal(err)
	}
	if err := kept.Verify(vaultOrigin, digest); err != nil {
		t.Error(err)
	}
	if kept.Verify(vaultOrigin, other) == nil || kept.Verify("http://localhost:8080", digest) == nil {
		t.Error("an assertion holds for another digest or origin")
	}
	swapped := kept
	swapped.User = m
	if swapped.Verify(vaultOrigin, digest) == nil {
		t.Error("an assertion is another user's too")
	}
	swapped = kept
	swapped.Response = []byte(strings.Replace(string(kept.Response), `"signature":"`, `"signature":"AAAA`, 1))
	if swapped.Verify(vaultOrigin, digest) == nil {
		t.Error("another signature holds")
	}
	for name, c := range map[string]struct {
		user     id.User
		digest   [32]byte
		response []byte
	}{
		"replayed":       {n, digest, response},
		"another digest": {n, other, d.get(must(h.v.BeginAssertion(n, digest)))},
		"another user":   {m, digest, e.get(must(h.v.BeginAssertion(n, digest)))},
		"another's key":  {n, digest, e.get(must(h.v.BeginAssertion(n, digest)))},
		"a sign-in":      {n, digest, d.get(must(h.v.BeginSignIn()))},
		"nothing":        {n, digest, nil},
	} {
		if _, err := h.v.FinishAssertion(t.Context(), c.user, c.digest, c.response); code(err) != vc.Refused {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := h.entered("refuse", "passkey: "); got != 6 {
		t.Errorf("%d entries", got)
	}
	if _, err := h.v.BeginAssertion(must(h.nodes["cli"].CreateUsers(t.Context(), h.root, []vc.NewUser{{Name: "New", Role: policy.Coordinator}}))[0], digest); code(err) != vc.Conflict {
		t.Errorf("without a passkey: %v", err)
	}
}

// confirmed is a caller with a passkey's answer for a change.
func (d *device) confirmed(h *house, n id.User, c vault.Caller, what string, details any) vault.Caller {
	c.Passkey = d.get(must(h.v.BeginAssertion(n, must(vault.Confirmation(what, details)))))
	return c
}

// TestMorePasskeys: another passkey takes one that is there; the last one stays; whoever administers removes all of them.
func TestMorePasskeys(t *testing.T) {
	h := newHouse(t)
	n, d, c := h.enrol(vc.NewUser{Name: "Llŷr Prys", Role: policy.Operator})
	if _, err := h.v.BeginPasskey(t.Context(), c); code(err) != vc.Refused {
		t.Errorf("another passkey without one: %v", err)
	}
	first := must(h.v.Passkeys(t.Context(), c))[0].ID
	if err := h.v.RemovePasskey(t.Context(), d.confirmed(h, n, c, "remove passkey", first), first); code(err) != vc.Conflict {
		t.Errorf("the last one: %v", err)
	}
	e := newDevice()
	options := must(h.v.BeginPasskey(t.Context(), d.confirmed(h, n, c, "add passkey", nil)))
	if err := h.v.AddPasskey(t.Context(), c, "Phone", e.create(options)); err != nil {
		t.Fatal(err)
	}
	if s := must(h.v.SignIn(t.Context(), e.get(must(h.v.BeginSignIn())))); s.User.ID != n {
		t.Errorf("the new one signs in as %v", s.User.ID)
	}
	var names []string
	for _, k := range must(h.v.Passkeys(t.Context(), c)) {
		names = append(names, k.Name)
	}
	if !slices.Equal(names, []string{"Laptop", "Phone"}) {
		t.Errorf("passkeys %q", names)
	}
	if err := h.v.RemovePasskey(t.Context(), c, first); code(err) != vc.Refused {
		t.Errorf("removed without a passkey: %v", err)
	}
	if err := h.v.RemovePasskey(t.Context(), e.confirmed(h, n, c, "remove passkey", first), first); err != nil {
		t.Fatal(err)
	}
	if _, err := h.v.SignIn(t.Context(), d.get(must(h.v.BeginSignIn()))); code(err) != vc.Unauthenticated {
		t.Errorf("a removed one signs in: %v", err)
	}
	admin, a, boss := h.enrol(vc.NewUser{Name: "Ann Admin", Role: policy.Administrator})
	if err := h.v.RemovePasskeys(t.Context(), e.confirmed(h, n, c, "remove passkeys", admin), admin); code(err) != vc.Refused {
		t.Errorf("an operator removes an administrator's: %v", err)
	}
	if err := h.v.RemovePasskeys(t.Context(), a.confirmed(h, admin, boss, "remove passkeys", n), n); err != nil {
		t.Fatal(err)
	}
	if _, err := h.v.Whoami(t.Context(), c); code(err) != vc.Unauthenticated {
		t.Errorf("the session of whose passkeys were removed: %v", err)
	}
	if added, removed := h.entered("credential", "passkey added"), h.entered("credential", "passkey removed"); added != 3 || removed != 2 {
		t.Errorf("%d entries of passkeys added, %d of removed", added, removed)
	}
}

// TestChangesTakeAPasskey: with the token of a session on the origin alone nobody changes who may do what; and a link for the
// command line enrols nothing.
func TestChangesTakeAPasskey(t *testing.T) {
	h := newHouse(t)
	n, d, c := h.enrol(vc.NewUser{Name: "Ann Admin", Role: policy.Administrator})
	users := []vc.NewUser{{Name: "New", Role: policy.Operator}}
	to := vc.NewUser{Name: "New", Role: policy.RecordsOfficer}
	if _, err := h.v.CreateUsers(t.Context(), c, users); code(err) != vc.Refused {
		t.Errorf("a user: %v", err)
	}
	if _, err := h.v.CreateUsers(t.Context(), d.confirmed(h, n, c, "create users", []vc.NewUser{to}), users); code(err) != vc.Refused {
		t.Errorf("another user than was confirmed: %v", err)
	}
	u := must(h.v.CreateUsers(t.Context(), d.confirmed(h, n, c, "create users", users), users))[0]
	for name, err := range map[string]error{
		"a role":               h.v.ChangeUser(t.Context(), c, u, to),
		"one's own role":       h.v.ChangeUser(t.Context(), d.confirmed(h, n, c, "change user", vault.UserChange{User: n, To: to}), n, to),
		"the end":              h.v.EndUser(t.Context(), c, u),
		"a link":               second(h.v.NewLink(t.Context(), c, u)),
		"a command line":       second(h.v.CommandLink(t.Context(), c)),
		"a passkey's end":      h.v.RemovePasskeys(t.Context(), c, n),
		"one confirmed for":    second(h.v.NewLink(t.Context(), d.confirmed(h, n, c, "end user", u), u)),
		"and of somebody else": second(h.v.NewLink(t.Context(), d.confirmed(h, n, c, "new link", n), u)),
	} {
		if err == nil {
			t.Errorf("%s without a passkey", name)
		}
	}
	if err := h.v.ChangeUser(t.Context(), d.confirmed(h, n, c, "change user", vault.UserChange{User: u, To: to}), u, to); err != nil {
		t.Error(err)
	}
	link := must(h.v.CommandLink(t.Context(), d.confirmed(h, n, c, "command link", nil)))
	if _, _, err := h.v.BeginEnrolment(link); code(err) != vc.Unauthenticated {
		t.Errorf("a link for the command line enrols: %v", err)
	}
	if s := must(h.nodes["cli"].RedeemLink(t.Context(), link)); s.User.ID != n {
		t.Errorf("signed in as %v", s.User.ID)
	}
	if err := h.v.EndUser(t.Context(), d.confirmed(h, n, c, "end user", u), u); err != nil {
		t.Error(err)
	}
}

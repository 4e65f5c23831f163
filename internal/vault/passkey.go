package vault

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Passkeys (WebAuthn) work on the vault's own origin and nowhere else: the browser binds them to its host, and the vault
// checks host and port. A challenge is answered once, within minutes, and only for what it was made for:
//
//	begin → options for the browser → its response → finish
//
// An assertion is an answer whose challenge is bound to a digest of what somebody agrees to, so that a response for one
// thing is worth nothing for another, and can be checked again later.

// credential is a stored row: a way to sign in, of a user.
type credential struct {
	User id.User `json:"user"`
	Name string  `json:"name"`
	Made int64   `json:"made"` // µs
	// A passkey's: its id, public key (COSE), counter, and what it said of itself when it was made.
	ID             []byte   `json:"id,omitempty"`
	PublicKey      []byte   `json:"public_key,omitempty"`
	Count          uint32   `json:"count,omitempty"`
	BackupEligible bool     `json:"backup_eligible,omitempty"`
	Transports     []string `json:"transports,omitempty"`
	// A tie's to an organisation's own sign-in: which provider made it, and as whom it knows the user. Its row's id is tieKey.
	Provider id.Provider `json:"provider,omitzero"`
	Subject  string      `json:"subject,omitempty"`
}

func (c *credential) isPasskey() bool { return len(c.PublicKey) > 0 }

// passkeys are the ceremonies that wait for their response, in memory only: after a restart people begin again.
type passkeys struct {
	rp *webauthn.WebAuthn // nil: the vault has no origin with a host name

	mu      sync.Mutex
	waiting map[string]*ceremony // by challenge
}

// ceremony is a challenge that was given out.
type ceremony struct {
	session webauthn.SessionData
	use     use
	digest  [sha256.Size]byte
	nonce   []byte
	expires time.Time
}

// use is what a challenge is for.
type use string

const (
	useSignIn use = "sign in"
	useEnrol  use = "enrol"
	useAssert use = "assert"
)

const (
	ceremonyLife  = 5 * time.Minute
	maxCeremonies = 100_000 // challenges in memory at most, some 50 MB
	maxResponse   = 16 << 10
	maxPasskeys   = 20 // of a user
)

// ErrNoPasskeys says that passkeys can't work where the vault's origin has no host name.
var ErrNoPasskeys = errors.New("passkeys need an origin with a host name, as in http://localhost:8081: start the vault with another --vault-listen")

// newPasskeys prepares passkeys for an origin such as "http://localhost:8081"; without a host name there are none.
func newPasskeys(origin string) (*passkeys, error) {
	k := &passkeys{waiting: map[string]*ceremony{}}
	if origin == "" {
		return k, nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the vault's origin %q is no address such as https://vault.example", origin)
	}
	if protocol.ValidateRPID(u.Hostname()) != nil {
		return k, nil
	}
	k.rp, err = webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: "dosevault", RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired,
		},
	})
	return k, err
}

// origin is the address that passkeys are bound to; nothing when there are none.
func (k *passkeys) origin() string {
	if k.rp == nil {
		return ""
	}
	return k.rp.Config.RPOrigins[0]
}

// algorithms are the signatures that passkeys may make, the preferred one first. All of them are approved by FIPS 140-3.
var algorithms = []protocol.CredentialParameter{
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgES256},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgEdDSA},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgRS256},
}

// keep remembers a challenge until it is answered or too old.
func (k *passkeys) keep(c *ceremony, now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.waiting) >= maxCeremonies {
		for challenge, old := range k.waiting {
			if now.After(old.expires) {
				delete(k.waiting, challenge)
			}
		}
		if len(k.waiting) >= maxCeremonies {
			return &vaultclient.Error{Code: vaultclient.Conflict, Message: "too many people are signing in at this moment: try again in some minutes"}
		}
	}
	c.expires = now.Add(ceremonyLife)
	k.waiting[c.session.Challenge] = c
	return nil
}

// take returns the ceremony of a challenge once; nil when there is none for this use.
func (k *passkeys) take(challenge string, u use, now time.Time) *ceremony {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.waiting[challenge]
	delete(k.waiting, challenge)
	if c == nil || c.use != u || now.After(c.expires) {
		return nil
	}
	return c
}

// ErrPasskey says that a passkey was not accepted, and no more than that.
var ErrPasskey error = &vaultclient.Error{Code: vaultclient.Unauthenticated, Message: "the passkey was not accepted: try again"}

// rpUser is a user as the WebAuthn library wants to see one.
type rpUser struct {
	id   id.User
	name string
	keys []webauthn.Credential
}

func (u *rpUser) WebAuthnID() []byte                         { return u.id[:] }
func (u *rpUser) WebAuthnName() string                       { return u.name }
func (u *rpUser) WebAuthnDisplayName() string                { return u.name }
func (u *rpUser) WebAuthnCredentials() []webauthn.Credential { return u.keys }

func (c *credential) asWebAuthn() webauthn.Credential {
	w := webauthn.Credential{ID: c.ID, PublicKey: c.PublicKey, Authenticator: webauthn.Authenticator{SignCount: c.Count}}
	w.Flags.BackupEligible = c.BackupEligible
	for _, t := range c.Transports {
		w.Transport = append(w.Transport, protocol.AuthenticatorTransport(t))
	}
	return w
}

// rpUser finds a user whose access holds, with their passkeys.
func (v *Vault) rpUser(n id.User) (*rpUser, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	u := v.state.users[n]
	if !active(u, v.now()) {
		return nil, errUnauthenticated
	}
	r := &rpUser{id: n, name: u.Name}
	for _, c := range v.state.credentials {
		if c.User == n && c.isPasskey() {
			r.keys = append(r.keys, c.asWebAuthn())
		}
	}
	return r, nil
}

// passkeyRow is the id of a passkey's row.
func (v *Vault) passkeyRow(credentialID []byte) secretHash {
	return v.keyedHash("passkey", credentialID)
}

// HasPasskey reports whether a user has a passkey.
func (v *Vault) HasPasskey(n id.User) bool {
	u, err := v.rpUser(n)
	return err == nil && len(u.keys) > 0
}

// BeginSignIn makes a challenge for whoever wants to sign in; the passkey says who. It returns the options for the
// browser's navigator.credentials.get, as JSON.
func (v *Vault) BeginSignIn() (json.RawMessage, error) {
	if v.passkeys.rp == nil {
		return nil, ErrNoPasskeys
	}
	options, s, err := v.passkeys.rp.BeginDiscoverableLogin()
	if err != nil {
		return nil, err
	}
	if err := v.passkeys.keep(&ceremony{session: *s, use: useSignIn}, v.now()); err != nil {
		return nil, err
	}
	return json.Marshal(options.Response)
}

// SignIn begins a session on the origin for the user whose passkey answered a challenge of BeginSignIn.
func (v *Vault) SignIn(ctx context.Context, response []byte) (vaultclient.Session, error) {
	got, err := v.parse(response)
	if err != nil {
		return vaultclient.Session{}, v.refusePasskey(ctx, id.User{}, "a response that can't be read")
	}
	c := v.passkeys.take(got.Response.CollectedClientData.Challenge, useSignIn, v.now())
	if c == nil {
		return vaultclient.Session{}, v.refusePasskey(ctx, id.User{}, "a challenge that was not given out, was answered already or is too old")
	}
	row := v.passkeyRow(got.RawID)
	v.mu.RLock()
	stored := v.state.credentials[row]
	v.mu.RUnlock()
	if stored == nil {
		return vaultclient.Session{}, v.refusePasskey(ctx, id.User{}, "a passkey that is nobody's")
	}
	_, _, err = v.passkeys.rp.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return v.rpUser(stored.User) }, c.session, got)
	if err != nil {
		return vaultclient.Session{}, v.refusePasskey(ctx, stored.User, "the passkey's answer does not hold")
	}
	s, err := v.begin(ctx, Caller{Node: OriginNode}, func(t *tx) (id.User, error) {
		return stored.User, t.usePasskey(row, got)
	})
	if errors.Is(err, errCounter) {
		return s, v.refusePasskey(ctx, stored.User, reasonCounter)
	}
	return s, err
}

const reasonCounter = "the passkey's counter went back: it may have been copied"

var errCounter error = &vaultclient.Error{Code: vaultclient.Unauthenticated, Message: reasonCounter}

// usePasskey moves a passkey's counter on. One that does not go up is refused, unless the passkey counts nothing at all.
func (t *tx) usePasskey(row secretHash, got *protocol.ParsedCredentialAssertionData) error {
	old := t.v.state.credentials[row]
	if old == nil {
		return ErrPasskey // it was removed meanwhile
	}
	count := got.Response.AuthenticatorData.Counter
	switch {
	case count == 0 && old.Count == 0:
		return nil
	case count <= old.Count:
		return errCounter
	}
	c := *old
	c.Count = count
	return t.putCredential(row, &c)
}

func (t *tx) putCredential(row secretHash, c *credential) error {
	sealed, err := t.v.sealRow(TableCredential, row[:], c)
	if err != nil {
		return err
	}
	t.put(TableCredential, row[:], sealed)
	t.apply(func(s *state) { s.credentials[row] = c })
	return nil
}

// parse reads the browser's answer to a request for a passkey.
func (v *Vault) parse(response []byte) (*protocol.ParsedCredentialAssertionData, error) {
	if v.passkeys.rp == nil {
		return nil, ErrNoPasskeys
	}
	if len(response) > maxResponse {
		return nil, ErrPasskey
	}
	return protocol.ParseCredentialRequestResponseBytes(response)
}

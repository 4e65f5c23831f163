package vault

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Assertion is a user's agreement, by a passkey, to what a digest stands for. It can be kept, and checked again by Verify.
type Assertion struct {
	User      id.User         `json:"user"`
	Nonce     []byte          `json:"nonce"`
	Response  json.RawMessage `json:"response"`   // the browser's
	PublicKey []byte          `json:"public_key"` // COSE
}

// challengeOf binds a challenge to a digest and a random nonce:
//
//	SHA-256("dosevault assertion 1\n" ‖ nonce (32 bytes) ‖ digest (32 bytes))
func challengeOf(nonce []byte, digest [sha256.Size]byte) []byte {
	h := sha256.New()
	h.Write([]byte("dosevault assertion 1\n"))
	h.Write(nonce)
	h.Write(digest[:])
	return h.Sum(nil)
}

// BeginAssertion makes a challenge for one of a user's passkeys, bound to a digest of what they are to agree to. It returns
// the options for navigator.credentials.get, as JSON; a page's form carries them as origin's passkeyForm does. A user without
// a passkey gets an error of code Conflict.
func (v *Vault) BeginAssertion(user id.User, digest [sha256.Size]byte) (json.RawMessage, error) {
	if v.passkeys.rp == nil {
		return nil, ErrNoPasskeys
	}
	u, err := v.rpUser(user)
	if err != nil {
		return nil, err
	}
	if len(u.keys) == 0 {
		return nil, &vaultclient.Error{Code: vaultclient.Conflict, Message: "there is no passkey to confirm with: ask for an enrolment link"}
	}
	nonce := make([]byte, 32)
	rand.Read(nonce)
	options, s, err := v.passkeys.rp.BeginLogin(u, webauthn.WithChallenge(challengeOf(nonce, digest)))
	if err != nil {
		return nil, err
	}
	if err := v.passkeys.keep(&ceremony{session: *s, use: useAssert, digest: digest, nonce: nonce}, v.now()); err != nil {
		return nil, err
	}
	return json.Marshal(options.Response)
}

// FinishAssertion checks the browser's answer to BeginAssertion for the same user and digest. A challenge is answered once.
// An answer that does not hold is an error, and entered.
func (v *Vault) FinishAssertion(ctx context.Context, user id.User, digest [sha256.Size]byte, response []byte) (*Assertion, error) {
	refuse := func(reason string) error {
		if err := v.enterRefused(ctx, true, user, ledger.Opening{User: user, Node: OriginNode, Reason: "passkey: " + reason}); err != nil {
			return err
		}
		return ErrConfirm
	}
	got, err := v.parse(response)
	if errors.Is(err, ErrNoPasskeys) {
		return nil, err
	}
	if err != nil {
		return nil, refuse("a response that can't be read")
	}
	c := v.passkeys.take(got.Response.CollectedClientData.Challenge, useAssert, v.now())
	if c == nil || c.digest != digest {
		return nil, refuse("not for what was to be confirmed, answered already, or too old")
	}
	u, err := v.rpUser(user)
	if err != nil {
		return nil, err
	}
	if _, err := v.passkeys.rp.ValidateLogin(u, c.session, got); err != nil {
		return nil, refuse("the answer does not hold")
	}
	row := v.passkeyRow(got.RawID)
	var key []byte
	err = v.commit(ctx, func(t *tx) error {
		if err := t.usePasskey(row, got); err != nil {
			return err
		}
		key = v.state.credentials[row].PublicKey
		return nil
	})
	if errors.Is(err, errCounter) {
		return nil, refuse(reasonCounter)
	}
	if err != nil {
		return nil, hideCommitError(err)
	}
	return &Assertion{User: user, Nonce: c.nonce, Response: slices.Clone(response), PublicKey: key}, nil
}

// ErrConfirm says that a change on the origin was not confirmed with the passkey.
var ErrConfirm = refused("this was not confirmed with your passkey")

// Verify checks an assertion again, by itself: that the key in it signed the digest on the given origin, such as
// "http://localhost:8081", with its user verified. Whose key it was, the ledger says.
func (a *Assertion) Verify(origin string, digest [sha256.Size]byte) error {
	u, err := url.Parse(origin)
	if err != nil {
		return err
	}
	got, err := protocol.ParseCredentialRequestResponseBytes(a.Response)
	if err != nil {
		return errors.New("the passkey's answer can't be read")
	}
	if len(got.Response.UserHandle) > 0 && !slices.Equal(got.Response.UserHandle, a.User[:]) {
		return errors.New("the passkey's answer is another user's")
	}
	challenge := base64.RawURLEncoding.EncodeToString(challengeOf(a.Nonce, digest))
	if err := got.Verify(challenge, u.Hostname(), "", []string{origin}, nil, nil, protocol.TopOriginExplicitVerificationMode, false, true, true, a.PublicKey, protocol.SignaturePolicy{}); err != nil {
		return errors.New("the passkey's answer does not hold for this")
	}
	return nil
}

// What is confirmed of proposals beside signing them.
const (
	ConfirmDecline  = "decline"
	ConfirmRecovery = "recovery link"
)

// Confirmation is the digest of what somebody confirms with their passkey on the origin: what is to be done, with all that it depends on.
func Confirmation(what string, details any) ([sha256.Size]byte, error) {
	b, err := json.Marshal(details)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	return sha256.Sum256(append([]byte("dosevault confirmation 1\n"+what+"\n"), b...)), nil
}

// confirm asks, of a change made on the origin, for the caller's passkey over what is changed: whoever only holds the session's
// token changes nothing. A demonstration has no passkeys. Other nodes that may call have their own ways to be sure.
func (v *Vault) confirm(ctx context.Context, c Caller, p *principal, what string, details any) error {
	if c.Node != OriginNode || v.demo {
		return nil
	}
	digest, err := Confirmation(what, details)
	if err != nil {
		return err
	}
	_, err = v.FinishAssertion(ctx, p.User, digest, c.Passkey)
	return err
}

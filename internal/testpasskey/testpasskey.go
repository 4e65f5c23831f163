// Package testpasskey is somebody with a passkey, for tests and benchmarks of the real program: it answers the vault's
// own pages as a browser with an authenticator does.
package testpasskey

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"

	"github.com/descope/virtualwebauthn"
)

// Device is an authenticator with one passkey for a vault's origin.
type Device struct {
	origin string
	rp     virtualwebauthn.RelyingParty
	auth   virtualwebauthn.Authenticator
	key    virtualwebauthn.Credential
	client *http.Client // its owner's browser, with its cookies
}

// New returns a device for an origin such as "http://localhost:8081".
func New(origin string) (*Device, error) {
	u, err := url.Parse(origin)
	if err != nil {
		return nil, err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Device{client: browser, origin: origin, rp: virtualwebauthn.RelyingParty{ID: u.Hostname(), Name: "dosevault", Origin: origin},
		auth: virtualwebauthn.NewAuthenticator(), key: Key()}, nil
}

// Enrol spends a one-time link's secret for a passkey on the device, and returns the one-time code for the web node.
func (d *Device) Enrol(ctx context.Context, secret string) (code string, err error) {
	return d.through(ctx, "/link?"+url.Values{"secret": {secret}}.Encode(), "/link", url.Values{"secret": {secret}, "name": {"Test"}})
}

// SignIn signs in by the passkey and returns the one-time code for the web node.
func (d *Device) SignIn(ctx context.Context) (code string, err error) {
	return d.through(ctx, "/signin", "/signin", url.Values{})
}

var challenge = regexp.MustCompile(`data-passkey="(get|create)" data-options="([^"]*)"`)

// through opens a page, answers its challenge, sends its form, and returns the code that the browser is sent on with.
func (d *Device) through(ctx context.Context, page, action string, form url.Values) (string, error) {
	defer d.client.CloseIdleConnections()
	text, _, err := d.Get(ctx, page)
	if err != nil {
		return "", err
	}
	answer, err := d.Answer(text)
	if err != nil {
		return "", err
	}
	form.Set("response", answer)
	status, to, err := d.Post(ctx, action, form)
	if err != nil {
		return "", err
	}
	if to == nil {
		return "", fmt.Errorf("the passkey was answered with status %d", status)
	}
	return to.Query().Get("code"), nil
}

// Get opens a page as the device's owner, who is signed in once they enrolled or signed in.
func (d *Device) Get(ctx context.Context, path string) (text string, status int, err error) {
	text, status, _, err = d.do(ctx, http.MethodGet, path, "")
	return text, status, err
}

// Post sends a form likewise, and returns the answer's status and where the browser is sent on to; nil: nowhere.
func (d *Device) Post(ctx context.Context, path string, form url.Values) (status int, to *url.URL, err error) {
	_, status, to, err = d.do(ctx, http.MethodPost, path, form.Encode())
	return status, to, err
}

func (d *Device) do(ctx context.Context, method, path, body string) (text string, status int, to *url.URL, err error) {
	req, err := http.NewRequestWithContext(ctx, method, d.origin+path, strings.NewReader(body))
	if err != nil {
		return "", 0, nil, err
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return "", 0, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	to, _ = resp.Location() // none: not sent on
	return string(b), resp.StatusCode, to, err
}

// Answer answers the challenge of a page, for its form's field "response".
func (d *Device) Answer(page string) (response string, err error) {
	m := challenge.FindStringSubmatch(page)
	if m == nil {
		return "", errors.New("the vault's page asks for no passkey")
	}
	return d.answer(m[1], html.UnescapeString(m[2]))
}

func (d *Device) answer(kind, options string) (string, error) {
	if kind == "create" {
		o, err := virtualwebauthn.ParseAttestationOptions(options)
		if err != nil {
			return "", err
		}
		d.auth.Options.UserHandle = []byte(o.UserID)
		return virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.key, *o), nil
	}
	o, err := virtualwebauthn.ParseAssertionOptions(options)
	if err != nil {
		return "", err
	}
	d.key.Counter++
	return virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.key, *o), nil
}

// coseKey is the length of a P-256 key in COSE's encoding.
const coseKey = 77

// Key returns a new key. The authenticator that signs with it leaves out leading zeros of the key's coordinates, one time in
// 128, and such a key is no key to anybody: those are not taken.
func Key() virtualwebauthn.Credential {
	for {
		if c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(c.Key.AttestationData()) == coseKey {
			return c
		}
	}
}

package web

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"time"

	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// sessionRoutes are signing in and out.
func (h *handler) sessionRoutes() []route {
	return []route{
		{"GET /signin", h.signIn},
		{"GET /signin/code", h.signInCode},
		{"POST /signin/confirm", h.confirm},
		{"GET /welcome", h.welcome},
		{"GET /signed-out", h.signedOut},
		{"POST /signout", h.signOut},
	}
}

// prefixed is a cookie's full name. Browsers keep a __Host- cookie only from https, so on plain loopback the name has
// no prefix.
func (h *handler) prefixed(name string) string {
	if h.plain {
		return name
	}
	return "__Host-" + name
}

func (h *handler) cookieName() string { return h.prefixed("session") }

// session returns the session that a request brings.
func (h *handler) session(r *http.Request) (vaultclient.Auth, bool) {
	c, err := r.Cookie(h.cookieName())
	if err != nil || c.Value == "" || len(c.Value) > 512 {
		return vaultclient.Auth{}, false
	}
	return vaultclient.Auth{Session: c.Value}, true
}

// setSession sets the session's cookie; no token takes it away.
func (h *handler) setSession(w http.ResponseWriter, token string, lifetime time.Duration) {
	c := &http.Cookie{Name: h.cookieName(), Value: token, Path: "/", HttpOnly: true, Secure: !h.plain, SameSite: http.SameSiteLaxMode}
	if c.MaxAge = int(lifetime.Seconds()); token == "" || c.MaxAge <= 0 {
		c.Value, c.MaxAge = "", -1
	}
	http.SetCookie(w, c)
}

// How long the cookies of a sign-in live: as long as a one-time link, so that none outlives what it belongs to.
const signInLifetime = 10 * time.Minute

// The short-lived cookies of a sign-in, beside the session's own.
const (
	stateCookie   = "signin"  // the state that this browser began a sign-in with
	pendingCookie = "pending" // a session that the reader has not said yes to
)

// shortCookie sets a cookie of a sign-in; no value takes it away.
func (h *handler) shortCookie(w http.ResponseWriter, name, value string) {
	c := &http.Cookie{Name: h.prefixed(name), Value: value, Path: "/", HttpOnly: true, Secure: !h.plain, SameSite: http.SameSiteLaxMode, MaxAge: int(signInLifetime.Seconds())}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func (h *handler) readCookie(r *http.Request, name string) string {
	c, err := r.Cookie(h.prefixed(name))
	if err != nil || len(c.Value) > 512 {
		return ""
	}
	return c.Value
}

// signIn sends the browser to the vault's own origin, with a state that only this browser knows. One that it has
// already is kept, so that two tabs do not spoil each other's sign-in.
func (h *handler) signIn(w http.ResponseWriter, r *http.Request) {
	state := h.readCookie(r, stateCookie)
	if b, err := hex.DecodeString(state); err != nil || len(b) != 16 {
		var fresh [16]byte
		rand.Read(fresh[:])
		state = hex.EncodeToString(fresh[:])
	}
	h.shortCookie(w, stateCookie, state)
	http.Redirect(w, r, h.VaultOrigin+"/signin?"+url.Values{"return": {h.Origin}, "state": {state}, "lang": {string(words.Of(r.Context()))}}.Encode(), http.StatusSeeOther)
}

// signInCode redeems the one-time code with which the vault sent the browser back.
//
// Whoever makes somebody else's browser open this address with a code of their own would have that person work in
// the wrong account. So a code signs in at once only if it brings the state of a sign-in that this very browser
// began. Any other, as after a one-time link, where nothing began here, or when the state's cookie has run out, is
// redeemed into a pending session: the reader is told whose it is and presses a button, and until then a session
// that the browser has stays as it is.
func (h *handler) signInCode(w http.ResponseWriter, r *http.Request) {
	code := r.URL.Query().Get("code")
	if code == "" || len(code) > 512 {
		h.fail(w, r, nil, errCode)
		return
	}
	s, err := h.Vault.RedeemCode(r.Context(), code)
	if err != nil {
		switch errorCode(err) {
		case vaultclient.Unauthenticated, vaultclient.NotFound, vaultclient.Invalid, vaultclient.Conflict:
			err = errCode
		}
		h.fail(w, r, nil, err)
		return
	}
	began := h.readCookie(r, stateCookie)
	if began != "" && subtle.ConstantTimeCompare([]byte(began), []byte(r.URL.Query().Get("state"))) == 1 {
		h.begin(w, r, s.Token, s.Expires.Sub(h.Now()))
		return
	}
	h.shortCookie(w, pendingCookie, s.Token)
	x := confirmView{Name: s.User.Name, Role: roleWord(r.Context(), s.User.Role)}
	if auth, ok := h.session(r); ok {
		if now, err := h.Vault.Whoami(r.Context(), auth); err == nil && now.ID != s.User.ID {
			x.Now = now.Name
		}
	}
	h.render(w, r, http.StatusOK, confirmPage(frame{Title: "Continue signing in", Demo: h.Demo}, x))
}

// confirmView asks whether a sign-in that did not begin in this browser is the reader's.
type confirmView struct {
	Name, Role string
	Now        string // who is signed in now, if that is somebody else
}

// confirm makes the pending session the browser's, or ends it if the reader is somebody else.
func (h *handler) confirm(w http.ResponseWriter, r *http.Request) {
	token := h.readCookie(r, pendingCookie)
	h.shortCookie(w, pendingCookie, "")
	if token == "" {
		h.fail(w, r, nil, errCode)
		return
	}
	if r.PostFormValue("answer") != "continue" {
		if err := h.Vault.SignOut(r.Context(), vaultclient.Auth{Session: token}); err != nil && errorCode(err) != vaultclient.Unauthenticated {
			h.fail(w, r, nil, err)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	// The vault ends the session after its own time; the cookie may outlive it, never the other way round.
	h.begin(w, r, token, maxSession)
}

// maxSession is the longest that a cookie is kept; the vault ends sessions sooner.
const maxSession = 12 * time.Hour

// begin makes a session the browser's. One that it had is ended in the vault too; that this fails hinders nobody.
func (h *handler) begin(w http.ResponseWriter, r *http.Request, token string, lifetime time.Duration) {
	if old, ok := h.session(r); ok && old.Session != token {
		if err := h.Vault.SignOut(r.Context(), old); err != nil && errorCode(err) != vaultclient.Unauthenticated {
			h.Log.Warn("web: the session before was not ended", "error", err.Error())
		}
	}
	h.shortCookie(w, stateCookie, "")
	h.setSession(w, token, lifetime)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// signOut ends the session at the vault and in the browser.
func (h *handler) signOut(w http.ResponseWriter, r *http.Request) {
	auth, ok := h.session(r)
	h.setSession(w, "", 0)
	if ok {
		if err := h.Vault.SignOut(r.Context(), auth); err != nil && errorCode(err) != vaultclient.Unauthenticated {
			h.fail(w, r, nil, err)
			return
		}
	}
	// Not its cookies, which other services on the same host have too, nor its storage, where only the choice of sound lies.
	w.Header().Set("Clear-Site-Data", `"cache"`)
	http.Redirect(w, r, "/signed-out", http.StatusSeeOther)
}

// welcome is the first page of who brings no session; with one it leads to the overview.
func (h *handler) welcome(w http.ResponseWriter, r *http.Request) {
	if _, ok := h.session(r); ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	h.render(w, r, http.StatusOK, welcomePage(frame{Title: "Sign in", Demo: h.Demo}, false))
}

// signedOut is the page after signing out, and of who brings a session that has ended.
func (h *handler) signedOut(w http.ResponseWriter, r *http.Request) {
	h.render(w, r, http.StatusOK, welcomePage(frame{Title: "You are signed out", Demo: h.Demo}, true))
}

package web

import (
	"net/http"
	"net/url"
	"time"

	"github.com/dosevault/dosevault/internal/vaultclient"
)

// cookieName is that of the session's cookie. Browsers keep a __Host- cookie only from https, so on plain loopback
// the name has no prefix.
func (h *handler) cookieName() string {
	if h.plain {
		return "session"
	}
	return "__Host-session"
}

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

// signIn sends the browser to the vault's own origin.
func (h *handler) signIn(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, h.VaultOrigin+"/signin?return="+url.QueryEscape(h.Origin), http.StatusSeeOther)
}

// signInCode redeems the one-time code with which the vault sent the browser back.
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
	h.setSession(w, s.Token, s.Expires.Sub(h.Now()))
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

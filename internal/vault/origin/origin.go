// Package origin is the vault's own small web origin: where people sign in, and see and change who may do what.
//
// A web node is a client of it, as of an identity provider: it sends a browser here and gets back a one-time code, which
// it redeems with its own key. It never sees how somebody signed in, and nothing that is decided here passes through it.
// The pages hold no key and decide nothing: they call the vault as the signed-in user on the node "origin".
package origin

import (
	"bytes"
	_ "embed"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/words"
)

// Origin is the web origin of a vault.
type Origin struct {
	Vault *vault.Vault
	// URL is the origin's own address as a browser sees it, as in "http://localhost:8081".
	URL string
	// Nodes are the web nodes that a browser may be sent back to: name by their own origin, as in "http://localhost:8080".
	Nodes map[string]string
	// Demo lists every user to be signed in as, without more ado: for invented people only.
	Demo bool
	Log  *slog.Logger

	openID openID
}

// route is a page: its pattern for a ServeMux, and what answers.
type route struct {
	pattern string
	handler http.HandlerFunc
}

// routes lists the pages, each area by itself.
func (o *Origin) routes() [][]route {
	return [][]route{o.signInRoutes(), o.openIDRoutes(), o.sessionRoutes(), o.accountRoutes(), o.userRoutes(), o.approvalRoutes(), o.grantRoutes(), o.policyRoutes(), o.freezeRoutes(), o.alarmRoutes(), o.noticeRoutes()}
}

//go:embed origin.css
var css []byte

// Handler returns the origin's pages.
func (o *Origin) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, area := range o.routes() {
		for _, r := range area {
			mux.HandleFunc(r.pattern, r.handler)
		}
	}
	mux.HandleFunc("GET /origin.css", static("text/css; charset=utf-8", css))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		o.message(w, r, http.StatusNotFound, "Page not found", "There is nothing here under this address. Start again from the address that you were given.")
	})
	protect := http.NewCrossOriginProtection()
	protect.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.message(w, r, http.StatusForbidden, "This form came from somewhere else", "Open the page again and send the form from there.")
	}))
	protected := protect.Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		h := w.Header()
		// No form-action: Chromium holds it against the redirect back to the node too, which is allow-listed here instead.
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if !o.plain() {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		r = r.WithContext(words.With(r.Context(), o.language(w, r), &welsh))
		defer func() {
			if recover() != nil { // the value may hold anything, and the server would log it
				o.fail(w, r, errPanic)
			}
		}()
		protected.ServeHTTP(w, r)
	})
}

var errPanic = errors.New("it panicked")

// maxBody is the size of a form at most, in bytes.
const maxBody = 64 << 10

// Server returns a server for the origin with its time limits set.
func (o *Origin) Server() *http.Server {
	return &http.Server{Handler: o.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
}

func static(kind string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Write(content)
	}
}

// languageCookie keeps "en" or "cy", for who has chosen; others get what their browser asks for.
const languageCookie = "vault-language"

// language is the language of a request; one that comes with the address or form is kept.
func (o *Origin) language(w http.ResponseWriter, r *http.Request) words.Lang {
	chosen := r.FormValue("lang")
	if l := words.Lang(chosen); l == words.English || l == words.Welsh {
		o.setCookie(w, languageCookie, chosen, 365*24*time.Hour)
	} else {
		chosen = o.cookie(r, languageCookie)
	}
	return words.Choose(chosen, r.Header.Get("Accept-Language"))
}

// plain reports whether the origin is reached without TLS, as on loopback.
func (o *Origin) plain() bool { return !strings.HasPrefix(o.URL, "https://") }

// prefixed is a cookie's full name. Browsers keep a __Host- cookie only from https.
func (o *Origin) prefixed(name string) string {
	if o.plain() {
		return name
	}
	return "__Host-" + name
}

// setCookie sets a cookie; no value takes it away.
func (o *Origin) setCookie(w http.ResponseWriter, name, value string, lifetime time.Duration) {
	c := &http.Cookie{Name: o.prefixed(name), Value: value, Path: "/", HttpOnly: true, Secure: !o.plain(), SameSite: http.SameSiteLaxMode, MaxAge: int(lifetime.Seconds())}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// cookie returns a cookie's value; of one that is missing or too long, nothing.
func (o *Origin) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(o.prefixed(name))
	if err != nil || len(c.Value) > 512 {
		return ""
	}
	return c.Value
}

// node finds the node that a browser wants to go back to; the only one there is when it does not say.
func (o *Origin) node(back string) (name, origin string, ok bool) {
	for origin, name := range o.Nodes {
		if back == origin || back == "" && len(o.Nodes) == 1 {
			return name, origin, true
		}
	}
	return "", "", false
}

// message shows a page of one sentence.
func (o *Origin) message(w http.ResponseWriter, r *http.Request, status int, title, text words.Key) {
	o.render(w, r, status, "message", &messagePage{frame: frame{Title: title}, Text: text})
}

type messagePage struct {
	frame
	Text words.Key
}

// render writes a page: a template of the directory templates in its frame.
func (o *Origin) render(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	p.prepare(o, r)
	var b bytes.Buffer
	if err := templates[name].ExecuteTemplate(&b, "frame.html", p); err != nil {
		o.Log.Error("a page of the vault's origin could not be made", "page", name, "error", err)
		http.Error(w, "This page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", string(words.Of(r.Context())))
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

// other offers the page of a request in the other language. The address is below the page's own, and takes along what the
// page was asked for with; of a form that was sent it leads to the page with the form.
func other(r *http.Request) otherLanguage {
	x := otherLanguage{Lang: words.Welsh, Name: "Cymraeg"}
	if words.Of(r.Context()) == words.Welsh {
		x = otherLanguage{Lang: words.English, Name: "English"}
	}
	q := url.Values{"lang": {string(x.Lang)}}
	for _, name := range []string{"return", "state", "secret", "to", "wearer"} {
		if v := r.FormValue(name); v != "" {
			q.Set(name, v)
		}
	}
	x.Href = "?" + q.Encode()
	return x
}

// otherLanguage is what a page offers instead of its own, by its own name.
type otherLanguage struct {
	Lang       words.Lang
	Name, Href string
}

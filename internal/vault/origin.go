package vault

import (
	"context"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Origin is the vault's own small web origin, where people sign in. A web node sends a browser here and gets
// back a one-time code, which it redeems with its own key; it never sees how somebody signed in.
type Origin struct {
	Vault *Vault
	// Nodes are the web nodes that a browser may be sent back to: name by their own origin, as in "http://localhost:8080".
	Nodes map[string]string
	// Demo lists every user to be signed in as, without more ado: for invented people only.
	Demo bool
}

//go:embed origin.css
var originCSS []byte

// Handler returns the origin's pages.
func (o *Origin) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/signin?lang="+string(words.Of(r.Context())), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /signin", o.signIn)
	mux.HandleFunc("POST /signin", o.signInAs)
	mux.HandleFunc("GET /link", o.link)
	mux.HandleFunc("POST /link", o.spendLink)
	mux.HandleFunc("GET /origin.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Write(originCSS)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		o.page(w, r, http.StatusNotFound, originPage{Title: "Page not found", Text: "There is nothing here under this address. Start again from the address that you were given."})
	})
	protect := http.NewCrossOriginProtection()
	protect.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.page(w, r, http.StatusForbidden, originPage{Title: "This form came from somewhere else", Text: "Open the page again and send the form from there."})
	}))
	protected := protect.Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
		h := w.Header()
		// No form-action: Chromium holds it against the redirect back to the node too, which is allow-listed here instead.
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		// What was chosen comes with every address and form of these pages, so that no cookie has to keep it.
		lang := words.Choose(r.FormValue("lang"), r.Header.Get("Accept-Language"))
		protected.ServeHTTP(w, r.WithContext(words.With(r.Context(), lang, &originWelsh)))
	})
}

// Server returns a server for the origin with its time limits set.
func (o *Origin) Server() *http.Server {
	return &http.Server{Handler: o.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
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

func (o *Origin) signIn(w http.ResponseWriter, r *http.Request) {
	_, back, ok := o.node(r.FormValue("return"))
	if !ok {
		o.page(w, r, http.StatusBadRequest, originPage{Title: "This address is not known here", Text: "The service that sent you here is not one that this sign-in works for. Start again from the address that you were given."})
		return
	}
	p := originPage{Title: "Sign in", Back: back, State: stateOf(r.FormValue("state"))}
	if o.Demo {
		p.Demo = true
		p.Roles = o.byRole(r.Context(), o.Vault.DemoUsers())
	} else {
		p.Text = "Open the one-time sign-in link that you were given. A link works once, for ten minutes; your co-ordinator makes a new one."
	}
	o.page(w, r, http.StatusOK, p)
}

// signInAs signs in as a user of a demonstration.
func (o *Origin) signInAs(w http.ResponseWriter, r *http.Request) {
	name, back, ok := o.node(r.PostFormValue("return"))
	var user id.User
	if err := user.UnmarshalText([]byte(r.PostFormValue("user"))); err != nil || !ok || !o.Demo || user.IsZero() {
		o.page(w, r, http.StatusForbidden, originPage{Title: "You can't sign in like this", Text: "Open the one-time sign-in link that you were given."})
		return
	}
	o.sendBack(w, r, back, o.Vault.NewCode(user, name), stateOf(r.PostFormValue("state")))
}

// stateOf returns the value by which a node knows again the browser that it sent here, or nothing for what is none:
// it goes back as it came and means nothing to the vault. A one-time link has none; the node then asks first.
func stateOf(s string) string {
	if len(s) > 128 || strings.ContainsFunc(s, func(r rune) bool {
		return !('0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '-' || r == '_')
	}) {
		return ""
	}
	return s
}

func (o *Origin) sendBack(w http.ResponseWriter, r *http.Request, back, code, state string) {
	to := back + "/signin/code?code=" + url.QueryEscape(code)
	if state != "" {
		to += "&state=" + url.QueryEscape(state)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// link shows a one-time link without spending it, since mail programs open links to look at them.
func (o *Origin) link(w http.ResponseWriter, r *http.Request) {
	o.page(w, r, http.StatusOK, originPage{Title: "Sign in", Link: r.FormValue("secret"), Text: "This link signs you in once."})
}

func (o *Origin) spendLink(w http.ResponseWriter, r *http.Request) {
	name, back, ok := o.node("")
	if !ok {
		o.page(w, r, http.StatusBadRequest, originPage{Title: "No web node is known here", Text: "Start the web node, or sign in on the command line with: dosevault signin"})
		return
	}
	code, err := o.Vault.CodeForLink(r.Context(), r.PostFormValue("secret"), name)
	var known *vaultclient.Error
	switch {
	case errors.As(err, &known):
		o.page(w, r, http.StatusForbidden, originPage{Title: "This link does not work any more", Text: "It was used, or is older than ten minutes. Ask your co-ordinator for a new one."})
	case err != nil:
		o.page(w, r, http.StatusServiceUnavailable, originPage{Title: "Signing in failed", Text: "Try again in a minute."})
	default:
		o.sendBack(w, r, back, code, "")
	}
}

type originUser struct {
	ID, Name, Where string
}

// originRole is a role with those who have it.
type originRole struct {
	Role, Sees words.Key
	ID         string
	Users      []originUser
}

type originPage struct {
	Title, Text       words.Key
	Back, Link, State string
	Demo              bool
	Roles             []originRole

	ctx   context.Context
	Other otherLanguage
}

// T says a text of the page.
func (p originPage) T(k words.Key) string { return words.T(p.ctx, k) }

// Lang is the page's language.
func (p originPage) Lang() words.Lang { return words.Of(p.ctx) }

// otherLanguage is what a page offers instead of its own, by its own name.
type otherLanguage struct {
	Lang       words.Lang
	Name, Href string
}

// other offers the page of a request in the other language. The address is below the page's own, and takes along what the
// page was asked for with; of a form that was sent it leads to the page with the form.
func other(r *http.Request) otherLanguage {
	x := otherLanguage{Lang: words.Welsh, Name: "Cymraeg"}
	if words.Of(r.Context()) == words.Welsh {
		x = otherLanguage{Lang: words.English, Name: "English"}
	}
	q := url.Values{"lang": {string(x.Lang)}}
	for _, name := range []string{"return", "state", "secret"} {
		if v := r.FormValue(name); v != "" {
			q.Set(name, v)
		}
	}
	x.Href = "?" + q.Encode()
	return x
}

// roleWords has each role in the order in which a demonstration offers them, and what it may see, in a sentence.
var roleWords = []struct {
	role       policy.Role
	name, sees words.Key
}{
	{policy.Coordinator, "Badge co-ordinator", "Issues badges for every organisation. Sees names, badges and doses; no dates of birth, no NI numbers."},
	{policy.Local, "Local badge co-ordinator", "Hands out and takes back one employer's badges: names, no doses."},
	{policy.Supervisor, "Radiation protection supervisor", "Sees the people, badges and doses of one employer, and nobody else."},
	{policy.RecordsOfficer, "Records officer", "Keeps the records that the law asks for: names, dates of birth and NI numbers. Sees no doses."},
	{policy.DataProtection, "Data protection officer", "Reads who has seen what of the people of one employer. Sees no doses."},
	{policy.Wearer, "Wearer of a badge", "Sees their own record, and who else has seen it."},
	{policy.Administrator, "Administrator", "Decides with others who may sign in and do what. Sees nothing personal of wearers."},
	{policy.Operator, "Operator", "Keeps the program running. Sees nothing personal at all."},
}

// byRole groups users by role, in the order of roleWords.
func (o *Origin) byRole(ctx context.Context, users []vaultclient.User) []originRole {
	var list []originRole
	for _, r := range roleWords {
		role := originRole{Role: r.name, Sees: r.sees, ID: string(r.role)}
		for _, u := range users {
			if u.Role == r.role {
				role.Users = append(role.Users, originUser{ID: u.ID.String(), Name: u.Name, Where: o.where(ctx, u)})
			}
		}
		if len(role.Users) > 0 {
			list = append(list, role)
		}
	}
	return list
}

// where says whose people a user sees.
func (o *Origin) where(ctx context.Context, u vaultclient.User) string {
	var names []string
	for _, org := range u.Organisations {
		names = append(names, o.Vault.organisationName(org))
	}
	switch {
	case u.Role == policy.Wearer && len(u.Wearers) > 1:
		return words.T(ctx, "one person with %s", words.Count(ctx, len(u.Wearers), "employment", "employments"))
	case len(names) > 0:
		return strings.Join(names, ", ")
	case u.Role == policy.Wearer || u.Role == policy.Operator:
		return ""
	}
	return words.T(ctx, "the whole service")
}

func (o *Origin) page(w http.ResponseWriter, r *http.Request, status int, p originPage) {
	p.ctx, p.Other = r.Context(), other(r)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", string(p.Lang()))
	w.WriteHeader(status)
	if err := originTemplate.Execute(w, p); err != nil {
		o.Vault.log.Warn("a sign-in page could not be written", "error", err)
	}
}

var originTemplate = template.Must(template.New("origin").Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.T .Title}} – dosevault</title>
<link rel="stylesheet" href="/origin.css">
</head>
<body>
<a class="skip" href="#main">{{.T "Skip to main content"}}</a>
<header><div><p><strong>dosevault</strong> <span>{{.T "sign-in of the vault"}}</span></p>{{with .Other}}<a href="{{.Href}}" lang="{{.Lang}}" hreflang="{{.Lang}}">{{.Name}}</a>{{end}}</div></header>
<main id="main" tabindex="-1">
<h1>{{.T .Title}}</h1>
{{with .Text}}<p>{{$.T .}}</p>{{end}}
{{if .Link}}<form method="post" action="/link"><input type="hidden" name="lang" value="{{.Lang}}"><input type="hidden" name="secret" value="{{.Link}}"><button>{{.T "Sign in"}}</button></form>{{end}}
{{if .Demo}}
<p class="lead">{{.T "Choose whose eyes to look with."}}</p>
<p class="note">{{.T "This is a demonstration: everybody in it is invented, so nobody is asked for a password. What each person may see is decided by the vault, and every look is entered in a ledger."}}</p>
{{range .Roles}}<section aria-labelledby="{{.ID}}">
<h2 id="{{.ID}}">{{$.T .Role}}</h2>
<p>{{$.T .Sees}}</p>
<ul class="users">
{{range .Users}}<li>
<form method="post" action="/signin">
<input type="hidden" name="lang" value="{{$.Lang}}">
<input type="hidden" name="return" value="{{$.Back}}">
<input type="hidden" name="state" value="{{$.State}}">
<input type="hidden" name="user" value="{{.ID}}">
<button>{{.Name}}</button>
{{with .Where}}<span>{{.}}</span>{{end}}
</form>
</li>{{end}}
</ul>
</section>
{{end}}{{end}}
</main>
<footer><p>{{.T "You are on the vault’s own address, the only one that asks you to sign in."}}</p></footer>
</body>
</html>
`))

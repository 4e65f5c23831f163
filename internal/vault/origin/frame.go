package origin

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// section is a page that signed-in people find in the navigation.
type section struct {
	path  string
	title words.Key
	// may says who finds it; nil: everybody. It only spares a useless link: the vault decides when the page asks.
	may func(*visit) bool
}

// sections are the signed-in pages in their order.
var sections = []section{
	{"/account", "Your account", nil},
	{"/users", "Users and roles", mayAdminister},
	{"/sessions", "Sessions", nil},
	{"/approvals", "Approvals", mayPropose},
	{"/grants", "Grants", mayAdminister},
	{"/policies", "Policies", mayPropose},
	{"/alarms", "Alarms", mayWatch},
	{"/freeze", "Freeze", mayFreeze},
}

// mayAdminister says whether somebody decides who may do what.
func mayAdminister(v *visit) bool { return v.may(policy.Administer, policy.KeepRecords) }

// visit is a request of somebody who is signed in on the origin.
type visit struct {
	ctx    context.Context
	caller vault.Caller // for calls of the vault
	user   vaultclient.User
	o      *Origin
}

// may asks the vault whether the user might do something somewhere. Nothing is entered: it is for the navigation alone.
func (v *visit) may(a policy.Action, p policy.Purpose) bool { return v.o.Vault.May(v.caller, a, p) }

// sessionCookie holds the token of the session on the origin. On loopback a browser sends it to every port of the host, so
// its name is not that of the web node's. What it opens is safe with a hostile node: each change asks for the passkey.
const sessionCookie = "vault-session"

// callerOf is who a request brings.
func (o *Origin) callerOf(r *http.Request) vault.Caller {
	return vault.Caller{Node: vault.OriginNode, Auth: vaultclient.Auth{Session: o.cookie(r, sessionCookie)}}
}

// signedIn answers with fn for who is signed in here, and sends everybody else to sign in and come back. An error that fn
// returns is shown as a page.
func (o *Origin) signedIn(fn func(w http.ResponseWriter, r *http.Request, v *visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := &visit{ctx: r.Context(), caller: o.callerOf(r), o: o}
		var err error
		if v.caller.Auth.Session == "" {
			o.toSignIn(w, r)
			return
		}
		if v.user, err = o.Vault.Whoami(v.ctx, v.caller); err == nil {
			r = r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
			err = fn(w, r, v)
		}
		if err != nil {
			o.fail(w, r, err)
		}
	}
}

type visitKey struct{}

// toSignIn sends a browser to sign in and then come back to the page that it asked for.
func (o *Origin) toSignIn(w http.ResponseWriter, r *http.Request) {
	to := r.URL.Path
	if r.Method == http.MethodGet && r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	if r.Method != http.MethodGet {
		to = "/account"
	}
	http.Redirect(w, r, "/signin?"+url.Values{"to": {to}}.Encode(), http.StatusSeeOther)
}

// local returns the path of this origin that somebody is to come back to after signing in; nothing for what is none.
func local(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") || len(to) > 500 {
		return ""
	}
	for _, s := range sections {
		if u.Path == s.path || strings.HasPrefix(u.Path, s.path+"/") {
			return to
		}
	}
	return ""
}

// fail shows an error as a page. What is not meant for people goes to the log alone.
func (o *Origin) fail(w http.ResponseWriter, r *http.Request, err error) {
	var known *vaultclient.Error
	if !errors.As(err, &known) {
		o.Log.Error("a page of the vault's origin failed", "path", path.Clean(r.URL.Path), "error", err)
		o.message(w, r, http.StatusServiceUnavailable, "Sorry, there is a problem", "Nothing was changed. Try again in a minute.")
		return
	}
	if errors.Is(err, vault.ErrConfirm) {
		o.message(w, r, http.StatusForbidden, "This was not confirmed", "Your passkey did not confirm it, so nothing was changed. Go back and try again.")
		return
	}
	switch known.Code {
	case vaultclient.Unauthenticated:
		o.setCookie(w, sessionCookie, "", 0)
		o.toSignIn(w, r)
	case vaultclient.NotFound:
		o.message(w, r, http.StatusNotFound, "Page not found", "There is nothing here under this address. Start again from the address that you were given.")
	case vaultclient.Refused:
		o.message(w, r, http.StatusForbidden, "You may not do this", "Your role does not allow it. That it was asked for is entered in the ledger.")
	case vaultclient.IsFrozen:
		o.message(w, r, vaultclient.Status[known.Code], "This is frozen", "It was stopped to be safe, and that you asked is entered in the ledger. Two people can thaw it.")
	case vaultclient.Invalid, vaultclient.Conflict:
		o.message(w, r, vaultclient.Status[known.Code], "This could not be done", "Something has changed meanwhile, or an answer was missing. Go back, look again, and send the form once more.")
	default:
		o.message(w, r, http.StatusServiceUnavailable, "Sorry, there is a problem", "Nothing was changed. Try again in a minute.")
	}
}

// frame is what stands around every page. Each page's own struct embeds it.
type frame struct {
	Title words.Key // also of the window: it goes into histories, so no name is in it
	Done  words.Key // what has just been done
	Wrong []wrong   // what is wrong in the form

	Demo  bool
	User  string // who is signed in
	Nav   []navLink
	Other otherLanguage
	ctx   context.Context
}

// wrong is an error of a form: which field, and what to do.
type wrong struct {
	Field string
	Text  words.Key
}

type navLink struct {
	Href    string
	Title   words.Key
	Current bool
	Waiting int // how much waits there
}

type page interface{ prepare(*Origin, *http.Request) }

// prepare fills in what a page's frame says of the request.
func (f *frame) prepare(o *Origin, r *http.Request) {
	f.ctx, f.Other, f.Demo = r.Context(), other(r), o.Demo
	if done := dones[r.URL.Query().Get("done")]; f.Done == "" && r.Method == http.MethodGet {
		f.Done = done
	}
	v, ok := r.Context().Value(visitKey{}).(*visit)
	if !ok {
		return
	}
	f.User = v.user.Name
	for _, s := range sections {
		if s.may == nil || s.may(v) {
			link := navLink{Href: s.path, Title: s.title, Current: r.URL.Path == s.path || strings.HasPrefix(r.URL.Path, s.path+"/")}
			if s.path == "/alarms" {
				link.Waiting = o.Vault.OpenAlarms(v.caller)
			}
			f.Nav = append(f.Nav, link)
		}
	}
}

// dones are what an address with ?done= says was done: a page is shown after a redirect, so that it can be loaded again.
var dones = map[string]words.Key{
	"frozen":       "It was frozen.",
	"acknowledged": "The alarm was acknowledged.",
	"read":         "Thank you: the service knows now that you have read this.",
	"asked":        "Your question has reached the service, which will answer you.",
}

// T says a text of the page.
func (f *frame) T(k words.Key, args ...any) string { return words.T(f.ctx, k, args...) }

// Moment says a moment by the clock of the service.
func (f *frame) Moment(t time.Time) string { return words.Moment(f.ctx, t) }

// Lang is the page's language.
func (f *frame) Lang() words.Lang { return words.Of(f.ctx) }

// WrongIn is what is wrong with a field, or nothing.
func (f *frame) WrongIn(field string) words.Key {
	for _, x := range f.Wrong {
		if x.Field == field {
			return x.Text
		}
	}
	return ""
}

//go:embed templates
var templateFiles embed.FS

// templates are the pages by the names of their files. Each defines "main", and may define "head".
var templates = parseTemplates()

func parseTemplates() map[string]*template.Template {
	files, err := templateFiles.ReadDir("templates")
	if err != nil {
		panic(err)
	}
	all := map[string]*template.Template{}
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".html")
		if name == "frame" || name == "parts" {
			continue
		}
		all[name] = template.Must(template.ParseFS(templateFiles, "templates/frame.html", "templates/parts.html", "templates/"+f.Name()))
	}
	return all
}

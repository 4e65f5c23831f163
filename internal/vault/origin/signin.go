package origin

import (
	"context"
	_ "embed"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

func (o *Origin) signInRoutes() []route {
	return []route{
		{"GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/signin", http.StatusSeeOther) }},
		{"GET /signin", o.signIn},
		{"POST /signin", o.postSignIn},
		{"GET /passkey.js", static("text/javascript; charset=utf-8", script)},
		{"GET /link", o.link},
		{"POST /link", o.enrol},
	}
}

//go:embed passkey.js
var script []byte

// signInPage asks who somebody is.
type signInPage struct {
	frame
	Back, State string // the node to go back to, and what it knows the browser by
	To          string // or the page of the origin
	Options     string // for the browser's passkeys, as JSON
	Providers   []providerButton
	Roles       []role // of a demonstration: its users
}

func (o *Origin) signIn(w http.ResponseWriter, r *http.Request) {
	o.askWho(w, r, http.StatusOK, nil)
}

// askWho shows the page that asks for a passkey, with what was wrong before.
func (o *Origin) askWho(w http.ResponseWriter, r *http.Request, status int, wrong []wrong) {
	_, back, ok := o.node(r.FormValue("return"))
	to := local(r.FormValue("to"))
	if !ok && to == "" {
		o.message(w, r, http.StatusBadRequest, "This address is not known here", "The service that sent you here is not one that this sign-in works for. Start again from the address that you were given.")
		return
	}
	p := &signInPage{frame: frame{Title: "Sign in", Wrong: wrong}, Back: back, State: stateOf(r.FormValue("state")), To: to, Providers: o.providerButtons()}
	if o.Demo {
		p.Roles = o.byRole(r.Context(), o.Vault.DemoUsers())
	} else {
		options, err := o.Vault.BeginSignIn()
		if err != nil && !errors.Is(err, vault.ErrNoPasskeys) {
			o.fail(w, r, err)
			return
		}
		p.Options = string(options)
	}
	o.render(w, r, status, "signin", p)
}

// postSignIn signs in by a passkey, or as a user of a demonstration.
func (o *Origin) postSignIn(w http.ResponseWriter, r *http.Request) {
	name, back, ok := o.node(r.PostFormValue("return"))
	to := local(r.PostFormValue("to"))
	if !ok && to == "" {
		o.message(w, r, http.StatusForbidden, "This address is not known here", "The service that sent you here is not one that this sign-in works for. Start again from the address that you were given.")
		return
	}
	var user id.User
	var s vaultclient.Session
	var err error
	if chosen := r.PostFormValue("user"); chosen == "" {
		s, err = o.Vault.SignIn(r.Context(), []byte(r.PostFormValue("response")))
	} else if user.UnmarshalText([]byte(chosen)) != nil || !o.Demo || user.IsZero() {
		o.message(w, r, http.StatusForbidden, "You can't sign in like this", "Sign in with your passkey. Without one, ask an administrator for an enrolment link.")
		return
	} else {
		s, err = o.Vault.BeginOrigin(r.Context(), user)
	}
	var known *vaultclient.Error
	switch {
	case errors.As(err, &known) && known.Code == vaultclient.Unauthenticated:
		o.askWho(w, r, http.StatusForbidden, []wrong{{Text: "You could not be signed in. Try again, or ask an administrator for an enrolment link."}})
		return
	case err != nil:
		o.fail(w, r, err)
		return
	}
	o.begin(w, s)
	if to != "" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	o.sendBack(w, r, back, o.Vault.NewCode(s.User.ID, name), stateOf(r.PostFormValue("state")))
}

// linkPage makes a passkey with a one-time link.
type linkPage struct {
	frame
	For, Secret, Name string
	Options           string
}

// link shows what a one-time link is for without spending it, since mail programs open links to look at them.
func (o *Origin) link(w http.ResponseWriter, r *http.Request) {
	o.askForPasskey(w, r, http.StatusOK, nil)
}

func (o *Origin) askForPasskey(w http.ResponseWriter, r *http.Request, status int, wrong []wrong) {
	p := &linkPage{frame: frame{Title: "Create a passkey", Wrong: wrong}, Secret: r.FormValue("secret"), Name: r.PostFormValue("name")}
	u, options, err := o.Vault.BeginEnrolment(p.Secret)
	if err != nil {
		o.failLink(w, r, err)
		return
	}
	p.For, p.Options = u.Name, string(options)
	o.render(w, r, status, "link", p)
}

func (o *Origin) failLink(w http.ResponseWriter, r *http.Request, err error) {
	var known *vaultclient.Error
	switch {
	case errors.Is(err, vault.ErrNoPasskeys):
		o.message(w, r, http.StatusConflict, "Passkeys do not work here", "Nobody can sign in at this address: passkeys need one with a host name, such as localhost.")
	case errors.As(err, &known) && known.Code == vaultclient.Unauthenticated:
		o.message(w, r, http.StatusForbidden, "This link does not work any more", "It was used, or is older than ten minutes. Ask who gave it to you for a new one.")
	default:
		o.fail(w, r, err)
	}
}

// enrol spends a one-time link for a new passkey, and signs in.
func (o *Origin) enrol(w http.ResponseWriter, r *http.Request) {
	if strings.TrimSpace(r.PostFormValue("name")) == "" {
		o.askForPasskey(w, r, http.StatusBadRequest, []wrong{{"name", "Enter a name for this passkey"}})
		return
	}
	s, err := o.Vault.Enrol(r.Context(), r.PostFormValue("secret"), r.PostFormValue("name"), []byte(r.PostFormValue("response")))
	switch {
	case errors.Is(err, vault.ErrPasskey):
		o.askForPasskey(w, r, http.StatusForbidden, []wrong{{Text: "The passkey could not be created. Try again."}})
		return
	case err != nil:
		o.failLink(w, r, err)
		return
	}
	o.begin(w, s)
	if name, back, ok := o.node(""); ok {
		o.sendBack(w, r, back, o.Vault.NewCode(s.User.ID, name), "")
		return
	}
	http.Redirect(w, r, "/account", http.StatusSeeOther)
}

// begin makes a session on the origin the browser's.
func (o *Origin) begin(w http.ResponseWriter, s vaultclient.Session) {
	o.setCookie(w, sessionCookie, s.Token, vault.OriginLifetime)
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

// user is a user of a demonstration.
type user struct {
	ID, Name, Where string
}

// role is a role with those who have it.
type role struct {
	Role, Sees words.Key
	ID         string
	Users      []user
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
func (o *Origin) byRole(ctx context.Context, users []vaultclient.User) []role {
	var list []role
	for _, r := range roleWords {
		x := role{Role: r.name, Sees: r.sees, ID: string(r.role)}
		for _, u := range users {
			if u.Role == r.role {
				x.Users = append(x.Users, user{ID: u.ID.String(), Name: u.Name, Where: o.where(ctx, u)})
			}
		}
		if len(x.Users) > 0 {
			list = append(list, x)
		}
	}
	return list
}

// where says whose people a user sees.
func (o *Origin) where(ctx context.Context, u vaultclient.User) string {
	var names []string
	for _, org := range u.Organisations {
		names = append(names, o.Vault.OrganisationName(org))
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

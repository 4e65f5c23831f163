package origin

import (
	"errors"
	"net/http"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/words"
)

func (o *Origin) accountRoutes() []route {
	return []route{
		{"GET /account", o.signedIn(o.account)},
		{"GET /account/passkeys/new", o.signedIn(o.askForAnother)},
		{"POST /account/passkeys/new", o.signedIn(o.newPasskey)},
		{"POST /account/passkeys", o.signedIn(o.addPasskey)},
		{"GET /account/passkeys/{passkey}/remove", o.signedIn(o.removePasskey)},
		{"POST /account/passkeys/{passkey}/remove", o.signedIn(o.removePasskey)},
		{"GET /account/command-line", o.signedIn(o.commandLine)},
		{"POST /account/command-line", o.signedIn(o.commandLine)},
		{"POST /signout", o.signedIn(o.signOut)},
	}
}

func init() {
	dones["passkey-added"] = "Your passkey was added"
	dones["passkey-removed"] = "The passkey was removed"
}

type accountPage struct {
	frame
	Role, Sees words.Key
	Where      string
	Passkeys   []vault.Passkey
	Several    bool // there is more than one
	MayAdd     bool
	Back       string
}

// account shows somebody who they are here, and their passkeys.
func (o *Origin) account(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := &accountPage{frame: frame{Title: "Your account"}, Role: roleName(v.user.Role), Sees: roleSees(v.user.Role), Where: o.where(v.ctx, v.user)}
	var err error
	if p.Passkeys, err = o.Vault.Passkeys(v.ctx, v.caller); err != nil {
		return err
	}
	p.Several, p.MayAdd = len(p.Passkeys) > 1, len(p.Passkeys) > 0 || o.Demo
	_, p.Back, _ = o.node("")
	o.render(w, r, http.StatusOK, "account", p)
	return nil
}

func roleName(r policy.Role) words.Key {
	for _, x := range roleWords {
		if x.role == r {
			return x.name
		}
	}
	return words.Plain(string(r))
}

func roleSees(r policy.Role) words.Key {
	for _, x := range roleWords {
		if x.role == r {
			return x.sees
		}
	}
	return ""
}

// askForAnother asks for a passkey that is there, before another one is created.
func (o *Origin) askForAnother(w http.ResponseWriter, r *http.Request, v *visit) error {
	return o.askToConfirm(w, r, v, "add passkey", nil, &confirmPage{frame: frame{Title: "Add a passkey"},
		Text: "First use a passkey that you have. Then create the other one, on this device or on a security key.", Action: "/account/passkeys/new", Button: "Continue", Back: "/account"})
}

type passkeyPage struct {
	frame
	Name, Options string
}

func (o *Origin) newPasskey(w http.ResponseWriter, r *http.Request, v *visit) error {
	options, err := o.Vault.BeginPasskey(v.ctx, v.confirmed(r))
	if err != nil {
		return err
	}
	o.render(w, r, http.StatusOK, "passkey", &passkeyPage{frame: frame{Title: "Create a passkey"}, Options: string(options)})
	return nil
}

func (o *Origin) addPasskey(w http.ResponseWriter, r *http.Request, v *visit) error {
	err := o.Vault.AddPasskey(v.ctx, v.caller, r.PostFormValue("name"), []byte(r.PostFormValue("response")))
	if errors.Is(err, vault.ErrPasskey) { // they stay signed in
		return vault.ErrConfirm
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/account?done=passkey-added", http.StatusSeeOther)
	return nil
}

// removePasskey asks whether one of somebody's own passkeys is to go, and removes it.
func (o *Origin) removePasskey(w http.ResponseWriter, r *http.Request, v *visit) error {
	n := r.PathValue("passkey")
	if r.Method == http.MethodPost {
		if err := o.Vault.RemovePasskey(v.ctx, v.confirmed(r), n); err != nil {
			return err
		}
		http.Redirect(w, r, "/account?done=passkey-removed", http.StatusSeeOther)
		return nil
	}
	all, err := o.Vault.Passkeys(v.ctx, v.caller)
	if err != nil {
		return err
	}
	for _, k := range all {
		if k.ID == n {
			return o.askToConfirm(w, r, v, "remove passkey", n, &confirmPage{frame: frame{Title: "Remove a passkey"}, Lines: []line{{"Name", k.Name}},
				Text: "It no longer signs you in, wherever it is kept.", Action: r.URL.Path, Button: "Remove the passkey", Warning: true, Back: "/account"})
		}
	}
	return errNoPage
}

// secretPage shows a secret once: it is kept nowhere.
type secretPage struct {
	frame
	Text, Label  words.Key
	Secret, Back string
}

// commandLine makes a one-time code of somebody's own for the command line.
func (o *Origin) commandLine(w http.ResponseWriter, r *http.Request, v *visit) error {
	if r.Method != http.MethodPost {
		return o.askToConfirm(w, r, v, "command link", nil, &confirmPage{frame: frame{Title: "Sign in on the command line"},
			Text: "You get a code that works once, within ten minutes, with: dosevault signin", Action: "/account/command-line", Button: "Make a code", Back: "/account"})
	}
	secret, err := o.Vault.CommandLink(v.ctx, v.confirmed(r))
	if err != nil {
		return err
	}
	o.render(w, r, http.StatusOK, "secret", &secretPage{frame: frame{Title: "A code for the command line"},
		Text: "It works once, within ten minutes, and is shown only now. Give it to: dosevault signin", Label: "Code", Secret: secret, Back: "/account"})
	return nil
}

// signOut ends the session on the origin. One that began on a web node goes on there.
func (o *Origin) signOut(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := o.Vault.SignOut(v.ctx, v.caller); err != nil {
		return err
	}
	o.setCookie(w, sessionCookie, "", 0)
	w.Header().Set("Clear-Site-Data", `"cache"`)
	http.Redirect(w, r, "/signin?to=%2Faccount", http.StatusSeeOther)
	return nil
}

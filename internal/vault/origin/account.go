package origin

import (
	"net/http"

	"github.com/dosevault/dosevault/internal/words"
)

func (o *Origin) accountRoutes() []route {
	return []route{
		{"GET /account", o.signedIn(o.account)},
		{"POST /signout", o.signedIn(o.signOut)},
	}
}

type accountPage struct {
	frame
	Role, Sees words.Key
	Where      string
	Back       string
}

// account shows somebody who they are here.
func (o *Origin) account(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := &accountPage{frame: frame{Title: "Your account"}, Where: o.where(v.ctx, v.user)}
	for _, x := range roleWords {
		if x.role == v.user.Role {
			p.Role, p.Sees = x.name, x.sees
		}
	}
	_, p.Back, _ = o.node("")
	o.render(w, r, http.StatusOK, "account", p)
	return nil
}

// signOut ends the session on the origin. One that began on a web node goes on there.
func (o *Origin) signOut(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := o.Vault.SignOut(v.ctx, v.caller); err != nil {
		return err
	}
	o.setCookie(w, sessionCookie, "", 0)
	http.Redirect(w, r, "/signin", http.StatusSeeOther)
	return nil
}

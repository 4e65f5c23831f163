package web

import (
	"net/http"
	"net/url"

	"github.com/dosevault/dosevault/internal/id"
)

// userRoutes lead to the vault's own origin, where users are made and changed: a web node can't.
func (h *handler) userRoutes() []route {
	return []route{
		{"GET /account", h.page(func(v *visit) error { return h.toOrigin(v, "/account") })},
		{"GET /users", h.page(func(v *visit) error { return h.toOrigin(v, "/users") })},
		{"GET /users/new", h.page(h.newUser)},
	}
}

// titleUsers is known to menus.
const titleUsers = "Users"

// toOrigin sends the browser to a page of the vault's own origin.
func (h *handler) toOrigin(v *visit, path string) error {
	http.Redirect(v.w, v.r, h.VaultOrigin+path, http.StatusSeeOther)
	return nil
}

// newUser leads to where somebody is made a user; with a wearer, whose own record it is that they are to see.
func (h *handler) newUser(v *visit) error {
	path := "/users/new"
	if text := v.r.URL.Query().Get("wearer"); text != "" {
		w, err := id.Parse[id.Wearer](text)
		if err != nil || w.IsZero() {
			return errNoPage
		}
		path += "?" + url.Values{"wearer": {w.String()}}.Encode()
	}
	return h.toOrigin(v, path)
}

package web

import (
	"context"
	"net/http"
	"slices"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Users is what the pages of users need of the vault.
type Users interface {
	// Users lists who may sign in, and who no longer may; it is entered.
	Users(ctx context.Context, auth vaultclient.Auth) ([]vaultclient.User, error)
	CreateUsers(ctx context.Context, auth vaultclient.Auth, users []vaultclient.NewUser) ([]id.User, error)
	// NewLink makes a one-time sign-in link and returns its secret.
	NewLink(ctx context.Context, auth vaultclient.Auth, user id.User) (string, error)
	// EndUser ends a user's access at once.
	EndUser(ctx context.Context, auth vaultclient.Auth, user id.User) error
}

func (h *handler) userRoutes() []route {
	return []route{
		{"GET /users", h.page(h.userList)},
		{"GET /users/new", h.page(h.newUser)},
		{"POST /users/new", h.page(h.newUser)},
		{"POST /users/{user}/link", h.page(h.newLink)},
		{"GET /users/{user}/end", h.page(h.endUser)},
		{"POST /users/{user}/end", h.page(h.endUser)},
	}
}

// titleUsers is known to menus.
const titleUsers = "Users"

func init() { dones["user-ended"] = "Their access has ended" }

func usersPath(u id.User, what string) string { return "/users/" + u.String() + "/" + what }

// usersView is the list of users.
type usersView struct {
	Rows []userRow
	Done words.Key
}

// userRow is a user with where the role holds.
type userRow struct {
	vaultclient.User
	Where string
	Self  bool
}

func (h *handler) userRows(v *visit) ([]userRow, error) {
	users, err := h.Register.Users(v.ctx, v.auth)
	if err != nil {
		return nil, err
	}
	all, err := h.Vault.Organisations(v.ctx, v.auth)
	if err != nil {
		return nil, err
	}
	rows := make([]userRow, len(users))
	for i, u := range users {
		rows[i] = userRow{User: u, Where: words.T(v.ctx, "The whole service"), Self: u.ID == v.user.ID}
		if u.Role == policy.Wearer {
			rows[i].Where = words.T(v.ctx, "Their own record")
		}
		if len(u.Organisations) > 0 {
			names := make([]string, len(u.Organisations))
			for j, o := range u.Organisations {
				names[j] = organisationName(v.ctx, all, o)
			}
			rows[i].Where = words.List(v.ctx, names)
		}
	}
	// Who may sign in comes first; the vault gives them by name.
	slices.SortStableFunc(rows, func(a, b userRow) int {
		switch {
		case a.Ended.IsZero() == b.Ended.IsZero():
			return 0
		case a.Ended.IsZero():
			return -1
		}
		return 1
	})
	return rows, nil
}

func (h *handler) userList(v *visit) error {
	rows, err := h.userRows(v)
	if err != nil {
		return err
	}
	h.render(v.w, v.r, http.StatusOK, usersPage(h.frame(titleUsers, &v.user, link{Text: "Overview", Href: "/"}), usersView{rows, v.done()}))
	return nil
}

// userRoles are what somebody can be, but a wearer: that begins at the record.
var userRoles = []option{
	{string(policy.Coordinator), "Co-ordinator", "Runs the service: people, badges, doses and files; no date of birth, NI number or health record"},
	{string(policy.Local), "Local badge co-ordinator", "Hands out and takes back one organisation's badges; names, no doses"},
	{string(policy.Supervisor), "Radiation protection supervisor", "One organisation's people, badges and doses"},
	{string(policy.RecordsOfficer), "Records officer", "Names, dates of birth and NI numbers of classified people"},
	{string(policy.DataProtection), "Data protection officer", "Who has seen what of one organisation"},
	{string(policy.Administrator), "Administrator", "Who may sign in, and do what; nothing personal of wearers"},
	{string(policy.Operator), "Operator", "Runs the program; nothing personal"},
}

// newUserView is a step of adding a user.
type newUserView struct {
	Organisations []option
	Record        *candidateRow // whose own record they see
	Where         string
}

// newUser asks for somebody who is to sign in, shows the answers, adds them and shows their first link once. With a
// wearer in the address, it is that person, who sees their own record and nothing else.
func (h *handler) newUser(v *visit) error {
	f, x := formOf(), newUserView{}
	users, err := h.Register.Users(v.ctx, v.auth)
	if err != nil {
		return err // whoever adds no users is not asked for one
	}
	if v.r.Method == http.MethodPost {
		if f, err = readForm(v); err != nil {
			return err
		}
	} else {
		f.values.Set("wearer", v.r.URL.Query().Get("wearer"))
	}
	all, err := h.Vault.Organisations(v.ctx, v.auth)
	if err != nil {
		return err
	}
	sortOrganisations(all)
	for _, o := range all {
		x.Organisations = append(x.Organisations, option{Value: o.ID.String(), Label: words.Plain(o.Name)})
	}
	u := vaultclient.NewUser{Name: f.Text("name")}
	if text := f.Value("wearer"); text != "" {
		w, err := id.Parse[id.Wearer](text)
		if err != nil || w.IsZero() {
			return errNoPage
		}
		rows, err := h.candidates(v, []vaultclient.Candidate{{Wearer: w}})
		if err != nil {
			return err
		}
		x.Record, u.Role, u.Wearers = &rows[0], policy.Wearer, []id.Wearer{w}
		if v.r.Method == http.MethodGet {
			f.values.Set("name", fullName(rows[0].Identity).Expose())
		}
	}
	crumbs := []link{{Text: "Overview", Href: "/"}, {Text: titleUsers, Href: "/users"}}
	if v.r.Method == http.MethodGet {
		h.render(v.w, v.r, http.StatusOK, newUserPage(h.frame("Add a user", &v.user, crumbs...), f, x))
		return nil
	}
	if err := userIn(v.ctx, users, &f, &x, &u); err != nil {
		return err
	}
	switch {
	case len(f.Errors) > 0 || f.Value("step") == "change":
		h.render(v.w, v.r, f.status(), newUserPage(h.frame("Add a user", &v.user, crumbs...).of(f), f, x))
		return nil
	case f.Value("step") != "add":
		h.render(v.w, v.r, http.StatusOK, checkUserPage(h.frame("Check before you add the user", &v.user, crumbs...), f, x))
		return nil
	}
	ids, err := h.Register.CreateUsers(v.ctx, v.auth, []vaultclient.NewUser{u})
	if err != nil {
		return err
	}
	return h.showLink(v, ids[0], u.Name)
}

// userIn reads a user from a form; no two have one name.
func userIn(ctx context.Context, users []vaultclient.User, f *form, x *newUserView, u *vaultclient.NewUser) error {
	f.need("name", "Enter their name")
	if len(u.Name) > maxSearch {
		f.wrong("name", "The name must be 200 characters or less")
	}
	if x.Record == nil {
		var roles []string
		for _, o := range userRoles {
			roles = append(roles, o.Value)
		}
		u.Role = policy.Role(f.choice("role", "Select what they are", roles...))
		var names []string
		for _, o := range x.Organisations {
			if f.Has("organisation", o.Value) {
				n, err := id.Parse[id.Organisation](o.Value)
				if err != nil {
					return err
				}
				u.Organisations, names = append(u.Organisations, n), append(names, words.T(ctx, o.Label))
			}
		}
		x.Where = words.T(ctx, "The whole service")
		if len(names) > 0 {
			x.Where = words.List(ctx, names)
		}
		if slices.Contains(policy.Tied, u.Role) && len(names) == 0 {
			f.wrong("organisation", "Select the organisation that they are one of")
		}
	}
	if slices.ContainsFunc(users, func(o vaultclient.User) bool { return person.Fold(o.Name) == person.Fold(u.Name) }) {
		f.wrong("name", "A user of this name is there already: add something that tells them apart")
	}
	return nil
}

// linkView shows a one-time sign-in link.
type linkView struct{ Name, Address string }

// showLink makes a link for a user and shows it, once: it is kept nowhere.
func (h *handler) showLink(v *visit, u id.User, name string) error {
	secret, err := h.Register.NewLink(v.ctx, v.auth, u)
	if err != nil {
		return err
	}
	crumbs := []link{{Text: "Overview", Href: "/"}, {Text: titleUsers, Href: "/users"}}
	h.render(v.w, v.r, http.StatusOK, linkPage(h.frame("A sign-in link", &v.user, crumbs...), linkView{name, h.VaultOrigin + "/link?secret=" + secret}))
	return nil
}

// theUser finds the user that an address names.
func (h *handler) theUser(v *visit) (userRow, error) {
	var n id.User
	if err := idIn(v, "user", &n); err != nil {
		return userRow{}, err
	}
	rows, err := h.userRows(v)
	if err != nil {
		return userRow{}, err
	}
	for _, r := range rows {
		if r.ID == n {
			return r, nil
		}
	}
	return userRow{}, errNoPage
}

func (h *handler) newLink(v *visit) error {
	u, err := h.theUser(v)
	if err != nil {
		return err
	}
	return h.showLink(v, u.ID, u.Name)
}

// endUser asks whether a user's access is to end, and ends it.
func (h *handler) endUser(v *visit) error {
	u, err := h.theUser(v)
	if err != nil {
		return err
	}
	if v.r.Method == http.MethodPost {
		if err := h.Register.EndUser(v.ctx, v.auth, u.ID); err != nil {
			return err
		}
		http.Redirect(v.w, v.r, "/users?done=user-ended", http.StatusSeeOther)
		return nil
	}
	crumbs := []link{{Text: "Overview", Href: "/"}, {Text: titleUsers, Href: "/users"}}
	h.render(v.w, v.r, http.StatusOK, endUserPage(h.frame("End access", &v.user, crumbs...), u))
	return nil
}

// roleTitle is a role as it begins a cell.
func roleTitle(ctx context.Context, r policy.Role) string { return capital(roleWord(ctx, r)) }

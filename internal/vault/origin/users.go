package origin

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

func (o *Origin) userRoutes() []route {
	return []route{
		{"GET /users", o.signedIn(o.users)},
		{"GET /users/new", o.signedIn(o.newUser)},
		{"POST /users/new", o.signedIn(o.newUser)},
		{"GET /users/{user}", o.signedIn(o.changeUser)},
		{"POST /users/{user}", o.signedIn(o.changeUser)},
		{"GET /users/{user}/{what}", o.signedIn(o.decideUser)},
		{"POST /users/{user}/{what}", o.signedIn(o.decideUser)},
	}
}

func init() {
	dones["user-changed"] = "The user was changed"
	dones["user-ended"] = "Their access has ended"
	dones["passkeys-removed"] = "Their passkeys were removed and they were signed out"
}

var errNoPage = &vaultclient.Error{Code: vaultclient.NotFound, Message: "there is nothing here"}

// usersPage lists who may sign in.
type usersPage struct {
	frame
	Rows []userRow
}

// userRow is a user with where the role holds.
type userRow struct {
	vaultclient.User
	RoleName words.Key
	Where    string
	Self     bool
	Over     bool // access has ended
}

func (o *Origin) userRows(v *visit) ([]userRow, error) {
	all, err := o.Vault.Users(v.ctx, v.caller)
	if err != nil {
		return nil, err
	}
	var rows, over []userRow
	for _, u := range all {
		x := userRow{User: u, RoleName: roleName(u.Role), Where: o.where(v.ctx, u), Self: u.ID == v.user.ID, Over: !u.Ended.IsZero()}
		if x.Over {
			over = append(over, x)
		} else {
			rows = append(rows, x)
		}
	}
	return append(rows, over...), nil
}

func (o *Origin) users(w http.ResponseWriter, r *http.Request, v *visit) error {
	rows, err := o.userRows(v)
	if err != nil {
		return err
	}
	o.render(w, r, http.StatusOK, "users", &usersPage{frame{Title: "Users and roles"}, rows})
	return nil
}

// userPage asks for what a user is to be.
type userPage struct {
	frame
	Action        string
	Existing      bool // somebody who is there is changed
	Ended         bool
	Name          string
	Until         string
	Purpose       string
	Wearer        string // whose own record they see
	Record        string // of whom, as far as the asker may know
	Choices       []choice
	Purposes      []choice
	Organisations []choice
}

// choice is one of several answers.
type choice struct {
	Value   string
	Label   words.Key
	Hint    words.Key
	Checked bool
}

// ownRecord finds whose own record somebody is to see; the name as far as the asker may read it, which is entered.
func (o *Origin) ownRecord(v *visit, text string) (id.Wearer, string, error) {
	w, err := id.Parse[id.Wearer](text)
	if err != nil || w.IsZero() {
		return w, "", errNoPage
	}
	recs, err := o.Vault.Reveal(v.ctx, v.caller, vaultclient.RevealRequest{Purpose: policy.IssueBadges, Fields: policy.FieldName, Wearers: []id.Wearer{w}})
	var known *vaultclient.Error
	switch {
	case errors.As(err, &known) && known.Code == vaultclient.Refused:
		return w, text, nil
	case err != nil:
		return w, "", err
	}
	return w, strings.TrimSpace(recs[0].Identity.Forenames.Expose() + " " + recs[0].Identity.Surname.Expose()), nil
}

// newUser asks for somebody who is to sign in, shows the answers with the passkey's challenge, adds them, and shows their
// enrolment link once. With a wearer in the address, it is that person, who sees their own record and nothing else.
func (o *Origin) newUser(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := &userPage{frame: frame{Title: "Add a user"}, Action: "/users/new", Wearer: r.FormValue("wearer")}
	var u vaultclient.NewUser
	if p.Wearer != "" {
		n, name, err := o.ownRecord(v, p.Wearer)
		if err != nil {
			return err
		}
		u.Role, u.Wearers, p.Record, p.Name = policy.Wearer, []id.Wearer{n}, name, name
	}
	if done, err := o.askUser(w, r, v, p, &u, id.User{}); done || err != nil {
		return err
	}
	if r.PostFormValue("step") != "do" {
		return o.askToConfirm(w, r, v, "create users", []vaultclient.NewUser{u}, &confirmPage{frame: frame{Title: "Check before you add the user"}, Lines: o.lines(v, p, u),
			Text: "An enrolment link is shown next, once. It works once, within ten minutes: have them beside you, or on the telephone.", Action: "/users/new", Hidden: carried(r, "do"), Button: "Add the user", Back: "/users"})
	}
	ids, err := o.Vault.CreateUsers(v.ctx, v.confirmed(r), []vaultclient.NewUser{u})
	var known *vaultclient.Error
	if errors.As(err, &known) && known.Code == vaultclient.NeedsApproval {
		return o.proposeUser(w, r, v, u)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/users/"+ids[0].String()+"/link", http.StatusSeeOther)
	return nil
}

// proposeUser proposes a user who takes two people, and leads to where it is signed.
func (o *Origin) proposeUser(w http.ResponseWriter, r *http.Request, v *visit, u vaultclient.NewUser) error {
	body, err := json.Marshal(u)
	if err != nil {
		return err
	}
	n, err := o.Vault.Propose(v.ctx, v.caller, vaultclient.Proposal{Kind: vaultclient.ApproveUser, Body: body})
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/approvals/"+n.String(), http.StatusSeeOther)
	return nil
}

// askUser reads a form of a user, and shows it as long as it is not complete; done: the page was shown.
func (o *Origin) askUser(w http.ResponseWriter, r *http.Request, v *visit, p *userPage, u *vaultclient.NewUser, self id.User) (done bool, err error) {
	if r.Method != http.MethodPost {
		o.showUser(w, r, v, http.StatusOK, p, *u)
		return true, nil
	}
	others, err := o.Vault.Users(v.ctx, v.caller)
	if err != nil {
		return false, err
	}
	u.Name = strings.Join(strings.Fields(r.PostFormValue("name")), " ")
	if len(u.Wearers) == 0 {
		u.Role = policy.Role(r.PostFormValue("role"))
		u.Organisations = nil
		for _, text := range r.PostForm["organisation"] {
			n, err := id.Parse[id.Organisation](text)
			if err != nil || o.Vault.OrganisationName(n) == "" {
				return false, errNoPage
			}
			u.Organisations = append(u.Organisations, n)
		}
	}
	u.Purpose = policy.Purpose(r.PostFormValue("purpose"))
	u.Until = 0
	until := strings.TrimSpace(r.PostFormValue("until"))
	bad := func(field string, text words.Key) { p.Wrong = append(p.Wrong, wrong{field, text}) }
	if until != "" {
		if u.Until, err = day.Parse(until); err != nil {
			bad("until", "Enter the last day as a date")
		}
	}
	switch {
	case u.Name == "":
		bad("name", "Enter their name")
	case len(u.Name) > 200:
		bad("name", "The name must be 200 characters or less")
	case slices.ContainsFunc(others, func(x vaultclient.User) bool { return x.ID != self && person.Fold(x.Name) == person.Fold(u.Name) }):
		bad("name", "A user of this name is there already: add something that tells them apart")
	}
	switch {
	case !slices.Contains(policy.Roles, u.Role) || u.Role == policy.Wearer && len(u.Wearers) == 0:
		bad("role", "Select what they are")
	case slices.Contains(policy.Tied, u.Role) && len(u.Organisations) == 0:
		bad("organisation", "Select the organisation that they are one of")
	}
	if len(p.Wrong) > 0 {
		o.showUser(w, r, v, http.StatusBadRequest, p, *u)
		return true, nil
	}
	return false, nil
}

func (o *Origin) showUser(w http.ResponseWriter, r *http.Request, v *visit, status int, p *userPage, u vaultclient.NewUser) {
	if r.Method == http.MethodPost || p.Existing {
		p.Name = u.Name
	}
	if p.Until = r.PostFormValue("until"); p.Until == "" && !u.Until.IsZero() {
		p.Until = u.Until.String()
	}
	for _, x := range roleWords {
		if x.role != policy.Wearer { // that begins at the record
			p.Choices = append(p.Choices, choice{string(x.role), x.name, x.sees, x.role == u.Role})
		}
	}
	for _, x := range policy.Purposes {
		p.Purposes = append(p.Purposes, choice{string(x), vault.PurposeWords(x), "", x == u.Purpose})
	}
	for _, x := range o.Vault.OrganisationNames() {
		if len(v.user.Organisations) == 0 || slices.Contains(v.user.Organisations, x.ID) {
			p.Organisations = append(p.Organisations, choice{x.ID.String(), words.Plain(x.Name), "", slices.Contains(u.Organisations, x.ID)})
		}
	}
	o.render(w, r, status, "user", p)
}

// lines are the answers about a user, as they take effect.
func (o *Origin) lines(v *visit, p *userPage, u vaultclient.NewUser) []line {
	lines := []line{{"Name", u.Name}, {"Role", words.T(v.ctx, roleName(u.Role))}}
	if p.Record != "" {
		lines = append(lines, line{"Record", p.Record})
	} else {
		lines = append(lines, line{"Where", o.where(v.ctx, vaultclient.User{Role: u.Role, Organisations: u.Organisations, Wearers: u.Wearers})})
	}
	if !u.Until.IsZero() {
		lines = append(lines, line{"Last day", words.Date(v.ctx, u.Until)})
	}
	if u.Purpose != "" {
		lines = append(lines, line{"For this purpose only", words.T(v.ctx, vault.PurposeWords(u.Purpose))})
	}
	return lines
}

// carried are a form's answers for the next step.
func carried(r *http.Request, step string) []hidden {
	list := []hidden{{"step", step}}
	for _, name := range []string{"name", "role", "organisation", "until", "purpose", "wearer"} {
		for _, value := range r.PostForm[name] {
			list = append(list, hidden{name, value})
		}
	}
	return list
}

// theUser finds the user that an address names.
func (o *Origin) theUser(r *http.Request, v *visit) (userRow, error) {
	n, err := id.Parse[id.User](r.PathValue("user"))
	if err != nil {
		return userRow{}, errNoPage
	}
	rows, err := o.userRows(v)
	if err != nil {
		return userRow{}, err
	}
	for _, x := range rows {
		if x.ID == n {
			return x, nil
		}
	}
	return userRow{}, errNoPage
}

// changeUser shows a user and changes what they may.
func (o *Origin) changeUser(w http.ResponseWriter, r *http.Request, v *visit) error {
	x, err := o.theUser(r, v)
	if err != nil {
		return err
	}
	path := "/users/" + x.ID.String()
	p := &userPage{frame: frame{Title: "Change a user"}, Action: path, Existing: true, Ended: x.Over || x.Self}
	u := vaultclient.NewUser{Name: x.Name, Role: x.Role, Organisations: x.Organisations, Wearers: x.Wearers, Until: x.Until, Purpose: x.Purpose}
	if x.Role == policy.Wearer {
		p.Record = words.T(v.ctx, "their own")
	}
	if done, err := o.askUser(w, r, v, p, &u, x.ID); done || err != nil {
		return err
	}
	if r.PostFormValue("step") != "do" {
		return o.askToConfirm(w, r, v, "change user", vault.UserChange{User: x.ID, To: u}, &confirmPage{frame: frame{Title: "Check before you change the user"}, Lines: o.lines(v, p, u),
			Text: "It takes effect at once, also where they are signed in.", Action: path, Hidden: carried(r, "do"), Button: "Change the user", Back: "/users"})
	}
	if err := o.Vault.ChangeUser(v.ctx, v.confirmed(r), x.ID, u); err != nil {
		return err
	}
	http.Redirect(w, r, "/users?done=user-changed", http.StatusSeeOther)
	return nil
}

// decideUser asks about an enrolment link, the end of somebody's access, or the removal of their passkeys, and does it.
func (o *Origin) decideUser(w http.ResponseWriter, r *http.Request, v *visit) error {
	x, err := o.theUser(r, v)
	if err != nil {
		return err
	}
	p := &confirmPage{Lines: []line{{"Name", x.Name}, {"Role", words.T(v.ctx, x.RoleName)}}, Action: r.URL.Path, Back: "/users"}
	what := r.PathValue("what")
	asks := map[string]string{"link": "new link", "end": "end user", "passkeys": "remove passkeys"}[what]
	post := r.Method == http.MethodPost
	switch what {
	case "link":
		if post {
			return o.showLink(w, r, v, x)
		}
		p.Title, p.Button = "An enrolment link", "Make the link"
		p.Text = "The link makes a passkey for them, once, within ten minutes. Have them beside you, or on the telephone."
	case "end":
		if post {
			err, what = o.Vault.EndUser(v.ctx, v.confirmed(r), x.ID), "user-ended"
		}
		p.Title, p.Button, p.Warning = "End access", "End access", true
		p.Text = "They are signed out at once, their links and passkeys no longer work, and files and machines that work by leave they gave stop. Their name stays in the ledger."
	case "passkeys":
		if post {
			err, what = o.Vault.RemovePasskeys(v.ctx, v.confirmed(r), x.ID), "passkeys-removed"
		}
		p.Title, p.Button, p.Warning = "Remove all passkeys", "Remove all passkeys", true
		p.Text = "As when a device was lost or stolen: they are signed out at once, and need an enrolment link to come back."
	default:
		return errNoPage
	}
	if err != nil {
		return err
	}
	if post {
		http.Redirect(w, r, "/users?done="+what, http.StatusSeeOther)
		return nil
	}
	return o.askToConfirm(w, r, v, asks, x.ID, p)
}

// showLink makes an enrolment link and shows it, once: it is kept nowhere.
func (o *Origin) showLink(w http.ResponseWriter, r *http.Request, v *visit, x userRow) error {
	secret, err := o.Vault.NewLink(v.ctx, v.confirmed(r), x.ID)
	if err != nil {
		return err
	}
	o.render(w, r, http.StatusOK, "secret", &secretPage{frame: frame{Title: "An enrolment link"},
		Text: "It works once, within ten minutes, and is shown only now. Whoever opens it creates a passkey for this person: hand it over so that nobody else reads it.", Label: "Enrolment link", Secret: o.URL + "/link?secret=" + secret, Back: "/users"})
	return nil
}

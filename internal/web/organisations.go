package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Organisations is what the pages of organisations need of vault and register.
type Organisations interface {
	// CreateOrganisation adds an employer with its settings.
	CreateOrganisation(ctx context.Context, auth vaultclient.Auth, o vaultclient.Organisation, s Settings) (id.Organisation, error)
	// ChangeOrganisation gives an employer another name or kind.
	ChangeOrganisation(ctx context.Context, auth vaultclient.Auth, o vaultclient.Organisation) error
	// Settings returns what an employer sets for itself.
	Settings(ctx context.Context, auth vaultclient.Auth, o id.Organisation) (Settings, error)
	// SetSettings keeps an employer's settings, but for the contact. An error that is a *NotAccepted says what is wrong with them.
	SetSettings(ctx context.Context, auth vaultclient.Auth, o id.Organisation, s Settings) error
	// SetNoticeContact keeps who is told of a breach.
	SetNoticeContact(ctx context.Context, auth vaultclient.Auth, o id.Organisation, n vaultclient.NoticeContact) error
	// SetLevels has these doses as investigation levels from a day on; no dose ends a kind's level.
	SetLevels(ctx context.Context, auth vaultclient.Auth, o id.Organisation, doses map[dose.Kind]dose.MicroSv, from day.Day) error
	// AccountTaken returns the organisation other than o that has one of the accounts at a laboratory, zero: none.
	AccountTaken(ctx context.Context, auth vaultclient.Auth, o id.Organisation, accounts []string) (id.Organisation, error)
}

// NotAccepted is why what somebody entered was not taken. It holds no personal data.
type NotAccepted struct{ Message string }

func (e *NotAccepted) Error() string { return e.Message }

// Settings is what an employer sets for itself.
type Settings struct {
	Controller  bool                      // the service answers for its data itself; else it works on the organisation's behalf
	Asked       bool                      // which of the two was said
	Notice      vaultclient.NoticeContact // the vault keeps it: it comes with the organisation
	Accounts    []string
	Departments []string
	Levels      []dose.Level
}

func (h *handler) organisationRoutes() []route {
	return []route{
		{"GET /organisations", h.page(h.organisationList)},
		{"GET /organisations/new", h.page(h.newOrganisation)},
		{"POST /organisations/new", h.page(h.newOrganisation)},
		{"GET /organisations/{organisation}/settings", h.page(h.settings)},
		{"GET /organisations/{organisation}/settings/{part}", h.page(h.changeSettings)},
		{"POST /organisations/{organisation}/settings/{part}", h.page(h.changeSettings)},
	}
}

// The titles that menus know.
const (
	titleOrganisations = "Organisations"
	titleSettings      = "Settings"
)

func settingsPath(o id.Organisation) string { return "/organisations/" + o.String() + "/settings" }

// managesOrganisations reports whether a role has a use for these pages; the vault decides.
func managesOrganisations(r policy.Role) bool { return r == policy.Coordinator }

// organisationsView is the list of organisations.
type organisationsView struct {
	Query, Kind string
	Kinds       []option
	Rows        []organisationRow
	Pages       pages
	Total       int // without the filter
	Done        words.Key
}

// Href is the address of a page of the list.
func (x organisationsView) Href(page int) string {
	q := url.Values{}
	for name, v := range map[string]string{"name": x.Query, "kind": x.Kind} {
		if v != "" {
			q.Set(name, v)
		}
	}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	return withQuery("/organisations", q)
}

func (h *handler) organisationList(v *visit) error {
	all, err := h.Vault.Organisations(v.ctx, v.auth)
	if err != nil {
		return err
	}
	q := v.r.URL.Query()
	x := organisationsView{Query: strings.Join(strings.Fields(q.Get("name")), " "), Kind: q.Get("kind"), Total: len(all), Kinds: []option{{"", "Every kind", ""}}, Done: v.done()}
	if len(x.Query) > maxSearch {
		return errForm
	}
	for _, k := range kindOrder {
		x.Kinds = append(x.Kinds, option{Value: string(k), Label: kindWord(k)})
	}
	var found []vaultclient.Organisation
	for _, o := range all {
		if (x.Kind == "" || string(o.Kind) == x.Kind) && strings.Contains(strings.ToLower(o.Name), strings.ToLower(x.Query)) {
			found = append(found, o)
		}
	}
	sortOrganisations(found)
	x.Pages = paged(len(found), pageNumber(q.Get("page")))
	for _, o := range found[x.Pages.Offset():x.Pages.To()] {
		x.Rows = append(x.Rows, organisationRow{Organisation: o, Links: organisationLinks(v.user.Role, o.ID, "")})
	}
	h.render(v.w, v.r, http.StatusOK, organisationsPage(h.frame(titleOrganisations, &v.user, link{Text: "Overview", Href: "/"}), x))
	return nil
}

// sortOrganisations puts organisations in the order of lists: by kind, then by name.
func sortOrganisations(all []vaultclient.Organisation) {
	slices.SortFunc(all, func(a, b vaultclient.Organisation) int {
		return cmp.Or(cmp.Compare(slices.Index(kindOrder, a.Kind), slices.Index(kindOrder, b.Kind)),
			strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)))
	})
}

// newOrganisation asks for an employer, shows the answers to be checked, and adds it.
func (h *handler) newOrganisation(v *visit) error {
	if !managesOrganisations(v.user.Role) {
		return errNoPage
	}
	f := formOf("verified", "no", "language", string(vaultclient.InBoth))
	crumbs := []link{{Text: "Overview", Href: "/"}, {Text: titleOrganisations, Href: "/organisations"}}
	show := func(c func(frame, form) templ.Component, title words.Key) error {
		h.render(v.w, v.r, f.status(), c(h.frame(title, &v.user, crumbs...).of(f), f))
		return nil
	}
	if v.r.Method == http.MethodGet {
		return show(newOrganisationPage, "Add an organisation")
	}
	f, err := readForm(v)
	if err != nil {
		return err
	}
	o, s, err := h.organisationIn(v, &f, id.Organisation{})
	if err != nil {
		return err
	}
	switch {
	case len(f.Errors) > 0 || f.Value("step") == "change":
		return show(newOrganisationPage, "Add an organisation")
	case f.Value("step") != "add":
		return show(checkOrganisationPage, "Check before you add the organisation")
	}
	n, err := h.Register.CreateOrganisation(v.ctx, v.auth, o, s)
	if err != nil {
		return err
	}
	http.Redirect(v.w, v.r, settingsPath(n)+"?done=organisation-added", http.StatusSeeOther)
	return nil
}

func init() {
	dones["organisation-added"] = "The organisation was added"
	dones["settings-changed"] = "The settings were changed"
}

// organisationIn reads an organisation and its contact from a form.
func (h *handler) organisationIn(v *visit, f *form, known id.Organisation) (o vaultclient.Organisation, s Settings, err error) {
	if o, err = h.nameIn(v, f, known); err != nil {
		return o, s, err
	}
	noticeIn(f, &s, day.At(h.Now()))
	return o, s, nil
}

// nameIn reads an organisation's name and kind; no two have one name.
func (h *handler) nameIn(v *visit, f *form, known id.Organisation) (vaultclient.Organisation, error) {
	o := vaultclient.Organisation{ID: known, Name: f.need("name", "Enter the organisation's name")}
	if len(o.Name) > maxSearch {
		f.wrong("name", "The organisation's name must be 200 characters or less")
	}
	var kinds []string
	for _, k := range kindOrder {
		kinds = append(kinds, string(k))
	}
	o.Kind = vaultclient.Kind(f.choice("kind", "Select what kind of organisation it is", kinds...))
	all, err := h.Vault.Organisations(v.ctx, v.auth)
	if err != nil {
		return o, err
	}
	if slices.ContainsFunc(all, func(x vaultclient.Organisation) bool { return x.ID != known && strings.EqualFold(x.Name, o.Name) }) {
		f.wrong("name", "An organisation of this name is there already")
	}
	return o, nil
}

// noticeIn reads what the service is to the organisation, and who is told of a breach.
func noticeIn(f *form, s *Settings, today day.Day) {
	s.Controller = f.choice("standing", "Select whether the service works on the organisation's behalf", "processor", "controller") == "controller"
	s.Asked = true
	n := vaultclient.NoticeContact{Name: f.Text("contact"), Email: f.Text("email"), Phone: f.Text("phone"), Post: f.Lines("post")}
	n.Language = vaultclient.NoticeLanguage(f.choice("language", "Select which language they are written to in", "both", "cy", "en"))
	if len(n.Post) > vaultclient.MaxNoticeLines {
		f.wrong("post", "Enter 7 lines or fewer")
	}
	for _, line := range n.Post {
		if len(line) > maxSettingText {
			f.wrong("post", "Enter 100 characters or less in each line")
			break
		}
	}
	if n.Name == "" {
		f.wrong("contact", "Enter who is to be told of a breach")
	}
	if n.Email == "" && n.Phone == "" {
		f.wrong("email", "Enter an e-mail address or a telephone number")
	}
	if a, err := mail.ParseAddress(n.Email); n.Email != "" && (err != nil || a.Address != n.Email) {
		f.wrong("email", "Enter an e-mail address like notices@example.org")
	}
	for name, text := range map[string]string{"contact": n.Name, "email": n.Email, "phone": n.Phone, "how": f.Text("how")} {
		if len(text) > maxSettingText {
			f.wrong(name, "Enter 100 characters or less")
		}
	}
	if f.choice("verified", "Select whether somebody has made sure that this contact is right", "yes", "no") == "yes" {
		n.Verified, n.How = f.Day("on", "The day of verifying"), f.Text("how")
		switch {
		case n.Verified.IsZero():
			f.wrong("on-day", "Enter the day on which the contact was verified")
		case n.Verified > today:
			f.wrong("on-day", "The day of verifying must be today or in the past")
		}
		if n.How == "" {
			f.wrong("how", "Enter how the contact was verified")
		}
	}
	s.Notice = n
}

// maxSettingText is the longest name or department, in bytes.
const maxSettingText = 100

// settingsView is the page of an organisation's settings.
type settingsView struct {
	Organisation vaultclient.Organisation
	Links        []link
	Settings
	Path string
	Done words.Key
	Next []todo
}

func (h *handler) settings(v *visit) error {
	var n id.Organisation
	if err := idIn(v, "organisation", &n); err != nil {
		return err
	}
	o, err := h.organisation(v, n)
	if err != nil {
		return err
	}
	s, err := h.Register.Settings(v.ctx, v.auth, n)
	if err != nil {
		return err
	}
	s.Notice = noticeContact(o)
	x := settingsView{Organisation: o, Links: organisationLinks(v.user.Role, n, titleSettings), Settings: s, Path: settingsPath(n), Done: v.done()}
	for _, step := range []struct {
		missing bool
		text    words.Key
		href    string
		link    words.Key
	}{
		{s.Notice.Name == "", "Nobody is entered who would be told of a breach.", x.Path + "/contact", "Enter a contact"},
		{s.Notice.Name != "" && !s.Notice.Verified.IsZero() && s.Notice.Due(day.At(h.Now())), "The contact for notices was verified more than a year ago.", x.Path + "/contact", "Verify the contact"},
		{s.Notice.Name != "" && s.Notice.Verified.IsZero(), "Nobody has made sure that the contact for notices is right.", x.Path + "/contact", "Verify the contact"},
		{len(s.Accounts) == 0, "Without an account at a laboratory its results are refused.", x.Path + "/accounts", "Enter an account"},
		{o.Wearers == 0, "Nobody is taken on yet.", wearersPath(n), "Go to the wearers"},
	} {
		if step.missing {
			x.Next = append(x.Next, todo{step.text, step.href, step.link})
		}
	}
	h.render(v.w, v.r, http.StatusOK, settingsPage(h.frame(titleSettings, &v.user, link{Text: "Overview", Href: "/"}), x))
	return nil
}

// settingsPart is a part of the settings that has a form of its own.
type settingsPart struct {
	title words.Key
	page  func(frame, form, settingsView) templ.Component
	// fill puts what is known into the form.
	fill func(*form, settingsView)
	// save takes what was entered; what is wrong stands in the form.
	save func(*handler, *visit, *form, settingsView) error
}

var settingsParts = map[string]settingsPart{
	"name": {"Name and kind", namePage,
		func(f *form, x settingsView) {
			f.values.Set("name", x.Organisation.Name)
			f.values.Set("kind", string(x.Organisation.Kind))
		},
		func(h *handler, v *visit, f *form, x settingsView) error {
			o, err := h.nameIn(v, f, x.Organisation.ID)
			if err != nil || len(f.Errors) > 0 {
				return err
			}
			return h.Register.ChangeOrganisation(v.ctx, v.auth, o)
		}},
	"contact": {"Contact for notices", contactPage,
		func(f *form, x settingsView) {
			n := x.Notice
			if x.Asked {
				f.values.Set("standing", map[bool]string{true: "controller", false: "processor"}[x.Controller])
			}
			for name, text := range map[string]string{"contact": n.Name, "email": n.Email, "phone": n.Phone, "how": n.How} {
				f.values.Set(name, text)
			}
			f.values.Set("post", strings.Join(n.Post, "\n"))
			f.values.Set("language", string(cmp.Or(n.Language, vaultclient.InBoth)))
			f.values.Set("verified", map[bool]string{true: "no", false: "yes"}[n.Verified.IsZero()])
			f.setDay("on", n.Verified)
		},
		func(h *handler, v *visit, f *form, x settingsView) error {
			was := x.Settings.Notice
			noticeIn(f, &x.Settings, day.At(h.Now()))
			n := x.Settings.Notice
			if n.Verified == was.Verified && n.How == was.How && !n.Verified.IsZero() && !n.Reaches(was) {
				f.wrong("verified", "The contact changed: select No, or enter when and how the new one was verified")
			}
			if len(f.Errors) > 0 {
				return nil
			}
			if err := h.Register.SetSettings(v.ctx, v.auth, x.Organisation.ID, x.Settings); err != nil {
				return err
			}
			return h.Register.SetNoticeContact(v.ctx, v.auth, x.Organisation.ID, n)
		}},
	"accounts": {"Laboratory accounts", accountsPage,
		func(f *form, x settingsView) { f.values.Set("accounts", strings.Join(x.Accounts, "\n")) },
		func(h *handler, v *visit, f *form, x settingsView) error {
			x.Settings.Accounts = f.Lines("accounts")
			by, err := h.Register.AccountTaken(v.ctx, v.auth, x.Organisation.ID, x.Settings.Accounts)
			if err != nil {
				return err
			}
			if !by.IsZero() {
				o, err := h.organisation(v, by)
				if err != nil {
					return err
				}
				f.wrong("accounts", "One of these accounts is that of %s", o.Name)
				return nil
			}
			return h.accepted(f, "accounts", h.Register.SetSettings(v.ctx, v.auth, x.Organisation.ID, x.Settings))
		}},
	"departments": {"Departments", departmentsPage,
		func(f *form, x settingsView) { f.values.Set("departments", strings.Join(x.Departments, "\n")) },
		func(h *handler, v *visit, f *form, x settingsView) error {
			x.Settings.Departments = f.Lines("departments")
			return h.accepted(f, "departments", h.Register.SetSettings(v.ctx, v.auth, x.Organisation.ID, x.Settings))
		}},
	"levels": {"Investigation levels", levelsPage,
		func(f *form, x settingsView) {
			for _, l := range x.Levels {
				if l.To.IsZero() {
					f.values.Set(levelField(l.Kind), l.Dose.MilliSv())
				}
			}
		},
		func(h *handler, v *visit, f *form, x settingsView) error {
			doses := map[dose.Kind]dose.MicroSv{}
			for _, k := range levelKinds {
				text := f.Text(levelField(k))
				doses[k] = 0
				if text == "" {
					continue
				}
				d, err := dose.ParseMilliSv(text)
				if limit := k.Limit(); err != nil || d <= 0 || d >= limit {
					f.wrong(levelField(k), "%s: enter a number of mSv above 0 and below the legal limit of %s", kindTitle(k), limitMSv(limit))
				}
				doses[k] = d
			}
			from := f.Day("from", "The day from which they hold")
			if from.IsZero() {
				f.wrong("from-day", "Enter the day from which the levels hold")
			}
			if len(f.Errors) > 0 {
				return nil
			}
			return h.accepted(f, "from-day", h.Register.SetLevels(v.ctx, v.auth, x.Organisation.ID, doses, from))
		}},
}

// accepted puts the reason why something was not taken beside a field; any other error comes through.
func (h *handler) accepted(f *form, field string, err error) error {
	if no, ok := errors.AsType[*NotAccepted](err); ok {
		f.wrongInEnglish(field, capital(no.Message))
		return nil
	}
	return err
}

// levelKinds are the kinds of dose that an organisation may have a level for.
var levelKinds = []dose.Kind{dose.Effective, dose.Lens, dose.Skin, dose.Extremity, dose.Abdomen, dose.Foetus}

func levelField(k dose.Kind) string { return "level-" + k.String() }

// changeSettings asks for a part of the settings and keeps it.
func (h *handler) changeSettings(v *visit) error {
	var n id.Organisation
	if err := idIn(v, "organisation", &n); err != nil {
		return err
	}
	part, ok := settingsParts[v.r.PathValue("part")]
	if !ok {
		return errNoPage
	}
	x := settingsView{Path: settingsPath(n)}
	var err error
	if x.Organisation, err = h.organisation(v, n); err != nil {
		return err
	}
	if x.Settings, err = h.Register.Settings(v.ctx, v.auth, n); err != nil {
		return err
	}
	x.Settings.Notice = noticeContact(x.Organisation)
	f := formOf()
	if v.r.Method == http.MethodGet {
		f.setDay("from", day.At(h.Now()))
		part.fill(&f, x)
	} else {
		if f, err = readForm(v); err != nil {
			return err
		}
		if err := part.save(h, v, &f, x); err != nil {
			return err
		}
		if len(f.Errors) == 0 {
			http.Redirect(v.w, v.r, x.Path+"?done=settings-changed", http.StatusSeeOther)
			return nil
		}
	}
	crumbs := []link{{Text: "Overview", Href: "/"}, {Text: titleSettings, Href: x.Path}}
	h.render(v.w, v.r, f.status(), part.page(h.frame(part.title, &v.user, crumbs...).of(f), f, x))
	return nil
}

// noticeContact is who is told of a breach at an organisation, as far as the reader is shown it.
func noticeContact(o vaultclient.Organisation) vaultclient.NoticeContact {
	if o.Notice == nil {
		return vaultclient.NoticeContact{}
	}
	return *o.Notice
}

// languageWord says which language a contact is written to in.
func languageWord(l vaultclient.NoticeLanguage) words.Key {
	switch l {
	case vaultclient.InWelsh:
		return "Welsh"
	case vaultclient.InEnglish:
		return "English"
	}
	return "Welsh and English"
}

func kindOf(s string) vaultclient.Kind { return vaultclient.Kind(s) }

// standingWord says who answers for the data.
func standingWord(controller bool) words.Key {
	if controller {
		return "The service's own employer"
	}
	return "The organisation; the service works on its behalf"
}

// noticeOf is the contact of a form that was looked through.
func noticeOf(f form) vaultclient.NoticeContact {
	n := vaultclient.NoticeContact{How: f.Text("how")}
	if f.Value("verified") == "yes" {
		n.Verified = f.Day("on", "")
	}
	return n
}

// verifiedWord says whether somebody made sure of a contact.
func verifiedWord(ctx context.Context, n vaultclient.NoticeContact) string {
	switch {
	case n.Verified.IsZero():
		return words.T(ctx, "Not yet")
	case n.By == "":
		return words.Date(ctx, n.Verified) + ": " + n.How
	}
	return words.T(ctx, "%s by %s: %s", n.Verified, n.By, n.How)
}

// windowWord says over which time a level of a kind sums.
func windowWord(k dose.Kind) words.Key {
	switch k.LevelWindow() {
	case dose.ThreeMonths:
		return "in any three months"
	case dose.Pregnancy:
		return "in a pregnancy"
	}
	return "in a calendar year"
}

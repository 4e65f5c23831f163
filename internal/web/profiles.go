package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Profiles is what the pages about laboratories' profiles need of the register.
type Profiles interface {
	// StoredProfiles lists them by name, of each the newest version first.
	StoredProfiles(ctx context.Context, auth vaultclient.Auth) ([]StoredProfile, error)
	// StoredProfile opens one with its text; it is entered. Code NotFound: there is none.
	StoredProfile(ctx context.Context, auth vaultclient.Auth, n id.Import) (StoredProfile, []byte, error)
	// StoreProfile stores a profile. An error that is a *NotAccepted says why it was not.
	StoreProfile(ctx context.Context, auth vaultclient.Auth, text []byte) (id.Import, error)
	// RetireProfile retires one. Code Conflict: it is retired.
	RetireProfile(ctx context.Context, auth vaultclient.Auth, n id.Import) error
	// ReceiveByStored takes a laboratory's file in, to be read by a stored profile, as ReceiveResults does.
	ReceiveByStored(ctx context.Context, auth vaultclient.Auth, file []byte, sender string, profile id.Import) (id.Import, error)
}

// StoredProfile is a stored profile as lists show it.
type StoredProfile struct {
	ID      id.Import
	Name    string
	Version int
	SHA256  []byte
	Added   time.Time
	Used    time.Time // zero: never
	Retired time.Time // zero: not
	Offered bool      // files can be read by it: the newest version, and not retired
}

// Title names it.
func (p StoredProfile) Title(ctx context.Context) string {
	return words.T(ctx, "%s, version %d", p.Name, p.Version)
}

const (
	titleProfiles      = "Laboratory profiles"
	profilesPath       = "/profiles"
	newProfilePattern  = "POST /profiles/new"
	builtInProfilePath = profilesPath + "/landauer-dosereport"
)

func (h *handler) profileRoutes() []route {
	return []route{
		{"GET /profiles", h.page(h.profileList)},
		{"GET /profiles/new", h.page(h.newProfile)},
		{newProfilePattern, h.page(h.addProfile)},
		{"GET " + builtInProfilePath, h.page(h.builtInProfile)},
		{"GET /profiles/{profile}", h.page(h.profile)},
		{"POST /profiles/{profile}/download", h.page(h.downloadProfile)},
		{"GET /profiles/{profile}/retire", h.page(h.askRetire)},
		{"POST /profiles/{profile}/retire", h.page(h.retireProfile)},
	}
}

func profilePath(n id.Import) string { return profilesPath + "/" + n.String() }

func init() {
	dones["profile-added"] = "The profile was stored"
	dones["profile-retired"] = "The profile was retired"
	largeBodies[newProfilePattern] = maxProfile + 16<<10
}

var profilesCrumbs = append(slices.Clone(filesCrumbs), link{Text: titleProfiles, Href: profilesPath})

// profilesView is the list of profiles.
type profilesView struct {
	Rows []StoredProfile
	Done words.Key
}

func (h *handler) profileList(v *visit) error {
	if !loadsFiles(v.user.Role) {
		return errNoPage
	}
	all, err := h.Register.StoredProfiles(v.ctx, v.auth)
	if err != nil {
		return err
	}
	h.render(v.w, v.r, http.StatusOK, profilesPage(h.frame(titleProfiles, &v.user, filesCrumbs...), profilesView{all, v.done()}))
	return nil
}

func (h *handler) newProfile(v *visit) error {
	if !loadsFiles(v.user.Role) {
		return errNoPage
	}
	return h.askProfile(v, form{})
}

func (h *handler) askProfile(v *visit, f form) error {
	h.render(v.w, v.r, f.status(), newProfilePage(h.frame("Add a profile", &v.user, profilesCrumbs...).of(f), f))
	return nil
}

// addProfile stores a profile's file.
func (h *handler) addProfile(v *visit) error {
	if !loadsFiles(v.user.Role) {
		return errNoPage
	}
	f := formOf()
	_, text, err := readUpload(v.r, &f)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok || len(text) > maxProfile {
		f.wrong("profile", "The profile must be smaller than 64 KiB")
		return h.askProfile(v, f)
	}
	if err != nil {
		return errForm
	}
	if len(text) == 0 {
		f.wrong("profile", "Select a profile that is not empty")
		return h.askProfile(v, f)
	}
	n, err := h.Register.StoreProfile(v.ctx, v.auth, text)
	if no, ok := errors.AsType[*NotAccepted](err); ok {
		f.wrongInEnglish("profile", statement(no.Message))
		return h.askProfile(v, f)
	}
	if err != nil {
		return err
	}
	http.Redirect(v.w, v.r, profilePath(n)+"?done=profile-added", http.StatusSeeOther)
	return nil
}

// profileView is a profile in words.
type profileView struct {
	StoredProfile
	Path string
	Done words.Key
	*labfile.Layout
	Columns  []namedColumn
	Unread   string // why its text can't be read by this version of the program
	Meanings []meaningRow
}

// namedColumn is where a profile reads something.
type namedColumn struct {
	What   words.Key
	Column string
}

// meaningRow is what a text of a laboratory's files means.
type meaningRow struct {
	Where   words.Key
	Text    string
	Meaning words.Key
}

// profileOf finds the profile that an address names, and its text.
func (h *handler) profileOf(v *visit) (StoredProfile, []byte, error) {
	var n id.Import
	if err := idIn(v, "profile", &n); err != nil {
		return StoredProfile{}, nil, err
	}
	if !loadsFiles(v.user.Role) {
		return StoredProfile{}, nil, errNoPage
	}
	return h.Register.StoredProfile(v.ctx, v.auth, n)
}

func (h *handler) profile(v *visit) error {
	p, text, err := h.profileOf(v)
	no, unread := errors.AsType[*NotAccepted](err)
	if err != nil && !unread {
		return err
	}
	x := profileView{StoredProfile: p, Path: profilePath(p.ID), Done: v.done()}
	if unread {
		x.Unread = statement(no.Message)
	} else if err := x.describe(v.ctx, text); err != nil {
		x.Unread = statement(err.Error())
	}
	h.render(v.w, v.r, http.StatusOK, profilePage(h.frame("A laboratory's profile", &v.user, profilesCrumbs...), x))
	return nil
}

// columnWords are what a profile's columns hold, in the order of a page.
var columnWords = []struct {
	word words.Key
	of   func(*labfile.Columns) labfile.Column
}{
	{"Serial number of the badge", func(c *labfile.Columns) labfile.Column { return c.Barcode }},
	{"Account of the organisation", func(c *labfile.Columns) labfile.Column { return c.Account }},
	{"Where the badge is worn", func(c *labfile.Columns) labfile.Column { return c.Position }},
	{"First day of the wear period", func(c *labfile.Columns) labfile.Column { return c.From }},
	{"Last day of the wear period", func(c *labfile.Columns) labfile.Column { return c.To }},
	{"Day on which the badge was read", func(c *labfile.Columns) labfile.Column { return c.Scanned }},
	{"Version of the report", func(c *labfile.Columns) labfile.Column { return c.Version }},
	{"Name of the wearer, to compare", func(c *labfile.Columns) labfile.Column { return c.Name }},
	{"Date of birth, to compare", func(c *labfile.Columns) labfile.Column { return c.Birth }},
	{"Notes", func(c *labfile.Columns) labfile.Column { return c.Notes }},
	{"Which quantity a row gives", func(c *labfile.Columns) labfile.Column { return c.Quantity }},
	{"The dose", func(c *labfile.Columns) labfile.Column { return c.Value }},
}

// describe puts a profile into words.
func (x *profileView) describe(ctx context.Context, text []byte) error {
	p, err := labfile.ParseProfile(text)
	if err != nil {
		return err
	}
	x.Layout = p.Layout()
	for _, c := range columnWords {
		if at := c.of(&x.Layout.Columns); !at.IsZero() {
			x.Columns = append(x.Columns, namedColumn{c.word, columnWord(ctx, at)})
		}
	}
	add := func(where words.Key, texts map[string]string) {
		for _, t := range slices.Sorted(maps.Keys(texts)) {
			shown := t
			if t == "" {
				shown = words.T(ctx, "(blank)")
			}
			x.Meanings = append(x.Meanings, meaningRow{where, shown, meaningWord(texts[t])})
		}
	}
	add("Where worn", x.Positions)
	if c := x.Control; c != nil {
		for _, t := range c.Texts {
			x.Meanings = append(x.Meanings, meaningRow{words.Plain(columnWord(ctx, c.Column)), t, "A control badge"})
		}
	}
	add("Doses", x.Codes)
	for _, q := range x.Quantities {
		add(quantityName(q.Quantity), q.Codes)
	}
	add("Notes", x.Notes)
	return nil
}

// readsAs says how texts and numbers are read.
func (x profileView) readsAs(ctx context.Context) []namedColumn {
	out := []namedColumn{
		{"Dates", words.List(ctx, append([]string{"YYYY-MM-DD"}, x.Dates...))},
		{"Decimal mark", words.T(ctx, map[string]words.Key{".": "point", ",": "comma"}[x.Decimal])},
		{"Text that is not Unicode", x.encoding()},
		{"Columns separated by", x.separators(ctx)},
		{"Spreadsheet's sheet", x.sheet(ctx)},
		{"Headings in row", strconv.Itoa(max(x.HeadingRow, 1))},
	}
	if x.Account != "" {
		out = append(out, namedColumn{"Account, of every row", x.Account})
	}
	if x.Position != "" {
		out = append(out, namedColumn{"Worn at, every badge", x.Position})
	}
	if x.Round {
		out = append(out, namedColumn{"A dose that is no whole µSv", words.T(ctx, "rounded half up")})
	} else {
		out = append(out, namedColumn{"A dose that is no whole µSv", words.T(ctx, "refuses its row")})
	}
	if x.Negative != "" {
		out = append(out, namedColumn{"A negative dose", words.T(ctx, "is %s", meaningWord(x.Negative))})
	} else {
		out = append(out, namedColumn{"A negative dose", words.T(ctx, "refuses its row")})
	}
	return out
}

func (x profileView) encoding() string {
	if x.Encoding == "" {
		return "Windows-1252"
	}
	return x.Encoding
}

func (x profileView) sheet(ctx context.Context) string {
	if x.Sheet == "" {
		return words.T(ctx, "the first that is not hidden")
	}
	return x.Sheet
}

func (x profileView) separators(ctx context.Context) string {
	names := map[rune]words.Key{',': "comma", ';': "semicolon", '\t': "tab"}
	var out []string
	for _, r := range x.Separators {
		out = append(out, cmp.Or(words.T(ctx, names[r]), string(r)))
	}
	return strings.Join(out, words.T(ctx, " or "))
}

// quantityColumn says where a quantity stands.
func quantityColumn(ctx context.Context, q *labfile.Quantity) string {
	if q.Text != "" {
		return "“" + q.Text + "”"
	}
	return columnWord(ctx, q.Column)
}

// quantityRules say what else holds for a quantity.
func quantityRules(ctx context.Context, q *labfile.Quantity) string {
	var s []string
	if len(q.Positions) > 0 {
		s = append(s, words.T(ctx, "badges worn at %s", positionsOf(ctx, q.Positions)))
	}
	if q.Minimum != "" {
		s = append(s, words.T(ctx, "less than %s %s is below level", q.Minimum, q.Unit))
	}
	if q.Optional {
		s = append(s, words.T(ctx, "may be blank"))
	}
	if q.Elsewhere != "" {
		s = append(s, words.T(ctx, "ignored for badges worn elsewhere"))
	}
	return capital(strings.Join(s, "; "))
}

// builtInProfile is the page of the layout that is built in.
func (h *handler) builtInProfile(v *visit) error {
	if !loadsFiles(v.user.Role) {
		return errNoPage
	}
	h.render(v.w, v.r, http.StatusOK, builtInProfilePage(h.frame("A laboratory's profile", &v.user, profilesCrumbs...), labfile.Landauer().Headings()))
	return nil
}

// downloadProfile answers with a profile's text. It is a form, not an address: the text is opened for it.
func (h *handler) downloadProfile(v *visit) error {
	p, text, err := h.profileOf(v)
	if _, unread := errors.AsType[*NotAccepted](err); err != nil && !unread {
		return err
	}
	v.file(text, "application/json", fmt.Sprintf("%s-%d.json", p.Name, p.Version))
	return nil
}

func (h *handler) askRetire(v *visit) error {
	p, _, err := h.profileOf(v)
	if _, unread := errors.AsType[*NotAccepted](err); err != nil && !unread {
		return err
	}
	if !p.Retired.IsZero() {
		http.Redirect(v.w, v.r, profilePath(p.ID), http.StatusSeeOther)
		return nil
	}
	h.render(v.w, v.r, http.StatusOK, retireProfilePage(h.frame("Retire a profile", &v.user, append(slices.Clone(profilesCrumbs), link{Text: words.Plain(p.Title(v.ctx)), Href: profilePath(p.ID)})...), p))
	return nil
}

func (h *handler) retireProfile(v *visit) error {
	p, _, err := h.profileOf(v)
	if _, unread := errors.AsType[*NotAccepted](err); err != nil && !unread {
		return err
	}
	if err := h.Register.RetireProfile(v.ctx, v.auth, p.ID); err != nil {
		return err
	}
	http.Redirect(v.w, v.r, profilesPath+"?done=profile-retired", http.StatusSeeOther)
	return nil
}

// profileOptions are what a file can be read by, and the value of the one that was used last.
func (h *handler) profileOptions(v *visit) (options []option, last string, err error) {
	all, err := h.Register.StoredProfiles(v.ctx, v.auth)
	if err != nil {
		return nil, "", err
	}
	options = []option{{Value: "", Label: "Landauer DoseReport (built in)"}}
	var used time.Time
	for _, p := range all {
		if !p.Offered {
			continue
		}
		options = append(options, option{Value: p.ID.String(), Label: words.Plain(p.Title(v.ctx))})
		if p.Used.After(used) {
			used, last = p.Used, p.ID.String()
		}
	}
	return options, last, nil
}

// columnWord says which column of a file.
func columnWord(ctx context.Context, c labfile.Column) string {
	if c.Number > 0 {
		return words.T(ctx, "Column %d", c.Number)
	}
	return capital(c.Heading)
}

// meaningWord says what a profile gives as the meaning of a text.
func meaningWord(meaning string) words.Key {
	if meaning == "nothing" {
		return "Says nothing of the dose"
	}
	for p, w := range positionWords {
		if p.String() == meaning {
			return w
		}
	}
	for q, w := range qualifierWords {
		if q.String() == meaning {
			return w
		}
	}
	return words.Plain(capital(meaning))
}

// quantityName says which quantity a profile names.
func quantityName(name string) words.Key {
	if name == dose.NeutronHp10.String() {
		return quantityWord(dose.NeutronHp10)
	}
	return words.Plain(name)
}

// positionsOf says positions that a profile names, with commas.
func positionsOf(ctx context.Context, names []string) string {
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = words.T(ctx, meaningWord(n))
	}
	return strings.Join(texts, ", ")
}

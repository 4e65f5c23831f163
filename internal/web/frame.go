package web

import (
	"context"
	"strconv"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// frame is what stands around every page.
type frame struct {
	Title  words.Key // of the browser's window: it goes into histories, so no name is in it
	Failed bool      // a form on it is wrong, which the window's title says first
	User   *vaultclient.User
	Demo   bool
	Crumbs []link
	Nav    []link
}

// link is a link of a menu or a breadcrumb.
type link struct {
	Text    words.Key
	Href    string
	Current bool
}

// of is the frame of a page with a form.
func (fr frame) of(f form) frame {
	fr.Failed = len(f.Errors) > 0
	return fr
}

// title is what the browser's window is called.
func (fr frame) title(ctx context.Context) string {
	if fr.Failed {
		return words.T(ctx, "Error: %s", fr.Title)
	}
	return words.T(ctx, fr.Title)
}

func (h *handler) frame(title words.Key, user *vaultclient.User, crumbs ...link) frame {
	f := frame{Title: title, User: user, Demo: h.Demo, Crumbs: crumbs}
	if user != nil {
		f.Nav = append(f.Nav, link{Text: "Overview", Href: "/", Current: len(crumbs) == 0 && title == "Overview"})
		if overseesIncidents(user.Role) {
			f.Nav = append(f.Nav, link{Text: titleIncidents, Href: incidentsPath, Current: title == titleIncidents})
		}
		if findsEverywhere(*user) {
			f.Nav = append(f.Nav, link{Text: titleFind, Href: findPath, Current: title == titleFind})
		}
		if handlesBadges(user.Role) {
			f.Nav = append(f.Nav, link{Text: titleReturn, Href: returnPath, Current: title == titleReturn})
		}
		if loadsFiles(user.Role) {
			f.Nav = append(f.Nav, link{Text: titleFiles, Href: "/files", Current: title == titleFiles})
		}
		if managesOrganisations(user.Role) {
			f.Nav = append(f.Nav, link{Text: titleOrganisations, Href: "/organisations", Current: title == titleOrganisations},
				link{Text: titleUsers, Href: "/users", Current: title == titleUsers},
				link{Text: titleMachines, Href: "/machines", Current: title == titleMachines},
				link{Text: titlePairs, Href: "/people/pairs", Current: title == titlePairs})
		}
		if len(user.Organisations) == 1 {
			f.Nav = append(f.Nav, organisationLinks(user.Role, user.Organisations[0], title)...)
		}
		if user.Role == policy.Wearer && len(user.Wearers) == 1 {
			w := user.Wearers[0]
			f.Nav = append(f.Nav,
				link{Text: "My doses", Href: wearerPath(w), Current: title == titleWearer},
				link{Text: "Who has seen my data", Href: wearerPath(w) + "/ledger", Current: title == titleOwnLedger})
		}
	}
	return f
}

// The titles that menus know.
const (
	titleWearers      = "Wearers"
	titleReturn       = "Return badges"
	titleLedger       = "Ledger"
	titleWearer       = "Dose record"
	titleWearerLedger = "Who has seen this person's data?"
	titleOwnLedger    = "Who has seen my data?"
	titleWhoMay       = "Who may see this person's data?"
	titleOwnWhoMay    = "Who may see my data?"
)

// organisationLinks are the pages of an organisation that a role has a use for.
func organisationLinks(role policy.Role, o id.Organisation, current words.Key) []link {
	var s []link
	if profiles[role].list != "" {
		s = append(s, link{Text: titleWearers, Href: wearersPath(o), Current: current == titleWearers})
	}
	if handlesBadges(role) {
		s = append(s, link{Text: titleBadges, Href: badgesPath(o), Current: current == titleBadges})
	}
	if listsDoses(role) {
		s = append(s, link{Text: titleDoses, Href: dosesPath(o), Current: current == titleDoses})
	}
	if profiles[role].doses && profiles[role].list != "" {
		s = append(s, link{Text: titleInvestigations, Href: investigationsPath(o), Current: current == titleInvestigations})
	}
	if managesOrganisations(role) {
		s = append(s, link{Text: titleSettings, Href: settingsPath(o), Current: current == titleSettings})
	}
	if profiles[role].ledger {
		s = append(s, link{Text: titleLedger, Href: ledgerPath(o), Current: current == titleLedger})
	}
	return s
}

func wearersPath(o id.Organisation) string { return "/organisations/" + o.String() + "/wearers" }
func ledgerPath(o id.Organisation) string  { return "/organisations/" + o.String() + "/ledger" }
func wearerPath(w id.Wearer) string        { return "/wearers/" + w.String() }

// profile says which purpose and fields a role's pages ask the vault with. It is no rule: the vault decides.
type profile struct {
	list    policy.Purpose // for the lists of wearers; none: the role has no use for them
	record  policy.Purpose // for a wearer's page
	fields  policy.Fields  // on a wearer's page
	doses   bool           // and the doses
	sex     bool           // and what tells a sex: the limit of the abdomen
	health  bool           // and what tells a pregnancy: the dose of an unborn child
	ledger  bool           // organisations' ledgers
	history bool           // a wearer's part of the ledger
	work    bool           // departments in lists of wearers
}

var profiles = map[policy.Role]profile{
	policy.Coordinator: {list: policy.IssueBadges, record: policy.AssessDose, doses: true, work: true, sex: true, ledger: true, history: true,
		fields: policy.FieldName | policy.FieldStaffNumber},
	policy.Supervisor: {list: policy.IssueBadges, record: policy.AssessDose, doses: true, work: true,
		fields: policy.FieldName | policy.FieldStaffNumber},
	policy.Local: {list: policy.IssueBadges, record: policy.IssueBadges, work: true,
		fields: policy.FieldName | policy.FieldStaffNumber},
	policy.RecordsOfficer: {list: policy.KeepRecords, record: policy.KeepRecords,
		fields: policy.FieldName | policy.FieldBirth | policy.FieldStaffNumber | policy.FieldNI},
	policy.DataProtection: {list: policy.Oversight, record: policy.Oversight, fields: policy.FieldName, ledger: true, history: true},
	policy.Wearer: {record: policy.OwnRecord, doses: true, sex: true, health: true, history: true,
		fields: policy.FieldName | policy.FieldBirth | policy.FieldStaffNumber},
}

// fullName is a name as it is spoken: what the person is known as or the forenames, then the surname.
func fullName(i person.Identity) person.Value {
	first := i.Forenames
	if !i.KnownAs.IsZero() {
		first = i.KnownAs
	}
	switch {
	case first.IsZero():
		return i.Surname
	case i.Surname.IsZero():
		return first
	}
	return person.NewValue(first.Expose() + " " + i.Surname.Expose())
}

// listName is a name as it stands in a list by surname: "Evans, Mair".
func listName(i person.Identity) person.Value {
	if i.Surname.IsZero() || i.Forenames.IsZero() {
		return fullName(i)
	}
	return person.NewValue(i.Surname.Expose() + ", " + i.Forenames.Expose())
}

// pageNumber reads a page's number; what is none is the first page.
func pageNumber(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 1
	}
	return min(max(n, 1), 1_000_000)
}

// organisation finds one of those that the user may see; one that is not among them is not told apart from none.
func (h *handler) organisation(v *visit, o id.Organisation) (vaultclient.Organisation, error) {
	all, err := h.Vault.Organisations(v.ctx, v.auth)
	if err != nil {
		return vaultclient.Organisation{}, err
	}
	for _, x := range all {
		if x.ID == o {
			return x, nil
		}
	}
	return vaultclient.Organisation{}, errNoPage
}

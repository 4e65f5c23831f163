package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// overviewView is the service at a glance, for one role.
type overviewView struct {
	User     vaultclient.User
	Scope    words.Key // what the role sees, a sentence
	Warnings []Weakness
	Stats    []stat
	Next     []todo
	Rows     []organisationRow
	State    bool // the rows have badges and investigations
	Imports  []ImportState
	Query    string
	Find     bool // offer to find an organisation by name
	Pages    pages
	Own      []ownRecord
}

// stat is a figure with what it counts.
type stat struct {
	Value       string
	Label, Note words.Key
}

// todo is something to do next; without an Href it is only said.
type todo struct {
	Text     words.Key
	Href     string
	LinkText words.Key
}

// organisationRow is an organisation on the overview.
type organisationRow struct {
	vaultclient.Organisation
	State OrganisationState
	Links []link
}

// ownRecord is one of the signed-in person's own records.
type ownRecord struct {
	Wearer       id.Wearer
	Organisation string
	Employment   string
	Totals       []total // of the latest calendar year
}

// Href is the address of a page of the organisations.
func (x overviewView) Href(page int) string {
	q := url.Values{}
	if x.Query != "" {
		q.Set("organisation", x.Query)
	}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	return withQuery("/", q)
}

var scopes = map[policy.Role]words.Key{
	policy.Coordinator:    "You co-ordinate badges for all organisations of the service.",
	policy.RecordsOfficer: "You keep the statutory records of classified people: their names, dates of birth and NI numbers. Doses are not part of your role.",
	policy.Supervisor:     "You see the people who work for your organisation, their badges and doses, and nobody else.",
	policy.Local:          "You hand out and take back the badges of your organisation. Doses are not part of your role.",
	policy.DataProtection: "You see who had access to the personal data of your organisation. Doses are not part of your role.",
	policy.Wearer:         "You see your own record, and who else has seen it.",
	policy.Administrator:  "You decide with others who may sign in and do what. Your role sees nothing personal of wearers.",
	policy.Operator:       "You keep the installation running. Your role sees nothing personal.",
}

// kindOrder is the order in which the kinds of organisations are listed.
var kindOrder = []vaultclient.Kind{vaultclient.HealthBoard, vaultclient.NHSTrust, vaultclient.PrivateHospital,
	vaultclient.Airport, vaultclient.DentalPractice, vaultclient.VetPractice, vaultclient.OtherKind}

// overview is the first page.
func (h *handler) overview(v *visit) error {
	x := overviewView{User: v.user, Scope: scopes[v.user.Role], Warnings: h.Warnings}
	organisations, err := h.Vault.Organisations(v.ctx, v.auth)
	if err != nil && errorCode(err) != vaultclient.Refused {
		return err
	}
	for _, one := range v.user.Incidents {
		x.Next = append(x.Next, todo{Text: words.Plain(words.T(v.ctx, "A suspected breach is open: %s.", one.Number)), Href: incidentPath(one.ID), LinkText: "See what is to be done"})
	}
	if v.user.Role == policy.Wearer {
		err = h.ownRecords(v, &x, organisations)
	} else {
		err = h.organisations(v, &x, organisations)
	}
	if err != nil {
		return err
	}
	h.render(v.w, v.r, http.StatusOK, overviewPage(h.frame("Overview", &v.user), x))
	return nil
}

// organisations fills in what the overview says of the organisations.
func (h *handler) organisations(v *visit, x *overviewView, all []vaultclient.Organisation) error {
	states := map[id.Organisation]OrganisationState{}
	if profiles[v.user.Role].doses {
		list, err := h.Register.Overview(v.ctx, v.auth)
		if err != nil {
			return err
		}
		x.State, x.Imports = true, list.Imports
		for _, s := range list.Organisations {
			states[s.Organisation] = s
		}
	}
	x.Stats, x.Next = stats(v.ctx, all, states, x.State), append(x.Next, nextSteps(v.ctx, all, states, x.Imports, v.user.Role)...)

	form := v.r.URL.Query()
	x.Query = strings.Join(strings.Fields(form.Get("organisation")), " ")
	if len(x.Query) > maxSearch {
		return errForm
	}
	x.Find = len(all) > pageSize
	var found []vaultclient.Organisation
	for _, o := range all {
		if strings.Contains(strings.ToLower(o.Name), strings.ToLower(x.Query)) {
			found = append(found, o)
		}
	}
	sortOrganisations(found)
	x.Pages = paged(len(found), pageNumber(form.Get("page")))
	for _, o := range found[x.Pages.Offset():x.Pages.To()] {
		x.Rows = append(x.Rows, organisationRow{Organisation: o, State: states[o.ID], Links: organisationLinks(v.user.Role, o.ID, "")})
	}
	return nil
}

// stats are the figures over all organisations that the user sees.
func stats(ctx context.Context, all []vaultclient.Organisation, states map[id.Organisation]OrganisationState, badges bool) []stat {
	var wearers, current int
	var sum OrganisationState
	for _, o := range all {
		wearers, current = wearers+o.Wearers, current+o.Current
		s := states[o.ID]
		sum.Issued, sum.Returned, sum.Sent = sum.Issued+s.Issued, sum.Returned+s.Returned, sum.Sent+s.Sent
		sum.Read += s.Read
	}
	var list []stat
	if len(all) == 0 {
		return nil
	}
	if len(all) != 1 {
		list = append(list, stat{number(len(all)), "organisations", ""})
	}
	list = append(list, stat{number(current), "wearers today", words.Plain(words.T(ctx, "%s have left", number(wearers-current)))})
	if !badges {
		return list
	}
	return append(list,
		stat{number(sum.Issued), "badges out", "with the people who wear them"},
		stat{number(sum.Returned + sum.Sent), "badges returned", words.Plain(words.T(ctx, "%s sent to the laboratory", number(sum.Sent)))},
		stat{number(sum.Read), "badges read", "by the laboratory"})
}

// nextSteps says what to do next, most urgent first.
func nextSteps(ctx context.Context, all []vaultclient.Organisation, states map[id.Organisation]OrganisationState, imports []ImportState, role policy.Role) []todo {
	var list []todo
	if role == policy.DataProtection {
		for _, o := range all {
			list = append(list, todo{Text: words.Plain(words.T(ctx, "Read who has seen what of %s", o.Name)), Href: ledgerPath(o.ID), LinkText: "Open the ledger"},
				todo{Text: words.Plain(words.T(ctx, "Answer somebody of %s who asks who has seen their data", o.Name)), Href: wearersPath(o.ID), LinkText: "Find them"})
		}
		return list[:min(len(list), 6)]
	}
	if !profiles[role].doses {
		return nil
	}
	if len(all) == 0 {
		if role == policy.Coordinator {
			return []todo{{Text: "There is no organisation yet.", Href: "/organisations/new", LinkText: "Add the first one"}}
		}
		return nil
	}
	var waiting, wearers int
	var investigated []vaultclient.Organisation
	for _, o := range all {
		s := states[o.ID]
		if s.Investigated {
			investigated = append(investigated, o)
		}
		waiting += s.Returned + s.Sent
		wearers += o.Current
	}
	// Which are open is sealed: whoever wants to know looks, and that is entered.
	switch len(investigated) {
	case 0:
	case 1:
		list = append(list, todo{Text: words.Plain(words.T(ctx, "Investigations at %s", investigated[0].Name)), Href: investigationsPath(investigated[0].ID), LinkText: "See which are open"})
	default:
		list = append(list, todo{Text: words.Plain(words.T(ctx, "Investigations at %s", words.Count(ctx, len(investigated), "organisation", "organisations"))), Href: allInvestigationsPath, LinkText: "See which are open"})
	}
	if role != policy.Coordinator {
		return list
	}
	for _, im := range imports {
		if im.State == "previewed" {
			list = append(list, todo{Text: words.Plain(words.T(ctx, "A file of %s (%s) waits for somebody to look at its preview and confirm it.", im.At, im.kindWord())), Href: filePath(im.ID), LinkText: "Look at the preview"})
		}
	}
	if waiting > 0 {
		list = append(list, todo{Text: badgesAre(ctx, waiting, "%s is back and waiting for the laboratory's results.", "%s are back and waiting for the laboratory's results."), Href: "/files/new", LinkText: "Load its file"})
	}
	loaded := slices.ContainsFunc(imports, func(im ImportState) bool { return im.Kind == "laboratory" })
	if wearers > 0 && !loaded && !slices.ContainsFunc(all, func(o vaultclient.Organisation) bool { return states[o.ID].Read > 0 }) {
		list = append(list, todo{Text: "No results have been loaded yet.", Href: "/files/new", LinkText: "Load the laboratory's file"})
	}
	return list
}

var importKinds = map[string]words.Key{"people": "Staff list", "leavers": "Leavers", "dispatch": "Badges issued", "laboratory": "Laboratory's results", "settings": "Settings",
	"person": "A person, by form", "investigation": "A note on an investigation"}

// kindWord says what a file is.
func (im ImportState) kindWord() words.Key {
	if w := importKinds[im.Kind]; w != "" {
		return w
	}
	return words.Plain(capital(im.Kind))
}

var importStates = map[string]struct {
	word   words.Key
	colour string
}{"received": {"Received", "blue"}, "previewing": {"Being read", "blue"}, "previewed": {"To be confirmed", "orange"},
	"confirmed": {"Being stored", "blue"}, "importing": {"Being stored", "blue"}, "stored": {"Stored", "green"}, "done": {"Stored", "green"}, "failed": {"Not stored", "red"}, "declined": {"Declined", "grey"}}

// stateWord says how far a file has come, and in which colour.
func (im ImportState) stateWord() (word words.Key, colour string) {
	if w, ok := importStates[im.State]; ok {
		return w.word, w.colour
	}
	return words.Plain(capital(im.State)), "grey"
}

// stateTag is what the overview shows of it.
func (im ImportState) stateTag() (c templ.Component) {
	return tag(im.stateWord())
}

// ownRecords fills in the records of a wearer who looks at their own.
func (h *handler) ownRecords(v *visit, x *overviewView, organisations []vaultclient.Organisation) error {
	if len(v.user.Wearers) == 0 {
		return nil
	}
	record, err := h.Register.WearerRecord(v.ctx, v.auth, v.user.Wearers[0], policy.FieldName)
	if err != nil {
		return err
	}
	years, _ := totalsOf(record.Subject, record.Levels, record.Assessment)
	for _, r := range record.Records { // the doses are summed over all of them
		x.Own = append(x.Own, ownRecord{Wearer: r.Wearer, Organisation: organisationName(v.ctx, organisations, r.Organisation), Employment: employment(v.ctx, r), Totals: latestYear(years)})
	}
	return nil
}

func organisationName(ctx context.Context, all []vaultclient.Organisation, o id.Organisation) string {
	for _, x := range all {
		if x.ID == o {
			return x.Name
		}
	}
	return words.T(ctx, "Your employer")
}

// employment says from when to when somebody is employed.
func employment(ctx context.Context, r vaultclient.Record) string {
	switch {
	case r.From == "" && r.To == "":
		return words.T(ctx, "Dates not known")
	case r.To == "":
		return words.T(ctx, "Since %s", dateOf(ctx, r.From))
	case r.From == "":
		return words.T(ctx, "Until %s", dateOf(ctx, r.To))
	}
	return words.T(ctx, "%s to %s", dateOf(ctx, r.From), dateOf(ctx, r.To))
}

// badgesAre says something of a number of badges: the first text of one, the second of any other.
func badgesAre(ctx context.Context, n int, one, many words.Key) words.Key {
	text := many
	if n == 1 {
		text = one
	}
	return words.Plain(words.T(ctx, text, words.Count(ctx, n, "badge", "badges")))
}

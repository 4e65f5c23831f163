package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// wearersView is the page of an organisation's wearers.
type wearersView struct {
	Organisation vaultclient.Organisation
	Links        []link
	Query        person.Value
	Searched     bool
	Leavers      bool
	Left         bool   // only those who have left
	Department   string // or a part of its name
	Departments  bool   // the role is shown departments
	NamesOnly    bool   // the role is shown names and no staff numbers
	Work         map[id.Wearer]Work
	Manage       bool // the role takes people on
	Done         words.Key
	// ClassifiedOnly: the reader's role is shown classified people and nobody else.
	ClassifiedOnly bool
	Pages          pages
	Records        []vaultclient.Record
	Path           string
}

// Href is the address of a page of the unfiltered list. A search has none: its pages are forms.
func (x wearersView) Href(page int) string {
	q := url.Values{}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	if x.Leavers {
		q.Set("leavers", "yes")
	}
	return withQuery(x.Path, q)
}

// searchLabel says by what somebody is found.
func (x wearersView) searchLabel() words.Key {
	if x.NamesOnly {
		return "Find a wearer by name"
	}
	return "Find a wearer by name or staff number"
}

// listedPath is where a list of wearers leads.
func listedPath(w id.Wearer, namesOnly bool) string {
	if namesOnly {
		return wearerPath(w) + "/ledger"
	}
	return wearerPath(w)
}

// Filtered reports whether the list is not the whole one: it then has no address.
func (x wearersView) Filtered() bool { return x.Searched || x.Left || x.Department != "" }

// foundFor says what was looked for, with a space before it.
func (x wearersView) foundFor(ctx context.Context) string {
	s := ""
	if x.Searched {
		s += " " + words.T(ctx, "for “%s”", x.Query.Expose())
	}
	if x.Department != "" {
		s += " " + words.T(ctx, "in “%s”", x.Department)
	}
	if x.Left {
		s += " " + words.T(ctx, "among those who have left")
	}
	return s
}

// wearers lists an organisation's wearers. A search comes as a POST, so that no name is ever in an address.
func (h *handler) wearers(v *visit) error {
	var o id.Organisation
	err := idIn(v, "organisation", &o)
	if err != nil {
		return err
	}
	x := wearersView{Path: wearersPath(o), ClassifiedOnly: v.user.Role == policy.RecordsOfficer, Departments: profiles[v.user.Role].work,
		NamesOnly: profiles[v.user.Role].list != "" && profiles[v.user.Role].fields&policy.FieldStaffNumber == 0,
		Manage:    managesPeople(v.user.Role), Done: v.done()}
	form := v.r.URL.Query()
	if v.r.Method == http.MethodPost {
		if err := v.r.ParseForm(); err != nil {
			return errForm
		}
		form = v.r.PostForm
		text := strings.Join(strings.Fields(form.Get("q")), " ")
		if len(text) > maxSearch {
			return errForm
		}
		x.Query, x.Searched = person.NewValue(text), text != ""
		x.Left = form.Get("left") != ""
		if x.Departments {
			x.Department = strings.Join(strings.Fields(form.Get("department")), " ")
		}
		if len(x.Department) > maxSearch {
			return errForm
		}
	}
	page := pageNumber(form.Get("page"))
	x.Leavers = form.Get("leavers") != ""
	if v.r.Method == http.MethodPost && !x.Filtered() {
		// An emptied search box asks for the whole list, which has an address.
		http.Redirect(v.w, v.r, x.Href(page), http.StatusSeeOther)
		return nil
	}
	if x.Organisation, err = h.organisation(v, o); err != nil {
		return err
	}
	request := vaultclient.SearchRequest{Purpose: profiles[v.user.Role].list, Organisation: o, Query: x.Query, Leavers: x.Leavers, Left: x.Left, NamesOnly: x.NamesOnly}
	if request.Purpose == "" {
		request.Purpose = policy.IssueBadges // the vault refuses and enters it
	}
	if x.Department != "" {
		all, err := h.Register.WorkOf(v.ctx, v.auth, o)
		if err != nil {
			return err
		}
		for w, work := range all {
			if strings.Contains(person.Fold(work.Department), person.Fold(x.Department)) {
				request.Among = append(request.Among, w)
			}
		}
		if len(request.Among) == 0 {
			request.Among = []id.Wearer{{}} // nobody, and not everybody
		}
	}
	if x.Pages, x.Records, err = h.searchPage(v, request, page); err != nil {
		return err
	}
	if x.Departments && len(x.Records) > 0 {
		ws := make([]id.Wearer, len(x.Records))
		for i, r := range x.Records {
			ws[i] = r.Wearer
		}
		if x.Work, err = h.Register.Work(v.ctx, v.auth, ws); err != nil {
			return err
		}
	}
	x.Links = organisationLinks(v.user.Role, o, titleWearers)
	h.render(v.w, v.r, http.StatusOK, wearersPage(h.frame(titleWearers, &v.user, link{Text: "Overview", Href: "/"}), x))
	return nil
}

// searchPage asks for a page of wearers; past the end it is the last one.
func (h *handler) searchPage(v *visit, r vaultclient.SearchRequest, page int) (pages, []vaultclient.Record, error) {
	r.Offset, r.Limit = (page-1)*pageSize, pageSize
	result, err := h.Vault.Search(v.ctx, v.auth, r)
	at := paged(result.Total, page)
	if err == nil && at.Page != page {
		r.Offset = at.Offset()
		result, err = h.Vault.Search(v.ctx, v.auth, r)
		at = paged(result.Total, at.Page)
	}
	return at, result.Records, err
}

// ledgerView is a page of a ledger in plain words.
type ledgerView struct {
	Organisation vaultclient.Organisation
	Links        []link
	Lines        []line
	Pages        pages
	Path         string
	Wearer       bool // only what names one wearer
	Own          bool // who is the reader
}

// Href is the address of a page.
func (x ledgerView) Href(page int) string {
	q := url.Values{}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	return withQuery(x.Path, q)
}

// ledger shows an organisation's ledger.
func (h *handler) ledger(v *visit) error {
	var o id.Organisation
	err := idIn(v, "organisation", &o)
	if err != nil {
		return err
	}
	x := ledgerView{Path: ledgerPath(o)}
	if x.Organisation, err = h.organisation(v, o); err != nil {
		return err
	}
	x.Links = organisationLinks(v.user.Role, o, titleLedger)
	if err := h.readLedger(v, &x, vaultclient.LedgerRequest{Organisation: o}); err != nil {
		return err
	}
	h.render(v.w, v.r, http.StatusOK, ledgerPage(h.frame(titleLedger, &v.user, link{Text: "Overview", Href: "/"}), x))
	return nil
}

// readLedger fills in the page of a ledger that the address asks for.
func (h *handler) readLedger(v *visit, x *ledgerView, r vaultclient.LedgerRequest) error {
	page := pageNumber(v.r.URL.Query().Get("page"))
	r.Offset, r.Limit = (page-1)*pageSize, pageSize
	got, err := h.Vault.Ledger(v.ctx, v.auth, r)
	if err != nil {
		return err
	}
	x.Pages = paged(got.Total, page)
	if x.Pages.Page != page {
		r.Offset = x.Pages.Offset()
		if got, err = h.Vault.Ledger(v.ctx, v.auth, r); err != nil {
			return err
		}
	}
	for _, e := range got.Entries {
		x.Lines = append(x.Lines, sentence(v.ctx, e))
	}
	return nil
}

func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

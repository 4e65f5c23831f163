package web

import (
	"net/http"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

const (
	titleFind = "Find a wearer"
	findPath  = "/find"
)

// findRoutes are the search over all organisations that the user sees. It answers a POST, so that no name is ever in an
// address.
func (h *handler) findRoutes() []route {
	return []route{
		{"GET " + findPath, h.page(h.find)},
		{"POST " + findPath, h.page(h.find)},
	}
}

// findView is the page of a search over organisations.
type findView struct {
	Query    person.Value
	Searched bool
	Leavers  bool
	NI       bool // the reader may ask for an NI number
	Pages    pages
	Records  []vaultclient.Record
	Names    map[id.Organisation]string
}

// findsEverywhere reports whether a user works for the whole service and has a use for names.
func findsEverywhere(u vaultclient.User) bool {
	return len(u.Organisations) == 0 && profiles[u.Role].list != ""
}

// find looks for wearers everywhere.
func (h *handler) find(v *visit) error {
	if !findsEverywhere(v.user) {
		return errNoPage
	}
	purpose := profiles[v.user.Role].list
	x := findView{NI: v.user.Role == policy.RecordsOfficer, Names: map[id.Organisation]string{}}
	if v.r.Method == http.MethodPost {
		if err := v.r.ParseForm(); err != nil {
			return errForm
		}
		text := strings.Join(strings.Fields(v.r.PostForm.Get("q")), " ")
		if len(text) > maxSearch {
			return errForm
		}
		x.Query, x.Searched, x.Leavers = person.NewValue(text), text != "", v.r.PostForm.Get("leavers") != ""
		if x.Searched {
			if err := h.search(v, &x, purpose, pageNumber(v.r.PostForm.Get("page"))); err != nil {
				return err
			}
		}
	}
	all, err := h.Vault.Organisations(v.ctx, v.auth)
	if err != nil {
		return err
	}
	for _, o := range all {
		x.Names[o.ID] = o.Name
	}
	h.render(v.w, v.r, http.StatusOK, findPage(h.frame(titleFind, &v.user, link{Text: "Overview", Href: "/"}), x))
	return nil
}

// search fills in a page of what was found. A whole NI number finds the classified people who have it, for who may ask.
func (h *handler) search(v *visit, x *findView, purpose policy.Purpose, page int) error {
	if ni, err := person.CheckNI(x.Query); x.NI && err == nil {
		found, err := h.Vault.FindNI(v.ctx, v.auth, purpose, ni)
		if err != nil {
			return err
		}
		x.Pages = paged(len(found), 1)
		if len(found) > 0 {
			x.Records, err = h.Vault.Reveal(v.ctx, v.auth, vaultclient.RevealRequest{Purpose: purpose, Fields: policy.FieldName | policy.FieldStaffNumber, Wearers: found})
		}
		return err
	}
	var err error
	x.Pages, x.Records, err = h.searchPage(v, vaultclient.SearchRequest{Purpose: purpose, Query: x.Query, Leavers: x.Leavers}, page)
	return err
}

// findLabel says what may be asked for.
func findLabel(x findView) words.Key {
	if x.NI {
		return "Name, staff number or whole NI number"
	}
	return "Name or staff number"
}

package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Investigations is what the pages of investigations need of the register.
type Investigations interface {
	// Investigations returns an organisation's, revealed for the page, newest first.
	Investigations(ctx context.Context, auth vaultclient.Auth, o id.Organisation) ([]Investigation, error)
	// OpenInvestigations counts what is open, of those organisations that have, or had, investigations; they are revealed for it.
	OpenInvestigations(ctx context.Context, auth vaultclient.Auth) (map[id.Organisation]int, error)
	// Note writes about one, and closes it ("close") or opens it again ("open") where what says so.
	Note(ctx context.Context, auth vaultclient.Auth, o id.Organisation, of id.Row, what, text string) error
}

func (h *handler) investigationRoutes() []route {
	return []route{
		{"GET " + allInvestigationsPath, h.page(h.allInvestigations)},
		{"GET /organisations/{organisation}/investigations", h.page(h.investigations)},
		{"GET /organisations/{organisation}/investigations/{investigation}", h.page(h.investigation)},
		{"POST /organisations/{organisation}/investigations/{investigation}", h.page(h.investigation)},
	}
}

// titleInvestigations is known to menus.
const titleInvestigations = "Investigations"

func init() {
	dones["noted"] = "The note was added"
	dones["closed"] = "The investigation was closed"
	dones["opened"] = "The investigation is open again"
}

const allInvestigationsPath = "/investigations"

func investigationsPath(o id.Organisation) string {
	return "/organisations/" + o.String() + "/investigations"
}

// investigationsView is the list of an organisation's investigations.
type investigationsView struct {
	Organisation vaultclient.Organisation
	Links        []link
	Open, Closed []investigationRow
	Path         string
}

// investigationRow is an investigation with whose it is. Withheld: it tells of a pregnancy, which the role is not shown.
type investigationRow struct {
	Investigation
	Record   vaultclient.Record
	Withheld bool
}

// openCount is how many investigations of an organisation are open.
type openCount struct {
	vaultclient.Organisation
	Open int
}

// allInvestigations says which organisations have open investigations, those with most of them first.
func (h *handler) allInvestigations(v *visit) error {
	if !listsDoses(v.user.Role) {
		return errNoPage
	}
	all, err := h.Vault.Organisations(v.ctx, v.auth)
	if err != nil {
		return err
	}
	open, err := h.Register.OpenInvestigations(v.ctx, v.auth)
	if err != nil {
		return err
	}
	var rows []openCount
	for _, o := range all {
		if n, ok := open[o.ID]; ok {
			rows = append(rows, openCount{o, n})
		}
	}
	slices.SortStableFunc(rows, func(a, b openCount) int { return cmp.Or(b.Open-a.Open, cmp.Compare(a.Name, b.Name)) })
	h.render(v.w, v.r, http.StatusOK, allInvestigationsPage(h.frame(titleInvestigations, &v.user, link{Text: "Overview", Href: "/"}), rows))
	return nil
}

func (h *handler) investigations(v *visit) error {
	var o id.Organisation
	if err := idIn(v, "organisation", &o); err != nil {
		return err
	}
	x := investigationsView{Path: investigationsPath(o), Links: organisationLinks(v.user.Role, o, titleInvestigations)}
	var err error
	if x.Organisation, err = h.organisation(v, o); err != nil {
		return err
	}
	rows, err := h.investigationRows(v, o)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.Closed.IsZero() {
			x.Open = append(x.Open, r)
		} else {
			x.Closed = append(x.Closed, r)
		}
	}
	h.render(v.w, v.r, http.StatusOK, investigationsPage(h.frame(titleInvestigations, &v.user, link{Text: "Overview", Href: "/"}), x))
	return nil
}

// investigationRows opens an organisation's investigations and reveals whose they are.
func (h *handler) investigationRows(v *visit, o id.Organisation) ([]investigationRow, error) {
	all, err := h.Register.Investigations(v.ctx, v.auth, o)
	if err != nil {
		return nil, err
	}
	rows := make([]investigationRow, len(all))
	var ws []id.Wearer
	for i, one := range all {
		rows[i] = investigationRow{Investigation: one, Withheld: one.Kind == dose.Foetus && !profiles[v.user.Role].health}
		if !rows[i].Withheld && !slices.Contains(ws, one.Wearer) {
			ws = append(ws, one.Wearer)
		}
	}
	if len(ws) == 0 {
		return rows, nil
	}
	records, err := h.Vault.Reveal(v.ctx, v.auth, vaultclient.RevealRequest{Purpose: policy.AssessDose, Fields: policy.FieldName | policy.FieldStaffNumber, Wearers: ws, Reason: "investigations"})
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if at := slices.Index(ws, rows[i].Wearer); at >= 0 && !rows[i].Withheld {
			rows[i].Record = records[at]
		}
	}
	return rows, nil
}

// investigationView is one investigation.
type investigationView struct {
	investigationRow
	Organisation vaultclient.Organisation
	Path         string
	Write        bool // the role writes about it
	Done         words.Key
}

// investigation shows one, and takes what is written about it.
func (h *handler) investigation(v *visit) error {
	var o id.Organisation
	var n id.Row
	if err := idIn(v, "organisation", &o); err != nil {
		return err
	}
	if err := idIn(v, "investigation", &n); err != nil {
		return err
	}
	x := investigationView{Path: investigationsPath(o) + "/" + n.String(), Write: v.user.Role == policy.Coordinator, Done: v.done()}
	var err error
	if x.Organisation, err = h.organisation(v, o); err != nil {
		return err
	}
	rows, err := h.investigationRows(v, o)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(rows, func(r investigationRow) bool { return r.ID == n && !r.Withheld })
	if at < 0 {
		return errNoPage
	}
	x.investigationRow = rows[at]
	f := formOf()
	if v.r.Method == http.MethodPost {
		if f, err = readForm(v); err != nil {
			return err
		}
		what := f.Value("what")
		done, known := map[string]string{"": "noted", "close": "closed", "open": "opened"}[what]
		if !known {
			return errForm
		}
		if f.Text("text") == "" {
			f.wrong("text", noteMissing[what])
		}
		if len(f.Errors) == 0 {
			if err := h.accepted(&f, "text", h.Register.Note(v.ctx, v.auth, o, n, what, f.Value("text"))); err != nil {
				return err
			}
		}
		if len(f.Errors) == 0 {
			http.Redirect(v.w, v.r, x.Path+"?done="+done, http.StatusSeeOther)
			return nil
		}
	}
	crumbs := []link{{Text: "Overview", Href: "/"}, {Text: titleInvestigations, Href: investigationsPath(o)}}
	h.render(v.w, v.r, f.status(), investigationPage(h.frame("Investigation", &v.user, crumbs...).of(f), f, x))
	return nil
}

// boundWord says what was passed.
func (i Investigation) boundWord(ctx context.Context) string {
	s := words.T(ctx, "Investigation level")
	if i.Overexposure {
		s = words.T(ctx, "Legal limit")
	}
	if i.Name != "" {
		s += ", " + i.Name
	}
	return s
}

var windowTitles = map[dose.Window]words.Key{dose.CalendarYear: "Calendar year", dose.ThreeMonths: "Three months", dose.FiveYears: "Five calendar years",
	dose.Pregnancy: "Since the pregnancy was declared"}

var noteMissing = map[string]words.Key{"": "Write what was found", "close": "Write why it is closed", "open": "Write why it is opened again"}

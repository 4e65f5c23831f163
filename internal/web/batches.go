package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Batches is what the pages about an organisation's badges need of the register.
type Batches interface {
	// Batches counts an organisation's badges by period and batch, the newest first. Nothing is opened.
	Batches(ctx context.Context, auth vaultclient.Auth, o id.Organisation) ([]BadgeBatch, error)
	// MoveBatch hands out what is ordered (issued) or sends what is returned (sent), of one batch or, with "", of all.
	MoveBatch(ctx context.Context, auth vaultclient.Auth, o id.Organisation, batch, to string) (int, error)
	// Unreturned reveals a part of an organisation's badges that were not back at the end of a day, the longest overdue
	// first; without a limit it counts them and reveals nobody.
	Unreturned(ctx context.Context, auth vaultclient.Auth, o id.Organisation, on day.Day, offset, limit int) (list []NamedBadge, total int, err error)
	// UnreturnedFile is the whole list as CSV, revealed to an export. ErrNothingToPrint: it is empty.
	UnreturnedFile(ctx context.Context, auth vaultclient.Auth, o id.Organisation, on day.Day) ([]byte, id.Export, error)
	// Departments counts a period's badges by department; it opens where people work.
	Departments(ctx context.Context, auth vaultclient.Auth, p BadgePeriod) (map[string]int, error)
	// Print is a period's badges as PDF, revealed to an export: sheets, labels-21, labels-65; of all departments or one.
	// ErrNothingToPrint: there is no such badge.
	Print(ctx context.Context, auth vaultclient.Auth, p BadgePeriod, department *string, kind string) ([]byte, id.Export, error)
	// ReturnRates says how badges of the last twelve months came back, by organisation. Nothing is opened.
	ReturnRates(ctx context.Context, auth vaultclient.Auth) (map[id.Organisation]ReturnRate, error)
	// DepartmentRates says it of one organisation's departments; it opens where people work.
	DepartmentRates(ctx context.Context, auth vaultclient.Auth, o id.Organisation) (map[string]ReturnRate, error)
}

// ErrNothingToPrint says that a print or file would hold nothing, so that nobody was revealed.
var ErrNothingToPrint = errors.New("there is nothing to print")

// BadgePeriod is a wear period of an organisation's badges.
type BadgePeriod struct {
	Organisation id.Organisation
	From, To     day.Day
	Batch        string
}

// BadgeBatch counts the wearers' badges of a batch in a period by how far they have come.
type BadgeBatch struct {
	From, To                              day.Day
	Batch                                 string
	Ordered, Issued, Returned, Sent, Read int
}

// NamedBadge is a badge with who wears it, revealed for a page.
type NamedBadge struct {
	Barcode    string
	Wearer     id.Wearer // zero: a control badge
	Identity   person.Identity
	Department string
	Position   dose.Position
	From, To   day.Day
}

// ReturnRate counts badges of finished periods by how they came back. Unknown: they are back, but nobody scanned them.
type ReturnRate struct{ InTime, Late, Unknown, NotBack int }

func (r ReturnRate) total() int { return r.InTime + r.Late + r.Unknown + r.NotBack }

// share is how many of the badges came back in time, of those whose day is known or that are not back.
func (r ReturnRate) share() string {
	n := r.total() - r.Unknown
	if n == 0 {
		return "–"
	}
	return strconv.Itoa((200*r.InTime+n)/(2*n)) + "\u00a0%"
}

func (h *handler) batchRoutes() []route {
	return []route{
		{"GET /organisations/{organisation}/badges", h.page(h.batches)},
		{"GET /organisations/{organisation}/badges/move", h.page(h.movePage)},
		{"POST /organisations/{organisation}/badges/move", h.page(h.move)},
		{"GET /organisations/{organisation}/badges/unreturned", h.page(h.unreturned)},
		{"POST /organisations/{organisation}/badges/unreturned", h.page(h.unreturnedFile)},
		{"GET /organisations/{organisation}/badges/print", h.page(h.printPage)},
		{"POST /organisations/{organisation}/badges/print", h.page(h.print)},
		{"GET /organisations/{organisation}/badges/rates", h.page(h.departmentRates)},
		{"GET /rates", h.page(h.rates)},
	}
}

const (
	titleBadges     = "Badges"
	titleUnreturned = "Badges not returned"
	titleRates      = "How badges come back"
)

// ReturnDays is how many days after the end of its period a badge is back in time; the register counts by it.
const ReturnDays = 14

func badgesPath(o id.Organisation) string { return "/organisations/" + o.String() + "/badges" }

// badgeCrumbs lead back from a page about an organisation's badges.
func badgeCrumbs(o id.Organisation, more bool) []link {
	crumbs := []link{{Text: "Overview", Href: "/"}}
	if more {
		crumbs = append(crumbs, link{Text: titleBadges, Href: badgesPath(o)})
	}
	return crumbs
}

// ofBadges finds the organisation that a page about badges is of.
func (h *handler) ofBadges(v *visit) (o vaultclient.Organisation, err error) {
	if !handlesBadges(v.user.Role) {
		return o, errNoPage
	}
	var n id.Organisation
	if err := idIn(v, "organisation", &n); err != nil {
		return o, err
	}
	return h.organisation(v, n)
}

// batchesView is an organisation's badges at a glance.
type batchesView struct {
	Organisation vaultclient.Organisation
	Links        []link
	Done         words.Key
	Stats        []stat
	Next         []todo
	Rows         []BadgeBatch
	Pages        pages
}

func (x batchesView) Href(page int) string {
	return withQuery(badgesPath(x.Organisation.ID), url.Values{"page": {strconv.Itoa(page)}})
}

// PrintHref is where a batch is printed.
func (x batchesView) PrintHref(b BadgeBatch) string {
	return withQuery(badgesPath(x.Organisation.ID)+"/print", url.Values{"from": {b.From.String()}, "to": {b.To.String()}, "batch": {b.Batch}})
}

// today is the day of the request.
func (h *handler) today() day.Day { return day.At(h.Now().UTC()) }

// batches shows an organisation's badges by period and batch, and what to do next.
func (h *handler) batches(v *visit) error {
	o, err := h.ofBadges(v)
	if err != nil {
		return err
	}
	all, err := h.Register.Batches(v.ctx, v.auth, o.ID)
	if err != nil {
		return err
	}
	_, overdue, err := h.Register.Unreturned(v.ctx, v.auth, o.ID, h.today(), 0, 0)
	if err != nil {
		return err
	}
	x := batchesView{Organisation: o, Links: organisationLinks(v.user.Role, o.ID, titleBadges), Done: v.done()}
	var sum BadgeBatch
	for _, b := range all {
		sum.Ordered += b.Ordered
		sum.Issued += b.Issued
		sum.Returned += b.Returned
		sum.Sent += b.Sent
	}
	x.Stats = []stat{{number(sum.Issued), "Out", ""}, {number(overdue), "Not back", "though their period has ended"}, {number(sum.Returned), "Returned", "and not yet sent"}, {number(sum.Sent), "At the laboratory", ""}}
	x.Next = badgeSteps(v.ctx, v.user.Role, o.ID, sum, overdue)
	x.Pages = paged(len(all), pageNumber(v.r.URL.Query().Get("page")))
	x.Rows = all[x.Pages.Offset():min(x.Pages.Offset()+pageSize, len(all))]
	h.render(v.w, v.r, http.StatusOK, batchesPage(h.frame(titleBadges, &v.user, badgeCrumbs(o.ID, false)...), x))
	return nil
}

// badgeSteps are what to do next with an organisation's badges.
func badgeSteps(ctx context.Context, role policy.Role, o id.Organisation, sum BadgeBatch, overdue int) (list []todo) {
	if sum.Ordered > 0 {
		list = append(list, todo{badgesAre(ctx, sum.Ordered, "%s is ordered and not handed out", "%s are ordered and not handed out"), badgesPath(o) + "/move?to=issued", "Hand out"})
	}
	if overdue > 0 {
		list = append(list, todo{badgesAre(ctx, overdue, "%s is not back, though the period has ended", "%s are not back, though the period has ended"), badgesPath(o) + "/unreturned", "See whose they are"})
	}
	if sum.Returned > 0 {
		list = append(list, todo{badgesAre(ctx, sum.Returned, "%s is returned and waiting to be sent", "%s are returned and waiting to be sent"), badgesPath(o) + "/move?to=sent", "Send to the laboratory"})
	}
	if issuesSpares(role) {
		list = append(list, todo{"Somebody who joins within a period needs a spare badge", wearersPath(o), "Find them"})
	}
	return append(list, todo{"Take badges back as they arrive", returnPath, titleReturn}, todo{"Which departments return their badges in time", badgesPath(o) + "/rates", "See the rates"})
}

// moveView asks which badges are handed out, or sent.
type moveView struct {
	Organisation vaultclient.Organisation
	To           string
	Form         form
	Question     group
}

// Title says what is asked.
func (x moveView) Title() words.Key {
	if x.To == "issued" {
		return "Hand out badges"
	}
	return "Send badges to the laboratory"
}

// moving makes the question of which badges move; errNoPage: to no state that badges move to together.
func (h *handler) moving(v *visit, to string) (x moveView, err error) {
	if x.Organisation, err = h.ofBadges(v); err != nil {
		return x, err
	}
	x.To = to
	if to != "issued" && to != "sent" {
		return x, errNoPage
	}
	all, err := h.Register.Batches(v.ctx, v.auth, x.Organisation.ID)
	if err != nil {
		return x, err
	}
	waiting, total := map[string]int{}, 0
	var names []string
	for _, b := range all {
		n := b.Returned
		if to == "issued" {
			n = b.Ordered
		}
		if n > 0 && waiting[b.Batch] == 0 {
			names = append(names, b.Batch)
		}
		waiting[b.Batch] += n
		total += n
	}
	x.Question = group{Name: "batch", Legend: "Which badges?", Hint: "The control badges that are returned go with them. This can't be taken back: badges that are sent come back as results."}
	if to == "issued" {
		x.Question.Hint = "They count as being worn from then on, and can be returned."
	}
	if total > 0 {
		x.Question.Options = append(x.Question.Options, option{Value: "all", Label: words.Plain(words.T(v.ctx, "All %s", words.Count(v.ctx, total, "badge", "badges")))})
	}
	for _, n := range names {
		if len(names) > 1 {
			x.Question.Options = append(x.Question.Options, option{Value: "batch " + n, Label: words.Plain(words.T(v.ctx, "Batch %s", n)), Hint: words.Plain(words.Count(v.ctx, waiting[n], "badge", "badges"))})
		}
	}
	return x, nil
}

func (h *handler) movePage(v *visit) error {
	x, err := h.moving(v, v.r.URL.Query().Get("to"))
	if err != nil {
		return err
	}
	return h.askWhich(v, x, http.StatusOK)
}

func (h *handler) askWhich(v *visit, x moveView, status int) error {
	h.render(v.w, v.r, status, movePageOf(h.frame(x.Title(), &v.user, badgeCrumbs(x.Organisation.ID, true)...).of(x.Form), x))
	return nil
}

// move moves badges on together.
func (h *handler) move(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	x, err := h.moving(v, f.Value("to"))
	if err != nil {
		return err
	}
	var values []string
	for _, o := range x.Question.Options {
		values = append(values, o.Value)
	}
	chosen := f.choice("batch", "Select which badges", values...)
	if x.Form = f; chosen == "" {
		return h.askWhich(v, x, http.StatusBadRequest)
	}
	batch, _ := strings.CutPrefix(chosen, "batch ")
	if chosen == "all" {
		batch = ""
	}
	if _, err := h.Register.MoveBatch(v.ctx, v.auth, x.Organisation.ID, batch, x.To); err != nil {
		return err
	}
	http.Redirect(v.w, v.r, badgesPath(x.Organisation.ID)+"?done=badges-"+x.To, http.StatusSeeOther)
	return nil
}

func init() {
	dones["badges-issued"] = "The badges count as handed out"
	dones["badges-sent"] = "The badges count as sent to the laboratory"
}

// unreturnedView lists badges that were not back on a day.
type unreturnedView struct {
	Organisation vaultclient.Organisation
	Form         form
	On           day.Day
	Rows         []NamedBadge
	Pages        pages
}

// Href is the address of a page of the list.
func (x unreturnedView) Href(page int) string {
	t := x.On.Time()
	q := url.Values{"on-day": {strconv.Itoa(t.Day())}, "on-month": {strconv.Itoa(int(t.Month()))}, "on-year": {strconv.Itoa(t.Year())}}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	return withQuery(badgesPath(x.Organisation.ID)+"/unreturned", q)
}

// Overdue says for how long a badge had been due.
func (x unreturnedView) Overdue(ctx context.Context, b NamedBadge) string {
	return words.Count(ctx, int(x.On-b.To), "day", "days")
}

// unreturned lists badges that were not back on a day, with names: a page is a reveal of those on it.
func (h *handler) unreturned(v *visit) error {
	o, err := h.ofBadges(v)
	if err != nil {
		return err
	}
	x := unreturnedView{Organisation: o, Form: form{values: v.r.URL.Query()}}
	x.On = x.Form.Day("on", "The day")
	if x.On.IsZero() && len(x.Form.Errors) == 0 {
		x.On = h.today()
		x.Form.setDay("on", x.On)
	}
	status := http.StatusOK
	if len(x.Form.Errors) > 0 {
		status = http.StatusBadRequest
	} else {
		_, total, err := h.Register.Unreturned(v.ctx, v.auth, o.ID, x.On, 0, 0)
		if err != nil {
			return err
		}
		x.Pages = paged(total, pageNumber(v.r.URL.Query().Get("page")))
		if x.Rows, _, err = h.Register.Unreturned(v.ctx, v.auth, o.ID, x.On, x.Pages.Offset(), pageSize); err != nil {
			return err
		}
	}
	h.render(v.w, v.r, status, unreturnedPage(h.frame(titleUnreturned, &v.user, badgeCrumbs(o.ID, true)...).of(x.Form), x))
	return nil
}

// unreturnedFile is the same list as a file, which has an id and is a recipient.
func (h *handler) unreturnedFile(v *visit) error {
	o, err := h.ofBadges(v)
	if err != nil {
		return err
	}
	f, err := readForm(v)
	if err != nil {
		return err
	}
	on, err := day.Parse(f.Value("on"))
	if err != nil || on.IsZero() {
		return errForm
	}
	b, export, err := h.Register.UnreturnedFile(v.ctx, v.auth, o.ID, on)
	if errors.Is(err, ErrNothingToPrint) {
		http.Redirect(v.w, v.r, unreturnedView{Organisation: o, On: on}.Href(1), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	v.file(b, "text/csv; charset=utf-8", "not-returned-"+export.String()+".csv")
	return nil
}

// file answers with a file to be kept. Its name says which export it is, and nothing of what is in it.
func (v *visit) file(b []byte, kind, name string) {
	head := v.w.Header()
	head.Set("Content-Type", kind)
	head.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	head.Set("Content-Length", strconv.Itoa(len(b)))
	v.w.Write(b) // an error here is a client that has gone
}

// ratesView says how badges come back.
type ratesView struct {
	Organisation *vaultclient.Organisation // nil: of all
	Rows         []rateRow
	Pages        pages
}

type rateRow struct {
	Name, Href string
	ReturnRate
}

// Href is the address of a page.
func (x ratesView) Href(page int) string { return "/rates?page=" + strconv.Itoa(page) }

// worst sorts rows: most of those that are not back first.
func worst(a, b rateRow) int {
	return cmp.Or(cmp.Compare(b.NotBack, a.NotBack), cmp.Compare(b.Late, a.Late), cmp.Compare(a.Name, b.Name))
}

// rates compares organisations.
func (h *handler) rates(v *visit) error {
	if !handlesBadges(v.user.Role) {
		return errNoPage
	}
	all, err := h.Register.ReturnRates(v.ctx, v.auth)
	if err != nil {
		return err
	}
	organisations, err := h.Vault.Organisations(v.ctx, v.auth)
	if err != nil {
		return err
	}
	x := ratesView{}
	for o, r := range all {
		x.Rows = append(x.Rows, rateRow{organisationName(v.ctx, organisations, o), badgesPath(o) + "/rates", r})
	}
	slices.SortFunc(x.Rows, worst)
	x.Pages = paged(len(x.Rows), pageNumber(v.r.URL.Query().Get("page")))
	x.Rows = x.Rows[x.Pages.Offset():min(x.Pages.Offset()+pageSize, len(x.Rows))]
	h.render(v.w, v.r, http.StatusOK, ratesPage(h.frame(titleRates, &v.user, link{Text: "Overview", Href: "/"}), x))
	return nil
}

// departmentRates compares the departments of an organisation.
func (h *handler) departmentRates(v *visit) error {
	o, err := h.ofBadges(v)
	if err != nil {
		return err
	}
	all, err := h.Register.DepartmentRates(v.ctx, v.auth, o.ID)
	if err != nil {
		return err
	}
	x := ratesView{Organisation: &o}
	for name, r := range all {
		x.Rows = append(x.Rows, rateRow{cmp.Or(name, words.T(v.ctx, "No department")), "", r})
	}
	slices.SortFunc(x.Rows, worst)
	x.Pages = pages{1, 1, len(x.Rows)}
	h.render(v.w, v.r, http.StatusOK, ratesPage(h.frame(titleRates, &v.user, badgeCrumbs(o.ID, true)...), x))
	return nil
}

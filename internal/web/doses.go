package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Doses is what the pages about an organisation's doses need of the register.
type Doses interface {
	// DoseYears returns the years in which badges' periods ended, newest first; nothing is opened. Code NotFound: no such
	// organisation, or none whose doses the user works with.
	DoseYears(ctx context.Context, auth vaultclient.Auth, o id.Organisation) ([]int, error)
	// OrganisationDoses opens the doses of everybody in a year, in one entry.
	OrganisationDoses(ctx context.Context, auth vaultclient.Auth, o id.Organisation, year int) (*OrganisationDoses, error)
	// CollectiveDoses opens the effective doses of years, in one entry each, and sums them.
	CollectiveDoses(ctx context.Context, auth vaultclient.Auth, o id.Organisation, years []int) ([]dose.Collective, error)
}

// OrganisationDoses are an organisation's doses of a calendar year.
type OrganisationDoses struct {
	Wearers    []WearerDoses     // the highest share of a limit first
	Collective dose.Collective   // effective, of the work for this organisation alone
	Months     []dose.Collective // the same, of the periods that ended in each month
}

// WearerDoses are one wearer's of the year.
type WearerDoses struct {
	Wearer                        id.Wearer
	Department                    string
	Employments                   int // that the doses are summed over
	Totals                        []dose.Total
	Findings                      []dose.Finding // limits and levels passed
	Highest                       dose.Share     // the total that is the largest part of its limit
	Worn, Read, Lost, NotReturned int            // badges of this employment
}

const titleDoses = "Doses"

func dosesPath(o id.Organisation) string { return "/organisations/" + o.String() + "/doses" }

// doseRoutes are an organisation's doses.
func (h *handler) doseRoutes() []route {
	return []route{
		{"GET /organisations/{organisation}/doses", h.page(h.doses)},
		{"POST /organisations/{organisation}/doses", h.page(h.dosesFile)},
		{"GET /organisations/{organisation}/doses/years", h.page(h.doseYears)},
	}
}

// listsDoses reports whether a role has a use for an organisation's doses.
func listsDoses(r policy.Role) bool { return profiles[r].doses && profiles[r].list != "" }

// dosesView is an organisation's doses of a year.
type dosesView struct {
	Organisation vaultclient.Organisation
	Links        []link
	Years        []int // newest first; none: nobody wore a badge yet
	Year         int
	Everybody    bool // the reader sees a person's dose over all employers
	OrganisationDoses
	Departments []string
	Department  int // 1-based in Departments; 0: all. Addresses have the number, not the name
	Shown       []WearerDoses
	Names       map[id.Wearer]vaultclient.Record
	Pages       pages
}

// Href is the address of a page of the list.
func (x dosesView) Href(page int) string {
	q := url.Values{"year": {strconv.Itoa(x.Year)}}
	if x.Department > 0 {
		q.Set("department", strconv.Itoa(x.Department))
	}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	return withQuery(dosesPath(x.Organisation.ID), q)
}

// openDoses opens a year of an organisation, of the form or address: the newest if it names none.
func (h *handler) openDoses(v *visit, auth vaultclient.Auth, asked url.Values) (x dosesView, err error) {
	var o id.Organisation
	if err := idIn(v, "organisation", &o); err != nil {
		return x, err
	}
	if !listsDoses(v.user.Role) {
		return x, errNoPage
	}
	if x.Organisation, err = h.organisation(v, o); err != nil {
		return x, err
	}
	x.Links, x.Everybody = organisationLinks(v.user.Role, o, titleDoses), v.user.Role == policy.Coordinator
	if x.Years, err = h.Register.DoseYears(v.ctx, auth, o); err != nil || len(x.Years) == 0 {
		return x, err
	}
	x.Year = x.Years[0]
	if s := asked.Get("year"); s != "" {
		if x.Year, err = strconv.Atoi(s); err != nil || !slices.Contains(x.Years, x.Year) {
			return x, errNoPage
		}
	}
	got, err := h.Register.OrganisationDoses(v.ctx, auth, o, x.Year)
	if err != nil {
		return x, err
	}
	x.OrganisationDoses = *got
	for _, w := range x.Wearers {
		if w.Department != "" {
			x.Departments = append(x.Departments, w.Department)
		}
	}
	slices.Sort(x.Departments)
	x.Departments = slices.Compact(x.Departments)
	x.Shown = x.Wearers
	if n, err := strconv.Atoi(asked.Get("department")); err == nil && n > 0 && n <= len(x.Departments) {
		x.Department = n
		x.Shown = slices.DeleteFunc(slices.Clone(x.Wearers), func(w WearerDoses) bool { return w.Department != x.Departments[n-1] })
	}
	return x, nil
}

// nameDoses reveals the names of those who are shown.
func (h *handler) nameDoses(v *visit, auth vaultclient.Auth, x *dosesView, fields policy.Fields) error {
	if len(x.Shown) == 0 {
		return nil
	}
	wearers := make([]id.Wearer, len(x.Shown))
	for i, w := range x.Shown {
		wearers[i] = w.Wearer
	}
	records, err := h.Vault.Reveal(v.ctx, auth, vaultclient.RevealRequest{Purpose: policy.AssessDose, Fields: fields, Wearers: wearers, Reason: "an organisation's doses"})
	x.Names = make(map[id.Wearer]vaultclient.Record, len(records))
	for _, r := range records {
		x.Names[r.Wearer] = r
	}
	return err
}

// doses shows a year of an organisation.
func (h *handler) doses(v *visit) error {
	q := v.r.URL.Query()
	x, err := h.openDoses(v, v.auth, q)
	if err != nil {
		return err
	}
	x.Pages = paged(len(x.Shown), pageNumber(q.Get("page")))
	x.Shown = x.Shown[x.Pages.Offset():x.Pages.To()]
	if err := h.nameDoses(v, v.auth, &x, policy.FieldName); err != nil {
		return err
	}
	h.render(v.w, v.r, http.StatusOK, dosesPage(h.frame(titleDoses, &v.user, link{Text: "Overview", Href: "/"}), x))
	return nil
}

// dosesFile answers with the list or the sums of a year as CSV. It is an export: what is read for it is entered with its id.
func (h *handler) dosesFile(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	auth := v.auth
	auth.Export = id.New[id.Export]()
	x, err := h.openDoses(v, auth, f.values)
	if err != nil {
		return err
	}
	name, rows := "sums", sumRows(auth.Export, x)
	if f.Value("what") == "list" {
		if err := h.nameDoses(v, auth, &x, policy.FieldName|policy.FieldStaffNumber); err != nil {
			return err
		}
		name, rows = "list", listRows(auth.Export, x)
	}
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	if err := out.WriteAll(rows); err != nil {
		return err
	}
	v.file(b.Bytes(), "text/csv; charset=utf-8", fmt.Sprintf("doses-%d-%s-%s.csv", x.Year, name, auth.Export))
	return nil
}

// sumRows are the distribution and the months as rows of a table; doses in mSv.
func sumRows(export id.Export, x dosesView) [][]string {
	rows := [][]string{{"export", "table", "row", "people", "man_mSv", "without_result", "incomplete"}}
	add := func(table, row string, people int, sum dose.MicroSv, without, incomplete string) {
		rows = append(rows, []string{export.String(), table, row, strconv.Itoa(people), sum.MilliSv(), without, incomplete})
	}
	all := func(table, row string, c dose.Collective) {
		add(table, row, c.People, c.Sum, strconv.Itoa(c.NoResult), strconv.Itoa(c.Incomplete))
	}
	all("year", strconv.Itoa(x.Year), x.Collective)
	for _, b := range x.Collective.Bins {
		add("distribution_mSv", b.Name, b.People, b.Sum, "", "")
	}
	for i, m := range x.Months {
		all("periods_ended", fmt.Sprintf("%d-%02d", x.Year, i+1), m)
	}
	return rows
}

// listKinds are the doses that a list shows of everybody.
var listKinds = []dose.Kind{dose.Effective, dose.Lens, dose.Skin, dose.Extremity}

// listRows are the people who are shown, as rows of a table; doses in mSv, none where there is no result.
func listRows(export id.Export, x dosesView) [][]string {
	head := []string{"export", "year", "surname", "forenames", "staff_number", "department"}
	for _, k := range listKinds {
		head = append(head, k.String()+"_mSv", k.String()+"_missing")
	}
	rows := [][]string{append(head, "highest_share_percent", "of_the_limit_of", "limits_or_levels_passed", "employers", "badges", "read", "lost", "not_returned")}
	for _, w := range x.Shown {
		who := x.Names[w.Wearer].Identity
		row := []string{export.String(), strconv.Itoa(x.Year), who.Surname.Expose(), who.Forenames.Expose(), who.StaffNumber.Expose(), w.Department}
		for _, k := range listKinds {
			sum, missing := "", ""
			if t, ok := w.total(k); ok {
				missing = strconv.Itoa(t.Missing)
				if t.Counted > 0 {
					sum = t.Dose.MilliSv()
				}
			}
			row = append(row, sum, missing)
		}
		share, of := "", ""
		if w.Highest.Limit > 0 {
			share, of = strconv.FormatInt(int64(w.Highest.Dose*100/w.Highest.Limit), 10), w.Highest.Kind.String()
		}
		row = append(row, share, of)
		for _, n := range []int{len(w.Findings), w.Employments, w.Worn, w.Read, w.Lost, w.NotReturned} {
			row = append(row, strconv.Itoa(n))
		}
		rows = append(rows, row)
	}
	return rows
}

// total finds the year's total of a kind.
func (w WearerDoses) total(k dose.Kind) (dose.Total, bool) {
	i := slices.IndexFunc(w.Totals, func(t dose.Total) bool { return t.Kind == k })
	if i < 0 {
		return dose.Total{}, false
	}
	return w.Totals[i], true
}

// sum writes a total of a kind; a dash where no badge measures it.
func (w WearerDoses) sum(ctx context.Context, k dose.Kind) string {
	t, ok := w.total(k)
	if !ok {
		return "–"
	}
	return total{Dose: t.Dose, Counted: t.Counted, Missing: t.Missing}.sum(ctx)
}

// over and high tell who passed a limit, and who passed a level.
func (w WearerDoses) over() bool {
	return slices.ContainsFunc(w.Findings, func(f dose.Finding) bool { return f.Overexposure })
}
func (w WearerDoses) high() bool { return len(w.Findings) > 0 }

// share says how much of its limit the highest total is.
func share(ctx context.Context, s dose.Share) string {
	return total{Dose: s.Dose, Limit: s.Limit, Counted: 1}.share(ctx)
}

// badgeNotes say what became of badges that gave no result.
func (w WearerDoses) badgeNotes(ctx context.Context) (list []string) {
	if w.Lost > 0 {
		list = append(list, words.T(ctx, "%s lost or damaged", number(w.Lost)))
	}
	if w.NotReturned > 0 {
		list = append(list, words.T(ctx, "%s not returned", number(w.NotReturned)))
	}
	return list
}

// manMSv writes a collective dose, at least where results are missing.
func manMSv(ctx context.Context, c dose.Collective) string {
	s := words.T(ctx, "%s\u00a0man-mSv", millisievert(c.Sum))
	switch {
	case c.People == 0:
		return words.T(ctx, "no result")
	case c.Incomplete+c.NoResult > 0:
		return words.T(ctx, "at least %s", s)
	}
	return s
}

// atLeast marks a sum that lacks results.
func atLeast(c dose.Collective) string {
	if c.Incomplete+c.NoResult > 0 {
		return "≥\u00a0"
	}
	return ""
}

// glance writes a large sum as shortly as a tile has room for; the tables have it whole.
func glance(d dose.MicroSv) string {
	switch {
	case d >= 1_000_000:
		return number(int((d + 500) / 1000))
	case d >= 100_000:
		return fmt.Sprintf("%.1f", float64(d)/1000)
	}
	return millisievert(d)
}

// stats are the year's figures.
func (x dosesView) stats(ctx context.Context) []stat {
	var sum WearerDoses
	over, high := 0, 0
	for _, w := range x.Wearers {
		sum.Worn, sum.Read, sum.Lost, sum.NotReturned = sum.Worn+w.Worn, sum.Read+w.Read, sum.Lost+w.Lost, sum.NotReturned+w.NotReturned
		if w.over() {
			over++
		}
		if w.high() {
			high++
		}
	}
	c := x.Collective
	least := words.Key("")
	if c.Incomplete+c.NoResult > 0 {
		least = words.Plain(words.T(ctx, "at least; results are missing of %s", people(ctx, c.Incomplete+c.NoResult)))
	}
	figures := []stat{
		{number(len(x.Wearers)), "people monitored", words.Plain(words.T(ctx, "%s with an effective dose", number(c.People)))},
		{glance(c.Sum), "man-mSv collective dose", least},
		{millisievert(c.Mean()), "mSv on average", words.Plain(words.T(ctx, "highest %s", mSv(c.Highest)))},
	}
	if len(x.Wearers) > 0 && x.Wearers[0].Highest.Limit > 0 {
		highest := x.Wearers[0].Highest
		value, of := share(ctx, highest), words.Key("of a limit at most")
		if highest.Dose > highest.Limit {
			value, of = words.T(ctx, "Above##a legal limit"), "a legal limit"
		}
		figures = append(figures, stat{value, of, kindTitle(highest.Kind)})
	}
	note := words.Key("")
	if over > 0 {
		note = words.Plain(words.T(ctx, "%s of them above a legal limit", number(over)))
	}
	return append(figures, stat{number(high), "above a level", note}, stat{number(sum.Read), words.Plain(words.T(ctx, "of %s read", words.Count(ctx, sum.Worn, "badge", "badges"))), words.Plain(words.List(ctx, sum.badgeNotes(ctx)))})
}

// binLabel is a bin's short name, below its bar.
func binLabel(bins []dose.Bin, i int) string {
	switch {
	case i == 0:
		return bins[0].UpTo.MilliSv()
	case i == 1:
		return "≤ " + bins[1].UpTo.MilliSv()
	case i == len(bins)-1:
		return "> " + bins[i-1].UpTo.MilliSv()
	}
	return bins[i-1].UpTo.MilliSv() + "–" + bins[i].UpTo.MilliSv()
}

// distribution is the picture of how the doses are distributed.
func (x dosesView) distribution(ctx context.Context) barChart {
	var bars []amount
	for i, b := range x.Collective.Bins {
		bars = append(bars, amount{Label: binLabel(x.Collective.Bins, i), Words: words.T(ctx, "%s mSv: %s", binWord(ctx, b.Name), people(ctx, b.People)), Value: int64(b.People), Text: number(b.People)})
	}
	return newBarChart("distribution-chart", words.T(ctx, "People by effective dose of the year, in mSv"), words.T(ctx, "People"), whole, bars)
}

// byMonth is the picture of the collective dose of the periods that ended in each month.
func (x dosesView) byMonth(ctx context.Context) barChart {
	var bars []amount
	for i, m := range x.Months {
		bars = append(bars, amount{Label: words.ShortMonth(ctx, time.Month(i+1)), Words: monthName(ctx, i) + ": " + plain(manMSv(ctx, m)), Value: int64(m.Sum), None: m.People == 0})
	}
	return newBarChart("months-chart", words.T(ctx, "Collective effective dose of the badge periods that ended in each month of %d", x.Year), words.T(ctx, "man-mSv"), millis, bars)
}

func monthName(ctx context.Context, i int) string { return words.Month(ctx, time.Month(i+1)) }

// doseYearsView is an organisation's collective dose over the years.
type doseYearsView struct {
	Organisation vaultclient.Organisation
	Links        []link
	Sums         []dose.Collective // oldest first
}

// trendYears is how many years the trend shows.
const trendYears = 6

// doseYears shows the collective dose over the years.
func (h *handler) doseYears(v *visit) error {
	var x doseYearsView
	var o id.Organisation
	err := idIn(v, "organisation", &o)
	if err != nil {
		return err
	}
	if !listsDoses(v.user.Role) {
		return errNoPage
	}
	if x.Organisation, err = h.organisation(v, o); err != nil {
		return err
	}
	years, err := h.Register.DoseYears(v.ctx, v.auth, o)
	if err != nil {
		return err
	}
	years = years[:min(len(years), trendYears)]
	slices.Reverse(years)
	if x.Sums, err = h.Register.CollectiveDoses(v.ctx, v.auth, o, years); err != nil {
		return err
	}
	x.Links = organisationLinks(v.user.Role, o, titleDoses)
	h.render(v.w, v.r, http.StatusOK, doseYearsPage(h.frame("Doses over the years", &v.user, link{Text: "Overview", Href: "/"}, link{Text: titleDoses, Href: dosesPath(o)}), x))
	return nil
}

// trend is the picture of the years.
func (x doseYearsView) trend(ctx context.Context) barChart {
	var bars []amount
	for _, c := range x.Sums {
		bars = append(bars, amount{Label: strconv.Itoa(c.Year), Words: fmt.Sprintf("%d: %s", c.Year, plain(manMSv(ctx, c))), Value: int64(c.Sum), Text: millisievert(c.Sum), None: c.People == 0})
	}
	return newBarChart("years-chart", words.T(ctx, "Collective effective dose by calendar year"), words.T(ctx, "man-mSv"), millis, bars)
}

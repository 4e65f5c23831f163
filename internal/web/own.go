package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// ownRoutes are what a wearer has of the own record beside its page.
func (h *handler) ownRoutes() []route {
	return []route{{"POST /wearers/{wearer}/copy", h.page(h.ownCopy)}}
}

// ownView is a wearer's page of the own record, in plain words.
type ownView struct {
	wearerView
	Latest    []total // of the latest calendar year
	Unknown   []string
	Estimated []string
	Meanings  []meaning // of the results that there are
	Badges    []badgeYear
	Employers map[id.Organisation]string
	Made      string
}

// meaning says what a result means.
type meaning struct{ Word, Text words.Key }

// own shows a wearer their own record.
func (h *handler) own(v *visit, x wearerView, r *WearerRecord) error {
	out := ownView{wearerView: x, Employers: map[id.Organisation]string{}, Made: words.On(v.ctx, h.Now())}
	years, _ := totalsOf(r.Subject, r.Levels, r.Assessment)
	out.Latest = latestYear(years)
	if len(r.Records) > 1 {
		var err error
		if out.Employers, err = h.employers(v, r); err != nil {
			return err
		}
	}
	out.Unknown, out.Estimated = unknown(v.ctx, r, words.DayOf(h.Now())), estimated(v.ctx, r)
	out.Meanings = meanings(r.Readings)
	for _, y := range x.Years {
		out.Badges = append(out.Badges, badgeYear{y, badgesOf(y.Readings)})
	}
	h.render(v.w, v.r, http.StatusOK, ownPage(h.frame(titleWearer, &v.user, link{Text: "Overview", Href: "/"}), out))
	return nil
}

// employers names those of a wearer's own employments.
func (h *handler) employers(v *visit, r *WearerRecord) (map[id.Organisation]string, error) {
	all, err := h.Vault.Organisations(v.ctx, v.auth)
	if err != nil && errorCode(err) != vaultclient.Refused {
		return nil, err
	}
	out := map[id.Organisation]string{}
	for _, one := range r.Records {
		out[one.Organisation] = organisationName(v.ctx, all, one.Organisation)
	}
	return out, nil
}

// employersOf are the names, in order.
func employersOf(m map[id.Organisation]string) []string { return slices.Sorted(maps.Values(m)) }

// kindMeanings say what a dose is of.
var kindMeanings = map[dose.Kind]words.Key{
	dose.Effective: "What your whole body received, as the badge on your body measured it.",
	dose.Lens:      "What the lenses of your eyes received: the badge at your eye measured it, or else the one at your collar or on your body.",
	dose.Skin:      "What your skin received, over or under an apron, whichever is more.",
	dose.Extremity: "What your hands received: the ring or wrist badge of the hand that received more.",
}

// latestText says in a sentence what the latest year came to.
func latestText(ctx context.Context, t total) string {
	switch {
	case t.Counted == 0 || t.Limit <= 0:
		return words.T(ctx, "%s: %s.", kindTitle(t.Kind), t.sum(ctx))
	case t.over():
		return words.T(ctx, "%s: %s, more than the legal limit of %s a year.", kindTitle(t.Kind), t.sum(ctx), limitMSv(t.Limit))
	}
	return words.T(ctx, "%s: %s, %s of the legal limit of %s a year.", kindTitle(t.Kind), t.sum(ctx), t.share(ctx), limitMSv(t.Limit))
}

var badgeWords = map[dose.Position]words.Key{dose.WholeBody: "badge on the body", dose.Collar: "badge at the collar", dose.Eye: "badge at the eye",
	dose.LeftFinger: "ring on the left hand", dose.RightFinger: "ring on the right hand", dose.LeftWrist: "badge on the left wrist", dose.RightWrist: "badge on the right wrist",
	dose.Foetal: "badge for your unborn child"}

// badgeWord says which badge.
func badgeWord(p dose.Position) words.Key { return cmp.Or(badgeWords[p], "badge") }

// doseTo says what a quantity of a badge is the dose to.
func (r Reading) doseTo() words.Key {
	switch r.Reading.Quantity {
	case dose.Hp10:
		if r.Position == dose.Foetal {
			return "Unborn child"
		}
		return "Whole body"
	case dose.NeutronHp10:
		return "Whole body, by neutrons"
	case dose.Hp3:
		return "Eyes"
	}
	if slices.Contains([]dose.Position{dose.LeftFinger, dose.RightFinger, dose.LeftWrist, dose.RightWrist}, r.Position) {
		return "Hand"
	}
	return "Skin"
}

// badgeYear has the badges whose periods end in a year.
type badgeYear struct {
	readingYear
	Badges []badgeResult
}

// badgeResult is one report of one badge: what it measured, together.
type badgeResult struct {
	Reading // the first of them
	All     []Reading
}

// badgesOf puts the readings of each report of a badge together, in order.
func badgesOf(readings []Reading) (list []badgeResult) {
next:
	for _, r := range readings {
		for i := range list {
			b := &list[i]
			if b.From == r.From && b.To == r.To && b.Position == r.Position && b.Organisation == r.Organisation && b.Version == r.Version && b.Superseded == r.Superseded && b.NotCounted == r.NotCounted &&
				!slices.ContainsFunc(b.All, func(x Reading) bool { return x.Reading.Quantity == r.Reading.Quantity }) { // else it is another badge worn at the same time
				b.All = append(b.All, r)
				continue next
			}
		}
		list = append(list, badgeResult{r, []Reading{r}})
	}
	return list
}

// Doses are what the badge measured, a line for each part of the body.
func (b badgeResult) Doses(ctx context.Context) (lines []string) {
	for _, r := range b.All {
		if r.Reading.Qualifier.Accumulates() {
			lines = append(lines, words.T(ctx, r.doseTo())+": "+r.doseText())
		}
	}
	return lines
}

// Results are the words for what the doses are worth: one, or where they differ one for each part of the body.
func (b badgeResult) Results(ctx context.Context) []string {
	if !slices.ContainsFunc(b.All, func(r Reading) bool { return r.Reading.Qualifier != b.Reading.Reading.Qualifier }) {
		return []string{words.T(ctx, qualifierWord(b.Reading.Reading.Qualifier))}
	}
	var all []string
	for _, r := range b.All {
		all = append(all, words.T(ctx, "%s: %s", r.doseTo(), lower(words.T(ctx, qualifierWord(r.Reading.Qualifier)))))
	}
	return all
}

// resultMeanings say what a result means, in the order in which they are told.
var resultMeanings = []struct {
	q    dose.Qualifier
	text words.Key
}{
	{dose.Measured, "The badge measured this dose."},
	{dose.BelowLevel, "There was less than the laboratory can tell from the radiation that is everywhere. It counts as zero."},
	{dose.Unused, "The badge was still in its wrapping, or nobody wore it. It adds nothing."},
	{dose.NotReturned, "The badge did not come back, so nobody knows its dose. It counts as missing, never as zero."},
	{dose.Lost, "The badge was lost, so nobody knows its dose. It counts as missing, never as zero."},
	{dose.Damaged, "The badge was damaged and could not be read. Its dose counts as missing, never as zero."},
	{dose.Estimated, "The badge gave no result. The dose was estimated from your work at that time; you may ask how."},
	{dose.Notional, "The badge gave no result. For its days the share of the yearly limit was entered that the law provides; you surely received less."},
	{dose.SpecialEntry, "After an investigation this dose took the place of the one recorded before, which stays in the list."},
}

// meanings explains the results that there are.
func meanings(readings []Reading) (list []meaning) {
	for _, m := range resultMeanings {
		if slices.ContainsFunc(readings, func(r Reading) bool { return r.Reading.Qualifier == m.q }) {
			list = append(list, meaning{qualifierWord(m.q), m.text})
		}
	}
	if slices.ContainsFunc(readings, func(r Reading) bool { return r.Version > 0 }) {
		list = append(list, meaning{"Corrected", "The laboratory sent this result once more. What it had sent before is marked as replaced, and does not count."})
	}
	return list
}

// unknown says which badges give no dose, and why: the newest first, each badge once.
func unknown(ctx context.Context, r *WearerRecord, today day.Day) (list []string) {
	say := func(k words.Key, p dose.Position, from, to day.Day) string {
		return words.T(ctx, k, badgeWord(p), words.Period(ctx, from, to))
	}
	for _, b := range r.Waiting {
		switch {
		case b.State == "ordered":
		case b.State == "issued" && b.To >= today:
			list = append(list, say("Your %s of %s is still being worn. Its result comes some weeks after you hand it in.", b.Position, b.From, b.To))
		case b.State == "issued":
			list = append(list, say("Your %s of %s has not come back. If you still have it, hand it in: it can be read late.", b.Position, b.From, b.To))
		default:
			list = append(list, say("Your %s of %s came back; the laboratory's result is not here yet.", b.Position, b.From, b.To))
		}
	}
	why := map[dose.Qualifier]words.Key{dose.Lost: "Your %s of %s was lost.", dose.Damaged: "Your %s of %s was damaged and could not be read.", dose.NotReturned: "Your %s of %s did not come back."}
	for _, x := range newestFirst(r.Readings) {
		k, ok := why[x.Reading.Qualifier]
		if !ok || x.Superseded || x.NotCounted {
			continue
		}
		if text := say(k, x.Position, x.From, x.To); !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return list
}

// estimated says which doses no badge measured.
func estimated(ctx context.Context, r *WearerRecord) (list []string) {
	for _, x := range newestFirst(r.Readings) {
		if q := x.Reading.Qualifier; !x.Superseded && (q == dose.Estimated || q == dose.Notional) {
			list = append(list, words.T(ctx, "%s of %s, %s: %s, %s.", capital(words.T(ctx, badgeWord(x.Position))), words.Period(ctx, x.From, x.To), lower(words.T(ctx, x.doseTo())), mSv(x.Reading.Dose), lower(words.T(ctx, qualifierWord(q)))))
		}
	}
	return list
}

// ownCopy answers with a wearer's own record as a file. It is an export: what is read for it is entered with its id before.
func (h *handler) ownCopy(v *visit) error {
	var w id.Wearer
	if err := idIn(v, "wearer", &w); err != nil {
		return err
	}
	f, err := readForm(v)
	if err != nil {
		return err
	}
	if v.user.Role != policy.Wearer || !slices.Contains(v.user.Wearers, w) {
		return errNoPage
	}
	auth := v.auth
	auth.Export = id.New[id.Export]()
	r, err := h.Register.WearerRecord(v.ctx, auth, w, profiles[policy.Wearer].fields)
	if err != nil {
		return err
	}
	names, err := h.employers(v, r)
	if err != nil {
		return err
	}
	c := copyOf(auth.Export, words.DayOf(h.Now()).String(), r, names)
	name := "my-doses-" + auth.Export.String()
	if f.Value("as") == "json" {
		b, err := json.MarshalIndent(c, "", "  ")
		if err != nil {
			return err
		}
		v.file(append(b, '\n'), "application/json", name+".json")
		return nil
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(c.rows()); err != nil {
		return err
	}
	v.file(b.Bytes(), "text/csv; charset=utf-8", name+".csv")
	return nil
}

// ownRecordCopy is a wearer's copy of the own record. Doses are whole microsievert: 1,000 are 1 mSv.
type ownRecordCopy struct {
	Export      string           `json:"export"`
	Made        string           `json:"made"`
	Employments []copyEmployment `json:"employments"`
	Years       []copyYear       `json:"years"`
	Readings    []copyReading    `json:"readings"`
	NoResult    []copyBadge      `json:"badges_without_result"`
}

type copyEmployment struct {
	Employer    string `json:"employer"`
	Surname     string `json:"surname"`
	Forenames   string `json:"forenames"`
	Birth       string `json:"date_of_birth,omitempty"`
	StaffNumber string `json:"staff_number,omitempty"`
	From        string `json:"from,omitempty"`
	To          string `json:"to,omitempty"`
	Classified  bool   `json:"classified"`
}

type copyYear struct {
	Year    int    `json:"year"`
	Dose    string `json:"dose_of"`
	MicroSv *int64 `json:"microsievert"` // null: no result
	Limit   int64  `json:"limit_microsievert,omitempty"`
	Results int    `json:"results"`
	Missing int    `json:"missing"`
}

type copyReading struct {
	Employer   string   `json:"employer"`
	From       string   `json:"from"`
	To         string   `json:"to"`
	Badge      string   `json:"badge"`
	Quantity   string   `json:"quantity"`
	MicroSv    *int64   `json:"microsievert"` // null: no dose
	Result     string   `json:"result"`
	Version    int      `json:"version,omitempty"`
	Superseded bool     `json:"superseded,omitempty"`
	NotCounted bool     `json:"not_counted,omitempty"`
	Notes      []string `json:"notes,omitempty"`
}

type copyBadge struct {
	Employer string `json:"employer"`
	From     string `json:"from"`
	To       string `json:"to"`
	Badge    string `json:"badge"`
	State    string `json:"state"`
}

// copyOf lays a record out as its copy.
func copyOf(export id.Export, made string, r *WearerRecord, employers map[id.Organisation]string) ownRecordCopy {
	c := ownRecordCopy{Export: export.String(), Made: made, Employments: []copyEmployment{}, Years: []copyYear{}, Readings: []copyReading{}, NoResult: []copyBadge{}}
	for _, e := range r.Records {
		c.Employments = append(c.Employments, copyEmployment{employers[e.Organisation], e.Identity.Surname.Expose(), e.Identity.Forenames.Expose(), e.Identity.Birth.Expose(),
			e.Identity.StaffNumber.Expose(), e.From, e.To, e.Classified})
	}
	microSv := func(d dose.MicroSv, has bool) *int64 {
		if !has {
			return nil
		}
		n := int64(d)
		return &n
	}
	years, _ := totalsOf(r.Subject, r.Levels, r.Assessment)
	for _, t := range years {
		c.Years = append(c.Years, copyYear{t.To.Year(), t.Kind.String(), microSv(t.Dose, t.Counted > 0), int64(t.Limit), t.Counted, t.Missing})
	}
	for _, x := range newestFirst(r.Readings) {
		c.Readings = append(c.Readings, copyReading{employers[x.Organisation], x.From.String(), x.To.String(), x.Position.String(), x.Reading.Quantity.String(),
			microSv(x.Reading.Dose, x.Reading.Qualifier.Accumulates()), x.Reading.Qualifier.String(), x.Version, x.Superseded, x.NotCounted, x.Notes})
	}
	for _, b := range r.Waiting {
		c.NoResult = append(c.NoResult, copyBadge{employers[b.Organisation], b.From.String(), b.To.String(), b.Position.String(), b.State})
	}
	return c
}

// rows are the copy as one table: the years' sums, then every reading, then the badges without a result. Doses are in mSv.
func (c ownRecordCopy) rows() [][]string {
	rows := [][]string{{"export", "made", "what", "employer", "surname", "forenames", "staff_number", "from", "to", "badge_or_dose_of", "quantity", "mSv", "result", "limit_mSv", "superseded", "not_counted"}}
	mSv := func(n *int64) string {
		if n == nil {
			return ""
		}
		return dose.MicroSv(*n).MilliSv()
	}
	add := func(what, employer string, rest ...string) {
		row := []string{c.Export, c.Made, what, employer, "", "", ""}
		for _, e := range c.Employments {
			if e.Employer == employer || employer == "" {
				row[4], row[5], row[6] = e.Surname, e.Forenames, e.StaffNumber
			}
		}
		rows = append(rows, append(row, rest...))
	}
	for _, y := range c.Years {
		limit, result := "", "complete"
		if y.Limit > 0 {
			limit = dose.MicroSv(y.Limit).MilliSv()
		}
		if y.Missing > 0 {
			result = "at least: " + strconv.Itoa(y.Missing) + " missing"
		}
		year := strconv.Itoa(y.Year)
		add("year", "", year+"-01-01", year+"-12-31", y.Dose, "", mSv(y.MicroSv), result, limit, "", "")
	}
	yes := map[bool]string{true: "yes"}
	for _, r := range c.Readings {
		add("reading", r.Employer, r.From, r.To, r.Badge, r.Quantity, mSv(r.MicroSv), r.Result, "", yes[r.Superseded], yes[r.NotCounted])
	}
	for _, b := range c.NoResult {
		add("badge", b.Employer, b.From, b.To, b.Badge, "", "", "no result yet: "+b.State, "", "", "")
	}
	return rows
}

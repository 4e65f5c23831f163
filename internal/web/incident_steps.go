package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/incident"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

func init() { dones["entered"] = "It is entered" }

// stepForm is a page on which a step is entered.
type stepForm struct {
	Kind                 vaultclient.IncidentStepKind // empty: it is chosen on the page
	Title, Lead          words.Key
	Label, Hint, Button  words.Key
	ofService, ofOrg     bool // who has it; neither: both
	When, Decides, Tells bool // asks when it was, what is decided, which organisations were told
	ForOrg               bool // concerns an organisation that the address names
}

// stepForms are they, by the last part of the address.
var stepForms = map[string]stepForm{
	"done": {Title: "Enter what was done", Label: "What was done or said, by whom, and why", Button: "Enter it", When: true,
		Lead: "It stands in the incident for good, under your name. Do not name people concerned."},
	"told": {Kind: vaultclient.Told, Title: "Enter that they were told", Label: "How they were told, and what they were told", Button: "Enter that they were told", ofService: true, When: true, Tells: true,
		Lead: "Each organisation is told of its own people only, at once, with the largest number. From then on it sees this incident, and its 72 hours run."},
	"posted": {Kind: vaultclient.Told, Title: "Enter that the letter was posted", Label: "How it was posted", Button: "Enter it", ofService: true, ForOrg: true, When: true,
		Lead: "The organisation counts as told from then on, and its 72 hours run."},
	"decide": {Kind: vaultclient.Decided, Title: "Decide about the regulator and the people", Label: "Why", Button: "Enter the decision", Decides: true,
		Hint: "The reason stands in the register of breaches. If it is later than 72 hours, say why too",
		Lead: "A later decision takes the place of an earlier one; both stay in the timeline."},
	"ask": {Kind: vaultclient.Asked, Title: "Ask the service", Label: "Your question", Button: "Ask", ofOrg: true,
		Lead: "Whoever leads the incident sees it on its page, and the answer comes to yours. Do not name people concerned."},
	"answer": {Kind: vaultclient.Answered, Title: "Answer", Label: "The answer", Button: "Answer", ofService: true, ForOrg: true,
		Lead: "The organisation sees it on its page of the incident. No other organisation does."},
	"close": {Kind: vaultclient.Closed, Title: "Close the incident", Label: "What it came to, and what was changed so that it does not happen again", Button: "Close it", ofService: true,
		Lead: "It stays as it is, for the register of breaches, and can still be read by all whom it concerns."},
	"sign-off": {Kind: vaultclient.SignedOff, Title: "Sign off", Label: "What your organisation did", Button: "Sign off", ofOrg: true,
		Lead: "You say that your organisation has done its part: it has decided, and told whom it had to tell."},
}

// doneKinds are what is entered of what was done, by service and by organisation.
var doneKinds = []option{
	{string(vaultclient.Noted), "A note", "A task, a finding, a call"},
	{string(vaultclient.Knew), "Somebody knew of it", "Such as the supplier, before it told anybody"},
	{string(vaultclient.Aware), "We became aware", "Earlier than it was declared: the clock begins there"},
	{string(vaultclient.Asked), "Somebody was asked", "Such as the supplier, the police, staff"},
	{string(vaultclient.Answered), "Somebody answered", ""},
}

// enterView is such a page.
type enterView struct {
	caseView
	stepForm
	Action       string
	Kinds        []option
	Choose       []option // organisations
	Organisation id.Organisation
	Name         string    // of the organisation that it concerns
	Question     string    // that is answered
	Letter       id.Notice // that was posted
	Clock        *clockRow
}

// enterStep asks what is entered as a step, and enters it.
func (h *handler) enterStep(v *visit) error {
	var x enterView
	var err error
	if x.caseView, err = h.theIncident(v); err != nil {
		return err
	}
	spec, ok := stepForms[v.r.PathValue("what")]
	if !ok || spec.ofService && !x.Service || spec.ofOrg && x.Service {
		return errNoPage
	}
	x.stepForm, x.Action = spec, v.r.URL.RequestURI()
	if err := h.enterChoices(v, &x); err != nil {
		return err
	}
	f := formOf("kind", string(vaultclient.Noted))
	if v.r.Method == http.MethodPost {
		if f, err = readForm(v); err != nil {
			return err
		}
		steps := h.stepsIn(&f, &x)
		if len(f.Errors) == 0 {
			for _, s := range steps {
				if _, err := h.Register.EnterStep(v.ctx, v.auth, s); err != nil {
					return err
				}
			}
			http.Redirect(v.w, v.r, x.Path+"?done=entered", http.StatusSeeOther)
			return nil
		}
	}
	h.render(v.w, v.r, f.status(), enterPage(h.frame(x.Title, &v.user, incidentCrumbs(&x.Incident)...).of(f), f, x))
	return nil
}

// enterChoices fills in what the page asks and shows beside the text.
func (h *handler) enterChoices(v *visit, x *enterView) error {
	x.Organisation = x.own()
	if x.Kind == "" {
		x.Kinds = doneKinds
	}
	if several := !x.Service && len(x.Organisations) > 1; several || x.Service && x.Kind == "" { // somebody of several organisations says which
		if !several {
			x.Choose = append(x.Choose, option{Value: "", Label: "All of them"})
		}
		for _, o := range x.Organisations {
			x.Choose = append(x.Choose, option{Value: o.ID.String(), Label: words.Plain(o.Name)})
		}
	}
	if x.ForOrg {
		o, err := id.Parse[id.Organisation](v.r.URL.Query().Get("organisation"))
		if err != nil || !slices.ContainsFunc(x.Organisations, func(one vaultclient.Organisation) bool { return one.ID == o }) {
			return errNoPage
		}
		x.Organisation = o
		if asked := lastStep(x.Incident, vaultclient.Asked, o); asked != nil && x.Kind == vaultclient.Answered {
			x.Question = asked.Text
		}
	}
	if text := v.r.URL.Query().Get("notice"); text != "" && x.Kind == vaultclient.Told {
		n, err := id.Parse[id.Notice](text)
		if err != nil {
			return errNoPage
		}
		x.Letter = n
	}
	if x.Tells {
		figures := incidentView{caseView: x.caseView}
		if err := h.figures(v, &figures); err != nil {
			return err
		}
		for _, o := range figures.concerned() {
			if toldAt(x.Incident, o) == nil {
				x.Choose = append(x.Choose, option{Value: o.String(), Label: words.Plain(x.name(v.ctx, o))})
			}
		}
	}
	if x.Decides {
		for _, k := range incident.Clocks(x.Incident) {
			if k.Organisation == x.Organisation && (x.Service || !x.Organisation.IsZero()) {
				x.Clock = &clockRow{k, ""}
			}
		}
	}
	if !x.Organisation.IsZero() {
		x.Name = x.name(v.ctx, x.Organisation)
	}
	return nil
}

// stepsIn reads the steps that a form enters.
func (h *handler) stepsIn(f *form, x *enterView) []vaultclient.NewStep {
	s := vaultclient.NewStep{Incident: x.ID, Kind: x.Kind, Organisation: x.Organisation, Of: x.Letter}
	var to []id.Organisation
	if x.Kind == "" {
		var kinds []string
		for _, o := range x.Kinds {
			kinds = append(kinds, o.Value)
		}
		s.Kind = vaultclient.IncidentStepKind(f.choice("kind", "Select what it is", kinds...))
	}
	if !x.Tells && len(x.Choose) > 0 {
		var orgs []string
		for _, o := range x.Choose {
			orgs = append(orgs, o.Value)
		}
		s.Organisation, _ = id.Parse[id.Organisation](f.choice("organisation", "Select which organisation it concerns", orgs...))
	}
	if x.Tells {
		for _, o := range x.Choose {
			if n, err := id.Parse[id.Organisation](o.Value); err == nil && f.Has("organisation", o.Value) {
				to = append(to, n)
			}
		}
		if len(to) == 0 {
			f.wrong("organisation", "Select which organisations were told")
		}
	}
	if x.Decides {
		report, tell := f.choice("report", "Select whether it is reported", "yes", "no"), f.choice("people", "Select whether the people are told", "yes", "no")
		s.Decision = &vaultclient.Decision{Report: report == "yes", TellPeople: tell == "yes"}
	}
	s.Text = f.paragraphs("text", "Enter a text", vaultclient.MaxIncidentText)
	if x.When {
		if s.Moment = f.moment("at", "The moment", 0); s.Moment.After(h.Now()) {
			f.wrong("at-day", "The moment must be in the past")
		}
	}
	if !x.Tells {
		return []vaultclient.NewStep{s}
	}
	var all []vaultclient.NewStep
	for _, o := range to {
		s.Organisation = o
		all = append(all, s)
	}
	return all
}

// stepTags are the kinds of steps in words.
var stepTags = map[vaultclient.IncidentStepKind]struct {
	word   words.Key
	colour string
}{
	vaultclient.Destroyed: {"Destroyed##by a recipient", "grey"},
	vaultclient.Declared:  {"Declared##an incident", "red"}, vaultclient.Supposed: {"Supposed", "orange"}, vaultclient.Knew: {"Knew", "grey"}, vaultclient.Aware: {"Aware", "grey"},
	vaultclient.Told: {"Told", "blue"}, vaultclient.Asked: {"Asked", "yellow"}, vaultclient.Answered: {"Answered", "green"}, vaultclient.Decided: {"Decided", "purple"},
	vaultclient.Telling: {"Notice", "blue"}, vaultclient.Undelivered: {"Not delivered", "red"}, vaultclient.Acknowledged: {"Read##by an organisation", "green"}, vaultclient.Assessed: {"Assessed", "purple"},
	vaultclient.Noted: {"Note", "grey"}, vaultclient.SignedOff: {"Signed off", "green"}, vaultclient.Closed: {"Closed", "green"},
}

// stepTag is what a step is, in a word and a colour.
func stepTag(k vaultclient.IncidentStepKind) (word words.Key, colour string) {
	if w, ok := stepTags[k]; ok {
		return w.word, w.colour
	}
	return words.Plain(capital(string(k))), "grey"
}

// yesNoOptions are the answers to a question.
var yesNoOptions = []option{{"yes", "Yes", ""}, {"no", "No", ""}}

func yesNo(ctx context.Context, yes bool) string {
	if yes {
		return words.T(ctx, "Yes")
	}
	return words.T(ctx, "No")
}

// sinceWords say since when the service knows.
func sinceWords(ctx context.Context, at time.Time) string {
	if at.IsZero() {
		return words.T(ctx, "Since now")
	}
	return words.Moment(ctx, at)
}

// byWords say who entered something: a name, or a role where the reader is shown none.
func byWords(ctx context.Context, by string) string {
	switch w := roleWords[policy.Role(by)]; {
	case w != "":
		return words.T(ctx, w)
	case by == "the vault":
		return words.T(ctx, "the vault")
	case by == "the contact for notices":
		return words.T(ctx, "the contact for notices")
	}
	return by
}

// dutyWhen says whether somebody has to be told, and within which time.
func dutyWhen(ctx context.Context, d incident.Duty) string {
	switch {
	case !d.Due:
		return words.T(ctx, "Not by this assessment")
	case d.Within > 0:
		return words.T(ctx, "Yes, within %s", words.Count(ctx, int(d.Within.Hours()), "hour", "hours"))
	case d.Tell == incident.TheRegister:
		return words.T(ctx, "Yes")
	}
	return words.T(ctx, "Yes, without undue delay")
}

// declareCaption says of which incident a page of supposing more is.
func declareCaption(ctx context.Context, x declareView) string {
	if x.Case == nil {
		return ""
	}
	return x.Case.Caption(ctx)
}

// stats are the figures above the table.
func (x incidentView) stats(ctx context.Context) []stat {
	list := []stat{{number(x.Exposures.People), "people", words.Plain(words.Count(ctx, x.Exposures.Wearers, "wearer", "wearers"))}}
	if x.Service {
		list = append(list, stat{number(len(x.concerned())), "organisations", words.Plain(words.T(ctx, "%s not told yet", number(len(x.Untold))))})
	}
	return list
}

// span is when the first and when the last of it became readable.
func (x incidentView) span() (first, last time.Time) {
	for _, r := range x.Rows {
		if first.IsZero() || r.First.Before(first) {
			first = r.First
		}
		if r.Last.After(last) {
			last = r.Last
		}
	}
	return first, last
}

// cell is a text as it can stand in a spreadsheet: none begins a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// decisionWords say what was decided.
func decisionWords(ctx context.Context, d vaultclient.Decision) string {
	switch {
	case d.Report && d.TellPeople:
		return words.T(ctx, "Reported to the regulator, and the people are told.")
	case d.Report:
		return words.T(ctx, "Reported to the regulator. The people are not told.")
	case d.TellPeople:
		return words.T(ctx, "Not reported to the regulator. The people are told.")
	}
	return words.T(ctx, "Not reported to the regulator, and the people are not told.")
}

// earlier reports whether a step is about a moment well before it was entered.
func earlier(s vaultclient.IncidentStep) bool { return s.At.Sub(s.Moment) > time.Minute }

// Waits reports whether a question of an organisation waits for an answer.
func (x caseView) Waits(i int) bool {
	s := x.Steps[i]
	return x.Service && s.Kind == vaultclient.Asked && !s.Organisation.IsZero() && !slices.ContainsFunc(x.Steps[i:], func(a vaultclient.IncidentStep) bool {
		return a.Kind == vaultclient.Answered && a.Organisation == s.Organisation
	})
}

// figuresFile answers with the table as a file. It names nobody.
func (h *handler) figuresFile(v *visit) error {
	x, err := h.incidentView(v)
	if err != nil {
		return err
	}
	rows := [][]string{{"incident", "organisation", "fields", "wearers", "severity", "score", "first", "last", "told"}}
	name := ""
	for _, r := range x.Rows {
		if r.Name != "" {
			name = r.Name
		}
		told := ""
		if s := toldAt(x.Incident, r.Organisation); s != nil {
			told = s.Moment.UTC().Format(time.RFC3339)
		}
		score := ""
		for _, c := range x.Combinations {
			if c.Fields == r.Fields {
				score = c.Severity.Score.String()
			}
		}
		rows = append(rows, []string{x.Number, cell(name), r.Fields.String(), strconv.Itoa(r.Wearers), r.Level.String(), score, r.First.UTC().Format(time.RFC3339), r.Last.UTC().Format(time.RFC3339), told})
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		return err
	}
	v.file(b.Bytes(), "text/csv; charset=utf-8", fmt.Sprintf("incident-%s.csv", x.Number))
	return nil
}

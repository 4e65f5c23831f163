package web

import (
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

func init() {
	dones["declared"] = "It is declared, and the clocks run"
	dones["not-frozen"] = "It is declared, but nothing is frozen yet: see “Stop it” below"
	dones["supposed"] = "It is entered, and the figures are recomputed"
}

// suspectOptions are what may be suspected, the most likely first.
var suspectOptions = []option{
	{suspectSupplier, "A supplier", "Such as a laboratory that was hacked"},
	{suspectAccount, "Somebody’s account", "Stolen, or misused by its owner"},
	{suspectExport, "A file or print", "A spreadsheet or sheets of paper that were lost or sent to the wrong place"},
	{suspectMachine, "A machine or grant", "A key of a system outside, or leave for a job, that was stolen or misused"},
	{suspectWeb, "The web node", "The server of these pages was taken over"},
	{suspectWorker, "The worker", "The server that reads files and runs jobs was taken over"},
	{suspectMedium, "A stolen database, backup or disk", "Without the keys, what is on it can’t be read"},
	{suspectAnybody, "I do not know yet", "Whoever it was: everything that became readable in the window counts"},
}

// suspectsFor are those that somebody can point out: who may not list accounts and machines knows no ids of them.
func suspectsFor(u vaultclient.User) []option {
	return slices.DeleteFunc(slices.Clone(suspectOptions), func(o option) bool {
		return u.Role != policy.Coordinator && (o.Value == suspectAccount || o.Value == suspectMachine)
	})
}

// pagesOfForm are the pages on which an incident is declared: which one is shown is the form's step. A hypothesis more has no text about it to begin with.
var pagesOfForm = []string{"kind", "which", "what", "check"}

// declareView is a page of declaring an incident, or of supposing more.
type declareView struct {
	Case     *caseView // nil: a new one
	Action   string
	Kind     string
	Kinds    []option
	Which    []option // to choose from; none: it is typed
	Suspect  string   // in words
	Window   string
	Aware    time.Time
	CanStop  bool // what is suspected can be frozen, by this reader
	StopHint words.Key
}

// declare asks for what an incident is declared on, a thing a page, and declares it.
func (h *handler) declare(v *visit) error {
	return h.askHypothesis(v, nil, "/incidents/declare")
}

// suppose adds a hypothesis to an incident.
func (h *handler) suppose(v *visit) error {
	x, err := h.theIncident(v)
	if err != nil {
		return err
	}
	return h.askHypothesis(v, &x, x.Path+"/suppose")
}

// askHypothesis asks page by page. Each page carries the answers of the ones before; the first that is not answered is shown.
func (h *handler) askHypothesis(v *visit, one *caseView, action string) error {
	f := formOf("kind", v.r.URL.Query().Get("kind"), "which", v.r.URL.Query().Get("which"))
	posted := v.r.Method == http.MethodPost
	if posted {
		var err error
		if f, err = readForm(v); err != nil {
			return err
		}
	} else {
		f.setMoment("to", h.Now().Add(time.Minute)) // what is read in this minute counts too
	}
	x := declareView{Case: one, Action: action, Kinds: suspectsFor(v.user), Kind: f.Value("kind")}
	if !slices.ContainsFunc(x.Kinds, func(o option) bool { return o.Value == x.Kind }) {
		x.Kind = ""
	}
	users, err := h.choices(v, &x)
	if err != nil {
		return err
	}
	step := f.Value("step") // the page that was sent, or "back-" and the one to go back to
	show := "kind"
	var s vaultclient.NewStep
	if back, ok := strings.CutPrefix(step, "back-"); ok {
		show = back
	} else if posted {
		show = h.answered(&f, &x, &s, slices.Index(pagesOfForm, step))
	}
	if s.Hypothesis != nil {
		x.Suspect, x.Window, x.Aware = suspectWords(v.ctx, *s.Hypothesis, users), windowWords(v.ctx, *s.Hypothesis), s.Moment
		if scope, err := vaultclient.ParseScope(string(s.Hypothesis.Recipient)); err == nil && v.user.Role == policy.Coordinator {
			x.CanStop, x.StopHint = true, scopeHint(scope)
		}
	}
	if show != "enter" {
		h.render(v.w, v.r, f.status(), declarePage(h.frame(declareTitle(one, show), &v.user, incidentCrumbs(incidentOf(one))...).of(f), f, x, show))
		return nil
	}
	n, err := h.Register.EnterStep(v.ctx, v.auth, s)
	if err != nil {
		return err
	}
	if one == nil {
		one = &caseView{Incident: vaultclient.Incident{ID: n, Drill: s.Drill, Steps: []vaultclient.IncidentStep{{Text: s.Text}}}, Path: incidentPath(n)}
	}
	done := "declared"
	if s.Kind == vaultclient.Supposed {
		done = "supposed"
	}
	if x.CanStop && f.Value("freeze") != "" && !one.Drill {
		var ask form
		if done, err := h.freezeNow(v, *one, vaultclient.Scope(s.Hypothesis.Recipient), &ask); done || err != nil {
			return err
		}
		done = "not-frozen" // the incident's page leads to the one that asks whether it is to be all the same
	}
	http.Redirect(v.w, v.r, incidentPath(n)+"?done="+done, http.StatusSeeOther)
	return nil
}

func incidentOf(x *caseView) *vaultclient.Incident {
	if x == nil {
		return nil
	}
	return &x.Incident
}

func declareTitle(one *caseView, show string) words.Key {
	switch {
	case show == "check":
		return "Check before you enter it"
	case one != nil:
		return "Suppose more"
	}
	return "Declare a suspected breach"
}

// choices fills in what can be chosen from, by kind.
func (h *handler) choices(v *visit, x *declareView) (users []vaultclient.User, err error) {
	switch x.Kind {
	case suspectAccount:
		if users, err = h.usersFor(v); err != nil {
			return nil, err
		}
		for _, u := range users {
			x.Which = append(x.Which, option{Value: "user:" + u.ID.String(), Label: words.Plain(u.Name + ", " + roleWord(v.ctx, u.Role))})
		}
	case suspectMachine:
		machines, err := h.Register.Machines(v.ctx, v.auth)
		if err != nil {
			return nil, err
		}
		for _, m := range machines {
			x.Which = append(x.Which, option{Value: "grant:" + m.ID.String(), Label: words.Plain(m.Name)})
		}
	}
	if len(x.Which) > 0 {
		x.Which = append([]option{{Value: "", Label: "Choose"}}, x.Which...)
	}
	return users, nil
}

// answered reads the pages up to the sent one, and says which is shown next: the first with something wrong on it, or the one after, "enter" after the last.
func (h *handler) answered(f *form, x *declareView, s *vaultclient.NewStep, sent int) string {
	if sent < 0 {
		return pagesOfForm[0]
	}
	if x.Kind == "" {
		f.wrong("kind", "Select what you suspect")
		return "kind"
	}
	if sent >= 1 {
		if s.Hypothesis = h.hypothesisIn(f, x); len(f.Errors) > 0 {
			return "which"
		}
	}
	if sent >= 2 {
		if h.whatIn(f, x, s); len(f.Errors) > 0 {
			return "what"
		}
	}
	if sent == 3 {
		return "enter"
	}
	return pagesOfForm[sent+1]
}

// hypothesisIn reads who is suspected, and the window.
func (h *handler) hypothesisIn(f *form, x *declareView) *vaultclient.Hypothesis {
	out := &vaultclient.Hypothesis{}
	switch x.Kind {
	case suspectAccount, suspectMachine:
		var values []string
		for _, o := range x.Which {
			if o.Value != "" {
				values = append(values, o.Value)
			}
		}
		out.Recipient = vaultclient.Recipient(f.choice("which", "Choose which one", values...))
	case suspectSupplier:
		out.Recipient = vaultclient.Recipient("supplier:" + f.need("which", "Enter the supplier’s name"))
	case suspectExport:
		n, err := id.Parse[id.Export](f.Text("which"))
		if err != nil || n.IsZero() {
			f.wrong("which", "Enter the number that stands on each sheet, or in the file’s name")
		}
		out.Recipient = vaultclient.Recipient("export:" + n.String())
	case suspectWeb, suspectWorker:
		out.Recipient = vaultclient.Recipient(vaultclient.NodeScope(x.Kind))
	case suspectMedium:
		out.Medium = true
	}
	out.From = f.moment("from", "The beginning", 0)
	out.To = f.moment("to", "The end", 24)
	switch {
	case out.From.IsZero():
		f.wrong("from-day", "Enter from when on it may have been. If you do not know, enter an early day")
	case out.To.IsZero():
		f.wrong("to-day", "Enter until when it may have been")
	case !out.From.Before(out.To):
		f.wrong("to-day", "The end must be after the beginning")
	}
	return out
}

// whatIn reads what is said about it.
func (h *handler) whatIn(f *form, x *declareView, s *vaultclient.NewStep) {
	s.Kind, s.Text = vaultclient.Supposed, f.paragraphs("text", "Enter what is suspected, and how it came out", vaultclient.MaxIncidentText)
	if x.Case != nil {
		s.Incident = x.Case.ID
		return
	}
	s.Kind, s.Drill = vaultclient.Declared, f.Value("drill") == "yes"
	f.choice("drill", "Select whether it is a rehearsal", "no", "yes")
	if s.Moment = f.moment("aware", "The moment", 0); s.Moment.After(h.Now()) {
		f.wrong("aware-day", "The moment must be in the past")
	}
}

// paragraphs returns a field's text of several lines, and says what to enter when there is none, or that it is too long.
func (f *form) paragraphs(name string, enter words.Key, most int) string {
	s := strings.TrimSpace(strings.ReplaceAll(f.Value(name), "\r\n", "\n"))
	switch n := utf8.RuneCountInString(s); {
	case s == "" || !utf8.ValidString(s):
		f.wrong(name, enter)
	case n > most:
		f.wrong(name, "Enter %s characters or less; there are %s", number(most), number(n))
	}
	return s
}

// moment returns the moment of a day with a time, zero where the day is empty. Where the time is empty it is that hour of the day; 24 is the day's end. What is
// the thing's name at the beginning of a sentence.
func (f *form) moment(name string, what words.Key, hour int) time.Time {
	d := f.Day(name, what)
	text := f.Text(name + "-time")
	if d.IsZero() {
		if text != "" && f.momentWrong(name) == nil {
			f.wrong(name+"-day", "%s must have a day", what)
		}
		return time.Time{}
	}
	if text == "" {
		return words.At(d, hour, 0)
	}
	t, err := time.Parse("15:04", strings.ReplaceAll(text, ".", ":"))
	if err != nil {
		f.wrong(name+"-time", "Enter a time of 24 hours, such as 22:40")
		return time.Time{}
	}
	return words.At(d, t.Hour(), t.Minute())
}

// momentWrong is what is wrong with a day and time, in any of its fields.
func (f *form) momentWrong(name string) *formError {
	if e := f.dayWrong(name); e != nil {
		return e
	}
	return f.Wrong(name + "-time")
}

// setMoment fills a day and time in.
func (f *form) setMoment(name string, t time.Time) {
	f.setDay(name, words.DayOf(t))
	f.values.Set(name+"-time", words.Clock(t))
}

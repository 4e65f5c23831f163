package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/incident"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Incidents is what the pages of suspected breaches need of the vault.
type Incidents interface {
	// Incidents lists those that the user may see, newest first; it is entered.
	Incidents(ctx context.Context, auth vaultclient.Auth) ([]vaultclient.Incident, error)
	// EnterStep enters what was done; a declaration makes an incident. Code NotFound: no such incident.
	EnterStep(ctx context.Context, auth vaultclient.Auth, s vaultclient.NewStep) (id.Incident, error)
	// Exposures answers who became readable to whom, from the ledgers; it is entered.
	Exposures(ctx context.Context, auth vaultclient.Auth, r vaultclient.ExposureRequest) (vaultclient.Exposures, error)
	// Tell has organisations told of a breach, each of its own people. Code Invalid: no mail server is set up.
	Tell(ctx context.Context, auth vaultclient.Auth, r vaultclient.TellRequest) ([]vaultclient.TellingResult, error)
	// Users lists who may sign in; it is entered. Code Refused: the user does not administer the service.
	Users(ctx context.Context, auth vaultclient.Auth) ([]vaultclient.User, error)
	// Freeze stops something at once. Code Conflict: too few would be left who could let it go on.
	Freeze(ctx context.Context, auth vaultclient.Auth, r vaultclient.FreezeRequest) error
	// Frozen lists what is frozen, as far as the user may freeze it.
	Frozen(ctx context.Context, auth vaultclient.Auth) ([]vaultclient.Frozen, error)
}

func (h *handler) incidentRoutes() []route {
	return []route{
		{"GET /incidents", h.page(h.incidentList)},
		{"GET /incidents/declare", h.page(h.declare)},
		{"POST /incidents/declare", h.page(h.declare)},
		{"GET /incidents/{incident}", h.page(h.showIncident)},
		{"GET /incidents/{incident}/figures", h.page(h.figuresFile)},
		{"GET /incidents/{incident}/papers", h.page(h.papers)},
		{"GET /incidents/{incident}/papers/{file}", h.page(h.paper)},
		{"GET /incidents/{incident}/suppose", h.page(h.suppose)},
		{"POST /incidents/{incident}/suppose", h.page(h.suppose)},
		{"GET /incidents/{incident}/freeze", h.page(h.freezeSuspect)},
		{"POST /incidents/{incident}/freeze", h.page(h.freezeSuspect)},
		{"GET /incidents/{incident}/tell", h.page(h.tell)},
		{"POST /incidents/{incident}/tell", h.page(h.tell)},
		{"GET /incidents/{incident}/assess", h.page(h.assess)},
		{"POST /incidents/{incident}/assess", h.page(h.assess)},
		{"GET /incidents/{incident}/people", h.page(h.concernedPeople)},
		{"GET /incidents/{incident}/proofs", h.page(h.proofsFile)},
		{"GET /incidents/{incident}/enter/{what}", h.page(h.enterStep)},
		{"POST /incidents/{incident}/enter/{what}", h.page(h.enterStep)},
	}
}

// titleIncidents is known to menus.
const titleIncidents = "Incidents"

const incidentsPath = "/incidents"

func incidentPath(n id.Incident) string { return incidentsPath + "/" + n.String() }

// overseesIncidents reports whether a role has a use for these pages; the vault decides.
func overseesIncidents(r policy.Role) bool {
	return r == policy.Coordinator || r == policy.DataProtection
}

// ofService reports whether somebody works for the whole service, not for organisations of it.
func ofService(u vaultclient.User) bool { return len(u.Organisations) == 0 }

// incidentsView is the list of incidents.
type incidentsView struct {
	Rows, Drills []vaultclient.Incident
	Done         words.Key
}

func (h *handler) incidentList(v *visit) error {
	all, err := h.Register.Incidents(v.ctx, v.auth)
	if err != nil {
		return err
	}
	x := incidentsView{Done: v.done()}
	for _, one := range all {
		if one.Drill {
			x.Drills = append(x.Drills, one)
		} else {
			x.Rows = append(x.Rows, one)
		}
	}
	h.render(v.w, v.r, http.StatusOK, incidentsPage(h.frame(titleIncidents, &v.user, link{Text: "Overview", Href: "/"}), x))
	return nil
}

// incidentCrumbs lead back from a page about an incident.
func incidentCrumbs(n *vaultclient.Incident) []link {
	crumbs := []link{{Text: "Overview", Href: "/"}, {Text: titleIncidents, Href: incidentsPath}}
	if n != nil {
		crumbs = append(crumbs, link{Text: words.Plain(n.Number), Href: incidentPath(n.ID)})
	}
	return crumbs
}

// caseView is an incident, and what its pages know of it.
type caseView struct {
	vaultclient.Incident
	Path          string
	Service       bool // the reader works for the whole service
	Organisations []vaultclient.Organisation
	Users         []vaultclient.User // to name accounts; none for who may not
	Now           time.Time
	Done          words.Key
	Whole         bool // show every step, not the newest alone
}

// shownSteps are how many of an incident's steps its page shows at first.
const shownSteps = 100

// folded is how many steps the page leaves out: the oldest.
func (x caseView) folded() int {
	if x.Whole {
		return 0
	}
	return max(len(x.Steps)-shownSteps, 0)
}

// theIncident finds the incident of an address; one that the reader does not see is not told apart from none.
func (h *handler) theIncident(v *visit) (x caseView, err error) {
	var n id.Incident
	if err := idIn(v, "incident", &n); err != nil {
		return x, err
	}
	all, err := h.Register.Incidents(v.ctx, v.auth)
	if err != nil {
		return x, err
	}
	i := slices.IndexFunc(all, func(one vaultclient.Incident) bool { return one.ID == n })
	if i < 0 {
		return x, errNoPage
	}
	x = caseView{Incident: all[i], Path: incidentPath(n), Service: ofService(v.user), Now: h.Now(), Done: v.done(), Whole: v.r.URL.Query().Get("timeline") == "all"}
	if x.Organisations, err = h.Vault.Organisations(v.ctx, v.auth); err != nil {
		return x, err
	}
	sortOrganisations(x.Organisations)
	if slices.ContainsFunc(x.Steps, func(s vaultclient.IncidentStep) bool {
		return s.Hypothesis != nil && recipientKind(*s.Hypothesis) == suspectAccount
	}) {
		x.Users, err = h.usersFor(v)
	}
	return x, err
}

// usersFor are the accounts that a co-ordinator may name. Others are not asked about: it would be entered as refused.
func (h *handler) usersFor(v *visit) ([]vaultclient.User, error) {
	if v.user.Role != policy.Coordinator {
		return nil, nil
	}
	return h.Register.Users(v.ctx, v.auth)
}

// Caption is what stands above the titles of its pages.
func (x caseView) Caption(ctx context.Context) string {
	if x.Drill {
		return words.T(ctx, "Rehearsal %s", x.Number)
	}
	return words.T(ctx, "Incident %s", x.Number)
}

// name is an organisation's name; the zero one is the service.
func (x caseView) name(ctx context.Context, o id.Organisation) string {
	if o.IsZero() {
		return words.T(ctx, "The service")
	}
	return organisationName(ctx, x.Organisations, o)
}

// own is the organisation of a reader of one alone, else zero.
func (x caseView) own() id.Organisation {
	if x.Service || len(x.Organisations) != 1 {
		return id.Organisation{}
	}
	return x.Organisations[0].ID
}

// The kinds of what may be suspected.
const (
	suspectAccount  = "account"
	suspectWeb      = "web"
	suspectWorker   = "worker"
	suspectMachine  = "machine"
	suspectSupplier = "supplier"
	suspectExport   = "export"
	suspectMedium   = "medium"
	suspectAnybody  = "anybody"
)

// recipientKind is the kind of what a hypothesis suspects.
func recipientKind(h vaultclient.Hypothesis) string {
	kind, of, _ := strings.Cut(string(h.Recipient), ":")
	switch {
	case h.Medium:
		return suspectMedium
	case kind == "user":
		return suspectAccount
	case kind == "node" && of == "web":
		return suspectWeb
	case kind == "node" && of == "worker":
		return suspectWorker
	case kind == "machine" || kind == "grant":
		return suspectMachine
	case kind == "supplier":
		return suspectSupplier
	case kind == "export":
		return suspectExport
	case kind == "":
		return suspectAnybody
	}
	return kind
}

// suspect says whom a hypothesis suspects.
func (x caseView) suspect(ctx context.Context, h vaultclient.Hypothesis) string {
	return suspectWords(ctx, h, x.Users)
}

func suspectWords(ctx context.Context, h vaultclient.Hypothesis, users []vaultclient.User) string {
	_, of, _ := strings.Cut(string(h.Recipient), ":")
	switch recipientKind(h) {
	case suspectMedium:
		return words.T(ctx, "A stolen database or backup")
	case suspectAccount:
		for _, u := range users {
			if u.ID.String() == of {
				return words.T(ctx, "The account of %s", u.Name)
			}
		}
		return words.T(ctx, "The account %s", of)
	case suspectWeb:
		return words.T(ctx, "The web node")
	case suspectWorker:
		return words.T(ctx, "The worker")
	case suspectMachine:
		return words.T(ctx, "The machine or grant %s", of)
	case suspectSupplier:
		return words.T(ctx, "The supplier %s", of)
	case suspectExport:
		return words.T(ctx, "The export or print %s", of)
	case suspectAnybody:
		return words.T(ctx, "Anybody: it is not known who")
	}
	return string(h.Recipient)
}

// windowWords says from when to when.
func windowWords(ctx context.Context, h vaultclient.Hypothesis) string {
	return words.T(ctx, "%s to %s", h.From, h.To)
}

// hypotheses are those of an incident, in order.
func (x caseView) hypotheses() (all []vaultclient.Hypothesis) {
	for _, s := range x.Steps {
		if s.Hypothesis != nil {
			all = append(all, *s.Hypothesis)
		}
	}
	return all
}

// incidentView is the page of an incident.
type incidentView struct {
	caseView
	Tasks        []task
	Sealed       bool // a sealed medium is among what is suspected
	Open         bool // something is suspected by which fields became readable
	Exposures    vaultclient.Exposures
	Rows         []figureRow
	Assessment   incident.Assessment
	Combinations []incident.Combination
	Ways         []wayRow
	Duties       []incident.Duty
	Clocks       []clockRow
	Untold       []string
}

// task is one thing to be done about an incident, with how far it is.
type task struct {
	Title, Hint words.Key
	Href        string
	State       words.Key
	Colour      string // of the state's tag; empty: the state stands as plain text
}

// figureRow is a row of the table of organisations and combinations of fields.
type figureRow struct {
	incident.Row
	Name  string // of the organisation; empty below its first row
	Level incident.Level
	Told  bool
}

// wayRow counts whom something became known of by one way.
type wayRow struct {
	Way, Meaning words.Key
	Wearers      int
}

// clockRow is a time within which something is decided.
type clockRow struct {
	incident.OrganisationClock
	Name string
}

// Left says how much time is left.
func (k clockRow) Left(ctx context.Context, now time.Time) string {
	switch d := k.OrganisationClock.Left(now); {
	case k.Done:
		return words.T(ctx, "Decided")
	case d < 0:
		return words.T(ctx, "Late by %s. The regulator wants the reason", lengthWords(ctx, -d))
	default:
		return words.T(ctx, "%s left", lengthWords(ctx, d))
	}
}

// Late reports whether nothing was decided in time.
func (k clockRow) Late(now time.Time) bool { return !k.Done && k.OrganisationClock.Left(now) < 0 }

// lengthWords says a length of time in the two largest of days, hours and minutes.
func lengthWords(ctx context.Context, d time.Duration) string {
	days, hours, minutes := int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60
	if days > 0 {
		return words.T(ctx, "%s %s", words.Count(ctx, days, "day", "days"), words.Count(ctx, hours, "hour", "hours"))
	}
	return words.T(ctx, "%s %s", words.Count(ctx, hours, "hour", "hours"), words.Count(ctx, minutes, "minute", "minutes"))
}

// ways are the bases of exposures, with what each means.
var ways = []struct {
	basis        string
	way, meaning words.Key
}{
	{"gate", "Read here", "Fields that the vault showed. Each has its entry"},
	{"intake", "Arrived here", "Files and forms that came in from outside, by way of what is suspected"},
	{"declared", "Declared", "What was held before, or outside, and was declared afterwards"},
}

// levelTags are the colours of severities.
var levelTags = map[incident.Level]string{incident.Low: "grey", incident.Medium: "yellow", incident.High: "orange", incident.VeryHigh: "red"}

// figures asks the ledgers who is concerned, and counts it in every way that the page shows.
func (h *handler) figures(v *visit, x *incidentView) error {
	x.Sealed = slices.ContainsFunc(x.hypotheses(), func(h vaultclient.Hypothesis) bool { return h.Medium })
	r, open := incident.Scope(x.Incident)
	if x.Open = open; !open {
		x.Assessment = incident.AssessmentOf(x.Incident, x.own(), 0)
		return nil
	}
	var err error
	if x.Exposures, err = h.Register.Exposures(v.ctx, v.auth, r); err != nil {
		return err
	}
	table := incident.Table(x.Exposures.List)
	for _, o := range incident.Untold(x.Incident, table) {
		x.Untold = append(x.Untold, x.name(v.ctx, o))
	}
	slices.Sort(x.Untold)
	x.Assessment = incident.AssessmentOf(x.Incident, x.own(), x.Exposures.People)
	if x.Combinations, err = incident.Combinations(table, x.Assessment); err != nil {
		return err
	}
	for _, row := range table {
		r := figureRow{Row: row, Name: x.name(v.ctx, row.Organisation), Told: toldAt(x.Incident, row.Organisation) != nil}
		for _, c := range x.Combinations {
			if c.Fields == row.Fields {
				r.Level = c.Severity.Level
			}
		}
		x.Rows = append(x.Rows, r)
	}
	slices.SortStableFunc(x.Rows, func(a, b figureRow) int { return cmp.Compare(a.Name, b.Name) })
	for i := len(x.Rows) - 1; i > 0; i-- {
		if x.Rows[i].Organisation == x.Rows[i-1].Organisation {
			x.Rows[i].Name = ""
		}
	}
	for _, w := range ways {
		n := 0
		for _, cell := range x.Exposures.Cells {
			if cell.Basis == w.basis {
				n += cell.Wearers
			}
		}
		x.Ways = append(x.Ways, wayRow{w.way, w.meaning, n})
	}
	return nil
}

// toldAt is the step by which an organisation was told first, or nil.
func toldAt(one vaultclient.Incident, o id.Organisation) *vaultclient.IncidentStep {
	for i, s := range one.Steps {
		if s.Kind == vaultclient.Told && s.Organisation == o {
			return &one.Steps[i]
		}
	}
	return nil
}

// concerned are the organisations of the table, each once.
func (x incidentView) concerned() (all []id.Organisation) {
	for _, row := range x.Rows {
		if !slices.Contains(all, row.Organisation) {
			all = append(all, row.Organisation)
		}
	}
	return all
}

func (h *handler) incidentView(v *visit) (x incidentView, err error) {
	if x.caseView, err = h.theIncident(v); err != nil {
		return x, err
	}
	if err := h.figures(v, &x); err != nil {
		return x, err
	}
	as := incident.Controller
	if x.Service {
		as = incident.Processor
	}
	switch {
	case len(x.Combinations) > 0:
		x.Duties = incident.Duties(as, x.Combinations[0].Severity)
	case x.Sealed:
		x.Duties = incident.Duties(as, incident.Severity{Unintelligible: true})
	}
	for _, k := range incident.Clocks(x.Incident) {
		if k.Organisation.IsZero() && !x.Service {
			continue // the service's own
		}
		row := clockRow{k, x.name(v.ctx, k.Organisation)}
		if k.Organisation.IsZero() {
			row.Name = words.T(v.ctx, "The service, for its own staff")
		}
		x.Clocks = append(x.Clocks, row)
	}
	return x, nil
}

// showIncident shows an incident, recomputed from the ledgers.
func (h *handler) showIncident(v *visit) error {
	x, err := h.incidentView(v)
	if err != nil {
		return err
	}
	if err := h.tasks(v, &x); err != nil {
		return err
	}
	h.render(v.w, v.r, http.StatusOK, incidentPage(h.frame(words.Plain(x.Caption(v.ctx)), &v.user, incidentCrumbs(nil)...), x))
	return nil
}

// lastStep is the newest step of a kind that concerns an organisation, zero for none of them, or nil.
func lastStep(one vaultclient.Incident, kind vaultclient.IncidentStepKind, o id.Organisation) *vaultclient.IncidentStep {
	for i := len(one.Steps) - 1; i >= 0; i-- {
		if one.Steps[i].Kind == kind && one.Steps[i].Organisation == o {
			return &one.Steps[i]
		}
	}
	return nil
}

// tasks fills in what is to be done, in the order in which it is done.
func (h *handler) tasks(v *visit, x *incidentView) error {
	who := task{Title: "See who is concerned", Hint: "Organisations, people and fields, from the ledgers", Href: x.whoHref(), State: "Nobody", Colour: "green"}
	switch {
	case x.Open && x.Exposures.People > 0:
		who.State, who.Colour = words.Plain(capital(people(v.ctx, x.Exposures.People))), "blue"
	case !x.Open:
		who.State, who.Colour = "Sealed", "green"
	}
	assess := task{Title: "Weigh how severe it is", Hint: "By combination of fields, with each reason", Href: x.Path + "/assess", State: "Nothing to weigh"}
	if len(x.Combinations) > 0 {
		level := x.Combinations[0].Severity.Level
		assess.State, assess.Colour = words.Plain(capital(incident.Say(v.ctx, level.Words()))), levelTags[level]
	}
	if x.Assessment.Step == nil && assess.Colour != "" {
		assess.Hint = "So far by the worst that is possible: say what is known"
	}
	decide := task{Title: "Decide about the regulator and the people", Hint: "Each organisation decides for its own people", Href: x.Path + "/enter/decide"}
	if !x.Service {
		decide.Hint = "You decide for your organisation, and say why"
	}
	x.clockState(v.ctx, &decide)
	if x.Service {
		stop, err := h.stopTask(v, x)
		if err != nil {
			return err
		}
		x.Tasks = append(x.Tasks, stop, who, assess, x.tellTask(v.ctx), decide, x.papersTask())
		end := task{Title: "Close it", Hint: "When everybody was told and has decided", Href: x.Path + "/enter/close", State: "Not yet"}
		if x.Closed {
			end.Href, end.State, end.Colour = "", "Closed", ""
		}
		x.Tasks = append(x.Tasks, end)
		return nil
	}
	ask := task{Title: "Ask the service", Hint: "It sees your question at once, and answers here", Href: x.Path + "/enter/ask", State: "Nothing asked"}
	if asked := lastStep(x.Incident, vaultclient.Asked, x.own()); asked != nil {
		ask.State, ask.Colour = "Waits for an answer", "yellow"
		if answered := lastStep(x.Incident, vaultclient.Answered, x.own()); answered != nil && answered.At.After(asked.At) {
			ask.State, ask.Colour = "Answered", ""
		}
	}
	sign := task{Title: "Sign off", Hint: "When your organisation has done its part", Href: x.Path + "/enter/sign-off", State: "Not yet"}
	if lastStep(x.Incident, vaultclient.SignedOff, x.own()) != nil {
		sign.State = "Signed off"
	}
	x.Tasks = append(x.Tasks, who, assess, decide, x.papersTask(), ask, sign)
	return nil
}

// papersTask leads to what is written from the incident.
func (x incidentView) papersTask() task {
	return task{Title: "Say and report it", Hint: "The regulator’s form, the statement, the register of breaches, what people are told", Href: x.Path + "/papers", State: "Filled in"}
}

// whoHref leads to who is concerned: an organisation's officer to their names.
func (x incidentView) whoHref() string {
	if !x.Service && x.Open {
		return x.Path + "/people"
	}
	return "#who"
}

// clockState says in a task how much time is left to decide, by the clock that ends first.
func (x incidentView) clockState(ctx context.Context, t *task) {
	t.State, t.Colour = "Decided", ""
	open := slices.DeleteFunc(slices.Clone(x.Clocks), func(k clockRow) bool { return k.Done })
	if len(open) == 0 {
		if len(x.Clocks) == 0 {
			t.State = "The clock has not begun"
		}
		return
	}
	first := slices.MinFunc(open, func(a, b clockRow) int { return a.Due().Compare(b.Due()) })
	t.State, t.Colour = words.Plain(words.T(ctx, "%s left", lengthWords(ctx, max(first.OrganisationClock.Left(x.Now), 0)))), "yellow"
	if first.Late(x.Now) {
		t.State, t.Colour = "Late", "red"
	}
}

// tellTask says how many of the organisations were told.
func (x incidentView) tellTask(ctx context.Context) task {
	t := task{Title: "Tell the organisations", Hint: "At once, with the largest number; counts are refined later", Href: x.Path + "/tell", State: "Nobody to tell"}
	if all := len(x.concerned()); all > 0 {
		t.State, t.Colour = words.Plain(words.T(ctx, "%s of %s told", number(all-len(x.Untold)), number(all))), "red"
		if len(x.Untold) == 0 {
			t.Colour = ""
		}
	}
	return t
}

package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"net/http"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/incident"
	"github.com/dosevault/dosevault/internal/letter"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// papersView is what is said and reported of a breach: files, what people are told, and who else is.
type papersView struct {
	caseView
	Files  []paperLink
	Advice []adviceRow
	Nation incident.Nation // of Routes; empty: nobody chose one
	Routes []incident.Route
}

// paperLink is a file to download.
type paperLink struct {
	Text, Hint words.Key
	Href       string
}

// adviceRow is what is said to people of whom some fields became readable.
type adviceRow struct {
	Fields  string
	Wearers int
	incident.Advice
}

// nations are those of the United Kingdom, as a page names them.
var nations = []struct {
	nation incident.Nation
	text   words.Key
}{{"england", "England"}, {"wales", "Wales"}, {"scotland", "Scotland"}, {"northern-ireland", "Northern Ireland"}}

// matter is the incident of an address with what the ledgers answer, and of whom the reader reports: the own organisation, or the service.
func (h *handler) matter(v *visit) (x caseView, m incident.Matter, err error) {
	if x, err = h.theIncident(v); err != nil {
		return x, m, err
	}
	m = incident.Matter{Incident: x.Incident, Organisations: x.Organisations, Now: x.Now}
	if r, open := incident.Scope(x.Incident); open {
		m.Exposures, err = h.Register.Exposures(v.ctx, v.auth, r)
	}
	return x, m, err
}

func (h *handler) papers(v *visit) error {
	c, m, err := h.matter(v)
	if err != nil {
		return err
	}
	x := papersView{caseView: c}
	path := c.Path + "/papers/"
	x.Files = []paperLink{
		{"Report to the Information Commissioner (PDF)", "The form, filled in as far as the incident knows; the rest is for whoever signs", path + "report.pdf"},
		{"The same as JSON", "With stable names, for other programs", path + "report.json"},
	}
	if c.Service {
		x.Files = append(x.Files, paperLink{"Public statement (PDF)", "In the language of this page; counts of fewer than ten people are not published", path + "statement.pdf"})
	}
	if !c.Drill {
		x.Files = append(x.Files, paperLink{"Entry in the register of breaches (CSV)", "Facts, effects, what was done, what was decided and why", path + "register.csv"})
	}
	for _, o := range c.Organisations {
		if notice(c.Incident, o.ID) != nil {
			x.Files = append(x.Files, paperLink{words.Plain(words.T(v.ctx, "Notice to %s as a letter (PDF)", o.Name)), "As it was given out last, in the languages of its contact", path + "notice.pdf?organisation=" + o.ID.String()})
		}
	}
	all, err := incident.Combinations(incident.Table(m.Exposures.List), incident.AssessmentOf(c.Incident, c.own(), m.Exposures.People))
	if err != nil {
		return err
	}
	for _, one := range all {
		x.Advice = append(x.Advice, adviceRow{capital(incident.SayFields(v.ctx, one.Fields)), one.Wearers, incident.AdviceFor(one.Fields)})
	}
	if n := incident.Nation(v.r.URL.Query().Get("nation")); slices.Contains(incident.Nations, n) {
		x.Nation, x.Routes = n, incident.Routes(n, c.body())
	}
	h.render(v.w, v.r, http.StatusOK, papersPage(h.frame("What is said and reported", &v.user, incidentCrumbs(&c.Incident)...), x))
	return nil
}

// body is what kind of body reports: the own organisation, or the service, which belongs to the NHS.
func (x caseView) body() incident.Body {
	if len(x.Organisations) == 1 && !x.Service {
		return cmp.Or(incident.BodyOf(x.Organisations[0].Kind), "public")
	}
	return "nhs"
}

// within says within how long a route is taken.
func within(ctx context.Context, r incident.Route) string {
	if r.Within == 0 {
		return words.T(ctx, "No fixed time")
	}
	return words.T(ctx, "Within %s", words.Count(ctx, int(r.Within.Hours()), "hour", "hours"))
}

// notice is the step that gave out the newest notice to an organisation, or nil.
func notice(one vaultclient.Incident, o id.Organisation) (told *vaultclient.IncidentStep) {
	for i, s := range one.Steps {
		if s.Organisation == o && s.Notice != nil {
			told = &one.Steps[i]
		}
	}
	return told
}

// paper answers with a file. None of them names anybody.
func (h *handler) paper(v *visit) error {
	c, m, err := h.matter(v)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	write := func(title words.Key, lang words.Lang, parts []letter.Part) error {
		d := letter.Document{Title: words.T(v.ctx, title) + " " + c.Number, Day: day.At(m.Now.UTC()), Foot: c.Number + ", " + words.Moment(v.ctx, m.Now), Lang: lang, Parts: parts}
		return d.Write(&b)
	}
	file := v.r.PathValue("file")
	kind := "application/pdf"
	switch file {
	case "report.pdf", "report.json":
		r, err := incident.ReportOf(m, c.own(), nil, nil)
		if err != nil {
			return err
		}
		if file == "report.json" {
			kind = "application/json"
			err = r.JSON(&b)
		} else {
			err = write("Report", words.Of(v.ctx), r.Document(v.ctx))
		}
		if err != nil {
			return err
		}
	case "statement.pdf":
		if !c.Service {
			return errNoPage
		}
		parts, err := incident.Statement(v.ctx, m, "")
		if err != nil {
			return err
		}
		if err := write("Statement", words.Of(v.ctx), parts); err != nil {
			return err
		}
	case "register.csv":
		if c.Drill {
			return errNoPage
		}
		row, err := incident.BreachOf(m, c.own())
		if err != nil {
			return err
		}
		cells := row.Cells()
		for i := range cells {
			cells[i] = cell(cells[i])
		}
		kind = "text/csv; charset=utf-8"
		if err := csv.NewWriter(&b).WriteAll([][]string{incident.BreachColumns, cells}); err != nil {
			return err
		}
	case "notice.pdf":
		i := slices.IndexFunc(c.Organisations, func(o vaultclient.Organisation) bool { return o.ID.String() == v.r.URL.Query().Get("organisation") })
		if i < 0 || notice(c.Incident, c.Organisations[i].ID) == nil {
			return errNoPage
		}
		told := notice(c.Incident, c.Organisations[i].ID)
		parts, err := incident.OrganisationLetter(v.ctx, c.Number, c.Organisations[i].Name, *told, "")
		if err != nil {
			return err
		}
		if err := write("Notice", incident.LanguagesOf(told.Notice.Contact.Language)[0], parts); err != nil {
			return err
		}
	default:
		return errNoPage
	}
	v.file(b.Bytes(), kind, c.Number+"-"+file)
	return nil
}

// sayAll says texts of package incident.
func sayAll(ctx context.Context, all []words.Key) []string {
	said := make([]string, len(all))
	for i, k := range all {
		said[i] = incident.Say(ctx, k)
	}
	return said
}

// hostOf is the host of an address that was written without its scheme.
func hostOf(at string) string {
	host, _, _ := strings.Cut(at, "/")
	return host
}

package web

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/a-h/templ"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// page is a page with a form, of somebody who is taken on.
type page = func(frame, form, takeOnView) templ.Component

// changeView is a form that changes one thing of a wearer.
type changeView struct {
	Record      vaultclient.Record
	Caption     string
	Action      string
	Departments []string
	Out         []BadgeOut
}

// changePart is one thing that can be changed of a wearer.
type changePart struct {
	title  words.Key
	fields policy.Fields // that the form shows filled in; what a role does not read is not among them
	work   bool          // department and job title too
	page   func(frame, form, changeView) templ.Component
	fill   func(f *form, r vaultclient.Record, w Work)
	read   func(f *form, p *Person)
	done   string
}

var changeParts = map[string]changePart{
	"name": {"Name", policy.FieldName, false, changeNamePage,
		func(f *form, r vaultclient.Record, _ Work) {
			f.values.Set("surname", r.Identity.Surname.Expose())
			f.values.Set("forenames", r.Identity.Forenames.Expose())
			f.values.Set("known", r.Identity.KnownAs.Expose())
		},
		func(f *form, p *Person) { p.Identity, p.Replace = nameOfForm(f), policy.FieldName }, ""},
	"staff": {"Staff number and registration", policy.FieldName | policy.FieldStaffNumber | policy.FieldRegistration, false, changeStaffPage,
		func(f *form, r vaultclient.Record, _ Work) {
			f.values.Set("staff", r.Identity.StaffNumber.Expose())
			f.values.Set("registration", r.Identity.Registration.Expose())
		},
		func(f *form, p *Person) {
			p.Identity.StaffNumber = person.NewValue(f.need("staff", "Enter the staff number"))
			p.Identity.Registration, p.Replace = person.NewValue(f.Text("registration")), policy.FieldRegistration
		}, ""},
	"birth": {"Date of birth", policy.FieldName, false, changeBirthPage, nil,
		func(f *form, p *Person) { p.Identity.Birth = birthIn(f, true) }, ""},
	"sex": {"Sex", policy.FieldName | policy.FieldSex, false, changeSexPage,
		func(f *form, r vaultclient.Record, _ Work) { f.values.Set("sex", r.Identity.Sex.Expose()) },
		func(f *form, p *Person) {
			p.Identity.Sex = person.NewValue(f.choice("sex", "Select their sex", "F", "M", "X"))
		}, ""},
	"contact": {"Contact", policy.FieldName | policy.FieldContact, false, changeContactPage,
		func(f *form, r vaultclient.Record, _ Work) {
			f.values.Set("email", r.Contact.Email.Expose())
			f.values.Set("phone", r.Contact.Phone.Expose())
			f.values.Set("language", r.Contact.Language.Expose())
			address := ""
			for _, l := range r.Contact.Address {
				address += l.Expose() + "\n"
			}
			f.values.Set("address", address)
		},
		func(f *form, p *Person) { p.Contact, p.Replace = contactIn(f), policy.FieldContact }, ""},
	"work": {"Department and job title", policy.FieldName, true, changeWorkPage,
		func(f *form, _ vaultclient.Record, w Work) {
			f.values.Set("department", w.Department)
			f.values.Set("job", w.JobTitle)
		},
		func(f *form, p *Person) { p.Work, p.Employment, p.Replace = workIn(f), true, policy.FieldEmployment }, ""},
	"classified": {"Classified person", policy.FieldName, false, changeClassifiedPage,
		func(f *form, r vaultclient.Record, _ Work) {
			f.values.Set("classified", map[bool]string{true: "yes", false: "no"}[r.Classified])
		},
		func(f *form, p *Person) {
			was := p.Classified
			p.Classified, p.KeepClassified = f.choice("classified", "Select whether they are classified", "yes", "no") == "yes", false
			if p.Classified {
				p.NI = niIn(f, !was)
			}
		}, ""},
	"leave": {"They leave", policy.FieldName, false, changeLeavePage,
		func(f *form, r vaultclient.Record, _ Work) {
			if d, err := day.Parse(r.To); err == nil {
				f.setDay("to", d)
			}
		},
		func(f *form, p *Person) {
			p.To, p.KeepTo = f.Day("to", "The last day"), false
			if !p.To.IsZero() && p.To < p.From {
				f.wrong("to-day", "The last day must not be before the first, %s", p.From)
			}
			p.From = 0
		}, "wearer-left"},
}

// changeWearer asks for one thing of a wearer and changes it. What the form does not ask for stays as it is, and what the
// role does not read is neither shown nor asked for again.
func (h *handler) changeWearer(v *visit) error {
	var w id.Wearer
	if err := idIn(v, "wearer", &w); err != nil {
		return err
	}
	name := v.r.PathValue("part")
	part, ok := changeParts[name]
	if !ok {
		return errNoPage
	}
	record, organisation, err := h.revealFor(v, w, part.fields, policy.KeepRecords)
	if err != nil {
		return err
	}
	x := changeView{Record: record, Caption: fullName(record.Identity).Expose(), Action: partOf(w, "change/"+name)}
	var work Work
	if part.work {
		s, err := h.Register.Settings(v.ctx, v.auth, record.Organisation)
		if err != nil {
			return err
		}
		x.Departments = s.Departments
		all, err := h.Register.Work(v.ctx, v.auth, []id.Wearer{w})
		if err != nil {
			return err
		}
		work = all[w]
	}
	if name == "leave" {
		if x.Out, err = h.Register.BadgesOut(v.ctx, v.auth, record.Organisation, w); err != nil {
			return err
		}
	}
	f := formOf()
	if v.r.Method == http.MethodGet {
		if part.fill != nil {
			part.fill(&f, record, work)
		}
	} else {
		if f, err = readForm(v); err != nil {
			return err
		}
		p := Person{Organisation: record.Organisation, Wearer: w, Classified: record.Classified, KeepTo: true, KeepClassified: true}
		if name == "leave" {
			if p.From, err = day.Parse(record.From); err != nil {
				return err
			}
		}
		part.read(&f, &p)
		checkPerson(&f, &p, day.At(h.Now()))
		if len(f.Errors) == 0 {
			_, err := h.Register.PutPerson(v.ctx, v.auth, p)
			field := map[string]string{"name": "surname", "staff": "staff", "birth": "birth-day", "leave": "to-day", "work": "department", "contact": "email", "sex": "sex", "classified": "classified"}[name]
			if err := h.accepted(&f, field, err); err != nil {
				return err
			}
		}
		if len(f.Errors) == 0 {
			done := part.done
			if done == "" {
				done = "wearer-changed"
			}
			http.Redirect(v.w, v.r, wearerPath(w)+"?done="+done, http.StatusSeeOther)
			return nil
		}
	}
	crumbs := append(h.wearerCrumbs(v, record, organisation), link{Text: titleWearer, Href: wearerPath(w)})
	h.render(v.w, v.r, f.status(), part.page(h.frame(part.title, &v.user, crumbs...).of(f), f, x))
	return nil
}

// historyView is what was changed of a wearer.
type historyView struct {
	ledgerView
	Name string
}

// wearerHistory says who changed what of a wearer, and when, from the ledger.
func (h *handler) wearerHistory(v *visit) error {
	var w id.Wearer
	if err := idIn(v, "wearer", &w); err != nil {
		return err
	}
	record, organisation, err := h.reveal(v, w)
	if err != nil {
		return err
	}
	x := historyView{ledgerView: ledgerView{Path: partOf(w, "history")}, Name: fullName(record.Identity).Expose()}
	if err := h.readLedger(v, &x.ledgerView, vaultclient.LedgerRequest{Organisation: record.Organisation, Wearer: w, Changes: true}); err != nil {
		return err
	}
	crumbs := append(h.wearerCrumbs(v, record, organisation), link{Text: titleWearer, Href: wearerPath(w)})
	h.render(v.w, v.r, http.StatusOK, historyPage(h.frame(titleHistory, &v.user, crumbs...), x))
	return nil
}

// pairsView is the list of people who may be one.
type pairsView struct {
	Rows  []pairRows
	Pages pages
	Done  words.Key
}

// pairRows are two of them.
type pairRows struct{ One, Other candidateRow }

// Href is the address of a page.
func (x pairsView) Href(page int) string {
	q := url.Values{}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	return withQuery("/people/pairs", q)
}

// pairs lists the people who may be one, and takes what somebody decided about two of them.
func (h *handler) pairs(v *visit) error {
	if v.r.Method == http.MethodPost {
		f, err := readForm(v)
		if err != nil {
			return err
		}
		one, err := id.Parse[id.Wearer](f.Value("one"))
		if err != nil {
			return errForm
		}
		return h.decide(v, f, one, "/people/pairs")
	}
	page := pageNumber(v.r.URL.Query().Get("page"))
	r := vaultclient.PairsRequest{Offset: (page - 1) * pageSize, Limit: pageSize}
	if len(v.user.Organisations) == 1 {
		r.Organisation = v.user.Organisations[0]
	}
	got, err := h.Register.Pairs(v.ctx, v.auth, r)
	if err != nil {
		return err
	}
	x := pairsView{Pages: paged(got.Total, page), Done: v.done()}
	if x.Pages.Page != page { // past the end: the last page instead
		r.Offset = x.Pages.Offset()
		if got, err = h.Register.Pairs(v.ctx, v.auth, r); err != nil {
			return err
		}
	}
	var found []vaultclient.Candidate
	for _, p := range got.Pairs {
		found = append(found, p.One, p.Other)
	}
	if len(found) > 0 {
		rows, err := h.candidates(v, found)
		if err != nil {
			return err
		}
		for i := 0; i+1 < len(rows); i += 2 {
			x.Rows = append(x.Rows, pairRows{rows[i], rows[i+1]})
		}
	}
	h.render(v.w, v.r, http.StatusOK, pairsPage(h.frame(titlePairs, &v.user, link{Text: "Overview", Href: "/"}), x))
	return nil
}

// decide links two wearers or tells them apart, as a form says.
func (h *handler) decide(v *visit, f form, one id.Wearer, back string) error {
	other, err := id.Parse[id.Wearer](f.Value("other"))
	if err != nil || one.IsZero() || other.IsZero() {
		return errForm
	}
	done := "apart"
	switch f.Value("answer") {
	case "one":
		done = "linked"
		err = h.Register.LinkPersons(v.ctx, v.auth, one, other)
	case "two":
		err = h.Register.TellApart(v.ctx, v.auth, one, other)
	default:
		return errForm
	}
	if err != nil {
		return err
	}
	http.Redirect(v.w, v.r, back+"?done="+done, http.StatusSeeOther)
	return nil
}

// personView lists the other employments of a human being.
type personView struct {
	Name string
	Rows []candidateRow
	Path string
	Done words.Key
}

// samePerson shows the other employments of the person behind a wearer, and takes one out that is somebody else's.
func (h *handler) samePerson(v *visit) error {
	var w id.Wearer
	if err := idIn(v, "wearer", &w); err != nil {
		return err
	}
	path := partOf(w, "person")
	if v.r.Method == http.MethodPost {
		f, err := readForm(v)
		if err != nil {
			return err
		}
		f.values.Set("answer", "two")
		return h.decide(v, f, w, path)
	}
	record, organisation, err := h.reveal(v, w)
	if err != nil {
		return err
	}
	links, err := h.Register.Linked(v.ctx, v.auth, policy.KeepRecords, []id.Wearer{w})
	if err != nil {
		return err
	}
	var others []vaultclient.Candidate
	for _, l := range links[0] {
		if l.Wearer != w {
			others = append(others, vaultclient.Candidate{Wearer: l.Wearer})
		}
	}
	x := personView{Name: fullName(record.Identity).Expose(), Path: path, Done: v.done()}
	if len(others) > 0 {
		if x.Rows, err = h.candidates(v, others); err != nil {
			return err
		}
	}
	crumbs := append(h.wearerCrumbs(v, record, organisation), link{Text: titleWearer, Href: wearerPath(w)})
	h.render(v.w, v.r, http.StatusOK, samePersonPage(h.frame("Employments of one person", &v.user, crumbs...), x))
	return nil
}

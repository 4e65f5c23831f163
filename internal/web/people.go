package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// People is what the pages that take wearers on and change them need of vault and register.
type People interface {
	// PutPerson takes somebody on, or changes a wearer. An error that is a *NotAccepted says why not.
	PutPerson(ctx context.Context, auth vaultclient.Auth, p Person) (id.Wearer, error)
	// Match returns who may be one human being with somebody new.
	Match(ctx context.Context, auth vaultclient.Auth, org id.Organisation, identity person.Identity, ni person.Value) ([]vaultclient.Candidate, error)
	// Pairs returns a page of wearers who may be one human being.
	Pairs(ctx context.Context, auth vaultclient.Auth, r vaultclient.PairsRequest) (vaultclient.PairsPage, error)
	// LinkPersons makes two wearers one human being; TellApart remembers that they are two.
	LinkPersons(ctx context.Context, auth vaultclient.Auth, one, other id.Wearer) error
	TellApart(ctx context.Context, auth vaultclient.Auth, one, other id.Wearer) error
	// Linked returns, for each wearer, every wearer of the same human being, itself included.
	Linked(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, ws []id.Wearer) ([][]vaultclient.LinkedWearer, error)
	// Work returns where wearers work, revealed for the page.
	Work(ctx context.Context, auth vaultclient.Auth, ws []id.Wearer) (map[id.Wearer]Work, error)
	// WorkOf returns where all wearers of an organisation work.
	WorkOf(ctx context.Context, auth vaultclient.Auth, o id.Organisation) (map[id.Wearer]Work, error)
	// BadgesOut returns the badges that a wearer has and has not returned.
	BadgesOut(ctx context.Context, auth vaultclient.Auth, o id.Organisation, w id.Wearer) ([]BadgeOut, error)
}

// Work is where somebody works.
type Work struct{ Department, JobTitle string }

// BadgeOut is a badge that somebody has.
type BadgeOut struct {
	Barcode  string
	From, To day.Day
}

// Person is somebody to take on, or what a form changes of a wearer.
type Person struct {
	Organisation id.Organisation
	Identity     person.Identity
	Contact      person.Contact
	NI           person.Value
	Work         Work
	From, To     day.Day
	Classified   bool
	SamePerson   id.Wearer // zero: a new human being, or the one of the same NI number

	// Of a change: whom, what becomes as it stands here even where it is empty, and what else stays.
	Wearer                 id.Wearer
	Replace                policy.Fields
	KeepTo, KeepClassified bool
	Employment             bool // the department or job title are what changes
}

func (h *handler) peopleRoutes() []route {
	return []route{
		{"GET /organisations/{organisation}/wearers/new", h.page(h.takeOn)},
		{"POST /organisations/{organisation}/wearers/new", h.page(h.takeOn)},
		{"GET /wearers/{wearer}/change/{part}", h.page(h.changeWearer)},
		{"POST /wearers/{wearer}/change/{part}", h.page(h.changeWearer)},
		{"GET /wearers/{wearer}/history", h.page(h.wearerHistory)},
		{"GET /wearers/{wearer}/person", h.page(h.samePerson)},
		{"POST /wearers/{wearer}/person", h.page(h.samePerson)},
		{"GET /people/pairs", h.page(h.pairs)},
		{"POST /people/pairs", h.page(h.pairs)},
	}
}

// The titles that menus know.
const (
	titlePairs   = "People who may be one"
	titleHistory = "What was changed"
)

// managesPeople reports whether a role has a use for these pages; the vault decides.
func managesPeople(r policy.Role) bool { return r == policy.Coordinator }

func init() {
	dones["taken-on"] = "They were taken on"
	dones["wearer-changed"] = "The record was changed"
	dones["wearer-left"] = "That they leave was recorded"
	dones["linked"] = "They are one person now: their doses are summed"
	dones["apart"] = "They are two people; this is remembered"
}

// takeOnView is a step of taking somebody on.
type takeOnView struct {
	Organisation vaultclient.Organisation
	Departments  []string
	Path         string
	Candidates   []candidateRow
	Same         *candidateRow // chosen
}

// candidateRow is somebody who may be the same person, revealed.
type candidateRow struct {
	vaultclient.Record
	Organisation string
	Why          person.Likeness
}

// takeOn asks for somebody new, one thing after the other: who they are, an NI number if they are classified, whether they
// are known under another employer, and whether all of it is right.
func (h *handler) takeOn(v *visit) error {
	var n id.Organisation
	if err := idIn(v, "organisation", &n); err != nil {
		return err
	}
	o, err := h.organisation(v, n)
	if err != nil {
		return err
	}
	settings, err := h.Register.Settings(v.ctx, v.auth, n)
	if err != nil {
		return err
	}
	x := takeOnView{Organisation: o, Departments: settings.Departments, Path: wearersPath(n) + "/new"}
	crumbs := []link{{Text: "Overview", Href: "/"}, {Text: titleWearers, Href: wearersPath(n)}}
	f := formOf()
	show := func(title words.Key, p page) error {
		h.render(v.w, v.r, f.status(), p(h.frame(title, &v.user, crumbs...).of(f), f, x))
		return nil
	}
	const details, ni, same, check = "Take somebody on", "NI number", "Is this somebody who is known?", "Check before you take them on"
	if v.r.Method == http.MethodGet {
		return show(details, takeOnPage)
	}
	if f, err = readForm(v); err != nil {
		return err
	}
	p := personIn(&f, day.At(h.Now()))
	p.Organisation = n
	if len(f.Errors) > 0 || f.Value("step") == "change" {
		return show(details, takeOnPage)
	}
	if p.Classified {
		if _, asked := f.values["ni"]; !asked {
			return show(ni, niPage)
		}
		if p.NI = niIn(&f, true); len(f.Errors) > 0 {
			return show(ni, niPage)
		}
	}
	if _, asked := f.values["same"]; !asked {
		found, err := h.Register.Match(v.ctx, v.auth, n, p.Identity, p.NI)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			if x.Candidates, err = h.candidates(v, found); err != nil {
				return err
			}
			return show(same, samePage)
		}
		f.values.Set("same", "nobody")
	}
	if text := f.Value("same"); text != "nobody" {
		w, err := id.Parse[id.Wearer](text)
		if err != nil || w.IsZero() { // nothing was chosen: ask again
			f.values.Del("same")
			f.wrong("same", "Select whether this is somebody who is known")
			found, err := h.Register.Match(v.ctx, v.auth, n, p.Identity, p.NI)
			if err != nil {
				return err
			}
			if x.Candidates, err = h.candidates(v, found); err != nil {
				return err
			}
			return show(same, samePage)
		}
		p.SamePerson = w
	}
	if f.Value("step") != "save" {
		if !p.SamePerson.IsZero() {
			rows, err := h.candidates(v, []vaultclient.Candidate{{Wearer: p.SamePerson}})
			if err != nil {
				return err
			}
			x.Same = &rows[0]
		}
		return show(check, checkPersonPage)
	}
	w, err := h.Register.PutPerson(v.ctx, v.auth, p)
	if err := h.accepted(&f, "staff", err); err != nil {
		return err
	}
	if len(f.Errors) > 0 {
		return show(details, takeOnPage)
	}
	http.Redirect(v.w, v.r, wearerPath(w)+"?done=taken-on", http.StatusSeeOther)
	return nil
}

// candidates reveals who candidates are.
func (h *handler) candidates(v *visit, found []vaultclient.Candidate) ([]candidateRow, error) {
	ws := make([]id.Wearer, len(found))
	for i, c := range found {
		ws[i] = c.Wearer
	}
	records, err := h.Vault.Reveal(v.ctx, v.auth, vaultclient.RevealRequest{Purpose: policy.KeepRecords, Fields: policy.FieldName | policy.FieldStaffNumber, Wearers: ws, Reason: "may be the same person"})
	if err != nil {
		return nil, err
	}
	all, err := h.Vault.Organisations(v.ctx, v.auth)
	if err != nil {
		return nil, err
	}
	rows := make([]candidateRow, len(records))
	for i, r := range records {
		rows[i] = candidateRow{Record: r, Organisation: organisationName(v.ctx, all, r.Organisation), Why: found[i].Why}
	}
	return rows, nil
}

// personIn reads somebody new from a form.
func personIn(f *form, today day.Day) Person {
	p := Person{Identity: nameOfForm(f), Work: workIn(f)}
	p.Identity.StaffNumber = person.NewValue(f.need("staff", "Enter the staff number"))
	p.Identity.Birth = birthIn(f, true)
	p.Identity.Sex = person.NewValue(f.choice("sex", "Select their sex; the limit for a pregnancy depends on it", "F", "M", "X"))
	p.Identity.Registration = person.NewValue(f.Text("registration"))
	p.Contact = contactIn(f)
	p.From = f.Day("from", "The first day")
	if p.From.IsZero() {
		f.wrong("from-day", "Enter their first day with this employer")
	}
	p.Classified = f.choice("classified", "Select whether they are classified", "yes", "no") == "yes"
	checkPerson(f, &p, today)
	return p
}

func nameOfForm(f *form) person.Identity {
	return person.Identity{Surname: person.NewValue(f.need("surname", "Enter the surname")), Forenames: person.NewValue(f.need("forenames", "Enter the forenames")),
		KnownAs: person.NewValue(f.Text("known"))}
}

// birthIn reads a date of birth.
func birthIn(f *form, needed bool) person.Value {
	d := f.Day("birth", "The date of birth")
	if d.IsZero() {
		if needed {
			f.wrong("birth-day", "Enter the date of birth")
		}
		return person.Value{}
	}
	return person.NewValue(d.String())
}

func workIn(f *form) Work {
	w := Work{f.Text("department"), f.Text("job")}
	for name, s := range map[string]string{"department": w.Department, "job": w.JobTitle} {
		if len(s) > person.MaxText {
			f.wrong(name, "Enter 200 characters or less")
		}
	}
	return w
}

func contactIn(f *form) person.Contact {
	c := person.Contact{Email: person.NewValue(f.Text("email")), Phone: person.NewValue(f.Text("phone")), Language: person.NewValue(f.Value("language"))}
	for _, l := range f.Lines("address") {
		c.Address = append(c.Address, person.NewValue(l))
	}
	return c
}

func niIn(f *form, needed bool) person.Value {
	text := f.Text("ni")
	if text == "" {
		if needed {
			f.wrong("ni", "Enter the National Insurance number")
		}
		return person.Value{}
	}
	ni, err := person.CheckNI(person.NewValue(text))
	if err != nil {
		f.wrong("ni", "Enter a National Insurance number of two letters, six digits and a letter A to D")
		return person.Value{}
	}
	return ni
}

// inputs are the inputs for the fields as package person calls them.
var inputs = map[string]string{"surname": "surname", "forenames": "forenames", "known as": "known", "date of birth": "birth-day", "sex": "sex",
	"staff number": "staff", "registration": "registration", "email": "email", "phone": "phone", "address": "address", "language": "language"}

// checkPerson holds a person to the rules of their fields and says beside each what is wrong.
func checkPerson(f *form, p *Person, today day.Day) {
	identity, err := person.CheckIdentity(p.Identity, today)
	wrongFields(f, err)
	contact, err2 := person.CheckContact(p.Contact)
	wrongFields(f, err2)
	if err == nil && err2 == nil {
		p.Identity, p.Contact = identity, contact
	}
}

func wrongFields(f *form, err error) {
	if err == nil {
		return
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range many.Unwrap() {
			wrongFields(f, one)
		}
		return
	}
	if e, ok := errors.AsType[*person.FieldError](err); ok {
		input := inputs[e.Field]
		if input == "" {
			input = "surname"
		}
		text := capital(e.Field) + ": " + string(e.Problem)
		if e.Expect != "" {
			text += "; " + e.Expect + " expected"
		}
		f.wrongInEnglish(input, text)
	}
}

// likenessWord says why two may be one person.
func likenessWord(l person.Likeness) words.Key {
	switch l {
	case person.SameNI:
		return "Same NI number"
	case person.SameNameAndBirth:
		return "Same name and date of birth"
	case person.NearName:
		return "Same date of birth, names that differ a little"
	case person.NearBirth:
		return "Same name, dates of birth that differ in a digit or in the order of day and month"
	case person.UnknownBirth:
		return "Same name, date of birth not known"
	}
	return ""
}

var sexWords = map[string]words.Key{"F": "Female", "M": "Male", "X": "Another, or not said"}

// partOf is where an address stands below a wearer's own.
func partOf(w id.Wearer, part string) string {
	return wearerPath(w) + "/" + strings.TrimPrefix(part, "/")
}

// formerNames are the surnames that somebody had before.
func formerNames(ctx context.Context, i person.Identity) string {
	var s []string
	for _, f := range i.Former {
		s = append(s, f.Expose())
	}
	return words.List(ctx, s)
}

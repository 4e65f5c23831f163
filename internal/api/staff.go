package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/register"
)

// Person is somebody who joins, changes or leaves, known by organisation and staff number. What is left out of somebody
// known stays as it is.
type Person struct {
	Organisation string `json:"organisation" maxLength:"26"`
	StaffNumber  string `json:"staff_number" minLength:"1" maxLength:"100"`
	Surname      string `json:"surname,omitempty" maxLength:"200" doc:"Needed of somebody new"`
	Forenames    string `json:"forenames,omitempty" maxLength:"200"`
	KnownAs      string `json:"known_as,omitempty" maxLength:"200"`
	Birth        string `json:"birth,omitempty" maxLength:"40" doc:"YYYY-MM-DD"`
	Sex          string `json:"sex,omitempty" maxLength:"40" doc:"F, M or X"`
	Registration string `json:"registration,omitempty" maxLength:"100" doc:"As in HCPC RA12345"`
	Email        string `json:"email,omitempty" maxLength:"200"`
	Phone        string `json:"phone,omitempty" maxLength:"100"`
	Department   string `json:"department,omitempty" maxLength:"200"`
	JobTitle     string `json:"job_title,omitempty" maxLength:"200"`
	From         string `json:"from,omitempty" maxLength:"10" doc:"First day of employment, YYYY-MM-DD"`
	To           string `json:"to,omitempty" maxLength:"10" doc:"Last day of employment: somebody who leaves"`
	Classified   *bool  `json:"classified,omitempty" nullable:"false" doc:"Left out: as it is, and of somebody new, not classified"`
}

// List is a list of people.
type List struct {
	People []Person `json:"people" minItems:"1" maxItems:"10000" nullable:"false"`
	DryRun bool     `json:"dry_run,omitempty" doc:"Say what would be done, and do nothing"`
}

// Taken is what became of a list.
type Taken struct {
	Import    *id.Import `json:"import" doc:"null of a dry run"`
	DryRun    bool       `json:"dry_run"`
	People    int        `json:"people"`
	Stored    int        `json:"stored" doc:"New and changed people"`
	Unchanged int        `json:"unchanged"`
}

func (a *api) addStaff(to huma.API) {
	o := post("staff", "/staff", "People who join, change or leave: all of them, or none")
	o.DefaultStatus, o.MaxBodyBytes = http.StatusOK, maxList
	o.Description = "With the same Idempotency-Key and the same list the answer is the same, and nothing is done again; with another list it is a conflict. A key holds nothing personal."
	add(a, to, o, a.staff, "staff")
}

func (a *api) staff(ctx context.Context, c *caller, in *struct {
	Key  string `header:"Idempotency-Key" maxLength:"100" doc:"Needed unless it is a dry run"`
	Body List
}) (*answer[Taken], error) {
	if in.Key == "" && !in.Body.DryRun {
		return nil, errInput{{"header.Idempotency-Key", "a key of the sender's own choice is needed, such as the day and number of the list"}}
	}
	joiners, err := joinersOf(in.Body.People, day.At(a.Now().UTC()))
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(in.Body.People) // the same people in the same order are the same list, however it is laid out
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(b)
	if in.Body.DryRun {
		n, err := a.Register.TryOn(ctx, c.auth, joiners, hash[:], c.machine.Name)
		if err != nil {
			return nil, err
		}
		return &answer[Taken]{Taken{DryRun: true, People: n.In, Stored: n.Stored, Unchanged: n.Ignored}}, nil
	}
	im, err := a.Register.Feed(ctx, c.auth, c.machine.ID, in.Key, joiners, hash[:], c.machine.Name)
	if errors.Is(err, register.ErrExists) {
		p := problem(http.StatusConflict)
		p.Detail = "this Idempotency-Key was used for another list"
		return nil, p
	}
	if err != nil {
		return nil, err
	}
	return &answer[Taken]{Taken{Import: &im.ID, People: im.In, Stored: im.Stored, Unchanged: im.Ignored}}, nil
}

// joinersOf checks a list and returns whom it takes on; the error is an errInput with all that is wrong.
func joinersOf(people []Person, today day.Day) ([]register.Joiner, error) {
	var bad errInput
	out := make([]register.Joiner, len(people))
	first := map[[2]string]int{}
	for i, p := range people {
		wrong := func(field, what string) {
			if len(bad) < 100 {
				bad = append(bad, Wrong{fmt.Sprintf("people[%d].%s", i, field), what})
			}
		}
		j := &out[i]
		org, err := id.Parse[id.Organisation](p.Organisation)
		if err != nil || org.IsZero() {
			wrong("organisation", "the id of an organisation is expected")
		}
		identity, err := person.CheckIdentity(person.Identity{Surname: person.NewValue(p.Surname), Forenames: person.NewValue(p.Forenames), KnownAs: person.NewValue(p.KnownAs),
			StaffNumber: person.NewValue(p.StaffNumber), Birth: person.NewValue(p.Birth), Sex: person.NewValue(p.Sex), Registration: person.NewValue(p.Registration)}, today)
		fieldErrors(err, wrong)
		contact, err := person.CheckContact(person.Contact{Email: person.NewValue(p.Email), Phone: person.NewValue(p.Phone)})
		fieldErrors(err, wrong)
		from, errFrom := day.Parse(p.From)
		if errFrom != nil {
			wrong("from", "a day such as 2026-01-31 is expected")
		}
		to, errTo := day.Parse(p.To)
		if errTo != nil {
			wrong("to", "a day such as 2026-01-31 is expected")
		}
		if errFrom == nil && errTo == nil && !to.IsZero() && to < from {
			wrong("to", "the last day of employment is before the first")
		}
		key := [2]string{p.Organisation, identity.StaffNumber.Expose()}
		if was, twice := first[key]; twice && key[1] != "" {
			wrong("staff_number", fmt.Sprintf("the same as of people[%d]", was))
		} else {
			first[key] = i
		}
		*j = register.Joiner{Organisation: org, Identity: identity, Contact: contact, From: from, To: to, KeepTo: to.IsZero(), KeepClassified: p.Classified == nil,
			Classified: p.Classified != nil && *p.Classified, Employment: register.Employment{Department: p.Department, JobTitle: p.JobTitle}}
	}
	if len(bad) > 0 {
		return nil, bad
	}
	return out, nil
}

// fieldNames are the fields as the API spells them, where package person spells them otherwise.
var fieldNames = map[string]string{"date of birth": "birth", "staff number": "staff_number", "known as": "known_as", "e-mail": "email"}

// fieldErrors says of each field that breaks a rule which, and what is expected of it.
func fieldErrors(err error, wrong func(field, what string)) {
	if err == nil {
		return
	}
	var many interface{ Unwrap() []error }
	if errors.As(err, &many) {
		for _, one := range many.Unwrap() {
			fieldErrors(one, wrong)
		}
		return
	}
	f, ok := errors.AsType[*person.FieldError](err)
	if !ok {
		wrong("staff_number", "this person can't be read")
		return
	}
	name := f.Field
	if own, known := fieldNames[name]; known {
		name = own
	}
	if !slices.Contains(personFields, name) {
		name = "staff_number"
	}
	wrong(name, string(f.Problem)+expecting(f.Expect))
}

var personFields = []string{"surname", "forenames", "known_as", "staff_number", "birth", "sex", "registration", "email", "phone"}

func expecting(s string) string {
	if s == "" {
		return ""
	}
	return ": " + s + " expected"
}

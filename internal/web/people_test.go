package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/policy"
)

// somebody is a form of somebody new that is filled in right.
func somebody(change ...string) url.Values {
	f := url.Values{"surname": {"Morgan"}, "forenames": {"Elin"}, "birth-day": {"27"}, "birth-month": {"3"}, "birth-year": {"1984"}, "sex": {"F"}, "staff": {"GA90001"},
		"department": {"Radioleg"}, "from-day": {"1"}, "from-month": {"4"}, "from-year": {"2026"}, "classified": {"no"}, "email": {"elin@aeron.example"}, "address": {"1 Heol Fawr\r\nAeron\r\n"}}
	for i := 0; i+1 < len(change); i += 2 {
		f.Set(change[i], change[i+1])
	}
	return f
}

func TestTakingSomebodyOn(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	path := wearersPath(organisationID(1)) + "/new"
	step := func(says string, form url.Values) string {
		t.Helper()
		w := post(t, pages, "co-ordinator", path, form)
		if !strings.Contains(w.Body.String(), says) {
			t.Fatalf("status %d to %q, and no %q: %.3000s", w.Code, w.Header().Get("Location"), says, w.Body)
		}
		return w.Body.String()
	}
	for _, c := range []struct{ field, value, want string }{
		{"surname", "", `<a href="#surname">Enter the surname</a>`},
		{"surname", "1234", `<a href="#surname">Surname: no letter in it</a>`},
		{"forenames", " ", `<a href="#forenames">`},
		{"birth-year", "2020", `<a href="#birth-day">Date of birth: not plausible; an age between 14 and 120 expected</a>`},
		{"birth-month", "", `<a href="#birth-month">The date of birth must have a month</a>`},
		{"sex", "", `<a href="#sex">`},
		{"staff", "", `<a href="#staff">Enter the staff number</a>`},
		{"staff", "TAKEN", `<a href="#staff">A wearer of that organisation has this staff number already</a>`},
		{"from-day", "31", `<a href="#from-day">`},
		{"classified", "", `<a href="#classified">`},
		{"email", "elin at aeron", `<a href="#email">`},
		{"phone", "call me", `<a href="#phone">`},
		{"registration", "GMC 1", `<a href="#registration">`},
		{"department", strings.Repeat("x", 201), `<a href="#department">`},
	} {
		body := step(c.want, somebody(c.field, c.value, "step", "save", "same", "nobody"))
		if !strings.Contains(body, "<title>Error: ") || !strings.Contains(body, `value="GA90001"`) && c.field != "staff" {
			t.Errorf("%s: the title does not say so, or what was typed is gone", c.field)
		}
	}
	// Nobody alike, not classified: straight to the answers, with no question about an NI number.
	body := step("Check before you take them on", somebody())
	if strings.Contains(body, "NI number") || !strings.Contains(body, "27 March 1984") || !strings.Contains(body, "1 Heol Fawr and Aeron") {
		t.Errorf("the answers: %s", body)
	}
	step("Take somebody on", somebody("step", "change"))
	// Classified: the number is asked for.
	step("What is their National Insurance number?", somebody("classified", "yes"))
	step("Enter the National Insurance number", somebody("classified", "yes", "ni", ""))
	step("Enter a National Insurance number of two letters", somebody("classified", "yes", "ni", "GB123456A"))
	body = step("Which of them is it?", somebody("classified", "yes", "ni", "ab 12 34 56 c", "surname", "Bowen"))
	if !strings.Contains(body, "3 wearers") || !strings.Contains(body, "Same NI number. Staff number") || !strings.Contains(body, "Bowen, Siân, Bwrdd Iechyd") {
		t.Errorf("the candidates: %s", body)
	}
	if last := s.reveals[len(s.reveals)-1]; last.Purpose != policy.KeepRecords || last.Fields != policy.FieldName|policy.FieldStaffNumber || len(last.Wearers) != 3 {
		t.Errorf("candidates were revealed by %+v", last)
	}
	step("Select whether this is somebody who is known", somebody("surname", "Bowen", "same", ""))
	body = step("Check before you take them on", somebody("surname", "Bowen", "same", wearerID(1).String()))
	if !strings.Contains(body, "Bowen, Siân, Bwrdd Iechyd") || !strings.Contains(body, `name="same" value="`+wearerID(1).String()) {
		t.Errorf("the answers: %s", body)
	}
	if len(s.put) != 0 {
		t.Fatalf("somebody was taken on before all was checked: %+v", s.put)
	}
	w := post(t, pages, "co-ordinator", path, somebody("surname", "Bowen", "same", wearerID(1).String(), "classified", "yes", "ni", "ab 12 34 56 c", "step", "save"))
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != wearerPath(wearerID(73))+"?done=taken-on" {
		t.Fatalf("%d to %q", w.Code, w.Header().Get("Location"))
	}
	p := s.put[0]
	if p.SamePerson != wearerID(1) || p.NI.Expose() != "AB123456C" || !p.Classified || p.Identity.Birth.Expose() != "1984-03-27" || p.From.String() != "2026-04-01" ||
		p.Work.Department != "Radioleg" || len(p.Contact.Address) != 2 || p.Organisation != organisationID(1) || !p.Wearer.IsZero() {
		t.Errorf("taken on: %v %v", p.From, p.Work)
	}
	if w := get(t, pages, "co-ordinator", w.Header().Get("Location")); !strings.Contains(w.Body.String(), "They were taken on") {
		t.Errorf("their page: %s", w.Body)
	}
}

func TestChangingAWearer(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	one := wearerID(1)
	for _, part := range []string{"name", "staff", "birth", "sex", "contact", "work", "classified", "leave"} {
		w := get(t, pages, "co-ordinator", partOf(one, "change/"+part))
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", part, w.Code)
		}
		if r := s.reveals[len(s.reveals)-1]; r.Fields&(policy.FieldBirth|policy.FieldNI|policy.FieldHealth) != 0 || r.Purpose != policy.KeepRecords {
			t.Errorf("%s asks the vault for %v", part, r.Fields)
		}
	}
	if body := get(t, pages, "co-ordinator", partOf(one, "change/leave")).Body.String(); !strings.Contains(body, "2 badges are") || !strings.Contains(body, `href="/badges/A0000123"`) {
		t.Errorf("badges out: %s", body)
	}
	for _, c := range []struct {
		part  string
		form  url.Values
		wrong string
	}{
		{"name", url.Values{"surname": {""}, "forenames": {"Siân"}}, "Enter the surname"},
		{"staff", url.Values{"staff": {"TAKEN"}}, "has this staff number already"},
		{"birth", url.Values{}, "Enter the date of birth"},
		{"sex", url.Values{"sex": {"?"}}, "Select their sex"},
		{"contact", url.Values{"email": {"x"}}, `href="#email"`},
		{"classified", url.Values{"classified": {"yes"}}, "Enter the National Insurance number"},
		{"leave", url.Values{"to-day": {"1"}, "to-month": {"1"}, "to-year": {"2019"}}, "The last day must not be before the first, 1 April 2019"},
		{"name", url.Values{"surname": {"Parry"}, "forenames": {"Siân"}}, ""},
		{"staff", url.Values{"staff": {"GA1"}}, ""},
		{"birth", url.Values{"birth-day": {"1"}, "birth-month": {"2"}, "birth-year": {"1980"}}, ""},
		{"sex", url.Values{"sex": {"F"}}, ""},
		{"contact", url.Values{}, ""},
		{"work", url.Values{"job": {"Nyrs"}}, ""},
		{"classified", url.Values{"classified": {"yes"}, "ni": {"AB123456C"}}, ""},
		{"leave", url.Values{"to-day": {"31"}, "to-month": {"3"}, "to-year": {"2026"}}, ""},
	} {
		before := len(s.put)
		w := post(t, pages, "co-ordinator", partOf(one, "change/"+c.part), c.form)
		switch {
		case c.wrong != "" && (w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), c.wrong) || len(s.put) != before):
			t.Errorf("%s %v: %d, and no %q: %.2000s", c.part, c.form, w.Code, c.wrong, w.Body)
		case c.wrong == "" && (w.Code != http.StatusSeeOther || len(s.put) != before+1):
			t.Errorf("%s %v: %d %.2000s", c.part, c.form, w.Code, w.Body)
		}
	}
	want := map[policy.Fields]int{policy.FieldName: 1, policy.FieldRegistration: 1, policy.FieldContact: 1, policy.FieldEmployment: 1, 0: 4}
	for _, p := range s.put {
		want[p.Replace]--
		if p.Wearer != one || p.Organisation != organisationID(1) || p.KeepTo != (p.To.IsZero()) || p.KeepClassified == p.Classified && p.Classified || !p.From.IsZero() {
			t.Errorf("a change touches more than its form: %v, keep to %t, keep classified %t, from %v", p.Replace, p.KeepTo, p.KeepClassified, p.From)
		}
	}
	for f, n := range want {
		if n != 0 {
			t.Errorf("%v was replaced %d times too few", f, n)
		}
	}
	// After an error the form shows what was typed, not what the vault holds.
	w := post(t, pages, "co-ordinator", partOf(one, "change/name"), url.Values{"surname": {"1"}, "forenames": {"Typed"}})
	if body := w.Body.String(); !strings.Contains(body, `value="Typed"`) || strings.Contains(body, `value="Siân"`) {
		t.Errorf("the form again: %s", body)
	}
}

func TestPeopleWhoMayBeOne(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	body := get(t, pages, "co-ordinator", "/people/pairs").Body.String()
	if !strings.Contains(body, "2 pairs") || !strings.Contains(body, "Same date of birth, names that differ a little") {
		t.Errorf("the pairs: %s", body)
	}
	form := url.Values{"one": {wearerID(1).String()}, "other": {wearerID(8).String()}, "answer": {"one"}}
	for path, done := range map[string]string{"/people/pairs": "linked", partOf(wearerID(1), "person"): "apart"} {
		if w := post(t, pages, "co-ordinator", path, form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != path+"?done="+done {
			t.Errorf("%s: %d to %q", path, w.Code, w.Header().Get("Location"))
		}
	}
	if len(s.linked) != 2 {
		t.Errorf("decided: %v", s.linked)
	}
	for _, bad := range []url.Values{{}, {"one": {"x"}}, {"one": form["one"], "other": form["other"], "answer": {"perhaps"}}, {"one": form["one"], "answer": {"one"}}} {
		if w := post(t, pages, "co-ordinator", "/people/pairs", bad); w.Code != http.StatusBadRequest {
			t.Errorf("%v: %d", bad, w.Code)
		}
	}
	if body := get(t, pages, "co-ordinator", "/people/pairs").Body.String(); !strings.Contains(body, "Nobody who is not linked") {
		t.Errorf("no pairs: %s", body)
	}
	if body := get(t, pages, "co-ordinator", partOf(wearerID(1), "person")).Body.String(); !strings.Contains(body, "Bowen, Llŷr") {
		t.Errorf("the other employment: %s", body)
	}
}

func TestWearersAreFiltered(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	path := wearersPath(organisationID(1))
	for _, c := range []struct {
		user string
		form url.Values
		want string
	}{
		{"co-ordinator", url.Values{"department": {"THEATRAU"}}, "found in “THEATRAU”"},
		{"supervisor", url.Values{"department": {"cardiology"}, "left": {"yes"}}, "found in “cardiology” among those who have left"},
		{"co-ordinator", url.Values{"left": {"yes"}}, "8 wearers"},
		{"co-ordinator", url.Values{"department": {"stables"}}, "Nobody was found in “stables”"},
	} {
		if body := post(t, pages, c.user, path, c.form).Body.String(); !strings.Contains(strings.Join(strings.Fields(body), " "), c.want) {
			t.Errorf("%v: no %q in %.6000s", c.form, c.want, body)
		}
	}
	if body := get(t, pages, "co-ordinator", path).Body.String(); !strings.Contains(body, "Cardioleg / Cardiology") || !strings.Contains(body, `href="`+path+`/new"`) {
		t.Errorf("the list: %s", body)
	}
	if body := get(t, pages, "records", path).Body.String(); strings.Contains(body, "Department") || strings.Contains(body, path+"/new") {
		t.Errorf("the records officer's list: %s", body)
	}
	if body := get(t, pages, "co-ordinator", wearersPath(organisationID(2))).Body.String(); !strings.Contains(body, "load a staff list</a>") {
		t.Errorf("an empty list: %s", body)
	}
}

package web

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/dosevault/dosevault/internal/incident"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

func init() { dones["assessed"] = "It is entered, and the severity is reckoned anew" }

// The answers about what was lost.
var (
	confidentialityOptions = []option{
		{"2", "Nobody knows who has it, or how many they are", ""},
		{"1", "Known people have it, and how many they are is known", ""},
		{"0", "There is no sign that anybody saw or used it", ""},
	}
	integrityOptions = []option{
		{"0", "No", ""},
		{"1", "Yes, and it can be undone", ""},
		{"2", "Yes, and it can’t be undone", ""},
	}
	availabilityOptions = []option{
		{"0", "No", ""},
		{"1", "Yes, for a time", ""},
		{"2", "Yes, for good", ""},
	}
)

// assessView asks how the incident is seen.
type assessView struct {
	incidentView
	Fields []option // combinations whose factors can be overruled
}

// assess asks what is known of the circumstances, and for factors that are seen otherwise, and enters both with the reason.
func (h *handler) assess(v *visit) error {
	var x assessView
	var err error
	if x.incidentView, err = h.incidentView(v); err != nil {
		return err
	}
	x.Fields = []option{{"", "All of them", ""}}
	for _, c := range x.Combinations {
		x.Fields = append(x.Fields, option{Value: strconv.Itoa(int(c.Fields)), Label: words.Plain(capital(fieldWords(v.ctx, c.Fields, 2)))})
	}
	yes := map[bool]string{true: "yes", false: "no"}
	a := x.Assessment
	f := formOf("confidentiality", strconv.Itoa(int(a.Confidentiality)), "integrity", strconv.Itoa(int(a.Integrity)), "availability", strconv.Itoa(int(a.Availability)),
		"malicious", yes[a.Malicious], "unintelligible", yes[a.Unintelligible])
	if v.r.Method == http.MethodPost {
		if f, err = readForm(v); err != nil {
			return err
		}
		s := vaultclient.NewStep{Incident: x.ID, Kind: vaultclient.Assessed, Organisation: x.own(), Text: f.paragraphs("text", "Enter why you see it so", vaultclient.MaxIncidentText)}
		s.Assessment = x.assessmentIn(&f, s.Text).Wire()
		if len(f.Errors) == 0 {
			if _, err := h.Register.EnterStep(v.ctx, v.auth, s); err != nil {
				return err
			}
			http.Redirect(v.w, v.r, x.Path+"?done=assessed#severity", http.StatusSeeOther)
			return nil
		}
	}
	h.render(v.w, v.r, f.status(), assessPage(h.frame("Weigh how severe it is", &v.user, incidentCrumbs(&x.Incident)...).of(f), f, x))
	return nil
}

// assessmentIn reads the answers. What was overruled before stays, unless it is overruled anew.
func (x assessView) assessmentIn(f *form, why string) incident.Assessment {
	a := x.Assessment
	loss := func(name string, choose words.Key) incident.Loss {
		n, _ := strconv.Atoi(f.choice(name, choose, "0", "1", "2"))
		return incident.Loss(n)
	}
	a.Confidentiality = loss("confidentiality", "Select who may have it")
	a.Integrity = loss("integrity", "Select whether anything was changed")
	a.Availability = loss("availability", "Select whether anything was not available")
	a.Malicious = f.choice("malicious", "Select whether somebody meant harm", "yes", "no") == "yes"
	a.Unintelligible = f.choice("unintelligible", "Select whether what was taken can be read", "yes", "no") == "yes"
	o := vaultclient.Override{}
	given := false
	for _, one := range []struct {
		name   string
		to     **int
		values []option
	}{{"context", &o.Context, contextOptions}, {"identification", &o.Identification, identificationOptions}, {"aggravation", &o.Circumstances, aggravationOptions}} {
		if f.Value(one.name) == "" {
			continue
		}
		n, err := strconv.Atoi(f.Value(one.name))
		if err != nil || !slices.ContainsFunc(one.values, func(o option) bool { return o.Value == f.Value(one.name) }) {
			f.wrong(one.name, "Select one of the numbers")
			continue
		}
		*one.to, given = &n, true
	}
	if !given {
		return a
	}
	if text := f.Value("fields"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || !slices.ContainsFunc(x.Fields, func(o option) bool { return o.Value == text }) {
			f.wrong("fields", "Select which fields together")
			return a
		}
		o.Fields = policy.Fields(n)
	}
	if o.Why = why; len([]rune(why)) > vaultclient.MaxOverrideText {
		f.wrong("text", "Enter %s characters or less; there are %s", number(vaultclient.MaxOverrideText), number(len([]rune(why))))
	}
	return a.With(o)
}

// The numbers that a factor can have instead, in quarters.
var (
	contextOptions        = factorOptions(4, 8, 12, 16)
	identificationOptions = factorOptions(1, 2, 3, 4)
	aggravationOptions    = factorOptions(0, 1, 2, 3, 4, 5, 6, 7, 8)
)

func factorOptions(quarters ...incident.Quarters) []option {
	all := []option{{"", "As the method has it", ""}}
	for _, q := range quarters {
		all = append(all, option{Value: strconv.Itoa(int(q)), Label: words.Plain(q.String())})
	}
	return all
}

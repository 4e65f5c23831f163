package incident

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Matter is what a report, statement, letter or the register of breaches is written from: an incident, and what the ledgers answer for its scope.
type Matter struct {
	Incident      vaultclient.Incident
	Exposures     vaultclient.Exposures // of Scope(Incident); nothing where only sealed media are supposed
	Organisations []vaultclient.Organisation
	Now           time.Time
}

// about returns the matter as it is for one organisation: its own people alone. The zero one is the service, and everybody.
func (m Matter) about(org id.Organisation) Matter {
	if org.IsZero() {
		return m
	}
	m.Exposures.List = slices.DeleteFunc(slices.Clone(m.Exposures.List), func(x vaultclient.Exposure) bool { return x.Organisation != org })
	wearers := map[id.Wearer]bool{}
	for _, x := range m.Exposures.List {
		wearers[x.Wearer] = true
	}
	// Within one organisation somebody with two employments is counted twice, which is never too few.
	m.Exposures.Wearers, m.Exposures.People = len(wearers), len(wearers)
	return m
}

// name is the name of an organisation.
func (m Matter) name(org id.Organisation) string {
	for _, o := range m.Organisations {
		if o.ID == org {
			return o.Name
		}
	}
	return ""
}

// Report is what the regulator is told. It holds nobody's name: answers come from the incident, or from whoever signs.
type Report struct {
	Incident     string // number
	Organisation string // controller that reports; empty: the service
	Answers      map[string]any
	// Open are the questions that nothing known answers, Changed those that an earlier report answered otherwise; in the order of the form.
	Open, Changed []string
}

// ReportOf fills the regulator's form in for an organisation, or for the service where org is zero. given are answers of whoever signs, which go before what is
// known, and before are the answers of the report before, if there was one: it makes this one a follow-up. Unknown names and answers that can't be are an error.
func ReportOf(m Matter, org id.Organisation, given, before map[string]any) (Report, error) {
	known, err := answersOf(m, org)
	if err != nil {
		return Report{}, err
	}
	if before != nil {
		known["report_type"], known["phase"] = "follow_up", 2
		if n, ok := before["phase"].(float64); ok {
			known["phase"] = int(n) + 1
		}
		if ref, ok := before["case_reference"].(string); ok {
			known["case_reference"] = ref
		}
		for name, v := range before { // what was said by hand then is still so, unless it is said otherwise now
			if q, ok := question(name); ok && q.kind != asComputed && known[name] == nil {
				if was, err := q.read(v); err == nil {
					known[name] = was
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		q, ok := question(name)
		if !ok {
			return Report{}, fmt.Errorf("answers: there is no question %q", name)
		}
		if known[name], err = q.read(given[name]); err != nil {
			return Report{}, err
		}
	}
	r := Report{Incident: m.Incident.Number, Organisation: m.name(org), Answers: map[string]any{}}
	for _, q := range questions {
		v := known[q.Name]
		r.Answers[q.Name] = v
		if v == nil {
			r.Open = append(r.Open, q.Name)
		}
		if before != nil && q.Name != "phase" && q.Name != "report_type" && plainly(before[q.Name]) != plainly(v) {
			r.Changed = append(r.Changed, q.Name)
		}
	}
	return r, nil
}

// plainly is an answer as it stands in a file, by which two are compared.
func plainly(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "" // unreachable: answers are texts, numbers, moments and lists of them
	}
	return string(b)
}

// countedFields is how many records have a combination of fields.
type countedFields struct {
	fields  policy.Fields
	records int
}

// MarshalJSON writes the fields by their stable names.
func (c countedFields) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Fields  []string `json:"fields"`
		Records int      `json:"records"`
	}{c.fields.Names(), c.records})
}

// scored is a severity as the form says it.
type scored struct{ Severity }

func (s scored) sum() string {
	return fmt.Sprintf("%s = %s × %s + %s, ENISA 2013", s.Score, s.Context.Value, s.Identification.Value, s.Circumstances.Value)
}

// MarshalJSON writes level and score as one text.
func (s scored) MarshalJSON() ([]byte, error) {
	return json.Marshal(s.Level.String() + " (" + s.sum() + ")")
}

// answersOf are the answers that the incident knows.
func answersOf(m Matter, org id.Organisation) (map[string]any, error) {
	people := m.Exposures.People
	m = m.about(org)
	a := AssessmentOf(m.Incident, org, people)
	table := Table(m.Exposures.List)
	combinations, err := Combinations(table, a)
	if err != nil {
		return nil, err
	}
	var fields policy.Fields
	var worst Severity
	for i, c := range combinations {
		fields |= c.Fields
		if i == 0 {
			worst = c.Severity
		}
	}
	from, to, suppliers := window(m.Incident)
	k := clockOf(m.Incident, org)
	out := map[string]any{
		"report_type": "initial", "phase": 1, "incident": m.Incident.Number,
		"what_happened":   m.Incident.Steps[0].Text,
		"records_count":   m.Exposures.Wearers,
		"people_count":    m.Exposures.People,
		"people_maximum":  true,
		"unintelligible":  a.Unintelligible,
		"confidentiality": a.Confidentiality != None, "integrity": a.Integrity != None, "availability": a.Availability != None,
		"subject_categories": []string{"employees"},
		"data_categories":    categories(fields),
		"data_fields":        fields.Names(),
		"measures_before":    words.Key("Personal data is encrypted at rest with keys for each person. Whatever anybody is shown is entered first in a tamper-evident ledger of the organisation; the figures here come from it. What one user can read is bounded; invented records raise an alarm when they are opened; changes of authority take two people."),
		"processor":          words.Key("The radiation badge service, for the organisations whose staff wear badges"),
	}
	if !from.IsZero() {
		out["happened_from"], out["happened_to"] = from, to
	}
	if len(suppliers) > 0 {
		out["other_parties"] = suppliers
	}
	if other := FieldKeys(fields & otherData); other != nil {
		out["data_categories_other"] = other
	}
	if !k.Aware.IsZero() {
		late := m.Now.Sub(k.Due())
		out["aware_at"], out["discovered_at"], out["report_due"], out["late"] = k.Aware, k.Aware, k.Due(), late > 0
		if late <= 0 {
			out["delay_reason"] = words.Key("It is not late.")
		}
	}
	if len(combinations) > 0 {
		counted := make([]countedFields, len(combinations))
		for i, c := range combinations {
			counted[i] = countedFields{c.Fields, c.Wearers}
		}
		out["people_by_fields"], out["consequences"], out["severity"] = counted, AdviceFor(fields).Consequences, scored{worst}
	}
	out["likelihood"] = likelihood(worst)
	if a.Unintelligible {
		out["unintelligible_why"] = words.Key("What was taken is encrypted, and the keys were not taken (UK GDPR Art 34(3)(a)).")
	}
	answerSteps(out, m.Incident, org)
	return out, nil
}

// likelihood is how likely people are to suffer significantly, in the form's five steps.
func likelihood(s Severity) string {
	if s.Unintelligible {
		return "very_unlikely"
	}
	return [...]string{"unlikely", "neutral", "likely", "very_likely"}[s.Level]
}

// window is from when to when it may have happened, by all hypotheses, and the suppliers supposed.
func window(one vaultclient.Incident) (from, to time.Time, suppliers []string) {
	for _, s := range one.Steps {
		h := s.Hypothesis
		if h == nil {
			continue
		}
		began := h.From
		if !h.Began.IsZero() {
			began = h.Began // what the recipient was sent before was safe with it until then
		}
		if from.IsZero() || began.Before(from) {
			from = began
		}
		if h.To.After(to) {
			to = h.To
		}
		if name, ok := strings.CutPrefix(string(h.Recipient), "supplier:"); ok && !slices.Contains(suppliers, name) {
			suppliers = append(suppliers, name)
		}
	}
	return from, to, suppliers
}

// clockOf is the clock of an organisation, or of the service.
func clockOf(one vaultclient.Incident, org id.Organisation) OrganisationClock {
	for _, k := range Clocks(one) {
		if k.Organisation == org {
			return k
		}
	}
	return OrganisationClock{Organisation: org}
}

// answerSteps adds the answers that steps give.
func answerSteps(out map[string]any, one vaultclient.Incident, org id.Organisation) {
	var told []string
	controllers := map[id.Organisation]bool{}
	for _, s := range one.Steps {
		switch s.Kind {
		case vaultclient.Knew:
			if at, ok := out["other_party_knew_at"].(time.Time); !ok || s.Moment.Before(at) {
				out["other_party_knew_at"] = s.Moment
			}
		case vaultclient.Told:
			switch {
			case s.Organisation.IsZero():
				told = append(told, s.Moment.UTC().Format("2006-01-02")+": "+s.Text)
			default:
				controllers[s.Organisation] = true
				if at, ok := out["told_by_other_party_at"].(time.Time); s.Organisation == org && (!ok || s.Moment.Before(at)) {
					out["told_by_other_party_at"] = s.Moment
				}
			}
		case vaultclient.Decided:
			if s.Organisation == org && s.Decision != nil {
				out["people_told"] = map[bool]string{true: "planned", false: "not_required"}[s.Decision.TellPeople]
			}
		case vaultclient.Closed:
			out["ongoing"] = false
		}
	}
	if told != nil {
		out["other_bodies_told"] = told
	}
	if org.IsZero() {
		out["controllers_told"] = len(controllers)
	}
}

// otherData is what stands behind the form's box "other".
const otherData = policy.AllFields &^ (policy.FieldName | policy.FieldBirth | policy.FieldSex | policy.FieldContact | policy.FieldHealth)

// categories are the form's boxes that fields tick.
func categories(f policy.Fields) []string {
	var all []string
	add := func(name string, any policy.Fields) {
		if f&any != 0 {
			all = append(all, name)
		}
	}
	add("basic_personal_identifiers", policy.FieldName|policy.FieldBirth|policy.FieldSex|policy.FieldContact)
	add("health", policy.FieldHealth)
	add("other", otherData)
	if f == 0 {
		all = append(all, "not_yet_known")
	}
	return all
}

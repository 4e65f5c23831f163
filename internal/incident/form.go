package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/letter"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/words"
)

// The form: every question of the Information Commissioner's form for reporting a breach of personal data, and those that the EDPB's draft common template (June
// 2026) asks beyond it. Names are stable: they are what a report's JSON has, and a file of answers.

type questionKind uint8

const (
	asText     questionKind = iota
	asMoment                // RFC 3339
	asNumber                // whole, not negative
	asYesNo                 // true or false
	asOne                   // of the choices
	asSome                  // of the choices
	asList                  // lines of text
	asComputed              // known from the incident alone
)

type choice struct {
	name string
	text words.Key
}

// Question is a question of the form.
type Question struct {
	Name    string
	Section words.Key
	Text    words.Key
	kind    questionKind
	choices []choice
}

var (
	threeWays = []choice{{"yes", "Yes"}, {"no", "No"}, {"not_known", "Not known yet"}}
	boxes     = []choice{
		{"racial_or_ethnic_origin", "Racial or ethnic origin"}, {"political_opinions", "Political opinions"}, {"religious_or_philosophical_beliefs", "Religious or philosophical beliefs"},
		{"trade_union_membership", "Trade union membership"}, {"sex_life", "Sex life"}, {"sexual_orientation", "Sexual orientation"}, {"gender_reassignment", "Gender reassignment"},
		{"health", "Health"}, {"basic_personal_identifiers", "Basic personal identifiers, such as name and contact details"}, {"identification", "Identification, such as user names and passwords"},
		{"economic_and_financial", "Economic and financial data"}, {"official_documents", "Official documents"}, {"location", "Location"}, {"genetic_or_biometric", "Genetic or biometric data"},
		{"criminal_convictions", "Criminal convictions and offences"}, {"not_yet_known", "Not known yet"}, {"other", "Other"},
	}
)

// sections of the form.
const (
	sectionReport   words.Key = "This report"
	sectionHappened words.Key = "What happened"
	sectionData     words.Key = "Data and people"
	sectionRisk     words.Key = "Risk"
	sectionMeasures words.Key = "Measures"
	sectionTold     words.Key = "Who was told"
	sectionContact  words.Key = "Contact"
)

var questions = []Question{
	{"report_type", sectionReport, "Initial report or follow-up", asComputed, []choice{{"initial", "Initial report"}, {"follow_up", "Follow-up"}}},
	{"phase", sectionReport, "Which report of this breach it is", asComputed, nil},
	{"incident", sectionReport, "Our number of the incident", asComputed, nil},
	{"case_reference", sectionReport, "The regulator's case reference, in a follow-up", asText, nil},
	{"processor", sectionReport, "Processor", asText, nil},
	{"other_parties", sectionReport, "Other parties that the data was with", asList, nil},
	{"sector", sectionReport, "Sector of the controller", asText, nil},
	{"cross_border", sectionReport, "People outside the United Kingdom are concerned", asOne, threeWays},

	{"what_happened", sectionHappened, "What happened", asText, nil},
	{"how_happened", sectionHappened, "How it came about", asText, nil},
	{"cyber", sectionHappened, "It was a cyber incident", asOne, threeWays},
	{"how_found", sectionHappened, "How it was found", asText, nil},
	{"discovered_at", sectionHappened, "When it was discovered", asMoment, nil},
	{"happened_from", sectionHappened, "When it happened, from", asMoment, nil},
	{"happened_to", sectionHappened, "When it happened, until", asMoment, nil},
	{"ongoing", sectionHappened, "It still goes on", asYesNo, nil},
	{"aware_at", sectionHappened, "When the controller became aware", asMoment, nil},
	{"other_party_knew_at", sectionHappened, "When the other party knew", asMoment, nil},
	{"told_by_other_party_at", sectionHappened, "When the other party told the controller", asMoment, nil},
	{"report_due", sectionHappened, "Until when the report is due", asComputed, nil},
	{"late", sectionHappened, "The report is later than 72 hours", asComputed, nil},
	{"delay_reason", sectionHappened, "Why it is late", asText, nil},

	{"data_categories", sectionData, "Categories of data", asSome, boxes},
	{"data_categories_other", sectionData, "Other data", asText, nil},
	{"data_fields", sectionData, "Fields", asComputed, fieldChoices()},
	{"records_count", sectionData, "How many records, at most", asNumber, nil},
	{"people_count", sectionData, "How many people, at most", asNumber, nil},
	{"people_maximum", sectionData, "The numbers are the maximum", asYesNo, nil},
	{"people_by_fields", sectionData, "Records by combination of fields", asComputed, nil},
	{"subject_categories", sectionData, "Categories of people", asSome, []choice{{"employees", "Employees, former ones too"}, {"users", "Users"}, {"subscribers", "Subscribers"}, {"students", "Students"}, {"customers", "Customers"},
		{"patients", "Patients"}, {"children", "Children"}, {"vulnerable_adults", "Vulnerable adults"}, {"not_yet_known", "Not known yet"}, {"other", "Other"}}},
	{"unintelligible", sectionData, "The data can't be read by who has it", asYesNo, nil},
	{"unintelligible_why", sectionData, "Why it can't be read", asText, nil},

	{"consequences", sectionRisk, "What can happen to people", asList, nil},
	{"likelihood", sectionRisk, "How likely people are to suffer significantly", asOne, []choice{{"very_likely", "Very likely"}, {"likely", "Likely"}, {"neutral", "Neither likely nor unlikely"}, {"unlikely", "Unlikely"}, {"very_unlikely", "Very unlikely"}}},
	{"severity", sectionRisk, "Severity", asComputed, nil},
	{"confidentiality", sectionRisk, "Confidentiality was affected", asYesNo, nil},
	{"integrity", sectionRisk, "Integrity was affected", asYesNo, nil},
	{"availability", sectionRisk, "Availability was affected", asYesNo, nil},
	{"impact", sectionRisk, "Impact on the organisation", asOne, []choice{{"high", "High: critical services can't be given to anybody"}, {"medium", "Medium: they can't be given to some"}, {"low", "Low: little or nothing was lost"}, {"not_yet_known", "Not known yet"}}},
	{"recovery", sectionRisk, "Recovery", asOne, []choice{{"regular", "Foreseeable, with what there is"}, {"supplemented", "Foreseeable, with more"}, {"extended", "Not foreseeable, more is needed"}, {"not_recoverable", "Not possible"}, {"complete", "Complete"}, {"not_yet_known", "Not known yet"}}},

	{"staff_training", sectionMeasures, "The staff involved had data protection training in the last two years", asOne, threeWays},
	{"staff_training_details", sectionMeasures, "Which training", asText, nil},
	{"measures_before", sectionMeasures, "Measures before it happened", asText, nil},
	{"measures_after", sectionMeasures, "Measures taken or planned since, for people too", asText, nil},

	{"people_told", sectionTold, "The people concerned were told", asOne, []choice{{"yes", "Yes"}, {"planned", "Not yet; they will be"}, {"not_required", "No; it is not required"}, {"undecided", "Not decided yet"}}},
	{"people_told_at", sectionTold, "When they were told", asMoment, nil},
	{"people_told_how", sectionTold, "How they were told, and what", asText, nil},
	{"people_told_count", sectionTold, "How many were told", asNumber, nil},
	{"people_not_told_why", sectionTold, "Why they are not told", asText, nil},
	{"controllers_told", sectionTold, "How many controllers the processor told", asNumber, nil},
	{"other_bodies_told", sectionTold, "Other bodies that were told", asList, nil},

	{"organisation_name", sectionContact, "Controller", asText, nil},
	{"registration_number", sectionContact, "Number in the register of fee payers", asText, nil},
	{"contact_name", sectionContact, "Who can be asked", asText, nil},
	{"contact_role", sectionContact, "Their role", asText, nil},
	{"contact_email", sectionContact, "Their e-mail", asText, nil},
	{"contact_phone", sectionContact, "Their telephone", asText, nil},
	{"contact_address", sectionContact, "Address", asText, nil},
	{"dpo_contact", sectionContact, "Data protection officer", asText, nil},
	{"signed_by", sectionContact, "Signed by", asText, nil},
	{"signed_at", sectionContact, "Signed at", asMoment, nil},
}

// fieldChoices are the fields by their stable names.
func fieldChoices() []choice {
	var all []choice
	for i, name := range policy.AllFields.Names() {
		all = append(all, choice{name, fieldKeys[i]})
	}
	return all
}

func question(name string) (Question, bool) {
	i := slices.IndexFunc(questions, func(q Question) bool { return q.Name == name })
	if i < 0 {
		return Question{}, false
	}
	return questions[i], true
}

// maxAnswer bounds one answer, in bytes.
const maxAnswer = 20_000

// read makes an answer of what a file says: of text, or of JSON.
func (q Question) read(v any) (any, error) {
	wrong := func(what string) (any, error) { return nil, fmt.Errorf("answers: %s: %s is expected", q.Name, what) }
	if q.kind == asComputed {
		return nil, fmt.Errorf("answers: %s is known from the incident, and can't be answered otherwise", q.Name)
	}
	s, isText := v.(string)
	s = strings.TrimSpace(s)
	if v == nil || isText && s == "" {
		return nil, nil
	}
	if len(s) > maxAnswer {
		return wrong("a shorter text")
	}
	many := func() (all []string, ok bool) {
		switch v := v.(type) {
		case string:
			for part := range strings.SplitSeq(s, ";") {
				all = append(all, strings.TrimSpace(part))
			}
			return all, true
		case []any:
			for _, one := range v {
				part, ok := one.(string)
				if !ok {
					return nil, false
				}
				all = append(all, part)
			}
			return all, true
		}
		return nil, false
	}
	names := make([]string, len(q.choices))
	for i, c := range q.choices {
		names[i] = c.name
	}
	switch q.kind {
	case asMoment:
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return wrong("a moment such as 2026-10-01T08:30:00Z")
		}
		return at, nil
	case asNumber:
		switch f, isNumber := v.(float64); {
		case isNumber && f >= 0 && f == float64(int(f)):
			return int(f), nil
		case isText:
			if n, err := strconv.Atoi(s); err == nil && n >= 0 {
				return n, nil
			}
		}
		return wrong("a whole number")
	case asYesNo:
		if b, isBool := v.(bool); isBool {
			return b, nil
		}
		if i := slices.Index([]string{"no", "yes", "false", "true"}, s); i >= 0 {
			return i%2 == 1, nil
		}
		return wrong("yes or no")
	case asOne:
		if !slices.Contains(names, s) {
			return wrong("one of " + strings.Join(names, ", "))
		}
		return s, nil
	case asList, asSome:
		all, ok := many()
		if !ok {
			return wrong("a list of texts")
		}
		if q.kind == asSome && slices.ContainsFunc(all, func(c string) bool { return !slices.Contains(names, c) }) {
			return wrong("some of " + strings.Join(names, ", "))
		}
		return all, nil
	case asText, asComputed:
	}
	if !isText {
		return wrong("a text")
	}
	return s, nil
}

// say is an answer in words.
func (q Question) say(ctx context.Context, v any) string {
	chosen := func(name string) string {
		for _, c := range q.choices {
			if c.name == name {
				return Say(ctx, c.text)
			}
		}
		return name
	}
	switch v := v.(type) {
	case nil:
		return Say(ctx, "[to be filled in by whoever signs]")
	case bool:
		if v {
			return Say(ctx, "Yes")
		}
		return Say(ctx, "No")
	case time.Time:
		return words.Moment(ctx, v)
	case int:
		return words.Number(v)
	case []string:
		said := make([]string, len(v))
		for i, s := range v {
			said[i] = chosen(s)
		}
		return strings.Join(said, "\n")
	case []words.Key:
		said := make([]string, len(v))
		for i, k := range v {
			said[i] = Say(ctx, k)
		}
		return strings.Join(said, "\n")
	case []countedFields:
		said := make([]string, len(v))
		for i, c := range v {
			said[i] = SayFields(ctx, c.fields) + ": " + words.Number(c.records)
		}
		return strings.Join(said, "\n")
	case words.Key:
		return Say(ctx, v)
	case scored:
		return Say(ctx, v.Level.Words()) + " (" + v.sum() + ")"
	case string:
		return chosen(v)
	}
	return fmt.Sprint(v)
}

// ReportSchema names the form of a report's JSON.
const ReportSchema = "dosevault/breach-report/1"

// JSON writes the report with stable names: each question's answer, null where it is still open.
func (r Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Schema   string         `json:"schema"`
		Incident string         `json:"incident"`
		About    string         `json:"controller"`
		Answers  map[string]any `json:"answers"`
		Open     []string       `json:"to_be_filled_in"`
		Changed  []string       `json:"changed,omitempty"`
	}{ReportSchema, r.Incident, r.Organisation, r.Answers, r.Open, r.Changed})
}

// ReadReport reads the answers of a report that was written as JSON.
func ReadReport(from io.Reader) (map[string]any, error) {
	var r struct {
		Schema  string         `json:"schema"`
		Answers map[string]any `json:"answers"`
	}
	if err := json.NewDecoder(io.LimitReader(from, 1<<20)).Decode(&r); err != nil {
		return nil, fmt.Errorf("the earlier report can't be read: %w", err)
	}
	if r.Schema != ReportSchema || r.Answers == nil {
		return nil, fmt.Errorf("the earlier report is none: a file of schema %s is expected", ReportSchema)
	}
	return r.Answers, nil
}

// Document lays the report out, with every question.
func (r Report) Document(ctx context.Context) []letter.Part {
	about := r.Organisation
	if about == "" {
		about = Say(ctx, "the service")
	}
	parts := []letter.Part{{Kind: letter.Title, Text: Say(ctx, "Report of a personal data breach")}, {Text: Say(ctx, "Incident %s, reported by %s as controller. UK GDPR Art 33.", r.Incident, about)}}
	if len(r.Changed) > 0 {
		var all []string
		for _, name := range r.Changed {
			q, _ := question(name)
			all = append(all, Say(ctx, q.Text))
		}
		parts = append(parts, letter.Part{Text: Say(ctx, "Changed since the report before: %s.", strings.Join(all, "; "))})
	}
	var section words.Key
	for _, q := range questions {
		if q.Section != section {
			section = q.Section
			parts = append(parts, letter.Part{Kind: letter.Heading, Text: Say(ctx, section)})
		}
		parts = append(parts, letter.Part{Kind: letter.Row, Text: Say(ctx, q.Text), Value: q.say(ctx, r.Answers[q.Name])})
	}
	return parts
}

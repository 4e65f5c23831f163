package incident

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/letter"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

const marker = "Gwenllian Marker"

// theft is the historic case, small: a health board with 12 people by two combinations of fields, and a dental practice with one. Whoever entered a step has a name
// that must be nowhere.
func theft() (m Matter, board, dentist id.Organisation) {
	day := func(month time.Month, d int) time.Time { return time.Date(2017, month, d, 9, 0, 0, 0, time.UTC) }
	board, dentist = id.New[id.Organisation](), id.New[id.Organisation]()
	lab := vc.Hypothesis{Recipient: "supplier:Cardiff Dosimetry", From: time.Date(2010, 10, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2016, 10, 7, 0, 0, 0, 0, time.UTC)}
	user := vc.Hypothesis{Recipient: vc.Recipient("user:" + id.New[id.User]().String()), From: day(1, 1), To: day(1, 2)}
	m = Matter{Now: day(3, 1), Organisations: []vc.Organisation{{ID: board, Name: "Bwrdd Iechyd Llŷn", Kind: vc.HealthBoard}, {ID: dentist, Name: "Deintyddfa Môn", Kind: vc.DentalPractice}}}
	m.Incident = vc.Incident{Number: "2017-1", Steps: []vc.IncidentStep{
		{Kind: vc.Declared, At: day(1, 17), Moment: day(1, 17), Text: "The laboratory wrote that its server was hacked", Hypothesis: &lab},
		{Kind: vc.Knew, At: day(1, 17), Moment: time.Date(2016, 10, 6, 9, 0, 0, 0, time.UTC), Text: "It knew within the month"},
		{Kind: vc.Supposed, At: day(1, 18), Moment: day(1, 18), Text: "An account too", Hypothesis: &user},
		{Kind: vc.Told, At: day(2, 22), Moment: day(2, 22), Organisation: board, Text: "By telephone"},
		{Kind: vc.Told, At: day(2, 23), Moment: day(2, 23), Text: "The police"},
		{Kind: vc.Decided, At: day(2, 24), Moment: day(2, 24), Organisation: board, Text: "The risk is high", Decision: &vc.Decision{Report: true, TellPeople: true}},
	}}
	for i := range m.Incident.Steps {
		m.Incident.Steps[i].By = marker
	}
	dose := policy.FieldName | policy.FieldBirth | policy.FieldDose
	for i := range 12 {
		f := dose
		if i < 2 {
			f |= policy.FieldNI
		}
		m.Exposures.List = append(m.Exposures.List, vc.Exposure{Wearer: id.New[id.Wearer](), Organisation: board, Basis: "declared", Fields: f, First: day(1, 1), Last: day(1, 2)})
	}
	m.Exposures.List = append(m.Exposures.List, vc.Exposure{Wearer: id.New[id.Wearer](), Organisation: dentist, Basis: "gate", Fields: policy.FieldName, First: day(1, 1), Last: day(1, 2)})
	m.Exposures.Wearers, m.Exposures.People = 13, 13
	return m, board, dentist
}

// texts are all the texts of a document.
func texts(parts []letter.Part) string {
	var all []string
	for _, p := range parts {
		all = append(all, p.Text, p.Value)
		all = append(all, p.Lines...)
	}
	return strings.Join(all, "\n")
}

func TestReport(t *testing.T) {
	m, board, _ := theft()
	r, err := ReportOf(m, board, map[string]any{"cyber": "yes", "how_found": "A letter from the laboratory", "staff_training": "not_known", "people_told_count": "0", "other_bodies_told": "Police; NCSC", "signed_at": "2017-03-01T10:00:00Z"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.JSON(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Schema, Incident, Controller string
		Answers                      map[string]any
		Open                         []string `json:"to_be_filled_in"`
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Schema != ReportSchema || got.Incident != "2017-1" || got.Controller != "Bwrdd Iechyd Llŷn" || len(got.Answers) != len(questions) {
		t.Errorf("%s, %s, %s, %d answers", got.Schema, got.Incident, got.Controller, len(got.Answers))
	}
	for name, want := range map[string]any{
		"report_type": "initial", "phase": 1.0, "cyber": "yes", "what_happened": "The laboratory wrote that its server was hacked", "other_parties": []any{"Cardiff Dosimetry"},
		"happened_from": "2010-10-01T00:00:00Z", "happened_to": "2017-01-02T09:00:00Z", "aware_at": "2017-02-22T09:00:00Z", "report_due": "2017-02-25T09:00:00Z", "late": true, "delay_reason": nil,
		"other_party_knew_at": "2016-10-06T09:00:00Z", "told_by_other_party_at": "2017-02-22T09:00:00Z",
		"data_categories": []any{"basic_personal_identifiers", "other"}, "data_categories_other": []any{"National Insurance number", "radiation doses"},
		"data_fields": []any{"name", "birth", "ni", "dose"}, "records_count": 12.0, "people_count": 12.0, "people_maximum": true,
		"people_by_fields": []any{map[string]any{"fields": []any{"name", "birth", "dose"}, "records": 10.0}, map[string]any{"fields": []any{"name", "birth", "ni", "dose"}, "records": 2.0}},
		"likelihood":       "very_likely", "severity": "very high (4.00 = 3.00 × 1.00 + 1.00, ENISA 2013)", "unintelligible": false, "confidentiality": true, "integrity": false,
		"people_told": "planned", "people_told_count": 0.0, "other_bodies_told": []any{"Police", "NCSC"}, "signed_at": "2017-03-01T10:00:00Z", "controllers_told": nil,
	} {
		if diff := cmp.Diff(want, got.Answers[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if !slices.Contains(got.Open, "contact_name") || slices.Contains(got.Open, "cyber") || slices.Contains(got.Open, "late") {
		t.Errorf("open: %v", got.Open)
	}

	// The service reports for its own part, and sees everybody.
	s, err := ReportOf(m, id.Organisation{}, nil, nil)
	if err != nil || s.Answers["people_count"] != 13 || s.Answers["controllers_told"] != 1 || s.Answers["told_by_other_party_at"] != nil {
		t.Errorf("%v %v", s.Answers, err)
	}

	// A follow-up keeps what was said by hand, takes new figures, and says what changed.
	before, err := ReadReport(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	again, err := ReportOf(m, board, nil, before)
	if err != nil || strings.Join(again.Changed, " ") != "other_bodies_told" /* what is known of the incident replaces it */ {
		t.Errorf("without any news %v changed (%v)", again.Changed, err)
	}
	m.Exposures.List = m.Exposures.List[1:]
	follow, err := ReportOf(m, board, map[string]any{"case_reference": "IC-1", "people_told": "yes"}, before)
	if err != nil {
		t.Fatal(err)
	}
	if a := follow.Answers; a["report_type"] != "follow_up" || a["phase"] != 2 || a["cyber"] != "yes" || a["people_count"] != 11 || !cmp.Equal(a["signed_at"], time.Date(2017, 3, 1, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("%v", follow.Answers)
	}
	for _, name := range []string{"case_reference", "people_told", "people_count", "records_count", "people_by_fields"} {
		if !slices.Contains(follow.Changed, name) {
			t.Errorf("%s changed, and %v does not say so", name, follow.Changed)
		}
	}
	for _, x := range []Report{r, s, follow} {
		var b bytes.Buffer
		if err := x.JSON(&b); err != nil {
			t.Fatal(err)
		}
		for l, want := range map[words.Lang]string{words.English: "National Insurance number", words.Welsh: "rhif Yswiriant Gwladol"} {
			said := texts(x.Document(speak(t, l)))
			if strings.Contains(said+b.String(), "Marker") || !strings.Contains(said, want) {
				t.Errorf("%s: a report names somebody, or is not in the language: %s", l, said)
			}
		}
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	m, board, _ := theft()
	for name, v := range map[string]any{
		"nickname": "x", "late": true, "severity": "low", "cyber": "perhaps", "signed_at": "yesterday", "people_count": -1.0, "records_count": "many", "ongoing": "a bit",
		"data_categories": "hats", "how_found": 7.0, "other_parties": []any{7.0}, "consequences": 1.0, "what_happened": strings.Repeat("x", maxAnswer+1),
	} {
		if _, err := ReportOf(m, board, map[string]any{name: v}, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, file := range []string{"", "{}", `{"schema":"dosevault/breach-report/1"}`, `{"schema":"another","answers":{}}`} {
		if _, err := ReadReport(strings.NewReader(file)); err == nil {
			t.Errorf("%q is a report", file)
		}
	}
}

// Every breach is registered, near misses and stolen sealed media too; a drill is none.
func TestBreaches(t *testing.T) {
	m, board, dentist := theft()
	all, err := BreachOf(m, id.Organisation{})
	if err != nil {
		t.Fatal(err)
	}
	if all.People != 13 || all.Organisations != 2 || all.Severity != "very high (4.00)" || all.State != "open" || all.NearMiss || all.Reported != "undecided" ||
		!strings.Contains(all.Effects, "10 × name + date of birth + dose") || !strings.Contains(all.Causes, "It knew within the month") || !strings.Contains(all.Remedial, "The police") || strings.Contains(all.Remedial, "By telephone") {
		t.Errorf("%+v", all)
	}
	own, err := BreachOf(m, board)
	if err != nil || own.People != 12 || own.Reported != "yes" || own.PeopleTold != "yes" || !strings.Contains(own.Reasons, "The risk is high") || !strings.Contains(own.Remedial, "By telephone") || own.Organisation != "Bwrdd Iechyd Llŷn" {
		t.Errorf("%+v %v", own, err)
	}
	if other, err := BreachOf(m, dentist); err != nil || other.People != 1 || other.Reported != "undecided" || !other.Aware.IsZero() {
		t.Errorf("%+v %v", other, err)
	}
	if len(all.Cells()) != len(BreachColumns) || strings.Contains(fmt.Sprint(all, own), "Marker") {
		t.Errorf("%d cells: %q", len(all.Cells()), all.Cells())
	}
	miss := m
	miss.Exposures = vc.Exposures{}
	if b, err := BreachOf(miss, id.Organisation{}); err != nil || !b.NearMiss || b.Effects != "Nothing became readable." {
		t.Errorf("%+v %v", b, err)
	}
	miss.Exposures.Destroyed = []vc.Exposure{{Wearer: id.New[id.Wearer](), Organisation: board, Fields: policy.FieldName}}
	if b, err := BreachOf(miss, id.Organisation{}); err != nil || !b.NearMiss || !strings.Contains(b.Effects, "confirmed destroyed") {
		t.Errorf("%+v %v", b, err)
	}
	began := m.Incident
	began.Steps = []vc.IncidentStep{{Kind: vc.Declared, Hypothesis: &vc.Hypothesis{Recipient: "supplier:lab", From: m.Now.AddDate(-6, 0, 0), To: m.Now, Began: m.Now.AddDate(0, -5, 0)}}}
	if from, to, of := window(began); !from.Equal(m.Now.AddDate(0, -5, 0)) || !to.Equal(m.Now) || !slices.Equal(of, []string{"lab"}) {
		t.Errorf("it happened from %v to %v at %v", from, to, of)
	}
	disk := miss
	disk.Incident.Steps = []vc.IncidentStep{{Kind: vc.Declared, Text: "A disk is missing", Hypothesis: &vc.Hypothesis{Medium: true}}, {Kind: vc.Closed, Text: "Found"}}
	if b, err := BreachOf(disk, id.Organisation{}); err != nil || b.NearMiss || b.State != "closed" || !strings.Contains(b.Effects, "can't be read") {
		t.Errorf("%+v %v", b, err)
	}
	m.Incident.Drill = true
	if _, err := BreachOf(m, board); err == nil {
		t.Error("a drill is registered")
	}
}

// One set of figures: small numbers are not published, and can't be worked out from the others.
func TestStatement(t *testing.T) {
	m, _, _ := theft()
	for l, want := range map[words.Lang][]string{
		words.English: {"At most 13 people of 2 organisations", "name, date of birth, National Insurance number and radiation doses: fewer than 10 records", "name: fewer than 10 records", "Told so far: 1.", "between 1 October 2010 and 2 January 2017", "Questions: 029 1234"},
		words.Welsh:   {"uchafswm o 13 o bobl; nifer y sefydliadau: 2", "llai na 10", "1 Hydref 2010 a 2 Ionawr 2017", "hyd yma: 1."},
	} {
		parts, err := Statement(speak(t, l), m, "029 1234")
		if err != nil {
			t.Fatal(err)
		}
		said := texts(parts)
		for _, w := range want {
			if !strings.Contains(said, w) {
				t.Errorf("%s lacks %q: %s", l, w, said)
			}
		}
		if strings.Contains(said, "Marker") || strings.Contains(said, "not among the data") || strings.Contains(said, "ymhlith y data") {
			t.Errorf("%s: %s", l, said)
		}
	}
	c := func(counts ...int) (all []Combination) {
		for _, n := range counts {
			all = append(all, Combination{Wearers: n})
		}
		return all
	}
	for _, x := range []struct {
		counts []int
		want   []bool
	}{{[]int{3}, []bool{true}}, {[]int{30}, []bool{false}}, {[]int{37, 2, 259}, []bool{true, true, false}}, {[]int{5, 2, 259}, []bool{true, true, false}}, {[]int{10, 11}, []bool{false, false}}} {
		if got := hide(c(x.counts...)); !slices.Equal(got, x.want) {
			t.Errorf("of %v hidden are %v", x.counts, got)
		}
	}
	m.Exposures = vc.Exposures{}
	if parts, err := Statement(t.Context(), m, ""); err != nil || !strings.Contains(texts(parts), "nothing was shown to them") {
		t.Errorf("%v %v", parts, err)
	}
}

// docs/breach-report.md lists every question with its name and what answers it.
func TestQuestionsAreDocumented(t *testing.T) {
	b, err := os.ReadFile("../../docs/breach-report.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range questions {
		if line := q.line(); !strings.Contains(string(b), line+"\n") {
			t.Errorf("docs/breach-report.md lacks the line\n%s", line)
		}
	}
	if n := strings.Count(string(b), "\n| `"); n != len(questions) {
		t.Errorf("docs/breach-report.md has %d questions, and the form %d", n, len(questions))
	}
}

// line is a question as the documentation lists it.
func (q Question) line() string {
	kind := [...]string{"text", "moment", "whole number", "yes or no", "one of", "some of", "lines of text", "known from the incident"}[q.kind]
	if q.choices != nil && q.kind != asComputed {
		var names []string
		for _, c := range q.choices {
			names = append(names, "`"+c.name+"`")
		}
		kind += " " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("| `%s` | %s | %s |", q.Name, q.Text, kind)
}

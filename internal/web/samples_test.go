package web

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/net/html"

	"github.com/dosevault/dosevault/internal/labfile"
)

// tester is what *testing.T and *rapid.T have in common.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// questions asks about a sample, as a browser does that sends what its page shows and what somebody changed of it.
type questions struct {
	tester
	s     *sample
	pages http.Handler
	path  string // of the sample
}

// ask opens a question.
func (q *questions) ask(step string, says ...string) string {
	q.Helper()
	w := sends(q.pages, http.MethodGet, q.path+"/"+step, nil)
	body := w.Body.String()
	if w.Code != http.StatusOK {
		q.Fatalf("%s: status %d: %s", step, w.Code, body)
	}
	for _, text := range says {
		if !strings.Contains(body, text) {
			q.Errorf("%s does not say %q: %s", step, text, body)
		}
	}
	return body
}

// form is a question's form as it is shown, with changes.
func (q *questions) form(step string, changes url.Values) url.Values {
	q.Helper()
	form, err := shown(q.ask(step))
	if err != nil {
		q.Fatalf("%s: %v", step, err)
	}
	maps.Copy(form, changes)
	return form
}

// answers sends a question's form as it is shown, with changes, and returns where that leads.
func (q *questions) answers(step string, changes url.Values) string {
	q.Helper()
	form := q.form(step, changes)
	w := sends(q.pages, http.MethodPost, q.path+"/"+step, form)
	if w.Code != http.StatusSeeOther {
		q.Fatalf("%s: status %d: %s", step, w.Code, w.Body)
	}
	return strings.TrimPrefix(w.Header().Get("Location"), q.path+"/")
}

// wrong sends answers that are refused, with a text.
func (q *questions) wrong(step string, changes url.Values, text string) {
	q.Helper()
	form := q.form(step, changes)
	if w := sends(q.pages, http.MethodPost, q.path+"/"+step, form); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), text) {
		q.Errorf("%s with %v: status %d, no %q: %s", step, changes, w.Code, text, w.Body)
	}
}

// From a file to a stored profile by which the file is read.
func TestProfileFromASample(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	for file, want := range map[string]string{
		"":                               "Select a file that is not empty",
		strings.Repeat("x", maxSample+1): "The sample must be smaller than 4 MiB",
		strings.Repeat("x", 2*maxSample): "The sample must be smaller than 4 MiB",
		"1,2\n3,4\n":                     "No row of headings was found",
		strings.Join(labfile.Landauer().Headings(), ",") + "\n": "its profile is built in",
	} {
		if w := sendForm(t, pages, "co-ordinator", samplePath, map[string]string{"file": file}, nil); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), want) {
			t.Errorf("a sample of %d bytes: status %d, no %q", len(file), w.Code, want)
		}
	}
	w := sendForm(t, pages, "co-ordinator", samplePath, map[string]string{"file": sampleSample}, nil)
	path, step, _ := strings.Cut(strings.TrimPrefix(w.Header().Get("Location"), samplePath+"/"), "/")
	if w.Code != http.StatusSeeOther || step != "columns" {
		t.Fatalf("%d to %q: %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	q := &questions{t, s, pages, samplePath + "/" + path}

	q.ask("columns", "6 rows in UTF-8, headings in row 2.", "Column 3: Worn at", "Trunk · Ring right · Control", `<option value="position" selected>`)
	q.wrong("columns", url.Values{"column-2": {""}}, "Select which column is the serial number of the badge")
	q.wrong("columns", url.Values{"column-3": {"barcode"}}, "Another column is this too")
	q.wrong("columns", url.Values{"column-7": {""}, "column-8": {""}}, "Select at least one column of doses")
	q.wrong("columns", url.Values{"column-8": {"value"}}, "or neither")
	if to := q.answers("columns", nil); to != "reading" {
		t.Errorf("the columns lead to %q", to)
	}
	q.ask("reading", "01/01/2026", `value="DD/MM/YYYY" checked`, `value="," checked`)
	q.wrong("reading", url.Values{"dates": {"DD/MM/YYYY", "MM/DD/YYYY"}}, "Two of these read one text as different days")
	q.wrong("reading", url.Values{"control": {"6"}}, "Enter what stands there for control badges")
	if to := q.answers("reading", url.Values{"control": {"6"}, "control-texts": {"CONTROL*"}}); to != "positions" {
		t.Errorf("how it is written leads to %q", to)
	}
	q.ask("positions", "“Foot”", `<option value="right finger" selected>`)
	if to := q.answers("positions", nil); to != "doses" {
		t.Errorf("the positions lead to %q", to)
	}
	q.ask("doses", "Hp(10) in Hp(10) [mSv]", "Hp(0.07) in Ring", "Unit of Hp(0.07) in column 8", `<option value="mSv" selected>`)
	q.wrong("doses", nil, "Select the unit of Hp(0.07)")
	q.wrong("doses", url.Values{"unit-2": {"mSv"}, "minimum-1": {"0,1"}}, "Enter the level as a number")
	if to := q.answers("doses", url.Values{"unit-2": {"mSv"}, "minimum-1": {"0.1"}, "at-2": {"right finger"}, "also-1": {"ignored"}}); to != "codes" {
		t.Errorf("the doses lead to %q", to)
	}
	q.ask("codes", "“NR”", "“&lt;0,1”", "“Late”", `<option value="below level" selected>`)
	q.wrong("codes", url.Values{"note-1": {""}, "note-2": {""}}, "Select what at least one of the notes means")
	if to := q.answers("codes", url.Values{"note-1": {"nothing"}}); to != "about" {
		t.Errorf("the codes lead to %q", to)
	}
	q.wrong("about", url.Values{"name": {"Cardiff"}}, "small letters, digits and hyphens")
	if to := q.answers("about", url.Values{"name": {"cardiff-monthly"}, "laboratory": {"Cardiff Dosimetry"}}); to != "check" {
		t.Errorf("the name leads to %q", to)
	}
	// Two rows are read; the others say why not. One by one what is behind them is answered.
	body := q.ask("check", "Store cardiff-monthly, version 3", "Hp(10): 0.35 mSv", "Hp(0.07): 1.2 mSv", "7 rows: 4 badges read, 2 rows refused, 1 blank.", "A position that the profile does not know", "a code that the profile knows")
	for _, private := range []string{"Siân", "Mair Parry", "Parry Mair", "Bowen"} {
		if strings.Contains(body, private) {
			t.Errorf("the answers to be checked name %s", private)
		}
	}
	q.answersTo("codes?from=check", url.Values{"code-2": {"not returned"}}, "check")
	q.ask("check", "7 rows: 5 badges read, 1 row refused", "Hp(10): Not returned")

	// Its text as a file, and then as a stored profile, by which the sample reads the same.
	w = sends(pages, http.MethodPost, q.path+"/download", nil)
	text := w.Body.String()
	if w.Header().Get("Content-Disposition") != `attachment; filename="cardiff-monthly-3.json"` || strings.Contains(text, "Parry") {
		t.Errorf("downloaded %v: %s", w.Header(), text)
	}
	w = sends(pages, http.MethodPost, q.path+"/save", nil)
	if got := w.Header().Get("Location"); got != profilePath(profileID(4))+"?done=profile-added" || s.profiles.texts[profileID(4)] != text {
		t.Fatalf("%d to %q: %s", w.Code, got, w.Body)
	}
	if w := sends(pages, http.MethodPost, q.path+"/columns", nil); w.Code != http.StatusNotFound {
		t.Errorf("the sample is still there: status %d", w.Code)
	}
}

// answersTo is answers, and where they must lead.
func (q *questions) answersTo(step string, changes url.Values, want string) {
	q.Helper()
	if to := q.answers(step, changes); to != want {
		q.Errorf("%s leads to %q", step, to)
	}
}

// What is changed of how the file is laid out is guessed anew; what is missing leads to its question; a sample can be dropped.
func TestSampleQuestions(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	q := &questions{t, s, pages, samplePath + "/" + sampleID(1).String()}
	q.wrong("file", url.Values{"row": {"0"}}, "from 1 to 1000")
	q.wrong("file", url.Values{"row": {"99"}}, "can&#39;t be read so")
	q.answersTo("file", url.Values{"separator": {";"}, "encoding": {"ISO-8859-14"}}, "columns")
	if l, err := labfile.ParseDraft(s.samples.drafts[sampleID(1)]); err != nil || l.Separators != ";" || l.Encoding != "ISO-8859-14" || l.Columns.Barcode.Heading != "Badge" {
		t.Errorf("%+v, %v", l, err)
	}
	q.ask("check", "Something is missing", `/about?from=check`)
	q.answersTo("about?from=check", url.Values{"name": {"lab"}}, "check")
	q.ask("check", "Something is missing", `/codes?from=check`)
	q.answersTo("codes?from=check", url.Values{"note-1": {"nothing"}}, "check")
	q.ask("check", "Something is missing", `/doses?from=check`)
	if w := sends(pages, http.MethodPost, q.path+"/save", nil); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "quantities[2].unit") {
		t.Errorf("stored unfinished: %d: %s", w.Code, w.Body)
	}
	if w := sends(pages, http.MethodPost, q.path+"/nothing", nil); w.Code != http.StatusNotFound {
		t.Errorf("an unknown question: status %d", w.Code)
	}
	if w := get(t, pages, "supervisor", q.path+"/columns"); w.Code != http.StatusNotFound {
		t.Errorf("a supervisor looks at a sample: status %d", w.Code)
	}
	if w := sends(pages, http.MethodPost, q.path+"/drop", nil); w.Header().Get("Location") != "/profiles?done=sample-dropped" || s.samples.dropped != 1 {
		t.Errorf("dropping leads to %q", w.Header().Get("Location"))
	}
	if w := get(t, pages, "co-ordinator", q.path+"/columns"); w.Code != http.StatusNotFound {
		t.Errorf("a sample that is gone: status %d", w.Code)
	}
}

// sends sends a request of a co-ordinator, as a browser does from a page of the same origin.
func sends(pages http.Handler, method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, sampleOrigin+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.AddCookie(&http.Cookie{Name: "session", Value: "co-ordinator"})
	w := httptest.NewRecorder()
	pages.ServeHTTP(w, r)
	return w
}

// shown are the answers that a page's first form shows: what a browser would send of it.
func shown(page string) (url.Values, error) {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return nil, err
	}
	var form *html.Node
	for n := range root.Descendants() {
		if n.Data == "form" && n.Type == html.ElementNode && strings.HasPrefix(attribute(n, "action"), samplePath) {
			form = n
			break
		}
	}
	if form == nil {
		return nil, errors.New("the page has no form")
	}
	out := url.Values{}
	for n := range form.Descendants() {
		name := attribute(n, "name")
		switch {
		case n.Type != html.ElementNode || name == "":
		case n.Data == "select":
			chosen, first := "", true
			for o := range n.Descendants() {
				if o.Data == "option" && (first || has(o, "selected")) {
					chosen, first = attribute(o, "value"), false
				}
			}
			out.Add(name, chosen)
		case n.Data == "textarea" && n.FirstChild != nil:
			out.Add(name, n.FirstChild.Data)
		case n.Data == "input" && (attribute(n, "type") == "text" || has(n, "checked")):
			out.Add(name, attribute(n, "value"))
		}
	}
	return out, nil
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// A profile is made by keyboard: each question, wide and narrow, what is wrong with an answer, and the answers to be checked.
func TestSampleByKeyboard(t *testing.T) {
	walks(t, "co-ordinator", func(w *walker) {
		w.open(samplePath)
		w.enter(send)
		w.look("sample-errors", "Select a file that is not empty")
		path := samplePath + "/" + sampleID(1).String()
		w.open(path + "/columns")
		w.enter(send)
		w.look("sample-reading", "How is the file written?")
		w.write("control-texts", "CONTROL*")
		w.enter(send)
		w.look("sample-positions", "Where are badges worn?")
		w.enter(send)
		w.look("sample-doses", "Hp(0.07) in Ring")
		w.choose("#at-2-2")
		w.enter(send)
		w.look("sample-doses-errors", "Select the unit of Hp(0.07) in column 8")
		w.focus("#unit-2")
		w.Do(chromedp.KeyEvent("m")) // the first that begins so
		w.enter(send)
		w.look("sample-codes", "“NR”")
		w.focus("#note-1")
		w.Do(chromedp.KeyEvent("S")) // says nothing of the dose
		w.enter(send)
		w.look("sample-about", "What is the profile called?")
		w.write("name", "lab")
		w.enter(send)
		w.look("sample-check", "How the sample would be read")
		w.enter(`form[action$="save"] button`)
		w.look("sample-stored", "lab, version 1")
	})
}

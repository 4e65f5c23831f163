package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/words"
)

// form is what somebody typed, and what is wrong with it. What was typed goes back into the form itself, and nowhere
// else: not into an address, a log or the text of an error.
type form struct {
	values url.Values
	Errors []formError // in the order of the page
}

// formError is what is wrong with a field. Field is the id of the input that the error summary leads to.
type formError struct {
	Field string
	Text  words.Key
	Args  []any // of the text, as words.T takes them

	English bool // the text is known in English only: another part of the program says it
}

// readForm reads the form that a POST brings.
func readForm(v *visit) (form, error) {
	if err := v.r.ParseForm(); err != nil {
		return form{}, errForm
	}
	return form{values: v.r.PostForm}, nil
}

// formOf is a form filled in with what is known: pairs of name and value.
func formOf(pairs ...string) form {
	f := form{values: url.Values{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.values.Set(pairs[i], pairs[i+1])
	}
	return f
}

// Value is a field's text as it was typed.
func (f form) Value(name string) string { return f.values.Get(name) }

// Has reports whether one of several choices was made.
func (f form) Has(name, value string) bool { return slices.Contains(f.values[name], value) }

// Text is a field's text, trimmed, its runs of spaces made one.
func (f form) Text(name string) string { return strings.Join(strings.Fields(f.values.Get(name)), " ") }

// Lines are the lines of a field that are not empty, likewise.
func (f form) Lines(name string) []string {
	var out []string
	for line := range strings.Lines(f.values.Get(name)) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// Wrong returns what is wrong with a field, or nil.
func (f form) Wrong(name string) *formError {
	for i, e := range f.Errors {
		if e.Field == name {
			return &f.Errors[i]
		}
	}
	return nil
}

// wrong says that a field is wrong; only the first reason of a field is kept.
func (f *form) wrong(name string, text words.Key, args ...any) {
	if f.Wrong(name) == nil {
		f.Errors = append(f.Errors, formError{Field: name, Text: text, Args: args})
	}
}

// wrongInEnglish says it in the words of another part of the program, which knows no Welsh.
func (f *form) wrongInEnglish(name, text string) {
	if f.Wrong(name) == nil {
		f.Errors = append(f.Errors, formError{Field: name, Text: words.Plain(text), English: true})
	}
}

// need returns a field's text, and says what to enter when there is none.
func (f *form) need(name string, enter words.Key) string {
	s := f.Text(name)
	if s == "" {
		f.wrong(name, enter)
	}
	return s
}

// choice returns which of several values was chosen, and says what to select when none of them was.
func (f *form) choice(name string, choose words.Key, values ...string) string {
	s := f.values.Get(name)
	if !slices.Contains(values, s) {
		f.wrong(name, choose)
		return ""
	}
	return s
}

// dayParts are the three inputs of a day.
var dayParts = []string{"day", "month", "year"}

// missingParts say which of them are missing.
var missingParts = map[string]words.Key{
	"day": "%s must have a day", "month": "%s must have a month", "year": "%s must have a year",
	"day month": "%s must have a day and a month", "day year": "%s must have a day and a year", "month year": "%s must have a month and a year",
}

// Day returns the day of a date input, zero when its three fields are empty. What is the thing's name at the beginning
// of a sentence, as in "Date of birth".
func (f *form) Day(name string, what words.Key) day.Day {
	var n [3]int
	var empty []string
	for i, part := range dayParts {
		s := f.Text(name + "-" + part)
		if s == "" {
			empty = append(empty, part)
			continue
		}
		n[i], _ = strconv.Atoi(s) // what is no number is no day
	}
	switch {
	case len(empty) == 3:
		return 0
	case len(empty) > 0:
		f.wrong(name+"-"+empty[0], missingParts[strings.Join(empty, " ")], what)
		return 0
	}
	d := day.Of(n[2], time.Month(n[1]), n[0])
	if n[2] < 1900 || n[2] > 2199 || d.Time().Day() != n[0] || int(d.Time().Month()) != n[1] {
		f.wrong(name+"-day", "%s must be a real day, such as 27 3 2026", what)
		return 0
	}
	return d
}

// setDay fills a date input in.
func (f *form) setDay(name string, d day.Day) {
	if !d.IsZero() {
		t := d.Time()
		for part, n := range map[string]int{"day": t.Day(), "month": int(t.Month()), "year": t.Year()} {
			f.values.Set(name+"-"+part, strconv.Itoa(n))
		}
	}
}

// keptField is a field's name and text.
type keptField struct{ Name, Text string }

// kept are the fields that a page of answers to be checked carries along, by name; those left out are its own buttons.
func (f form) kept(without ...string) []keptField {
	var out []keptField
	for name, values := range f.values {
		if !slices.Contains(without, name) {
			for _, v := range values {
				out = append(out, keptField{name, v})
			}
		}
	}
	slices.SortFunc(out, func(a, b keptField) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// field is an input with its words.
type field struct {
	Name        string
	Label, Hint words.Key
	Type        string // text where empty
	Width       string // of nhsuk-input--width-…: 2, 3, 4, 5, 10, 20; empty: as wide as the column
	Suffix      string // a unit
	Numeric     bool
	Max         int // characters; 200 where zero
}

func (x field) max() string {
	if x.Max > 0 {
		return strconv.Itoa(x.Max)
	}
	return "200"
}

// describedBy names what else is said of an input.
func (f form) describedBy(name string, hint words.Key) string {
	var ids []string
	if hint != "" {
		ids = append(ids, name+"-hint")
	}
	if f.Wrong(name) != nil {
		ids = append(ids, name+"-error")
	}
	return strings.Join(ids, " ")
}

// dayWrong is what is wrong with a date input, in any of its fields.
func (f form) dayWrong(name string) *formError {
	for _, part := range dayParts {
		if e := f.Wrong(name + "-" + part); e != nil {
			return e
		}
	}
	return nil
}

// group is a question with several answers.
type group struct {
	Name         string
	Legend, Hint words.Key
	Small        bool // a legend of the size of a label
	Options      []option
}

// option is one of them.
type option struct {
	Value       string
	Label, Hint words.Key
}

// dones are what a page says at its top after something was done, by what its address brings along as ?done=.
var dones = map[string]words.Key{}

// done is the sentence for the address of a visit, or nothing.
func (v *visit) done() words.Key { return dones[v.r.URL.Query().Get("done")] }

// optionID is the id of a question's answer: the first has the question's own, which is where an error leads.
func optionID(name string, i int) string {
	if i == 0 {
		return name
	}
	return name + "-" + strconv.Itoa(i+1)
}

// status is the status of a page with this form.
func (f form) status() int {
	if len(f.Errors) > 0 {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// A profile is made from a sample of a laboratory's file, a question at a time. Between the questions sample and answers
// lie sealed in the register; an address holds the sample's random id alone.

// Samples is what these pages need of the register.
type Samples interface {
	// AddSample takes a sample in, with a draft of its profile. Both are kept for an hour at most.
	AddSample(ctx context.Context, auth vaultclient.Auth, file, draft []byte) (id.Import, error)
	// Sample opens both; it is entered. Code NotFound: they are not kept, or no longer.
	Sample(ctx context.Context, auth vaultclient.Auth, n id.Import) (file, draft []byte, err error)
	// SetDraft keeps another draft. Code NotFound likewise.
	SetDraft(ctx context.Context, auth vaultclient.Auth, n id.Import, draft []byte) error
	// DropSample deletes both. Code NotFound likewise.
	DropSample(ctx context.Context, auth vaultclient.Auth, n id.Import) error
}

const (
	samplePath    = profilesPath + "/sample"
	samplePattern = "POST " + samplePath
	maxSample     = 4 << 20
	mostTexts     = 60 // that are asked about
	mostRead      = 10 // rows shown as they would be read
)

func (h *handler) sampleRoutes() []route {
	return []route{
		{"GET " + samplePath, h.page(h.newSample)},
		{samplePattern, h.page(h.addSample)},
		{"GET " + samplePath + "/{sample}/{step}", h.page(h.sampleStep)},
		{"POST " + samplePath + "/{sample}/{step}", h.page(h.answerStep)},
	}
}

func init() {
	largeBodies[samplePattern] = maxSample + 16<<10
	dones["sample-dropped"] = "The sample was deleted"
}

// sampleStep is a question about a sample.
type sampleStep struct {
	name  string
	title words.Key
	asked func(*sampleWork) bool // nil: always
	fill  func(*sampleWork, *form)
	take  func(*sampleWork, *form) // into the draft; what is wrong goes into the form
}

var sampleSteps = []sampleStep{
	{"columns", "What are the columns?", nil, (*sampleWork).fillColumns, (*sampleWork).takeColumns},
	{"reading", "How is the file written?", nil, (*sampleWork).fillReading, (*sampleWork).takeReading},
	{"positions", "Where are badges worn?", func(x *sampleWork) bool { return !x.l.Columns.Position.IsZero() }, (*sampleWork).fillPositions, (*sampleWork).takePositions},
	{"doses", "How are the doses given?", nil, (*sampleWork).fillDoses, (*sampleWork).takeDoses},
	{"codes", "What do the texts mean?", func(x *sampleWork) bool { return len(x.codes())+len(x.notes()) > 0 }, (*sampleWork).fillCodes, (*sampleWork).takeCodes},
	{"about", "What is the profile called?", nil, (*sampleWork).fillAbout, (*sampleWork).takeAbout},
}

// fileStep is asked only of somebody who wants to change it.
var fileStep = sampleStep{"file", "How is the file laid out?", nil, (*sampleWork).fillFile, (*sampleWork).takeFile}

// sampleWork is a sample being made a profile of.
type sampleWork struct {
	Path  string
	Check bool            // the reader came from the answers to be checked, and goes back there
	ctx   context.Context // of the visit: the reader's language
	n     id.Import
	file  []byte
	l     *labfile.Layout
	s     *labfile.Sample
	today day.Day
}

// Stay keeps where to go next in an address of a step.
func (x *sampleWork) Stay(step string) string {
	if x.Check {
		return x.Path + "/" + step + "?from=check"
	}
	return x.Path + "/" + step
}

func (h *handler) newSample(v *visit) error {
	if !loadsFiles(v.user.Role) {
		return errNoPage
	}
	return h.askSample(v, form{})
}

func (h *handler) askSample(v *visit, f form) error {
	h.render(v.w, v.r, f.status(), newSamplePage(h.frame("Make a profile from a sample", &v.user, profilesCrumbs...).of(f), f))
	return nil
}

// addSample takes a sample in and guesses what it can.
func (h *handler) addSample(v *visit) error {
	if !loadsFiles(v.user.Role) {
		return errNoPage
	}
	ctx, cancel := v.slowly()
	defer cancel()
	f := formOf()
	file, _, err := readUpload(v.r, &f)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok || len(file) > maxSample {
		f.wrong("file", "The sample must be smaller than 4 MiB: a month's file, or a part of one, is enough")
		return h.askSample(v, f)
	}
	if err != nil {
		return errForm
	}
	if len(file) == 0 {
		f.wrong("file", "Select a file that is not empty")
		return h.askSample(v, f)
	}
	if _, err := labfile.Recognise(file, labfile.Profiles()); err == nil {
		f.wrong("file", "This is a Landauer DoseReport: its profile is built in, so load it as it is")
		return h.askSample(v, f)
	}
	l, err := labfile.Guess(file)
	if bad, ok := errors.AsType[*labfile.FileError](err); ok {
		f.wrongInEnglish("file", statement(bad.Error()))
		return h.askSample(v, f)
	}
	if err != nil {
		return err
	}
	draft, err := l.JSON()
	if err != nil {
		return err
	}
	n, err := h.Register.AddSample(ctx, v.auth, file, draft)
	if err != nil {
		return err
	}
	http.Redirect(v.w, v.r, samplePath+"/"+n.String()+"/columns", http.StatusSeeOther)
	return nil
}

// sampleOf finds the sample that an address names.
func (h *handler) sampleOf(v *visit) (*sampleWork, error) {
	var n id.Import
	if err := idIn(v, "sample", &n); err != nil {
		return nil, err
	}
	if !loadsFiles(v.user.Role) {
		return nil, errNoPage
	}
	file, draft, err := h.Register.Sample(v.ctx, v.auth, n)
	if err != nil {
		return nil, err
	}
	x := &sampleWork{Path: samplePath + "/" + n.String(), Check: v.r.URL.Query().Get("from") == "check", ctx: v.ctx, n: n, file: file, today: day.At(h.Now())}
	if x.l, err = labfile.ParseDraft(draft); err != nil {
		return nil, err
	}
	x.s, err = labfile.OpenSample(file, x.l)
	return x, err
}

// stepOf finds the question that an address names; nil: none.
func stepOf(name string) *sampleStep {
	if name == fileStep.name {
		return &fileStep
	}
	for i := range sampleSteps {
		if sampleSteps[i].name == name {
			return &sampleSteps[i]
		}
	}
	return nil
}

// after is the address of what follows a question.
func (x *sampleWork) after(name string) string {
	if name == fileStep.name {
		return x.Path + "/columns"
	}
	if x.Check {
		return x.Path + "/check"
	}
	i := slices.IndexFunc(sampleSteps, func(s sampleStep) bool { return s.name == name })
	for _, s := range sampleSteps[i+1:] {
		if s.asked == nil || s.asked(x) {
			return x.Path + "/" + s.name
		}
	}
	return x.Path + "/check"
}

func (h *handler) sampleStep(v *visit) error {
	x, err := h.sampleOf(v)
	if err != nil {
		return err
	}
	step := v.r.PathValue("step")
	if step == "check" {
		return h.checkSample(v, x, form{})
	}
	s := stepOf(step)
	if s == nil {
		return errNoPage
	}
	f := formOf()
	s.fill(x, &f)
	h.renderStep(v, x, s, f)
	return nil
}

func (h *handler) renderStep(v *visit, x *sampleWork, s *sampleStep, f form) {
	h.render(v.w, v.r, f.status(), samplePage(h.frame(s.title, &v.user, profilesCrumbs...).of(f), f, x, s))
}

// answerStep takes an answer, or ends the work on a sample.
func (h *handler) answerStep(v *visit) error {
	x, err := h.sampleOf(v)
	if err != nil {
		return err
	}
	f, err := readForm(v)
	if err != nil {
		return err
	}
	switch step := v.r.PathValue("step"); step {
	case "save":
		return h.saveSample(v, x)
	case "download":
		return h.downloadSample(v, x)
	case "drop":
		if err := h.Register.DropSample(v.ctx, v.auth, x.n); err != nil {
			return err
		}
		http.Redirect(v.w, v.r, profilesPath+"?done=sample-dropped", http.StatusSeeOther)
		return nil
	default:
		s := stepOf(step)
		if s == nil {
			return errNoPage
		}
		s.take(x, &f)
		if len(f.Errors) > 0 {
			h.renderStep(v, x, s, f)
			return nil
		}
		draft, err := x.l.JSON()
		if err != nil {
			return err
		}
		if err := h.Register.SetDraft(v.ctx, v.auth, x.n, draft); err != nil {
			return err
		}
		http.Redirect(v.w, v.r, x.after(step), http.StatusSeeOther)
		return nil
	}
}

// sampleCheck is what a sample's answers come to.
type sampleCheck struct {
	*sampleWork
	Words   profileView
	Wrong   string // why they make no profile, or the file is not read by it
	Where   string // the question that mends it
	Report  *labfile.Report
	Refused []RowNote
}

// finished returns the draft's text in the version that it would be stored as.
func (h *handler) finished(v *visit, x *sampleWork) ([]byte, error) {
	all, err := h.Register.StoredProfiles(v.ctx, v.auth)
	if err != nil {
		return nil, err
	}
	x.l.Version = 0
	for _, p := range all {
		if p.Name == x.l.Name {
			x.l.Version = max(x.l.Version, p.Version+1)
		}
	}
	return x.l.JSON()
}

// stepsOfFields are the questions behind a profile's fields, by how the field begins.
var stepsOfFields = []struct{ field, step string }{
	{"name", "about"}, {"laboratory", "about"}, {"version", "about"}, {"positions", "positions"}, {"account", "reading"}, {"position", "reading"}, {"dates", "reading"},
	{"decimal", "reading"}, {"control", "reading"}, {"quantities", "doses"}, {"codes", "codes"}, {"notes", "codes"}, {"columns", "columns"},
}

// checkSample shows what the answers come to, and how the first rows would be read.
func (h *handler) checkSample(v *visit, x *sampleWork, f form) error {
	text, err := h.finished(v, x)
	if err != nil {
		return err
	}
	c := sampleCheck{sampleWork: x, Words: profileView{StoredProfile: StoredProfile{Name: x.l.Name, Version: max(1, x.l.Version)}}}
	p, err := labfile.ParseProfile(text)
	if bad, ok := errors.AsType[*labfile.ProfileError](err); ok {
		c.Wrong, c.Where = statement(bad.Field+": "+bad.Reason), "columns"
		for _, s := range stepsOfFields {
			if strings.HasPrefix(bad.Field, s.field) {
				c.Where = s.step
				break
			}
		}
	} else if err != nil {
		return err
	} else if err := c.Words.describe(v.ctx, text); err != nil {
		return err
	} else if c.Report, err = labfile.Read(bytes.NewReader(x.file), labfile.Options{Profile: p, Today: x.today}); err != nil {
		c.Wrong, c.Where = statement(err.Error()), "columns"
	} else {
		for _, r := range c.Report.Refused {
			c.Refused = append(c.Refused, RowNote{r.Number, r.Column, r.Reason})
		}
	}
	h.render(v.w, v.r, f.status(), checkSamplePage(h.frame("Check the profile", &v.user, profilesCrumbs...).of(f), f, c))
	return nil
}

// saveSample stores the profile and deletes the sample.
func (h *handler) saveSample(v *visit, x *sampleWork) error {
	text, err := h.finished(v, x)
	if err != nil {
		return err
	}
	n, err := h.Register.StoreProfile(v.ctx, v.auth, text)
	if no, ok := errors.AsType[*NotAccepted](err); ok {
		f := formOf()
		f.wrongInEnglish("save", statement(no.Message))
		return h.checkSample(v, x, f)
	}
	if err != nil {
		return err
	}
	if err := h.Register.DropSample(v.ctx, v.auth, x.n); err != nil {
		h.Log.Warn("deleting a sample; it goes by itself within an hour", "sample", x.n, "error", err)
	}
	http.Redirect(v.w, v.r, profilePath(n)+"?done=profile-added", http.StatusSeeOther)
	return nil
}

// downloadSample answers with the profile's text, finished or not.
func (h *handler) downloadSample(v *visit, x *sampleWork) error {
	text, err := h.finished(v, x)
	if err != nil {
		return err
	}
	v.file(text, "application/json", fmt.Sprintf("%s-%d.json", orName(x.l.Name), max(1, x.l.Version)))
	return nil
}

// orName is a profile's name as a file may have it.
func orName(s string) string {
	if s == "" || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "profile"
	}
	return s
}

// numbered is the name of a field of many.
func numbered(name string, i int) string { return name + "-" + strconv.Itoa(i+1) }

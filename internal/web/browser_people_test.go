package web

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/dosevault/dosevault/internal/web/webtest"
)

// walker goes through pages by keyboard alone, and looks at each with axe-core. With DOSEVAULT_SCREENSHOTS=DIR it leaves
// a picture of each page there.
type walker struct {
	*testing.T
	*webtest.Tab
	origin, size string
}

// walks runs a walk as a user, in a wide window and on a phone, each on pages of its own.
func walks(t *testing.T, user string, walk func(*walker)) {
	for _, size := range []struct {
		name  string
		width int64
	}{{"wide", 1280}, {"phone", 390}} {
		t.Run(size.name, func(t *testing.T) {
			browser, origin := startBrowser(t)
			w := &walker{t, webtest.Open(t, browser, size.width, 900, origin), origin, size.name}
			_, err := chromedp.Call(w.Ctx, network.SetCookie, network.SetCookieParams{Name: "session", Value: user, URL: origin})
			must(t, err)
			walk(w)
			w.Quiet(func(m string) bool { return strings.Contains(m, "422") })
		})
	}
}

// open opens a page of the node.
func (w *walker) open(path string) { w.Helper(); w.Go(w.origin + path) }

// look looks at the page under a name, which must say something.
func (w *walker) look(name, says string) {
	w.Helper()
	if text := w.Text(); !strings.Contains(text, says) {
		w.Fatalf("%s does not say %q: %s", name, says, text)
	}
	if dir := os.Getenv("DOSEVAULT_SCREENSHOTS"); dir != "" {
		must(w.T, os.WriteFile(filepath.Join(dir, name+"-"+w.size+".png"), w.Screenshot(), 0o644))
	}
	w.Axe()
}

// focus puts the focus where key presses go.
func (w *walker) focus(selector string) {
	w.Helper()
	if !webtest.Eval[bool](w.Tab, `(e => { e?.focus(); return !!e && document.activeElement == e })(document.querySelector(`+"`"+selector+"`"+`))`) {
		w.Fatalf("%s can't have the focus", selector)
	}
}

// write writes into a field: pairs of id and text. What stood there is replaced.
func (w *walker) write(pairs ...string) {
	w.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		w.focus("#" + pairs[i])
		webtest.Eval[chromedp.Void](w.Tab, "document.activeElement.select?.()")
		if pairs[i+1] == "" {
			w.Do(chromedp.KeyEvent(kb.Backspace))
		} else {
			w.Do(chromedp.KeyEvent(pairs[i+1]))
		}
	}
}

// choose chooses radios, boxes or options of lists by a key press.
func (w *walker) choose(selectors ...string) {
	w.Helper()
	for _, s := range selectors {
		w.focus(s)
		w.Do(chromedp.KeyEvent(" "))
	}
}

// enter presses the enter key on a button or link and waits for the page to which it leads.
func (w *walker) enter(selector string) {
	w.Helper()
	w.focus(selector)
	_, err := chromedp.RunResponse(w.Ctx, chromedp.KeyEvent(kb.Enter))
	must(w.T, err)
}

const send = `main form button[type=submit]`

func TestOrganisationsByKeyboard(t *testing.T) {
	walks(t, "co-ordinator", func(w *walker) {
		w.open("/organisations?kind=dental-practice")
		w.look("organisations", "30 organisations")
		w.open("/organisations?name=zzz")
		w.look("organisations-none", "No organisation fits")
		w.open("/organisations/new")
		w.enter(`main form button`)
		w.look("organisation-errors", "There is a problem")
		if got := webtest.Eval[string](w.Tab, `document.activeElement.className`); got != "nhsuk-error-summary" {
			t.Errorf("the focus is on %q, not on what is wrong", got)
		}
		w.focus(`.nhsuk-error-summary a`)
		// Not by a key press: the driver sends its character after the focus has moved, which would send the form.
		webtest.Eval[chromedp.Void](w.Tab, "document.activeElement.click()")
		if got := webtest.Eval[string](w.Tab, `document.activeElement.id`); got != "name" {
			t.Errorf("what is wrong leads to %q", got)
		}
		w.Do(chromedp.KeyEvent("Ysbyty Bryn Derwen"))
		w.write("contact", "Swyddog diogelu data", "email", "dpo@brynderwen.example", "on-day", "3", "on-month", "3", "on-year", "2026", "how", "telephoned")
		w.choose(`[name=kind][value=private-hospital]`, `[name=standing][value=processor]`, `[name=verified][value=yes]`)
		w.enter(send)
		w.look("organisation-check", "Check before you add the organisation")
		w.enter(`button[value=add]`)
		w.look("settings-new", "The organisation was added")
		w.open(settingsPath(organisationID(1)))
		w.look("settings", "Swyddog diogelu data")
		for part, says := range map[string]string{"name": "Bwrdd Iechyd", "contact": "Who is told of a breach", "accounts": "One in each line", "departments": "They are offered"} {
			w.open(settingsPath(organisationID(1)) + "/" + part)
			w.look("settings-"+part, says)
		}
		w.open(settingsPath(organisationID(1)) + "/levels")
		w.write("level-effective", "twenty", "level-lens", "12.5")
		w.enter(send)
		w.look("settings-levels-errors", "enter a number of mSv above 0")
		w.write("level-effective", "4")
		w.enter(send)
		w.look("settings-changed", "The settings were changed")
	})
}

func TestPeopleByKeyboard(t *testing.T) {
	walks(t, "co-ordinator", func(w *walker) {
		list := wearersPath(organisationID(1))
		w.open(list)
		w.look("wearers-departments", "Cardioleg / Cardiology")
		w.write("department", "theatr")
		w.choose("#left")
		w.enter(`form[role=search] button`)
		w.look("wearers-filtered", "found in “theatr” among those who have left")
		w.open(wearersPath(organisationID(2)))
		w.look("wearers-none", "or load a staff list")
		w.open(list + "/new")
		w.enter(send)
		w.look("person-errors", "Enter the surname")
		w.write("surname", "Bowen", "forenames", "Siân", "birth-day", "27", "birth-month", "3", "birth-year", "1984", "staff", "GA90001", "department", "Radioleg",
			"from-day", "1", "from-month", "4", "from-year", "2026", "email", "sian@aeron.example")
		w.choose(`[name=sex][value=F]`, `[name=classified][value=yes]`)
		w.enter(send)
		w.look("person-ni", "What is their National Insurance number?")
		w.write("ni", "AB 12 34 56 C")
		w.enter(send)
		w.look("person-same", "Which of them is it?")
		w.choose(`[name=same]`)
		w.enter(send)
		w.look("person-check", "Same person as")
		w.enter(`button[value=save]`)
		w.look("person-taken-on", "They were taken on")

		one := wearerID(1)
		w.open(wearerPath(one))
		w.focus(".nhsuk-details__summary")
		w.Do(chromedp.KeyEvent(" "))
		w.look("wearer-actions", "They leave, or left")
		w.enter(`a[href$="/change/name"]`)
		w.write("surname", "")
		w.enter(send)
		w.look("change-name-errors", "Enter the surname")
		w.write("surname", "Parry")
		w.enter(send)
		w.look("wearer-changed", "The record was changed")
		for part, says := range map[string]string{"staff": "Staff number", "birth": "not shown to your role", "sex": "reproductive", "contact": "Postal address", "work": "Job title", "classified": "regulation 21", "leave": "still out"} {
			w.open(partOf(one, "change/"+part))
			w.look("change-"+part, says)
		}
		w.open(partOf(one, "history"))
		w.look("history", "What was changed")
		w.open(partOf(one, "person"))
		w.look("same-person", "This is somebody else")
		w.open(partOf(wearerID(5), "person"))
		w.look("same-person-none", "No other employment")
		w.open("/people/pairs")
		w.look("pairs", "2 pairs")
		w.enter(`button[value=two]`)
		w.look("pairs-done", "They are two people")
	})
}

func TestInvestigationsByKeyboard(t *testing.T) {
	walks(t, "co-ordinator", func(w *walker) {
		w.open(investigationsPath(organisationID(1)))
		w.look("investigations", "Dose when opened")
		w.enter(`td a`)
		w.enter(`button[value=close]`)
		w.look("investigation-errors", "Write why it is closed")
		w.write("text", "The badge lay in the beam.")
		w.enter(`button[name=what]`)
		w.look("investigation-noted", "The note was added")
		w.write("text", "No dose to the person: the badge was left on the table.")
		w.enter(`button[value=close]`)
		w.look("investigation-closed", "The investigation was closed")
		w.open(investigationsPath(organisationID(1)))
		w.look("investigations-closed", "Closed")
		w.open(investigationsPath(organisationID(2)))
		w.look("investigations-none", "No investigation is open")
	})
}

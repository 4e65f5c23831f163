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

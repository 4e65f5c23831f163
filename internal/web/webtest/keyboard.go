package webtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Keyboard uses a tab's pages as somebody does who has no mouse. What can't be reached, or does not show that it is
// reached, fails the test.
type Keyboard struct{ *Tab }

// most is how often Tab is pressed to reach something: no page has so many stops.
const most = 250

// reach presses Tab until what an expression says of the element e holds for what has the focus.
func (k Keyboard) reach(what, expression string) {
	k.t.Helper()
	for pressed := range most {
		if Eval[bool](k.Tab, `(e => e != document.body && (`+expression+`))(document.activeElement)`) {
			if pressed > 0 && !k.shown() {
				k.t.Errorf("%s has the focus, and it does not show", what)
			}
			return
		}
		k.Do(chromedp.KeyEvent(kb.Tab))
	}
	k.t.Fatalf("%s is not reached by keyboard: %s", what, k.Text())
}

// shown reports whether what has the focus shows it, at the latest after the second that a page may take to be drawn.
func (k Keyboard) shown() bool {
	k.t.Helper()
	for deadline := time.Now().Add(time.Second); ; time.Sleep(20 * time.Millisecond) {
		if Eval[bool](k.Tab, `(e => { const s = getComputedStyle(["checkbox", "radio"].includes(e.type) ? e.nextElementSibling : e, ["checkbox", "radio"].includes(e.type) ? "::before" : null);
			return s.boxShadow != "none" || s.outlineStyle != "none" })(document.activeElement)`) {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}

// enter presses Enter and waits for the page to which that leads.
func (k Keyboard) enter() int64 {
	k.t.Helper()
	return k.load(chromedp.KeyEvent(kb.Enter))
}

// Follow reaches a link or button by the beginning of its text and presses Enter. It returns the next page's status.
func (k Keyboard) Follow(text string) int64 {
	k.t.Helper()
	k.reach(text, `["A", "BUTTON"].includes(e.tagName) && e.textContent.trim().replace(/\s+/g, " ").startsWith(`+strconv.Quote(text)+`)`)
	return k.enter()
}

// Unfold reaches what is folded away under a text and opens it.
func (k Keyboard) Unfold(text string) {
	k.t.Helper()
	k.reach(text, `e.tagName == "SUMMARY" && e.textContent.trim().startsWith(`+strconv.Quote(text)+`)`)
	k.Do(chromedp.KeyEvent(kb.Enter))
}

// Open reaches a link whose address ends so, as one row's of a list, and presses Enter.
func (k Keyboard) Open(end string) int64 {
	k.t.Helper()
	k.reach("the link to "+end, `e.tagName == "A" && e.pathname.endsWith(`+strconv.Quote(end)+`)`)
	return k.enter()
}

// Type writes into a field; a field that Tab reaches has its text selected, so that it is replaced.
func (k Keyboard) Type(id, text string) {
	k.t.Helper()
	k.reach("the field "+id, `e.id == `+strconv.Quote(id))
	k.Do(chromedp.KeyEvent(text))
}

// Enter types into a field and presses Enter there, as a hand scanner does.
func (k Keyboard) Enter(id, text string) {
	k.t.Helper()
	k.Type(id, text)
	k.Do(chromedp.KeyEvent(kb.Enter))
}

// Choose selects one of the choices of a name: a radio button by the arrow keys, as the browser has it, or a box by Space.
func (k Keyboard) Choose(name, value string) {
	k.t.Helper()
	k.reach("a choice of "+name, fmt.Sprintf(`e.name == %q && (e.type == "radio" || e.value == %q)`, name, value))
	is := fmt.Sprintf(`document.activeElement.value == %q`, value)
	for range 30 {
		if Eval[bool](k.Tab, is) {
			if !Eval[bool](k.Tab, `document.activeElement.checked`) {
				k.Do(chromedp.KeyEvent(" "))
			}
			return
		}
		k.Do(chromedp.KeyEvent(kb.ArrowDown))
	}
	k.t.Fatalf("%s has no choice %q", name, value)
}

// Upload reaches a field for a file and gives it one: the system's own window for that is not the page's.
func (k Keyboard) Upload(id, path string) {
	k.t.Helper()
	k.reach("the field "+id, `e.id == `+strconv.Quote(id))
	k.Do(chromedp.SetUploadFiles(chromedp.ID(id), []string{path}))
}

// Download presses a button that answers with a file, and returns what it is called and holds.
func (k Keyboard) Download(text string) (name string, file []byte) {
	k.t.Helper()
	dir := k.t.TempDir()
	of := chromedp.FromContext(k.Ctx)
	if _, err := cdp.Call(k.Ctx, of.Browser, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehaviorAllow, BrowserContextID: of.BrowserContextID, DownloadPath: dir}); err != nil {
		k.t.Fatal(err)
	}
	k.reach(text, `e.tagName == "BUTTON" && e.textContent.trim().startsWith(`+strconv.Quote(text)+`)`)
	k.Do(chromedp.KeyEvent(kb.Enter))
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		list, err := os.ReadDir(dir)
		if err != nil {
			k.t.Fatal(err)
		}
		if len(list) != 1 || strings.HasSuffix(list[0].Name(), ".crdownload") || strings.HasPrefix(list[0].Name(), ".") {
			continue // not there yet, or not whole
		}
		if file, err = os.ReadFile(filepath.Join(dir, list[0].Name())); err == nil && len(file) > 0 {
			return list[0].Name(), file
		}
	}
	k.t.Fatalf("%s: no file came", text)
	return "", nil
}

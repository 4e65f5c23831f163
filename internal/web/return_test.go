package web

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/dosevault/dosevault/internal/web/webtest"
)

// scan sends the form as a browser does and returns where it leads and what stands there.
func scan(t *testing.T, pages http.Handler, user, path, code string) (to, body string) {
	t.Helper()
	w := post(t, pages, user, path, url.Values{"barcode": {code}})
	if w.Code != http.StatusSeeOther {
		t.Fatalf("scanning %q: status %d", code, w.Code)
	}
	to = w.Header().Get("Location")
	return to, get(t, pages, user, to).Body.String()
}

func TestReturnBadges(t *testing.T) {
	pages := samplePages(t, newSample(), nil)
	for _, c := range []struct{ path, code, to, want string }{
		{"/return", " c0001\r", "/return?answer=returned&badge=C0001", "Returned"},
		{"/return", "C0001", "/return?badge=C0001", "Returned before, on 12 March 2026"},
		{"/return", "L0001", "/return?badge=L0001", "Returned before, on 3 March 2026"},
		{"/return", "L0002", "/return?badge=L0002", "Sent to the laboratory before, on 6 March 2026"},
		{"/return", "L0003", "/return?badge=L0003", "Read already"},
		{"/return", "L0004", "/return?badge=L0004", "Not issued yet"},
		{"/return", "L/5-X", "/return?badge=L%2F5-X", "Sent to the laboratory before"},
		{"/return", "Mair Bowen", "/return?answer=unknown", "Unknown barcode"},
		{"/return", strings.Repeat("x", 300), "/return?answer=unknown", "Unknown barcode"},
		{"/return", " ", "/return?answer=empty", "Nothing was scanned"},
		{"/return/undo", "C0001", "/return?answer=undo&badge=C0001", "Taken back"},
		{"/return/undo", "L0001", "/return?answer=undo&badge=L0001", "Not taken back"},
		{"/return/undo", "nobody's", "/return?answer=unknown", "Unknown barcode"},
	} {
		to, body := scan(t, pages, "supervisor", c.path, c.code)
		if to != c.to || !strings.Contains(body, "</html>") {
			t.Errorf("%s %q leads to %s, want %s", c.path, c.code, to, c.to)
		}
		_, answer, _ := strings.Cut(body, `id="scan-answer"`)
		answer, _, _ = strings.Cut(answer, `id="scan-list"`)
		if !strings.Contains(answer, c.want) || strings.Contains(body, "Mair") {
			t.Errorf("%s %q answers %s", c.path, c.code, answer)
		}
	}
	// No address claims a return that was none.
	body := get(t, pages, "supervisor", "/return?answer=returned&badge=L0002").Body.String()
	if strings.Contains(body, `data-tone="ok"`) {
		t.Error("an address made a return up")
	}
	for _, user := range []string{"dpo", "records", "wearer", "operator"} {
		if w := get(t, pages, user, "/return"); w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", user, w.Code)
		}
		if w := post(t, pages, user, "/return", url.Values{"barcode": {"C0002"}}); w.Code != http.StatusNotFound {
			t.Errorf("%s returns a badge: status %d", user, w.Code)
		}
	}
}

// shot keeps a picture of the page when somebody wants to look at it.
func shot(t *testing.T, tab *webtest.Tab, name string) {
	t.Helper()
	if dir := os.Getenv("DOSEVAULT_SCREENSHOTS"); dir != "" {
		must(t, os.WriteFile(filepath.Join(dir, name+".png"), tab.Screenshot(), 0o644))
	}
}

// as opens a tab in which somebody is signed in.
func as(t *testing.T, user string, width int64) (*webtest.Tab, string) {
	t.Helper()
	ctx, origin := startBrowser(t)
	tab := webtest.Open(t, ctx, width, 900, origin)
	_, err := chromedp.Call(tab.Ctx, network.SetCookie, network.SetCookieParams{Name: "session", Value: user, URL: origin})
	must(t, err)
	return tab, origin
}

// TestScanTwentyBadges: a hand scanner types twenty barcodes as fast as it can, each with Enter, then one that is
// unknown; the last is taken back by keyboard. Nothing else is touched.
func TestScanTwentyBadges(t *testing.T) {
	for _, size := range []struct {
		name  string
		width int64
	}{{"wide", 1280}, {"phone", 390}} {
		t.Run(size.name, func(t *testing.T) {
			tab, origin := as(t, "supervisor", size.width)
			tab.Go(origin + "/return")
			tab.Axe()
			shot(t, tab, "return-ready-"+size.name)
			for i := range 20 {
				tab.Do(chromedp.KeyEvent(fmt.Sprintf("c%04d", i+1) + kb.Enter))
			}
			heading := func(want string) {
				t.Helper()
				tab.Do(chromedp.Poll[chromedp.Void](fmt.Sprintf(`document.getElementById("scan-answer").textContent.includes(%q)`, want)))
			}
			heading("C0020")
			if got := webtest.Eval[string](tab, `document.querySelector(".dv-scan").dataset.tone + " " + document.getElementById("returned-today").textContent + " " + document.querySelectorAll("#scan-list tbody tr").length`); got != "ok Returned by you today: 20 10" {
				t.Errorf("after twenty scans: %s", got)
			}
			tab.Axe()
			shot(t, tab, "return-ok-"+size.name)
			tab.Do(chromedp.KeyEvent("none" + kb.Enter))
			heading("Unknown barcode")
			tab.Axe()
			shot(t, tab, "return-unknown-"+size.name)
			if got := webtest.Eval[string](tab, `document.activeElement.id + document.activeElement.value`); got != "barcode" {
				t.Errorf("the focus is on %s", got)
			}
			tab.Do(chromedp.KeyEvent("c0003" + kb.Enter))
			heading("Returned before")
			// Shift and Tab are not needed: the first Undo is the next button after switch and links.
			for range 12 {
				tab.Do(chromedp.KeyEvent(kb.Tab))
				if webtest.Eval[bool](tab, `document.activeElement.matches(".dv-undo button")`) {
					break
				}
			}
			tab.Click(".dv-undo button:focus")
			heading("Taken back")
			tab.Axe()
			if got := webtest.Eval[string](tab, `document.activeElement.id + " " + document.getElementById("returned-today").textContent`); got != "barcode Returned by you today: 19" {
				t.Errorf("after taking one back: %s", got)
			}
			tab.Quiet(nil)
		})
	}
}

// TestScanWithoutJavaScript: the same form, a page at a time; the field has the focus again.
func TestScanWithoutJavaScript(t *testing.T) {
	tab, origin := as(t, "co-ordinator", 1280)
	_, err := chromedp.Call(tab.Ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	must(t, err)
	tab.Go(origin + "/return")
	for i := range 3 {
		tab.Do(chromedp.WaitVisible(chromedp.CSS("#barcode:focus"))) // by itself, on each page
		_, err := chromedp.RunResponse(tab.Ctx, chromedp.KeyEvent(fmt.Sprintf("C%04d", i+1)+kb.Enter))
		must(t, err)
	}
	if text := tab.Text(); !strings.Contains(text, "C0003") || !strings.Contains(text, "Returned by you today: 3") || strings.Contains(text, "Play a sound") {
		t.Errorf("after three scans: %s", text)
	}
}

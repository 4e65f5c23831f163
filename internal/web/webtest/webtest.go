// Package webtest looks at pages in Chromium the way a strict reader would: nothing that axe-core objects to, nothing on
// the console, no request to a host that is not ours, nothing wider than the screen. It is for tests only, and knows
// nothing of what the pages say.
package webtest

import (
	"context"
	_ "embed"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

//go:embed axe.min.js
var axe string

// Browser starts Chromium, without a window, until the test ends. A machine without Chromium fails the test: what
// nobody looks at is not known to work. More options are Chromium's own.
func Browser(t testing.TB, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("Chromium is not installed: the pages can't be looked at. On Debian: apt-get install -y --no-install-recommends chromium")
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), append([]chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Headless,
		chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true)}, more...)...)
	t.Cleanup(cancel)
	ctx, cancelBrowser := chromedp.NewContext(allocator)
	t.Cleanup(cancelBrowser)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// Tab is a tab that keeps what its pages say on the console and ask the network for.
type Tab struct {
	Ctx     context.Context
	t       testing.TB
	origins []string

	mu       sync.Mutex
	console  []string
	requests []string
}

// Open opens a tab of its own cookies, of a width and height in pixels, closed when the test ends. Requests to other
// origins than those given are told by Quiet.
func Open(t testing.TB, browser context.Context, width, height int64, origins ...string) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	ctx, cancelTime := context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(cancelTime)
	tab := &Tab{Ctx: ctx, t: t, origins: origins}
	tab.Do(chromedp.EmulateViewport(width, height))
	console, requests := chromedp.Console(ctx), chromedp.Events(ctx, network.RequestWillBeSent)
	go func() {
		for m, err := range console {
			if err != nil {
				return
			}
			tab.mu.Lock()
			tab.console = append(tab.console, m.Text)
			tab.mu.Unlock()
		}
	}()
	go func() {
		for r, err := range requests {
			if err != nil {
				return
			}
			tab.mu.Lock()
			tab.requests = append(tab.requests, r.Request.URL)
			tab.mu.Unlock()
		}
	}()
	return tab
}

// Do runs actions and fails the test when one does not work.
func (b *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.Ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// Go opens an address and returns its status.
func (b *Tab) Go(address string) int64 {
	b.t.Helper()
	return b.load(chromedp.Navigate(address))
}

// Click clicks what a CSS selector finds and waits for the page to which it leads.
func (b *Tab) Click(selector string) int64 {
	b.t.Helper()
	return b.load(chromedp.Click(chromedp.CSS(selector)))
}

func (b *Tab) load(a chromedp.Action[chromedp.Void]) int64 {
	b.t.Helper()
	r, err := chromedp.RunResponse(b.Ctx, a)
	if err != nil {
		b.t.Fatal(err)
	}
	return r.Status
}

// Text returns the page's text as a reader sees it.
func (b *Tab) Text() string {
	b.t.Helper()
	return Eval[string](b, `document.body ? document.body.innerText : ""`)
}

// Eval returns what a JavaScript expression gives. Where a page gives way to the next one meanwhile, that one is asked.
func Eval[T any](b *Tab, expression string) T {
	b.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		x, err := chromedp.Run(b.Ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
		if err == nil {
			return x
		}
		gone := strings.Contains(err.Error(), "Cannot find context") || strings.Contains(err.Error(), "context was destroyed") || strings.Contains(err.Error(), "navigated or closed")
		if !gone || time.Now().After(deadline) {
			b.t.Fatal(err)
		}
	}
}

// Axe fails the test for each thing that axe-core objects to on the page, and for what is wider than the screen.
func (b *Tab) Axe() {
	b.t.Helper()
	where := Eval[string](b, `location.pathname`)
	for _, x := range Wide(b.t, b.Ctx) {
		b.t.Errorf("%s: wider than the screen: %s", where, x)
	}
	for _, f := range Violations(b.t, b.Ctx) {
		b.t.Errorf("%s: axe: %s", where, f)
	}
}

// wide finds the first few elements that reach beyond the right edge of a page that can be scrolled sideways.
const wide = `[...document.querySelectorAll("body *")]
	.filter(x => document.documentElement.scrollWidth > innerWidth && x.getBoundingClientRect().right > innerWidth)
	.slice(0, 5).map(x => x.outerHTML.slice(0, 120))`

// Wide returns the first few elements that reach beyond the right edge of a page that can be scrolled sideways, and stay there: a
// navigation folds a moment after the screen has become narrower.
func Wide(t testing.TB, ctx context.Context) []string {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](wide))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 || time.Now().After(deadline) {
			return found
		}
	}
}

// Violations returns what axe-core objects to on the page that a context shows.
func Violations(t testing.TB, ctx context.Context) []string {
	t.Helper()
	there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`typeof axe == "object"`))
	if err == nil && !there {
		_, err = chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](axe))
	}
	if err != nil {
		t.Fatal(err)
	}
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`
		axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + v.help + ": " + n.html)))`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Screenshot returns a PNG of the whole page.
func (b *Tab) Screenshot() []byte {
	b.t.Helper()
	png, err := chromedp.Run(b.Ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	return png
}

// Quiet fails the test for every message on the console since the tab was opened, except those that expected says were
// to be expected, and for every request to another origin. Call it once, last: it writes a message of its own and
// waits for it, so that none before it is missed.
func (b *Tab) Quiet(expected func(message string) bool) {
	b.t.Helper()
	const end = "the end of this tab's messages"
	Eval[chromedp.Void](b, fmt.Sprintf("console.info(%q)", end))
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		b.mu.Lock()
		console, requests := b.console, b.requests
		b.mu.Unlock()
		if len(console) == 0 || !strings.Contains(console[len(console)-1], end) {
			if time.Now().After(deadline) {
				b.t.Fatal("the console did not answer")
			}
			continue
		}
		for _, m := range console[:len(console)-1] {
			cleared := strings.Contains(m, "Clear-Site-Data header on") && strings.Contains(m, "Cleared data types") // as signing out asks for
			if !cleared && (expected == nil || !expected(m)) {
				b.t.Errorf("console: %s", m)
			}
		}
		if len(requests) == 0 {
			b.t.Error("no request was seen: this looks at nothing")
		}
		for _, r := range requests {
			if !b.ours(r) {
				b.t.Errorf("a request to another host: %s", r)
			}
		}
		return
	}
}

func (b *Tab) ours(address string) bool {
	if strings.HasPrefix(address, "data:") {
		return true // nobody is asked: Chromium's own pictures, as in a field for a date
	}
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	for _, o := range b.origins {
		if u.Scheme+"://"+u.Host == o {
			return true
		}
	}
	return false
}

package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Returns is what the page for returning badges needs of the register. Nothing of it names anybody.
type Returns interface {
	// ReturnBadge takes a scanned badge back and says what it was.
	ReturnBadge(ctx context.Context, auth vaultclient.Auth, barcode string) (Scan, error)
	// LookAtBadge says where a badge is, and moves nothing.
	LookAtBadge(ctx context.Context, auth vaultclient.Auth, barcode string) (Scan, error)
	// UndoReturn takes back a return of the user's own, of today. Code Conflict: it is none, or something came after it.
	UndoReturn(ctx context.Context, auth vaultclient.Auth, barcode string) error
	// ReturnedToday returns the user's newest returns of today, newest first, and how many there are.
	ReturnedToday(ctx context.Context, auth vaultclient.Auth, most int) (list []Scan, total int, err error)
}

// Scan is what a scan found, and the badge.
type Scan struct {
	Answer       string // returned, returned-before, unknown, not-issued, sent, read
	Barcode      string // as it is printed; the rest is empty where it is unknown
	Batch        string
	Organisation id.Organisation
	From, To     day.Day
	On           day.Day   // when it was returned or sent before; zero: not known
	At           time.Time // when it was returned, in a list of returns
}

// Limits of the page for returning badges.
const (
	maxScan   = 200 // bytes of a scanned text
	lastScans = 10
)

// returnRoutes are returning badges by scanning.
func (h *handler) returnRoutes() []route {
	return []route{
		{"GET /return", h.page(h.returnBadges)},
		{"POST /return", h.page(h.returnBadge)},
		{"POST /return/undo", h.page(h.undoReturn)},
	}
}

// handlesBadges reports whether a role hands badges out and takes them back.
func handlesBadges(r policy.Role) bool {
	return r == policy.Coordinator || r == policy.Supervisor || r == policy.Local
}

const returnPath = "/return"

// badgePath is a badge's own page.
func badgePath(barcode string) string { return "/badges/" + url.PathEscape(barcode) }

// verdict is the answer to a scan as the page shows it: a colour and a symbol, a heading that says it all, and what to do.
type verdict struct {
	OK            bool
	Heading, Text words.Key
	Barcode       string // links to the badge; empty: there is none
}

// returnView is the page for returning badges.
type returnView struct {
	Answer *verdict
	Rows   []returnRow
	Today  int
	Scope  words.Key
}

// returnRow is one of today's returns.
type returnRow struct{ Barcode, Organisation, Period, Time string }

// returnBadges is the page: one field, the answer to the last scan, today's returns.
func (h *handler) returnBadges(v *visit) error {
	if !handlesBadges(v.user.Role) {
		return errNoPage
	}
	organisations, err := h.Vault.Organisations(v.ctx, v.auth)
	if err != nil {
		return err
	}
	x := returnView{Scope: "Badges of all organisations of the service are taken back here."}
	if len(organisations) == 1 {
		x.Scope = words.Plain(words.T(v.ctx, "Badges of %s are taken back here.", organisations[0].Name))
	}
	list, total, err := h.Register.ReturnedToday(v.ctx, v.auth, lastScans)
	if err != nil {
		return err
	}
	x.Today = total
	for _, s := range list {
		x.Rows = append(x.Rows, returnRow{s.Barcode, organisationName(v.ctx, organisations, s.Organisation), words.Period(v.ctx, s.From, s.To), words.Clock(s.At)})
	}
	if x.Answer, err = h.answer(v, list, organisations); err != nil {
		return err
	}
	head := v.w.Header()
	head.Set("Content-Security-Policy", head.Get("Content-Security-Policy")+"; connect-src 'self'") // return.js sends the form
	h.render(v.w, v.r, http.StatusOK, returnPage(h.frame(titleReturn, &v.user, link{Text: "Overview", Href: "/"}), x))
	return nil
}

// answer is what the page says of the last scan. The address names the badge only; what happened to it is looked up, so
// that no address can claim a return that was none.
func (h *handler) answer(v *visit, mine []Scan, organisations []vaultclient.Organisation) (*verdict, error) {
	q := v.r.URL.Query()
	code := q.Get("badge")
	switch {
	case q.Get("answer") == "unknown":
		return verdictOf(v.ctx, Scan{Answer: "unknown"}, ""), nil
	case q.Get("answer") == "empty":
		return &verdict{Heading: "Nothing was scanned", Text: "Scan a badge, or type its barcode and press Enter."}, nil
	case code == "":
		return nil, nil
	}
	s, err := h.Register.LookAtBadge(v.ctx, v.auth, code)
	if err != nil {
		return nil, err
	}
	latest := len(mine) > 0 && mine[0].Barcode == s.Barcode
	switch {
	case s.Answer == "returned-before" && latest && q.Get("answer") == "returned":
		s.Answer = "returned"
	case s.Answer == "returned-before" && q.Get("answer") == "undo":
		return &verdict{Heading: "Not taken back", Barcode: s.Barcode, Text: "A return can be taken back on the same day, by who made it. Ask a colleague, or your co-ordinator."}, nil
	case s.Answer == "not-returned" && q.Get("answer") == "undo":
		return &verdict{OK: true, Heading: "Taken back", Barcode: s.Barcode, Text: "The badge counts as issued again."}, nil
	}
	return verdictOf(v.ctx, s, organisationName(v.ctx, organisations, s.Organisation)), nil
}

// verdictOf says what a scan found.
func verdictOf(ctx context.Context, s Scan, organisation string) *verdict {
	badge := words.T(ctx, "%s, worn %s.", organisation, words.Period(ctx, s.From, s.To))
	x := &verdict{Barcode: s.Barcode, Text: words.Plain(badge)}
	before := func(what, whatOn words.Key) words.Key {
		if s.On.IsZero() {
			return what
		}
		return words.Plain(words.T(ctx, whatOn, s.On))
	}
	then := func(do words.Key) words.Key { return words.Plain(badge + " " + words.T(ctx, do)) }
	switch s.Answer {
	case "returned":
		x.OK, x.Heading = true, "Returned"
	case "returned-before":
		x.Heading = before("Returned before", "Returned before, on %s")
	case "sent":
		x.Heading = before("Sent to the laboratory before", "Sent to the laboratory before, on %s")
	case "read":
		x.Heading = "Read already"
		x.Text = then("The laboratory has reported it: look whether it is another badge.")
	case "not-issued":
		x.Heading = "Not issued yet"
		x.Text = then("It was ordered only: issue it first, or put it aside.")
	case "not-returned":
		x.Heading = "Not returned yet"
		x.Text = then("Scan it to take it back.")
	default:
		*x = verdict{Heading: "Unknown barcode", Text: "Check the number and scan it again. If it stays unknown, it is not a badge of yours: put it aside for your co-ordinator."}
	}
	return x
}

// returnBadge takes a badge back, and goes back to the page.
func (h *handler) returnBadge(v *visit) error {
	return h.afterScan(v, func(code string) (url.Values, error) {
		s, err := h.Register.ReturnBadge(v.ctx, v.auth, code)
		if err != nil || s.Answer == "unknown" {
			return url.Values{"answer": {"unknown"}}, err // what was typed may be anything: it goes into no address
		}
		q := url.Values{"badge": {s.Barcode}}
		if s.Answer == "returned" {
			q.Set("answer", "returned")
		}
		return q, nil
	})
}

// undoReturn takes a return back.
func (h *handler) undoReturn(v *visit) error {
	return h.afterScan(v, func(code string) (url.Values, error) {
		s, err := h.Register.LookAtBadge(v.ctx, v.auth, code)
		if err != nil || s.Answer == "unknown" {
			return url.Values{"answer": {"unknown"}}, err
		}
		err = h.Register.UndoReturn(v.ctx, v.auth, s.Barcode)
		if errorCode(err) == vaultclient.Conflict {
			err = nil // the page says so
		}
		return url.Values{"badge": {s.Barcode}, "answer": {"undo"}}, err
	})
}

// afterScan reads the form's barcode, does something with it, and goes back to the page with what do returned.
func (h *handler) afterScan(v *visit, do func(code string) (url.Values, error)) error {
	if !handlesBadges(v.user.Role) {
		return errNoPage
	}
	f, err := readForm(v)
	if err != nil {
		return err
	}
	code := strings.TrimSpace(f.Value("barcode"))
	q := url.Values{"answer": {"empty"}}
	switch {
	case len(code) > maxScan:
		q.Set("answer", "unknown")
	case code != "":
		if q, err = do(code); err != nil {
			return err
		}
	}
	http.Redirect(v.w, v.r, withQuery(returnPath, q), http.StatusSeeOther)
	return nil
}

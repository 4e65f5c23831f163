package web

import (
	"context"
	"github.com/dosevault/dosevault/internal/day"
	"net/http"
	"time"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Badges is what the pages about badges on their way need of the register.
type Badges interface {
	// BadgeWay returns a badge's way, which names nobody. Code NotFound: no such badge, or none that the user handles.
	BadgeWay(ctx context.Context, auth vaultclient.Auth, barcode string) (*BadgeWay, error)
	// BadgePosition opens where a badge is worn; it is entered.
	BadgePosition(ctx context.Context, auth vaultclient.Auth, barcode string) (dose.Position, error)
}

// BadgeWay is a badge's way so far.
type BadgeWay struct {
	Scan
	State    string    // ordered, issued, returned, sent, read
	Wearer   id.Wearer // zero: a control badge
	Listed   time.Time // when the list that brought it was loaded
	Steps    []BadgeStep
	Reported time.Time // zero: the laboratory has not reported it
}

// BadgeStep is a step on it. The day is all that is known of a step that a list told.
type BadgeStep struct {
	State  string
	At     time.Time
	Listed bool // a list told of it, not a scan
	Undone time.Time
}

// badgeRoutes are badges on their way.
func (h *handler) badgeRoutes() []route {
	return []route{
		{"GET /badges/{barcode}", h.page(h.badge)},
	}
}

// badgeView is a badge's own page.
type badgeView struct {
	BadgeWay
	Organisation vaultclient.Organisation
	Lines        []wayLine
	Shown        bool // who wears it, and where
	Wearer       vaultclient.Record
	Position     words.Key
	Done         words.Key
}

// wayLine is a step as the page says it.
type wayLine struct{ When, What string }

// badge shows a badge's way, and who wears it only when that is asked for: it is a reveal of its own.
func (h *handler) badge(v *visit) error {
	if !handlesBadges(v.user.Role) {
		return errNoPage
	}
	code := v.r.PathValue("barcode")
	if len(code) > maxScan {
		return errNoPage
	}
	way, err := h.Register.BadgeWay(v.ctx, v.auth, code)
	if err != nil {
		return err
	}
	x := badgeView{BadgeWay: *way, Lines: wayLines(v.ctx, way), Done: v.done()}
	if x.Organisation, err = h.organisation(v, way.Scan.Organisation); err != nil {
		return err
	}
	if v.r.URL.Query().Get("wearer") == "show" && !way.Wearer.IsZero() {
		records, err := h.Vault.Reveal(v.ctx, v.auth, vaultclient.RevealRequest{Purpose: policy.IssueBadges, Fields: policy.FieldName, Wearers: []id.Wearer{way.Wearer}, Reason: "who wears a badge"})
		if err != nil {
			return err
		}
		position, err := h.Register.BadgePosition(v.ctx, v.auth, code)
		if err != nil {
			return err
		}
		x.Shown, x.Wearer, x.Position = true, records[0], positionWord(position)
	}
	h.render(v.w, v.r, http.StatusOK, badgePage(h.frame("Badge", &v.user, link{Text: "Overview", Href: "/"}, link{Text: titleReturn, Href: returnPath}), x))
	return nil
}

// wayLines says a badge's way, from the beginning.
func wayLines(ctx context.Context, w *BadgeWay) []wayLine {
	lines := []wayLine{{words.Moment(ctx, w.Listed), words.T(ctx, "It came with a list of badges")}}
	for _, s := range w.Steps {
		l := wayLine{words.Moment(ctx, s.At), words.T(ctx, badgeStateWord(s.State))}
		if s.State == "sent" {
			l.What = words.T(ctx, "Sent to the laboratory")
		}
		if s.Listed {
			l.When, l.What = words.Date(ctx, day.At(s.At)), words.T(ctx, "%s, as a list says", l.What)
		}
		if !s.Undone.IsZero() {
			l.What = words.T(ctx, "%s; taken back at %s", l.What, words.Clock(s.Undone))
		}
		lines = append(lines, l)
	}
	if !w.Reported.IsZero() {
		lines = append(lines, wayLine{words.Moment(ctx, w.Reported), words.T(ctx, "Reported by the laboratory")})
	}
	return lines
}

var badgeColours = map[string]string{"ordered": "grey", "issued": "blue", "returned": "green", "sent": "aqua-green", "read": "white"}

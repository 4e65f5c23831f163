package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Gaps is what the page of gaps and overlaps needs of the register.
type Gaps interface {
	// BadgeGaps opens where an organisation's badges are worn, which is entered, and returns its gaps and overlaps of two
	// years, the newest first.
	BadgeGaps(ctx context.Context, auth vaultclient.Auth, o id.Organisation) ([]BadgeGap, error)
}

// BadgeGap is a time in which somebody wore no badge at a position between two that they did, or two at once.
type BadgeGap struct {
	Wearer        id.Wearer
	Position      dose.Position
	From, To      day.Day
	Overlap       bool
	Before, After string // barcodes
}

const titleGaps = "Gaps and overlaps"

func gapsPath(o id.Organisation) string { return badgesPath(o) + "/gaps" }

func (h *handler) gapRoutes() []route {
	return []route{{"GET /organisations/{organisation}/badges/gaps", h.page(h.gaps)}}
}

// gapsView is the page of gaps and overlaps.
type gapsView struct {
	Organisation vaultclient.Organisation
	Rows         []gapRow
	Pages        pages
}

// gapRow is one of them with the wearer's name.
type gapRow struct {
	BadgeGap
	Identity person.Identity
}

// Words says what it is.
func (g BadgeGap) Words(ctx context.Context) string {
	if g.Overlap {
		return words.T(ctx, "Two badges at once")
	}
	return words.T(ctx, "No badge for %s", words.Count(ctx, int(g.To-g.From)+1, "day", "days"))
}

// Href is the address of a page.
func (x gapsView) Href(page int) string {
	q := url.Values{}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	return withQuery(gapsPath(x.Organisation.ID), q)
}

// gaps lists them; only the names on the page that is shown are revealed.
func (h *handler) gaps(v *visit) error {
	o, err := h.ofBadges(v)
	if err != nil {
		return err
	}
	all, err := h.Register.BadgeGaps(v.ctx, v.auth, o.ID)
	if err != nil {
		return err
	}
	x := gapsView{Organisation: o, Pages: paged(len(all), pageNumber(v.r.URL.Query().Get("page")))}
	names := map[id.Wearer]person.Identity{}
	var wearers []id.Wearer
	for _, g := range all[x.Pages.Offset():x.Pages.To()] {
		x.Rows = append(x.Rows, gapRow{BadgeGap: g})
		if _, known := names[g.Wearer]; !known {
			names[g.Wearer] = person.Identity{}
			wearers = append(wearers, g.Wearer)
		}
	}
	if len(wearers) > 0 {
		records, err := h.Vault.Reveal(v.ctx, v.auth, vaultclient.RevealRequest{Purpose: policy.IssueBadges, Fields: policy.FieldName, Wearers: wearers, Reason: "gaps and overlaps of wear periods"})
		if err != nil {
			return err
		}
		for _, r := range records {
			names[r.Wearer] = r.Identity
		}
	}
	for i := range x.Rows {
		x.Rows[i].Identity = names[x.Rows[i].Wearer]
	}
	h.render(v.w, v.r, http.StatusOK, gapsPage(h.frame(titleGaps, &v.user, badgeCrumbs(o.ID, true)...), x))
	return nil
}

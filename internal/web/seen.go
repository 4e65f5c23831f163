package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// seenRoutes answer who has seen somebody's data, by day and in plain words; and, for whoever checks a ledger, entry by entry.
func (h *handler) seenRoutes() []route {
	return []route{
		{"GET /wearers/{wearer}/ledger", h.page(h.seen)},
		{"GET /wearers/{wearer}/ledger/entries", h.page(h.wearerLedger)},
		{"GET /wearers/{wearer}/who-may", h.page(h.whoMay)},
	}
}

// seenView is a page of who has seen a wearer's data.
type seenView struct {
	Organisation vaultclient.Organisation
	Own          bool                // the reader's own
	Record       *vaultclient.Record // whose it is, but for the reader's own
	Days         []seenDay
	Pages        pages
	Path         string
}

// Caption says whose data, and where.
func (x seenView) Caption() string {
	if x.Record == nil || fullName(x.Record.Identity).IsZero() {
		return x.Organisation.Name
	}
	return fullName(x.Record.Identity).Expose() + ", " + x.Organisation.Name
}

// WhoMay is the title of the page of who may look.
func (x seenView) WhoMay() words.Key {
	if x.Own {
		return titleOwnWhoMay
	}
	return titleWhoMay
}

// WhoMayPath is its address.
func (x seenView) WhoMayPath() string { return strings.TrimSuffix(x.Path, "/ledger") + "/who-may" }

// Title is the page's.
func (x seenView) Title() words.Key {
	if x.Own {
		return titleOwnLedger
	}
	return titleWearerLedger
}

// seenDay has what happened on one day.
type seenDay struct {
	ID, Title string
	Lines     []line
}

// Href is the address of a page.
func (x seenView) Href(page int) string {
	q := url.Values{}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	return withQuery(x.Path, q)
}

// seen shows who has seen a wearer's data.
func (h *handler) seen(v *visit) error {
	var w id.Wearer
	if err := idIn(v, "wearer", &w); err != nil {
		return err
	}
	x := seenView{Path: wearerPath(w) + "/ledger", Own: slices.Contains(v.user.Wearers, w)}
	page := pageNumber(v.r.URL.Query().Get("page"))
	r := vaultclient.SeenRequest{Wearer: w, Offset: (page - 1) * pageSize, Limit: pageSize}
	got, err := h.Vault.Seen(v.ctx, v.auth, r)
	if err != nil {
		return err
	}
	x.Pages = paged(got.Total, page)
	if x.Pages.Page != page {
		r.Offset = x.Pages.Offset()
		if got, err = h.Vault.Seen(v.ctx, v.auth, r); err != nil {
			return err
		}
	}
	x.Days = seenDays(v.ctx, got.Seen, x.Own)
	var crumbs []link
	if x.Own {
		all, err := h.Vault.Organisations(v.ctx, v.auth)
		if err != nil && errorCode(err) != vaultclient.Refused {
			return err
		}
		x.Organisation = vaultclient.Organisation{ID: got.Organisation, Name: organisationName(v.ctx, all, got.Organisation)}
		crumbs = h.wearerCrumbs(v, vaultclient.Record{Organisation: got.Organisation}, x.Organisation.Name)
	} else {
		record, name, err := h.revealFor(v, w, policy.FieldName, profiles[v.user.Role].record)
		if err != nil {
			return err
		}
		x.Record, x.Organisation = &record, vaultclient.Organisation{ID: got.Organisation, Name: name}
		crumbs = h.wearerCrumbs(v, record, name)
	}
	record := words.Key(titleWearer)
	if x.Own {
		record = "My doses"
	}
	crumbs = append(crumbs, link{Text: record, Href: wearerPath(w)})
	h.render(v.w, v.r, http.StatusOK, seenPage(h.frame(x.Title(), &v.user, crumbs...), x))
	return nil
}

// seenDays divides what happened by day, in order.
func seenDays(ctx context.Context, all []vaultclient.Seen, own bool) (days []seenDay) {
	for _, s := range all {
		if len(days) == 0 || days[len(days)-1].ID != "d"+s.Day {
			days = append(days, seenDay{ID: "d" + s.Day, Title: dateOf(ctx, s.Day)})
		}
		d := &days[len(days)-1]
		d.Lines = append(d.Lines, seenLine(ctx, s, own))
	}
	return days
}

// seenLine says in plain words what one party did on one day; own: to the reader.
func seenLine(ctx context.Context, s vaultclient.Seen, own bool) line {
	l := line{When: timesOf(ctx, s), Text: capital(seenDeed(ctx, s, own)) + "."}
	l.tag(s.Kind, s.Basis)
	return l
}

// timesOf says when, by the clock of London, and how often.
func timesOf(ctx context.Context, s vaultclient.Seen) string {
	times := words.Count(ctx, s.Times, "time", "times")
	switch first, last := words.Clock(s.First), words.Clock(s.Last); {
	case s.Times == 1:
		return words.T(ctx, "At %s", first)
	case first == last:
		return words.T(ctx, "%s at %s", times, first)
	default:
		return words.T(ctx, "%s from %s to %s", times, first, last)
	}
}

// seenDeeds say what was done, to the reader (own) and to somebody else: who comes first, then the fields, then why.
var seenDeeds = map[string]struct{ own, other words.Key }{
	"reveal":      {"%s saw your %s%s", "%s saw this person's %s%s"},
	"self":        {"you read your %[2]s", "%[1]s read their own %[2]s"},
	"search":      {"%s saw your %s in a list%s", "%s saw this person's %s in a list%s"},
	"refuse":      {"%s asked for your %s%s, and was refused; nothing was shown", "%s asked for this person's %s%s, and was refused; nothing was shown"},
	"refuse data": {"%[1]s asked for your data%[3]s, and was refused; nothing was shown", "%[1]s asked for this person's data%[3]s, and was refused; nothing was shown"},
	"compare":     {"%[1]s had your %[2]s compared with a file's; only “same” or “different” came back", "%[1]s had this person's %[2]s compared with a file's; only “same” or “different” came back"},
	"intake":      {"your %[2]s arrived from outside, taken in by %[1]s", "this person's %[2]s arrived from outside, taken in by %[1]s"},
	"declared":    {"%[1]s declared that your %[2]s had gone to somebody outside; this was not seen here, only reported", "%[1]s declared that this person's %[2]s had gone to somebody outside; this was not seen here, only reported"},
	"stage":       {"%[1]s prepared a change of your record, not yet in force", "%[1]s prepared a change of this person's record, not yet in force"},
	"write":       {"%s wrote your %s%s", "%s wrote this person's %s%s"},
	"change":      {"%[1]s changed your record%[3]s", "%[1]s changed this person's record%[3]s"},
	"person":      {"%[1]s said which other records are yours, or are not", "%[1]s said which other records are this person's, or are not"},
	"grant":       {"%s gave leave for the program to read your %s%s", "%s gave leave for the program to read this person's %s%s"},
	"discard":     {"%[1]s dropped a file in which you stood; nothing of it was kept", "%[1]s dropped a file in which this person stood; nothing of it was kept"},
	"look":        {"", "%[1]s looked at this page"},
	"oversee":     {"%[1]s asked who had seen your data", "%[1]s asked who had seen this person's data"},
}

// seenDeed says who did what, without the full stop.
func seenDeed(ctx context.Context, s vaultclient.Seen, own bool) string {
	who := actor(ctx, vaultclient.Entry{Actor: s.Actor, Role: s.Role})
	if s.Role == "job" && s.Actor == "a job" {
		who = words.T(ctx, "the program, at work on a file,")
		if s.Kind == "intake" {
			who = words.T(ctx, "the program, at work on a file")
		}
	}
	why := purpose(ctx, s.Purpose)
	if why != "" {
		why = "," + why
	}
	self := s.Purpose == policy.OwnRecord // nobody else is given that purpose
	if self && own && s.Kind == "oversee" {
		return words.T(ctx, "you looked at this page")
	}
	kind := s.Kind
	switch {
	case kind == "reveal" && self:
		kind = "self"
	case kind == "refuse" && s.Fields == 0:
		kind = "refuse data"
	case kind == "import":
		kind = "write"
	case kind == "oversee" && self:
		kind = "look"
	}
	if kind == "write" && s.Fields == 0 {
		kind = "change"
	}
	deed, ok := seenDeeds[kind]
	switch {
	case !ok:
		return words.T(ctx, "an entry of the kind “%s”, which this page has no words for, made by %s", s.Kind, who)
	case own:
		return words.T(ctx, deed.own, who, fieldWords(ctx, s.Fields, 1), why)
	}
	return words.T(ctx, deed.other, who, fieldWords(ctx, s.Fields, 1), why)
}

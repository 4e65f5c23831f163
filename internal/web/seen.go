package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// seenRoutes answer who has seen somebody's data, by day and in plain words; and, for whoever checks a ledger, entry by entry.
func (h *handler) seenRoutes() []route {
	return []route{
		{"GET /wearers/{wearer}/ledger", h.page(h.seen)},
		{"GET /wearers/{wearer}/ledger/entries", h.page(h.wearerLedger)},
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

// Title is the page's.
func (x seenView) Title() string {
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
	x.Days = seenDays(got.Seen, x.Own)
	var crumbs []link
	if x.Own {
		all, err := h.Vault.Organisations(v.ctx, v.auth)
		if err != nil && errorCode(err) != vaultclient.Refused {
			return err
		}
		x.Organisation = vaultclient.Organisation{ID: got.Organisation, Name: organisationName(all, got.Organisation)}
		crumbs = h.wearerCrumbs(v, vaultclient.Record{Organisation: got.Organisation}, x.Organisation.Name)
	} else {
		record, name, err := h.revealFor(v, w, policy.FieldName, profiles[v.user.Role].record)
		if err != nil {
			return err
		}
		x.Record, x.Organisation = &record, vaultclient.Organisation{ID: got.Organisation, Name: name}
		crumbs = h.wearerCrumbs(v, record, name)
	}
	record := titleWearer
	if x.Own {
		record = "My doses"
	}
	crumbs = append(crumbs, link{Text: record, Href: wearerPath(w)})
	h.render(v.w, v.r, http.StatusOK, seenPage(h.frame(x.Title(), &v.user, crumbs...), x))
	return nil
}

// seenDays divides what happened by day, in order.
func seenDays(all []vaultclient.Seen, own bool) (days []seenDay) {
	for _, s := range all {
		if len(days) == 0 || days[len(days)-1].ID != "d"+s.Day {
			days = append(days, seenDay{ID: "d" + s.Day, Title: dateOf(s.Day)})
		}
		d := &days[len(days)-1]
		d.Lines = append(d.Lines, seenLine(s, own))
	}
	return days
}

// seenLine says in plain words what one party did on one day; own: to the reader.
func seenLine(s vaultclient.Seen, own bool) line {
	l := line{When: timesOf(s), Text: capital(seenDeed(s, own)) + "."}
	switch {
	case s.Kind == "refuse":
		l.Tag, l.Colour = "Refused", "red"
	case s.Kind == "intake" || s.Basis == "intake":
		l.Tag, l.Colour = "From outside", "blue"
	case s.Kind == "declared" || s.Basis == "declared":
		l.Tag, l.Colour = "Declared", "orange"
	}
	return l
}

// timesOf says when, by the clock of London, and how often.
func timesOf(s vaultclient.Seen) string {
	clock := func(t time.Time) string { return t.In(london).Format("15:04") }
	switch first, last := clock(s.First), clock(s.Last); {
	case s.Times == 1:
		return "At " + first
	case first == last:
		return count(s.Times, "time", "times") + " at " + first
	default:
		return count(s.Times, "time", "times") + " from " + first + " to " + last
	}
}

// seenDeed says who did what, without the full stop.
func seenDeed(s vaultclient.Seen, own bool) string {
	who, whose := actor(vaultclient.Entry{Actor: s.Actor, Role: s.Role}), "this person's"
	if own {
		whose = "your"
	}
	self := s.Purpose == policy.OwnRecord // nobody else is given that purpose
	switch {
	case self && own:
		who = "you"
	case who == "a job":
		who = "the program, at work on a file,"
	}
	why := purpose(s.Purpose)
	if why != "" {
		why = "," + why
	}
	fields := whose + " " + fieldWords(s.Fields, 1)
	switch s.Kind {
	case "reveal":
		if self && !own {
			return who + " read their own " + fieldWords(s.Fields, 1)
		}
		if self {
			return who + " read " + fields
		}
		return who + " saw " + fields + why
	case "search":
		return who + " saw " + fields + " in a list" + why
	case "refuse":
		if s.Fields == 0 {
			return who + " asked for " + whose + " data" + why + ", and was refused; nothing was shown"
		}
		return who + " asked for " + fields + why + ", and was refused; nothing was shown"
	case "compare":
		return who + " had " + fields + " compared with a file's; only “same” or “different” came back"
	case "intake":
		return fields + " arrived from outside, taken in by " + strings.TrimSuffix(who, ",")
	case "declared":
		return who + " declared that " + fields + " had gone to somebody outside; this was not seen here, only reported"
	case "stage":
		return who + " prepared a change of " + whose + " record, not yet in force"
	case "write", "import":
		if s.Fields == 0 {
			return who + " changed " + whose + " record" + why
		}
		return who + " wrote " + fields + why
	case "person":
		return who + " said which other records are " + map[bool]string{true: "yours", false: "this person's"}[own] + ", or are not"
	case "oversee":
		if self {
			return who + " looked at this page"
		}
		return who + " asked who had seen " + whose + " data"
	}
	return "an entry of the kind “" + s.Kind + "”, which this page has no words for, made by " + who
}

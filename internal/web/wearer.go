package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// wearerView is a wearer's page.
type wearerView struct {
	vaultclient.Record
	OrganisationName string
	Own              bool // the reader's own record
	ShowBirth        bool
	ShowNI           bool
	ShowStaffNumber  bool
	Doses            bool // the role sees doses
	History          bool // and who has seen the record
	Department       string
	Sections         []doseSection
	Rolling          []total       // three months, five years, a pregnancy
	Years            []readingYear // newest first
	Count            int           // readings
	Investigations   []Investigation
	Path             string
	Manage           bool // the role changes records
	Done             words.Key
}

// wearer shows one wearer.
func (h *handler) wearer(v *visit) error {
	var w id.Wearer
	if err := idIn(v, "wearer", &w); err != nil {
		return err
	}
	p := profiles[v.user.Role]
	x := wearerView{Path: wearerPath(w), Doses: p.doses, History: p.history, Own: slices.Contains(v.user.Wearers, w),
		ShowBirth: p.fields&policy.FieldBirth != 0, ShowStaffNumber: p.fields&policy.FieldStaffNumber != 0}
	x.Manage, x.Done = managesPeople(v.user.Role), v.done()
	var r *WearerRecord
	if !p.doses {
		var err error
		if x.Record, x.OrganisationName, err = h.reveal(v, w); err != nil {
			return err
		}
	} else {
		// Names and doses are asked for together, so that one look at somebody is one entry.
		var err error
		if r, err = h.Register.WearerRecord(v.ctx, v.auth, w, p.fields); err != nil {
			return err
		}
		if x.Record, x.OrganisationName, err = h.recordIn(v, r.Records, w); err != nil {
			return err
		}
		shown := slices.DeleteFunc(slices.Clone(r.Readings), func(x Reading) bool { return x.Position == dose.Foetal && !p.health })
		x.Department, x.Count, x.Years = r.Department, len(shown), readingYears(shown)
		subject := r.Subject
		subject.Reproductive = subject.Reproductive && p.sex
		years, rolling := totalsOf(subject, r.Levels, r.Assessment)
		x.Sections = sections(v.ctx, years)
		for _, t := range rolling {
			// Three months matter only where a limit holds for them.
			if (t.Kind != dose.Foetus || p.health) && (t.Window != dose.ThreeMonths || t.Limit > 0) {
				x.Rolling = append(x.Rolling, t)
			}
		}
		for _, i := range r.Investigations {
			if i.Kind != dose.Foetus || p.health {
				x.Investigations = append(x.Investigations, i)
			}
		}
	}
	if x.Own && v.user.Role == policy.Wearer {
		return h.own(v, x, r)
	}
	x.ShowNI = p.fields&policy.FieldNI != 0 && x.Classified
	h.render(v.w, v.r, http.StatusOK, wearerPage(h.frame(titleWearer, &v.user, h.wearerCrumbs(v, x.Record, x.OrganisationName)...), x))
	return nil
}

// reveal asks the vault for what the role's page shows of a wearer, and finds the organisation's name.
func (h *handler) reveal(v *visit, w id.Wearer) (vaultclient.Record, string, error) {
	p := profiles[v.user.Role]
	fields, purpose := p.fields, p.record
	if purpose == "" {
		fields, purpose = policy.FieldName, policy.AssessDose // the vault refuses and enters it
	}
	return h.revealFor(v, w, fields, purpose)
}

// revealFor asks the vault for fields of a wearer for a purpose, and finds the organisation's name.
func (h *handler) revealFor(v *visit, w id.Wearer, fields policy.Fields, purpose policy.Purpose) (vaultclient.Record, string, error) {
	records, err := h.Vault.Reveal(v.ctx, v.auth, vaultclient.RevealRequest{Purpose: purpose, Fields: fields, Wearers: []id.Wearer{w}})
	if err != nil {
		return vaultclient.Record{}, "", err
	}
	return h.recordIn(v, records, w)
}

// recordIn finds a wearer's record among those revealed, and the organisation's name.
func (h *handler) recordIn(v *visit, records []vaultclient.Record, w id.Wearer) (vaultclient.Record, string, error) {
	i := slices.IndexFunc(records, func(r vaultclient.Record) bool { return r.Wearer == w })
	if i < 0 {
		return vaultclient.Record{}, "", errNoPage
	}
	all, err := h.Vault.Organisations(v.ctx, v.auth)
	if err != nil && errorCode(err) != vaultclient.Refused {
		return vaultclient.Record{}, "", err
	}
	return records[i], organisationName(v.ctx, all, records[i].Organisation), nil
}

func (h *handler) wearerCrumbs(v *visit, r vaultclient.Record, organisation string) []link {
	crumbs := []link{{Text: "Overview", Href: "/"}}
	if profiles[v.user.Role].list != "" {
		crumbs = append(crumbs, link{Text: words.Plain(organisation), Href: wearersPath(r.Organisation)})
	}
	return crumbs
}

// wearerLedger shows the entries that name a wearer.
func (h *handler) wearerLedger(v *visit) error {
	var w id.Wearer
	if err := idIn(v, "wearer", &w); err != nil {
		return err
	}
	record, organisation, err := h.revealFor(v, w, policy.FieldName, cmp.Or(profiles[v.user.Role].record, policy.Oversight))
	if err != nil {
		return err
	}
	x := ledgerView{Path: wearerPath(w) + "/ledger/entries", Wearer: true, Own: slices.Contains(v.user.Wearers, w),
		Organisation: vaultclient.Organisation{ID: record.Organisation, Name: organisation}}
	if err := h.readLedger(v, &x, vaultclient.LedgerRequest{Organisation: record.Organisation, Wearer: w}); err != nil {
		return err
	}
	crumbs := append(h.wearerCrumbs(v, record, organisation), link{Text: titleWearer, Href: wearerPath(w)}, link{Text: titleWearerLedger, Href: wearerPath(w) + "/ledger"})
	h.render(v.w, v.r, http.StatusOK, ledgerPage(h.frame("Every entry", &v.user, crumbs...), x))
	return nil
}

// newestFirst orders readings by the end of their period, then by position, quantity and version, newest first.
func newestFirst(all []Reading) []Reading {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b Reading) int {
		switch {
		case a.To != b.To:
			return int(b.To - a.To)
		case a.From != b.From:
			return int(b.From - a.From)
		case a.Position != b.Position:
			return int(a.Position) - int(b.Position)
		case a.Reading.Quantity != b.Reading.Quantity:
			return int(a.Reading.Quantity) - int(b.Reading.Quantity)
		}
		return b.Version - a.Version
	})
	return all
}

// readingYear has the readings whose period ends in a year, 0 for those without an end.
type readingYear struct {
	Year     int
	Readings []Reading
}

// ID names the year's heading on the page.
func (y readingYear) ID() string { return fmt.Sprintf("readings-%d", y.Year) }

// Title says which year.
func (y readingYear) Title() words.Key {
	if y.Year == 0 {
		return "Without a period"
	}
	return words.Plain(fmt.Sprint(y.Year))
}

// readingYears divides readings by year, the newest first.
func readingYears(all []Reading) []readingYear {
	var list []readingYear
	for _, r := range newestFirst(all) {
		year := 0
		if !r.To.IsZero() {
			year = r.To.Year()
		}
		if len(list) == 0 || list[len(list)-1].Year != year {
			list = append(list, readingYear{Year: year})
		}
		y := &list[len(list)-1]
		y.Readings = append(y.Readings, r)
	}
	return list
}

// doseText is what a reading's dose column says; without a dose it is a dash.
func (r Reading) doseText() string {
	if !r.Reading.Qualifier.Accumulates() {
		return "–"
	}
	return mSv(r.Reading.Dose)
}

// notes are the laboratory's, without one that only says the result again.
func (r Reading) notes() []string {
	return slices.DeleteFunc(slices.Clone(r.Notes), func(n string) bool { return strings.EqualFold(n, r.Reading.Qualifier.String()) })
}

// overWords say over which time a dose was summed; a calendar year is not said.
var overWords = map[dose.Window]words.Key{dose.ThreeMonths: " (over 3 months)", dose.FiveYears: " (over 5 years)", dose.Pregnancy: " (since the pregnancy was declared)"}

// text says what was found, in a sentence.
func (i Investigation) text(ctx context.Context) string {
	mark := words.Key("%s in %d%s: %s when it was opened, above the investigation level%s of %s.")
	if i.Overexposure {
		mark = "%s in %d%s: %s when it was opened, above the legal limit%s of %s."
	}
	name, over := "", ""
	if i.Name != "" {
		name = " (" + i.Name + ")"
	}
	if w := overWords[i.Window]; w != "" {
		over = words.T(ctx, w)
	}
	opened := words.On(ctx, i.Opened)
	s := words.T(ctx, mark, kindTitle(i.Kind), i.Year, over, mSv(i.Dose), name, limitMSv(i.Bound))
	if i.Closed.IsZero() {
		s += " " + words.T(ctx, "Opened on %s.", opened)
	} else {
		s += " " + words.T(ctx, "Opened on %s, closed on %s.", opened, words.On(ctx, i.Closed))
	}
	if i.Reason != "" {
		s += " " + i.Reason
	}
	return s
}

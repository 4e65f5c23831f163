package synth

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/person"
)

// Row returns one result of a badge as a laboratory's file gives it. Number and Line are left zero.
func (s *Service) Row(badge int, res Result) labfile.Row {
	b := &s.Badges[badge]
	row := labfile.Row{
		Account: s.Organisations[b.Organisation].Account, Barcode: b.Barcode, Position: b.Position, Control: b.Wearer < 0,
		From: b.From, To: b.To, Scanned: res.Scanned, Version: res.Version, Notes: res.Notes, Readings: res.Readings, NotCounted: b.NotCounted,
	}
	if b.Wearer >= 0 {
		w := &s.Wearers[b.Wearer]
		row.Name = person.NewValue(s.label(w))
		if s.Organisations[b.Organisation].Birth {
			row.Birth = w.Identity.Birth
		}
	}
	return row
}

// Rows returns the results that are there before the latest report, in the order of the badges and their versions.
// organisation -1 means all, year 0 all years; the year is that of the period's last day. Control badges have
// a row without readings.
func (s *Service) Rows(organisation, year int) []labfile.Row {
	first, end := 0, len(s.Badges)
	if organisation >= 0 {
		first, end = s.BadgesOf(organisation)
	}
	var rows []labfile.Row
	add := func(row labfile.Row) {
		row.Number = len(rows) + 2
		row.Line = row.Number
		rows = append(rows, row)
	}
	for i := first; i < end; i++ {
		b := &s.Badges[i]
		if b.State != Reported || year != 0 && b.To.Year() != year {
			continue
		}
		if b.Wearer < 0 {
			add(s.Row(i, Result{}))
		}
		for _, res := range b.Results {
			add(s.Row(i, res))
		}
	}
	return rows
}

// Styles in which a laboratory prints the names of an account.
const (
	commaLong = iota
	commaShort
	spaced
	styles
)

// label prints a wearer's name as the laboratory does: capitals, no accents, cut to the width of the column.
func (s *Service) label(w *Wearer) string {
	given := w.Identity.Forenames.Expose()
	first, _, _ := strings.Cut(given, " ")
	var text string
	width := 30
	switch w.Organisation % styles {
	case commaLong:
		text = w.Identity.Surname.Expose() + ", " + given
	case commaShort:
		text, width = w.Identity.Surname.Expose()+", "+first, 24
	default:
		text, width = w.Identity.Surname.Expose()+" "+first, 20
	}
	if len(w.Identity.Former) > 0 && w.participant%4 == 0 { // the laboratory was never told of the new name
		text = w.Identity.Former[0].Expose() + text[len(w.Identity.Surname.Expose()):]
	}
	r := []rune(capitals(text))
	return strings.TrimSpace(string(r[:min(len(r), width)]))
}

func capitals(s string) string {
	out := strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == '’':
			return '\''
		case r == 'ı':
			return 'I'
		}
		return unicode.ToUpper(r)
	}, norm.NFD.String(s))
	return out
}

// ReportOptions say what WriteDoseReport writes.
type ReportOptions struct {
	Organisations []int // empty: the NHS bodies, private hospitals and the airport
	Clean         bool  // no row that has to be refused, no duplicate, no wrong label, no blank row
	Year          int   // not 0: instead of the latest results those of the history with a period that ends in this year; Clean
}

// Expected counts what is in a report, for those who check that a program dealt with it. In is the sum of Results,
// Controls, Blank, Broken, Unmatched and Duplicates.
type Expected struct {
	In         int // records below the header
	Results    int // of badges, those to be stored; includes Reissues, Late, Unused and Damaged
	Controls   int
	Blank      int
	Broken     int // can't be read: unknown code, decimal comma, negative, …
	Unmatched  int // readable, but barcode, period or account fit no badge
	Duplicates int // already reported in the same version
	Reissues   int // a higher version of what is already reported
	Late       int // of periods before the latest
	Unused     int
	Damaged    int
	Labels     int // results with somebody else's name on them
}

var reportHeader = []string{
	"Account Number", "Account Name", "Series Code", "AWO", "Scan Date", "Import Date", "Participant Number", "UniqueID", "ID Number",
	"Participant Name", "DOB", "Dosimeter", "Use", "Rad Quality", "Period Begin Date", "Period End Date", "Current DDE", "Current LDE", "Current SDE",
	"Current Neutron", "Quarter DDE", "Quarter LDE", "Quarter SDE", "YTD DDE", "YTD LDE", "YTD SDE", "Life DDE", "Life LDE", "Life SDE",
	"Inception Date", "Serial Number", "Version", "NoteCode",
}

// Columns of the report that are changed to make rows that have to be refused.
const (
	columnAccount    = 0
	columnScan       = 4
	columnName       = 9
	columnBegin      = 14
	columnEnd        = 15
	columnDDE        = 16
	columnQuarterDDE = 20
	columnSerial     = 30
	columnNote       = 32
)

// WriteDoseReport writes the results of the latest periods, which the history has not, as a Landauer DoseReport
// of 33 columns (CSV, UTF-8, CRLF) with all its quirks: blank rows, several notes in a cell, control badges, M where the position
// measures nothing, unused, damaged, late and re-issued badges, and rows that must not be stored. Collar badges are
// read by another laboratory and are not in it. The columns Quarter, YTD and Life repeat the period's doses: nobody
// reads them. The error is that of w.
func (s *Service) WriteDoseReport(w io.Writer, o ReportOptions) (Expected, error) {
	if len(o.Organisations) == 0 {
		for i, x := range s.Organisations {
			if x.Kind.NHS() || x.Kind == PrivateHospital || x.Kind == Airport {
				o.Organisations = append(o.Organisations, i)
			}
		}
	}
	rp := reporter{Service: s, r: rand.New(rand.NewPCG(uint64(len(s.Badges)), 5)), in: map[int]bool{}}
	for _, i := range o.Organisations {
		rp.in[i] = true
	}
	if o.Year != 0 {
		o.Clean = true
		rp.history(o.Year)
	} else {
		rp.results()
	}
	rp.controls(o.Year != 0)
	if !o.Clean {
		rp.spoil()
	}
	// As the laboratory sorts them: by account, then by badge.
	slices.SortStableFunc(rp.rows, func(a, b reportRow) int {
		if a.organisation != b.organisation {
			return a.organisation - b.organisation
		}
		return a.order - b.order
	})
	buffered := bufio.NewWriter(w)
	out := csv.NewWriter(buffered)
	out.UseCRLF = true
	if err := out.Write(reportHeader); err != nil {
		return rp.want, err
	}
	blank := make([]string, len(reportHeader))
	for _, row := range rp.rows {
		if !o.Clean && chance(rp.r, 0.08) {
			rp.want.Blank++
			rp.want.In++
			if err := out.Write(blank); err != nil {
				return rp.want, err
			}
		}
		rp.want.In++
		if err := out.Write(row.cells); err != nil {
			return rp.want, err
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return rp.want, err
	}
	return rp.want, buffered.Flush()
}

type reportRow struct {
	organisation, order int
	badge               int // -1: none of ours
	cells               []string
	plain               bool // an ordinary result of a whole-body badge: may be spoiled
}

type reporter struct {
	*Service
	r    *rand.Rand
	in   map[int]bool
	rows []reportRow
	want Expected
	done map[int]bool // batches that badges are reported of
}

func (rp *reporter) results() {
	rp.done = map[int]bool{}
	last := rp.lastEnd()
	for _, p := range rp.Latest {
		b := &rp.Badges[p.Badge]
		if !rp.in[b.Organisation] || b.Position == dose.Collar {
			continue
		}
		rp.done[b.Batch] = true
		row := rp.row(p.Badge, p.Result)
		row.plain = b.Position == dose.WholeBody && p.Result.Readings[0].Qualifier == dose.BelowLevel && len(p.Result.Notes) == 0
		rp.rows = append(rp.rows, row)
		rp.want.Results++
		if int(last-b.To) > 62 {
			rp.want.Late++
		}
		switch p.Result.Readings[0].Qualifier {
		case dose.Unused:
			rp.want.Unused++
		case dose.Damaged:
			rp.want.Damaged++
		}
	}
}

// history takes what the laboratory has read in a year; badges that are not counted have no column to say so.
func (rp *reporter) history(year int) {
	rp.done = map[int]bool{}
	for i := range rp.Badges {
		b := &rp.Badges[i]
		if b.Wearer < 0 || !rp.in[b.Organisation] || b.Position == dose.Collar || b.NotCounted || b.To.Year() != year {
			continue
		}
		for _, res := range b.Results {
			if !res.Scanned.IsZero() {
				rp.done[b.Batch] = true
				rp.rows = append(rp.rows, rp.row(i, res))
				rp.want.Results++
			}
		}
	}
}

// controls adds the control badges; of late badges they were reported with their batch.
func (rp *reporter) controls(all bool) {
	for i := range rp.Badges {
		if b := &rp.Badges[i]; b.Wearer < 0 && (all || b.State == Awaited) && rp.done[b.Batch] {
			rp.rows = append(rp.rows, rp.row(i, Result{Scanned: rp.Today - day.Day(5+rp.r.IntN(18))}))
			rp.want.Controls++
		}
	}
}

// row prints one result.
func (rp *reporter) row(badge int, res Result) reportRow {
	b := &rp.Badges[badge]
	o := &rp.Organisations[b.Organisation]
	c := make([]string, len(reportHeader))
	c[0], c[1], c[2], c[3] = o.Account, o.Name, string(rune('A'+int(b.To-b.From)/30)), fmt.Sprint(b.Batch%97)
	c[columnScan] = res.Scanned.String()
	c[5] = min(res.Scanned+day.Day(1+badge%3), rp.Today).String()
	c[columnBegin], c[columnEnd] = b.From.String(), b.To.String()
	c[columnSerial], c[31] = b.Barcode, fmt.Sprint(res.Version)
	c[columnNote] = strings.Join(res.Notes, "\n")
	if b.Wearer < 0 {
		c[6], c[columnName], c[11], c[12] = fmt.Sprintf("00DRS-%d", badge%7), "CONTROL", "Luxel+ Pa", "CONTROL"
		return reportRow{b.Organisation, badge, badge, c, false}
	}
	e := &rp.Wearers[b.Wearer]
	c[6], c[7] = fmt.Sprintf("%05d", e.participant), fmt.Sprintf("U%06d", scattered(e.Person, 1_000_000))
	c[columnName] = rp.label(e)
	if o.Birth {
		c[10] = e.Identity.Birth.Expose()
	}
	c[13] = [...]string{"", "P", "PM", "PB"}[badge%4]
	c[29] = strings.Replace(max(e.From, rp.begin()).String()[:7], "-", "/", 1)
	if len(rp.People[e.Person].Wearers) > 1 {
		c[columnNote] = strings.TrimPrefix(c[columnNote]+"\n"+labfile.NoteMultipleAccounts, "\n")
	}
	rp.doses(c, b, res)
	return reportRow{b.Organisation, badge, badge, c, false}
}

// doses fills the 13 columns of doses: what the position measures, and what Landauer prints in the others.
func (rp *reporter) doses(c []string, b *Badge, res Result) {
	text := map[dose.Quantity]string{}
	none := false
	for _, rd := range res.Readings {
		switch rd.Qualifier {
		case dose.Measured:
			text[rd.Quantity] = mSv(rd.Dose)
		case dose.BelowLevel:
			text[rd.Quantity] = "M"
		default:
			none = true
		}
	}
	var three [3]string // DDE, LDE, SDE
	switch b.Position {
	case dose.Eye:
		c[11], c[12] = "Vision", "LENS"
		three = [3]string{"M", text[dose.Hp3], text[dose.Hp3]}
	case dose.LeftFinger, dose.RightFinger:
		c[11], c[12] = "Saturn", "LFINGER"
		if b.Position == dose.RightFinger {
			c[12] = "RFINGER"
		}
		three = [3]string{"", "", text[dose.Hp007]}
	case dose.Foetal:
		c[11], c[12] = "Luxel+ Pa", "FETAL"
		three = [3]string{text[dose.Hp10], text[dose.Hp10], text[dose.Hp10]}
	default:
		c[11], c[12] = "Luxel+ Pa", "CHEST"
		three = [3]string{text[dose.Hp10], text[dose.Hp3], text[dose.Hp007]}
		c[columnDDE+3] = text[dose.NeutronHp10]
		if c[columnDDE+3] != "" {
			c[11] = "Luxel+ Ja"
		}
	}
	for i, current := range three {
		sum := current
		if none {
			current = ""
			if sum = "M"; b.Position == dose.LeftFinger || b.Position == dose.RightFinger {
				sum = [3]string{"", "", "M"}[i]
			}
		}
		c[columnDDE+i] = current
		for k := range 3 { // quarter, year to date, life: the laboratory's own sums
			c[columnQuarterDDE+3*k+i] = sum
		}
	}
}

// mSv prints a dose with two decimals, or three where it has them.
func mSv(d dose.MicroSv) string {
	if d%10 != 0 {
		return fmt.Sprintf("%d.%03d", d/1000, d%1000)
	}
	return fmt.Sprintf("%d.%02d", d/1000, d%1000/10)
}

// spoil adds and changes rows: what must be refused, what is known already, re-issues, and wrong names.
func (rp *reporter) spoil() {
	var plain []int
	for i := range rp.rows {
		if rp.rows[i].plain {
			plain = append(plain, i)
		}
	}
	rp.r.Shuffle(len(plain), func(i, j int) { plain[i], plain[j] = plain[j], plain[i] })
	next := func() *reportRow {
		if len(plain) == 0 {
			return nil
		}
		row := &rp.rows[plain[0]]
		plain = plain[1:]
		return row
	}
	broken := func(column int, texts ...string) {
		for _, text := range texts {
			if row := next(); row != nil {
				row.cells[column] = text
				rp.want.Results--
				rp.want.Broken++
			}
		}
	}
	broken(columnDDE, "NR", "<LD", "0,35", "1,20", "-5", "1e9", "NaN")
	broken(columnScan, (rp.Today + 200).String())
	broken(columnNote, "See letter of the third")
	broken(columnEnd, "2026-09-31")
	for k := range 3 { // barcodes that nobody knows
		if row := next(); row != nil {
			row.cells[columnSerial] = fmt.Sprintf("X%04dX%04d", k*37+11, k*41+7)
			rp.want.Results--
			rp.want.Unmatched++
		}
	}
	for range 3 { // the wrong period
		if row := next(); row != nil {
			b := &rp.Badges[row.badge]
			row.cells[columnBegin], row.cells[columnEnd] = b.From.AddMonths(-12).String(), b.To.AddMonths(-12).String()
			rp.want.Results--
			rp.want.Unmatched++
		}
	}
	for range 2 { // under another organisation's account
		if row := next(); row != nil {
			other := rp.Organisations[(row.organisation+1)%len(rp.Organisations)]
			row.cells[columnAccount], row.cells[1] = other.Account, other.Name
			rp.want.Results--
			rp.want.Unmatched++
		}
	}
	for range 3 { // two labels changed over
		a, b := next(), next()
		if a == nil || b == nil || person.Words(a.cells[columnName])[0] == person.Words(b.cells[columnName])[0] {
			continue
		}
		a.cells[columnName], b.cells[columnName] = b.cells[columnName], a.cells[columnName]
		a.cells[10], b.cells[10] = "", ""
		rp.want.Labels += 2
	}
	// What is known already: duplicates, and re-issues.
	repeated := map[int]bool{}
	reissues := max(1, rp.want.Results/110)
	for tries := 0; tries < 100*reissues && rp.want.Reissues < reissues; tries++ {
		i := rp.r.IntN(len(rp.Badges))
		b := &rp.Badges[i]
		if !rp.in[b.Organisation] || b.Position != dose.WholeBody || b.NotCounted || len(b.Results) != 1 || b.Results[0].Scanned.IsZero() ||
			b.To.Year() < rp.Today.Year()-1 || rp.highDose(b) || repeated[i] {
			continue
		}
		repeated[i] = true
		res := b.Results[0]
		if rp.want.Duplicates < 2 {
			rp.want.Duplicates++
		} else {
			res = again(rp.r, res)
			res.Scanned = rp.Today - day.Day(4+rp.r.IntN(10))
			rp.want.Reissues++
			rp.want.Results++
		}
		rp.rows = append(rp.rows, rp.row(i, res))
	}
}

// highDose reports whether a badge is one of the [Case]s', whose results stay as they are.
func (rp *reporter) highDose(b *Badge) bool {
	return len(b.Results[0].Readings) > 0 && b.Results[0].Readings[0].Dose > 1000
}

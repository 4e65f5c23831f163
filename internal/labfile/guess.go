package labfile

import (
	"bytes"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/labfile/delimited"
	"github.com/dosevault/dosevault/internal/labfile/xlsx"
)

// DateFormats are those that are offered and guessed. Where a file's dates are read alike by two, the first is guessed.
var DateFormats = []string{"YYYY-MM-DD", "DD/MM/YYYY", "MM/DD/YYYY", "DD.MM.YYYY", "DD-MM-YYYY", "YYYY/MM/DD", "YYYYMMDD", "DD-MMM-YYYY", "DD MMM YYYY", "DDMMMYYYY"}

var goLayout = strings.NewReplacer("YYYY", "2006", "MMM", "Jan", "MM", "01", "DD", "02")

// readsAs reports whether a text is a day in a format.
func readsAs(text, format string) bool {
	_, err := time.Parse(goLayout.Replace(format), text)
	return err == nil
}

// Guess looks at a file and says how it may be read: how it is written, what its columns are by their headings and values,
// how dates and numbers are written, and what texts mean that leave no doubt. What can't be told stays open, a unit too
// that no heading names. The error is a [FileError].
func Guess(file []byte) (*Layout, error) {
	l := &Layout{}
	if !xlsx.Is(file) && !utf8.Valid(file) && welsh(file) {
		l.Encoding = delimited.ISO8859_14.String()
	}
	if err := guessHeading(file, l); err != nil {
		return nil, err
	}
	return l, GuessColumns(file, l)
}

// GuessColumns guesses what the columns of a file are that is written as a layout says, and what else Guess does.
func GuessColumns(file []byte, l *Layout) error {
	s, err := OpenSample(file, l)
	if err != nil {
		return err
	}
	dates := make([]string, len(s.Headings)) // the format of a column of dates
	for i := range dates {
		dates[i] = s.dateFormat(i)
	}
	if err := s.SetRoles(l, s.guessRoles(dates)); err != nil {
		return err
	}
	l.Dates, l.Decimal, l.Positions, l.Codes, l.Notes = nil, "", nil, nil, nil
	for i, role := range s.Roles(l) {
		if f := dates[i]; f != "" && f != DateFormats[0] && slices.Contains([]string{RoleFrom, RoleTo, RoleScanned, RoleBirth}, role) && !slices.Contains(l.Dates, f) {
			l.Dates = append(l.Dates, f)
		}
	}
	s.GuessDetails(l)
	return nil
}

// welsh reports whether a text's bytes above ASCII are those that ISO-8859-14 has for ŵ and ŷ.
func welsh(file []byte) bool { return bytes.ContainsAny(toLatin(file), "\u00f0\u00fe\u00d0\u00de") }

// toLatin turns each byte into the character of its number.
func toLatin(b []byte) []byte {
	var out []byte
	for _, c := range b {
		out = utf8.AppendRune(out, rune(c))
	}
	return out
}

// guessHeading finds the row of the headings: of the first ten, that with the most texts that are no numbers, with which all of
// the file can be read.
func guessHeading(file []byte, l *Layout) (err error) {
	most := 0
	for n := 1; n <= 10; n++ {
		try := *l
		try.HeadingRow = n
		s, errN := openSample(file, &try, 50)
		if errN != nil {
			if n == 1 {
				err = errN
			}
			continue
		}
		texts := 0
		for _, h := range s.Headings {
			if h = fold(h); h != "" && !isNumber(h) {
				texts++
			}
		}
		if texts > most {
			most, l.HeadingRow = texts, n
		}
	}
	switch {
	case most > 0:
		return nil
	case err == nil:
		err = &FileError{Reason: "no row of headings was found in the first ten rows"}
	}
	return err
}

// dateFormat is the format that all of a column's texts have, or "".
func (s *Sample) dateFormat(column int) string {
	values := s.Values(column, 1000)
	for _, f := range DateFormats {
		if len(values) > 0 && !slices.ContainsFunc(values, func(t string) bool { return !readsAs(t, f) }) {
			return f
		}
	}
	return ""
}

// roleWords are what headings are called, folded, the surest first: whole headings, or words of one.
var roleWords = []struct {
	role  string
	words []string
}{
	{"", []string{"quarter", "ytd", "life", "lifetime", "cumulative", "annual", "total", "year", "import date"}}, // sums, which are not read
	{dose.NeutronHp10.String(), []string{"neutron"}},
	{dose.Hp007.String(), []string{"hp(0.07)", "hp(0,07)", "hp0.07", "hp0,07", "hp007", "hp07", "sde", "shallow", "skin", "extremity", "ring", "croen"}},
	{dose.Hp10.String(), []string{"hp(10)", "hp10", "dde", "deep"}},
	{dose.Hp3.String(), []string{"hp(3)", "hp3", "lde", "lens", "llygad"}},
	{RoleBirth, []string{"dob", "birth", "born", "geni"}},
	{RoleBarcode, []string{"serial number", "serial", "barcode", "badge number", "badge id", "badge", "dosimeter number", "dosemeter number", "dosimeter id", "dosimeter", "dosemeter", "bathodyn"}},
	{RoleAccount, []string{"account number", "account", "customer", "client", "subscriber", "cyfrif"}},
	{RoleFrom, []string{"from", "begin", "begins", "start", "starts", "first day", "dechrau"}},
	{RoleTo, []string{"to", "until", "end", "ends", "finish", "last day", "diwedd"}},
	{RoleScanned, []string{"scan", "scanned", "read on", "read date", "read", "processed", "measured", "assessed"}},
	{RoleNotes, []string{"note", "notes", "notecode", "remark", "remarks", "comment", "comments", "nodiadau"}},
	{RoleVersion, []string{"version", "issue", "revision"}},
	{RolePosition, []string{"worn at", "position", "location", "site", "where", "use", "body part", "safle"}},
	{RoleName, []string{"participant name", "wearer", "name", "surname", "employee", "enw"}},
	{RoleQuantity, []string{"quantity", "what"}},
	{RoleValue, []string{"value", "result", "dose"}},
}

// guessRoles says what the columns are. A role that one column has alone goes to the first whose heading says so.
func (s *Sample) guessRoles(dates []string) []string {
	roles, sums := make([]string, len(s.Headings)), make([]bool, len(s.Headings))
	taken := map[string]bool{}
	for _, r := range roleWords {
		for _, word := range r.words {
			for i, h := range s.Headings {
				if roles[i] != "" || sums[i] || taken[r.role] || !hasWord(fold(h), word) || !s.fits(r.role, i, dates[i]) {
					continue
				}
				if roles[i], sums[i] = r.role, r.role == ""; r.role != "" && quantities[r.role] == dose.NoQuantity {
					taken[r.role] = true
				}
			}
		}
	}
	if taken[RoleQuantity] != taken[RoleValue] || slices.ContainsFunc(roles, func(r string) bool { return quantities[r] != dose.NoQuantity }) {
		for i, r := range roles { // each quantity has a column of its own
			if r == RoleQuantity || r == RoleValue {
				roles[i] = ""
			}
		}
	}
	return roles
}

// fits reports whether a column's texts can be what its heading says.
func (s *Sample) fits(role string, column int, date string) bool {
	values := s.Values(column, 50)
	switch {
	case role == "" || len(values) == 0:
		return true
	case slices.Contains([]string{RoleFrom, RoleTo, RoleScanned, RoleBirth}, role):
		return date != ""
	case role == RoleVersion:
		return !slices.ContainsFunc(values, func(t string) bool { return strings.Trim(t, "0123456789") != "" || len(t) > 3 })
	case date != "" && role != RoleAccount && role != RoleBarcode:
		return false
	case quantities[role] != dose.NoQuantity:
		return slices.ContainsFunc(values, isNumber) || len(values) < 8
	}
	return true
}

// hasWord reports whether a folded heading is a text, or has it as whole words.
func hasWord(heading, word string) bool {
	i := strings.Index(heading, word)
	if i < 0 {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(heading[:i])
	after, _ := utf8.DecodeRuneInString(heading[i+len(word):])
	letter := func(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
	return !letter(before) && (!letter(after) || strings.HasSuffix(word, ")"))
}

// GuessDetails guesses what is still open of a layout's numbers, units, positions and texts, and changes nothing that is said.
func (s *Sample) GuessDetails(l *Layout) {
	if l.Decimal == "" {
		l.Decimal = s.decimal(l)
	}
	for _, q := range l.Quantities {
		if q.Unit == "" && !q.Column.IsZero() {
			if i := s.at(q.Column); i >= 0 {
				q.Unit = unitIn(s.Headings[i])
			}
		}
	}
	if l.Columns.Position.IsZero() {
		l.Positions = nil
	} else {
		l.Position = ""
		for _, t := range s.Texts(l.Columns.Position) {
			if p := positionIn(t.Text); p != "" && l.Positions[t.Text] == "" {
				l.Positions = with(l.Positions, t.Text, p)
			}
		}
	}
	if !l.Columns.Account.IsZero() {
		l.Account = ""
	}
	if l.Columns.Notes.IsZero() {
		l.Notes = nil
	}
	for _, t := range s.Notes(l) {
		if m := meaningIn(t.Text); m != "" && m != dose.BelowLevel.String() && l.Notes[t.Text] == "" {
			l.Notes = with(l.Notes, t.Text, m)
		}
	}
	for _, t := range s.Codes(l) {
		if m := meaningIn(t.Text); m != "" && l.Codes[t.Text] == "" {
			l.Codes = with(l.Codes, t.Text, m)
		}
	}
}

// with adds to a map that may be nil.
func with(m map[string]string, key, value string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[key] = value
	return m
}

// decimal is the decimal mark of the doses: a comma where numbers have one and none has a point.
func (s *Sample) decimal(l *Layout) string {
	commas, points := 0, 0
	for i, role := range s.Roles(l) {
		if role != RoleValue && quantities[role] == dose.NoQuantity {
			continue
		}
		for _, t := range s.Values(i, 1000) {
			switch {
			case !isNumber(t):
			case strings.Contains(t, ","):
				commas++
			case strings.Contains(t, "."):
				points++
			}
		}
	}
	if commas > points && !s.Sheet {
		return ","
	}
	return "."
}

// unitIn is the unit that a heading names, or "".
func unitIn(heading string) string {
	words := strings.FieldsFunc(heading, func(r rune) bool { return !unicode.IsLetter(r) && r != '-' })
	for _, w := range words {
		w = strings.Replace(strings.Replace(w, "μ", "µ", 1), "uSv", "µSv", 1) // the Greek letter for the sign
		if slices.Contains(UnitNames, w) {
			return w
		}
	}
	return ""
}

// positionIn is where a text says that a badge is worn, or "".
func positionIn(text string) string {
	t := fold(text)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(t, w) })
	}
	right, left := has("right", "rfinger", "r finger", "rwrist"), has("left", "lfinger", "l finger", "lwrist")
	switch {
	case has("control"):
		return dose.Control.String()
	case has("fetal", "foetal", "fetus", "foetus"):
		return dose.Foetal.String()
	case has("finger", "ring", "hand") && right != left:
		if right {
			return dose.RightFinger.String()
		}
		return dose.LeftFinger.String()
	case has("wrist") && right != left:
		if right {
			return dose.RightWrist.String()
		}
		return dose.LeftWrist.String()
	case has("collar", "neck"):
		return dose.Collar.String()
	case has("lens", "eye"):
		return dose.Eye.String()
	case has("chest", "trunk", "torso", "whole body", "body"):
		return dose.WholeBody.String()
	}
	return ""
}

// meaningIn is what a text means that says so itself, or "". An abbreviation means one thing at one laboratory and another at the next: it is for somebody to say.
func meaningIn(text string) string {
	t := fold(text)
	switch {
	case strings.HasPrefix(t, "<"):
		return dose.BelowLevel.String()
	case slices.Contains([]string{"unused", "not used", "heb ei ddefnyddio"}, t):
		return dose.Unused.String()
	case slices.Contains([]string{"lost", "badge lost", "ar goll"}, t):
		return dose.Lost.String()
	case slices.Contains([]string{"damaged", "badge damaged", "difrodwyd"}, t):
		return dose.Damaged.String()
	case slices.Contains([]string{"not returned", "unreturned", "heb ei ddychwelyd"}, t):
		return dose.NotReturned.String()
	case slices.Contains([]string{"below level", "below minimum", "below detection limit", "not detectable"}, t):
		return dose.BelowLevel.String()
	}
	return ""
}

package web

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/words"
)

// refuses is what a text means that nobody has said the meaning of.
var refuses = option{Value: "", Label: "Not known: it refuses its row"}

// roleOptions are what a column can be.
var roleOptions = func() []option {
	known := map[string]words.Key{labfile.RoleBarcode: "Serial number of the badge", labfile.RoleAccount: "Account of the organisation", labfile.RolePosition: "Where the badge is worn",
		labfile.RoleFrom: "First day of the wear period", labfile.RoleTo: "Last day of the wear period", labfile.RoleScanned: "Day on which the badge was read", labfile.RoleVersion: "Version of the report",
		labfile.RoleName: "Name of the wearer, to compare", labfile.RoleBirth: "Date of birth, to compare", labfile.RoleNotes: "Notes", labfile.RoleQuantity: "Which quantity this row gives",
		labfile.RoleValue: "The dose of this row"}
	out := []option{{Label: "Not read"}}
	for _, r := range labfile.Roles {
		label := known[r]
		if label == "" {
			label = doseRoles[r]
		}
		out = append(out, option{Value: r, Label: label})
	}
	return out
}()

// doseRoles are what a column of doses can be.
var doseRoles = map[string]words.Key{dose.Hp10.String(): "Dose: Hp(10)", dose.Hp007.String(): "Dose: Hp(0.07)", dose.Hp3.String(): "Dose: Hp(3)", dose.NeutronHp10.String(): "Dose: neutron Hp(10)"}

// optionsOf are a profile's words as options, after one of no value.
func optionsOf(none words.Key, names []string) []option {
	out := []option{{Label: none}}
	for _, n := range names {
		out = append(out, option{Value: n, Label: meaningWord(n)})
	}
	return out
}

var (
	positionOptions = optionsOf(refuses.Label, labfile.PositionNames)
	codeOptions     = optionsOf(refuses.Label, labfile.CodeMeanings)
	noteOptions     = optionsOf(refuses.Label, labfile.NoteMeanings)
	quantityOptions = []option{refuses, {Value: dose.Hp10.String(), Label: quantityWord(dose.Hp10)}, {Value: dose.Hp007.String(), Label: quantityWord(dose.Hp007)},
		{Value: dose.Hp3.String(), Label: quantityWord(dose.Hp3)}, {Value: dose.NeutronHp10.String(), Label: quantityWord(dose.NeutronHp10)}}
	unitOptions      = optionsUnits()
	separatorOptions = []option{{Label: "Whichever of comma, semicolon and tab is most frequent"}, {Value: ",", Label: "Comma"}, {Value: ";", Label: "Semicolon"}, {Value: "\t", Label: "Tab"}, {Value: "|", Label: words.Plain("|")}}
	encodingOptions  = []option{{Label: "Windows-1252 (most of Western Europe)"}, {Value: "ISO-8859-14", Label: "ISO-8859-14 (Welsh, with ŵ and ŷ)"}}
)

// optionsUnits are the units, in their own spelling.
func optionsUnits() []option {
	out := []option{{Label: "Choose"}}
	for _, u := range labfile.UnitNames {
		label := words.Plain(u)
		if u == "centi-mSv" {
			label = "hundredths of a mSv"
		}
		out = append(out, option{Value: u, Label: label})
	}
	return out
}

// The columns.

// columnTitle names a column of the sample.
func (x *sampleWork) columnTitle(ctx context.Context, i int) words.Key {
	title := words.T(ctx, "Column %d", i+1)
	if h := strings.Join(strings.Fields(x.s.Headings[i]), " "); h != "" {
		title += ": " + cut(h)
	}
	return words.Plain(title)
}

// columnHint shows the first values of a column.
func (x *sampleWork) columnHint(ctx context.Context, i int) words.Key {
	values := x.s.Values(i, 3)
	if len(values) == 0 {
		return "Blank in every row"
	}
	return words.Plain(words.T(ctx, "Such as %s", shownTexts(values)))
}

// shownTexts are some texts of a sample in a line.
func shownTexts(texts []string) string {
	for i := range texts {
		texts[i] = cut(texts[i])
	}
	return strings.Join(texts, " · ")
}

// cut shortens a text of a sample to what a line holds.
func cut(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func (x *sampleWork) fillColumns(f *form) {
	for i, role := range x.s.Roles(x.l) {
		f.values.Set(numbered("column", i), role)
	}
}

func (x *sampleWork) takeColumns(f *form) {
	roles := make([]string, len(x.s.Headings))
	for i := range roles {
		if roles[i] = f.Value(numbered("column", i)); roles[i] != "" && !slices.Contains(labfile.Roles, roles[i]) {
			f.wrong(numbered("column", i), "Select what this column is")
		}
	}
	has := func(role string) bool { return slices.Contains(roles, role) }
	doses := slices.ContainsFunc(roles, isDose)
	for _, need := range []struct {
		role string
		text words.Key
	}{
		{labfile.RoleBarcode, "Select which column is the serial number of the badge"},
		{labfile.RoleFrom, "Select which column is the first day of the wear period"},
		{labfile.RoleTo, "Select which column is the last day of the wear period"},
	} {
		if !has(need.role) {
			f.Errors = append(f.Errors, formError{Field: numbered("column", 0), Text: need.text})
		}
	}
	switch long := has(labfile.RoleQuantity); {
	case long != has(labfile.RoleValue):
		f.Errors = append(f.Errors, formError{Field: numbered("column", 0), Text: "Select both which quantity a row gives and its dose, or neither"})
	case long && doses:
		i := slices.IndexFunc(roles, isDose)
		f.wrong(numbered("column", i), "Select no dose of its own where each row says which quantity it gives")
	case !long && !doses:
		f.Errors = append(f.Errors, formError{Field: numbered("column", 0), Text: "Select at least one column of doses"})
	}
	if len(f.Errors) > 0 {
		return
	}
	if err := x.s.SetRoles(x.l, roles); err != nil {
		var twice *labfile.RoleError
		if errors.As(err, &twice) {
			f.wrong(numbered("column", twice.Column), "Another column is this too: select only one")
		}
		return
	}
	x.s.GuessDetails(x.l)
}

func isDose(role string) bool {
	return slices.Contains([]string{dose.Hp10.String(), dose.Hp007.String(), dose.Hp3.String(), dose.NeutronHp10.String()}, role)
}

// How the file is laid out.

func (x *sampleWork) fillFile(f *form) {
	f.values.Set("row", strconv.Itoa(max(1, x.l.HeadingRow)))
	f.values.Set("separator", x.l.Separators)
	f.values.Set("encoding", x.l.Encoding)
	f.values.Set("sheet", x.l.Sheet)
}

func (x *sampleWork) takeFile(f *form) {
	l := *x.l
	var err error
	if l.HeadingRow, err = strconv.Atoi(f.Text("row")); err != nil || l.HeadingRow < 1 || l.HeadingRow > 1000 {
		f.wrong("row", "Enter the number of the row with the headings, from 1 to 1000")
		return
	}
	if x.s.Sheet {
		if l.Sheet = f.Text("sheet"); len(l.Sheet) > 100 {
			f.wrong("sheet", "Enter 100 characters or less")
		}
	} else {
		l.Separators, l.Encoding = pick(f.Value("separator"), separatorOptions), pick(f.Value("encoding"), encodingOptions)
	}
	if len(f.Errors) > 0 {
		return
	}
	if err := labfile.GuessColumns(x.file, &l); err != nil {
		f.wrongInEnglish("row", "The file can't be read so: "+err.Error())
		return
	}
	x.l = &l
}

// pick returns a value if it is one of the options'.
func pick(value string, options []option) string {
	if slices.ContainsFunc(options, func(o option) bool { return o.Value == value }) {
		return value
	}
	return ""
}

// How it is written.

// dateOptions are the formats of dates that can be chosen; the one of spreadsheets always holds.
var dateOptions = func() (out []option) {
	for _, d := range labfile.DateFormats[1:] {
		out = append(out, option{Value: d, Label: words.Plain(d)})
	}
	return out
}()

// dateHint shows dates as the sample has them.
func (x *sampleWork) dateHint(ctx context.Context) words.Key {
	var shown []string
	for i, role := range x.s.Roles(x.l) {
		if slices.Contains([]string{labfile.RoleFrom, labfile.RoleTo, labfile.RoleScanned}, role) {
			shown = append(shown, x.s.Values(i, 1)...)
		}
	}
	return words.Plain(words.T(ctx, "The first dates are %s. YYYY-MM-DD, as which a spreadsheet's dates read, is always understood. Make sure which is the day and which the month", shownTexts(shown)))
}

// headingOptions are the sample's columns.
func (x *sampleWork) headingOptions(ctx context.Context) []option {
	out := []option{{Label: "None"}}
	for i := range x.s.Headings {
		out = append(out, option{Value: strconv.Itoa(i + 1), Label: x.columnTitle(ctx, i)})
	}
	return out
}

func (x *sampleWork) fillReading(f *form) {
	f.values["dates"] = slices.Clone(x.l.Dates)
	f.values.Set("decimal", x.l.Decimal)
	f.values.Set("account", x.l.Account)
	f.values.Set("position", x.l.Position)
	if x.l.Round {
		f.values.Add("numbers", "round")
	}
	if x.l.Negative != "" {
		f.values.Add("numbers", "negative")
	}
	if c := x.l.Control; c != nil {
		for i := range x.s.Headings {
			if x.s.Column(i) == c.Column {
				f.values.Set("control", strconv.Itoa(i+1))
			}
		}
		f.values.Set("control-texts", strings.Join(c.Texts, "\n"))
	}
}

func (x *sampleWork) takeReading(f *form) {
	x.l.Dates = nil
	for _, d := range dateOptions {
		if f.Has("dates", d.Value) {
			x.l.Dates = append(x.l.Dates, d.Value)
		}
	}
	if _, err := labfile.CheckDates(x.l.Dates); err != nil {
		f.wrong("dates", "Two of these read one text as different days: select only one of them")
	}
	x.l.Decimal = f.choice("decimal", "Select the decimal mark", ".", ",")
	if x.l.Account = ""; x.l.Columns.Account.IsZero() {
		if x.l.Account = f.need("account", "Enter the account of the organisation at the laboratory"); len(x.l.Account) > 32 {
			f.wrong("account", "Enter 32 characters or less")
		}
	}
	if x.l.Position = ""; x.l.Columns.Position.IsZero() {
		x.l.Position = f.choice("position", "Select where the badges are worn", labfile.PositionNames...)
	}
	x.l.Round, x.l.Negative = f.Has("numbers", "round"), ""
	if f.Has("numbers", "negative") {
		x.l.Negative = dose.BelowLevel.String()
	}
	x.l.Control = nil
	if s := f.Value("control"); s != "" {
		i, err := strconv.Atoi(s)
		texts := f.Lines("control-texts")
		switch {
		case err != nil || i < 1 || i > len(x.s.Headings):
			f.wrong("control", "Select a column")
		case len(texts) == 0 || len(texts) > 20 || slices.Contains(texts, "*"):
			f.wrong("control-texts", "Enter what stands there for control badges, each on a line of its own")
		default:
			x.l.Control = &labfile.Control{Column: x.s.Column(i - 1), Texts: texts}
		}
	}
}

// Where badges are worn.

func (x *sampleWork) positions() []labfile.Text { return some(x.s.Texts(x.l.Columns.Position)) }

// some are the first of a list that are asked about.
func some(all []labfile.Text) []labfile.Text { return all[:min(len(all), mostTexts)] }

func (x *sampleWork) fillPositions(f *form) {
	for i, t := range x.positions() {
		f.values.Set(numbered("position", i), x.l.Positions[t.Text])
	}
}

func (x *sampleWork) takePositions(f *form) {
	x.l.Positions = map[string]string{}
	for i, t := range x.positions() {
		if p := pick(f.Value(numbered("position", i)), positionOptions); p != "" {
			x.l.Positions[t.Text] = p
		}
	}
	if len(x.l.Positions) == 0 {
		f.wrong(numbered("position", 0), "Select what at least one of the texts means")
	}
}

// Doses.

// quantityTexts are the texts that name quantities where each has a row of its own.
func (x *sampleWork) quantityTexts() []labfile.Text {
	if x.l.Columns.Quantity.IsZero() {
		return nil
	}
	return slices.DeleteFunc(some(x.s.Texts(x.l.Columns.Quantity)), func(t labfile.Text) bool { return t.Text == "" })
}

// doseRow is a column of doses, or a text that names a quantity.
type doseRow struct {
	Title    string
	Hint     words.Key
	Short    string // as a label has it
	Quantity string // "": it is asked for
	of       *labfile.Quantity
}

// doseRows are what is asked about one by one.
func (x *sampleWork) doseRows(ctx context.Context) (out []doseRow) {
	for _, t := range x.quantityTexts() {
		row := doseRow{Title: "“" + cut(t.Text) + "”", Short: "“" + cut(t.Text) + "”", Hint: inRows(ctx, t), of: &labfile.Quantity{Text: t.Text}}
		for _, q := range x.l.Quantities {
			if q.Text == t.Text {
				row.of = q
			}
		}
		out = append(out, row)
	}
	if out != nil {
		return out
	}
	for i, role := range x.s.Roles(x.l) {
		for _, q := range x.l.Quantities {
			if role == q.Quantity && q.Column == x.s.Column(i) {
				out = append(out, doseRow{Title: words.T(ctx, "%s in %s", quantityName(q.Quantity), cut(x.s.Column(i).String())), Short: words.T(ctx, "%s in column %d", quantityName(q.Quantity), i+1),
					Hint: x.columnHint(ctx, i), Quantity: role, of: q})
			}
		}
	}
	return out
}

// wornAt are the positions that a quantity can be told apart by, of those in the file; none where there is nothing to tell apart.
func (x *sampleWork) wornAt(quantity string, columns int) (out []option) {
	for _, p := range labfile.PositionNames {
		used := p == x.l.Position
		for _, known := range x.l.Positions {
			used = used || known == p
		}
		if used && p != dose.Control.String() && (quantity == "" || labfile.Measures(p, quantity)) {
			out = append(out, option{Value: p, Label: meaningWord(p)})
		}
	}
	if columns < 2 && len(out) < 2 {
		return nil
	}
	return out
}

// columnsOf is how many rows of doses give a quantity; where it is asked for, any may.
func columnsOf(rows []doseRow, quantity string) (n int) {
	for _, r := range rows {
		if r.Quantity == quantity {
			n++
		}
	}
	return n
}

func (x *sampleWork) fillDoses(f *form) {
	for i, row := range x.doseRows(x.ctx) {
		f.values.Set(numbered("quantity", i), row.of.Quantity)
		f.values.Set(numbered("unit", i), row.of.Unit)
		f.values.Set(numbered("minimum", i), row.of.Minimum)
		f.values[numbered("at", i)] = slices.Clone(row.of.Positions)
		if row.of.Optional {
			f.values.Add(numbered("also", i), "optional")
		}
		if row.of.Elsewhere != "" {
			f.values.Add(numbered("also", i), "ignored")
		}
	}
}

func (x *sampleWork) takeDoses(f *form) {
	var all []*labfile.Quantity
	taken := map[[2]string]bool{} // a quantity and where the badge is worn
	rows := x.doseRows(x.ctx)
	for i, row := range rows {
		q := *row.of
		if row.Quantity == "" {
			if q.Quantity = pick(f.Value(numbered("quantity", i)), quantityOptions); q.Quantity == "" {
				continue // not known: it refuses its row
			}
		}
		q.Unit = f.choice(numbered("unit", i), words.Plain(words.T(x.ctx, "Select the unit of %s", row.Short)), labfile.UnitNames...)
		q.Minimum, q.Positions, q.Elsewhere = f.Text(numbered("minimum", i)), nil, ""
		if q.Unit != "" && q.Minimum != "" && !labfile.IsDose(q.Minimum, q.Unit) {
			f.wrong(numbered("minimum", i), "Enter the level as a number, such as 0.1, or leave it blank")
		}
		worn := x.wornAt(q.Quantity, columnsOf(rows, row.Quantity))
		for _, p := range worn {
			if f.Has(numbered("at", i), p.Value) {
				q.Positions = append(q.Positions, p.Value)
			}
		}
		q.Optional = f.Has(numbered("also", i), "optional")
		if f.Has(numbered("also", i), "ignored") {
			q.Elsewhere = "ignored"
		}
		for _, p := range labfile.PositionNames {
			if !labfile.Measures(p, q.Quantity) || len(q.Positions) > 0 && !slices.Contains(q.Positions, p) {
				continue
			}
			if key := [2]string{q.Quantity, p}; !taken[key] {
				taken[key] = true
			} else if where := numbered("at", i); len(worn) > 0 {
				f.wrong(where, "Select of which badges this is read: another column gives %s of a badge worn at: %s", quantityName(q.Quantity), meaningWord(p))
			} else {
				f.wrong(numbered("unit", i), "Another column gives %s of a badge worn at: %s. Go back and don't read one of them", quantityName(q.Quantity), meaningWord(p))
			}
		}
		all = append(all, &q)
	}
	if len(all) == 0 && len(f.Errors) == 0 {
		f.wrong(numbered("quantity", 0), "Select which quantity at least one of the texts names")
	}
	if len(f.Errors) == 0 {
		x.l.Quantities = all
	}
}

// Texts in columns of doses, and notes.

func (x *sampleWork) codes() []labfile.Text { return some(x.s.Codes(x.l)) }
func (x *sampleWork) notes() []labfile.Text { return some(x.s.Notes(x.l)) }

// More counts the texts that are not asked about, of which there are too many.
func (x *sampleWork) More() int {
	return len(x.s.Codes(x.l)) + len(x.s.Notes(x.l)) - len(x.codes()) - len(x.notes())
}

// textLabel shows a text of a sample.
func textLabel(t labfile.Text) words.Key {
	if t.Text == "" {
		return "Nothing: the cell is blank"
	}
	return words.Plain("“" + cut(t.Text) + "”")
}

// inRows says how often a text is there.
func inRows(ctx context.Context, t labfile.Text) words.Key {
	return words.Plain(words.T(ctx, "In %s", words.Count(ctx, t.Rows, "row", "rows")))
}

func (x *sampleWork) fillCodes(f *form) {
	for i, t := range x.codes() {
		f.values.Set(numbered("code", i), x.l.Codes[t.Text])
	}
	for i, t := range x.notes() {
		f.values.Set(numbered("note", i), x.l.Notes[t.Text])
	}
}

func (x *sampleWork) takeCodes(f *form) {
	codes, notes := map[string]string{}, map[string]string{}
	for i, t := range x.codes() {
		if m := pick(f.Value(numbered("code", i)), codeOptions); m != "" {
			codes[t.Text] = m
		}
	}
	for i, t := range x.notes() {
		if m := pick(f.Value(numbered("note", i)), noteOptions); m != "" {
			notes[t.Text] = m
		}
	}
	if len(x.notes()) > 0 && len(notes) == 0 {
		f.wrong(numbered("note", 0), "Select what at least one of the notes means, or go back and don't read the column of notes")
	}
	x.l.Codes, x.l.Notes = codes, notes
}

// The profile itself.

func (x *sampleWork) fillAbout(f *form) {
	f.values.Set("name", x.l.Name)
	f.values.Set("laboratory", x.l.Laboratory)
}

func (x *sampleWork) takeAbout(f *form) {
	x.l.Name = f.need("name", "Enter a name for the profile")
	if x.l.Name != "" && (len(x.l.Name) > 40 || orName(x.l.Name) != x.l.Name) {
		f.wrong("name", "The name must be 1 to 40 small letters, digits and hyphens")
	}
	if x.l.Laboratory = f.Text("laboratory"); len(x.l.Laboratory) > maxSettingText {
		f.wrong("laboratory", "Enter 100 characters or less")
	}
}

// short says an answer in a line, for the list of answers.
func (x sampleCheck) short(ctx context.Context, step string) string {
	l := x.l
	switch step {
	case "columns":
		read := 0
		for _, r := range x.s.Roles(l) {
			if r != "" {
				read++
			}
		}
		return words.T(ctx, "%d of %d are read", read, len(x.s.Headings))
	case "reading":
		dates := strings.Join(append([]string{labfile.DateFormats[0]}, l.Dates...), words.T(ctx, " or "))
		if l.Decimal == "," {
			return words.T(ctx, "Dates as %s; decimal comma", dates)
		}
		return words.T(ctx, "Dates as %s; decimal point", dates)
	case "positions":
		return words.T(ctx, "%d of %d texts are known", len(l.Positions), len(x.s.Texts(l.Columns.Position)))
	case "doses":
		var s []string
		for _, q := range l.Quantities {
			unit := words.Plain(q.Unit)
			if q.Unit == "" {
				unit = "a unit that is not chosen"
			}
			s = append(s, words.T(ctx, "%s in %s", quantityName(q.Quantity), unit))
		}
		return strings.Join(s, "; ")
	case "codes":
		return words.T(ctx, "%d of %d texts are known", len(l.Codes)+len(l.Notes), len(x.s.Codes(l))+len(x.s.Notes(l)))
	}
	if l.Name == "" {
		return ""
	}
	return x.Words.StoredProfile.Title(ctx)
}

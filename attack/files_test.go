package attack_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// table writes records as a laboratory writes them.
func table(records ...[]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	w.WriteAll(records)
	return b.Bytes()
}

// The columns of the laboratory's file that are spoiled here.
const (
	colAccount = 0
	colScan    = 4
	colName    = 9
	colBirth   = 10
	colUse     = 12
	colBegin   = 14
	colDDE     = 16
	colSerial  = 30
	colVersion = 31
)

// lines picks the heading of a file that can be imported, the row of a marker person, and one of another organisation.
func lines(t *testing.T) (heading, row, other []string) {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(reissued(t, "8"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records[1:] {
		switch {
		case r[colUse] != "CHEST" || r[colDDE] == "":
		case strings.HasPrefix(r[colName], "ZQ"):
			row = r
		case row == nil || r[colAccount] != row[colAccount]:
			other = r
		}
	}
	if row == nil || other == nil || row[colAccount] == other[colAccount] {
		t.Fatal("the report has no marker person, or nobody of another organisation")
	}
	row[colBirth] = "1911-03-03" // a marker person's
	return records[0], row, other
}

// TestBadFilesAreRefusedInWords: what is no laboratory's file, or a wrong one, is refused with a message that says where;
// the exit is 1, nothing is stored, and no personal value of it appears on any output or in any file.
func TestBadFilesAreRefusedInWords(t *testing.T) {
	t.Parallel()
	heading, row, other := lines(t)
	spoilt := func(column int, text string) []byte {
		r := slices.Clone(row)
		r[column] = text
		return table(heading, r)
	}
	good := table(heading, row)
	shifted := func(at, by int) []byte {
		r := slices.Insert(slices.Clone(row), at, make([]string, by)...)
		return table(heading, r[:len(heading)])
	}
	wide := make([]string, 10_000)
	for i := range wide {
		wide[i] = "x"
	}
	var list bytes.Buffer
	if err := seeded().WritePeopleCSV(&list, 0); err != nil {
		t.Fatal(err)
	}
	le := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(string(spoilt(colDDE, "NaN")))) {
		le = append(le, byte(u), byte(u>>8))
	}
	set, err := seededSet()
	if err != nil {
		t.Fatal(err)
	}

	h := copyOfFilled(t)
	h.Start("demo", "--people", small)
	coordinator(t, h)
	count := func() (int, int) {
		return number(t, registerDB(h), "SELECT count(*) FROM reading"), number(t, registerDB(h), "SELECT count(*) FROM import WHERE state IN ('stored', 'done')")
	}
	readings, imports := count()
	dir := t.TempDir()
	for name, f := range map[string]struct {
		file []byte
		want []string
	}{
		"an empty file":                  {nil, []string{"empty"}},
		"only a heading":                 {table(heading), []string{"no row can be stored"}},
		"a picture":                      {[]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x00"), []string{"PNG image", "CSV"}},
		"a workbook":                     {append([]byte("PK\x03\x04\x14\x00\x06\x00"), bytes.Repeat([]byte{0, 1, 200}, 500)...), []string{"XLSX", "damaged"}},
		"a list of people":               {list.Bytes(), []string{"line 1, column 1", "Account Number"}},
		"no heading":                     {table(row, row), []string{"line 1, column 1", "Account Number"}},
		"two headings changed over":      {bytes.Replace(good, []byte("Scan Date,Import Date"), []byte("Import Date,Scan Date"), 1), []string{"line 1, column 5", "Scan Date"}},
		"semicolons":                     {bytes.ReplaceAll(good, []byte(","), []byte(";")), []string{"line 1"}},
		"cut in the middle of a row":     {good[:len(good)-40], []string{"line 2"}},
		"cut in a quoted field":          {append(bytes.Clone(good), []byte("\"ZQ")...), []string{"line"}},
		"10,000 columns in the heading":  {table(wide, wide), []string{"line 1, column 1"}},
		"10,000 columns in a row":        {table(heading, append(slices.Clone(row), wide[len(row):]...)), []string{"2"}},
		"over the size limit":            {append(bytes.Clone(good), bytes.Repeat([]byte(strings.Repeat(",", 32)+"\r\n"), 256<<20/34+100)...), []string{"256 MiB"}},
		"over the limit of rows":         {append(bytes.Clone(good), bytes.Repeat([]byte(strings.Repeat(",", 32)+"\r\n"), 1_500_000)...), []string{"more than 1500000 rows"}},
		"a barcode of another one":       {spoilt(colSerial, other[colSerial]), []string{"row 2", "Serial Number", "another organisation"}},
		"another organisation's account": {spoilt(colAccount, other[colAccount]), []string{"row 2", "Serial Number", "another organisation"}},
		"an unknown account":             {spoilt(colAccount, "A999"), []string{"row 2", "Account Number"}},
		"an unknown barcode":             {spoilt(colSerial, "X1111X1111"), []string{"row 2", "Serial Number"}},
		"read in the future":             {spoilt(colScan, "2091-01-01"), []string{"row 2", "Scan Date", "future"}},
		"a period in the future":         {spoilt(colBegin, "2091-01-01"), []string{"row 2", "Period Begin Date", "future"}},
		"a dose of -5":                   {spoilt(colDDE, "-5"), []string{"row 2", "Current DDE"}},
		"a dose of −5":                   {spoilt(colDDE, "−5"), []string{"row 2", "Current DDE"}},
		"a dose of 1e9":                  {spoilt(colDDE, "1e9"), []string{"row 2", "Current DDE"}},
		"a dose of 1000000000":           {spoilt(colDDE, "1000000000"), []string{"row 2", "Current DDE"}},
		"a dose of NaN":                  {spoilt(colDDE, "NaN"), []string{"row 2", "Current DDE"}},
		"a dose of NaN in UTF-16":        {le, []string{"row 2", "Current DDE"}},
		"a dose of 0,35":                 {spoilt(colDDE, "0,35"), []string{"row 2", "Current DDE"}},
		"a dose of Inf":                  {spoilt(colDDE, "Inf"), []string{"row 2", "Current DDE"}},
		"a birth that is none":           {spoilt(colBirth, "03/03/1911"), []string{"row 2", "DOB"}},
		"an unknown use":                 {spoilt(colUse, "ANKLE"), []string{"row 2", "Use"}},
		"a version that is none":         {spoilt(colVersion, "-1"), []string{"row 2", "Version"}},
		"a note that is a sentence":      {spoilt(len(heading)-1, "Spoke to "+row[colName]), []string{"row 2", "NoteCode"}},
		"a name in the dose's place":     {spoilt(colDDE, row[colName]), []string{"row 2", "Current DDE"}},
		"a name in the barcode's place":  {spoilt(colSerial, row[colName]), []string{"row 2", "Serial Number"}},
		"shifted by two before the name": {shifted(colName, 2), []string{"row 2"}},
		"shifted by five":                {shifted(colName, 5), []string{"row 2"}},
		"shifted from the beginning":     {shifted(0, 3), []string{"row 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, "report.csv")
			if err := os.WriteFile(path, f.file, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := h.Run("import", "--yes", path)
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("the exit is %v, not 1:\n%s", err, out)
			}
			for _, w := range f.want {
				if !strings.Contains(out, w) {
					t.Errorf("the message does not say %q:\n%s", w, out)
				}
			}
			found, _, err := set.Reader(strings.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			if len(found) > 0 || strings.Contains(strings.ToUpper(out), "ZQ") || strings.Contains(out, "1911") || strings.Contains(out, "0,35") || strings.Contains(out, "1e9") {
				t.Errorf("a personal value in the output: %v\n%s", found, out)
			}
			if strings.Contains(out, "panic") || strings.Contains(out, "goroutine") || len(out) > 2000 {
				t.Errorf("%d bytes of output:\n%.2000s", len(out), out)
			}
			if r, i := count(); r != readings || i != imports {
				t.Errorf("%d readings and %d imports were stored", r-readings, i-imports)
			}
		})
	}
	nothingReadable(t, set, h.Dir, h.Log())

	// The row is good where nothing is spoilt, or nothing above is shown; and a person who says no stores nothing.
	path := filepath.Join(dir, "report.csv")
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := h.Command("import", path)
	cmd.Stdin = strings.NewReader("n\n")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "Nothing was stored") {
		t.Errorf("%v\n%s", err, out)
	}
	if r, _ := count(); r != readings {
		t.Errorf("%d readings were stored though the answer was no", r-readings)
	}
	if out, err := h.Run("import", "--yes", path); err != nil || !strings.Contains(out, "Stored: 1 rows") {
		t.Errorf("%v\n%s", err, out)
	}
	if r, _ := count(); r != readings+1 {
		t.Errorf("%d readings were stored, not 1", r-readings)
	}
	h.Stop()
	if out, err := h.Run("verify"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestBadListsOfPeopleAreRefusedInWords: the same for lists of people.
func TestBadListsOfPeopleAreRefusedInWords(t *testing.T) {
	t.Parallel()
	var list bytes.Buffer
	org := seeded().Wearers[len(seeded().Wearers)-1].Organisation
	if err := seeded().WritePeopleCSV(&list, org); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&list).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	heading, row := records[0], records[len(records)-1]
	if !strings.HasPrefix(row[1], "Zq") {
		t.Fatalf("the last person of the list is no marker person")
	}
	row[0] = "9988776655" // nobody's
	column := map[string]int{}
	for i, c := range heading {
		column[c] = i
	}
	spoilt := func(c, text string) []byte {
		r := slices.Clone(row)
		if _, ok := column[c]; !ok {
			t.Fatalf("no column %s", c)
		}
		r[column[c]] = text
		return table(heading, r)
	}
	set, err := seededSet()
	if err != nil {
		t.Fatal(err)
	}
	h := copyOfFilled(t)
	h.Start("demo", "--people", small)
	coordinator(t, h)
	count := func() int { return number(t, registerDB(h), "SELECT count(*) FROM wearer") }
	before := count()
	path := filepath.Join(t.TempDir(), "people.csv")
	row[column["Department"]], row[column["Job Title"]] = strings.Repeat("ŵ", 100), strings.Repeat("y", 200)
	good := table(heading, row)
	for name, f := range map[string]struct {
		file []byte
		want []string
	}{
		"an empty file":           {nil, nil},
		"a picture":               {[]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), nil},
		"no heading":              {table(row, row), []string{"line 1"}},
		"a laboratory's file":     {reissued(t, "8"), []string{"line 1"}},
		"cut in the middle":       {good[:len(good)-30], []string{"line 2"}},
		"no staff number":         {spoilt("Employee Number", ""), []string{"row 2", "Employee Number"}},
		"an NI number that isn't": {spoilt("NI Number", "ZQ12345X"+row[1]), []string{"row 2", "NI Number"}},
		"a birth that is none":    {spoilt("Date of Birth", "1911-02-30"), []string{"row 2", "Date of Birth"}},
		"born in the future":      {spoilt("Date of Birth", "2931-02-03"), []string{"row 2", "Date of Birth"}},
		"a NUL in a name":         {spoilt("Last Name", row[1]+"\x00"), []string{"line 2"}},
		"a name with a control":   {spoilt("Last Name", row[1]+"\x1b[2J"), []string{"row 2", "Last Name"}},
		"a name of 5,000 letters": {spoilt("Last Name", strings.Repeat(row[1], 400)), []string{"row 2", "Last Name"}},
		"an e-mail that isn't":    {spoilt("Email Address", row[1]+" at home"), []string{"row 2", "Email Address"}},
		"left before joining":     {spoilt("Leaving Date", "1931-01-01"), []string{"row 2"}},
		"classified, perhaps":     {spoilt("Classified", row[1]), []string{"row 2", "Classified"}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, f.file, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := h.Run("people", "import", "--yes", "--organisation", seeded().Organisations[org].Name, path)
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("the exit is %v, not 1:\n%s", err, out)
			}
			for _, w := range f.want {
				if !strings.Contains(out, w) {
					t.Errorf("the message does not say %q:\n%s", w, out)
				}
			}
			found, _, err := set.Reader(strings.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			if len(found) > 0 || strings.Contains(strings.ToUpper(out), "ZQ") || strings.Contains(out, "1911") {
				t.Errorf("a personal value in the output: %v\n%s", found, out)
			}
			if n := count(); n != before {
				t.Errorf("%d people were stored", n-before)
			}
		})
	}
	nothingReadable(t, set, h.Dir, h.Log())
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := h.Run("people", "import", "--yes", "--organisation", seeded().Organisations[org].Name, path); err != nil || !strings.Contains(out, "Stored: 1 new") {
		t.Errorf("the list is no good where nothing is spoilt, so nothing is shown: %v\n%s", err, out)
	}
	// Texts as long as they may be do not stand out by their length.
	for _, c := range []string{"sealed", "health"} {
		if n := number(t, registerDB(h), "SELECT count(DISTINCT length("+c+")) FROM wearer"); n != 1 {
			t.Errorf("wearer.%s has %d lengths", c, n)
		}
	}
}

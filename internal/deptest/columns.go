package deptest

import (
	"maps"
	"slices"
	"strings"
)

// Columns are the columns of a database by table.
type Columns map[string][]string

// ListedColumns reads the tables of docs/security.md: below a heading "### NAME.db", the rows of the table whose first
// two cells are a database's table and its columns with commas. The result is by NAME.
func ListedColumns(document string) map[string]Columns {
	return listed(document, func(heading string) (string, bool) { return strings.CutSuffix(heading, ".db") })
}

// ListedCryptography reads the inventory of docs/security.md: which package uses which packages of the standard library's
// cryptography.
func ListedCryptography(document string) Columns {
	return listed(document, func(heading string) (string, bool) { return heading, heading == "Cryptographic inventory" })["Cryptographic inventory"]
}

// listed reads the rows of the tables below the headings that are meant: the first cell, and what stands in the second with commas.
func listed(document string, meant func(heading string) (name string, ok bool)) map[string]Columns {
	all := map[string]Columns{}
	var here Columns
	for line := range strings.Lines(document) {
		line = strings.TrimSpace(line)
		if heading, ok := strings.CutPrefix(line, "#"); ok {
			here = nil
			if name, ok := meant(strings.TrimLeft(heading, "# ")); ok {
				here = Columns{}
				all[name] = here
			}
			continue
		}
		cells := strings.Split(line, "|")
		if here == nil || len(cells) < 5 || strings.HasPrefix(cells[1], "-") || slices.Contains([]string{"table", "package"}, strings.TrimSpace(cells[1])) {
			continue
		}
		var columns []string
		for c := range strings.SplitSeq(cells[2], ",") {
			columns = append(columns, strings.TrimSpace(c))
		}
		here[strings.TrimSpace(cells[1])] = columns
	}
	return all
}

// CheckColumns reports tables and columns of a database that are not listed, and listed ones that it does not have.
func CheckColumns(database string, have, listed Columns) (bad []Violation) {
	const reason = "docs/security.md lists them all, and what each tells whoever steals it, or is used for"
	tables := slices.Collect(maps.Keys(have))
	for table := range listed {
		if have[table] == nil {
			tables = append(tables, table)
		}
	}
	slices.Sort(tables)
	for _, table := range tables {
		for _, c := range have[table] {
			if !slices.Contains(listed[table], c) {
				bad = append(bad, Violation{database + "." + table + "." + c, "is not listed", reason})
			}
		}
		for _, c := range listed[table] {
			if !slices.Contains(have[table], c) {
				bad = append(bad, Violation{database + "." + table + "." + c, "is listed but not there", reason})
			}
		}
	}
	return bad
}

// Package labfile reads laboratories' files: bytes in, rows out, by the laboratory's profile.
//
// A text that the profile does not know stops its row with a message that says where; it is never read as
// zero. Every row of a file ends as exactly one of: accepted, refused with a reason, ignored (blank).
package labfile

import (
	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/labfile/table"
	"github.com/dosevault/dosevault/internal/person"
)

// Row is one accepted row: what the laboratory reports of one badge.
type Row struct {
	Number     int    // of the record in the file, the header being 1; quoted line breaks do not count
	Line       int    // of the file, on which the record begins, from 1
	Account    string // the organisation's account at the laboratory
	Barcode    string // serial number of the badge
	Position   dose.Position
	Control    bool
	From, To   day.Day // wear period, first and last day
	Scanned    day.Day
	Version    int          // 0 first report, above 0 a re-issue
	Name       person.Value // as printed in the file; for comparison only
	Birth      person.Value // YYYY-MM-DD or empty; for comparison only
	Notes      []string     // known notes, in the profile's words
	Readings   []dose.Reading
	More       []int // numbers of further records of the file that say more of the same report
	NotCounted bool  // reported, but the laboratory says that it belongs to no assigned dose
}

// Refusal is one row that can't be used.
type Refusal struct {
	Number int
	Line   int
	Column string // the column's heading, or empty for the row as a whole
	Reason string // without any text of the file
}

// Report is what a file says.
type Report struct {
	Profile  string // name and version of the profile that read it
	Encoding string // UTF-8, UTF-8 with BOM, UTF-16LE, UTF-16BE, Windows-1252, XLSX
	Header   []string
	In       int // records below the header
	Rows     []Row
	Refused  []Refusal
	Ignored  []int // numbers of blank records
	Merged   []int // numbers of records that belong to the row of an earlier one

	how table.Options // of reading it
}

// Field is something that every laboratory reports of a badge, whatever it calls the column.
type Field uint8

// The fields that are held against what is known of a badge.
const (
	FieldBarcode Field = iota
	FieldAccount
	FieldPosition
	FieldFrom
	FieldScanned
	FieldVersion
	FieldName
)

// Heading returns what the file's column of a field is called.
func (p *Profile) Heading(f Field) string {
	if p.layout == nil {
		return [...]string{"Serial Number", "Account Number", "Use", "Period Begin Date", "Scan Date", "Version", "Participant Name"}[f]
	}
	c := &p.layout.Columns
	return [...]Column{c.Barcode, c.Account, c.Position, c.From, c.Scanned, c.Version, c.Name}[f].String()
}

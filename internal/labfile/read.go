package labfile

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/labfile/delimited"
	"github.com/dosevault/dosevault/internal/labfile/table"
)

// FileError says why a file as a whole can't be read, with line and column where it has them.
type FileError = delimited.Error

// Options say how to read a file.
type Options struct {
	Profile  *Profile // nil: Landauer
	Today    day.Day  // required: what has been read, imported or begun later is refused
	MaxBytes int64    // of the file as it came; 0: 64 MiB
	MaxRows  int      // records below the header; 0: 500,000
}

func (o Options) profile() *Profile {
	if o.Profile == nil {
		return Landauer()
	}
	return o.Profile
}

// Read reads a laboratory's file. The error is a [FileError] or that of r, and comes without a report: a file is
// read to its end or not at all. A row that can't be used is no error but a [Refusal], one for each row.
//
// len(Rows) + len(Merged) + len(Refused) + len(Ignored) == In, always.
func Read(r io.Reader, o Options) (*Report, error) {
	var rows []Row
	rep, err := Stream(r, o, func(part []Row) error {
		rows = append(rows, part...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	rep.Rows = rows
	return rep, nil
}

// Part is how many rows Stream hands over at once.
const Part = 10_000

// Stream reads as Read does, but hands the accepted rows over in parts, in the file's order, and leaves them out of the report:
// memory does not grow with them. What was handed over before an error, also one of part, is not to be used. A file that
// is read by a layout is handed over as one part, since records that stand far apart may be of one badge.
func Stream(r io.Reader, o Options, part func([]Row) error) (*Report, error) {
	if o.Today.IsZero() {
		return nil, errors.New("labfile: Options.Today is required")
	}
	p := o.profile()
	how := p.options()
	how.MaxBytes, how.MaxRows = o.MaxBytes, o.MaxRows
	file, err := table.Open(r, how)
	if err != nil {
		return nil, err
	}
	header := file.Header()
	rep := &Report{Profile: p.name, Encoding: file.Encoding(), Header: header.Fields, how: how}
	if p.layout != nil {
		if err := p.layout.readBy(file, rep, o.Today); err != nil {
			return nil, err
		}
		rows := rep.Rows
		rep.Rows = nil
		return rep, part(rows)
	}
	if err := p.checkHeader(header); err != nil {
		return nil, err
	}
	var rows []Row
	first := map[sum]int32{}
	same := newSummer()
	accounts := map[string]string{}
	for {
		rec, err := file.Next()
		if errors.Is(err, io.EOF) {
			return rep, part(rows)
		}
		if err != nil {
			return nil, err
		}
		rep.In++
		if rec.Blank() {
			rep.Ignored = append(rep.Ignored, rec.Number)
			continue
		}
		row, refusal := p.read(rec, o.Today)
		if refusal == nil {
			key := same.of(reportOf(&row))
			if n, ok := first[key]; ok {
				refusal = &Refusal{Number: rec.Number, Line: rec.Line, Column: p.headings[serialNumber],
					Reason: fmt.Sprintf("the same badge, period, position and version as in row %d", n)}
			} else {
				// What a row keeps is cloned, or it would hold on to the text of the whole record.
				row.Barcode = strings.Clone(row.Barcode)
				if _, ok := accounts[row.Account]; !ok {
					account := strings.Clone(row.Account)
					accounts[account] = account
				}
				row.Account = accounts[row.Account]
				first[key] = int32(rec.Number)
			}
		}
		if refusal != nil {
			rep.Refused = append(rep.Refused, *refusal)
			continue
		}
		if rows = append(rows, row); len(rows) == Part {
			if err := part(rows); err != nil {
				return nil, err
			}
			rows = make([]Row, 0, Part)
		}
	}
}

// sum stands for a report in a file of a million: two keyed hashes, which are equal for two of them once in 10²⁶ files.
type sum [2]uint64

type summer [2]maphash.Seed

func newSummer() summer { return summer{maphash.MakeSeed(), maphash.MakeSeed()} }

func (s summer) of(b badgeReport) sum {
	return sum{maphash.Comparable(s[0], b), maphash.Comparable(s[1], b)}
}

func reportOf(row *Row) badgeReport {
	return badgeReport{row.Barcode, row.From, row.To, int32(row.Version), row.Position}
}

// badgeReport is what a laboratory reports once in a file.
type badgeReport struct {
	barcode  string
	from, to day.Day
	version  int32
	position dose.Position
}

// Recognise returns the one profile whose headings a file has. The error is a [FileError], also where it is none or several.
func Recognise(file []byte, profiles []*Profile) (*Profile, error) {
	var fit []*Profile
	var why error
	for _, p := range profiles {
		source, err := table.Open(bytes.NewReader(file), p.options())
		if err == nil && p.layout != nil {
			_, err = p.layout.located(source.Header())
		} else if err == nil {
			err = p.checkHeader(source.Header())
		}
		var bad *FileError
		switch {
		case err == nil:
			fit = append(fit, p)
		case !errors.As(err, &bad):
			return nil, err
		default:
			why = err
		}
	}
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(fit) > 1:
		return nil, &FileError{Line: 1, Reason: "the headings are those of more than one profile: say which it is"}
	case len(profiles) == 1:
		return nil, why
	}
	return nil, &FileError{Line: 1, Reason: "the headings are those of no profile that is known: choose the profile to see what it lacks, or make one for this laboratory"}
}

// checkHeader names the first heading that differs. It repeats none of the file's: where the header is missing, they are somebody's data.
func (p *Profile) checkHeader(header delimited.Record) error {
	for i, want := range p.headings {
		if i == len(header.Fields) {
			return &FileError{Line: header.Line, Column: i + 1, Reason: fmt.Sprintf("the heading %q is missing: profile %s expects %d columns (separated by commas in a text), the file has %d",
				want, p.name, len(p.headings), len(header.Fields))}
		}
		if !strings.EqualFold(strings.TrimSpace(header.Fields[i]), want) {
			return &FileError{Line: header.Line, Column: i + 1, Reason: fmt.Sprintf("the heading is not %q, which profile %s expects here", want, p.name)}
		}
	}
	if n := len(p.headings); len(header.Fields) > n {
		return &FileError{Line: header.Line, Column: n + 1, Reason: fmt.Sprintf("%d columns, where profile %s expects %d", len(header.Fields), p.name, n)}
	}
	return nil
}

// WriteRefused writes refused rows of a file for a person to correct and load again: the header and the records
// exactly as they stood, of a spreadsheet as CSV, in UTF-8 with a byte order mark (without which spreadsheets spoil ŵ and é). A nil only
// means those of rep.Refused; otherwise the records with these numbers are written, in the file's order.
//
// It reads the original again, which must be the one that rep is about. What it writes holds personal texts.
func WriteRefused(w io.Writer, original []byte, rep *Report, only []int) error {
	if only == nil {
		for _, r := range rep.Refused {
			only = append(only, r.Number)
		}
	}
	more := map[int][]int{}
	for i := range rep.Rows {
		more[rep.Rows[i].Number] = rep.Rows[i].More
	}
	all := slices.Clone(only)
	for _, n := range only {
		all = append(all, more[n]...)
	}
	return table.Excerpt(w, original, rep.how, rep.Header, rep.In, all)
}

// Package xlsx reads one sheet of a spreadsheet (XLSX) as records, row by row: the heading, then what stands below it.
//
// Invariants:
//   - a cell reads as what it holds, not as it is shown: a number to the 15 digits that spreadsheets keep and
//     without an exponent, a date as YYYY-MM-DD by its number and style, a formula as the result that was saved;
//   - a cell with an error such as #N/A reads as that text: package delimited knows them, and readers refuse them;
//   - memory is bounded by the shared texts and one row, however much the archive unpacks to;
//   - a damaged file is a [delimited.Error] with row and column, not a shorter file, and holds no text of the file.
//
// It is kept small because the libraries that were looked at are for writing sheets: streaming, they give neither the kind of
// a cell nor its style, take damaged XML for the end of a sheet, and put unpacked sheets in temporary files in the clear.
package xlsx

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/labfile/delimited"
)

// What a part may unpack to, in bytes, and the archive's list of its parts.
const (
	maxList   = 4 << 20
	maxSmall  = 16 << 20  // workbook, relations, styles
	maxShared = 128 << 20 // texts that cells share: they are held in memory
	maxSheet  = 1 << 30
	maxTexts  = 4_000_000 // that cells share
)

// Options say what to read. The zero value reads the first sheet that is not hidden, with the default limits.
type Options struct {
	Sheet    string // name of the sheet
	MaxBytes int64  // of the file as it came
	MaxRows  int    // records below the header
	Heading  int    // row of the header; 0: the first that is not blank
}

// How files begin: an archive, which is what a spreadsheet is, and what holds old or encrypted ones.
const (
	archive  = "PK\x03\x04"
	compound = "\xd0\xcf\x11\xe0"
)

// Is reports whether a file that begins with these bytes may be a spreadsheet, or one that [Open] says more about.
func Is(start []byte) bool {
	return bytes.HasPrefix(start, []byte(archive)) || bytes.HasPrefix(start, []byte(compound))
}

// File is a sheet being read.
type File struct {
	sheet   *sheet
	header  delimited.Record
	first   int // row of the header
	maxRows int
	ahead   *delimited.Record // read already, while blank rows before it are given
	next    int               // row to give next
}

// fail returns an error about the file as a whole.
func fail(format string, args ...any) error {
	return &delimited.Error{Reason: fmt.Sprintf(format, args...)}
}

// Open reads what belongs to the workbook as a whole, and the header. The error is a [delimited.Error].
func Open(file []byte, o Options) (*File, error) {
	if o.MaxBytes <= 0 {
		o.MaxBytes = delimited.DefaultMaxBytes
	}
	if o.MaxRows <= 0 {
		o.MaxRows = delimited.DefaultMaxRows
	}
	if int64(len(file)) > o.MaxBytes {
		return nil, fail("the file is larger than %d bytes: load it in parts", o.MaxBytes)
	}
	b, err := open(file)
	if err != nil {
		return nil, err
	}
	s, err := b.sheet(o.Sheet)
	if err != nil {
		return nil, err
	}
	f := &File{sheet: s, maxRows: o.MaxRows}
	for f.header, err = s.next(); err == nil && f.header.Line < o.Heading; {
		f.header, err = s.next()
	}
	if errors.Is(err, io.EOF) || err == nil && o.Heading > 0 && f.header.Line != o.Heading {
		return nil, fail("the sheet is empty, or the row of its column headings")
	}
	if err != nil {
		return nil, err
	}
	f.first, f.next = f.header.Line, f.header.Line+1
	f.header.Number = 1
	f.header.Fields = slices.Clone(f.header.Fields)
	return f, nil
}

// Encoding names the kind of file.
func (f *File) Encoding() string { return "XLSX" }

// Header returns the first row that is not blank. Its Fields stay valid.
func (f *File) Header() delimited.Record { return f.header }

// Next returns the next row, with as many fields as the header, and io.EOF after the last. A blank row is one as well,
// unless no other follows, so that numbers keep step with the sheet's rows. Any other error is a [delimited.Error] or that
// of the source, and ends the file: what was read before is then not to be used.
func (f *File) Next() (delimited.Record, error) {
	if f.ahead == nil {
		rec, err := f.sheet.next()
		if err != nil {
			return delimited.Record{}, err
		}
		if rec.Line-f.first > f.maxRows {
			return delimited.Record{}, &delimited.Error{Line: rec.Line, Reason: fmt.Sprintf("more than %d rows: load the file in parts", f.maxRows)}
		}
		width := len(f.header.Fields)
		if len(rec.Fields) > width {
			return delimited.Record{}, &delimited.Error{Line: rec.Line, Column: len(rec.Fields), Reason: "a cell without a heading above it: give it one, or empty it"}
		}
		for len(rec.Fields) < width {
			rec.Fields = append(rec.Fields, "")
		}
		f.ahead = &rec
	}
	rec := delimited.Record{Number: f.next - f.first + 1, Line: f.next}
	f.next++
	if rec.Line < f.ahead.Line {
		rec.Fields = make([]string, len(f.header.Fields))
	} else {
		rec.Fields, f.ahead = f.ahead.Fields, nil
	}
	return rec, nil
}

// book is a workbook's parts.
type book struct {
	zip    *zip.Reader
	sheets []sheetOf
	shared []string
	styles []style // of cells, by their number
	from04 bool    // days are counted from 1904
}

// sheetOf is a sheet as the workbook lists it.
type sheetOf struct{ name, part string }

// list reads an archive's list of parts within bounds: afterwards left is set to what is unlimited.
type list struct {
	r    io.ReaderAt
	left int64
}

var errList = errors.New("the list is too long")

func (l *list) ReadAt(p []byte, at int64) (int, error) {
	if l.left -= int64(len(p)); l.left < 0 {
		return 0, errList
	}
	return l.r.ReadAt(p, at)
}

// open reads what cells need to be understood.
func open(file []byte) (*book, error) {
	if bytes.HasPrefix(file, []byte(compound)) {
		if bytes.Contains(file, utf16("EncryptedPackage")) {
			return nil, fail("the spreadsheet is encrypted: open it with its password, and save it without one")
		}
		return nil, fail("the file is an old Office file (XLS, DOC): save the sheet as XLSX or CSV")
	}
	bounded := &list{bytes.NewReader(file), maxList}
	z, err := zip.NewReader(bounded, int64(len(file)))
	switch {
	case errors.Is(err, errList):
		return nil, fail("the archive has too many parts to be a spreadsheet (XLSX)")
	case err != nil:
		return nil, fail("the file is a ZIP archive or a spreadsheet (XLSX) that is damaged or was cut off: ask for it again")
	}
	bounded.left = 1 << 62
	b := &book{zip: z}
	top, err := b.relations("")
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(top, func(r relation) bool { return r.kind == "officeDocument" })
	if i < 0 {
		return nil, b.explain()
	}
	workbook := top[i].part
	rels, err := b.relations(workbook)
	if err != nil {
		return nil, err
	}
	if err := b.workbook(workbook, rels); err != nil {
		return nil, err
	}
	for _, r := range rels {
		switch r.kind {
		case "sharedStrings":
			err = b.readShared(r.part)
		case "styles":
			err = b.readStyles(r.part)
		}
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// utf16 is how names stand in a compound file.
func utf16(s string) []byte { return []byte(strings.Join(strings.Split(s, ""), "\x00")) }

// explain says what an archive is that is no spreadsheet.
func (b *book) explain() error {
	if f := b.part("mimetype"); f != nil {
		return fail("the file is an OpenDocument spreadsheet (ODS) or text: save the sheet as XLSX or CSV")
	}
	return fail("the file is a ZIP archive, not a spreadsheet (XLSX): unpack it, and choose the file in it")
}

// part returns a part of the archive, or nil.
func (b *book) part(name string) *zip.File {
	for _, f := range b.zip.File {
		if strings.EqualFold(f.Name, name) {
			return f
		}
	}
	return nil
}

// capped reads a part up to its limit, whatever the archive says of its size.
type capped struct {
	r    io.Reader
	left int64
}

var errUnpacked = errors.New("the part is too large")

func (c *capped) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return 0, errUnpacked
	}
	return n, err
}

// parser reads one part's XML.
type parser struct {
	*xml.Decoder
	source io.Closer
	limit  int64
}

// open opens a part, which must be there.
func (b *book) open(name string, limit int64) (*parser, error) {
	f := b.part(name)
	if f == nil {
		return nil, fail("the spreadsheet lacks one of its parts: ask for it again")
	}
	if f.Flags&1 != 0 {
		return nil, fail("the archive is encrypted: save the sheet without a password")
	}
	r, err := f.Open()
	if err != nil {
		return nil, fail("the spreadsheet is packed in an unusual way: open it, and save it again")
	}
	return &parser{xml.NewDecoder(&capped{r, limit}), r, limit}, nil
}

// token returns the next token, and io.EOF at the part's proper end.
func (p *parser) token() (xml.Token, error) {
	t, err := p.Token()
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return t, err
	case errors.Is(err, errUnpacked):
		return nil, fail("the spreadsheet unpacks to more than %d MiB: load it in parts", p.limit>>20)
	}
	return nil, fail("the spreadsheet is damaged: ask for it again, or open it and save it again")
}

// each calls do for the beginning of every element of a part and, with end, for the end.
func (b *book) each(name string, limit int64, do func(e xml.StartElement) error, end func(local string)) error {
	p, err := b.open(name, limit)
	if err != nil {
		return err
	}
	defer p.source.Close()
	for {
		t, err := p.token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := t.(type) {
		case xml.StartElement:
			if err := do(e); err != nil {
				return err
			}
		case xml.EndElement:
			if end != nil {
				end(e.Name.Local)
			}
		}
	}
}

func attribute(e xml.StartElement, local string) string {
	for _, a := range e.Attr {
		if a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

// relation says where a part is that another refers to.
type relation struct{ id, kind, part string }

// relations returns what a part, or with no name the archive, refers to.
func (b *book) relations(of string) (out []relation, err error) {
	dir, name := path.Split(of)
	part := dir + "_rels/" + name + ".rels"
	if b.part(part) == nil {
		return nil, nil
	}
	err = b.each(part, maxSmall, func(e xml.StartElement) error {
		if e.Name.Local != "Relationship" || attribute(e, "TargetMode") == "External" {
			return nil
		}
		target := attribute(e, "Target")
		if !strings.HasPrefix(target, "/") {
			target = dir + target
		}
		out = append(out, relation{attribute(e, "Id"), path.Base(attribute(e, "Type")), strings.TrimPrefix(path.Clean(target), "/")})
		return nil
	}, nil)
	return out, err
}

// workbook reads which sheets there are.
func (b *book) workbook(name string, rels []relation) error {
	if strings.HasSuffix(strings.ToLower(name), ".bin") {
		return fail("the file is a binary spreadsheet (XLSB): save the sheet as XLSX or CSV")
	}
	sheets := map[string]string{}
	for _, r := range rels {
		if r.kind == "worksheet" {
			sheets[r.id] = r.part
		}
	}
	root := true
	return b.each(name, maxSmall, func(e xml.StartElement) error {
		if root && e.Name.Local != "workbook" {
			return fail("the file is a document of another kind, not a spreadsheet (XLSX): choose the spreadsheet")
		}
		root = false
		switch e.Name.Local {
		case "workbookPr":
			b.from04 = isTrue(attribute(e, "date1904"))
		case "sheet":
			state := attribute(e, "state")
			if part := sheets[attribute(e, "id")]; part != "" && (state == "" || state == "visible") {
				b.sheets = append(b.sheets, sheetOf{attribute(e, "name"), part})
			}
		}
		return nil
	}, nil)
}

func isTrue(s string) bool { return s == "1" || s == "true" }

// sheet opens a sheet by its name, or the first.
func (b *book) sheet(name string) (*sheet, error) {
	if len(b.sheets) == 0 {
		return nil, fail("the spreadsheet has no sheet that is not hidden")
	}
	i := 0
	if name != "" {
		if i = slices.IndexFunc(b.sheets, func(s sheetOf) bool { return strings.EqualFold(s.name, name) }); i < 0 {
			return nil, fail("the spreadsheet has no sheet of the name that is expected: name it so, or choose the right file")
		}
	}
	p, err := b.open(b.sheets[i].part, maxSheet)
	if err != nil {
		return nil, err
	}
	return &sheet{book: b, parser: p}, nil
}

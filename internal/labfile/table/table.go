// Package table reads records from outside whichever kind of file holds them: delimited text (CSV) or a spreadsheet
// (XLSX). The kind is settled by the file's content, not by its name.
//
// It is what labfile, peoplefile and lists of badges read from. Limits and errors are those of package delimited.
package table

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/dosevault/dosevault/internal/labfile/delimited"
	"github.com/dosevault/dosevault/internal/labfile/xlsx"
)

// Source gives a file's records.
type Source interface {
	Encoding() string // as [delimited.File] names it, or XLSX
	// Header returns the record with the headings. Its Fields stay valid.
	Header() delimited.Record
	// Next returns the next record, whose Fields are valid until the next call, and io.EOF after the last. Any other error
	// is a [delimited.Error] or that of the source, and ends the file: what was read before is then not to be used.
	Next() (delimited.Record, error)
}

// Options say how to read. The zero value reads commas, or the first sheet that is not hidden.
type Options struct {
	delimited.Options        // Separators and Fallback are for text
	Sheet             string // of a spreadsheet
}

// Open settles the kind of a file and reads its header. The error is a [delimited.Error], or that of r.
func Open(r io.Reader, o Options) (Source, error) {
	var start [8]byte
	n, err := io.ReadFull(r, start[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	s, seeks := r.(io.ReadSeeker)
	if seeks { // a pipe says that it can and then can't
		_, err = s.Seek(int64(-n), io.SeekCurrent)
		seeks = err == nil
	}
	if !seeks {
		r = io.MultiReader(bytes.NewReader(start[:n]), r)
	}
	if !xlsx.Is(start[:n]) {
		return delimited.Open(r, o.Options)
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = delimited.DefaultMaxBytes
	}
	b, err := io.ReadAll(io.LimitReader(r, o.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	return xlsx.Open(b, xlsx.Options{Sheet: o.Sheet, MaxBytes: o.MaxBytes, MaxRows: o.MaxRows, Heading: o.Heading})
}

// Excerpt writes the header and the records with the given numbers, in the file's order, for a person to correct and load
// again: as they stand in a text, and as CSV where they stand in a spreadsheet; in UTF-8 with a byte order mark. header and in are what was
// read of the original before: where they differ, nothing is written and the error says so.
func Excerpt(w io.Writer, original []byte, o Options, header []string, in int, numbers []int) error {
	if !xlsx.Is(original) {
		return delimited.Excerpt(w, original, o.Options, header, in, numbers)
	}
	wanted, err := delimited.Wanted(numbers, in)
	if err != nil {
		return err
	}
	o.MaxBytes, o.MaxRows = int64(len(original)), in
	file, err := Open(bytes.NewReader(original), o)
	if err != nil {
		return fmt.Errorf("writing rows: %w", err)
	}
	if !slices.Equal(file.Header().Fields, header) {
		return delimited.ErrOther
	}
	out := bytes.NewBufferString("\ufeff")
	lines := csv.NewWriter(out)
	lines.UseCRLF = true
	if o.Separators != "" {
		lines.Comma = rune(o.Separators[0])
	}
	for range o.Heading - 1 {
		out.WriteString("\"\"\r\n") // a title, so that the header stands where it is expected
	}
	err = lines.Write(header)
	count := 0
	for err == nil {
		var rec delimited.Record
		if rec, err = file.Next(); err != nil {
			break
		}
		if count++; wanted[rec.Number] {
			err = lines.Write(rec.Fields)
		}
	}
	if !errors.Is(err, io.EOF) {
		return fmt.Errorf("writing rows: %w", err)
	}
	if count != in {
		return delimited.ErrOther
	}
	lines.Flush()
	_, err = w.Write(out.Bytes())
	return err
}

package delimited

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// ErrOther says that a report and an original do not belong together.
var ErrOther = errors.New("writing rows: the original is not the file that the report is about")

// Wanted is the set of records to write of a file with so many below its header.
func Wanted(numbers []int, in int) (map[int]bool, error) {
	wanted := make(map[int]bool, len(numbers))
	for _, n := range numbers {
		if n < 2 || n > in+1 {
			return nil, fmt.Errorf("writing rows: the file has no row %d", n)
		}
		wanted[n] = true
	}
	return wanted, nil
}

// Excerpt writes the header and the records with the given numbers, in the file's order and exactly as they stand
// in the original, in UTF-8 with a byte order mark. header and in are what was read of the original before, the
// fields of its header and the number of records below it: where they differ, nothing is written and the error says so.
func Excerpt(w io.Writer, original []byte, o Options, header []string, in int, numbers []int) error {
	wanted, err := Wanted(numbers, in)
	if err != nil {
		return err
	}
	text, err := Text(original, o)
	if err != nil {
		return fmt.Errorf("writing rows: %w", err)
	}
	o.MaxBytes, o.MaxRows = int64(len(text))+1, in
	file, err := Open(bytes.NewReader(text), o)
	if err != nil {
		return fmt.Errorf("writing rows: %w", err)
	}
	if !slices.Equal(file.Header().Fields, header) {
		return ErrOther
	}
	top := file.Header()
	out := appendRecord(append([]byte("\ufeff"), text[:top.Start]...), text, top) // with what stands above it
	count := 0
	for {
		rec, err := file.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("writing rows: %w", err)
		}
		count++
		if wanted[rec.Number] {
			out = appendRecord(out, text, rec)
		}
	}
	if count != in {
		return ErrOther
	}
	_, err = w.Write(out)
	return err
}

// appendRecord appends a record as it stands in text, without the empty lines before it, and with its line break
// or, at the file's end, one of its own.
func appendRecord(out, text []byte, rec Record) []byte {
	raw := text[rec.Start:rec.End]
	for {
		if rest, ok := bytes.CutPrefix(raw, []byte("\n")); ok {
			raw = rest
		} else if rest, ok := bytes.CutPrefix(raw, []byte("\r\n")); ok {
			raw = rest
		} else {
			break
		}
	}
	if bytes.HasSuffix(raw, []byte("\n")) {
		return append(out, raw...)
	}
	out = append(out, bytes.TrimSuffix(raw, []byte("\r"))...) // which csv drops at the end of a file
	return append(out, "\r\n"...)
}

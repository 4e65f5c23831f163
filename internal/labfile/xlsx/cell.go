package xlsx

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dosevault/dosevault/internal/labfile/delimited"
)

// sheet gives the rows of a sheet that hold something.
type sheet struct {
	*book
	*parser
	row    int // the last one seen
	fields []string
	ended  bool
}

// damaged returns an error about a cell, or with column 0 about a row.
func (s *sheet) damaged(column int, reason string) error {
	return &delimited.Error{Line: s.row, Column: column, Reason: reason}
}

const askAgain = "the spreadsheet is damaged here: open it, and save it again"

// next returns the next row that is not blank, as far as its last cell that holds something, and io.EOF after the last.
// The record's Line is the sheet's row.
func (s *sheet) next() (delimited.Record, error) {
	for !s.ended {
		t, err := s.token()
		if errors.Is(err, io.EOF) {
			s.ended = true
			s.source.Close()
			break
		}
		if err != nil {
			return delimited.Record{}, err
		}
		e, ok := t.(xml.StartElement)
		if !ok || e.Name.Local != "row" {
			continue
		}
		row := s.row + 1
		if r := attribute(e, "r"); r != "" {
			if row, err = strconv.Atoi(r); err != nil || row <= s.row {
				return delimited.Record{}, s.damaged(0, "the row after this one has no proper number: "+askAgain)
			}
		}
		s.row = row
		if err := s.cells(); err != nil {
			return delimited.Record{}, err
		}
		if len(s.fields) > 0 {
			return delimited.Record{Line: s.row, Fields: s.fields}, nil
		}
	}
	return delimited.Record{}, io.EOF
}

// cells reads a row's cells into fields, to the end of the row.
func (s *sheet) cells() error {
	s.fields = s.fields[:0]
	size, column := 0, 0
	for {
		t, err := s.token()
		if err != nil {
			return s.cut(err)
		}
		switch e := t.(type) {
		case xml.EndElement:
			if e.Name.Local == "row" {
				return nil
			}
		case xml.StartElement:
			if e.Name.Local != "c" {
				continue
			}
			at := column + 1
			if r := attribute(e, "r"); r != "" {
				at = columnOf(r, s.row)
			}
			if at <= column {
				return s.damaged(column, askAgain)
			}
			if column = at; column > delimited.MaxColumns {
				return s.damaged(delimited.MaxColumns+1, fmt.Sprintf("more than %d columns", delimited.MaxColumns))
			}
			text, err := s.cell(e, column)
			if err != nil {
				return err
			}
			if size += len(text); size > delimited.MaxRecord {
				return s.damaged(column, fmt.Sprintf("a row longer than %d KiB", delimited.MaxRecord>>10))
			}
			if strings.TrimSpace(text) == "" {
				continue // nor does a cell of white space make a row wider
			}
			for len(s.fields) < column-1 {
				s.fields = append(s.fields, "")
			}
			s.fields = append(s.fields, text)
		}
	}
}

// cut turns the end of the file into an error.
func (s *sheet) cut(err error) error {
	if errors.Is(err, io.EOF) {
		return s.damaged(0, askAgain)
	}
	return err
}

// columnOf returns the column of a cell's name, as 28 of AB7, or 0 where it is none of that row.
func columnOf(name string, row int) int {
	n := 0
	for i := range len(name) {
		c := name[i] | 0x20
		if c < 'a' || c > 'z' {
			if name[i:] == strconv.Itoa(row) {
				return n
			}
			return 0
		}
		if n = n*26 + int(c-'a') + 1; n > 1<<20 {
			return 0
		}
	}
	return 0
}

// cell reads a cell to its end and returns its text.
func (s *sheet) cell(c xml.StartElement, column int) (string, error) {
	var value string
	var saved, formula bool
	for {
		t, err := s.token()
		if err != nil {
			return "", s.cut(err)
		}
		switch e := t.(type) {
		case xml.StartElement:
			text, err := s.text(e.Name.Local)
			if err != nil {
				return "", s.cut(err)
			}
			switch e.Name.Local {
			case "f":
				formula = true
			case "v", "is":
				value, saved = text, true
			}
		case xml.EndElement:
			if formula && !saved {
				return "", s.damaged(column, "a formula whose result was not saved: open the file in a spreadsheet program, and save it again")
			}
			return s.meaning(attribute(c, "t"), attribute(c, "s"), value, column)
		}
	}
}

// text reads an element to its end and returns the text in it, without what is there to be pronounced.
func (p *parser) text(local string) (string, error) {
	var out strings.Builder
	within := []string{local}
	for len(within) > 0 {
		t, err := p.token()
		if err != nil {
			return "", err
		}
		switch e := t.(type) {
		case xml.StartElement:
			within = append(within, e.Name.Local)
		case xml.EndElement:
			within = within[:len(within)-1]
		case xml.CharData:
			if last := within[len(within)-1]; (last == "t" || last == "v") && !slices.Contains(within, "rPh") {
				out.Write(e)
			}
		}
	}
	return out.String(), nil
}

// meaning returns the text of a cell's saved value by the cell's kind and style.
func (s *sheet) meaning(kind, styled, value string, column int) (string, error) {
	switch kind {
	case "s":
		n, err := strconv.Atoi(value)
		if value == "" {
			return "", nil
		}
		if err != nil || n < 0 || n >= len(s.shared) {
			return "", s.damaged(column, askAgain)
		}
		return s.shared[n], nil
	case "str", "inlineStr":
		return unescape(value), nil
	case "b":
		if isTrue(value) {
			return "TRUE", nil
		}
		return "FALSE", nil
	case "e":
		if !delimited.IsError(value) {
			return "#ERROR!", nil
		}
		return value, nil
	case "d":
		return strings.TrimSuffix(strings.Replace(value, "T", " ", 1), " 00:00:00"), nil
	case "", "n":
	default:
		return "", s.damaged(column, askAgain)
	}
	if value == "" {
		return "", nil
	}
	v, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return "", s.damaged(column, askAgain)
	}
	n, err := strconv.Atoi(styled)
	if styled != "" && (err != nil || n < 0) {
		return "", s.damaged(column, askAgain)
	}
	if n < len(s.styles) && s.styles[n] != (style{}) && v >= 0 && v < 2_958_466 {
		return s.styles[n].write(v, s.from04), nil
	}
	return number(v), nil
}

// number writes a number to 15 digits: what a spreadsheet keeps, and shows of 0.35, which a file may spell
// 0.34999999999999998. Only from 1E+15 on, where digits are lost, does it have an exponent.
func number(v float64) string {
	rounded := strconv.FormatFloat(v, 'E', 14, 64)
	if v, _ = strconv.ParseFloat(rounded, 64); math.Abs(v) >= 1e15 {
		return strconv.FormatFloat(v, 'E', -1, 64)
	}
	if v == 0 {
		return "0" // and not -0
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// unescape turns _x000D_ and the like, which stand for characters that XML can't hold, into the character.
func unescape(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if len(s)-i >= 7 && s[i:i+2] == "_x" && s[i+6] == '_' {
			if n, err := strconv.ParseUint(s[i+2:i+6], 16, 16); err == nil && utf8.ValidRune(rune(n)) {
				out.WriteRune(rune(n))
				i += 6
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

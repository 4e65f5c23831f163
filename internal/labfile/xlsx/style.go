package xlsx

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// style is what a cell's number format makes of a number.
type style struct{ date, time bool }

// builtIn are the number formats of dates and times that have a number and no text (ECMA-376, 18.8.30).
func builtIn(n int) style {
	switch {
	case n >= 14 && n <= 17, n >= 27 && n <= 31, n >= 50 && n <= 54, n == 36, n >= 57 && n <= 58:
		return style{date: true}
	case n >= 18 && n <= 21, n >= 32 && n <= 35, n == 45, n == 47, n >= 55 && n <= 56:
		return style{time: true}
	case n == 22:
		return style{date: true, time: true}
	}
	return style{}
}

// styleOf reads a number format's text, as dd/mm/yyyy hh:mm.
func styleOf(format string) style {
	var letters strings.Builder
scan:
	for i := 0; i < len(format); i++ {
		switch c := format[i]; c {
		case ';':
			break scan // what follows is for negative numbers
		case '"', '[':
			closing := map[byte]string{'"': `"`, '[': "]"}[c]
			end := strings.Index(format[i+1:], closing)
			if end < 0 {
				break scan
			}
			if inside := strings.ToLower(format[i+1 : i+1+end]); c == '[' && inside != "" && strings.Trim(inside, "hms") == "" {
				return style{} // [h]:mm is a duration
			}
			i += end + 1
		case '\\', '_', '*':
			i++
		default:
			letters.WriteByte(c)
		}
	}
	text := strings.ToLower(letters.String())
	text = strings.NewReplacer("general", "", "am/pm", "h", "a/p", "h").Replace(text)
	s := style{date: strings.ContainsAny(text, "yd"), time: strings.ContainsAny(text, "hs")}
	if !s.date && !s.time && strings.Contains(text, "m") {
		s.date = true // a month alone
	}
	return s
}

// write writes a number as a date, a time, or both. With a day there is a time only where it is not midnight.
func (s style) write(v float64, from04 bool) string {
	seconds := int64(v*86400 + 0.5) // to the second: the fraction of a day is not exact
	days, rest := int(seconds/86400), int(seconds%86400)
	at := time.Date(1899, time.December, 30, 0, 0, rest, 0, time.UTC)
	clock := at.Format(time.TimeOnly)
	if !s.date {
		if days > 0 {
			return number(v) // hours beyond a day: a duration
		}
		return clock
	}
	var date string
	switch {
	case from04:
		date = time.Date(1904, time.January, 1+days, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	case days == 0:
		date = "1900-01-00" // as spreadsheets show it: no date, and refused as such
	case days < 60:
		date = time.Date(1899, time.December, 31+days, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	case days == 60:
		date = "1900-02-29" // a day that there never was
	default:
		date = time.Date(1899, time.December, 30+days, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	}
	if s.time && rest != 0 {
		return date + " " + clock
	}
	return date
}

// readStyles reads which number formats cells have.
func (b *book) readStyles(name string) error {
	custom := map[int]style{}
	cells := false
	return b.each(name, maxSmall, func(e xml.StartElement) error {
		n, err := strconv.Atoi(attribute(e, "numFmtId"))
		switch e.Name.Local {
		case "numFmt":
			if err == nil {
				custom[n] = styleOf(attribute(e, "formatCode"))
			}
		case "cellXfs":
			cells = true
		case "xf":
			if !cells {
				return nil
			}
			one, ok := custom[n]
			if !ok {
				one = builtIn(n)
			}
			if err != nil {
				one = style{}
			}
			b.styles = append(b.styles, one)
		}
		return nil
	}, func(local string) { cells = cells && local != "cellXfs" })
}

// readShared reads the texts that cells share.
func (b *book) readShared(name string) error {
	p, err := b.open(name, maxShared)
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
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == "si" {
			text, err := p.text("si")
			if err != nil {
				return err
			}
			if len(b.shared) == maxTexts {
				return fail("the spreadsheet has more than %d different texts: load it in parts", maxTexts)
			}
			b.shared = append(b.shared, unescape(text))
		}
	}
}

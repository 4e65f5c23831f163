package scan

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// Marker is a planted value with every form in which it is looked for.
type Marker struct {
	Name  string // what it is, as in "surname of marker person 17"
	forms []form
}

// form is a marker's value in one spelling and encoding, with the bits that chance would have to hit.
type form struct {
	encoding string
	bytes    []byte
	bits     float64
	number   bool // decimal digits as such: not found inside a longer number
}

// Text is a marker for a text: as given, in lower and upper case, composed and decomposed, with and without
// its accents.
func Text(name, text string) Marker {
	return Marker{name, textForms("text", spellings(text)...)}
}

// NI is a marker for a National Insurance number: together, in pairs with spaces or hyphens, with a space
// before the suffix.
func NI(name, number string) Marker {
	n := strings.ToUpper(strings.Join(strings.FieldsFunc(number, func(r rune) bool { return r == ' ' || r == '-' }), ""))
	all := []string{n}
	if len(n) == 9 {
		for _, sep := range []string{" ", "-"} {
			all = append(all, strings.Join([]string{n[:2], n[2:4], n[4:6], n[6:8], n[8:]}, sep))
		}
		all = append(all, n[:2]+" "+n[2:8]+" "+n[8:], n[:8]+" "+n[8:])
	}
	for _, s := range all[:len(all):len(all)] {
		all = append(all, strings.ToLower(s))
	}
	return Marker{name, textForms("NI number", all...)}
}

var dateLayouts = []string{
	"2006-01-02", "2006/01/02", "20060102", "02/01/2006", "2/1/2006", "01/02/2006", "02-01-2006", "02.01.2006",
	"2.1.2006", "02/01/06", "02012006", "02 Jan 2006", "2 Jan 2006", "2-Jan-2006", "02-Jan-06", "2 January 2006",
	"02 January 2006", "January 2, 2006", "Jan 2, 2006",
}

var welshMonths = [...]string{"Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin", "Gorffennaf", "Awst", "Medi", "Hydref", "Tachwedd", "Rhagfyr"}

// Date is a marker for a calendar day: written in the usual ways, in English and Welsh, and as the count of
// seconds, milliseconds, microseconds or nanoseconds since 1970 of its midnight in UTC.
func Date(name string, year int, month time.Month, dayOfMonth int) Marker {
	t := time.Date(year, month, dayOfMonth, 0, 0, 0, 0, time.UTC)
	var all []string
	for _, layout := range dateLayouts {
		all = append(all, t.Format(layout))
	}
	all = append(all, fmt.Sprintf("%d %s %d", dayOfMonth, welshMonths[month-1], year))
	forms := textForms("date", all...)
	forms = append(forms, integerForms("unix seconds", t.Unix())...)
	forms = append(forms, integerForms("unix milliseconds", t.UnixMilli())...)
	forms = append(forms, integerForms("unix microseconds", t.UnixMicro())...)
	forms = append(forms, integerForms("unix nanoseconds", t.UnixNano())...)
	return Marker{name, forms}
}

// Integer is a marker for a whole number, such as a dose in µSv: its decimal digits, and its bytes in both
// orders and as a variable-length integer. It needs six significant bytes or fifteen digits to be improbable,
// so it suits counters and times; for a dose use Dose.
func Integer(name string, v int64) Marker { return Marker{name, integerForms("integer", v)} }

// Dose is a marker for a dose in µSv as people and files write it with its unit: "17389 µSv", "17.389 mSv",
// and as a JSON or CSV field beside its name. The bare integer is looked for too, if it is improbable enough.
func Dose(name string, microSv int64) Marker {
	whole := strconv.FormatInt(microSv, 10)
	milli := strconv.FormatFloat(float64(microSv)/1000, 'f', -1, 64)
	three := strconv.FormatFloat(float64(microSv)/1000, 'f', 3, 64)
	all := []string{whole + " µSv", whole + " μSv", whole + "µSv", whole + " uSv", `"dose":` + whole, `"Dose":` + whole, `"micro_sv":` + whole}
	for _, m := range []string{milli, three, strings.Replace(three, ".", ",", 1)} {
		all = append(all, m+" mSv", m+"mSv")
	}
	return Marker{name, append(textForms("dose", all...), integerForms("integer", microSv)...)}
}

// Bytes is a marker for raw bytes, such as a key: raw, in hexadecimal, base64 and base32.
func Bytes(name string, b []byte) Marker {
	return Marker{name, byteForms("bytes", b, 8*float64(len(b)))}
}

// spellings returns the different ways to write a text.
func spellings(text string) []string {
	folded := fold(text)
	var all []string
	for _, s := range []string{text, folded} {
		all = append(all, s, strings.ToLower(s), strings.ToUpper(s))
	}
	for _, s := range all[:3:3] {
		all = append(all, norm.NFD.String(s))
	}
	return all
}

// fold removes the accents.
func fold(s string) string {
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s)))
}

// textForms returns texts in every encoding of texts.
func textForms(what string, texts ...string) []form {
	var all []form
	seen := map[string]bool{}
	for _, s := range texts {
		if seen[s] {
			continue
		}
		seen[s] = true
		n := 8 * float64(len(s)) // in every encoding: a zero byte beside each letter makes it no rarer
		all = append(all, byteForms(what+" in UTF-8", []byte(s), n)...)
		le, be := wide(s)
		all = append(all, byteForms(what+" in UTF-16LE", le, n)...)
		all = append(all, byteForms(what+" in UTF-16BE", be, n)...)
		for _, page := range []*charmap.Charmap{charmap.Windows1252, charmap.ISO8859_14} {
			if b, err := page.NewEncoder().Bytes([]byte(s)); err == nil && string(b) != s {
				all = append(all, byteForms(fmt.Sprintf("%s in %s", what, page), b, 8*float64(len(b)))...)
			}
		}
		for _, p := range escapes(s) {
			all = append(all, form{encoding: what + " in " + p.name, bytes: []byte(p.text), bits: n})
		}
	}
	return all
}

func wide(s string) (le, be []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		le = binary.LittleEndian.AppendUint16(le, u)
		be = binary.BigEndian.AppendUint16(be, u)
	}
	return le, be
}

type escape struct{ name, text string }

// escapes returns the text percent-encoded and with JSON escapes, where that changes it.
func escapes(s string) []escape {
	var all []escape
	add := func(name, text string) {
		if text != s {
			all = append(all, escape{name, text})
		}
	}
	for _, digits := range []string{"0123456789ABCDEF", "0123456789abcdef"} {
		var query, path, every strings.Builder
		for _, c := range []byte(s) {
			code := string([]byte{'%', digits[c>>4], digits[c&15]})
			every.WriteString(code)
			switch {
			case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', digit(c), strings.IndexByte("-_.~", c) >= 0:
				query.WriteByte(c)
				path.WriteByte(c)
			case c == ' ':
				query.WriteByte('+')
				path.WriteString(code)
			default:
				query.WriteString(code)
				path.WriteString(code)
			}
		}
		add("percent-encoding (form)", query.String())
		add("percent-encoding", path.String())
		add("percent-encoding of every byte", every.String())
		add(`JSON \u escapes`, unicodeEscape(s, digits, false))
		add(`JSON \u escapes of every character`, unicodeEscape(s, digits, true))
	}
	return all
}

func unicodeEscape(s, digits string, every bool) string {
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 && !every {
			b.WriteRune(r)
			continue
		}
		for _, u := range utf16.Encode([]rune{r}) {
			b.WriteString(`\u`)
			for shift := 12; shift >= 0; shift -= 4 {
				b.WriteByte(digits[u>>shift&15])
			}
		}
	}
	return b.String()
}

// The alphabets of binary-to-text encodings and the bits that one character carries.
var alphabets = []struct {
	name       string
	chars      string
	bits       int
	alignments int // different places in a group at which a byte can stand
}{
	{"base64", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 6, 3},
	{"base64url", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6, 3},
	{"base32", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5, 5},
	{"base32 lower case", "abcdefghijklmnopqrstuvwxyz234567", 5, 5},
	{"base32hex", "0123456789ABCDEFGHIJKLMNOPQRSTUV", 5, 5},
	{"base32hex lower case", "0123456789abcdefghijklmnopqrstuv", 5, 5},
}

// byteForms returns bytes raw and in the binary-to-text encodings, wherever in the encoded stream they begin.
// Their value has n bits.
func byteForms(what string, b []byte, n float64) []form {
	lower := hex.EncodeToString(b)
	all := []form{
		{what, b, n, digits(b)},
		{what + ", hex", []byte(lower), n, false},
		{what + ", hex upper case", []byte(strings.ToUpper(lower)), n, false},
	}
	for _, a := range alphabets {
		for before := range a.alignments {
			f := aligned(what+", "+a.name, a.chars, a.bits, b, before)
			f.bits = min(f.bits, n)
			all = append(all, f)
		}
	}
	return all
}

// aligned returns the characters that b alone decides when `before` other bytes of the stream's group come first.
func aligned(what, chars string, width int, b []byte, before int) form {
	first := (8*before + width - 1) / width
	last := 8 * (before + len(b)) / width
	var out []byte
	for c := first; c < last; c++ {
		v := 0
		for bit := c * width; bit < (c+1)*width; bit++ {
			at := bit - 8*before
			v = v<<1 | int(b[at/8]>>(7-at%8)&1)
		}
		out = append(out, chars[v])
	}
	return form{fmt.Sprintf("%s at alignment %d", what, before), out, float64(width * len(out)), false}
}

// integerForms returns an integer as decimal digits and bytes. Leading zero (or, if negative, one) bytes are
// no part of a pattern: files are full of them.
func integerForms(what string, v int64) []form {
	text := strconv.FormatInt(v, 10)
	all := []form{
		{what + " in digits", []byte(text), 3.32 * float64(len(text)), digits([]byte(text))},
		{what + " in digits, UTF-16LE", widened(text), 3.32 * float64(len(text)), false},
	}
	be := significant(v)
	n := 8 * float64(len(be))
	le := bytes.Clone(be)
	for i, j := 0, len(le)-1; i < j; i, j = i+1, j-1 {
		le[i], le[j] = le[j], le[i]
	}
	all = append(all, form{what + " big-endian", be, n, false}, form{what + " little-endian", le, n, false})
	for _, f := range []struct {
		name  string
		bytes []byte
	}{{"varint", binary.AppendUvarint(nil, uint64(v))}, {"zigzag varint", binary.AppendVarint(nil, v)}} {
		all = append(all, form{what + " " + f.name, f.bytes, float64(bits.Len64(uint64(max(v, ^v)))), false})
	}
	hexed := strconv.FormatUint(uint64(max(v, -v)), 16)
	return append(all, form{what + " in hex digits", []byte(hexed), 4 * float64(len(hexed)), false})
}

func widened(s string) []byte {
	le, _ := wide(s)
	return le
}

func significant(v int64) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(v))
	for len(b) > 1 && (b[0] == 0 || b[0] == 0xff) {
		b = b[1:]
	}
	return b
}

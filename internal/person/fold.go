package person

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Letters that do not fall apart into a letter and a mark.
var plain = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ð': "d", 'đ': "d", 'ł': "l", 'þ': "th", 'ı': "i", 'ħ': "h", 'ŧ': "t", 'ŋ': "n", 'ə': "e",
}

// apostrophe reports whether a rune joins what stands on both sides of it (O'Brien) as people type it.
func apostrophe(r rune) bool {
	switch r {
	case '\'', '’', '‘', '‛', 'ʼ', 'ʻ', 'ʹ', 'ʽ', '`', '´', '′', '＇':
		return true
	}
	return false
}

// Fold returns the form of a name that is searched for and compared: lower case without accents (Llŷr is llyr),
// apostrophes left out (O’Brien is obrien), hyphens and other punctuation as spaces (ab-Owain is ab owain), one space
// between words and none at the ends. Folding twice changes nothing.
func Fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	gap := false
	put := func(r rune) {
		if gap && b.Len() > 0 {
			b.WriteByte(' ')
		}
		gap = false
		b.WriteRune(r)
	}
	ascii := true
	for i := 0; i < len(s) && ascii; i++ {
		ascii = s[i] < 0x80
	}
	if !ascii {
		// Apostrophes first: the compatibility form of an acute accent that stands alone is a space and a mark.
		s = strings.Map(func(r rune) rune {
			if apostrophe(r) {
				return -1
			}
			return r
		}, s)
		s = strings.ToLower(norm.NFKD.String(strings.ToLower(norm.NFKD.String(s))))
	}
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			put(r)
		case r >= 'A' && r <= 'Z':
			put(r + 'a' - 'A')
		case apostrophe(r), unicode.Is(unicode.M, r), unicode.Is(unicode.Cf, r):
		case plain[r] != "":
			for _, p := range plain[r] {
				put(p)
			}
		case unicode.IsLetter(r), unicode.IsDigit(r):
			put(r)
		default:
			gap = true
		}
	}
	return b.String()
}

// Words returns the words of a name in folded form, in order.
func Words(s string) []string { return strings.Fields(Fold(s)) }

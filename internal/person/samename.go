package person

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	edlib "github.com/hbollon/go-edlib"
)

// Verdict is the outcome of comparing a label with a name.
type Verdict uint8

// The verdicts, worst first.
const (
	NotGiven  Verdict = iota // nothing to compare: one of the two has no name
	Different                // another name
	Unclear                  // somebody must look: a slip of the pen, half a double-barrelled name, no forename …
	Same                     // the same name, as it may be printed
)

func (v Verdict) String() string {
	switch v {
	case NotGiven:
		return "not given"
	case Different:
		return "different"
	case Unclear:
		return "unclear"
	case Same:
		return "same"
	}
	return fmt.Sprintf("verdict(%d)", uint8(v))
}

// Shortest label, in runes, that a laboratory may have cut off: columns are 20 to 30 wide, and a space or a comma at
// the cut may be lost.
const cutLabel = 18

// SameName compares a name as a laboratory prints it with an identity. Capitals, accents, punctuation, titles, the
// order of surname and forename, initials, missing second forenames, names known by and former surnames make no
// difference, nor does a label that is cut off after the surname has begun. A comma says which part is the surname; a
// label that has them the wrong way round is Unclear, for Evan Thomas and Thomas Evan are both good names.
//
// The comparison is careful with both words: what may be a slip (one letter wrong or two changed over in a long name), part of
// a double-barrelled surname, a short form or a second forename alone is Unclear; Different means that surname or
// forename do not fit however one reads the label.
//
// Only the first 200 bytes of each text are looked at, so that a hostile file costs no time.
func SameName(label Value, id Identity) Verdict {
	text := strings.TrimSpace(head(label))
	n := newNames(id)
	if Fold(text) == "" || len(n.surnames) == 0 && len(n.givens) == 0 {
		return NotGiven
	}
	best := n.read(text)
	if best != Same {
		if bare := withoutTitles(text); bare != text {
			best = max(best, n.read(bare))
		}
	}
	return best
}

// head returns the first MaxText bytes of a text.
func head(v Value) string {
	s := v.Expose()
	return strings.ToValidUTF8(s[:min(len(s), MaxText)], "")
}

// names is an identity folded into words.
type names struct {
	surnames [][]string // the surname and the former ones
	givens   [][]string // forenames; known as and the forenames after the first; the lot
}

func newNames(id Identity) names {
	var n names
	for _, v := range slices.Concat([]Value{id.Surname}, id.Former[:min(len(id.Former), MaxFormer)]) {
		if w := Words(head(v)); len(w) > 0 {
			n.surnames = append(n.surnames, w)
		}
	}
	forenames, known := Words(head(id.Forenames)), Words(head(id.KnownAs))
	if len(forenames) > 0 {
		n.givens = append(n.givens, slices.Concat(forenames, known))
	}
	if len(known) > 0 {
		n.givens = append(n.givens, slices.Concat(known, forenames))
	}
	return n
}

// How well a part of a label fits a part of a name.
type fit uint8

const (
	misfit  fit = iota
	slip        // a spelling accident
	part        // some of it, or not told
	initial     // initials that agree
	full
)

func (n names) read(text string) Verdict {
	var best Verdict
	if before, after, comma := strings.Cut(text, ","); comma {
		s, g := Words(before), Words(after)
		best = max(n.judge(s, g), n.judge(particlesBack(s, g)))
		if best != Same && n.judge(g, s) >= Unclear {
			best = Unclear // the wrong way round
		}
	} else {
		words := Words(text)
		best = n.judge(words, nil)
		for k := 1; k < len(words) && k <= 12 && best != Same; k++ {
			best = max(best, n.judge(words[:k], words[k:]), n.judge(words[k:], words[:k]))
		}
	}
	if best != Same && utf8.RuneCountInString(text) >= cutLabel {
		best = max(best, n.cutOff(strings.Join(Words(text), "")))
	}
	return best
}

// judge compares with the label's surname and given words taken as they are.
func (n names) judge(surname, given []string) Verdict {
	s := misfit
	for _, w := range n.surnames {
		s = max(s, fitSurname(surname, w))
	}
	if len(n.surnames) == 0 {
		s = part
		if len(surname) == 0 {
			s = full
		}
	}
	if s == misfit {
		return Different
	}
	g := misfit
	for _, w := range n.givens {
		g = max(g, fitGiven(given, w))
	}
	switch {
	case len(n.givens) == 0 && len(given) == 0:
		g = full
	case len(n.givens) == 0 || len(given) == 0:
		g = part
	}
	switch {
	case g == misfit:
		return Different
	case s == full && g >= initial:
		return Same
	}
	return Unclear
}

func fitSurname(label, name []string) fit {
	l, m := strings.Join(label, ""), strings.Join(name, "")
	switch {
	case l == "" || m == "":
		return misfit
	case l == m:
		return full
	case subset(label, name) || subset(name, label):
		return part
	case near(l, m):
		return slip
	}
	return misfit
}

// subset reports whether every word of a, at least one of them more than a particle, is in b.
func subset(a, b []string) bool {
	content := false
	for _, w := range a {
		if !slices.Contains(b, w) {
			return false
		}
		content = content || !particle(w) && len(w) > 1
	}
	return content
}

func fitGiven(label, name []string) fit {
	if len(label) == 0 || len(name) == 0 {
		return part
	}
	joined := strings.Join(label, "")
	for i := range name {
		if strings.Join(name[:i+1], "") == joined {
			return full
		}
	}
	first, rest := fitWord(label[0], name[0]), label[1:]
	if first == misfit && len(label[0]) <= 3 && len(label) == 1 && initialsOf(label[0], name) {
		return initial
	}
	if first == misfit && slices.Contains(name[1:], label[0]) {
		return part // a second forename alone, or in front
	}
	if first < initial {
		return first
	}
	// The label's further forenames must be among the person's, in order; more than the person's record has do no harm.
	j := 1
	for _, w := range rest {
		if j >= len(name) {
			break
		}
		k := j
		for k < len(name) && fitWord(w, name[k]) < initial {
			k++
		}
		if k == len(name) {
			return part
		}
		j = k + 1
	}
	return first
}

func fitWord(l, n string) fit {
	switch {
	case l == n:
		return full
	case utf8.RuneCountInString(l) == 1 && strings.HasPrefix(n, l), utf8.RuneCountInString(n) == 1 && strings.HasPrefix(l, n):
		return initial
	case len(l) >= 3 && len(n) >= 3 && (strings.HasPrefix(n, l) || strings.HasPrefix(l, n)):
		return part
	case near(l, n):
		return slip
	}
	return misfit
}

// initialsOf reports whether the letters are the first letters of the first words, as in SE for Siân Eleri.
func initialsOf(letters string, words []string) bool {
	i := 0
	for _, r := range letters {
		if i >= len(words) || !strings.HasPrefix(words[i], string(r)) {
			return false
		}
		i++
	}
	return i > 1
}

// near reports whether two folded words may be one word with a slip in it: two neighbours changed over in a word of
// four letters or more; one letter wrong, missing or too many in five or more; very much alike in eight or more.
func near(a, b string) bool {
	shorter, longer := utf8.RuneCountInString(a), utf8.RuneCountInString(b)
	if shorter > longer {
		shorter, longer = longer, shorter
	}
	if shorter < 4 || longer-shorter > 2 || longer > 60 {
		return false
	}
	if shorter >= 8 && edlib.JaroWinklerSimilarity(a, b) >= 0.95 {
		return true
	}
	if edlib.OSADamerauLevenshteinDistance(a, b) > 1 {
		return false
	}
	return shorter >= 5 || edlib.LevenshteinDistance(a, b) == 2 // distance 2 there, 1 here: changed over
}

// cutOff compares a label that ends where its column ended, joined without spaces, with all the ways of
// printing the name in full.
func (n names) cutOff(label string) Verdict {
	best := Different
	for _, sw := range n.surnames {
		s := strings.Join(sw, "")
		for _, gw := range n.givens {
			for k := 1; k <= len(gw); k++ {
				g := strings.Join(gw[:k], "")
				if strings.HasPrefix(s+g, label) || strings.HasPrefix(g+s, label) && len(label) > len(g) {
					return Same
				}
				if strings.HasPrefix(g, label) {
					best = Unclear // no letter of the surname is left
				}
			}
		}
	}
	return best
}

func particle(w string) bool {
	switch w {
	case "ap", "ab", "ferch", "verch", "van", "von", "der", "den", "de", "di", "da", "du", "dos", "la", "le", "el", "al", "bin", "binti", "ibn", "ter", "ten":
		return true
	}
	return false
}

// particlesBack moves particles from behind the forenames to the front of the surname: "RHYS, DAFYDD AP" is ap Rhys.
func particlesBack(surname, given []string) ([]string, []string) {
	k := len(given)
	for k > 1 && particle(given[k-1]) {
		k--
	}
	return slices.Concat(given[k:], surname), given[:k]
}

func title(w string) bool {
	switch Fold(w) {
	case "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "dame", "rev", "sister":
		return true
	}
	return false
}

// withoutTitles leaves titles out if at least one other word is left.
func withoutTitles(text string) string {
	var kept []string
	for _, w := range strings.Fields(text) {
		if bare := strings.TrimRight(w, ",."); title(bare) {
			if strings.HasSuffix(w, ",") && len(kept) > 0 { // "JONES MRS, SIAN"
				kept[len(kept)-1] = strings.TrimRight(kept[len(kept)-1], ",") + ","
			}
			continue
		}
		kept = append(kept, w)
	}
	if Fold(strings.Join(kept, " ")) == "" {
		return text
	}
	return strings.Join(kept, " ")
}

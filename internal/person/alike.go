package person

import "strings"

// Likeness says why two identities may be of one human being, the likeliest first. The texts are on the wire.
type Likeness string

// The likenesses. None says that nothing speaks for it.
const (
	None             Likeness = ""
	SameNI           Likeness = "same-ni" // for who knows NI numbers: an Identity has none
	SameNameAndBirth Likeness = "same-name-and-birth"
	NearName         Likeness = "near-name"     // same date of birth; names that may be one with a slip, a part left out, or the wrong way round
	NearBirth        Likeness = "near-birth"    // same name; dates of birth that differ in one digit, or in the order of day and month
	UnknownBirth     Likeness = "unknown-birth" // same name; the date of birth of one of them is not known
)

// Likenesses lists them, the likeliest first.
var Likenesses = []Likeness{SameNI, SameNameAndBirth, NearName, NearBirth, UnknownBirth}

// Alike compares two identities as SameName compares a label with one, in both directions, so that former names and
// names known by count on either side. Another sex makes nobody alike; a sex that is not known says nothing.
func Alike(a, b Identity) Likeness {
	if !a.Sex.IsZero() && !b.Sex.IsZero() && a.Sex != b.Sex {
		return None
	}
	unknown := a.Birth.IsZero() || b.Birth.IsZero()
	same := a.Birth == b.Birth && !unknown
	near := !same && !unknown && nearDays(a.Birth.Expose(), b.Birth.Expose())
	if !same && !near && !unknown {
		return None
	}
	names := max(SameName(label(a), b), SameName(label(b), a))
	switch {
	case names == Same && same:
		return SameNameAndBirth
	case names == Unclear && same:
		return NearName
	case names == Same && near:
		return NearBirth
	case names == Same && unknown:
		return UnknownBirth
	}
	return None
}

// AlikeLabel compares a name as a list of somebody else's prints it, and a date of birth (YYYY-MM-DD or empty), with an identity. A label
// has its parts in any order, so it is read as [SameName] reads it.
func AlikeLabel(name, birth Value, b Identity) Likeness {
	unknown := birth.IsZero() || b.Birth.IsZero()
	same := birth == b.Birth && !unknown
	if near := !same && !unknown && nearDays(birth.Expose(), b.Birth.Expose()); !same && !near && !unknown {
		return None
	}
	switch names := SameName(name, b); {
	case names == Same && same:
		return SameNameAndBirth
	case names == Unclear && same:
		return NearName
	case names == Same && unknown:
		return UnknownBirth
	case names == Same:
		return NearBirth
	}
	return None
}

// label is a name as a list would print it.
func label(i Identity) Value {
	if i.Forenames.IsZero() {
		return i.Surname
	}
	return NewValue(i.Surname.Expose() + ", " + i.Forenames.Expose())
}

// nearDays reports whether two days as YYYY-MM-DD, which are not the same, may be one with a slip: a digit wrong, or day
// and month changed over.
func nearDays(a, b string) bool {
	if len(a) != 10 || len(b) != 10 {
		return false
	}
	if a[:5] == b[:5] && a[5:7] == b[8:] && a[8:] == b[5:7] {
		return true
	}
	wrong := 0
	for i := range a {
		if a[i] != b[i] {
			wrong++
		}
	}
	return wrong == 1
}

// NameKey is equal for names that are written alike but for capitals, accents and punctuation: a quick way to those who
// may be alike.
func NameKey(i Identity) string {
	return strings.Join(Words(i.Surname.Expose()), "") + "," + strings.Join(Words(i.Forenames.Expose()), "")
}

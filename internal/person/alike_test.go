package person

import (
	"testing"

	"pgregory.net/rapid"
)

func who(surname, forenames, birth, sex string, former ...string) Identity {
	i := Identity{Surname: NewValue(surname), Forenames: NewValue(forenames), Birth: NewValue(birth), Sex: NewValue(sex)}
	for _, f := range former {
		i.Former = append(i.Former, NewValue(f))
	}
	return i
}

func TestAlike(t *testing.T) {
	sian := who("Ŵyn-Jones", "Siân Eleri", "1984-07-02", "F", "Parry")
	for what, c := range map[string]struct {
		other Identity
		want  Likeness
	}{
		"as written elsewhere":     {who("WYN JONES", "SIAN", "1984-07-02", ""), SameNameAndBirth},
		"by a former name":         {who("Parry", "Siân", "1984-07-02", "F"), SameNameAndBirth},
		"a slip in the name":       {who("Wyn-Jnoes", "Siân", "1984-07-02", "F"), NearName},
		"half of the surname":      {who("Jones", "Siân", "1984-07-02", "F"), NearName},
		"the wrong way round":      {who("Siân", "Wyn-Jones", "1984-07-02", "F"), NearName},
		"day and month exchanged":  {who("Wyn-Jones", "Siân", "1984-02-07", "F"), NearBirth},
		"a digit wrong":            {who("Wyn-Jones", "Siân", "1984-07-03", "F"), NearBirth},
		"no date of birth":         {who("Wyn-Jones", "Siân", "", "F"), UnknownBirth},
		"a slip in both":           {who("Wyn-Jnoes", "Siân", "1984-07-03", "F"), None},
		"a slip and no birth":      {who("Wyn-Jnoes", "Siân", "", "F"), None},
		"another day":              {who("Wyn-Jones", "Siân", "1991-11-23", "F"), None},
		"another sex":              {who("Wyn-Jones", "Siân", "1984-07-02", "M"), None},
		"another forename":         {who("Wyn-Jones", "Mair", "1984-07-02", "F"), None},
		"another of the same day":  {who("Bowen", "Mair", "1984-07-02", "F"), None},
		"nobody":                   {who("", "", "", ""), None},
		"a birth that is no birth": {who("Wyn-Jones", "Siân", "1984", "F"), None},
	} {
		if got := Alike(sian, c.other); got != c.want {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
		if got := Alike(c.other, sian); got != c.want {
			t.Errorf("%s, the other way round: %q, want %q", what, got, c.want)
		}
	}
}

// TestAlikeIsMutual: who is like somebody, that somebody is like them.
func TestAlikeIsMutual(t *testing.T) {
	name := rapid.SampledFrom([]string{"", "Jones", "Jnoes", "ap Rhys", "Rhys", "Siân", "Sian Eleri", "S", "Tŷ-Gwyn", "Ty Gwyn"})
	birth := rapid.SampledFrom([]string{"", "1984-07-02", "1984-02-07", "1984-07-03", "1990-01-01"})
	sex := rapid.SampledFrom([]string{"", "F", "M"})
	rapid.Check(t, func(t *rapid.T) {
		draw := func() Identity {
			i := who(name.Draw(t, "surname"), name.Draw(t, "forenames"), birth.Draw(t, "birth"), sex.Draw(t, "sex"))
			i.KnownAs = NewValue(name.Draw(t, "known as"))
			return i
		}
		a, b := draw(), draw()
		if one, other := Alike(a, b), Alike(b, a); one != other {
			t.Fatalf("%q and %q", one, other)
		}
	})
}

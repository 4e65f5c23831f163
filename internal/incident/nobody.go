package incident

import (
	_ "embed"
	"encoding/csv"
	"strings"

	"github.com/dosevault/dosevault/internal/person"
)

// nobodyCSV says which texts on somebody else's list are nobody's: the entries of badges without a person, of tests, and what systems write
// where they know nothing. Of each rule it holds the field and what of it is compared:
//
//	only      each word of the name is one of these, or a filler
//	filler    a word that says nothing beside them
//	repeated  a name of one letter, again and again
//	is        the whole text
//	starts    its beginning
//
// and what it means: dummy, the row is nobody's; nothing, the field says nothing; suspect, the field says nothing, and the row is a dummy if
// the rest of it fits nobody, for a real person may stand beside an example of a number.
//
//go:embed nobody.csv
var nobodyCSV string

// rule is a line of it.
type rule struct{ field, how, text, means, reason string }

var rules = func() []rule {
	records, err := csv.NewReader(strings.NewReader(nobodyCSV)).ReadAll()
	if err != nil {
		panic("incident: nobody.csv: " + err.Error()) // caught by any test
	}
	var out []rule
	for _, r := range records[1:] {
		out = append(out, rule{r[0], r[1], r[2], r[3], r[4]})
	}
	return out
}()

// wordRules are those about words of a name.
var wordRules = func() map[string]*rule {
	m := map[string]*rule{}
	for i, r := range rules {
		if r.how == "only" || r.how == "filler" {
			m[r.text] = &rules[i]
		}
	}
	return m
}()

// nobodyName is the rule by which a name is nobody's, nil if it is somebody's.
func nobodyName(name person.Value) (found *rule) {
	all := person.Words(name.Expose())
	if len(all) == 0 {
		return nil
	}
	for _, w := range all {
		if strings.Trim(w, "0123456789") == "" {
			continue
		}
		r := wordRules[w]
		if r == nil && len(w) >= 3 && strings.Trim(w, w[:1]) == "" {
			r = ruleOf("name", "repeated")
		}
		switch {
		case r == nil:
			return nil
		case found == nil || found.means == "nothing" && r.means == "dummy" || found.how == "filler":
			found = r
		}
	}
	if found == nil { // digits alone
		found = wordRules["number"]
	}
	return found
}

func ruleOf(field, how string) *rule {
	for i := range rules {
		if rules[i].field == field && rules[i].how == how {
			return &rules[i]
		}
	}
	return nil
}

// nobodyText is the rule by which a date of birth or an NI number is nobody's, nil if it may be somebody's.
func nobodyText(field string, v person.Value) *rule {
	s := strings.ToUpper(strings.ReplaceAll(v.Expose(), " ", ""))
	for i, r := range rules {
		if r.field == field && (r.how == "is" && s == r.text || r.how == "starts" && strings.HasPrefix(s, r.text)) {
			return &rules[i]
		}
	}
	return nil
}

package incident

import (
	"context"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/letter"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/words"
)

// fewerThan is the number below which a count is not published: among so few, colleagues could tell who it is.
const fewerThan = 10

// Statement is the one public statement, in the language of a context. All its figures come from one answer of the ledgers; counts of fewer than ten people are not
// published, and of what adds up to a published total two at least are not, so that none can be worked out from the others.
func Statement(ctx context.Context, m Matter, contact string) ([]letter.Part, error) {
	a := AssessmentOf(m.Incident, id.Organisation{}, m.Exposures.People)
	all, err := Combinations(Table(m.Exposures.List), a)
	if err != nil {
		return nil, err
	}
	var fields policy.Fields
	orgs := map[id.Organisation]bool{}
	for _, c := range all {
		fields |= c.Fields
		for _, o := range c.Organisations {
			orgs[o] = true
		}
	}
	from, to, _ := window(m.Incident)
	parts := []letter.Part{{Kind: letter.Title, Text: Say(ctx, "Statement on a breach of personal data")}}
	say := func(k words.Key, args ...any) { parts = append(parts, letter.Part{Text: Say(ctx, k, args...)}) }
	say("As known on %s. Earlier figures are replaced by these.", words.Moment(ctx, m.Now))
	switch {
	case len(all) == 0 && a.Unintelligible:
		say("A medium with encrypted data is missing. Nobody can read what is on it without keys that were kept elsewhere, so nobody's data became known.")
	case len(all) == 0:
		say("It was suspected that personal data of staff who wear radiation badges had become known to somebody who should not have it. Our records show that nothing was shown to them.")
	default:
		say("Personal data of staff who wear radiation badges became known, or may have become known, to somebody who should not have it, between %s and %s.", words.On(ctx, from), words.On(ctx, to))
		if m.Exposures.People < fewerThan {
			say("Fewer than %d people of %s organisations are concerned.", fewerThan, words.Number(len(orgs)))
		} else {
			say("At most %s people of %s organisations are concerned.", words.Number(m.Exposures.People), words.Number(len(orgs)))
		}
		say("What became known is not the same for everybody:")
		hidden := hide(all)
		for i, c := range all {
			n := words.Number(c.Wearers)
			if hidden[i] {
				n = Say(ctx, "fewer than %d", fewerThan)
				if c.Wearers >= fewerThan {
					n = Say(ctx, "some")
				}
			}
			parts = append(parts, letter.Part{Kind: letter.Bullet, Text: Say(ctx, "%s: %s records", SayFields(ctx, c.Fields), n)})
		}
		if len(all) > 1 {
			say("Somebody who works for two of the organisations has a record with each, so the records can be more than the people.")
		}
		told := len(orgs) - len(Untold(m.Incident, Table(m.Exposures.List)))
		say("These organisations are the employers. Told so far: %s.", words.Number(told))
		say("Everybody concerned hears from their own employer what was held about them, what they can do, and what support they are offered.")
		if fields&policy.FieldNI == 0 {
			say("National Insurance numbers are not among the data.")
		}
		say("We say when everybody concerned has been told. Whoever has heard nothing by then is not among them, by our records.")
	}
	say("Nobody will ask for a password, a code or a payment because of this.")
	if contact != "" {
		say("Questions: %s", contact)
	}
	return parts, nil
}

// hide says which counts are not published: those of fewer than ten and, where that is one alone, the smallest of the others too.
func hide(all []Combination) []bool {
	hidden := make([]bool, len(all))
	n, least := 0, -1
	for i, c := range all {
		switch {
		case c.Wearers < fewerThan:
			hidden[i] = true
			n++
		case least < 0 || c.Wearers < all[least].Wearers:
			least = i
		}
	}
	if n == 1 && least >= 0 {
		hidden[least] = true
	}
	return hidden
}

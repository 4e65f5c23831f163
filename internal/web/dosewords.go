package web

import (
	"context"
	"strings"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/words"
)

var positionWords = map[dose.Position]words.Key{
	dose.WholeBody: "Whole body", dose.Collar: "Collar", dose.Eye: "Eye", dose.LeftFinger: "Left finger", dose.RightFinger: "Right finger",
	dose.LeftWrist: "Left wrist", dose.RightWrist: "Right wrist", dose.Foetal: "Foetal", dose.Control: "Control",
}

// positionWord says where a badge is worn.
func positionWord(p dose.Position) words.Key {
	if w := positionWords[p]; w != "" {
		return w
	}
	return words.Plain(capital(p.String()))
}

var qualifierWords = map[dose.Qualifier]words.Key{
	dose.Measured: "Measured", dose.BelowLevel: "Below level", dose.Unused: "Unused", dose.NotReturned: "Not returned", dose.Lost: "Lost##of a badge",
	dose.Damaged: "Damaged", dose.Estimated: "Estimated", dose.Notional: "Notional", dose.SpecialEntry: "Special entry",
}

// qualifierWord says what sort of a result it is.
func qualifierWord(q dose.Qualifier) words.Key {
	if w := qualifierWords[q]; w != "" {
		return w
	}
	return words.Plain(capital(q.String()))
}

// quantityWord says what was measured: the symbols are the same everywhere, the neutrons are not.
func quantityWord(q dose.Quantity) words.Key {
	if q == dose.NeutronHp10 {
		return "neutron Hp(10)"
	}
	return words.Plain(q.String())
}

var badgeStates = map[string]words.Key{"ordered": "Ordered", "issued": "Issued", "returned": "Returned", "sent": "Sent", "read": "Read##of a badge"}

// badgeStateWord says how far a badge has come.
func badgeStateWord(state string) words.Key {
	if w := badgeStates[state]; w != "" {
		return w
	}
	return words.Plain(capital(state))
}

// binWord says a class of a distribution, which is called "0", "above 1 to 6" or "above 20".
func binWord(ctx context.Context, name string) string {
	bounds, above := strings.CutPrefix(name, "above ")
	from, to, bounded := strings.Cut(bounds, " to ")
	switch {
	case above && bounded:
		return words.T(ctx, "above %s to %s", from, to)
	case above:
		return words.T(ctx, "above %s", from)
	}
	return name
}

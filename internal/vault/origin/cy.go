package origin

import (
	"maps"

	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/words"
)

// welsh is the Welsh of the origin's pages, in the words of the web node's: its glossary holds here too. Each area keeps
// its own in a file cy_*.go.
var welsh = words.Catalogue{
	Texts: together(cySignIn, cyOpenID, cySessions, cyAccount, cyUsers, cyApprovals, cyFreeze, cyNotices, vault.Welsh),
	Nouns: map[words.Noun]words.WelshNoun{
		"employment": {One: "cyflogaeth", Many: "cyflogaethau", Feminine: true},
		"alarm":      {One: "larwm", Many: "o larymau"},
		"open alarm": {One: "larwm agored", Many: "o larymau agored"},
		"time":       {One: "gwaith", Many: "o weithiau", Feminine: true},
		"hour":       {One: "awr", Many: "oriau", Feminine: true},
		"minute":     {One: "munud", Many: "munudau"},
		"person":     {One: "person", Many: "o bobl"},
	},
}

func together(areas ...map[words.Key]string) map[words.Key]string {
	all := map[words.Key]string{}
	for _, a := range areas {
		maps.Copy(all, a)
	}
	return all
}

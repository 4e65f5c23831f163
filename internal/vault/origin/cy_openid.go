package origin

import "github.com/dosevault/dosevault/internal/words"

// cyOpenID is the Welsh of signing in by an organisation's own sign-in.
var cyOpenID = map[words.Key]string{
	"Sign in with %s": "Mewngofnodi gyda %s",
	"Start again from the address that you were given.": "Dechreuwch eto o'r cyfeiriad a roddwyd i chi.",
	"This sign-in has ended":                            "Mae'r mewngofnodi hwn wedi dod i ben",
	"It took longer than ten minutes, or was begun elsewhere, or was used already. Start again from the address that you were given.": "Cymerodd fwy na deng munud, neu dechreuwyd ef yn rhywle arall, neu fe'i defnyddiwyd eisoes. Dechreuwch eto o'r cyfeiriad a roddwyd i chi.",
	"This sign-in is not known here": "Nid yw'r mewngofnodi hwn yn hysbys yma",
	"You have no role here":          "Nid oes gennych rôl yma",
	"%s’s own sign-in knows you, but gives you no role here. Ask whoever runs it.": "Mae system fewngofnodi %s ei hun yn eich adnabod, ond nid yw'n rhoi rôl i chi yma. Gofynnwch i bwy bynnag sy'n ei rhedeg.",
	"Your name is missing": "Mae eich enw ar goll",
	"%s’s own sign-in did not say your name. Ask whoever runs it.": "Ni roddodd system fewngofnodi %s ei hun eich enw. Gofynnwch i bwy bynnag sy'n ei rhedeg.",
	"You can't sign in": "Ni allwch fewngofnodi",
	"%s’s own sign-in knows you, but your access here has ended. Ask an administrator.":  "Mae system fewngofnodi %s ei hun yn eich adnabod, ond mae eich mynediad yma wedi dod i ben. Gofynnwch i weinyddwr.",
	"Your organisation’s sign-in can't be reached":                                       "Ni ellir cyrraedd system fewngofnodi eich sefydliad",
	"%s’s own sign-in did not answer. Nobody was signed in. Try again in a few minutes.": "Nid atebodd system fewngofnodi %s ei hun. Ni fewngofnodwyd neb. Rhowch gynnig arall arni ymhen ychydig funudau.",
	"You were not signed in": "Ni chawsoch eich mewngofnodi",
	"%s’s own sign-in did not say who you are, or what it said can't be trusted. Start again from the address that you were given.": "Ni ddywedodd system fewngofnodi %s ei hun pwy ydych chi, neu ni ellir ymddiried yn yr hyn a ddywedodd. Dechreuwch eto o'r cyfeiriad a roddwyd i chi.",
}

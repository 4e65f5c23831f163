package web

import (
	"maps"

	"github.com/dosevault/dosevault/internal/words"
)

// welsh is the Welsh of the pages' texts: all of the areas' together. A text of two areas stands in cyCommon.
//
// The same thing has the same word everywhere:
//
//	badge              bathodyn (bathodynnau)             reading, result   darlleniad, canlyniad
//	batch              swp (sypiau)                       role              rôl
//	classified person  person dosbarthedig                RPS               goruchwyliwr amddiffyn rhag ymbelydredd
//	co-ordinator       cydlynydd                          service           gwasanaeth
//	data protection    diogelu data                       sign in, out      mewngofnodi, allgofnodi
//	department         adran (adrannau)                   staff number      rhif staff
//	dose               dos (dosau)                        take somebody on  cofrestru rhywun
//	employer           cyflogwr                           vault             claddgell
//	entry              cofnod                             wear, wearer      gwisgo, gwisgwr
//	investigation      ymchwiliad (ymchwiliadau)          wear period       cyfnod gwisgo
//	laboratory         labordy                            level             lefel ymchwilio
//	ledger             cyfriflyfr                         limit             terfyn
//	NI number          rhif Yswiriant Gwladol             machine           peiriant
//	organisation       sefydliad (sefydliadau)            profile           proffil
var welsh = words.Catalogue{Texts: together(cyCommon, cyOverview, cyLedger, cyDoses, cyPeople, cyBadges, cyFiles, cyLists, cySamples, cyService, cyBudget, cyPapers, cyIncidents), Nouns: cyNouns}

func together(areas ...map[words.Key]string) map[words.Key]string {
	all := map[words.Key]string{}
	for _, area := range areas {
		maps.Copy(all, area)
	}
	return all
}

// cyNouns has what is counted. "Badge is" and the like are English verbs that Welsh has elsewhere in the text.
var cyNouns = map[words.Noun]words.WelshNoun{
	"badge":             {One: "bathodyn", Many: "bathodynnau"},
	"badge is":          {One: "bathodyn", Many: "bathodynnau"},
	"badge was":         {One: "bathodyn", Many: "bathodynnau"},
	"batch":             {One: "swp", Many: "sypiau"},
	"change":            {One: "newid", Many: "newidiadau"},
	"day":               {One: "diwrnod", Many: "diwrnodau"},
	"entry":             {One: "cofnod", Many: "cofnodion"},
	"hour":              {One: "awr", Many: "oriau", Feminine: true},
	"minute":            {One: "munud", Many: "munudau", Feminine: true},
	"file":              {One: "ffeil", Many: "ffeiliau", Feminine: true},
	"job":               {One: "tasg", Many: "tasgau", Feminine: true},
	"investigation":     {One: "ymchwiliad", Many: "ymchwiliadau"},
	"notice":            {One: "hysbysiad", Many: "hysbysiadau"},
	"organisation":      {One: "sefydliad", Many: "sefydliadau"},
	"pair":              {One: "pâr", Many: "parau"},
	"period":            {One: "cyfnod", Many: "cyfnodau"},
	"reading":           {One: "darlleniad", Many: "darlleniadau"},
	"result":            {One: "canlyniad", Many: "canlyniadau"},
	"row":               {One: "rhes", Many: "rhesi", Feminine: true},
	"row is a re-issue": {One: "rhes yn ailgyhoeddiad", Many: "rhesi yn ailgyhoeddiad", Feminine: true},
	"step":              {One: "cam", Many: "camau"},
	"text":              {One: "testun", Many: "testunau"},
	"time":              {One: "gwaith", Many: "gweithiau", Feminine: true},
	"wearer":            {One: "gwisgwr", Many: "gwisgwyr"},
}

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
var welsh = words.Catalogue{Texts: together(cyLists, cySamples), Nouns: cyNouns}

func together(areas ...map[words.Key]string) map[words.Key]string {
	all := map[words.Key]string{}
	for _, area := range areas {
		maps.Copy(all, area)
	}
	return all
}

var cyNouns = map[words.Noun]words.WelshNoun{
	"text": {One: "testun", Many: "testunau"},
}

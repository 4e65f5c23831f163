package web

import "github.com/dosevault/dosevault/internal/words"

// cyBudget has the texts of how much somebody may read in a day.
var cyBudget = map[words.Key]string{
	"At least 10 characters. Name nobody: the reason stays in the ledger.": "O leiaf 10 nod. Peidiwch ag enwi neb: mae'r rheswm yn aros yn y cyfriflyfr.",
	"Everybody may read so much in a day, so that a stolen session can't read everything. Nothing was shown to you. That you asked was entered in the ledger, and somebody was told.": "Caiff pawb ddarllen hyn a hyn mewn diwrnod, fel na all sesiwn a ddygwyd ddarllen popeth. Ni ddangoswyd dim i chi. Cofnodwyd yn y cyfriflyfr eich bod wedi gofyn, a rhoddwyd gwybod i rywun.",
	"Health records":        "Cofnodion iechyd",
	"How much you may read": "Faint y cewch ei ddarllen",
	"If it can't wait, you can go over it for an hour with a reason.": "Os na all aros, cewch fynd dros y terfyn am awr gyda rheswm.",
	"If your work can't wait": "Os na all eich gwaith aros",
	"If your work needs more, an administrator can raise it together with a second person.":          "Os oes angen mwy ar eich gwaith, gall gweinyddwr ei godi ynghyd ag ail berson.",
	"In any 24 hours, whole hours taken. Reading somebody again counts once.":                        "Mewn unrhyw 24 awr, fesul awr gyfan. Mae darllen rhywun eto yn cyfrif unwaith.",
	"It is what all users together, or this one export, may read that is used up, not what you may.": "Yr hyn y caiff pob defnyddiwr gyda'i gilydd, neu'r un allforiad hwn, ei ddarllen sydd wedi'i ddefnyddio, nid yr hyn y cewch chi.",
	"It was too much at once. Ask for fewer people.":                                                 "Roedd yn ormod ar unwaith. Gofynnwch am lai o bobl.",
	"NI numbers": "Rhifau YG",
	"Once in 24 hours you can read twice as much, for an hour. Your reason is entered in the ledger, and somebody is told at once.": "Unwaith mewn 24 awr cewch ddarllen dwywaith cymaint, am awr. Cofnodir eich rheswm yn y cyfriflyfr, a rhoddir gwybod i rywun ar unwaith.",
	"People in files":                            "Pobl mewn ffeiliau",
	"People's departments and jobs":              "Adrannau a swyddi pobl",
	"People's doses":                             "Dosau pobl",
	"People's names, dates of birth and numbers": "Enwau, dyddiadau geni a rhifau pobl",
	"Read more for an hour":                      "Darllen mwy am awr",
	"Searches that found nobody":                 "Chwiliadau na chafwyd neb ynddynt",
	"Shorten the reason":                         "Byrhewch y rheswm",
	"So far":                                     "Hyd yma",
	"Until %s you may read twice as much as usual. Your reason was entered in the ledger, and somebody was told.": "Hyd %s cewch ddarllen dwywaith cymaint ag arfer. Cofnodwyd eich rheswm yn y cyfriflyfr, a rhoddwyd gwybod i rywun.",
	"Ways to reach people":                     "Ffyrdd o gysylltu â phobl",
	"What you read":                            "Yr hyn a ddarllenwch",
	"What you read is not counted.":            "Nid yw'r hyn a ddarllenwch yn cael ei gyfrif.",
	"Why do you need to read more?":            "Pam mae angen i chi ddarllen mwy?",
	"Write a reason of at least %d characters": "Ysgrifennwch reswm o leiaf %d nod",
	"You can go on from %s.":                   "Cewch barhau o %s.",
	"You have read as much as you may for now": "Rydych wedi darllen cymaint ag y cewch am y tro",
}

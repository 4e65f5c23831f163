package incident

import (
	"maps"

	"github.com/dosevault/dosevault/internal/words"
)

// welsh is the Welsh of this package's texts. The words are those of the pages: internal/web/cy.go has the glossary.
var welsh = words.Catalogue{Texts: together(cyAssess, cyAdvice, cyReport, cyStatement, cyLetters), Nouns: map[words.Noun]words.WelshNoun{"person": {One: "person", Many: "o bobl"}}}

func together(areas ...map[words.Key]string) map[words.Key]string {
	all := map[words.Key]string{}
	for _, area := range areas {
		maps.Copy(all, area)
	}
	return all
}

// cyAssess has severity, duties and fields.
var cyAssess = map[words.Key]string{
	"low":       "isel",
	"medium":    "canolig",
	"high":      "uchel",
	"very high": "uchel iawn",

	"each organisation concerned":  "pob sefydliad dan sylw",
	"the Information Commissioner": "y Comisiynydd Gwybodaeth",
	"the people concerned":         "y bobl dan sylw",
	"the register of breaches":     "y gofrestr o dor diogelwch",

	"sensitive data: health, or documents that can hold anything":                                         "data sensitif: iechyd, neu ddogfennau a all gynnwys unrhyw beth",
	"sensitive data, of which most says little about health: doses at work":                               "data sensitif nad yw'r rhan fwyaf ohono'n dweud llawer am iechyd: dosau yn y gwaith",
	"simple data, enough to pass for somebody: an NI number with a name or date of birth":                 "data syml, digon i esgus bod yn rhywun arall: rhif Yswiriant Gwladol gydag enw neu ddyddiad geni",
	"simple data: who somebody is, or where they work":                                                    "data syml: pwy yw rhywun, neu ble maent yn gweithio",
	"everybody can tell who it is: a name with something of that person alone, or what leads to the name": "gall pawb ddweud pwy ydyw: enw gyda rhywbeth sy'n perthyn i'r person hwnnw'n unig, neu rywbeth sy'n arwain at yr enw",
	"a name, at a known employer":                                                                         "enw, gyda chyflogwr hysbys",
	"a number or date of birth, which the employer or an authority can tie to a name":                     "rhif neu ddyddiad geni, y gall y cyflogwr neu awdurdod ei gysylltu ag enw",
	"nothing that tells who it is, without the vault":                                                     "dim sy'n dweud pwy ydyw, heb y gladdgell",
	"known recipients":                                "derbynwyr hysbys",
	"an unknown number of recipients":                 "nifer anhysbys o dderbynwyr",
	"changed, and it can be undone":                   "wedi'i newid, a gellir ei ddadwneud",
	"changed, and it can't be undone":                 "wedi'i newid, ac ni ellir ei ddadwneud",
	"not available for a time":                        "ddim ar gael am gyfnod",
	"lost for good":                                   "wedi'i golli am byth",
	"somebody meant harm":                             "roedd rhywun yn bwriadu niwed",
	"no sign that anything was used, changed or lost": "dim arwydd bod unrhyw beth wedi'i ddefnyddio, ei newid na'i golli",

	"a processor tells its controllers of every breach, also before its extent is known": "mae prosesydd yn dweud wrth ei reolyddion am bob tor diogelwch, hefyd cyn bod ei faint yn hysbys",
	"a risk is unlikely: what was taken can't be read, as long as the key is safe":       "mae risg yn annhebygol: ni ellir darllen yr hyn a gymerwyd, cyhyd â bod yr allwedd yn ddiogel",
	"more than 100 people: the controller would have to show that a risk is unlikely":    "mwy na 100 o bobl: byddai'n rhaid i'r rheolydd ddangos bod risg yn annhebygol",
	"a risk can't be called unlikely at this severity":                                   "ni ellir galw risg yn annhebygol ar y difrifoldeb hwn",
	"a risk is unlikely at this severity; the controller decides, and keeps the reason":  "mae risg yn annhebygol ar y difrifoldeb hwn; y rheolydd sy'n penderfynu, ac yn cadw'r rheswm",
	"what was taken can't be read, as long as the key is safe":                           "ni ellir darllen yr hyn a gymerwyd, cyhyd â bod yr allwedd yn ddiogel",
	"the risk is high at this severity":                                                  "mae'r risg yn uchel ar y difrifoldeb hwn",
	"the risk is not high at this severity; the controller may tell them all the same":   "nid yw'r risg yn uchel ar y difrifoldeb hwn; caiff y rheolydd ddweud wrthynt yr un fath",
	"every breach is registered, whatever its severity":                                  "caiff pob tor diogelwch ei gofrestru, beth bynnag ei ddifrifoldeb",

	"name":                                  "enw",
	"date of birth":                         "dyddiad geni",
	"sex":                                   "rhyw",
	"staff number":                          "rhif staff",
	"registration with a professional body": "cofrestriad gyda chorff proffesiynol",
	"National Insurance number":             "rhif Yswiriant Gwladol",
	"contact details":                       "manylion cyswllt",
	"health (a pregnancy or a medical review)": "iechyd (beichiogrwydd neu adolygiad meddygol)",
	"radiation doses":                          "dosau ymbelydredd",
	"documents and notes":                      "dogfennau a nodiadau",
	"department, role and dates of employment": "adran, rôl a dyddiadau cyflogaeth",
}

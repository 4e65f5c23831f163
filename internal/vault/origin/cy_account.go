package origin

import "github.com/dosevault/dosevault/internal/words"

// cyAccount is the Welsh of the signed-in pages' frame and of somebody's account.
var cyAccount = map[words.Key]string{
	"Error: %s":                          "Gwall: %s",
	"Go to the people, badges and doses": "Ewch at y bobl, y bathodynnau a'r dosau",
	"Name":                               "Enw",
	"Nothing was changed. Try again in a minute.": "Ni newidiwyd dim. Rhowch gynnig arall arni ymhen munud.",
	"Pages of the vault":                          "Tudalennau'r gladdgell",
	"Role":                                        "Rôl",
	"Sign out":                                    "Allgofnodi",
	"Something has changed meanwhile, or an answer was missing. Go back, look again, and send the form once more.": "Mae rhywbeth wedi newid yn y cyfamser, neu roedd ateb ar goll. Ewch yn ôl, edrychwch eto, ac anfonwch y ffurflen unwaith eto.",
	"Sorry, there is a problem": "Mae'n ddrwg gennym, mae problem",
	"the vault’s own pages":     "tudalennau'r gladdgell ei hun",
	"There is a problem":        "Mae problem",
	"This could not be done":    "Ni ellid gwneud hyn",
	"Where":                     "Ble",
	"You may not do this":       "Ni chewch wneud hyn",
	"Your account":              "Eich cyfrif",
	"Your role does not allow it. That it was asked for is entered in the ledger.": "Nid yw eich rôl yn ei ganiatáu. Cofnodwyd yn y cyfriflyfr y gofynnwyd amdano.",
}

package origin

import "github.com/dosevault/dosevault/internal/words"

// cySessions is the Welsh of the pages of sessions.
var cySessions = map[words.Key]string{
	"Began":                 "Dechreuodd",
	"End":                   "Gorffen",
	"End it":                "Gorffennwch hi",
	"Ends at the latest":    "Yn dod i ben erbyn",
	"Everybody’s sessions":  "Sesiynau pawb",
	"Last used":             "Defnyddiwyd ddiwethaf",
	"Sessions":              "Sesiynau",
	"The command line":      "Y llinell orchymyn",
	"The session has ended": "Mae'r sesiwn wedi dod i ben",
	"the session of %s":     "sesiwn %s",
	"The vault’s own pages": "Tudalennau'r gladdgell ei hun",
	"The web pages":         "Y tudalennau gwe",
	"this one":              "yr un hon",
	"Where you are signed in now. If one of these is not you, end it.":                       "Ble rydych wedi mewngofnodi nawr. Os nad chi yw un o'r rhain, gorffennwch hi.",
	"Who is signed in now, and where. That you looked is entered in the installation’s log.": "Pwy sydd wedi mewngofnodi nawr, a ble. Cofnodir yn log y gosodiad eich bod wedi edrych.",
	"Your own sessions": "Eich sesiynau eich hun",
}

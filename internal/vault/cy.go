package vault

import "github.com/dosevault/dosevault/internal/words"

// Welsh is the Welsh of what the vault says of proposals: of the texts in approval*.go and grant*.go. The pages of its origin
// have it in their catalogue. Names of roles have theirs there.
var Welsh = map[words.Key]string{
	"assessing doses":          "asesu dosau",
	"contact":                  "manylion cyswllt",
	"date of birth":            "dyddiad geni",
	"document":                 "dogfen",
	"dose":                     "dos",
	"employment":               "cyflogaeth",
	"health":                   "iechyd",
	"For this purpose only":    "At y diben hwn yn unig",
	"Last day":                 "Diwrnod olaf",
	"issuing badges":           "rhoi bathodynnau",
	"keeping people’s records": "cadw cofnodion pobl",
	"Make a user who sees much or decides much": "Creu defnyddiwr sy'n gweld llawer neu'n penderfynu llawer",
	"name":                      "enw",
	"Name":                      "Enw",
	"NI number":                 "rhif Yswiriant Gwladol",
	"Organisations":             "Sefydliadau",
	"reading who has seen what": "darllen pwy sydd wedi gweld beth",
	"records and returns that the law asks for": "cofnodion a ffurflenni y mae'r gyfraith yn gofyn amdanynt",
	"registration":                      "cofrestriad",
	"Role":                              "Rôl",
	"Sees the own record of":            "Yn gweld cofnod personol",
	"sex":                               "rhyw",
	"showing somebody their own record": "dangos eu cofnod eu hunain i rywun",
	"staff number":                      "rhif staff",
	"telling people of a breach":        "dweud wrth bobl am dor diogelwch",
}

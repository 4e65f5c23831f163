package origin

import "github.com/dosevault/dosevault/internal/words"

// cyNotices is the Welsh of the page that an organisation is told of a breach by.
var cyNotices = map[words.Key]string{
	"Notice of a suspected breach":                   "Hysbysiad o dor diogelwch posibl",
	"This is a rehearsal: nothing has happened.":     "Ymarfer yw hwn: nid oes dim wedi digwydd.",
	"To the contact for notices of %s. Incident %s.": "At y cyswllt ar gyfer hysbysiadau yn %s. Digwyddiad %s.",
	"To be sure that this is genuine, call the service on the number in your contract with it. It answers on %s. Nobody asks you for a password.": "I fod yn sicr bod hwn yn ddilys, ffoniwch y gwasanaeth ar y rhif yn eich contract ag ef. Mae'n ateb ar %s. Nid oes neb yn gofyn i chi am gyfrinair.",
	"There is a newer part, with a link of its own in a later mail.":                                                                              "Mae rhan fwy newydd, â'i dolen ei hun mewn e-bost diweddarach.",
	"You have said that you have read this, so it shows no figures any more. Call the service if you need them again.":                            "Rydych wedi dweud eich bod wedi darllen hwn, felly nid yw'n dangos ffigurau mwyach. Ffoniwch y gwasanaeth os oes eu hangen arnoch eto.",
	"Part %d, of %s":                                  "Rhan %d, %s",
	"Your staff concerned, at most: %s":               "Eich staff dan sylw, ar y mwyaf: %s",
	"Your staff concerned: %s":                        "Eich staff dan sylw: %s",
	"People##heading":                                 "Pobl",
	"What became readable of each":                    "Yr hyn a ddaeth yn ddarllenadwy am bob un",
	"It became readable between %s and %s.":           "Daeth yn ddarllenadwy rhwng %s a %s.",
	"As the ledger stood then, nobody of your staff.": "Yn ôl y cyfriflyfr bryd hynny, neb o'ch staff.",
	"Sealed data of your staff was taken too. Nobody can read it without its keys, which were not taken as far as the service knows.": "Cymerwyd data wedi'i selio am eich staff hefyd. Ni all neb ei ddarllen heb ei allweddi, na chymerwyd hyd y gŵyr y gwasanaeth.",
	"What to do first": "Beth i'w wneud yn gyntaf",
	"Decide whether to report it to the Information Commissioner. Whoever answers for the data has 72 hours from becoming aware: until %s.": "Penderfynwch a ddylid rhoi gwybod i'r Comisiynydd Gwybodaeth. Mae gan bwy bynnag sy'n gyfrifol am y data 72 awr o ddod yn ymwybodol: hyd %s.",
	"Enter it in your register of breaches, whatever you decide.":                                                                           "Cofnodwch ef yn eich cofrestr o dor diogelwch, beth bynnag a benderfynwch.",
	"Do not pass the link on: whoever has it can open this page.":                                                                           "Peidiwch ag anfon y ddolen ymlaen: gall pwy bynnag sydd â hi agor y dudalen hon.",
	"We have read this": "Rydym wedi darllen hwn",
	"The service knows then that you know. The page shows no figures after that, so note them first.": "Bydd y gwasanaeth wedyn yn gwybod eich bod chi'n gwybod. Nid yw'r dudalen yn dangos ffigurau ar ôl hynny, felly nodwch nhw yn gyntaf.",
	"Ask the service something":                "Gofyn rhywbeth i'r gwasanaeth",
	"Your question":                            "Eich cwestiwn",
	"Write no names of people concerned.":      "Peidiwch ag ysgrifennu enwau pobl dan sylw.",
	"Ask":                                      "Gofyn",
	"Enter your question":                      "Rhowch eich cwestiwn",
	"Shorten the question to 2,000 characters": "Cwtogwch y cwestiwn i 2,000 nod",
	"This page was opened too often":           "Agorwyd y dudalen hon yn rhy aml",
	"Try again in an hour, or call the number in your contract with the service.":                 "Rhowch gynnig arall arni ymhen awr, neu ffoniwch y rhif yn eich contract â'r gwasanaeth.",
	"It is older than 30 days, or incomplete. Call the number in your contract with the service.": "Mae'n hŷn na 30 diwrnod, neu'n anghyflawn. Ffoniwch y rhif yn eich contract â'r gwasanaeth.",
	"Thank you: the service knows now that you have read this.":                                   "Diolch: mae'r gwasanaeth yn gwybod nawr eich bod wedi darllen hwn.",
	"Your question has reached the service, which will answer you.":                               "Mae eich cwestiwn wedi cyrraedd y gwasanaeth, a fydd yn eich ateb.",
}

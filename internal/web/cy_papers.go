package web

import "github.com/dosevault/dosevault/internal/words"

// cyPapers has what is said and reported of a breach.
var cyPapers = map[words.Key]string{
	"As it was given out last, in the languages of its contact": "Fel y'i rhoddwyd ddiwethaf, yn ieithoedd ei gyswllt",
	"England":          "Lloegr",
	"Northern Ireland": "Gogledd Iwerddon",
	"Scotland":         "Yr Alban",
	"Wales":            "Cymru",
	"Entry in the register of breaches (CSV)":                 "Cofnod yn y gofrestr o dor diogelwch (CSV)",
	"Facts, effects, what was done, what was decided and why": "Ffeithiau, effeithiau, yr hyn a wnaed, yr hyn a benderfynwyd a pham",
	"Figures come from the ledgers anew each time, and no file names anybody whose data it is about. What was written into the incident by hand stands there as it was written.": "Daw'r ffigurau o'r cyfriflyfrau o'r newydd bob tro, ac nid yw'r un ffeil yn enwi neb y mae'r data amdanynt. Mae'r hyn a ysgrifennwyd yn y digwyddiad â llaw yno fel y'i hysgrifennwyd.",
	"In the language of this page; counts of fewer than ten people are not published":                                                                                            "Yn iaith y dudalen hon; ni chyhoeddir niferoedd o lai na deg o bobl",
	"It depends on where the organisation is:": "Mae'n dibynnu ar ble mae'r sefydliad:",
	"No fixed time":                        "Dim amser penodol",
	"Nobody is concerned, by the ledgers.": "Yn ôl y cyfriflyfrau, nid oes neb dan sylw.",
	"Notice":                               "Hysbysiad",
	"Notice to %s as a letter (PDF)":       "Hysbysiad i %s fel llythyr (PDF)",
	"Public statement (PDF)":               "Datganiad cyhoeddus (PDF)",
	"Report":                               "Adroddiad",
	"Report to the Information Commissioner (PDF)": "Adroddiad i'r Comisiynydd Gwybodaeth (PDF)",
	"Source read on %s":                            "Darllenwyd y ffynhonnell ar %s",
	"Statement":                                    "Datganiad",
	"The form, filled in as far as the incident knows; the rest is for whoever signs": "Y ffurflen, wedi'i llenwi cyn belled ag y gŵyr y digwyddiad; mae'r gweddill i bwy bynnag sy'n llofnodi",
	"The same as JSON":                      "Yr un peth fel JSON",
	"What is said and reported":             "Yr hyn a ddywedir ac a adroddir",
	"What people concerned are told":        "Yr hyn a ddywedir wrth y bobl dan sylw",
	"Who else is told":                      "Pwy arall sy'n cael gwybod",
	"With stable names, for other programs": "Gydag enwau sefydlog, ar gyfer rhaglenni eraill",
	"Within %s":                             "O fewn %s",
	"To be confirmed":                       "I'w gadarnhau",
}

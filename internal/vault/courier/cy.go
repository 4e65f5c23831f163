package courier

import (
	"maps"

	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/words"
)

// welsh is the Welsh of notices, with what the vault says of fields. The words are those of the pages.
var welsh = words.Catalogue{Texts: texts(), Nouns: map[words.Noun]words.WelshNoun{"person": {One: "person", Many: "o bobl"}}}

func texts() map[words.Key]string {
	all := maps.Clone(vault.Welsh)
	maps.Copy(all, cyNotices)
	return all
}

// cyNotices is the Welsh of a notice of a breach.
var cyNotices = map[words.Key]string{
	"Suspected breach of your staff's badge data: %s, part %d": "Amheuaeth o dor diogelwch data bathodynnau eich staff: %s, rhan %d",
	"To the contact for notices of %s":                         "At y cyswllt ar gyfer hysbysiadau yn %s",
	"This is a notice of a suspected breach of personal data of your staff, from the service that runs their radiation badges. Incident %s, part %d.": "Hysbysiad yw hwn am dor diogelwch posibl ar ddata personol eich staff, gan y gwasanaeth sy'n rhedeg eu bathodynnau ymbelydredd. Digwyddiad %s, rhan %d.",
	"Is this genuine?": "A yw hwn yn ddilys?",
	"A notice like this is easy to forge. This one asks for no password and for no data of anybody. To be sure, call us on the number that stands in your contract with us, not on one that you only find here. We answer on %s.": "Mae'n hawdd ffugio hysbysiad fel hwn. Nid yw'r un yma'n gofyn am gyfrinair nac am ddata neb. I fod yn sicr, ffoniwch ni ar y rhif sydd yn eich contract â ni, nid ar un nad ydych ond yn ei gael yma. Rydym yn ateb ar %s.",
	"Who is concerned": "Pwy sydd dan sylw",
	"Of your staff, as our ledger stands today, at most %s:": "O blith eich staff, yn ôl ein cyfriflyfr heddiw, ar y mwyaf %s:",
	"Of your staff, %s:":                    "O blith eich staff, %s:",
	"It became readable between %s and %s.": "Daeth yn ddarllenadwy rhwng %s a %s.",
	"You are told the maximum at once; a further part follows when more is known.":                                          "Rydych yn cael gwybod yr uchafswm ar unwaith; daw rhan arall pan fydd mwy'n hysbys.",
	"As our ledger stands today, nobody of your staff.":                                                                     "Yn ôl ein cyfriflyfr heddiw, neb o'ch staff.",
	"Sealed data of your staff was taken too. Nobody can read it without its keys, which were not taken as far as we know.": "Cymerwyd data wedi'i selio am eich staff hefyd. Ni all neb ei ddarllen heb ei allweddi, na chymerwyd hyd y gwyddom.",
	"What to do first": "Beth i'w wneud yn gyntaf",
	"1. Open this page, which needs no account. It says what happened and what we do:": "1. Agorwch y dudalen hon, nad oes angen cyfrif ar ei chyfer. Mae'n dweud beth ddigwyddodd a beth rydym yn ei wneud:",
	"2. Press “We have read this” there, so that we know that you know. You can ask us something there too. The link works for 30 days, and shows no figures once that is pressed. Whoever has it can open the page, so do not pass it on.": "2. Pwyswch “Rydym wedi darllen hwn” yno, er mwyn i ni wybod eich bod chi'n gwybod. Gallwch ofyn rhywbeth i ni yno hefyd. Mae'r ddolen yn gweithio am 30 diwrnod, ac nid yw'n dangos ffigurau unwaith y pwyswyd hynny. Gall pwy bynnag sydd â hi agor y dudalen, felly peidiwch â'i hanfon ymlaen.",
	"3. Decide whether to report it to the Information Commissioner. Whoever answers for the data has 72 hours from becoming aware, which is when this reached you at the latest: reckon with until %s.":                                    "3. Penderfynwch a ddylid rhoi gwybod i'r Comisiynydd Gwybodaeth. Mae gan bwy bynnag sy'n gyfrifol am y data 72 awr o ddod yn ymwybodol, sef fan bellaf pan gyrhaeddodd hwn chi: cyfrifwch hyd %s.",
	"4. Enter it in your register of breaches, whatever you decide.": "4. Cofnodwch ef yn eich cofrestr o dor diogelwch, beth bynnag a benderfynwch.",
}

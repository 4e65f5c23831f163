package incident

import "github.com/dosevault/dosevault/internal/words"

// cyStatement has the public statement.
var cyStatement = map[words.Key]string{
	"fewer than %d":                          "llai na %d",
	"some":                                   "rhai",
	"%s: %s records":                         "%s: cofnodion: %s",
	"Statement on a breach of personal data": "Datganiad am dor diogelwch data personol",
	"As known on %s. Earlier figures are replaced by these.": "Fel y mae'n hysbys ar %s. Mae'r ffigurau hyn yn disodli rhai cynharach.",
	"A medium with encrypted data is missing. Nobody can read what is on it without keys that were kept elsewhere, so nobody's data became known.":                                 "Mae cyfrwng â data wedi'i amgryptio ar goll. Ni all neb ddarllen yr hyn sydd arno heb allweddi a gadwyd mewn man arall, felly ni ddaeth data neb yn hysbys.",
	"It was suspected that personal data of staff who wear radiation badges had become known to somebody who should not have it. Our records show that nothing was shown to them.": "Amheuwyd bod data personol staff sy'n gwisgo bathodynnau ymbelydredd wedi dod yn hysbys i rywun na ddylai ei gael. Mae ein cofnodion yn dangos na ddangoswyd dim iddynt.",
	"Personal data of staff who wear radiation badges became known, or may have become known, to somebody who should not have it, between %s and %s.":                              "Daeth data personol staff sy'n gwisgo bathodynnau ymbelydredd yn hysbys, neu mae'n bosibl iddo ddod yn hysbys, i rywun na ddylai ei gael, rhwng %s a %s.",
	"Fewer than %d people of %s organisations are concerned.":                                                                          "Mae hyn yn ymwneud â llai na %d o bobl; nifer y sefydliadau: %s.",
	"At most %s people of %s organisations are concerned.":                                                                             "Mae hyn yn ymwneud ag uchafswm o %s o bobl; nifer y sefydliadau: %s.",
	"What became known is not the same for everybody:":                                                                                 "Nid yw'r hyn a ddaeth yn hysbys yr un peth i bawb:",
	"Somebody who works for two of the organisations has a record with each, so the records can be more than the people.":              "Mae gan rywun sy'n gweithio i ddau o'r sefydliadau gofnod gyda phob un, felly gall fod mwy o gofnodion nag o bobl.",
	"These organisations are the employers. Told so far: %s.":                                                                          "Y sefydliadau hyn yw'r cyflogwyr. Nifer sydd wedi cael gwybod hyd yma: %s.",
	"Everybody concerned hears from their own employer what was held about them, what they can do, and what support they are offered.": "Bydd pawb dan sylw yn clywed gan eu cyflogwr eu hunain beth a ddaliwyd amdanynt, beth y gallant ei wneud, a pha gymorth a gynigir iddynt.",
	"National Insurance numbers are not among the data.":                                                                               "Nid yw rhifau Yswiriant Gwladol ymhlith y data.",
	"We say when everybody concerned has been told. Whoever has heard nothing by then is not among them, by our records.":              "Byddwn yn dweud pan fydd pawb dan sylw wedi cael gwybod. Nid yw pwy bynnag na fydd wedi clywed dim erbyn hynny yn eu plith, yn ôl ein cofnodion.",
	"Nobody will ask for a password, a code or a payment because of this.":                                                             "Ni fydd neb yn gofyn am gyfrinair, cod na thaliad oherwydd hyn.",
	"Questions: %s": "Cwestiynau: %s",
}

package incident

import "github.com/dosevault/dosevault/internal/words"

// cyLetters has the letters to organisations and people.
var cyLetters = map[words.Key]string{
	"As our ledger stands today, nobody of your staff.": "Yn ôl ein cyfriflyfr heddiw, neb o'ch staff.",
	"Call %s, and say incident %s. Your employer, %s, answers for your data; you can also ask its data protection officer. This letter asks you for nothing: if you doubt that it is genuine, ask your employer on a number that you know.": "Ffoniwch %s, a dywedwch ddigwyddiad %s. Eich cyflogwr, %s, sy'n gyfrifol am eich data; gallwch hefyd holi ei swyddog diogelu data. Nid yw'r llythyr hwn yn gofyn i chi am ddim: os ydych yn amau a yw'n ddilys, holwch eich cyflogwr ar rif yr ydych yn ei adnabod.",
	"Call us on %s, and say that you have this letter. If you are not sure that it is genuine, use the number in your contract with us instead. It asks you for no password and for nobody's data.":                                         "Ffoniwch ni ar %s, a dywedwch fod y llythyr hwn gennych. Os nad ydych yn siŵr ei fod yn ddilys, defnyddiwch y rhif yn eich contract â ni yn lle hynny. Nid yw'n gofyn i chi am gyfrinair nac am ddata neb.",
	"Decide whether to report to the Information Commissioner: you have 72 hours from when you became aware, nights and weekends counted. That is when this letter reached you, or an e-mail or call before it.":                            "Penderfynwch a ddylid rhoi gwybod i'r Comisiynydd Gwybodaeth: mae gennych 72 awr o'r adeg y daethoch yn ymwybodol, gan gyfrif nosweithiau a phenwythnosau. Dyna pryd y cyrhaeddodd y llythyr hwn chi, neu e-bost neu alwad cyn hynny.",
	"Decide whether to tell the people concerned. We tell you who they are through the service's pages, or hand you letters to them; ask us.":                                                                                               "Penderfynwch a ddylid dweud wrth y bobl dan sylw. Rydym yn dweud wrthych pwy ydynt drwy dudalennau'r gwasanaeth, neu'n rhoi llythyrau iddynt i chi; gofynnwch i ni.",
	"Enter the breach in your register, whatever you decide (Art 33(5)).":                                                             "Cofnodwch y tor diogelwch yn eich cofrestr, beth bynnag a benderfynwch (Erthygl 33(5)).",
	"Incident %s, %s. Keep these letters together until they are posted; whoever holds them can be answered for by the export below.": "Digwyddiad %s, %s. Cadwch y llythyrau hyn gyda'i gilydd nes eu postio; gellir ateb dros bwy bynnag sy'n eu dal drwy'r allforyn isod.",
	"It became readable between %s and %s.":                                                                                           "Daeth yn ddarllenadwy rhwng %s a %s.",
	"It was readable between %s and %s.":                                                                                              "Roedd yn ddarllenadwy rhwng %s a %s.",
	"Letters to people concerned":                                                                                                     "Llythyrau at y bobl dan sylw",
	"Letters to people who have left, at the end":                                                                                     "Llythyrau at bobl sydd wedi gadael, ar y diwedd",
	"Letters to people who work there":                                                                                                "Llythyrau at bobl sy'n gweithio yno",
	"Letters without an address, to be handed over":                                                                                   "Llythyrau heb gyfeiriad, i'w rhoi â llaw",
	"Of your staff, former staff too, %s:":                                                                                            "O blith eich staff, a chyn-staff hefyd, %s:",
	"Of your staff, former staff too, as our ledger stands today, at most %s:":                                                        "O blith eich staff, a chyn-staff hefyd, yn ôl ein cyfriflyfr heddiw, ar y mwyaf %s:",
	"People who have died: nobody writes to them":                                                                                     "Pobl sydd wedi marw: nid oes neb yn ysgrifennu atynt",
	"Sealed data of your staff was taken too. Nobody can read it without its keys, which were not taken as far as we know.":           "Cymerwyd data wedi'i selio am eich staff hefyd. Ni all neb ei ddarllen heb ei allweddi, na chymerwyd hyd y gwyddom.",
	"Suspected breach of your staff's badge data":                                                                                     "Amheuaeth o dor diogelwch data bathodynnau eich staff",
	"The radiation doses are those of %s.":                                                                                            "Dosau ymbelydredd y blynyddoedd canlynol yw'r rhain: %s.",
	"The same stands on a page that needs no account: %s. Whoever has this address can open it, so don't pass it on.":                 "Mae'r un peth ar dudalen nad oes angen cyfrif ar ei chyfer: %s. Gall pwy bynnag sydd â'r cyfeiriad hwn ei hagor, felly peidiwch â'i rannu.",
	"This is a notice of a suspected breach of personal data of your staff, from the service that runs their radiation badges: incident %s, part %d. You are the controller of this data, and the service is your processor (UK GDPR Art 33(2)).": "Hysbysiad yw hwn am dor diogelwch posibl ar ddata personol eich staff, gan y gwasanaeth sy'n rhedeg eu bathodynnau ymbelydredd: digwyddiad %s, rhan %d. Chi yw rheolydd y data hwn, a'r gwasanaeth yw eich prosesydd (GDPR y DU, Erthygl 33(2)).",
	"This is the most that can have become known, by our records. Anything else that is held about you is not concerned.":                                                                                                                         "Dyma'r uchafswm a all fod wedi dod yn hysbys, yn ôl ein cofnodion. Nid yw'n ymwneud ag unrhyw beth arall a ddelir amdanoch.",
	"We write to you because data about you that %s holds, or held, for your radiation badges became known, or may have become known, to somebody who should not have it.":                                                                        "Rydym yn ysgrifennu atoch am fod data amdanoch a ddelir, neu a ddaliwyd, gan %s ar gyfer eich bathodynnau ymbelydredd wedi dod yn hysbys, neu y gallai fod wedi dod yn hysbys, i rywun na ddylai ei gael.",
	"What happened, and what is done": "Beth ddigwyddodd, a beth sy'n cael ei wneud",
	"What to do now":                  "Beth i'w wneud nawr",
	"What was held about you":         "Beth a ddaliwyd amdanoch",
	"Who is concerned":                "Pwy sydd dan sylw",
	"Who to ask":                      "Pwy i'w holi",
	"You are told the maximum at once; another part follows when more is known.":                                                                    "Rydych yn cael gwybod yr uchafswm ar unwaith; daw rhan arall pan fydd mwy'n hysbys.",
	"Your National Insurance number was held because the law asks for it in the dose records of people who are classified for work with radiation.": "Daliwyd eich rhif Yswiriant Gwladol am fod y gyfraith yn gofyn amdano yng nghofnodion dos pobl sydd wedi'u dosbarthu ar gyfer gwaith gydag ymbelydredd.",
	"Your data: what happened, and what you can do":                                                                                                 "Eich data: beth ddigwyddodd, a beth allwch chi ei wneud",
}

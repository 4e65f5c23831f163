package synth

import "math/rand/v2"

type weighted struct {
	text   string
	weight float64
}

// Surnames with weights in per mille, roughly as common as among hospital staff in Wales. The first are as in the
// census: a third of people share ten names.
var surnames = []weighted{
	{"Jones", 57}, {"Davies", 37}, {"Williams", 37}, {"Evans", 25}, {"Thomas", 24}, {"Roberts", 15}, {"Lewis", 15}, {"Hughes", 12}, {"Morgan", 12},
	{"Griffiths", 10}, {"Edwards", 9}, {"Smith", 9}, {"James", 8}, {"Rees", 8}, {"Jenkins", 7}, {"Price", 7}, {"Owen", 7}, {"Phillips", 7}, {"Harris", 6},
	{"Morris", 6}, {"Lloyd", 6}, {"Parry", 5}, {"Richards", 5}, {"Powell", 5}, {"Brown", 5}, {"Taylor", 5}, {"Watkins", 5}, {"Howells", 4}, {"Bowen", 4},
	{"John", 4}, {"Ellis", 4}, {"Pritchard", 4}, {"Rowlands", 4}, {"Humphreys", 3}, {"Llewellyn", 3}, {"Bevan", 3}, {"Pugh", 3}, {"Vaughan", 3},
	{"Hopkins", 3}, {"Matthews", 3}, {"Rogers", 3}, {"Walters", 3}, {"Harries", 3}, {"Gittins", 1}, {"Prosser", 2}, {"Probert", 2}, {"Beynon", 2},
	{"Mathias", 2}, {"Picton", 1}, {"Tudor", 1}, {"Gwynne", 1}, {"Penry", 1}, {"Meredith", 2}, {"Breeze", 1}, {"Nicholas", 2}, {"Francis", 2},
	{"Llwyd", 1.5}, {"Gruffydd", 1.5}, {"Prydderch", 0.8}, {"Rhydderch", 0.8}, {"Ceredig", 0.5}, {"Eurig", 0.3}, {"Emlyn", 0.5}, {"Arfon", 0.3},
	{"Llŷr", 0.5}, {"Gŵyn", 0.3}, {"Môn", 0.4}, {"ap Rhys", 0.6}, {"ap Gwilym", 0.5}, {"ap Siôn", 0.3}, {"ab Owain", 0.5}, {"ab-Iorwerth", 0.3}, {"ferch Dafydd", 0.1},
	{"Johnson", 3}, {"Walker", 3}, {"White", 3}, {"Green", 3}, {"Hall", 2.5}, {"Wood", 2.5}, {"Clarke", 2.5}, {"Jackson", 2.5}, {"Turner", 2.5}, {"Hill", 2.5},
	{"Cooper", 2.5}, {"Ward", 2}, {"Martin", 2.5}, {"Baker", 2}, {"Moore", 2.5}, {"King", 2}, {"Wright", 2}, {"Carter", 2}, {"Bennett", 2}, {"Cook", 2},
	{"Collins", 2}, {"Murphy", 2}, {"Kelly", 2}, {"O'Brien", 1.5}, {"O'Neill", 1}, {"O’Sullivan", 1}, {"McCarthy", 1}, {"McDonald", 1}, {"MacLeod", 0.6},
	{"Campbell", 1.5}, {"Stewart", 1.2}, {"Fraser", 0.8}, {"Shaw", 1.2}, {"Barker", 1}, {"Chapman", 1.2}, {"Fletcher", 1}, {"Holmes", 1}, {"Palmer", 1.2},
	{"Webb", 1.2}, {"Fisher", 1}, {"Gibson", 1}, {"Hunt", 1}, {"Dixon", 0.8}, {"Reynolds", 0.8}, {"Marshall", 1}, {"Dawson", 0.7}, {"Hobbs", 0.5},
	{"Patel", 4}, {"Khan", 3}, {"Ahmed", 2.5}, {"Ali", 2}, {"Hussain", 2}, {"Singh", 2.5}, {"Kaur", 2}, {"Sharma", 1.2}, {"Thomas Kurian", 0.4},
	{"Joseph", 1.5}, {"Mathew", 1.5}, {"Varghese", 0.8}, {"Nair", 0.8}, {"D'Souza", 0.6}, {"Fernandes", 0.5}, {"de la Cruz", 0.5}, {"Santos", 0.8},
	{"Reyes", 0.7}, {"dela Rosa", 0.4}, {"Okafor", 0.6}, {"Adeyemi", 0.7}, {"Mensah", 0.5}, {"Ncube", 0.4}, {"Moyo", 0.4}, {"Chen", 0.8}, {"Li", 0.7},
	{"Wong", 0.7}, {"Nguyen", 0.6}, {"Kowalczyk", 0.6}, {"Wójcik", 0.5}, {"Nowak", 0.6}, {"Popescu", 0.6}, {"Müller", 0.3}, {"García", 0.4}, {"Rossi", 0.4},
	{"Papadopoulos", 0.3}, {"El-Sayed", 0.4}, {"Al-Rashid", 0.3}, {"van der Merwe", 0.3}, {"Ivanova", 0.2}, {"Yılmaz", 0.2}, {"Featherstonehaugh", 0.2},
}

var women = []weighted{
	{"Sarah", 20}, {"Nicola", 12}, {"Rachel", 14}, {"Emma", 16}, {"Claire", 12}, {"Rebecca", 13}, {"Louise", 8}, {"Lisa", 9}, {"Helen", 10}, {"Joanne", 9},
	{"Catherine", 8}, {"Kathryn", 4}, {"Elizabeth", 8}, {"Victoria", 6}, {"Laura", 10}, {"Hannah", 10}, {"Amy", 9}, {"Gemma", 8}, {"Sian", 6}, {"Siân", 12},
	{"Rhian", 12}, {"Bethan", 12}, {"Angharad", 8}, {"Catrin", 10}, {"Lowri", 7}, {"Megan", 11}, {"Carys", 7}, {"Nia", 9}, {"Eleri", 5}, {"Elin", 6},
	{"Ffion", 8}, {"Rhiannon", 7}, {"Ceri", 7}, {"Delyth", 4}, {"Menna", 3}, {"Mair", 3}, {"Mari", 4}, {"Heledd", 2.5}, {"Gwenllian", 2.5}, {"Gwenllïan", 0.5},
	{"Gwenno", 1.5}, {"Llinos", 3}, {"Nerys", 3}, {"Haf", 1}, {"Eirlys", 1}, {"Tegwen", 0.7}, {"Myfanwy", 1}, {"Ceridwen", 0.7}, {"Branwen", 1}, {"Siwan", 2},
	{"Anwen", 3}, {"Manon", 3}, {"Cerys", 3}, {"Glesni", 0.8}, {"Sioned", 3}, {"Alaw", 1}, {"Awel", 0.4}, {"Ann-Marie", 1.5}, {"Mary-Ann", 0.6}, {"Zoë", 1.5},
	{"Chloë", 1}, {"Jennifer", 7}, {"Susan", 7}, {"Julie", 7}, {"Karen", 6}, {"Deborah", 4}, {"Jane", 5}, {"Michelle", 6}, {"Samantha", 6}, {"Charlotte", 6},
	{"Priya", 1.5}, {"Anjali", 0.8}, {"Fatima", 1.2}, {"Ayesha", 1}, {"Maria", 3}, {"Grace", 2}, {"Agnieszka", 0.8}, {"Ioana", 0.5}, {"Chidinma", 0.4}, {"Mei", 0.5},
	{"Máire", 0.3}, {"Sinéad", 0.5}, {"Jisha", 0.7}, {"Princess", 0.3},
}

var men = []weighted{
	{"David", 18}, {"Andrew", 13}, {"Paul", 11}, {"Mark", 11}, {"Richard", 11}, {"Michael", 12}, {"James", 13}, {"John", 9}, {"Robert", 8}, {"Peter", 6},
	{"Christopher", 9}, {"Matthew", 9}, {"Daniel", 9}, {"Thomas", 9}, {"Stephen", 7}, {"Simon", 6}, {"Ian", 6}, {"Jonathan", 5}, {"Gareth", 15}, {"Rhys", 12},
	{"Huw", 9}, {"Dafydd", 8}, {"Owain", 6}, {"Rhodri", 6}, {"Aled", 6}, {"Geraint", 6}, {"Iwan", 5}, {"Ieuan", 4}, {"Gethin", 5}, {"Llŷr", 3}, {"Llyr", 1},
	{"Siôn", 4}, {"Emyr", 4}, {"Hywel", 4}, {"Gwyn", 3}, {"Dylan", 6}, {"Evan", 4}, {"Ifan", 3}, {"Osian", 3}, {"Iolo", 2}, {"Gruffydd", 2}, {"Llywelyn", 1.5},
	{"Tudur", 1.5}, {"Meirion", 1.5}, {"Alun", 4}, {"Wyn", 3}, {"Idris", 1}, {"Tomos", 3}, {"Steffan", 3}, {"Gwilym", 1.5}, {"Emrys", 1}, {"Bedwyr", 0.5},
	{"Guto", 1.5}, {"Deiniol", 0.7}, {"Mohammed", 2.5}, {"Imran", 1.5}, {"Rajesh", 1.2}, {"Sanjay", 1.2}, {"Arun", 1}, {"Ahmed", 1.2}, {"Emmanuel", 0.8},
	{"Tomasz", 0.7}, {"Andrei", 0.5}, {"Jürgen", 0.1}, {"José", 0.4}, {"Wei", 0.5}, {"Kwame", 0.4}, {"Jean-Luc", 0.1}, {"Seán", 0.4}, {"Ciarán", 0.3},
}

// Names that people go by, and the forename that it is short for.
var shortNames = map[string][]string{
	"Catherine": {"Cath", "Kate"}, "Elizabeth": {"Liz", "Beth"}, "Rebecca": {"Becky"}, "Deborah": {"Debbie"}, "Jennifer": {"Jen"}, "Samantha": {"Sam"},
	"Victoria": {"Vicky"}, "Susan": {"Sue"}, "Angharad": {"Haz"}, "Gwenllian": {"Gwen"}, "Christopher": {"Chris"}, "Michael": {"Mike"}, "Robert": {"Rob", "Bob"},
	"Richard": {"Rich"}, "Andrew": {"Andy"}, "Matthew": {"Matt"}, "Daniel": {"Dan"}, "Thomas": {"Tom"}, "Stephen": {"Steve"}, "Jonathan": {"Jon"},
	"Gareth": {"Gaz"}, "Dafydd": {"Dai"}, "David": {"Dave", "Dai"}, "Gruffydd": {"Gruff"}, "Geraint": {"Ger"}, "Mohammed": {"Mo"},
}

var streets = []string{
	"Heol y Bryn", "Stryd Fawr", "Ffordd y Gŵydd", "Lôn Las", "Maes yr Haf", "Rhodfa'r Ŵyn", "Clos Tŷ Gwyn", "Heol Dŵr", "Church Street", "Station Road",
	"Mill Lane", "Park View", "Chapel Row", "Castle Terrace", "Cae'r Wennol", "Llwyn Onn", "Ffordd yr Orsaf", "Victoria Road", "Orchard Close", "Queen Street",
	"Erw'r Delyn", "Min-y-Môr", "Trem y Cwm", "Bryn Siriol",
}

func weightOf(w *weighted) float64 { return w.weight }

func draw(r *rand.Rand, list []weighted) string { return pick(r, list, weightOf).text }

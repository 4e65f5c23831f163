package synth

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/person"
)

// The NHS bodies and their sizes in the full service. The names are invented.
var nhs = []struct {
	name string
	kind Kind
	size int
}{
	{"Bwrdd Iechyd Glannau Arian Health Board", HealthBoard, 654},
	{"Bwrdd Iechyd Bro Gwylan Health Board", HealthBoard, 612},
	{"Ymddiriedolaeth GIG Pelydryn NHS Trust", NHSTrust, 530},
	{"Bwrdd Iechyd Dyffryn Eirlys Health Board", HealthBoard, 508},
	{"Bwrdd Iechyd Cwm Brithyll Health Board", HealthBoard, 431},
	{"Bwrdd Iechyd Mynydd Llwydwyn Health Board", HealthBoard, 297},
	{"Bwrdd Iechyd Aberlleuad Health Board", HealthBoard, 203},
	{"Ymddiriedolaeth GIG Awel y Bryn NHS Trust", NHSTrust, 118},
	{"Ymddiriedolaeth GIG Seren Wen NHS Trust", NHSTrust, 70},
}

const ownTrust = 2

// Invented places.
var places = []string{
	"Aberlleuad", "Llanfrithyll", "Trewylan", "Pontarian", "Abereirlys", "Cwmhelygen", "Pentrebarcud", "Tregwenith", "Rhydgarreg Wen",
	"Llaneirys", "Bryngwylfa", "Caerwennol", "Penllwydwyn", "Maesygog", "Llwynbedwen", "Tonfelen", "Glyncelynnen", "Porthlleuad", "Nantydrywod",
	"Felindryw", "Tŷ'n-y-Gŵydd", "Llandylluan", "Ynyswylan", "Bodlasarn", "Trefwennol", "Pontysgwarnog", "Dŵr-y-Felin Fach", "Capel Onnen",
	"Llanfedwen", "Rhosydryw", "Crugywennol", "Aberhelygen", "Blaencelyn Uchaf", "Cefnysguthan", "Hendrebarcud", "Morfa Wylan",
}

// Patterns of practices' names.
var (
	dentalNames = []string{"Deintyddfa %s Dental Practice", "%s Dental Care", "Gwên %s Smile Clinic", "%s Dental Surgery"}
	vetNames    = []string{"Milfeddygon %s Vets", "%s Veterinary Centre", "%s Animal Hospital", "%s Equine Clinic"}
)

// Words of organisations' names that their mail domains leave out.
var dropped = []string{"bwrdd", "iechyd", "health", "board", "ymddiriedolaeth", "gig", "nhs", "trust", "ysbyty", "preifat", "private", "hospital", "airport"}

// Sizes of the private hospitals and the airport in the full service; practices of 2 to 10 take the rest.
var (
	hospitals   = []int{210, 150, 110, 80, 60, 45}
	airportSize = 62
)

// organisations makes the employers and returns how many people each has.
func (s *Service) organisations(c Config) []int {
	r := c.rng(1)
	var sizes []int
	domains := map[string]bool{}
	names := map[string]int{}
	add := func(name string, kind Kind, size int) {
		if names[name]++; names[name] > 1 {
			name = fmt.Sprintf("%s %d", name, names[name])
		}
		o := Organisation{Name: name, Kind: kind, Account: fmt.Sprintf("4%05d", scattered(len(sizes), 100_000)), Birth: chance(r, 0.35)}
		for words, n := person.Words(name), 1; ; n++ {
			words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return slices.Contains(dropped, w) })
			o.domain = strings.Join(words[:min(3, len(words))], "-")
			if n > 1 {
				o.domain = fmt.Sprintf("%s-%d", o.domain, n)
			}
			if o.domain += ".example"; !domains[o.domain] {
				domains[o.domain] = true
				break
			}
		}
		s.Organisations = append(s.Organisations, o)
		sizes = append(sizes, size)
	}

	weights := make([]int, len(nhs))
	for i, b := range nhs {
		weights[i] = b.size
	}
	inNHS := (c.People*fullNHS + fullSize/2) / fullSize
	for i, size := range share(inNHS, weights) {
		add(nhs[i].name, nhs[i].kind, size)
	}
	s.Organisations[ownTrust].Own = true

	left := c.People - inNHS
	scale := func(n int) int { return min(left, (n*c.People+fullSize/2)/fullSize) }
	for i, n := range hospitals {
		if n = scale(n); n > 0 {
			left -= n
			add(fmt.Sprintf("Ysbyty Preifat %s Private Hospital", places[i*5]), PrivateHospital, n)
		}
	}
	if n := scale(airportSize); n > 0 {
		left -= n
		add("Maes Awyr Penllwydwyn Airport", Airport, n)
	}
	for left > 0 {
		n := min(left, 2+r.IntN(9))
		if left-n == 1 {
			n++ // nobody is left alone
		}
		left -= n
		if chance(r, 0.56) {
			add(fmt.Sprintf(oneOf(r, dentalNames), oneOf(r, places)), DentalPractice, n)
		} else {
			add(fmt.Sprintf(oneOf(r, vetNames), oneOf(r, places)), VetPractice, n)
		}
	}
	return sizes
}

// share divides n by weights; the parts sum to n.
func share(n int, weights []int) []int {
	total := 0
	for _, w := range weights {
		total += w
	}
	parts, sum, before := make([]int, len(weights)), 0, 0
	for i, w := range weights {
		sum += w
		end := (n*sum + total/2) / total
		parts[i], before = end-before, end
	}
	return parts
}

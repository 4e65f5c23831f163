package synth

import (
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
)

// Historical is the service as it was on the day of the theft of 6 October 2016: 4,766 people unless a number is given.
func Historical(people int) Config {
	return Config{Seed: 2016, People: people, Years: 6, Today: day.Of(2016, time.October, 6)}
}

// Disclosure is what the laboratory held of a wearer.
type Disclosure struct {
	Wearer int
	Fields policy.Fields
	Years  []uint16 // calendar years of dose
	NI     person.Value
}

// Disclosed is what the laboratory held of everybody: a name and doses of six years; where the organisation had told it dates of birth those
// too, and the NI numbers of some. Of the other organisations' people it is as one English trust counted them: of 298 people 37 with a
// date of birth, 2 with an NI number and 259 with neither.
func (s *Service) Disclosed() []Disclosure {
	r := rand.New(rand.NewPCG(2016, 10))
	taken := map[string]bool{}
	for i := range s.Wearers {
		taken[s.Wearers[i].NI.Expose()] = true
	}
	number := func(w *Wearer) person.Value {
		for n := w.NI; ; n = person.NewValue(fmt.Sprintf("J%c%06d%c", "ABCEGHJ"[r.IntN(7)], r.IntN(1_000_000), 'A'+r.IntN(4))) {
			if !n.IsZero() && (n == w.NI || !taken[n.Expose()]) {
				taken[n.Expose()] = true
				return n
			}
		}
	}
	out := make([]Disclosure, len(s.Wearers))
	first := s.begin().Year()
	for i := range s.Wearers {
		w := &s.Wearers[i]
		d := Disclosure{Wearer: i, Fields: policy.FieldName | policy.FieldDose}
		of298 := r.IntN(298)
		told := s.Organisations[w.Organisation].Birth
		if told || of298 < 37 {
			d.Fields |= policy.FieldBirth
		}
		if told && (w.Classified || chance(r, 0.3)) || !told && of298 >= 37 && of298 < 39 {
			d.Fields |= policy.FieldNI
			d.NI = number(w)
		}
		for y := max(first, w.From.Year()); y <= latest(w.To, s.Today).Year(); y++ {
			d.Years = append(d.Years, uint16(y))
		}
		out[i] = d
	}
	return out
}

// SupplierList counts what was written into a laboratory's list.
type SupplierList struct {
	Rows      int
	Disclosed int // wearers who stand on it, each once or more
	Again     int // rows that repeat one of them
	Dummies   int
	Strangers int // other services' people
	Nobody    int // rows by which nobody can be identified

	Of []int // whose row each is: the person, or -1
}

// badgesOfNobody are entries of a laboratory's system that are nobody.
var badgesOfNobody = []string{"TEST, TEST", "CONTROL, BADGE", "SPARE 3", "TRANSIT", "DUMMY", "VISITOR 1", "ENVIRONMENTAL 12", "TEST PATIENT", "BACKGROUND", "CALIBRATION BADGE"}

// WriteSupplierList writes the list of those concerned as a laboratory makes it of six years of its records: one row for each name that was ever
// typed in, with repetitions, badges of nobody, people of other customers, and rows that say too little. One wearer in forty is missing.
func (s *Service) WriteSupplierList(w io.Writer, disclosed []Disclosure) (n SupplierList, err error) {
	r := rand.New(rand.NewPCG(2016, 26))
	var rows [][]string
	add := func(of int, cells ...string) { rows, n.Of = append(rows, cells), append(n.Of, of) }
	years := func(d Disclosure) (from, to string) {
		if len(d.Years) == 0 {
			return "", ""
		}
		return fmt.Sprint(d.Years[0]), fmt.Sprint(d.Years[len(d.Years)-1])
	}
	for _, d := range disclosed {
		if chance(r, 1.0/40) {
			continue
		}
		n.Disclosed++
		e := &s.Wearers[d.Wearer]
		o := &s.Organisations[e.Organisation]
		from, to := years(d)
		for again := 0; again == 0 || chance(r, 0.06); again++ {
			if again > 0 {
				n.Again++
			}
			name := s.label(e)
			switch {
			case again > 0 && chance(r, 0.5):
				name = e.Identity.Forenames.Expose() + " " + e.Identity.Surname.Expose()
			case chance(r, 0.01):
				name = slipIn(r, name)
			}
			birth := ""
			if b := e.Identity.Birth.Expose(); d.Fields&policy.FieldBirth != 0 {
				birth = b[8:] + "/" + b[5:7] + "/" + b[:4]
				if again > 0 && chance(r, 0.2) {
					birth = b[8:] + "/" + b[5:7] + "/" + b[2:4]
				}
			}
			ni := ""
			if d.Fields&policy.FieldNI != 0 {
				ni = d.NI.Expose()
				if chance(r, 0.5) {
					ni = ni[:2] + " " + ni[2:4] + " " + ni[4:6] + " " + ni[6:8] + " " + ni[8:]
				}
			}
			add(e.Person, o.Account, capitals(o.Name), name, birth, ni, from, to, fmt.Sprintf("%.2f", lognormal(r, 0.2, 1)))
		}
	}
	share := func(p float64) int { return max(1, int(p*float64(len(disclosed)))) }
	m := maker{r: r, ni: map[string]bool{}}
	for i := range share(0.012) {
		o := &s.Organisations[r.IntN(len(s.Organisations))]
		ni := ""
		if i%3 == 0 {
			ni = "QQ123456A"
		}
		n.Dummies++
		add(-1, o.Account, capitals(o.Name), badgesOfNobody[i%len(badgesOfNobody)], "", ni, "", "", "")
	}
	for range share(0.03) {
		n.Strangers++
		birth := day.Of(1950+r.IntN(45), time.Month(1+r.IntN(12)), 1+r.IntN(28)).String()
		add(-1, fmt.Sprintf("9%05d", r.IntN(100_000)), "NORTHERN IMAGING SERVICES", capitals(draw(r, surnames)+", "+draw(r, women)), birth, m.number(), "2012", "2014", "0.10")
	}
	for i := range share(0.015) {
		o := &s.Organisations[r.IntN(len(s.Organisations))]
		n.Nobody++
		switch i % 3 {
		case 0:
			add(-1, o.Account, capitals(o.Name), "UNKNOWN", "01/01/1900", "", "2011", "2011", "0.00")
		case 1:
			add(-1, "", "", capitals(draw(r, surnames)), "", "", "2011", "2012", "0.05")
		default:
			add(-1, o.Account, capitals(o.Name), "", "", "", "2013", "2013", "0.00")
		}
	}
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j], n.Of[i], n.Of[j] = rows[j], rows[i], n.Of[j], n.Of[i] })
	n.Rows = len(rows)
	out := csv.NewWriter(w)
	if err := out.Write([]string{"Customer No", "Hospital", "Wearer Name", "DOB", "NI No", "First year", "Last year", "Dose (mSv)"}); err != nil {
		return n, err
	}
	if err := out.WriteAll(rows); err != nil {
		return n, err
	}
	return n, out.Error()
}

// slipIn changes two letters of a long word over.
func slipIn(r *rand.Rand, name string) string {
	letters := []rune(name)
	for range 20 {
		if i := r.IntN(len(letters)); i+1 < len(letters) && letters[i] != letters[i+1] && !strings.ContainsAny(string(letters[i:i+2]), " ,-'") {
			letters[i], letters[i+1] = letters[i+1], letters[i]
			break
		}
	}
	return string(letters)
}

// Died are leavers of whom their employer says that they have died, by wearer.
func (s *Service) Died() (out []int) {
	r := rand.New(rand.NewPCG(2016, 12))
	for i := range s.Wearers {
		if !s.Wearers[i].To.IsZero() && chance(r, 0.012) {
			out = append(out, i)
		}
	}
	return out
}

package synth

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/person"
)

// begin is the first day of the years that have badges.
func (s *Service) begin() day.Day { return day.Of(s.Today.Year()-s.years+1, time.January, 1) }

// one in so many people has a second wearer record, at another organisation.
const secondEvery = 79

// people makes everybody but the marker people.
func (s *Service) people(c Config, sizes []int) {
	r := c.rng(2)
	m := maker{Service: s, r: r, ni: map[string]bool{}, emails: map[string]int{}}
	for o, n := range sizes {
		for range n {
			s.People = append(s.People, Person{})
			m.wearer(len(s.People)-1, o)
		}
	}
	// Second employments are with private organisations, so that the NHS bodies keep their sizes.
	var outside []int
	for o := range s.Organisations {
		if k := s.Organisations[o].Kind; k == PrivateHospital || k == DentalPractice && sizes[o] > 4 {
			outside = append(outside, o)
		}
	}
	if len(outside) == 0 || !hasNHS(sizes, s) {
		return
	}
	// Most of them are with the large hospitals.
	for left := (c.People + secondEvery - 1) / secondEvery; left > 0; left-- {
		var first int
		for {
			first = r.IntN(c.People)
			if s.Organisations[s.Wearers[first].Organisation].Kind.NHS() && !m.twice[first] {
				break
			}
		}
		if chance(r, 0.8) {
			m.second(first, oneOf(r, outside[:min(len(outside), len(hospitals))]))
		} else {
			m.second(first, oneOf(r, outside))
		}
	}
}

func hasNHS(sizes []int, s *Service) bool {
	for o, n := range sizes {
		if n > 0 && s.Organisations[o].Kind.NHS() {
			return true
		}
	}
	return false
}

// maker makes wearers.
type maker struct {
	*Service
	r      *rand.Rand
	ni     map[string]bool
	emails map[string]int
	twice  map[int]bool // people with two wearers; index of the first is that of the person
	staff  int
}

// wearer makes a new wearer for a person.
func (m *maker) wearer(p, organisation int) *Wearer {
	r := m.r
	o := &m.Organisations[organisation]
	role := pick(r, rolesOf(o.Kind), func(x *role) float64 { return x.weight })
	w := Wearer{Person: p, Organisation: organisation, role: role, Department: role.department, Role: role.title}

	female := chance(r, role.female)
	forenames, sex := men, "M"
	if female {
		forenames, sex = women, "F"
	}
	first := draw(r, forenames)
	given := first
	for _, more := range []float64{0.5, 0.06} {
		if !chance(r, more) {
			break
		}
		if next := draw(r, forenames); !strings.Contains(given, next) {
			given += " " + next
		}
	}
	id := &w.Identity
	id.Forenames = person.NewValue(given)
	surname := draw(r, surnames)
	if female && chance(r, 0.16) {
		id.Former = append(id.Former, person.NewValue(draw(r, surnames)))
	}
	if chance(r, 0.03) && !strings.Contains(surname, " ") {
		if other := draw(r, surnames); other != surname && !strings.Contains(other, " ") {
			surname += oneOf(r, []string{"-", "-", "-", " "}) + other
		}
	}
	id.Surname = person.NewValue(surname)
	if short := shortNames[first]; short != nil && chance(r, 0.4) {
		id.KnownAs = person.NewValue(oneOf(r, short))
	}
	id.Sex = person.NewValue(sex)

	// Employment: most were there before the records begin; about four in ten leave within six years.
	begin := m.begin()
	span := int(m.Today - begin)
	if chance(r, 0.58) {
		w.From = begin - day.Day(30+r.IntN(18*365))
	} else {
		w.From = begin + day.Day(r.IntN(max(span-20, 1)))
	}
	if to := max(w.From, begin) + day.Day(20+r.ExpFloat64()*9*365); to < m.Today {
		w.To = to
	}
	age := 21*365 + int(r.Float64()*r.Float64()*38*365)
	birth := w.From - day.Day(age)
	for oldest := m.Today - day.Day(72*365); birth < oldest; {
		birth += 5 * 365
	}
	if birth == 0 {
		birth++ // 1970-01-01 is no day
	}
	id.Birth = person.NewValue(birth.String())

	m.staff++
	staff := fmt.Sprintf("%08d", 10_000_000+9*scattered(m.staff, 10_000_000))
	if o.Kind.NHS() {
		if chance(r, 0.08) {
			staff += fmt.Sprintf("-%d", 2+r.IntN(3))
		}
	} else {
		staff = fmt.Sprintf("%c%c-%07d", 'A'+organisation%26, 'A'+organisation/26%26, scattered(m.staff, 10_000_000))
	}
	id.StaffNumber = person.NewValue(staff)
	id.Registration = person.NewValue(m.registration(role.register))

	w.Classified = chance(r, role.classified)
	if w.Classified {
		w.NI = person.NewValue(m.number())
		w.Health.Review = min(m.Today, latest(w.To, m.Today)) - day.Day(10+r.IntN(350))
		w.Health.Note = person.NewValue("Fit")
	}
	if age := int(m.Today-birth) / 365; female && age > 22 && age < 44 && w.To.IsZero() && chance(r, 0.03) {
		w.Health.Declared = m.Today - day.Day(r.IntN(900))
		w.Health.Due = w.Health.Declared + day.Day(180+r.IntN(30))
		if w.Health.Declared < w.From {
			w.Health.Declared, w.Health.Due = 0, 0
		}
	}
	w.Contact = m.contact(o, first, surname)
	m.dosimetry(&w)
	m.Wearers = append(m.Wearers, w)
	return &m.Wearers[len(m.Wearers)-1]
}

func latest(d, none day.Day) day.Day {
	if d.IsZero() {
		return none
	}
	return d
}

// dosimetry draws how often badges change and how much dose this wearer gets.
func (m *maker) dosimetry(w *Wearer) {
	r := m.r
	at := r.Float64()
	for w.Months = 1; w.Months < 3 && at >= w.role.months[w.Months-1]; w.Months++ {
		at -= w.role.months[w.Months-1]
	}
	if chance(r, w.role.exposed) {
		w.exposure = lognormal(r, 1, 0.75)
	}
}

// second makes a second wearer record of a person, at another organisation.
func (m *maker) second(p, organisation int) {
	if m.twice == nil {
		m.twice = map[int]bool{}
	}
	m.twice[p] = true
	m.wearer(p, organisation)
	first, w := &m.Wearers[p], &m.Wearers[len(m.Wearers)-1]
	staff, registration := w.Identity.StaffNumber, first.Identity.Registration
	w.Identity = first.Identity
	w.Identity.StaffNumber, w.Identity.Registration = staff, registration
	// Do as the first does, where the hospital has such people.
	roles := rolesOf(m.Organisations[organisation].Kind)
	w.role = &roles[0]
	for i := range roles {
		if roles[i].title == first.role.title || roles[i].register == first.role.register && roles[i].register != "" && w.role == &roles[0] {
			w.role = &roles[i]
		}
	}
	w.Department, w.Role = w.role.department, w.role.title
	w.From = max(w.From, first.From)
	if !w.To.IsZero() && w.To < w.From+60 {
		w.To = 0
	}
	w.Classified, w.NI, w.Health = first.Classified, first.NI, first.Health
	w.Health.Declared, w.Health.Due = 0, 0 // this employer was not told
	if m.r.IntN(3) > 0 {                   // the employers have two addresses as often as one
		w.Contact.Address, w.Contact.Phone = first.Contact.Address, first.Contact.Phone
	}
	m.dosimetry(w)
}

// number draws an NI number that nobody else has.
func (m *maker) number() string {
	const first, second = "ABCEGHJKLMNOPRSTWXYZ", "ABCEGHJKLMNPRSTWXYZ"
	for {
		n := fmt.Sprintf("%c%c%06d%c", first[m.r.IntN(len(first))], second[m.r.IntN(len(second))], m.r.IntN(1_000_000), 'A'+m.r.IntN(4))
		if _, err := person.CheckNI(person.NewValue(n)); err == nil && !m.ni[n] {
			m.ni[n] = true
			return n
		}
	}
}

func (m *maker) registration(register string) string {
	n := m.r.IntN(900_000)
	switch register {
	case "GMC":
		return fmt.Sprintf("GMC %d", 3_000_000+n)
	case "NMC":
		return fmt.Sprintf("NMC %02d%c%04d%c", n%20, 'A'+n%9, n/90, "EWSN"[n%4])
	case "HCPC":
		return fmt.Sprintf("HCPC RA%06d", n)
	case "GPhC":
		return fmt.Sprintf("GPhC %d", 2_000_000+n)
	case "GDC":
		return fmt.Sprintf("GDC %d", 100_000+n%200_000)
	case "RCVS":
		return fmt.Sprintf("RCVS %d", 6_000_000+n)
	}
	return ""
}

func (m *maker) contact(o *Organisation, first, surname string) person.Contact {
	r := m.r
	local := strings.ReplaceAll(person.Fold(first), " ", "-") + "." + strings.ReplaceAll(person.Fold(surname), " ", "-")
	email := local + "@" + o.domain
	if m.emails[email]++; m.emails[email] > 1 {
		email = fmt.Sprintf("%s%d@%s", local, m.emails[email], o.domain)
	}
	k := person.Contact{
		Email: person.NewValue(email),
		Phone: person.NewValue(fmt.Sprintf("07700 900%03d", r.IntN(1000))),
		Address: []person.Value{
			person.NewValue(fmt.Sprintf("%d %s", 1+r.IntN(140), oneOf(r, streets))),
			person.NewValue(oneOf(r, places)),
			person.NewValue(fmt.Sprintf("XW%d %d%c%c", 1+r.IntN(40), 1+r.IntN(9), 'A'+r.IntN(8), 'A'+r.IntN(8))),
		},
	}
	if chance(r, 0.3) {
		k.Phone = person.NewValue(fmt.Sprintf("029 2018 0%03d", r.IntN(1000)))
	}
	switch at := r.Float64(); {
	case at < 0.45:
		k.Language = person.NewValue("en")
	case at < 0.62:
		k.Language = person.NewValue("cy")
	}
	return k
}

package synth

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
)

// markers adds people whose every field holds a text that nothing else holds, so that a search through the bytes
// of a database finds it if it is there. They are spread over the larger organisations. All are classified, so
// that they have NI numbers.
func (s *Service) markers(c Config) {
	r := c.rng(3)
	var hosts []int
	seen := map[int]int{}
	for _, w := range s.Wearers {
		seen[w.Organisation]++
	}
	for o := range s.Organisations {
		if seen[o] >= 40 || len(hosts) == 0 {
			hosts = append(hosts, o)
		}
	}
	m := maker{Service: s, r: r, ni: map[string]bool{}, emails: map[string]int{}}
	for _, w := range s.Wearers {
		m.ni[w.NI.Expose()] = true
	}
	used := map[string]bool{}
	word := func() string {
		for {
			if w := improbable(r); !used[w] {
				used[w] = true
				return w
			}
		}
	}
	for i := range c.Markers {
		p := len(s.People)
		s.People = append(s.People, Person{Marker: true})
		w := m.wearer(p, hosts[i%len(hosts)])
		at := len(s.Wearers) - 1
		mark := func(field policy.Fields, text string) person.Value {
			s.Markers = append(s.Markers, Marker{Person: p, Wearer: at, Field: field, Text: text})
			return person.NewValue(text)
		}
		*w = Wearer{
			Person: p, Organisation: w.Organisation, role: w.role, Marker: true, Classified: true,
			From: s.begin() - 400, Months: 1 + i%3,
			Identity: person.Identity{
				Surname:      mark(policy.FieldName, word()),
				Forenames:    mark(policy.FieldName, word()),
				KnownAs:      mark(policy.FieldName, word()),
				Former:       []person.Value{mark(policy.FieldName, word())},
				Birth:        mark(policy.FieldBirth, (day.Of(1911, time.March, 3) + day.Day(i*7)).String()),
				Sex:          person.NewValue("X"),
				StaffNumber:  mark(policy.FieldStaffNumber, fmt.Sprintf("97%08d", scattered(i, 100_000_000))),
				Registration: mark(policy.FieldRegistration, fmt.Sprintf("HCPC ZQ%06d", scattered(i, 1_000_000))),
			},
			NI: mark(policy.FieldNI, m.number()),
			Contact: person.Contact{
				Email:    mark(policy.FieldContact, person.Fold(word())+"@"+person.Fold(word())+".example"),
				Phone:    mark(policy.FieldContact, fmt.Sprintf("+999 83%09d", scattered(i, 1_000_000_000))),
				Address:  []person.Value{mark(policy.FieldContact, word()+" "+word()), mark(policy.FieldContact, "ZQ99 "+word())},
				Language: person.NewValue("cy"),
			},
			Department: mark(policy.FieldEmployment, word()).Expose(),
			Role:       mark(policy.FieldEmployment, word()).Expose(),
			Health:     Health{Review: s.Today - 100, Note: mark(policy.FieldHealth, word()+" "+word())},
		}
	}
}

// improbable returns a word that no language has, every third with letters that need two bytes.
func improbable(r *rand.Rand) string {
	const letters = "bcdfghjkmnpqrtvwxz"
	b := []rune("Zq")
	for range 11 {
		b = append(b, rune(letters[r.IntN(len(letters))]))
	}
	if r.IntN(3) == 0 {
		b[5], b[9] = 'ŵ', 'ŷ'
	}
	return string(b)
}

// markerDose returns the dose of a marker person: ten digits of µSv, which no body survives and no counter shows by
// chance. It is on a badge that is not counted, so that no total has it.
func (s *Service) markerDose(w int) int64 {
	n := int64(5_100_000_000 + 42*scattered(w, 100_000_000))
	s.Markers = append(s.Markers, Marker{Person: s.Wearers[w].Person, Wearer: w, Field: policy.FieldDose, Text: strconv.FormatInt(n, 10)})
	return n
}

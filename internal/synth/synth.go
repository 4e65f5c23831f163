// Package synth makes a whole staff dosimetry service of invented people: organisations, wearers with all their
// personal fields, six years of badges and results, and a laboratory's file that has just arrived.
//
// Its size and shape are those of the service that the breach of 2016 hit: 4,766 people, 3,423 of them in nine
// health boards and trusts, 1,343 in private hospitals, dental and veterinary practices and an airport. Doses follow
// published distributions by role and position. Everything is invented: no organisation, place or person is real,
// telephone numbers are from the ranges kept for drama, post codes begin with letters that none begins with, and mail
// domains end in .example. NI numbers have the form of real ones, or the program would refuse them; they are drawn
// at random and belong to nobody we know of.
//
// The same [Config] gives the same bytes (but for the last digit of a dose, should a machine round another way). The
// package reads no clock and no source of randomness; it is for demonstrations, tests and benchmarks, and nothing that handles real people imports it.
package synth

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
)

// Config says what to make.
type Config struct {
	Seed    uint64
	People  int     // without the marker people; 0: 4,766
	Markers int     // marker people on top
	Years   int     // calendar years of badges, the last one that of Today; 0: 6
	Today   day.Day // zero: 2026-10-31
}

// Default is the full service with 200 marker people.
func Default() Config {
	return Config{Seed: 1, People: fullSize, Markers: 200, Years: 6, Today: day.Of(2026, time.October, 31)}
}

const (
	fullSize = 4766
	fullNHS  = 3423
)

// Service is everything that was made. Indices point into its slices.
type Service struct {
	Today         day.Day
	Organisations []Organisation
	People        []Person
	Wearers       []Wearer
	Batches       []Batch
	Badges        []Badge // those of one organisation stand together; see BadgesOf
	Latest        []Pending
	Cases         []Case
	Markers       []Marker

	badgesFrom []int // first badge of each organisation, and the end
	years      int
}

// Kind is the kind of an organisation, as the vault spells it.
type Kind string

// The kinds.
const (
	HealthBoard     Kind = "health-board"
	NHSTrust        Kind = "nhs-trust"
	PrivateHospital Kind = "private-hospital"
	DentalPractice  Kind = "dental-practice"
	VetPractice     Kind = "veterinary-practice"
	Airport         Kind = "airport"
)

// NHS reports whether the kind is one of the NHS's.
func (k Kind) NHS() bool { return k == HealthBoard || k == NHSTrust }

// Organisation is an employer.
type Organisation struct {
	Name    string
	Kind    Kind
	Account string // at the laboratory
	Own     bool   // the trust that runs the service
	Birth   bool   // the laboratory was told dates of birth, and prints them
	Wearers []int
	domain  string
}

// Person is a human being.
type Person struct {
	Wearers []int // one, or two employments
	Marker  bool
}

// Wearer is one person's employment with one organisation.
type Wearer struct {
	Person, Organisation int
	Identity             person.Identity
	Contact              person.Contact
	NI                   person.Value // classified people only
	From, To             day.Day      // first and last day of employment; To zero: employed
	Classified           bool
	Department, Role     string
	Months               int // length of the wear period: 1, 2 or 3
	Health               Health
	Marker               bool

	role        *role
	exposure    float64 // this wearer's doses against the role's; 0: never a dose
	participant int     // number at the laboratory
}

// Health is what the service knows of a wearer's health. Most have nothing in it.
type Health struct {
	Declared, Due day.Day      // a pregnancy
	Review        day.Day      // last medical review, classified people
	Note          person.Value // class of the review, or a remark
}

// Batch is what the laboratory sends together: one organisation's badges of one wear period.
type Batch struct {
	Name         string
	Organisation int
	From, To     day.Day
}

// State is how far a badge has come.
type State uint8

// The states.
const (
	Worn     State = iota + 1 // being worn today
	Awaited                   // the period has ended and there is no result
	Reported                  // there is a result, or it is known that there will be none
)

// Badge is one badge in one wear period.
type Badge struct {
	Wearer       int // -1: a control badge
	Organisation int
	Batch        int
	Barcode      string
	Position     dose.Position
	From, To     day.Day
	State        State
	NotCounted   bool     // worn beside another; its doses belong to no assigned dose
	Results      []Result // by version; none of a control badge
}

// Result is one report of one badge.
type Result struct {
	Version  int
	Scanned  day.Day // zero: no laboratory read it
	Readings []dose.Reading
	Notes    []string // as the laboratory words them
}

// Pending is a result that only the latest report has.
type Pending struct {
	Badge  int
	Result Result
}

// Case is a person whose dose of the latest year, with the latest report, is above a level or a limit.
type Case struct {
	Person   int
	What     string // level, limit, or limit of two employments
	Quantity dose.Quantity
	Position dose.Position
	Total    dose.MicroSv // at least, in the year of Today
}

// Marker is one text that stands in one field of one person and nowhere else.
type Marker struct {
	Person, Wearer int
	Field          policy.Fields // one of them
	Text           string        // of a dose, the number of µSv in digits
}

// rng returns the source of randomness of one part, so that a change to one part leaves the others as they are.
func (c Config) rng(part uint64) *rand.Rand { return rand.New(rand.NewPCG(c.Seed, part)) }

// Generate makes a service.
func Generate(c Config) *Service {
	d := Default()
	if c.People == 0 {
		c.People = d.People
	}
	if c.Years == 0 {
		c.Years = d.Years
	}
	if c.Today.IsZero() {
		c.Today = d.Today
	}
	s := &Service{Today: c.Today, years: c.Years}
	sizes := s.organisations(c)
	s.people(c, sizes)
	s.markers(c)
	for i := range s.Wearers {
		w := &s.Wearers[i]
		o := &s.Organisations[w.Organisation]
		o.Wearers = append(o.Wearers, i)
		w.participant = len(o.Wearers)
		s.People[w.Person].Wearers = append(s.People[w.Person].Wearers, i)
	}
	s.badges(c)
	return s
}

// BadgesOf returns the first badge of an organisation and the one after its last.
func (s *Service) BadgesOf(organisation int) (first, end int) {
	return s.badgesFrom[organisation], s.badgesFrom[organisation+1]
}

// chance is true with probability p.
func chance(r *rand.Rand, p float64) bool { return r.Float64() < p }

// lognormal draws from a lognormal distribution.
func lognormal(r *rand.Rand, median, sigma float64) float64 {
	return median * math.Exp(sigma*r.NormFloat64())
}

// pick draws one of the things by weight.
func pick[T any](r *rand.Rand, things []T, weight func(*T) float64) *T {
	total := 0.0
	for i := range things {
		total += weight(&things[i])
	}
	at := r.Float64() * total
	for i := range things {
		if at -= weight(&things[i]); at < 0 {
			return &things[i]
		}
	}
	return &things[len(things)-1]
}

// oneOf draws one of the things evenly.
func oneOf[T any](r *rand.Rand, things []T) T { return things[r.IntN(len(things))] }

// scattered maps 0 … modulus-1 one to one on itself, without a visible order. The modulus is a power of ten.
func scattered(n, modulus int) int { return int((uint64(n)*7_368_787 + 4_180_339) % uint64(modulus)) }

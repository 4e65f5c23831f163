package incident

import (
	"time"

	"github.com/dosevault/dosevault/internal/deadline"
	"github.com/dosevault/dosevault/internal/words"
)

// Capacity is in which capacity an organisation or service acts: whose data it is.
type Capacity uint8

// A Controller answers for its own staff's data; a Processor works for controllers.
const (
	Controller Capacity = iota
	Processor
)

// Addressee is who is to be told.
type Addressee uint8

// The addressees, in the order in which they are told.
const (
	TheControllers Addressee = iota // by their processor
	TheRegulator
	ThePeople
	TheRegister // of breaches, kept by each controller
)

func (a Addressee) String() string { return string(a.Words()) }

// Words is the addressee as a text.
func (a Addressee) Words() words.Key {
	return [...]words.Key{"each organisation concerned", "the Information Commissioner", "the people concerned", "the register of breaches"}[a]
}

// Duty is one thing that has to be done after a breach.
type Duty struct {
	Tell    Addressee
	Due     bool          // whether it has to be, by this assessment
	Article string        // of the UK GDPR
	Within  time.Duration // after becoming aware; 0: without undue delay
	Why     words.Key
}

// Duties says who has to be told of a breach, by the UK GDPR, Arts 33 and 34. The severity is that of the worst combination
// of fields. A processor tells its controllers whatever the severity; whether the others are told is each controller's to decide, and
// what stands here is what the assessment leads to.
func Duties(as Capacity, s Severity) []Duty {
	var out []Duty
	if as == Processor {
		out = append(out, Duty{TheControllers, true, "33(2)", 0, "a processor tells its controllers of every breach, also before its extent is known"})
	}
	risk := s.Level >= Medium || s.Many
	report := Duty{TheRegulator, risk && !s.Unintelligible, "33(1)", deadline.Regulator, ""}
	switch {
	case s.Unintelligible:
		report.Why = "a risk is unlikely: what was taken can't be read, as long as the key is safe"
	case risk && s.Level < Medium:
		report.Why = "more than 100 people: the controller would have to show that a risk is unlikely"
	case risk:
		report.Why = "a risk can't be called unlikely at this severity"
	default:
		report.Why = "a risk is unlikely at this severity; the controller decides, and keeps the reason"
	}
	people := Duty{ThePeople, s.Level >= High && !s.Unintelligible, "34(1)", 0, ""}
	switch {
	case s.Unintelligible:
		people.Article, people.Why = "34(3)(a)", "what was taken can't be read, as long as the key is safe"
	case people.Due:
		people.Why = "the risk is high at this severity"
	default:
		people.Why = "the risk is not high at this severity; the controller may tell them all the same"
	}
	return append(out, report, people, Duty{TheRegister, true, "33(5)", 0, "every breach is registered, whatever its severity"})
}

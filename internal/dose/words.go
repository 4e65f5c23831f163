package dose

import "fmt"

// MicroSv is a dose in microsievert (µSv). Doses are whole numbers: 1 mSv is 1000.
type MicroSv int64

// Quantity is a personal dose equivalent.
type Quantity uint8

// The quantities. Their numbers are stored: they never change.
const (
	NoQuantity  Quantity = iota
	Hp10                 // deep, Hp(10); stands for effective dose when read from a whole-body badge
	Hp3                  // lens of the eye, Hp(3)
	Hp007                // skin and extremities, Hp(0.07)
	NeutronHp10          // neutron Hp(10), reported apart
)

var quantityNames = [...]string{"", "Hp(10)", "Hp(3)", "Hp(0.07)", "neutron Hp(10)"}

func (q Quantity) String() string {
	if int(q) < len(quantityNames) {
		return quantityNames[q]
	}
	return fmt.Sprintf("quantity(%d)", uint8(q))
}

// Position is where a badge is worn. The numbers are stored: they never change.
type Position uint8

// The positions.
const (
	NoPosition Position = iota
	WholeBody           // trunk; under the apron where there is one
	Collar              // over the apron
	Eye                 // beside the eye
	LeftFinger          // extremities
	RightFinger
	LeftWrist
	RightWrist
	Foetal  // at the abdomen, for the unborn child
	Control // worn by nobody: belongs to the batch
)

var positionNames = [...]string{"", "whole body", "collar", "eye", "left finger", "right finger", "left wrist", "right wrist", "foetal", "control"}

func (p Position) String() string {
	if int(p) < len(positionNames) {
		return positionNames[p]
	}
	return fmt.Sprintf("position(%d)", uint8(p))
}

// Qualifier says what a reading's number is worth. The numbers are stored: they never change.
type Qualifier uint8

// The qualifiers.
const (
	NoQualifier  Qualifier = iota
	Measured               // the number was measured
	BelowLevel             // below the minimum recording level: counts as zero
	Unused                 // wrapper intact: no dose, not accumulated
	NotReturned            // no result
	Lost                   // no result
	Damaged                // no result
	Estimated              // entered after an investigation, with evidence
	Notional               // annual limit × days / 365
	SpecialEntry           // replaces a recorded dose after an investigation
)

var qualifierNames = [...]string{"", "measured", "below level", "unused", "not returned", "lost", "damaged", "estimated", "notional", "special entry"}

func (q Qualifier) String() string {
	if int(q) < len(qualifierNames) {
		return qualifierNames[q]
	}
	return fmt.Sprintf("qualifier(%d)", uint8(q))
}

// Accumulates reports whether a reading so qualified has a dose that sums count (a zero counts too).
func (q Qualifier) Accumulates() bool {
	switch q {
	case Measured, BelowLevel, Estimated, Notional, SpecialEntry:
		return true
	}
	return false
}

// Reading is one measured quantity of one badge.
type Reading struct {
	Quantity  Quantity
	Dose      MicroSv // zero unless the qualifier accumulates
	Qualifier Qualifier
}

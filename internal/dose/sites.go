package dose

import (
	"sort"
)

// source is a position that a site's dose can be read at.
type source struct {
	position Position
	quantity Quantity
	instead  Quantity // read where the badge gave no number of quantity; NoQuantity: nothing
}

// chain is the sources of a dose, the best placed first: see "Else" in the package comment.
type chain []source

// The sites that doses are summed for. A site's chains are added up.
var (
	trunkSite  = []chain{{{WholeBody, Hp10, NoQuantity}}, {{WholeBody, NeutronHp10, NoQuantity}}}
	lensSite   = []chain{{{Eye, Hp3, NoQuantity}, {Collar, Hp3, Hp007}, {WholeBody, Hp3, Hp007}}}
	skinOver   = []chain{{{Collar, Hp007, NoQuantity}, {WholeBody, Hp007, NoQuantity}}}
	skinUnder  = []chain{{{WholeBody, Hp007, NoQuantity}, {Collar, Hp007, NoQuantity}}}
	leftHand   = []chain{{{LeftFinger, Hp007, NoQuantity}, {LeftWrist, Hp007, NoQuantity}}}
	rightHand  = []chain{{{RightFinger, Hp007, NoQuantity}, {RightWrist, Hp007, NoQuantity}}}
	foetusSite = []chain{{{Foetal, Hp10, NoQuantity}, {WholeBody, Hp10, NoQuantity}}, {{WholeBody, NeutronHp10, NoQuantity}}}
)

// read returns an entry's number at a source, whether it gave one, and whether it should have.
func (s source) read(e *entry) (dose MicroSv, number, lost bool) {
	switch {
	case e.has(s.quantity):
		return e.dose[s.quantity], true, false
	case s.instead != NoQuantity && e.has(s.instead):
		return e.dose[s.instead], true, false
	}
	return 0, false, e.lost&(1<<s.quantity) != 0 || s.instead != NoQuantity && e.lost&(1<<s.instead) != 0
}

// site adds each entry's part in the dose of a site to parts and marks what counts and what is missing for the kind.
func (a *assessor) site(kind Kind, chains []chain, parts []MicroSv) {
	bit := uint8(1) << kind
	for _, c := range chains {
		better := uint16(0) // positions of the sources before
		for rank, src := range c {
			if a.positions&(1<<src.position) == 0 {
				continue
			}
			for i := range a.entries {
				e := &a.entries[i]
				if e.position != src.position {
					continue
				}
				v, number, lost := src.read(e)
				if !number && !lost {
					continue
				}
				if kind == Skin && e.partner >= 0 && e.combination.rule().skin {
					v = e.combination.Skin(v, a.entries[e.partner].dose[Hp007])
				}
				if better&a.positions != 0 {
					covered, within := a.better(c[:rank], better, e, parts)
					if covered {
						continue
					}
					v = max(v-within, 0)
				}
				if number {
					parts[i] += v
					e.counts |= bit
				} else {
					e.missing |= bit
				}
			}
			better |= 1 << src.position
		}
	}
}

// better looks at the better placed badges of e's employment that gave a number: whether they cover each day of e's period, and
// what those counted that were worn wholly within it.
func (a *assessor) better(ranks chain, positions uint16, e *entry, parts []MicroSv) (covered bool, within MicroSv) {
	// The entries are sorted by last day, and none is longer than the longest: those that overlap are near.
	lo := sort.Search(len(a.entries), func(i int) bool { return a.entries[i].to >= e.from })
	hi := lo
	for hi < len(a.entries) && int(a.entries[hi].to) <= int(e.to)+a.longest {
		hi++
	}
	// From the last day backwards: the days after need are covered, reach is the earliest first day of
	// those that hold need.
	need, reach := e.to, e.to+1
	step := func() { // use what was found
		if reach <= need {
			need = reach - 1
		}
	}
	for i := hi - 1; i >= lo; i-- {
		b := &a.entries[i]
		if positions&(1<<b.position) == 0 || b.employment != e.employment || b.from > e.to || !gave(ranks, b) {
			continue
		}
		if b.to < need {
			step()
		}
		if b.to >= need {
			reach = min(reach, b.from)
		}
		if b.from >= e.from && b.to <= e.to {
			within += parts[i]
		}
	}
	step()
	return need < e.from, within
}

// gave reports whether an entry gave a number at one of the sources.
func gave(c chain, e *entry) bool {
	for _, s := range c {
		if s.position == e.position {
			_, number, _ := s.read(e)
			return number
		}
	}
	return false
}

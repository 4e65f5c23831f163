package labfile

import (
	"fmt"
	"slices"

	"github.com/dosevault/dosevault/internal/dose"
)

// badges are a file's rows by the badge that they report on, in the file's order.
type badges struct {
	list  []*badge
	first map[badgeReport]*badge
	spelt map[string][]*badge // by the barcode's text, of rows that can't be used too
}

// badge is what the rows of one report say.
type badge struct {
	row     Row
	numbers []int
	lines   []int
	refused *Refusal // why none of them can be used
}

// add puts a row with its badge: a further row of the same report belongs to it where each quantity has a row of its own, and
// is refused otherwise.
func (b *badges) add(r *entry, row Row, spelt string, long bool) {
	if b.first == nil {
		b.first, b.spelt = map[badgeReport]*badge{}, map[string][]*badge{}
	}
	key := reportOf(&row)
	one := b.first[key]
	if r.refusal == nil && one != nil {
		switch {
		case !long:
			r.refuse(r.Columns.Barcode, "the same badge, period, position and version as in row %d", one.numbers[0])
		case slices.ContainsFunc(row.Readings, func(x dose.Reading) bool {
			return slices.ContainsFunc(one.row.Readings, func(y dose.Reading) bool { return x.Quantity == y.Quantity })
		}):
			r.refuse(r.Columns.Quantity, "the same quantity of this badge as in a row before")
		case row.Account != one.row.Account || row.Scanned != one.row.Scanned || row.Name != one.row.Name || row.Birth != one.row.Birth:
			r.refuse(r.Columns.Quantity, "row %d is of the same badge, but differs in account, scan date, name or date of birth", one.numbers[0])
		}
	}
	if r.refusal != nil || one == nil {
		one = &badge{row: row, refused: r.refusal}
		b.list = append(b.list, one)
		if r.refusal == nil {
			b.first[key] = one
		}
		b.spelt[spelt] = append(b.spelt[spelt], one)
	} else {
		one.row.Readings = append(one.row.Readings, row.Readings...)
	}
	one.numbers, one.lines = append(one.numbers, r.Number), append(one.lines, r.Line)
}

// spoil refuses a badge's rows where another row that bears its barcode is refused: nothing is reported in part.
func (b *badges) spoil() {
	for spelt, all := range b.spelt {
		i := slices.IndexFunc(all, func(one *badge) bool { return one.refused != nil })
		if i < 0 || spelt == "" {
			continue
		}
		for _, one := range all {
			if one.refused == nil {
				one.refused = &Refusal{Reason: fmt.Sprintf("row %d of the same badge is refused", all[i].numbers[0])}
			}
		}
	}
}

// into adds a badge to a report: as a row, or as refusals of all its rows.
func (b *badge) into(l *Layout, rep *Report, long bool) {
	if long && b.refused == nil {
		r := &entry{Layout: l}
		r.Number, r.Line = b.numbers[0], b.lines[0]
		for _, q := range l.Quantities {
			if slices.Contains(q.positions, b.row.Position) && !q.Optional && !slices.ContainsFunc(b.row.Readings, func(x dose.Reading) bool { return x.Quantity == q.of }) {
				r.refuse(l.Columns.Quantity, "the badge has no row of: %s", q.of)
			}
		}
		r.finish(&b.row, l.Columns.Quantity)
		b.refused = r.refusal
	}
	if f := b.refused; f != nil {
		for i := range b.numbers {
			rep.Refused = append(rep.Refused, Refusal{b.numbers[i], b.lines[i], f.Column, f.Reason})
		}
		return
	}
	slices.SortFunc(b.row.Readings, func(x, y dose.Reading) int { return int(x.Quantity) - int(y.Quantity) })
	b.row.More = b.numbers[1:]
	rep.Merged = append(rep.Merged, b.row.More...)
	rep.Rows = append(rep.Rows, b.row)
}

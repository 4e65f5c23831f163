package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/letter"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/register"
)

// listName is a name as it stands in a list by surname, with what the person is called where that differs.
func listName(i person.Identity) person.Value {
	first := i.KnownAs
	if first.IsZero() {
		first = i.Forenames
	}
	if i.Surname.IsZero() || first.IsZero() {
		return person.NewValue(i.Surname.Expose() + first.Expose())
	}
	return person.NewValue(i.Surname.Expose() + ", " + first.Expose())
}

// onPaper is a print as it is laid out.
func onPaper(p *register.Print, organisation string, today day.Day) letter.Print {
	out := letter.Print{Organisation: organisation, Export: p.Export, Day: today, Badges: make([]letter.Badge, len(p.Badges))}
	for i, b := range p.Badges {
		out.Badges[i] = letter.Badge{Barcode: b.Barcode, Name: listName(b.Identity), Department: b.Department, Position: b.Position.String(), From: b.Starts, To: b.Ends}
	}
	return out
}

// writeBadges writes badges with names as CSV. Each row says which export it is of.
func writeBadges(w io.Writer, p *register.Print) error {
	out := csv.NewWriter(w)
	out.Write([]string{"export", "barcode", "batch", "surname", "forenames", "department", "position", "from", "to"})
	for _, b := range p.Badges {
		row := []string{p.Export.String(), b.Barcode, b.Batch, b.Identity.Surname.Expose(), b.Identity.Forenames.Expose(), b.Department, b.Position.String(), b.Starts.String(), b.Ends.String()}
		for i := range row {
			row[i] = noFormula(row[i])
		}
		out.Write(row)
	}
	out.Flush()
	if out.Error() != nil {
		return fmt.Errorf("the list could not be written")
	}
	return nil
}

// noFormula keeps a spreadsheet from taking a text for a formula.
func noFormula(s string) string {
	if s != "" && strings.ContainsAny(s[:1], "=+-@\t\r") {
		return "'" + s
	}
	return s
}

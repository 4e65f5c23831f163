package synth

import (
	"encoding/csv"
	"io"
	"strings"

	"github.com/dosevault/dosevault/internal/person"
)

var peopleHeader = []string{
	"Employee Number", "Last Name", "First Name", "Known As", "Previous Last Name", "Date of Birth", "Gender", "NI Number",
	"Email Address", "Telephone", "Address Line 1", "Address Line 2", "Postcode", "Preferred Language",
	"Start Date", "Leaving Date", "Department", "Job Title", "Classified", "Professional Registration",
}

// WritePeopleCSV writes the wearers of an organisation, leavers too, as an HR system exports them: CSV in UTF-8, days
// as YYYY-MM-DD, Classified as Y or N, several previous names separated by semicolons. The error is that of w.
func (s *Service) WritePeopleCSV(w io.Writer, organisation int) error {
	out := csv.NewWriter(w)
	if err := out.Write(peopleHeader); err != nil {
		return err
	}
	for _, i := range s.Organisations[organisation].Wearers {
		e := &s.Wearers[i]
		d, k := e.Identity, e.Contact
		address := make([]string, 3)
		for n, line := range k.Address {
			address[min(n+3-len(k.Address), 2)] = line.Expose()
		}
		classified := "N"
		if e.Classified {
			classified = "Y"
		}
		if err := out.Write([]string{
			d.StaffNumber.Expose(), d.Surname.Expose(), d.Forenames.Expose(), d.KnownAs.Expose(), joined(d.Former), d.Birth.Expose(), d.Sex.Expose(), e.NI.Expose(),
			k.Email.Expose(), k.Phone.Expose(), address[0], address[1], address[2], k.Language.Expose(),
			e.From.String(), e.To.String(), e.Department, e.Role, classified, d.Registration.Expose(),
		}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func joined(vs []person.Value) string {
	var texts []string
	for _, v := range vs {
		texts = append(texts, v.Expose())
	}
	return strings.Join(texts, "; ")
}

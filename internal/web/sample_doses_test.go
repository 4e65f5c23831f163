package web

import (
	"context"
	"slices"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

func (s *sample) DoseYears(_ context.Context, a vaultclient.Auth, o id.Organisation) ([]int, error) {
	if _, err := s.user(a); err != nil {
		return nil, err
	}
	if o != organisationID(1) {
		return nil, nil
	}
	return []int{2026, 2025, 2024, 2023, 2022, 2021}, nil
}

// doseOf is what somebody of the sample got in a month; the second of each ten more than the others, one above the lens's limit.
func doseOf(person int, month time.Month) dose.MicroSv {
	if person%10 == 3 {
		return 0
	}
	return dose.MicroSv(person*person%97*int(month)) * map[bool]dose.MicroSv{true: 25, false: 1}[person%10 == 2]
}

func sampleRecords(person, year int) (records []dose.Record) {
	for m := time.January; m <= time.December; m++ {
		from := day.Of(year, m, 1)
		qualifier := dose.Measured
		if person%9 == 4 && m == time.May || person == 30 {
			qualifier = dose.Lost
		}
		records = append(records, dose.Record{Position: dose.WholeBody, From: from, To: from.AddMonths(1) - 1,
			Readings: []dose.Reading{{Quantity: dose.Hp10, Dose: doseOf(person, m), Qualifier: qualifier}, {Quantity: dose.Hp007, Dose: doseOf(person, m) * 2, Qualifier: qualifier}}})
	}
	return records
}

func (s *sample) OrganisationDoses(_ context.Context, a vaultclient.Auth, o id.Organisation, year int) (*OrganisationDoses, error) {
	s.mu.Lock()
	s.exports = append(s.exports, a.Export)
	s.mu.Unlock()
	if _, err := s.user(a); err != nil {
		return nil, err
	}
	out := &OrganisationDoses{Months: make([]dose.Collective, 12)}
	var all [][]dose.Total
	for i, r := range s.people {
		a := dose.Evaluate(dose.Subject{Group: dose.Adult}, nil, sampleRecords(i, year), 0)
		w := WearerDoses{Wearer: r.Wearer, Department: []string{"Cardioleg / Cardiology", "Radioleg", "Theatre"}[i%3], Employments: 1 + i%20/19, Totals: a.Totals, Findings: a.Findings,
			Highest: dose.HighestShare(dose.Subject{Group: dose.Adult}, year, a.Totals), Worn: 12, Read: 12 - i%4, Lost: i % 4 / 3, NotReturned: i % 4 / 2}
		out.Wearers, all = append(out.Wearers, w), append(all, a.Totals)
	}
	slices.SortFunc(out.Wearers, func(a, b WearerDoses) int { return b.Highest.Compare(a.Highest) })
	out.Collective = dose.Collect(dose.Effective, year, all)
	for m := range 9 {
		var month [][]dose.Total
		for i := range s.people {
			month = append(month, dose.Evaluate(dose.Subject{}, nil, sampleRecords(i, year)[m:m+1], 0).Totals)
		}
		out.Months[m] = dose.Collect(dose.Effective, year, month)
	}
	return out, nil
}

func (s *sample) CollectiveDoses(ctx context.Context, a vaultclient.Auth, o id.Organisation, years []int) (out []dose.Collective, err error) {
	for _, y := range years {
		one, err := s.OrganisationDoses(ctx, a, o, y)
		if err != nil {
			return nil, err
		}
		one.Collective.Sum = one.Collective.Sum * dose.MicroSv(y%7+3) / 8
		out = append(out, one.Collective)
	}
	return out, nil
}

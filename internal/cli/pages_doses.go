package cli

import (
	"context"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/web"
)

// OrganisationDoses implements web.Doses; the rest of it the register has as it is.
func (p pagesRegister) OrganisationDoses(ctx context.Context, auth vaultclient.Auth, o id.Organisation, year int) (*web.OrganisationDoses, error) {
	got, err := p.Service.OrganisationDoses(ctx, auth, o, year)
	if err != nil {
		return nil, err
	}
	out := &web.OrganisationDoses{Collective: got.Collective, Months: got.Months, Wearers: make([]web.WearerDoses, len(got.Wearers))}
	for i, w := range got.Wearers {
		out.Wearers[i] = web.WearerDoses{Wearer: w.Wearer, Department: w.Department, Employments: w.Employments, Totals: w.Totals, Findings: w.Findings, Highest: w.Highest,
			Worn: w.Badges.Worn, Read: w.Badges.Read, Lost: w.Badges.Lost, NotReturned: w.Badges.NotReturned}
	}
	return out, nil
}

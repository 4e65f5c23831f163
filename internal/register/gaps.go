package register

import (
	"cmp"
	"context"
	"slices"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Gap is a time in which somebody wore no badge at a position between two that they did, or two at once.
type Gap struct {
	Wearer        id.Wearer
	Position      dose.Position
	From, To      day.Day // its first and last day
	Overlap       bool    // two badges at once
	Before, After string  // barcodes of the two badges
}

// Gaps returns an organisation's gaps and overlaps of the last two years, the newest first. It opens where the badges
// are worn, which is entered. Additional badges, which belong to no assigned dose, are left out: they are worn beside
// others and by the week.
func (s *Service) Gaps(ctx context.Context, auth vaultclient.Auth, org id.Organisation) ([]Gap, error) {
	_, mine, err := s.handles(ctx, auth)
	if err != nil {
		return nil, err
	}
	if !mine[org] {
		return nil, errNoBadge
	}
	all, err := s.Store.Badges(ctx, BadgeFilter{Organisation: org, From: s.today().AddMonths(-keptMonths), To: endOfDays})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(b Badge) bool { return b.Wearer.IsZero() })
	worn, err := s.Worn(ctx, auth, "gaps and overlaps of wear periods", all)
	if err != nil {
		return nil, err
	}
	type place struct {
		wearer   id.Wearer
		position dose.Position
	}
	by := map[place][]*Badge{}
	for i := range all {
		if !worn[i].NotCounted {
			p := place{all[i].Wearer, worn[i].Position}
			by[p] = append(by[p], &all[i])
		}
	}
	var out []Gap
	for p, badges := range by {
		slices.SortFunc(badges, func(a, b *Badge) int {
			return cmp.Or(cmp.Compare(a.Starts, b.Starts), cmp.Compare(a.Ends, b.Ends), cmp.Compare(a.Barcode, b.Barcode))
		})
		last := badges[0] // the one that ends last so far
		for _, b := range badges[1:] {
			g := Gap{Wearer: p.wearer, Position: p.position, Before: last.Barcode, After: b.Barcode}
			switch {
			case b.Starts > last.Ends+1:
				g.From, g.To = last.Ends+1, b.Starts-1
				out = append(out, g)
			case b.Starts <= last.Ends:
				g.From, g.To, g.Overlap = b.Starts, min(b.Ends, last.Ends), true
				out = append(out, g)
			}
			if b.Ends > last.Ends {
				last = b
			}
		}
	}
	slices.SortFunc(out, func(a, b Gap) int {
		return cmp.Or(cmp.Compare(b.From, a.From), cmp.Compare(a.Before, b.Before), cmp.Compare(a.After, b.After))
	})
	return out, nil
}

package register

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Each night everybody's doses are held against limits and levels again, as an import does for the people in it: a level may
// have been set, somebody may have become pregnant, two records may have been linked. It takes a standing grant. The run of a
// night is an import without a file, so that workers share it out, and begin it again after a stop, as they do with files.

// nightFrom is the hour (UTC) from which a night's run may begin.
const nightFrom = 2

// nightRun names the run of a night by a grant: whoever gets there first makes it.
func nightRun(grant id.Grant, night day.Day) id.Import {
	sum := sha256.Sum256([]byte("night run\n" + grant.String() + "\n" + night.String()))
	return id.Import(sum[:16])
}

// StartNight makes the runs of this night that are due, one for each standing grant of this node to evaluate. Without a grant
// there is none.
func (s *Service) StartNight(ctx context.Context) error {
	now := s.Now().UTC()
	if now.Hour() < nightFrom {
		return nil
	}
	grants, err := s.Vault.StandingGrants(ctx)
	if err != nil {
		return err
	}
	for _, g := range grants {
		if g.Work != vaultclient.Evaluation {
			continue
		}
		im := ImportRow{ID: nightRun(g.ID, day.At(now)), Kind: KindEvaluation, State: Confirmed, Grant: g.ID, Node: s.Node, Created: now}
		if err := s.Store.CreateImport(ctx, im, nil); err != nil && !errors.Is(err, ErrExists) {
			return err
		}
	}
	return nil
}

// evaluateNight sums everybody whom its grant is for, organisation by organisation, and opens the investigations that are due.
func (s *Service) evaluateNight(ctx context.Context, im ImportRow) error {
	auth := vaultclient.Auth{Grant: im.Grant}
	orgs, err := s.Vault.Organisations(ctx, auth)
	if err != nil {
		return err
	}
	e := &evaluation{s: s, auth: auth, rows: &acceptedRows{}, summed: map[id.Wearer]bool{}, since: fiveYearsBefore(day.At(s.Now().UTC())), whole: true}
	if e.levels, err = s.levels(ctx, auth); err != nil {
		return err
	}
	var found []finding
	for _, org := range orgs {
		rows, err := s.Store.WearersOf(ctx, org.ID)
		if err != nil {
			return err
		}
		im.Counts.In += len(rows)
		for part := range slices.Chunk(rows, nightPart) {
			wearers := make([]owned, len(part))
			for i, w := range part {
				wearers[i].wearer = w.ID
			}
			of, err := e.findings(ctx, wearers)
			if err != nil {
				return err
			}
			found = append(found, of...)
		}
	}
	investigations, err := s.openInvestigations(ctx, auth, im, found)
	if err != nil {
		return err
	}
	im.Counts.Stored, im.Counts.Ignored = len(investigations), im.Counts.In-len(investigations)
	if err := s.Vault.Intake(ctx, auth, vaultclient.Intake{Import: im.ID, Source: KindEvaluation, Rows: len(investigations)}); err != nil {
		return err
	}
	return s.finish(ctx, auth, im, Importing, &Rows{Investigations: investigations})
}

// nightPart is how many wearers are summed at a time, so that memory stays flat.
const nightPart = 2_500

// NightEvery is how often a worker asks whether a night's run is due.
const NightEvery = 10 * time.Minute

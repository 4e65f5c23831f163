package cli

import (
	"context"
	"errors"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/web"
)

// scanOf is a scan as the pages see it.
func scanOf(s register.Scan, err error) (web.Scan, error) {
	return web.Scan{Answer: string(s.Answer), Barcode: s.Barcode, Batch: s.Batch, Organisation: s.Organisation, From: s.Starts, To: s.Ends, On: s.On, At: s.Returned}, err
}

// ReturnBadge implements web.Returns.
func (p pagesRegister) ReturnBadge(ctx context.Context, auth vaultclient.Auth, barcode string) (web.Scan, error) {
	return scanOf(p.Service.Return(ctx, auth, barcode))
}

// LookAtBadge implements web.Returns.
func (p pagesRegister) LookAtBadge(ctx context.Context, auth vaultclient.Auth, barcode string) (web.Scan, error) {
	return scanOf(p.Service.Look(ctx, auth, barcode))
}

// UndoReturn implements web.Returns.
func (p pagesRegister) UndoReturn(ctx context.Context, auth vaultclient.Auth, barcode string) error {
	err := p.Service.UndoReturn(ctx, auth, barcode)
	if errors.Is(err, register.ErrState) {
		return &vaultclient.Error{Code: vaultclient.Conflict, Message: "it can't be taken back any more"}
	}
	return err
}

// ReturnedToday implements web.Returns.
func (p pagesRegister) ReturnedToday(ctx context.Context, auth vaultclient.Auth, most int) ([]web.Scan, int, error) {
	got, err := p.Scanned(ctx, auth, most)
	if err != nil {
		return nil, 0, err
	}
	list := make([]web.Scan, len(got.Last))
	for i, b := range got.Last {
		list[i], _ = scanOf(register.Scan{Badge: b, Answer: register.ReturnedBefore}, nil)
	}
	return list, got.Today, nil
}

// BadgeWay implements web.Badges.
func (p pagesRegister) BadgeWay(ctx context.Context, auth vaultclient.Auth, barcode string) (*web.BadgeWay, error) {
	w, err := p.Service.BadgeWay(ctx, auth, barcode)
	if err != nil {
		return nil, err
	}
	out := &web.BadgeWay{State: w.State.String(), Wearer: w.Wearer, Listed: w.Listed, Reported: w.Reported}
	out.Scan, _ = scanOf(register.Scan{Badge: w.Badge}, nil)
	for _, m := range w.Steps {
		out.Steps = append(out.Steps, web.BadgeStep{State: m.To.String(), At: m.At, Listed: m.By.IsZero(), Undone: m.Undone})
	}
	return out, nil
}

// BadgePosition implements web.Badges.
func (p pagesRegister) BadgePosition(ctx context.Context, auth vaultclient.Auth, barcode string) (dose.Position, error) {
	w, err := p.Service.BadgeWay(ctx, auth, barcode)
	if err != nil {
		return dose.NoPosition, err
	}
	worn, err := p.Worn(ctx, auth, "where a badge is worn", []register.Badge{w.Badge})
	if err != nil {
		return dose.NoPosition, err
	}
	return worn[0].Position, nil
}

package register

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// batch is how many values travel to the vault in one call: a few calls for an import, and flat memory. Two are under
// way at once, so that the vault works on one while the next is laid out.
const (
	batch    = 25_000
	underWay = 2
)

// inBatches calls fn for parts of size values, and returns what it returned in order.
func inBatches(ctx context.Context, size int, items []vaultclient.Item, fn func(context.Context, []vaultclient.Item) ([][]byte, error)) ([][]byte, error) {
	out := make([][]byte, len(items))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(underWay)
	for from := 0; from < len(items); from += size {
		part := items[from:min(from+size, len(items))]
		group.Go(func() error {
			got, err := fn(ctx, part)
			copy(out[from:], got)
			return err
		})
	}
	return out, group.Wait()
}

// seal seals values in a few calls, in order.
func (s *Service) seal(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, items []vaultclient.Item) ([][]byte, error) {
	out, err := inBatches(ctx, batch, items, func(ctx context.Context, part []vaultclient.Item) ([][]byte, error) {
		return s.Vault.Seal(ctx, auth, purpose, part)
	})
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return out, nil
}

// open opens values in a few calls, in order.
func (s *Service) open(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, reason string, items []vaultclient.Item) ([][]byte, error) {
	return s.openBy(ctx, auth, purpose, reason, batch, items)
}

// openBy opens values, so many in a call, in order. Each call is an entry in the ledger.
func (s *Service) openBy(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, reason string, size int, items []vaultclient.Item) ([][]byte, error) {
	out, err := inBatches(ctx, size, items, func(ctx context.Context, part []vaultclient.Item) ([][]byte, error) {
		return s.Vault.Open(ctx, auth, vaultclient.OpenRequest{Purpose: purpose, Reason: reason, Items: part})
	})
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	return out, nil
}

// settings opens the organisations' settings. Only those that the caller works with are opened.
func (s *Service) settings(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, orgs []vaultclient.Organisation) (map[vaultclient.Organisation]Settings, error) {
	sealed, err := s.Store.Organisations(ctx)
	if err != nil {
		return nil, err
	}
	out := map[vaultclient.Organisation]Settings{}
	var items []vaultclient.Item
	var of []vaultclient.Organisation
	for _, o := range orgs {
		if b, ok := sealed[o.ID]; ok {
			items = append(items, vaultclient.Item{Context: organisationContext(o.ID), Value: b})
			of = append(of, o)
		}
	}
	opened, err := s.open(ctx, auth, purpose, "organisations' settings", items)
	if err != nil {
		return nil, err
	}
	for i, b := range opened {
		var set Settings
		if err := decode(b, &set); err != nil {
			return nil, err
		}
		out[of[i]] = set
	}
	return out, nil
}

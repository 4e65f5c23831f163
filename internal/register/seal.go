package register

import (
	"context"
	"fmt"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// batch is how many values travel to the vault in one call: a few calls for an import, and flat memory.
const batch = 50_000

// seal seals values in a few calls, in order.
func (s *Service) seal(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, items []vaultclient.Item) ([][]byte, error) {
	out := make([][]byte, 0, len(items))
	for len(items) > 0 {
		n := min(batch, len(items))
		sealed, err := s.Vault.Seal(ctx, auth, purpose, items[:n])
		if err != nil {
			return nil, fmt.Errorf("sealing: %w", err)
		}
		out, items = append(out, sealed...), items[n:]
	}
	return out, nil
}

// open opens values in a few calls, in order.
func (s *Service) open(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, reason string, items []vaultclient.Item) ([][]byte, error) {
	out := make([][]byte, 0, len(items))
	for len(items) > 0 {
		n := min(batch, len(items))
		opened, err := s.Vault.Open(ctx, auth, vaultclient.OpenRequest{Purpose: purpose, Reason: reason, Items: items[:n]})
		if err != nil {
			return nil, fmt.Errorf("opening: %w", err)
		}
		out, items = append(out, opened...), items[n:]
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

// sealDocument seals a document's bytes in parts.
func (s *Service) sealDocument(ctx context.Context, auth vaultclient.Auth, im ImportRow, name string, b []byte) ([][]byte, error) {
	const part = 1 << 20
	var items []vaultclient.Item
	for i := 0; i == 0 || len(b) > 0; i++ {
		n := min(part, len(b))
		items = append(items, vaultclient.Item{Context: documentContext(im.ID, name, i), Value: b[:n], Pad: documentPad})
		b = b[n:]
	}
	return s.seal(ctx, auth, policy.AssessDose, items)
}

// openDocument opens a document. It is a reveal of all that the document holds.
func (s *Service) openDocument(ctx context.Context, auth vaultclient.Auth, im ImportRow, name, reason string) ([]byte, error) {
	parts, err := s.Store.Document(ctx, im.ID, name)
	if err != nil {
		return nil, err
	}
	items := make([]vaultclient.Item, len(parts))
	for i, p := range parts {
		items[i] = vaultclient.Item{Context: documentContext(im.ID, name, i), Value: p}
	}
	opened, err := s.open(ctx, auth, policy.AssessDose, reason, items)
	if err != nil {
		return nil, err
	}
	var b []byte
	for _, p := range opened {
		b = append(b, p...)
	}
	return b, nil
}

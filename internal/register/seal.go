package register

import (
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"

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

// sealDocument seals a document's bytes, compressed (RFC 1951: a laboratory's file shrinks to a tenth), in parts.
func (s *Service) sealDocument(ctx context.Context, auth vaultclient.Auth, im ImportRow, name string, b []byte) ([][]byte, error) {
	const part = 1 << 20
	var small bytes.Buffer
	w, err := flate.NewWriter(&small, flate.BestSpeed)
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("compressing a document: %w", err)
	}
	var items []vaultclient.Item
	for i := 0; small.Len() > 0; i++ {
		items = append(items, vaultclient.Item{Context: documentContext(im.ID, name, i), Value: small.Next(part), Pad: documentPad})
	}
	return s.seal(ctx, auth, im.purpose(), items)
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
	opened, err := s.open(ctx, auth, im.purpose(), reason, items)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(flate.NewReader(bytes.NewReader(bytes.Join(opened, nil))))
	if err != nil {
		return nil, errBlob
	}
	return b, nil
}

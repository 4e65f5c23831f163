package vault

import (
	"context"

	"github.com/dosevault/dosevault/internal/id"
)

// Index indexes every log: the first so many parts in a hundred of those of its entries that are not indexed yet.
func (v *Vault) Index(ctx context.Context, percent int64) error {
	for _, one := range v.organisationLogs() {
		from, err := v.indexed(ctx, one.log.Name)
		if err != nil {
			return err
		}
		one.log.Size = from + (one.log.Size-from)*percent/100
		if err := v.index(ctx, one.org, one.log, 1); err != nil {
			return err
		}
	}
	return nil
}

// ForgetIndex drops the index, so that questions read the ledgers; it returns how many rows it had.
func (v *Vault) ForgetIndex(ctx context.Context) (n int, err error) {
	var puts []Put
	if err := v.store.Rows(ctx, TableExposed, func(id, _ []byte) error {
		puts = append(puts, Put{TableExposed, id, nil})
		return nil
	}); err != nil {
		return 0, err
	}
	return len(puts), v.commit(ctx, func(t *tx) error {
		t.puts = append(t.puts, puts...)
		return nil
	})
}

// ReadExposed reads a row of the index and writes it again.
func ReadExposed(b []byte) ([]byte, error) {
	s, err := decodeExposed(b)
	if err != nil {
		return nil, err
	}
	return s.encode(), nil
}

// SampleExposed is such a row.
func SampleExposed() []byte {
	s := newExposed(exposedKey{"log/2026", 3, "node:web"})
	s.add(&exposing{seq: 5, basis: 1, from: 10, to: 20, wearers: []id.Wearer{{1}, {2}}, fields: 3, years: []uint16{2025, 2020}})
	s.add(&exposing{seq: 900, basis: 2, from: 5, to: 5, wearers: []id.Wearer{{2}}, fields: 8})
	return s.encode()
}

// IndexRows calls fn for every row of the index.
func (v *Vault) IndexRows(ctx context.Context, fn func(id, sealed []byte)) error {
	return v.store.Rows(ctx, TableExposed, func(id, sealed []byte) error {
		fn(id, sealed)
		return nil
	})
}

// PutIndexRow writes a row of the index, or drops it, as who can write to the database would.
func (v *Vault) PutIndexRow(ctx context.Context, id string, sealed []byte) error {
	return v.commit(ctx, func(t *tx) error {
		t.put(TableExposed, []byte(id), sealed)
		return nil
	})
}

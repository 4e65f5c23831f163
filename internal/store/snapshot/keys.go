package snapshot

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger/verify"
	"github.com/dosevault/dosevault/internal/seal"
)

// Uses of an organisation's keys, as the id of table organisation_key holds them: organisation (16 bytes), use (1),
// version (4).
const (
	useOpening       = 2
	useHealthOpening = 3
)

// Keys returns what package verify needs besides the database: the public key of the checkpoints, what opens openings, and
// what the tallies are recomputed with. The root key unwraps the vault's secrets, the epoch key the organisations' keys; both come from the key
// directory, so that a database whose keys were exchanged does not open at all.
func (s *Vault) Keys(ctx context.Context, root, epoch seal.Key) (opt verify.Options, rows verify.AuthorityOptions, err error) {
	rootBox, epochBox := root.Box(), epoch.Box()
	secret := func(name string) (seal.Key, error) {
		var wrapped []byte
		if err := s.tx.QueryRowContext(ctx, "SELECT sealed FROM secret WHERE id = $1", []byte(name)).Scan(&wrapped); err != nil {
			return seal.Key{}, fmt.Errorf("reading the vault's secret %q: %w", name, err)
		}
		k, err := rootBox.Unwrap(seal.NewContext("secret", []byte(name)), wrapped)
		if err != nil {
			return k, fmt.Errorf("the vault's secret %q: is it the root key of another installation? %w", name, err)
		}
		return k, nil
	}
	seed, err := secret("ledger-signing")
	if err != nil {
		return opt, rows, err
	}
	own, err := secret("installation-openings")
	if err != nil {
		return opt, rows, err
	}
	tallies, err := secret("tallies")
	if err != nil {
		return opt, rows, err
	}
	authority, err := secret("authority")
	if err != nil {
		return opt, rows, err
	}
	box := authority.Box()
	rows = verify.AuthorityOptions{Key: tallies[:], Open: func(table string, key, sealed []byte) ([]byte, error) {
		return box.Open(seal.NewContext("row", []byte(table), key), sealed)
	}, Unwrap: func(table string, key, wrapped []byte) (func(key, sealed []byte) error, error) {
		k, err := epochBox.Unwrap(seal.NewContext("key", []byte(table), key), wrapped)
		return func(key, sealed []byte) error {
			_, err := k.Box().Open(seal.NewContext("field", key), sealed)
			return err
		}, err
	}}
	boxes := map[id.Organisation][]*seal.Box{{}: {own.Box()}} // the installation log's under no organisation
	stored, err := s.tx.QueryContext(ctx, "SELECT id, sealed FROM organisation_key")
	if err != nil {
		return opt, rows, fmt.Errorf("reading the organisations' keys: %w", err)
	}
	defer stored.Close()
	for stored.Next() {
		var key, wrapped []byte
		if err := stored.Scan(&key, &wrapped); err != nil {
			return opt, rows, fmt.Errorf("reading the organisations' keys: %w", err)
		}
		if len(key) != 21 || key[16] != useOpening && key[16] != useHealthOpening {
			continue
		}
		k, err := epochBox.Unwrap(seal.NewContext("key", []byte("organisation_key"), key), wrapped)
		if err != nil {
			return opt, rows, fmt.Errorf("table organisation_key, row %s: %w", hex.EncodeToString(key), err)
		}
		org := id.Organisation(key[:16])
		boxes[org] = append(boxes[org], k.Box())
	}
	if err := stored.Err(); err != nil {
		return opt, rows, fmt.Errorf("reading the organisations' keys: %w", err)
	}
	opt.Open = func(log string, hash [sha256.Size]byte, sealed []byte) ([]byte, error) {
		var org id.Organisation // the zero one: the installation log
		if text, _, ok := strings.Cut(log, "/"); ok {
			if err := org.UnmarshalText([]byte(text)); err != nil {
				return nil, err
			}
		}
		// The leaf does not say whether an opening is about health, so each key is tried.
		for _, box := range boxes[org] {
			if b, err := box.Open(seal.NewContext("opening", org[:], hash[:]), sealed); err == nil {
				return b, nil
			}
		}
		return nil, seal.ErrOpen
	}
	opt.PublicKey = ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	return opt, rows, nil
}

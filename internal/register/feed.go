package register

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Feed takes wearers on or changes them, all of them or none, once for each key: the same key with the same hash is
// answered with the import that it was, and nothing is done again. A key is the caller's own, and one that failed may be
// used again. ErrExists: the key was used for something else. ErrState: its import is under way.
func (s *Service) Feed(ctx context.Context, auth vaultclient.Auth, caller id.Grant, key string, joiners []Joiner, hash []byte, sender string) (ImportRow, error) {
	for try := range uint32(100) {
		im := ImportRow{ID: feedImport(caller, key, try), Kind: KindPeople, SHA256: hash}
		was, err := s.Store.Import(ctx, im.ID)
		switch {
		case errors.Is(err, ErrNotFound):
			if _, err := s.takeOnBy(ctx, auth, im, joiners, sender); err != nil {
				if errors.Is(err, ErrExists) {
					return im, ErrState // somebody was faster with the same key
				}
				return im, err
			}
			return s.Store.Import(ctx, im.ID)
		case err != nil:
			return im, err
		case was.State == Failed:
			continue
		case !bytes.Equal(was.SHA256, hash):
			return was, ErrExists
		case was.State != Done:
			return was, ErrState
		}
		return was, nil
	}
	return ImportRow{}, wrong("this key failed too often: use another")
}

// feedImport is the import of a caller's key. The caller's id, which only the vault keeps, makes it as random as any other.
func feedImport(caller id.Grant, key string, try uint32) id.Import {
	h := sha256.Sum256(binary.BigEndian.AppendUint32(append([]byte("dosevault feed\x00"+key+"\x00"), caller[:]...), try))
	return id.Import(h[:16])
}

// TryOn says what a feed would do, and does nothing: what is staged for it is dropped again.
func (s *Service) TryOn(ctx context.Context, auth vaultclient.Auth, joiners []Joiner, hash []byte, sender string) (Counts, error) {
	n := id.New[id.Import]()
	if err := s.Vault.Intake(ctx, auth, vaultclient.Intake{Import: n, Source: KindPeople, SHA256: hash, Rows: len(joiners), Sender: sender}); err != nil {
		return Counts{}, err
	}
	staged, err := s.Vault.Stage(ctx, auth, n, changesOf(joiners))
	if err != nil {
		return Counts{}, err
	}
	out := Counts{In: len(joiners)}
	for i, st := range staged {
		// A department or job title would be compared only by opening it: who has one counts as changed.
		if st.State == "same" && joiners[i].Employment == (Employment{}) {
			out.Ignored++
		} else {
			out.Stored++
		}
	}
	return out, s.Vault.Discard(ctx, auth, n)
}

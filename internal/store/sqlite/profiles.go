package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/store/sqlite/rows"
)

// CreateProfile implements register.Store.
func (s *Register) CreateProfile(ctx context.Context, im register.ImportRow, p register.ProfileRow, documents map[string][][]byte) error {
	return exists(s.in(ctx, func(tx *sql.Tx) error {
		if err := createImport(ctx, tx, im, documents); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO profile (import, name, version) VALUES ($1, $2, $3)", im.ID[:], p.Name, p.Version)
		return err
	}))
}

// Profiles implements register.Store.
func (s *Register) Profiles(ctx context.Context) (out []register.ProfileRow, err error) {
	err = rows.Each(ctx, s.read, "SELECT p.import, p.name, p.version, i.sha256, i.created, p.used, p.retired FROM profile p JOIN import i ON i.id = p.import ORDER BY p.name, p.version DESC", nil, func(scan func(...any) error) error {
		var p register.ProfileRow
		var key []byte
		var added, used, retired int64
		if err := scan(&key, &p.Name, &p.Version, &p.SHA256, &added, &used, &retired); err != nil {
			return err
		}
		copy(p.Import[:], key)
		p.Added, p.Used, p.Retired = time.UnixMicro(added).UTC(), instant(used), instant(retired)
		out = append(out, p)
		return nil
	})
	return out, err
}

// instant is a time of µs, of which 0 is none.
func instant(micro int64) time.Time {
	if micro == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micro).UTC()
}

// UseProfile implements register.Store.
func (s *Register) UseProfile(ctx context.Context, n id.Import, at time.Time) error {
	_, err := s.write.ExecContext(ctx, "UPDATE profile SET used = $1 WHERE import = $2 AND used < $1", at.UnixMicro(), n[:])
	return err
}

// RetireProfile implements register.Store.
func (s *Register) RetireProfile(ctx context.Context, n id.Import, at time.Time) error {
	res, err := s.write.ExecContext(ctx, "UPDATE profile SET retired = $1 WHERE import = $2 AND retired = 0", at.UnixMicro(), n[:])
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(fmt.Errorf("the profile %w", register.ErrState), err)
	}
	return nil
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/store/sqlite/rows"
)

// keepMovement keeps a step as the badge's next one.
const keepMovement = `INSERT INTO movement (barcode, seq, was, state, at, by_user)
	SELECT $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5 FROM movement WHERE barcode = $1`

// MoveBadges implements register.Store.
func (s *Register) MoveBadges(ctx context.Context, m register.Movement, barcodes []string) (moved []string, err error) {
	err = s.in(ctx, func(tx *sql.Tx) error {
		update, err := tx.PrepareContext(ctx, `UPDATE wear_period SET state = $1 WHERE barcode = $2 AND state = $3
			AND NOT EXISTS (SELECT 1 FROM reading r WHERE r.wearer = wear_period.wearer AND r.wear_period = wear_period.id)`)
		if err != nil {
			return err
		}
		defer update.Close()
		keep, err := tx.PrepareContext(ctx, keepMovement)
		if err != nil {
			return err
		}
		defer keep.Close()
		for _, b := range barcodes {
			res, err := update.ExecContext(ctx, int(m.To), b, int(m.From))
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				if err != nil {
					return err
				}
				continue
			}
			if _, err := keep.ExecContext(ctx, b, int(m.From), int(m.To), m.At.UnixMicro(), m.By[:]); err != nil {
				return err
			}
			moved = append(moved, b)
		}
		return nil
	})
	return moved, err
}

// UndoMove implements register.Store.
func (s *Register) UndoMove(ctx context.Context, barcode string, by id.User, since, now time.Time) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		var seq, was, state int64
		err := tx.QueryRowContext(ctx, `SELECT seq, was, state FROM movement WHERE barcode = $1 AND by_user = $2 AND at >= $3
			AND seq = (SELECT max(seq) FROM movement WHERE barcode = $1 AND undone = 0)`, barcode, by[:], since.UnixMicro()).Scan(&seq, &was, &state)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("the badge %w", register.ErrState)
		}
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, "UPDATE wear_period SET state = $1 WHERE barcode = $2 AND state = $3", was, barcode, state)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(fmt.Errorf("the badge %w", register.ErrState), err)
		}
		_, err = tx.ExecContext(ctx, "UPDATE movement SET undone = $1 WHERE barcode = $2 AND seq = $3", now.UnixMicro(), barcode, seq)
		return err
	})
}

// movements returns the movements of a query's rest.
func (s *Register) movements(ctx context.Context, rest string, args ...any) (out []register.Movement, err error) {
	err = rows.Each(ctx, s.read, "SELECT barcode, was, state, at, by_user, undone FROM movement "+rest, args, func(scan func(...any) error) error {
		var m register.Movement
		var at, undone int64
		var by []byte
		if err := scan(&m.Barcode, &m.From, &m.To, &at, &by, &undone); err != nil {
			return err
		}
		copy(m.By[:], by)
		m.At = time.UnixMicro(at).UTC()
		if undone != 0 {
			m.Undone = time.UnixMicro(undone).UTC()
		}
		out = append(out, m)
		return nil
	})
	return out, err
}

// Movements implements register.Store.
func (s *Register) Movements(ctx context.Context, barcode string) ([]register.Movement, error) {
	return s.movements(ctx, "WHERE barcode = $1 ORDER BY seq", barcode)
}

// MovementsBy implements register.Store.
func (s *Register) MovementsBy(ctx context.Context, by id.User, to register.BadgeState, since time.Time, most int) (list []register.Movement, total int, err error) {
	const which = "WHERE by_user = $1 AND at >= $2 AND state = $3 AND undone = 0"
	args := []any{by[:], since.UnixMicro(), int(to)}
	if err := s.read.QueryRowContext(ctx, "SELECT count(*) FROM movement "+which, args...).Scan(&total); err != nil {
		return nil, 0, err
	}
	list, err = s.movements(ctx, which+" ORDER BY at DESC, barcode LIMIT $4", append(args, most)...)
	return list, total, err
}

// A badge's state, and when it came back.
const (
	badgeState = "CASE WHEN EXISTS (SELECT 1 FROM reading r WHERE r.wearer = p.wearer AND r.wear_period = p.id) THEN 5 ELSE p.state END"
	badgeFrom  = "FROM wear_period p LEFT JOIN movement m ON m.barcode = p.barcode AND m.state = 3 AND m.undone = 0 "
)

// Badges implements register.Store.
func (s *Register) Badges(ctx context.Context, f register.BadgeFilter) (out []register.Badge, err error) {
	err = rows.Each(ctx, s.read, "SELECT p.id, p.barcode, p.batch, "+badgeState+", p.organisation, p.wearer, p.starts, p.ends, p.import, p.sealed, m.at "+badgeFrom+
		"WHERE p.organisation = $1 AND p.ends BETWEEN $2 AND $3 AND ($4 = '' OR p.batch = $4) ORDER BY p.ends, p.barcode",
		[]any{f.Organisation[:], int64(f.From), int64(f.To), f.Batch}, func(scan func(...any) error) error {
			var b register.Badge
			var key, org, wearer, im []byte
			var starts, ends int64
			var at sql.NullInt64
			if err := scan(&key, &b.Barcode, &b.Batch, &b.State, &org, &wearer, &starts, &ends, &im, &b.Sealed, &at); err != nil {
				return err
			}
			copy(b.ID[:], key)
			copy(b.Organisation[:], org)
			copy(b.Wearer[:], wearer)
			copy(b.Import[:], im)
			b.Starts, b.Ends = day.Day(starts), day.Day(ends)
			if at.Valid {
				b.Returned = time.UnixMicro(at.Int64).UTC()
			}
			out = append(out, b)
			return nil
		})
	return out, err
}

// BadgeCounts implements register.Store.
func (s *Register) BadgeCounts(ctx context.Context, org id.Organisation, from, to day.Day) (out []register.BadgeCount, err error) {
	which, args := "", []any{register.ReturnDays, int64(from), int64(to)}
	if !org.IsZero() {
		which, args = " AND p.organisation = $4", append(args, org[:])
	}
	const micros = "86400000000" // of a day
	err = rows.Each(ctx, s.read, "SELECT organisation, batch, starts, ends, state, CASE WHEN at IS NOT NULL AND at / "+micros+" <= ends + $1 THEN 1 WHEN at IS NOT NULL THEN 2 WHEN state >= 3 THEN 3 ELSE 0 END, count(*)"+
		" FROM (SELECT p.organisation, p.batch, p.starts, p.ends, "+badgeState+" AS state, m.at "+badgeFrom+
		"WHERE p.ends BETWEEN $2 AND $3 AND p.wearer <> zeroblob(16)"+which+") badge GROUP BY 1, 2, 3, 4, 5, 6",
		args, func(scan func(...any) error) error {
			var c register.BadgeCount
			var key []byte
			var starts, ends int64
			if err := scan(&key, &c.Batch, &starts, &ends, &c.State, &c.Return, &c.N); err != nil {
				return err
			}
			copy(c.Organisation[:], key)
			c.Starts, c.Ends = day.Day(starts), day.Day(ends)
			out = append(out, c)
			return nil
		})
	return out, err
}

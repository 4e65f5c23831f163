package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
)

// isText reports whether PostgreSQL takes s as a text: one with a zero byte or broken UTF-8 stands in no column.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// texts returns those of a list that may stand in a column.
func texts(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return !isText(s) })
}

// MoveBadges implements register.Store. Badges are locked in order of barcode, so that two callers never wait for each other.
func (s *Register) MoveBadges(ctx context.Context, m register.Movement, barcodes []string) (moved []string, err error) {
	err = s.in(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT barcode FROM wear_period WHERE barcode = ANY($1) AND state = $2
			AND NOT EXISTS (SELECT 1 FROM reading r WHERE r.wearer = wear_period.wearer AND r.wear_period = wear_period.id) ORDER BY barcode FOR NO KEY UPDATE`, texts(barcodes), int64(m.From))
		if err != nil {
			return err
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		left := map[string]bool{}
		for _, b := range found {
			left[b] = true
		}
		for _, b := range barcodes {
			if left[b] {
				moved = append(moved, b)
				delete(left, b)
			}
		}
		if _, err := tx.Exec(ctx, "UPDATE wear_period SET state = $1 WHERE barcode = ANY($2)", int64(m.To), found); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO movement (barcode, seq, was, state, at, by_user)
			SELECT b, (SELECT coalesce(max(seq), 0) + 1 FROM movement WHERE barcode = b), $2, $3, $4, $5 FROM unnest($1::text[]) AS b`, found, int64(m.From), int64(m.To), m.At.UnixMicro(), m.By[:])
		return err
	})
	if err != nil {
		return nil, err
	}
	return moved, nil
}

// UndoMove implements register.Store.
func (s *Register) UndoMove(ctx context.Context, barcode string, by id.User, since, now time.Time) error {
	if !isText(barcode) {
		return fmt.Errorf("the badge %w", register.ErrState)
	}
	return s.in(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT 1 FROM wear_period WHERE barcode = $1 FOR NO KEY UPDATE", barcode); err != nil {
			return err
		}
		var seq, was, state int64
		err := tx.QueryRow(ctx, `SELECT seq, was, state FROM movement WHERE barcode = $1 AND by_user = $2 AND at >= $3
			AND seq = (SELECT max(seq) FROM movement WHERE barcode = $1 AND undone = 0)`, barcode, by[:], since.UnixMicro()).Scan(&seq, &was, &state)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("the badge %w", register.ErrState)
		}
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, "UPDATE wear_period SET state = $1 WHERE barcode = $2 AND state = $3", was, barcode, state)
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			return fmt.Errorf("the badge %w", register.ErrState)
		}
		_, err = tx.Exec(ctx, "UPDATE movement SET undone = $1 WHERE barcode = $2 AND seq = $3", now.UnixMicro(), barcode, seq)
		return err
	})
}

// movements returns the movements of a query's rest.
func (s *Register) movements(ctx context.Context, rest string, args ...any) (out []register.Movement, err error) {
	err = s.each(ctx, "SELECT barcode, was, state, at, by_user, undone FROM movement "+rest, args, func(scan func(...any) error) error {
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
	return s.movements(ctx, "WHERE barcode = ANY($1) ORDER BY seq", texts([]string{barcode}))
}

// MovementsBy implements register.Store.
func (s *Register) MovementsBy(ctx context.Context, by id.User, to register.BadgeState, since time.Time, most int) (list []register.Movement, total int, err error) {
	const which = "WHERE by_user = $1 AND at >= $2 AND state = $3 AND undone = 0"
	args := []any{by[:], since.UnixMicro(), int64(to)}
	if err := s.pool.QueryRow(ctx, "SELECT count(*) FROM movement "+which, args...).Scan(&total); err != nil {
		return nil, 0, err
	}
	list, err = s.movements(ctx, which+` ORDER BY at DESC, barcode COLLATE "C" LIMIT $4`, append(args, most)...)
	return list, total, err
}

// A badge's state, and when it came back.
const (
	badgeState = "CASE WHEN EXISTS (SELECT 1 FROM reading r WHERE r.wearer = p.wearer AND r.wear_period = p.id) THEN 5 ELSE p.state END"
	badgeFrom  = "FROM wear_period p LEFT JOIN movement m ON m.barcode = p.barcode AND m.state = 3 AND m.undone = 0 "
)

// Badges implements register.Store.
func (s *Register) Badges(ctx context.Context, f register.BadgeFilter) (out []register.Badge, err error) {
	if !isText(f.Batch) {
		return nil, nil
	}
	err = s.each(ctx, "SELECT p.id, p.barcode, p.batch, "+badgeState+", p.organisation, p.wearer, p.starts, p.ends, p.import, p.sealed, m.at "+badgeFrom+
		`WHERE p.organisation = $1 AND p.ends BETWEEN $2 AND $3 AND ($4 = '' OR p.batch = $4) ORDER BY p.ends, p.barcode COLLATE "C"`,
		[]any{f.Organisation[:], int64(f.From), int64(f.To), f.Batch}, func(scan func(...any) error) error {
			var b register.Badge
			var key, org, wearer, im []byte
			var starts, ends int64
			var at *int64
			if err := scan(&key, &b.Barcode, &b.Batch, &b.State, &org, &wearer, &starts, &ends, &im, &b.Sealed, &at); err != nil {
				return err
			}
			copy(b.ID[:], key)
			copy(b.Organisation[:], org)
			copy(b.Wearer[:], wearer)
			copy(b.Import[:], im)
			b.Starts, b.Ends = day.Day(starts), day.Day(ends)
			if at != nil {
				b.Returned = time.UnixMicro(*at).UTC()
			}
			out = append(out, b)
			return nil
		})
	return out, err
}

// BadgeCounts implements register.Store.
func (s *Register) BadgeCounts(ctx context.Context, org id.Organisation, from, to day.Day) (out []register.BadgeCount, err error) {
	which, args := "", []any{int64(register.ReturnDays), int64(from), int64(to), make([]byte, len(id.Wearer{}))}
	if !org.IsZero() {
		which, args = " AND p.organisation = $5", append(args, org[:])
	}
	const micros = "86400000000" // of a day
	err = s.each(ctx, "SELECT organisation, batch, starts, ends, state, CASE WHEN at IS NOT NULL AND at / "+micros+" <= ends + $1 THEN 1 WHEN at IS NOT NULL THEN 2 WHEN state >= 3 THEN 3 ELSE 0 END, count(*)"+
		" FROM (SELECT p.organisation, p.batch, p.starts, p.ends, "+badgeState+" AS state, m.at "+badgeFrom+
		"WHERE p.ends BETWEEN $2 AND $3 AND p.wearer <> $4"+which+") badge GROUP BY 1, 2, 3, 4, 5, 6",
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

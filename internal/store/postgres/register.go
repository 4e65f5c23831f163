// Package postgres is the register's store on a PostgreSQL database, and what reads both databases for verifying them.
// The vault's store is package vaultdb below it.
package postgres

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/store/postgres/server"
)

//go:embed migrations/register/*.sql
var registerMigrations embed.FS

// Register is the register's store on a PostgreSQL database, which any number of web nodes and workers open beside each other.
type Register struct{ pool *pgxpool.Pool }

var _ register.Store = (*Register)(nil)

// OpenRegister opens the register's database and makes its tables where there are none.
func OpenRegister(ctx context.Context, address string) (*Register, error) {
	pool, err := openRegister(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("opening the register: %w", err)
	}
	return &Register{pool}, nil
}

func openRegister(ctx context.Context, address string) (*pgxpool.Pool, error) {
	c, err := server.Parse(address)
	if err != nil {
		return nil, err
	}
	sub, err := fs.Sub(registerMigrations, "migrations/register")
	if err != nil {
		return nil, err
	}
	if err := server.Migrate(ctx, c, "register", sub); err != nil {
		return nil, err
	}
	return pgxpool.NewWithConfig(ctx, c)
}

// Close closes the connections.
func (s *Register) Close() error {
	s.pool.Close()
	return nil
}

// in runs fn in a transaction.
func (s *Register) in(ctx context.Context, fn func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.pool, fn)
}

// each calls fn for every row of a query, until one fails.
func (s *Register) each(ctx context.Context, q string, args []any, fn func(scan func(...any) error) error) error {
	rows, err := s.pool.Query(ctx, q, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// exists turns a broken uniqueness into register.ErrExists. What PostgreSQL says of the row is left out.
func exists(err error) error {
	var p *pgconn.PgError
	if errors.As(err, &p) && p.Code == "23505" {
		return fmt.Errorf("a row of %s %w", p.TableName, register.ErrExists)
	}
	return err
}

// SetOrganisation implements register.Store.
func (s *Register) SetOrganisation(ctx context.Context, org id.Organisation, sealed []byte) error {
	_, err := s.pool.Exec(ctx, "INSERT INTO organisation (id, sealed) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed", org[:], sealed)
	return err
}

// Organisations implements register.Store.
func (s *Register) Organisations(ctx context.Context) (map[id.Organisation][]byte, error) {
	out := map[id.Organisation][]byte{}
	err := s.each(ctx, "SELECT id, sealed FROM organisation", nil, func(scan func(...any) error) error {
		var key, sealed []byte
		if err := scan(&key, &sealed); err != nil {
			return err
		}
		out[id.Organisation(key)] = sealed
		return nil
	})
	return out, err
}

const importColumns = "id, kind, state, job_grant, node, sha256, created, rows_in, rows_stored, rows_refused, rows_ignored, failure, owner"

func scanImport(scan func(...any) error) (register.ImportRow, error) {
	var im register.ImportRow
	var key, grant, owner []byte
	var created int64
	err := scan(&key, &im.Kind, &im.State, &grant, &im.Node, &im.SHA256, &created, &im.In, &im.Stored, &im.Refused, &im.Ignored, &im.Failure, &owner)
	copy(im.ID[:], key)
	copy(im.Grant[:], grant)
	copy(im.Owner[:], owner)
	im.Created = time.UnixMicro(created).UTC()
	return im, err
}

// imports returns the imports of a query's rest.
func (s *Register) imports(ctx context.Context, rest string, args ...any) ([]register.ImportRow, error) {
	var out []register.ImportRow
	err := s.each(ctx, "SELECT "+importColumns+" FROM import "+rest, args, func(scan func(...any) error) error {
		im, err := scanImport(scan)
		out = append(out, im)
		return err
	})
	return out, err
}

func (s *Register) oneImport(ctx context.Context, rest string, args ...any) (register.ImportRow, error) {
	ims, err := s.imports(ctx, rest, args...)
	if err == nil && len(ims) == 0 {
		return register.ImportRow{}, register.ErrNotFound
	}
	if err != nil {
		return register.ImportRow{}, err
	}
	return ims[0], nil
}

// CreateImport implements register.Store.
func (s *Register) CreateImport(ctx context.Context, im register.ImportRow, documents map[string][][]byte) error {
	return exists(s.in(ctx, func(tx pgx.Tx) error { return createImport(ctx, tx, im, documents) }))
}

func createImport(ctx context.Context, tx pgx.Tx, im register.ImportRow, documents map[string][][]byte) error {
	_, err := tx.Exec(ctx, "INSERT INTO import ("+importColumns+", lease) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, CASE WHEN $13::bytea IS NULL THEN 0 ELSE "+until("$14")+" END)",
		im.ID[:], im.Kind, string(im.State), im.Grant[:], im.Node, im.SHA256, im.Created.UnixMicro(), im.In, im.Stored, im.Refused, im.Ignored, im.Failure, owned(im), register.Lease.Microseconds())
	if err != nil {
		return err
	}
	for name, parts := range documents {
		if err := setDocument(ctx, tx, im.ID, name, parts); err != nil {
			return err
		}
	}
	return nil
}

func setDocument(ctx context.Context, tx pgx.Tx, n id.Import, name string, parts [][]byte) error {
	if _, err := tx.Exec(ctx, "DELETE FROM document WHERE import = $1 AND name = $2", n[:], name); err != nil {
		return err
	}
	for i, p := range parts {
		if _, err := tx.Exec(ctx, "INSERT INTO document (import, name, part, sealed) VALUES ($1, $2, $3, $4)", n[:], name, i, p); err != nil {
			return err
		}
	}
	return nil
}

// Import implements register.Store.
func (s *Register) Import(ctx context.Context, n id.Import) (register.ImportRow, error) {
	return s.oneImport(ctx, "WHERE id = $1", n[:])
}

// Imports implements register.Store.
func (s *Register) Imports(ctx context.Context, skip, most int) (list []register.ImportRow, total int, err error) {
	const which = "WHERE kind <> $1 AND kind <> $2 AND kind <> $3 "
	args := []any{register.KindProfile, register.KindSample, register.KindEvaluation}
	if err := s.pool.QueryRow(ctx, "SELECT count(*) FROM import "+which, args...).Scan(&total); err != nil {
		return nil, 0, err
	}
	list, err = s.imports(ctx, which+"ORDER BY created DESC, id LIMIT $4 OFFSET $5", append(args, most, skip)...)
	return list, total, err
}

// ImportOf implements register.Store.
func (s *Register) ImportOf(ctx context.Context, sha256 []byte) (register.ImportRow, error) {
	return s.oneImport(ctx, "WHERE sha256 = $1 AND state IN ($2, $3) LIMIT 1", sha256, string(register.Stored), string(register.Done))
}

// InState implements register.Store.
func (s *Register) InState(ctx context.Context, st register.State) ([]register.ImportRow, error) {
	return s.imports(ctx, "WHERE state = $1 ORDER BY created", string(st))
}

// Move implements register.Store.
func (s *Register) Move(ctx context.Context, from register.State, im register.ImportRow) error {
	return s.in(ctx, func(tx pgx.Tx) error { return move(ctx, tx, from, im) })
}

func move(ctx context.Context, tx pgx.Tx, from register.State, im register.ImportRow) error {
	tag, err := tx.Exec(ctx, "UPDATE import SET state = $1, rows_in = $2, rows_stored = $3, rows_refused = $4, rows_ignored = $5, failure = $6, owner = $7, lease = CASE WHEN $7::bytea IS NULL THEN 0 ELSE "+until("$8")+
		" END WHERE id = $9 AND state = $10 AND coalesce(owner, $11) = $12",
		string(im.State), im.In, im.Stored, im.Refused, im.Ignored, im.Failure, owned(im), register.Lease.Microseconds(), im.ID[:], string(from), make([]byte, len(im.Owner)), im.Owner[:])
	if err == nil && tag.RowsAffected() != 1 {
		err = fmt.Errorf("the import %w than %s, or another's", register.ErrState, from)
	}
	if err == nil && !im.State.KeepsFile() {
		_, err = tx.Exec(ctx, "DELETE FROM document WHERE import = $1", im.ID[:])
	}
	return err
}

// owned is the owner that an import has in its state.
func owned(im register.ImportRow) []byte {
	if im.Owner.IsZero() || !im.State.Held() {
		return nil
	}
	return im.Owner[:]
}

// until is the end of a lease of so many microseconds from now on, by the server's clock, which serves all.
func until(micros string) string {
	return "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint + " + micros + "::bigint"
}

// Claim implements register.Store. Workers that look at the same time pass over each other's.
func (s *Register) Claim(ctx context.Context, from, to register.State, by register.Hold) (register.ImportRow, error) {
	return s.take(ctx, "UPDATE import SET owner = $1, lease = "+until("$2")+", state = $3 WHERE id = (SELECT id FROM import WHERE state = $4 ORDER BY created LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING "+importColumns,
		by.Owner[:], by.For.Microseconds(), string(to), string(from))
}

// ClaimOne implements register.Store.
func (s *Register) ClaimOne(ctx context.Context, n id.Import, from, to register.State, by register.Hold) (register.ImportRow, error) {
	im, err := s.take(ctx, "UPDATE import SET owner = $1, lease = "+until("$2")+", state = $3 WHERE id = $4 AND state = $5 RETURNING "+importColumns,
		by.Owner[:], by.For.Microseconds(), string(to), n[:], string(from))
	if errors.Is(err, register.ErrNotFound) {
		err = fmt.Errorf("the import %w than %s", register.ErrState, from)
	}
	return im, err
}

// Reclaim implements register.Store. An import that is just being committed is locked, and passed over.
func (s *Register) Reclaim(ctx context.Context, by register.Hold) (register.ImportRow, error) {
	return s.take(ctx, "UPDATE import SET owner = $1, lease = "+until("$2")+` WHERE id = (SELECT id FROM import WHERE state = ANY($3) AND (owner = $1 OR lease < `+until("0")+`)
		ORDER BY created LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING `+importColumns,
		by.Owner[:], by.For.Microseconds(), []string{string(register.Previewing), string(register.Importing), string(register.Stored)})
}

// take returns the import that a statement gave to somebody.
func (s *Register) take(ctx context.Context, query string, args ...any) (register.ImportRow, error) {
	im, err := scanImport(s.pool.QueryRow(ctx, query, args...).Scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return register.ImportRow{}, register.ErrNotFound
	}
	return im, err
}

// Extend implements register.Store.
func (s *Register) Extend(ctx context.Context, n id.Import, by register.Hold) error {
	tag, err := s.pool.Exec(ctx, "UPDATE import SET lease = "+until("$1")+" WHERE id = $2 AND owner = $3", by.For.Microseconds(), n[:], by.Owner[:])
	if err == nil && tag.RowsAffected() != 1 {
		err = fmt.Errorf("the import %w: it is another's", register.ErrState)
	}
	return err
}

// SetDocument implements register.Store.
func (s *Register) SetDocument(ctx context.Context, n id.Import, name string, parts [][]byte) error {
	return s.in(ctx, func(tx pgx.Tx) error { return setDocument(ctx, tx, n, name, parts) })
}

// Document implements register.Store.
func (s *Register) Document(ctx context.Context, n id.Import, name string) ([][]byte, error) {
	var out [][]byte
	err := s.each(ctx, "SELECT sealed FROM document WHERE import = $1 AND name = $2 ORDER BY part", []any{n[:], name}, func(scan func(...any) error) error {
		var b []byte
		err := scan(&b)
		out = append(out, b)
		return err
	})
	if err == nil && out == nil {
		return nil, register.ErrNotFound
	}
	return out, err
}

// copyRows stores rows by COPY, in order of their random keys: so that the order in which they lie tells nothing, and a
// wearer's lie together.
func copyRows[T any](ctx context.Context, tx pgx.Tx, table string, columns []string, rows []T, before func(a, b *T) int, values func(*T) []any) error {
	if len(rows) == 0 {
		return nil
	}
	order := make([]*T, len(rows))
	for i := range rows {
		order[i] = &rows[i]
	}
	slices.SortFunc(order, before)
	_, err := tx.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromSlice(len(order), func(i int) ([]any, error) { return values(order[i]), nil }))
	return err
}

// Commit implements register.Store.
func (s *Register) Commit(ctx context.Context, from register.State, im register.ImportRow, parts iter.Seq2[*register.Rows, error]) error {
	return exists(s.in(ctx, func(tx pgx.Tx) error {
		if err := move(ctx, tx, from, im); err != nil {
			return err
		}
		for rows, err := range parts {
			if err != nil {
				return err
			}
			if err := copyPart(ctx, tx, rows); err != nil {
				return err
			}
		}
		return nil
	}))
}

// copyPart inserts rows of every kind.
func copyPart(ctx context.Context, tx pgx.Tx, rows *register.Rows) error {
	if err := copyRows(ctx, tx, "wearer", []string{"id", "version", "organisation", "import", "sealed", "health"}, rows.Wearers,
		func(a, b *register.WearerRow) int { return bytes.Compare(a.ID[:], b.ID[:]) },
		func(w *register.WearerRow) []any {
			return []any{w.ID[:], w.Version, w.Organisation[:], w.Import[:], w.Sealed, w.Health}
		}); err != nil {
		return err
	}
	if err := copyRows(ctx, tx, "wear_period", []string{"id", "barcode", "batch", "state", "organisation", "wearer", "starts", "ends", "import", "sealed"}, rows.Periods,
		func(a, b *register.PeriodRow) int {
			return cmp.Or(bytes.Compare(a.Wearer[:], b.Wearer[:]), bytes.Compare(a.ID[:], b.ID[:]))
		},
		func(p *register.PeriodRow) []any {
			return []any{p.ID[:], p.Barcode, p.Batch, int64(p.State), p.Organisation[:], p.Wearer[:], int64(p.Starts), int64(p.Ends), p.Import[:], p.Sealed}
		}); err != nil {
		return err
	}
	if err := copyRows(ctx, tx, "reading", []string{"wearer", "wear_period", "version", "import", "sealed"}, rows.Readings,
		func(a, b *register.ReadingRow) int {
			return cmp.Or(bytes.Compare(a.Wearer[:], b.Wearer[:]), bytes.Compare(a.Period[:], b.Period[:]), cmp.Compare(a.Version, b.Version))
		},
		func(r *register.ReadingRow) []any {
			return []any{r.Wearer[:], r.Period[:], r.Version, r.Import[:], r.Sealed}
		}); err != nil {
		return err
	}
	if err := copyRows(ctx, tx, "investigation", []string{"id", "organisation", "tag", "import", "sealed"}, rows.Investigations,
		func(a, b *register.InvestigationRow) int { return bytes.Compare(a.ID[:], b.ID[:]) },
		func(v *register.InvestigationRow) []any {
			return []any{v.ID[:], v.Organisation[:], v.Tag, v.Import[:], v.Sealed}
		}); err != nil {
		return err
	}
	type step struct {
		*register.Movement
		seq int
	}
	steps := make([]step, len(rows.Movements))
	for i, seq := range register.Numbered(rows.Movements) {
		steps[i] = step{&rows.Movements[i], seq}
	}
	return copyRows(ctx, tx, "movement", []string{"barcode", "seq", "was", "state", "at", "by_user"}, steps,
		func(a, b *step) int { return cmp.Or(cmp.Compare(a.Barcode, b.Barcode), cmp.Compare(a.seq, b.seq)) },
		func(m *step) []any {
			return []any{m.Barcode, m.seq, int64(m.From), int64(m.To), m.At.UnixMicro(), m.By[:]}
		})
}

const resultColumns = `SELECT p.id, p.barcode, p.batch, p.state, p.organisation, p.wearer, p.starts, p.ends, p.import, p.sealed, r.version, r.import, r.sealed
	FROM wear_period p LEFT JOIN reading r ON r.wearer = p.wearer AND r.wear_period = p.id `

// results returns wear periods and their reports.
func (s *Register) results(ctx context.Context, rest string, args ...any) (out []register.Result, err error) {
	at := map[id.Row]int{}
	err = s.each(ctx, resultColumns+rest, args, func(scan func(...any) error) error {
		var p register.PeriodRow
		var key, org, wearer, im, rim, sealed []byte
		var starts, ends int64
		var version *uint32
		if err := scan(&key, &p.Barcode, &p.Batch, &p.State, &org, &wearer, &starts, &ends, &im, &p.Sealed, &version, &rim, &sealed); err != nil {
			return err
		}
		copy(p.ID[:], key)
		i, ok := at[p.ID]
		if !ok {
			copy(p.Organisation[:], org)
			copy(p.Wearer[:], wearer)
			copy(p.Import[:], im)
			p.Starts, p.Ends = day.Day(starts), day.Day(ends)
			i = len(out)
			at[p.ID] = i
			out = append(out, register.Result{PeriodRow: p})
		}
		if version != nil {
			f := &out[i]
			r := register.ReadingRow{Period: f.ID, Wearer: f.Wearer, Version: *version, Sealed: sealed}
			copy(r.Import[:], rim)
			f.State = register.Read
			at, _ := slices.BinarySearchFunc(f.Reports, r, func(a, b register.ReadingRow) int { return cmp.Compare(a.Version, b.Version) })
			f.Reports = slices.Insert(f.Reports, at, r)
		}
		return nil
	})
	return out, err
}

// Periods implements register.Store.
func (s *Register) Periods(ctx context.Context, barcodes []string) ([]register.Result, error) {
	return s.results(ctx, "WHERE p.barcode = ANY($1)", texts(barcodes))
}

// idBytes are ids as PostgreSQL takes a list of them.
func idBytes[T ~[16]byte](list []T) [][]byte {
	out := make([][]byte, len(list))
	for i := range list {
		out[i] = slices.Clone(list[i][:])
	}
	return out
}

// Both name the wearers on both sides: from one alone the server would read all rows of the other, as long as it knows nothing about
// how many there are, which is so for a minute after a first import.
const (
	resultsOfWearers = "WHERE p.wearer = ANY($1) AND r.wearer = ANY($1) AND p.ends >= $2"
	wornByWearers    = "AND r.wearer = ANY($1) WHERE p.wearer = ANY($1)"
)

// Worn implements register.Store.
func (s *Register) Worn(ctx context.Context, wearers []id.Wearer) ([]register.Result, error) {
	return s.results(ctx, wornByWearers, idBytes(wearers))
}

// Results implements register.Store.
func (s *Register) Results(ctx context.Context, wearers []id.Wearer, since day.Day) ([]register.Result, error) {
	return s.results(ctx, resultsOfWearers, idBytes(wearers), int64(since))
}

// ResultsOf implements register.Store.
func (s *Register) ResultsOf(ctx context.Context, org id.Organisation, from, to day.Day) ([]register.Result, error) {
	return s.results(ctx, "WHERE p.organisation = $1 AND p.ends BETWEEN $2 AND $3 AND p.wearer <> $4", org[:], int64(from), int64(to), make([]byte, len(id.Wearer{})))
}

const wearerColumns = "id, version, organisation, import, sealed, health FROM wearer "

func (s *Register) wearers(ctx context.Context, query string, args ...any) (out []register.WearerRow, err error) {
	err = s.each(ctx, query, args, func(scan func(...any) error) error {
		var w register.WearerRow
		var key, org, im []byte
		err := scan(&key, &w.Version, &org, &im, &w.Sealed, &w.Health)
		copy(w.ID[:], key)
		copy(w.Organisation[:], org)
		copy(w.Import[:], im)
		out = append(out, w)
		return err
	})
	return out, err
}

// Wearers implements register.Store.
func (s *Register) Wearers(ctx context.Context, wearers []id.Wearer) ([]register.WearerRow, error) {
	return s.wearers(ctx, "SELECT DISTINCT ON (id) "+wearerColumns+"WHERE id = ANY($1) ORDER BY id, version DESC", idBytes(wearers))
}

// WearersOf implements register.Store.
func (s *Register) WearersOf(ctx context.Context, org id.Organisation) ([]register.WearerRow, error) {
	return s.wearers(ctx, "SELECT DISTINCT ON (id) "+wearerColumns+"WHERE organisation = $1 ORDER BY id, version DESC", org[:])
}

func (s *Register) investigations(ctx context.Context, rest string, args ...any) (out []register.InvestigationRow, err error) {
	err = s.each(ctx, "SELECT id, organisation, tag, import, sealed FROM investigation "+rest, args, func(scan func(...any) error) error {
		var v register.InvestigationRow
		var key, org, im []byte
		err := scan(&key, &org, &v.Tag, &im, &v.Sealed)
		copy(v.ID[:], key)
		copy(v.Organisation[:], org)
		copy(v.Import[:], im)
		out = append(out, v)
		return err
	})
	return out, err
}

// Investigations implements register.Store.
func (s *Register) Investigations(ctx context.Context, org id.Organisation) ([]register.InvestigationRow, error) {
	return s.investigations(ctx, "WHERE organisation = $1", org[:])
}

// HasTags implements register.Store.
func (s *Register) HasTags(ctx context.Context, tags [][]byte) ([]bool, error) {
	found := map[string]bool{}
	err := s.each(ctx, "SELECT tag FROM investigation WHERE tag = ANY($1)", []any{tags}, func(scan func(...any) error) error {
		var t []byte
		err := scan(&t)
		found[string(t)] = true
		return err
	})
	out := make([]bool, len(tags))
	for i, t := range tags {
		out[i] = found[string(t)]
	}
	return out, err
}

// States implements register.Store.
func (s *Register) States(ctx context.Context, since day.Day) ([]register.OrganisationState, error) {
	by := map[id.Organisation]*register.OrganisationState{}
	of := func(key []byte) *register.OrganisationState {
		org := id.Organisation(key)
		if by[org] == nil {
			by[org] = &register.OrganisationState{Organisation: org, Badges: map[register.BadgeState]int{}}
		}
		return by[org]
	}
	err := s.each(ctx, `SELECT organisation, CASE WHEN EXISTS (SELECT 1 FROM reading r WHERE r.wearer = p.wearer AND r.wear_period = p.id) THEN $1::bigint ELSE state END, count(*)
		FROM wear_period p WHERE ends >= $2 AND wearer <> $3 GROUP BY 1, 2`, []any{int64(register.Read), int64(since), make([]byte, len(id.Wearer{}))},
		func(scan func(...any) error) error {
			var key []byte
			var st register.BadgeState
			var n int
			if err := scan(&key, &st, &n); err != nil {
				return err
			}
			of(key).Badges[st] = n
			return nil
		})
	if err == nil {
		err = s.each(ctx, "SELECT organisation, count(*) FROM investigation GROUP BY 1", nil, func(scan func(...any) error) error {
			var key []byte
			var n int
			if err := scan(&key, &n); err != nil {
				return err
			}
			of(key).Investigations = n
			return nil
		})
	}
	out := make([]register.OrganisationState, 0, len(by))
	for _, o := range by {
		out = append(out, *o)
	}
	return out, err
}

// ImportRows implements register.Store. A reading's wear period comes with it where another import stored that.
func (s *Register) ImportRows(ctx context.Context, n id.Import) (*register.Rows, error) {
	stored := &register.Rows{}
	var err error
	if stored.Wearers, err = s.wearers(ctx, "SELECT "+wearerColumns+"WHERE import = $1", n[:]); err != nil {
		return nil, err
	}
	found, err := s.results(ctx, "WHERE p.import = $1 OR r.import = $1", n[:])
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		if f.Import == n {
			stored.Periods = append(stored.Periods, f.PeriodRow)
		}
		for _, r := range f.Reports {
			if r.Import == n {
				stored.Readings = append(stored.Readings, r)
				stored.ReadingPeriods = append(stored.ReadingPeriods, f.PeriodRow)
			}
		}
	}
	stored.Investigations, err = s.investigations(ctx, "WHERE import = $1", n[:])
	return stored, err
}

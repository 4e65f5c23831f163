package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/store/sqlite/rows"
)

//go:embed migrations/register/*.sql
var registerMigrations embed.FS

// Register is the register's store on one SQLite file, which web node, worker and command line open beside each other.
type Register struct{ write, read *sql.DB }

var _ register.Store = (*Register)(nil)

// OpenRegister opens or creates the register's database.
func OpenRegister(ctx context.Context, path string) (*Register, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(30000)" +
		"&_pragma=foreign_keys(1)&_pragma=secure_delete(1)&_pragma=cache_size(-65536)&_pragma=temp_store(2)&_txlock=immediate&_dqs=0"
	w, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("opening the register: %w", err)
	}
	w.SetMaxOpenConns(1)
	sub, err := fs.Sub(registerMigrations, "migrations/register")
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	migrations, err := goose.NewProvider(goose.DialectSQLite3, w, sub)
	if err == nil {
		_, err = migrations.Up(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the register: %w", errors.Join(err, w.Close()))
	}
	r, err := sql.Open("sqlite", dsn+"&_pragma=query_only(1)")
	if err != nil {
		return nil, fmt.Errorf("opening the register: %w", errors.Join(err, w.Close()))
	}
	r.SetMaxOpenConns(4)
	r.SetMaxIdleConns(4) // a connection keeps its cache
	return &Register{w, r}, nil
}

// Close closes the database.
func (s *Register) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }

// in runs fn in a transaction that writes.
func (s *Register) in(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// exists turns a broken uniqueness into register.ErrExists.
func exists(err error) error {
	if err != nil && strings.Contains(err.Error(), "UNIQUE constraint failed") {
		return fmt.Errorf("a row %w: %w", register.ErrExists, err)
	}
	return err
}

// SetOrganisation implements register.Store.
func (s *Register) SetOrganisation(ctx context.Context, org id.Organisation, sealed []byte) error {
	_, err := s.write.ExecContext(ctx, "INSERT INTO organisation (id, sealed) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed", org[:], sealed)
	return err
}

// Organisations implements register.Store.
func (s *Register) Organisations(ctx context.Context) (map[id.Organisation][]byte, error) {
	out := map[id.Organisation][]byte{}
	err := rows.Each(ctx, s.read, "SELECT id, sealed FROM organisation", nil, func(scan func(...any) error) error {
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
	err := rows.Each(ctx, s.read, "SELECT "+importColumns+" FROM import "+rest, args, func(scan func(...any) error) error {
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
	return exists(s.in(ctx, func(tx *sql.Tx) error { return createImport(ctx, tx, im, documents) }))
}

func createImport(ctx context.Context, tx *sql.Tx, im register.ImportRow, documents map[string][][]byte) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO import ("+importColumns+", lease) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
		im.ID[:], im.Kind, im.State, im.Grant[:], im.Node, im.SHA256, im.Created.UnixMicro(), im.In, im.Stored, im.Refused, im.Ignored, im.Failure, owned(im), leased(im))
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

func setDocument(ctx context.Context, tx *sql.Tx, n id.Import, name string, parts [][]byte) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM document WHERE import = $1 AND name = $2", n[:], name); err != nil {
		return err
	}
	for i, p := range parts {
		if _, err := tx.ExecContext(ctx, "INSERT INTO document (import, name, part, sealed) VALUES ($1, $2, $3, $4)", n[:], name, i, p); err != nil {
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
	if err := s.read.QueryRowContext(ctx, "SELECT count(*) FROM import "+which, args...).Scan(&total); err != nil {
		return nil, 0, err
	}
	list, err = s.imports(ctx, which+"ORDER BY created DESC, id LIMIT $4 OFFSET $5", append(args, most, skip)...)
	return list, total, err
}

// ImportOf implements register.Store.
func (s *Register) ImportOf(ctx context.Context, sha256 []byte) (register.ImportRow, error) {
	return s.oneImport(ctx, "WHERE sha256 = $1 AND state IN ($2, $3) LIMIT 1", sha256, register.Stored, register.Done)
}

// InState implements register.Store.
func (s *Register) InState(ctx context.Context, st register.State) ([]register.ImportRow, error) {
	return s.imports(ctx, "WHERE state = $1 ORDER BY created", st)
}

// Move implements register.Store.
func (s *Register) Move(ctx context.Context, from register.State, im register.ImportRow) error {
	err := s.in(ctx, func(tx *sql.Tx) error { return move(ctx, tx, from, im) })
	if err == nil && !im.State.KeepsFile() {
		// What was deleted is overwritten in the database, and still stands in the log before it. Where somebody reads
		// at this moment, the log is emptied later.
		_, err = s.write.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	}
	return err
}

func move(ctx context.Context, tx *sql.Tx, from register.State, im register.ImportRow) error {
	res, err := tx.ExecContext(ctx, "UPDATE import SET state = $1, rows_in = $2, rows_stored = $3, rows_refused = $4, rows_ignored = $5, failure = $6, owner = $7, lease = $8 WHERE id = $9 AND state = $10 AND coalesce(owner, zeroblob(16)) = $11",
		im.State, im.In, im.Stored, im.Refused, im.Ignored, im.Failure, owned(im), leased(im), im.ID[:], from, im.Owner[:])
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(fmt.Errorf("the import %w than %s, or another's", register.ErrState, from), err)
	}
	if im.State.KeepsFile() {
		return nil
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM document WHERE import = $1", im.ID[:])
	return err
}

// owned is the owner that an import has in its state, and leased until when.
func owned(im register.ImportRow) []byte {
	if im.Owner.IsZero() || !im.State.Held() {
		return nil
	}
	return im.Owner[:]
}

func leased(im register.ImportRow) int64 {
	if owned(im) == nil {
		return 0
	}
	return until(register.Lease)
}

// until is the end of a lease that begins now. Everybody who opens the file is on this machine, so its clock serves all.
func until(d time.Duration) int64 { return time.Now().Add(d).UnixMicro() }

// Claim implements register.Store.
func (s *Register) Claim(ctx context.Context, from, to register.State, by register.Hold) (register.ImportRow, error) {
	// Most looks find nothing: they cost no write.
	if _, err := s.oneImport(ctx, "WHERE state = $1 LIMIT 1", from); err != nil {
		return register.ImportRow{}, err
	}
	return s.take(ctx, "UPDATE import SET owner = $1, lease = $2, state = $3 WHERE id = (SELECT id FROM import WHERE state = $4 ORDER BY created LIMIT 1) RETURNING "+importColumns,
		by.Owner[:], until(by.For), to, from)
}

// ClaimOne implements register.Store.
func (s *Register) ClaimOne(ctx context.Context, n id.Import, from, to register.State, by register.Hold) (register.ImportRow, error) {
	im, err := s.take(ctx, "UPDATE import SET owner = $1, lease = $2, state = $3 WHERE id = $4 AND state = $5 RETURNING "+importColumns, by.Owner[:], until(by.For), to, n[:], from)
	if errors.Is(err, register.ErrNotFound) {
		err = fmt.Errorf("the import %w than %s", register.ErrState, from)
	}
	return im, err
}

// Reclaim implements register.Store.
func (s *Register) Reclaim(ctx context.Context, by register.Hold) (register.ImportRow, error) {
	const free = "WHERE state IN ($1, $2, $3) AND (lease < $4 OR owner = $5) ORDER BY created LIMIT 1"
	args := []any{register.Previewing, register.Importing, register.Stored, until(0), by.Owner[:]}
	if _, err := s.oneImport(ctx, free, args...); err != nil {
		return register.ImportRow{}, err
	}
	return s.take(ctx, "UPDATE import SET owner = $5, lease = $6 WHERE id = (SELECT id FROM import "+free+") RETURNING "+importColumns, append(args, until(by.For))...)
}

// take returns the import that a statement gave to somebody.
func (s *Register) take(ctx context.Context, query string, args ...any) (im register.ImportRow, err error) {
	err = s.in(ctx, func(tx *sql.Tx) (err error) {
		im, err = scanImport(tx.QueryRowContext(ctx, query, args...).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return register.ErrNotFound
		}
		return err
	})
	return im, err
}

// Extend implements register.Store.
func (s *Register) Extend(ctx context.Context, n id.Import, by register.Hold) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE import SET lease = $1 WHERE id = $2 AND owner = $3", until(by.For), n[:], by.Owner[:])
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(fmt.Errorf("the import %w: it is another's", register.ErrState), err)
		}
		return nil
	})
}

// SetDocument implements register.Store.
func (s *Register) SetDocument(ctx context.Context, n id.Import, name string, parts [][]byte) error {
	return s.in(ctx, func(tx *sql.Tx) error { return setDocument(ctx, tx, n, name, parts) })
}

// Document implements register.Store.
func (s *Register) Document(ctx context.Context, n id.Import, name string) ([][]byte, error) {
	var out [][]byte
	err := rows.Each(ctx, s.read, "SELECT sealed FROM document WHERE import = $1 AND name = $2 ORDER BY part", []any{n[:], name}, func(scan func(...any) error) error {
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

// Commit implements register.Store.
func (s *Register) Commit(ctx context.Context, from register.State, im register.ImportRow, parts iter.Seq2[*register.Rows, error]) error {
	return exists(s.in(ctx, func(tx *sql.Tx) error {
		if err := move(ctx, tx, from, im); err != nil {
			return err
		}
		w := writer{ctx: ctx, tx: tx}
		for rows, err := range parts {
			if err != nil {
				return err
			}
			if w.rows(rows); w.err != nil {
				return w.err
			}
		}
		return nil
	}))
}

// rows inserts rows of every kind.
func (w *writer) rows(rows *register.Rows) {
	w.insert("wearer (id, version, organisation, import, sealed, health)", len(rows.Wearers), func(i int) []any {
		w := &rows.Wearers[i]
		return []any{w.ID[:], w.Version, w.Organisation[:], w.Import[:], w.Sealed, w.Health}
	})
	w.insert("wear_period (id, barcode, batch, state, organisation, wearer, starts, ends, import, sealed)", len(rows.Periods), func(i int) []any {
		p := &rows.Periods[i]
		return []any{p.ID[:], p.Barcode, p.Batch, int(p.State), p.Organisation[:], p.Wearer[:], int64(p.Starts), int64(p.Ends), p.Import[:], p.Sealed}
	})
	w.insert("reading (wearer, wear_period, version, import, sealed)", len(rows.Readings), func(i int) []any {
		r := &rows.Readings[i]
		return []any{r.Wearer[:], r.Period[:], r.Version, r.Import[:], r.Sealed}
	})
	w.insert("investigation (id, organisation, tag, import, sealed)", len(rows.Investigations), func(i int) []any {
		v := &rows.Investigations[i]
		return []any{v.ID[:], v.Organisation[:], v.Tag, v.Import[:], v.Sealed}
	})
	steps := register.Numbered(rows.Movements)
	w.insert("movement (barcode, seq, was, state, at, by_user)", len(steps), func(i int) []any {
		m := &rows.Movements[i]
		return []any{m.Barcode, steps[i], int(m.From), int(m.To), m.At.UnixMicro(), m.By[:]}
	})
}

// writer inserts rows in a transaction until an error.
type writer struct {
	ctx context.Context
	tx  *sql.Tx
	err error
}

// insert inserts n rows into a table, named with its columns, thirty-two in a statement: a statement for each row takes
// half as long again.
func (w *writer) insert(table string, n int, row func(i int) []any) {
	columns := strings.Count(table, ",") + 1
	for at, many := 0, 32; at < n && w.err == nil; many = 1 {
		at = w.some(fmt.Sprintf("INSERT INTO %s VALUES %s", table, strings.TrimSuffix(strings.Repeat(marks(columns)+",", many), ",")), at, n, many, row)
	}
}

// some inserts rows, many in a statement, from one on while there are so many, and returns how far it came.
func (w *writer) some(statement string, at, n, many int, row func(i int) []any) int {
	st, err := w.tx.PrepareContext(w.ctx, statement)
	if w.err = err; err != nil {
		return at
	}
	defer st.Close()
	var args []any
	for ; at+many <= n; at += many {
		args = args[:0]
		for i := range many {
			args = append(args, row(at+i)...)
		}
		if _, w.err = st.ExecContext(w.ctx, args...); w.err != nil {
			return at
		}
	}
	return at
}

// Ids and sealed values come as one column of those that the driver copies one by one: a column takes longer to read than
// its row takes to find.
const joined = `SELECT p.barcode, p.batch, p.state, p.starts, p.ends, CAST(p.id || p.organisation || p.wearer || p.import || p.sealed AS BLOB), r.version, CAST(r.import || r.sealed AS BLOB)
	FROM `

const resultColumns = joined + "wear_period p LEFT JOIN reading r ON r.wearer = p.wearer AND r.wear_period = p.id "

// The readings come first, so that periods without any cost nothing.
const reportedColumns = joined + "reading r CROSS JOIN wear_period p ON p.wearer = r.wearer AND p.id = r.wear_period "

// some splits a long list of arguments into statements of at most most of them.
func some[T any](list []T, fn func(part []T) error) error {
	const most = 500
	for len(list) > 0 {
		n := min(most, len(list))
		if err := fn(list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

func marks(n int) string { return "(?" + strings.Repeat(",?", n-1) + ")" }

// results collects wear periods and their reports.
func (s *Register) results(ctx context.Context, out *[]register.Result, query string, args []any) error {
	at := map[id.Row]int{}
	return rows.Each(ctx, s.read, query, args, func(scan func(...any) error) error {
		var p register.PeriodRow
		var period, report []byte
		var starts, ends int64
		var version sql.NullInt64
		if err := scan(&p.Barcode, &p.Batch, &p.State, &starts, &ends, &period, &version, &report); err != nil {
			return err
		}
		if len(period) < 64 || version.Valid && len(report) < 16 {
			return errors.New("a row of the register has lost a part: it was changed; run dosevault verify")
		}
		p.ID, p.Organisation, p.Wearer, p.Import, p.Sealed = id.Row(period[:16]), id.Organisation(period[16:32]), id.Wearer(period[32:48]), id.Import(period[48:64]), period[64:]
		i, ok := at[p.ID]
		if !ok {
			p.Starts, p.Ends = day.Day(starts), day.Day(ends)
			i = len(*out)
			at[p.ID] = i
			*out = append(*out, register.Result{PeriodRow: p})
		}
		if version.Valid {
			r := register.ReadingRow{Period: p.ID, Wearer: (*out)[i].Wearer, Version: uint32(version.Int64), Import: id.Import(report[:16]), Sealed: report[16:]}
			f := &(*out)[i]
			f.State = register.Read
			at, _ := slices.BinarySearchFunc(f.Reports, r, func(a, b register.ReadingRow) int { return cmp.Compare(a.Version, b.Version) })
			f.Reports = slices.Insert(f.Reports, at, r)
		}
		return nil
	})
}

// Periods implements register.Store.
func (s *Register) Periods(ctx context.Context, barcodes []string) (out []register.Result, err error) {
	err = some(barcodes, func(part []string) error {
		args := make([]any, len(part))
		for i, b := range part {
			args[i] = b
		}
		return s.results(ctx, &out, resultColumns+"WHERE p.barcode IN "+marks(len(args)), args)
	})
	return out, err
}

// Worn implements register.Store.
func (s *Register) Worn(ctx context.Context, wearers []id.Wearer) (out []register.Result, err error) {
	err = some(wearers, func(part []id.Wearer) error {
		return s.results(ctx, &out, resultColumns+"WHERE p.wearer IN "+marks(len(part)), idArgs(part))
	})
	return out, err
}

// Results implements register.Store.
func (s *Register) Results(ctx context.Context, wearers []id.Wearer, since day.Day) (out []register.Result, err error) {
	err = some(wearers, func(part []id.Wearer) error {
		return s.results(ctx, &out, reportedColumns+"WHERE r.wearer IN "+marks(len(part))+" AND p.ends >= ?", append(idArgs(part), int64(since)))
	})
	return out, err
}

// idArgs are ids as arguments of a statement.
func idArgs[T ~[16]byte](list []T) []any {
	args := make([]any, len(list), len(list)+1)
	for i := range list {
		args[i] = list[i][:]
	}
	return args
}

// ResultsOf implements register.Store.
func (s *Register) ResultsOf(ctx context.Context, org id.Organisation, from, to day.Day) (out []register.Result, err error) {
	err = s.results(ctx, &out, resultColumns+"WHERE p.organisation = $1 AND p.ends BETWEEN $2 AND $3 AND p.wearer <> zeroblob(16)", []any{org[:], int64(from), int64(to)})
	return out, err
}

// Wearers implements register.Store.
func (s *Register) Wearers(ctx context.Context, wearers []id.Wearer) (out []register.WearerRow, err error) {
	err = some(wearers, func(part []id.Wearer) error {
		return rows.Each(ctx, s.read, "SELECT id, max(version), organisation, import, sealed, health FROM wearer WHERE id IN "+marks(len(part))+" GROUP BY id", idArgs(part), func(scan func(...any) error) error {
			w, err := scanWearer(scan)
			out = append(out, w)
			return err
		})
	})
	return out, err
}

// WearersOf implements register.Store.
func (s *Register) WearersOf(ctx context.Context, org id.Organisation) (out []register.WearerRow, err error) {
	err = rows.Each(ctx, s.read, "SELECT id, max(version), organisation, import, sealed, health FROM wearer WHERE organisation = $1 GROUP BY id", []any{org[:]}, func(scan func(...any) error) error {
		w, err := scanWearer(scan)
		out = append(out, w)
		return err
	})
	return out, err
}

func scanWearer(scan func(...any) error) (w register.WearerRow, err error) {
	var key, org, im []byte
	err = scan(&key, &w.Version, &org, &im, &w.Sealed, &w.Health)
	copy(w.ID[:], key)
	copy(w.Organisation[:], org)
	copy(w.Import[:], im)
	return w, err
}

func (s *Register) investigations(ctx context.Context, rest string, args ...any) (out []register.InvestigationRow, err error) {
	err = rows.Each(ctx, s.read, "SELECT id, organisation, tag, import, sealed FROM investigation "+rest, args, func(scan func(...any) error) error {
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
	err := some(tags, func(part [][]byte) error {
		args := make([]any, len(part))
		for i := range part {
			args[i] = part[i]
		}
		return rows.Each(ctx, s.read, "SELECT tag FROM investigation WHERE tag IN "+marks(len(args)), args, func(scan func(...any) error) error {
			var t []byte
			err := scan(&t)
			found[string(t)] = true
			return err
		})
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
	err := rows.Each(ctx, s.read, "SELECT organisation, CASE WHEN EXISTS (SELECT 1 FROM reading r WHERE r.wearer = p.wearer AND r.wear_period = p.id) THEN $1 ELSE state END, count(*) FROM wear_period p WHERE ends >= $2 AND wearer <> zeroblob(16) GROUP BY 1, 2", []any{int(register.Read), int64(since)},
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
		err = rows.Each(ctx, s.read, "SELECT organisation, count(*) FROM investigation GROUP BY 1", nil, func(scan func(...any) error) error {
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
	err := rows.Each(ctx, s.read, "SELECT id, version, organisation, import, sealed, health FROM wearer WHERE import = $1", []any{n[:]}, func(scan func(...any) error) error {
		w, err := scanWearer(scan)
		stored.Wearers = append(stored.Wearers, w)
		return err
	})
	if err != nil {
		return nil, err
	}
	var found []register.Result
	if err := s.results(ctx, &found, resultColumns+"WHERE p.import = $1 OR r.import = $1", []any{n[:]}); err != nil {
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

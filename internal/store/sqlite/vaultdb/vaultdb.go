// Package vaultdb is the vault's store on one SQLite file. It is apart from the register's store so that a vault alone
// links nothing of the register.
package vaultdb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver

	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/store/sqlite/rows"
	"github.com/dosevault/dosevault/internal/vault"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// readers is how many connections read.
const readers = 4

// Store implements vault.Store. It has one connection that writes and a few that read.
type Store struct {
	write, read *sql.DB
	conn        *sql.Conn // the writer's only connection, with its statements
	begin       *sql.Stmt
	commit      *sql.Stmt
	put, drop   map[vault.Table]*sql.Stmt
	get         map[vault.Table]*sql.Stmt // the readers'
	leaf        inserts
	opening     inserts
	node        inserts
	newLog      *sql.Stmt
	checkpoint  *sql.Stmt
	logs        map[string]int64 // row of each log; the writer's
	prepared    []*sql.Stmt
}

var _ vault.Store = (*Store)(nil)

// Open opens or creates the vault's database. synchronous(FULL): what Commit said is durable survives a power cut. The
// write-ahead log grows to some 16 MiB before it is worked in, since every commit writes the same few pages again.
func Open(ctx context.Context, path string) (*Store, error) {
	pragmas := "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=secure_delete(1)&_pragma=cache_size(-16384)&_pragma=wal_autocheckpoint(4000)&_txlock=immediate&_dqs=0"
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + pragmas
	w, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("opening the vault's database: %w", err)
	}
	w.SetMaxOpenConns(1)
	s := &Store{write: w, logs: map[string]int64{}}
	if err := s.prepare(ctx, dsn); err != nil {
		s.Close()
		return nil, fmt.Errorf("opening the vault's database: %w", err)
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context, dsn string) (err error) {
	sub, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return err
	}
	migrations, err := goose.NewProvider(goose.DialectSQLite3, s.write, sub)
	if err != nil {
		return err
	}
	if _, err := migrations.Up(ctx); err != nil {
		return err
	}
	if s.read, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers) // opening one costs more than most reads
	if s.conn, err = s.write.Conn(ctx); err != nil {
		return err
	}
	var level int
	if err := s.conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&level); err != nil || level != 2 {
		return fmt.Errorf("synchronous is %d, must be 2 (FULL): %w", level, errors.Join(err))
	}
	prepare := func(on interface {
		PrepareContext(context.Context, string) (*sql.Stmt, error)
	}, q string) *sql.Stmt {
		var st *sql.Stmt
		if err == nil {
			if st, err = on.PrepareContext(ctx, q); err == nil {
				s.prepared = append(s.prepared, st)
			}
		}
		return st
	}
	stmt := func(q string) *sql.Stmt { return prepare(s.conn, q) }
	s.begin, s.commit = stmt("BEGIN IMMEDIATE"), stmt("COMMIT")
	s.put, s.drop, s.get = map[vault.Table]*sql.Stmt{}, map[vault.Table]*sql.Stmt{}, map[vault.Table]*sql.Stmt{}
	for _, t := range vault.Tables {
		s.put[t] = stmt("INSERT INTO " + string(t) + " (id, sealed) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed")
		s.get[t] = prepare(s.read, "SELECT sealed FROM "+string(t)+" WHERE id = $1")
		s.drop[t] = stmt("DELETE FROM " + string(t) + " WHERE id = $1")
	}
	for _, n := range insertRows {
		values := " VALUES (?, ?, ?)" + strings.Repeat(", (?, ?, ?)", n-1)
		s.leaf = append(s.leaf, stmt("INSERT INTO leaf (log, seq, data)"+values))
		s.opening = append(s.opening, stmt("INSERT INTO opening (log, seq, sealed)"+values))
		s.node = append(s.node, stmt("INSERT INTO node (log, idx, hash)"+values))
	}
	s.newLog = stmt("INSERT INTO log (name, checkpoint) VALUES ($1, $2) RETURNING id")
	s.checkpoint = stmt("UPDATE log SET checkpoint = $1 WHERE id = $2")
	if err != nil {
		return err
	}
	return rows.Each(ctx, s.read, "SELECT id, name FROM log", nil, func(scan func(...any) error) error {
		var n int64
		var name string
		if err := scan(&n, &name); err != nil {
			return err
		}
		s.logs[name] = n
		return nil
	})
}

// Close closes the database.
func (s *Store) Close() error {
	var errs []error
	for _, st := range s.prepared {
		errs = append(errs, st.Close())
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	if s.read != nil {
		errs = append(errs, s.read.Close())
	}
	return errors.Join(append(errs, s.write.Close())...)
}

// Meta implements vault.Store.
func (s *Store) Meta(ctx context.Context, name string) ([]byte, error) {
	var v []byte
	err := s.read.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = $1", name).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return v, err
}

// SetMeta implements vault.Store.
func (s *Store) SetMeta(ctx context.Context, name string, value []byte) error {
	_, err := s.conn.ExecContext(ctx, "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
	return err
}

// Rows implements vault.Store.
func (s *Store) Rows(ctx context.Context, t vault.Table, fn func(id, sealed []byte) error) error {
	return rows.Each(ctx, s.read, "SELECT id, sealed FROM "+string(t), nil, func(scan func(...any) error) error {
		var key, sealed []byte
		if err := scan(&key, &sealed); err != nil {
			return err
		}
		return fn(key, sealed)
	})
}

// Get implements vault.Store.
func (s *Store) Get(ctx context.Context, t vault.Table, ids [][]byte) ([][]byte, error) {
	out := make([][]byte, len(ids))
	const few = 4 // with so few a prepared statement for one row beats making one for all
	if len(ids) <= few {
		for i, n := range ids {
			if err := s.get[t].QueryRowContext(ctx, n).Scan(&out[i]); err != nil && !errors.Is(err, sql.ErrNoRows) {
				return nil, err
			}
		}
		return out, nil
	}
	const most = 500 // parameters of one statement
	for from := 0; from < len(ids); from += most {
		part := ids[from:min(from+most, len(ids))]
		at := make(map[string][]int, len(part))
		args := make([]any, 0, len(part))
		for i, n := range part {
			if at[string(n)] == nil {
				args = append(args, n)
			}
			at[string(n)] = append(at[string(n)], from+i)
		}
		q := "SELECT id, sealed FROM " + string(t) + " WHERE id IN (?" + strings.Repeat(",?", len(args)-1) + ")"
		err := rows.Each(ctx, s.read, q, args, func(scan func(...any) error) error {
			var key, sealed []byte
			if err := scan(&key, &sealed); err != nil {
				return err
			}
			for _, i := range at[string(key)] {
				out[i] = sealed
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Logs implements vault.Store.
func (s *Store) Logs(ctx context.Context) ([]vault.LogState, error) {
	var out []vault.LogState
	err := rows.Each(ctx, s.read, "SELECT name, (SELECT COALESCE(MAX(seq) + 1, 0) FROM leaf WHERE log = log.id), checkpoint FROM log ORDER BY name", nil,
		func(scan func(...any) error) error {
			var l vault.LogState
			if err := scan(&l.Name, &l.Size, &l.Checkpoint); err != nil {
				return err
			}
			out = append(out, l)
			return nil
		})
	return out, err
}

// Nodes implements vault.Store.
func (s *Store) Nodes(ctx context.Context, log string, indexes []int64) ([]ledger.Hash, error) {
	out := make([]ledger.Hash, len(indexes))
	for i, x := range indexes {
		var h []byte
		err := s.read.QueryRowContext(ctx, "SELECT hash FROM node JOIN log ON log.id = node.log WHERE name = $1 AND idx = $2", log, x).Scan(&h)
		if err != nil || len(h) != len(out[i]) {
			return nil, fmt.Errorf("node %d is missing or damaged: %w", x, errors.Join(err))
		}
		copy(out[i][:], h)
	}
	return out, nil
}

// Leaves implements vault.Store.
func (s *Store) Leaves(ctx context.Context, log string, seq, end int64) ([]vault.StoredLeaf, error) {
	out := make([]vault.StoredLeaf, 0, max(end-seq, 0))
	err := rows.Each(ctx, s.read, `SELECT leaf.seq, leaf.data, opening.sealed FROM log JOIN leaf ON leaf.log = log.id
		LEFT JOIN opening ON opening.log = leaf.log AND opening.seq = leaf.seq
		WHERE log.name = $1 AND leaf.seq >= $2 AND leaf.seq < $3 ORDER BY leaf.seq`, []any{log, seq, end},
		func(scan func(...any) error) error {
			var l vault.StoredLeaf
			if err := scan(&l.Seq, &l.Leaf, &l.Opening); err != nil {
				return err
			}
			out = append(out, l)
			return nil
		})
	return out, err
}

// Commit implements vault.Store. Only the vault's committer calls it.
func (s *Store) Commit(ctx context.Context, b *vault.Batch) error {
	if _, err := s.begin.ExecContext(ctx); err != nil {
		return fmt.Errorf("%w: %w", vault.ErrNotCommitted, err)
	}
	made, err := s.fill(ctx, b)
	if err != nil {
		if _, undo := s.conn.ExecContext(ctx, "ROLLBACK"); undo != nil {
			return fmt.Errorf("%w; rolling back: %w", err, undo)
		}
		return fmt.Errorf("%w: %w", vault.ErrNotCommitted, err)
	}
	if _, err := s.commit.ExecContext(ctx); err != nil {
		// The flush may have failed after the commit was written: only a look from outside can tell.
		return fmt.Errorf("committing: %w", err)
	}
	for name, n := range made {
		s.logs[name] = n
	}
	return nil
}

// fill executes a batch's statements and returns the logs that it made.
func (s *Store) fill(ctx context.Context, b *vault.Batch) (map[string]int64, error) {
	made := map[string]int64{}
	for name, cp := range b.Checkpoints {
		if n, ok := s.logs[name]; ok {
			if _, err := s.checkpoint.ExecContext(ctx, cp, n); err != nil {
				return nil, err
			}
			continue
		}
		var n int64
		if err := s.newLog.QueryRowContext(ctx, name, cp).Scan(&n); err != nil {
			return nil, err
		}
		made[name] = n
	}
	for _, p := range b.Puts {
		var err error
		if p.Sealed == nil {
			_, err = s.drop[p.Table].ExecContext(ctx, p.ID)
		} else {
			_, err = s.put[p.Table].ExecContext(ctx, p.ID, p.Sealed)
		}
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", p.Table, err)
		}
	}
	var leaves, openings, nodes []any
	for i := range b.Leaves {
		l := &b.Leaves[i]
		log, ok := s.logs[l.Log]
		if !ok {
			log = made[l.Log]
		}
		leaves, openings = append(leaves, log, l.Seq, l.Leaf), append(openings, log, l.Seq, l.Opening)
		for k := range l.Nodes {
			nodes = append(nodes, log, l.Nodes[k].Index, l.Nodes[k].Hash[:])
		}
	}
	return made, errors.Join(s.leaf.exec(ctx, leaves), s.opening.exec(ctx, openings), s.node.exec(ctx, nodes))
}

// insertRows are how many rows a statement inserts at once: calling it costs as much as a row.
var insertRows = [...]int{32, 8, 1}

// inserts are statements that insert as many rows of three columns as insertRows says.
type inserts []*sql.Stmt

// exec inserts rows whose columns stand one after the other.
func (in inserts) exec(ctx context.Context, rows []any) error {
	for i, n := range insertRows {
		for len(rows) >= 3*n {
			if _, err := in[i].ExecContext(ctx, rows[:3*n]...); err != nil {
				return err
			}
			rows = rows[3*n:]
		}
	}
	return nil
}

// Package vaultdb is the vault's store on a PostgreSQL database. It is apart from the register's store so that a vault
// alone links nothing of the register.
//
// One connection writes, and holds the lock that makes its vault the only one: a commit succeeds only on the connection
// that has the lock, so a vault that lost it writes nothing. Each commit also finds the log's head as this vault left
// it, or fails; that tells a database that was restored or exchanged underneath.
package vaultdb

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/store/postgres/server"
	"github.com/dosevault/dosevault/internal/vault"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

const (
	readers = 4
	// theVault is the advisory lock of a database's vault.
	theVault = int64(0x646f73657661756c)
	// lockTime is how long a start waits for the lock: a server takes a moment to notice that a vault was killed.
	lockTime = 3 * time.Second
	// commitTime is how long a commit may take. After it the outcome is unknown.
	commitTime = time.Minute
	// most is how many rows go into one statement.
	most = 2000
)

// Store implements vault.Store.
type Store struct {
	read *pgxpool.Pool

	mu     sync.Mutex
	conn   *pgx.Conn         // writes, and holds the lock
	warned *pgconn.Notice    // by the server, since the last look
	heads  map[string][]byte // checkpoint of each log as this vault left it
}

var _ vault.Store = (*Store)(nil)

// Open opens the vault's database, makes its tables where there are none, and takes the lock.
func Open(ctx context.Context, address string) (*Store, error) {
	s := &Store{heads: map[string][]byte{}}
	if err := s.open(ctx, address); err != nil {
		return nil, fmt.Errorf("opening the vault's database: %w", errors.Join(err, s.Close()))
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, address string) error {
	c, err := server.Parse(address)
	if err != nil {
		return err
	}
	sub, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return err
	}
	if err := server.Migrate(ctx, c, "vault", sub); err != nil {
		return err
	}
	w := c.ConnConfig.Copy()
	w.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { s.warned = n }
	if s.conn, err = pgx.ConnectConfig(ctx, w); err != nil {
		return err
	}
	if err := c.AfterConnect(ctx, s.conn); err != nil {
		return err
	}
	if err := s.lock(ctx); err != nil {
		return err
	}
	c.MaxConns = readers
	if s.read, err = pgxpool.NewWithConfig(ctx, c); err != nil {
		return err
	}
	logs, err := s.Logs(ctx)
	for _, l := range logs {
		s.heads[l.Name] = l.Checkpoint
	}
	return err
}

// lock takes the lock that one vault holds.
func (s *Store) lock(ctx context.Context) error {
	for deadline := time.Now().Add(lockTime); ; {
		var mine bool
		if err := s.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", theVault).Scan(&mine); err != nil || mine {
			return err
		}
		if time.Now().After(deadline) {
			return errors.New("another vault is running on it, and there can be one only: stop that one first")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Close closes the connections, and with them gives up the lock.
func (s *Store) Close() error {
	if s.read != nil {
		s.read.Close()
	}
	if s.conn == nil || s.conn.IsClosed() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return s.conn.Close(ctx)
}

// Meta implements vault.Store.
func (s *Store) Meta(ctx context.Context, name string) ([]byte, error) {
	var v []byte
	err := s.read.QueryRow(ctx, "SELECT value FROM meta WHERE name = $1", name).Scan(&v)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return v, err
}

// SetMeta implements vault.Store.
func (s *Store) SetMeta(ctx context.Context, name string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.conn.Exec(ctx, "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
	return err
}

// each calls fn for every row of a query, until one fails.
func (s *Store) each(ctx context.Context, q string, args []any, fn func(rows pgx.Rows) error) error {
	rows, err := s.read.Query(ctx, q, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func quoted(t vault.Table) string { return pgx.Identifier{string(t)}.Sanitize() }

// Rows implements vault.Store.
func (s *Store) Rows(ctx context.Context, t vault.Table, fn func(id, sealed []byte) error) error {
	return s.each(ctx, "SELECT id, sealed FROM "+quoted(t), nil, func(rows pgx.Rows) error {
		var key, sealed []byte
		if err := rows.Scan(&key, &sealed); err != nil {
			return err
		}
		return fn(key, sealed)
	})
}

// Get implements vault.Store.
func (s *Store) Get(ctx context.Context, t vault.Table, ids [][]byte) ([][]byte, error) {
	out := make([][]byte, len(ids))
	at := make(map[string][]int, len(ids))
	for i, n := range ids {
		at[string(n)] = append(at[string(n)], i)
	}
	err := s.each(ctx, "SELECT id, sealed FROM "+quoted(t)+" WHERE id = ANY($1)", []any{ids}, func(rows pgx.Rows) error {
		var key, sealed []byte
		if err := rows.Scan(&key, &sealed); err != nil {
			return err
		}
		for _, i := range at[string(key)] {
			out[i] = sealed
		}
		return nil
	})
	return out, err
}

// Logs implements vault.Store.
func (s *Store) Logs(ctx context.Context) ([]vault.LogState, error) {
	var out []vault.LogState
	err := s.each(ctx, `SELECT name, (SELECT COALESCE(MAX(seq) + 1, 0) FROM leaf WHERE log = log.id), checkpoint FROM log ORDER BY name COLLATE "C"`, nil, func(rows pgx.Rows) error {
		var l vault.LogState
		err := rows.Scan(&l.Name, &l.Size, &l.Checkpoint)
		out = append(out, l)
		return err
	})
	return out, err
}

// Nodes implements vault.Store.
func (s *Store) Nodes(ctx context.Context, log string, indexes []int64) ([]ledger.Hash, error) {
	found := make(map[int64][]byte, len(indexes))
	err := s.each(ctx, "SELECT idx, hash FROM node JOIN log ON log.id = node.log WHERE name = $1 AND idx = ANY($2)", []any{log, indexes}, func(rows pgx.Rows) error {
		var x int64
		var h []byte
		err := rows.Scan(&x, &h)
		found[x] = h
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]ledger.Hash, len(indexes))
	for i, x := range indexes {
		if len(found[x]) != len(out[i]) {
			return nil, fmt.Errorf("node %d is missing or damaged", x)
		}
		copy(out[i][:], found[x])
	}
	return out, nil
}

// Leaves implements vault.Store.
func (s *Store) Leaves(ctx context.Context, log string, seq, end int64) ([]vault.StoredLeaf, error) {
	out := make([]vault.StoredLeaf, 0, max(end-seq, 0))
	err := s.each(ctx, `SELECT leaf.seq, leaf.data, opening.sealed FROM log JOIN leaf ON leaf.log = log.id
		LEFT JOIN opening ON opening.log = leaf.log AND opening.seq = leaf.seq
		WHERE log.name = $1 AND leaf.seq >= $2 AND leaf.seq < $3 ORDER BY leaf.seq`, []any{log, seq, end}, func(rows pgx.Rows) error {
		var l vault.StoredLeaf
		err := rows.Scan(&l.Seq, &l.Leaf, &l.Opening)
		out = append(out, l)
		return err
	})
	return out, err
}

// errHead says that the database is not as this vault left it.
var errHead = errors.New("the database's log is not where this vault left it: it was written by another, restored or changed")

// Commit implements vault.Store. An error that is not vault.ErrNotCommitted stops the vault: the outcome is unknown, the
// connection with the lock is lost, or the database is not the one that this vault left.
func (s *Store) Commit(ctx context.Context, b *vault.Batch) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", vault.ErrNotCommitted, err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTime)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, err := s.conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("the connection to the database is lost: %w", err)
	}
	if err := s.fill(ctx, tx, b); err != nil {
		if undo := tx.Rollback(ctx); undo != nil || errors.Is(err, errHead) {
			return errors.Join(err, undo)
		}
		return fmt.Errorf("%w: %w", vault.ErrNotCommitted, err)
	}
	s.warned = nil
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	if s.warned != nil { // as when waiting for a standby was broken off
		return fmt.Errorf("committing: PostgreSQL says: %s", s.warned.Message)
	}
	for name, cp := range b.Checkpoints {
		s.heads[name] = cp
	}
	return nil
}

// fill executes a batch's statements, all in one round trip.
func (s *Store) fill(ctx context.Context, tx pgx.Tx, b *vault.Batch) error {
	var q pgx.Batch
	// expect queues a statement that must touch as many rows as it is given.
	expect := func(rows int, otherwise error, sql string, args ...any) {
		q.Queue(sql, args...).Exec(func(tag pgconn.CommandTag) error {
			if tag.RowsAffected() != int64(rows) {
				return otherwise
			}
			return nil
		})
	}
	if head := s.heads[ledger.InstallationLog]; head != nil && b.Checkpoints[ledger.InstallationLog] == nil {
		expect(1, errHead, "SELECT 1 FROM log WHERE name = $1 AND checkpoint = $2", ledger.InstallationLog, head)
	}
	var names, created []string
	var was, now, first [][]byte
	for name, cp := range b.Checkpoints {
		if head, ok := s.heads[name]; ok {
			names, was, now = append(names, name), append(was, head), append(now, cp)
		} else {
			created, first = append(created, name), append(first, cp)
		}
	}
	if len(names) > 0 {
		expect(len(names), errHead, "UPDATE log SET checkpoint = u.now FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS u (name, was, now) WHERE log.name = u.name AND checkpoint = u.was", names, was, now)
	}
	if len(created) > 0 {
		q.Queue("INSERT INTO log (name, checkpoint) SELECT * FROM unnest($1::text[], $2::bytea[])", created, first)
	}
	puts(&q, b.Puts)
	for leaves := range slices.Chunk(b.Leaves, most) {
		var logs, nodeLogs []string
		var seqs, indexes []int64
		var data, openings, hashes [][]byte
		for _, l := range leaves {
			logs, seqs, data, openings = append(logs, l.Log), append(seqs, l.Seq), append(data, l.Leaf), append(openings, l.Opening)
			for _, n := range l.Nodes {
				nodeLogs, indexes, hashes = append(nodeLogs, l.Log), append(indexes, n.Index), append(hashes, n.Hash[:])
			}
		}
		for _, c := range []struct {
			table   string
			logs    []string
			numbers []int64
			values  [][]byte
		}{{"leaf (log, seq, data)", logs, seqs, data}, {"opening (log, seq, sealed)", logs, seqs, openings}, {"node (log, idx, hash)", nodeLogs, indexes, hashes}} {
			expect(len(c.logs), errors.New("an entry's log is not there"), "INSERT INTO "+c.table+" SELECT log.id, u.number, u.value FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS u (name, number, value) JOIN log USING (name)", c.logs, c.numbers, c.values)
		}
	}
	return tx.SendBatch(ctx, &q).Close()
}

// puts queues the writing of rows. Of two with one id the last one holds. They are written in order of their random ids,
// so that the order in which they lie tells nothing.
func puts(q *pgx.Batch, rows []vault.Put) {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b vault.Put) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), bytes.Compare(a.ID, b.ID))
	})
	for len(rows) > 0 {
		t := rows[0].Table
		var ids, sealed, gone [][]byte
		i := 0
		for ; i < len(rows) && rows[i].Table == t && len(ids) < most; i++ {
			switch p := rows[i]; {
			case i+1 < len(rows) && rows[i+1].Table == t && bytes.Equal(rows[i+1].ID, p.ID):
			case p.Sealed == nil:
				gone = append(gone, p.ID)
			default:
				ids, sealed = append(ids, p.ID), append(sealed, p.Sealed)
			}
		}
		rows = rows[i:]
		if len(gone) > 0 {
			q.Queue("DELETE FROM "+quoted(t)+" WHERE id = ANY($1)", gone)
		}
		if len(ids) > 0 {
			q.Queue("INSERT INTO "+quoted(t)+" (id, sealed) SELECT * FROM unnest($1::bytea[], $2::bytea[]) ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed", ids, sealed)
		}
	}
}

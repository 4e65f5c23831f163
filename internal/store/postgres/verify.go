package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/dosevault/dosevault/internal/ledger/verify"
	"github.com/dosevault/dosevault/internal/store/postgres/server"
	"github.com/dosevault/dosevault/internal/store/snapshot"
)

// OpenVerify opens the vault's database for verifying. The snapshot is taken here; Close it soon after use, since the
// server keeps what was deleted meanwhile.
func OpenVerify(ctx context.Context, address string) (*snapshot.Vault, error) {
	_, db, tx, err := openSnapshot(ctx, address)
	if err == nil {
		var s *snapshot.Vault
		if s, err = snapshot.NewVault(ctx, db, tx, walk); err == nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf("opening the vault's database: %w", err)
}

// OpenVerifyRegister opens the register's database for verifying, as OpenVerify does.
func OpenVerifyRegister(ctx context.Context, address string) (*snapshot.Register, error) {
	c, db, tx, err := openSnapshot(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("opening the register: %w", err)
	}
	return snapshot.NewRegister(db, tx, checked(c)), nil
}

// openSnapshot connects and begins a transaction that only reads, and sees one moment.
func openSnapshot(ctx context.Context, address string) (*pgx.ConnConfig, *sql.DB, *sql.Tx, error) {
	c, err := server.Parse(address)
	if err != nil {
		return nil, nil, nil, err
	}
	db := stdlib.OpenDB(*c.ConnConfig)
	tx, err := db.BeginTx(context.WithoutCancel(ctx), &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err == nil {
		_, err = tx.ExecContext(ctx, "SELECT 1") // takes the snapshot
	}
	if err != nil {
		return nil, nil, nil, errors.Join(err, db.Close())
	}
	return c.ConnConfig, db, tx, nil
}

var cursors atomic.Int64

// walk implements snapshot.Walk. A connection reads one query at a time, so rows come in portions through a cursor.
func walk(ctx context.Context, tx *sql.Tx, query string, fn func(int64, []byte) error) error {
	const portion = 500
	cursor := fmt.Sprintf("walk%d", cursors.Add(1))
	if _, err := tx.ExecContext(ctx, "DECLARE "+cursor+" NO SCROLL CURSOR FOR "+query); err != nil {
		return err
	}
	for {
		numbers, data, err := fetch(ctx, tx, fmt.Sprintf("FETCH %d FROM %s", portion, cursor))
		if err != nil {
			return err
		}
		for i, n := range numbers {
			if err := fn(n, data[i]); err != nil {
				return err
			}
		}
		if len(numbers) < portion {
			_, err := tx.ExecContext(ctx, "CLOSE "+cursor)
			return err
		}
	}
}

func fetch(ctx context.Context, tx *sql.Tx, query string) (numbers []int64, data [][]byte, err error) {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var b []byte
		if err := rows.Scan(&n, &b); err != nil {
			return nil, nil, err
		}
		numbers, data = append(numbers, n), append(data, b)
	}
	return numbers, data, rows.Err()
}

// checked returns the check of a register's database: that its schema is the one that the program creates, and that every
// index holds as many rows as its table.
func checked(c *pgx.ConnConfig) func(ctx context.Context, tx *sql.Tx) error {
	var want map[string]string
	return func(ctx context.Context, tx *sql.Tx) (err error) {
		if want == nil {
			if want, err = registerSchema(ctx, c); err != nil {
				return err
			}
		}
		have, err := schemaOf(ctx, tx, "current_schema()::regnamespace")
		if err != nil {
			return err
		}
		names := slices.Concat(slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(have)))
		slices.Sort(names)
		for _, name := range names {
			switch {
			case have[name] == "":
				return differs(name + " of the database is missing")
			case want[name] == "":
				return differs("the database has a " + name + " that the program does not create")
			case have[name] != want[name]:
				return differs(name + " of the database is not the one that the program creates")
			}
		}
		return countIndexes(ctx, tx)
	}
}

func differs(what string) error { return &verify.Difference{Log: "register", Seq: -1, What: what} }

// registerSchema is the schema that the migrations make: as tables of one session, which are gone when it ends.
func registerSchema(ctx context.Context, c *pgx.ConnConfig) (_ map[string]string, err error) {
	db := stdlib.OpenDB(*c)
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	files, err := fs.Glob(registerMigrations, "migrations/register/*.sql") // in order of their numbers
	if err != nil {
		return nil, err
	}
	statements := "SET LOCAL search_path = pg_temp;\n"
	for _, f := range files {
		b, err := registerMigrations.ReadFile(f)
		if err != nil {
			return nil, err
		}
		up, _, _ := strings.Cut(string(b), "-- +goose Down")
		statements += up + "\n"
	}
	if _, err := tx.ExecContext(ctx, statements); err != nil {
		return nil, fmt.Errorf("making the schema to compare with: %w", err)
	}
	return schemaOf(ctx, tx, "pg_my_temp_schema()::regnamespace")
}

// The parts of a schema: what each is called and how it is defined. A table that hides rows, of which another takes the
// place, whose rules or triggers do something, or that is not written ahead, is defined otherwise.
var schemaParts = []string{
	`SELECT CASE relkind WHEN 'r' THEN 'table ' WHEN 'v' THEN 'view ' ELSE 'relation ' END || relname,
		format('%s %s %s %s %s %s %s %s', relkind, CASE WHEN relnamespace = pg_my_temp_schema() AND relpersistence = 't' THEN 'p' ELSE relpersistence END, relrowsecurity, relforcerowsecurity, relhasrules, relispartition,
			(SELECT amname FROM pg_am WHERE pg_am.oid = relam), relkind NOT IN ('r', 'v') OR to_regclass(quote_ident(relname)) = c.oid)
		FROM pg_class c WHERE relnamespace = $1 AND relkind <> 'i'`,
	`SELECT 'column ' || relname || '.' || attname, format('%s %s %s %s %s %s', format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attcollation::regcollation, pg_get_expr(adbin, adrelid))
		FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE relnamespace = $1 AND relkind = 'r' AND attnum > 0 AND NOT attisdropped`,
	`SELECT 'constraint ' || relname || '.' || conname, format('%s %s', pg_get_constraintdef(n.oid), convalidated)
		FROM pg_class c JOIN pg_constraint n ON conrelid = c.oid WHERE relnamespace = $1 AND contype <> 'n'`,
	`SELECT 'index ' || relname, format('%s %s %s %s', pg_get_indexdef(indexrelid), indisvalid, indisready, indislive)
		FROM pg_class c JOIN pg_index ON indexrelid = c.oid WHERE relnamespace = $1`,
	`SELECT 'trigger ' || tgname, format('%s %s', pg_get_triggerdef(t.oid), tgenabled) FROM pg_class c JOIN pg_trigger t ON tgrelid = c.oid WHERE relnamespace = $1 AND NOT tgisinternal`,
	`SELECT 'keys of table ' || relname, string_agg(format('%s%s', tgtype, tgenabled), ' ' ORDER BY tgtype, tgenabled) FROM pg_class c JOIN pg_trigger t ON tgrelid = c.oid WHERE relnamespace = $1 AND tgisinternal GROUP BY relname`,
	`SELECT 'function ' || proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = $1 AND prokind <> 'a'`,
}

// schemaOf returns what a namespace has, by kind and name; without the table of migrations, whose form is another library's.
func schemaOf(ctx context.Context, tx *sql.Tx, namespace string) (map[string]string, error) {
	var number int64
	var name string
	// Definitions name their own namespace here and there, and that of a session's own tables pg_temp.
	if err := tx.QueryRowContext(ctx, "SELECT n::oid::bigint, CASE WHEN n = pg_my_temp_schema() THEN 'pg_temp' ELSE n::text END FROM (SELECT "+namespace+" AS n) AS x").Scan(&number, &name); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, q := range schemaParts {
		if err := part(ctx, tx, q, number, name+".", out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func part(ctx context.Context, tx *sql.Tx, query string, namespace int64, prefix string, out map[string]string) error {
	rows, err := tx.QueryContext(ctx, query, namespace)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return err
		}
		if !strings.Contains(name, " schema_of_register") {
			out[name] = strings.ReplaceAll(text, prefix, "")
		}
	}
	return rows.Err()
}

// countIndexes compares how many rows a table has with how many each of its indexes leads to.
func countIndexes(ctx context.Context, tx *sql.Tx) error {
	type index struct{ name, table, columns string }
	rows, err := tx.QueryContext(ctx, `SELECT i.relname, quote_ident(t.relname), (SELECT string_agg(pg_get_indexdef(indexrelid, n, true), ', ' ORDER BY n) FROM generate_series(1, indnkeyatts) AS n)
		FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_class t ON t.oid = indrelid WHERE t.relnamespace = current_schema()::regnamespace AND t.relname <> 'schema_of_register' ORDER BY 1`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var all []index
	for rows.Next() {
		var x index
		if err := rows.Scan(&x.name, &x.table, &x.columns); err != nil {
			return err
		}
		all = append(all, x)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	count := func(from, to, query string) (n int64, err error) {
		for _, s := range []string{"enable_bitmapscan = off", "enable_seqscan = " + from, "enable_sort = " + from, "enable_indexscan = " + to, "enable_indexonlyscan = " + to} {
			if _, err := tx.ExecContext(ctx, "SET LOCAL "+s); err != nil {
				return 0, err
			}
		}
		return n, tx.QueryRowContext(ctx, "SELECT count(*) FROM "+query).Scan(&n)
	}
	counted := map[string]int64{}
	for _, x := range all {
		if _, ok := counted[x.table]; !ok {
			if counted[x.table], err = count("on", "off", x.table); err != nil {
				return err
			}
		}
		n, err := count("off", "on", "(SELECT 1 FROM "+x.table+" ORDER BY "+x.columns+") AS x")
		if err != nil {
			return err
		}
		if n != counted[x.table] {
			return differs(fmt.Sprintf("the database is damaged or was changed from outside: index %s leads to %d rows of %s, which has %d", x.name, n, x.table, counted[x.table]))
		}
	}
	for _, s := range []string{"enable_bitmapscan", "enable_seqscan", "enable_sort", "enable_indexscan", "enable_indexonlyscan"} {
		if _, err := tx.ExecContext(ctx, "SET LOCAL "+s+" = on"); err != nil {
			return err
		}
	}
	return nil
}

// Package server has what both PostgreSQL stores ask of their server: that what it says is committed survives a power
// cut, that it is reached safely, and that its schema is the program's.
package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Is reports whether the name of a database is the address of one on a server, rather than a file's.
func Is(name string) bool {
	return strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://")
}

// Parse reads an address such as postgres://USER@HOST/DATABASE. No error repeats it, since it may hold a password.
// Every connection is checked as it is made; see check.
func Parse(address string) (*pgxpool.Config, error) {
	c, err := pgxpool.ParseConfig(address)
	if err != nil || !Is(address) {
		return nil, errors.New("the address of the database is not understood: write it as postgres://USER@HOST/DATABASE, or postgres:///DATABASE?host=/DIRECTORY for a socket")
	}
	plain := c.ConnConfig.TLSConfig == nil && remote(c.ConnConfig.Host)
	for _, f := range c.ConnConfig.Fallbacks {
		plain = plain || f.TLSConfig == nil && remote(f.Host)
	}
	if plain {
		return nil, errors.New("the address of the database allows a connection over the network without encryption: add sslmode=verify-full to it")
	}
	// A server that waits for an answer from a machine that is gone gives up after some 25 seconds.
	for name, value := range map[string]string{"application_name": "dosevault", "tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3", "idle_session_timeout": "0"} {
		c.ConnConfig.RuntimeParams[name] = value
	}
	c.ConnConfig.ConnectTimeout = 10 * time.Second
	c.AfterConnect = check
	return c, nil
}

// Remote reports whether an address leads to another machine.
func Remote(address string) bool {
	c, err := pgxpool.ParseConfig(address)
	return err == nil && Is(address) && remote(c.ConnConfig.Host)
}

// remote reports whether a host is on another machine.
func remote(host string) bool {
	ip := net.ParseIP(host)
	return !strings.HasPrefix(host, "/") && host != "localhost" && (ip == nil || !ip.IsLoopback())
}

// oldest is the first version of PostgreSQL that is supported.
const oldest = 15

// check refuses a server that may lose what it says is committed, and keeps what of its settings the connection can keep.
func check(ctx context.Context, conn *pgx.Conn) error {
	var version int
	var encoding, fsync, pages, commit, standbys string
	var standby bool
	err := conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), current_setting('fsync'), current_setting('full_page_writes'),
		set_config('synchronous_commit', current_setting('synchronous_commit'), false), current_setting('synchronous_standby_names'), pg_is_in_recovery()`).
		Scan(&version, &encoding, &fsync, &pages, &commit, &standbys, &standby)
	switch {
	case err != nil:
		return fmt.Errorf("asking PostgreSQL for its settings: %w", err)
	case version < oldest*10000:
		return fmt.Errorf("PostgreSQL is version %d: it must be %d or newer", version/10000, oldest)
	case standby:
		return errors.New("this PostgreSQL server is a standby, which can't be written to: give the address of the primary")
	case encoding != "UTF8":
		return fmt.Errorf("the database's encoding is %s: make it with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0", encoding)
	case fsync != "on":
		return errors.New("PostgreSQL may lose what it committed: set fsync = on in postgresql.conf")
	case pages != "on":
		return errors.New("PostgreSQL may lose what it committed: set full_page_writes = on in postgresql.conf")
	case commit == "off" || commit == "local" && standbys != "":
		return fmt.Errorf("PostgreSQL may lose what it committed: set synchronous_commit = on, which is %s for this database and user", commit)
	}
	return nil
}

// Migrate brings a database to the program's schema. Nodes that start at the same time wait for each other. name says
// whose database it is, register or vault: each needs one of its own.
func Migrate(ctx context.Context, c *pgxpool.Config, name string, migrations fs.FS) (err error) {
	db := stdlib.OpenDB(*c.ConnConfig, stdlib.OptionAfterConnect(check))
	defer func() { err = errors.Join(err, db.Close()) }()
	var others string
	if err := db.QueryRowContext(ctx, `SELECT coalesce(string_agg(relname, ', '), '') FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
		AND to_regclass($1) IS NULL`, table(name)).Scan(&others); err != nil {
		return err
	}
	if others != "" {
		return fmt.Errorf("the database has tables of something else (%s): the %s needs a database of its own", others, name)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, migrations, goose.WithSessionLocker(locker), goose.WithTableName(table(name)))
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// table is where the versions of a database's schema are kept.
func table(name string) string { return "schema_of_" + name }

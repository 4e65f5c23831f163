package ref

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
)

// PlainCopy is PlainRows on PostgreSQL: the rows are copied into a table of their own by the program's driver, in one
// transaction with synchronous_commit as the server has it. The table is dropped in the end.
func PlainCopy(ctx context.Context, address, file string) (imp Import, err error) {
	f, err := os.Open(file)
	if err != nil {
		return imp, fmt.Errorf("ref: %w", err)
	}
	defer f.Close()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return imp, fmt.Errorf("ref: opening the plain database: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, copySchema); err != nil {
		return imp, fmt.Errorf("ref: creating the plain table: %w", err)
	}
	start := time.Now()
	rows := &records{csv: csv.NewReader(f)}
	rows.csv.ReuseRecord = true
	header, err := rows.csv.Read()
	if err != nil {
		return imp, fmt.Errorf("ref: reading the header: %w", err)
	}
	if rows.at, err = columns(header); err != nil {
		return imp, err
	}
	n, err := conn.CopyFrom(ctx, pgx.Identifier{"plain_badge"}, copyColumns, rows)
	if err != nil {
		return imp, fmt.Errorf("ref: copying the rows: %w", err)
	}
	imp.N, imp.Elapsed = int(n), time.Since(start)
	_, err = conn.Exec(ctx, "DROP TABLE plain_badge")
	return imp, err
}

// The columns are those of PlainRows.
const copySchema = `CREATE TABLE plain_badge (
	id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, account text NOT NULL, barcode text NOT NULL, name text NOT NULL, birth text NOT NULL,
	position text NOT NULL, first_day text NOT NULL, last_day text NOT NULL, scanned text NOT NULL, version text NOT NULL,
	note text NOT NULL, dde text NOT NULL, lde text NOT NULL, sde text NOT NULL, neutron text NOT NULL, UNIQUE (barcode, version))`

var copyColumns = []string{"account", "barcode", "name", "birth", "position", "first_day", "last_day", "scanned", "version", "note", "dde", "lde", "sde", "neutron"}

// records gives a file's records to the driver.
type records struct {
	csv    *csv.Reader
	at     []int
	record []string
	err    error
}

func (r *records) Next() bool {
	r.record, r.err = r.csv.Read()
	return r.err == nil
}

func (r *records) Values() ([]any, error) {
	values := make([]any, len(r.at))
	for i, column := range r.at {
		values[i] = r.record[column]
	}
	return values, nil
}

func (r *records) Err() error {
	if errors.Is(r.err, io.EOF) {
		return nil
	}
	return r.err
}

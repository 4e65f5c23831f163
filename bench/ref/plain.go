package ref

import (
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver under test
)

// Import is a Result of PlainImport; N counts the rows of the file.
type Import struct {
	Result
	Readings int // values stored; a row has one for each quantity that it reports
	Blank    int // rows of commas only
}

const plainSchema = `
CREATE TABLE plain_badge (
	id INTEGER PRIMARY KEY, account TEXT NOT NULL, barcode TEXT NOT NULL, name TEXT NOT NULL, birth TEXT NOT NULL,
	position TEXT NOT NULL, first_day TEXT NOT NULL, last_day TEXT NOT NULL, scanned TEXT NOT NULL, version INTEGER NOT NULL,
	note TEXT NOT NULL, UNIQUE (barcode, first_day, version)) STRICT;
CREATE TABLE plain_reading (
	id INTEGER PRIMARY KEY, badge INTEGER NOT NULL REFERENCES plain_badge, quantity INTEGER NOT NULL,
	micro_sv INTEGER NOT NULL, qualifier TEXT NOT NULL) STRICT;
CREATE INDEX plain_reading_badge ON plain_reading (badge);`

// rowSchema is the least that keeps a report's rows: one table, one row for each record.
const rowSchema = `CREATE TABLE plain_badge (
	id INTEGER PRIMARY KEY, account TEXT NOT NULL, barcode TEXT NOT NULL, name TEXT NOT NULL, birth TEXT NOT NULL,
	position TEXT NOT NULL, first_day TEXT NOT NULL, last_day TEXT NOT NULL, scanned TEXT NOT NULL, version INTEGER NOT NULL,
	note TEXT NOT NULL, dde TEXT NOT NULL, lde TEXT NOT NULL, sde TEXT NOT NULL, neutron TEXT NOT NULL, UNIQUE (barcode, version)) STRICT`

// Columns of a DoseReport that PlainImport keeps.
var plainColumns = []string{
	"Account Number", "Serial Number", "Participant Name", "DOB", "Use", "Period Begin Date", "Period End Date", "Scan Date",
	"Version", "NoteCode", "Current DDE", "Current LDE", "Current SDE", "Current Neutron",
}

// PlainImport parses a DoseReport (CSV in UTF-8) and stores its rows in the clear, in one transaction of a new SQLite
// database in dir with the pragmas of the program's register, synchronous (FULL or NORMAL) as given. It checks no
// more than that the columns are there and numbers are numbers. The time includes the commit, not the schema.
func PlainImport(dir, file, synchronous string) (Import, error) {
	if _, err := FileSystem(dir); err != nil {
		return Import{}, err
	}
	return plainImport(dir, file, synchronous)
}

// PlainRows is PlainImport with one table and one row for each record, doses as the texts that they are: the least
// that can be called an import, and the strictest reference.
func PlainRows(dir, file, synchronous string) (Import, error) {
	if _, err := FileSystem(dir); err != nil {
		return Import{}, err
	}
	return plainInto(dir, file, synchronous, rowSchema, (*Import).insertRows)
}

func plainImport(dir, file, synchronous string) (Import, error) {
	return plainInto(dir, file, synchronous, plainSchema, (*Import).insert)
}

func plainInto(dir, file, synchronous, schema string, insert func(*Import, *sql.Tx, io.Reader) error) (imp Import, err error) {
	if synchronous != "FULL" && synchronous != "NORMAL" {
		return imp, fmt.Errorf("ref: synchronous %q: FULL or NORMAL expected", synchronous)
	}
	scratch, err := os.MkdirTemp(dir, "ref-import-*")
	if err != nil {
		return imp, fmt.Errorf("ref: %w", err)
	}
	defer os.RemoveAll(scratch)
	q := url.Values{
		"_pragma": {"journal_mode(WAL)", "busy_timeout(5000)", "foreign_keys(1)", "secure_delete(ON)", "synchronous(" + synchronous + ")"},
		"_txlock": {"immediate"}, "_dqs": {"0"},
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(scratch, "plain.db")+"?"+q.Encode())
	if err != nil {
		return imp, fmt.Errorf("ref: opening the plain database: %w", err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(schema); err != nil {
		return imp, fmt.Errorf("ref: creating the plain tables: %w", err)
	}
	f, err := os.Open(file)
	if err != nil {
		return imp, fmt.Errorf("ref: %w", err)
	}
	defer f.Close()

	start := time.Now()
	tx, err := db.Begin()
	if err != nil {
		return imp, fmt.Errorf("ref: beginning the import: %w", err)
	}
	defer tx.Rollback() // without effect after the commit
	if err := insert(&imp, tx, f); err != nil {
		return imp, err
	}
	if err := tx.Commit(); err != nil {
		return imp, fmt.Errorf("ref: committing the import: %w", err)
	}
	imp.Elapsed = time.Since(start)
	return imp, nil
}

func (imp *Import) insert(tx *sql.Tx, r io.Reader) error {
	badge, err := tx.Prepare(`INSERT INTO plain_badge (account, barcode, name, birth, position, first_day, last_day, scanned, version, note) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)`)
	if err != nil {
		return fmt.Errorf("ref: preparing the import: %w", err)
	}
	defer badge.Close()
	reading, err := tx.Prepare(`INSERT INTO plain_reading (badge, quantity, micro_sv, qualifier) VALUES ($1,$2,$3,$4)`)
	if err != nil {
		return fmt.Errorf("ref: preparing the import: %w", err)
	}
	defer reading.Close()
	c := csv.NewReader(r)
	c.ReuseRecord = true
	header, err := c.Read()
	if err != nil {
		return fmt.Errorf("ref: reading the header: %w", err)
	}
	at, err := columns(header)
	if err != nil {
		return err
	}
	for {
		rec, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("ref: reading the file: %w", err)
		}
		imp.N++
		if strings.Join(rec, "") == "" {
			imp.Blank++
			continue
		}
		version, err := strconv.Atoi(rec[at[8]])
		if err != nil {
			return fmt.Errorf("ref: row %d: the version is no number", imp.N)
		}
		done, err := badge.Exec(rec[at[0]], rec[at[1]], rec[at[2]], rec[at[3]], rec[at[4]], rec[at[5]], rec[at[6]], rec[at[7]], version, rec[at[9]])
		if err != nil {
			return fmt.Errorf("ref: storing row %d: %w", imp.N, err)
		}
		id, err := done.LastInsertId()
		if err != nil {
			return fmt.Errorf("ref: storing row %d: %w", imp.N, err)
		}
		for q, column := range at[10:] {
			text := rec[column]
			if text == "" {
				continue
			}
			microSv, qualifier := 0, text
			if text != "M" {
				if microSv, err = micro(text); err != nil {
					return fmt.Errorf("ref: row %d: %s is no dose", imp.N, plainColumns[10+q])
				}
				qualifier = "measured"
			}
			if _, err := reading.Exec(id, q, microSv, qualifier); err != nil {
				return fmt.Errorf("ref: storing row %d: %w", imp.N, err)
			}
			imp.Readings++
		}
	}
}

// columns returns where the plainColumns stand.
func columns(header []string) ([]int, error) {
	at := make([]int, len(plainColumns))
next:
	for i, want := range plainColumns {
		for j, have := range header {
			if strings.TrimPrefix(have, "\ufeff") == want {
				at[i] = j
				continue next
			}
		}
		return nil, fmt.Errorf("ref: the file has no column %q", want)
	}
	return at, nil
}

// micro reads a decimal number of mSv with at most three decimals as µSv.
func micro(s string) (int, error) {
	whole, part, _ := strings.Cut(s, ".")
	if len(part) > 3 {
		return 0, strconv.ErrSyntax
	}
	return strconv.Atoi(whole + part + "000"[len(part):])
}

func (imp *Import) insertRows(tx *sql.Tx, r io.Reader) error {
	row, err := tx.Prepare(`INSERT INTO plain_badge (account, barcode, name, birth, position, first_day, last_day, scanned, version, note, dde, lde, sde, neutron) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)`)
	if err != nil {
		return fmt.Errorf("ref: preparing the import: %w", err)
	}
	defer row.Close()
	c := csv.NewReader(r)
	c.ReuseRecord = true
	header, err := c.Read()
	if err != nil {
		return fmt.Errorf("ref: reading the header: %w", err)
	}
	at, err := columns(header)
	if err != nil {
		return err
	}
	values := make([]any, len(at))
	for {
		rec, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("ref: reading the report: %w", err)
		}
		for i, column := range at {
			values[i] = rec[column]
		}
		if _, err := row.Exec(values...); err != nil {
			return fmt.Errorf("ref: row %d: %w", imp.N+1, err)
		}
		imp.N++
	}
}

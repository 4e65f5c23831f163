// Package rows reads rows of SQL queries: what both SQLite stores share.
package rows

import (
	"context"
	"database/sql"
)

// Each calls fn for every row of a query, until one fails.
func Each(ctx context.Context, db *sql.DB, q string, args []any, fn func(scan func(...any) error) error) error {
	rows, err := db.QueryContext(ctx, q, args...)
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

package sqlite

import (
	"context"

	"github.com/dosevault/dosevault/internal/store/sqlite/vaultdb"
)

// OpenVault opens or creates the vault's database; see package vaultdb.
func OpenVault(ctx context.Context, path string) (*vaultdb.Store, error) {
	return vaultdb.Open(ctx, path)
}

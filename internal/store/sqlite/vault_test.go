package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/dosevault/dosevault/internal/store/snapshot"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/store/storetest"
	"github.com/dosevault/dosevault/internal/vault"
)

func TestVault(t *testing.T) {
	storetest.Vault(t, func(t *testing.T) (vault.Store, func() vault.Store) {
		path := filepath.Join(t.TempDir(), "vault #1.db") // a name that an address would cut
		open := func() vault.Store {
			s, err := sqlite.OpenVault(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		return open(), open
	})
}

func TestVerifyVault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	store, err := sqlite.OpenVault(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	storetest.VerifyVault(t, store, func() (*snapshot.Vault, error) { return sqlite.OpenVerify(path) }, func(query string) {
		db := open(t, path)
		defer db.Close()
		change(t, db, query)
	})
}

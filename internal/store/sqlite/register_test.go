package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/store/storetest"
)

func TestRegister(t *testing.T) {
	storetest.Register(t, func(t *testing.T) (register.Store, func() register.Store) {
		path := filepath.Join(t.TempDir(), "register #1.db") // a name that an address would cut
		open := func() register.Store {
			s, err := sqlite.OpenRegister(context.Background(), path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			return s
		}
		return open(), open
	})
}

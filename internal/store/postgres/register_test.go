package postgres_test

import (
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/store/postgres"
	"github.com/dosevault/dosevault/internal/store/storetest"
	"github.com/dosevault/dosevault/internal/store/storetest/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestRegister(t *testing.T) {
	storetest.Register(t, func(t *testing.T) (register.Store, func() register.Store) {
		address := pgtest.Shared(t).Database(t)
		open := func() register.Store {
			s, err := postgres.OpenRegister(t.Context(), address)
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

// A wearer's page reads that wearer's rows, also right after the first import, when the server knows nothing about its tables.
func TestAWearersPeriodsAreFoundByTheirKeys(t *testing.T) {
	address := pgtest.Shared(t).Database(t)
	s, err := postgres.OpenRegister(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	plan := postgres.ExplainResults(t, address)
	if strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "wear_period_recent") || strings.Count(plan, "_pkey") < 4 {
		t.Errorf("all periods are read:\n%s", plan)
	}
}

package attack_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/attack/house"
)

// What a newcomer starts first, with everybody in it: it fills within the vault's bounds, every row of the laboratory's file is
// accounted for, and the ledgers verify.
func TestTheWholeDemonstration(t *testing.T) {
	h := house.New(t)
	cmd := h.Command("demo", "--once", "--json", "--listen", h.Listen, "--vault-listen", h.Vault)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("demo --once: %v\n%s", err, &stderr)
	}
	var s struct {
		People        int `json:"people"`
		Wearers       int `json:"wearers"`
		Organisations int `json:"organisations"`
		In            int `json:"rows_in"`
		Stored        int `json:"rows_stored"`
		Refused       int `json:"rows_refused"`
		Ignored       int `json:"rows_ignored"`
		AboveLevel    int `json:"people_above_a_level"`
		AboveLimit    int `json:"people_above_a_limit"`
	}
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatal(err)
	}
	const people, markers = 4766, 200
	if s.People != people+markers || s.Wearers <= s.People || s.Organisations < 100 {
		t.Errorf("%d people with %d wearer records at %d organisations", s.People, s.Wearers, s.Organisations)
	}
	if s.In != s.Stored+s.Refused+s.Ignored || s.Stored < 3000 || s.Refused == 0 || s.Ignored == 0 {
		t.Errorf("%d rows in: %d stored, %d refused, %d blank", s.In, s.Stored, s.Refused, s.Ignored)
	}
	if s.AboveLevel == 0 || s.AboveLimit == 0 {
		t.Errorf("%d people above a level, %d above a limit", s.AboveLevel, s.AboveLimit)
	}
	if out, err := h.Run("verify"); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
}

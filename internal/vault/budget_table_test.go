package vault

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/policy"
)

// docs/security.md shows the budgets that hold.
func TestTheTableOfBudgets(t *testing.T) {
	document, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(document), "### Budgets\n")
	rows := map[string][]string{}
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) == 9 {
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			rows[cells[0]] = cells[1:]
		}
	}
	for name, want := range map[string]limits{
		"co-ordinator": roleBudgets[policy.Coordinator], "records officer": roleBudgets[policy.RecordsOfficer], "supervisor": roleBudgets[policy.Supervisor],
		"local co-ordinator": roleBudgets[policy.Local], "data protection officer": roleBudgets[policy.DataProtection], "a machine": machineBudget,
		"all users of a node": nodeBudget, "the worker's node": workerBudget, "one export": exportBudget,
		"an organisation, by all readers (an alarm, no refusal)": organisationBudget,
	} {
		row := rows[name]
		if row == nil {
			t.Errorf("docs/security.md has no budget of %s", name)
			continue
		}
		for c, cell := range row {
			n, err := strconv.Atoi(strings.ReplaceAll(cell, ",", ""))
			if cell == "its number" {
				n, err = unlimited, nil
			}
			if err != nil || n != max(want[c], fewest) {
				t.Errorf("%s, %s: docs/security.md says %q, and it is %d", name, classWord(policy.Class(c)), cell, max(want[c], fewest))
			}
		}
	}
	if len(roleBudgets) != 5 {
		t.Errorf("%d roles have budgets, and 5 are compared", len(roleBudgets))
	}
}

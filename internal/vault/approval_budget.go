package vault

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// budgetProposal gives somebody another budget, which may be a higher one.
type budgetProposal struct {
	vaultclient.NewBudget
}

func (b *budgetProposal) where() []id.Organisation {
	var org id.Organisation
	if name, ok := strings.CutPrefix(string(b.Who), "organisation:"); ok && org.UnmarshalText([]byte(name)) == nil {
		return []id.Organisation{org}
	}
	return nil
}

func (*budgetProposal) may(bool) []ask { return administer }

func (b *budgetProposal) check(v *Vault, _ time.Time) error {
	_, err := v.checkBudget(b.NewBudget)
	return err
}

func (b *budgetProposal) read(ctx context.Context, v *Vault) []Line {
	who := string(b.Who)
	kind, name, _ := strings.Cut(who, ":")
	var u id.User
	if kind == "user" && u.UnmarshalText([]byte(name)) == nil && v.state.users[u] != nil {
		who = v.state.users[u].Name + " (" + who + ")"
	}
	for _, org := range b.where() {
		if o := v.state.organisations[org]; o != nil {
			who = o.name + " (" + who + ")"
		}
	}
	lines := []Line{{"Who reads", who}}
	for _, class := range slices.Sorted(maps.Keys(b.Limits)) {
		lines = append(lines, Line{budgetLabels[class], words.T(ctx, "at most %s in 24 hours", strconv.Itoa(b.Limits[class]))})
	}
	return append(lines, Line{"Everything else", words.T(ctx, "as usual for the role")})
}

// budgetLabels say what a budget is of.
var budgetLabels = map[string]words.Key{
	"guesses": "Searches that find nobody", "identity": "Names, dates of birth and numbers of people", "ni": "NI numbers of people", "contact": "Ways to reach people",
	"health": "Health of people", "dose": "Doses of people", "document": "People in files", "employment": "Departments and jobs of people",
}

func (b *budgetProposal) do(t *tx, p *approved) error {
	org, err := t.v.checkBudget(b.NewBudget)
	if err != nil {
		return err
	}
	return t.setBudget(p.opening, org, b.NewBudget)
}

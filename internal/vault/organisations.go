package vault

import (
	"context"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

func checkOrganisation(o vaultclient.Organisation) bool {
	return strings.TrimSpace(o.Name) != "" && len(o.Name) <= 200 && o.Kind != "" && len(o.Kind) <= 40
}

// ChangeOrganisation gives an organisation another name or kind. It is entered in the organisation's own ledger.
func (v *Vault) ChangeOrganisation(ctx context.Context, c Caller, o vaultclient.Organisation) error {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return err
	}
	if !checkOrganisation(o) || o.ID.IsZero() {
		return invalid("an organisation needs a name of at most 200 bytes and a kind")
	}
	a, err := v.manage(ctx, p, o.ID)
	if err != nil {
		return err
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		old := v.state.organisations[o.ID]
		if old == nil {
			return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such organisation"}
		}
		if old.Name == o.Name && old.Kind == o.Kind {
			return nil
		}
		row := old.storedOrganisation
		row.Name, row.Kind = o.Name, o.Kind
		op := v.opening(p, a)
		op.Subject = o.ID.String()
		return t.putOrganisation(o.ID, row, op)
	}))
}

// putOrganisation keeps an organisation's row, and enters in its own ledger that it changed.
func (t *tx) putOrganisation(n id.Organisation, row storedOrganisation, o ledger.Opening) error {
	sealed, err := t.v.sealRow(TableOrganisation, n[:], row)
	if err != nil {
		return err
	}
	e, err := t.v.seal(entry{org: n, kind: ledger.Organisation, basis: ledger.Gate}, o)
	if err != nil {
		return err
	}
	changed := *t.v.state.organisations[n]
	changed.storedOrganisation = row
	t.put(TableOrganisation, n[:], sealed)
	t.append(e)
	t.apply(func(s *state) { s.organisations[n] = &changed })
	return nil
}

// The register's tables of settings: what an organisation sets for itself; and that a laboratory's profile is retired.
const (
	settingsTable = "organisation"
	retiredTable  = "document/retired"
)

// enterSettings enters, for each organisation whose settings are among the values to be sealed, that they change, and in the
// installation's log that a profile is retired.
func (v *Vault) enterSettings(ctx context.Context, p *principal, a ask, items []vaultclient.Item) error {
	var parties []*party
	a.subject = "settings"
	for _, it := range items {
		switch {
		case it.Table == settingsTable && it.Wearer.IsZero():
			parties = append(parties, &party{org: it.Organisation, policy: v.policyAt(it.Organisation), rules: map[string]bool{}})
		case it.Table == retiredTable && len(items) == 1:
			parties = append(parties, &party{policy: v.policyAt(id.Organisation{}), rules: map[string]bool{}})
			a.subject, a.reason = it.Row.String(), "a laboratory's profile is retired"
		case it.Table == retiredTable:
			return invalid("a profile is retired by itself")
		}
	}
	if len(parties) == 0 {
		return nil
	}
	return v.enter(ctx, p, a, parties, ledger.Write, 0)
}

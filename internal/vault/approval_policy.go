package vault

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// policiesProposal puts files in the place of policies that the program carries; none puts those back.
type policiesProposal struct {
	vaultclient.PoliciesChange
	next  *policy.Set // parsed, see parse
	wrong error
}

// parse returns the policies that are proposed. It takes a while, and so is done once.
func (b *policiesProposal) parse() (*policy.Set, error) {
	if b.next == nil && b.wrong == nil {
		b.next, b.wrong = policy.Parse(b.Files)
	}
	return b.next, b.wrong
}

func (*policiesProposal) where(*Vault) []id.Organisation { return nil }

func (*policiesProposal) may(bool) []ask { return administer }

// prepare compares before the commit what the commit asks about, since that takes a second.
func (b *policiesProposal) prepare(v *Vault) {
	if next, err := b.parse(); err == nil {
		v.mu.RLock()
		sets := append(slices.Collect(maps.Values(v.state.policies.of)), v.state.policies.service)
		v.mu.RUnlock()
		for _, set := range sets {
			v.compared.compare(set, next)
		}
	}
}

func (b *policiesProposal) check(v *Vault, _ time.Time) error {
	next, err := b.parse()
	if err != nil {
		return invalid("%v", err)
	}
	if v.state.policies.service.Version() != b.Base {
		return &vaultclient.Error{Code: vaultclient.Conflict, Message: "the policies changed meanwhile: look at those of today, and propose anew"}
	}
	if next.Version() == v.state.policies.service.Version() {
		return &vaultclient.Error{Code: vaultclient.Conflict, Message: "these policies hold already"}
	}
	return nil
}

func (b *policiesProposal) read(_ context.Context, v *Vault) []Line {
	next, err := b.parse()
	if err != nil {
		return []Line{{"These policies don’t fit this release", err.Error()}}
	}
	lines := []Line{{"Version", b.Base + " → " + next.Version()}}
	now := v.state.policies.version(b.Base)
	if now == nil {
		return lines // long done, and the base is not kept
	}
	for _, c := range v.compared.compare(now, next) {
		lines = append(lines, Line{"Who may do what", c.String()})
	}
	old, text := now.Files(), next.Files()
	changed := text.Less(old)
	for _, name := range changed.Names() {
		lines = append(lines, Line{"Lines of a file", name + "\n" + lineChanges(old[name], changed[name])})
	}
	for _, org := range v.widened(&v.state, next) {
		lines = append(lines, Line{"Has to agree first", v.state.organisationName(org)})
	}
	return lines
}

func (b *policiesProposal) do(t *tx, p *approved) error {
	next, err := b.parse()
	if err != nil {
		return invalid("%v", err)
	}
	if err := t.changePolicies(next, b.Files, p.proposer); err != nil {
		return err
	}
	return t.enterPolicies(id.Organisation{}, p.opening, next.Version())
}

// agreementProposal makes the installation's policies hold for an organisation that they open further.
type agreementProposal struct {
	vaultclient.PoliciesAgreement
}

func (b *agreementProposal) where(*Vault) []id.Organisation { return []id.Organisation{b.Organisation} }

// Who runs the service proposes it; who approves is of the organisation.
func (*agreementProposal) may(approves bool) []ask {
	if approves {
		return []ask{{action: policy.Administer, purpose: policy.Oversight}}
	}
	return administer
}

func (b *agreementProposal) prepare(v *Vault) {
	v.compared.compare(v.policyAt(b.Organisation), v.policyAt(id.Organisation{}))
}

func (b *agreementProposal) check(v *Vault, _ time.Time) error {
	p := &v.state.policies
	switch {
	case v.state.organisations[b.Organisation] == nil:
		return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such organisation"}
	case p.of[b.Organisation] == nil:
		return &vaultclient.Error{Code: vaultclient.Conflict, Message: "the installation's policies hold for this organisation already"}
	case p.service.Version() != b.Version, p.at(b.Organisation).Version() != b.Base:
		return &vaultclient.Error{Code: vaultclient.Conflict, Message: "the installation's policies changed meanwhile: propose those of today"}
	}
	return nil
}

func (b *agreementProposal) read(_ context.Context, v *Vault) []Line {
	p := &v.state.policies
	lines := []Line{{"Organisation", v.state.organisationName(b.Organisation)}, {"Version", b.Base + " → " + b.Version}}
	if from, to := p.version(b.Base), p.version(b.Version); from != nil && to != nil {
		for _, c := range v.compared.compare(from, to) {
			lines = append(lines, Line{"Who may do what", c.String()})
		}
	}
	return lines
}

func (b *agreementProposal) do(t *tx, p *approved) error {
	if err := t.agreeToPolicies(b.Organisation, p.proposer); err != nil {
		return err
	}
	return t.enterPolicies(b.Organisation, p.opening, b.Version)
}

// enterPolicies enters which policies hold from now on.
func (t *tx) enterPolicies(org id.Organisation, o ledger.Opening, version string) error {
	o.Subject = "policies " + version
	e, err := t.v.seal(entry{org: org, kind: ledger.Policy, basis: ledger.Gate}, o)
	if err != nil {
		return err
	}
	t.append(e)
	return t.raise(vaultclient.AlarmPolicyChanged, org, o)
}

// maxCompared is the product of two numbers of lines that are compared line by line.
const maxCompared = 1 << 20

// lineChanges returns the lines that one text has and the other has not, "-" before the old and "+" before the new, with a
// line that is in both before each group. Of texts that are too long to compare, all that lies between their equal ends is said to change.
func lineChanges(old, new string) string {
	a, b := strings.Split(strings.TrimSuffix(old, "\n"), "\n"), strings.Split(strings.TrimSuffix(new, "\n"), "\n")
	from := 0
	for from < len(a) && from < len(b) && a[from] == b[from] {
		from++
	}
	for len(a) > from && len(b) > from && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	// The longest common subsequence of what lies between, by lengths from each pair of lines on.
	var common [][]int
	if rows, columns := len(a)-from, len(b)-from; rows*columns <= maxCompared {
		common = make([][]int, rows+1)
		for i := range common {
			common[i] = make([]int, columns+1)
		}
		for i := rows - 1; i >= 0; i-- {
			for j := columns - 1; j >= 0; j-- {
				if a[from+i] == b[from+j] {
					common[i][j] = common[i+1][j+1] + 1
				} else {
					common[i][j] = max(common[i+1][j], common[i][j+1])
				}
			}
		}
	}
	var out []string
	said := false // the line before was a change
	for i, j := from, from; i < len(a) || j < len(b); {
		if common != nil && i < len(a) && j < len(b) && a[i] == b[j] {
			i, j, said = i+1, j+1, false
			continue
		}
		if !said && i > 0 {
			out = append(out, "  "+a[i-1])
		}
		said = true
		if j == len(b) || i < len(a) && (common == nil || common[i-from+1][j-from] >= common[i-from][j-from+1]) {
			out = append(out, "- "+a[i])
			i++
		} else {
			out = append(out, "+ "+b[j])
			j++
		}
	}
	return strings.Join(out, "\n")
}

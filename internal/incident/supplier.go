package incident

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Vault is what taking in a list asks of the vault.
type Vault interface {
	Intake(context.Context, vaultclient.Auth, vaultclient.Intake) error
	MatchList(context.Context, vaultclient.Auth, []vaultclient.Listed) ([]vaultclient.Found, error)
	Exposures(context.Context, vaultclient.Auth, vaultclient.ExposureRequest) (vaultclient.Exposures, error)
	Declare(context.Context, vaultclient.Auth, vaultclient.Declaration) error
	EnterStep(context.Context, vaultclient.Auth, vaultclient.NewStep) (id.Incident, error)
}

// SupplierList is a list of people as a recipient that lost data sent it, for an incident.
type SupplierList struct {
	Incident  vaultclient.Incident
	Recipient vaultclient.Recipient
	From, To  time.Time // when it was sent the data
	File      []byte    // as it came
	List      *List     // as it was read
	Names     []EmployerName
	Deceased  map[id.Wearer]bool
}

// EmployerName is what a list may call an organisation: its name, or its account with the sender.
type EmployerName struct {
	Organisation id.Organisation
	Name         string
}

// Taken is what came of a list.
type Taken struct {
	*Reconciliation
	Difference // from what the ledgers said before
}

// Take enters that a list arrived, reconciles it inside the vault, declares what it says that the ledgers did not, and enters a step of the
// incident that counts the outcomes. It may be repeated: what was declared is not declared again.
func Take(ctx context.Context, v Vault, auth vaultclient.Auth, in SupplierList) (*Taken, error) {
	sum := sha256.Sum256(in.File)
	intake := vaultclient.Intake{Import: importOf("list", sum[:], string(in.Recipient)), Source: "list of those concerned", SHA256: sum[:], Bytes: int64(len(in.File)), Rows: len(in.List.Rows), Sender: string(in.Recipient)}
	if err := v.Intake(ctx, auth, intake); err != nil {
		return nil, err
	}
	names := map[string]id.Organisation{}
	for _, n := range in.Names {
		names[person.Fold(n.Name)] = n.Organisation
	}
	r, err := in.List.Reconcile(Known{
		Organisation: func(text string) id.Organisation { return names[person.Fold(text)] },
		Match: func(rows []vaultclient.Listed) ([]vaultclient.Found, error) {
			return v.MatchList(ctx, auth, rows)
		},
		Deceased: in.Deceased,
	})
	if err != nil {
		return nil, err
	}
	held := r.Held()
	scope, err := v.Exposures(ctx, auth, vaultclient.ExposureRequest{Recipient: in.Recipient, From: in.From, To: in.To, List: true})
	if err != nil {
		return nil, err
	}
	out := &Taken{r, Against(held, scope.List)}
	// The list itself came in: of everybody whom it names.
	for _, h := range held {
		intake.Held |= h.Fields
		intake.Wearers = append(intake.Wearers, h.Wearer)
	}
	if len(held) > 0 {
		if err := v.Intake(ctx, auth, intake); err != nil {
			return nil, err
		}
	}
	if len(out.More) > 0 {
		d := vaultclient.Declaration{Recipient: in.Recipient, From: in.From, To: in.To, SHA256: sum[:], Rows: out.More}
		parts := [][]byte{sum[:]}
		for _, m := range out.More {
			parts = append(parts, m.Wearer[:], fmt.Append(nil, m.Fields, m.Years))
		}
		d.Import = importOf("declared", bytes.Join(parts, nil), fmt.Sprint(in.Recipient, in.From.UnixMicro(), in.To.UnixMicro()))
		if err := v.Declare(ctx, auth, d); err != nil {
			return nil, err
		}
	}
	steps := []vaultclient.NewStep{{Kind: vaultclient.Answered, Text: fmt.Sprintf("The list of %s arrived (SHA-256 %x…): %s. %s", in.Recipient, sum[:6], out.summary(), out.Difference)}}
	if !asks(in.Incident, in.Recipient, in.From, in.To) {
		steps = append(steps, vaultclient.NewStep{Kind: vaultclient.Supposed, Text: "As the list says", Hypothesis: &vaultclient.Hypothesis{Recipient: in.Recipient, From: in.From, To: in.To}})
	}
	for _, s := range steps {
		s.Incident = in.Incident.ID
		if _, err := v.EnterStep(ctx, auth, s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// importOf is an id that is the same for the same things.
func importOf(what string, b []byte, of string) id.Import {
	h := sha256.Sum256(slices.Concat([]byte(what), []byte{0}, []byte(of), []byte{0}, b))
	return id.Import(h[:16])
}

// asks reports whether an incident's hypotheses hold a recipient and window.
func asks(one vaultclient.Incident, who vaultclient.Recipient, from, to time.Time) bool {
	return slices.ContainsFunc(one.Steps, func(s vaultclient.IncidentStep) bool {
		h := s.Hypothesis
		return h != nil && !h.Medium && (h.Recipient == who || h.Recipient == "") && !h.From.After(from) && !h.To.Before(to)
	})
}

// summary counts the outcomes.
func (r *Reconciliation) summary() string {
	parts := []string{fmt.Sprintf("%d matched (%d current, %d left, %d deceased)", r.Count(Matched), r.CountStatus(Current), r.CountStatus(Left), r.CountStatus(Deceased))}
	for _, o := range Outcomes()[1:] {
		parts = append(parts, fmt.Sprintf("%d %s", r.Count(o), o))
	}
	return fmt.Sprintf("%d rows: %s", len(r.Rows), strings.Join(parts, ", "))
}

func (d Difference) String() string {
	return fmt.Sprintf("Of the wearers that it names %d are in the ledgers' scope and %d were not; of %d it says more than the ledgers did, which was declared. %d of the scope are not on it.", d.Both, d.Newly, len(d.More), len(d.Fewer))
}

// HypothesisFor is the incident's hypothesis about a supplier; with no name given, of its only supplier.
func HypothesisFor(one vaultclient.Incident, who vaultclient.Recipient) (found *vaultclient.Hypothesis) {
	for _, s := range one.Steps {
		h := s.Hypothesis
		if h == nil || h.Medium || s.Kind != vaultclient.Declared && s.Kind != vaultclient.Supposed {
			continue
		}
		switch {
		case who == "" && !strings.HasPrefix(string(h.Recipient), "supplier:"), who != "" && h.Recipient != who:
		case found != nil && found.Recipient != h.Recipient:
			return nil
		default:
			found = h
		}
	}
	return found
}

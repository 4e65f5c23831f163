package incident

import (
	"slices"

	"github.com/dosevault/dosevault/internal/deadline"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Scope is the question to the ledgers that an incident's hypotheses make, united. False: there is none, since all that may have
// been taken is sealed media, by which nothing becomes readable.
func Scope(one vaultclient.Incident) (r vaultclient.ExposureRequest, ok bool) {
	r.List = true
	for _, s := range one.Steps {
		h := s.Hypothesis
		switch {
		case h == nil || h.Medium:
		case !ok:
			r.Recipient, r.From, r.To, r.Began, ok = h.Recipient, h.From, h.To, h.Began, true
		default:
			r.Also = append(r.Also, *h)
		}
	}
	for _, s := range one.Steps {
		if d := s.Destruction; d != nil {
			r.Less = append(r.Less, vaultclient.Destruction{Recipient: d.Recipient, From: d.From, To: d.To, At: s.Moment, Organisation: s.Organisation})
		}
	}
	return r, ok
}

// OrganisationClock is the time that a controller has to report a breach to the regulator; zero: the service, which is the controller of
// its own staff.
type OrganisationClock = deadline.OfOrganisation

// Clocks are the controllers' clocks of an incident.
func Clocks(one vaultclient.Incident) []OrganisationClock {
	var steps []deadline.Step
	for _, s := range one.Steps {
		steps = append(steps, deadline.Step{What: s.Kind.Clock(s.Organisation), Organisation: s.Organisation, Moment: s.Moment})
	}
	return deadline.Clocks(steps)
}

// Untold are the organisations of a table that no step says were told, in its order.
func Untold(one vaultclient.Incident, table []Row) (out []id.Organisation) {
	for _, row := range table {
		told := slices.ContainsFunc(one.Steps, func(s vaultclient.IncidentStep) bool {
			return s.Kind == vaultclient.Told && s.Organisation == row.Organisation
		})
		if !told && !slices.Contains(out, row.Organisation) {
			out = append(out, row.Organisation)
		}
	}
	return out
}

// Wearers counts the wearers of exposures.
func Wearers(list []vaultclient.Exposure) int {
	seen := map[id.Wearer]bool{}
	for _, x := range list {
		seen[x.Wearer] = true
	}
	return len(seen)
}

// Spared counts the wearers of whom everything was destroyed before somebody else may have had it.
func Spared(x vaultclient.Exposures) int {
	return Wearers(append(slices.Clone(x.List), x.Destroyed...)) - Wearers(x.List)
}

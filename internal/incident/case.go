package incident

import (
	"slices"
	"time"

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
type OrganisationClock struct {
	Clock
	Organisation id.Organisation
	Done         bool // the controller entered its decision
}

// Clocks are the controllers' clocks of an incident. The service's runs from when it became aware; an organisation's from
// when it was told, since a controller is aware once its processor tells it (EDPB guidelines 9/2022 on notification).
func Clocks(one vaultclient.Incident) []OrganisationClock {
	out := []OrganisationClock{{Clock: Clock{Aware: aware(one), Within: regulatorHours}}}
	for _, s := range one.Steps {
		if s.Kind == vaultclient.Told && !s.Organisation.IsZero() && !slices.ContainsFunc(out, func(k OrganisationClock) bool { return k.Organisation == s.Organisation }) {
			out = append(out, OrganisationClock{Clock: Clock{Aware: s.Moment, Within: regulatorHours}, Organisation: s.Organisation})
		}
	}
	for i := range out {
		out[i].Done = slices.ContainsFunc(one.Steps, func(s vaultclient.IncidentStep) bool {
			return s.Kind == vaultclient.Decided && s.Organisation == out[i].Organisation
		})
	}
	return out
}

// aware is when the service became aware: at the declaration, or earlier where a step says so.
func aware(one vaultclient.Incident) (at time.Time) {
	for _, s := range one.Steps {
		if (s.Kind == vaultclient.Declared || s.Kind == vaultclient.Aware && s.Organisation.IsZero()) && (at.IsZero() || s.Moment.Before(at)) {
			at = s.Moment
		}
	}
	return at
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

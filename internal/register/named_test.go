package register_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// received returns whose fields an export received.
func (h *house) received(e id.Export) map[id.Wearer]policy.Fields {
	h.Helper()
	x, err := h.v.Exposures(h.Context(), vault.Caller{Node: "web", Auth: h.auth}, vc.ExposureRequest{Recipient: vc.Recipient("export:" + e.String()), From: now.AddDate(-1, 0, 0), To: now.AddDate(1, 0, 0), List: true})
	h.ok(err)
	out := map[id.Wearer]policy.Fields{}
	for _, e := range x.List {
		out[e.Wearer] = e.Fields
	}
	return out
}

func TestAPrintIsEnteredAsARecipient(t *testing.T) {
	h := newHouse(t)
	people := []register.Joiner{h.joiner(h.org), h.joiner(h.org), h.joiner(h.org)}
	for i, department := range []string{"Theatre", "Cathlab", "Theatre"} {
		people[i].Employment.Department = department
		people[i].Identity.Surname = person.NewValue([]string{"Ŵyn", "Bowen", "Ellis"}[i])
	}
	w := h.takeOn(people...)
	first, second, third := h.badge(h.org, w[0], time.September), h.badge(h.org, w[1], time.September), h.badge(h.org, w[2], time.September)
	eye, later := h.badge(h.org, w[0], time.September), h.badge(h.org, w[1], time.October)
	eye.Position, eye.Batch = dose.Eye, "B2"
	control := h.badge(h.org, id.Wearer{}, time.September)
	control.Position = dose.Control
	h.dispatch(first, second, third, eye, later, control)
	supervisor := h.user(policy.Supervisor, h.org)
	period := register.Period{Organisation: h.org, From: day.Of(2026, 9, 1), To: day.Of(2026, 9, 30)}

	departments, err := h.web.Departments(h.Context(), supervisor, period)
	h.ok(err)
	if len(departments) != 3 || departments["Theatre"] != 3 || departments["Cathlab"] != 1 || departments[""] != 1 {
		t.Errorf("departments %v", departments)
	}
	theatre := "Theatre"
	p, err := h.web.PrintPeriod(h.Context(), supervisor, period, &theatre, "issue sheet")
	h.ok(err)
	var lines []string
	for _, b := range p.Badges {
		lines = append(lines, b.Department+" "+b.Identity.Surname.Expose()+" "+b.Barcode+" "+b.Position.String())
	}
	want := []string{"Theatre Ellis " + third.Barcode + " whole body", "Theatre Ŵyn " + first.Barcode + " whole body", "Theatre Ŵyn " + eye.Barcode + " eye"}
	if !slices.Equal(lines, want) {
		t.Errorf("printed %q, want %q", lines, want)
	}
	got := h.received(p.Export)
	if len(got) != 2 || got[w[0]] != policy.FieldName|policy.FieldEmployment || got[w[2]] != policy.FieldName|policy.FieldEmployment {
		t.Errorf("the ledger says that the print received %v", got)
	}
	all, err := h.web.PrintPeriod(h.Context(), h.auth, period, nil, "labels")
	h.ok(err)
	if len(all.Badges) != 5 || all.Badges[0].Barcode != control.Barcode || all.Badges[0].Position != dose.Control || len(h.received(all.Export)) != 3 || all.Export == p.Export {
		t.Errorf("all badges: %d, received by %v", len(all.Badges), h.received(all.Export))
	}
	b2 := period
	b2.Batch = "B2"
	one, err := h.web.PrintPeriod(h.Context(), h.auth, b2, nil, "labels")
	h.ok(err)
	if len(one.Badges) != 1 || len(h.received(one.Export)) != 1 {
		t.Errorf("one batch: %d badges", len(one.Badges))
	}
	nobody := "Kitchen"
	var input *register.InputError
	if _, err := h.web.PrintPeriod(h.Context(), h.auth, period, &nobody, "labels"); !errors.As(err, &input) {
		t.Errorf("a department that is not there: %v", err)
	}
	for name, who := range map[string]vc.Auth{"another organisation's supervisor": h.user(policy.Supervisor, h.organisation("Ysbyty Arall", "700124")), "a data protection officer": h.user(policy.DataProtection, h.org)} {
		if _, err := h.web.PrintPeriod(h.Context(), who, period, nil, "labels"); err == nil {
			t.Errorf("%s printed", name)
		}
	}

	list, err := h.web.PrintUnreturned(h.Context(), supervisor, h.org, day.At(now))
	h.ok(err)
	if len(list.Badges) != 5 || len(h.received(list.Export)) != 3 {
		t.Errorf("unreturned: %d badges, received by %v", len(list.Badges), h.received(list.Export))
	}
	rates, err := h.web.DepartmentRates(h.Context(), supervisor, h.org, 12)
	h.ok(err)
	if r := rates["Theatre"]; r.NotBack != 3 || r.Total() != 3 || len(rates) != 2 {
		t.Errorf("rates %+v", rates)
	}
	whole, err := h.web.ReturnRates(h.Context(), supervisor, 12)
	h.ok(err)
	if r := whole[h.org]; len(whole) != 1 || r.NotBack != 4 || r.Total() != 4 {
		t.Errorf("rates %+v", whole)
	}
	// Nothing of a print but its id goes into an entry's reason.
	page, err := h.v.Ledger(h.Context(), vault.Caller{Node: "web", Auth: h.auth}, vc.LedgerRequest{Organisation: h.org, Limit: 100})
	h.ok(err)
	for _, e := range page.Entries {
		if strings.Contains(e.Reason, "Theatre") {
			t.Errorf("an entry's reason names a department: %q", e.Reason)
		}
	}
}

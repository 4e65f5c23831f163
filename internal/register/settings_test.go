package register_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// TestSettings: what is kept comes back, each change is entered in the organisation's own ledger, and no length tells
// what is in them.
func TestSettings(t *testing.T) {
	h := newHouse(t)
	entered := h.entries(h.org, "write")
	set := register.Settings{
		Accounts: []string{"700123"}, Standing: register.Processor, Departments: []string{"Cathlab", "Theatrau"},
		Levels: []dose.Level{{Kind: dose.Effective, Dose: 6_000, Name: "own"}},
	}
	h.ok(h.web.SetSettings(t.Context(), h.auth, h.org, set))
	got, err := h.web.SettingsOf(t.Context(), h.auth, h.org)
	h.ok(err)
	if diff := cmp.Diff(set, got); diff != "" {
		t.Error(diff)
	}
	if n := h.entries(h.org, "write"); n != entered+1 {
		t.Errorf("a change made %d entries", n-entered)
	}
	sealed, err := h.store.Organisations(t.Context())
	h.ok(err)
	short := len(sealed[h.org])
	for i := range register.MaxDepartments / 5 {
		set.Departments = append(set.Departments, strings.Repeat("d", i+1))
	}
	h.ok(h.web.SetSettings(t.Context(), h.auth, h.org, set))
	sealed, err = h.store.Organisations(t.Context())
	h.ok(err)
	if len(sealed[h.org]) != short {
		t.Error("longer settings stand out by their length")
	}
	second := h.organisation("Ysbyty Glan-y-Nant", "700456")
	if a, by, err := h.web.AccountTaken(t.Context(), h.auth, second, []string{"700789", "700123"}); err != nil || a != "700123" || by != h.org {
		t.Errorf("%q is %v's, %v", a, by, err)
	}
	if _, by, err := h.web.AccountTaken(t.Context(), h.auth, h.org, []string{"700123"}); err != nil || !by.IsZero() {
		t.Errorf("an organisation's own account is %v's, %v", by, err)
	}
}

func TestSettingsThatAreWrong(t *testing.T) {
	h := newHouse(t)
	long := strings.Repeat("x", 101)
	for what, set := range map[string]register.Settings{
		"an account with a space":     {Accounts: []string{"700 123"}},
		"an account twice":            {Accounts: []string{"700123", "700123"}},
		"an unknown standing":         {Standing: "joint"},
		"a department twice":          {Departments: []string{"Theatrau", "THEATRAU"}},
		"a department without a name": {Departments: []string{""}},
		"a long department":           {Departments: []string{long}},
		"too many departments":        {Departments: make([]string, register.MaxDepartments+1)},
		"a level of nothing":          {Levels: []dose.Level{{Dose: 1000}}},
		"a level of no dose":          {Levels: []dose.Level{{Kind: dose.Effective}}},
		"a level above the limit":     {Levels: []dose.Level{{Kind: dose.Lens, Dose: 20_000}}},
		"a level that ends before":    {Levels: []dose.Level{{Kind: dose.Lens, Dose: 1000, From: day.Of(2026, 2, 1), To: day.Of(2026, 1, 1)}}},
		"two levels at once":          {Levels: []dose.Level{{Kind: dose.Lens, Dose: 1000}, {Kind: dose.Lens, Dose: 2000, From: day.Of(2026, 2, 1)}}},
	} {
		err := h.web.SetSettings(t.Context(), h.auth, h.org, set)
		if _, ok := errors.AsType[*register.InputError](err); !ok {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got, err := h.web.SettingsOf(t.Context(), h.auth, h.org); err != nil || len(got.Accounts) != 1 {
		t.Errorf("settings that were refused changed something: %+v, %v", got, err)
	}
}

func TestLevelsChangeFromADay(t *testing.T) {
	old := register.Settings{Levels: []dose.Level{
		{Kind: dose.Effective, Dose: 6_000, Name: "own"},
		{Kind: dose.Lens, Dose: 15_000, From: day.Of(2025, 1, 1), Name: "own"},
		{Kind: dose.Skin, Dose: 150_000, Name: "own"},
		{Kind: dose.Extremity, Dose: 150_000, From: day.Of(2026, 6, 1), Name: "own"},
	}}
	doses := map[dose.Kind]dose.MicroSv{dose.Effective: 4_000, dose.Lens: 0, dose.Skin: 150_000, dose.Extremity: 100_000, dose.Foetus: 500}
	got := old.WithLevels(doses, day.Of(2026, 4, 1))
	want := []dose.Level{
		{Kind: dose.Effective, Dose: 6_000, To: day.Of(2026, 3, 31), Name: "own"},
		{Kind: dose.Lens, Dose: 15_000, From: day.Of(2025, 1, 1), To: day.Of(2026, 3, 31), Name: "own"},
		{Kind: dose.Skin, Dose: 150_000, Name: "own"},
		{Kind: dose.Effective, Dose: 4_000, From: day.Of(2026, 4, 1), Name: "the employer's"},
		{Kind: dose.Extremity, Dose: 100_000, From: day.Of(2026, 4, 1), Name: "the employer's"},
		{Kind: dose.Foetus, Dose: 500, From: day.Of(2026, 4, 1), Name: "the employer's"},
	}
	if diff := cmp.Diff(want, got.Levels); diff != "" {
		t.Error(diff)
	}
	if len(doses) != 5 || len(old.Levels) != 4 {
		t.Error("what was handed in was changed")
	}
}

func TestOrganisationsAreRenamed(t *testing.T) {
	h := newHouse(t)
	as := vault.Caller{Node: "web", Auth: h.auth}
	change := vc.Organisation{ID: h.org, Name: "Bwrdd Iechyd Llŷn ac Eifionydd", Kind: vc.NHSTrust}
	for range 2 { // the second time nothing changes
		h.ok(h.v.ChangeOrganisation(t.Context(), as, change))
	}
	if n := h.entries(h.org, "organisation"); n != 1 {
		t.Errorf("%d entries", n)
	}
	all, err := h.v.Organisations(t.Context(), as)
	h.ok(err)
	if all[0].Name != change.Name || all[0].Kind != vc.NHSTrust {
		t.Errorf("%+v", all)
	}
	supervisor := h.signIn(vc.NewUser{Name: "Owain Rees", Role: policy.Supervisor, Organisations: []id.Organisation{h.org}})
	if err := h.v.ChangeOrganisation(t.Context(), vault.Caller{Node: "web", Auth: supervisor}, change); !denied(err) {
		t.Errorf("a supervisor renames an employer: %v", err)
	}
	if err := h.v.ChangeOrganisation(t.Context(), as, vc.Organisation{ID: h.org, Kind: vc.NHSTrust}); err == nil {
		t.Error("an organisation without a name")
	}
}

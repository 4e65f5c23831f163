package register

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/badgefile"
	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Standing is what the service is to an organisation.
type Standing string

// The standings.
const (
	Processor  Standing = "processor"  // works on the organisation's behalf (UK GDPR art 28)
	Controller Standing = "controller" // answers for the data itself: the service's own employer
)

// Settings is what an organisation's row says.
type Settings struct {
	Accounts    []string     `json:"accounts,omitempty"` // at laboratories
	Levels      []dose.Level `json:"levels,omitempty"`   // investigation levels of its own
	Standing    Standing     `json:"standing,omitempty"` // empty: not said yet
	Departments []string     `json:"departments,omitempty"`
}

// Limits of settings.
const (
	MaxAccounts    = 20
	MaxDepartments = 150
	maxSettingText = 100 // bytes of a name or department
)

// Settings returns the settings of the organisations that the caller works with; those without any are left out.
func (s *Service) Settings(ctx context.Context, auth vaultclient.Auth) (map[id.Organisation]Settings, error) {
	orgs, err := s.Vault.Organisations(ctx, auth)
	if err != nil {
		return nil, err
	}
	set, err := s.settings(ctx, auth, policy.KeepRecords, orgs)
	if err != nil {
		return nil, err
	}
	out := make(map[id.Organisation]Settings, len(set))
	for org, one := range set {
		out[org.ID] = one
	}
	return out, nil
}

// SettingsOf returns an organisation's settings; empty ones where there are none.
func (s *Service) SettingsOf(ctx context.Context, auth vaultclient.Auth, org id.Organisation) (Settings, error) {
	set, err := s.settings(ctx, auth, policy.KeepRecords, []vaultclient.Organisation{{ID: org}})
	if err != nil {
		return Settings{}, err
	}
	for _, one := range set {
		return one, nil
	}
	return Settings{}, nil
}

// SetSettings keeps an organisation's settings. An error that is an *InputError says what is wrong with them.
func (s *Service) SetSettings(ctx context.Context, auth vaultclient.Auth, org id.Organisation, set Settings) error {
	if err := set.check(); err != nil {
		return err
	}
	b, err := encode(set)
	if err != nil {
		return err
	}
	if len(b) > organisationPad-4 {
		return wrong("these settings are longer than fits: shorten the list of departments or the levels of the past")
	}
	sealed, err := s.seal(ctx, auth, policy.KeepRecords, []vaultclient.Item{{Context: organisationContext(org), Value: b, Pad: organisationPad}})
	if err != nil {
		return err
	}
	return s.Store.SetOrganisation(ctx, org, sealed[0])
}

// AccountTaken returns the organisation that has one of these accounts at a laboratory, other than org.
func (s *Service) AccountTaken(ctx context.Context, auth vaultclient.Auth, org id.Organisation, accounts []string) (account string, by id.Organisation, err error) {
	all, err := s.Settings(ctx, auth)
	if err != nil {
		return "", by, err
	}
	for other, set := range all {
		for _, a := range accounts {
			if other != org && slices.Contains(set.Accounts, a) {
				return a, other, nil
			}
		}
	}
	return "", by, nil
}

func (set Settings) check() error {
	if !slices.Contains([]Standing{"", Processor, Controller}, set.Standing) {
		return wrong("an organisation's data are processed on its behalf (processor), or the service answers for them itself (controller)")
	}
	if len(set.Accounts) > MaxAccounts {
		return wrong("an organisation has at most %d accounts at laboratories", MaxAccounts)
	}
	for i, a := range set.Accounts {
		if !badgefile.IsCode(a) || slices.Contains(set.Accounts[:i], a) {
			return wrong("account %d: 1 to 32 letters, digits, hyphens or slashes are expected, and each account once", i+1)
		}
	}
	if len(set.Departments) > MaxDepartments {
		return wrong("an organisation has at most %d departments", MaxDepartments)
	}
	seen := map[string]bool{}
	for i, d := range set.Departments {
		if !isSetting(d) || d == "" || seen[person.Fold(d)] {
			return wrong("department %d: a name of at most %d characters is expected, and each department once", i+1, maxSettingText)
		}
		seen[person.Fold(d)] = true
	}
	return checkLevels(set.Levels)
}

// isSetting reports whether a text fits into a setting: printed characters, trimmed, not too many.
func isSetting(s string) bool {
	return len(s) <= maxSettingText && s == strings.TrimSpace(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '\u007f' || r == '\ufffd' })
}

// checkLevels holds an organisation's investigation levels to what they are for: a dose above zero and below the legal
// limit, one of a kind at a time.
func checkLevels(levels []dose.Level) error {
	for i, l := range levels {
		name := fmt.Sprintf("level %d", i+1)
		switch limit := l.Kind.Limit(); {
		case limit == 0:
			return wrong("%s: a kind of dose is expected", name)
		case l.Dose <= 0 || l.Dose >= limit:
			return wrong("%s: a dose above 0 and below the legal limit of %s mSv is expected", name, limit.MilliSv())
		case !l.To.IsZero() && l.To < l.From:
			return wrong("%s: it ends before it begins", name)
		case !isSetting(l.Name):
			return wrong("%s: a name of at most %d characters is expected", name, maxSettingText)
		}
		for _, m := range levels[:i] {
			if m.Kind == l.Kind && (m.To.IsZero() || m.To >= l.From) && (l.To.IsZero() || l.To >= m.From) {
				return wrong("%s: two levels of one kind are in force at a time", name)
			}
		}
	}
	return nil
}

// WithLevels returns the settings with these doses as investigation levels from a day on; no dose ends a kind's level.
// What was in force before stays so for the time before.
func (set Settings) WithLevels(doses map[dose.Kind]dose.MicroSv, from day.Day) Settings {
	doses = maps.Clone(doses)
	var levels []dose.Level
	for _, l := range set.Levels {
		d, named := doses[l.Kind]
		open := l.To.IsZero() || l.To >= from
		switch {
		case !named || !open:
		case d == l.Dose && l.To.IsZero() && l.From <= from:
			delete(doses, l.Kind) // as it is
		case l.From >= from:
			continue // never in force
		default:
			l.To = from - 1
		}
		levels = append(levels, l)
	}
	for _, k := range LevelKinds {
		if d := doses[k]; d > 0 {
			levels = append(levels, dose.Level{Kind: k, Dose: d, From: from, Name: "the employer's"})
		}
	}
	set.Levels = levels
	return set
}

// LevelKinds are the kinds of dose that an organisation may have a level for.
var LevelKinds = []dose.Kind{dose.Effective, dose.Lens, dose.Skin, dose.Extremity, dose.Abdomen, dose.Foetus}

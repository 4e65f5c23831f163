package web

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// sample is a small invented service behind the interfaces of the pages. It decides nothing: what the vault allows
// is tested there. A test makes it fail by setting err.
type sample struct {
	users         map[string]vaultclient.User // by session token
	organisations []vaultclient.Organisation
	states        []OrganisationState
	people        []vaultclient.Record
	records       map[id.Wearer]*WearerRecord
	entries       []vaultclient.Entry
	sampleBadges
	files    *sampleFiles
	profiles *sampleProfiles
	samples  *sampleSamples
	samplePeople
	sampleNotes
	settings sampleSettings
	machines sampleMachines
	sampleIncidents
	lastKey []byte // of the machine that was given leave last

	mu         sync.Mutex
	err        error // what every call but Whoami answers
	whoami     error
	searches   []vaultclient.SearchRequest
	reveals    []vaultclient.RevealRequest
	exports    []id.Export // that organisations' doses were opened for; zero: a page
	revealedTo []id.Export // and names
	ended      []string    // sessions signed out
	reason     string      // for which somebody went over a budget
	broken     time.Time   // until when
}

var discard = slog.New(slog.NewTextHandler(io.Discard, nil))

var sampleNow = time.Date(2026, 3, 12, 10, 30, 0, 0, time.UTC)

// fixed makes an id that is the same in every run.
func fixed[K any](n int) id.ID[K] {
	var v id.ID[K]
	v[0], v[14], v[15] = 0xd0, byte(n>>8), byte(n)
	return v
}

func organisationID(n int) (o id.Organisation) { return fixed2(o, n) }
func wearerID(n int) (w id.Wearer)             { return fixed2(w, n) }

func fixed2[K any](_ id.ID[K], n int) id.ID[K] { return fixed[K](n) }

func newSample() *sample {
	s := &sample{users: map[string]vaultclient.User{}, records: map[id.Wearer]*WearerRecord{}, settings: newSampleSettings(), machines: newSampleMachines()}
	names := []struct {
		name string
		kind vaultclient.Kind
	}{
		{"Bwrdd Iechyd Prifysgol Glannau Aeron", vaultclient.HealthBoard}, {"Cwm Tawe University Health Board", vaultclient.HealthBoard},
		{"Ynys Wen Hospital", vaultclient.PrivateHospital}, {"Maes Awyr Cefn Coch Airport", vaultclient.Airport},
	}
	for i := range 30 {
		names = append(names, struct {
			name string
			kind vaultclient.Kind
		}{fmt.Sprintf("Deintyddfa Heol Dŵr %d", i+1), vaultclient.DentalPractice})
	}
	for i, n := range names {
		size := 3 + i%7
		if n.kind == vaultclient.HealthBoard {
			size = 654 - 124*i
		}
		s.organisations = append(s.organisations, vaultclient.Organisation{ID: organisationID(i + 1), Name: n.name, Kind: n.kind, Wearers: size + size/5, Current: size})
		state := OrganisationState{Organisation: organisationID(i + 1), Issued: size, Returned: size / 8, Sent: size / 8, Read: size * 11, Investigated: i < 2}
		s.states = append(s.states, state)
	}
	surnames := []string{"Bowen", "Davies", "Evans", "Gruffydd", "Hughes", "Jones", "Llwyd", "Morgan", "Parry", "Rees", "Tŷ-Gwyn", "Williams"}
	forenames := []string{"Siân", "Llŷr", "Mair", "Tomos", "Eluned", "Owain"}
	for i := range 72 {
		r := vaultclient.Record{Wearer: wearerID(i + 1), Organisation: organisationID(1), From: "2019-04-01", Current: i%9 != 8, Classified: i%12 == 2,
			Identity: person.Identity{Surname: person.NewValue(surnames[i/6]), Forenames: person.NewValue(forenames[i%6]), StaffNumber: person.NewValue(fmt.Sprintf("GA%05d", 40021+i*37))}}
		if !r.Current {
			r.To = "2025-08-31"
		}
		if r.Classified {
			r.Identity.Birth, r.NI = person.NewValue("1984-07-02"), person.NewValue("QQ123456C")
		}
		s.people = append(s.people, r)
	}
	s.records[wearerID(1)] = sampleRecord(false)
	s.records[wearerID(3)] = sampleRecord(true)
	s.entries = sampleEntries()
	s.sampleBadges = newSampleBadges()
	s.sampleIncidents = newSampleIncidents()
	s.files, s.profiles, s.samples = newSampleFiles(), newSampleProfiles(), newSampleSamples()

	users := 0
	everywhere := func(role policy.Role, name string) vaultclient.User {
		users++
		return vaultclient.User{ID: fixed2(id.User{}, users), Name: name, Role: role}
	}
	at := func(u vaultclient.User, o ...id.Organisation) vaultclient.User { u.Organisations = o; return u }
	own := everywhere(policy.Wearer, "Mair Bowen")
	own.Wearers = []id.Wearer{wearerID(3)}
	nobody := everywhere(policy.Wearer, "Tomos Parry")
	s.users["co-ordinator"] = everywhere(policy.Coordinator, "Mair Evans")
	s.users["records"] = everywhere(policy.RecordsOfficer, "Owain Rees")
	s.users["local"] = at(everywhere(policy.Local, "Lowri Penri"), organisationID(1))
	s.users["supervisor"] = at(everywhere(policy.Supervisor, "Llŷr Hughes"), organisationID(1))
	s.users["dpo"] = at(everywhere(policy.DataProtection, "Eluned Morgan"), organisationID(1))
	s.users["wearer"] = own
	s.users["unlinked"] = nobody
	s.users["operator"] = everywhere(policy.Operator, "Gwen Pugh")
	return s
}

// sampleRecord has five years of quarterly badges, evaluated as the register does; high are those of somebody whose
// eyes pass the limit.
func sampleRecord(high bool) *WearerRecord {
	r := &WearerRecord{Department: "Cardioleg / Cardiology", Subject: dose.Subject{Group: dose.Adult, Reproductive: true},
		Levels: []dose.Level{{Kind: dose.Lens, Dose: 15_000, Name: "The employer's"}}}
	scale := dose.MicroSv(1)
	if high {
		scale = 28
	}
	var records []dose.Record
	for y := 2021; y <= 2025; y++ {
		for q := 1; q <= 4; q++ {
			from := day.Of(y, time.Month(3*q-2), 1)
			body := Reading{From: from, To: from.AddMonths(3) - 1, Position: dose.WholeBody, Version: 1,
				Reading: dose.Reading{Quantity: dose.Hp10, Dose: dose.MicroSv(y%3*30+q*25) * scale, Qualifier: dose.Measured}}
			eye := body
			eye.Position, eye.Reading.Quantity, eye.Reading.Dose = dose.Eye, dose.Hp3, body.Reading.Dose*3/2
			switch {
			case y == 2024 && q == 3:
				body.Reading.Dose, body.Reading.Qualifier = 0, dose.Lost
			case y == 2023 && q == 1:
				body.Reading.Dose, body.Reading.Qualifier = 0, dose.BelowLevel
			case y == 2023 && q == 2:
				eye.Reading.Qualifier = dose.Estimated
			case y == 2022 && q == 4:
				old := body
				old.Reading.Dose, old.Superseded = body.Reading.Dose+400, true
				r.Readings = append(r.Readings, old)
				body.Version = 2
			}
			for _, x := range []Reading{body, eye} {
				r.Readings = append(r.Readings, x)
				records = append(records, dose.Record{Position: x.Position, From: x.From, To: x.To, Readings: []dose.Reading{x.Reading}})
			}
		}
	}
	r.Waiting = []WaitingBadge{{organisationID(1), dose.WholeBody, day.Of(2026, 1, 1), day.Of(2026, 3, 31), "issued"}, {organisationID(1), dose.Eye, day.Of(2025, 10, 1), day.Of(2025, 12, 31), "issued"},
		{organisationID(1), dose.LeftFinger, day.Of(2025, 10, 1), day.Of(2025, 12, 31), "sent"}}
	r.Assessment = dose.Evaluate(r.Subject, r.Levels, records, 0)
	for i, f := range r.Assessment.Findings {
		n := sampleInvestigation(f, sampleNow.AddDate(f.Year-2026, 0, i))
		if i == 0 {
			n.Closed, n.Reason = n.Opened.AddDate(0, 2, 0), "The badge had lain in the imaging room."
		}
		r.Investigations = append(r.Investigations, n)
	}
	return r
}

func sampleInvestigation(f dose.Finding, opened time.Time) Investigation {
	i := Investigation{Kind: f.Kind, Window: f.Window, Year: f.Year, Dose: f.Dose, Bound: f.Bound, Overexposure: f.Overexposure, Opened: opened}
	if f.Level != nil {
		i.Name = f.Level.Name
	} else {
		i.Name = f.Limit.Regulation + " " + f.Limit.Paragraph
	}
	return i
}

func sampleEntries() []vaultclient.Entry {
	at := time.Date(2026, 3, 12, 10, 4, 0, 0, time.UTC)
	name := policy.FieldName | policy.FieldStaffNumber
	list := []vaultclient.Entry{
		{Kind: "reveal", Basis: "gate", Actor: "Mair Evans", Role: "co-ordinator", Node: "web", Purpose: policy.IssueBadges, Fields: name, Count: 25},
		{Kind: "refuse", Basis: "gate", Actor: "Llŷr Hughes", Role: "supervisor", Node: "web", Purpose: policy.AssessDose, Fields: policy.FieldDose, Count: 3},
		{Kind: "intake", Basis: "intake", Actor: "Mair Evans", Role: "co-ordinator", Node: "worker", Fields: policy.FieldName | policy.FieldDose, Count: 640},
		{Kind: "declared", Basis: "declared", Actor: "Eluned Morgan", Role: "data-protection-officer", Fields: policy.FieldName | policy.FieldBirth | policy.FieldDose, Count: 312, Occurred: at.AddDate(-1, 0, 0), Reason: "Held by a laboratory until its contract ended"},
		{Kind: "search", Basis: "gate", Role: "supervisor", Node: "web", Purpose: policy.IssueBadges, Fields: name, Count: 1},
		{Kind: "compare", Basis: "gate", Node: "worker", Fields: policy.FieldName, Count: 640},
		{Kind: "import", Basis: "gate", Actor: "Mair Evans", Role: "co-ordinator", Node: "worker", Count: 612},
		{Kind: "grant", Basis: "gate", Actor: "Mair Evans", Role: "co-ordinator", Purpose: policy.AssessDose, Fields: policy.FieldDose, Count: 700},
		{Kind: "reveal", Basis: "gate", Count: 12, Erased: true},
		{Kind: "heads", Basis: "gate"},
		{Kind: "open-log", Basis: "gate"},
		{Kind: "weigh", Basis: "gate", Actor: "Mair Evans", Role: "co-ordinator", Count: 2},
	}
	for i := range 60 {
		list = append(list, vaultclient.Entry{Kind: "reveal", Basis: "gate", Role: "co-ordinator", Purpose: policy.AssessDose, Fields: policy.FieldName | policy.FieldDose, Count: i%3 + 1})
	}
	for i := range list {
		list[i].Log, list[i].Seq = organisationID(1).String()+"/2026", int64(len(list)-i)
		list[i].Recorded = at.Add(-time.Duration(i*i) * 13 * time.Minute)
		if list[i].Occurred.IsZero() {
			list[i].Occurred = list[i].Recorded
		}
	}
	return list
}

func (s *sample) user(a vaultclient.Auth) (vaultclient.User, error) {
	u, ok := s.users[a.Session]
	if !ok {
		return u, &vaultclient.Error{Code: vaultclient.Unauthenticated, Message: "no such session"}
	}
	return u, s.err
}

func (s *sample) RedeemCode(_ context.Context, code string) (vaultclient.Session, error) {
	if s.err != nil {
		return vaultclient.Session{}, s.err
	}
	u, ok := s.users[code]
	if !ok {
		return vaultclient.Session{}, &vaultclient.Error{Code: vaultclient.Unauthenticated, Message: "no such code"}
	}
	return vaultclient.Session{Token: code, User: u, Expires: sampleNow.Add(time.Hour)}, nil
}

func (s *sample) SignOut(_ context.Context, a vaultclient.Auth) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = append(s.ended, a.Session)
	return s.err
}

func (s *sample) Whoami(_ context.Context, a vaultclient.Auth) (vaultclient.User, error) {
	u, err := s.user(a)
	if err == s.err {
		err = s.whoami
	}
	if overseesIncidents(u.Role) {
		u.Incidents = []vaultclient.OpenIncident{{ID: incidentID(1), Number: "2026-3"}}
	}
	return u, err
}

func (s *sample) Organisations(_ context.Context, a vaultclient.Auth) ([]vaultclient.Organisation, error) {
	u, err := s.user(a)
	if err != nil || u.Role == policy.Operator {
		return nil, err
	}
	if len(u.Organisations) == 1 || len(u.Wearers) > 0 {
		return s.withContacts(s.organisations[:1]), nil
	}
	if u.Role == policy.Wearer {
		return nil, nil
	}
	return s.withContacts(s.organisations), nil
}

func (s *sample) Search(_ context.Context, a vaultclient.Auth, r vaultclient.SearchRequest) (vaultclient.SearchResult, error) {
	s.mu.Lock()
	s.searches = append(s.searches, r)
	s.mu.Unlock()
	if _, err := s.user(a); err != nil {
		return vaultclient.SearchResult{}, err
	}
	var found []vaultclient.Record
	for _, p := range s.people {
		if (r.Organisation.IsZero() || p.Organisation == r.Organisation) && (p.Current && !r.Left || !p.Current && (r.Left || r.Leavers)) && (len(r.Among) == 0 || slices.Contains(r.Among, p.Wearer)) && strings.Contains(strings.ToLower(p.Identity.Surname.Expose()), strings.ToLower(r.Query.Expose())) {
			found = append(found, p)
		}
	}
	start := min(r.Offset, len(found))
	return vaultclient.SearchResult{Total: len(found), Records: found[start:min(start+r.Limit, len(found))]}, nil
}

func (s *sample) Reveal(_ context.Context, a vaultclient.Auth, r vaultclient.RevealRequest) ([]vaultclient.Record, error) {
	s.mu.Lock()
	s.reveals = append(s.reveals, r)
	s.revealedTo = append(s.revealedTo, a.Export)
	s.mu.Unlock()
	if _, err := s.user(a); err != nil {
		return nil, err
	}
	var list []vaultclient.Record
	for _, w := range r.Wearers {
		for _, p := range s.people {
			if p.Wearer == w {
				list = append(list, p)
			}
		}
	}
	if len(list) != len(r.Wearers) {
		return nil, &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such wearer"}
	}
	return list, nil
}

func (s *sample) Ledger(_ context.Context, a vaultclient.Auth, r vaultclient.LedgerRequest) (vaultclient.LedgerPage, error) {
	if _, err := s.user(a); err != nil {
		return vaultclient.LedgerPage{}, err
	}
	if r.Organisation != organisationID(1) {
		return vaultclient.LedgerPage{}, nil
	}
	start := min(r.Offset, len(s.entries))
	return vaultclient.LedgerPage{Total: len(s.entries), Entries: s.entries[start:min(start+r.Limit, len(s.entries))]}, nil
}

// Seen has a line for each of the sample's entries, and one of the reader's own.
func (s *sample) Seen(_ context.Context, a vaultclient.Auth, r vaultclient.SeenRequest) (vaultclient.SeenPage, error) {
	u, err := s.user(a)
	if err != nil {
		return vaultclient.SeenPage{}, err
	}
	if !slices.Contains([]policy.Role{policy.Wearer, policy.Coordinator, policy.DataProtection}, u.Role) {
		return vaultclient.SeenPage{}, &vaultclient.Error{Code: vaultclient.Refused, Message: "not permitted for this purpose"}
	}
	var all []vaultclient.Seen
	for i, e := range s.entries {
		if e.Erased || e.Count == 0 {
			continue
		}
		all = append(all, vaultclient.Seen{Day: e.Recorded.Format(time.DateOnly), Kind: e.Kind, Basis: e.Basis, Actor: e.Actor, Role: e.Role, Purpose: e.Purpose, Fields: e.Fields,
			Times: i%4 + 1, First: e.Recorded, Last: e.Recorded.Add(time.Duration(i%4) * 20 * time.Minute)})
	}
	own := vaultclient.Seen{Day: "2026-03-12", Kind: "reveal", Basis: "gate", Actor: "Mair Bowen", Role: "wearer", Purpose: policy.OwnRecord, Fields: policy.FieldName | policy.FieldDose, Times: 1, First: sampleNow, Last: sampleNow}
	all = append([]vaultclient.Seen{own}, all...)
	start := min(r.Offset, len(all))
	return vaultclient.SeenPage{Organisation: organisationID(1), Total: len(all), Seen: all[start:min(start+r.Limit, len(all))]}, nil
}

func (s *sample) WearerRecord(ctx context.Context, a vaultclient.Auth, w id.Wearer, fields policy.Fields) (*WearerRecord, error) {
	u, err := s.user(a)
	if err != nil {
		return nil, err
	}
	purpose := policy.AssessDose
	if u.Role == policy.Wearer {
		purpose = policy.OwnRecord
	}
	records, err := s.Reveal(ctx, a, vaultclient.RevealRequest{Purpose: purpose, Fields: fields, Wearers: []id.Wearer{w}})
	if err != nil {
		return nil, err
	}
	out := WearerRecord{}
	if r := s.records[w]; r != nil {
		out = *r
	}
	out.Records = records
	return &out, nil
}

func (s *sample) Overview(_ context.Context, a vaultclient.Auth) (*Overview, error) {
	u, err := s.user(a)
	o := &Overview{Organisations: s.states}
	if u.Role == policy.Coordinator && len(s.states) > 0 {
		o.Imports = s.files.list[:10]
	}
	return o, err
}

const sampleOrigin, sampleVault = "http://localhost:8080", "http://localhost:8081"

func samplePages(t testing.TB, s *sample, change func(*Config)) http.Handler {
	t.Helper()
	c := Config{Vault: s, Register: s, Origin: sampleOrigin, VaultOrigin: sampleVault, Demo: true, Now: func() time.Time { return sampleNow },
		Warnings: []Weakness{OneDisk, OneUser, OneAdministrator("24h0m0s")},
		Log:      discard}
	if change != nil {
		change(&c)
	}
	return New(c)
}

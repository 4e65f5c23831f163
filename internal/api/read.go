package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Page is a part of a list.
type Page struct {
	Offset int `query:"offset" minimum:"0" maximum:"1000000" default:"0"`
	Limit  int `query:"limit" minimum:"1" maximum:"200" default:"100"`
}

// InOrganisation is an address below an organisation.
type InOrganisation struct {
	Organisation string `path:"organisation" maxLength:"26"`
}

func (in InOrganisation) id() (id.Organisation, error) {
	return parse[id.Organisation](in.Organisation)
}

// answer is a body.
type answer[T any] struct{ Body T }

// Machine is the machine that asks.
type Machine struct {
	Name          string            `json:"name"`
	Work          string            `json:"work" enum:"doses,badges,laboratory,staff,ledger"`
	Fields        []string          `json:"fields"`
	Organisations []id.Organisation `json:"organisations" doc:"Empty: all of the service"`
	People        int               `json:"people" doc:"Different people that it has touched"`
	MaxPeople     int               `json:"max_people" doc:"Different people that it may touch, ever"`
	Ends          time.Time         `json:"ends"`
}

// Organisation is an employer.
type Organisation struct {
	ID      id.Organisation `json:"id"`
	Name    string          `json:"name"`
	Kind    string          `json:"kind"`
	Wearers int             `json:"wearers"`
	Current int             `json:"current" doc:"Employed today"`
}

// Wearer is one person's employment.
type Wearer struct {
	ID          id.Wearer `json:"id"`
	Surname     string    `json:"surname"`
	Forenames   string    `json:"forenames"`
	KnownAs     string    `json:"known_as,omitempty"`
	StaffNumber string    `json:"staff_number"`
	Department  string    `json:"department,omitempty"`
	From        string    `json:"from,omitempty" format:"date"`
	To          string    `json:"to,omitempty" format:"date"`
	Current     bool      `json:"current"`
}

// Wearers is a page of wearers, by name.
type Wearers struct {
	Total   int      `json:"total"`
	Wearers []Wearer `json:"wearers"`
}

// Found is the answer to a search by staff number.
type Found struct {
	Wearers []*id.Wearer `json:"wearers" doc:"In the order of the staff numbers; null where there is none"`
}

// Reading is one quantity of one badge.
type Reading struct {
	Barcode    string `json:"barcode"`
	From       string `json:"from" format:"date"`
	To         string `json:"to" format:"date"`
	Position   string `json:"position"`
	Quantity   string `json:"quantity"`
	Microsv    int64  `json:"microsv" doc:"In µSv; 0 unless the qualifier counts"`
	Qualifier  string `json:"qualifier"`
	Version    int    `json:"version"`
	Superseded bool   `json:"superseded,omitempty" doc:"A newer version holds"`
	NotCounted bool   `json:"not_counted,omitempty"`
}

// Total is a dose of a calendar year against its limit.
type Total struct {
	Kind    string `json:"kind"`
	Year    int    `json:"year"`
	Microsv int64  `json:"microsv"`
	Limit   int64  `json:"limit_microsv,omitempty" doc:"The law's for an adult employee"`
	Counted int    `json:"counted" doc:"Results that gave a number"`
	Missing int    `json:"missing" doc:"Results that are missing: the sum is incomplete"`
}

// Doses is a wearer's dose record with this employer.
type Doses struct {
	Readings []Reading `json:"readings"`
	Totals   []Total   `json:"totals"`
}

// Badge is a badge and how far it has come.
type Badge struct {
	Barcode  string     `json:"barcode"`
	Batch    string     `json:"batch,omitempty"`
	Wearer   *id.Wearer `json:"wearer" doc:"null: a control badge, or nobody's"`
	From     string     `json:"from" format:"date"`
	To       string     `json:"to" format:"date"`
	State    string     `json:"state" enum:"ordered,issued,returned,sent,read,unknown"`
	Returned *time.Time `json:"returned,omitempty"`
}

// Badges is a page of badges.
type Badges struct {
	Total  int     `json:"total"`
	Badges []Badge `json:"badges"`
}

// Investigation is one that was opened.
type Investigation struct {
	Wearer  id.Wearer  `json:"wearer"`
	Kind    string     `json:"kind"`
	Year    int        `json:"year"`
	Microsv int64      `json:"microsv" doc:"When it was opened"`
	Bound   int64      `json:"bound_microsv" doc:"The level or limit that was passed"`
	Name    string     `json:"name"`
	Opened  time.Time  `json:"opened"`
	Closed  *time.Time `json:"closed,omitempty"`
}

// Entry is an entry of a ledger.
type Entry struct {
	Log      string    `json:"log"`
	Seq      int64     `json:"seq"`
	Recorded time.Time `json:"recorded"`
	Occurred time.Time `json:"occurred"`
	Kind     string    `json:"kind"`
	Basis    string    `json:"basis"`
	Actor    string    `json:"actor"`
	Role     string    `json:"role,omitempty"`
	Node     string    `json:"node,omitempty"`
	Purpose  string    `json:"purpose,omitempty"`
	Fields   []string  `json:"fields"`
	People   int       `json:"people"`
	Wearers  []string  `json:"wearers"`
	Rule     string    `json:"rule,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Erased   bool      `json:"erased,omitempty"`
}

// Entries is a page of a ledger, newest first.
type Entries struct {
	Total   int     `json:"total"`
	Entries []Entry `json:"entries"`
}

func get(op, path, summary string) huma.Operation {
	return huma.Operation{OperationID: op, Method: http.MethodGet, Path: path, Summary: summary}
}

func post(op, path, summary string) huma.Operation {
	o := get(op, path, summary)
	o.Method = http.MethodPost
	return o
}

func (a *api) addReads(to huma.API) {
	add(a, to, get("machine", "/machine", "What this machine has leave for"), a.machine)
	add(a, to, get("organisations", "/organisations", "The organisations that it works with"), a.organisations)
	add(a, to, get("wearers", "/organisations/{organisation}/wearers", "The wearers of an organisation, by name"), a.wearers, "doses", "badges")
	find := post("find-wearers", "/organisations/{organisation}/wearers/find", "Find wearers by staff number")
	find.DefaultStatus = http.StatusOK
	add(a, to, find, a.find, "doses", "badges", "staff")
	add(a, to, get("doses", "/wearers/{wearer}/doses", "A wearer's readings, and totals against limits, with this employer"), a.doses, "doses")
	add(a, to, get("badges", "/organisations/{organisation}/badges", "Badges whose wear period ends in a window"), a.badges, "doses", "badges")
	add(a, to, get("investigations", "/organisations/{organisation}/investigations", "An organisation's investigations, newest first"), a.investigations, "doses")
	add(a, to, get("ledger", "/organisations/{organisation}/ledger", "An organisation's ledger, newest first; that it was read is entered"), a.ledger, "ledger")
}

func (a *api) machine(_ context.Context, c *caller, _ *struct{}) (*answer[Machine], error) {
	m := c.machine
	out := Machine{m.Name, c.work, m.Fields.Names(), m.Organisations, m.Used, m.MaxWearers, m.Ends}
	if out.Organisations == nil {
		out.Organisations = []id.Organisation{}
	}
	return &answer[Machine]{out}, nil
}

func (a *api) organisations(ctx context.Context, c *caller, _ *struct{}) (*answer[[]Organisation], error) {
	orgs, err := a.Vault.Organisations(ctx, c.auth)
	out := make([]Organisation, len(orgs))
	for i, o := range orgs {
		out[i] = Organisation{o.ID, o.Name, string(o.Kind), o.Wearers, o.Current}
	}
	return &answer[[]Organisation]{out}, err
}

func (a *api) wearers(ctx context.Context, c *caller, in *struct {
	InOrganisation
	Page
	Leavers bool `query:"leavers" doc:"Include those who have left"`
}) (*answer[Wearers], error) {
	org, err := in.id()
	if err != nil {
		return nil, err
	}
	found, err := a.Vault.Search(ctx, c.auth, vaultclient.SearchRequest{Purpose: c.machine.Purpose, Organisation: org, Leavers: in.Leavers, Offset: in.Offset, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := Wearers{Total: found.Total, Wearers: make([]Wearer, len(found.Records))}
	ids := make([]id.Wearer, len(found.Records))
	for i, r := range found.Records {
		ids[i] = r.Wearer
		out.Wearers[i] = Wearer{ID: r.Wearer, Surname: text(r.Identity.Surname), Forenames: text(r.Identity.Forenames), KnownAs: text(r.Identity.KnownAs),
			StaffNumber: text(r.Identity.StaffNumber), From: r.From, To: r.To, Current: r.Current}
	}
	if len(ids) > 0 {
		employments, err := a.Register.EmploymentsFor(ctx, c.auth, c.machine.Purpose, ids)
		if err != nil {
			return nil, err
		}
		for i := range out.Wearers {
			out.Wearers[i].Department = employments[ids[i]].Department
		}
	}
	return &answer[Wearers]{out}, nil
}

func (a *api) find(ctx context.Context, c *caller, in *struct {
	InOrganisation
	Body struct {
		StaffNumbers []string `json:"staff_numbers" minItems:"1" maxItems:"1000" nullable:"false"`
	}
}) (*answer[Found], error) {
	org, err := in.id()
	if err != nil {
		return nil, err
	}
	keys := make([]vaultclient.StaffKey, len(in.Body.StaffNumbers))
	for i, s := range in.Body.StaffNumbers {
		keys[i] = vaultclient.StaffKey{Organisation: org, StaffNumber: person.NewValue(s)}
	}
	found, err := a.Vault.FindStaff(ctx, c.auth, c.machine.Purpose, keys)
	if err != nil {
		return nil, err
	}
	out := Found{make([]*id.Wearer, len(found))}
	for i := range found {
		out.Wearers[i] = wearerOr(found[i])
	}
	return &answer[Found]{out}, nil
}

func wearerOr(w id.Wearer) *id.Wearer {
	if w.IsZero() {
		return nil
	}
	return &w
}

func (a *api) doses(ctx context.Context, c *caller, in *struct {
	Wearer string `path:"wearer" maxLength:"26"`
}) (*answer[Doses], error) {
	w, err := parse[id.Wearer](in.Wearer)
	if err != nil {
		return nil, err
	}
	rec, err := a.Register.WearerRecord(ctx, c.auth, w, 0)
	if err != nil {
		return nil, err
	}
	out := Doses{Readings: []Reading{}, Totals: []Total{}}
	for _, r := range rec.Reports {
		for _, one := range r.Report.Readings {
			out.Readings = append(out.Readings, Reading{Barcode: r.Barcode, From: r.From.String(), To: r.To.String(), Position: r.Wear.Position.String(), Quantity: one.Quantity.String(),
				Microsv: int64(one.Dose), Qualifier: one.Qualifier.String(), Version: r.Version, Superseded: r.Superseded, NotCounted: r.Wear.NotCounted || r.Report.NotCounted})
		}
	}
	for _, t := range rec.Assessment.Totals {
		if t.Kind == dose.Abdomen || t.Kind == dose.Foetus {
			continue // what tells a sex or a pregnancy is not this machine's to read
		}
		out.Totals = append(out.Totals, Total{t.Kind.String(), t.Year, int64(t.Dose), int64(t.Kind.Limit()), t.Counted, t.Missing})
	}
	return &answer[Doses]{out}, nil
}

func (a *api) badges(ctx context.Context, c *caller, in *struct {
	InOrganisation
	Page
	From string `query:"from" required:"true" format:"date" doc:"First day on which a wear period may end"`
	To   string `query:"to" required:"true" format:"date" doc:"Last day"`
}) (*answer[Badges], error) {
	org, err := in.id()
	if err != nil {
		return nil, err
	}
	from, errFrom := day.Parse(in.From)
	to, errTo := day.Parse(in.To)
	if errFrom != nil || errTo != nil {
		return nil, errInput{{"query", "days such as 2026-01-31 are expected"}}
	}
	all, err := a.Register.BadgesOf(ctx, c.auth, register.BadgeFilter{Organisation: org, From: from, To: to})
	if err != nil {
		return nil, err
	}
	out := Badges{Total: len(all), Badges: []Badge{}}
	for _, b := range all[min(in.Offset, len(all)):min(in.Offset+in.Limit, len(all))] {
		one := Badge{Barcode: b.Barcode, Batch: b.Batch, Wearer: wearerOr(b.Wearer), From: b.Starts.String(), To: b.Ends.String(), State: b.State.String()}
		if !b.Returned.IsZero() {
			one.Returned = &b.Returned
		}
		out.Badges = append(out.Badges, one)
	}
	return &answer[Badges]{out}, nil
}

func (a *api) investigations(ctx context.Context, c *caller, in *InOrganisation) (*answer[[]Investigation], error) {
	org, err := in.id()
	if err != nil {
		return nil, err
	}
	all, err := a.Register.Investigations(ctx, c.auth, org)
	if err != nil {
		return nil, err
	}
	out := []Investigation{}
	for _, v := range all {
		if v.Kind == dose.Abdomen || v.Kind == dose.Foetus {
			continue
		}
		one := Investigation{Wearer: v.Wearer, Kind: v.Kind.String(), Year: v.Year, Microsv: int64(v.Dose), Bound: int64(v.Bound), Name: v.Name, Opened: time.UnixMicro(v.Opened).UTC()}
		if v.Closed != 0 {
			closed := time.UnixMicro(v.Closed).UTC()
			one.Closed = &closed
		}
		out = append(out, one)
	}
	return &answer[[]Investigation]{out}, nil
}

func (a *api) ledger(ctx context.Context, c *caller, in *struct {
	InOrganisation
	Page
}) (*answer[Entries], error) {
	org, err := in.id()
	if err != nil {
		return nil, err
	}
	got, err := a.Vault.Ledger(ctx, c.auth, vaultclient.LedgerRequest{Organisation: org, Offset: in.Offset, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := Entries{Total: got.Total, Entries: make([]Entry, len(got.Entries))}
	for i, e := range got.Entries {
		one := Entry{e.Log, e.Seq, e.Recorded, e.Occurred, e.Kind, e.Basis, e.Actor, e.Role, e.Node, string(e.Purpose), e.Fields.Names(), e.Count, []string{}, e.Rule, e.Reason, e.Erased}
		if one.Fields == nil {
			one.Fields = []string{}
		}
		for _, w := range e.Wearers {
			one.Wearers = append(one.Wearers, w.String())
		}
		out.Entries[i] = one
	}
	return &answer[Entries]{out}, nil
}

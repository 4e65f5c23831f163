package vaultclient

import (
	"context"
	"time"

	"github.com/dosevault/dosevault/internal/deadline"
	"github.com/dosevault/dosevault/internal/id"
)

// Bounds of what is written about an incident, in characters.
const MaxIncidentText = 2000

// Hypothesis is what may have happened: who may have read what they should not have, and in which window. A stolen medium holds
// sealed data alone.
type Hypothesis struct {
	Recipient Recipient `json:"recipient,omitempty"` // "" : nobody knows who, so anybody
	Medium    bool      `json:"medium,omitempty"`    // a database or backup without its keys
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	// Began is when somebody else may have had it first, as when a server was broken into; zero: nobody knows. What was destroyed before is not
	// concerned.
	Began time.Time `json:"began,omitzero"`
}

// Destruction is what a recipient confirms to have destroyed: all that it was sent within a window.
type Destruction struct {
	Recipient Recipient `json:"recipient"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	// When it was destroyed, and of whose people alone; of a step both are the step's.
	At           time.Time       `json:"at,omitzero"`
	Organisation id.Organisation `json:"organisation,omitzero"`
}

// IncidentStepKind is what was done about an incident.
type IncidentStepKind string

// The kinds of steps. An incident begins with Declared; a Supposed adds what else may have happened.
const (
	Declared  IncidentStepKind = "declared"
	Supposed  IncidentStepKind = "supposed" // a hypothesis more
	Knew      IncidentStepKind = "knew"     // the supplier, or whoever else lost it, knew
	Aware     IncidentStepKind = "aware"    // the service, or an organisation, became aware
	Told      IncidentStepKind = "told"     // an organisation, or whom the text names, was told
	Asked     IncidentStepKind = "asked"    // somebody asked, as a supplier was
	Answered  IncidentStepKind = "answered" // and was answered
	Decided   IncidentStepKind = "decided"  // a decision, with its reason
	Assessed  IncidentStepKind = "assessed" // how somebody sees the circumstances, and how severe it is
	Noted     IncidentStepKind = "noted"
	Destroyed IncidentStepKind = "destroyed"  // a recipient confirms what it destroyed, and when; the text is the evidence
	SignedOff IncidentStepKind = "signed-off" // an organisation has done its part
	Closed    IncidentStepKind = "closed"     // by the service, for everybody

	// What the vault enters itself: by Tell, and of what becomes of a notice. Told is too, once the mail server took it.
	Telling      IncidentStepKind = "telling"      // a notice was given out to an organisation
	Undelivered  IncidentStepKind = "undelivered"  // it was refused, or nobody took it for a day
	Acknowledged IncidentStepKind = "acknowledged" // the organisation has read it
)

// Decision is what a controller decided: whether to report to the regulator, and whether to tell the people concerned. The reasons are the step's text.
type Decision struct {
	Report     bool `json:"report"`
	TellPeople bool `json:"tell_people"`
}

// IncidentStepKinds lists the kinds that can follow the declaration.
var IncidentStepKinds = []IncidentStepKind{Supposed, Knew, Aware, Told, Asked, Answered, Decided, Assessed, Noted, Destroyed, SignedOff, Closed}

// Clock is what a step of this kind is to the clock of the organisation that it concerns, or of the service; 0: nothing.
func (k IncidentStepKind) Clock(org id.Organisation) int {
	switch {
	case k == Declared, k == Aware && org.IsZero():
		return deadline.Aware
	case k == Told && !org.IsZero():
		return deadline.Told
	case k == Decided:
		return deadline.Decided
	}
	return 0
}

// NewStep is a step to be entered.
type NewStep struct {
	// Incident is the one that it belongs to; zero with Declared alone, which makes one.
	Incident id.Incident      `json:"incident,omitzero"`
	Kind     IncidentStepKind `json:"kind"`
	Text     string           `json:"text"`
	// Organisation is whom it concerns; zero: all of them.
	Organisation id.Organisation `json:"organisation,omitzero"`
	Hypothesis   *Hypothesis     `json:"hypothesis,omitempty"` // with Declared and Supposed, and only with them
	Moment       time.Time       `json:"moment,omitzero"`      // when it was so, where that is not now
	Drill        bool            `json:"drill,omitempty"`      // with Declared
	Decision     *Decision       `json:"decision,omitempty"`   // with Decided, where it is that
	Assessment   *Assessment     `json:"assessment,omitempty"` // with Assessed, and only with it
	// Of is the notice by letter that was posted, with Told.
	Of id.Notice `json:"of,omitzero"`

	Destruction *Destruction `json:"destruction,omitempty"` // with Destroyed, and only with it
}

// IncidentStep is a step as it was entered.
type IncidentStep struct {
	At           time.Time        `json:"at"` // when it was entered
	By           string           `json:"by"` // name or, of another organisation's staff, role
	Kind         IncidentStepKind `json:"kind"`
	Text         string           `json:"text"`
	Organisation id.Organisation  `json:"organisation,omitzero"`
	Hypothesis   *Hypothesis      `json:"hypothesis,omitempty"`
	Moment       time.Time        `json:"moment"`
	Decision     *Decision        `json:"decision,omitempty"`
	Assessment   *Assessment      `json:"assessment,omitempty"`
	Notice       *Notice          `json:"notice,omitempty"` // with Telling
	Of           id.Notice        `json:"of,omitzero"`      // with what became of a notice: which

	Destruction *Destruction `json:"destruction,omitempty"`
}

// Incident is a suspected breach, as far as the reader may see it.
type Incident struct {
	ID     id.Incident    `json:"id"`
	Number string         `json:"number"` // for people, as in 2026-3; of a drill D2026-1
	Drill  bool           `json:"drill,omitempty"`
	Closed bool           `json:"closed,omitempty"`
	Steps  []IncidentStep `json:"steps"` // in the order in which they were entered
}

// EnterStep enters a step, and the incident with it if it declares one. It is in the ledger before this returns, of the organisation that it
// concerns, or of the installation.
func (c *Client) EnterStep(ctx context.Context, auth Auth, s NewStep) (n id.Incident, err error) {
	err = call(ctx, c, "enter-step", auth, s, &n)
	return n, err
}

// Incidents lists incidents, newest first: all for who works for the whole service, and for a data protection officer those in which an own organisation
// was told, or that they declared, with the steps that concern it.
func (c *Client) Incidents(ctx context.Context, auth Auth) (all []Incident, err error) {
	err = call(ctx, c, "incidents", auth, struct{}{}, &all)
	return all, err
}

// OpenIncident names an incident that is not closed, and no drill.
type OpenIncident struct {
	ID     id.Incident `json:"id"`
	Number string      `json:"number"`
}

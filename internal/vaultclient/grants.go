package vaultclient

import (
	"context"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
)

// StandingWork is recurring work without a user.
type StandingWork string

// The kinds of recurring work. Only the evaluation is built; the others keep their names and bounds for the time when they are.
const (
	Evaluation StandingWork = "evaluation"     // each night: doses against limits and levels
	Notices    StandingWork = "breach-notices" // of an incident: telling those who were exposed
)

// Standing has each kind of recurring work with its purpose and the fields that it needs.
var Standing = map[StandingWork]Work{
	Evaluation: {string(Evaluation), policy.AssessDose, policy.FieldBirth | policy.FieldSex | policy.FieldHealth | policy.FieldDose | policy.FieldDocument | policy.FieldEmployment},
	Notices:    {string(Notices), policy.BreachNotice, policy.FieldName | policy.FieldContact | policy.FieldEmployment},
}

// NewGrant is the body of a proposal of a standing grant: leave for recurring work without a user.
type NewGrant struct {
	Name          string            `json:"name"` // of the work, no person's: it stands in ledgers
	Work          StandingWork      `json:"work"`
	Node          string            `json:"node"`                    // the node that may use it, as in "worker"
	Organisations []id.Organisation `json:"organisations,omitempty"` // empty: the whole service
	Wearers       []id.Wearer       `json:"wearers,omitempty"`       // these and no others; empty: any
	MaxWearers    int               `json:"max_wearers"`             // different ones, ever
	Ends          time.Time         `json:"ends"`                    // within a year
}

// StandingGrant is a standing grant as the node that may use it sees it: no person stands in it.
type StandingGrant struct {
	ID   id.Grant     `json:"id"`
	Work StandingWork `json:"work"`
}

// Grant is leave for work without a user, as whoever administers sees it.
type Grant struct {
	ID            id.Grant          `json:"id"`
	Kind          string            `json:"kind"` // machine, standing, job
	Name          string            `json:"name,omitempty"`
	Work          StandingWork      `json:"work,omitempty"`
	Purpose       policy.Purpose    `json:"purpose"`
	Fields        policy.Fields     `json:"fields"`
	Organisations []id.Organisation `json:"organisations,omitempty"`
	Wearers       int               `json:"wearers,omitempty"` // how many are named
	MaxWearers    int               `json:"max_wearers"`
	Used          int               `json:"used"` // different wearers that it touched
	Node          string            `json:"node"`
	Ends          time.Time         `json:"ends"`
	Ended         time.Time         `json:"ended,omitzero"`
	Runs          bool              `json:"runs"` // false as well once the access of who gave it has ended
}

// StandingGrants lists the standing grants of the calling node. It needs no session: the node's key says which they are.
func (c *Client) StandingGrants(ctx context.Context) (out []StandingGrant, err error) {
	err = call(ctx, c, "standing-grants", Auth{}, struct{}{}, &out)
	return out, err
}

// Grants lists the leave that is given for work without a user: machines, standing grants and running jobs.
func (c *Client) Grants(ctx context.Context, auth Auth) (out []Grant, err error) {
	err = call(ctx, c, "grants", auth, struct{}{}, &out)
	return out, err
}

// EndGrant ends a standing grant or a job's at once.
func (c *Client) EndGrant(ctx context.Context, auth Auth, n id.Grant) error {
	return call(ctx, c, "end-grant", auth, n, nil)
}

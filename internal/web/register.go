package web

import (
	"context"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Register is what the pages need of the register.
type Register interface {
	// WearerRecord returns a wearer's badges, readings and totals, revealed for the page. The vault's errors come through.
	WearerRecord(ctx context.Context, auth vaultclient.Auth, w id.Wearer) (*WearerRecord, error)
	// Overview returns the state of each organisation that the user may see.
	Overview(ctx context.Context, auth vaultclient.Auth) ([]OrganisationState, error)
}

// OrganisationState is an organisation at a glance.
type OrganisationState struct {
	Organisation id.Organisation
	Ordered      int // badges by state
	Out          int
	Returned     int
	Read         int
	Open         int // investigations
	LastImport   time.Time
	LastRows     int // stored by the last import
	LastRefused  int // refused by it
}

// WearerRecord is what the register knows of a wearer.
type WearerRecord struct {
	Department     string
	Readings       []Reading
	Subject        dose.Subject // which limits hold
	Levels         []dose.Level // the employer's own
	Assessment     dose.Assessment
	Investigations []Investigation
}

// Reading is one measured quantity of one badge.
type Reading struct {
	From, To   day.Day
	Position   dose.Position
	Reading    dose.Reading
	Version    int
	Superseded bool
}

// Investigation is opened when a level or a limit is passed.
type Investigation struct {
	Finding dose.Finding
	Opened  time.Time
	Closed  time.Time // zero: open
	Reason  string    // why it was closed
}

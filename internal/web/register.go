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
	Department string
	Readings   []Reading
	Totals     []Total
	Findings   []Finding
}

// Reading is one measured quantity of one badge.
type Reading struct {
	From, To   day.Day
	Position   dose.Position
	Reading    dose.Reading
	Version    int
	Superseded bool
}

// Total is a sum over a window.
type Total struct {
	Kind         string // effective dose, lens of the eye, skin, extremities …
	Window       Window
	From, To     day.Day
	Dose         dose.MicroSv
	Missing      int // readings in the window without a result
	Limit, Level dose.MicroSv
}

// Window is what a total is over.
type Window int

// The windows.
const (
	CalendarYear Window = iota
	ThreeMonths
	FiveYears
)

// Finding is an investigation or an overexposure.
type Finding struct {
	Kind   string
	Year   int
	Dose   dose.MicroSv
	Mark   dose.MicroSv // the level or limit that was passed
	Over   bool         // a limit, not a level
	Open   bool
	Opened time.Time
	Closed time.Time
	Reason string
}

package web

import (
	"context"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Register is what the pages need of the register.
type Register interface {
	Returns
	Badges
	Batches
	Spares
	Doses
	Organisations
	Files
	Lists
	Profiles
	Samples
	Gaps
	People
	Machines
	Investigations
	Incidents

	// WearerRecord returns a wearer's badges, readings and totals, and fields that the vault holds, revealed for the page at once. The vault's errors come through.
	WearerRecord(ctx context.Context, auth vaultclient.Auth, w id.Wearer, fields policy.Fields) (*WearerRecord, error)
	// Overview returns the state of each organisation that the user may see, and the last files.
	Overview(ctx context.Context, auth vaultclient.Auth) (*Overview, error)
}

// Overview is the service at a glance.
type Overview struct {
	Organisations []OrganisationState
	Imports       []ImportState // the newest, newest first; none for a role that loads no files
}

// OrganisationState is an organisation at a glance.
type OrganisationState struct {
	Organisation id.Organisation
	Issued       int // badges by state
	Returned     int // and not yet sent to the laboratory
	Sent         int
	Read         int
	Investigated bool // it has, or had, investigations; which are open is sealed
}

// ImportState is how far a file has come. In = Stored + Refused + Ignored.
type ImportState struct {
	ID                           id.Import
	At                           time.Time
	Kind                         string // people, dispatch, laboratory, settings
	State                        string // received, previewing, previewed, confirmed, importing, stored, done, failed, declined
	In, Stored, Refused, Ignored int
	Failure                      string // without personal data
}

// WearerRecord is what the register knows of a wearer.
type WearerRecord struct {
	Records        []vaultclient.Record // the fields asked for: of the wearer, or of all the own employments of a wearer who looks
	Department     string
	Readings       []Reading
	Waiting        []WaitingBadge // without a report yet, newest period first
	Subject        dose.Subject   // which limits hold
	Levels         []dose.Level   // the employer's own
	Assessment     dose.Assessment
	Investigations []Investigation
}

// WaitingBadge is a badge of which there is no report yet.
type WaitingBadge struct {
	Organisation id.Organisation
	Position     dose.Position
	From, To     day.Day
	State        string // ordered, issued, returned, sent
}

// Reading is one measured quantity of one badge.
type Reading struct {
	Organisation id.Organisation // whose badge it was
	From, To     day.Day
	Position     dose.Position
	Reading      dose.Reading
	Version      int
	Superseded   bool
	NotCounted   bool     // belongs to no assigned dose
	Notes        []string // the laboratory's
}

// Investigation is opened when a level or a limit is passed.
type Investigation struct {
	Kind         dose.Kind
	Window       dose.Window
	Year         int
	Dose, Bound  dose.MicroSv // when it was opened
	Overexposure bool         // a limit was passed, else a level
	Name         string       // of the level, or regulation and paragraph of the limit
	Opened       time.Time
	Closed       time.Time // zero: open
	Reason       string    // why it was closed

	ID     id.Row
	Wearer id.Wearer
	On     day.Day // when the bound was passed
	Notes  []Note  // in order
}

// Note is what somebody wrote about an investigation.
type Note struct {
	At          time.Time
	By          string
	Text        string
	Close, Open bool // what it did
}

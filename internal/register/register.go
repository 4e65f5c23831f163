// Package register has the use cases on badges, wear periods, laboratory files,
// readings and investigations, and the rules that they keep.
//
// It holds nothing personal in the clear: what says something of a wearer is
// sealed by the vault, bound to its row, and opened through the vault's gate as
// the signed-in user or by a job's grant. The register has no right of its own.
//
// Readings are never changed: a re-issue is a new version beside the old one. An
// import stores all the rows that it accepted, in both databases, or none:
//
//	received → previewing → previewed → confirmed → importing → stored → done
//	                 ↘ failed   ↘ declined           ↘ failed          (file wrong, somebody said no, changed since its preview)
//
// "stored" means that the register has committed and the vault's ledger has not yet; [Service.Reconcile] goes on
// from any state after a crash. The states are what workers look for work by. Who works on an import holds it: it
// changes in nobody else's hands until its holder has been silent for [Lease], and its holder can't change it after that.
package register

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Vault is what the register needs of the vault; see vaultclient.Client.
type Vault interface {
	Whoami(ctx context.Context, auth vaultclient.Auth) (vaultclient.User, error)
	Organisations(ctx context.Context, auth vaultclient.Auth) ([]vaultclient.Organisation, error)
	Reveal(ctx context.Context, auth vaultclient.Auth, r vaultclient.RevealRequest) ([]vaultclient.Record, error)
	Weigh(ctx context.Context, auth vaultclient.Auth, n id.Import, changes []vaultclient.Change) ([]vaultclient.Weighed, error)
	FindStaff(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, keys []vaultclient.StaffKey) ([]id.Wearer, error)
	Stage(ctx context.Context, auth vaultclient.Auth, n id.Import, changes []vaultclient.Change) ([]vaultclient.Staged, error)
	Confirm(ctx context.Context, auth vaultclient.Auth, n id.Import, manifests []vaultclient.Manifest) error
	Discard(ctx context.Context, auth vaultclient.Auth, n id.Import) error
	Pending(ctx context.Context) ([]id.Import, error)
	Compare(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, items []vaultclient.Comparison) ([]vaultclient.Verdict, error)
	Linked(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, ws []id.Wearer) ([][]vaultclient.LinkedWearer, error)
	Tags(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, items []vaultclient.TagItem) ([][]byte, error)
	Seal(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, items []vaultclient.Item) ([][]byte, error)
	Reseal(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, items, to []vaultclient.Item) ([][]byte, error)
	Open(ctx context.Context, auth vaultclient.Auth, r vaultclient.OpenRequest) ([][]byte, error)
	Look(ctx context.Context, auth vaultclient.Auth, r vaultclient.LookRequest) (vaultclient.Look, error)
	Intake(ctx context.Context, auth vaultclient.Auth, in vaultclient.Intake) error
	GrantJob(ctx context.Context, auth vaultclient.Auth, j vaultclient.JobGrant) (id.Grant, error)
	StandingGrants(ctx context.Context) ([]vaultclient.StandingGrant, error)
}

// State is how far an import has come.
type State string

// The states of an import.
const (
	Received   State = "received"
	Previewing State = "previewing"
	Previewed  State = "previewed"
	Confirmed  State = "confirmed"
	Importing  State = "importing"
	Stored     State = "stored"
	Done       State = "done"
	Failed     State = "failed"
	Declined   State = "declined"
)

// KeepsFile reports whether an import in this state keeps its file and what was found in it.
func (s State) KeepsFile() bool { return s != Failed && s != Declined }

// Held reports whether somebody works on an import in this state.
func (s State) Held() bool { return s == Previewing || s == Importing || s == Stored }

// Lease is how long an import stays with a holder who is silent.
const Lease = 20 * time.Second

// Hold is who holds an import, and for how long from now on.
type Hold struct {
	Owner id.Owner
	For   time.Duration
}

// The kinds of imports.
const (
	KindPeople     = "people"
	KindLeavers    = "leavers"
	KindDispatch   = "dispatch"
	KindPerson     = "person"        // one person, by a form
	KindNote       = "investigation" // something written about an investigation
	KindLaboratory = "laboratory"
	KindProfile    = "profile"    // how a laboratory's files are read: its document is the text
	KindEvaluation = "evaluation" // of everybody's doses in a night, without a file
	KindSample     = "sample"     // of a laboratory's file, while a profile is made from it
)

// BadgeState is where a badge is on its way. The numbers are stored.
type BadgeState int

// The states of a badge. Read is never stored: it is the state of a badge that has a reading.
const (
	Ordered BadgeState = iota + 1
	Issued
	Returned
	Sent
	Read
)

// ImportRow is an import as it is stored.
type ImportRow struct {
	ID      id.Import
	Kind    string
	State   State
	Grant   id.Grant // of the job that works on it
	Node    string   // that received the file
	SHA256  []byte
	Created time.Time
	Counts
	Failure string   // without personal data
	Owner   id.Owner // who works on it; zero: nobody
}

// Counts are an import's rows: In = Stored + Refused + Ignored.
type Counts struct{ In, Stored, Refused, Ignored int }

// WearerRow is a wearer as it is stored.
type WearerRow struct {
	ID             id.Wearer
	Organisation   id.Organisation
	Version        uint32
	Import         id.Import
	Sealed, Health []byte
}

// PeriodRow is a badge in its wear period as it is stored.
type PeriodRow struct {
	ID           id.Row
	Barcode      string
	Batch        string
	State        BadgeState
	Organisation id.Organisation
	Wearer       id.Wearer // zero: control badge
	Starts, Ends day.Day
	Import       id.Import
	Sealed       []byte
}

// ReadingRow is one report of one badge as it is stored. Its other columns are its wear period's.
type ReadingRow struct {
	Period  id.Row
	Wearer  id.Wearer // of the wear period
	Version uint32    // the laboratory's, plus 1
	Import  id.Import
	Sealed  []byte
}

// Result is a wear period with its reports, by version; Reports is empty while none has come.
type Result struct {
	PeriodRow
	Reports []ReadingRow
}

// InvestigationRow is an investigation as it is stored, or what was written about one.
type InvestigationRow struct {
	ID           id.Row
	Organisation id.Organisation
	Tag          []byte
	Import       id.Import
	Sealed       []byte
}

// Rows is what one import stores.
type Rows struct {
	Wearers        []WearerRow // a change is a row of a higher version
	Periods        []PeriodRow
	Readings       []ReadingRow
	Investigations []InvestigationRow
	Movements      []Movement  // of Periods, in order of time
	ReadingPeriods []PeriodRow // the wear period of each reading, in any order
}

// Whole is an import's rows in one part.
func Whole(rows *Rows) iter.Seq2[*Rows, error] {
	return func(yield func(*Rows, error) bool) { yield(rows, nil) }
}

// OrganisationState counts what an organisation has, by what stands in the clear.
type OrganisationState struct {
	Organisation   id.Organisation
	Badges         map[BadgeState]int // of periods that end after the day asked for
	Investigations int                // rows of investigations
}

// Errors that a Store returns.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("is there already")
	ErrState    = errors.New("is in another state")
)

// Store keeps the register's rows. Every method is one transaction.
type Store interface {
	BadgeStore
	ProfileStore
	// SetOrganisation keeps an organisation's sealed settings.
	SetOrganisation(ctx context.Context, org id.Organisation, sealed []byte) error
	// Organisations returns the sealed settings of organisations; those without any are left out.
	Organisations(ctx context.Context) (map[id.Organisation][]byte, error)
	// CreateImport keeps a new import with its documents' sealed parts. ErrExists: its id is there.
	CreateImport(ctx context.Context, im ImportRow, documents map[string][][]byte) error
	// Import returns an import. ErrNotFound: there is none.
	Import(ctx context.Context, n id.Import) (ImportRow, error)
	// Imports returns most imports, newest first, after the newest skip, and how many there are in all; profiles, samples
	// and nights' runs are left out.
	Imports(ctx context.Context, skip, most int) (list []ImportRow, total int, err error)
	// ImportOf returns an import of a file with this hash that was stored. ErrNotFound: there is none.
	ImportOf(ctx context.Context, sha256 []byte) (ImportRow, error)
	// Move puts an import from one state into another with what else of it changed; one that becomes Failed or Declined
	// loses its documents. Its owner keeps it for another Lease in a state that is held, and gives it up in another.
	// ErrState: it is not in from, or not its owner's.
	Move(ctx context.Context, from State, im ImportRow) error
	// Claim takes the oldest import in a state into another, for one caller only, who then holds it. ErrNotFound: none waits.
	Claim(ctx context.Context, from, to State, by Hold) (ImportRow, error)
	// ClaimOne takes this very import from one state into another, likewise. ErrState: it is not in from.
	ClaimOne(ctx context.Context, n id.Import, from, to State, by Hold) (ImportRow, error)
	// Reclaim takes an import in a state that is held which is the caller's, nobody's, or whose lease has ended, for one
	// caller only. It stays in its state. ErrNotFound: there is none.
	Reclaim(ctx context.Context, by Hold) (ImportRow, error)
	// Extend holds an import for longer. ErrState: it is not the caller's.
	Extend(ctx context.Context, n id.Import, by Hold) error
	// InState returns the imports in a state.
	InState(ctx context.Context, s State) ([]ImportRow, error)
	// SetDocument keeps a document's sealed parts, replacing those of that name.
	SetDocument(ctx context.Context, n id.Import, name string, parts [][]byte) error
	// Document returns a document's sealed parts in order. ErrNotFound: there is none.
	Document(ctx context.Context, n id.Import, name string) ([][]byte, error)
	// Commit stores an import's rows, which come in parts, and puts it from one state into another, all or nothing; an error
	// among the parts is returned. ErrState: it is not in from, or not its owner's; ErrExists: a row is there already.
	Commit(ctx context.Context, from State, im ImportRow, parts iter.Seq2[*Rows, error]) error
	// Periods returns the wear periods of barcodes with their reports, in no order; unknown barcodes are left out.
	Periods(ctx context.Context, barcodes []string) ([]Result, error)
	// Worn returns all wear periods of wearers, with their reports or without any, in no order.
	Worn(ctx context.Context, wearers []id.Wearer) ([]Result, error)
	// Results returns those wear periods of wearers that end on or after a day and have reports, in no order.
	Results(ctx context.Context, wearers []id.Wearer, since day.Day) ([]Result, error)
	// ResultsOf returns those wear periods of an organisation's wearers that end from one day to another, with their reports or
	// without any, in no order; control badges are left out.
	ResultsOf(ctx context.Context, org id.Organisation, from, to day.Day) ([]Result, error)
	// Wearers returns wearers' newest rows, in no order; unknown ones are left out.
	Wearers(ctx context.Context, wearers []id.Wearer) ([]WearerRow, error)
	// WearersOf returns the newest rows of an organisation's wearers, in no order.
	WearersOf(ctx context.Context, org id.Organisation) ([]WearerRow, error)
	// Investigations returns an organisation's.
	Investigations(ctx context.Context, org id.Organisation) ([]InvestigationRow, error)
	// HasTags reports which of the tags are there.
	HasTags(ctx context.Context, tags [][]byte) ([]bool, error)
	// States counts what organisations have; badges of periods that end on or after since.
	States(ctx context.Context, since day.Day) ([]OrganisationState, error)
	// ImportRows calls fn with the rows that an import stored, to make its manifests again.
	ImportRows(ctx context.Context, n id.Import) (*Rows, error)
	Close() error
}

// Config is what a Service works with.
type Config struct {
	Store Store
	Vault Vault
	Now   func() time.Time
	Log   *slog.Logger
	Node  string   // the node that it runs on
	Owner id.Owner // of the imports that it works on; another one for each process. Zero: a random one
}

// Service has the use cases. It is safe for concurrent use.
type Service struct {
	Config
	counting singleflight.Group
	dropped  sync.Map // ids of ended imports of which the vault has told this process that their keys are gone
}

// New returns a service.
func New(c Config) *Service {
	if c.Owner.IsZero() {
		c.Owner = id.New[id.Owner]()
	}
	return &Service{Config: c}
}

// InputError is what is wrong with something that a person gave, where it is and what to do. It holds no personal data.
type InputError struct{ Message string }

func (e *InputError) Error() string { return e.Message }

func wrong(format string, args ...any) error { return &InputError{fmt.Sprintf(format, args...)} }

func (s *Service) today() day.Day { return day.At(s.Now().UTC()) }

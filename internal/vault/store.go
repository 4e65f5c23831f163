package vault

import (
	"context"
	"errors"

	"github.com/dosevault/dosevault/internal/ledger"
)

// Table is a table of sealed rows in the vault's database: an id and a blob.
type Table string

// The tables of sealed rows. Their ids are described in the database's schema.
const (
	TableSecret          Table = "secret"
	TableOrganisationKey Table = "organisation_key"
	TableWearerKey       Table = "wearer_key"
	TableDocumentKey     Table = "document_key"
	TableOrganisation    Table = "organisation"
	TableUser            Table = "user"
	TableSession         Table = "session"
	TableLink            Table = "link"
	TableJobGrant        Table = "job_grant"
	TableWearer          Table = "wearer"
	TableImport          Table = "import"
	TableField           Table = "field"
	TableStaged          Table = "staged"
	TableApart           Table = "apart"
	TableCredential      Table = "credential"
	TableProvider        Table = "provider"
	TableApproval        Table = "approval"
	TablePolicy          Table = "policy"
	TableFrozen          Table = "frozen"
	TableBudget          Table = "budget"
	TableAlarm           Table = "alarm"
	TableTally           Table = "tally"
	TableSetting         Table = "setting"
	TableIncident        Table = "incident"
	TableExposed         Table = "exposed"
)

// Tables lists every table of sealed rows.
var Tables = []Table{TableSecret, TableOrganisationKey, TableWearerKey, TableDocumentKey, TableOrganisation, TableUser, TableSession,
	TableLink, TableJobGrant, TableWearer, TableImport, TableField, TableStaged, TableApart,
	TableCredential, TableProvider, TableApproval, TablePolicy, TableFrozen, TableBudget, TableAlarm, TableTally, TableSetting, TableIncident, TableExposed}

// ErrNotCommitted says that a commit certainly did not happen; the store is as it was. Any other error of
// Commit leaves open whether it did: the vault must stop and look again.
var ErrNotCommitted = errors.New("nothing was committed")

// Put is a row to be written, replacing one of the same id; a nil Sealed deletes it.
type Put struct {
	Table      Table
	ID, Sealed []byte
}

// NewLeaf is an entry to be appended: its leaf, its sealed opening and the nodes that it completes.
type NewLeaf struct {
	Log           string
	Seq           int64
	Leaf, Opening []byte
	Nodes         []ledger.Node
}

// Batch is what one commit does, all of it or nothing.
type Batch struct {
	Puts        []Put
	Leaves      []NewLeaf
	Checkpoints map[string][]byte // latest checkpoint by log; a log that isn't there yet is made
}

// LogState is a log as it is stored.
type LogState struct {
	Name       string
	Size       int64
	Checkpoint []byte
}

// StoredLeaf is an entry as it is stored; Opening is nil when it was erased.
type StoredLeaf struct {
	Seq           int64
	Leaf, Opening []byte
}

// Store keeps the vault's rows. One vault at a time writes; reads may run beside a commit and see whole
// commits only. Commit returns when the batch is durable.
type Store interface {
	// Meta returns a value kept in the clear, nil if there is none.
	Meta(ctx context.Context, name string) ([]byte, error)
	// SetMeta keeps a value in the clear, durably.
	SetMeta(ctx context.Context, name string, value []byte) error
	// Rows calls fn for every row of a table; the slices are fn's to keep.
	Rows(ctx context.Context, t Table, fn func(id, sealed []byte) error) error
	// Get returns the rows of the ids, in their order, nil where there is none.
	Get(ctx context.Context, t Table, ids [][]byte) ([][]byte, error)
	// Logs returns the logs in order of name.
	Logs(ctx context.Context) ([]LogState, error)
	// Nodes returns the hashes of the nodes, in the order asked for; one that is missing is an error.
	Nodes(ctx context.Context, log string, indexes []int64) ([]ledger.Hash, error)
	// Leaves returns the entries from seq up to, not including, end.
	Leaves(ctx context.Context, log string, seq, end int64) ([]StoredLeaf, error)
	// Commit makes a batch durable; see ErrNotCommitted.
	Commit(ctx context.Context, b *Batch) error
	Close() error
}

// Package vault is dosevault's trusted core: the one place where personal
// fields become readable, and where that is written down first.
//
// It holds identities, the wearers' employments, persons, keys, users, sessions,
// grants and the ledgers. What it guards:
//
//   - No personal field that it holds becomes readable outside it without a
//     durable entry in its organisation's ledger first. Every way to a plaintext
//     leads through [Vault.gate]: session or grant → policy → entry durable →
//     key → plaintext. Each step that fails, or can't be decided, refuses.
//   - Keys never leave. Callers hand in plaintexts to seal and ciphertexts to open.
//   - Facts that policy decides on come from its own tables. A caller supplies
//     nothing but the purpose.
//   - One goroutine commits; nothing in memory runs ahead of the database.
//
// It knows nothing of doses, badges or files: those are the register's. It is
// no database of names to be queried either: search results are reveals.
package vault

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/seal"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Config is what a vault needs to open.
type Config struct {
	Store Store
	Keys  KeyDir
	Now   func() time.Time
	Log   *slog.Logger
	// Origin is the vault's own origin as a browser sees it, as in "http://localhost:8081": passkeys are bound to it.
	Origin string
	// Demo says that everybody in it is invented: changes on the origin are not confirmed with a passkey.
	Demo bool

	// BudgetFactor multiplies the default budgets, for an installation of more people than they are made for; 0 is 1.
	BudgetFactor int

	// Sessions are how long sessions on nodes last; zero: DefaultSessionLimits.
	Sessions SessionLimits
}

// MaxBudgetFactor is the largest BudgetFactor that makes sense.
const MaxBudgetFactor = 1000

// Vault is an open vault. Its methods are safe for concurrent use.
type Vault struct {
	store Store
	keys  KeyDir
	now   func() time.Time
	log   *slog.Logger

	sessions SessionLimits

	installation string
	signer       *ledger.Signer
	epoch        *seal.Box // wraps keys
	authority    *seal.Box // seals rows of authority and facts
	installBox   *seal.Box // openings of the installation log
	hashKey      seal.Key  // keyed hashes: NI numbers in memory, tags

	ops     chan *op
	quit    chan struct{}
	stopped chan struct{}
	failure error          // why the committer stopped; read after stopped is closed
	beside  sync.WaitGroup // what runs beside it
	indexMu sync.RWMutex   // a change of the index of exposures, against questions that read it

	// Only the committer reads and writes these without mu; it holds mu to change them.
	trees       map[string]ledger.Tree
	checkpoints map[string][]byte
	tallies     tallies
	lastCommit  time.Time

	mu    sync.RWMutex
	state state

	couriers []chan struct{} // who delivers alarms
	posts    []chan struct{} // who delivers notices of breaches
	visits   noticeVisits

	codes      codes
	admissions admissions
	passkeys   *passkeys
	signIns    refusedSignIns
	demo       bool
	compared   comparisons

	budgetFactor int
	budgets      budgets // the committer's
	refusals     refusals
	trips        map[id.User]trip // the canaries that a user opened first; the committer's
	sightings    sightings
}

// state is what the vault keeps in memory, all of it derived from the database. Values behind the pointers
// are never changed, only replaced, so that a reader may keep one after it gave up the lock.
type state struct {
	organisations map[id.Organisation]*organisation
	users         map[id.User]*vaultclient.User
	sessions      map[secretHash]*session
	links         map[secretHash]*link
	credentials   map[secretHash]*credential
	providers     map[id.Provider]*provider
	grants        map[id.Grant]*grant
	wearers       map[id.Wearer]*wearer
	staged        map[id.Wearer]*wearer // new ones of imports that wait: values can be sealed for them, nothing else
	persons       map[id.Person][]id.Wearer
	staff         map[staffKey]id.Wearer
	starts        map[string][]id.Wearer // by the beginnings of their words, and perhaps of words that they had
	ni            map[[sha256.Size]byte][]id.Wearer
	imports       map[id.Import]*importState
	documents     map[id.Row]seal.Key
	policies      policies
	frozen        map[vaultclient.Scope]*frozen
	alarms        map[id.Alarm]*alarm
	incidents     map[id.Incident]*incident
	notices       map[id.Notice]noticeAt
	noticeLinks   map[secretHash]id.Notice
	apart         map[apart]bool // two wearers who are two human beings, though they look alike
	budgets       map[string]*storedBudget
	canaries      map[id.Wearer]bool
	approvals     map[id.Approval]*proposal
	single        *singleMode // nil: what is proposed takes two people
	running       *running    // nil: it was shut down
}

type secretHash [sha256.Size]byte

// organisation is an employer with its keys.
type organisation struct {
	storedOrganisation
	blobs         seal.Key // its own blobs in the register
	opening       *seal.Box
	healthOpening *seal.Box
	roll          *roll
}

// facts are what policy and search know of a wearer without opening a field; sealed as a whole, as JSON.
type facts struct {
	Organisation id.Organisation `json:"organisation"`
	Person       id.Person       `json:"person"`
	From         day.Day         `json:"from"`
	To           day.Day         `json:"to"`
	Classified   bool            `json:"classified,omitempty"`
	Canary       bool            `json:"canary,omitempty"` // an invented wearer
	// Versions of the wearer's fields by class; 0: none.
	Versions [8]uint32 `json:"versions"`
}

type wearer struct {
	id    id.Wearer
	facts facts
	keys  [8]seal.Key // by class
	// For search and comparison, in memory only.
	identity person.Identity
	words    []string
	sortKey  string
	ni       [sha256.Size]byte // keyed hash; zero: has none
}

func (w *wearer) currentOn(d day.Day) bool {
	return (w.facts.From.IsZero() || w.facts.From <= d) && (w.facts.To.IsZero() || w.facts.To >= d)
}

type staffKey struct {
	org    id.Organisation
	number string
}

// Uses of an organisation's keys; the numbers are stored.
const (
	useBlobs byte = iota + 1
	useOpening
	useHealthOpening
)

const (
	keyVersion = 1   // of every key, until epochs come
	openingPad = 256 // bytes that an opening is padded to
	factsPad   = 256
	// organisationPad holds a name and a contact of the greatest length.
	organisationPad = 2048
)

// Open opens a vault: it reads all that it keeps in memory, and holds the database against the last head kept
// outside it. A database that was rolled back, or a row that does not open, is an error that names it.
func Open(ctx context.Context, c Config) (*Vault, error) {
	if c.Sessions == (SessionLimits{}) {
		c.Sessions = DefaultSessionLimits
	}
	if err := c.Sessions.Check(); err != nil {
		return nil, err
	}
	root, err := c.Keys.Root()
	if err != nil {
		return nil, err
	}
	epoch, err := c.Keys.Epoch(1)
	if err != nil {
		return nil, err
	}
	known, err := newPasskeys(c.Origin)
	if err != nil {
		return nil, err
	}
	v := &Vault{
		passkeys: known, demo: c.Demo,
		store: c.Store, keys: c.Keys, now: c.Now, log: c.Log, sessions: c.Sessions,
		epoch: epoch.Box(),
		ops:   make(chan *op, maxGroup), quit: make(chan struct{}), stopped: make(chan struct{}),
		trees: map[string]ledger.Tree{}, checkpoints: map[string][]byte{},
		codes:        codes{m: map[secretHash]code{}},
		signIns:      newRefusedSignIns(),
		admissions:   admissions{nonces: map[secretHash]time.Time{}, sessions: map[secretHash]admission{}},
		budgetFactor: max(c.BudgetFactor, 1), budgets: newBudgets(), refusals: newRefusals(), trips: map[id.User]trip{}, sightings: newSightings(),
	}
	name, err := c.Store.Meta(ctx, "installation")
	if err != nil {
		return nil, err
	}
	if name == nil {
		if err := v.install(ctx, root.Box()); err != nil {
			return nil, fmt.Errorf("creating the installation: %w", err)
		}
	} else {
		v.installation = string(name)
	}
	if err := v.loadSecrets(ctx, root.Box()); err != nil {
		return nil, err
	}
	if err := v.loadLogs(ctx); err != nil {
		return nil, err
	}
	if err := v.load(ctx); err != nil {
		return nil, err
	}
	if err := v.countLedger(ctx); err != nil {
		return nil, fmt.Errorf("counting what was read in the last day: %w", err)
	}
	v.admissions.from = v.recordTime().Add(signatureAhead)
	go v.committer()
	o := ledger.Opening{Policy: v.policyAt(id.Organisation{}).Version()}
	if v.budgetFactor > 1 {
		o.Reason = fmt.Sprintf("budgets are %d times the default ones", v.budgetFactor)
	}
	e, err := v.seal(entry{kind: ledger.Start, basis: ledger.Gate}, o)
	if err == nil {
		err = v.commit(ctx, func(t *tx) error {
			t.append(e)
			t.dropExpired()
			return t.enterStart()
		})
	}
	if err != nil {
		v.end()
		return nil, fmt.Errorf("entering the start: %w", err)
	}
	go v.sumRefusals()
	v.beside.Add(2)
	go v.settler()
	go v.indexer()
	return v, nil
}

// Stopped is closed when the vault no longer commits; Err then says why.
func (v *Vault) Stopped() <-chan struct{} { return v.stopped }

// Err returns why the vault stopped; nil after Close, or while it runs.
func (v *Vault) Err() error {
	select {
	case <-v.stopped:
		return v.failure
	default:
		return nil
	}
}

// Close enters the refusals that wait to be summed up, and that the vault is shut down, stops the committer and closes the store.
func (v *Vault) Close() error {
	v.enterSums(true)
	v.enterStop()
	return v.end()
}

// end stops the committer and closes the store.
func (v *Vault) end() error {
	close(v.quit)
	<-v.stopped
	v.beside.Wait()
	return v.store.Close()
}

var secretNames = []string{"ledger-signing", "authority", "installation-openings", "keyed-hash", "tallies"}

// install makes a new installation's secrets. The name comes last: with it, the installation exists.
func (v *Vault) install(ctx context.Context, root *seal.Box) error {
	b := &Batch{}
	for _, name := range secretNames {
		b.Puts = append(b.Puts, Put{TableSecret, []byte(name), root.Wrap(seal.NewContext("secret", []byte(name)), seal.NewKey())})
	}
	if err := v.store.Commit(ctx, b); err != nil {
		return err
	}
	v.installation = id.New[id.Row]().String()
	return v.store.SetMeta(ctx, "installation", []byte(v.installation))
}

func (v *Vault) loadSecrets(ctx context.Context, root *seal.Box) error {
	secrets := map[string]seal.Key{}
	err := v.store.Rows(ctx, TableSecret, func(name, wrapped []byte) error {
		k, err := root.Unwrap(seal.NewContext("secret", name), wrapped)
		if err != nil {
			return fmt.Errorf("the root key in %s does not open this vault's secret %q: is it the key of another installation?", v.keys, name)
		}
		secrets[string(name)] = k
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range secretNames {
		if _, ok := secrets[name]; !ok {
			return fmt.Errorf("the vault's secret %q is missing from its database", name)
		}
	}
	v.signer = ledger.NewSigner(v.installation, secrets["ledger-signing"])
	v.authority = secrets["authority"].Box()
	v.installBox = secrets["installation-openings"].Box()
	v.hashKey = secrets["keyed-hash"]
	v.tallies = tallies{key: secrets["tallies"], tables: map[Table]*tally{}}
	return nil
}

// loadLogs reads each log's right edge and holds it against its checkpoint, and the installation log against the head kept outside.
func (v *Vault) loadLogs(ctx context.Context) error {
	logs, err := v.store.Logs(ctx)
	if err != nil {
		return err
	}
	for _, l := range logs {
		edge, err := v.store.Nodes(ctx, l.Name, ledger.EdgeIndexes(l.Size))
		if err != nil {
			return fmt.Errorf("log %s: %w", l.Name, err)
		}
		tree, err := ledger.LoadTree(l.Size, edge)
		if err != nil {
			return fmt.Errorf("log %s: %w", l.Name, err)
		}
		head, _, err := v.signer.Open(l.Name, l.Checkpoint) // the tallies are held against the tables once those are read
		if root := tree.Root(); err != nil || head.Size != l.Size || !bytes.Equal(head.Root, root[:]) {
			return fmt.Errorf("log %s: its %d entries do not give the checkpoint stored with them: the database was changed; run dosevault verify", l.Name, l.Size)
		}
		v.trees[l.Name] = tree
		v.checkpoints[l.Name] = l.Checkpoint
		if l.Size > 0 {
			last, err := v.store.Leaves(ctx, l.Name, l.Size-1, l.Size)
			if err != nil {
				return err
			}
			if len(last) == 1 {
				if leaf, err := ledger.DecodeLeaf(last[0].Leaf); err == nil && leaf.Recorded.After(v.lastCommit) {
					v.lastCommit = leaf.Recorded
				}
			}
		}
	}
	return v.checkHead(ctx)
}

// checkHead refuses a database that is behind the last head kept outside it, or beside it.
func (v *Vault) checkHead(ctx context.Context) error {
	kept, err := v.keys.Head()
	if err != nil || kept == nil {
		return err
	}
	head, tallies, err := v.signer.Open(ledger.InstallationLog, kept)
	if err != nil {
		return fmt.Errorf("the head kept in %s is not this installation's: %w", v.keys, err)
	}
	tree := v.trees[ledger.InstallationLog]
	if tree.Size() < head.Size {
		return fmt.Errorf("log %s: the database holds %d entries, but %d were written: it was rolled back or cut; restore the newest database, or run dosevault verify", ledger.InstallationLog, tree.Size(), head.Size)
	}
	edge, err := v.store.Nodes(ctx, ledger.InstallationLog, ledger.EdgeIndexes(head.Size))
	if err != nil {
		return fmt.Errorf("log %s: %w", ledger.InstallationLog, err)
	}
	then, err := ledger.LoadTree(head.Size, edge)
	if err != nil {
		return err
	}
	if root := then.Root(); !bytes.Equal(root[:], head.Root) {
		return fmt.Errorf("log %s: its first %d entries are not those of the head kept outside the database: the database was changed; run dosevault verify", ledger.InstallationLog, head.Size)
	}
	if tree.Size() == head.Size {
		if _, now, err := v.signer.Open(ledger.InstallationLog, v.checkpoints[ledger.InstallationLog]); err != nil || !bytes.Equal(tallies, now) {
			return fmt.Errorf("log %s: the head kept outside the database has other tallies: the database was changed; run dosevault verify", ledger.InstallationLog)
		}
	}
	return nil
}

// sealRow seals a row of authority or facts, as JSON.
func (v *Vault) sealRow(table Table, key []byte, row any) ([]byte, error) {
	b, err := json.Marshal(row)
	if err != nil {
		return nil, fmt.Errorf("sealing a row of %s: %w", table, err)
	}
	pad := factsPad
	if table == TableOrganisation {
		pad = organisationPad
	}
	return v.authority.Seal(rowContext(table, key), pad, b)
}

func rowContext(table Table, key []byte) seal.Context {
	return seal.NewContext("row", []byte(table), key)
}

// openRow opens a row; the error names table and row.
func (v *Vault) openRow(table Table, key, sealed []byte, row any) error {
	b, err := v.authority.Open(rowContext(table, key), sealed)
	if err != nil || json.Unmarshal(b, row) != nil {
		return fmt.Errorf("table %s, row %x: does not open here: the database was changed; run dosevault verify", table, key)
	}
	return nil
}

// openingBox returns what openings of an organisation are sealed with.
func (v *Vault) openingBox(org id.Organisation, health bool) (*seal.Box, error) {
	if org.IsZero() {
		return v.installBox, nil
	}
	v.mu.RLock()
	o := v.state.organisations[org]
	v.mu.RUnlock()
	switch {
	case o == nil:
		return nil, errors.New("no such organisation")
	case health:
		return o.healthOpening, nil
	}
	return o.opening, nil
}

func openingContext(org id.Organisation, hash [sha256.Size]byte) seal.Context {
	return seal.NewContext("opening", org[:], hash[:])
}

// keyContext binds a wrapped key to its owner, class or use, and version.
func keyContext(table Table, key []byte) seal.Context {
	return seal.NewContext("key", []byte(table), key)
}

// ownedID is the id of a key or field: owner, class or use, version.
func ownedID(owner [16]byte, class byte, version uint32) []byte {
	return binary.BigEndian.AppendUint32(append(owner[:], class), version)
}

// keyedHash is HMAC-SHA-256 over a label and parts, under a key that never leaves the vault.
func (v *Vault) keyedHash(label string, parts ...[]byte) (h [sha256.Size]byte) {
	m := hmac.New(sha256.New, v.hashKey[:])
	m.Write(seal.NewContext(label, parts...))
	m.Sum(h[:0])
	return h
}

// Package ledger has the formats of the tamper-evident logs and the writer's half of their arithmetic.
//
// Every organisation has one log for each calendar year; the installation log holds what belongs to no
// organisation and, after every commit, the new heads of the organisations' logs. A log is an RFC 6962
// Merkle tree over leaves, in the arrangement of C2SP tlog-tiles (golang.org/x/mod/sumdb/tlog), with
// checkpoints that are C2SP signed notes. A leaf is small and tells a stranger nothing; what happened
// stands in its opening, sealed beside it, which can be erased by itself: the leaf keeps its hash.
//
// # Leaf, version 1 (56 bytes, integers big endian)
//
//	offset 0   1  version, 1
//	       1   1  kind
//	       2   1  basis
//	       3   1  zero
//	       4   4  count: wearers (or logs, for heads) that the entry is about
//	       8   8  recorded at, µs since 1970-01-01 UTC: one instant for each commit
//	      16   8  occurred at, likewise: when what is entered happened
//	      24  32  SHA-256 of the opening's bytes
//
// The leaf's hash in the tree is SHA-256(0x00 || leaf), a node's SHA-256(0x01 || left || right).
//
// # Opening, version 1
//
// UTF-8 JSON, see [Opening]. Its first member is 16 random bytes, so that its hash tells nothing of
// what it says. The bytes as sealed are what is hashed; they are never encoded again.
//
// # Order
//
// The first leaf of a year's log is of kind open-log and its opening holds the head of the year before.
// A commit that touches organisations' logs appends, last of all, one leaf of kind heads to the installation log.
//
// The verifier is package ledger/verify, which shares no code with this one. This package is pure: no
// files, network, database or clock.
package ledger

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
)

// Kind says what an entry is of. The numbers are written to ledgers: they never change.
type Kind uint8

// The kinds.
const (
	NoKind       Kind = iota
	OpenLog           // first leaf of a log
	Heads             // new heads of the organisations' logs
	Start             // the vault started
	Reveal            // fields were read
	Refuse            // a request was refused
	Search            // wearers were looked for; Fields are what the answer showed
	Compare           // labels were compared; nothing was shown
	Intake            // personal data arrived from outside
	Declared          // what a recipient held outside dosevault
	Stage             // wearers were staged: pending until Import
	Import            // an import was confirmed, with its manifest
	Discard           // an import was dropped
	GrantGiven        // leave for a job
	SignIn            // a session began
	SignOut           // a session ended
	Organisation      // an organisation was created
	User              // a user was created
	Link              // a one-time sign-in link was made
	Oversee           // a ledger or exposures were read
	Write             // fields of wearers, or an organisation's settings, were changed
	Person            // wearers were linked as one human being, or told apart
	Machine           // a machine outside was given leave, or its leave was ended
	Credential        // a way to sign in was added to a user, or taken away
	Approval          // something that needs two people was proposed, approved, turned down or withdrawn
	Policy            // the policies were changed
	Freeze            // something was frozen, or thawed
	Budget            // a budget was changed, or exceeded by breaking the glass
	Alarm             // an alarm was raised, or acknowledged
	Incident          // something was done about a suspected breach
	endOfKinds
)

var kindNames = [endOfKinds]string{"", "open-log", "heads", "start", "reveal", "refuse", "search", "compare", "intake", "declared",
	"stage", "import", "discard", "grant", "sign-in", "sign-out", "organisation", "user", "link", "oversee", "write", "person", "machine",
	"credential", "approval", "policy", "freeze", "budget", "alarm", "incident"}

func (k Kind) String() string {
	if k < endOfKinds {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Exposes reports whether an entry of this kind makes its Fields readable to its Recipients.
func (k Kind) Exposes() bool {
	return k == Reveal || k == Search || k == Intake || k == Declared
}

// Changes reports whether an entry of this kind changes what is kept of the wearers that it names.
func (k Kind) Changes() bool { return k == Write || k == Person }

// Basis says how the ledger knows. The numbers are written to ledgers: they never change.
type Basis uint8

// The bases.
const (
	Gate           Basis = iota + 1 // the vault did it
	FromOutside                     // it arrived from outside, entered as it arrived
	DeclaredBefore                  // a disclosure of the time before dosevault, or outside it
)

func (b Basis) String() string {
	switch b {
	case Gate:
		return "gate"
	case FromOutside:
		return "intake"
	case DeclaredBefore:
		return "declared"
	}
	return fmt.Sprintf("basis(%d)", uint8(b))
}

// LeafSize is the length of an encoded leaf of version 1.
const LeafSize = 56

// Leaf is one entry of a log.
type Leaf struct {
	Kind               Kind
	Basis              Basis
	Count              uint32
	Recorded, Occurred time.Time // to the microsecond
	Opening            [sha256.Size]byte
}

// ErrLeaf says that bytes are no leaf of a known version.
var ErrLeaf = errors.New("ledger: not a leaf")

// Encode returns the leaf's bytes.
func (l Leaf) Encode() []byte {
	b := make([]byte, LeafSize)
	b[0], b[1], b[2] = 1, byte(l.Kind), byte(l.Basis)
	binary.BigEndian.PutUint32(b[4:], l.Count)
	binary.BigEndian.PutUint64(b[8:], uint64(l.Recorded.UnixMicro()))
	binary.BigEndian.PutUint64(b[16:], uint64(l.Occurred.UnixMicro()))
	copy(b[24:], l.Opening[:])
	return b
}

// DecodeLeaf reads what Encode returned; the error is ErrLeaf.
func DecodeLeaf(b []byte) (Leaf, error) {
	if len(b) != LeafSize || b[0] != 1 || b[3] != 0 {
		return Leaf{}, ErrLeaf
	}
	l := Leaf{
		Kind: Kind(b[1]), Basis: Basis(b[2]),
		Count:    binary.BigEndian.Uint32(b[4:]),
		Recorded: time.UnixMicro(int64(binary.BigEndian.Uint64(b[8:]))).UTC(),
		Occurred: time.UnixMicro(int64(binary.BigEndian.Uint64(b[16:]))).UTC(),
	}
	copy(l.Opening[:], b[24:])
	return l, nil
}

// Opening says what happened. Users stand by their id, never by name; nothing in it is plaintext of a field.
type Opening struct {
	Salt       []byte        `json:"salt"`
	User       id.User       `json:"user,omitzero"` // who did it, or who gave the grant that it was done by
	Role       policy.Role   `json:"role,omitempty"`
	Grant      id.Grant      `json:"grant,omitzero"`
	Node       string        `json:"node,omitempty"`
	Via        string        `json:"via,omitempty"`        // the node that received a file before
	Recipients []string      `json:"recipients,omitempty"` // who gets to read: user:…, node:…, grant:…, supplier:…
	Purpose    string        `json:"purpose,omitempty"`
	Fields     policy.Fields `json:"fields,omitempty"`
	Wearers    []id.Wearer   `json:"wearers,omitempty"`
	Years      []uint16      `json:"years,omitempty"` // calendar years of dose
	Policy     string        `json:"policy,omitempty"`
	Rule       string        `json:"rule,omitempty"`
	Reason     string        `json:"reason,omitempty"`
	Import     id.Import     `json:"import,omitzero"`
	File       []byte        `json:"file,omitempty"` // SHA-256
	Bytes      int64         `json:"bytes,omitempty"`
	Sender     string        `json:"sender,omitempty"`
	Manifest   *Manifest     `json:"manifest,omitempty"`
	From       int64         `json:"from,omitempty"` // µs: window of what is declared, or asked
	To         int64         `json:"to,omitempty"`
	Subject    string        `json:"subject,omitempty"` // id of what was created or read
	Previous   *Head         `json:"previous,omitempty"`
	Heads      []Head        `json:"heads,omitempty"`
	Guesses    int           `json:"guesses,omitempty"` // that missed: what was looked for or compared is not so
	Times      int           `json:"times,omitempty"`   // refusals that the entry sums up; 0: it is of one
}

// Manifest binds what an import stored in the register; the hash's format is described in package register.
type Manifest struct {
	Kind string `json:"kind"`
	Rows int    `json:"rows"`
	Hash []byte `json:"hash"`
}

// Head is the size and root of a log.
type Head struct {
	Log  string `json:"log"`
	Size int64  `json:"size"`
	Root []byte `json:"root"`
}

// Encode salts the opening and returns its bytes and their hash.
func (o Opening) Encode() ([]byte, [sha256.Size]byte) {
	o.Salt = make([]byte, 16)
	rand.Read(o.Salt)
	b, err := json.Marshal(o)
	if err != nil {
		panic("ledger: an opening always encodes: " + err.Error())
	}
	return b, sha256.Sum256(b)
}

// ErrOpening says that bytes are not the opening of a leaf.
var ErrOpening = errors.New("ledger: not the opening of this leaf")

// DecodeOpening reads an opening's bytes and checks them against the leaf's hash; the error is ErrOpening.
func DecodeOpening(b []byte, hash [sha256.Size]byte) (Opening, error) {
	var o Opening
	if sha256.Sum256(b) != hash || json.Unmarshal(b, &o) != nil {
		return Opening{}, ErrOpening
	}
	return o, nil
}

// Package vaultclient has the vault's wire types and its client: all that the
// rest of the program knows of the vault.
//
// The wire is HTTP over TLS 1.3 with a client certificate, on a Unix socket or
// TCP. The certificate's key says which node calls; a session or a grant says
// for whom. Bodies are JSON; values of many rows travel as columns. Personal
// values are in the stored form of package person, never in a URL or header.
package vaultclient

import (
	"slices"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
)

// Auth says for whom a node calls: exactly one of Session, Grant and Machine is set.
type Auth struct {
	Session string   `json:"session,omitempty"` // a session token
	Grant   id.Grant `json:"grant,omitzero"`    // a job's
	Machine string   `json:"machine,omitempty"` // of a machine's session for one request, see Admit
	// Export names the file or print that what is read goes into: from then on it is a recipient beside the caller, and
	// who comes to hold it can be answered for.
	Export id.Export `json:"export,omitzero"`
}

// Code is the kind of an error.
type Code string

// The kinds of errors. Anything else that fails is Internal, its details only in the vault's own log.
const (
	Refused         Code = "refused"         // policy says no, or the ledger can't be written: nothing was revealed
	IsFrozen        Code = "frozen"          // it was stopped, until two people thaw it: nothing was revealed or changed
	Unauthenticated Code = "unauthenticated" // no such session or grant, or it has ended
	NotFound        Code = "not-found"
	Invalid         Code = "invalid"        // the request is malformed, over a limit, or a ciphertext does not open
	Conflict        Code = "conflict"       // it is there already, or in another state
	NeedsApproval   Code = "needs-approval" // it takes two people: propose it
	Internal        Code = "internal"
	OverBudget      Code = "over-budget" // permitted, but more than a budget leaves for now: nothing was revealed
)

// Error is what the vault answers when it does not do what was asked. It holds no personal data.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`

	// Of OverBudget: from when it is possible again, unless it is too much at once; whether the budget is the user's own, and
	// not a node's or an export's; and whether the user may go over it for a while.
	Again time.Time `json:"again,omitzero"`
	Own   bool      `json:"own,omitempty"`
	Glass bool      `json:"glass,omitempty"`
	// Scope is the kind of what is frozen, with code IsFrozen.
	Scope string `json:"scope,omitempty"`
}

func (e *Error) Error() string { return "vault: " + e.Message }

// Limits of one request.
const (
	MaxBody    = 256 << 20 // bytes of a request or answer
	MaxItems   = 200_000   // rows of Seal and Open, wearers of Reveal
	MaxPage    = 1000      // people on a page of Search
	MaxFieldLn = 4096      // bytes of one personal text
	MaxPad     = 1 << 16   // bytes that a value may be padded to a multiple of
)

// Kind is the kind of an organisation.
type Kind string

// The kinds of organisations.
const (
	HealthBoard     Kind = "health-board"
	NHSTrust        Kind = "nhs-trust"
	PrivateHospital Kind = "private-hospital"
	DentalPractice  Kind = "dental-practice"
	VetPractice     Kind = "veterinary-practice"
	Airport         Kind = "airport"
	OtherKind       Kind = "other"
)

// Organisation is an employer. Wearers and Current count its wearers, all and those employed today.
type Organisation struct {
	ID      id.Organisation `json:"id"`
	Name    string          `json:"name"`
	Kind    Kind            `json:"kind"`
	Wearers int             `json:"wearers"`
	Current int             `json:"current"`
	// Notice is who is told of a breach; nil: nobody is entered, or it is not the reader's business.
	Notice *NoticeContact `json:"notice,omitempty"`
}

// User is somebody who signs in. Name is personal, but colleagues see each other.
type User struct {
	ID            id.User           `json:"id"`
	Name          string            `json:"name"`
	Role          policy.Role       `json:"role"`
	Organisations []id.Organisation `json:"organisations,omitempty"` // empty: the whole service
	Wearers       []id.Wearer       `json:"wearers,omitempty"`       // who the user is as a wearer
	Until         day.Day           `json:"until,omitzero"`          // a contractor's last day, by the clock of London; zero: no end
	Purpose       policy.Purpose    `json:"purpose,omitempty"`       // a contractor's only purpose; empty: any
	Enrolled      bool              `json:"enrolled,omitempty"`      // has, or had, a passkey
	Ended         time.Time         `json:"ended,omitzero"`          // since when they may no longer sign in
	Frozen        []Scope           `json:"frozen,omitempty"`        // what of theirs is frozen now; only Whoami says so
	Incidents     []OpenIncident    `json:"incidents,omitempty"`     // suspected breaches that are not closed, of whom oversees; only Whoami says so

	// Of somebody who signs in by their organisation's own sign-in, and by nothing else: which, and since when it gives them no role any more.
	Provider id.Provider `json:"provider,omitzero"`
	Lapsed   time.Time   `json:"lapsed,omitzero"`
}

// ProviderRoles are the roles that an organisation's own sign-in can give, each of them for that organisation only.
var ProviderRoles = append(slices.Clone(policy.Tied), policy.RecordsOfficer)

// ClaimRule gives a role to those of whom an organisation's own sign-in says a value.
type ClaimRule struct {
	Value string      `json:"value"`
	Role  policy.Role `json:"role"`
}

// NewProvider describes an organisation's own sign-in (OpenID Connect).
type NewProvider struct {
	Organisation id.Organisation `json:"organisation"`
	Issuer       string          `json:"issuer"` // https, or http on loopback
	Client       string          `json:"client"` // as the provider knows this installation
	Secret       string          `json:"secret"`
	Name         string          `json:"name"`  // the claim that is somebody's name
	Claim        string          `json:"claim"` // whose values make roles: a text, or a list of texts
	Rules        []ClaimRule     `json:"rules"` // the first that matches counts
}

// Provider is an organisation's own sign-in, as lists show it.
type Provider struct {
	ID           id.Provider     `json:"id"`
	Organisation id.Organisation `json:"organisation"`
	Issuer       string          `json:"issuer"`
	Client       string          `json:"client"`
	Name         string          `json:"name"`
	Claim        string          `json:"claim"`
	Rules        []ClaimRule     `json:"rules"`
	Users        int             `json:"users"` // who have a role by it now
	Began        time.Time       `json:"began"`
	Ended        time.Time       `json:"ended,omitzero"`
}

// Session is a signed-in user on one node.
type Session struct {
	Token   string    `json:"token"`
	User    User      `json:"user"`
	Expires time.Time `json:"expires"`
}

// OpenSession is a session as lists show it.
type OpenSession struct {
	ID      string      `json:"id"` // names it, and opens nothing
	User    id.User     `json:"user"`
	Name    string      `json:"name"` // the user's
	Role    policy.Role `json:"role"`
	Node    string      `json:"node"`
	Began   time.Time   `json:"began"`
	Used    time.Time   `json:"used"`           // last
	Expires time.Time   `json:"expires"`        // at the latest
	This    bool        `json:"this,omitempty"` // the one that asks
}

// Change is what a staged wearer is to become, keyed by the organisation and the staff number (Identity.StaffNumber).
// An empty field of an existing wearer is left as it is.
type Change struct {
	Organisation id.Organisation
	Identity     person.Identity
	Contact      person.Contact
	NI           person.Value // only of classified people; refused otherwise
	From, To     string       // first and last day of employment, YYYY-MM-DD; To empty: employed
	Classified   bool
	SamePerson   id.Wearer // another wearer who is the same human being; zero: linked by NI number where both have one, else a new person

	// An existing wearer's last day of employment, or being classified, is left as it is: the source does not say.
	KeepTo, KeepClassified bool

	New     bool          // refused where a wearer has the staff number already
	Wearer  id.Wearer     // this wearer instead of the one of the staff number, which then changes too, unless it is empty
	Replace policy.Fields // of an existing wearer: become as they are here, even empty. A surname and a staff number never do
	// Invented: nobody, but a canary; see docs/security.md. Only the command line on the vault's machine may say so.
	Invented bool
	Also     policy.Fields // that change outside the vault with it, for the ledger's entry; it decides nothing
}

// Staged is what became of a Change.
type Staged struct {
	Wearer id.Wearer `json:"wearer"`
	State  string    `json:"state"` // new, changed, same
}

// Weighed is what staging a Change would do.
type Weighed struct {
	Wearer id.Wearer     `json:"wearer,omitzero"` // whom it is about, if somebody is known
	State  string        `json:"state"`           // new, changed, same, refused
	Reason string        `json:"reason,omitempty"`
	Fields policy.Fields `json:"fields,omitempty"` // that would be another than before
	Ends   bool          `json:"ends,omitempty"`   // somebody known gets a last day of employment, or another one
	Like   []Candidate   `json:"like,omitempty"`   // who somebody new may be; with SameNI they are going to be linked
	Twins  []int         `json:"twins,omitempty"`  // and which others further down the list, by place
}

// Manifest binds what an import stored in the register to the organisation's ledger; see package register.
type Manifest struct {
	Organisation id.Organisation `json:"organisation"`
	Kind         string          `json:"kind"` // people, dispatch, laboratory
	Rows         int             `json:"rows"`
	Hash         []byte          `json:"hash"` // SHA-256
}

// RevealRequest asks for fields of wearers.
type RevealRequest struct {
	Purpose policy.Purpose
	Fields  policy.Fields
	Wearers []id.Wearer
	Reason  string // free text of the user's; may be empty
}

// Record is what was revealed of one wearer; what was not asked for or is not held is empty.
// The employment facts come with every record.
type Record struct {
	Wearer       id.Wearer
	Organisation id.Organisation
	From, To     string // YYYY-MM-DD
	Current      bool
	Classified   bool
	Identity     person.Identity
	Contact      person.Contact
	NI           person.Value
}

// SearchRequest looks for wearers by name or staff number. An empty query lists everyone, by name.
// Order of words and accents do not matter; each word of the query must begin a word of the name.
type SearchRequest struct {
	Purpose      policy.Purpose
	Organisation id.Organisation // zero: all that the caller may search
	Query        person.Value
	Leavers      bool        // include those who have left
	Left         bool        // only those who have left
	Among        []id.Wearer // only these; empty: everybody
	NamesOnly    bool        // look in names alone, and reveal names alone: staff numbers are not the caller's to see
	Offset       int
	Limit        int // at most MaxPage
}

// SearchResult is a page of what was found; its names were revealed, and entered, for this page only.
type SearchResult struct {
	Total   int
	Records []Record // in order of surname, then forenames
}

// Comparison asks whether a label names a wearer. Empty values are not compared.
type Comparison struct {
	Wearer id.Wearer
	Name   person.Value // as it stands in a file: "SURNAME, FORENAME" or "Forename Surname"
	Birth  person.Value // YYYY-MM-DD
}

// Verdict is the answer to a Comparison: no name comes back.
type Verdict string

// The verdicts.
const (
	Same      Verdict = "same"
	Different Verdict = "different"
	NotGiven  Verdict = "not-given" // nothing to compare
)

// Context binds a sealed value to its place in the register: it opens there and nowhere else.
// With a Wearer the wearer's key of Class is used, else the organisation's.
type Context struct {
	Table        string // wearer, wear_period, reading, investigation, document …
	Row          id.Row
	Version      uint32
	Class        policy.Class // ClassEmployment when sealed for the organisation
	Organisation id.Organisation
	Wearer       id.Wearer // zero: sealed for the organisation
	Year         uint16    // calendar year of a dose, else 0
	Bind         []byte    // hash over the row's plain columns, or empty
	// Named: sealed for the organisation, since nobody may tell from the row whose it is; the value begins with the id of the wearer whom it is about (16 bytes).
	// Opening it is reading that wearer's dose, and is entered so.
	Named bool
}

// Item is one value to seal (Value is plaintext) or to open (Value is ciphertext). Pad is the length that a
// plaintext is padded to: its next multiple.
type Item struct {
	Context
	Value []byte
	Pad   int
}

// OpenRequest asks for many sealed values.
type OpenRequest struct {
	Purpose policy.Purpose
	Reason  string
	Items   []Item
	About   []id.Wearer // Named values of others stay closed, and come back empty; none: all are opened
}

// LookRequest asks for fields of wearers that the vault holds together with sealed values of the register, as one look at somebody:
// one entry in the ledger names all that was read of those wearers.
type LookRequest struct {
	OpenRequest
	Fields  policy.Fields
	Wearers []id.Wearer // whose fields; may be fewer than the values are of
}

// Look is the answer: the records in the order of the wearers, the values in the order of the items.
type Look struct {
	Records []Record
	Values  [][]byte
}

// Intake says what arrived from outside.
type Intake struct {
	Import  id.Import
	Source  string        // form, laboratory, hr
	SHA256  []byte        // of the file
	Bytes   int64         // of the file
	Rows    int           // 0 while unknown
	Sender  string        // who sent it, in the words of the one who loads it; an organisation or laboratory, not a person
	Via     string        // the node that received it before this one, if any
	Held    policy.Fields // what it holds of the wearers
	Wearers []id.Wearer   // whom it names, once known; entered in the ledgers of their organisations
	// About are organisations whose people it holds, those too whom nobody knows: whatever is opened of it is entered there.
	About []id.Organisation
}

// JobGrant asks for leave for a job: a worker redeems it with its own key.
type JobGrant struct {
	Purpose       policy.Purpose
	Fields        policy.Fields
	Organisations []id.Organisation // empty: those of the session
	MaxWearers    int               // different wearers, at most
	Import        id.Import         // the file or run that it is for
	Node          string            // the node that may use it, as in "worker"
	Lifetime      time.Duration
}

// MaxMachineWearers is the largest number of different people that a machine can have leave for.
const MaxMachineWearers = 100_000

// NewMachine is the body of a proposal of leave for a machine outside, such as an HR system. Once it was approved, the machine signs
// under the proposal's id.
type NewMachine struct {
	Name          string            `json:"name"` // the machine's, not a person's: it stands in ledgers
	Purpose       policy.Purpose    `json:"purpose"`
	Fields        policy.Fields     `json:"fields"`
	Organisations []id.Organisation `json:"organisations,omitempty"` // empty: all of the service
	MaxWearers    int               `json:"max_wearers"`             // different ones, ever
	Node          string            `json:"node"`                    // that it comes in by
	Ends          time.Time         `json:"ends"`                    // within a year
	Key           []byte            `json:"key"`                     // its Ed25519 public key, see ParseMachineKey
}

// Machine is a machine that has leave, or had it.
type Machine struct {
	ID            id.Grant          `json:"id"`
	Name          string            `json:"name"`
	Purpose       policy.Purpose    `json:"purpose"`
	Fields        policy.Fields     `json:"fields"`
	Organisations []id.Organisation `json:"organisations,omitempty"`
	MaxWearers    int               `json:"max_wearers"`
	Used          int               `json:"used"` // different wearers that it touched
	Node          string            `json:"node"`
	Ends          time.Time         `json:"ends"`
	Ended         time.Time         `json:"ended,omitzero"`
	By            string            `json:"by,omitempty"` // the user who gave it
}

// Work is what a machine is given leave for: a purpose and the fields that it needs.
type Work struct {
	Name    string // one word, as on the command line
	Purpose policy.Purpose
	Fields  policy.Fields
}

// Works are the kinds of machines, each with all the fields that it can use; readers may be given fewer.
var Works = []Work{
	{"doses", policy.AssessDose, policy.FieldName | policy.FieldStaffNumber | policy.FieldDose | policy.FieldEmployment},
	{"badges", policy.IssueBadges, policy.FieldName | policy.FieldStaffNumber | policy.FieldEmployment},
	{"laboratory", policy.AssessDose, policy.FieldName | policy.FieldBirth | policy.FieldSex | policy.FieldHealth | policy.FieldDose | policy.FieldDocument | policy.FieldEmployment},
	{"staff", policy.KeepRecords, policy.FieldName | policy.FieldBirth | policy.FieldSex | policy.FieldStaffNumber | policy.FieldRegistration | policy.FieldContact | policy.FieldHealth | policy.FieldDocument | policy.FieldEmployment},
	{"ledger", policy.Oversight, policy.FieldName},
}

// WorkOf returns what kind of work a machine's leave is for.
func (m Machine) WorkOf() Work {
	for _, w := range Works {
		if w.Purpose == m.Purpose && (w.Fields&policy.FieldDocument != 0) == (m.Fields&policy.FieldDocument != 0) {
			return w
		}
	}
	return Work{Purpose: m.Purpose, Fields: m.Fields}
}

// Recipient is who gets to read a field, as in "user:abc…", "node:web", "grant:…", "supplier:Cardiff Dosimetry".
type Recipient string

// Entry is one entry of a ledger.
type Entry struct {
	Log      string          `json:"log"` // installation, or <organisation>/<year>
	Seq      int64           `json:"seq"`
	Recorded time.Time       `json:"recorded"`
	Occurred time.Time       `json:"occurred"`
	Kind     string          `json:"kind"`  // see package ledger
	Basis    string          `json:"basis"` // gate, intake, declared
	Count    int             `json:"count"` // wearers
	Actor    string          `json:"actor"` // name of the user, where the reader may see it, else role
	Role     string          `json:"role,omitempty"`
	Node     string          `json:"node,omitempty"`
	Purpose  policy.Purpose  `json:"purpose,omitempty"`
	Fields   policy.Fields   `json:"fields,omitempty"`
	Rule     string          `json:"rule,omitempty"`
	Policy   string          `json:"policy,omitempty"` // version of the policies by whose rule
	Reason   string          `json:"reason,omitempty"`
	Erased   bool            `json:"erased,omitempty"` // the opening is gone
	Wearers  []id.Wearer     `json:"wearers,omitempty"`
	Org      id.Organisation `json:"organisation,omitzero"`
}

// LedgerRequest asks for a page of an organisation's ledger, newest first.
type LedgerRequest struct {
	Organisation id.Organisation `json:"organisation"`
	Offset       int             `json:"offset,omitempty"`
	Limit        int             `json:"limit"`
	Wearer       id.Wearer       `json:"wearer,omitzero"`   // only what names this wearer
	Changes      bool            `json:"changes,omitempty"` // and of that only what changed, not who looked
}

// Candidate is somebody who may be one human being with somebody else.
type Candidate struct {
	Wearer       id.Wearer       `json:"wearer"`
	Organisation id.Organisation `json:"organisation"`
	Why          person.Likeness `json:"why"`
}

// Pair is two wearers who may be one human being.
type Pair struct {
	One, Other Candidate // with the same Why
}

// PairsRequest asks for a page of pairs of wearers who may be one human being, the likeliest first.
type PairsRequest struct {
	Organisation id.Organisation `json:"organisation,omitzero"` // pairs with a wearer of it; zero: all that the caller may match
	Offset       int             `json:"offset,omitempty"`
	Limit        int             `json:"limit"` // at most MaxPage
}

// PairsPage is a page of pairs. Those on it were entered as having been told.
type PairsPage struct {
	Total int    `json:"total"`
	Pairs []Pair `json:"pairs"`
}

// LedgerPage is a page of entries.
type LedgerPage struct {
	Total   int     `json:"total"`
	Entries []Entry `json:"entries"`
}

// SeenRequest asks who has seen what of a wearer.
type SeenRequest struct {
	Wearer id.Wearer `json:"wearer"`
	Offset int       `json:"offset,omitempty"`
	Limit  int       `json:"limit"` // at most MaxPage
}

// Seen sums up what one party did with a wearer's data on one day by the clock of London, in one way and for one purpose.
type Seen struct {
	Day     string         `json:"day"`   // YYYY-MM-DD
	Kind    string         `json:"kind"`  // see package ledger
	Basis   string         `json:"basis"` // gate, intake, declared
	Actor   string         `json:"actor"` // as in Entry
	Role    string         `json:"role,omitempty"`
	Purpose policy.Purpose `json:"purpose,omitempty"`
	Fields  policy.Fields  `json:"fields,omitempty"`
	Times   int            `json:"times"` // entries
	First   time.Time      `json:"first"`
	Last    time.Time      `json:"last"`
}

// SeenPage is a page of who has seen what, the newest first.
type SeenPage struct {
	Organisation id.Organisation `json:"organisation"` // the wearer's
	Total        int             `json:"total"`
	Seen         []Seen          `json:"seen"`
}

// ExposureRequest asks what became readable to a recipient in a window [From, To).
type ExposureRequest struct {
	Recipient Recipient `json:"recipient"` // "" : to anybody
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	List      bool      `json:"list,omitempty"`   // person by person
	Proofs    bool      `json:"proofs,omitempty"` // the entries
	// Also are more recipients and windows: who became readable by any of them is counted once.
	Also []Hypothesis `json:"also,omitempty"`
	// Began is when somebody else may have had it first; zero: nobody knows. What a recipient had destroyed before, as Less says, is no longer what it
	// can lose, and is listed apart.
	Began time.Time     `json:"began,omitzero"`
	Less  []Destruction `json:"less,omitempty"`
}

// Windows are all the recipients and windows that are asked about.
func (r ExposureRequest) Windows() []Hypothesis {
	return append([]Hypothesis{{Recipient: r.Recipient, From: r.From, To: r.To, Began: r.Began}}, r.Also...)
}

// ExposureCell counts the wearers of one organisation of whom exactly these fields became readable on one basis.
type ExposureCell struct {
	Organisation id.Organisation `json:"organisation"`
	Basis        string          `json:"basis"` // gate, intake, declared
	Fields       policy.Fields   `json:"fields"`
	Wearers      int             `json:"wearers"`
}

// Exposure is one wearer's.
type Exposure struct {
	Wearer       id.Wearer       `json:"wearer"`
	Organisation id.Organisation `json:"organisation"`
	Basis        string          `json:"basis"`
	Fields       policy.Fields   `json:"fields"`
	Years        []uint16        `json:"years,omitempty"` // calendar years of dose
	First        time.Time       `json:"first"`
	Last         time.Time       `json:"last"`
	Entries      int             `json:"entries"`
}

// EntryRef names one entry as a proof: leaf hash and place.
type EntryRef struct {
	Log      string    `json:"log"`
	Seq      int64     `json:"seq"`
	Recorded time.Time `json:"recorded"`
	LeafHash []byte    `json:"leaf_hash"`
}

// Exposures is the answer.
type Exposures struct {
	Wearers int            `json:"wearers"` // different wearers, all bases together
	People  int            `json:"people"`  // different people
	Cells   []ExposureCell `json:"cells"`
	List    []Exposure     `json:"list,omitempty"`
	// Destroyed is what was taken off, person by person if a list was asked for. A wearer of whom only some was destroyed stands in both.
	Destroyed []Exposure `json:"destroyed,omitempty"`
	Proofs    []EntryRef `json:"proofs,omitempty"`
}

// Declaration records what a recipient held of wearers before dosevault, or outside it.
type Declaration struct {
	Import    id.Import
	Recipient Recipient
	From, To  time.Time
	SHA256    []byte // of the file that says so
	Rows      []DeclaredRow
}

// DeclaredRow is one wearer's part.
type DeclaredRow struct {
	Wearer id.Wearer     `json:"wearer"`
	Fields policy.Fields `json:"fields"`
	Years  []uint16      `json:"years,omitempty"`
}

// StaffKey finds a wearer by organisation and staff number.
type StaffKey struct {
	Organisation id.Organisation
	StaffNumber  person.Value
}

// NewUser describes a user to create.
type NewUser struct {
	Name          string            `json:"name"`
	Role          policy.Role       `json:"role"`
	Organisations []id.Organisation `json:"organisations,omitempty"`
	Wearers       []id.Wearer       `json:"wearers,omitempty"`
	Until         day.Day           `json:"until,omitzero"`    // today or later; zero: no end
	Purpose       policy.Purpose    `json:"purpose,omitempty"` // empty: any
}

// Group is the group of the law's dose limits that a wearer belongs to.
type Group string

// The groups of IRR17 Schedule 3.
const (
	Adult   Group = "adult"   // employee of 18 or over
	Trainee Group = "trainee" // under 18, in training
	Other   Group = "other"   // any other person
)

// LinkedWearer is one of the wearers of a human being, with what the evaluation of doses needs to know of it.
type LinkedWearer struct {
	Wearer       id.Wearer       `json:"wearer"`
	Organisation id.Organisation `json:"organisation"`
	Group        Group           `json:"group"`
	Reproductive bool            `json:"reproductive,omitempty"` // woman of reproductive capacity: the abdomen's limit applies
	Classified   bool            `json:"classified,omitempty"`
}

// TagItem asks for a keyed hash over the person behind a wearer and a label, as in "investigation/effective/2026".
// The same person, organisation and label give the same 16 bytes whichever of the person's wearers is named;
// without the vault's key the hash tells nothing. It is for UNIQUE constraints.
type TagItem struct {
	Organisation id.Organisation `json:"organisation"`
	Wearer       id.Wearer       `json:"wearer"`
	Label        string          `json:"label"`
}

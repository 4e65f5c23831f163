package vaultclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
)

// Config says where the vault is and who calls.
type Config struct {
	Address string            // unix:/path/vault.sock, or host:port
	Key     tls.Certificate   // the node's own
	Vault   *x509.Certificate // the vault's; no other is spoken to
}

// Client calls a vault. It is safe for concurrent use.
type Client struct{ conns *conns }

// ErrUnavailable says that the vault could not be reached, or went away before it answered.
var ErrUnavailable = errors.New("the vault is not reachable")

// New returns a client. It connects when it is first used.
func New(c Config) *Client {
	conf := &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{c.Key}, DynamicRecordSizingDisabled: true,
		// The vault is known by its key, not by a name that somebody vouches for.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || !bytes.Equal(s.PeerCertificates[0].RawSubjectPublicKeyInfo, c.Vault.RawSubjectPublicKeyInfo) {
				return errors.New("this is not the vault whose certificate the node was given")
			}
			return nil
		},
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	network, address := "tcp", c.Address
	if path, ok := strings.CutPrefix(c.Address, "unix:"); ok {
		network, address = "unix", path
	}
	return &Client{&conns{dial: func(ctx context.Context) (*conn, error) {
		raw, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		over := tls.Client(raw, conf)
		if err := over.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, err
		}
		return newConn(raw, over), nil
	}}}
}

// Close gives up the client's idle connections.
func (c *Client) Close() { c.conns.close() }

// call does one request; out may be nil.
func call[T any](ctx context.Context, c *Client, method string, auth Auth, body T, out any) error {
	b, err := NewBody(Call[T]{auth, body}, &body)
	if err != nil {
		return fmt.Errorf("encoding a request to the vault: %w", err)
	}
	status, contentType, answer, err := c.conns.post(ctx, method, b)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w: %s: %w", ErrUnavailable, method, err)
	}
	if status >= 400 {
		e := &Error{}
		if json.Unmarshal(answer, e) != nil || e.Code == "" {
			return &Error{Code: Internal, Message: fmt.Sprintf("status %d", status)}
		}
		return e
	}
	if out == nil {
		return nil
	}
	if err := Decode(answer, contentType, out, out, false); err != nil {
		return &Error{Code: Internal, Message: "the vault's answer can't be read"}
	}
	return nil
}

// RedeemCode begins a session with a one-time code that the vault's own origin made for this node.
func (c *Client) RedeemCode(ctx context.Context, code string) (s Session, err error) {
	err = call(ctx, c, "redeem-code", Auth{}, WireSecret{code}, &s)
	return s, err
}

// RedeemLink begins a session with a one-time link's secret.
func (c *Client) RedeemLink(ctx context.Context, secret string) (s Session, err error) {
	err = call(ctx, c, "redeem-link", Auth{}, WireSecret{secret}, &s)
	return s, err
}

// SignOut ends the session.
func (c *Client) SignOut(ctx context.Context, auth Auth) error {
	return call(ctx, c, "sign-out", auth, struct{}{}, nil)
}

// Whoami returns the signed-in user.
func (c *Client) Whoami(ctx context.Context, auth Auth) (u User, err error) {
	err = call(ctx, c, "whoami", auth, struct{}{}, &u)
	return u, err
}

// Organisations lists the organisations that the caller works with, in order of name.
func (c *Client) Organisations(ctx context.Context, auth Auth) (out []Organisation, err error) {
	err = call(ctx, c, "organisations", auth, struct{}{}, &out)
	return out, err
}

// CreateOrganisations creates organisations, all or none; Name and Kind are used. Ids come in the same order.
func (c *Client) CreateOrganisations(ctx context.Context, auth Auth, orgs []Organisation) (ids []id.Organisation, err error) {
	err = call(ctx, c, "create-organisations", auth, orgs, &ids)
	return ids, err
}

// ChangeOrganisation gives an organisation another name or kind.
func (c *Client) ChangeOrganisation(ctx context.Context, auth Auth, o Organisation) error {
	return call(ctx, c, "change-organisation", auth, o, nil)
}

// CreateUsers creates users, all or none. Ids come in the same order.
func (c *Client) CreateUsers(ctx context.Context, auth Auth, users []NewUser) (ids []id.User, err error) {
	err = call(ctx, c, "create-users", auth, users, &ids)
	return ids, err
}

// Users lists who may sign in, by name, for whoever manages the installation.
func (c *Client) Users(ctx context.Context, auth Auth) (out []User, err error) {
	err = call(ctx, c, "users", auth, struct{}{}, &out)
	return out, err
}

// NewLink makes a one-time sign-in link for a user and returns its secret.
func (c *Client) NewLink(ctx context.Context, auth Auth, user id.User) (secret string, err error) {
	err = call(ctx, c, "new-link", auth, user, &secret)
	return secret, err
}

// Stage keeps changes of wearers under an import until it is confirmed or discarded: all of them or, with an error, none.
func (c *Client) Stage(ctx context.Context, auth Auth, n id.Import, changes []Change) (out []Staged, err error) {
	err = call(ctx, c, "stage", auth, wireStage(n, changes), &out)
	return out, err
}

func wireStage(n id.Import, changes []Change) WireStage {
	w := WireStage{n, make([]WireChange, len(changes))}
	for i, ch := range changes {
		w.Changes[i] = ch.Wire()
	}
	return w
}

// Span is how long somebody wore badges: the first and last day.
type Span struct {
	First day.Day `json:"first"`
	Last  day.Day `json:"last"`
}

// Invent makes up people who have left an organisation, to be staged as they are: canaries. The i-th was there while badges were
// worn as long as worn[i]; those beyond are made without. With n 0 it makes as many as the organisation lacks by default, perhaps
// none. Only the command line on the vault's machine may ask.
func (c *Client) Invent(ctx context.Context, auth Auth, org id.Organisation, n int, worn []Span) ([]Change, error) {
	var w []WireChange
	if err := call(ctx, c, "invent", auth, WireInvent{org, n, worn}, &w); err != nil {
		return nil, err
	}
	out := make([]Change, len(w))
	for i := range w {
		var err error
		if out[i], err = w[i].Change(); err != nil {
			return nil, &Error{Code: Internal, Message: "the vault's answer can't be read"}
		}
	}
	return out, nil
}

// Weigh says what staging changes would do, one answer for each, and keeps none of them.
func (c *Client) Weigh(ctx context.Context, auth Auth, n id.Import, changes []Change) (out []Weighed, err error) {
	err = call(ctx, c, "weigh", auth, wireStage(n, changes), &out)
	return out, err
}

// Confirm makes an import's staged changes real and enters its manifests. It may be repeated.
func (c *Client) Confirm(ctx context.Context, auth Auth, n id.Import, manifests []Manifest) error {
	return call(ctx, c, "confirm", auth, WireConfirm{n, manifests}, nil)
}

// Discard drops an import's staged changes. It may be repeated.
func (c *Client) Discard(ctx context.Context, auth Auth, n id.Import) error {
	return call(ctx, c, "discard", auth, WireConfirm{Import: n}, nil)
}

// Pending lists the imports that wait to be confirmed or discarded.
func (c *Client) Pending(ctx context.Context) (out []id.Import, err error) {
	err = call(ctx, c, "pending", Auth{}, struct{}{}, &out)
	return out, err
}

// FindStaff finds wearers by organisation and staff number, in order; a zero id where there is none.
func (c *Client) FindStaff(ctx context.Context, auth Auth, purpose policy.Purpose, keys []StaffKey) ([]id.Wearer, error) {
	w := WireStaff{Purpose: purpose, Orgs: make([]byte, 0, 16*len(keys)), Numbers: make([]string, len(keys))}
	for i, k := range keys {
		w.Orgs = append(w.Orgs, k.Organisation[:]...)
		w.Numbers[i] = k.StaffNumber.Expose()
	}
	return wearers(ctx, c, "find-staff", auth, w)
}

// FindNI finds classified wearers by their whole NI number.
func (c *Client) FindNI(ctx context.Context, auth Auth, purpose policy.Purpose, ni person.Value) ([]id.Wearer, error) {
	return wearers(ctx, c, "find-ni", auth, WireNI{purpose, ni.Expose()})
}

func wearers[T any](ctx context.Context, c *Client, method string, auth Auth, body T) ([]id.Wearer, error) {
	var b []byte
	if err := call(ctx, c, method, auth, body, &b); err != nil {
		return nil, err
	}
	out := make([]id.Wearer, len(b)/16)
	for i := range out {
		copy(out[i][:], b[16*i:])
	}
	return out, nil
}

// Reveal reads fields of wearers, in order.
func (c *Client) Reveal(ctx context.Context, auth Auth, r RevealRequest) ([]Record, error) {
	var w WireRecords
	if err := call(ctx, c, "reveal", auth, WireReveal{r.Purpose, r.Fields, WireList(r.Wearers), r.Reason}, &w); err != nil {
		return nil, err
	}
	return records(w)
}

func records(w WireRecords) ([]Record, error) {
	recs, err := w.Records()
	if err != nil {
		return nil, &Error{Code: Internal, Message: "the vault's answer can't be read"}
	}
	return recs, nil
}

// Search looks for wearers and reveals one page of names.
func (c *Client) Search(ctx context.Context, auth Auth, r SearchRequest) (SearchResult, error) {
	var w WireSearchResult
	if err := call(ctx, c, "search", auth, WireSearch{r.Purpose, r.Organisation, r.Query.Expose(), r.Leavers, r.Left, WireList(r.Among), r.NamesOnly, r.Offset, r.Limit}, &w); err != nil {
		return SearchResult{}, err
	}
	recs, err := records(w.Records)
	return SearchResult{w.Total, recs}, err
}

// Match returns the wearers who may be one human being with somebody who is to be taken on, the likeliest first.
func (c *Client) Match(ctx context.Context, auth Auth, org id.Organisation, identity person.Identity, ni person.Value) (out []Candidate, err error) {
	err = call(ctx, c, "match", auth, WireMatch{org, identity.Encode(), ni.Expose()}, &out)
	return out, err
}

// Pairs returns a page of pairs of wearers who may be one human being and are not linked.
func (c *Client) Pairs(ctx context.Context, auth Auth, r PairsRequest) (p PairsPage, err error) {
	err = call(ctx, c, "pairs", auth, r, &p)
	return p, err
}

// LinkPersons makes two wearers, with all that are linked to either, one human being.
func (c *Client) LinkPersons(ctx context.Context, auth Auth, one, other id.Wearer) error {
	return call(ctx, c, "link-persons", auth, WireLink{one, other}, nil)
}

// TellApart remembers that two wearers are two human beings. Where they were linked, the first leaves the link.
func (c *Client) TellApart(ctx context.Context, auth Auth, one, other id.Wearer) error {
	return call(ctx, c, "tell-apart", auth, WireLink{one, other}, nil)
}

// EndUser ends a user's access: sessions, links and the grants that they gave. Their name stays for the ledger.
func (c *Client) EndUser(ctx context.Context, auth Auth, user id.User) error {
	return call(ctx, c, "end-user", auth, user, nil)
}

// Sessions lists the caller's own sessions, or with all everybody's, which is entered; the last used first.
func (c *Client) Sessions(ctx context.Context, auth Auth, all bool) (out []OpenSession, err error) {
	err = call(ctx, c, "sessions", auth, WireSessions{all}, &out)
	return out, err
}

// EndSession ends a session at once, by the id that lists show.
func (c *Client) EndSession(ctx context.Context, auth Auth, session string) error {
	return call(ctx, c, "end-session", auth, session, nil)
}

// AddProvider adds an organisation's own sign-in. It is for the node cli.
func (c *Client) AddProvider(ctx context.Context, auth Auth, p NewProvider) (n id.Provider, err error) {
	err = call(ctx, c, "add-provider", auth, p, &n)
	return n, err
}

// Providers lists the organisations' own sign-ins, the newest first. It is for the node cli.
func (c *Client) Providers(ctx context.Context, auth Auth) (out []Provider, err error) {
	err = call(ctx, c, "providers", auth, struct{}{}, &out)
	return out, err
}

// EndProvider ends an organisation's own sign-in, and the access of whoever signs in by it. It is for the node cli.
func (c *Client) EndProvider(ctx context.Context, auth Auth, n id.Provider) error {
	return call(ctx, c, "end-provider", auth, n, nil)
}

// Compare says of labels whether they name their wearers, in order.
func (c *Client) Compare(ctx context.Context, auth Auth, purpose policy.Purpose, items []Comparison) (out []Verdict, err error) {
	names, births := make([][]byte, len(items)), make([][]byte, len(items))
	w := WireCompare{Purpose: purpose, Wearers: make([]byte, 0, 16*len(items))}
	for i, it := range items {
		w.Wearers = append(w.Wearers, it.Wearer[:]...)
		names[i], births[i] = []byte(it.Name.Expose()), []byte(it.Birth.Expose())
	}
	w.Names, w.Births = Join(names), Join(births)
	err = call(ctx, c, "compare", auth, w, &out)
	return out, err
}

// Linked returns, for each wearer, every wearer of the same human being, itself included.
func (c *Client) Linked(ctx context.Context, auth Auth, purpose policy.Purpose, ws []id.Wearer) (out [][]LinkedWearer, err error) {
	err = call(ctx, c, "linked", auth, WireWearers{purpose, WireList(ws)}, &out)
	return out, err
}

// Tags returns a keyed hash of 16 bytes for each item.
func (c *Client) Tags(ctx context.Context, auth Auth, purpose policy.Purpose, items []TagItem) (out [][]byte, err error) {
	err = call(ctx, c, "tags", auth, WireTags{purpose, items}, &out)
	return out, err
}

// Seal seals values for the register, in order.
func (c *Client) Seal(ctx context.Context, auth Auth, purpose policy.Purpose, items []Item) ([][]byte, error) {
	return values(ctx, c, "seal", auth, WireItemsOf(purpose, "", items), len(items))
}

// Reseal seals values for another version of their row, without showing them: items as they are, to their new places
// with the length that each is padded to, in the same order.
func (c *Client) Reseal(ctx context.Context, auth Auth, purpose policy.Purpose, items, to []Item) ([][]byte, error) {
	return values(ctx, c, "reseal", auth, WireReseal{WireItemsOf(purpose, "", items), WireItemsOf(purpose, "", to)}, len(items))
}

// Open opens values of the register, in order.
func (c *Client) Open(ctx context.Context, auth Auth, r OpenRequest) ([][]byte, error) {
	return values(ctx, c, "open", auth, r.wire(), len(r.Items))
}

func (r OpenRequest) wire() WireItems {
	w := WireItemsOf(r.Purpose, r.Reason, r.Items)
	w.About = WireList(r.About)
	return w
}

// Look reads fields of wearers and opens values of the register at once.
func (c *Client) Look(ctx context.Context, auth Auth, r LookRequest) (Look, error) {
	var w WireLooked
	if err := call(ctx, c, "look", auth, WireLook{r.Fields, WireList(r.Wearers), r.wire()}, &w); err != nil {
		return Look{}, err
	}
	recs, err := records(w.Records)
	if err != nil {
		return Look{}, err
	}
	values, err := w.Values.Split()
	if err != nil || len(values) != len(r.Items) || len(recs) != len(r.Wearers) {
		return Look{}, &Error{Code: Internal, Message: "the vault's answer can't be read"}
	}
	return Look{recs, values}, nil
}

func values[T any](ctx context.Context, c *Client, method string, auth Auth, w T, n int) ([][]byte, error) {
	if n == 0 {
		return nil, nil
	}
	var out WireValues
	if err := call(ctx, c, method, auth, w, &out); err != nil {
		return nil, err
	}
	split, err := out.Split()
	if err != nil || len(split) != n {
		return nil, &Error{Code: Internal, Message: "the vault's answer can't be read"}
	}
	return split, nil
}

// Intake enters that personal data arrived from outside.
func (c *Client) Intake(ctx context.Context, auth Auth, in Intake) error {
	return call(ctx, c, "intake", auth, WireIntake{in.Import, in.Source, in.SHA256, in.Bytes, in.Rows, in.Sender, in.Via, in.Held, WireList(in.Wearers), in.About}, nil)
}

// GrantJob gives a node leave for one file or run.
func (c *Client) GrantJob(ctx context.Context, auth Auth, j JobGrant) (g id.Grant, err error) {
	err = call(ctx, c, "grant-job", auth, j, &g)
	return g, err
}

// Machines lists the machines that have leave or had it, for whoever manages the installation.
func (c *Client) Machines(ctx context.Context, auth Auth) (out []Machine, err error) {
	err = call(ctx, c, "machines", auth, struct{}{}, &out)
	return out, err
}

// EndMachine ends a machine's leave at once.
func (c *Client) EndMachine(ctx context.Context, auth Auth, n id.Grant) error {
	return call(ctx, c, "end-machine", auth, n, nil)
}

// Delivered lists the imports that the calling machine delivered, in no order.
func (c *Client) Delivered(ctx context.Context, auth Auth) (out []id.Import, err error) {
	err = call(ctx, c, "delivered", auth, struct{}{}, &out)
	return out, err
}

// Self returns the machine that calls. Code Unauthenticated: the session is none, or its leave has ended.
func (c *Client) Self(ctx context.Context, auth Auth) (m Machine, err error) {
	err = call(ctx, c, "self", auth, struct{}{}, &m)
	return m, err
}

// Ledger reads a page of an organisation's ledger, newest first.
func (c *Client) Ledger(ctx context.Context, auth Auth, r LedgerRequest) (p LedgerPage, err error) {
	err = call(ctx, c, "ledger", auth, r, &p)
	return p, err
}

// Seen answers who has seen what of a wearer, a page at a time.
func (c *Client) Seen(ctx context.Context, auth Auth, r SeenRequest) (p SeenPage, err error) {
	err = call(ctx, c, "seen", auth, r, &p)
	return p, err
}

// Exposures answers what became readable to a recipient in a window.
func (c *Client) Exposures(ctx context.Context, auth Auth, r ExposureRequest) (x Exposures, err error) {
	err = call(ctx, c, "exposures", auth, r, &x)
	return x, err
}

// Budgets says what the caller read in the last day, and how much that may be.
func (c *Client) Budgets(ctx context.Context, auth Auth) (b Budgets, err error) {
	err = call(ctx, c, "budgets", auth, struct{}{}, &b)
	return b, err
}

// AllBudgets says what everybody read in the last day, for whoever administers the installation.
func (c *Client) AllBudgets(ctx context.Context, auth Auth) (out []Budgets, err error) {
	err = call(ctx, c, "all-budgets", auth, struct{}{}, &out)
	return out, err
}

// SetBudget gives a party another budget: a lower one at once. Raising one takes two people.
func (c *Client) SetBudget(ctx context.Context, auth Auth, b NewBudget) error {
	return call(ctx, c, "set-budget", auth, b, nil)
}

// BreakGlass doubles the caller's budget for an hour, once in 24 hours. It is entered with the reason, and alarmed.
func (c *Client) BreakGlass(ctx context.Context, auth Auth, reason string) (b Budgets, err error) {
	err = call(ctx, c, "break-glass", auth, reason, &b)
	return b, err
}

// Declare enters what a recipient held of wearers outside dosevault. It may be repeated with the same Import.
func (c *Client) Declare(ctx context.Context, auth Auth, d Declaration) error {
	return call(ctx, c, "declare", auth, d, nil)
}

// Checkpoint returns a log's latest signed checkpoint; "installation" names the log that is over all others.
func (c *Client) Checkpoint(ctx context.Context, log string) (cp []byte, err error) {
	err = call(ctx, c, "checkpoint", Auth{}, log, &cp)
	return cp, err
}

// NodeConfig reads a node's key and the vault's certificate from the key directory's nodes/.
func NodeConfig(keys, node, address string) (Config, error) {
	base := filepath.Join(keys, "nodes")
	key, err := tls.LoadX509KeyPair(filepath.Join(base, node+".crt"), filepath.Join(base, node+".key"))
	if err != nil {
		return Config{}, fmt.Errorf("reading the key of node %s: %w", node, err)
	}
	b, err := os.ReadFile(filepath.Join(base, "vault.crt"))
	if err != nil {
		return Config{}, fmt.Errorf("reading the vault's certificate: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return Config{}, errors.New("nodes/vault.crt holds no certificate")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return Config{}, fmt.Errorf("reading the vault's certificate: %w", err)
	}
	return Config{Address: address, Key: key, Vault: cert}, nil
}

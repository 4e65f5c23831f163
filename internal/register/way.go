package register

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// How a badge goes its way: ordered → issued → returned → sent → read. All of it stands in the clear, names no wearer,
// and is moved by co-ordinators, and by supervisors for their own organisations.

// Movement is a step of a badge on its way.
type Movement struct {
	Barcode string
	From    BadgeState
	To      BadgeState
	At      time.Time
	By      id.User   // zero: a list said so
	Undone  time.Time // when it was taken back; zero: it stands
}

// Numbered returns the number of each movement among its badge's, from 1.
func Numbered(ms []Movement) []int {
	last := make(map[string]int, len(ms))
	out := make([]int, len(ms))
	for i := range ms {
		last[ms[i].Barcode]++
		out[i] = last[ms[i].Barcode]
	}
	return out
}

// Badge is a wear period with what is known of its return.
type Badge struct {
	PeriodRow // State is Read where a report has come
	// Returned is when it came back. Zero: not yet, or nobody scanned it.
	Returned time.Time
}

// BadgeFilter picks badges of one organisation.
type BadgeFilter struct {
	Organisation id.Organisation
	Batch        string  // "": any
	From, To     day.Day // the first and last day on which a wear period may end
}

// ReturnClass says how a badge came back.
type ReturnClass int

// How a badge came back. A badge that was sent or read without a scan is back, but nobody knows since when.
const (
	NotBack ReturnClass = iota
	InTime
	Late
	BackUnknown
)

// ReturnDays is how many days after the last day of its period a badge is still returned in time.
// It is this service's convention, not the law's.
const ReturnDays = 14

// BadgeCount counts the wearers' badges that have all of this in common; control badges are left out.
type BadgeCount struct {
	Organisation id.Organisation
	Batch        string
	Starts, Ends day.Day
	State        BadgeState // Read where a report has come
	Return       ReturnClass
	N            int
}

// BadgeStore keeps how far badges have come.
type BadgeStore interface {
	// MoveBadges moves those of the badges that are in m.From, and of which no report has come, to m.To, keeps m of each,
	// and returns their barcodes in the order given. Two callers at once move a badge once.
	MoveBadges(ctx context.Context, m Movement, barcodes []string) ([]string, error)
	// UndoMove takes back a badge's last standing movement and its state with it. ErrState: there is none, it led to
	// another state than the badge is in, or somebody else made it, or it was made before since.
	UndoMove(ctx context.Context, barcode string, by id.User, since, now time.Time) error
	// Movements returns a badge's movements, those taken back too, in order.
	Movements(ctx context.Context, barcode string) ([]Movement, error)
	// MovementsBy returns a user's newest standing movements to a state, made at or after since, newest first, and how many there are.
	MovementsBy(ctx context.Context, by id.User, to BadgeState, since time.Time, most int) (list []Movement, total int, err error)
	// Badges returns an organisation's badges in order of their period's last day, then barcode.
	Badges(ctx context.Context, f BadgeFilter) ([]Badge, error)
	// BadgeCounts counts badges whose periods end from..to, of one organisation or, with a zero id, of all, in no order.
	BadgeCounts(ctx context.Context, org id.Organisation, from, to day.Day) ([]BadgeCount, error)
}

// String returns the state in a word.
func (b BadgeState) String() string {
	if words := [...]string{"", "ordered", "issued", "returned", "sent", "read"}; b > 0 && int(b) < len(words) {
		return words[b]
	}
	return "unknown"
}

// Answer is what a scan found.
type Answer string

// The answers.
const (
	ReturnedNow    Answer = "returned"
	ReturnedBefore Answer = "returned-before"
	UnknownBadge   Answer = "unknown" // also another organisation's, so that a scan tells nothing of it
	NotIssued      Answer = "not-issued"
	NotReturned    Answer = "not-returned" // of a look that moves nothing
	SentBefore     Answer = "sent"
	ReadBefore     Answer = "read"
)

// Scan is the answer to one scanned barcode. It names nobody.
type Scan struct {
	Answer
	Badge
	On day.Day // when it was returned, or sent, before; zero: not known
}

// CleanBarcode takes off what hand scanners and typists add: spaces, control characters, a symbology's mark (]C1).
func CleanBarcode(s string) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r == '\u007f' || r == '\u00a0' || r == '\ufeff' {
			return -1
		}
		return r
	}, s)
	if len(s) > 3 && s[0] == ']' {
		s = s[3:]
	}
	return s
}

// handles returns the organisations whose badges the caller moves: all that they work with, or none by their role.
func (s *Service) handles(ctx context.Context, auth vaultclient.Auth) (vaultclient.User, map[id.Organisation]bool, error) {
	user, err := s.Vault.Whoami(ctx, auth)
	if err != nil || !slices.Contains([]policy.Role{policy.Coordinator, policy.Supervisor, policy.Local}, user.Role) {
		return user, nil, err
	}
	orgs, err := s.Vault.Organisations(ctx, auth)
	if err != nil {
		return user, nil, err
	}
	mine := make(map[id.Organisation]bool, len(orgs))
	for _, o := range orgs {
		mine[o.ID] = true
	}
	return user, mine, nil
}

// errNoBadge says that there is no such badge, or none that the caller works with.
var errNoBadge = &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such badge"}

// find finds a badge by a scanned or typed barcode, as it is or in capitals.
func (s *Service) find(ctx context.Context, mine map[id.Organisation]bool, text string) (Badge, error) {
	code := CleanBarcode(text)
	if code == "" || !plain(code) {
		return Badge{}, errNoBadge
	}
	found, err := s.Store.Periods(ctx, slices.Compact([]string{code, strings.ToUpper(code)}))
	if err != nil {
		return Badge{}, err
	}
	slices.SortFunc(found, func(a, b Result) int { return strings.Compare(b.Barcode, a.Barcode) }) // small letters first
	for _, f := range found {
		if mine[f.Organisation] {
			return Badge{PeriodRow: f.PeriodRow}, nil
		}
	}
	return Badge{}, errNoBadge
}

// Return takes a scanned badge back, and says what it was.
func (s *Service) Return(ctx context.Context, auth vaultclient.Auth, text string) (Scan, error) {
	user, mine, err := s.handles(ctx, auth)
	if err != nil {
		return Scan{}, err
	}
	b, err := s.find(ctx, mine, text)
	if errors.Is(err, errNoBadge) {
		return Scan{Answer: UnknownBadge}, nil
	}
	if err != nil {
		return Scan{}, err
	}
	if b.State == Issued {
		m := Movement{From: Issued, To: Returned, At: s.Now(), By: user.ID}
		moved, err := s.Store.MoveBadges(ctx, m, []string{b.Barcode})
		if err != nil {
			return Scan{}, err
		}
		if len(moved) == 1 {
			b.State, b.Returned = Returned, m.At
			return Scan{Answer: ReturnedNow, Badge: b, On: s.today()}, nil
		}
		// Somebody else was faster.
		if b, err = s.find(ctx, mine, b.Barcode); err != nil {
			return Scan{}, err
		}
	}
	return s.scanned(ctx, b)
}

// Look says where a scanned badge is, and moves nothing.
func (s *Service) Look(ctx context.Context, auth vaultclient.Auth, text string) (Scan, error) {
	_, mine, err := s.handles(ctx, auth)
	if err != nil {
		return Scan{}, err
	}
	b, err := s.find(ctx, mine, text)
	if errors.Is(err, errNoBadge) {
		return Scan{Answer: UnknownBadge}, nil
	}
	if err != nil {
		return Scan{}, err
	}
	return s.scanned(ctx, b)
}

// scanned says of a badge what a scan that moves nothing finds.
func (s *Service) scanned(ctx context.Context, b Badge) (Scan, error) {
	out := Scan{Badge: b, Answer: NotIssued}
	switch b.State {
	case Issued:
		out.Answer = NotReturned
	case Returned:
		out.Answer = ReturnedBefore
	case Sent:
		out.Answer = SentBefore
	case Read:
		out.Answer = ReadBefore
	}
	way, err := s.Store.Movements(ctx, b.Barcode)
	for _, m := range way {
		if !m.Undone.IsZero() {
			continue
		}
		if m.To == Returned {
			out.Returned = m.At
		}
		if m.To == b.State {
			out.On = day.At(m.At.UTC())
		}
	}
	return out, err
}

// midnight is the first instant of today.
func (s *Service) midnight() time.Time { return s.today().Time() }

// UndoReturn takes back a return: only the user who made it, on the same day, and nothing that came after it.
func (s *Service) UndoReturn(ctx context.Context, auth vaultclient.Auth, barcode string) error {
	user, mine, err := s.handles(ctx, auth)
	if err != nil {
		return err
	}
	b, err := s.find(ctx, mine, barcode)
	if err != nil {
		return err
	}
	if b.State != Returned {
		return ErrState
	}
	return s.Store.UndoMove(ctx, b.Barcode, user.ID, s.midnight(), s.Now())
}

// Scanned are a user's own returns of today.
type Scanned struct {
	Last  []Badge // newest first
	Today int
}

// Scanned returns the newest of the caller's returns of today.
func (s *Service) Scanned(ctx context.Context, auth vaultclient.Auth, most int) (Scanned, error) {
	user, mine, err := s.handles(ctx, auth)
	if err != nil || len(mine) == 0 {
		return Scanned{}, err
	}
	moves, total, err := s.Store.MovementsBy(ctx, user.ID, Returned, s.midnight(), most)
	if err != nil || total == 0 {
		return Scanned{}, err
	}
	barcodes := make([]string, len(moves))
	for i, m := range moves {
		barcodes[i] = m.Barcode
	}
	found, err := s.Store.Periods(ctx, barcodes)
	if err != nil {
		return Scanned{}, err
	}
	by := make(map[string]PeriodRow, len(found))
	for _, f := range found {
		by[f.Barcode] = f.PeriodRow
	}
	out := Scanned{Today: total}
	for _, m := range moves {
		out.Last = append(out.Last, Badge{PeriodRow: by[m.Barcode], Returned: m.At})
	}
	return out, nil
}

// keptMonths is how far back lists of badges look: what has not come back two years after its period is lost.
const keptMonths = 24

// MoveBatch moves an organisation's badges on, those of one batch or, with "", of all: to Issued what is ordered, to Sent
// what is returned. It returns how many were moved.
func (s *Service) MoveBatch(ctx context.Context, auth vaultclient.Auth, org id.Organisation, batch string, to BadgeState) (int, error) {
	from, ok := map[BadgeState]BadgeState{Issued: Ordered, Sent: Returned}[to]
	if !ok {
		return 0, wrong("badges can be issued or sent together; they are returned one by one, by scanning")
	}
	user, mine, err := s.handles(ctx, auth)
	if err != nil {
		return 0, err
	}
	if !mine[org] {
		return 0, errNoBadge
	}
	all, err := s.Store.Badges(ctx, BadgeFilter{Organisation: org, Batch: batch, From: s.today().AddMonths(-keptMonths), To: endOfDays})
	if err != nil {
		return 0, err
	}
	var barcodes []string
	for _, b := range all {
		if b.State == from {
			barcodes = append(barcodes, b.Barcode)
		}
	}
	if len(barcodes) == 0 {
		return 0, nil
	}
	moved, err := s.Store.MoveBadges(ctx, Movement{From: from, To: to, At: s.Now(), By: user.ID}, barcodes)
	return len(moved), err
}

// endOfDays is after every wear period.
var endOfDays = day.Of(2200, 1, 1)

// Unreturned returns an organisation's badges that were not back at the end of a day, though their period had ended
// before it, the longest overdue first.
func (s *Service) Unreturned(ctx context.Context, auth vaultclient.Auth, org id.Organisation, on day.Day) ([]Badge, error) {
	_, mine, err := s.handles(ctx, auth)
	if err != nil {
		return nil, err
	}
	if !mine[org] {
		return nil, errNoBadge
	}
	all, err := s.Store.Badges(ctx, BadgeFilter{Organisation: org, From: on.AddMonths(-keptMonths), To: on - 1})
	return slices.DeleteFunc(all, func(b Badge) bool {
		if b.Returned.IsZero() {
			return b.State != Issued
		}
		return day.At(b.Returned.UTC()) <= on
	}), err
}

// BadgeCounts counts the badges whose periods end between two days, of one organisation or, with a zero id, of all that
// the caller handles.
func (s *Service) BadgeCounts(ctx context.Context, auth vaultclient.Auth, org id.Organisation, from, to day.Day) ([]BadgeCount, error) {
	_, mine, err := s.handles(ctx, auth)
	if err != nil {
		return nil, err
	}
	if !org.IsZero() && !mine[org] {
		return nil, errNoBadge
	}
	all, err := s.Store.BadgeCounts(ctx, org, from, to)
	return slices.DeleteFunc(all, func(c BadgeCount) bool { return !mine[c.Organisation] }), err
}

// Way is a badge's way so far.
type Way struct {
	Badge
	Listed   time.Time  // when the list that brought it was loaded
	Steps    []Movement // in order, those taken back too
	Reported time.Time  // when the laboratory's first report on it was loaded; zero: none
}

// BadgeWay returns a badge's way. It names nobody. Code NotFound: there is no such badge, or none that the caller handles.
func (s *Service) BadgeWay(ctx context.Context, auth vaultclient.Auth, barcode string) (*Way, error) {
	_, mine, err := s.handles(ctx, auth)
	if err != nil {
		return nil, err
	}
	found, err := s.Store.Periods(ctx, []string{barcode})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 || !mine[found[0].Organisation] {
		return nil, errNoBadge
	}
	out := &Way{Badge: Badge{PeriodRow: found[0].PeriodRow}}
	im, err := s.Store.Import(ctx, out.Import)
	if err != nil {
		return nil, err
	}
	out.Listed = im.Created
	if reports := found[0].Reports; len(reports) > 0 {
		if im, err = s.Store.Import(ctx, reports[0].Import); err != nil {
			return nil, err
		}
		out.Reported = im.Created
	}
	out.Steps, err = s.Store.Movements(ctx, barcode)
	return out, err
}

// Worn opens what wear periods say of where badges are worn, in order.
func (s *Service) Worn(ctx context.Context, auth vaultclient.Auth, reason string, badges []Badge) ([]Wear, error) {
	items := make([]vaultclient.Item, len(badges))
	for i := range badges {
		items[i] = vaultclient.Item{Context: badges[i].context(), Value: badges[i].Sealed}
	}
	opened, err := s.open(ctx, auth, policy.IssueBadges, reason, items)
	if err != nil {
		return nil, err
	}
	out := make([]Wear, len(opened))
	for i, b := range opened {
		if out[i], err = decodeWear(b); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Spare is a badge out of the drawer for somebody who joins within a period: it is known from its issue on.
type Spare struct {
	Barcode  string
	Period   Period
	Wearer   id.Wearer // of the period's organisation
	Position dose.Position
}

// ErrBarcode says that a barcode is none, or is another badge's.
var ErrBarcode = errors.New("the barcode is none, or another badge's")

// IssueSpare issues a spare badge to a wearer. It enters the register as a list of one badge, with its entry in the
// ledger, so that nobody can give it to somebody else afterwards. ErrBarcode: it can't be a spare's.
func (s *Service) IssueSpare(ctx context.Context, auth vaultclient.Auth, x Spare) (barcode string, err error) {
	_, mine, err := s.handles(ctx, auth)
	if err != nil {
		return "", err
	}
	if !mine[x.Period.Organisation] || x.Wearer.IsZero() {
		return "", errNoBadge
	}
	code := CleanBarcode(x.Barcode)
	if code == "" || !plain(code) {
		return "", ErrBarcode
	}
	there, err := s.Store.Periods(ctx, slices.Compact([]string{code, strings.ToUpper(code)}))
	if err != nil {
		return "", err
	}
	if len(there) > 0 {
		return "", ErrBarcode
	}
	_, err = s.Dispatch(ctx, auth, []Dispatched{{Barcode: code, Batch: x.Period.Batch, State: Issued, Organisation: x.Period.Organisation, Wearer: x.Wearer,
		Position: x.Position, From: x.Period.From, To: x.Period.To}}, "spare badge")
	if errors.Is(err, ErrExists) { // somebody was faster
		err = ErrBarcode
	}
	return code, err
}

package vault

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// A canary is an invented wearer of an organisation who has left. Nobody's work leads to one, so whoever opens its record, or
// puts it into an export, is a thief, or somebody who clicked on a name. A person has to sign in again, and is frozen when
// they open another one within a month; a machine or job is frozen at the first. Which wearers are canaries stands in their
// sealed facts, and nowhere else. Being shown in a list is no hit, since whoever looks through the leavers passes them all; but
// whoever is shown those of many organisations in a day is asked too.

// maxInvented is how many canaries are invented at once.
const maxInvented = 500

// The rules of the refusals with which a first hit is entered, and lists of too many.
const (
	signInAgain = "sign-in-again"
	seenTooMany = "sign-in-again:lists"
)

var (
	inventedSurnames  = []string{"Jones", "Williams", "Davies", "Evans", "Thomas", "Roberts", "Lewis", "Hughes", "Morgan", "Griffiths", "Edwards", "Owen", "Smith", "Brown", "Taylor", "Wilson", "Walker", "Wright", "Robinson", "Green", "Harris", "Clarke", "Patel", "Khan", "Bowen", "Pritchard", "Rees", "Parry", "Lloyd", "James"}
	inventedForenames = map[string][]string{
		"F": {"Catrin", "Sarah", "Emma", "Rhian", "Helen", "Claire", "Sian", "Karen", "Laura", "Nicola", "Bethan", "Rebecca", "Joanne", "Angharad", "Priya", "Lowri", "Alison", "Julie"},
		"M": {"David", "Gareth", "Paul", "Andrew", "Rhys", "Mark", "Huw", "Stephen", "Michael", "Owain", "Richard", "Matthew", "Simon", "Ieuan", "Imran", "Peter", "Neil", "Daniel"},
	}
)

// draw returns a random number below n.
func draw(n int) int {
	k, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // unreachable: the system's random numbers never fail
	}
	return int(k.Int64())
}

// defaultCanaries is how many canaries an organisation has by default with so many who have really left: one for each twenty of
// them, so that whoever opens their records one by one meets the first after some twenty. Who works in a small one knows everybody
// who was there, and would wonder: it has none.
func defaultCanaries(left int) int {
	if left < 20 {
		return 0
	}
	return min(max((left+19)/20, 2), maxInvented)
}

// Invent makes up people who have left an organisation, with staff numbers such as its others have. Nothing is kept of them:
// who staged them as invented plants them. With n 0 it makes those that the organisation lacks by default.
func (v *Vault) Invent(ctx context.Context, c Caller, org id.Organisation, n int, worn []vaultclient.Span) ([]vaultclient.Change, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := v.permitInvented(ctx, c, p); err != nil {
		return nil, err
	}
	if n < 0 || n > maxInvented || len(worn) > maxInvented {
		return nil, invalid("at most %d people can be invented at once", maxInvented)
	}
	today := v.today()
	for _, w := range worn {
		if w.First > w.Last || w.First < day.Of(1900, time.January, 1) || w.Last >= today-1 {
			return nil, invalid("whoever is invented wore badges from one day to a later one, and no more since yesterday")
		}
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	o := v.state.organisations[org]
	if o == nil {
		return nil, &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such organisation"}
	}
	if n == 0 {
		there := 0
		for w := range v.state.canaries {
			if v.state.wearers[w].facts.Organisation == org {
				there++
			}
		}
		n = max(0, defaultCanaries(len(o.roll.wearers)-o.roll.currentOn(today, v.state.wearers)-there)-there)
	}
	out := make([]vaultclient.Change, 0, n)
	taken := map[string]bool{}
	for tries := 0; len(out) < n; tries++ {
		number := v.state.likeStaffNumber(org, o.roll.wearers, tries/200) // where few are free, a longer one is
		if _, known := v.state.staff[staffKey{org, number}]; known || taken[number] {
			continue
		}
		taken[number] = true
		sex := []string{"F", "M"}[draw(2)]
		left := today - day.Day(60+draw(900))
		from := left - day.Day(200+draw(4000))
		if i := len(out); i < len(worn) { // there before the first badge, and gone within a month of the last
			left = min(worn[i].Last+1+day.Day(draw(30)), today-1)
			from = worn[i].First - day.Day(draw([]int{60, 4000}[draw(2)]))
		}
		born := from.AddMonths(-12*(20+draw(30))) - day.Day(draw(365))
		out = append(out, vaultclient.Change{Organisation: org, New: true, Invented: true, From: from.String(), To: left.String(), Identity: person.Identity{
			Surname: person.NewValue(inventedSurnames[draw(len(inventedSurnames))]), Forenames: person.NewValue(inventForenames(sex)),
			Birth: person.NewValue(born.String()), Sex: person.NewValue(sex), StaffNumber: person.NewValue(number)}})
	}
	return out, nil
}

// inventForenames returns one name, and as often as not a second one.
func inventForenames(sex string) string {
	all := inventedForenames[sex]
	first, second := all[draw(len(all))], all[draw(len(all))]
	if first == second || draw(2) == 0 {
		return first
	}
	return first + " " + second
}

// likeStaffNumber makes up a staff number of the pattern of somebody's: other digits where that has digits, but for the first
// two, which often mean something; and so many digits more.
func (s *state) likeStaffNumber(org id.Organisation, wearers []id.Wearer, more int) string {
	like := ""
	if len(wearers) > 0 {
		like = s.wearers[wearers[draw(len(wearers))]].identity.StaffNumber.Expose()
	}
	b, digits := []byte(like), 0
	for i, c := range b {
		if c >= '0' && c <= '9' {
			if digits++; digits > 2 || len(b) < 4 {
				b[i] = byte('0' + draw(10))
			}
		}
	}
	if digits < 3 {
		return strconv.Itoa(10_000_000 + draw(90_000_000))
	}
	for range more {
		b = append(b, byte('0'+draw(10)))
	}
	return string(b)
}

// permitInvented asks whether a caller may plant canaries: on the vault's own machine, by its command line, so that no node
// learns who they are, and only who administers the installation.
func (v *Vault) permitInvented(ctx context.Context, c Caller, p *principal) error {
	if c.Node != "cli" {
		return refused("people are invented by the command line on the vault's machine, and nowhere else")
	}
	_, _, err := v.permit(ctx, p, ask{action: policy.Administer, purpose: policy.KeepRecords})
	return err
}

// What of an ask a canary is held against, see docs/security.md:
//
//   - opened: a record of its own (one wearer and more than their employment), a field that no list shows, doses of a few people,
//     an export, or by a grant anything that says who somebody is;
//   - listed: a name or staff number beside others'. That scores for a user.
const (
	listFields = policy.FieldName | policy.FieldStaffNumber | policy.FieldSex | policy.FieldDose | policy.FieldEmployment
	saysWho    = policy.FieldName | policy.FieldBirth | policy.FieldStaffNumber | policy.FieldRegistration | policy.FieldNI | policy.FieldContact
	// fewDoses is of how many people doses are opened at once that is no page of an employer's year yet.
	fewDoses = 6
)

// opens reports whether an ask about so many wearers opens their records, and lists whether it only shows their names beside
// each other. An ask may do neither.
func (p *principal) opens(kind ledger.Kind, fields policy.Fields, purpose policy.Purpose, wearers int) (opens, lists bool) {
	switch {
	case kind != ledger.Reveal && kind != ledger.Search, fields&^policy.FieldEmployment == 0:
		return false, false
	case p.grant != nil && p.grant.isStanding() && purpose == policy.BreachNotice: // two people have agreed on it
		return false, false
	case p.grant != nil && !p.Machine: // an evaluation sums everybody, and learns of nobody who it is
		return fields&saysWho != 0, false
	case slices.ContainsFunc(p.recipients, func(r string) bool { return strings.HasPrefix(r, "export:") }):
		return true, false
	case kind == ledger.Search:
		return fields&policy.FieldNI != 0, fields&saysWho != 0
	case wearers == 1, fields&^listFields != 0, fields&policy.FieldDose != 0 && wearers < fewDoses:
		return true, false
	}
	return false, fields&(policy.FieldName|policy.FieldStaffNumber) != 0
}

// Bounds of what is kept of a first hit.
const (
	tripKept = 30 * 24 * time.Hour // that it counts
	mostHit  = 4                   // canaries that one ask may open and still be a first hit
)

// trip is a user's first hit: the canaries that they may open again once they have signed in anew.
type trip struct {
	at       time.Time
	canaries []id.Wearer
}

// sightings are the canaries that users were shown in lists, in the window of the budgets; the committer's.
type sightings struct {
	by     map[id.User]*counter
	warned map[id.User]uint32 // the hour of the last alarm
	asked  map[id.User]uint32 // the hour in which the passkey was asked for
}

func newSightings() sightings {
	return sightings{map[id.User]*counter{}, map[id.User]uint32{}, map[id.User]uint32{}}
}

// count counts canaries that a user was shown in a list, and returns how many different ones that are by now.
func (s *sightings) count(u id.User, hour, now uint32, canaries []id.Wearer) int {
	c := s.by[u]
	if c == nil {
		c = newCounter(now)
		s.by[u] = c
	}
	c.roll(now)
	c.count(hour, 1, canaries)
	return c.total[0]
}

// seenLimits are how many different canaries a user may be shown in lists in a day before an alarm, and before the passkey is
// asked for: those of three organisations and of six, by the one of theirs that has most.
func (s *state) seenLimits(p *principal) (alarm, ask int) {
	of, most := map[id.Organisation]int{}, 0
	for n := range s.canaries {
		if org := s.wearers[n].facts.Organisation; len(p.Organisations) == 0 || slices.Contains(p.Organisations, org) {
			of[org]++
			most = max(most, of[org])
		}
	}
	return max(10, 3*most), max(20, 6*most)
}

// canariesOf returns the canaries among the wearers of an ask. It allocates nothing while there are none.
func (s *state) canariesOf(parties []*party) (found []id.Wearer) {
	if len(s.canaries) == 0 {
		return nil
	}
	for _, of := range parties {
		for _, w := range of.wearers {
			if s.canaries[w] {
				found = append(found, w)
			}
		}
	}
	return found
}

// canary holds an ask against the canaries. caught is what the caller is told instead of an answer; what it takes (an entry, an
// alarm, a freeze, the end of sessions) is part of the commit then, and the ask itself is not entered as a reveal.
func (t *tx) canary(p *principal, a ask, parties []*party, kind ledger.Kind, fields policy.Fields) (caught, err error) {
	found := t.v.state.canariesOf(parties)
	if len(found) == 0 {
		return nil, nil
	}
	n := 0
	for _, of := range parties {
		n += len(of.wearers)
	}
	opens, lists := p.opens(kind, fields, a.purpose, n)
	switch {
	case opens:
		return t.opened(p, a, parties, found)
	case lists && p.grant == nil:
		return t.listed(p, a, parties, found)
	}
	return nil, nil
}

// opened is what becomes of whoever opens canaries: a grant is frozen, a person signs in again, and is frozen the second time.
func (t *tx) opened(p *principal, a ask, parties []*party, found []id.Wearer) (caught, err error) {
	v := t.v
	scope, again := vaultclient.UserScope(p.User), false
	if p.grant != nil {
		scope = vaultclient.GrantScope(p.Grant)
		if !p.machine.IsZero() { // what it passed on falls with it
			scope = vaultclient.GrantScope(p.machine)
		}
	} else {
		first, hit := v.trips[p.User]
		again = hit && t.now.Sub(first.at) < tripKept
		known := func(w id.Wearer) bool { return slices.Contains(first.canaries, w) }
		if again && p.session != nil && p.session.Began >= first.at.UnixMicro() && !slices.ContainsFunc(found, func(w id.Wearer) bool { return !known(w) }) {
			return nil, nil // they have signed in again since
		}
	}
	freeze := p.grant != nil || again || len(found) > mostHit
	rule := signInAgain
	if freeze {
		rule = "frozen:" + scope.Kind()
	}
	o := ledger.Opening{User: p.User, Role: p.Role, Grant: p.Grant, Node: p.node, Subject: string(scope)}
	var org id.Organisation // whose officer is told too
	if len(parties) == 1 {
		org = parties[0].org
	}
	kept := found
	if freeze {
		kept = nil
	}
	if err := t.refuse(p, a, parties, rule, vaultclient.AlarmCanaryOpened, org, o, kept); err != nil {
		return nil, err
	}
	if freeze {
		return errFrozen(scope), t.freeze(scope, "an invented person's record was opened", id.User{})
	}
	t.dropSessions(p.User)
	hit := trip{t.now, found}
	t.apply(func(*state) {
		v.trips[p.User] = hit
		v.dropCodes(p.User)
	})
	return errUnauthenticated, nil
}

// listed scores canaries that a list shows.
func (t *tx) listed(p *principal, a ask, parties []*party, found []id.Wearer) (caught, err error) {
	s, hour := &t.v.sightings, hourOf(t.now)
	n := s.count(p.User, hour, hour, found)
	alarm, most := t.v.state.seenLimits(p)
	o := ledger.Opening{User: p.User, Role: p.Role, Node: p.node, Subject: string(vaultclient.UserScope(p.User)), Reason: fmt.Sprintf("%d were shown in lists in 24 hours", n)}
	recent := func(m map[id.User]uint32) bool { at, ok := m[p.User]; return ok && at+spanHours > hour }
	switch {
	case n > most && !recent(s.asked):
		s.asked[p.User], s.warned[p.User] = hour, hour
		t.dropSessions(p.User)
		t.apply(func(*state) { t.v.dropCodes(p.User) })
		return errUnauthenticated, t.refuse(p, a, parties, seenTooMany, vaultclient.AlarmCanarySeen, id.Organisation{}, o, nil)
	case n > alarm && !recent(s.warned):
		s.warned[p.User] = hour
		return nil, t.raise(vaultclient.AlarmCanarySeen, id.Organisation{}, o)
	}
	return nil, nil
}

// refuse enters a refusal in the ledgers of all whom the ask was about, so that an entry does not tell which of many was the
// canary, and raises the alarm. The alarm's row keeps the canaries of a first hit.
func (t *tx) refuse(p *principal, a ask, parties []*party, rule string, kind vaultclient.AlarmKind, org id.Organisation, alarm ledger.Opening, canaries []id.Wearer) error {
	for _, of := range parties {
		o := t.v.opening(p, a)
		o.Fields, o.Wearers, o.Rule, o.Policy = a.fields, of.wearers, rule, of.policy.Version()
		e, err := t.v.seal(entry{org: of.org, kind: ledger.Refuse, basis: ledger.Gate, count: len(of.wearers)}, o)
		if err != nil {
			return err
		}
		t.append(e)
	}
	return t.raiseOf(kind, org, alarm, canaries)
}

// loadTrips takes the first hits from the alarms that they raised.
func (v *Vault) loadTrips() {
	for _, a := range v.state.alarms {
		if at := time.UnixMicro(a.Last).UTC(); a.Kind == vaultclient.AlarmCanaryOpened && len(a.Canaries) > 0 && at.After(v.trips[a.By].at) {
			v.trips[a.By] = trip{at, a.Canaries}
		}
	}
}

// countSightings counts, at the start, what an entry of the last day showed in a list, as it was counted when it was made.
func (v *Vault) countSightings(e opened, now uint32) {
	o, hour := e.opening, hourOf(e.leaf.Recorded)
	if e.leaf.Kind == ledger.Refuse && o.Rule == seenTooMany {
		v.sightings.asked[o.User], v.sightings.warned[o.User] = max(v.sightings.asked[o.User], hour), hour
	}
	if !o.Grant.IsZero() || len(v.state.canaries) == 0 {
		return
	}
	p := &principal{recipients: o.Recipients}
	if _, lists := p.opens(e.leaf.Kind, o.Fields, policy.Purpose(o.Purpose), len(o.Wearers)); !lists {
		return
	}
	if found := v.state.canariesOf([]*party{{wearers: o.Wearers}}); len(found) > 0 {
		v.sightings.count(o.User, hour, now, found)
	}
}

// checkInvented refuses what would not pass for somebody who left.
func checkInvented(row stagedChange, today day.Day) error {
	if !row.New || row.Facts.To.IsZero() || row.Facts.To >= today || len(row.NI) > 0 || row.Facts.Classified {
		return fmt.Errorf("an invented person is new, has left, and is not classified")
	}
	return nil
}

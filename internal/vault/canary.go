package vault

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"
	"strconv"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// A canary is an invented wearer of an organisation who has left. Nobody's work leads to one, so whoever opens its record, or
// puts it into an export, is a thief, or somebody who clicked on a name. A person has to sign in again, and is frozen when
// they open another one; a machine or job is frozen at the first. Which wearers are canaries stands in their sealed facts, and
// nowhere else. Being shown in a list is no hit: whoever looks through the leavers passes them all.

// maxInvented is how many canaries are invented at once.
const maxInvented = 500

// signInAgain is the rule of the refusal with which a first hit is entered.
const signInAgain = "sign-in-again"

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

// Invent makes up people who have left an organisation, with staff numbers such as its others have. Nothing is kept of them:
// who staged them as invented plants them.
func (v *Vault) Invent(ctx context.Context, c Caller, org id.Organisation, n int) ([]vaultclient.Change, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := v.permitInvented(ctx, c, p); err != nil {
		return nil, err
	}
	if n < 1 || n > maxInvented {
		return nil, invalid("1 to %d people can be invented at once", maxInvented)
	}
	today := v.today()
	v.mu.RLock()
	defer v.mu.RUnlock()
	o := v.state.organisations[org]
	if o == nil {
		return nil, &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such organisation"}
	}
	out := make([]vaultclient.Change, 0, n)
	taken := map[string]bool{}
	for len(out) < n {
		number := v.state.likeStaffNumber(org, o.roll.wearers)
		if _, known := v.state.staff[staffKey{org, number}]; known || taken[number] {
			continue
		}
		taken[number] = true
		sex := []string{"F", "M"}[draw(2)]
		left := today - day.Day(60+draw(900))
		from := left - day.Day(200+draw(4000))
		born := from.AddMonths(-12*(20+draw(30))) - day.Day(draw(365))
		out = append(out, vaultclient.Change{Organisation: org, New: true, Invented: true, From: from.String(), To: left.String(), Identity: person.Identity{
			Surname: person.NewValue(inventedSurnames[draw(len(inventedSurnames))]), Forenames: person.NewValue(inventedForenames[sex][draw(len(inventedForenames[sex]))]),
			Birth: person.NewValue(born.String()), Sex: person.NewValue(sex), StaffNumber: person.NewValue(number)}})
	}
	return out, nil
}

// likeStaffNumber makes up a staff number of the pattern of somebody's: other digits where that has digits, but for the first
// two, which often mean something.
func (s *state) likeStaffNumber(org id.Organisation, wearers []id.Wearer) string {
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

// trip is the first canary that an ask opened, and what has to be done.
type trip struct {
	wearer id.Wearer
	org    id.Organisation
	freeze bool
}

func (*trip) Error() string { return "a canary was opened" }

// canary finds whether an ask opens a canary: somebody's own record, or an export. The error is a *trip.
func (t *tx) canary(p *principal, a ask, parties []*party, kind ledger.Kind, fields policy.Fields) error {
	v := t.v
	if len(v.state.canaries) == 0 || kind != ledger.Reveal && kind != ledger.Search || fields&^policy.FieldEmployment == 0 || a.purpose == policy.BreachNotice {
		return nil
	}
	n := 0
	for _, of := range parties {
		n += len(of.wearers)
	}
	exported := slices.ContainsFunc(p.recipients, func(r string) bool { return len(r) > 7 && r[:7] == "export:" })
	if n != 1 && !exported || kind == ledger.Search && n == 1 && !exported && a.fields&policy.FieldNI == 0 {
		return nil
	}
	for _, of := range parties {
		for _, w := range of.wearers {
			if !v.state.canaries[w] {
				continue
			}
			before, hit := v.trips[p.User]
			if p.grant == nil && hit && before == w {
				continue // they have signed in again since
			}
			return &trip{w, of.org, p.grant != nil || hit}
		}
	}
	return nil
}

// spring does what a trip asks for, and enters it, before anything is answered.
func (v *Vault) spring(ctx context.Context, p *principal, a ask, tr *trip) error {
	o := v.opening(p, a)
	o.Fields, o.Wearers, o.Rule = a.fields, []id.Wearer{tr.wearer}, signInAgain
	scope := vaultclient.UserScope(p.User)
	if p.grant != nil {
		scope = vaultclient.GrantScope(p.Grant)
	}
	if tr.freeze {
		o.Rule = "frozen:" + scope.Kind()
	}
	err := v.commit(ctx, func(t *tx) error {
		e, err := v.seal(entry{org: tr.org, kind: ledger.Refuse, basis: ledger.Gate, count: 1}, o)
		if err != nil {
			return err
		}
		t.append(e)
		if err := t.raise(vaultclient.AlarmCanaryOpened, tr.org, ledger.Opening{User: p.User, Role: p.Role, Grant: p.Grant, Node: p.node, Subject: string(scope)}); err != nil {
			return err
		}
		if tr.freeze {
			return t.freeze(scope, "an invented person's record was opened", id.User{})
		}
		t.dropSession(p.token)
		t.apply(func(*state) { v.trips[p.User] = tr.wearer })
		return nil
	})
	if err != nil {
		return hideCommitError(err)
	}
	if tr.freeze {
		return errFrozen(scope)
	}
	return errUnauthenticated
}

// checkInvented refuses what would not pass for somebody who left.
func checkInvented(row stagedChange, today day.Day) error {
	if !row.New || row.Facts.To.IsZero() || row.Facts.To >= today || len(row.NI) > 0 || row.Facts.Classified {
		return fmt.Errorf("an invented person is new, has left, and is not classified")
	}
	return nil
}

package vault_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// A service of the size of the one that was breached in 2016, by organisation; two in five have left.
var serviceSizes = []int{900, 700, 500, 400, 300, 250, 200, 120, 53, 300, 250, 200, 150, 120, 100, 80, 60, 40, 23, 20}

// staffed is an organisation with whoever is there, has left, and was invented.
type staffed struct {
	id                    id.Organisation
	there, left, invented []id.Wearer
	doses                 map[id.Wearer]vc.Item
}

func (o *staffed) all() []id.Wearer { return slices.Concat(o.there, o.left, o.invented) }

// service is a house with all of them and the default number of canaries.
type service struct {
	*house
	*clock
	rnd                     *rand.Rand
	orgs                    []*staffed
	demands, freezes, opens int
}

func newService(t *testing.T) *service {
	s := &service{clock: clockAt(time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)), rnd: rand.New(rand.NewPCG(4, 766))}
	s.house = newHouseAt(t, s.clock.now)
	for n, size := range serviceSizes {
		o := &staffed{id: s.organisation(fmt.Sprintf("Sefydliad %d", n)), doses: map[id.Wearer]vc.Item{}}
		changes := make([]vc.Change, size)
		for i := range changes {
			c := &changes[i]
			*c = vc.Change{Organisation: o.id, From: "2018-01-01", Classified: i%20 == 3, Contact: person.Contact{Email: person.NewValue(fmt.Sprintf("p%d@org%d.example", i, n))},
				Identity: person.Identity{Surname: person.NewValue(fmt.Sprintf("Invented%c%c", 'a'+i*7%26, 'a'+i/26%26)), Forenames: person.NewValue("Person"), StaffNumber: person.NewValue(fmt.Sprintf("%02d%06d", n, 100_000+i*13)), Birth: person.NewValue("1980-02-03"), Sex: person.NewValue("F")}}
			if i%5 < 2 {
				c.To = "2023-06-30"
			}
		}
		for i, w := range s.taken(changes) {
			if i%5 < 2 {
				o.left = append(o.left, w)
			} else {
				o.there = append(o.there, w)
			}
		}
		if made := must(s.v.Invent(t.Context(), vault.Caller{Node: "cli", Auth: s.root}, o.id, 0, nil)); len(made) > 0 {
			o.invented = s.taken(made)
		}
		items := make([]vc.Item, 0, size)
		for _, w := range o.all() {
			items = append(items, vc.Item{Context: vc.Context{Table: "reading", Row: id.New[id.Row](), Version: 1, Class: policy.ClassDose, Organisation: o.id, Wearer: w, Year: 2022}, Value: []byte("x")})
		}
		for i, b := range must(s.v.Seal(t.Context(), vault.Caller{Node: "cli", Auth: s.root}, policy.AssessDose, items)) {
			items[i].Value = b
			o.doses[items[i].Wearer] = items[i]
		}
		s.orgs = append(s.orgs, o)
	}
	return s
}

func (s *service) taken(changes []vc.Change) []id.Wearer {
	s.t.Helper()
	n, c := id.New[id.Import](), vault.Caller{Node: "cli", Auth: s.root}
	staged := must(s.v.Stage(s.t.Context(), c, n, changes))
	if err := s.v.Confirm(s.t.Context(), c, n, nil); err != nil {
		s.t.Fatal(err)
	}
	ws := make([]id.Wearer, len(staged))
	for i := range staged {
		ws[i] = staged[i].Wearer
	}
	return ws
}

// worker is somebody at work. What they ask for goes on after they had to sign in again.
type worker struct {
	*service
	name string
	role policy.Role
	c    vault.Caller
}

func (s *service) employ(name string, role policy.Role, orgs ...*staffed) *worker {
	s.t.Helper()
	u := vc.NewUser{Name: name, Role: role}
	for _, o := range orgs {
		u.Organisations = append(u.Organisations, o.id)
	}
	if role == policy.Wearer {
		u.Organisations, u.Wearers = nil, orgs[0].there[:1]
	}
	return &worker{s, name, role, vault.Caller{Node: "web", Auth: s.signIn("web", u)}}
}

func (w *worker) signIn() { w.c.Auth = w.again(w.name) }

// ask asks until it was answered, and counts what stood in the way.
func (w *worker) ask(what string, fn func() error) {
	w.t.Helper()
	w.opens++
	for range 3 {
		switch err := fn(); code(err) {
		case "":
			if err != nil {
				w.t.Fatalf("%s, %s: %v", w.name, what, err)
			}
			return
		case vc.Unauthenticated:
			w.demands++
			w.signIn()
		case vc.IsFrozen:
			w.freezes++
			w.t.Errorf("%s, %s: %v", w.name, what, err)
			return
		default:
			w.t.Fatalf("%s, %s: %v", w.name, what, err)
		}
	}
}

func (w *worker) reveal(what string, purpose policy.Purpose, fields policy.Fields, ws ...id.Wearer) {
	w.t.Helper()
	w.ask(what, func() error {
		return second(w.v.Reveal(w.t.Context(), w.c, vc.RevealRequest{Purpose: purpose, Fields: fields, Wearers: ws}))
	})
}

func (w *worker) search(purpose policy.Purpose, o *staffed, query string, left bool, offset int) (found []id.Wearer) {
	w.t.Helper()
	w.ask("search", func() error {
		r, err := w.v.Search(w.t.Context(), w.c, vc.SearchRequest{Purpose: purpose, Organisation: o.id, Query: person.NewValue(query), Left: left, Offset: offset, Limit: 100, NamesOnly: w.role == policy.DataProtection})
		for _, rec := range r.Records {
			found = append(found, rec.Wearer)
		}
		return err
	})
	return found
}

// list goes through all who have left.
func (w *worker) list(purpose policy.Purpose, o *staffed) (all []id.Wearer) {
	for page := w.search(purpose, o, "", true, 0); ; page = w.search(purpose, o, "", true, len(all)) {
		if all = append(all, page...); len(page) < 100 {
			return all
		}
	}
}

func (w *worker) open(ws []id.Wearer, o *staffed) {
	w.t.Helper()
	items := make([]vc.Item, len(ws))
	for i, n := range ws {
		items[i] = o.doses[n]
	}
	w.ask("doses", func() error {
		return second(w.v.Open(w.t.Context(), w.c, vc.OpenRequest{Purpose: policy.AssessDose, Items: items}))
	})
}

// record opens what a page about one person shows.
func (w *worker) record(o *staffed, n id.Wearer) {
	w.t.Helper()
	if w.role == policy.Coordinator {
		w.ask("employments", func() error {
			return second(w.v.Linked(w.t.Context(), w.c, policy.AssessDose, []id.Wearer{n}))
		})
	}
	w.open([]id.Wearer{n}, o)
	w.reveal("a record", policy.AssessDose, policy.FieldName|policy.FieldStaffNumber, n)
}

// oneWhoLeft opens the record of somebody who has left, out of the list; one time in a hundred it is the line beside theirs.
func (w *worker) oneWhoLeft(o *staffed) {
	list := w.list(policy.AssessDose, o)
	at := slices.Index(list, o.left[w.rnd.IntN(len(o.left))])
	if w.rnd.IntN(100) == 0 {
		at = (at + 1) % len(list)
	}
	w.record(o, list[at])
}

// year is the page of an employer's doses of a year, name by name.
func (w *worker) year(o *staffed) {
	all := o.all()
	w.open(all, o)
	for from := 0; from < len(all); from += 100 {
		w.reveal("names of a page", policy.AssessDose, policy.FieldName, all[from:min(from+100, len(all))]...)
	}
}

func (s *service) some(list []id.Wearer, n int) []id.Wearer {
	at := s.rnd.IntN(max(1, len(list)-n))
	return list[at:min(at+n, len(list))]
}

// On a service of 4,766 people with the canaries that it has by default, who works there is not stopped, and who steals is.
func TestAYearOfWorkAndAThief(t *testing.T) {
	s := newService(t)
	s.work(t)
	s.steal(t)
}

// work is a working year of every role, one day of each week: nobody is frozen, no alarm is raised over lists, and hardly anybody is
// asked for the passkey.
func (s *service) work(t *testing.T) {
	big, second, small := s.orgs[0], s.orgs[1], s.orgs[14]
	eleri, owen := s.employ("Eleri", policy.Coordinator), s.employ("Owen", policy.Coordinator)
	nia, tom := s.employ("Nia", policy.Supervisor, big), s.employ("Tom", policy.Supervisor, small)
	mali, gwen, dafydd := s.employ("Mali", policy.Local, second), s.employ("Gwen", policy.RecordsOfficer), s.employ("Dafydd", policy.DataProtection, big)
	own := s.employ("Siân", policy.Wearer, big)
	staff := []*worker{eleri, owen, nia, tom, mali, gwen, dafydd, own}
	const weeks = 52
	for week := range weeks {
		s.pass(7 * 24 * time.Hour)
		s.stays()
		for _, w := range staff {
			w.signIn()
		}
		for _, w := range []*worker{eleri, owen} {
			o := s.orgs[s.rnd.IntN(len(s.orgs))]
			w.search(policy.IssueBadges, o, "in", false, 0)
			w.record(o, s.some(o.there, 1)[0])
			w.reveal("badges that are out", policy.IssueBadges, policy.FieldName, s.some(o.there, 7)...)
			w.reveal("a contact", policy.KeepRecords, policy.FieldName|policy.FieldContact, s.some(o.there, 3)...)
			w.oneWhoLeft(o)
		}
		for _, w := range []*worker{nia, tom} {
			o := map[*worker]*staffed{nia: big, tom: small}[w]
			w.record(o, s.some(o.there, 1)[0])
			w.search(policy.AssessDose, o, "in", false, 0)
		}
		mali.reveal("handing out", policy.IssueBadges, policy.FieldName|policy.FieldStaffNumber, s.some(second.there, 20)...)
		own.reveal("the own record", policy.OwnRecord, policy.FieldName|policy.FieldBirth|policy.FieldContact, big.there[0])
		// Once a week, each in a week of their own.
		o := s.orgs[week%len(s.orgs)]
		switch week % 4 {
		case 0: // sheets for the next period
			out := eleri.c
			out.Auth.Export = id.New[id.Export]()
			eleri.ask("issue sheets", func() error {
				_, err := s.v.Reveal(t.Context(), out, vc.RevealRequest{Purpose: policy.IssueBadges, Fields: policy.FieldName, Wearers: o.there})
				out.Auth.Session = eleri.c.Auth.Session
				return err
			})
			nia.oneWhoLeft(big)
		case 1:
			owen.year(o)
			nia.year(big)
			tom.oneWhoLeft(small)
		case 2: // a clear-out of those who left three employers
			for _, one := range s.orgs[:3] {
				owen.list(policy.KeepRecords, one)
			}
			mali.list(policy.IssueBadges, second)
			gwen.search(policy.StatutoryReturn, o, "", false, 0)
		case 3:
			dafydd.search(policy.Oversight, big, "invented", true, 0)
			dafydd.reveal("telling people", policy.BreachNotice, policy.FieldName|policy.FieldContact, s.some(slices.Concat(big.there, big.left), 30)...)
			dafydd.ask("who has seen somebody", func() error {
				_, err := s.v.Seen(t.Context(), dafydd.c, vc.SeenRequest{Wearer: s.some(big.left, 1)[0], Limit: 10})
				return err
			})
		}
		// Each night everybody is summed by a job.
		job := vault.Caller{Node: "worker", Auth: vc.Auth{Grant: must(s.v.GrantJob(t.Context(), vault.Caller{Node: "cli", Auth: s.root}, vc.JobGrant{Purpose: policy.AssessDose, Fields: policy.FieldBirth | policy.FieldSex | policy.FieldDose | policy.FieldEmployment,
			MaxWearers: 10_000, Import: id.New[id.Import](), Node: "worker", Lifetime: time.Hour}))}}
		night := &worker{s, "the night's job", "", job}
		night.ask("employments", func() error {
			_, err := s.v.Linked(t.Context(), job, policy.AssessDose, o.all())
			return err
		})
		night.open(o.all(), o)
		night.open(o.invented, o)
	}
	// The year's report sums everybody of every employer in a day.
	s.pass(24 * time.Hour)
	eleri.signIn()
	for _, o := range s.orgs {
		eleri.open(o.all(), o)
	}
	s.stays()
	seen := slices.DeleteFunc(s.entries(id.Organisation{}, "alarm"), func(e vc.Entry) bool { return e.Rule != "canary-seen" })
	t.Logf("%d asks, %d times asked for the passkey, %d frozen, %d alarms about lists", s.opens, s.demands, s.freezes, len(seen))
	if s.freezes > 0 || len(seen) > 0 || s.demands > 1 {
		t.Errorf("%d frozen, %d alarms about lists, %d times asked for the passkey, want none, none and one at most", s.freezes, len(seen), s.demands)
	}
}

// before says how many of n records, among them k canaries, are read one by one in random order before the hit-th canary with a
// chance of at most p: the quantile of a negative hypergeometric distribution.
func before(n, k, hit int, p float64) int {
	none, one := 1.0, 0.0 // that there were none, or one, among the first r
	for r := range n {
		if hit == 1 && 1-none >= p || hit == 2 && 1-none-one >= p {
			return r - 1
		}
		// The next record, when n-r are left.
		left := float64(n - r)
		one = one*(left-float64(k-1))/left + none*float64(k)/left
		none *= (left - float64(k)) / left
	}
	return n
}

// thief reads records in an order, so many at once, until the passkey is asked for, and, should they have it, until they are frozen.
func (s *service) thief(name string, order []id.Wearer, atOnce int) (asked, frozen int) {
	s.t.Helper()
	w := s.employ(name, policy.Coordinator)
	asked, frozen = -1, -1
	for from := 0; from < len(order); from += atOnce {
		some := order[from:min(from+atOnce, len(order))]
		for tries := 0; ; tries++ {
			recs, err := s.v.Reveal(s.t.Context(), w.c, vc.RevealRequest{Purpose: policy.KeepRecords, Fields: policy.FieldName | policy.FieldContact, Wearers: some})
			if err == nil {
				break
			}
			if len(recs) > 0 {
				s.t.Fatalf("%s: %d records with %v", name, len(recs), err)
			}
			if code(err) == vc.IsFrozen {
				if frozen = from; asked < 0 {
					asked = from
				}
				return asked, frozen
			}
			if code(err) != vc.Unauthenticated || tries > 0 {
				s.t.Fatalf("%s after %d records: %v", name, from, err)
			}
			if asked < 0 {
				asked = from
			}
			w.signIn()
		}
	}
	return asked, frozen
}

// thefts reads docs/security.md's table of what a thief gets.
func thefts(t *testing.T) map[string][]int {
	t.Helper()
	b, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]int{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \| ([\d,]+) \| (\d+) \| (\d+), (\d+) \| (\d+), (\d+) \|$`).FindAllStringSubmatch(string(b), -1) {
		for _, n := range row[2:] {
			out[row[1]] = append(out[row[1]], must(strconv.Atoi(strings.ReplaceAll(n, ",", ""))))
		}
	}
	return out
}

// steal holds what docs/security.md says that a thief gets against the formula, and against thieves at work.
func (s *service) steal(t *testing.T) {
	var everybody, birds []id.Wearer
	for _, o := range s.orgs {
		everybody, birds = append(everybody, o.all()...), append(birds, o.invented...)
	}
	big := s.orgs[0]
	left := slices.Concat(big.left, big.invented)
	table := thefts(t)
	for _, c := range []struct {
		who    string
		of     []id.Wearer
		k      int
		atOnce int
		trials int
	}{
		{"everybody, one by one", everybody, len(birds), 1, 10},
		{"everybody, five at a time", everybody, len(birds), 5, 12},
		{"who left the largest employer, one by one", left, len(big.invented), 1, 16},
	} {
		n := len(c.of)
		want := []int{n, c.k, before(n, c.k, 1, 0.5), before(n, c.k, 1, 0.95), before(n, c.k, 2, 0.5), before(n, c.k, 2, 0.95)}
		if c.atOnce == 1 {
			if got := table[c.who]; !slices.Equal(got, want) {
				t.Errorf("docs/security.md says of a thief of %s %v, the formula %v", c.who, got, want)
			}
		}
		var asked, frozen []int
		for i := range c.trials {
			order := slices.Clone(c.of)
			s.rnd.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			a, f := s.thief(fmt.Sprintf("Thief of %s %d", c.who, i), order, c.atOnce)
			if a < 0 || f < 0 {
				t.Fatalf("a thief of %s was not caught", c.who)
			}
			asked, frozen = append(asked, a), append(frozen, f)
		}
		slices.Sort(asked)
		slices.Sort(frozen)
		t.Logf("%s: asked after %v, frozen after %v; by the formula %v", c.who, asked, frozen, want)
		// Who reads several at once has a few fewer, never more. Of so many trials, a quarter to three quarters lie below the median.
		for _, of := range []struct {
			reads       []int
			median, p95 int
		}{{asked, want[2], want[3]}, {frozen, want[4], want[5]}} {
			below := func(n int) int {
				return len(slices.DeleteFunc(slices.Clone(of.reads), func(r int) bool { return r > n }))
			}
			if b := below(of.median); b < c.trials/4 || b > c.trials*3/4+c.atOnce/2 {
				t.Errorf("a thief of %s: %d of %d below the median %d: %v", c.who, b, c.trials, of.median, of.reads)
			}
			if above := c.trials - below(of.p95); above > c.trials/6 {
				t.Errorf("a thief of %s: %d of %d above %d: %v", c.who, above, c.trials, of.p95, of.reads)
			}
		}
	}
	// In the order of a list, each employer after the other, the first canary stands where its name does.
	w := s.employ("Thief with a list", policy.Coordinator)
	list := w.list(policy.KeepRecords, big)
	if _, f := s.thief("Thief in the order of a list", list, 1); f < 0 || f > want2(len(left), len(big.invented)) {
		t.Errorf("a thief in the order of a list was frozen after %d records", f)
	}
	// Who leaves those alone who have left meets none, and is bounded by the budget.
	if a, f := s.thief("Thief of those who are there", big.there[:200], 1); a >= 0 || f >= 0 {
		t.Errorf("a thief of those who are there was caught after %d and %d", a, f)
	}
}

// want2 is how many records at most lie before the second of k among n, but for one thief in a million.
func want2(n, k int) int { return before(n, k, 2, 1-1e-6) }

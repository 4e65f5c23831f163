package incident

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Outcome is what became of a row of a list. Each row has exactly one.
type Outcome uint8

// The outcomes, in the order in which reports name them.
const (
	Matched      Outcome = iota // it is these wearers, of one human being
	ForReview                   // it may be somebody; a person looks
	Duplicate                   // the same person as in an earlier row
	Dummy                       // nobody: a test, a control badge
	NotOurs                     // somebody, but none of this service's
	Unidentified                // nobody can tell who it is
	outcomes
)

var outcomeNames = [outcomes]string{"matched", "for review", "duplicate", "dummy", "not ours", "cannot be identified"}

func (o Outcome) String() string { return outcomeNames[o] }

// Outcomes lists them in order.
func Outcomes() []Outcome {
	return []Outcome{Matched, ForReview, Duplicate, Dummy, NotOurs, Unidentified}
}

// Status is what is known of a matched person's employment. Whoever left is told too; nobody writes to the dead.
type Status string

// The statuses.
const (
	Current  Status = "current"
	Left     Status = "left"
	Deceased Status = "deceased"
)

// Reconciled is one row with its outcome.
type Reconciled struct {
	*Listed
	Outcome Outcome
	Reason  string                    // what it was told by, or why it is none of ours; never a text of the row
	Of      int                       // of a duplicate: the number of the row that it repeats
	Wearers []vaultclient.FoundWearer // of a match; of a row for review those who may be meant
	Status  Status                    // of a match
}

// Reconciliation is a whole list with its outcomes, in the order of its rows.
type Reconciliation struct{ Rows []Reconciled }

// Count counts the rows with an outcome. The counts sum to the rows.
func (r *Reconciliation) Count(o Outcome) (n int) {
	for i := range r.Rows {
		if r.Rows[i].Outcome == o {
			n++
		}
	}
	return n
}

// CountStatus counts the matches of a status.
func (r *Reconciliation) CountStatus(s Status) (n int) {
	for i := range r.Rows {
		if r.Rows[i].Outcome == Matched && r.Rows[i].Status == s {
			n++
		}
	}
	return n
}

// Known is what has to be known beside the list.
type Known struct {
	// Organisation finds an employer by what a list calls it; zero: it is none of the service's, as far as anybody can tell.
	Organisation func(text string) id.Organisation
	// Match asks the vault who the rows are.
	Match func([]vaultclient.Listed) ([]vaultclient.Found, error)
	// Deceased are wearers of whom the employer says so.
	Deceased map[id.Wearer]bool
}

// Reconcile gives each row of a list its outcome. Rows that are nobody's and repetitions are never asked about.
func (l *List) Reconcile(k Known) (*Reconciliation, error) {
	out := &Reconciliation{Rows: make([]Reconciled, len(l.Rows))}
	var ask []vaultclient.Listed
	var asked []int
	first := map[string]int{}
	for i := range l.Rows {
		row := &l.Rows[i]
		r := &out.Rows[i]
		r.Listed = row
		if row.nobody != nil && row.nobody.means == "dummy" {
			r.Outcome, r.Reason = Dummy, row.nobody.reason
			continue
		}
		var org id.Organisation
		for _, text := range row.Where {
			if org.IsZero() {
				org = k.Organisation(text)
			}
		}
		if key := row.key(org); key != "" {
			if n, ok := first[key]; ok {
				r.Outcome, r.Of, r.Reason = Duplicate, n, "the same name, date of birth and NI number as in that row"
				continue
			}
			first[key] = row.Number
		}
		if row.Name.IsZero() && row.NI.IsZero() {
			r.Outcome, r.Reason = Unidentified, "no name and no NI number"+row.why()
			continue
		}
		ask = append(ask, vaultclient.Listed{Organisation: org, Name: row.Name, Birth: row.Birth, NI: row.NI})
		asked = append(asked, i)
	}
	var found []vaultclient.Found
	if len(ask) > 0 {
		var err error
		if found, err = k.Match(ask); err != nil {
			return nil, err
		}
		if len(found) != len(ask) {
			return nil, fmt.Errorf("incident: %d answers about %d rows", len(found), len(ask))
		}
	}
	matched := map[id.Wearer]int{}
	for j, f := range found {
		r := &out.Rows[asked[j]]
		r.decide(ask[j].Organisation, f)
		if r.Outcome != Matched {
			continue
		}
		again := true
		for _, w := range r.Wearers {
			again = again && matched[w.Wearer] != 0
		}
		if again {
			r.Outcome, r.Of, r.Reason = Duplicate, matched[r.Wearers[0].Wearer], "the same person as in that row, written otherwise"
			continue
		}
		for _, w := range r.Wearers {
			if matched[w.Wearer] == 0 {
				matched[w.Wearer] = r.Number
			}
		}
		r.Status = statusOf(r.Wearers, k.Deceased)
	}
	at := out.byNumber()
	for i := range out.Rows { // what repeats a repetition repeats the row that comes first
		if r := &out.Rows[i]; r.Outcome == Duplicate && at[r.Of].Outcome == Duplicate {
			r.Of = at[r.Of].Of
		}
	}
	return out, nil
}

// key is the same for rows that say the same of one person at one employer; empty for a row that says too little to tell.
func (r *Listed) key(org id.Organisation) string {
	names := person.Words(r.Name.Expose())
	if len(names) == 0 || r.Birth.IsZero() && r.NI.IsZero() {
		return ""
	}
	slices.Sort(names)
	return strings.Join([]string{strings.Join(names, " "), r.Birth.Expose(), r.NI.Expose(), org.String()}, "|")
}

func statusOf(wearers []vaultclient.FoundWearer, deceased map[id.Wearer]bool) Status {
	status := Left
	for _, w := range wearers {
		if deceased[w.Wearer] {
			return Deceased
		}
		if !w.Left {
			status = Current
		}
	}
	return status
}

// decide gives a row that was asked about its outcome. org is the employer that it names, if that is known.
func (r *Reconciled) decide(org id.Organisation, f vaultclient.Found) {
	set := func(o Outcome, reason string) { r.Outcome, r.Reason = o, reason }
	if len(f.Wearers) == 0 {
		r.nobodyFits(org)
		return
	}
	r.Wearers = f.Wearers
	several := f.More || slices.ContainsFunc(f.Wearers, func(w vaultclient.FoundWearer) bool { return w.Person != f.Wearers[0].Person })
	there := slices.DeleteFunc(slices.Clone(f.Wearers), func(w vaultclient.FoundWearer) bool { return w.Organisation != org })
	switch {
	case f.Another:
		set(ForReview, "the NI number is somebody's with another name")
	case several && oneAt(there) && (f.Why == person.SameNameAndBirth || f.Why == person.SameNI) && !f.More:
		r.Wearers = there
		set(Matched, likeness(f.Why)+", at the employer that the row names")
	case several:
		set(ForReview, "several people fit: "+likeness(f.Why))
	case f.Why == person.NearName || f.Why == person.NearBirth:
		set(ForReview, likeness(f.Why))
	case f.Why == person.UnknownBirth && (!r.Birth.IsZero() || org.IsZero()):
		set(ForReview, likeness(f.Why)+r.why())
	case !org.IsZero() && len(there) == 0:
		set(ForReview, likeness(f.Why)+", but of another employer than the row names")
	default:
		if len(there) > 0 {
			r.Wearers = there
		}
		set(Matched, likeness(f.Why))
	}
}

// oneAt reports whether these are wearers, and all of one human being.
func oneAt(list []vaultclient.FoundWearer) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(w vaultclient.FoundWearer) bool { return w.Person != list[0].Person })
}

// nobodyFits says why nobody may be meant.
func (r *Reconciled) nobodyFits(org id.Organisation) {
	switch {
	case r.nobody != nil:
		r.Outcome, r.Reason = Dummy, r.nobody.reason+", and nobody fits the rest of the row"
	case !org.IsZero():
		r.Outcome, r.Reason = Unidentified, "nobody fits, at the employer that the row names or another"+r.why()
	case len(r.Unreadable) > 0:
		r.Outcome, r.Reason = Unidentified, "nobody fits"+r.why()
	case r.Birth.IsZero() && r.NI.IsZero():
		r.Outcome, r.Reason = Unidentified, "a name alone, and no employer that is known here"
	case len(r.Where) > 0:
		r.Outcome, r.Reason = NotOurs, "nobody fits, and the row names another employer"
	default:
		r.Outcome, r.Reason = NotOurs, "nobody fits"
	}
}

// likeness says a likeness.
func likeness(why person.Likeness) string {
	switch why {
	case person.SameNI:
		return "same NI number"
	case person.SameNameAndBirth:
		return "same name and date of birth"
	case person.NearName:
		return "same date of birth, and nearly the same name"
	case person.NearBirth:
		return "same name, and nearly the same date of birth"
	}
	return "same name, without a date of birth to compare"
}

func (r *Reconciliation) byNumber() map[int]*Reconciled {
	at := map[int]*Reconciled{}
	for i := range r.Rows {
		at[r.Rows[i].Number] = &r.Rows[i]
	}
	return at
}

// Held is what the list says that its sender held of each wearer: of a match, with all its repetitions. The rows are in the order of the wearers' ids.
func (r *Reconciliation) Held() []vaultclient.DeclaredRow {
	at := r.byNumber()
	held := map[id.Wearer]*vaultclient.DeclaredRow{}
	for i := range r.Rows {
		row := &r.Rows[i]
		of := row
		if row.Outcome == Duplicate {
			of = at[row.Of]
		}
		if of.Outcome != Matched || row.Holds == 0 {
			continue
		}
		for _, w := range of.Wearers {
			h := held[w.Wearer]
			if h == nil {
				h = &vaultclient.DeclaredRow{Wearer: w.Wearer}
				held[w.Wearer] = h
			}
			h.Fields |= row.Holds
			for _, y := range row.Years {
				if !slices.Contains(h.Years, y) {
					h.Years = append(h.Years, y)
				}
			}
		}
	}
	out := make([]vaultclient.DeclaredRow, 0, len(held))
	for _, h := range held {
		slices.Sort(h.Years)
		out = append(out, *h)
	}
	slices.SortFunc(out, func(a, b vaultclient.DeclaredRow) int { return bytes.Compare(a.Wearer[:], b.Wearer[:]) })
	return out
}

// Difference is how a list and the ledgers differ about who is concerned.
type Difference struct {
	Both  int                       // wearers in both
	More  []vaultclient.DeclaredRow // on the list, of whom the ledgers say nothing, or less: what is to be declared
	Newly int                       // of those: wearers of whom the ledgers say nothing
	Fewer []id.Wearer               // in the ledgers and not on the list: concerned all the same
}

// Against holds what a list says against what the ledgers say of the same recipient and window.
func Against(held []vaultclient.DeclaredRow, exposures []vaultclient.Exposure) Difference {
	entered := map[id.Wearer]policy.Fields{}
	years := map[id.Wearer][]uint16{}
	for _, x := range exposures {
		entered[x.Wearer] |= x.Fields
		years[x.Wearer] = append(years[x.Wearer], x.Years...)
	}
	var d Difference
	listed := map[id.Wearer]bool{}
	for _, h := range held {
		listed[h.Wearer] = true
		was, known := entered[h.Wearer]
		if known {
			d.Both++
		} else {
			d.Newly++
		}
		newYears := slices.ContainsFunc(h.Years, func(y uint16) bool { return !slices.Contains(years[h.Wearer], y) })
		if h.Fields&^was != 0 || h.Fields&policy.FieldDose != 0 && newYears {
			d.More = append(d.More, h)
		}
	}
	for w := range entered {
		if !listed[w] {
			d.Fewer = append(d.Fewer, w)
		}
	}
	slices.SortFunc(d.Fewer, func(a, b id.Wearer) int { return bytes.Compare(a[:], b[:]) })
	return d
}

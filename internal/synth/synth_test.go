package synth

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
)

var full = sync.OnceValue(func() *Service { return Generate(Default()) })

// digest is a hash over all that a service holds.
func digest(t *testing.T, s *Service) string {
	t.Helper()
	h := sha256.New()
	for _, o := range s.Organisations {
		fmt.Fprintln(h, o.Name, o.Kind, o.Account, o.Own, o.Birth, o.Wearers)
	}
	for _, w := range s.Wearers {
		fmt.Fprintf(h, "%d %d %s %s %s %v %v %v %s %s %d %v %v %v %s %v\n", w.Person, w.Organisation, w.Identity.Encode(), w.Contact.Encode(), w.NI.Expose(),
			w.From, w.To, w.Classified, w.Department, w.Role, w.Months, w.Health.Declared, w.Health.Due, w.Health.Review, w.Health.Note.Expose(), w.Marker)
	}
	fmt.Fprintln(h, s.People, s.Batches, s.Badges, s.Latest, s.Cases, s.Markers)
	for o := range s.Organisations {
		if err := s.WritePeopleCSV(h, o); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.WriteDoseReport(h, ReportOptions{}); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	small := Config{Seed: 7, People: 50, Markers: 3}
	const frozen = "290e09dd356b43c3"
	if got := digest(t, Generate(small)); got != frozen {
		t.Errorf("the small service has the hash %s, frozen was %s: what is made has changed", got, frozen)
	}
	small.Seed++
	if digest(t, Generate(small)) == frozen {
		t.Error("another seed gives the same service")
	}
}

func TestTheFullServiceHasTheSizesOfTheBreach(t *testing.T) {
	s := full()
	people := map[bool]int{} // in the NHS, by the first employment
	second, current := 0, 0
	organisations := map[Kind]int{}
	for _, p := range s.People {
		if !p.Marker {
			people[s.Organisations[s.Wearers[p.Wearers[0]].Organisation].Kind.NHS()]++
			second += len(p.Wearers) - 1
		}
		if len(p.Wearers) == 2 && s.Wearers[p.Wearers[0]].Organisation == s.Wearers[p.Wearers[1]].Organisation {
			t.Error("two wearers of one person are at one organisation")
		}
	}
	var sizes []int
	small := 0
	for _, o := range s.Organisations {
		organisations[o.Kind]++
		n := 0
		for _, w := range o.Wearers {
			if !s.Wearers[w].Marker {
				n++
			}
			if s.Wearers[w].To.IsZero() {
				current++
			}
		}
		if o.Kind.NHS() {
			sizes = append(sizes, n)
		} else if n <= 10 {
			small++
		}
		if o.Own && n != 530 {
			t.Errorf("the service's own trust has %d wearers, want 530", n)
		}
	}
	if people[true] != 3423 || people[false] != 1343 {
		t.Errorf("%d people in the NHS and %d outside, want 3423 and 1343", people[true], people[false])
	}
	if len(sizes) != 9 || slices.Max(sizes) != 654 {
		t.Errorf("NHS bodies of %v, want nine, the largest of 654", sizes)
	}
	if second < 55 || second > 65 {
		t.Errorf("%d people have a second wearer record, want about 60", second)
	}
	if small < 80 || organisations[Airport] != 1 || organisations[PrivateHospital] < 4 || organisations[DentalPractice] < 30 || organisations[VetPractice] < 30 {
		t.Errorf("%d small practices among %v", small, organisations)
	}
	if share := float64(current) / float64(len(s.Wearers)); share < 0.55 || share > 0.72 {
		t.Errorf("%.0f %% of the wearers are employed today", 100*share)
	}
	if n := len(s.Badges); n < 120_000 || n > 150_000 {
		t.Errorf("%d badge periods, want 120,000 to 150,000", n)
	}
}

func TestEveryFieldKeepsItsRules(t *testing.T) {
	s := full()
	numbers, staff := map[person.Value]int{}, map[[2]any]bool{}
	classified := 0
	for i := range s.Wearers {
		w := &s.Wearers[i]
		id, err := person.CheckIdentity(w.Identity, s.Today)
		if err != nil || !bytes.Equal(id.Encode(), w.Identity.Encode()) {
			t.Fatalf("wearer %d: identity is not as the rules want it: %v", i, err)
		}
		contact, err := person.CheckContact(w.Contact)
		if err != nil || !bytes.Equal(contact.Encode(), w.Contact.Encode()) {
			t.Fatalf("wearer %d: contact is not as the rules want it: %v", i, err)
		}
		if ni, err := person.CheckNI(w.NI); err != nil || ni != w.NI || w.NI.IsZero() == w.Classified {
			t.Fatalf("wearer %d: NI number: %v, classified %v", i, err, w.Classified)
		}
		if p, ok := numbers[w.NI]; w.Classified && ok && p != w.Person {
			t.Errorf("wearer %d has another person's NI number", i)
		}
		numbers[w.NI] = w.Person
		key := [2]any{w.Organisation, w.Identity.StaffNumber}
		if staff[key] {
			t.Errorf("wearer %d: staff number twice in the organisation", i)
		}
		staff[key] = true
		if !w.To.IsZero() && w.To < w.From || w.From > s.Today || w.To > s.Today {
			t.Errorf("wearer %d: employed from %v to %v", i, w.From, w.To)
		}
		domain := w.Contact.Email.Expose()
		if !strings.HasSuffix(domain, ".example") {
			t.Errorf("wearer %d: a mail domain that may exist", i)
		}
		if w.Classified && !w.Marker {
			classified++
		}
		if len(s.People[w.Person].Wearers) == 0 || !slices.Contains(s.Organisations[w.Organisation].Wearers, i) {
			t.Errorf("wearer %d is missing from its person or organisation", i)
		}
	}
	if classified < 20 || classified > 120 {
		t.Errorf("%d classified wearers, want a few", classified)
	}
}

func TestNamesAreWelshAndEnglish(t *testing.T) {
	count := map[string]int{}
	s := full()
	for _, w := range s.Wearers {
		count[w.Identity.Surname.Expose()]++
		first, _, _ := strings.Cut(w.Identity.Forenames.Expose(), " ")
		count[first]++
	}
	for name, least := range map[string]int{"Jones": 200, "Davies": 120, "Smith": 20, "Siân": 40, "Angharad": 20, "Llŷr": 8, "ap Rhys": 1, "Patel": 8} {
		if count[name] < least {
			t.Errorf("%d times %s, want %d at least", count[name], name, least)
		}
	}
	if count["Jones"] < count["Davies"] || count["Davies"] < count["Morgan"] {
		t.Error("Jones, Davies, Morgan are not in this order")
	}
}

func TestEachBadgeHasItsPlace(t *testing.T) {
	s := full()
	barcodes := map[string]bool{}
	controls := make([]int, len(s.Batches))
	pending := map[int]int{}
	for _, p := range s.Latest {
		pending[p.Badge]++
	}
	seen := map[dose.Qualifier]int{}
	late, versions, notCounted, neutron := 0, 0, 0, 0
	for o := range s.Organisations {
		first, end := s.BadgesOf(o)
		for i := first; i < end; i++ {
			b := &s.Badges[i]
			batch := &s.Batches[b.Batch]
			if b.Organisation != o || batch.Organisation != o || b.From != batch.From || b.To != batch.To || b.To < b.From {
				t.Fatalf("badge %d does not fit its batch or organisation", i)
			}
			if barcodes[b.Barcode] {
				t.Fatalf("badge %d: barcode twice", i)
			}
			barcodes[b.Barcode] = true
			if b.Wearer < 0 {
				controls[b.Batch]++
				continue
			}
			w := &s.Wearers[b.Wearer]
			if w.Organisation != o || w.From > b.From || !w.To.IsZero() && w.To < b.To {
				t.Fatalf("badge %d: worn from %v to %v, employed from %v to %v", i, b.From, b.To, w.From, w.To)
			}
			if (b.State == Reported) != (len(b.Results) > 0) || b.State != Awaited && pending[i] > 0 || pending[i] > 1 || b.State == Worn != (b.To > s.lastEnd()) {
				t.Fatalf("badge %d: state %d with %d results and %d pending", i, b.State, len(b.Results), pending[i])
			}
			for v, res := range b.Results {
				if res.Version != v || res.Scanned > s.Today || len(res.Readings) == 0 {
					t.Fatalf("badge %d: result %d has the version %d, scanned %v", i, v, res.Version, res.Scanned)
				}
				for _, rd := range res.Readings {
					seen[rd.Qualifier]++
					if rd.Dose < 0 || rd.Dose > 0 && !rd.Qualifier.Accumulates() || rd.Qualifier == dose.Measured && rd.Dose == 0 {
						t.Fatalf("badge %d: %d µSv, %v", i, rd.Dose, rd.Qualifier)
					}
					if rd.Quantity == dose.NeutronHp10 {
						neutron++
					}
				}
				if int(res.Scanned-b.To) > 120 {
					late++
				}
			}
			if len(b.Results) > 1 {
				versions++
			}
			if b.NotCounted {
				notCounted++
			}
		}
	}
	for i, n := range controls {
		if n == 0 {
			t.Errorf("batch %d has no control badge", i)
		}
	}
	for _, q := range []dose.Qualifier{dose.Measured, dose.BelowLevel, dose.Unused, dose.NotReturned, dose.Lost, dose.Damaged, dose.Estimated, dose.Notional} {
		if seen[q] == 0 {
			t.Errorf("no reading is %v", q)
		}
	}
	if late < 1000 || versions < 800 || notCounted < 100 || neutron < 500 {
		t.Errorf("%d late, %d re-issued, %d not counted badges, %d neutron readings: too few", late, versions, notCounted, neutron)
	}
}

// The published figures are those of the project's notes on dosimetry: Japanese hospitals for the annual records, one
// radiology group for the single badges.
func TestDosesFollowThePublishedFigures(t *testing.T) {
	s := full()
	annual := map[[2]int]dose.MicroSv{}
	var chest, lens, finger []dose.Reading
	for i := range s.Badges {
		b := &s.Badges[i]
		if b.Wearer < 0 || b.NotCounted || len(b.Results) == 0 {
			continue
		}
		rd := b.Results[len(b.Results)-1].Readings[0]
		kind := s.Organisations[b.Organisation].Kind
		switch b.Position {
		case dose.WholeBody:
			if kind.NHS() || kind == PrivateHospital {
				annual[[2]int{b.Wearer, b.To.Year()}] += rd.Dose
			}
			if s.Wearers[b.Wearer].Role == "Consultant Radiologist" {
				chest = append(chest, rd)
			}
		case dose.Eye:
			lens = append(lens, rd)
		case dose.LeftFinger, dose.RightFinger:
			finger = append(finger, rd)
		}
	}
	zero, two := 0, 0
	for _, v := range annual {
		if v == 0 {
			zero++
		}
		if v > 2000 {
			two++
		}
	}
	near := func(what string, got, want, margin float64) {
		t.Helper()
		if math.Abs(got-want) > margin {
			t.Errorf("%s: %.3f, want %.3f ± %.3f", what, got, want, margin)
		}
	}
	near("annual records of zero", float64(zero)/float64(len(annual)), 0.76, 0.04)
	near("annual records above 2 mSv", float64(two)/float64(len(annual)), 0.02, 0.007)
	near("radiologists' badges unused", fraction(chest, dose.Unused), 0.51, 0.03)
	near("radiologists' badges below level", fraction(chest, dose.BelowLevel), 0.24, 0.04)
	near("radiologists' badges with a number", fraction(chest, dose.Measured), 0.24, 0.04)
	near("their median in mSv", quantile(chest, 0.5), 0.07, 0.02)
	near("their 9th decile in mSv", quantile(chest, 0.9), 0.35, 0.1)
	near("eye badges with a number", fraction(lens, dose.Measured), 0.49, 0.06)
	near("their median in mSv", quantile(lens, 0.5), 0.72, 0.12)
	near("fingers' median in mSv", quantile(finger, 0.5), 2.37, 0.4)
}

func fraction(rds []dose.Reading, q dose.Qualifier) float64 {
	n := 0
	for _, rd := range rds {
		if rd.Qualifier == q {
			n++
		}
	}
	return float64(n) / float64(len(rds))
}

func quantile(rds []dose.Reading, p float64) float64 {
	var v []float64
	for _, rd := range rds {
		if rd.Qualifier == dose.Measured {
			v = append(v, float64(rd.Dose)/1000)
		}
	}
	slices.Sort(v)
	return v[int(p*float64(len(v)-1))]
}

// totals sums the year of Today by person and position, with or without the latest report.
func totals(s *Service, report bool) map[[2]int]dose.MicroSv {
	sum := map[[2]int]dose.MicroSv{}
	add := func(b *Badge, res Result, q dose.Quantity) {
		for _, rd := range res.Readings {
			if rd.Quantity == q {
				sum[[2]int{s.Wearers[b.Wearer].Person, int(b.Position)}] += rd.Dose
			}
		}
	}
	quantity := map[dose.Position]dose.Quantity{dose.WholeBody: dose.Hp10, dose.Eye: dose.Hp3, dose.LeftFinger: dose.Hp007, dose.RightFinger: dose.Hp007}
	for i := range s.Badges {
		if b := &s.Badges[i]; b.Wearer >= 0 && !b.NotCounted && b.To.Year() == s.Today.Year() && len(b.Results) > 0 {
			add(b, b.Results[len(b.Results)-1], quantity[b.Position])
		}
	}
	if report {
		for _, p := range s.Latest {
			b := &s.Badges[p.Badge]
			add(b, p.Result, quantity[b.Position])
		}
	}
	return sum
}

func TestOnlyTheCasesAreAboveALevel(t *testing.T) {
	s := full()
	limits := map[dose.Position]dose.MicroSv{dose.WholeBody: 15_000, dose.Eye: 15_000, dose.LeftFinger: 150_000, dose.RightFinger: 150_000}
	cases := map[[2]int]Case{}
	for _, c := range s.Cases {
		cases[[2]int{c.Person, int(c.Position)}] = c
	}
	if len(cases) != len(planned)+1 {
		t.Fatalf("%d cases, want %d", len(cases), len(planned)+1)
	}
	before, after := totals(s, false), totals(s, true)
	for key, v := range after {
		c, is := cases[key]
		if above := v > limits[dose.Position(key[1])] && limits[dose.Position(key[1])] > 0; above != is {
			t.Errorf("person %d, %v: %d µSv, a case: %v", key[0], dose.Position(key[1]), v, is)
		}
		if is && (v < c.Total || before[key] >= v) {
			t.Errorf("person %d: %d µSv with the latest report and %d without, want %d", key[0], v, before[key], c.Total)
		}
	}
	last := s.Cases[len(s.Cases)-1]
	if ws := s.People[last.Person].Wearers; len(ws) != 2 || firstOfTwo > 15_000 || secondOfTwo > 15_000 || last.Total < 20_000 {
		t.Errorf("the last case %+v is not above the limit by two employments together", last)
	}
}

// records returns a person's results as package dose wants them, with or without the latest report.
func records(s *Service, report bool) map[int][]dose.Record {
	recs := map[int][]dose.Record{}
	add := func(b *Badge, res Result) {
		recs[s.Wearers[b.Wearer].Person] = append(recs[s.Wearers[b.Wearer].Person], dose.Record{
			Position: b.Position, From: b.From, To: b.To, Readings: res.Readings, NotCounted: b.NotCounted, Employment: b.Wearer,
		})
	}
	for i := range s.Badges {
		if b := &s.Badges[i]; b.Wearer >= 0 && len(b.Results) > 0 {
			add(b, b.Results[len(b.Results)-1])
		}
	}
	if report {
		for _, p := range s.Latest {
			add(&s.Badges[p.Badge], p.Result)
		}
	}
	return recs
}

func TestTheEvaluationFindsTheCasesAndNobodyElse(t *testing.T) {
	s := full()
	cases := map[int]bool{}
	for _, c := range s.Cases {
		cases[c.Person] = true
	}
	evaluate := func(report bool) (found map[int]string) {
		found = map[int]string{}
		for p, recs := range records(s, report) {
			w := &s.Wearers[s.People[p].Wearers[0]]
			subject := dose.Subject{Group: dose.Adult, Reproductive: w.Identity.Sex.Expose() == "F", Declared: w.Health.Declared, PregnancyEnd: w.Health.Due}
			for _, f := range dose.Evaluate(subject, dose.StatutoryLevels(), recs, 0).Findings {
				found[p] += fmt.Sprintf("%v in %d: %d µSv, bound %d; ", f.Kind, f.Year, f.Dose, f.Bound)
			}
		}
		return found
	}
	after := evaluate(true)
	for p, findings := range after {
		if !cases[p] {
			t.Errorf("person %d is no case and has findings: %s", p, findings)
		}
	}
	if len(after) != len(cases) {
		t.Errorf("findings for %d people, %d cases", len(after), len(cases))
	}
	before := evaluate(false)
	t.Log(before, after)
	if len(before) >= len(after) {
		t.Errorf("%d people have findings before the latest report, %d with it: it should raise some", len(before), len(after))
	}
}

func TestMarkersAreUniqueAndStandWhereTheySay(t *testing.T) {
	s := full()
	seen := map[string]bool{}
	fields := policy.Fields(0)
	people := map[int]policy.Fields{}
	var all strings.Builder
	for i := range s.Wearers {
		w := &s.Wearers[i]
		fmt.Fprintf(&all, "%s\n%s\n%s\n%s\n%s\n%s\n", w.Identity.Encode(), w.Contact.Encode(), w.NI.Expose(), w.Health.Note.Expose(), w.Department, w.Role)
	}
	for _, row := range s.Rows(-1, 0) {
		for _, rd := range row.Readings {
			fmt.Fprintf(&all, "%d\n", rd.Dose)
		}
	}
	for _, m := range s.Markers {
		if seen[m.Text] || len(m.Text) < 9 || !s.People[m.Person].Marker || !s.Wearers[m.Wearer].Marker {
			t.Errorf("marker %q of person %d is twice, short, or nobody's", m.Text, m.Person)
		}
		seen[m.Text] = true
		fields |= m.Field
		people[m.Person] |= m.Field
	}
	if want := policy.AllFields &^ (policy.FieldSex | policy.FieldDocument); fields != want || len(people) != 200 {
		t.Errorf("%d people have markers in %v, want 200 in %v", len(people), fields, want)
	}
	text := all.String()
	for p, f := range people {
		if f != fields {
			t.Errorf("person %d has markers only in %v", p, f)
		}
	}
	for _, m := range s.Markers {
		if n := strings.Count(text, m.Text); n != 1 {
			t.Errorf("marker %q stands %d times", m.Text, n)
		}
	}
}

func TestTheReportIsWhatALaboratoryFileIs(t *testing.T) {
	s := full()
	var b bytes.Buffer
	want, err := s.WriteDoseReport(&b, ReportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", want)
	rep, err := labfile.Read(bytes.NewReader(b.Bytes()), labfile.Options{Today: s.Today})
	if err != nil {
		t.Fatal(err)
	}
	if rep.In != want.In || len(rep.Ignored) != want.Blank || len(rep.Refused) != want.Broken ||
		len(rep.Rows) != want.Results+want.Controls+want.Unmatched+want.Duplicates {
		t.Errorf("read %d: %d rows, %d refused, %d blank; expected %+v", rep.In, len(rep.Rows), len(rep.Refused), len(rep.Ignored), want)
		for _, r := range rep.Refused {
			t.Log(r)
		}
	}
	if want.In < 2500 || want.In > 4000 || want.Broken < 8 || want.Unmatched < 8 || want.Duplicates != 2 || want.Reissues < 20 || want.Late < 20 ||
		want.Unused < 100 || want.Damaged < 5 || want.Labels < 2 || want.Blank < 150 || want.Controls < 30 {
		t.Errorf("a poor report: %+v", want)
	}
	badges, byBarcode := map[string]int{}, map[string]Result{}
	for i := range s.Badges {
		badges[s.Badges[i].Barcode] = i
	}
	for _, p := range s.Latest {
		byBarcode[s.Badges[p.Badge].Barcode] = p.Result
	}
	var unmatched, differ, duplicates, reissues, stored, multi int
	for _, row := range rep.Rows {
		i, known := badges[row.Barcode]
		if !known || row.From != s.Badges[i].From || row.Account != s.Organisations[s.Badges[i].Organisation].Account {
			unmatched++
			continue
		}
		bd := &s.Badges[i]
		if row.Control {
			continue
		}
		if person.SameName(row.Name, s.Wearers[bd.Wearer].Identity) == person.Different {
			differ++
		}
		if bd.State == Reported {
			if row.Version == bd.Results[len(bd.Results)-1].Version {
				duplicates++
			} else {
				reissues++
			}
			continue
		}
		stored++
		if slices.Contains(row.Notes, labfile.NoteMultipleAccounts) && len(row.Notes) > 1 {
			multi++
		}
		if !slices.Equal(row.Readings, byBarcode[row.Barcode].Readings) {
			t.Fatalf("row %d reads %v, the badge has %v", row.Number, row.Readings, byBarcode[row.Barcode].Readings)
		}
	}
	if unmatched != want.Unmatched || differ != want.Labels || duplicates != want.Duplicates || reissues != want.Reissues || stored+reissues != want.Results || multi == 0 {
		t.Errorf("found %d unmatched, %d labels, %d duplicates, %d re-issues, %d stored, %d with several notes: expected %+v", unmatched, differ, duplicates, reissues, stored, multi, want)
	}

	b.Reset()
	want, err = s.WriteDoseReport(&b, ReportOptions{Organisations: []int{0, 3}, Clean: true})
	if err != nil {
		t.Fatal(err)
	}
	rep, err = labfile.Read(&b, labfile.Options{Today: s.Today})
	if err != nil || len(rep.Refused)+len(rep.Ignored) != 0 || len(rep.Rows) != want.Results+want.Controls || want.Results < 500 {
		t.Errorf("clean report: %v, %+v", err, want)
	}
}

func TestTheReportOfAYear(t *testing.T) {
	s := Generate(Config{Seed: 2, People: 400, Years: 2})
	var b bytes.Buffer
	year := s.Today.Year() - 1
	want, err := s.WriteDoseReport(&b, ReportOptions{Organisations: []int{0, 1, 2}, Year: year})
	if err != nil {
		t.Fatal(err)
	}
	rep, err := labfile.Read(&b, labfile.Options{Today: s.Today})
	if err != nil || len(rep.Refused)+len(rep.Ignored) != 0 || len(rep.Rows) != want.Results+want.Controls || want.In != len(rep.Rows) {
		t.Fatalf("%v, %d rows, expected %+v", err, len(rep.Rows), want)
	}
	read := 0
	for o := range 3 {
		for _, row := range s.Rows(o, year) {
			if !row.Scanned.IsZero() && row.Position != dose.Collar && !row.NotCounted {
				read++
			}
		}
	}
	if want.Results != read || read < 300 {
		t.Errorf("%d results, the history has %d", want.Results, read)
	}
}

func TestRowsOfAYear(t *testing.T) {
	s := full()
	sum := 0
	for o := range s.Organisations {
		for y := s.begin().Year(); y <= s.Today.Year(); y++ {
			rows := s.Rows(o, y)
			sum += len(rows)
			for i, row := range rows {
				if row.To.Year() != y || row.Account != s.Organisations[o].Account || row.Number != i+2 || row.Control == (row.Readings != nil) {
					t.Fatalf("organisation %d, year %d: row %d is %+v", o, y, i, row)
				}
			}
		}
	}
	if all := len(s.Rows(-1, 0)); all != sum || all < 120_000 {
		t.Errorf("%d rows in all, %d by organisation and year", all, sum)
	}
}

func TestPeopleCSV(t *testing.T) {
	s := full()
	for _, o := range []int{0, len(s.Organisations) - 1} {
		var b bytes.Buffer
		if err := s.WritePeopleCSV(&b, o); err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(records) != len(s.Organisations[o].Wearers)+1 {
			t.Fatalf("organisation %d: %d records, %v", o, len(records), err)
		}
		for i, w := range s.Organisations[o].Wearers {
			r, e := records[i+1], &s.Wearers[w]
			if r[0] != e.Identity.StaffNumber.Expose() || r[1] != e.Identity.Surname.Expose() || r[7] != e.NI.Expose() || r[14] != e.From.String() || (r[18] == "Y") != e.Classified {
				t.Fatalf("organisation %d: record %d is another's", o, i+1)
			}
		}
	}
}

func TestEverySizeWorks(t *testing.T) {
	for _, c := range []Config{{People: 1}, {People: 2, Markers: 1}, {People: 9}, {People: 50, Years: 1}, {People: 300, Years: 2, Markers: 40}, {Seed: 3, People: 20_000, Years: 1}} {
		s := Generate(c)
		if len(s.People) != c.People+c.Markers {
			t.Errorf("%+v: %d people", c, len(s.People))
		}
		names := map[string]bool{}
		for _, o := range s.Organisations {
			if names[o.Name] || names[o.Account] || names[o.domain] {
				t.Errorf("%+v: name, account or domain of %s twice", c, o.Name)
			}
			names[o.Name], names[o.Account], names[o.domain] = true, true, true
		}
		var b bytes.Buffer
		want, err := s.WriteDoseReport(&b, ReportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		rep, err := labfile.Read(&b, labfile.Options{Today: s.Today})
		if err != nil || rep.In != want.In || len(rep.Refused) != want.Broken {
			t.Errorf("%+v: the report: %v, expected %+v", c, err, want)
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		Generate(Default())
	}
}

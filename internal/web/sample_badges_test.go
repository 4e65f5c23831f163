package web

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// sampleBadges are the badges of the sample: C0001 on are issued, L… went on before.
type sampleBadges struct {
	badges   map[string]*Scan
	returned *[]string // by everybody, in order
	lock     *sync.Mutex
	moved    []string // what was moved together, as state:batch
	printed  []string // what was printed
}

func newSampleBadges() sampleBadges {
	s := sampleBadges{badges: map[string]*Scan{}, returned: new([]string), lock: new(sync.Mutex)}
	add := func(code, answer string, on day.Day) {
		s.badges[code] = &Scan{Answer: answer, Barcode: code, Batch: "B004211", Organisation: organisationID(1), From: day.Of(2026, time.February, 1), To: day.Of(2026, time.February, 28), On: on}
	}
	for i := range 40 {
		add(fmt.Sprintf("C%04d", i+1), "not-returned", 0)
	}
	add("L0001", "returned-before", day.Of(2026, time.March, 3))
	add("L0002", "sent", day.Of(2026, time.March, 6))
	add("L0003", "read", 0)
	add("L0004", "not-issued", 0)
	add("L/5-X", "sent", 0)
	return s
}

func (s *sample) LookAtBadge(_ context.Context, a vaultclient.Auth, code string) (Scan, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if _, err := s.user(a); err != nil {
		return Scan{}, err
	}
	if b := s.badges[strings.ToUpper(strings.TrimSpace(code))]; b != nil {
		return *b, nil
	}
	return Scan{Answer: "unknown"}, nil
}

func (s *sample) ReturnBadge(ctx context.Context, a vaultclient.Auth, code string) (Scan, error) {
	got, err := s.LookAtBadge(ctx, a, code)
	if err != nil || got.Answer != "not-returned" {
		return got, err
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	b := s.badges[got.Barcode]
	b.Answer, b.On, b.At = "returned-before", day.At(sampleNow), sampleNow
	*s.returned = append(*s.returned, got.Barcode)
	got.Answer = "returned"
	return got, nil
}

func (s *sample) UndoReturn(_ context.Context, a vaultclient.Auth, code string) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	for i, c := range *s.returned {
		if c == code {
			*s.returned = append((*s.returned)[:i:i], (*s.returned)[i+1:]...)
			s.badges[code].Answer, s.badges[code].On = "not-returned", 0
			return nil
		}
	}
	return &vaultclient.Error{Code: vaultclient.Conflict, Message: "not yours"}
}

func (s *sample) ReturnedToday(_ context.Context, a vaultclient.Auth, most int) (list []Scan, total int, err error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	_, err = s.user(a)
	for i := len(*s.returned) - 1; i >= 0 && len(list) < most; i-- {
		list = append(list, *s.badges[(*s.returned)[i]])
	}
	return list, len(*s.returned), err
}

func (s *sample) BadgeWay(ctx context.Context, a vaultclient.Auth, code string) (*BadgeWay, error) {
	b, err := s.LookAtBadge(ctx, a, code)
	if err == nil && b.Answer == "unknown" {
		err = &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such badge"}
	}
	if err != nil {
		return nil, err
	}
	w := &BadgeWay{Scan: b, State: "sent", Wearer: wearerID(2), Listed: sampleNow.AddDate(0, -2, 0), Steps: []BadgeStep{
		{State: "returned", At: sampleNow.AddDate(0, 0, -9), Undone: sampleNow.AddDate(0, 0, -9).Add(time.Minute)}, {State: "returned", At: sampleNow.AddDate(0, 0, -8)}, {State: "sent", At: b.From.Time(), Listed: true}}}
	if b.Answer == "read" {
		w.State, w.Wearer, w.Reported = "read", id.Wearer{}, sampleNow
	}
	return w, nil
}

func (s *sample) BadgePosition(ctx context.Context, a vaultclient.Auth, code string) (dose.Position, error) {
	_, err := s.LookAtBadge(ctx, a, code)
	return dose.Collar, err
}

func (s *sample) Batches(_ context.Context, a vaultclient.Auth, o id.Organisation) (list []BadgeBatch, err error) {
	_, err = s.user(a)
	if o != organisationID(1) {
		return nil, err
	}
	for m := 4; m > -28; m-- {
		from := day.Of(2026, time.Month(m), 1)
		b := BadgeBatch{From: from, To: from.AddMonths(1) - 1, Batch: fmt.Sprintf("B%06d", 4250+m), Read: 612}
		switch m {
		case 4:
			b.Ordered, b.Read = 640, 0
		case 3:
			b.Issued, b.Read = 640, 0
		case 2:
			b.Issued, b.Returned, b.Sent, b.Read = 57, 120, 463, 0
		case 1:
			b.Issued = 12
		}
		list = append(list, b)
	}
	return list, err
}

func (s *sample) MoveBatch(_ context.Context, a vaultclient.Auth, o id.Organisation, batch, to string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moved = append(s.moved, to+":"+batch)
	_, err := s.user(a)
	return 120, err
}

func (s *sample) Unreturned(_ context.Context, a vaultclient.Auth, o id.Organisation, on day.Day, offset, limit int) (list []NamedBadge, total int, err error) {
	if _, err = s.user(a); err != nil || o != organisationID(1) || on < day.Of(2026, time.March, 1) {
		return nil, 0, err
	}
	for i := offset; i < min(offset+limit, 69); i++ {
		p := s.people[i%len(s.people)]
		list = append(list, NamedBadge{Barcode: fmt.Sprintf("C%04d", i+1), Wearer: p.Wearer, Identity: p.Identity, Department: "Cardioleg / Cardiology", Position: dose.Collar, From: day.Of(2026, time.February, 1), To: day.Of(2026, time.February, 28)})
	}
	if len(list) > 2 {
		list[2].Wearer, list[2].Department, list[2].Position = id.Wearer{}, "", dose.Control
	}
	return list, 69, nil
}

func (s *sample) UnreturnedFile(ctx context.Context, a vaultclient.Auth, o id.Organisation, on day.Day) ([]byte, id.Export, error) {
	if _, n, err := s.Unreturned(ctx, a, o, on, 0, 0); err != nil || n == 0 {
		return nil, id.Export{}, cmp.Or(err, ErrNothingToPrint)
	}
	return []byte("export,barcode\n"), fixed2(id.Export{}, 7), nil
}

func (s *sample) Departments(_ context.Context, a vaultclient.Auth, p BadgePeriod) (map[string]int, error) {
	_, err := s.user(a)
	if p.Organisation != organisationID(1) {
		return nil, err
	}
	return map[string]int{"": 5, "Cardioleg / Cardiology": 120, "Radioleg": 64}, err
}

func (s *sample) Print(_ context.Context, a vaultclient.Auth, p BadgePeriod, department *string, kind string) ([]byte, id.Export, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := "all"
	if department != nil {
		of = *department
	}
	s.printed = append(s.printed, fmt.Sprintf("%s %s to %s %s of %s", kind, p.From, p.To, p.Batch, of))
	if of == "" {
		return nil, id.Export{}, ErrNothingToPrint
	}
	_, err := s.user(a)
	return []byte("%PDF-"), fixed2(id.Export{}, 8), err
}

func (s *sample) ReturnRates(_ context.Context, a vaultclient.Auth) (map[id.Organisation]ReturnRate, error) {
	u, err := s.user(a)
	out := map[id.Organisation]ReturnRate{}
	for i, o := range s.organisations {
		if len(u.Organisations) == 0 || o.ID == u.Organisations[0] {
			out[o.ID] = ReturnRate{InTime: 10 * (i + 1), Late: i, Unknown: 3, NotBack: (i * 7) % 5}
		}
	}
	return out, err
}

func (s *sample) DepartmentRates(_ context.Context, a vaultclient.Auth, o id.Organisation) (map[string]ReturnRate, error) {
	_, err := s.user(a)
	if o != organisationID(1) {
		return nil, err
	}
	return map[string]ReturnRate{"": {Unknown: 4}, "Cardioleg / Cardiology": {InTime: 812, Late: 90, NotBack: 31}, "Radioleg": {InTime: 640, Late: 12, NotBack: 2}}, err
}

func (s *sample) IssueSpare(_ context.Context, a vaultclient.Auth, x Spare) (string, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if _, err := s.user(a); err != nil {
		return "", err
	}
	if s.badges[x.Barcode] != nil {
		return "", ErrBarcode
	}
	s.badges[x.Barcode] = &Scan{Answer: "not-returned", Barcode: x.Barcode, Batch: x.Period.Batch, Organisation: x.Period.Organisation, From: x.Period.From, To: x.Period.To}
	return x.Barcode, nil
}

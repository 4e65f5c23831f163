package web

import (
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
}

func newSampleBadges() sampleBadges {
	s := sampleBadges{map[string]*Scan{}, new([]string), new(sync.Mutex)}
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

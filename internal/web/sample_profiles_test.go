package web

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// sampleProfile is the profile of docs/laboratory-profiles.md, or nearly.
const sampleProfile = `{
  "name": "cardiff-monthly", "version": 2, "laboratory": "Cardiff Dosimetry", "encoding": "ISO-8859-14", "separators": ";", "heading_row": 2,
  "columns": {"account": "Customer", "barcode": "Badge", "position": "Worn at", "from": "From", "to": "Until", "scanned": "Read on", "name": "Wearer", "notes": 9},
  "dates": ["DD/MM/YYYY"], "decimal": ",", "control": {"column": "Wearer", "texts": ["CONTROL*"]},
  "positions": {"Trunk": "whole body", "Eye": "eye", "Ring right": "right finger"},
  "quantities": [
    {"quantity": "Hp(10)", "column": "Hp(10)", "unit": "mSv", "minimum": "0.1", "elsewhere": "ignored"},
    {"quantity": "Hp(0.07)", "column": "Ring", "unit": "mSv", "positions": ["right finger"], "optional": true, "codes": {"x": "lost"}}],
  "codes": {"<0,1": "below level", "NR": "not returned", "": "not reported"},
  "notes": {"Unused": "unused", "Late": "nothing"}
}`

// sampleProfiles are the stored profiles with their texts.
type sampleProfiles struct {
	list  []StoredProfile
	texts map[id.Import]string
	used  id.Import // that the last file was read by
}

func profileID(n int) id.Import { return fixed2(id.Import{}, 900+n) }

func newSampleProfiles() *sampleProfiles {
	s := &sampleProfiles{texts: map[id.Import]string{}}
	add := func(text string, p StoredProfile) {
		p.ID = profileID(len(s.list) + 1)
		sum := sha256.Sum256([]byte(text))
		p.SHA256 = sum[:]
		s.list, s.texts[p.ID] = append(s.list, p), text
	}
	add(sampleProfile, StoredProfile{Name: "cardiff-monthly", Version: 2, Added: sampleNow.Add(-24 * time.Hour), Used: sampleNow.Add(-2 * time.Hour), Offered: true})
	add(strings.Replace(sampleProfile, `"version": 2, `, "", 1), StoredProfile{Name: "cardiff-monthly", Version: 1, Added: sampleNow.Add(-90 * 24 * time.Hour)})
	add("{}", StoredProfile{Name: "old", Version: 1, Added: sampleNow.Add(-400 * 24 * time.Hour), Retired: sampleNow.Add(-100 * 24 * time.Hour)})
	return s
}

func (s *sample) StoredProfiles(_ context.Context, a vaultclient.Auth) ([]StoredProfile, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.user(a)
	return append([]StoredProfile{}, s.profiles.list...), err
}

func (s *sample) StoredProfile(_ context.Context, a vaultclient.Auth, n id.Import) (StoredProfile, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.profiles.list {
		if p.ID == n {
			text := s.profiles.texts[n]
			_, err := s.user(a)
			if _, wrong := labfile.ParseProfile([]byte(text)); wrong != nil && err == nil {
				err = &NotAccepted{wrong.Error()}
			}
			return p, []byte(text), err
		}
	}
	return StoredProfile{}, nil, &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such profile"}
}

func (s *sample) StoreProfile(_ context.Context, a vaultclient.Auth, text []byte) (id.Import, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := labfile.ParseProfile(text)
	if err != nil {
		return id.Import{}, &NotAccepted{err.Error()}
	}
	n := profileID(len(s.profiles.list) + 1)
	s.profiles.texts[n] = string(text)
	s.profiles.list = append(s.profiles.list, StoredProfile{ID: n, Name: p.Layout().Name, Version: p.Layout().Version, Added: sampleNow, Offered: true, SHA256: make([]byte, 32)})
	_, err = s.user(a)
	return n, err
}

func (s *sample) RetireProfile(_ context.Context, a vaultclient.Auth, n id.Import) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.profiles.list {
		if p := &s.profiles.list[i]; p.ID == n {
			if !p.Retired.IsZero() {
				return &vaultclient.Error{Code: vaultclient.Conflict, Message: "the profile is retired"}
			}
			p.Retired, p.Offered = sampleNow, false
		}
	}
	_, err := s.user(a)
	return err
}

func (s *sample) ReceiveByStored(ctx context.Context, a vaultclient.Auth, file []byte, sender string, profile id.Import) (id.Import, error) {
	p, text, err := s.StoredProfile(ctx, a, profile)
	if err != nil {
		return id.Import{}, err
	}
	if !p.Offered {
		return id.Import{}, &NotAccepted{"profile: it was retired meanwhile: choose another"}
	}
	s.profiles.used = profile
	return s.ReceiveResults(ctx, a, file, text, sender)
}

// sampleSample is a laboratory's file with what files have: a title, notes, codes, a control badge, and rows that are wrong.
const sampleSample = "Monthly results;;;;;;;;\r\n\r\nCustomer;Badge;Worn at;From;Until;Wearer;Hp(10) [mSv];Ring;Remarks\r\n" +
	"700123;X1;Trunk;01/01/2026;31/01/2026;Ŵyn-Jones Siân;0,35;;\r\n700123;X2;Ring right;01/01/2026;31/01/2026;Ifans Llŷr;;1,20;Late\r\n" +
	"700123;X3;Trunk;01/01/2026;31/01/2026;Parry Mair;NR;;\r\n700123;X4;Trunk;01/01/2026;31/01/2026;Rees Owain;<0,1;;Late\r\n" +
	";;;;;;;;\r\n700123;X5;Control;01/01/2026;31/01/2026;CONTROL;;;\r\n700123;X6;Foot;01/01/2026;31/01/2026;Bowen Nia;0,10;;\r\n"

// sampleSamples are the samples that are kept with their drafts.
type sampleSamples struct {
	files, drafts map[id.Import][]byte
	dropped       int
}

func sampleID(n int) id.Import { return fixed2(id.Import{}, 950+n) }

func newSampleSamples() *sampleSamples {
	l, err := labfile.Guess([]byte(sampleSample))
	if err != nil {
		panic(err)
	}
	draft, err := l.JSON()
	if err != nil {
		panic(err)
	}
	return &sampleSamples{files: map[id.Import][]byte{sampleID(1): []byte(sampleSample)}, drafts: map[id.Import][]byte{sampleID(1): draft}}
}

func (s *sample) AddSample(_ context.Context, a vaultclient.Auth, file, draft []byte) (id.Import, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := sampleID(len(s.samples.files) + 1 + s.samples.dropped)
	s.samples.files[n], s.samples.drafts[n] = file, draft
	_, err := s.user(a)
	return n, err
}

func (s *sample) Sample(_ context.Context, a vaultclient.Auth, n id.Import) (file, draft []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.samples.files[n] == nil {
		return nil, nil, &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such sample"}
	}
	_, err = s.user(a)
	return s.samples.files[n], s.samples.drafts[n], err
}

func (s *sample) SetDraft(ctx context.Context, a vaultclient.Auth, n id.Import, draft []byte) error {
	_, _, err := s.Sample(ctx, a, n)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.samples.drafts[n] = draft
	return err
}

func (s *sample) DropSample(ctx context.Context, a vaultclient.Auth, n id.Import) error {
	_, _, err := s.Sample(ctx, a, n)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.samples.files, n)
	s.samples.dropped++
	return err
}

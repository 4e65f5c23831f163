package web

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

func importID(n int) id.Import { return fixed2(id.Import{}, n) }

// sampleFiles has one file in each state, newest first, then older ones.
type sampleFiles struct {
	list     []ImportState
	lists    []ImportState // found by their addresses alone
	loaded   List          // the last list
	accept   error         // what accepting answers, if not nil
	received int           // bytes of the last file
	profile  string
	sender   string
}

func newSampleFiles() *sampleFiles {
	f := &sampleFiles{lists: sampleLists()}
	add := func(im ImportState) {
		im.ID, im.At = importID(len(f.list)+1), sampleNow.Add(-time.Duration(len(f.list))*25*time.Hour)
		f.list = append(f.list, im)
	}
	add(ImportState{Kind: "laboratory", State: "previewed", In: 1802, Stored: 1598, Refused: 68, Ignored: 136})
	add(ImportState{Kind: "people", State: "done", In: 654, Stored: 654})
	add(ImportState{Kind: "laboratory", State: "failed", Failure: "line 1: the column Serial Number is missing"})
	add(ImportState{Kind: "laboratory", State: "received"})
	add(ImportState{Kind: "laboratory", State: "done", In: 400, Stored: 398, Refused: 2})
	add(ImportState{Kind: "laboratory", State: "declined", In: 12, Stored: 12})
	add(ImportState{Kind: "laboratory", State: "previewed", In: 3, Refused: 3})
	for range 30 {
		add(ImportState{Kind: "dispatch", State: "done", In: 640, Stored: 640})
	}
	return f
}

func (s *sample) Files(_ context.Context, a vaultclient.Auth, skip, most int) ([]ImportState, int, error) {
	_, err := s.user(a)
	list := s.files.list
	return list[min(skip, len(list)):min(skip+most, len(list))], len(list), err
}

// find finds a file to be changed.
func (f *sampleFiles) find(n id.Import) (*ImportState, error) {
	for _, list := range [][]ImportState{f.list, f.lists} {
		for i := range list {
			if list[i].ID == n {
				return &list[i], nil
			}
		}
	}
	return nil, &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such file"}
}

func (s *sample) File(_ context.Context, a vaultclient.Auth, n id.Import) (ImportState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	im, err := s.files.find(n)
	if err != nil {
		return ImportState{}, err
	}
	_, err = s.user(a)
	return *im, err
}

func (s *sample) ReceiveResults(_ context.Context, a vaultclient.Auth, file, profile []byte, sender string) (id.Import, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if string(file) == "the same again" {
		return id.Import{}, &NotAccepted{"this very file was imported on 3 March 2026; nothing was stored again"}
	}
	if string(profile) == "{" {
		return id.Import{}, &NotAccepted{"profile: line 1: this is no JSON"}
	}
	s.files.profile = string(profile)
	s.files.received, s.files.sender = len(file), sender
	_, err := s.user(a)
	return importID(4), err
}

func (s *sample) FilePreview(ctx context.Context, a vaultclient.Auth, n id.Import) (*FilePreview, error) {
	im, err := s.File(ctx, a, n)
	p := &FilePreview{In: im.In, Accepted: im.Stored, Ignored: im.Ignored, ByOrg: map[id.Organisation]int{organisationID(1): im.Stored}}
	for i := range im.Refused {
		p.Refused = append(p.Refused, RowNote{i + 2, "Serial Number", "no badge with this serial number was dispatched: check the number, or load the dispatch list first"})
	}
	if im.Stored > 0 {
		p.Reissues = 3
		p.Notices = []RowNote{{17, "Participant Name", "label differs: check assignment"}, {203, "Scan Date", "read 130 days after the end of its period"}}
	}
	return p, err
}

// answer moves a file that waits for an answer.
func (s *sample) answer(n id.Import, to string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	im, err := s.files.find(n)
	if err == nil && im.State != "previewed" {
		err = &vaultclient.Error{Code: vaultclient.Conflict, Message: "no answer is waited for"}
	}
	if err == nil {
		im.State = to
	}
	return err
}

func (s *sample) AcceptFile(_ context.Context, _ vaultclient.Auth, n id.Import) error {
	if s.files.accept != nil {
		return s.files.accept
	}
	if s.isList(n) {
		return s.answer(n, "done")
	}
	return s.answer(n, "confirmed")
}

func (s *sample) DeclineFile(_ context.Context, _ vaultclient.Auth, n id.Import) error {
	return s.answer(n, "declined")
}

func (s *sample) RefusedRows(ctx context.Context, a vaultclient.Auth, n id.Import, w io.Writer) (id.Export, error) {
	im, err := s.File(ctx, a, n)
	if err != nil {
		return id.Export{}, err
	}
	for i := range im.Refused {
		fmt.Fprintf(w, "refused %d\n", i)
	}
	return fixed2(id.Export{}, 1), nil
}

func (s *sample) InvestigationsOpened(_ context.Context, a vaultclient.Auth, _ id.Import) (map[id.Organisation]int, error) {
	_, err := s.user(a)
	return map[id.Organisation]int{organisationID(1): 2, organisationID(3): 1}, err
}

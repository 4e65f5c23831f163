package register

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// A sample of a laboratory's file is kept while somebody makes a profile from it, as a file is that waits for an answer:
// sealed under a key of its own, with the profile so far beside it. It is never imported, and goes with its key when
// the profile is stored, when whoever makes it says so, or after SampleLife.

// docDraft is a profile on its way, a labfile.Layout.
const docDraft = "draft"

// Bounds of a sample.
const (
	MaxSample  = 4 << 20
	SampleLife = time.Hour
)

// errNoSample says that there is no such sample, or that the caller's role loads no files.
var errNoSample = &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such sample"}

// AddSample takes a sample in with a draft of its profile. It is entered as it arrives.
func (s *Service) AddSample(ctx context.Context, auth vaultclient.Auth, file, draft []byte) (id.Import, error) {
	if err := s.loads(ctx, auth); err != nil {
		return id.Import{}, err
	}
	sum := sha256.Sum256(file)
	im := ImportRow{ID: id.New[id.Import](), Kind: KindSample, State: Previewed, Node: s.Node, SHA256: sum[:], Created: s.Now()}
	if len(file) == 0 || len(file) > MaxSample {
		return im.ID, wrong("a sample has at most %d MiB, and is not empty", MaxSample>>20)
	}
	in := vaultclient.Intake{Import: im.ID, Source: KindSample, SHA256: sum[:], Bytes: int64(len(file))}
	if err := s.Vault.Intake(ctx, auth, in); err != nil {
		return im.ID, fmt.Errorf("entering the sample: %w", err)
	}
	documents := map[string][][]byte{}
	for name, b := range map[string][]byte{docFile: file, docDraft: draft} {
		parts, err := s.sealDocument(ctx, auth, im, name, b)
		if err != nil {
			return im.ID, err
		}
		documents[name] = parts
	}
	return im.ID, s.Store.CreateImport(ctx, im, documents)
}

// sample returns a sample that is still kept.
func (s *Service) sample(ctx context.Context, auth vaultclient.Auth, n id.Import) (ImportRow, error) {
	if err := s.loads(ctx, auth); err != nil {
		return ImportRow{}, err
	}
	im, err := s.Store.Import(ctx, n)
	if errors.Is(err, ErrNotFound) || err == nil && (im.Kind != KindSample || im.State != Previewed || !s.Now().Before(im.Created.Add(SampleLife))) {
		err = errNoSample
	}
	return im, err
}

// Sample opens a sample and the draft of its profile. Code NotFound: there is none, or no longer.
func (s *Service) Sample(ctx context.Context, auth vaultclient.Auth, n id.Import) (file, draft []byte, err error) {
	im, err := s.sample(ctx, auth, n)
	if err != nil {
		return nil, nil, err
	}
	if file, err = s.openDocument(ctx, auth, im, docFile, "making a profile from a sample"); err != nil {
		return nil, nil, err
	}
	draft, err = s.openDocument(ctx, auth, im, docDraft, "making a profile from a sample")
	return file, draft, err
}

// SetDraft keeps another draft of a sample's profile.
func (s *Service) SetDraft(ctx context.Context, auth vaultclient.Auth, n id.Import, draft []byte) error {
	im, err := s.sample(ctx, auth, n)
	if err != nil {
		return err
	}
	parts, err := s.sealDocument(ctx, auth, im, docDraft, draft)
	if err != nil {
		return err
	}
	return s.Store.SetDocument(ctx, n, docDraft, parts)
}

// DropSample ends that a sample is kept. The vault destroys its key and enters it.
func (s *Service) DropSample(ctx context.Context, auth vaultclient.Auth, n id.Import) error {
	im, err := s.sample(ctx, auth, n)
	if err != nil {
		return err
	}
	return s.DeclineOwn(ctx, auth, im)
}

// dropOldSamples ends samples that nobody came back to.
func (s *Service) dropOldSamples(ctx context.Context) error {
	waiting, err := s.Store.InState(ctx, Previewed)
	if err != nil {
		return err
	}
	for _, im := range waiting {
		if im.Kind != KindSample || s.Now().Before(im.Created.Add(SampleLife)) {
			continue
		}
		if err := s.DeclineOwn(ctx, vaultclient.Auth{}, im); err != nil && !errors.Is(err, ErrState) { // else another worker did
			return err
		}
	}
	return nil
}

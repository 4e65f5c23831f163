package register

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// A stored profile is an import of its own: its text is a document under a key of its own, since the texts that it says the
// meaning of come from a laboratory's files. What it is called stands in the clear. A text is never changed: another is
// another version. A file that is read by a stored profile keeps a copy of the text, so retiring one changes no import.

// docRetired is a document of a retired profile. It is empty: that it opens says that somebody who may had it sealed.
const docRetired = "retired"

// ProfileRow is a stored profile. Its text lies sealed beside it.
type ProfileRow struct {
	Import  id.Import
	Name    string
	Version int
	SHA256  []byte // of the text
	Added   time.Time
	Used    time.Time // when a file was last read by it; zero: never
	Retired time.Time // zero: it is offered
}

// ProfileStore keeps which profiles there are.
type ProfileStore interface {
	// CreateProfile keeps a new profile with its import and that one's documents. ErrExists: its name and version are there.
	CreateProfile(ctx context.Context, im ImportRow, p ProfileRow, documents map[string][][]byte) error
	// Profiles returns all, in order of name, of each name the newest version first.
	Profiles(ctx context.Context) ([]ProfileRow, error)
	// UseProfile notes that a file was read by a profile, if that is later than the last time.
	UseProfile(ctx context.Context, n id.Import, at time.Time) error
	// RetireProfile retires a profile. ErrState: there is none, or it is retired.
	RetireProfile(ctx context.Context, n id.Import, at time.Time) error
}

// errNoProfile says that there is no such profile, or that the caller's role loads no files.
var errNoProfile = &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such profile"}

// loadsForAll reports, as an error, that the caller's role loads no files, or not those of every organisation.
func (s *Service) loadsForAll(ctx context.Context, auth vaultclient.Auth) error {
	user, err := s.loader(ctx, auth)
	if err == nil && len(user.Organisations) > 0 {
		err = &vaultclient.Error{Code: vaultclient.Refused, Message: "a profile holds for every organisation: ask a co-ordinator of the whole service"}
	}
	return err
}

// AddProfile stores a profile, in the text of labfile.ParseProfile, under its name and version. It is entered as it arrives.
// Code Refused: the caller does not work for every organisation.
func (s *Service) AddProfile(ctx context.Context, auth vaultclient.Auth, text []byte) (id.Import, error) {
	if err := s.loadsForAll(ctx, auth); err != nil {
		return id.Import{}, err
	}
	p, err := labfile.ParseProfile(text)
	if err != nil {
		return id.Import{}, wrong("%s", err)
	}
	l := p.Layout()
	if slices.ContainsFunc(labfile.Profiles(), func(p *labfile.Profile) bool { return strings.HasPrefix(p.Name(), l.Name+"/") }) {
		return id.Import{}, wrong("profile: name: a profile that is built in has this name: choose another")
	}
	all, err := s.Store.Profiles(ctx)
	if err != nil {
		return id.Import{}, err
	}
	for _, old := range all {
		if old.Name == l.Name && old.Version >= l.Version {
			return id.Import{}, wrong("profile: version: %s is stored already in version %d: give this text the version %d", l.Name, old.Version, old.Version+1)
		}
	}
	sum := sha256.Sum256(text)
	im := ImportRow{ID: id.New[id.Import](), Kind: KindProfile, State: Done, Node: s.Node, SHA256: sum[:], Created: s.Now()}
	in := vaultclient.Intake{Import: im.ID, Source: KindProfile, SHA256: sum[:], Bytes: int64(len(text)), Sender: p.Name()}
	if err := s.Vault.Intake(ctx, auth, in); err != nil {
		return im.ID, fmt.Errorf("entering the profile: %w", err)
	}
	parts, err := s.sealDocument(ctx, auth, im, docProfile, text)
	if err != nil {
		return im.ID, err
	}
	err = s.Store.CreateProfile(ctx, im, ProfileRow{Import: im.ID, Name: l.Name, Version: l.Version}, map[string][][]byte{docProfile: parts})
	if errors.Is(err, ErrExists) {
		err = wrong("profile: version: somebody stored this version at the same time: look at theirs")
	}
	return im.ID, err
}

// Profiles returns the stored profiles in order of name, of each name the newest version first.
func (s *Service) Profiles(ctx context.Context, auth vaultclient.Auth) ([]ProfileRow, error) {
	if err := s.loads(ctx, auth); err != nil {
		return nil, err
	}
	return s.Store.Profiles(ctx)
}

// Offered returns those of stored profiles that files can be read by: of each name the newest version, if it is not retired.
func Offered(all []ProfileRow) (out []ProfileRow) {
	last := ""
	for _, p := range all {
		if p.Name != last && p.Retired.IsZero() {
			out = append(out, p)
		}
		last = p.Name
	}
	return out
}

// Profile returns a stored profile with its text, which is opened for it. Code NotFound: there is none.
func (s *Service) Profile(ctx context.Context, auth vaultclient.Auth, n id.Import) (ProfileRow, []byte, error) {
	all, err := s.Profiles(ctx, auth)
	if err != nil {
		return ProfileRow{}, nil, err
	}
	i := slices.IndexFunc(all, func(p ProfileRow) bool { return p.Import == n })
	if i < 0 {
		return ProfileRow{}, nil, errNoProfile
	}
	text, err := s.openDocument(ctx, auth, ImportRow{ID: n}, docProfile, "how a laboratory's files are read")
	if err != nil {
		return all[i], nil, err
	}
	if sum := sha256.Sum256(text); !bytes.Equal(sum[:], all[i].SHA256) {
		return all[i], nil, errBlob
	}
	p, err := labfile.ParseProfile(text)
	if err != nil {
		return all[i], text, wrong("%s", err) // written for another version of the program
	}
	if l := p.Layout(); l.Name != all[i].Name || l.Version != all[i].Version {
		return all[i], nil, errBlob
	}
	return all[i], text, nil
}

// ReceiveStored takes a laboratory's file in that is to be read by a stored profile, of whose text it keeps a copy.
func (s *Service) ReceiveStored(ctx context.Context, auth vaultclient.Auth, file []byte, sender string, profile id.Import) (id.Import, error) {
	p, text, err := s.Profile(ctx, auth, profile)
	if err != nil {
		return id.Import{}, err
	}
	if !p.Retired.IsZero() {
		return id.Import{}, wrong("profile: it was retired meanwhile: choose another")
	}
	n, err := s.ReceiveBy(ctx, auth, file, sender, text)
	if err != nil {
		return n, err
	}
	return n, s.Store.UseProfile(ctx, profile, s.Now())
}

// RetireProfile ends that a profile is offered, and with it all earlier versions; it is entered. Its text stays, and so does
// the copy of each file that was read by it. ErrState: it is retired.
func (s *Service) RetireProfile(ctx context.Context, auth vaultclient.Auth, n id.Import) error {
	if err := s.loadsForAll(ctx, auth); err != nil {
		return err
	}
	p, _, err := s.Profile(ctx, auth, n)
	var input *InputError
	if err != nil && !errors.As(err, &input) { // what this version of the program can't read, it can retire
		return err
	}
	if !p.Retired.IsZero() {
		return fmt.Errorf("the profile %w", ErrState)
	}
	parts, err := s.sealDocument(ctx, auth, ImportRow{ID: n}, docRetired, nil)
	if err != nil {
		return err
	}
	if err := s.Store.SetDocument(ctx, n, docRetired, parts); err != nil {
		return err
	}
	return s.Store.RetireProfile(ctx, n, s.Now())
}

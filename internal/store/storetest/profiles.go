package storetest

import (
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
)

func profiles(t *testing.T, s register.Store, reopen func() register.Store) {
	none, err := s.Profiles(ctx)
	must(t, err)
	check(t, "an empty store", none, nil)
	keep := func(name string, version int, added time.Time) register.ProfileRow {
		t.Helper()
		im := anImport(register.Done)
		im.Kind, im.Created = register.KindProfile, added
		p := register.ProfileRow{Import: im.ID, Name: name, Version: version, SHA256: im.SHA256, Added: added}
		must(t, s.CreateProfile(ctx, im, p, map[string][][]byte{"profile": {[]byte(name)}}))
		return p
	}
	old, later := keep("lab-a", 1, at), keep("lab-a", 10, at.Add(time.Hour))
	other, digit := keep("laba", 1, at), keep("lab0", 2, at)
	want := []register.ProfileRow{later, old, digit, other}
	for _, from := range []register.Store{s, reopen()} {
		got, err := from.Profiles(ctx)
		must(t, err)
		check(t, "profiles by name, the newest version first", got, want)
	}
	text, err := reopen().Document(ctx, later.Import, "profile")
	must(t, err)
	check(t, "the text", text, [][]byte{[]byte("lab-a")})

	twice := anImport(register.Done)
	wantErr(t, "a version that is there", s.CreateProfile(ctx, twice, register.ProfileRow{Import: twice.ID, Name: "lab-a", Version: 10}, nil), register.ErrExists)
	_, err = s.Import(ctx, twice.ID)
	wantErr(t, "its import", err, register.ErrNotFound)

	must(t, s.UseProfile(ctx, old.Import, at.Add(2*time.Hour)))
	must(t, s.UseProfile(ctx, old.Import, at.Add(time.Hour)))
	must(t, s.RetireProfile(ctx, digit.Import, at.Add(3*time.Hour)))
	wantErr(t, "retiring it again", s.RetireProfile(ctx, digit.Import, at.Add(4*time.Hour)), register.ErrState)
	wantErr(t, "retiring what is none", s.RetireProfile(ctx, id.New[id.Import](), at), register.ErrState)
	want[1].Used, want[2].Retired = at.Add(2*time.Hour), at.Add(3*time.Hour)
	got, err := reopen().Profiles(ctx)
	must(t, err)
	check(t, "used and retired", got, want)

	night := anImport(register.Done)
	night.Kind = register.KindEvaluation
	create(t, s, night)
	// Neither profiles nor samples are files, nor is a night's run.
	file, sample := create(t, s, anImport(register.Done)), anImport(register.Previewed)
	sample.Kind = register.KindSample
	create(t, s, sample)
	list, total, err := s.Imports(ctx, 0, 10)
	must(t, err)
	check(t, "files", ids(list), []id.Import{file.ID})
	check(t, "how many", total, 1)
}

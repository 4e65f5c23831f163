package register_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// refusedWith wants an input error with a text.
func (h *house) refusedWith(what string, err error, text string) {
	h.Helper()
	var input *register.InputError
	if !errors.As(err, &input) || !strings.Contains(err.Error(), text) {
		h.Errorf("%s: %v, want %q", what, err, text)
	}
}

// A profile is stored once under its name and version, files are read by it, and what was read stays when it is retired.
func TestStoredProfiles(t *testing.T) {
	h := newHouse(t)
	first, err := h.web.AddProfile(t.Context(), h.auth, []byte(labProfile))
	h.ok(err)
	_, err = h.web.AddProfile(t.Context(), h.auth, []byte(labProfile))
	h.refusedWith("the same again", err, "lab is stored already in version 1: give this text the version 2")
	_, err = h.web.AddProfile(t.Context(), h.auth, []byte(strings.Replace(labProfile, `"lab"`, `"landauer-dosereport"`, 1)))
	h.refusedWith("a name that is built in", err, "built in has this name")
	_, err = h.web.AddProfile(t.Context(), h.auth, []byte("{"))
	h.refusedWith("no profile", err, "profile: line 1")
	next := strings.Replace(labProfile, `"lab"`, `"lab", "version": 3`, 1)
	second, err := h.web.AddProfile(t.Context(), h.auth, []byte(next))
	h.ok(err)

	if got := h.installation("intake"); len(got) != 2 {
		t.Errorf("%d entries of profiles that arrived", len(got))
	}

	p, text, err := h.web.Profile(t.Context(), h.auth, second)
	h.ok(err)
	if string(text) != next || p.Name != "lab" || p.Version != 3 || !p.Added.Equal(now) || !p.Used.IsZero() || !p.Retired.IsZero() {
		t.Errorf("%+v: %s", p, text)
	}
	all, err := h.web.Profiles(t.Context(), h.auth)
	h.ok(err)
	if offered := register.Offered(all); len(all) != 2 || len(offered) != 1 || offered[0].Import != second {
		t.Errorf("%+v, offered %+v", all, offered)
	}
	if files, _, err := h.web.Files(t.Context(), h.auth, 0, 10); err != nil || len(files) != 0 {
		t.Errorf("profiles are listed among the files: %v, %v", files, err)
	}

	w := h.takeOn(h.joiner(h.org))[0]
	jan := h.badge(h.org, w, time.January)
	h.dispatch(jan)
	row := []string{jan.Barcode, "T", jan.From.String(), jan.To.String(), "", "deep", "350"}
	file := "Serial;Site;From;To;Wearer;What;µSv\n" + strings.Join(row, ";") + "\n" + strings.Replace(strings.Join(row, ";"), "deep", "skin", 1) + "\n"
	n, err := h.web.ReceiveStored(t.Context(), h.auth, []byte(file), "Cardiff Dosimetry", second)
	h.ok(err)
	h.ok(h.web.RetireProfile(t.Context(), h.auth, second))
	if got := h.installation("write"); len(got) != 1 || got[0].Reason != "a laboratory's profile is retired" || got[0].Actor != "Mair Evans" {
		t.Errorf("entered that it is retired: %+v", got)
	}
	if err := h.web.RetireProfile(t.Context(), h.auth, second); !errors.Is(err, register.ErrState) {
		t.Errorf("retired again: %v", err)
	}
	if all, err = h.web.Profiles(t.Context(), h.auth); err != nil || len(register.Offered(all)) != 0 || !all[0].Used.Equal(now) || !all[0].Retired.Equal(now) {
		t.Errorf("%v, offered %v (%v)", all, register.Offered(all), err)
	}
	_, err = h.web.ReceiveStored(t.Context(), h.auth, []byte(file+"\n"), "Cardiff Dosimetry", second)
	h.refusedWith("a file by a retired profile", err, "it was retired meanwhile")
	_, err = work(t.Context(), h.worker)
	h.ok(err)
	if im, p, err := h.web.PreviewOf(t.Context(), h.auth, n); err != nil || p == nil || p.Accepted != 1 {
		t.Errorf("a file read by what is retired now: %s %s, %+v, %v", im.State, im.Failure, p, err)
	}
	if _, text, err := h.web.Profile(t.Context(), h.auth, first); err != nil || string(text) != labProfile {
		t.Errorf("the first version: %s, %v", text, err)
	}

	// Whoever loads no files has no profiles.
	other := h.user(policy.Supervisor, h.org)
	_, _, shown := h.web.Profile(t.Context(), other, first)
	for what, err := range map[string]error{
		"list":   last(h.web.Profiles(t.Context(), other)),
		"show":   shown,
		"add":    last(h.web.AddProfile(t.Context(), other, []byte(labProfile))),
		"retire": h.web.RetireProfile(t.Context(), other, first),
		"use":    last(h.web.ReceiveStored(t.Context(), other, []byte(file), "x", first)),
	} {
		var v *vc.Error
		if !errors.As(err, &v) || v.Code != vc.NotFound {
			t.Errorf("%s by a supervisor: %v", what, err)
		}
	}
}

// A profile says how the files of every organisation are read: whoever works for some of them adds and retires none.
func TestProfilesAreOfTheWholeService(t *testing.T) {
	h := newHouse(t)
	n, err := h.web.AddProfile(t.Context(), h.auth, []byte(labProfile))
	h.ok(err)
	tied := h.user(policy.Coordinator, h.org)
	next := strings.Replace(labProfile, `"lab"`, `"lab", "version": 2`, 1)
	for what, err := range map[string]error{
		"add":    last(h.web.AddProfile(t.Context(), tied, []byte(next))),
		"retire": h.web.RetireProfile(t.Context(), tied, n),
	} {
		var v *vc.Error
		if !errors.As(err, &v) || v.Code != vc.Refused {
			t.Errorf("%s by who works for one organisation: %v", what, err)
		}
	}
	if all, err := h.web.Profiles(t.Context(), tied); err != nil || len(register.Offered(all)) != 1 || all[0].Version != 1 {
		t.Errorf("%+v, %v", all, err)
	}
}

func last[T any](_ T, err error) error { return err }

// installation returns the installation log's newest entries of a kind.
func (h *house) installation(kind string) []vc.Entry {
	h.Helper()
	page, err := h.v.Ledger(h.Context(), vault.Caller{Node: "web", Auth: h.auth}, vc.LedgerRequest{Limit: 100})
	h.ok(err)
	return slices.DeleteFunc(page.Entries, func(e vc.Entry) bool { return e.Kind != kind })
}

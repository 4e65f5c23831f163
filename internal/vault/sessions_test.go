package vault_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// TestASessionEndsUnused: half an hour without use ends a session, over a restart too, and ten hours do however much it is used.
func TestASessionEndsUnused(t *testing.T) {
	began := time.Date(2027, time.March, 1, 8, 0, 0, 0, time.UTC)
	now := clockAt(began)
	h := newHouseAt(t, now.now)
	ctx := t.Context()
	who := h.join(h.organisation("A"), "Jones, Siân, A1")
	user := vc.NewUser{Name: "Rhys", Role: policy.Coordinator}
	auth := h.signIn("web", user)
	read := func() error {
		_, err := h.nodes["web"].Reveal(ctx, auth, vc.RevealRequest{Purpose: policy.AssessDose, Fields: policy.FieldName, Wearers: who})
		return err
	}
	now.set(began.Add(29 * time.Minute))
	if err := read(); err != nil {
		t.Errorf("used after 29 minutes: %v", err)
	}
	h.stop()
	h.start()
	now.set(began.Add(58 * time.Minute))
	if err := read(); err != nil {
		t.Errorf("29 minutes after its last use, and after a restart: %v", err)
	}
	now.set(began.Add(88 * time.Minute))
	if err := read(); code(err) != vc.Unauthenticated {
		t.Errorf("unused for 30 minutes: %v", err)
	}
	h.stop()
	h.start()
	if err := read(); code(err) != vc.Unauthenticated {
		t.Errorf("and after a restart: %v", err)
	}

	began = now.now()
	h.root = vc.Auth{Session: must(h.nodes["cli"].RedeemLink(ctx, must(h.v.LinkAtStart(ctx, "Mair Evans")))).Token}
	user.Name = "Rhian"
	auth = h.signIn("web", user)
	for at := time.Duration(0); at < 10*time.Hour; at += 20 * time.Minute {
		now.set(began.Add(at))
		if err := read(); err != nil {
			t.Fatalf("in use for %v: %v", at, err)
		}
	}
	now.set(began.Add(10 * time.Hour))
	if err := read(); code(err) != vc.Unauthenticated {
		t.Errorf("after ten hours: %v", err)
	}
}

// TestSessionsAreListedAndEnded: everybody sees and ends their own; who decides who may sign in sees and ends everybody's, and
// it is entered.
func TestSessionsAreListedAndEnded(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	org := h.organisation("A")
	who := h.join(org, "Jones, Siân, A1")
	rhys := h.signIn("web", vc.NewUser{Name: "Rhys", Role: policy.Supervisor, Organisations: []id.Organisation{org}})
	user := must(h.nodes["web"].Whoami(ctx, rhys))
	again := vc.Auth{Session: must(h.nodes["cli"].RedeemLink(ctx, must(h.nodes["cli"].NewLink(ctx, h.root, user.ID)))).Token}
	boss := vc.Auth{Session: must(h.nodes["cli"].RedeemLink(ctx, must(h.nodes["cli"].NewLink(ctx, h.root, must(h.nodes["cli"].CreateUsers(ctx, h.root, []vc.NewUser{{Name: "Ada", Role: policy.Administrator}}))[0])))).Token}
	cli := h.nodes["cli"]

	own := must(cli.Sessions(ctx, again, false))
	if len(own) != 2 || own[0].User != user.ID || own[1].User != user.ID || own[0].This == own[1].This {
		t.Fatalf("own sessions: %+v", own)
	}
	stolen := own[slices.IndexFunc(own, func(s vc.OpenSession) bool { return !s.This })]
	if stolen.Node != "web" || stolen.Name != "Rhys" || len(stolen.ID) != 12 {
		t.Errorf("the other session: %+v", stolen)
	}
	if _, err := cli.Sessions(ctx, again, true); code(err) != vc.Refused {
		t.Errorf("everybody's, for a supervisor: %v", err)
	}
	all := must(cli.Sessions(ctx, boss, true))
	if len(all) != 4 {
		t.Errorf("everybody's: %+v", all)
	}
	of := func(a vc.Auth) string {
		for _, s := range must(cli.Sessions(ctx, a, false)) {
			if s.This {
				return s.ID
			}
		}
		return ""
	}
	for what, err := range map[string]error{
		"another's":                 cli.EndSession(ctx, again, of(boss)),
		"one that does not exist":   cli.EndSession(ctx, again, "aaaaaaaaaaaa"),
		"the hash's or a token's":   cli.EndSession(ctx, again, boss.Session),
		"another's, for a stranger": cli.EndSession(ctx, vc.Auth{}, of(boss)),
	} {
		if want := map[bool]vc.Code{true: vc.Unauthenticated, false: vc.Refused}[strings.Contains(what, "stranger")]; code(err) != want {
			t.Errorf("ending %s: %v", what, err)
		}
	}
	read := func() error {
		_, err := h.nodes["web"].Reveal(ctx, rhys, vc.RevealRequest{Purpose: policy.AssessDose, Fields: policy.FieldName, Wearers: who})
		return err
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	if err := cli.EndSession(ctx, again, stolen.ID); err != nil {
		t.Fatal(err)
	}
	if err := read(); code(err) != vc.Unauthenticated {
		t.Errorf("an ended session reads: %v", err)
	}
	if err := cli.EndSession(ctx, boss, stolen.ID); code(err) != vc.NotFound {
		t.Errorf("ended twice: %v", err)
	}
	if err := cli.EndSession(ctx, boss, of(again)); err != nil {
		t.Fatal(err)
	}
	h.stop()
	h.start()
	if _, err := h.nodes["cli"].Whoami(ctx, again); code(err) != vc.Unauthenticated {
		t.Errorf("ended by an administrator, after a restart: %v", err)
	}
	var reasons []string
	for _, e := range must(h.nodes["cli"].Ledger(ctx, h.root, vc.LedgerRequest{Limit: 100})).Entries {
		if e.Kind == "sign-out" {
			reasons = append(reasons, e.Reason)
		}
	}
	if want := []string{"of user:" + user.ID.String(), "by its own user"}; !slices.Equal(reasons, want) {
		t.Errorf("entered: %q, want %q", reasons, want)
	}
}

// TestSessionLimitsAreChecked: limits that nobody would want are refused before the vault opens.
func TestSessionLimitsAreChecked(t *testing.T) {
	for l, ok := range map[vault.SessionLimits]bool{
		vault.DefaultSessionLimits:                       true,
		{Idle: time.Minute, Lifetime: 5 * time.Minute}:   true,
		{Idle: 24 * time.Hour, Lifetime: 24 * time.Hour}: true,
		{Idle: 59 * time.Second, Lifetime: time.Hour}:    false,
		{Idle: 2 * time.Hour, Lifetime: time.Hour}:       false,
		{Idle: time.Minute, Lifetime: 4 * time.Minute}:   false,
		{Idle: time.Hour, Lifetime: 25 * time.Hour}:      false,
		{Idle: -time.Minute, Lifetime: 10 * time.Hour}:   false,
		{Lifetime: 10 * time.Hour}:                       false,
	} {
		if err := l.Check(); (err == nil) != ok {
			t.Errorf("%+v: %v", l, err)
		}
	}
}

package attack_test

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/store/postgres/server"
	"github.com/dosevault/dosevault/internal/testmachine"
	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Promise 6 for authority: rows that were true once are put back straight into the database. While the vault runs they open
// nothing; it does not start on them; and verify names the table.
func TestAuthorityPutBack(t *testing.T) {
	t.Parallel()
	authorityPutBack(t, copyOfFilled(t))
}

// rowsByID are a table's rows: what is sealed, by id, both in hexadecimal digits.
type rowsByID map[string]string

func readTable(t *testing.T, database string, of vault.Table) rowsByID {
	t.Helper()
	db := readOnly(t, database)
	defer db.Close()
	rows, err := db.Query(`SELECT id, sealed FROM "` + string(of) + `"`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := rowsByID{}
	for rows.Next() {
		var key, sealed []byte
		if err := rows.Scan(&key, &sealed); err != nil {
			t.Fatal(err)
		}
		out[hex.EncodeToString(key)] = hex.EncodeToString(sealed)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// writeTable makes a table's rows those.
func writeTable(t *testing.T, database string, of vault.Table, rows rowsByID) {
	t.Helper()
	literal := "x'%s'"
	if server.Is(database) {
		literal = "decode('%s', 'hex')"
	}
	statements := []string{`DELETE FROM "` + string(of) + `"`}
	for key, sealed := range rows {
		statements = append(statements, fmt.Sprintf(`INSERT INTO "%s" (id, sealed) VALUES (`+literal+`, `+literal+`)`, of, key, sealed))
	}
	tamper(t, database, statements...)
}

func authorityPutBack(t *testing.T, h *house.House) {
	ctx := t.Context()
	declared := h.Beside("vault", "--demo", "--single-administrator", "--listen", h.Listen, "--vault-listen", h.Vault)
	declared.Signal(syscall.SIGTERM)
	for declared.Signal(syscall.Signal(0)) == nil {
		time.Sleep(5 * time.Millisecond)
	}
	h.Start("demo")
	web := h.Client("web")
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	signIn := func(name string) vaultclient.Auth {
		t.Helper()
		auth, err := h.SignIn(web, h.DemoUsers()[name])
		ok(err)
		return auth
	}
	eleri, owain, ended := signIn("Eleri Vaughan"), signIn("Owain Rees"), signIn("Eleri Vaughan")
	wearers, orgs, _ := plain(t, h)
	org, err := id.Parse[id.Organisation](orgs[0])
	ok(err)
	office, clerk, err := h.Office(h.DemoUsers()["Eleri Vaughan"])
	ok(err)
	users, err := office.CreateUsers(ctx, clerk, []vaultclient.NewUser{{Name: "Rhys Tudur", Role: policy.Local, Organisations: []id.Organisation{org}}, {Name: "Non Parri", Role: policy.Local, Organisations: []id.Organisation{org}}})
	ok(err)
	link, err := office.NewLink(ctx, clerk, users[0])
	ok(err)
	leaver, err := office.NewLink(ctx, clerk, users[1])
	ok(err)
	gone, err := h.Enrol(web, leaver)
	ok(err)
	file := id.New[id.Import]()
	ok(web.Intake(ctx, eleri, vaultclient.Intake{Import: file, Source: "laboratory", SHA256: make([]byte, 32), Rows: 1, Held: policy.FieldName}))
	machine := newMachine(t, h, web, eleri, org)
	waiting, err := web.Propose(ctx, eleri, vaultclient.ApproveUser, vaultclient.UserChange{NewUser: vaultclient.NewUser{Name: "Nobody Yet", Role: policy.RecordsOfficer}})
	ok(err)
	policies, err := web.Policies(ctx, owain)
	ok(err)
	for deadline := time.Now().Add(30 * time.Second); machine.call(t, web) != nil; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the machine's signatures are not taken: nothing is shown of it")
		}
	}

	before := map[vault.Table]rowsByID{}
	for _, of := range vault.Tables {
		before[of] = readTable(t, vaultDB(h), of)
	}
	// One change of each kind, by the real program.
	ok(web.SignOut(ctx, ended))
	ok(office.EndUser(ctx, clerk, users[1]))
	_, err = h.Enrol(web, link)
	ok(err)
	ok(web.EndMachine(ctx, eleri, machine.id))
	ok(web.ChangeOrganisation(ctx, eleri, vaultclient.Organisation{ID: org, Name: "Ysbyty Newydd", Kind: vaultclient.HealthBoard}))
	ok(web.Discard(ctx, eleri, file))
	list := id.New[id.Import]()
	_, err = web.Stage(ctx, eleri, list, []vaultclient.Change{{Organisation: org, Wearer: id.Wearer(wearers[orgs[0]][0]), KeepTo: true, KeepClassified: true, Identity: person.Identity{KnownAs: person.NewValue("Siani")}}})
	ok(err)
	ok(web.Confirm(ctx, eleri, list, nil))
	ok(web.Freeze(ctx, eleri, vaultclient.FreezeRequest{Scope: vaultclient.UserScope(users[0]), Reason: "seen somewhere else", Sure: true}))
	ok(web.SetBudget(ctx, owain, vaultclient.NewBudget{Who: vaultclient.Recipient("user:" + users[0].String()), Limits: map[string]int{"identity": 5}}))
	ok(web.WithdrawApproval(ctx, eleri, waiting))
	_, err = office.AddProvider(ctx, clerk, vaultclient.NewProvider{Organisation: org, Issuer: "https://login.board.example", Client: "dosevault", Secret: "a secret", Name: "name", Claim: "groups", Rules: []vaultclient.ClaimRule{{Value: "rps", Role: policy.Supervisor}}})
	ok(err)
	files := maps.Clone(policies.Files)
	files["search.cedar"] += "\n// Read again in November.\n"
	_, err = h.Agree(web, owain, h.DemoUsers()["Owain Rees"], h.DemoUsers()["Eleri Vaughan"], vaultclient.ApprovePolicies, vaultclient.PoliciesChange{Base: policies.Version, Files: files})
	ok(err)
	ok(web.EndSingleAdministrator(ctx, owain))
	now := map[vault.Table]rowsByID{}
	var changed []vault.Table
	for _, of := range vault.Tables {
		now[of] = readTable(t, vaultDB(h), of)
		if fmt.Sprint(now[of]) != fmt.Sprint(before[of]) && of != vault.TableTally {
			changed = append(changed, of)
		}
	}
	for _, of := range []vault.Table{vault.TableSession, vault.TableUser, vault.TableLink, vault.TableJobGrant, vault.TableOrganisation, vault.TableImport, vault.TableWearer, vault.TableField,
		vault.TableFrozen, vault.TableBudget, vault.TableCredential, vault.TableApproval, vault.TablePolicy, vault.TableProvider, vault.TableAlarm, vault.TableSetting} {
		if !slices.Contains(changed, of) {
			t.Errorf("no row of %s changed: nothing is shown of it", of)
		}
	}

	// While it runs.
	for _, of := range append(changed, vault.TableTally) {
		writeTable(t, vaultDB(h), of, before[of])
	}
	_, used := h.Enrol(web, link)
	frozen, err := web.Frozen(ctx, eleri)
	if err != nil || len(frozen) != 1 {
		t.Errorf("frozen: %v, %v", frozen, err)
	}
	for what, err := range map[string]error{
		"a session that ended":             second(web.Whoami(ctx, ended)),
		"the session of somebody who left": second(web.Whoami(ctx, vaultclient.Auth{Session: gone.Session})),
		"a link that was used":             used,
		"a machine that was ended":         machine.call(t, web),
	} {
		if err == nil {
			t.Errorf("%s works again", what)
		}
	}
	for _, of := range append(changed, vault.TableTally) {
		writeTable(t, vaultDB(h), of, now[of])
	}
	h.Stop()
	for _, of := range vault.Tables {
		now[of] = readTable(t, vaultDB(h), of) // stopping may have changed some
	}
	if out, err := h.Run("verify"); err != nil {
		t.Fatalf("the true database does not verify: %v\n%s", err, out)
	}

	// While it is stopped: the tables without their tallies, each of which verify names; some by themselves; and all of them together with their tallies.
	var named []string
	for _, of := range changed {
		if of == vault.TableField { // has no tally: the wearers' rows tell
			continue
		}
		writeTable(t, vaultDB(h), of, before[of])
		named = append(named, "table "+string(of))
	}
	verifyFails(t, h, named)
	for _, of := range changed {
		writeTable(t, vaultDB(h), of, now[of])
	}
	writeTable(t, vaultDB(h), vault.TableField, before[vault.TableField])
	verifyFails(t, h, []string{"table field"})
	writeTable(t, vaultDB(h), vault.TableField, now[vault.TableField])
	for _, of := range []vault.Table{vault.TableSession, vault.TableJobGrant, vault.TableFrozen, vault.TableBudget, vault.TablePolicy} {
		writeTable(t, vaultDB(h), of, before[of])
		doesNotStart(t, h, "table "+string(of))
		writeTable(t, vaultDB(h), of, now[of])
	}
	for _, of := range append(changed, vault.TableTally) {
		writeTable(t, vaultDB(h), of, before[of])
	}
	verifyFails(t, h, []string{"table tally"})
	doesNotStart(t, h, "table tally")
	for _, of := range append(changed, vault.TableTally) {
		writeTable(t, vaultDB(h), of, now[of])
	}
	if out, err := h.Run("verify"); err != nil {
		t.Fatalf("the true database does not verify again: %v\n%s", err, out)
	}
}

// doesNotStart runs the vault, which must end by itself and say why.
func doesNotStart(t *testing.T, h *house.House, why string) {
	t.Helper()
	cmd := h.Command("vault", "--demo", "--listen", h.Listen, "--vault-listen", h.Vault)
	late := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer late.Stop()
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), why) {
		t.Errorf("the vault says %v, and not %q:\n%s", err, why, out)
	}
}

// machineOutside is a machine as somebody outside holds it.
type machineOutside struct {
	id   id.Grant
	tool *testmachine.Machine
}

// newMachine has Eleri Vaughan, whose session it is, and Owain Rees give a machine leave.
func newMachine(t *testing.T, h *house.House, c *vaultclient.Client, auth vaultclient.Auth, org id.Organisation) machineOutside {
	t.Helper()
	tool, users := testmachine.New(), h.DemoUsers()
	n, err := h.Agree(c, auth, users["Eleri Vaughan"], users["Owain Rees"], vaultclient.ApproveMachine, vaultclient.NewMachine{Name: "Reporting tool", Purpose: policy.AssessDose, Fields: policy.FieldName | policy.FieldDose, Organisations: []id.Organisation{org},
		MaxWearers: 5, Node: "web", Ends: time.Now().Add(time.Hour), Key: tool.Public()})
	if err != nil {
		t.Fatal(err)
	}
	tool.ID = n.String()
	return machineOutside{id.Grant(n), tool}
}

func (m machineOutside) call(t *testing.T, c *vaultclient.Client) error {
	t.Helper()
	return second(c.Admit(t.Context(), m.tool.Signed("GET", "localhost", "/api/v1/machine", nil, time.Now())))
}

func second[T any](_ T, err error) error { return err }

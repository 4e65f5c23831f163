package attack_test

import (
	"encoding/binary"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Row 3b: a worker in somebody else's hands, with its key and all of the register. Without a grant it opens nothing, and makes nothing
// and nobody. The leave of an import that waits opens that import's work and ends with it; a standing grant opens what it
// names, of no more people than its number.
func TestAStolenWorkerOpensWhatItsGrantsAllow(t *testing.T) {
	t.Parallel()
	h := copyOfFilled(t)
	h.Start("demo")
	coordinator(t, h)
	users := h.DemoUsers()
	web := h.Client("web")
	eleri, err := h.SignIn(web, users["Eleri Vaughan"])
	if err != nil {
		t.Fatal(err)
	}
	wearers, orgs, _ := plain(t, h)
	var everybody [][]byte
	for _, org := range orgs {
		everybody = append(everybody, wearers[org]...)
	}
	s := stealNode(t, h, "worker")
	ask := func(auth vaultclient.Auth, method string, body any) []byte {
		t.Helper()
		answer, broken := s.post(method, map[string]any{"auth": auth, "body": body})
		if broken {
			t.Fatalf("%s: no answer", method)
		}
		return answer
	}
	reveal := func(auth vaultclient.Auth, f policy.Fields, p policy.Purpose, who ...[]byte) map[string]policy.Fields {
		t.Helper()
		answer := ask(auth, "reveal", map[string]any{"purpose": p, "fields": f, "wearers": slices.Concat(who...)})
		if answer == nil {
			return nil
		}
		return records(t, answer)
	}
	grants := func(state string) (list []vaultclient.Auth) {
		t.Helper()
		db := readOnly(t, registerDB(h))
		defer db.Close()
		rows, err := db.Query("SELECT job_grant FROM import WHERE job_grant IS NOT NULL AND state "+state, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var b []byte
			if err := rows.Scan(&b); err != nil {
				t.Fatal(err)
			}
			list = append(list, vaultclient.Auth{Grant: id.Grant(b)})
		}
		return list
	}

	// No import waits: neither the key alone nor any grant that the register still names opens anything.
	used := grants("= 'done'")
	if len(used) == 0 {
		t.Fatal("no import was done: nothing is shown")
	}
	for _, auth := range append(used, vaultclient.Auth{}, vaultclient.Auth{Session: eleri.Session}) {
		if got := reveal(auth, policy.FieldName, policy.AssessDose, everybody[0]); got != nil {
			t.Errorf("%+v shows %v", auth, got)
		}
	}

	// One waits, since the true worker sleeps.
	worker := h.Process("worker")
	signal := func(x syscall.Signal) {
		t.Helper()
		if err := syscall.Kill(worker, x); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	path := filepath.Join(t.TempDir(), "report.csv")
	write(t, path, reissued(t, "7"))
	cmd, printed := background(t, h, "import", "--yes", path)
	until(t, h, registerDB(h), "SELECT count(*) FROM import WHERE state = 'received' AND job_grant IS NOT NULL")
	job := grants("= 'received'")[0]
	allowed := policy.FieldName | policy.FieldBirth | policy.FieldSex
	if got := reveal(job, allowed, policy.AssessDose, everybody[:3]...); len(got) != 3 {
		t.Errorf("the import's grant shows %v: nothing is shown", got)
	}
	for what, got := range map[string]map[string]policy.Fields{
		"contact":          reveal(job, policy.FieldContact, policy.AssessDose, everybody[0]),
		"an NI number":     reveal(job, policy.FieldNI, policy.AssessDose, everybody[0]),
		"a staff number":   reveal(job, policy.FieldStaffNumber, policy.AssessDose, everybody[0]),
		"another purpose":  reveal(job, policy.FieldName, policy.IssueBadges, everybody[0]),
		"a breach's leave": reveal(job, policy.FieldName, policy.BreachNotice, everybody[0]),
	} {
		if got != nil {
			t.Errorf("%s: %v", what, got)
		}
	}
	nobodys(t, h, ask, job)
	nobodys(t, h, ask, vaultclient.Auth{})
	if file := document(t, h, "done"); openedAs(s, job, file) != nil {
		t.Error("the grant opens another import's file")
	}
	if file := document(t, h, "received"); openedAs(s, job, file) == nil {
		t.Error("the grant does not open its own import's file: nothing is shown")
	}
	signal(syscall.SIGCONT)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the import: %v\n%s", err, printed)
	}
	if got := reveal(job, policy.FieldName, policy.AssessDose, everybody[0]); got != nil {
		t.Errorf("the grant shows %v after its import was done", got)
	}

	// A standing grant, of which the worker finds out by itself.
	const most = 5
	if _, err := h.Agree(web, eleri, users["Eleri Vaughan"], users["Owain Rees"], vaultclient.ApproveGrant, vaultclient.NewGrant{Name: "Nightly evaluation", Work: vaultclient.Evaluation, Node: "worker", MaxWearers: most, Ends: time.Now().Add(48 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	var standing []vaultclient.StandingGrant
	if err := json.Unmarshal(ask(vaultclient.Auth{}, "standing-grants", nil), &standing); err != nil || len(standing) != 1 {
		t.Fatalf("standing grants: %v, %v", standing, err)
	}
	all := &loot{fields: map[string]policy.Fields{}}
	mine := vaultclient.Auth{Grant: standing[0].ID}
	if got := reveal(mine, policy.FieldName, policy.AssessDose, everybody[0]); got != nil {
		t.Errorf("a standing grant shows %v", got)
	}
	if openedAs(s, mine, document(t, h, "done")) != nil {
		t.Error("a standing grant opens a laboratory's file")
	}
	nobodys(t, h, ask, mine)
	for _, w := range everybody {
		all.add(reveal(mine, policy.FieldBirth, policy.AssessDose, w))
	}
	if len(all.fields) == 0 || len(all.fields) > most {
		t.Errorf("a standing grant for %d people shows %d", most, len(all.fields))
	}
	x, err := web.Exposures(t.Context(), eleri, vaultclient.ExposureRequest{Recipient: "node:worker", From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Minute), List: true})
	if err != nil {
		t.Fatal(err)
	}
	entered := map[string]policy.Fields{}
	for _, e := range x.List {
		entered[e.Wearer.String()] |= e.Fields
	}
	within(t, "the worker", all.fields, entered)
}

// nobodys tries what is a signed-in user's, the command line's or a web node's to do.
func nobodys(t *testing.T, h *house.House, ask func(vaultclient.Auth, string, any) []byte, auth vaultclient.Auth) {
	t.Helper()
	users := h.DemoUsers()
	for method, body := range map[string]any{
		"redeem-link": map[string]any{"secret": strings.Repeat("0f", 32)}, "redeem-code": map[string]any{"secret": strings.Repeat("0f", 32)}, "users": nil, "new-link": users["Eleri Vaughan"], "end-user": users["Nia Bowen"],
		"create-users": []map[string]any{{"name": "An Accomplice", "role": "operator"}}, "sessions": map[string]any{"all": true}, "machines": nil, "grants": nil,
		"propose":   map[string]any{"kind": "user", "body": map[string]any{"name": "An Accomplice", "role": "records-officer"}},
		"grant-job": vaultclient.JobGrant{Purpose: policy.AssessDose, Fields: policy.FieldName, MaxWearers: 100, Import: id.New[id.Import](), Node: "worker", Lifetime: time.Hour},
		"search":    map[string]any{"purpose": policy.AssessDose, "query": "", "limit": 25}, "find-ni": map[string]any{"purpose": policy.StatutoryReturn, "ni": "AB123456C"},
		"ledger": map[string]any{"limit": 10}, "exposures": vaultclient.ExposureRequest{From: time.Unix(0, 0), To: time.Now()}, "freeze": vaultclient.FreezeRequest{Scope: vaultclient.Everything, Reason: "stop everything", Sure: true},
		"set-budget": vaultclient.NewBudget{Who: "node:worker", Limits: map[string]int{"identity": 1}}, "alarms": map[string]any{"limit": 10}, "all-budgets": nil, "break-glass": "an urgent list for the ward",
	} {
		if answer := ask(auth, method, body); answer != nil {
			t.Errorf("%s by %+v: %.100q", method, auth, answer)
		}
	}
}

// sealedDocument is the first part of a file as the register keeps it.
type sealedDocument struct {
	of     id.Import
	name   string
	sealed []byte
}

// document is a part of a kept file of an import in a state.
func document(t *testing.T, h *house.House, state string) (d sealedDocument) {
	t.Helper()
	db := readOnly(t, registerDB(h))
	defer db.Close()
	var n []byte
	if err := db.QueryRow("SELECT d.import, d.name, d.sealed FROM document d JOIN import i ON i.id = d.import WHERE i.kind = 'laboratory' AND d.part = 0 AND i.state = $1 LIMIT 1", state).Scan(&n, &d.name, &d.sealed); err != nil {
		t.Fatalf("no file of an import that is %s: %v", state, err)
	}
	d.of = id.Import(n)
	return d
}

// openedAs is what a grant opens of a file; nothing when it is refused.
func openedAs(s *stolen, auth vaultclient.Auth, d sealedDocument) []byte {
	n := func(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }
	nobody := make([]byte, 16)
	answer, _ := s.send("open", "application/vnd.dosevault.columns", framed(map[string]any{"auth": auth, "body": map[string]any{"purpose": policy.AssessDose, "tables": []string{"document/" + d.name}}},
		d.of[:], n(0), []byte{byte(policy.ClassDocument)}, nobody, nobody, n(0), n(0), n(0), nil, n(len(d.sealed)), d.sealed))
	return answer
}

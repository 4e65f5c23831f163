package attack_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Promise 6 in its first form: whoever writes to the vault's database changes no entry unnoticed.
func TestAChangedLedgerIsFoundAndNamed(t *testing.T) {
	const inst = "(SELECT id FROM log WHERE name = 'installation')"
	const org = "(SELECT log FROM leaf GROUP BY log HAVING count(*) > 8 ORDER BY log DESC LIMIT 1)" // an organisation's log with enough entries
	for name, a := range map[string]attackOn{
		"a leaf changed": {[]string{"UPDATE leaf SET data = CAST(substr(data, 1, 7) || x'63' || substr(data, 9) AS BLOB) WHERE log = " + inst + " AND seq = 5"}, []string{"log installation", "entry 5"}},
		"a leaf dropped": {[]string{"DELETE FROM leaf WHERE log = " + inst + " AND seq = 7"}, []string{"log installation", "entry 7"}},
		"two leaves swapped": {[]string{
			"UPDATE leaf SET seq = 1000000 WHERE log = " + inst + " AND seq = 3", "UPDATE leaf SET seq = 3 WHERE log = " + inst + " AND seq = 4", "UPDATE leaf SET seq = 4 WHERE log = " + inst + " AND seq = 1000000"},
			[]string{"log installation", "entry 3"}},
		"a leaf appended":             {[]string{"INSERT INTO leaf SELECT log, (SELECT max(seq) + 1 FROM leaf WHERE log = " + inst + "), data FROM leaf WHERE log = " + inst + " AND seq = 9"}, []string{"log installation"}},
		"an organisation's leaf":      {[]string{"UPDATE leaf SET data = CAST(substr(data, 1, 7) || x'63' || substr(data, 9) AS BLOB) WHERE log = " + org + " AND seq = 6"}, []string{"/2026", "entry 6"}},
		"an organisation's leaf gone": {[]string{"DELETE FROM leaf WHERE log = " + org + " AND seq = 4"}, []string{"/2026", "entry 4"}},
		"an opening changed":          {[]string{"UPDATE opening SET sealed = CAST(x'00' || substr(sealed, 2) AS BLOB) WHERE log = " + org + " AND seq = 5"}, []string{"/2026", "entry 5"}},
		"an opening moved":            {[]string{"UPDATE opening SET sealed = (SELECT sealed FROM opening o WHERE o.log = opening.log AND o.seq = 2) WHERE log = " + org + " AND seq = 3"}, []string{"/2026", "entry 3"}},
		"a node changed":              {[]string{"UPDATE node SET hash = zeroblob(32) WHERE log = " + org + " AND idx = 3"}, []string{"/2026"}},
		"a node dropped":              {[]string{"DELETE FROM node WHERE log = " + org + " AND idx = 3"}, []string{"/2026"}},
		"a checkpoint changed":        {[]string{"UPDATE log SET checkpoint = CAST(substr(checkpoint, 1, length(checkpoint) - 9) || x'41' || substr(checkpoint, length(checkpoint) - 7) AS BLOB) WHERE name = 'installation'"}, []string{"log installation"}},
		"two openings swapped": {[]string{"UPDATE opening SET seq = 1000000 WHERE log = " + org + " AND seq = 3", "UPDATE opening SET seq = 3 WHERE log = " + org + " AND seq = 4", "UPDATE opening SET seq = 4 WHERE log = " + org + " AND seq = 1000000"},
			[]string{"/2026", "entry 3"}},
		"a checkpoint of another log":   {[]string{"UPDATE log SET checkpoint = (SELECT checkpoint FROM log WHERE name = 'installation') WHERE id = " + org}, []string{"/2026"}},
		"a log dropped altogether":      {[]string{"DELETE FROM opening WHERE log = " + org, "DELETE FROM node WHERE log = " + org, "DELETE FROM log WHERE id = " + org, "DELETE FROM leaf WHERE log = " + org}, []string{"/2026"}},
		"an organisation's tail is cut": cutTail(org, 3),
	} {
		t.Run(name, func(t *testing.T) {
			h := copyOfFilled(t)
			tamper(t, vaultDB(h), a.do...)
			verifyFails(t, h, a.want)
		})
	}
}

// attackOn is statements on a database, and what verify must name.
type attackOn struct {
	do   []string
	want []string
}

// cutTail drops the last n entries of a log with everything that tells of them but its checkpoint's signature.
func cutTail(log string, n int) attackOn {
	last := "(SELECT max(seq) - " + strconv.Itoa(n) + " FROM leaf WHERE log = " + log + ")"
	return attackOn{[]string{
		"DELETE FROM opening WHERE log = " + log + " AND seq > " + last,
		"DELETE FROM leaf WHERE log = " + log + " AND seq > " + last,
	}, []string{"/2026"}}
}

// The tail dropped together with its checkpoint: the whole database put back to what it was earlier. Nothing in it is
// wrong; only a head kept elsewhere shows that there was more.
func TestARolledBackVaultIsFoundByAKeptHead(t *testing.T) {
	h := copyOfFilled(t)
	old := filepath.Join(t.TempDir(), "old")
	copyTree(t, filepath.Join(h.Dir, "vault"), filepath.Join(old, "vault"))
	oldHead := read(t, filepath.Join(h.Keys, "vault", "head"))

	h.Start("demo")
	web := h.Client("web")
	if _, err := h.SignIn(web, h.DemoUsers()["Eleri Vaughan"]); err != nil {
		t.Fatal(err)
	}
	out, err := h.Run("checkpoint")
	if err != nil {
		t.Fatalf("checkpoint: %v\n%s", err, out)
	}
	kept := filepath.Join(t.TempDir(), "kept")
	write(t, kept, []byte(out))
	h.Stop()
	if out, err := h.Run("verify", "--checkpoint", kept); err != nil {
		t.Fatalf("the true database does not verify: %v\n%s", err, out)
	}

	if err := os.RemoveAll(filepath.Join(h.Dir, "vault")); err != nil {
		t.Fatal(err)
	}
	copyTree(t, filepath.Join(old, "vault"), filepath.Join(h.Dir, "vault"))
	// Against the head in the key directory: verify finds it, and the vault does not start.
	verifyFails(t, h, []string{"log installation"})
	h.Launch("demo", "--once")
	deadline := time.Now().Add(30 * time.Second)
	for !strings.Contains(h.Log(), "rolled back or cut") && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
	}
	if !strings.Contains(h.Log(), "rolled back or cut") {
		t.Errorf("the vault started on a rolled-back database:\n%s", h.Log())
	}
	h.Stop()
	// The attacker rolls the head in the key directory back too: now only the head kept elsewhere tells.
	write(t, filepath.Join(h.Keys, "vault", "head"), oldHead)
	if out, err := h.Run("verify"); err != nil {
		t.Fatalf("the earlier database does not verify by itself: the test shows nothing: %v\n%s", err, out)
	}
	verifyFails(t, h, []string{"log installation"}, "--checkpoint", kept)
}

// The tail of one log is dropped with its checkpoint and nodes, as they truly were: every hash and signature of that log
// holds. The other logs tell of it: the installation's entries hold the organisations' heads, and nothing in an
// organisation's log may be without one.
func TestATailCutConsistentlyIsFound(t *testing.T) {
	h := copyOfFilled(t)
	old := filepath.Join(t.TempDir(), "old.db")
	write(t, old, read(t, vaultDB(h)))
	oldHead := read(t, filepath.Join(h.Keys, "vault", "head"))
	h.Start("demo")
	wearers, orgs, _ := plain(t, h)
	web := h.Client("web")
	auth, err := h.SignIn(web, h.DemoUsers()["Eleri Vaughan"])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := web.Reveal(t.Context(), auth, vaultclient.RevealRequest{Purpose: policy.IssueBadges, Fields: policy.FieldName, Wearers: []id.Wearer{id.Wearer(wearers[orgs[0]][0])}}); err != nil {
		t.Fatal(err)
	}
	out, err := h.Run("checkpoint")
	if err != nil {
		t.Fatalf("checkpoint: %v\n%s", err, out)
	}
	kept := filepath.Join(t.TempDir(), "kept")
	write(t, kept, []byte(out))
	h.Stop()
	full := read(t, vaultDB(h))
	for name, log := range map[string]string{"an organisation's log": "name LIKE '" + orgs[0] + "/%'", "the installation's log": "name = 'installation'"} {
		t.Run(name, func(t *testing.T) {
			write(t, vaultDB(h), full)
			which := "log IN (SELECT id FROM main.log WHERE " + log + ")"
			statements := []string{"ATTACH '" + old + "' AS old"}
			for _, table := range []string{"leaf", "node", "opening"} {
				place := map[string]string{"node": "idx"}[table]
				if place == "" {
					place = "seq"
				}
				statements = append(statements, "DELETE FROM main."+table+" WHERE "+which+" AND (log, "+place+") NOT IN (SELECT log, "+place+" FROM old."+table+")")
			}
			statements = append(statements, "UPDATE main.log SET checkpoint = (SELECT checkpoint FROM old.log o WHERE o.id = main.log.id) WHERE "+log)
			tamper(t, vaultDB(h), statements...)
			write(t, filepath.Join(h.Keys, "vault", "head"), oldHead) // the key directory's own head is rolled back as well
			verifyFails(t, h, []string{orgs[0] + "/"})
			verifyFails(t, h, []string{"log "}, "--checkpoint", kept)
		})
	}
}

// A true session's row under another token's hash gives no session: the vault does not start on it, and says which row.
func TestACopiedSessionIsNone(t *testing.T) {
	h := copyOfFilled(t)
	h.Start("demo")
	if _, err := h.SignIn(h.Client("web"), h.DemoUsers()["Eleri Vaughan"]); err != nil {
		t.Fatal(err)
	}
	h.Stop()
	hash := sha256.Sum256([]byte("a token of the attacker's own"))
	row := hex.EncodeToString(hash[:])
	tamper(t, vaultDB(h), "INSERT INTO session SELECT x'"+row+"', sealed FROM session LIMIT 1")
	h.Launch("demo")
	waitFor(t, h, "table session, row "+row)
	if h.Answers() {
		if _, err := h.Client("web").Whoami(t.Context(), vaultclient.Auth{Session: "a token of the attacker's own"}); err == nil {
			t.Error("the copied row is a session")
		}
	}
	h.Stop()
}

// Rows of authority are sealed under their own id: one that was written straight into the database opens nothing, and
// the vault does not start on it. Nor does it without a key that one of them needs: it would seal with a key that
// everybody knows. Rows that were true once and are put back, or dropped: TestAuthorityPutBack.
func TestRowsOfAuthorityDoNotMove(t *testing.T) {
	for name, do := range map[string]string{
		"a user under another id":       "INSERT INTO user SELECT randomblob(16), sealed FROM user LIMIT 1",
		"a user's row for another's":    "UPDATE user SET sealed = (SELECT sealed FROM user ORDER BY id LIMIT 1) WHERE id = (SELECT id FROM user ORDER BY id DESC LIMIT 1)",
		"an invented session":           "INSERT INTO session VALUES (randomblob(32), randomblob(300))",
		"a user's row as a session":     "INSERT INTO session SELECT randomblob(32), sealed FROM user LIMIT 1",
		"an invented link":              "INSERT INTO link VALUES (randomblob(32), randomblob(300))",
		"an invented grant":             "INSERT INTO job_grant VALUES (randomblob(16), randomblob(300))",
		"an import's row as a grant":    "INSERT INTO job_grant SELECT randomblob(16), sealed FROM import LIMIT 1",
		"a wearer's row for another's":  "UPDATE wearer SET sealed = (SELECT sealed FROM wearer ORDER BY id LIMIT 1) WHERE id = (SELECT id FROM wearer ORDER BY id DESC LIMIT 1)",
		"an organisation's row changed": "UPDATE organisation SET sealed = CAST(x'01' || substr(sealed, 2, 40) || x'00' || substr(sealed, 43) AS BLOB)",
		"a name for another's":          "UPDATE field SET sealed = (SELECT sealed FROM field WHERE substr(hex(id), 33, 2) = '01' ORDER BY id LIMIT 1) WHERE id = (SELECT id FROM field WHERE substr(hex(id), 33, 2) = '01' ORDER BY id DESC LIMIT 1)",
		"a wearer's key for another's":  "UPDATE wearer_key SET sealed = (SELECT sealed FROM wearer_key ORDER BY id LIMIT 1) WHERE id = (SELECT id FROM wearer_key ORDER BY id DESC LIMIT 1)",
		"an organisation's key deleted": "DELETE FROM organisation_key WHERE substr(id, 17, 1) = x'02'",
		"a wearer's dose key deleted":   "DELETE FROM wearer_key WHERE id = (SELECT id FROM wearer_key WHERE substr(id, 17, 1) = x'05' LIMIT 1)",
		"a wearer deleted":              "DELETE FROM wearer WHERE id = (SELECT id FROM wearer LIMIT 1)",
		"an old version of a name":      "UPDATE field SET id = CAST(substr(id, 1, 17) || x'00000002' AS BLOB) WHERE id = (SELECT id FROM field LIMIT 1)",
	} {
		t.Run(name, func(t *testing.T) {
			h := copyOfFilled(t)
			tamper(t, vaultDB(h), do)
			h.Launch("demo", "--once")
			deadline := time.Now().Add(30 * time.Second)
			for !strings.Contains(h.Log(), "dosevault verify") && !strings.Contains(h.Log(), "does not open") && time.Now().Before(deadline) {
				time.Sleep(20 * time.Millisecond)
			}
			if log := h.Log(); !strings.Contains(log, "table ") || !strings.Contains(log, "row ") {
				t.Errorf("the vault did not name table and row:\n%s", log)
			}
			h.Stop()
		})
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

package vault_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// What is signed is a passkey's answer over the digest, of whoever signs, once; and it can be checked later from the row alone.
func TestApprovalsBySignature(t *testing.T) {
	h := newHouse(t)
	rhys, device, asRhys := h.enrol(vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator})
	nia, other, asNia := h.enrol(vc.NewUser{Name: "Nia Bowen", Role: policy.Administrator})
	if err := h.v.EndSingleAdministrator(t.Context(), asNia); err != nil {
		t.Fatal(err)
	}
	propose := func() (id.Approval, vault.Digest) {
		t.Helper()
		n := must(h.v.Propose(t.Context(), asRhys, vc.Proposal{Kind: vc.ApproveUser, Body: json.RawMessage(`{"name":"Mali","role":"records-officer"}`)}))
		return n, must(h.v.ApprovalViewOf(t.Context(), asRhys, n)).Digest
	}
	sign := func(c vault.Caller, n id.Approval, d vault.Digest, response []byte) error {
		return h.v.SignApproval(t.Context(), c, n, d, response)
	}
	n, d := propose()
	elsewhere, otherDigest := propose()
	if err := sign(asRhys, n, d, nil); code(err) != vc.Refused {
		t.Errorf("without a passkey: %v", err)
	}
	if err := sign(asRhys, n, d, device.get(must(h.v.BeginAssertion(rhys, d)))); err != nil {
		t.Fatal(err)
	}
	if err := sign(asRhys, elsewhere, otherDigest, device.get(must(h.v.BeginAssertion(rhys, otherDigest)))); err != nil {
		t.Fatal(err)
	}
	used := other.get(must(h.v.BeginAssertion(nia, d)))
	for what, response := range map[string][]byte{
		"another proposal's":     other.get(must(h.v.BeginAssertion(nia, otherDigest))),
		"somebody else's":        device.get(must(h.v.BeginAssertion(rhys, d))),
		"nobody's":               nil,
		"of the sign-in":         other.get(must(h.v.BeginSignIn())),
		"somebody else's device": device.get(must(h.v.BeginAssertion(nia, d))),
	} {
		if err := sign(asNia, n, d, response); err == nil {
			t.Errorf("%s signature was taken", what)
		}
	}
	if err := sign(asNia, elsewhere, otherDigest, used); err == nil {
		t.Error("a signature over one proposal approved another")
	}
	if err := sign(asNia, n, d, used); err == nil {
		t.Error("a challenge was answered twice")
	}
	if err := sign(asNia, n, d, other.get(must(h.v.BeginAssertion(nia, d)))); err != nil {
		t.Fatal(err)
	}
	h.stop()
	h.start()
	if done, err := h.approvalsHold(); done != 1 || err != nil {
		t.Fatalf("%d approvals hold, %v", done, err)
	}
	row := ""
	keep := func(now string) string { row = now; return now }
	for what, change := range map[string]func(now string) string{
		"another name": func(now string) string { return strings.Replace(now, `"Mali"`, `"Mari"`, 1) },
		"another role": func(now string) string { return strings.Replace(now, `"records-officer"`, `"co-ordinator"`, 1) },
		"another proposer": func(now string) string {
			return strings.Replace(now, `"proposer":"`+rhys.String(), `"proposer":"`+nia.String(), 1)
		},
		"another signer": func(now string) string {
			return strings.Replace(now, `{"user":"`+nia.String(), `{"user":"`+rhys.String(), 1)
		},
		"a signature's bytes":  func(now string) string { return strings.Replace(now, `"signature":"`, `"signature":"AA`, 1) },
		"one signature":        func(now string) string { return now[:strings.LastIndex(now, `,{"user":`)] + "]}" },
		"another origin":       func(now string) string { return strings.Replace(now, `"origin":"http://`, `"origin":"https://`, 1) },
		"a longer time":        func(now string) string { return strings.Replace(now, `"expires":1`, `"expires":2`, 1) },
		"another's signatures": func(string) string { return row },
	} {
		of := n
		if what == "another's signatures" {
			of = elsewhere
			if err := h.v.RewriteApproval(t.Context(), n, keep); err != nil {
				t.Fatal(err)
			}
		}
		var was string
		if err := h.v.RewriteApproval(t.Context(), of, func(now string) string {
			was = now
			if next := change(now); next != now {
				return next
			}
			t.Errorf("%s changes nothing: %s", what, now)
			return now
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.approvalsHold(); err == nil || !strings.Contains(err.Error(), "approval:"+of.String()) {
			t.Errorf("%s: %v", what, err)
		}
		if err := h.v.RewriteApproval(t.Context(), of, func(string) string { return was }); err != nil {
			t.Fatal(err)
		}
	}
	if done, err := h.approvalsHold(); done != 1 || err != nil {
		t.Errorf("put right again, %d approvals hold, %v", done, err)
	}
}

// approvalsHold checks the proposals in the database as verify does, and returns how many took effect.
func (h *house) approvalsHold() (done int, err error) {
	h.t.Helper()
	source := must(sqlite.OpenVerify(filepath.Join(h.dir, "vault.db")))
	defer source.Close()
	_, rows, err := source.Keys(h.t.Context(), must(h.keys.Root()), must(h.keys.Epoch(1)))
	if err != nil {
		h.t.Fatal(err)
	}
	return vault.CheckApprovals(h.t.Context(), source, rows.Open)
}

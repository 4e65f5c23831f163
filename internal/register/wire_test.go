package register_test

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// The vault's own client is a register's vault.
var _ register.Vault = (*vc.Client)(nil)

// overTheWire has the house's web node and worker call the vault over TLS, each with its own key, as processes do.
func (h *house) overTheWire() {
	h.Helper()
	server, err := vault.NewServer(h.v, h.keys)
	h.ok(err)
	dir, err := os.MkdirTemp("", "dvw") // a short path, for a socket
	h.ok(err)
	sock := filepath.Join(dir, "s")
	l, err := net.Listen("unix", sock)
	h.ok(err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	h.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			h.Error(err)
		}
		if err := <-served; err != nil {
			h.Error(err)
		}
		os.RemoveAll(dir)
	})
	node := func(name string) *register.Service {
		conf, err := vc.NodeConfig(string(h.keys), name, "unix:"+sock)
		h.ok(err)
		c := vc.New(conf)
		h.Cleanup(c.Close)
		return register.New(register.Config{Store: h.store, Vault: c, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Node: name, Owner: owner})
	}
	h.web, h.worker = node("web"), node("worker")
}

// From a list of people to doses against limits, over the real wire.
func TestOverTheWire(t *testing.T) {
	h := newHouse(t)
	h.overTheWire()
	second := h.organisation("Ysbyty Glan-y-Nant", "700456")
	ws := h.takeOn(h.joiner(h.org), h.joiner(h.org))
	again := h.joiner(second)
	again.SamePerson = ws[0]
	w2 := h.takeOn(again)[0]
	jan, theirs, other, control := h.badge(h.org, ws[0], time.January), h.badge(second, w2, time.January), h.badge(h.org, ws[1], time.January), h.badge(h.org, id.Wearer{}, time.January)
	control.Position = dose.Control
	h.dispatch(jan, theirs, other, control)
	im, p := h.imported(file(line{Dispatched: control}, line{Dispatched: jan, deep: "9.00"}, line{Dispatched: theirs, account: "700456", deep: "8.00"},
		line{}, line{Dispatched: other, name: "DAVIES ANDRÉ"}, line{Dispatched: h.badge(h.org, ws[1], time.May)}))
	if im.State != register.Done || im.Counts != (register.Counts{In: 6, Stored: 4, Refused: 1, Ignored: 1}) {
		t.Errorf("the import is %s (%s) with %+v", im.State, im.Failure, im.Counts)
	}
	if got := texts(p.Notices); got != "6 Participant Name: label differs: check assignment" {
		t.Errorf("notices:\n%s", got)
	}
	rec, err := h.web.WearerRecord(t.Context(), h.auth, ws[0], policy.FieldName)
	h.ok(err)
	if len(rec.Records) != 1 || rec.Records[0].Identity.Surname.Expose() != "Ŵyn-Jones" {
		t.Errorf("the names are %+v", rec.Records)
	}
	page, err := h.v.Ledger(t.Context(), vault.Caller{Node: "web", Auth: h.auth}, vc.LedgerRequest{Organisation: second, Limit: 2})
	h.ok(err)
	if e := page.Entries[1]; e.Kind != "reveal" || e.Fields != policy.FieldDose|policy.FieldEmployment {
		t.Errorf("the other employer's entry is %+v: its name was not read", e)
	}
	if m, n := total(rec, dose.Effective, 2026); m != 17_000 || n != 2 || rec.Employments != 2 {
		t.Errorf("effective dose %d µSv of %d badges over %d employments, want 17000 of 2 over 2", m, n, rec.Employments)
	}
	opened := 0
	for _, org := range []id.Organisation{h.org, second} {
		vs, err := h.web.Investigations(t.Context(), h.auth, org)
		h.ok(err)
		for _, v := range vs {
			if v.Kind == dose.Effective {
				opened++
			}
		}
	}
	if opened != 1 {
		t.Errorf("%d investigations of the effective dose, want 1", opened)
	}
	// A worker's grant is of no use to another node, and a session of the web node's of none to the worker.
	if _, err := h.web.Vault.Organisations(t.Context(), vc.Auth{Grant: im.Grant}); err == nil {
		t.Error("the web node worked by the worker's grant")
	}
	if _, err := h.worker.WearerRecord(t.Context(), h.auth, ws[0], 0); err == nil {
		t.Error("the worker read by the web node's session")
	}
	h.ok(h.worker.Reconcile(t.Context()))
	h.settled("over the wire")
}

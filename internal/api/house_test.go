package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/testmachine"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// house is a real vault behind its socket and a real register, both on SQLite, with the API before them.
type house struct {
	*testing.T
	v           *vault.Vault
	dir         string
	cli, node   *vc.Client
	root        vc.Auth
	web, worker *register.Service
	api         http.Handler
	a, b        id.Organisation
	ours        []id.Wearer // Siân and Gwen, of a
	theirs      id.Wearer   // Non, of b
	badge       register.Dispatched
	log         bytes.Buffer
}

func newHouse(t *testing.T) *house {
	t.Helper()
	t.Parallel()
	h := &house{T: t, dir: t.TempDir()}
	keys := vault.KeyDir(filepath.Join(t.TempDir(), "keys"))
	h.ok(keys.Create([]string{"web", "worker", "cli"}, time.Now()))
	store, err := sqlite.OpenVault(t.Context(), filepath.Join(h.dir, "vault.db"))
	h.ok(err)
	log := slog.New(slog.NewTextHandler(&h.log, nil))
	var opened atomic.Bool // a vault that has just started takes no signatures of before: it starts a little back
	h.v, err = vault.Open(t.Context(), vault.Config{Store: store, Keys: keys, Now: func() time.Time {
		if !opened.Load() {
			return time.Now().Add(-5 * time.Second)
		}
		return time.Now()
	}, Log: log})
	h.ok(err)
	opened.Store(true)
	server, err := vault.NewServer(h.v, keys)
	h.ok(err)
	sock := filepath.Join(h.dir, "s")
	l, err := new(net.ListenConfig).Listen(t.Context(), "unix", sock)
	h.ok(err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		<-served
		h.v.Close()
	})
	rows, err := sqlite.OpenRegister(t.Context(), filepath.Join(h.dir, "register.db"))
	h.ok(err)
	t.Cleanup(func() { rows.Close() })
	client := func(node string) *vc.Client {
		conf, err := vc.NodeConfig(string(keys), node, "unix:"+sock)
		h.ok(err)
		c := vc.New(conf)
		t.Cleanup(c.Close)
		return c
	}
	service := func(node string) (*register.Service, *vc.Client) {
		c := client(node)
		return register.New(register.Config{Store: rows, Vault: c, Now: time.Now, Log: log, Node: node}), c
	}
	web, c := service("web")
	h.web, h.node = web, c
	h.worker, _ = service("worker")
	office, cli := service("cli")
	h.cli = cli
	h.api = New(Config{Vault: c, Register: web, Now: time.Now, Log: log})

	link, err := h.v.FirstUser(t.Context(), "Mair Evans")
	h.ok(err)
	h.ok(h.v.SingleAdministrator(t.Context(), 0)) // who approves is tested elsewhere
	s, err := h.cli.RedeemLink(t.Context(), link)
	h.ok(err)
	h.root = vc.Auth{Session: s.Token}
	orgs, err := h.cli.CreateOrganisations(t.Context(), h.root, []vc.Organisation{{Name: "Bwrdd Iechyd Llŷn", Kind: vc.HealthBoard}, {Name: "Ysbyty Bryn", Kind: vc.PrivateHospital}})
	h.ok(err)
	h.a, h.b = orgs[0], orgs[1]
	h.ok(office.SetSettings(t.Context(), h.root, h.a, register.Settings{Accounts: []string{"700123"}}))
	taken, err := office.TakeOn(t.Context(), h.root, []register.Joiner{joiner(h.a, "A1", "Ŵyn-Jones", "Siân"), joiner(h.a, "A2", "Evans", "Gwen"), joiner(h.b, "B1", "Lloyd", "Non")}, nil, "HR")
	h.ok(err)
	h.ours, h.theirs = taken.Wearers[:2], taken.Wearers[2]
	month := day.At(time.Now()).AddMonths(-2)
	h.badge = register.Dispatched{Barcode: "B00001", Batch: "B1", State: register.Issued, Organisation: h.a, Wearer: h.ours[0], Position: dose.WholeBody, From: month, To: month + 27}
	_, err = office.Dispatch(t.Context(), h.root, []register.Dispatched{h.badge}, "Cardiff Dosimetry")
	h.ok(err)
	return h
}

func joiner(org id.Organisation, number, surname, forenames string) register.Joiner {
	return register.Joiner{Organisation: org, From: day.Of(2019, 1, 1), Employment: register.Employment{Department: "Cathlab"}, Identity: person.Identity{Surname: person.NewValue(surname),
		Forenames: person.NewValue(forenames), StaffNumber: person.NewValue(number), Birth: person.NewValue("1985-03-01"), Sex: person.NewValue("F")}}
}

func (h *house) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// machine gives a machine leave for a kind of work at an organisation.
func (h *house) machine(work string, most int) (*testmachine.Machine, id.Grant) {
	h.Helper()
	m := testmachine.New()
	w := vc.Works[slices.IndexFunc(vc.Works, func(w vc.Work) bool { return w.Name == work })]
	n, err := h.cli.Propose(h.Context(), h.root, vc.ApproveMachine, vc.NewMachine{Name: "The " + work + " machine", Purpose: w.Purpose, Fields: w.Fields, Organisations: []id.Organisation{h.a}, MaxWearers: most,
		Node: "web", Ends: time.Now().Add(time.Hour), Key: m.Public()})
	h.ok(err)
	m.ID = n.String()
	return m, id.Grant(n)
}

// call sends a request that a machine signs, or nobody; body is sent as it is when it is bytes, else as JSON.
func (h *house) call(m *testmachine.Machine, method, path string, body any, header ...string) *httptest.ResponseRecorder {
	h.Helper()
	var raw []byte
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case []byte:
		raw, kind = b, "application/octet-stream"
	case string:
		raw = []byte(b)
	default:
		var err error
		raw, err = json.Marshal(b)
		h.ok(err)
	}
	req := httptest.NewRequestWithContext(h.Context(), method, Prefix+path, bytes.NewReader(raw))
	req.Header.Set("Content-Type", kind)
	if m != nil {
		m.Sign(req, raw)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.api.ServeHTTP(w, req)
	if w.Header().Get("Cache-Control") != "no-store" {
		h.Errorf("%s %s may be cached", method, path)
	}
	return w
}

// want sends a request and reads its answer, which must have a status.
func want[T any](h *house, status int, m *testmachine.Machine, method, path string, body any, header ...string) (out T) {
	h.Helper()
	w := h.call(m, method, path, body, header...)
	if w.Code != status {
		h.Fatalf("%s %s: status %d, want %d: %s\n%s", method, path, w.Code, status, w.Body, h.log.String())
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		h.Fatalf("%s %s: %v: %s", method, path, err, w.Body)
	}
	return out
}

// work has the worker do one step.
func (h *house) work() {
	h.Helper()
	for _, step := range [][2]register.State{{register.Received, register.Previewing}, {register.Confirmed, register.Importing}} {
		im, err := h.worker.Store.Claim(h.Context(), step[0], step[1], register.Hold{Owner: h.worker.Owner, For: register.Lease})
		if err != nil {
			continue
		}
		h.ok(h.worker.WorkOn(h.Context(), im))
		return
	}
	h.Fatal("there was nothing to do")
}

// report is a laboratory's file about the house's badge.
func (h *house) report(account string) []byte {
	head := labfile.Landauer().Headings()
	c := make([]string, len(head))
	c[0], c[1], c[2], c[3] = account, "Ysbyty", "RAD", "41"
	c[4] = (h.badge.To + 20).String()
	c[5] = c[4]
	c[6], c[9], c[11], c[12] = "00001", "WYN-JONES SIAN", "Luxel+ Pa", "CHEST"
	c[14], c[15] = h.badge.From.String(), h.badge.To.String()
	c[16], c[17], c[18] = "0.35", "0.35", "0.35"
	c[29], c[30], c[31] = "2019/04", h.badge.Barcode, "0"
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write(head)
	w.Write(c)
	w.Flush()
	return b.Bytes()
}

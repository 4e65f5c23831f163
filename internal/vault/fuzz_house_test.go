package vault_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/testcorpus"
	"github.com/dosevault/dosevault/internal/testmachine"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// fuzzHouse is a small filled vault for fuzzing: it is made once and put back as it was when an input has changed who may.
// Inputs name its rows by stand-ins, since ids are random: texts of 26 characters as ids have them, and in binary their 16 bytes.
type fuzzHouse struct {
	template string // directory of the stopped vault's database
	original vault.KeyDir
	keys     vault.KeyDir // a copy of it
	certs    map[string]*x509.Certificate
	tools    map[string]*testmachine.Machine
	callers  []fuzzCaller
	standIns [][2]string // text of the stand-in, and of the row
	sealed   []byte      // a reading's value; its stand-in is sealedStandIn
	orgs     []id.Organisation
	plain    map[string]id.Organisation // what only its readers may see, and whose ledger says so

	dir     string
	store   vault.Store
	v       *vault.Vault
	handler http.Handler
	runs    int
}

// fuzzCaller is who sends a request.
type fuzzCaller struct {
	what, node, machine string
	auth                vc.Auth
}

// fuzzNow is the house's time: nothing ends while it is fuzzed.
var fuzzNow = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

// standIn is the stand-in of a row, as in "orga" of an organisation.
func standIn(name string) string { return name + strings.Repeat("a", 26-len(name)) }

// sealedStandIn stands for the sealed value of a reading, of the same length.
var sealedStandIn = bytes.Repeat([]byte("sealed-"), 14)[:95]

// Stand-ins of what works once: a code for a node, a link, and the two fields of a machine's signature.
const (
	codeStandIn      = "one-time-code"
	linkStandIn      = "one-time-link"
	inputStandIn     = "input-of-a-machine"
	signatureStandIn = "signature-of-a-machine"
)

func newFuzzHouse(t testing.TB) *fuzzHouse {
	h := newHouseAt(t, func() time.Time { return fuzzNow })
	f := &fuzzHouse{original: h.keys, tools: map[string]*testmachine.Machine{}, plain: map[string]id.Organisation{}}
	is := func(name, text string) { f.standIns = append(f.standIns, [2]string{standIn(name), text}) }
	a, b := h.organisation("Bwrdd Iechyd Glyndŵr"), h.organisation("Ysbyty Llwyfen")
	f.orgs = []id.Organisation{a, b}
	is("orga", a.String())
	is("orgb", b.String())
	ws := append(h.join(a, "Qwyddfarch, Zbigwenn, QA-77441901", "Qwyddfarch, Yfronwyn, QA-77441902, AB123456C", "Xochddolen, Wrthefyr, QA-77441903", "Vhiradog, Uthrwenn, QA-77441904"),
		h.join(b, "Xochddolen, Wrthefyr, QB-8801", "Jyrthgant, Kwladus, QB-8802, AB123457C")...)
	for i, w := range ws {
		is("wearer"+string(rune('b'+i)), w.String())
		is("person"+string(rune('b'+i)), id.New[id.Row]().String())
	}
	for text, org := range map[string]id.Organisation{"Qwyddfarch": a, "Zbigwenn": a, "QA-77441901": a, "Yfronwyn": a, "QA-77441902": a, "AB123456C": a, "QA-77441903": a, "Vhiradog": a, "Uthrwenn": a, "QA-77441904": a,
		"qa-7701@board.example": a, "QB-8801": b, "Jyrthgant": b, "Kwladus": b, "QB-8802": b, "AB123457C": b, "0.7731 mSv-of-somebody": a} {
		f.plain[text] = org
	}
	reading := vc.Item{Context: readingContext(must(id.Parse[id.Row](standIn("reading"))), a, ws[0]), Value: []byte("0.7731 mSv-of-somebody"), Pad: 64}
	f.sealed = must(h.nodes["cli"].Seal(t.Context(), h.root, policy.AssessDose, []vc.Item{reading}))[0]
	file, list := id.New[id.Import](), id.New[id.Import]()
	is("file", file.String())
	is("list", list.String())
	web := h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator})
	if err := h.nodes["web"].Intake(t.Context(), web, vc.Intake{Import: file, Source: "laboratory", SHA256: make([]byte, 32), Rows: 1, Held: policy.FieldName, Wearers: ws[:1]}); err != nil {
		t.Fatal(err)
	}
	must(h.nodes["cli"].Stage(t.Context(), h.root, list, []vc.Change{{Organisation: a, New: true, Identity: person.Identity{Surname: person.NewValue("Newydd"), StaffNumber: person.NewValue("QA-9")}}}))
	job := must(h.nodes["web"].GrantJob(t.Context(), web, vc.JobGrant{Purpose: policy.AssessDose, Fields: policy.FieldName | policy.FieldBirth | policy.FieldSex | policy.FieldDose | policy.FieldEmployment | policy.FieldDocument, MaxWearers: 3, Import: file, Node: "worker", Lifetime: time.Hour}))
	is("job", job.String())
	f.callers = []fuzzCaller{
		{what: "nobody", node: "web"},
		{what: "co-ordinator", node: "web", auth: web},
		{what: "command line", node: "cli", auth: h.root},
		{what: "supervisor", node: "web", auth: h.signIn("web", vc.NewUser{Name: "Sioned Pugh", Role: policy.Supervisor, Organisations: []id.Organisation{a}})},
		{what: "records officer", node: "web", auth: h.signIn("web", vc.NewUser{Name: "Rhodri Owen", Role: policy.RecordsOfficer})},
		{what: "protection officer", node: "web", auth: h.signIn("web", vc.NewUser{Name: "Dilys Parry", Role: policy.DataProtection, Organisations: []id.Organisation{a}})},
		{what: "wearer", node: "web", auth: h.signIn("web", vc.NewUser{Name: "Zoe Wynne", Role: policy.Wearer, Organisations: []id.Organisation{a}, Wearers: ws[:1]})},
		{what: "administrator", node: "web", auth: h.signIn("web", vc.NewUser{Name: "Alun Roberts", Role: policy.Administrator})},
		{what: "job", node: "worker", auth: vc.Auth{Grant: job}},
		{what: "worker", node: "worker"},
		{what: "staff machine", node: "web", machine: "staff"},
		{what: "reading machine", node: "web", machine: "doses"},
		{what: "nobody with a token", node: "web", auth: vc.Auth{Session: strings.Repeat("0f", 32)}},
		{what: "session of another node", node: "worker", auth: web},
		{what: "nobody on the command line", node: "cli"},
	}
	is("user", h.users["Sioned Pugh"].String())
	is("leaver", must(h.nodes["cli"].CreateUsers(t.Context(), h.root, []vc.NewUser{{Name: "Hefin Wood", Role: policy.Local, Organisations: []id.Organisation{b}}}))[0].String())
	for _, work := range []string{"staff", "doses"} {
		m, n := h.outside("Machine for "+work, work, 5, a)
		f.tools[work] = m
		is("machine"+work, n.String())
	}
	if err := h.v.SingleAdministrator(t.Context(), 24*time.Hour); err != nil { // proposals wait from now on
		t.Fatal(err)
	}
	is("proposal", must(h.nodes["web"].Propose(t.Context(), web, vc.ApproveBudget, vc.NewBudget{Who: "role:supervisor", Limits: map[string]int{"identity": 20000}})).String())
	alarms := must(h.v.Alarms(t.Context(), vault.Caller{Node: "cli", Auth: h.root}, vc.AlarmsRequest{Limit: 5})).Alarms
	if len(alarms) == 0 {
		t.Fatal("the house has no alarm")
	}
	is("alarm", alarms[0].ID.String())
	f.certs = must(h.keys.Nodes())
	h.stop()
	f.template = h.dir
	if len(f.sealed) != len(sealedStandIn) {
		t.Fatalf("a sealed reading has %d bytes", len(f.sealed))
	}
	t.Cleanup(f.close)
	return f
}

// readingContext is where the house's sealed reading lies.
func readingContext(row id.Row, org id.Organisation, w id.Wearer) vc.Context {
	return vc.Context{Table: "reading", Row: row, Version: 1, Class: policy.ClassDose, Organisation: org, Wearer: w, Year: 2026, Bind: []byte("bind")}
}

func (f *fuzzHouse) close() {
	if f.v != nil {
		f.v.Close()
		os.RemoveAll(f.dir)
		f.v = nil
	}
}

// unpack makes a fresh copy of the stopped vault, with its database opened.
func (f *fuzzHouse) unpack(t testing.TB) {
	f.close()
	var err error
	if f.dir, err = os.MkdirTemp("", "fuzz"); err != nil {
		t.Fatal(err)
	}
	f.keys = vault.KeyDir(filepath.Join(f.dir, "keys"))
	for from, to := range map[string]string{f.template: f.dir, string(f.original): string(f.keys)} {
		if err := testcorpus.CopyFiles(to, from); err != nil {
			t.Fatal(err)
		}
	}
	if f.store, err = sqlite.OpenVault(t.Context(), filepath.Join(f.dir, "vault.db")); err != nil {
		t.Fatal(err)
	}
}

// open opens a fresh copy of the vault.
func (f *fuzzHouse) open(t testing.TB) {
	f.unpack(t)
	var err error
	opened := false
	now := func() time.Time {
		if !opened { // a vault that has just started takes no signatures that may have been seen before
			return fuzzNow
		}
		return fuzzNow.Add(5 * time.Second)
	}
	if f.v, err = vault.Open(t.Context(), vault.Config{Store: f.store, Keys: f.keys, Now: now, Log: slog.New(slog.DiscardHandler), Origin: vaultOrigin}); err != nil {
		t.Fatal(err)
	}
	opened = true
	server, err := vault.NewServer(f.v, f.keys)
	if err != nil {
		t.Fatal(err)
	}
	f.handler = server.Handler()
	for i := range f.callers {
		if c := &f.callers[i]; c.machine != "" {
			m := f.tools[c.machine]
			c.auth.Machine = must(f.v.Admit(t.Context(), vault.Caller{Node: "web"}, m.Signed("GET", "badges.example", "/api/v1/machine", nil, fuzzNow.Add(5*time.Second))))
		}
	}
}

// ready puts the house back as it was, unless everybody in it still may what they may.
func (f *fuzzHouse) ready(t testing.TB) {
	f.runs++
	whole := f.v != nil && f.runs%300 != 0
	for _, c := range f.callers {
		if whole && (c.auth.Session != "" || c.auth.Machine != "") && !strings.HasPrefix(c.what, "nobody") && !strings.HasPrefix(c.what, "session") {
			u, err := f.v.Whoami(t.Context(), vault.Caller{Node: c.node, Auth: c.auth})
			whole = err == nil && len(u.Frozen) == 0
		}
	}
	if !whole {
		f.open(t)
	}
}

// realIDs exchanges the stand-ins of rows for their ids.
func (f *fuzzHouse) realIDs(b []byte) []byte {
	for _, s := range f.standIns {
		b = bytes.ReplaceAll(b, []byte(s[0]), []byte(s[1]))
		from, to := must(id.Parse[id.Row](s[0])), must(id.Parse[id.Row](s[1]))
		b = bytes.ReplaceAll(b, from[:], to[:])
		b = bytes.ReplaceAll(b, []byte(base64.StdEncoding.EncodeToString(from[:])), []byte(base64.StdEncoding.EncodeToString(to[:])))
	}
	return bytes.ReplaceAll(b, sealedStandIn, f.sealed)
}

// real exchanges all stand-ins of a text.
func (f *fuzzHouse) real(t testing.TB, b []byte) []byte {
	b = f.realIDs(b)
	once := func(text string, made func() string) {
		if bytes.Contains(b, []byte(text)) {
			b = bytes.ReplaceAll(b, []byte(text), []byte(made()))
		}
	}
	office := vault.Caller{Node: "cli", Auth: f.callers[2].auth}
	once(codeStandIn, func() string { return f.v.NewCode(must(f.v.Whoami(t.Context(), office)).ID, "web") })
	once(linkStandIn, func() string {
		return must(f.v.NewLink(t.Context(), office, must(f.v.CreateUsers(t.Context(), office, []vc.NewUser{{Name: "Non Parri", Role: policy.Operator}}))[0]))
	})
	signed := f.tools["doses"].Signed("GET", "badges.example", "/api/v1/machine", nil, fuzzNow.Add(5*time.Second))
	once(inputStandIn, func() string { return strings.ReplaceAll(signed.Input, `"`, `\"`) })
	once(signatureStandIn, func() string { return signed.Signature })
	return b
}

// send sends a request as a node.
func (f *fuzzHouse) send(node, method, kind string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.URL.Path = "/v1/" + method
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{f.certs[node]}}
	r.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	return w
}

// shown are the house's personal values that stand in an answer, plainly or in base64.
func (f *fuzzHouse) shown(answer []byte) (found []string) {
	for text := range f.plain {
		if bytes.Contains(answer, []byte(text)) {
			found = append(found, text)
			continue
		}
		for shift := range 3 { // where base64 begins
			encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), text...))
			// The first and last characters hold bits of what stands beside it.
			if bytes.Contains(answer, []byte(encoded[4*min(shift, 1):len(encoded)-1])) {
				found = append(found, text)
				break
			}
		}
	}
	return found
}

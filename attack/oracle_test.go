package attack_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// stolen is a node in somebody else's hands: its key, and a client of one's own on the vault's socket. What it
// receives is taken from the bytes of the answers, with nothing of the program's own decoding.
type stolen struct {
	http     *http.Client
	inFlight atomic.Int64
}

func steal(t *testing.T, h *house.House) *stolen {
	t.Helper()
	return stealNode(t, h, "web")
}

// stealNode takes another node.
func stealNode(t *testing.T, h *house.House, node string) *stolen {
	t.Helper()
	nodes := filepath.Join(h.Keys, "nodes")
	key, err := tls.LoadX509KeyPair(filepath.Join(nodes, node+".crt"), filepath.Join(nodes, node+".key"))
	if err != nil {
		t.Fatal(err)
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{key}, InsecureSkipVerify: true} // an attacker does not mind whom it asks
	s := &stolen{}
	s.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		raw, err := d.DialContext(ctx, "unix", filepath.Join(h.Dir, "run", "vault.sock"))
		if err != nil {
			return nil, err
		}
		return tls.Client(raw, conf), nil
	}}}
	t.Cleanup(s.http.CloseIdleConnections)
	return s
}

// post sends one request and returns the answer's bytes when it was answered with 200. broken: no whole answer came.
func (s *stolen) post(method string, body any) (answer []byte, broken bool) {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return s.send(method, "application/json", b)
}

// framed is a body with columns as the vault's wire has it: the JSON and each column, preceded by their lengths.
func framed(head any, columns ...[]byte) []byte {
	b, err := json.Marshal(head)
	if err != nil {
		panic(err)
	}
	var out []byte
	for _, p := range append([][]byte{b}, columns...) {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(p))), p...)
	}
	return out
}

func (s *stolen) send(method, kind string, b []byte) (answer []byte, broken bool) {
	s.inFlight.Add(1)
	resp, err := s.http.Post("https://vault/v1/"+method, kind, bytes.NewReader(b))
	if err != nil {
		return nil, true // stays in flight: nobody knows how far it came
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	if err != nil {
		return nil, true
	}
	s.inFlight.Add(-1)
	if resp.StatusCode != http.StatusOK {
		return nil, false
	}
	return answer, false
}

// loot is what was really obtained: fields by wearer, and how many answers showed anything.
type loot struct {
	mu      sync.Mutex
	fields  map[string]policy.Fields
	answers int
}

func (l *loot) add(got map[string]policy.Fields) {
	if len(got) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers++
	for w, f := range got {
		l.fields[w] |= f
	}
}

// count is how many answers showed anything so far.
func (l *loot) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answers
}

// records reads the fields out of the answer to a reveal, search or look: its JSON, and columns of wearers, organisations, facts,
// numbers of texts in lists, lengths of texts and texts.
func records(t *testing.T, answer []byte) map[string]policy.Fields {
	t.Helper()
	var parts [][]byte
	for rest := answer; len(rest) > 0; {
		if len(rest) < 4 || len(rest)-4 < int(binary.BigEndian.Uint32(rest)) {
			t.Fatal("an answer can't be read")
		}
		n := 4 + int(binary.BigEndian.Uint32(rest))
		parts, rest = append(parts, rest[4:n]), rest[n:]
	}
	if len(parts) != 7 && len(parts) != 9 { // values follow the records of a look
		t.Fatalf("an answer has %d parts", len(parts))
	}
	wearers, orgs, lists, lengths, texts := parts[1], parts[2], parts[4], parts[5], parts[6]
	next := func() bool { // whether the next text says anything
		n := int(binary.BigEndian.Uint32(lengths))
		lengths, texts = lengths[4:], texts[n:]
		return n > 0
	}
	got := map[string]policy.Fields{}
	for i := range len(wearers) / 16 {
		f := policy.Fields(0)
		if !bytes.Equal(orgs[16*i:16*i+16], make([]byte, 16)) {
			f |= policy.FieldEmployment
		}
		of := []policy.Fields{policy.FieldEmployment, policy.FieldEmployment, policy.FieldName, policy.FieldName, policy.FieldName, policy.FieldBirth, policy.FieldSex, policy.FieldStaffNumber,
			policy.FieldRegistration, policy.FieldNI, policy.FieldContact, policy.FieldContact, policy.FieldContact}
		of = append(of, slices.Repeat([]policy.Fields{policy.FieldName}, int(lists[2*i]))...)
		of = append(of, slices.Repeat([]policy.Fields{policy.FieldContact}, int(lists[2*i+1]))...)
		for _, field := range of {
			if next() {
				f |= field
			}
		}
		got[id.Wearer(wearers[16*i:]).String()] |= f
	}
	if len(lengths) > 0 || len(texts) > 0 {
		t.Error("an answer holds texts that this test does not know")
	}
	return got
}

// sealedReading is a row of the register as a node can read it, with what the vault wants to know of its place.
type sealedReading struct {
	period, wearer, org, bind, sealed []byte
	version                           uint32
	year                              int
}

// asker is one stolen session at work, or one grant of a stolen worker.
type asker struct {
	t        *testing.T
	s        *stolen
	auth     vaultclient.Auth
	rnd      *rand.Rand
	wearers  map[string][][]byte // of each organisation
	orgs     []string
	readings []sealedReading
	loot     *loot
}

func (a *asker) call(body any) map[string]any {
	return map[string]any{"auth": a.auth, "body": body}
}

// ask sends one random request; false when the vault is gone.
func (a *asker) ask() bool {
	purpose := policy.Purposes[a.rnd.IntN(len(policy.Purposes))]
	if a.rnd.IntN(3) > 0 {
		purpose = policy.IssueBadges
	}
	org := a.orgs[a.rnd.IntN(len(a.orgs))]
	switch a.rnd.IntN(4) {
	case 0, 1: // reveal some wearers of one organisation
		var list []byte
		own := a.wearers[org]
		for range 1 + a.rnd.IntN(6) {
			list = append(list, own[a.rnd.IntN(len(own))]...)
		}
		fields := policy.Fields(1 << a.rnd.IntN(7))
		if a.rnd.IntN(2) == 0 {
			fields |= policy.FieldName
		}
		answer, broken := a.s.post("reveal", a.call(map[string]any{"purpose": purpose, "fields": fields, "wearers": list}))
		if answer != nil {
			a.loot.add(records(a.t, answer))
		}
		return !broken
	case 2:
		q := []string{"", "j", "jones", "e", "zzz", "d"}[a.rnd.IntN(6)]
		answer, broken := a.s.post("search", a.call(map[string]any{"purpose": purpose, "organisation": org, "query": q, "leavers": a.rnd.IntN(2) == 0, "offset": a.rnd.IntN(3), "limit": 1 + a.rnd.IntN(25)}))
		if answer != nil {
			a.loot.add(records(a.t, answer))
		}
		return !broken
	}
	r := a.readings[a.rnd.IntN(len(a.readings))]
	n := func(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
	if a.rnd.IntN(2) == 0 {
		purpose = policy.AssessDose
	}
	items, method, body := map[string]any{"purpose": purpose, "tables": []string{"reading"}}, "open", any(nil)
	if body = items; a.rnd.IntN(2) == 0 { // with the name, as a page does
		method, body = "look", map[string]any{"fields": policy.FieldName, "wearers": r.wearer, "items": items}
	}
	answer, broken := a.s.send(method, "application/vnd.dosevault.columns", framed(a.call(body),
		r.period, n(r.version), []byte{byte(policy.ClassDose)}, r.org, r.wearer, n(uint32(r.year)), n(0), n(uint32(len(r.bind))), r.bind, n(uint32(len(r.sealed))), r.sealed))
	if answer != nil {
		if len(answer) < 4+2+4+4+4+8 {
			a.t.Errorf("opened a value in an answer of %d bytes", len(answer))
		}
		w, err := id.From[id.Wearer](r.wearer)
		if err != nil {
			a.t.Error(err)
		}
		got := map[string]policy.Fields{}
		if method == "look" {
			got = records(a.t, answer)
			if got[w.String()]&policy.FieldName == 0 {
				a.t.Error("a look shows no name")
			}
		}
		got[w.String()] |= policy.FieldDose
		a.loot.add(got)
	}
	return !broken
}

// within checks that every field obtained was entered.
func within(t *testing.T, who string, obtained, entered map[string]policy.Fields) {
	t.Helper()
	for w, f := range obtained {
		if missing := f &^ entered[w]; missing != 0 {
			t.Errorf("%s obtained %s of wearer %s, and no entry says so", who, missing, w)
		}
	}
}

// plain reads what a node can read of the register by itself: who is whose, and sealed readings.
func plain(t *testing.T, h *house.House) (wearers map[string][][]byte, orgs []string, readings []sealedReading) {
	t.Helper()
	db := readOnly(t, registerDB(h))
	rows, err := db.Query("SELECT DISTINCT organisation, id FROM wearer")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	wearers = map[string][][]byte{}
	for rows.Next() {
		var org, w []byte
		if err := rows.Scan(&org, &w); err != nil {
			t.Fatal(err)
		}
		o, err := id.From[id.Organisation](org)
		if err != nil {
			t.Fatal(err)
		}
		wearers[o.String()] = append(wearers[o.String()], w)
	}
	for o := range wearers {
		orgs = append(orgs, o)
	}
	slices.Sort(orgs)
	sealed, err := db.Query(`SELECT r.wear_period, r.wearer, p.organisation, r.import, r.sealed, r.version, p.ends
		FROM reading r JOIN wear_period p ON p.wearer = r.wearer AND p.id = r.wear_period WHERE r.wearer <> $1 LIMIT 3000`, make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	defer sealed.Close()
	for sealed.Next() {
		var r sealedReading
		var ends int64
		if err := sealed.Scan(&r.period, &r.wearer, &r.org, &r.bind, &r.sealed, &r.version, &ends); err != nil {
			t.Fatal(err)
		}
		r.year = time.Unix(ends*86400, 0).UTC().Year()
		readings = append(readings, r)
	}
	if len(orgs) == 0 || len(readings) == 0 {
		t.Fatal("the register is empty")
	}
	return wearers, orgs, readings
}

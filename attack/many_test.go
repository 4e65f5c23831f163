package attack_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/store/postgres"
	"github.com/dosevault/dosevault/internal/store/storetest/pgtest"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Sizes of TestManyAtOnce.
const (
	manyUsers    = 50
	manyPeople   = 400 // at each of two organisations
	manyScans    = 30  // badges that each user scans back; every tenth is scanned by two users at once
	manyFiles    = 6
	rowsOfAFile  = 400
	soakDuration = 12 * time.Second // DOSEVAULT_SOAK says another, as in 5m
)

// many is an installation on PostgreSQL that fifty users work on.
type many struct {
	t        *testing.T
	h        *house.House
	database string
	client   *vaultclient.Client
	auth     vaultclient.Auth
	register *register.Service
	orgs     []id.Organisation
	wearers  [][]id.Wearer
}

func newMany(t *testing.T) *many {
	t.Helper()
	server := pgtest.Shared(t)
	m := &many{t: t, h: house.New(t), database: server.Database(t)}
	m.h.Env = []string{"DOSEVAULT_DATABASE=" + m.database, "DOSEVAULT_VAULT_DATABASE=" + server.Database(t)}
	m.h.Start("serve", "--single-administrator", "--single-administrator-delay", "0s")
	m.client = m.h.Client("cli")
	session, err := m.client.RedeemLink(t.Context(), m.h.FirstLink())
	m.ok(err)
	m.auth = vaultclient.Auth{Session: session.Token}
	store, err := postgres.OpenRegister(t.Context(), m.database)
	m.ok(err)
	t.Cleanup(func() { store.Close() })
	m.register = register.New(register.Config{Store: store, Vault: m.client, Now: time.Now, Log: slog.New(slog.DiscardHandler), Node: "cli"})
	for i, account := range []string{"100200", "100300"} {
		orgs, err := m.client.CreateOrganisations(t.Context(), m.auth, []vaultclient.Organisation{{Name: fmt.Sprintf("Board %d", i+1), Kind: vaultclient.HealthBoard}})
		m.ok(err)
		m.ok(m.register.SetSettings(t.Context(), m.auth, orgs[0], register.Settings{Accounts: []string{account}}))
		joiners := make([]register.Joiner, manyPeople)
		for k := range joiners {
			joiners[k] = register.Joiner{Organisation: orgs[0], From: day.Of(2020, time.January, 1), Identity: person.Identity{Surname: person.NewValue(fmt.Sprintf("Synthetic%c%c", 'a'+k%26, 'a'+k/26)),
				Forenames: person.NewValue("Person"), StaffNumber: person.NewValue(fmt.Sprint(1000 + k)), Birth: person.NewValue("1980-01-31"), Sex: person.NewValue("F")}}
		}
		taken, err := m.register.TakeOn(t.Context(), m.auth, joiners, nil, "HR")
		m.ok(err)
		m.orgs, m.wearers = append(m.orgs, orgs[0]), append(m.wearers, taken.Wearers)
	}
	return m
}

func (m *many) ok(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// out hands n badges of a name out to the first organisation's people.
func (m *many) out(name string, n int, from, to day.Day) []string {
	m.t.Helper()
	badges := make([]register.Dispatched, n)
	codes := make([]string, n)
	for i := range badges {
		codes[i] = fmt.Sprintf("%s%05d", name, i)
		badges[i] = register.Dispatched{Barcode: codes[i], Batch: name, State: register.Issued, Organisation: m.orgs[0], Wearer: m.wearers[0][i%manyPeople], Position: dose.WholeBody, From: from, To: to}
	}
	_, err := m.register.Dispatch(m.t.Context(), m.auth, badges, "laboratory")
	m.ok(err)
	return codes
}

// browser is one user with a session at one of the web nodes.
type browser struct {
	*many
	user    id.User
	session string
	http    *http.Client
	rnd     *rand.Rand
	nodes   *[]string // those that answer
	mu      *sync.RWMutex
	codes   []string

	seen     map[string]bool // wearers whose names it was shown
	broken   int             // requests that no answer came to
	pages    int
	returned []string // barcodes of which it was told that they are returned now
}

var wearerLink = regexp.MustCompile(`href="/wearers/([a-z2-7]{26})"`)

// ask asks for a page and returns it; a node that is gone is asked no more.
func (b *browser) ask(method, path string, form url.Values) (string, error) {
	b.mu.RLock()
	node := (*b.nodes)[b.rnd.IntN(len(*b.nodes))]
	b.mu.RUnlock()
	req, err := http.NewRequestWithContext(b.t.Context(), method, "http://"+node+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.AddCookie(&http.Cookie{Name: "session", Value: b.session})
	resp, err := b.http.Do(req)
	if err != nil {
		b.broken++
		return "", nil
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		b.broken++
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("%s %s: status %d", method, path, resp.StatusCode)
	default:
		b.pages++
	}
	for _, m := range wearerLink.FindAllStringSubmatch(string(page), -1) {
		b.seen[m[1]] = true
	}
	return string(page), nil
}

// work looks at pages and scans badges back until the time is over and all its badges are scanned.
func (b *browser) work(until time.Time) error {
	for time.Now().Before(until) || len(b.codes) > 0 {
		org := b.orgs[b.rnd.IntN(len(b.orgs))]
		var err error
		switch n := b.rnd.IntN(6); {
		case n < 2:
			_, err = b.ask(http.MethodGet, fmt.Sprintf("/organisations/%s/wearers?page=%d", org, 1+b.rnd.IntN(9)), nil)
		case n == 2:
			_, err = b.ask(http.MethodPost, "/find", url.Values{"q": {fmt.Sprintf("synthetic%c", 'a'+b.rnd.IntN(26))}})
		case n == 3:
			_, err = b.ask(http.MethodGet, "/", nil)
		case len(b.codes) > 0:
			var page string
			code := b.codes[0]
			page, err = b.ask(http.MethodPost, "/return", url.Values{"barcode": {code}})
			if page == "" {
				break // nobody knows how far it came: it is scanned again
			}
			b.codes = b.codes[1:]
			if strings.Contains(page, "dv-scan--ok") {
				b.returned = append(b.returned, code)
			} else if !strings.Contains(page, "dv-scan--problem") {
				err = fmt.Errorf("a scan had no answer")
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Fifty users and two workers at once on PostgreSQL while files are imported and one web node is killed: nothing is lost,
// nothing double, and the oracle holds.
func TestManyAtOnce(t *testing.T) {
	length := soakDuration
	if s := os.Getenv("DOSEVAULT_SOAK"); s != "" {
		var err error
		if length, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	m := newMany(t)
	today := day.At(time.Now())
	scanned := m.out("S", manyUsers*manyScans, today-40, today-10)
	heading, _, _ := strings.Cut(string(read(t, filepath.Join("..", "internal", "labfile", "testdata", "quirks.csv"))), "\n")
	var files [][]byte
	for f := range manyFiles {
		from := day.Of(2025, time.Month(1+f), 1)
		to := from.AddMonths(1) - 1
		var file strings.Builder
		fmt.Fprintln(&file, heading)
		for i, code := range m.out(fmt.Sprintf("F%d", f), rowsOfAFile, from, to) {
			fmt.Fprintf(&file, "100200,Board 1,A,,%s,%s,%d,,,\"SYNTHETIC, PERSON\",,LUXEL,CHEST,P,%s,%s,0.%02d,,0.%02d,,,,,,,,,,,2020/01,%s,0,\n", to+20, to+21, i, from, to, 1+i%90, 1+i%90, code)
		}
		files = append(files, []byte(file.String()))
	}

	second := house.FreePort(t)
	secondNode := m.h.Beside("web", "--listen", second, "--vault-listen", m.h.Vault)
	m.h.Beside("worker", "--number", "2")
	nodes := []string{m.h.Listen, second}
	var mu sync.RWMutex

	users := make([]vaultclient.NewUser, manyUsers)
	for i := range users {
		users[i] = vaultclient.NewUser{Name: fmt.Sprintf("Co-ordinator %d", i), Role: policy.Coordinator}
	}
	ids, err := m.client.CreateUsers(t.Context(), m.auth, users)
	m.ok(err)
	web := m.h.Client("web")
	began := time.Now()
	browsers := make([]*browser, manyUsers)
	for i := range browsers {
		link, err := m.client.NewLink(t.Context(), m.auth, ids[i])
		m.ok(err)
		auth, err := m.h.Enrol(web, link)
		m.ok(err)
		b := &browser{many: m, user: ids[i], session: auth.Session, http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}, rnd: rand.New(rand.NewPCG(1, uint64(i))), nodes: &nodes, mu: &mu, seen: map[string]bool{}}
		t.Cleanup(b.http.CloseIdleConnections)
		b.codes = append(b.codes, scanned[i*manyScans:(i+1)*manyScans]...)
		for k := i; k < len(scanned); k += manyUsers * 10 { // somebody else's, at the same time
			b.codes = append(b.codes, scanned[(k+manyScans)%len(scanned)])
		}
		browsers[i] = b
	}
	var group sync.WaitGroup
	until := time.Now().Add(length)
	for _, b := range browsers {
		group.Go(func() {
			if err := b.work(until); err != nil {
				t.Errorf("%s: %v", b.user, err)
			}
		})
	}
	imports := make([]id.Import, len(files))
	for i, f := range files {
		imports[i], err = m.register.Receive(t.Context(), m.auth, f, "laboratory")
		m.ok(err)
	}
	for _, n := range imports {
		m.await(n, register.Previewed)
		m.ok(m.register.Accept(t.Context(), m.auth, n))
	}
	time.Sleep(time.Until(until.Add(-length / 2)))
	mu.Lock()
	nodes = nodes[:1]
	mu.Unlock()
	m.ok(secondNode.Kill())
	for _, n := range imports {
		if im := m.await(n, register.Done); im.Stored != rowsOfAFile {
			t.Errorf("%d of %d rows of a file are stored", im.Stored, rowsOfAFile)
		}
	}
	group.Wait()

	m.nothingLost(browsers, scanned)
	m.oracle(browsers, began)
	for _, b := range browsers {
		b.http.CloseIdleConnections()
	}
	m.h.Stop()
	if out, err := m.h.Run("verify"); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
}

// await waits until an import is in a state.
func (m *many) await(n id.Import, want register.State) register.ImportRow {
	m.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		im, err := m.register.Store.Import(m.t.Context(), n)
		m.ok(err)
		if im.State == want {
			return im
		}
		if im.State == register.Failed || time.Now().After(deadline) {
			m.t.Fatalf("an import is %s, not %s: %s", im.State, want, im.Failure)
		}
	}
}

// nothingLost: every badge is returned once, by one user who was told so, and every reading is there once.
func (m *many) nothingLost(browsers []*browser, scanned []string) {
	told := map[string]int{}
	unknown := 0
	for _, b := range browsers {
		for _, code := range b.returned {
			told[code]++
		}
		unknown += b.broken
	}
	missing := 0
	for _, code := range scanned {
		switch told[code] {
		case 1:
		case 0:
			missing++ // its answer went down with the node, or it is double
		default:
			m.t.Errorf("%d users were told that they returned badge %s", told[code], code)
		}
	}
	if missing > unknown {
		m.t.Errorf("nobody was told of %d badges, and only %d answers were lost", missing, unknown)
	}
	ctx := context.Background()
	found, err := m.register.Store.Periods(ctx, scanned)
	m.ok(err)
	for _, p := range found {
		if p.State != register.Returned {
			m.t.Errorf("badge %s is in state %d after it was scanned", p.Barcode, p.State)
		}
	}
	results, err := m.register.Store.Results(ctx, m.wearers[0], 0)
	m.ok(err)
	reports := 0
	for _, r := range results {
		reports += len(r.Reports)
	}
	if len(found) != len(scanned) || len(results) != manyFiles*rowsOfAFile || reports != len(results) {
		m.t.Errorf("%d badges of %d, %d results with %d reports, want %d of each", len(found), len(scanned), len(results), reports, manyFiles*rowsOfAFile)
	}
}

// oracle: whoever was shown a name stands in the exposures of the node and, for every seventh user, of the user; to users
// without a broken request nobody else was exposed.
func (m *many) oracle(browsers []*browser, from time.Time) {
	exposed := func(recipient string) map[string]bool {
		x, err := m.client.Exposures(m.t.Context(), m.auth, vaultclient.ExposureRequest{Recipient: vaultclient.Recipient(recipient), From: from.Add(-time.Second), To: time.Now().Add(time.Minute), List: true})
		m.ok(err)
		out := map[string]bool{}
		for _, e := range x.List {
			if e.Fields&policy.FieldName != 0 {
				out[e.Wearer.String()] = true
			}
		}
		return out
	}
	node := exposed("node:web")
	pages, shown, broken, surplus := 0, 0, 0, 0
	for i, b := range browsers {
		pages, shown, broken = pages+b.pages, shown+len(b.seen), broken+b.broken
		if i%7 != 0 { // each question reads the whole ledger
			for w := range b.seen {
				if !node[w] {
					m.t.Errorf("%s was shown a name, and no entry of the node says so", b.user)
				}
			}
			continue
		}
		user := exposed("user:" + b.user.String())
		for w := range b.seen {
			if !user[w] || !node[w] {
				m.t.Errorf("%s was shown a name, and no entry says so", b.user)
			}
		}
		if more := len(user) - len(b.seen); more > 0 {
			surplus += more
			if b.broken == 0 {
				m.t.Errorf("%s was shown %d names, and entries say %d", b.user, len(b.seen), len(user))
			}
		}
	}
	if pages < manyUsers*manyScans || shown < manyUsers {
		m.t.Errorf("only %d pages with %d names: nothing is shown", pages, shown)
	}
	m.t.Logf("%d users: %d pages, %d names; %d requests without an answer, and for every seventh user %d names entered that did not arrive", len(browsers), pages, shown, broken, surplus)
}

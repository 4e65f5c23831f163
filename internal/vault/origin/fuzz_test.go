package origin

import (
	"encoding/json"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/testcorpus"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// fuzzHouse is a filled vault behind its pages, which is put back as it was when an input has changed who may. Inputs name
// what has a random id by stand-ins.
type fuzzHouse struct {
	testing.TB
	template, dir string
	original      vault.KeyDir
	root          vault.Caller
	v             *vault.Vault
	o             *Origin
	people        []fuzzVisitor
	standIns      *strings.Replacer
	guest         id.User // who gets links
	runs          int
}

// fuzzVisitor is somebody with a browser.
type fuzzVisitor struct {
	session string
	device  *device
}

const digestStandIn = "shown-digest"

var shownDigest = regexp.MustCompile(`name="digest" value="([0-9a-f]+)"`)

// linkStandIn stands for a one-time link's secret; the same one in address and form.
const linkStandIn = "LINK"

// answerStandIn in a form stands for the passkey's answer to the challenge of the page at the form's address.
const answerStandIn = "answer-of-a-passkey"

const hiddenName = "Qwyddfarch-Zbigwenn"

func newFuzzHouse(t testing.TB) *fuzzHouse {
	h := newHouse(t)
	f := &fuzzHouse{TB: t, original: h.keys, root: h.root}
	o := h.origin(false)
	a, b := h.organisation("Bwrdd Iechyd Glyndŵr"), h.organisation("Ysbyty Llwyfen")
	file := id.New[id.Import]()
	staged := must(h.v.Stage(t.Context(), h.root, file, []vc.Change{{Organisation: a, Identity: person.Identity{Surname: person.NewValue(hiddenName), StaffNumber: person.NewValue("QA-7701")}}}))
	if err := h.v.Confirm(t.Context(), h.root, file, nil); err != nil {
		t.Fatal(err)
	}
	people := h.users(vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator}, vc.NewUser{Name: "Alun Roberts", Role: policy.Administrator},
		vc.NewUser{Name: "Dilys Parry", Role: policy.DataProtection, Organisations: []id.Organisation{a}}, vc.NewUser{Name: "Zoe Wynne", Role: policy.Wearer, Wearers: []id.Wearer{staged[0].Wearer}},
		vc.NewUser{Name: "Hefin Wood", Role: policy.Local, Organisations: []id.Organisation{b}})
	f.people = []fuzzVisitor{{}, {session: "0f0f0f0f0f0f"}}
	for _, u := range people[:4] {
		browser, d := h.enrol(o, u)
		f.people = append(f.people, fuzzVisitor{browser.cookies[sessionCookie], d})
	}
	f.guest = people[4]
	provider := must(h.v.AddProvider(t.Context(), h.root, vc.NewProvider{Organisation: a, Issuer: "http://localhost:1", Client: "dosevault", Secret: "a secret", Name: "name", Claim: "groups", Rules: []vc.ClaimRule{{Value: "rps", Role: policy.Supervisor}}}))
	coordinator := vault.Caller{Node: vault.OriginNode, Auth: vc.Auth{Session: f.people[2].session}}
	recovery := must(h.v.Propose(t.Context(), coordinator, vc.Proposal{Kind: vc.ApproveRecovery, Body: must(json.Marshal(vc.Recovery{User: people[0]}))})) // takes effect at once
	if err := h.v.SingleAdministrator(t.Context(), 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	proposal := must(h.v.Propose(t.Context(), coordinator, vc.Proposal{Kind: vc.ApproveBudget, Body: must(json.Marshal(vc.NewBudget{Who: "role:supervisor", Limits: map[string]int{"identity": 30000}}))}))
	job := must(h.v.GrantJob(t.Context(), h.root, vc.JobGrant{Purpose: policy.AssessDose, Fields: policy.FieldName | policy.FieldEmployment, MaxWearers: 3, Import: id.New[id.Import](), Node: "worker", Lifetime: time.Hour}))
	pairs := []string{"ORGANISATION", a.String(), "USER", people[4].String(), "SELF", people[0].String(), "PROVIDER", provider.String(), "VERSION", must(policy.Load()).Version(), "PROPOSAL", proposal.String(), "RECOVERY", recovery.String(), "GRANT", job.String(),
		"WEARER", staged[0].Wearer.String(), "SESSION", must(h.v.Sessions(t.Context(), coordinator))[0].ID, "PASSKEY", must(h.v.Passkeys(t.Context(), coordinator))[0].ID,
		"ALARM", must(h.v.Alarms(t.Context(), coordinator, vc.AlarmsRequest{Limit: 1})).Alarms[0].ID.String()}
	notice := h.notice(a)
	f.standIns = strings.NewReplacer(append(pairs, "NOTICE", notice)...)
	if err := h.v.Close(); err != nil {
		t.Fatal(err)
	}
	h.closed = true
	f.template = h.dir
	t.Cleanup(f.close)
	return f
}

func (f *fuzzHouse) close() {
	if f.v != nil {
		f.v.Close()
		os.RemoveAll(f.dir)
		f.v = nil
	}
}

func (f *fuzzHouse) open() {
	f.close()
	f.dir = must(os.MkdirTemp("", "fuzz"))
	keys := vault.KeyDir(filepath.Join(f.dir, "keys"))
	for from, to := range map[string]string{f.template: f.dir, string(f.original): string(keys)} {
		if err := testcorpus.CopyFiles(to, from); err != nil {
			f.Fatal(err)
		}
	}
	f.v = must(vault.Open(f.Context(), vault.Config{Store: must(sqlite.OpenVault(f.Context(), filepath.Join(f.dir, "vault.db"))), Keys: keys, Now: time.Now, Log: slog.New(slog.DiscardHandler), Origin: "http://localhost:8081"}))
	f.o = &Origin{Vault: f.v, URL: "http://localhost:8081", Nodes: map[string]string{nodeOrigin: "web"}, Log: slog.New(slog.DiscardHandler)}
}

// real exchanges the stand-ins of a request and its form.
func (f *fuzzHouse) real(request, form string) (string, string) {
	text := request + "\n" + form
	if strings.Contains(text, linkStandIn) {
		secret, err := f.v.NewLink(f.Context(), f.root, f.guest)
		if err != nil { // an earlier input ended their access
			f.open()
			secret = must(f.v.NewLink(f.Context(), f.root, f.guest))
		}
		text = strings.ReplaceAll(text, linkStandIn, secret)
	}
	request, form, _ = strings.Cut(f.standIns.Replace(text), "\n")
	return request, form
}

// ready puts the house back as it was, unless everybody in it still may what they may.
func (f *fuzzHouse) ready() {
	f.runs++
	whole := f.v != nil && f.runs%300 != 0
	for _, p := range f.people {
		if whole && p.device != nil {
			c := vault.Caller{Node: vault.OriginNode, Auth: vc.Auth{Session: p.session}}
			u, err := f.v.Whoami(f.Context(), c)
			whole = err == nil && len(u.Frozen) == 0 && f.v.HasPasskey(u.ID)
		}
	}
	if !whole {
		f.open()
	}
}

// send sends a request such as "POST /freeze" with a form as somebody.
func (f *fuzzHouse) send(request, form string, p fuzzVisitor, site string) *httptest.ResponseRecorder {
	method, address, _ := strings.Cut(request, " ")
	path, query, _ := strings.Cut(address, "?")
	if strings.Contains(form, answerStandIn) && p.device != nil {
		from := strings.TrimSuffix(address, "/sign")
		if strings.HasPrefix(address, "/approvals/") {
			from = strings.TrimSuffix(from, "/link")
		}
		page := f.send("GET "+from, "", p, "same-origin")
		if m := dataOptions.FindStringSubmatch(page.Body.String()); m != nil {
			d := p.device
			if m[1] == "create" {
				d = newDevice()
			}
			form = strings.ReplaceAll(form, answerStandIn, url.QueryEscape(d.answer(&browser{TB: f.TB}, page)))
		}
		if m := shownDigest.FindStringSubmatch(page.Body.String()); m != nil {
			form = strings.ReplaceAll(form, digestStandIn, m[1])
		}
	}
	r := httptest.NewRequest(http.MethodPost, f.o.URL+"/", strings.NewReader(form))
	r.Method, r.URL.Path, r.URL.RawQuery = method, path, query
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", site)
	if p.session != "" {
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: p.session})
	}
	w := httptest.NewRecorder()
	f.o.Handler().ServeHTTP(w, r)
	return w
}

var fuzzSites = []string{"same-origin", "same-site", "cross-site", "none"}

// Whatever a browser sends to any address of the vault's origin, the page is made; what was sent does not become part of
// the page's markup, nobody is led elsewhere, and no wearer's name is shown but to who may see it.
func FuzzOrigin(f *testing.F) {
	h := newFuzzHouse(f)
	f.Fuzz(func(t *testing.T, request, form string, who, site byte) {
		if len(request)+len(form) > 1<<16 {
			return
		}
		h.TB = t
		h.ready()
		p := h.people[int(who)%len(h.people)]
		sentTo, sentForm := h.real(request, form)
		w := h.send(sentTo, sentForm, p, fuzzSites[int(site)%len(fuzzSites)])
		body := w.Body.String()
		if w.Code >= 500 && w.Code != http.StatusBadGateway { // a provider that does not answer
			t.Errorf("%s is answered with %d", request, w.Code)
		}
		if p.device == nil && strings.Contains(body, hiddenName) {
			t.Errorf("%s shows nobody a wearer's name", request)
		}
		if to := w.Header().Get("Location"); to != "" && !strings.HasPrefix(to, nodeOrigin+"/signin/code?code=") && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.HasPrefix(to, `/\`)) {
			t.Errorf("%s leads to %q", request, to)
		}
		sent, _ := url.ParseQuery(form)
		_, query, _ := strings.Cut(request, "?")
		asked, _ := url.ParseQuery(query)
		for _, values := range []url.Values{sent, asked} {
			for _, list := range values {
				for _, v := range list {
					if strings.ContainsAny(v, `<>"`) && html.EscapeString(v) != v && len(v) > 5 && strings.Contains(body, v) {
						t.Errorf("%s repeats %q as it came", request, v)
					}
				}
			}
		}
	})
}

// Every address has a seed that the page behind it takes, so that fuzzing begins behind what sends people away.
func TestEveryAddressIsFuzzed(t *testing.T) {
	h := newFuzzHouse(t)
	h.open()
	mux := http.NewServeMux()
	missing := map[string]string{}
	for _, area := range h.o.routes() {
		for _, r := range area {
			mux.HandleFunc(r.pattern, r.handler)
			missing[r.pattern] = "no seed"
		}
	}
	for _, name := range must(testcorpus.Names("FuzzOrigin")) {
		args := must(testcorpus.Read("FuzzOrigin", name))
		h.open()
		request, form := h.real(string(args[0]), string(args[1]))
		method, address, _ := strings.Cut(request, " ")
		_, pattern := mux.Handler(httptest.NewRequest(method, address, nil))
		if missing[pattern] == "" {
			continue
		}
		w := h.send(request, form, h.people[int(args[2][0])%len(h.people)], fuzzSites[int(args[3][0])%len(fuzzSites)])
		to := w.Header().Get("Location")
		if w.Code == http.StatusOK || w.Code == http.StatusBadGateway || w.Code == http.StatusConflict || w.Code == http.StatusSeeOther && (!strings.HasPrefix(to, "/signin?to=") || pattern == "POST /signout") || strings.HasSuffix(pattern, "/callback") ||
			pattern == "POST /account/passkeys" && w.Code == http.StatusForbidden { // an address of a flow that began elsewhere
			delete(missing, pattern)
		} else {
			missing[pattern] = fmt.Sprintf("the seed %s is answered with %d to %q", name, w.Code, to)
		}
	}
	for pattern, why := range missing {
		t.Errorf("testdata/fuzz/FuzzOrigin, %s: %s", pattern, why)
	}
}

package attack_test

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/incident"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/web/webtest"
)

// office is a mail server that keeps what each receiver got, and stops once at a stage of a delivery until it is told to go on.
type office struct {
	mu      sync.Mutex
	stage   string // to stop at; "": none
	reached chan struct{}
	on      chan struct{}
	got     map[string][]*mail.Message
}

func (o *office) NewSession(*smtp.Conn) (smtp.Session, error) { return &delivery{o: o}, nil }

type delivery struct {
	o  *office
	to string
}

func (d *delivery) Reset()                               {}
func (d *delivery) Logout() error                        { return nil }
func (d *delivery) Mail(string, *smtp.MailOptions) error { return nil }
func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.to = to
	d.o.at("receiver", to)
	return nil
}

func (d *delivery) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		return err
	}
	m.Body = strings.NewReader(string(body))
	d.o.mu.Lock()
	d.o.got[d.to] = append(d.o.got[d.to], m)
	d.o.mu.Unlock()
	d.o.at("taken", d.to)
	return nil
}

// openOffice starts a mail server, and returns its address.
func openOffice(t *testing.T) (*office, string) {
	t.Helper()
	o := &office{got: map[string][]*mail.Message{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	server := smtp.NewServer(o)
	server.Domain, server.ErrorLog = "localhost", log.New(io.Discard, "", 0)
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return o, l.Addr().String()
}

// stopAt has the next delivery stop at a stage; the channel says when one is there.
func (o *office) stopAt(stage string) (reached, on chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stage, o.reached, o.on = stage, make(chan struct{}), make(chan struct{})
	return o.reached, o.on
}

func (o *office) at(stage, to string) {
	o.mu.Lock()
	stop, reached, on := o.stage == stage && strings.HasPrefix(to, "dpo@"), o.reached, o.on
	if stop {
		o.stage = ""
	}
	o.mu.Unlock()
	if stop {
		close(reached)
		<-on
	}
}

// TestEachOrganisationIsToldOnce: organisations are told of a breach while everything is frozen and the program is killed at each stage of a
// delivery. Each receiver has one message, by its id, and each clock runs from when its organisation was told. The mail's link opens a page without an account, which axe-core has
// nothing to say about, in both languages.
func TestEachOrganisationIsToldOnce(t *testing.T) {
	o, address := openOffice(t)
	h := house.New(t)
	args := []string{"serve", "--smtp", "smtp://" + address, "--alarm-mail", "badges@service.example"}
	h.Start(args...)
	c := h.Client("cli")
	s, err := c.RedeemLink(t.Context(), h.FirstLink())
	ok(t, err)
	auth := vaultclient.Auth{Session: s.Token}
	n, orgs := breach(t, c, auth, 5)
	ok(t, c.Freeze(t.Context(), auth, vaultclient.FreezeRequest{Scope: vaultclient.Everything, Reason: "a laboratory was hacked", Sure: true}))
	r := vaultclient.TellRequest{Incident: n, Text: "A laboratory was hacked", CallBack: "029 2055 5010", Channel: vaultclient.ByMail, Organisations: orgs, Request: id.New[id.Row]()}
	for i, stage := range []string{"receiver", "taken", "answered"} {
		reached, on := o.stopAt(strings.Replace(stage, "answered", "taken", 1))
		if i > 0 {
			h.Start(args...)
		}
		// Who asked does not know whether it happened before the program was killed, and asks again.
		told, err := c.Tell(t.Context(), auth, r)
		ok(t, err)
		for _, x := range told {
			if x.Notice == nil || x.Notice.Phase != 1 {
				t.Errorf("asked again: %+v", x)
			}
		}
		select {
		case <-reached:
		case <-time.After(30 * time.Second):
			t.Fatalf("no delivery reached the stage %q", stage)
		}
		if stage == "answered" { // the program is killed about when it keeps that
			close(on)
			h.Kill()
			continue
		}
		h.Kill()
		close(on)
	}
	h.Start(args...)
	var one vaultclient.Incident
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		all, err := c.Incidents(t.Context(), auth)
		ok(t, err)
		one = all[0]
		if told := len(incident.Clocks(one)) - 1; told == len(orgs) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not everybody was told: %+v", one.Steps)
		}
	}
	kinds := map[string]int{}
	told := map[id.Organisation]time.Time{}
	for _, s := range one.Steps {
		kinds[fmt.Sprint(s.Kind, s.Organisation)]++
		if s.Kind == vaultclient.Told {
			told[s.Organisation] = s.Moment
		}
	}
	for i, org := range orgs {
		address := fmt.Sprintf("dpo@%d.example", i)
		var ids []string
		for _, m := range o.got[address] {
			ids = append(ids, m.Header.Get("Message-Id"))
		}
		if ids = slices.Compact(ids); len(ids) != 1 || kinds[fmt.Sprint(vaultclient.Telling, org)] != 1 || kinds[fmt.Sprint(vaultclient.Told, org)] != 1 {
			t.Errorf("%s got %d different messages; steps: %v", address, len(ids), kinds)
		}
	}
	for _, k := range incident.Clocks(one)[1:] {
		if !k.Due().Equal(told[k.Organisation].Add(72 * time.Hour)) {
			t.Errorf("a clock ends at %v, told at %v", k.Due(), told[k.Organisation])
		}
	}

	body, err := io.ReadAll(o.got["dpo@0.example"][0].Body)
	ok(t, err)
	_, rest, found := strings.Cut(strings.ReplaceAll(string(body), "=\r\n", ""), "secret=3D")
	if !found {
		t.Fatalf("no link: %s", body)
	}
	secret := rest[:64]
	tab := webtest.Open(t, webtest.Browser(t), 360, 800, "http://"+h.Vault)
	for lang, want := range map[string][2]string{"en": {"A laboratory was hacked", "name and dose"}, "cy": {"Rydym wedi darllen hwn", "enw a dos"}} {
		if status := tab.Go("http://" + h.Vault + "/notice?secret=" + secret + "&lang=" + lang); status != 200 {
			t.Errorf("the page: %d", status)
		}
		if text := tab.Text(); !strings.Contains(text, want[0]) || !strings.Contains(text, want[1]) || strings.Contains(text, "Qwyddfarch") {
			t.Errorf("the page: %s", text)
		}
		tab.Axe()
		if shots := os.Getenv("DOSEVAULT_SCREENSHOTS"); shots != "" {
			ok(t, os.WriteFile(filepath.Join(shots, "notice-"+lang+".png"), tab.Screenshot(), 0o644))
		}
	}
	tab.Click(`form[action="/notice/read"] button`)
	if text := tab.Text(); strings.Contains(text, "enw a dos") || strings.Contains(text, "name and dose") {
		t.Errorf("figures after they were read: %s", text)
	}
	tab.Axe()
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// breach makes organisations with a verified contact and one person each, whom a laboratory held, and an incident about that.
func breach(t *testing.T, c *vaultclient.Client, auth vaultclient.Auth, n int) (id.Incident, []id.Organisation) {
	t.Helper()
	var all []vaultclient.Organisation
	for i := range n {
		all = append(all, vaultclient.Organisation{Name: fmt.Sprintf("Ysbyty %d", i), Kind: vaultclient.HealthBoard})
	}
	orgs, err := c.CreateOrganisations(t.Context(), auth, all)
	ok(t, err)
	var changes []vaultclient.Change
	for i, org := range orgs {
		changes = append(changes, vaultclient.Change{Organisation: org, Identity: person.Identity{Surname: person.NewValue("Qwyddfarch"), Forenames: person.NewValue("Anna"), StaffNumber: person.NewValue(fmt.Sprintf("QA-%d", i))}})
	}
	file := id.New[id.Import]()
	staged, err := c.Stage(t.Context(), auth, file, changes)
	ok(t, err)
	ok(t, c.Confirm(t.Context(), auth, file, nil))
	now := time.Now()
	d := vaultclient.Declaration{Import: id.New[id.Import](), Recipient: "supplier:Lab", From: now.Add(-48 * time.Hour), To: now.Add(-time.Hour)}
	for i, s := range staged {
		d.Rows = append(d.Rows, vaultclient.DeclaredRow{Wearer: s.Wearer, Fields: policy.FieldName | policy.FieldDose})
		contact := vaultclient.NoticeContact{Name: "Swyddog diogelu data", Email: fmt.Sprintf("dpo@%d.example", i), Verified: day.At(now.UTC()), How: "telephoned"}
		ok(t, c.SetNoticeContact(t.Context(), auth, vaultclient.NewNoticeContact{Organisation: orgs[i], Contact: contact}))
	}
	ok(t, c.Declare(t.Context(), auth, d))
	one, err := c.EnterStep(t.Context(), auth, vaultclient.NewStep{Kind: vaultclient.Declared, Text: "A laboratory was hacked", Hypothesis: &vaultclient.Hypothesis{Recipient: "supplier:Lab", From: d.From, To: now}})
	ok(t, err)
	return one, orgs
}

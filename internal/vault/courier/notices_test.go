package courier_test

import (
	"context"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/vault/courier"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// office is a mail server that treats each receiver in its own way, and keeps what each got.
type office struct {
	mu     sync.Mutex
	ways   map[string]func() error // by receiver; what comes before taking a message
	breaks map[string]bool         // the connection ends once the message was taken
	got    map[string][]*mail.Message
	tried  map[string]int
}

func newOffice() *office {
	return &office{ways: map[string]func() error{}, breaks: map[string]bool{}, got: map[string][]*mail.Message{}, tried: map[string]int{}}
}

func (o *office) NewSession(c *smtp.Conn) (smtp.Session, error) { return &visit{o: o, c: c}, nil }

type visit struct {
	o  *office
	c  *smtp.Conn
	to string
}

func (v *visit) Reset() {
	v.o.mu.Lock()
	defer v.o.mu.Unlock()
	if v.o.breaks[v.to] && len(v.o.got[v.to]) > 0 {
		v.c.Conn().Close() // once the message was taken
	}
}
func (v *visit) Logout() error                        { return nil }
func (v *visit) Mail(string, *smtp.MailOptions) error { return nil }
func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	v.to = to
	v.o.mu.Lock()
	way := v.o.ways[to]
	v.o.tried[to]++
	v.o.mu.Unlock()
	if way != nil {
		return way()
	}
	return nil
}

func (v *visit) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		return err
	}
	m.Body = strings.NewReader(string(body))
	v.o.mu.Lock()
	defer v.o.mu.Unlock()
	v.o.got[v.to] = append(v.o.got[v.to], m)
	return nil
}

// set has a receiver treated in a way; nil: its mails are taken.
func (o *office) set(to string, way func() error) { o.mu.Lock(); o.ways[to] = way; o.mu.Unlock() }

func status(code int) func() error {
	return func() error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "no to dpo@somewhere.example"}
	}
}

func (o *office) tries(to string) int { o.mu.Lock(); defer o.mu.Unlock(); return o.tried[to] }

// ids are the different messages that a receiver got.
func (o *office) ids(to string) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []string
	for _, m := range o.got[to] {
		out = append(out, m.Header.Get("Message-Id"))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (o *office) count(to string) int { o.mu.Lock(); defer o.mu.Unlock(); return len(o.got[to]) }

// full is a store whose disk can be full.
type full struct {
	vault.Store
	is atomic.Bool
}

func (f *full) Commit(ctx context.Context, b *vault.Batch) error {
	if f.is.Load() {
		return fmt.Errorf("%w: no space left on device", vault.ErrNotCommitted)
	}
	return f.Store.Commit(ctx, b)
}

// breach makes organisations with a verified contact each, one person of whom became readable, and the incident.
func (h *house) breach(n int, change func(int, *vc.NoticeContact)) (id.Incident, []id.Organisation, []string) {
	h.Helper()
	must := func(err error) {
		h.Helper()
		if err != nil {
			h.Fatal(err)
		}
	}
	var all []vc.Organisation
	for i := range n {
		all = append(all, vc.Organisation{Name: fmt.Sprintf("Ysbyty %d", i), Kind: vc.HealthBoard})
	}
	orgs, err := h.v.CreateOrganisations(h.Context(), h.root, all)
	must(err)
	var changes []vc.Change
	for i, org := range orgs {
		changes = append(changes, vc.Change{Organisation: org, Identity: person.Identity{Surname: person.NewValue("Qwyddfarch"), Forenames: person.NewValue("Mair"), StaffNumber: person.NewValue(fmt.Sprintf("QA-%d", 7000+i))}})
	}
	file := id.New[id.Import]()
	staged, err := h.v.Stage(h.Context(), h.root, file, changes)
	must(err)
	must(h.v.Confirm(h.Context(), h.root, file, nil))
	at := h.now()
	d := vc.Declaration{Import: id.New[id.Import](), Recipient: "supplier:Lab", From: at.Add(-48 * time.Hour), To: at.Add(-time.Hour)}
	for _, s := range staged {
		d.Rows = append(d.Rows, vc.DeclaredRow{Wearer: s.Wearer, Fields: policy.FieldName | policy.FieldDose})
	}
	must(h.v.Declare(h.Context(), h.root, d))
	var to []string
	for i, org := range orgs {
		c := vc.NoticeContact{Name: "Swyddog diogelu data", Email: fmt.Sprintf("dpo@%d.example", i), Verified: day.At(at.UTC()), How: "telephoned"}
		if change != nil {
			change(i, &c)
		}
		must(h.v.SetNoticeContact(h.Context(), h.root, vc.NewNoticeContact{Organisation: org, Contact: c}))
		to = append(to, c.Email)
	}
	incident, err := h.v.EnterStep(h.Context(), h.root, vc.NewStep{Kind: vc.Declared, Text: "Hacked, says Mair Evans", Hypothesis: &vc.Hypothesis{Recipient: "supplier:Lab", From: d.From, To: at}})
	must(err)
	return incident, orgs, to
}

func (h *house) tell(n id.Incident, orgs ...id.Organisation) []vc.TellingResult {
	h.Helper()
	out, err := h.v.Tell(h.Context(), h.root, vc.TellRequest{Incident: n, Organisations: orgs, Text: "Somebody copied Mair Evans's list", CallBack: "029 2055 5010", Channel: vc.ByMail})
	if err != nil {
		h.Fatal(err)
	}
	return out
}

// ends counts what became of the notices of the only incident.
func (h *house) ends() map[vc.IncidentStepKind]int {
	h.Helper()
	all, err := h.v.Incidents(h.Context(), h.root)
	if err != nil {
		h.Fatal(err)
	}
	out := map[vc.IncidentStepKind]int{}
	for _, s := range all[0].Steps {
		if !s.Of.IsZero() {
			out[s.Kind]++
		}
	}
	return out
}

// Nobody is forgotten because the mail server was down when they were told.
func TestNoticesWaitForAServerThatIsDown(t *testing.T) {
	h := newHouse(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	n, _, to := h.breach(2, nil)
	defer h.run(courier.Settings{Mail: []string{"badges@service.example"}, SMTP: "smtp://" + address})()
	h.tell(n)
	h.wait("both are tried", func() bool { return h.warned.Load() >= 3 }) // and the alarm about it
	o := newOffice()
	serveAt(t, o, address)
	h.later(time.Minute)
	h.wait("both are told", func() bool { return h.ends()[vc.Told] == 2 })
	for _, one := range to {
		if o.count(one) != 1 {
			t.Errorf("%s got %d mails", one, o.count(one))
		}
	}
}

// Whatever the mail server does, and whenever the vault stops or can't write, each organisation is told once, and none is forgotten: each receiver has
// exactly one message, by its id, and what became of each stands in the incident.
func TestEachOrganisationIsToldOnce(t *testing.T) {
	h := newHouse(t)
	o := newOffice()
	s := courier.Settings{Mail: []string{"badges@service.example"}, SMTP: "smtp://" + serve(t, o)}
	n, orgs, to := h.breach(12, nil)
	wait := make(chan struct{})
	slow := func() error { <-wait; return nil }
	later, slowly, refused, broken := to[0], to[1], to[2], to[3]
	o.set(later, status(451))
	o.set(slowly, slow)
	o.set(refused, status(550))
	o.breaks[broken] = true
	stop := h.run(s)
	if got := h.tell(n); len(got) != len(orgs) {
		t.Fatalf("%d were told", len(got))
	}
	h.wait("all but who waits", func() bool { return h.ends()[vc.Told] == 9 && h.ends()[vc.Undelivered] == 1 && o.tries(later) == 1 })
	if o.count(broken) != 1 {
		t.Errorf("a mail that was taken before the connection broke was sent %d times", o.count(broken))
	}
	// The vault stops while the slow server has not answered, and starts again with a disk that is full.
	go func() { time.Sleep(20 * time.Millisecond); close(wait) }()
	stop()
	if err := h.v.Close(); err != nil {
		t.Fatal(err)
	}
	o.set(later, nil)
	o.set(slowly, nil)
	h.open()
	stop = h.run(s)
	h.full.is.Store(true)
	h.wait("mails that can't be kept", func() bool { return o.count(later) > 0 && o.count(slowly) > 0 })
	h.full.is.Store(false)
	h.later(time.Hour)
	h.wait("what was taken is kept", func() bool { return h.ends()[vc.Told] == 11 })
	stop()
	if sent := o.count(later); sent != 1 {
		t.Errorf("what the server took was sent %d times while it could not be kept", sent)
	}
	sent := o.count(later)
	stop = h.run(s) // nothing is left
	h.tell(n)
	stop()
	for i, address := range to {
		if ids := o.ids(address); address != refused && len(ids) != 1 || address == refused && len(ids) != 0 {
			t.Errorf("%s (%d) got %d different messages", address, i, len(ids))
		}
	}
	if o.count(later) != sent {
		t.Error("what was told is sent again")
	}
	// Who was not reached is told again, and that is the next part.
	o.set(refused, nil)
	stop = h.run(s)
	if got := h.tell(n, orgs[2]); got[0].Notice == nil || got[0].Notice.Phase != 2 {
		t.Errorf("%+v", got)
	}
	h.wait("the next part", func() bool { return o.count(refused) == 1 })
	stop()
}

// A server that is down for long is asked again with growing pauses, and given up after a day, with an alarm.
func TestANoticeIsGivenUp(t *testing.T) {
	h := newHouse(t)
	o := newOffice()
	n, _, to := h.breach(1, nil)
	stop := h.run(courier.Settings{Mail: []string{"badges@service.example"}, SMTP: "smtp://" + serve(t, o)})
	defer stop()
	o.set(to[0], status(421))
	h.tell(n)
	h.wait("a first try", func() bool { return o.tries(to[0]) == 1 })
	h.later(25 * time.Hour)
	h.wait("the end", func() bool { return h.ends()[vc.Undelivered] == 1 })
	if h.alarms()[0].Kind != vc.AlarmUndelivered {
		t.Errorf("%+v", h.alarms()[0])
	}
}

// What a notice says, in each language: figures, the way to be sure of it, the link; no name of anybody, and nothing that somebody wrote for it.
func TestWhatANoticeSays(t *testing.T) {
	h := newHouse(t)
	o := newOffice()
	stop := h.run(courier.Settings{Mail: []string{"badges@service.example"}, SMTP: "smtp://" + serve(t, o)})
	defer stop()
	languages := []vc.NoticeLanguage{vc.InWelsh, vc.InEnglish, vc.InBoth, ""}
	n, _, to := h.breach(len(languages), func(i int, c *vc.NoticeContact) { c.Language = languages[i] })
	h.tell(n)
	h.wait("all", func() bool { return h.ends()[vc.Told] == len(languages) })
	welsh := []string{"Amheuaeth o dor diogelwch", "A YW HWN YN DDILYS?", "ar y mwyaf 1 person:", "- 1: enw a dos"}
	english := []string{"Suspected breach of your staff", "IS THIS GENUINE?", "at most 1 person:", "- 1: name and dose"}
	for i, want := range [][]string{welsh, english, append(slices.Clone(welsh), english...), append(slices.Clone(welsh), english...)} {
		m := o.got[to[i]][0]
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(subject+"\n"+string(body), "\r\n", "\n")
		var missing []string
		for _, x := range append(want, "029 2055 5010", "Ysbyty", "http://localhost:8081/notice?lang=") {
			if !strings.Contains(text, x) {
				missing = append(missing, x)
			}
		}
		if diff := cmp.Diff([]string(nil), missing); diff != "" || (len(want) == 4 && strings.Contains(text, map[int]string{0: "GENUINE", 1: "DDILYS"}[i])) {
			t.Errorf("in %q: %s\n%s", languages[i], diff, text)
		}
		for _, x := range append(personal, "Qwyddfarch", "QA-7") {
			if strings.Contains(text, x) && x != "Glyndŵr" {
				t.Errorf("%q left the house: %s", x, text)
			}
		}
	}
}

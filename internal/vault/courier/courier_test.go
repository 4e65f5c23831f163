package courier_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/vault/courier"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

const webhookKey = "0123456789abcdef0123456789abcdef"

// personal are texts of the house that may not leave it: a co-ordinator, an organisation, a reason.
var personal = []string{"Mair", "Evans", "Glyndŵr", "laptop"}

// house is a vault on a real database whose clock can be put on.
type house struct {
	*testing.T
	dir    string
	v      *vault.Vault
	root   vault.Caller
	user   id.User
	full   *full
	ahead  atomic.Int64
	warned atomic.Int32 // by couriers
}

func (h *house) now() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) }

func newHouse(t *testing.T) *house {
	h := &house{T: t, dir: t.TempDir()}
	if err := vault.KeyDir(filepath.Join(h.dir, "keys")).Create([]string{"web", "worker", "cli"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	h.open()
	t.Cleanup(func() {
		if err := h.v.Close(); err != nil {
			t.Error(err)
		}
	})
	link, err := h.v.FirstUser(t.Context(), "Mair Evans")
	if err != nil {
		t.Fatal(err)
	}
	h.root.Node = "cli"
	s, err := h.v.RedeemLink(t.Context(), h.root, link)
	if err != nil {
		t.Fatal(err)
	}
	h.root.Auth.Session, h.user = s.Token, s.User.ID
	return h
}

// later puts the clock on, and signs in again.
func (h *house) later(d time.Duration) {
	h.Helper()
	h.ahead.Add(int64(d))
	s, err := h.v.RedeemCode(h.Context(), vault.Caller{Node: "cli"}, h.v.NewCode(h.user, "cli"))
	if err != nil {
		h.Fatal(err)
	}
	h.root.Auth.Session = s.Token
}

func (h *house) open() {
	h.Helper()
	store, err := sqlite.OpenVault(h.Context(), filepath.Join(h.dir, "vault.db"))
	if err != nil {
		h.Fatal(err)
	}
	h.full = &full{Store: store}
	if h.v, err = vault.Open(h.Context(), vault.Config{Store: h.full, Keys: vault.KeyDir(filepath.Join(h.dir, "keys")), Now: h.now, Log: slog.New(slog.DiscardHandler)}); err != nil {
		h.Fatal(err)
	}
}

// run delivers until the returned function is called.
func (h *house) run(s courier.Settings) (stop func()) {
	h.Helper()
	c, err := courier.New(h.v, s, "http://localhost:8081", h.now, slog.New(warnings{slog.DiscardHandler, &h.warned}))
	if err != nil {
		h.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.Context())
	done := make(chan struct{})
	go func() { c.Run(ctx); close(done) }()
	return func() { cancel(); <-done }
}

// warnings counts what is logged as one.
type warnings struct {
	slog.Handler
	n *atomic.Int32
}

func (w warnings) Enabled(context.Context, slog.Level) bool { return true }
func (w warnings) Handle(_ context.Context, r slog.Record) error {
	if r.Level == slog.LevelWarn {
		w.n.Add(1)
	}
	return nil
}

func (h *house) alarms() []vc.Alarm {
	h.Helper()
	p, err := h.v.Alarms(h.Context(), h.root, vc.AlarmsRequest{Limit: 10})
	if err != nil {
		h.Fatal(err)
	}
	return p.Alarms
}

// sent is how the only alarm's way by a channel went.
func (h *house) sent(channel string) vc.AlarmSent {
	h.Helper()
	for _, s := range h.alarms()[0].Sent {
		if s.Channel == channel {
			return s
		}
	}
	return vc.AlarmSent{}
}

func (h *house) wait(what string, ok func() bool) {
	h.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			h.Fatalf("%s: not within 20 s", what)
		}
	}
}

// post is a mail server that refuses until it is told not to.
type post struct {
	mu      sync.Mutex
	refuses bool
	mails   []string
	tried   int
}

func (p *post) NewSession(*smtp.Conn) (smtp.Session, error) { return (*session)(p), nil }

type session post

func (s *session) Reset()                               {}
func (s *session) Logout() error                        { return nil }
func (s *session) Mail(string, *smtp.MailOptions) error { return nil }
func (s *session) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried++
	if s.refuses {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "later"}
	}
	s.mails = append(s.mails, string(b))
	return nil
}

func (p *post) set(refuses bool) { p.mu.Lock(); p.refuses = refuses; p.mu.Unlock() }
func (p *post) got() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.mails...)
}

func (p *post) serve(t *testing.T) string { t.Helper(); return serve(t, p) }

// serve starts a mail server and returns its address.
func serve(t *testing.T, p smtp.Backend) string {
	t.Helper()
	return serveAt(t, p, "127.0.0.1:0")
}

func serveAt(t *testing.T, p smtp.Backend, address string) string {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := smtp.NewServer(p)
	s.Domain = "localhost"
	s.ErrorLog = quiet{}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		<-done
	})
	return l.Addr().String()
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// hook is a webhook's receiver.
type hook struct {
	mu     sync.Mutex
	status int
	got    []string
	bad    []string
}

func (k *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil || r.Method != http.MethodPost || r.Header.Get("Dosevault-Signature") != courier.Signature([]byte(webhookKey), r.Header.Get("Dosevault-Timestamp"), b) {
		k.bad = append(k.bad, string(b))
	}
	if k.status/100 == 2 {
		k.got = append(k.got, string(b))
	}
	w.WriteHeader(k.status)
}

func (k *hook) set(status int) { k.mu.Lock(); k.status = status; k.mu.Unlock() }

// An alarm goes out once by each channel, is tried again when refused, is not lost by a restart, and says nothing about people.
func TestAlarmsAreDelivered(t *testing.T) {
	h := newHouse(t)
	orgs, err := h.v.CreateOrganisations(t.Context(), h.root, []vc.Organisation{{Name: "Bwrdd Iechyd Glyndŵr", Kind: vc.HealthBoard}})
	if err != nil {
		t.Fatal(err)
	}
	p, k := &post{refuses: true}, &hook{status: http.StatusServiceUnavailable}
	server := httptest.NewServer(k)
	t.Cleanup(server.Close)
	s := courier.Settings{Mail: []string{"badges@service.example", "lead@service.example"}, SMTP: "smtp://" + p.serve(t), Webhook: server.URL + "/alarms", WebhookKey: webhookKey}
	stop := h.run(s)
	if err := h.v.Freeze(t.Context(), h.root, vc.FreezeRequest{Scope: vc.OrganisationScope(orgs[0]), Reason: "a stolen laptop of Mair Evans"}); err != nil {
		t.Fatal(err)
	}
	h.wait("a first try by each", func() bool { return h.sent("mail").Tries == 1 && h.sent("webhook").Tries == 1 })
	stop()
	if err := h.v.Close(); err != nil {
		t.Fatal(err)
	}
	p.set(false)
	k.set(http.StatusNoContent)
	h.ahead.Add(int64(time.Minute))
	h.open()
	stop = h.run(s)
	h.wait("delivery by each after a restart", func() bool { return !h.sent("mail").At.IsZero() && !h.sent("webhook").At.IsZero() })
	stop()
	stop = h.run(s) // what was delivered stays so
	if err := h.v.Freeze(t.Context(), h.root, vc.FreezeRequest{Scope: vc.NodeScope("worker"), Reason: "x", Purpose: policy.Oversight}); err != nil {
		t.Fatal(err)
	}
	h.wait("the next alarm", func() bool { return !h.sent("mail").At.IsZero() && !h.sent("webhook").At.IsZero() })
	stop()

	mails := p.got()
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(mails) != 2 || len(k.got) != 2 || len(k.bad) != 0 {
		t.Fatalf("%d e-mails and %d posts, %d with a wrong signature; want 2, 2, 0", len(mails), len(k.got), len(k.bad))
	}
	for _, text := range append(mails, k.got...) {
		for _, x := range personal {
			if strings.Contains(text, x) {
				t.Errorf("%q left the house: %s", x, text)
			}
		}
	}
	var got courier.Hook
	if err := json.Unmarshal([]byte(k.got[0]), &got); err != nil || got.Kind != "frozen" || got.Organisation != orgs[0].String() || got.Page != "http://localhost:8081/alarms" || got.Installation != h.v.Installation() {
		t.Errorf("the webhook got %+v, %v", got, err)
	}
	if !strings.Contains(mails[0], "Kind / Math: frozen") || !strings.Contains(mails[0], "http://localhost:8081/alarms") || !strings.Contains(mails[0], "lead@service.example") {
		t.Errorf("the e-mail: %s", mails[0])
	}
}

// The way of checking a signature that docs/operations.md shows.
func TestSignatureByOpenSSL(t *testing.T) {
	body := `{"id":"x","kind":"frozen"}`
	cmd := exec.CommandContext(t.Context(), "openssl", "dgst", "-sha256", "-hmac", webhookKey)
	cmd.Stdin = strings.NewReader("1700000000." + body)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(out))
	if want := courier.Signature([]byte(webhookKey), "1700000000", []byte(body)); "sha256="+f[len(f)-1] != want {
		t.Errorf("openssl says %s, we say %s", out, want)
	}
}

func TestSettings(t *testing.T) {
	h := newHouse(t)
	mail := func(change func(*courier.Settings)) courier.Settings {
		s := courier.Settings{Mail: []string{"badges@service.example"}, SMTP: "smtp://robot@mail.service.example:587", Password: "secret-of-the-post", Webhook: "https://hook.example/x", WebhookKey: webhookKey}
		change(&s)
		return s
	}
	for name, s := range map[string]courier.Settings{
		"no server":              mail(func(s *courier.Settings) { s.SMTP = "" }),
		"nobody":                 mail(func(s *courier.Settings) { s.Mail = nil }),
		"no address":             mail(func(s *courier.Settings) { s.Mail = []string{"Badges <badges@service.example>"} }),
		"header in it":           mail(func(s *courier.Settings) { s.From = "a@b.example\r\nBcc: x@y.example" }),
		"password in the server": mail(func(s *courier.Settings) { s.SMTP = "smtp://robot:secret-of-the-post@mail.service.example" }),
		"no password":            mail(func(s *courier.Settings) { s.Password = "" }),
		"http":                   mail(func(s *courier.Settings) { s.Webhook = "http://hook.example/x" }),
		"another scheme":         mail(func(s *courier.Settings) { s.Webhook = "file:///etc/passwd" }),
		"password in the hook":   mail(func(s *courier.Settings) { s.Webhook = "https://a:secret-of-the-post@hook.example" }),
		"short key":              mail(func(s *courier.Settings) { s.WebhookKey = "secret-of-the-post" }),
		"a port":                 mail(func(s *courier.Settings) { s.SMTP = "smtp://mail.service.example:99999" }),
	} {
		_, err := courier.New(h.v, s, "http://localhost:8081", time.Now, slog.New(slog.DiscardHandler))
		if err == nil || strings.Contains(err.Error(), "secret-of-the-post") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c, err := courier.New(h.v, mail(func(*courier.Settings) {}), "http://localhost:8081", time.Now, slog.New(slog.DiscardHandler)); err != nil || c == nil {
		t.Errorf("as it should be: %v", err)
	}
	if c, err := courier.New(h.v, courier.Settings{}, "", time.Now, nil); c != nil || err != nil {
		t.Errorf("nothing: %v, %v", c, err)
	}
}

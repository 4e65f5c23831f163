// Package courier takes alarms from the vault to people outside, by e-mail and by a signed webhook, and notices of breaches to
// organisations, by e-mail.
//
// What it takes holds nothing about a person: the alarm's kind, its time, the installation's and an organisation's random id,
// and the address of the page of alarms. How far each got stands in the vault, so that a restart loses none: a notice is tried
// until somebody took it or a day is over. A receiver may get one twice, if the vault stops between the two.
//
// # Webhook
//
// A POST of JSON, see [Hook]. The header Dosevault-Timestamp is in seconds since 1970, and Dosevault-Signature is
//
//	"sha256=" + hex(HMAC-SHA-256(key, timestamp + "." + body))
//
// A receiver checks the signature, and that the timestamp is not older than some minutes. Any status of 2xx has it delivered.
package courier

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vault"
)

// The channels, as the vault keeps them.
const (
	byMail    = "mail"
	byWebhook = "webhook"
)

const (
	sendTimeout = 30 * time.Second
	minKey      = 32
)

// Settings say where alarms go. Secrets come from the environment or files, never from arguments.
type Settings struct {
	Mail     []string // addresses that get an e-mail
	From     string   // its sender; the first of Mail, if empty
	SMTP     string   // smtp://user@host:587 (STARTTLS), smtps://user@host:465 (TLS); plain only to this machine
	Password string   // of the user at the mail server

	Webhook    string // https://…; http only to this machine
	WebhookKey string // that signs what is sent there
}

// Courier delivers alarms.
type Courier struct {
	vault    *vault.Vault
	log      *slog.Logger
	page     string
	channels []channel
	now      func() time.Time
	post     *post // nil: no mail server
}

type channel struct {
	name   string
	send   func(context.Context, vault.Notice) error
	raised <-chan struct{}
}

// Hook is what a webhook gets.
type Hook struct {
	ID           string `json:"id"` // of the alarm: the same when it comes again
	Kind         string `json:"kind"`
	At           string `json:"at"` // RFC 3339, UTC
	Installation string `json:"installation"`
	Organisation string `json:"organisation,omitempty"`
	Page         string `json:"page"`
}

// New returns a courier, nil when nothing is to be delivered. The origin is the address of the vault's own pages. The error
// says which setting is wrong, and holds no secret.
func New(v *vault.Vault, s Settings, origin string, now func() time.Time, log *slog.Logger) (*Courier, error) {
	c := &Courier{vault: v, log: log, page: origin + "/alarms", now: now}
	if len(s.Mail) > 0 || s.SMTP != "" {
		m, err := newMailer(s)
		if err != nil {
			return nil, err
		}
		c.post = newPost(c, m, origin)
		c.channels = append(c.channels, channel{name: byMail, send: func(ctx context.Context, n vault.Notice) error { return m.send(ctx, c.hook(n)) }})
	}
	if s.Webhook != "" {
		h, err := newWebhook(s, now)
		if err != nil {
			return nil, err
		}
		c.channels = append(c.channels, channel{name: byWebhook, send: func(ctx context.Context, n vault.Notice) error { return h.send(ctx, c.hook(n)) }})
	}
	if len(c.channels) == 0 {
		return nil, nil
	}
	for i := range c.channels {
		c.channels[i].raised = v.AlarmChannel()
	}
	return c, nil
}

// Run delivers until the context ends.
func (c *Courier) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, ch := range c.channels {
		wg.Go(func() { c.run(ctx, ch) })
	}
	if c.post != nil {
		wg.Go(func() { c.post.run(ctx) })
	}
	wg.Wait()
}

func (c *Courier) run(ctx context.Context, ch channel) {
	for ctx.Err() == nil {
		due, next := c.vault.DueNotices(ch.name)
		for _, n := range due {
			err := c.try(ctx, ch, n)
			if ctx.Err() != nil {
				return // it is still due at the next start
			}
			if err != nil {
				c.log.Warn("an alarm could not be delivered; it is tried again", "channel", ch.name, "alarm", n.ID, "error", err)
			}
			if err := c.vault.NoticeSent(ctx, ch.name, n.ID, err == nil); err != nil {
				if ctx.Err() == nil {
					c.log.Error("how far an alarm got could not be kept", "channel", ch.name, "alarm", n.ID, "error", err)
				}
				next = c.now().Add(time.Minute)
			}
		}
		if len(due) > 0 && next.IsZero() {
			continue
		}
		wait := time.Hour
		if !next.IsZero() {
			wait = max(min(next.Sub(c.now()), wait), 10*time.Millisecond)
		}
		select {
		case <-ctx.Done():
		case <-ch.raised:
		case <-time.After(wait):
		}
	}
}

func (c *Courier) try(ctx context.Context, ch channel, n vault.Notice) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	return ch.send(ctx, n)
}

// hook is what leaves the vault of an alarm.
func (c *Courier) hook(n vault.Notice) Hook {
	h := Hook{ID: n.ID.String(), Kind: string(n.Kind), At: n.At.UTC().Format(time.RFC3339), Installation: c.vault.Installation(), Page: c.page}
	if n.Organisation != (id.Organisation{}) {
		h.Organisation = n.Organisation.String()
	}
	return h
}

// mailer sends e-mails by one server.
type mailer struct {
	to      []string
	from    string
	host    string
	options []mail.Option
}

func newMailer(s Settings) (*mailer, error) {
	if len(s.Mail) == 0 || s.SMTP == "" {
		return nil, errors.New("alarms by e-mail need both --alarm-mail and --smtp")
	}
	for _, a := range append([]string{cmp.Or(s.From, s.Mail[0])}, s.Mail...) {
		if parsed, err := netmail.ParseAddress(a); err != nil || parsed.Address != a {
			return nil, fmt.Errorf("--alarm-mail, --alarm-from: %q is no e-mail address such as badges@board.example", a)
		}
	}
	u, err := url.Parse(s.SMTP)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
		return nil, errors.New("--smtp: an address such as smtp://user@mail.board.example:587 or smtps://user@mail.board.example is expected")
	}
	if _, has := u.User.Password(); has {
		return nil, errors.New("--smtp: the password does not belong into the address: put it into DOSEVAULT_SMTP_PASSWORD, or a file named by --smtp-password-file")
	}
	m := &mailer{to: s.Mail, from: cmp.Or(s.From, s.Mail[0]), host: u.Hostname(), options: []mail.Option{mail.WithTimeout(sendTimeout), mail.WithoutNoop()}}
	port := 587
	switch {
	case u.Scheme == "smtps":
		port = 465
		m.options = append(m.options, mail.WithSSL())
	case Loopback(u.Hostname()):
		port = 25
		m.options = append(m.options, mail.WithTLSPolicy(mail.TLSOpportunistic))
	default:
		m.options = append(m.options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil || port < 1 || port > 65535 {
			return nil, errors.New("--smtp: its port is none")
		}
	}
	m.options = append(m.options, mail.WithPort(port))
	if name := u.User.Username(); name != "" {
		if s.Password == "" {
			return nil, errors.New("--smtp: its user needs a password in DOSEVAULT_SMTP_PASSWORD, or a file named by --smtp-password-file")
		}
		m.options = append(m.options, mail.WithSMTPAuth(mail.SMTPAuthPlain), mail.WithUsername(name), mail.WithPassword(s.Password))
	}
	return m, nil
}

func (m *mailer) send(ctx context.Context, h Hook) error {
	msg := mail.NewMsg()
	if err := msg.From(m.from); err != nil {
		return err
	}
	if err := msg.To(m.to...); err != nil {
		return err
	}
	msg.Subject("dosevault: alarm / larwm: " + h.Kind)
	msg.SetDate()
	msg.SetMessageIDWithValue(h.ID + "@" + h.Installation + ".dosevault")
	msg.SetGenHeader(mail.Header("Auto-Submitted"), "auto-generated")
	where := ""
	if h.Organisation != "" {
		where = "Organisation / Sefydliad: " + h.Organisation + "\n"
	}
	msg.SetBodyString(mail.TypeTextPlain, "An alarm was raised. / Codwyd larwm.\n\n"+
		"Kind / Math: "+h.Kind+"\nTime / Amser: "+h.At+"\nInstallation / Gosodiad: "+h.Installation+"\n"+where+
		"\nWho and why stand on the page of alarms, where it is acknowledged:\nMae pwy a pham ar dudalen y larymau, lle caiff ei gydnabod:\n"+h.Page+"\n")
	return m.dispatch(ctx, msg)
}

// dispatch hands an e-mail to the server. Once the server took it, a connection that ends badly is no failure: it would be sent twice.
func (m *mailer) dispatch(ctx context.Context, msg *mail.Msg) error {
	client, err := mail.NewClient(m.host, m.options...)
	if err != nil {
		return err
	}
	if err := client.DialAndSendWithContext(ctx, msg); err != nil && !msg.IsDelivered() {
		return err
	}
	return nil
}

// webhook posts to one address.
type webhook struct {
	to     string
	key    []byte
	client *http.Client
	now    func() time.Time
}

func newWebhook(s Settings, now func() time.Time) (*webhook, error) {
	u, err := url.Parse(s.Webhook)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && (u.Scheme != "http" || !Loopback(u.Hostname())) {
		return nil, errors.New("--alarm-webhook: an address with https is expected; http only on this machine")
	}
	if u.User != nil {
		return nil, errors.New("--alarm-webhook: no user and password belong into the address: what is sent is signed")
	}
	if len(s.WebhookKey) < minKey {
		return nil, fmt.Errorf("--alarm-webhook: a key of at least %d characters is needed in DOSEVAULT_ALARM_WEBHOOK_KEY, or in a file named by --alarm-webhook-key-file; openssl rand -hex 32 makes one", minKey)
	}
	client := &http.Client{Timeout: sendTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &webhook{to: u.String(), key: []byte(s.WebhookKey), client: client, now: now}, nil
}

func (w *webhook) send(ctx context.Context, h Hook) error {
	body, err := json.Marshal(h)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.to, bytes.NewReader(body))
	if err != nil {
		return err
	}
	at := strconv.FormatInt(w.now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "dosevault")
	req.Header.Set("Dosevault-Timestamp", at)
	req.Header.Set("Dosevault-Signature", Signature(w.key, at, body))
	resp, err := w.client.Do(req)
	if err != nil {
		var of *url.Error
		if errors.As(err, &of) {
			err = of.Err // the address may hold a secret of the receiver's
		}
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 4096))
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the webhook answered with status %d", resp.StatusCode)
	}
	return nil
}

// Signature is what a webhook's receiver expects in the header Dosevault-Signature.
func Signature(key []byte, timestamp string, body []byte) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(timestamp + "."))
	m.Write(body)
	return "sha256=" + hex.EncodeToString(m.Sum(nil))
}

// Loopback reports whether a host is this machine.
func Loopback(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

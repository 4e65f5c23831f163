package courier

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vault"
)

// Notices of a breach go out beside each other, so that one that takes long keeps no other waiting unless all of atOnce do: with n of them and a
// server that lets each hang, the last is tried for the first time after n/atOnce times sendTimeout. A notice is tried again, with growing pauses, for a
// day. It has one message id, time and text however often it is sent: where the vault stops between the server's answer and keeping
// it, the same message comes again, which mail servers and programs know by its id.

const (
	atOnce       = 8
	noticeTrying = 24 * time.Hour
	noticePause  = 10 * time.Second // after the first failure; then twice as long …
	noticeMost   = time.Hour        // … up to this
)

// post delivers notices.
type post struct {
	c      *Courier
	mailer *mailer
	origin string
	given  <-chan struct{}

	mu   sync.Mutex
	ways map[id.Notice]*way
	done chan struct{} // one of them has come to an end, for now
}

// way is how far a notice got, in memory only: after a restart it is tried at once.
type way struct {
	under bool // it is being sent
	tries int
	next  time.Time
	taken bool   // by the server, and not kept yet
	lost  string // why it is given up, and not kept yet
}

func newPost(c *Courier, m *mailer, origin string) *post {
	return &post{c: c, mailer: m, origin: origin, given: c.vault.NoticeChannel(), ways: map[id.Notice]*way{}, done: make(chan struct{}, 1)}
}

func (p *post) run(ctx context.Context) {
	var group sync.WaitGroup
	defer group.Wait()
	free := make(chan struct{}, atOnce)
	for ctx.Err() == nil {
		next := time.Time{}
		for _, m := range p.c.vault.WaitingMails() {
			w, at := p.begin(m)
			if w == nil {
				if !at.IsZero() && (next.IsZero() || at.Before(next)) {
					next = at
				}
				continue
			}
			select {
			case free <- struct{}{}:
			case <-ctx.Done():
				return
			}
			group.Go(func() {
				p.deliver(ctx, m, w)
				<-free
				select {
				case p.done <- struct{}{}:
				default:
				}
			})
		}
		wait := time.Hour
		if !next.IsZero() {
			// The vault's clock can be put forward, or the machine can sleep: who waits looks at it again.
			wait = max(min(next.Sub(p.c.now()), time.Second), 10*time.Millisecond)
		}
		select {
		case <-ctx.Done():
		case <-p.given:
		case <-p.done:
		case <-time.After(wait):
		}
	}
}

// begin returns the way of a notice that is to be tried now; else when it is.
func (p *post) begin(m vault.Mail) (*way, time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.ways[m.ID]
	if w == nil {
		w = new(way)
		p.ways[m.ID] = w
	}
	switch {
	case w.under:
		return nil, time.Time{}
	case p.c.now().Before(w.next):
		return nil, w.next
	}
	w.under = true
	return w, time.Time{}
}

// deliver tries a notice once, and keeps what came of it.
func (p *post) deliver(ctx context.Context, m vault.Mail, w *way) {
	if !w.taken && w.lost == "" {
		err := p.try(ctx, m)
		if ctx.Err() != nil && err != nil {
			return // it waits for the next start
		}
		switch lost := permanent(err); {
		case err == nil:
			w.taken = true
		case lost != "":
			w.lost = lost
		case p.c.now().Sub(m.At) > noticeTrying:
			w.lost = "no mail server took the notice for a day"
		default:
			w.tries++
			p.c.log.Warn("a notice of a breach could not be delivered; it is tried again", "notice", m.ID, "tries", w.tries, "error", wordless(err))
			p.end(m.ID, w, min(noticePause<<min(w.tries-1, 20), noticeMost))
			return
		}
	}
	// What the server took is never sent again by this process, only kept.
	if err := p.c.vault.MailSent(context.WithoutCancel(ctx), m.ID, w.taken, w.lost); err != nil {
		p.c.log.Error("what became of a notice of a breach could not be kept; trying again", "notice", m.ID, "error", err)
		p.end(m.ID, w, noticePause)
		return
	}
	p.mu.Lock()
	delete(p.ways, m.ID)
	p.mu.Unlock()
}

func (p *post) end(n id.Notice, w *way, pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.under, w.next = false, p.c.now().Add(pause)
}

func (p *post) try(ctx context.Context, m vault.Mail) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	msg := mail.NewMsg()
	if err := errors.Join(msg.From(p.mailer.from), msg.To(m.Notice.Contact.Email)); err != nil {
		return err
	}
	t := p.text(m)
	msg.Subject(t.subject)
	msg.SetDateWithValue(m.At)
	msg.SetMessageIDWithValue(m.ID.String() + "@" + p.c.vault.Installation() + ".dosevault")
	msg.SetBodyString(mail.TypeTextPlain, t.body)
	return p.mailer.dispatch(ctx, msg)
}

// permanent says why a notice is given up at once: the server refused its receiver or the message for good. A server that
// refuses us, or the connection, is one that somebody may mend: that is tried again.
func permanent(err error) string {
	var refused *mail.SendError
	if !errors.As(err, &refused) || refused.IsTemp() || refused.ErrorCode() < 500 || refused.Reason != mail.ErrSMTPRcptTo && refused.Reason != mail.ErrSMTPData && refused.Reason != mail.ErrSMTPDataClose {
		return ""
	}
	return fmt.Sprintf("the mail server refused the notice for good, with status %d", refused.ErrorCode())
}

// wordless is an error without the server's words, which may repeat an address.
func wordless(err error) error {
	var refused *mail.SendError
	if errors.As(err, &refused) {
		return fmt.Errorf("the mail server answered with status %d", refused.ErrorCode())
	}
	return err
}

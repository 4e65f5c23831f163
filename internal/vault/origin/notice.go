package origin

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

func (o *Origin) noticeRoutes() []route {
	return []route{
		{"GET /notice", o.notice},
		{"POST /notice/read", o.readNotice},
		{"POST /notice/ask", o.askByNotice},
	}
}

// noticePage is what an organisation is told of a breach, for whoever has the link.
type noticePage struct {
	frame
	vault.NoticePage
	Secret, Question string
}

// People counts people of the organisation.
func (p *noticePage) People(n int) string { return words.Count(p.ctx, n, "person", "people") }

// Fields says what became readable.
func (p *noticePage) Fields(r vaultclient.NoticeRow) string { return vault.FieldWords(p.ctx, r.Fields) }

// Between says from when until when something became readable.
func (p *noticePage) Between(from, to time.Time) string {
	return words.T(p.ctx, "It became readable between %s and %s.", words.Moment(p.ctx, from), words.Moment(p.ctx, to))
}

// notice shows a notice. It changes nothing, since mail programs open links to look at them.
func (o *Origin) notice(w http.ResponseWriter, r *http.Request) {
	o.showNotice(w, r, http.StatusOK, &noticePage{Secret: r.FormValue("secret")})
}

func (o *Origin) showNotice(w http.ResponseWriter, r *http.Request, status int, p *noticePage) {
	var err error
	if p.NoticePage, err = o.Vault.NoticePage(r.Context(), p.Secret); err != nil {
		o.failNotice(w, r, err)
		return
	}
	p.Title = "Notice of a suspected breach"
	o.render(w, r, status, "notice", p)
}

func (o *Origin) failNotice(w http.ResponseWriter, r *http.Request, err error) {
	var known *vaultclient.Error
	switch {
	case errors.Is(err, vault.ErrNoticeBusy):
		o.message(w, r, http.StatusTooManyRequests, "This page was opened too often", "Try again in an hour, or call the number in your contract with the service.")
	case errors.As(err, &known) && known.Code == vaultclient.Unauthenticated:
		o.message(w, r, http.StatusForbidden, "This link does not work any more", "It is older than 30 days, or incomplete. Call the number in your contract with the service.")
	default:
		o.fail(w, r, err)
	}
}

// readNotice keeps that the organisation has read its notice.
func (o *Origin) readNotice(w http.ResponseWriter, r *http.Request) {
	secret := r.PostFormValue("secret")
	if err := o.Vault.ReadNotice(r.Context(), secret); err != nil {
		o.failNotice(w, r, err)
		return
	}
	http.Redirect(w, r, "/notice?"+url.Values{"secret": {secret}, "done": {"read"}}.Encode(), http.StatusSeeOther)
}

// askByNotice keeps a question of the organisation.
func (o *Origin) askByNotice(w http.ResponseWriter, r *http.Request) {
	p := &noticePage{Secret: r.PostFormValue("secret"), Question: r.PostFormValue("question")}
	// Browsers send an end of line as two characters.
	text := strings.TrimSpace(strings.ReplaceAll(p.Question, "\r\n", "\n"))
	switch {
	case text == "":
		p.Wrong = []wrong{{"question", "Enter your question"}}
	case len([]rune(text)) > vaultclient.MaxIncidentText:
		p.Wrong = []wrong{{"question", "Shorten the question to 2,000 characters"}}
	}
	if p.Wrong != nil {
		o.showNotice(w, r, http.StatusBadRequest, p)
		return
	}
	if err := o.Vault.AskByNotice(r.Context(), p.Secret, text); err != nil {
		o.failNotice(w, r, err)
		return
	}
	http.Redirect(w, r, "/notice?"+url.Values{"secret": {p.Secret}, "done": {"asked"}}.Encode(), http.StatusSeeOther)
}

package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// What goes wrong in the node itself.
var (
	errNoPage      = errors.New("no such page")
	errCrossOrigin = errors.New("a form of another site")
	errCode        = errors.New("no such sign-in code, or used")
	errForm        = errors.New("a form that can't be read")
	errPanic       = errors.New("a page panicked")
)

// problem is what an error page says. It never says anything of the error itself.
type problem struct {
	Status     int
	Title      words.Key
	Paragraphs []words.Key
	SignIn     bool // offer to sign in (again)

	Budget bool      // a budget is used up: lead to it
	Again  time.Time // from when it is possible again
}

// errorCode returns the vault's code, or nothing for an error that is not the vault's answer.
func errorCode(err error) vaultclient.Code {
	if e, ok := errors.AsType[*vaultclient.Error](err); ok {
		return e.Code
	}
	return ""
}

// problemOf is the one table from errors to pages. What is not in it is our own mistake.
func problemOf(err error) problem {
	if e, ok := errors.AsType[*vaultclient.Error](err); ok && e.Code == vaultclient.OverBudget {
		return overBudget(e)
	}
	switch {
	case errors.Is(err, errNoPage) || errorCode(err) == vaultclient.NotFound:
		return problem{Status: http.StatusNotFound, Title: "Page not found", Paragraphs: []words.Key{
			"There is nothing here under this address. If you typed or pasted it, check that it is complete.",
			"The record may have been removed, or the address may belong to another installation."}}
	case errors.Is(err, errCrossOrigin):
		return problem{Status: http.StatusForbidden, Title: "This form came from somewhere else", Paragraphs: []words.Key{
			"For your safety only forms on these pages are accepted. Nothing was done.",
			"Open the page again and send the form from there."}}
	case errors.Is(err, errCode):
		return problem{Status: http.StatusForbidden, Title: "This sign-in link no longer works", SignIn: true, Paragraphs: []words.Key{
			"A sign-in link can be used once, within a few minutes. This one was used already or is too old. You are not signed in."}}
	case errors.Is(err, errForm) || errorCode(err) == vaultclient.Invalid:
		return problem{Status: http.StatusBadRequest, Title: "That could not be read", Paragraphs: []words.Key{
			"What was sent is too long or not complete. Nothing was done. Go back, shorten it and try again."}}
	case errorCode(err) == vaultclient.IsFrozen:
		return problem{Status: http.StatusLocked, Title: "Access is frozen", Paragraphs: []words.Key{
			"What you asked for was stopped to be safe, until two people let it go on. Nothing was shown or changed, and that you asked was entered in the ledger.",
			"If you don't know why, ask your radiation protection service."}}
	case errorCode(err) == vaultclient.Refused:
		return problem{Status: http.StatusForbidden, Title: "You may not see this", Paragraphs: []words.Key{
			"The rules of this service do not let your role see what you asked for, or the ledger could not be written. Nothing was shown to you.",
			"That you asked, and that it was refused, was entered in the ledger.",
			"If your work needs it, ask your radiation protection service for the role."}}
	case errorCode(err) == vaultclient.Conflict:
		return problem{Status: http.StatusConflict, Title: "Somebody else was faster", Paragraphs: []words.Key{
			"What you were working on has changed in the meantime. Nothing was done. Open the page again."}}
	case errors.Is(err, vaultclient.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded):
		return problem{Status: http.StatusServiceUnavailable, Title: "The service is not available", Paragraphs: []words.Key{
			"The vault, which holds all names and doses, can't be reached. Nothing can be shown or changed until it answers again. Nothing was lost.",
			"Try again in a few minutes."}}
	}
	return problem{Status: http.StatusInternalServerError, Title: "Something went wrong here", Paragraphs: []words.Key{
		"The page could not be made. It is our fault, not yours. Try again in a few minutes.",
		"If it happens again, tell whoever runs this service when it happened. They find the details in the log."}}
}

// fail answers a request with the page of an error. User is nil where it is not known.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, user *vaultclient.User, err error) {
	if errorCode(err) == vaultclient.Unauthenticated {
		h.setSession(w, "", 0)
		http.Redirect(w, r, "/signed-out", http.StatusSeeOther)
		return
	}
	p := problemOf(err)
	if p.Status >= 500 && !errors.Is(err, context.Canceled) {
		// Pattern, not URL; errors hold no personal value.
		h.Log.Error("web: a page failed", "route", r.Pattern, "status", p.Status, "error", err.Error())
	}
	h.render(w, r, p.Status, problemPage(h.frame(p.Title, user), p))
}

// render writes a page. It is made whole first, so that an error does not leave half of one.
func (h *handler) render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) {
	b := templ.GetBuffer()
	defer templ.ReleaseBuffer(b)
	if err := c.Render(r.Context(), b); err != nil {
		h.Log.Error("web: a page was not made", "route", r.Pattern, "error", err.Error())
		http.Error(w, "Something went wrong here.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes()) // an error here is a client that has gone
}

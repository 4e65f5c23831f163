package origin

import (
	"net/http"

	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/words"
)

// confirmed is the caller with what the page's script put into the form.
func (v *visit) confirmed(r *http.Request) vault.Caller {
	c := v.caller
	c.Passkey = []byte(r.PostFormValue("response"))
	return c
}

// confirmPage shows a change before it is made, whole, and asks for the passkey.
type confirmPage struct {
	frame
	Lines   []line
	Text    words.Key
	Action  string // where the form goes
	Hidden  []hidden
	Button  words.Key
	Warning bool   // it takes something away
	Back    string // where "No, go back" leads
	Confirm confirmation
}

// line is an answer or a fact, with what it is.
type line struct {
	Term  words.Key
	Value string
}

// hidden is an answer that a form takes along.
type hidden struct{ Name, Value string }

// askToConfirm shows a change and asks for the passkey over it.
func (o *Origin) askToConfirm(w http.ResponseWriter, r *http.Request, v *visit, what string, details any, p *confirmPage) error {
	digest, err := vault.Confirmation(what, details)
	if err != nil {
		return err
	}
	if p.Confirm, err = o.confirmation(v, digest); err != nil {
		return err
	}
	o.render(w, r, http.StatusOK, "confirm", p)
	return nil
}

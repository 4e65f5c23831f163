package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// channelOptions are the ways to tell somebody.
var channelOptions = []option{{string(vaultclient.ByMail), "By e-mail", "To contacts that were verified"}, {string(vaultclient.ByLetter), "By letter", "You print and post it, and enter that you did"}}

// channelWord says a way.
func channelWord(ctx context.Context, c string) string {
	if c == string(vaultclient.ByLetter) {
		return words.T(ctx, "By letter")
	}
	return words.T(ctx, "By e-mail")
}

// tellRow is an organisation that is concerned, and how far telling it is.
type tellRow struct {
	vaultclient.Organisation
	Wearers       int // concerned
	State         words.Key
	Colour        string
	At            time.Time // of the state; zero: it has none
	Contact       words.Key // what is in the way of telling its contact
	Letter        id.Notice // that waits to be posted
	Decided, Read bool
	SignedOff     bool
}

// tellView asks whom to tell what.
type tellView struct {
	incidentView
	Table   []tellRow
	Choose  []option
	Request string // names the sending, so that a form that is sent twice tells nobody twice
	Chosen  []string
}

// tellRows are the organisations that are concerned, those to be told first.
func (x incidentView) tellRows(ctx context.Context) (rows []tellRow) {
	wearers := map[id.Organisation]int{}
	for _, r := range x.Rows {
		wearers[r.Organisation] += r.Row.Wearers
	}
	for _, o := range x.Organisations {
		if wearers[o.ID] == 0 && (!x.Sealed || o.Wearers == 0) && toldAt(x.Incident, o.ID) == nil {
			continue
		}
		r := tellRow{Organisation: o, Wearers: wearers[o.ID], State: "Not told", Colour: "red", Contact: contactWord(o)}
		for _, s := range x.Steps {
			if s.Organisation != o.ID {
				continue
			}
			switch s.Kind {
			case vaultclient.Telling:
				r.State, r.Colour, r.At = "Being sent", "yellow", s.At
				if s.Notice != nil && s.Notice.Channel == vaultclient.ByLetter {
					r.State, r.Letter = "To be posted", s.Notice.ID
				}
			case vaultclient.Told:
				r.State, r.Colour, r.At = "Told", "green", s.Moment
				if s.Of == r.Letter {
					r.Letter = id.Notice{}
				}
			case vaultclient.Undelivered:
				r.State, r.Colour, r.At = "Not delivered", "red", s.At
			case vaultclient.Acknowledged:
				r.State, r.Colour, r.At, r.Read = "Read##by an organisation", "green", s.At, true
			case vaultclient.Decided:
				r.Decided = true
			case vaultclient.SignedOff:
				r.SignedOff = true
			}
		}
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(a, b tellRow) int {
		open := func(r tellRow) int { return map[bool]int{true: 0, false: 1}[r.Colour == "red"] }
		return open(a) - open(b)
	})
	return rows
}

// contactWord says what is in the way of telling an organisation's contact by mail; nothing: nothing is.
func contactWord(o vaultclient.Organisation) words.Key {
	switch n := noticeContact(o); {
	case n.IsZero():
		return "Nobody is entered who would be told"
	case n.Email == "":
		return "No e-mail address: tell it by letter"
	case n.Verified.IsZero():
		return "The contact was never verified: verify it, or tell it by letter"
	}
	return ""
}

// tell asks whom to tell what, shows it once more, has the vault tell them, and says what came of it.
func (h *handler) tell(v *visit) error {
	var x tellView
	var err error
	if x.incidentView, err = h.incidentView(v); err != nil {
		return err
	}
	if !x.Service {
		return errNoPage
	}
	x.Table = x.tellRows(v.ctx)
	f := formOf("channel", string(vaultclient.ByMail), "final", "no")
	for _, r := range x.Table {
		x.Choose = append(x.Choose, option{Value: r.ID.String(), Label: words.Plain(r.Name + ": " + words.Count(v.ctx, r.Wearers, "wearer", "wearers"))})
		if r.Colour == "red" {
			f.values.Add("organisation", r.ID.String())
		}
	}
	show := "ask"
	if v.r.Method == http.MethodPost {
		if f, err = readForm(v); err != nil {
			return err
		}
		r := x.requestIn(&f)
		switch {
		case len(f.Errors) > 0 || f.Value("step") == "change":
		case f.Value("step") == "tell":
			if r.Request, err = id.Parse[id.Row](f.Value("request")); err != nil {
				return errForm
			}
			return h.tellNow(v, x, r)
		default:
			show, x.Request = "check", id.New[id.Row]().String()
			for _, o := range r.Organisations {
				x.Chosen = append(x.Chosen, x.name(v.ctx, o))
			}
		}
	}
	h.render(v.w, v.r, f.status(), tellPage(h.frame("Tell the organisations", &v.user, incidentCrumbs(&x.Incident)...).of(f), f, x, show))
	return nil
}

// requestIn reads what is told to whom.
func (x tellView) requestIn(f *form) vaultclient.TellRequest {
	r := vaultclient.TellRequest{Incident: x.ID, Text: f.paragraphs("text", "Enter what happened, and what is done about it", vaultclient.MaxIncidentText)}
	for _, o := range x.Table {
		if f.Has("organisation", o.ID.String()) {
			r.Organisations = append(r.Organisations, o.ID)
		}
	}
	if len(r.Organisations) == 0 {
		f.wrong("organisation", "Select which organisations to tell")
	}
	r.Channel = vaultclient.NoticeChannel(f.choice("channel", "Select how to tell them", string(vaultclient.ByMail), string(vaultclient.ByLetter)))
	r.Final = f.choice("final", "Select whether the figures are final", "no", "yes") == "yes"
	r.CallBack = f.Text("call-back")
	if !vaultclient.IsCallBack(r.CallBack) {
		f.wrong("call-back", "Enter a telephone number, such as 029 2000 0000")
	}
	return r
}

// toldRow is what came of telling an organisation.
type toldRow struct {
	Name    string
	Notice  *vaultclient.Notice
	Problem string // in English, as the vault says it
}

// tellNow has the vault tell them, and says what came of it.
func (h *handler) tellNow(v *visit, x tellView, r vaultclient.TellRequest) error {
	all, err := h.Register.Tell(v.ctx, v.auth, r)
	if errorCode(err) == vaultclient.Invalid {
		f := form{values: v.r.PostForm}
		f.wrong("channel", "No mail server is set up for the vault. Tell them by letter or telephone")
		h.render(v.w, v.r, f.status(), tellPage(h.frame("Tell the organisations", &v.user, incidentCrumbs(&x.Incident)...).of(f), f, x, "ask"))
		return nil
	}
	if err != nil {
		return err
	}
	var rows []toldRow
	for _, one := range all {
		rows = append(rows, toldRow{x.name(v.ctx, one.Organisation), one.Notice, one.Problem})
	}
	slices.SortStableFunc(rows, func(a, b toldRow) int { return len(b.Problem) - len(a.Problem) })
	h.render(v.w, v.r, http.StatusOK, toldPage(h.frame("Notices given out", &v.user, incidentCrumbs(&x.Incident)...), x, rows))
	return nil
}

// noticeWords say of a notice in a line what it was.
func noticeWords(ctx context.Context, n vaultclient.Notice) string {
	how := words.T(ctx, "by e-mail")
	if n.Channel == vaultclient.ByLetter {
		how = words.T(ctx, "by letter")
	}
	s := words.T(ctx, "Part %d, %s, to %s: %s.", n.Phase, how, n.Contact.Name, words.Count(ctx, n.Wearers, "wearer", "wearers"))
	if n.CallBack != "" {
		s += " " + words.T(ctx, "Number to call back: %s.", n.CallBack)
	}
	return s
}

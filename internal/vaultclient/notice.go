package vaultclient

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
)

// NoticeLanguage is the language that somebody is written to in.
type NoticeLanguage string

// The languages. A preference that nobody knows is both.
const (
	InWelsh   NoticeLanguage = "cy"
	InEnglish NoticeLanguage = "en"
	InBoth    NoticeLanguage = "both"
)

// Bounds of a contact for notices.
const (
	MaxNoticeText  = 100 // bytes of a name, number, line of an address, or how a contact was verified
	MaxNoticeLines = 7   // lines of a postal address
	// NoticeVerified is for how many days a verified contact counts as right.
	NoticeVerified = 365
)

// NoticeContact is who is told of a breach at an organisation.
type NoticeContact struct {
	Name     string         `json:"name,omitempty"`
	Email    string         `json:"email,omitempty"`
	Phone    string         `json:"phone,omitempty"`
	Post     []string       `json:"post,omitempty"` // lines of the postal address
	Language NoticeLanguage `json:"language,omitempty"`
	Verified day.Day        `json:"verified,omitzero"` // somebody made sure that this reaches them
	By       string         `json:"by,omitempty"`      // who did: the vault enters the caller's name
	How      string         `json:"how,omitempty"`
}

// IsZero reports whether nobody is entered.
func (n NoticeContact) IsZero() bool {
	return n.Name == "" && n.Email == "" && n.Phone == "" && len(n.Post) == 0
}

// Reaches reports whether two contacts are reached in the same way.
func (n NoticeContact) Reaches(m NoticeContact) bool {
	return n.Name == m.Name && n.Email == m.Email && n.Phone == m.Phone && slices.Equal(n.Post, m.Post)
}

// Due reports whether a contact has to be verified, for the first time or again.
func (n NoticeContact) Due(today day.Day) bool {
	return n.Verified.IsZero() || today-n.Verified > NoticeVerified
}

// NewNoticeContact says who is told of a breach at an organisation.
type NewNoticeContact struct {
	Organisation id.Organisation `json:"organisation"`
	Contact      NoticeContact   `json:"contact"`
}

// SetNoticeContact keeps who is told of a breach at an organisation. It is for the service's co-ordinators and the organisation's own data
// protection officers. A contact that is reached otherwise than before is verified anew, or not at all.
func (c *Client) SetNoticeContact(ctx context.Context, auth Auth, n NewNoticeContact) error {
	return call(ctx, c, "set-notice-contact", auth, n, nil)
}

// NoticeChannel is the way by which a notice goes out.
type NoticeChannel string

// The channels.
const (
	ByMail   NoticeChannel = "mail"   // the vault sends it
	ByLetter NoticeChannel = "letter" // somebody posts it, and enters that it was
)

// NoticeLife is for how long the link of a notice opens its page.
const NoticeLife = 30 * 24 * time.Hour

// NoticeRow counts the wearers of an organisation of whom exactly these fields became readable.
type NoticeRow struct {
	Fields  policy.Fields `json:"fields"`
	Wearers int           `json:"wearers"`
}

// Notice is what an organisation is told of a breach: its own people alone, as the ledger said when it was given out. The lead's text is
// the step's.
type Notice struct {
	ID       id.Notice     `json:"id"`
	Phase    int           `json:"phase"` // of this organisation and incident, from 1
	Channel  NoticeChannel `json:"channel"`
	Contact  NoticeContact `json:"contact"`
	CallBack string        `json:"call_back"`      // the telephone number of the service
	Rows     []NoticeRow   `json:"rows,omitempty"` // most fields first
	Wearers  int           `json:"wearers"`        // in all rows; each stands in one
	First    time.Time     `json:"first,omitzero"` // of what became readable
	Last     time.Time     `json:"last,omitzero"`
	Sealed   bool          `json:"sealed,omitempty"`  // sealed data of theirs was taken too, which nobody can read without the keys
	Maximum  bool          `json:"maximum,omitempty"` // it may turn out that they are fewer
	Request  id.Row        `json:"request,omitzero"`  // of TellRequest
}

// TellRequest has organisations told.
type TellRequest struct {
	Incident id.Incident `json:"incident"`
	// Organisations are those to tell; none: all whose people the incident's hypotheses reach, and to whom nothing was given out yet.
	Organisations []id.Organisation `json:"organisations,omitempty"`
	Text          string            `json:"text"`      // what happened and what is done, for their page and letter; no names of people concerned
	CallBack      string            `json:"call_back"` // a telephone number on which the service answers
	Channel       NoticeChannel     `json:"channel"`
	Final         bool              `json:"final,omitempty"` // the figures are no maximum any more
	// Request, where set, names this request: sent again, it tells nobody a second time.
	Request id.Row `json:"request,omitzero"`
}

// MaxCallBack is how many characters a telephone number has at most.
const MaxCallBack = 40

// IsCallBack reports whether a text is a telephone number: mails show it, so it can hold nothing else.
func IsCallBack(s string) bool {
	digits := 0
	for _, r := range s {
		switch {
		case '0' <= r && r <= '9':
			digits++
		case !strings.ContainsRune(" +()-", r):
			return false
		}
	}
	return digits >= 5 && len(s) <= MaxCallBack && s == strings.TrimSpace(s)
}

// TellingResult is what came of telling an organisation.
type TellingResult struct {
	Organisation id.Organisation `json:"organisation"`
	Notice       *Notice         `json:"notice,omitempty"`  // what was given out; nil: nothing
	Problem      string          `json:"problem,omitempty"` // why nothing was
}

// Tell gives out notices of a breach: each organisation's own figures, from the ledger as it stands, in one commit for all. The vault sends what goes by mail,
// whatever is frozen, and enters Told once the mail server took it. Telling an organisation again is the next phase. Of a drill nothing is sent.
func (c *Client) Tell(ctx context.Context, auth Auth, r TellRequest) (out []TellingResult, err error) {
	err = call(ctx, c, "tell", auth, r, &out)
	return out, err
}

package vaultclient

import (
	"context"
	"slices"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
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

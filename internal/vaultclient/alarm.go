package vaultclient

import (
	"context"
	"time"

	"github.com/dosevault/dosevault/internal/id"
)

// AlarmKind says what an alarm is about. It goes out by e-mail and webhook, so it never holds anything about a person.
type AlarmKind string

// The kinds of alarms.
const (
	AlarmFrozen          AlarmKind = "frozen"
	AlarmThawed          AlarmKind = "thawed"
	AlarmThawedOffline   AlarmKind = "thawed-offline"           // by who holds the keys, without a second person
	AlarmOverBudget      AlarmKind = "over-budget"              // somebody asked for more than their budget
	AlarmOrganisation    AlarmKind = "organisation-over-budget" // more of an organisation was read in a day than is usual
	AlarmBreakGlass      AlarmKind = "break-glass"
	AlarmCanarySeen      AlarmKind = "canary-seen"
	AlarmCanaryOpened    AlarmKind = "canary-opened"
	AlarmPasskeyCounter  AlarmKind = "passkey-counter"         // a passkey's counter went back: there may be a copy of it
	AlarmRefusedSignIns  AlarmKind = "refused-sign-ins"        // again and again
	AlarmSingleWaiting   AlarmKind = "single-approval"         // a proposal takes effect without a second person, unless somebody stops it
	AlarmPolicyChanged   AlarmKind = "policy-changed"          // what somebody may see
	AlarmSingleMode      AlarmKind = "single-mode-changed"     // whether one administrator is enough
	AlarmUncleanStop     AlarmKind = "unclean-stop"            // the vault started after one
	AlarmLedgerNotCopied AlarmKind = "head-not-kept"           // the last head could not be kept outside the database
	AlarmNoticeContact   AlarmKind = "notice-contact-changed"  // a verified contact for notices of a breach gave way to another
	AlarmTold            AlarmKind = "organisations-told"      // organisations are being told of a breach
	AlarmNoticeWaits     AlarmKind = "notice-waits"            // no mail server has taken a notice for an hour, or nobody has posted a letter for a day
	AlarmUndelivered     AlarmKind = "notice-undelivered"      // a notice of a breach did not reach an organisation
	AlarmDeadline        AlarmKind = "deadline"                // a controller's time to tell the regulator of a breach runs out, or is over
	AlarmAsked           AlarmKind = "organisation-asked"      // an organisation that was told of a breach asks something
	AlarmDelivery        AlarmKind = "alarm-delivery-given-up" // an alarm reached nobody for a day
)

// Alarm is something that somebody has to look at. By and Name are of staff.
type Alarm struct {
	ID           id.Alarm        `json:"id"`
	Kind         AlarmKind       `json:"kind"`
	At           time.Time       `json:"at"`
	Last         time.Time       `json:"last"`  // of equal ones within ten minutes
	Count        int             `json:"count"` // how many they were
	Organisation id.Organisation `json:"organisation,omitzero"`
	About        string          `json:"about,omitempty"` // as in "user:…", "node:web", "everything"
	Name         string          `json:"name,omitempty"`  // of what it is about, where it has one
	By           string          `json:"by,omitempty"`    // who caused it, by name, where somebody did
	Reason       string          `json:"reason,omitempty"`
	Acknowledged time.Time       `json:"acknowledged,omitzero"`
	AckBy        string          `json:"ack_by,omitempty"`
	Note         string          `json:"note,omitempty"`
	Sent         []AlarmSent     `json:"sent,omitempty"`
}

// AlarmSent is how an alarm's way out by one channel (mail, webhook) went.
type AlarmSent struct {
	Channel string    `json:"channel"`
	Tries   int       `json:"tries,omitempty"` // that failed
	At      time.Time `json:"at,omitzero"`     // when it was delivered; zero: not yet
	GaveUp  bool      `json:"gave_up,omitempty"`
}

// AlarmsRequest asks for a page of alarms.
type AlarmsRequest struct {
	Offset int  `json:"offset,omitempty"`
	Limit  int  `json:"limit"` // 1 to MaxPage
	Open   bool `json:"open,omitempty"`
}

// AlarmPage is a page of alarms: open ones first, newest first.
type AlarmPage struct {
	Total  int     `json:"total"`
	Open   int     `json:"open"`
	Alarms []Alarm `json:"alarms"`
}

// AlarmAck acknowledges an alarm.
type AlarmAck struct {
	ID   id.Alarm `json:"id"`
	Note string   `json:"note"` // at most MaxAlarmNote characters
}

// MaxAlarmNote is how many characters the note of an acknowledgement may have.
const MaxAlarmNote = 500

// Alarms lists alarms for whoever administers, or is data protection officer of the organisation concerned.
func (c *Client) Alarms(ctx context.Context, auth Auth, r AlarmsRequest) (out AlarmPage, err error) {
	err = call(ctx, c, "alarms", auth, r, &out)
	return out, err
}

// AckAlarm acknowledges an alarm. Doing it twice is no error, and keeps the first note.
func (c *Client) AckAlarm(ctx context.Context, auth Auth, a AlarmAck) error {
	return call(ctx, c, "ack-alarm", auth, a, nil)
}

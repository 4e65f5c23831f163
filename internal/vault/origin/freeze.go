package origin

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

func (o *Origin) freezeRoutes() []route {
	return []route{
		{"GET /freeze", o.signedIn(o.freeze)},
		{"POST /freeze", o.signedIn(o.doFreeze)},
	}
}

// mayFreeze says whether somebody may freeze anything.
func mayFreeze(v *visit) bool { return v.may(policy.Freeze, policy.Oversight) }

// frozenLine is something frozen, in words.
type frozenLine struct {
	Kind              words.Key
	What, Since, By   string
	Reason            string
	Automatic, Silent bool
}

// freezable is something that can be frozen.
type freezable struct{ Value, Text string }

// freezables are things of one kind.
type freezables struct {
	Kind words.Key
	Of   []freezable
}

type freezePage struct {
	frame
	Frozen  []frozenLine
	Choices []freezables
	// What was sent, to be sent again.
	Scope, Else, Reason string
	AskSure             bool
}

// scopeWords are the kinds of scopes.
var scopeWords = map[string]words.Key{
	string(vaultclient.Everything): "Everything", vaultclient.ScopeOrganisation: "Organisation", vaultclient.ScopeUser: "Person who signs in", vaultclient.ScopeNode: "Part of the program",
	vaultclient.ScopeGrant: "Machine or job", vaultclient.ScopeSupplier: "Supplier", vaultclient.ScopeExport: "Export or print",
}

// nodes are the parts of the program that can be frozen.
var nodes = []struct {
	name string
	text words.Key
}{{"web", "Web pages"}, {"worker", "Worker, which reads files"}, {"cli", "Command line"}}

func (o *Origin) freeze(w http.ResponseWriter, r *http.Request, v *visit) error {
	return o.freezeForm(w, r, v, http.StatusOK, &freezePage{})
}

// freezeForm shows what is frozen, and the form to freeze something.
func (o *Origin) freezeForm(w http.ResponseWriter, r *http.Request, v *visit, status int, p *freezePage) error {
	p.Title = "Freeze"
	list, err := o.Vault.Frozen(v.ctx, v.caller)
	if err != nil {
		return err
	}
	for _, f := range list {
		line := frozenLine{Kind: scopeWords[f.Scope.Kind()], What: f.Name, Since: words.Moment(v.ctx, f.At), By: f.By, Reason: f.Reason, Automatic: f.Automatic}
		if line.What == "" {
			line.What = f.Scope.Of()
		}
		p.Frozen = append(p.Frozen, line)
	}
	if p.Choices, err = o.freezables(v); err != nil {
		return err
	}
	o.render(w, r, status, "freeze", p)
	return nil
}

// freezables are what somebody can freeze by choosing it.
func (o *Origin) freezables(v *visit) ([]freezables, error) {
	orgs, err := o.Vault.Organisations(v.ctx, v.caller)
	if err != nil {
		return nil, err
	}
	byName := freezables{Kind: "Organisations"}
	for _, x := range orgs {
		byName.Of = append(byName.Of, freezable{string(vaultclient.OrganisationScope(x.ID)), x.Name})
	}
	if len(v.user.Organisations) > 0 {
		return []freezables{byName}, nil
	}
	parts := freezables{Kind: "Parts of the program"}
	for _, n := range nodes {
		parts.Of = append(parts.Of, freezable{string(vaultclient.NodeScope(n.name)), words.T(v.ctx, n.text)})
	}
	all := []freezables{{Kind: "All of it", Of: []freezable{{string(vaultclient.Everything), words.T(v.ctx, "Everything")}}}, byName, parts}
	// Who may not list users or machines freezes them by their ids.
	var refused *vaultclient.Error
	users, err := o.Vault.Users(v.ctx, v.caller)
	if err != nil && !errors.As(err, &refused) {
		return nil, err
	}
	people := freezables{Kind: "People who sign in"}
	for _, u := range users {
		if u.Ended.IsZero() {
			people.Of = append(people.Of, freezable{string(vaultclient.UserScope(u.ID)), u.Name})
		}
	}
	machines, err := o.Vault.Machines(v.ctx, v.caller)
	if err != nil && !errors.As(err, &refused) {
		return nil, err
	}
	outside := freezables{Kind: "Machines"}
	for _, m := range machines {
		if m.Ended.IsZero() {
			outside.Of = append(outside.Of, freezable{string(vaultclient.GrantScope(m.ID)), m.Name})
		}
	}
	for _, c := range []freezables{people, outside} {
		if len(c.Of) > 0 {
			all = append(all, c)
		}
	}
	return all, nil
}

// doFreeze freezes what the form says.
func (o *Origin) doFreeze(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := &freezePage{Scope: r.PostFormValue("scope"), Else: strings.TrimSpace(r.PostFormValue("other")), Reason: strings.TrimSpace(r.PostFormValue("reason"))}
	text := p.Scope
	if p.Else != "" {
		text = p.Else
	}
	scope, err := vaultclient.ParseScope(text)
	switch {
	case err != nil && p.Else != "":
		p.Wrong = append(p.Wrong, wrong{"other", "Enter a supplier, export, grant or person in the form that is shown"})
	case err != nil:
		p.Wrong = append(p.Wrong, wrong{"scope", "Choose what is to be frozen"})
	}
	if p.Reason == "" {
		p.Wrong = append(p.Wrong, wrong{"reason", "Enter why"})
	} else if len([]rune(p.Reason)) > vaultclient.MaxFreezeReason {
		p.Wrong = append(p.Wrong, wrong{"reason", "Shorten the reason to 500 characters"})
	}
	if len(p.Wrong) > 0 {
		return o.freezeForm(w, r, v, http.StatusBadRequest, p)
	}
	err = o.Vault.Freeze(v.ctx, v.caller, vaultclient.FreezeRequest{Scope: scope, Reason: p.Reason, Sure: r.PostFormValue("sure") == "yes"})
	var known *vaultclient.Error
	switch {
	case errors.As(err, &known) && known.Code == vaultclient.Conflict:
		p.AskSure = true
		p.Wrong = []wrong{{"sure", "With this frozen, fewer than two people are left who can thaw anything. Say that you are sure"}}
		return o.freezeForm(w, r, v, http.StatusConflict, p)
	case errors.As(err, &known) && known.Code == vaultclient.NotFound:
		p.Wrong = []wrong{{"scope", "There is nothing of this name or number. Choose what is to be frozen"}}
		return o.freezeForm(w, r, v, http.StatusBadRequest, p)
	case err != nil:
		return err
	}
	http.Redirect(w, r, "/freeze?done=frozen", http.StatusSeeOther)
	return nil
}

func (o *Origin) alarmRoutes() []route {
	return []route{
		{"GET /alarms", o.signedIn(o.alarms)},
		{"POST /alarms", o.signedIn(o.ackAlarm)},
	}
}

// mayWatch says whether somebody sees alarms.
func mayWatch(v *visit) bool { return mayAdminister(v) || mayFreeze(v) }

// alarmWords says what the kinds of alarms are about.
var alarmWords = map[vaultclient.AlarmKind]words.Key{
	vaultclient.AlarmFrozen: "Something was frozen", vaultclient.AlarmThawed: "Something was thawed", vaultclient.AlarmThawedOffline: "Something was thawed by one person who holds the keys",
	vaultclient.AlarmOverBudget: "Somebody asked for more than their budget", vaultclient.AlarmOrganisation: "More of an organisation was read than is usual in a day",
	vaultclient.AlarmBreakGlass: "Somebody went over their budget, with a reason", vaultclient.AlarmCanarySeen: "An invented person was seen in lists", vaultclient.AlarmCanaryOpened: "An invented person was opened",
	vaultclient.AlarmPasskeyCounter: "A passkey may have been copied", vaultclient.AlarmRefusedSignIns: "Sign-ins were refused again and again",
	vaultclient.AlarmSingleWaiting: "A proposal takes effect without a second person, unless somebody stops it", vaultclient.AlarmPolicyChanged: "The policies were changed",
	vaultclient.AlarmSingleMode: "Whether one administrator is enough was changed", vaultclient.AlarmUncleanStop: "The vault started after it was not stopped in order",
	vaultclient.AlarmLedgerNotCopied: "The ledger’s newest head could not be kept outside the database", vaultclient.AlarmNoticeContact: "Who is told of a breach at an organisation was exchanged for somebody else", vaultclient.AlarmTold: "Organisations are being told of a breach", vaultclient.AlarmNoticeWaits: "A notice of a breach has not gone out yet", vaultclient.AlarmUndelivered: "A notice of a breach did not reach an organisation", vaultclient.AlarmAsked: "An organisation that was told of a breach asks something", vaultclient.AlarmDeadline: "The time to tell the regulator of a breach runs out, or is over", vaultclient.AlarmDelivery: "An alarm reached nobody outside for a day",
}

// alarmsOnPage is how many alarms a page shows.
const alarmsOnPage = 50

// alarmLine is an alarm in words.
type alarmLine struct {
	ID                               string
	Title                            words.Key
	Last, Times, Kind, What, By, Org string
	Reason, Note, AckBy, Acked       string
	Sent                             []string
	Open                             bool
	Declare                          string // where a breach is declared that it may be a sign of
}

type alarmsPage struct {
	frame
	Alarms      []alarmLine
	Open, Total string
	Older       int // offset of the page behind; zero: there is none
	Of          string
	Note        string
}

func (o *Origin) alarms(w http.ResponseWriter, r *http.Request, v *visit) error {
	return o.alarmList(w, r, v, http.StatusOK, &alarmsPage{})
}

func (o *Origin) alarmList(w http.ResponseWriter, r *http.Request, v *visit, status int, p *alarmsPage) error {
	p.Title = "Alarms"
	offset := offsetOf(r.URL.Query().Get("from"))
	page, err := o.Vault.Alarms(v.ctx, v.caller, vaultclient.AlarmsRequest{Offset: offset, Limit: alarmsOnPage})
	if err != nil {
		return err
	}
	p.Open, p.Total = words.Count(v.ctx, page.Open, "open alarm", "open alarms"), words.Count(v.ctx, page.Total, "alarm", "alarms")
	if next := offset + len(page.Alarms); next < page.Total && len(page.Alarms) > 0 {
		p.Older = next
	}
	orgs, err := o.Vault.Organisations(v.ctx, v.caller)
	if err != nil {
		return err
	}
	for _, a := range page.Alarms {
		p.Alarms = append(p.Alarms, o.alarmLine(v, a, orgs))
	}
	o.render(w, r, status, "alarms", p)
	return nil
}

// alarmLine says an alarm in words.
func (o *Origin) alarmLine(v *visit, a vaultclient.Alarm, orgs []vaultclient.Organisation) alarmLine {
	x := alarmLine{ID: a.ID.String(), Title: alarmWords[a.Kind], Last: words.Moment(v.ctx, a.Last), By: a.By, Reason: a.Reason, Open: a.Acknowledged.IsZero(), Note: a.Note, AckBy: a.AckBy, What: a.Name}
	if a.Count > 1 {
		x.Times = words.Count(v.ctx, a.Count, "time", "times")
	}
	if !x.Open {
		x.Acked = words.Moment(v.ctx, a.Acknowledged)
	}
	scope := vaultclient.Scope(a.About)
	if kind := scopeWords[scope.Kind()]; kind != "" {
		x.Kind = words.T(v.ctx, kind)
		if x.What == "" {
			x.What = scope.Of()
		}
	}
	if x.Open {
		x.Declare = o.declareAt(scope)
	}
	for _, org := range orgs {
		if org.ID == a.Organisation {
			x.Org = org.Name
		}
	}
	for _, s := range a.Sent {
		by := words.Key("by e-mail")
		if s.Channel == "webhook" {
			by = "by webhook"
		}
		switch name := words.T(v.ctx, by); {
		case !s.At.IsZero():
			x.Sent = append(x.Sent, words.T(v.ctx, "delivered %s", name))
		case s.GaveUp:
			x.Sent = append(x.Sent, words.T(v.ctx, "given up %s", name))
		default:
			x.Sent = append(x.Sent, words.T(v.ctx, "not yet delivered %s", name))
		}
	}
	return x
}

// suspects are kinds of what can be frozen, as the pages of a web node call them where a breach is declared.
var suspects = map[string]string{"user": "account", "grant": "machine", "export": "export"}

// declareAt is the address of the web node's page on which a breach is declared, with who is suspected; nothing where there is none to go to.
func (o *Origin) declareAt(scope vaultclient.Scope) string {
	_, origin, ok := o.node("")
	if !ok {
		return ""
	}
	q := url.Values{}
	switch kind := suspects[scope.Kind()]; {
	case scope == vaultclient.NodeScope("web") || scope == vaultclient.NodeScope("worker"):
		q.Set("kind", scope.Of())
	case kind == "export":
		q.Set("which", scope.Of())
		q.Set("kind", kind)
	case kind != "":
		q.Set("which", string(scope))
		q.Set("kind", kind)
	default:
		return ""
	}
	return origin + "/incidents/declare?" + q.Encode()
}

// offsetOf reads where a page of a list begins; what is no number is its beginning.
func offsetOf(text string) (n int) {
	for _, r := range text {
		if r < '0' || r > '9' || n > 1_000_000 {
			return 0
		}
		n = 10*n + int(r-'0')
	}
	return n
}

// ackAlarm acknowledges an alarm.
func (o *Origin) ackAlarm(w http.ResponseWriter, r *http.Request, v *visit) error {
	n, err := id.Parse[id.Alarm](r.PostFormValue("alarm"))
	if err != nil {
		return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such alarm"}
	}
	note := strings.TrimSpace(r.PostFormValue("note"))
	if len([]rune(note)) > vaultclient.MaxAlarmNote {
		p := &alarmsPage{Of: n.String(), Note: note}
		p.Wrong = []wrong{{"note-" + n.String(), "Shorten the note to 500 characters"}}
		return o.alarmList(w, r, v, http.StatusBadRequest, p)
	}
	if err := o.Vault.AckAlarm(v.ctx, v.caller, vaultclient.AlarmAck{ID: n, Note: note}); err != nil {
		return err
	}
	http.Redirect(w, r, "/alarms?done=acknowledged", http.StatusSeeOther)
	return nil
}

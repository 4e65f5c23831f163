package register_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// user makes somebody of a role and signs them in on the web node.
func (h *house) user(role policy.Role, orgs ...id.Organisation) vc.Auth {
	h.Helper()
	by := vault.Caller{Node: "web", Auth: h.auth}
	h.made++
	ids, err := h.v.CreateUsers(h.Context(), by, []vc.NewUser{{Name: "Somebody " + strings.Repeat("I", h.made%150+1), Role: role, Organisations: orgs}})
	h.ok(err)
	link, err := h.v.NewLink(h.Context(), by, ids[0])
	h.ok(err)
	s, err := h.v.RedeemLink(h.Context(), vault.Caller{Node: "web"}, link)
	h.ok(err)
	return vc.Auth{Session: s.Token}
}

// scan scans a badge and checks the answer.
func (h *house) scan(auth vc.Auth, text string, want register.Answer) register.Scan {
	h.Helper()
	got, err := h.web.Return(h.Context(), auth, text)
	h.ok(err)
	if got.Answer != want {
		h.Errorf("scanning %q answers %q, want %q", text, got.Answer, want)
	}
	return got
}

func TestReturn(t *testing.T) {
	h := newHouse(t)
	other := h.organisation("Ysbyty Arall", "700124")
	w := h.takeOn(h.joiner(h.org), h.joiner(other))
	mine, theirs, ordered := h.badge(h.org, w[0], time.September), h.badge(other, w[1], time.September), h.badge(h.org, w[0], time.December)
	ordered.State = register.Ordered
	read := h.badge(h.org, w[0], time.August)
	h.dispatch(mine, theirs, ordered, read)
	h.imported(file(line{Dispatched: read}))
	supervisor := h.user(policy.Supervisor, h.org)
	before := h.entries(h.org, "reveal")

	got := h.scan(supervisor, "  "+strings.ToLower(mine.Barcode[:3])+" "+mine.Barcode[3:]+"\t\r\n", register.ReturnedNow)
	if got.Barcode != mine.Barcode || got.Starts != mine.From || got.Ends != mine.To || got.Organisation != h.org || got.On != day.At(now) {
		t.Errorf("the answer is %+v", got)
	}
	if got := h.scan(h.auth, "]C1"+mine.Barcode, register.ReturnedBefore); got.On != day.At(now) {
		t.Errorf("returned before on %s", got.On)
	}
	h.scan(supervisor, theirs.Barcode, register.UnknownBadge) // told the same as one that is nobody's
	h.scan(supervisor, "NONE", register.UnknownBadge)
	h.scan(supervisor, "\r\n", register.UnknownBadge)
	h.scan(supervisor, "Ŵ", register.UnknownBadge)
	h.scan(supervisor, ordered.Barcode, register.NotIssued)
	h.scan(supervisor, read.Barcode, register.ReadBefore)
	h.scan(h.auth, theirs.Barcode, register.ReturnedNow)
	h.scan(h.user(policy.DataProtection, h.org), mine.Barcode, register.UnknownBadge)
	h.scan(h.user(policy.Operator), mine.Barcode, register.UnknownBadge)
	if after := h.entries(h.org, "reveal"); after != before {
		t.Errorf("scanning revealed something: %d entries, before %d", after, before)
	}

	ofSupervisor, err := h.web.Scanned(h.Context(), supervisor, 10)
	h.ok(err)
	if ofSupervisor.Today != 1 || len(ofSupervisor.Last) != 1 || ofSupervisor.Last[0].Barcode != mine.Barcode {
		t.Errorf("the supervisor scanned %+v", ofSupervisor)
	}
	// Only who returned it takes it back, and only while nothing came after.
	if err := h.web.UndoReturn(h.Context(), h.auth, mine.Barcode); !errors.Is(err, register.ErrState) {
		t.Errorf("somebody else takes it back: %v", err)
	}
	h.ok(h.web.UndoReturn(h.Context(), supervisor, mine.Barcode))
	if err := h.web.UndoReturn(h.Context(), supervisor, mine.Barcode); !errors.Is(err, register.ErrState) {
		t.Errorf("twice: %v", err)
	}
	h.scan(supervisor, mine.Barcode, register.ReturnedNow)
	sent, err := h.web.MoveBatch(h.Context(), supervisor, h.org, "B1", register.Sent)
	h.ok(err)
	if sent != 1 {
		t.Errorf("%d badges were sent", sent)
	}
	if _, err := h.web.MoveBatch(h.Context(), supervisor, other, "", register.Sent); err == nil {
		t.Error("a supervisor sent another organisation's badges")
	}
	if _, err := h.web.MoveBatch(h.Context(), supervisor, h.org, "", register.Returned); err == nil {
		t.Error("badges were returned without scanning")
	}
	if got := h.scan(supervisor, mine.Barcode, register.SentBefore); got.On != day.At(now) {
		t.Errorf("sent on %s", got.On)
	}
	issued, err := h.web.MoveBatch(h.Context(), supervisor, h.org, "", register.Issued)
	h.ok(err)
	if issued != 1 {
		t.Errorf("%d badges were issued", issued)
	}
	h.scan(supervisor, ordered.Barcode, register.ReturnedNow)
}

// Several people scan at once, some of them the same badges: each badge is returned once, and nobody is told otherwise.
func TestManyScanAtOnce(t *testing.T) {
	h := newHouse(t)
	w := h.takeOn(h.joiner(h.org))[0]
	var list []register.Dispatched
	for range 40 {
		list = append(list, h.badge(h.org, w, time.September))
	}
	h.dispatch(list...)
	people := []vc.Auth{h.auth, h.user(policy.Supervisor, h.org), h.user(policy.Supervisor, h.org)}
	var wg sync.WaitGroup
	var mu sync.Mutex
	answers := map[register.Answer]int{}
	for _, who := range people {
		wg.Go(func() {
			for _, d := range list {
				s, err := h.web.Return(context.Background(), who, d.Barcode)
				mu.Lock()
				if err != nil {
					t.Error(err)
				}
				answers[s.Answer]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if answers[register.ReturnedNow] != len(list) || answers[register.ReturnedBefore] != 2*len(list) {
		t.Errorf("answers: %v", answers)
	}
}

func TestUnreturnedAndRates(t *testing.T) {
	h := newHouse(t)
	w := h.takeOn(h.joiner(h.org))[0]
	month := func(m time.Month, returned day.Day, state register.BadgeState) register.Dispatched {
		d := h.badge(h.org, w, m)
		d.Returned, d.State = returned, state
		return d
	}
	never := month(time.June, 0, register.Issued)
	inTime := month(time.July, day.Of(2026, 8, 14), register.Returned)
	late := month(time.July, day.Of(2026, 8, 15), register.Returned)
	worn := month(time.October, 0, register.Issued)
	sent := month(time.July, 0, register.Sent)
	h.dispatch(never, inTime, late, worn, sent)
	out := func(on day.Day) (codes []string) {
		got, err := h.web.Unreturned(h.Context(), h.auth, h.org, on)
		h.ok(err)
		for _, b := range got {
			codes = append(codes, b.Barcode)
		}
		return codes
	}
	for _, c := range []struct {
		on   day.Day
		want []string
	}{
		{day.Of(2026, 6, 30), nil}, // the period ends on that day
		{day.Of(2026, 7, 1), []string{never.Barcode}},
		{day.Of(2026, 8, 13), []string{never.Barcode, inTime.Barcode, late.Barcode}},
		{day.Of(2026, 8, 14), []string{never.Barcode, late.Barcode}},
		{day.Of(2026, 8, 15), []string{never.Barcode}},
		{day.At(now), []string{never.Barcode}},
		{day.Of(2026, 11, 1), []string{never.Barcode, worn.Barcode}},
	} {
		if got := out(c.on); strings.Join(got, " ") != strings.Join(c.want, " ") {
			t.Errorf("unreturned on %s: %v, want %v", c.on, got, c.want)
		}
	}
	counts, err := h.web.BadgeCounts(h.Context(), h.auth, id.Organisation{}, day.Of(2026, 1, 1), day.Of(2026, 9, 30))
	h.ok(err)
	by := map[register.ReturnClass]int{}
	for _, c := range counts {
		by[c.Return] += c.N
	}
	if by[register.NotBack] != 1 || by[register.InTime] != 1 || by[register.Late] != 1 || by[register.BackUnknown] != 1 {
		t.Errorf("counts %v", by)
	}
	stranger := h.user(policy.Supervisor, h.organisation("Ysbyty Arall", "700124"))
	if _, err := h.web.Unreturned(h.Context(), stranger, h.org, day.At(now)); err == nil {
		t.Error("another organisation's supervisor has the list")
	}
	if counts, err := h.web.BadgeCounts(h.Context(), stranger, id.Organisation{}, day.Of(2026, 1, 1), day.Of(2026, 9, 30)); err != nil || len(counts) != 0 {
		t.Errorf("another organisation's supervisor has counts %v, %v", counts, err)
	}
}

// A code comes back as it is printed, whatever blanks, control characters and line ends a scanner or typist puts around and into it.
func TestCleanBarcode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.StringMatching(`[A-Z0-9][A-Za-z0-9/-]{0,31}`).Draw(t, "code")
		noise := rapid.StringMatching(`[ \t\r\n\x00-\x1f\x7f]{0,3}`)
		at := rapid.IntRange(0, len(code)).Draw(t, "at")
		mark := rapid.SampledFrom([]string{"", "]C0", "]C1", "]A0"}).Draw(t, "mark")
		text := noise.Draw(t, "before") + mark + code[:at] + noise.Draw(t, "within") + code[at:] + noise.Draw(t, "after")
		if got := register.CleanBarcode(text); got != code {
			t.Fatalf("%q gives %q, want %q", text, got, code)
		}
	})
}

func TestIssueSpare(t *testing.T) {
	h := newHouse(t)
	w := h.takeOn(h.joiner(h.org), h.joiner(h.organisation("Ysbyty Arall", "700124")))
	known := h.badge(h.org, w[0], time.September)
	h.dispatch(known)
	spare := register.Spare{Barcode: " 7s00001\r", Wearer: w[0], Position: dose.Collar,
		Period: register.Period{Organisation: h.org, From: known.From, To: known.To, Batch: "B1"}}
	code, err := h.web.IssueSpare(h.Context(), h.auth, spare)
	h.ok(err)
	way, err := h.web.BadgeWay(h.Context(), h.auth, code)
	h.ok(err)
	if code != "7s00001" || way.State != register.Issued || way.Wearer != w[0] || way.Ends != known.To || way.Batch != "B1" {
		t.Errorf("the spare is %+v", way)
	}
	named, err := h.web.Named(h.Context(), h.auth, "", []register.Badge{way.Badge})
	h.ok(err)
	if named[0].Position != dose.Collar {
		t.Errorf("worn at %s", named[0].Position)
	}
	for name, change := range map[string]func(*register.Spare){
		"the same again":         func(*register.Spare) {},
		"a known badge, typed":   func(x *register.Spare) { x.Barcode = strings.ToLower(known.Barcode) },
		"no barcode":             func(x *register.Spare) { x.Barcode = "\t" },
		"nobody":                 func(x *register.Spare) { x.Barcode, x.Wearer = "N1", id.Wearer{} },
		"another employer's":     func(x *register.Spare) { x.Barcode, x.Wearer = "N2", w[1] },
		"an unknown employer's":  func(x *register.Spare) { x.Barcode, x.Period.Organisation = "N3", id.New[id.Organisation]() },
		"a supervisor issues it": func(x *register.Spare) { x.Barcode = "N4" },
	} {
		x, auth := spare, h.auth
		change(&x)
		if name == "a supervisor issues it" { // who may not write what says where a badge is worn
			auth = h.user(policy.Supervisor, h.org)
		}
		if _, err := h.web.IssueSpare(h.Context(), auth, x); err == nil {
			t.Errorf("%s: it was issued", name)
		}
	}
	// Its reading comes in as any badge's.
	d := register.Dispatched{Barcode: code, Batch: "B1", Organisation: h.org, Wearer: w[0], Position: dose.WholeBody, From: known.From, To: known.To}
	if _, p := h.preview(file(line{Dispatched: d})); p == nil || len(p.Refused) != 1 || !strings.Contains(texts(p.Refused), "collar") {
		t.Errorf("a report of another position: %+v", p)
	}
}

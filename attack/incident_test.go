package attack_test

import (
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/web/webtest"
)

// night is an incident at the browser, without a mouse.
type night struct {
	t       *testing.T
	h       *house.House
	tab     *webtest.Tab
	k       webtest.Keyboard
	users   map[string]string
	browser func() *webtest.Tab
}

// as opens the pages as somebody, in a browser of their own.
func (b *night) as(user string) *night {
	b.t.Helper()
	one := *b
	one.tab = b.browser()
	one.k = webtest.Keyboard{Tab: one.tab}
	signInAs(b.t, b.h, one.tab, b.users[user], func(string) {})
	return &one
}

func (b *night) see(texts ...string) {
	b.t.Helper()
	page := strings.Join(strings.Fields(b.tab.Text()), " ")
	for _, text := range texts {
		if !strings.Contains(page, text) {
			b.t.Fatalf("%q is not on the page: %s", text, page)
		}
	}
}

// look is what a strict reader says of a page; with DOSEVAULT_SCREENSHOTS=DIR it leaves a picture there.
func (b *night) look(name string) {
	b.t.Helper()
	b.tab.Axe()
	if dir := os.Getenv("DOSEVAULT_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), b.tab.Screenshot(), 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *night) date(name string, d day.Day) {
	t := d.Time()
	b.k.Type(name+"-day", fmt.Sprint(t.Day()))
	b.k.Type(name+"-month", fmt.Sprint(int(t.Month())))
	b.k.Type(name+"-year", fmt.Sprint(t.Year()))
}

// TestIncidentInBrowser: a laboratory was hacked. From the declaration to the signing off by two organisations everything is done at the pages, by
// keyboard alone: what is frozen, who is concerned, the mail that each organisation gets and the page behind its link, a question and its answer, decisions,
// and the end. Each officer sees the own people, and nothing of the other's.
func TestIncidentInBrowser(t *testing.T) {
	h := copyOfFilled(t)
	o, at := openOffice(t)
	h.Env = append(h.Env, "DOSEVAULT_SMTP=smtp://"+at, "DOSEVAULT_ALARM_MAIL=lead@service.example")
	h.Start("demo")
	b := &night{t: t, h: h, users: h.DemoUsers()}
	browser := webtest.Browser(t)
	b.browser = func() *webtest.Tab { return webtest.Open(t, browser, 1280, 900, "http://"+h.Listen, "http://"+h.Vault) }
	names, counts := b.twoEmployers()

	lead := b.as("Eleri Vaughan")
	lead.k.Follow("Incidents")
	lead.see("No breach has been declared.")
	lead.k.Follow("Declare a suspected breach")
	lead.look("breach-declare")
	lead.k.Follow("Continue")
	lead.see("Select what you suspect")
	lead.k.Choose("kind", "supplier")
	lead.k.Follow("Continue")
	lead.k.Type("which", breachLaboratory)
	lead.date("from", day.Of(2016, 1, 1))
	lead.k.Follow("Continue")
	lead.k.Type("text", "The laboratory telephoned: files were copied from one of its servers.")
	lead.k.Choose("drill", "no")
	lead.k.Choose("freeze", "yes")
	lead.k.Follow("Continue")
	lead.see("Check before you enter it", "The supplier "+breachLaboratory)
	lead.look("breach-check")
	lead.k.Follow("Declare it")
	lead.see("It is frozen", "2 organisations", "0 of 2 told", names[0], names[1], "Names, dates of birth, NI numbers and doses", "Very high")
	lead.look("breach")

	lead.k.Follow("Tell the organisations")
	lead.k.Type("text", "A laboratory that reads your badges was hacked. We have stopped all that is personal to it.")
	lead.k.Type("call-back", "029 2000 0000")
	lead.look("breach-tell")
	lead.k.Follow("Continue")
	lead.see("Check before they are told", names[0], names[1])
	lead.k.Follow("Tell them now")
	lead.see("Part 1, by e-mail")
	for i, address := range breachContacts {
		b.read(browserPage{b.browser(), b.mailTo(o, address)}, counts[i], i == 0)
	}

	for i, officer := range []string{"Carys Tudor", "Non Puw"} {
		own := b.as(officer)
		own.see("A suspected breach is open: ")
		own.k.Follow("See what is to be done")
		own.see(fmt.Sprintf("%d people", counts[i]), names[i])
		if strings.Contains(own.tab.Text(), names[1-i]) {
			t.Errorf("%s sees the other organisation: %s", officer, own.tab.Text())
		}
		own.look("breach-own")
		own.k.Follow("See who is concerned")
		own.see("Doses of 2018–2019", "Employment")
		own.look("breach-people")
		own.k.Follow("Back to the incident")
		if i == 0 {
			own.k.Follow("Ask the service")
			own.k.Type("text", "Why did the laboratory hold NI numbers?")
			own.k.Follow("Ask")
			own.see("Waits for an answer")
			lead.k.Follow("Incidents")
			lead.k.Follow("2")
			lead.see("Why did the laboratory hold NI numbers?", "2 of 2 told")
			lead.k.Follow("Answer")
			lead.k.Type("text", "For the national dose register.")
			lead.k.Follow("Answer")
			own.k.Follow("Incidents")
			own.k.Follow("2")
			own.see("For the national dose register.")
		}
		own.k.Follow("Decide about the regulator")
		own.k.Choose("report", "yes")
		own.k.Choose("people", "yes")
		own.k.Follow("Enter the decision")
		own.see("There is a problem", "Enter a text")
		own.k.Type("text", "An NI number can’t be changed.")
		own.k.Follow("Enter the decision")
		own.see("Reported to the regulator, and the people are told.")
		own.k.Follow("Sign off")
		own.k.Type("text", "Our people were told.")
		own.k.Follow("Sign off")
		own.see("Signed off")
		own.tab.Quiet(func(message string) bool { return strings.Contains(message, "422") }) // a form that is wrong on purpose
	}

	lead.k.Follow("Incidents")
	lead.k.Follow("2")
	lead.k.Follow("Tell the organisations")
	if page := lead.tab.Text(); strings.Count(page, "Read") < 1 || strings.Contains(page, "Not told") {
		t.Errorf("the states: %s", page)
	}
	lead.k.Follow("Back to the incident")
	lead.k.Follow("Close it")
	lead.k.Type("text", "Everybody was told. The contract asks for no NI numbers any more.")
	lead.k.Follow("Close it")
	lead.see("Closed")
	lead.look("breach-closed")
	lead.tab.Quiet(func(message string) bool { return strings.Contains(message, "422") })
	h.Stop()
	if out, err := h.Run("verify"); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
}

const breachLaboratory = "Labordy Dyffryn"

var breachContacts = []string{"dpo@one.example", "dpo@two.example"}

// twoEmployers has two organisations each a verified contact and an officer, and declares what a laboratory held of some of their people. It
// returns the organisations' names, the first being Carys Tudor's, and how many people of each are concerned.
func (b *night) twoEmployers() (names []string, counts []int) {
	b.t.Helper()
	client, auth, err := b.h.Office(b.users["Eleri Vaughan"])
	ok(b.t, err)
	_, carys, err := b.h.Office(b.users["Carys Tudor"])
	ok(b.t, err)
	own, err := client.Organisations(b.t.Context(), carys)
	ok(b.t, err)
	all, err := client.Organisations(b.t.Context(), auth)
	ok(b.t, err)
	wearers, _, _ := plain(b.t, b.h)
	i := slices.IndexFunc(all, func(o vaultclient.Organisation) bool { return o.ID != own[0].ID && len(wearers[o.ID.String()]) > 5 })
	orgs := []vaultclient.Organisation{own[0], all[i]}
	d := vaultclient.Declaration{Import: id.New[id.Import](), Recipient: "supplier:" + breachLaboratory, From: time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC), SHA256: make([]byte, 32)}
	for i, o := range orgs {
		names, counts = append(names, o.Name), append(counts, min(28+i, len(wearers[o.ID.String()])))
		for k, w := range wearers[o.ID.String()][:counts[i]] {
			n, err := id.From[id.Wearer](w)
			ok(b.t, err)
			fields := policy.FieldName | policy.FieldDose
			if k%4 == 0 {
				fields |= policy.FieldBirth | policy.FieldNI
			}
			d.Rows = append(d.Rows, vaultclient.DeclaredRow{Wearer: n, Fields: fields, Years: []uint16{2018, 2019}})
		}
		ok(b.t, client.SetNoticeContact(b.t.Context(), auth, vaultclient.NewNoticeContact{Organisation: o.ID, Contact: vaultclient.NoticeContact{Name: "Swyddog diogelu data", Email: breachContacts[i],
			Language: []vaultclient.NoticeLanguage{vaultclient.InEnglish, vaultclient.InBoth}[i], Verified: day.At(time.Now().UTC()), How: "telephoned"}}))
	}
	ok(b.t, client.Declare(b.t.Context(), auth, d))
	_, err = client.CreateUsers(b.t.Context(), auth, []vaultclient.NewUser{{Name: "Non Puw", Role: policy.DataProtection, Organisations: []id.Organisation{orgs[1].ID}}})
	if known, is := errors.AsType[*vaultclient.Error](err); is && known.Code == vaultclient.NeedsApproval {
		_, err = b.h.Agree(client, auth, b.users["Eleri Vaughan"], b.users["Owain Rees"], vaultclient.ApproveUser, vaultclient.NewUser{Name: "Non Puw", Role: policy.DataProtection, Organisations: []id.Organisation{orgs[1].ID}})
	}
	ok(b.t, err)
	b.users = b.h.DemoUsers()
	return names, counts
}

// mailTo waits for the mail to an address, and returns the English link in it.
func (b *night) mailTo(o *office, address string) string {
	b.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		o.mu.Lock()
		mails := o.got[address]
		o.mu.Unlock()
		if len(mails) > 0 {
			body, err := io.ReadAll(quotedprintable.NewReader(mails[0].Body))
			ok(b.t, err)
			link := regexp.MustCompile(`http://\S+/notice\?lang=en&secret=\S+`).FindString(string(body))
			if link == "" || len(mails) > 1 {
				b.t.Fatalf("%d mails to %s: %s", len(mails), address, body)
			}
			return link
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("no mail came to %s", address)
		}
	}
}

// browserPage is a page behind a link, in a browser of its own.
type browserPage struct {
	tab  *webtest.Tab
	link string
}

// read opens the page behind a notice's link and says that it was read.
func (b *night) read(p browserPage, people int, picture bool) {
	b.t.Helper()
	one := *b
	one.tab, one.k = p.tab, webtest.Keyboard{Tab: p.tab}
	p.tab.Go(p.link)
	one.see("Your staff concerned, at most: "+fmt.Sprint(people), "We have stopped all that is personal to it.", "029 2000 0000")
	if picture {
		one.look("breach-notice")
	}
	one.k.Follow("We have read this")
	one.see("You have said that you have read this")
	p.tab.Quiet(nil)
}

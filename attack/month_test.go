package attack_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/store/storetest/pgtest"
	"github.com/dosevault/dosevault/internal/web/webtest"
)

// month is a co-ordinator's first month at the browser, without a mouse.
type month struct {
	t    *testing.T
	h    *house.House
	dir  string
	tab  *webtest.Tab
	k    webtest.Keyboard
	from day.Day // the wear period
	to   day.Day
}

const (
	monthPeople = 60
	monthBoard  = "Bwrdd Iechyd Llŷn"
)

// TestAMonth: people and their badges come in by lists, with a refused row that is corrected and loaded again, badges are handed out, sixty are scanned back, a laboratory's file comes in,
// its refused rows are corrected and loaded again, an investigation is seen, and a wearer looks at who saw the own record.
func TestAMonth(t *testing.T) {
	browser := webtest.Browser(t)
	t.Run("SQLite", func(t *testing.T) { liveAMonth(t, browser, nil) })
	t.Run("PostgreSQL", func(t *testing.T) {
		server := pgtest.Shared(t)
		liveAMonth(t, browser, []string{"DOSEVAULT_DATABASE=" + server.Database(t), "DOSEVAULT_VAULT_DATABASE=" + server.Database(t)})
	})
}

func liveAMonth(t *testing.T, browser context.Context, env []string) {
	m := &month{t: t, h: house.New(t), dir: t.TempDir()}
	m.h.Env = append(env, "DOSEVAULT_LISTEN="+m.h.Listen, "DOSEVAULT_VAULT_LISTEN="+m.h.Vault)
	today := day.At(time.Now().UTC())
	m.from = day.Of(today.Year(), time.Now().UTC().Month(), 1).AddMonths(-1)
	m.to = m.from.AddMonths(1) - 1
	m.h.Start("serve")
	m.command("signin", "http://"+m.h.Vault+"/link?secret="+m.h.FirstLink())
	m.command("users", "add", "Mair Evans", "--role", "co-ordinator")
	m.tab = webtest.Open(t, browser, 1280, 900, "http://"+m.h.Listen, "http://"+m.h.Vault)
	m.k = webtest.Keyboard{Tab: m.tab}
	authenticator(t, m.tab)

	m.signIn(m.linkIn(m.command("users", "link", "Mair Evans")))
	m.employer()
	m.lists()
	m.handOut()
	m.scanBack()
	m.results()
	m.investigation()
	m.wearer()
	m.tab.Quiet(func(message string) bool { return strings.Contains(message, "422") }) // a form that is wrong on purpose
	m.h.Stop()
	m.command("verify")
}

// command runs a command of the program.
func (m *month) command(args ...string) string {
	m.t.Helper()
	out, err := m.h.Run(args...)
	if err != nil {
		m.t.Fatalf("dosevault %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (m *month) linkIn(text string) string {
	m.t.Helper()
	_, link, ok := strings.Cut(text, "http://")
	if !ok {
		m.t.Fatalf("no link: %s", text)
	}
	return "http://" + strings.TrimSpace(link)
}

// see fails the test unless the page has a text.
func (m *month) see(texts ...string) {
	m.t.Helper()
	page := strings.Join(strings.Fields(m.tab.Text()), " ")
	for _, text := range texts {
		if !strings.Contains(page, text) {
			m.t.Fatalf("%q is not on the page: %s", text, page)
		}
	}
}

func (m *month) write(name, text string) string {
	m.t.Helper()
	path := filepath.Join(m.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
	return path
}

// picture keeps the page as docs/co-ordinator.md shows it, with DOSEVAULT_SCREENSHOTS=DIR.
func (m *month) picture(name string) {
	m.t.Helper()
	if dir := os.Getenv("DOSEVAULT_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), m.tab.Screenshot(), 0o644); err != nil {
			m.t.Fatal(err)
		}
	}
}

func (m *month) signIn(link string) {
	m.tab.Go(link)
	m.k.Type("name", "Laptop")
	m.k.Follow("Create a passkey")
	m.k.Follow("Continue as")
}

func (m *month) employer() {
	m.k.Follow("Organisations")
	m.k.Follow("Add an organisation")
	m.k.Follow("Continue")
	m.see("There is a problem", "Enter the organisation's name")
	m.k.Type("name", monthBoard)
	m.k.Choose("kind", "health-board")
	m.k.Choose("standing", "processor")
	m.k.Type("contact", "Swyddog diogelu data")
	m.k.Type("email", "dpo@llyn.example")
	m.k.Follow("Continue")
	m.see("Check before you add the organisation", "dpo@llyn.example")
	m.tab.Axe()
	m.k.Follow("Add the organisation")
	m.see("The organisation was added")
	m.k.Open("/settings/accounts")
	m.k.Type("accounts", "700123")
	m.k.Follow("Save")
	m.see("The settings were changed", "700123")
}

// staffNumber, surname and barcode are those of the i-th of the people.
func staffNumber(i int) string { return fmt.Sprintf("S%04d", i+1) }
func surname(i int) string     { return "Synthetig" + string(rune('a'+i%26)) + string(rune('a'+i/26)) }
func barcode(i int) string     { return fmt.Sprintf("50%05dA", i+1) }

// lists loads the staff and what the laboratory dispatched.
func (m *month) lists() {
	var people, badges strings.Builder
	fmt.Fprintln(&people, "Organisation,Staff Number,Surname,Forenames,Date of Birth,Sex,Department")
	fmt.Fprintln(&badges, "organisation,barcode,batch,staff_number,position,from,to")
	for i := range monthPeople {
		birth := fmt.Sprintf("1985-03-%02d", 1+i%28)
		if i == monthPeople-1 {
			birth = wrongBirth
		}
		fmt.Fprintf(&people, "%s,%s,%s,Siân,%s,F,%s\n", monthBoard, staffNumber(i), surname(i), birth, []string{"Cathlab", "Theatrau"}[i%2])
		fmt.Fprintf(&badges, "%s,%s,L1,%s,whole body,%s,%s\n", monthBoard, barcode(i), staffNumber(i), m.from, m.to)
	}
	m.loadList("a staff list", m.write("people.csv", people.String()))
	m.see("New people 59", "Refused 1", "Row 61", "Date of Birth")
	m.tab.Axe()
	m.picture("list")
	name, refused := m.k.Download("Download the refused rows")
	if !strings.HasPrefix(name, "refused-rows-") || strings.Count(string(refused), wrongBirth) != 1 || strings.Count(string(refused), "\n") != 2 {
		m.t.Fatalf("%s: %s", name, refused)
	}
	m.k.Follow("Store 59 rows")
	m.see("59 rows stored")
	m.loadList("a staff list", m.write("again.csv", strings.Replace(string(refused), wrongBirth, "1985-03-04", 1)))
	m.see("New people 1", "Refused 0")
	m.k.Follow("Store 1 row")
	m.see("1 row stored")
	m.k.Follow("Load the list of their badges")
	m.sendList(m.write("badges.csv", badges.String()))
	m.see("Badges 60", "Refused 0")
	m.k.Follow("Store 60 rows")
	m.see("60 rows stored")
	m.k.Follow("Find a wearer")
	m.k.Enter("q", "synthetigaa")
	m.await("1 wearer found")
}

// wrongBirth is a day that is not in the calendar.
const wrongBirth = "1985-02-30"

// loadList loads a list and looks at what it would change.
func (m *month) loadList(what, path string) {
	m.t.Helper()
	m.k.Follow("Files")
	m.k.Follow("Load " + what)
	m.sendList(path)
}

func (m *month) sendList(path string) {
	m.t.Helper()
	m.k.Upload("file", path)
	m.k.Type("sender", "Adran bersonél")
	m.k.Follow("Load the list")
	m.see("Check your list")
}

// await looks at the page again and again until it has a text.
func (m *month) await(text string) {
	m.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(strings.Join(strings.Fields(m.tab.Text()), " "), text); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			m.see(text)
		}
	}
}

// handOut prints labels' page and the badges' state.
func (m *month) handOut() {
	m.k.Follow("Organisations")
	m.k.Open("/wearers")
	m.see(strconv.Itoa(monthPeople) + " wearers")
	m.k.Open("/badges")
	m.see("Periods and batches")
	m.tab.Axe()
}

func (m *month) scanBack() {
	m.k.Follow("Return badges")
	for i := range monthPeople {
		m.k.Enter("barcode", barcode(i))
		m.await(fmt.Sprintf("Returned by you today: %d", i+1))
	}
	m.picture("return")
	m.k.Enter("barcode", "nothing known")
	m.await("unknown")
	m.k.Follow("Organisations")
	m.k.Open("/badges")
	m.k.Follow("Send to the laboratory")
	m.k.Choose("batch", "all")
	m.k.Follow("Send")
	m.see("The badges count as sent")
}

// report is the laboratory's file: everybody's dose in µSv of the deep quantity, the rows of two barcodes that are not there.
func (m *month) report(name string, rows map[string]int) string {
	m.t.Helper()
	heading, _, _ := strings.Cut(string(read(m.t, filepath.Join("..", "internal", "labfile", "testdata", "quirks.csv"))), "\n")
	var file strings.Builder
	fmt.Fprintln(&file, heading)
	for i := range monthPeople {
		for _, code := range []string{barcode(i), "X" + barcode(i)} {
			if dose, ok := rows[code]; ok {
				fmt.Fprintf(&file, "700123,%s,A,,%s,%s,%d,,,\"%s, SIAN\",,LUXEL,CHEST,P,%s,%s,%d.%02d,,%[8]d.%02[9]d,,,,,,,,,,,2020/01,%s,0,\n",
					monthBoard, m.to+10, m.to+11, i, strings.ToUpper(surname(i)), m.from, m.to, dose/1000, dose%1000/10, code)
			}
		}
	}
	return m.write(name, file.String())
}

// load loads a laboratory's file and follows it to its preview.
func (m *month) load(path string) {
	m.t.Helper()
	m.k.Follow("Files")
	m.k.Follow("Load a laboratory's file")
	m.k.Upload("file", path)
	m.k.Type("sender", "Labordy")
	m.k.Follow("Load the file")
	m.await("To be confirmed")
}

func (m *month) results() {
	rows := map[string]int{}
	for i := range monthPeople {
		rows[barcode(i)] = 10 * (i + 1)
	}
	rows[barcode(0)] = 25_000 // above the limit
	for i := monthPeople - 2; i < monthPeople; i++ {
		delete(rows, barcode(i))
		rows["X"+barcode(i)] = 100 // misread by the laboratory
	}
	m.load(m.report("report.csv", rows))
	m.see("Refused 2", "Serial Number", "No badge with this serial number was dispatched")
	m.tab.Axe()
	m.picture("preview")
	m.k.Follow("Import 58 rows")
	m.await("Stored 58")

	corrected := map[string]int{}
	for i := monthPeople - 2; i < monthPeople; i++ {
		corrected[barcode(i)] = 100
	}
	m.load(m.report("corrected.csv", corrected))
	m.see("Refused 0")
	m.k.Follow("Import 2 rows")
	m.await("Stored 2")
}

func (m *month) investigation() {
	m.k.Follow("Overview")
	m.see("Investigations at "+monthBoard, "See which are open")
	m.k.Open("/investigations")
	m.see(surname(0), "25.00 mSv")
	m.tab.Axe()
	m.k.Follow(surname(0))
	m.k.Follow("Add a note")
	m.see("There is a problem")
	m.k.Type("text", "The badge was on the table in the cath lab.")
	m.k.Follow("Add a note")
	m.see("The badge was on the table")
	m.k.Follow("Find a wearer")
	m.k.Enter("q", surname(0))
	m.await("1 wearer found")
	m.k.Follow(surname(0))
	m.see("Dose against limits", "above the legal limit")
}

// wearer gives the first of the people access to the own record, who then looks at who saw it.
func (m *month) wearer() {
	m.k.Unfold("Change this record")
	m.k.Follow("Let them sign in")
	m.k.Follow("Continue")
	m.k.Follow("Add the user")
	m.k.Follow("Make")
	link := webtest.Eval[string](m.tab, `document.getElementById("secret").value`)
	m.k.Follow("Sign out")
	m.signIn(link)
	m.see("Your radiation doses", monthBoard)
	m.k.Follow("Who has seen")
	m.see("Who has seen my data?", "A co-ordinator saw your", "to assess doses")
	m.tab.Axe()
}

package attack_test

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/attack/scan"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/synth"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// markersOf are the names, birth dates, NI numbers and doses of the marker people for whom in holds, as pages and files write them.
func markersOf(s *synth.Service, in func(organisation int) bool) []scan.Marker {
	var all []scan.Marker
	for _, m := range s.Markers {
		if !in(s.Wearers[m.Wearer].Organisation) {
			continue
		}
		what := fmt.Sprintf("%s of marker person %d", m.Field, m.Person)
		switch m.Field {
		case policy.FieldName:
			all = append(all, scan.Text(what, m.Text))
		case policy.FieldNI:
			all = append(all, scan.NI(what, m.Text))
		case policy.FieldBirth:
			d, err := time.Parse(time.DateOnly, m.Text)
			if err != nil {
				panic(err)
			}
			all = append(all, scan.Date(what, d.Year(), d.Month(), d.Day()))
		case policy.FieldDose:
			n, err := strconv.ParseInt(m.Text, 10, 64)
			if err != nil {
				panic(err)
			}
			milli := dose.MicroSv(n).MilliSv() // "5123456.789": a page has commas between the thousands
			all = append(all, scan.Text(what, m.Text), scan.Text(what+" in mSv", milli), scan.Text(what+" on a page", milli[:1]+","+milli[1:4]+","+milli[4:]))
		}
	}
	return all
}

// namesOf are the whole names of all who work for employers for which in holds, but of those whose names somebody elsewhere has too.
func namesOf(s *synth.Service, in func(organisation int) bool) []scan.Marker {
	elsewhere := map[string]bool{}
	named := map[string]bool{}
	for _, w := range s.Wearers {
		for _, name := range []string{w.Identity.Surname.Expose() + ", " + w.Identity.Forenames.Expose(), w.Identity.Forenames.Expose() + " " + w.Identity.Surname.Expose()} {
			if in(w.Organisation) {
				named[name] = len(name) >= 12
			} else {
				elsewhere[name] = true
			}
		}
	}
	var all []scan.Marker
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if named[name] && !elsewhere[name] {
			all = append(all, scan.Text("a whole name", name))
		}
	}
	return all
}

// walker is somebody with a session, who asks the pages for whatever there is.
type walker struct {
	t       *testing.T
	h       *house.House
	session string
	got     bytes.Buffer // every answer
	pages   int
}

// ask sends a request as a browser would, and keeps what comes back. A form makes it a POST.
func (w *walker) ask(path string, form url.Values) (status int, kind string, body []byte) {
	w.t.Helper()
	method, sent := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, sent = http.MethodPost, strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, "http://"+w.h.Listen+path, sent)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.AddCookie(&http.Cookie{Name: "session", Value: w.session})
	resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	w.pages++
	// What a reader sees: without the entities of HTML, and with plain spaces.
	w.got.WriteString(strings.ReplaceAll(html.UnescapeString(string(b)), "\u00a0", " "))
	for name, values := range resp.Header {
		fmt.Fprintf(&w.got, "\n%s: %s\n", name, values)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), b
}

var (
	hrefs = regexp.MustCompile(`href="(/[^"]*)"`)
	ids   = regexp.MustCompile(`[a-z2-7]{26}`)
)

// crawl follows every link from the overview on, most of each kind of page.
func (w *walker) crawl(most int) {
	w.t.Helper()
	seen, kinds := map[string]bool{"/": true}, map[string]int{}
	for queue := []string{"/"}; len(queue) > 0; queue = queue[1:] {
		status, kind, body := w.ask(queue[0], nil)
		if status >= 500 {
			w.t.Errorf("%s: %d", ids.ReplaceAllString(queue[0], "…"), status)
		}
		if !strings.HasPrefix(kind, "text/html") {
			continue
		}
		for _, m := range hrefs.FindAllSubmatch(body, -1) {
			to := html.UnescapeString(string(m[1]))
			path, _, _ := strings.Cut(to, "?")
			kind := ids.ReplaceAllString(path, "{id}")
			if seen[to] || strings.HasPrefix(path, "/assets/") || strings.HasPrefix(path, "/sign") || kinds[kind] >= most {
				continue
			}
			seen[to] = true
			kinds[kind]++
			queue = append(queue, to)
		}
	}
	if len(kinds) < 8 {
		w.t.Errorf("only %d kinds of pages were reached: %v", len(kinds), kinds)
	}
}

// getRoutes are the patterns of the pages that are looked at, as their source declares them: a new one is walked too.
func getRoutes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../internal/web/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") || strings.HasSuffix(f, "_templ.go") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(b)
	}
	var patterns []string
	for _, m := range regexp.MustCompile(`\{"GET ([^"]*)"(?: \+ (\w+))?`).FindAllStringSubmatch(source.String(), -1) {
		pattern := m[1]
		for name := m[2]; name != ""; {
			value := regexp.MustCompile(`\b` + name + `\s*=\s*(?:(\w+) \+ )?"([^"]*)"`).FindStringSubmatch(source.String())
			if value == nil {
				t.Fatalf("the address %s is not found in the source", name)
			}
			pattern, name = value[2]+pattern, value[1]
		}
		if strings.HasPrefix(pattern, "/") && !strings.HasPrefix(pattern, "/assets") && !strings.HasPrefix(pattern, "/sign") {
			patterns = append(patterns, strings.TrimSuffix(pattern, "{$}"))
		}
	}
	if len(patterns) < 40 {
		t.Fatalf("only %d routes were found: nothing is shown", len(patterns))
	}
	return patterns
}

// columnOf reads a column of the stolen register as ids.
func columnOf(t *testing.T, h *house.House, query string) []string {
	t.Helper()
	rows, err := readOnly(t, registerDB(h)).Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			t.Fatal(err)
		}
		if n, err := id.From[id.Row](b); err == nil {
			all = append(all, n.String())
		} else {
			all = append(all, string(b))
		}
	}
	if err := rows.Err(); err != nil || len(all) == 0 {
		t.Fatalf("%s: nothing: %v", query, err)
	}
	return all
}

// others asks every page there is, by its address, about other employers and their people: who knows all ids, as from a stolen
// register, has nothing by that.
func (w *walker) others(organisations []id.Organisation) {
	w.t.Helper()
	for _, o := range organisations {
		quoted := fmt.Sprintf("x'%x'", o[:])
		values := map[string][]string{"{organisation}": {o.String()},
			"{wearer}":  columnOf(w.t, w.h, "SELECT id FROM wearer WHERE organisation = "+quoted+" LIMIT 3"),
			"{barcode}": columnOf(w.t, w.h, "SELECT barcode FROM wear_period WHERE organisation = "+quoted+" LIMIT 3")}
		for what, of := range map[string]string{"{investigation}": "SELECT id FROM investigation LIMIT 2", "{import}": "SELECT id FROM import LIMIT 2"} {
			values[what] = columnOf(w.t, w.h, of)
		}
		for _, pattern := range getRoutes(w.t) {
			for i := range 3 {
				path, theirs := pattern, false
				for what, all := range values {
					if strings.Contains(path, what) {
						path = strings.ReplaceAll(path, what, url.PathEscape(all[i%len(all)]))
						theirs = true
					}
				}
				path = strings.NewReplacer("{part}", []string{"name", "leave", "accounts"}[i], "{kind}", []string{"people", "leavers", "badges"}[i]).Replace(path)
				path = regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, o.String())
				if status, _, _ := w.ask(path, nil); theirs && status < 400 || status >= 500 {
					w.t.Errorf("%s about another employer: %d", pattern, status)
				}
				if !theirs {
					break
				}
			}
		}
		at := "/organisations/" + o.String()
		for path, form := range map[string]url.Values{
			at + "/doses":             {"what": {"list"}, "year": {"2026"}},
			at + "/wearers":           {"q": {"e"}},
			at + "/badges/unreturned": {"on": {"2026-10-31"}},
			at + "/badges/print":      {"from": {"2026-01-01"}, "to": {"2026-01-31"}, "kind": {"sheets"}, "department": {"all"}},
			"/find":                   {"q": {"e"}},
			"/return":                 {"barcode": values["{barcode}"][:1]},
			"/wearers/" + values["{wearer}"][0] + "/copy": {"as": {"csv"}},
		} {
			if status, kind, _ := w.ask(path, form); status >= 500 || strings.Contains(kind, "csv") || strings.Contains(kind, "pdf") {
				w.t.Errorf("%s about another employer: %d, %s", ids.ReplaceAllString(path, "…"), status, kind)
			}
		}
	}
}

// TestASupervisorGetsNothingOfAnotherEmployer: every page and file that a radiation protection supervisor gets, by following links, by asking for
// every address there is with other employers' ids, and by sending forms, has no name, birth date, NI number or dose of anybody who works
// for others; and what the ledgers say that this user saw is of the own employer alone.
func TestASupervisorGetsNothingOfAnotherEmployer(t *testing.T) {
	t.Parallel()
	h := copyOfFilled(t)
	h.Start("demo", "--people", small)
	web := h.Client("web")
	auth, err := h.SignIn(web, h.DemoUsers()["Eleri Vaughan"])
	if err != nil {
		t.Fatal(err)
	}
	office, clerk, err := h.Office(h.DemoUsers()["Eleri Vaughan"])
	if err != nil {
		t.Fatal(err)
	}
	orgs, err := web.Organisations(t.Context(), auth)
	if err != nil {
		t.Fatal(err)
	}
	s := seeded()
	known := func(organisation int) id.Organisation {
		return orgs[slices.IndexFunc(orgs, func(o vaultclient.Organisation) bool { return o.Name == s.Organisations[organisation].Name })].ID
	}
	host := s.Wearers[s.Markers[0].Wearer].Organisation // marker people work here
	other := slices.IndexFunc(s.Wearers, func(w synth.Wearer) bool {
		return w.Organisation != host && len(s.Organisations[w.Organisation].Wearers) > 3
	})
	for name, own := range map[string]int{"where marker people work": host, "where none works": s.Wearers[other].Organisation} {
		t.Run(name, func(t *testing.T) {
			from := time.Now()
			users, err := office.CreateUsers(t.Context(), clerk, []vaultclient.NewUser{{Name: "Supervisor " + name, Role: policy.Supervisor, Organisations: []id.Organisation{known(own)}}})
			if err != nil {
				t.Fatal(err)
			}
			link, err := office.NewLink(t.Context(), clerk, users[0])
			if err != nil {
				t.Fatal(err)
			}
			session, err := h.Enrol(web, link)
			if err != nil {
				t.Fatal(err)
			}
			w := &walker{t: t, h: h, session: session.Session}
			w.crawl(15)
			at := "/organisations/" + known(own).String()
			for what, form := range map[string]url.Values{at + "/doses": {"what": {"list"}, "year": {"2026"}}, at + "/badges/unreturned": {"on": {"2026-10-31"}}} {
				if status, kind, _ := w.ask(what, form); status != http.StatusOK || !strings.HasPrefix(kind, "text/csv") {
					t.Errorf("the own file: %d, %s", status, kind)
				}
			}
			strangers := []id.Organisation{}
			for _, o := range orgs {
				if o.ID != known(own) && len(strangers) < 3 {
					strangers = append(strangers, o.ID)
				}
			}
			w.others(append(strangers, known(map[bool]int{true: s.Wearers[other].Organisation, false: host}[own == host])))

			// That the walk shows something: the own people's names are in it, and the marker people's doses.
			mine, err := scan.Compile(append(markersOf(s, func(o int) bool { return o == own }), namesOf(s, func(o int) bool { return o == own })...)...)
			if err != nil {
				t.Fatal(err)
			}
			found, _, err := mine.Reader(bytes.NewReader(w.got.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			kinds := map[string]bool{}
			for _, f := range found {
				kind, _, _ := strings.Cut(f.Marker, " of ")
				kinds[kind] = true
			}
			if len(found) < 3 || own == host && !kinds["dose"] || kinds["NI number"] || kinds["date of birth"] {
				t.Errorf("of the own people the walk found %d values, of the kinds %v", len(found), slices.Sorted(maps.Keys(kinds)))
			}
			theirs := func(o int) bool { return o != own }
			set, err := scan.Compile(append(markersOf(s, theirs), namesOf(s, theirs)...)...)
			if err != nil {
				t.Fatal(err)
			}
			found, n, err := set.Reader(bytes.NewReader(w.got.Bytes()))
			if err != nil || n < 100_000 || set.Chance(n) > 0.01 {
				t.Fatalf("%d bytes, %v", n, err)
			}
			for _, f := range found {
				t.Errorf("it got %s", f)
			}
			x, err := web.Exposures(t.Context(), auth, vaultclient.ExposureRequest{Recipient: vaultclient.Recipient("user:" + users[0].String()), From: from.Add(-time.Second), To: time.Now().Add(time.Minute)})
			if err != nil || len(x.Cells) == 0 {
				t.Fatalf("%+v, %v", x, err)
			}
			for _, c := range x.Cells {
				if c.Organisation != known(own) || c.Fields&(policy.FieldBirth|policy.FieldNI|policy.FieldHealth|policy.FieldContact) != 0 {
					t.Errorf("the ledgers say that it saw %v of %d people of %s", c.Fields, c.Wearers, c.Organisation)
				}
			}
			t.Logf("%d answers, %d bytes", w.pages, n)
		})
	}
}

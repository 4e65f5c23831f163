package attack_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/letter/lettertest"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// printed is a wear period of an organisation as the stolen register shows it: whose badge has which barcode.
type printed struct {
	org      id.Organisation
	from, to day.Day
	wearers  map[string]id.Wearer // by barcode; control badges are left out
}

// aPeriod finds the period in which most badges were worn.
func aPeriod(t *testing.T, h *house.House) printed {
	t.Helper()
	db := openDB(t, registerDB(h))
	defer db.Close()
	p := printed{wearers: map[string]id.Wearer{}}
	var org []byte
	if err := db.QueryRow("SELECT organisation, starts, ends FROM wear_period WHERE wearer <> zeroblob(16) GROUP BY 1, 2, 3 ORDER BY count(*) DESC, ends DESC LIMIT 1").Scan(&org, &p.from, &p.to); err != nil {
		t.Fatal(err)
	}
	p.org = id.Organisation(org)
	rows, err := db.Query("SELECT barcode, wearer FROM wear_period WHERE organisation = $1 AND starts = $2 AND ends = $3 AND wearer <> zeroblob(16)", org, p.from, p.to)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var code string
		var w []byte
		if err := rows.Scan(&code, &w); err != nil {
			t.Fatal(err)
		}
		p.wearers[code] = id.Wearer(w)
	}
	if len(p.wearers) < 5 {
		t.Fatalf("only %d badges in a period: this shows nothing", len(p.wearers))
	}
	return p
}

// everybody returns the names of all wearers of the service: as paper shows them, and as they are in full.
func everybody(t *testing.T, client *vc.Client, auth vc.Auth) (called, full map[id.Wearer]string) {
	t.Helper()
	called, full = map[id.Wearer]string{}, map[id.Wearer]string{}
	for total := 1; len(full) < total; {
		r, err := client.Search(context.Background(), auth, vc.SearchRequest{Purpose: policy.IssueBadges, Leavers: true, Offset: len(full), Limit: vc.MaxPage})
		if err != nil {
			t.Fatal(err)
		}
		total = r.Total
		for _, x := range r.Records {
			surname, forenames := x.Identity.Surname.Expose(), x.Identity.Forenames.Expose()
			full[x.Wearer] = surname + ", " + forenames
			called[x.Wearer] = surname + ", " + cmp.Or(x.Identity.KnownAs.Expose(), forenames)
		}
	}
	return called, full
}

// namesOn returns those of the names that stand on a paper. A name that was too long for its place is cut off with ….
func namesOn(texts []string, names map[id.Wearer]string) map[string]bool {
	out := map[string]bool{}
	for _, text := range texts {
		beginning, cut := strings.CutSuffix(text, "…")
		for _, n := range names {
			if n == text || cut && strings.Contains(beginning, ",") && strings.HasPrefix(n, beginning) {
				out[n] = true
			}
		}
	}
	return out
}

// TestPaperNamesWhomTheLedgerSays: whoever finds sheets, labels or a list that the service printed reads the export's id on each
// sheet; and whose names are on it is exactly what the ledger answers for that export, over the command line and the pages alike.
func TestPaperNamesWhomTheLedgerSays(t *testing.T) {
	t.Parallel()
	h := copyOfFilled(t)
	p := aPeriod(t, h)
	h.Start("demo", "--people", small)
	coordinator(t, h)
	client := h.Client("web")
	auth, err := h.SignIn(client, h.DemoUsers()["Eleri Vaughan"])
	if err != nil {
		t.Fatal(err)
	}
	called, full := everybody(t, client, auth)
	orgs, err := client.Organisations(context.Background(), auth)
	if err != nil {
		t.Fatal(err)
	}
	organisation := orgs[slices.IndexFunc(orgs, func(o vc.Organisation) bool { return o.ID == p.org })].Name

	check := func(what string, names map[id.Wearer]string, texts []string) {
		t.Helper()
		found := regexp.MustCompile(`\b[a-z2-7]{26}\b`).FindString(strings.Join(texts, "\n"))
		if found == "" {
			t.Fatalf("%s: no export's id: %q", what, texts)
		}
		x, err := client.Exposures(context.Background(), auth, vc.ExposureRequest{Recipient: vc.Recipient("export:" + found), From: time.Unix(0, 0), To: time.Now().AddDate(1, 0, 0), List: true})
		if err != nil {
			t.Fatal(err)
		}
		entered := map[string]bool{}
		for _, e := range x.List {
			if e.Fields != policy.FieldName|policy.FieldEmployment || e.Organisation != p.org || e.Basis != "gate" {
				t.Errorf("%s: entered as %+v", what, e)
			}
			entered[names[e.Wearer]] = true
		}
		read := namesOn(texts, names)
		if len(read) == 0 || !maps.Equal(read, entered) {
			t.Errorf("%s: %d names are on it, %d in the ledger, %d in all", what, len(read), len(entered), len(names))
		}
		for code, w := range p.wearers {
			if slices.Contains(texts, code) && !entered[names[w]] {
				t.Errorf("%s: a badge is on it whose wearer is not entered", what)
			}
		}
		t.Logf("%s: %d names, as entered", what, len(read))
	}
	pdf := func(what string, b []byte) [][]string {
		t.Helper()
		pages, err := lettertest.Texts(b)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		first := regexp.MustCompile(`Export [a-z2-7]{26}`).FindString(strings.Join(pages[0], "\n"))
		for i, p := range pages {
			if first == "" || !strings.Contains(strings.Join(p, "\n"), first) {
				t.Errorf("%s: sheet %d does not say which export it is of", what, i+1)
			}
		}
		return pages
	}
	dir := t.TempDir()
	run := func(name string, args ...string) []byte {
		t.Helper()
		path := filepath.Join(dir, name)
		args = append([]string{"badges", args[0], "--organisation", organisation}, args[1:]...)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "FILE", path)
		}
		if out, err := h.Run(args...); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		return read(t, path)
	}
	from, to := p.from.String(), p.to.String()
	sheets := pdf("sheets", run("sheets.pdf", "sheet", "FILE", "--from", from, "--to", to))
	check("all sheets", called, slices.Concat(sheets...))
	check("labels", called, slices.Concat(pdf("labels", run("labels.pdf", "labels", "FILE", "--from", from, "--to", to, "--stock", "65"))...))
	// One department alone, of the fullest sheet: its name stands below the headings "organisation" and "Issue sheet".
	fullest := slices.MaxFunc(sheets, func(a, b []string) int { return len(a) - len(b) })
	check("one department", called, slices.Concat(pdf("one department", run("one.pdf", "sheet", "FILE", "--from", from, "--to", to, "--department", fullest[2]))...))
	records, err := csv.NewReader(bytes.NewReader(run("list.csv", "unreturned", "--csv", "FILE", "--on", (p.to + 1).String()))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, r := range records[1:] {
		texts = append(texts, r[0], r[1], r[3]+", "+r[4])
	}
	check("the list", full, texts)

	// The same over the pages, with a browser's session.
	form := url.Values{"from": {from}, "to": {to}, "batch": {""}, "kind": {"labels-21"}, "department": {"all"}}
	request, err := http.NewRequest(http.MethodPost, fmt.Sprintf("http://%s/organisations/%s/badges/print", h.Listen, p.org), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	request.AddCookie(&http.Cookie{Name: "session", Value: auth.Session})
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("the page answers %d, %v", response.StatusCode, err)
	}
	check("labels of the page", called, slices.Concat(pdf("labels of the page", b)...))
}

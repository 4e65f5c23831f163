// Command pages measures how long people wait for the pages that they use most, asked for by sixteen signed-in
// co-ordinators at once over HTTP, each answer with what it reveals entered in the ledger first. The reference is a page
// of the same program on which nobody stands.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/dosevault/dosevault/bench/ref"
	"github.com/dosevault/dosevault/bench/service"
	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

func main() {
	people := flag.Int("people", 4766, "wearers in all, over organisations of 654, of 3,000 and of the rest")
	requests := flag.Int("requests", 1600, "requests for each page")
	dir := flag.String("dir", ".", "directory on the disk to measure")
	onPostgreSQL := flag.Bool("postgres", false, "with its databases on a PostgreSQL server of its own")
	asJSON := flag.Bool("json", false, "print JSON")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop() // the program is stopped and its directory removed, whoever ends the benchmark
	r, err := run(ctx, *dir, *people, *requests, *onPostgreSQL)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/pages:", err)
		os.Exit(1)
	}
	if *asJSON {
		json.NewEncoder(os.Stdout).Encode(r)
		return
	}
	fmt.Printf("%s\n%d people, %d users at once\n", r.Disk, r.People, users)
	for _, m := range r.Measured {
		fmt.Printf("%-30s p50 %7.1f ms   p99 %7.1f ms   %6.1f times the page without anybody\n", m.Page, m.P50, m.P99, m.Ratio)
	}
}

// users is how many ask at once.
const users = 16

// Result is what was measured.
type Result struct {
	Disk     string     `json:"disk"`
	People   int        `json:"people"`
	Measured []Measured `json:"measured"`
}

// Measured is one page; times in milliseconds.
type Measured struct {
	Page  string  `json:"page"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Ratio float64 `json:"ratio"` // of p50 to the page without anybody
}

// page is what is asked for: the n-th request.
type page struct {
	name    string
	shows   string // a text that is on it
	request func(n int) (method, path string, form url.Values)
}

func run(ctx context.Context, dir string, people, requests int, onPostgreSQL bool) (r Result, err error) {
	disk, err := ref.Describe(dir)
	if err != nil {
		return r, err
	}
	r.Disk, r.People = disk.String(), people
	s, err := service.Start(ctx, dir, service.Setup{PostgreSQL: onPostgreSQL})
	if err != nil {
		return r, err
	}
	defer func() {
		if e := s.Stop(); err == nil {
			err = e
		}
	}()
	sizes := []int{min(654, people/4), min(3000, people/2)}
	sizes = append(sizes, people-sizes[0]-sizes[1])
	var orgs []id.Organisation
	var wearers []id.Wearer
	for i, n := range sizes {
		org, ws, err := s.Employ(ctx, fmt.Sprintf("Benchmark Board %d", i+1), fmt.Sprintf("%d", 100200+i), n)
		if err != nil {
			return r, err
		}
		orgs = append(orgs, org)
		wearers = append(wearers, ws[:min(len(ws), 200)]...)
		if err := history(ctx, s, org, fmt.Sprintf("%d", 100200+i), ws[:min(len(ws), 200)]); err != nil {
			return r, err
		}
	}
	list := func(org id.Organisation) func(int) (string, string, url.Values) {
		return func(int) (string, string, url.Values) {
			return http.MethodGet, "/organisations/" + org.String() + "/wearers", nil
		}
	}
	pages := []page{
		{"nobody on it", "You are signed out", func(int) (string, string, url.Values) { return http.MethodGet, "/signed-out", nil }},
		{"overview", "Benchmark Board", func(int) (string, string, url.Values) { return http.MethodGet, "/", nil }},
		{fmt.Sprintf("wearers of %d", sizes[0]), "Synthetic", list(orgs[0])},
		{fmt.Sprintf("wearers of %d", sizes[1]), "Synthetic", list(orgs[1])},
		{"a wearer, 24 readings", "Dose against limits", func(n int) (string, string, url.Values) {
			return http.MethodGet, "/wearers/" + wearers[n*7%len(wearers)].String(), nil
		}},
		{"search everywhere", "found for", func(n int) (string, string, url.Values) {
			return http.MethodPost, "/find", url.Values{"q": {service.Surname(n * 31 % people)[:3]}}
		}},
		{"a badge scanned back", "dv-scan--ok", func(n int) (string, string, url.Values) {
			return http.MethodPost, "/return", url.Values{"barcode": {outCode(n)}}
		}},
	}
	if err := out(ctx, s, orgs[0], wearers[0], requests); err != nil {
		return r, err
	}
	web, err := s.Client("web")
	if err != nil {
		return r, err
	}
	defer web.Close()
	auths, err := s.Sessions(ctx, web, users)
	if err != nil {
		return r, err
	}
	for _, p := range pages {
		m, err := measure(ctx, s, auths, p, requests)
		if err != nil {
			return r, err
		}
		m.Ratio = 1
		if len(r.Measured) > 0 {
			m.Ratio = m.P50 / r.Measured[0].P50
		}
		r.Measured = append(r.Measured, m)
	}
	return r, nil
}

// history gives wearers two years of monthly readings.
func history(ctx context.Context, s *service.Service, org id.Organisation, account string, wearers []id.Wearer) error {
	var badges []register.Dispatched
	var rows []labfile.Row
	for i, w := range wearers {
		for k := range 24 {
			from := day.Of(2024, time.January, 1).AddMonths(k)
			to := from.AddMonths(1) - 1
			barcode := fmt.Sprintf("%s-%05d-%02d", account, i, k)
			badges = append(badges, register.Dispatched{Barcode: barcode, Batch: "B1", State: register.Issued, Organisation: org, Wearer: w, Position: dose.WholeBody, From: from, To: to})
			rows = append(rows, labfile.Row{Number: len(rows) + 2, Account: account, Barcode: barcode, Position: dose.WholeBody, From: from, To: to, Scanned: to + 20,
				Readings: []dose.Reading{{Quantity: dose.Hp10, Qualifier: dose.Measured, Dose: dose.MicroSv(10 * k)}}})
		}
	}
	if _, err := s.Register.Dispatch(ctx, s.Auth, badges, "benchmark"); err != nil {
		return err
	}
	_, err := s.Register.ImportRows(ctx, s.Auth, "benchmark", rows)
	return err
}

func outCode(n int) string { return fmt.Sprintf("OUT-%06d", n) }

// out hands badges out, one for each scan.
func out(ctx context.Context, s *service.Service, org id.Organisation, w id.Wearer, n int) error {
	badges := make([]register.Dispatched, n)
	last := day.At(time.Now())
	for i := range badges {
		badges[i] = register.Dispatched{Barcode: outCode(i), Batch: "B2", State: register.Issued, Organisation: org, Wearer: w, Position: dose.WholeBody, From: last - 30, To: last}
	}
	_, err := s.Register.Dispatch(ctx, s.Auth, badges, "benchmark")
	return err
}

// measure has every user ask for a page again and again.
func measure(ctx context.Context, s *service.Service, auths []vaultclient.Auth, p page, requests int) (Measured, error) {
	var mu sync.Mutex
	var took []time.Duration
	var errs []error
	var group sync.WaitGroup
	client := &http.Client{CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/return" { // the answer to a scan
			return nil
		}
		return http.ErrUseLastResponse
	}, Transport: &http.Transport{MaxIdleConnsPerHost: users}}
	defer client.CloseIdleConnections()
	for i, auth := range auths {
		group.Go(func() {
			var mine []time.Duration
			var err error
			for n := i; n < requests && err == nil; n += len(auths) {
				start := time.Now()
				err = ask(ctx, client, s.Pages, auth, p, n)
				mine = append(mine, time.Since(start))
			}
			mu.Lock()
			defer mu.Unlock()
			took, errs = append(took, mine...), append(errs, err)
		})
	}
	group.Wait()
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return Measured{Page: p.name, P50: ms(took[len(took)/2]), P99: ms(took[len(took)*99/100])}, errors.Join(errs...)
}

// ask asks for a page once. Anything but the page is an error.
func ask(ctx context.Context, client *http.Client, host string, auth vaultclient.Auth, p page, n int) error {
	method, path, form := p.request(n)
	req, err := http.NewRequestWithContext(ctx, method, "http://"+host+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.AddCookie(&http.Cookie{Name: "session", Value: auth.Session})
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || !strings.Contains(string(body), p.shows)) {
		err = fmt.Errorf("%s: status %d, or without %q", p.name, resp.StatusCode, p.shows)
	}
	return err
}

// Command scope measures how long it takes to know who was exposed: the scope of one supplier over all years, from ledgers of many
// organisations. The reference is the same question answered by reading the ledgers, in the same run; both answers must be the same.
//
// The vault runs in this process, on a database of its own on the disk to measure, with a clock that goes through the years. What was disclosed is
// declared, month after month, to ten suppliers in turn.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"time"

	"github.com/dosevault/dosevault/bench/ref"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/store/sqlite/vaultdb"
	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

func main() {
	var s size
	flag.IntVar(&s.people, "people", 100_000, "wearers in all")
	flag.IntVar(&s.organisations, "organisations", 50, "organisations that they work for, each for as many")
	flag.IntVar(&s.exposures, "exposures", 10_000_000, "wearers disclosed, each time counted")
	flag.IntVar(&s.years, "years", 6, "over which that goes on")
	dir := flag.String("dir", ".", "directory on the disk to measure")
	asJSON := flag.Bool("json", false, "print JSON")
	flag.Parse()
	r, err := run(context.Background(), *dir, s)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/scope:", err)
		os.Exit(1)
	}
	if *asJSON {
		json.NewEncoder(os.Stdout).Encode(r)
		return
	}
	fmt.Printf("%s\n%d exposures of %d people of %d organisations in %d years, declared in %.0f s, indexed in %.0f s\n", r.Disk, r.Exposures, r.People, r.Organisations, r.Years, r.Filled, r.Indexed)
	fmt.Printf("one supplier, all years: %d exposures of %d people\n", r.Found, r.FoundPeople)
	for _, m := range r.Measured {
		fmt.Printf("%-34s %8.3f s   reading the ledgers %8.3f s   %6.1f times as fast\n", m.Question, m.Index, m.Ledgers, m.Ratio)
	}
}

// size is how much is asked about.
type size struct{ people, organisations, exposures, years int }

// Result is what was measured; times in seconds.
type Result struct {
	Disk          string     `json:"disk"`
	People        int        `json:"people"`
	Organisations int        `json:"organisations"`
	Exposures     int        `json:"exposures"`
	Years         int        `json:"years"`
	Filled        float64    `json:"filled_s"`
	Indexed       float64    `json:"indexed_s"`
	Found         int        `json:"found"`
	FoundPeople   int        `json:"found_people"`
	Measured      []Measured `json:"measured"`
}

// Measured is one question, answered twice.
type Measured struct {
	Question string  `json:"question"`
	Index    float64 `json:"index_s"`
	Ledgers  float64 `json:"ledgers_s"`
	Ratio    float64 `json:"ratio"`
}

// suppliers take turns.
const suppliers = 10

// begin is when the first was disclosed.
var begin = time.Date(2020, time.January, 15, 9, 0, 0, 0, time.UTC)

// house is the vault that is asked.
type house struct {
	v      *vault.Vault
	now    time.Time
	caller vault.Caller
	orgs   []id.Organisation
	people [][]id.Wearer // of each
}

func run(ctx context.Context, dir string, s size) (r Result, err error) {
	disk, err := ref.Describe(dir)
	if err != nil {
		return r, err
	}
	if dir, err = os.MkdirTemp(dir, "bench-scope-"); err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	h := &house{now: begin}
	if err := h.open(ctx, dir); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, h.v.Close()) }()
	r = Result{Disk: disk.String(), People: s.people, Organisations: s.organisations, Years: s.years}
	started := time.Now()
	if err := h.employ(ctx, s); err != nil {
		return r, err
	}
	if r.Exposures, err = h.disclose(ctx, s); err != nil {
		return r, err
	}
	r.Filled = time.Since(started).Seconds()
	end := begin.AddDate(s.years, 1, 0)
	supplier := vaultclient.ExposureRequest{Recipient: "supplier:0", From: begin.AddDate(-1, 0, 0), To: end}
	questions := []struct {
		name string
		ask  vaultclient.ExposureRequest
	}{
		{"one supplier: the table", supplier},
		{"… person by person, with proofs", with(supplier, func(q *vaultclient.ExposureRequest) { q.List, q.Proofs = true, true })},
		{"… a window that cuts months", with(supplier, func(q *vaultclient.ExposureRequest) { q.From, q.To = begin.AddDate(0, 7, 11), end.AddDate(0, -9, -11) })},
		{"a supplier who got nothing", with(supplier, func(q *vaultclient.ExposureRequest) { q.Recipient = "supplier:nobody" })},
	}
	var answers []vaultclient.Exposures
	for _, q := range questions {
		got, took, err := h.ask(ctx, q.ask)
		if err != nil {
			return r, err
		}
		answers = append(answers, got)
		r.Measured = append(r.Measured, Measured{Question: q.name, Ledgers: took})
	}
	started = time.Now()
	if err := h.v.IndexExposures(ctx); err != nil {
		return r, err
	}
	r.Indexed = time.Since(started).Seconds()
	for i, q := range questions {
		got, took, err := h.ask(ctx, q.ask)
		if err != nil {
			return r, err
		}
		if !reflect.DeepEqual(got, answers[i]) {
			return r, fmt.Errorf("%s: the index answers otherwise than the ledgers", q.name)
		}
		r.Measured[i].Index, r.Measured[i].Ratio = took, r.Measured[i].Ledgers/took
	}
	r.FoundPeople = answers[0].People
	for _, x := range answers[1].List {
		r.Found += x.Entries
	}
	return r, nil
}

func with(q vaultclient.ExposureRequest, change func(*vaultclient.ExposureRequest)) vaultclient.ExposureRequest {
	change(&q)
	return q
}

// ask asks, and says how many seconds it took.
func (h *house) ask(ctx context.Context, q vaultclient.ExposureRequest) (vaultclient.Exposures, float64, error) {
	if err := h.signIn(ctx); err != nil {
		return vaultclient.Exposures{}, 0, err
	}
	runtime.GC()
	started := time.Now()
	x, err := h.v.Exposures(ctx, h.caller, q)
	return x, time.Since(started).Seconds(), err
}

const user = "Bench"

func (h *house) open(ctx context.Context, dir string) error {
	keys := vault.KeyDir(filepath.Join(dir, "keys"))
	if err := keys.Create([]string{"cli"}, time.Now()); err != nil {
		return err
	}
	store, err := vaultdb.Open(ctx, filepath.Join(dir, "vault.db"))
	if err != nil {
		return err
	}
	h.v, err = vault.Open(ctx, vault.Config{Store: store, Keys: keys, Now: func() time.Time { return h.now }, Log: slog.New(slog.DiscardHandler), Origin: "http://localhost:1", BudgetFactor: vault.MaxBudgetFactor})
	if err != nil {
		return err
	}
	_, err = h.v.FirstUser(ctx, user)
	return err
}

// signIn signs in anew: months pass between two requests.
func (h *house) signIn(ctx context.Context) error {
	link, err := h.v.LinkAtStart(ctx, user)
	if err != nil {
		return err
	}
	session, err := h.v.RedeemLink(ctx, vault.Caller{Node: "cli"}, link)
	h.caller = vault.Caller{Node: "cli", Auth: vaultclient.Auth{Session: session.Token}}
	return err
}

// employ takes everybody on.
func (h *house) employ(ctx context.Context, s size) error {
	if err := h.signIn(ctx); err != nil {
		return err
	}
	for o := range s.organisations {
		orgs, err := h.v.CreateOrganisations(ctx, h.caller, []vaultclient.Organisation{{Name: fmt.Sprintf("Organisation %d", o), Kind: vaultclient.HealthBoard}})
		if err != nil {
			return err
		}
		var changes []vaultclient.Change
		for n := range s.people / s.organisations {
			changes = append(changes, vaultclient.Change{Organisation: orgs[0], From: "2019-01-01", Identity: person.Identity{
				Surname: person.NewValue("Synthetig"), Forenames: person.NewValue("Person"), StaffNumber: person.NewValue(fmt.Sprintf("S%d", n)), Birth: person.NewValue("1980-02-03"), Sex: person.NewValue("F")}})
		}
		im := id.New[id.Import]()
		staged, err := h.v.Stage(ctx, h.caller, im, changes)
		if err != nil {
			return err
		}
		if err := h.v.Confirm(ctx, h.caller, im, nil); err != nil {
			return err
		}
		ws := make([]id.Wearer, len(staged))
		for i, one := range staged {
			ws[i] = one.Wearer
		}
		h.orgs, h.people = append(h.orgs, orgs[0]), append(h.people, ws)
	}
	return nil
}

// disclose declares what went to suppliers: everybody at each turn, the turns spread over the years.
func (h *house) disclose(ctx context.Context, s size) (n int, err error) {
	turns := max(s.exposures/s.people, 1)
	every := time.Duration(s.years) * 365 * 24 * time.Hour / time.Duration(turns)
	for turn := range turns {
		h.now = begin.Add(time.Duration(turn) * every)
		if err := h.signIn(ctx); err != nil {
			return n, err
		}
		fields := policy.FieldName | policy.FieldDose
		if turn%3 == 0 {
			fields |= policy.FieldBirth | policy.FieldNI
		}
		for _, ws := range h.people {
			d := vaultclient.Declaration{Import: id.New[id.Import](), Recipient: vaultclient.Recipient(fmt.Sprintf("supplier:%d", turn%suppliers)), From: h.now.AddDate(0, 0, -1), To: h.now, SHA256: make([]byte, 32)}
			for _, w := range ws {
				d.Rows = append(d.Rows, vaultclient.DeclaredRow{Wearer: w, Fields: fields, Years: []uint16{uint16(h.now.Year())}})
			}
			if err := h.v.Declare(ctx, h.caller, d); err != nil {
				return n, err
			}
			n += len(ws)
		}
	}
	return n, nil
}

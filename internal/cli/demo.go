package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/synth"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// DemoCmd makes and serves a demonstration.
type DemoCmd struct {
	place
	addresses
	Once   bool `help:"Exit when the main job is done instead of serving."`
	JSON   bool `help:"Print the summary as JSON."`
	People int  `help:"How many invented people, instead of 4,766." hidden:""`
}

// Summary is what a demonstration prints.
type Summary struct {
	People        int      `json:"people"`
	Wearers       int      `json:"wearers"`
	Organisations int      `json:"organisations"`
	Badges        int      `json:"badges"`
	History       int      `json:"history_rows"`
	In            int      `json:"rows_in"`
	Stored        int      `json:"rows_stored"`
	Refused       int      `json:"rows_refused"`
	Ignored       int      `json:"rows_ignored"`
	Reasons       []reason `json:"refused_by_reason"`
	Notices       int      `json:"rows_to_look_at"`
	AboveLevel    int      `json:"people_above_a_level"`
	AboveLimit    int      `json:"people_above_a_limit"`
	Exposures     int      `json:"exposed_wearers"` // of this run: whom anything was readable of, to the command line and the worker
	Entries       int      `json:"exposing_entries"`
	Seconds       float64  `json:"seconds"`
}

// Run makes the demonstration where there is none, prints its summary, and serves it.
func (c *DemoCmd) Run(e *env) error {
	pages, _, err := c.origins()
	if err != nil {
		return err
	}
	if strings.HasPrefix(pages, "https:") {
		return errors.New("a demonstration has open doors: it is for this machine alone, without --origin and certificates")
	}
	if c.exists() && !c.isDemo() {
		return fmt.Errorf("%s is no demonstration: choose another --dir", c.Dir)
	}
	if c.isDemo() && !c.complete() {
		if c.Database != "" || c.VaultDatabase != "" {
			return fmt.Errorf("an earlier run was stopped while it filled the demonstration: delete %s and %s, make the databases anew, and start again", c.Dir, c.Keys)
		}
		// An earlier run was stopped while it filled. There are only invented people in it: begin again.
		if err := errors.Join(os.RemoveAll(c.Dir), os.RemoveAll(c.Keys)); err != nil {
			return err
		}
	}
	if err := c.prepare(true); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(e.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	began := time.Now()
	s := &supervisor{place: c.place, addresses: c.addresses, e: e, demo: true, warnings: c.warnings(0)}
	if c.People == 0 || c.People > 1000 {
		// The filler reads six years of everybody within minutes, by one node.
		s.vaultFlags = []string{"--budget-factor", "10"}
	}
	link, err := s.start(ctx)
	defer s.stop()
	if err != nil {
		return err
	}
	if !c.complete() {
		sum, err := c.fill(ctx, e, link, began)
		if err != nil {
			return fmt.Errorf("filling the demonstration: %w", err)
		}
		b, err := json.MarshalIndent(sum, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.summaryFile(), b, 0o600); err != nil {
			return err
		}
	}
	if err := c.print(e); err != nil || c.Once {
		return err
	}
	fmt.Fprintf(e.stderr, "\nPages: %s (Ctrl-C ends)\n", pages)
	<-ctx.Done()
	return nil
}

func (p place) summaryFile() string { return filepath.Join(p.Dir, "summary.json") }

// complete reports whether a demonstration was filled to the end.
func (p place) complete() bool {
	_, err := os.Stat(p.summaryFile())
	return err == nil
}

func (c *DemoCmd) print(e *env) error {
	b, err := os.ReadFile(c.summaryFile())
	if err != nil {
		return err
	}
	if c.JSON {
		_, err := fmt.Fprintf(e.stdout, "%s\n", b)
		return err
	}
	var s Summary
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(n int, what string) { fmt.Fprintf(t, "%d\t  %s\n", n, what) }
	line(s.People, fmt.Sprintf("people, with %d wearer records at %d organisations (all invented)", s.Wearers, s.Organisations))
	line(s.History, fmt.Sprintf("results of six years, of %d badges", s.Badges))
	line(s.In, "rows in the laboratory’s new file")
	line(s.Stored, "stored")
	line(s.Refused, "refused:")
	for _, r := range s.Reasons {
		fmt.Fprintf(t, "\t    %d × %s\n", r.Rows, r.Reason)
	}
	line(s.Ignored, "blank")
	line(s.AboveLevel, "people above an investigation level")
	line(s.AboveLimit, "people above a dose limit")
	line(s.Exposures, fmt.Sprintf("wearers of whom something became readable in this run, proved by %d ledger entries", s.Entries))
	if err := t.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "\n%.1f seconds\n", s.Seconds)
	return err
}

// filler fills a demonstration through the same doors as everybody: a signed-in co-ordinator, the register's use
// cases, and the worker.
type filler struct {
	ctx     context.Context
	svc     *register.Service
	client  *vaultclient.Client
	auth    vaultclient.Auth
	data    *synth.Service
	orgs    []id.Organisation
	wearers []id.Wearer
	bar     *progressbar.ProgressBar
	sum     Summary

	verified day.Day // when the organisations' contacts were verified
}

func (c *DemoCmd) fill(ctx context.Context, e *env, link string, began time.Time) (*Summary, error) {
	if link == "" {
		return nil, errors.New("the vault gave no sign-in link")
	}
	svc, done, err := c.openRegister(ctx, "cli", id.Owner{}, e.log)
	if err != nil {
		return nil, err
	}
	defer done()
	client, err := c.client("cli")
	if err != nil {
		return nil, err
	}
	defer client.Close()
	session, err := client.RedeemLink(ctx, link)
	if err != nil {
		return nil, err
	}
	conf := synth.Default()
	if c.People > 0 {
		conf.People = c.People
	}
	f := &filler{ctx: ctx, svc: svc, client: client, auth: vaultclient.Auth{Session: session.Token}, data: synth.Generate(conf)}
	f.verified = f.data.Today - 200
	f.bar = progressbar.NewOptions(len(f.data.Wearers)+2*len(f.data.Badges)+2*len(f.data.Latest), progressbar.OptionSetWriter(e.stderr), progressbar.OptionSetWidth(30),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetVisibility(isTerminal(e.stderr)))
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"organisations and users", f.organisations}, {"people", f.people}, {"badges", f.badges}, {"six years of results", f.history},
		{"the laboratory’s file", f.report}, {"users", f.users}, {"findings", f.findings},
	} {
		f.bar.Describe(step.what)
		if err := step.do(); err != nil {
			return nil, fmt.Errorf("%s: %w", step.what, err)
		}
	}
	f.bar.Finish()
	x, err := client.Exposures(ctx, f.auth, vaultclient.ExposureRequest{From: began, To: time.Now().Add(time.Minute), Proofs: true})
	if err != nil {
		return nil, err
	}
	f.sum.Exposures, f.sum.Entries = x.Wearers, len(x.Proofs)
	f.sum.Seconds = time.Since(began).Seconds()
	return &f.sum, client.SignOut(ctx, f.auth)
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

func (f *filler) organisations() error {
	var orgs []vaultclient.Organisation
	for _, o := range f.data.Organisations {
		orgs = append(orgs, vaultclient.Organisation{Name: o.Name, Kind: vaultclient.Kind(o.Kind)})
	}
	var err error
	if f.orgs, err = f.client.CreateOrganisations(f.ctx, f.auth, orgs); err != nil {
		return err
	}
	departments := make([][]string, len(orgs))
	for _, w := range f.data.Wearers {
		if d := &departments[w.Organisation]; !w.Marker && w.Department != "" && !slices.Contains(*d, w.Department) {
			*d = append(*d, w.Department)
		}
	}
	for i, o := range f.data.Organisations {
		slices.Sort(departments[i])
		set := register.Settings{Accounts: []string{o.Account}, Standing: register.Processor, Departments: departments[i]}
		if o.Own {
			set.Levels = []dose.Level{{Kind: dose.Effective, Dose: 6000, Name: "local investigation level"}}
		}
		if err := f.svc.SetSettings(f.ctx, f.auth, f.orgs[i], set); err != nil {
			return err
		}
		contact := vaultclient.NoticeContact{Name: "Data protection officer", Email: fmt.Sprintf("notices@org-%d.example", i+1), Verified: f.verified, How: "telephoned on the number of its website"}
		if err := f.client.SetNoticeContact(f.ctx, f.auth, vaultclient.NewNoticeContact{Organisation: f.orgs[i], Contact: contact}); err != nil {
			return err
		}
	}
	f.sum.Organisations = len(orgs)
	return nil
}

func (f *filler) people() error {
	f.wearers = make([]id.Wearer, len(f.data.Wearers))
	// Second employments name the first, so they come after it.
	for round := range 2 {
		var joiners []register.Joiner
		var at []int
		for i, w := range f.data.Wearers {
			of := f.data.People[w.Person].Wearers
			if (of[0] == i) != (round == 0) {
				continue
			}
			j := register.Joiner{Organisation: f.orgs[w.Organisation], Identity: w.Identity, Contact: w.Contact, NI: w.NI, From: w.From, To: w.To, Classified: w.Classified,
				Employment: register.Employment{Department: w.Department, JobTitle: w.Role},
				Health:     register.Health{Declared: w.Health.Declared, End: w.Health.Due, Review: w.Health.Review}}
			if round == 1 {
				j.SamePerson = f.wearers[of[0]]
			}
			joiners, at = append(joiners, j), append(at, i)
		}
		if len(joiners) == 0 {
			continue
		}
		taken, err := f.svc.TakeOn(f.ctx, f.auth, joiners, nil, "personnel departments (invented)")
		if err != nil {
			return err
		}
		for k, w := range taken.Wearers {
			f.wearers[at[k]] = w
		}
		f.bar.Add(len(joiners))
	}
	f.sum.People, f.sum.Wearers = len(f.data.People), len(f.wearers)
	return nil
}

func (f *filler) badges() error {
	const part = 50_000
	for from := 0; from < len(f.data.Badges); from += part {
		var list []register.Dispatched
		for _, b := range f.data.Badges[from:min(from+part, len(f.data.Badges))] {
			d := register.Dispatched{Barcode: b.Barcode, Batch: f.data.Batches[b.Batch].Name, Organisation: f.orgs[b.Organisation], Position: b.Position, From: b.From, To: b.To, NotCounted: b.NotCounted, State: register.Issued}
			if b.Wearer >= 0 {
				d.Wearer = f.wearers[b.Wearer]
			}
			if b.State != synth.Worn {
				comeBack(&d, from+len(list), day.At(time.Now()))
			}
			list = append(list, d)
		}
		if _, err := f.svc.Dispatch(f.ctx, f.auth, list, "dosimetry laboratory (invented)"); err != nil {
			return err
		}
		f.bar.Add(len(list))
	}
	f.sum.Badges = len(f.data.Badges)
	return nil
}

// comeBack has the n-th badge come back within the last year: most in time, one in nine late, one in thirty not at all.
// Of badges from before, nobody remembers when they came back.
func comeBack(d *register.Dispatched, n int, today day.Day) {
	d.State = register.Sent
	if d.To.AddMonths(12) < today {
		return
	}
	returned := d.To + 1 + day.Day(n%12)
	if n%9 == 0 {
		returned += register.ReturnDays + day.Day(n%40)
	}
	switch sent := returned + 3; {
	case n%30 == 7 || returned > today:
		d.State = register.Issued
	case sent > today:
		d.State, d.Returned = register.Returned, returned
	default:
		d.Returned, d.Sent = returned, sent
	}
}

// history loads what an installation begins with: all results of the years before, in one import.
func (f *filler) history() error {
	rows := f.data.Rows(-1, 0)
	for i := range rows {
		rows[i].Number = i + 1
	}
	if _, err := f.svc.ImportRows(f.ctx, f.auth, "dosimetry laboratory (invented)", rows); err != nil {
		return err
	}
	f.sum.History = len(rows)
	f.bar.Add(len(rows))
	return nil
}

// report imports the newest file the way a co-ordinator does: received, previewed by the worker, accepted, stored.
func (f *filler) report() error {
	var file bytes.Buffer
	if _, err := f.data.WriteDoseReport(&file, synth.ReportOptions{}); err != nil {
		return err
	}
	n, err := f.svc.Receive(f.ctx, f.auth, file.Bytes(), "dosimetry laboratory (invented)")
	if err != nil {
		return err
	}
	if err := await(f.ctx, f.svc, n, register.Previewed); err != nil {
		return err
	}
	f.bar.Add(len(f.data.Latest))
	_, p, err := f.svc.PreviewOf(f.ctx, f.auth, n)
	if err != nil {
		return err
	}
	if err := f.svc.Accept(f.ctx, f.auth, n); err != nil {
		return err
	}
	if err := await(f.ctx, f.svc, n, register.Done); err != nil {
		return err
	}
	f.sum.In, f.sum.Stored, f.sum.Refused, f.sum.Ignored = p.In, p.Stored, p.Counts.Refused, p.Counts.Ignored
	f.sum.Reasons, f.sum.Notices = reasons(p.Refused), len(p.Notices)
	return nil
}

// users makes those whom a visitor may sign in as.
func (f *filler) users() error {
	users := []vaultclient.NewUser{
		{Name: "Gethin Pryce", Role: policy.RecordsOfficer},
		{Name: "Nia Bowen", Role: policy.Operator},
		{Name: "Owain Rees", Role: policy.Administrator},
	}
	named := 0
	for i, o := range f.data.Organisations {
		only := []id.Organisation{f.orgs[i]}
		if o.Own {
			users = append(users, vaultclient.NewUser{Name: "Dylan Rosser", Role: policy.Supervisor, Organisations: only}, vaultclient.NewUser{Name: "Carys Tudor", Role: policy.DataProtection, Organisations: only},
				vaultclient.NewUser{Name: "Lowri Penri", Role: policy.Local, Organisations: only})
		} else if o.Kind == synth.HealthBoard && named == 0 {
			named++
			users = append(users, vaultclient.NewUser{Name: "Idris Meyrick", Role: policy.Supervisor, Organisations: only})
		} else if o.Kind == synth.VetPractice && named == 1 {
			named++
			users = append(users, vaultclient.NewUser{Name: "Mali Gwynne", Role: policy.Supervisor, Organisations: only})
		}
	}
	// A wearer with two employments sees both in one record of their own.
	for _, p := range f.data.People {
		if len(p.Wearers) == 2 && !p.Marker {
			w := f.data.Wearers[p.Wearers[0]]
			users = append(users, vaultclient.NewUser{Name: w.Identity.Forenames.Expose() + " " + w.Identity.Surname.Expose(), Role: policy.Wearer, Wearers: []id.Wearer{f.wearers[p.Wearers[0]], f.wearers[p.Wearers[1]]}})
			break
		}
	}
	if _, err := f.client.CreateUsers(f.ctx, f.auth, users); err != nil {
		return err
	}
	return f.client.EndSingleAdministrator(f.ctx, f.auth) // now there are people to approve
}

// findings counts who is above a level or a limit this year.
func (f *filler) findings() error {
	level, limit := map[id.Wearer]bool{}, map[id.Wearer]bool{}
	states, err := f.svc.Store.States(f.ctx, 0)
	if err != nil {
		return err
	}
	for _, st := range states {
		if st.Investigations == 0 {
			continue
		}
		all, err := f.svc.Investigations(f.ctx, f.auth, st.Organisation)
		if err != nil {
			return err
		}
		for _, v := range all {
			if v.Overexposure {
				limit[v.Wearer] = true
			} else {
				level[v.Wearer] = true
			}
		}
	}
	f.sum.AboveLevel, f.sum.AboveLimit = len(level), len(limit)
	return nil
}

package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/incident"
	"github.com/dosevault/dosevault/internal/synth"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// The supplier of the history.
const laboratory = vaultclient.Recipient("supplier:The laboratory")

// history plays the breach of 2016 through: a laboratory that held six years of names, dates of birth, NI numbers and doses is hacked on day 0. Its people are
// invented; what it held of them is declared, as a service declares what it sent before it had a vault.
func (c *DrillCmd) history(e *env) error {
	ctx, stop := signal.NotifyContext(e.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := c.place
	if usual, _ := defaultPlaces(false); p.Dir == usual {
		base, err := os.MkdirTemp("", "dosevault-history")
		if err != nil {
			return err
		}
		defer os.RemoveAll(base)
		p.Dir, p.Keys = filepath.Join(base, "data"), filepath.Join(base, "keys")
	} else if p.exists() || p.keyDir().Exists() {
		return fmt.Errorf("%s or %s holds an installation: the history needs one of its own, so choose another --dir and --keys", p.Dir, p.Keys)
	}
	if err := p.prepare(true); err != nil {
		return err
	}
	var listen addresses
	for _, to := range []*string{&listen.Listen, &listen.VaultListen} {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "localhost:0")
		if err != nil {
			return err
		}
		*to = l.Addr().String()
		if err := l.Close(); err != nil {
			return err
		}
	}
	began := time.Now()
	s := &supervisor{place: p, addresses: listen, e: e, demo: true, vaultAlone: true, vaultFlags: []string{"--budget-factor", "10"}}
	link, err := s.start(ctx)
	defer s.stop()
	if err != nil {
		return err
	}
	svc, done, err := p.openRegister(ctx, "cli", id.Owner{}, e.log)
	if err != nil {
		return err
	}
	defer done()
	if _, imports, err := svc.Store.Imports(ctx, 0, 1); err != nil || imports > 0 {
		return cmp.Or(err, errors.New("the register's database is in use: the history needs one of its own, so give another --database, or none"))
	}
	client, err := p.client("cli")
	if err != nil {
		return err
	}
	defer client.Close()
	session, err := client.RedeemLink(ctx, link)
	if err != nil {
		return err
	}
	f := &filler{ctx: ctx, svc: svc, client: client, auth: vaultclient.Auth{Session: session.Token}, data: synth.Generate(synth.Historical(c.People)), verified: day.At(began) - 30,
		bar: progressbar.NewOptions(1, progressbar.OptionSetWriter(io.Discard))}
	h := &historical{filler: f}
	for _, do := range []func() error{f.organisations, f.people, h.disclosures} {
		if err := do(); err != nil {
			return fmt.Errorf("loading the history: %w", err)
		}
	}
	loaded := time.Since(began)
	played, err := h.play().Run(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return printDrillJSON(e, played, h.taken)
	}
	fmt.Fprintf(e.stdout, "%d people at %d organisations (all invented); the laboratory held something of %d wearers. Loaded in %s.\n\n", f.sum.People, f.sum.Organisations, len(h.held), incident.Short(loaded))
	if err := printParts(e, played); err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, "\nThe laboratory’s own list, 112 days later:")
	if err := printTaken(e, h.taken); err != nil {
		return err
	}
	fmt.Fprintln(e.stdout)
	if err := h.calendars(e, played); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "\nMachine time: %s, of it %s to load. Between the parts people decide; the machine waits for nothing else.\n", incident.Short(time.Since(began)), incident.Short(loaded))
	return nil
}

// historical is the history as it was loaded.
type historical struct {
	*filler
	held  []synth.Disclosure
	rows  []vaultclient.DeclaredRow
	taken *incident.Taken
}

// hacked is the day on which the data was taken; the laboratory had been sent it in the six years before.
var hacked = time.Date(2016, time.October, 6, 0, 0, 0, 0, time.UTC)

func (h *historical) window() (from, to time.Time) {
	return hacked.AddDate(-6, 0, 0), hacked.AddDate(0, 0, 1)
}

// disclosures declares what the laboratory held.
func (h *historical) disclosures() error {
	h.held = h.data.Disclosed()
	for _, d := range h.held {
		h.rows = append(h.rows, vaultclient.DeclaredRow{Wearer: h.wearers[d.Wearer], Fields: d.Fields, Years: d.Years})
	}
	from, to := h.window()
	return h.client.Declare(h.ctx, h.auth, vaultclient.Declaration{Import: id.New[id.Import](), Recipient: laboratory, From: from, To: to, Rows: h.rows})
}

// play is the breach, from the laboratory's first letter on. Its list is not waited for.
func (h *historical) play() *incident.Play {
	from, to := h.window()
	return &incident.Play{
		Vault: h.client, Auth: h.auth, Now: time.Now, Drill: true, Freeze: true, CallBack: "01632 960000", Text: "The laboratory writes that malware on its server copied data",
		What: vaultclient.Hypothesis{Recipient: laboratory, From: from, To: to},
		Between: func(ctx context.Context, one vaultclient.Incident) (string, error) {
			if _, err := h.client.EnterStep(ctx, h.auth, vaultclient.NewStep{Incident: one.ID, Kind: vaultclient.Knew, Text: "The laboratory knew within the month, and waited to identify extent and numbers", Moment: hacked}); err != nil {
				return "", err
			}
			var file bytes.Buffer
			if _, err := h.data.WriteSupplierList(&file, h.held); err != nil {
				return "", err
			}
			in := incident.SupplierList{Incident: one, Recipient: laboratory, From: from, To: to, File: file.Bytes(), Deceased: map[id.Wearer]bool{}}
			var err error
			if in.List, err = incident.ReadList(bytes.NewReader(in.File), incident.ListOptions{Today: day.At(time.Now())}); err != nil {
				return "", err
			}
			for i, o := range h.data.Organisations {
				in.Names = append(in.Names, incident.EmployerName{Organisation: h.orgs[i], Name: o.Name}, incident.EmployerName{Organisation: h.orgs[i], Name: o.Account})
			}
			for _, w := range h.data.Died() {
				in.Deceased[h.wearers[w]] = true
			}
			if h.taken, err = incident.Take(ctx, h.client, h.auth, in); err != nil {
				return "", err
			}
			return fmt.Sprintf("the laboratory’s list of %d rows reconciled", len(h.taken.Rows)), nil
		},
	}
}

// calendars prints what happened on which day beside what happens with a vault.
func (h *historical) calendars(e *env, p *incident.Played) error {
	if len(p.Parts) == 0 {
		return errors.New("nothing was played")
	}
	after := map[string]time.Duration{}
	sum := time.Duration(0)
	for _, x := range p.Parts {
		sum += x.Took
		after[x.Name] = sum
	}
	letter := func(part string) string { return "day 103 + " + incident.Short(after[part]) }
	t := tabwriter.NewWriter(e.stdout, 0, 0, 3, ' ', 0)
	for _, line := range [][3]string{
		{"WHAT HAPPENED", "THEN", "WITH DOSEVAULT"},
		{"malware on the laboratory’s server copies the data", "day 0     2016-10-06", "day 0: what it holds of whom is in each organisation’s ledger"},
		{"the laboratory’s first letter to the service", "day 103   2017-01-17", letter("declare") + ": declared, every step an entry"},
		{"it is known who is concerned, by organisation and fields", "day 112 on, by hand", letter("scope") + ": " + fmt.Sprintf("%d people of %d organisations", p.Exposures.People, len(p.Told))},
		{"nothing personal goes to the laboratory any more", "not known", letter("freeze") + ": frozen; barcodes go on"},
		{"the first organisation is told", "day 139   2017-02-22", "within " + letter("tell")},
		{"every organisation is told", "day 154   2017-03-09", letter("tell") + ", of its own people, fields and proofs"},
		{"the list of those concerned arrives, six years of it, dirty", "day 112   2017-01-26", "not waited for"},
		{"it is validated, cleansed and matched", "weeks, by hand", incident.Short(partNamed(p, "list").Took) + ": each row has one outcome"},
		{"it is public, with staff who were not told", "day 158   2017-03-13", "after everybody was told"},
		{"all identified people are told", "day 279   2017-07-12", "as fast as letters go"},
	} {
		fmt.Fprintf(t, "%s\t%s\t%s\n", line[0], line[1], line[2])
	}
	return t.Flush()
}

func partNamed(p *incident.Played, name string) (x incident.Part) {
	for _, x := range p.Parts {
		if x.Name == name {
			return x
		}
	}
	return x
}

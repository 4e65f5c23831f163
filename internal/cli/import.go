package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// service opens the register as the signed-in user on the node cli.
func (s signedIn) service(e *env) (*register.Service, vaultclient.Auth, func() error, error) {
	client, auth, err := s.open()
	if err != nil {
		return nil, auth, nil, err
	}
	client.Close()
	svc, done, err := s.openRegister(e.ctx, "cli", id.Owner{}, e.log)
	return svc, auth, done, err
}

// ImportCmd imports a laboratory's file.
type ImportCmd struct {
	signedIn
	File    string `arg:"" help:"The laboratory's file: CSV or XLSX; a Landauer DoseReport, or any that a profile describes." type:"existingfile"`
	Sender  string `help:"Who sent it: the laboratory's name." default:"laboratory"`
	Profile string `help:"How the laboratory's files are read: a profile's file, see docs/laboratory-profiles.md, or the name of a stored one." placeholder:"FILE"`
	Yes     bool   `help:"Store what the preview accepts without asking."`
	Refused string `help:"Write the refused rows to this file, to be corrected and loaded again." type:"path" placeholder:"FILE"`
}

// Run has a worker preview the file, shows the preview, asks, and has it stored.
func (c *ImportCmd) Run(e *env) error {
	svc, auth, done, err := c.service(e)
	if err != nil {
		return err
	}
	defer done()
	raw, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	n, err := c.receive(e, svc, auth, raw)
	if err != nil {
		return err
	}
	if err := await(e.ctx, svc, n, register.Previewed); err != nil {
		return err
	}
	_, p, err := svc.PreviewOf(e.ctx, auth, n)
	if err != nil {
		return err
	}
	if p == nil {
		return errors.New("the worker left no preview")
	}
	printPreview(e, p)
	if c.Refused != "" && len(p.Refused) > 0 {
		write := func(w io.Writer) error { return svc.WriteRefused(e.ctx, auth, n, w) }
		if err := writeRefused(e, c.Refused, len(p.Refused), write); err != nil {
			return err
		}
	}
	if p.Accepted == 0 {
		return errors.New("no row can be stored; nothing was")
	}
	if !c.Yes && !e.agreed(fmt.Sprintf("Store %d rows?", p.Accepted)) {
		return nil
	}
	if err := svc.Accept(e.ctx, auth, n); err != nil {
		return err
	}
	if err := await(e.ctx, svc, n, register.Done); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Stored: %d rows.\n", p.Accepted)
	return nil
}

// receive hands the file in, with its profile if there is one.
func (c *ImportCmd) receive(e *env, svc *register.Service, auth vaultclient.Auth, raw []byte) (id.Import, error) {
	if c.Profile == "" {
		return svc.Receive(e.ctx, auth, raw, c.Sender)
	}
	profile, err := os.ReadFile(c.Profile)
	if err == nil {
		return svc.ReceiveBy(e.ctx, auth, raw, c.Sender, profile)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return id.Import{}, err
	}
	all, err := svc.Profiles(e.ctx, auth)
	if err != nil {
		return id.Import{}, err
	}
	p, err := findProfile(all, c.Profile)
	if err != nil {
		return id.Import{}, fmt.Errorf("--profile: there is no such file, and %w", err)
	}
	return svc.ReceiveStored(e.ctx, auth, raw, c.Sender, p.Import)
}

// writeRefused writes refused rows to a new file that only its owner reads.
func writeRefused(e *env, path string, rows int, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	fmt.Fprintf(e.stdout, "The %d refused rows are in %s: correct them there and import that file.\n", rows, filepath.Base(path))
	return nil
}

// agreed asks a question, and says so when the answer is not yes.
func (e *env) agreed(question string) bool {
	fmt.Fprint(e.stdout, question, " [y/N] ")
	answer, err := bufio.NewReader(e.stdin).ReadString('\n')
	if a := strings.ToLower(strings.TrimSpace(answer)); (err == nil || errors.Is(err, io.EOF)) && (a == "y" || a == "yes") {
		return true
	}
	fmt.Fprintln(e.stdout, "Nothing was stored.")
	return false
}

// await waits until an import has come to a state; one that failed is an error with its reason.
func await(ctx context.Context, svc *register.Service, n id.Import, want register.State) error {
	for began, told := time.Now(), false; ; {
		im, err := svc.Store.Import(ctx, n)
		if err != nil {
			return err
		}
		switch im.State {
		case want:
			return nil
		case register.Failed:
			return errors.New(im.Failure)
		case register.Received, register.Confirmed:
			if !told && time.Since(began) > 10*time.Second {
				told = true
				svc.Log.Warn("no worker has taken the file yet: is dosevault serve running, or busy with another file?")
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(30 * time.Millisecond):
		}
	}
}

// printPreview prints what an import would do: counts, refused rows with their reasons, notices.
func printPreview(e *env, p *register.Preview) {
	fmt.Fprintf(e.stdout, "%d rows: %d to be stored (%d of them re-issues) for %d organisations, %d refused, %d blank.\n", p.In, p.Accepted, p.Reissues, len(p.ByOrg), len(p.Refused), len(p.Ignored))
	const most = 50
	show := func(title string, notes []register.RowNote) {
		for i, n := range notes {
			if i == 0 {
				fmt.Fprintln(e.stdout, title)
			}
			if i == most {
				fmt.Fprintf(e.stdout, "  … and %d more\n", len(notes)-most)
				break
			}
			column := n.Column
			if column != "" {
				column += ": "
			}
			fmt.Fprintf(e.stdout, "  row %d: %s%s\n", n.Row, column, n.Text)
		}
	}
	show("Refused:", p.Refused)
	show("To be looked at:", p.Notices)
}

// reasons counts refusals by what is wrong, the most frequent first.
func reasons(notes []register.RowNote) []reason {
	n := map[string]int{}
	for _, r := range notes {
		text := r.Text
		if r.Column != "" {
			text = r.Column + ": " + text
		}
		n[text]++
	}
	out := make([]reason, 0, len(n))
	for text, count := range n {
		out = append(out, reason{text, count})
	}
	sort.Slice(out, func(i, j int) bool {
		return out[i].Rows > out[j].Rows || out[i].Rows == out[j].Rows && out[i].Reason < out[j].Reason
	})
	return out
}

type reason struct {
	Reason string `json:"reason"`
	Rows   int    `json:"rows"`
}

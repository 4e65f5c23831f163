package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger/verify"
	"github.com/dosevault/dosevault/internal/store/postgres"
	"github.com/dosevault/dosevault/internal/store/snapshot"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/vault"
)

// VerifyCmd recomputes the ledgers.
type VerifyCmd struct {
	place
	Checkpoint string `help:"A head kept earlier, as dosevault checkpoint printed it." type:"existingfile" placeholder:"FILE"`
}

// Run verifies; the first difference is an error that names log and entry.
func (c *VerifyCmd) Run(e *env) error {
	if !c.exists() {
		return errNoInstallation
	}
	if !c.keyDir().Exists() {
		return fmt.Errorf("%s holds no keys: give the --keys that belong to %s", c.Keys, c.Dir)
	}
	began := time.Now()
	report, approvals, exposed, err := c.verifyVault(e)
	if err != nil {
		return err
	}
	reg, err := c.verifyRegister(e, report.Manifests)
	var difference *verify.Difference
	if errors.As(err, &difference) {
		// The two databases are looked at one after the other: an import that was entered in between looks like a
		// difference. One that is really there is there the second time too.
		if report, approvals, exposed, err = c.verifyVault(e); err != nil {
			return err
		}
		reg, err = c.verifyRegister(e, report.Manifests)
	}
	opened, erased := int64(0), int64(0)
	for _, l := range report.Logs {
		opened, erased = opened+l.Opened, erased+l.Erased
	}
	fmt.Fprintf(e.stdout, "%d logs, %d entries: every hash, checkpoint and head holds; %d openings match, %d are erased.\nThe vault's tables hold what the last commit left in them.\nApprovals that took effect: %d; every signature holds.\nThe index of exposures: %d sums; each is what the ledgers give.\n", len(report.Logs), report.Leaves, opened, erased, approvals, exposed)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%d import entries with %d rows: the register holds what the ledger says.\n", reg.Imports, reg.Rows)
	if reg.Awaiting > 0 {
		fmt.Fprintf(e.stdout, "%d rows of an import wait for their entry: start the service, which goes on with it.\n", reg.Awaiting)
	}
	fmt.Fprintf(e.stdout, "%.1f s\n", time.Since(began).Seconds())
	return nil
}

// verifyVault recomputes the ledgers, against every head that was kept, and the tallies of the vault's tables, and checks the
// signatures of approvals, and the index of exposures; it returns how many approvals took effect, and how many rows the index has.
func (c *VerifyCmd) verifyVault(e *env) (report *verify.Report, approvals, exposed int, err error) {
	// The kept head comes first: the database that is looked at after it must not be behind it.
	var opt verify.Options
	kept, err := c.keyDir().Head()
	if err != nil {
		return nil, 0, 0, err
	}
	if c.Checkpoint != "" {
		b, err := os.ReadFile(c.Checkpoint)
		if err != nil {
			return nil, 0, 0, err
		}
		if b, err = vault.HeadIn(b); err != nil {
			return nil, 0, 0, fmt.Errorf("%s: %w", c.Checkpoint, err)
		}
		if err := addHead(&opt, c.Checkpoint, b); err != nil {
			return nil, 0, 0, err
		}
	}
	if kept != nil {
		if err := addHead(&opt, "the head in the key directory", kept); err != nil {
			return nil, 0, 0, err
		}
	}
	source, err := c.verifySource(e.ctx)
	if err != nil {
		return nil, 0, 0, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	root, err := c.keyDir().Root()
	if err != nil {
		return nil, 0, 0, err
	}
	epoch, err := c.keyDir().Epoch(1)
	if err != nil {
		return nil, 0, 0, err
	}
	keys, authority, err := source.Keys(e.ctx, root, epoch)
	if err != nil {
		return nil, 0, 0, err
	}
	opt.PublicKey, opt.Open = keys.PublicKey, keys.Open
	if report, err = verify.Ledgers(e.ctx, source, opt); err != nil {
		return nil, 0, 0, err
	}
	authority.Tallies = report.Tallies
	if err := verify.Authority(e.ctx, source, authority); err != nil {
		return nil, 0, 0, err
	}
	if approvals, err = vault.CheckApprovals(e.ctx, source, authority.Open); err != nil {
		return nil, 0, 0, err
	}
	exposed, err = vault.CheckExposed(e.ctx, source, authority.Open, opt.Open)
	return report, approvals, exposed, err
}

func addHead(opt *verify.Options, name string, b []byte) error {
	h, err := verify.ParseCheckpoint(b)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	opt.Heads = append(opt.Heads, h)
	return nil
}

// CheckpointCmd prints a head.
type CheckpointCmd struct {
	place
	Log string `arg:"" optional:"" default:"installation" help:"Name of the log; the installation's is over all others."`
}

// Run prints the log's latest signed checkpoint.
func (c *CheckpointCmd) Run(e *env) error {
	if !c.exists() {
		return errNoInstallation
	}
	client, err := c.client("cli")
	if err != nil {
		return err
	}
	defer client.Close()
	cp, err := client.Checkpoint(e.ctx, c.Log)
	if err != nil {
		return err
	}
	_, err = e.stdout.Write(cp)
	return err
}

func sum(b []byte) []byte {
	h := sha256.Sum256(b)
	return h[:]
}

// declarationID is the same for the same file about the same recipient and window, so that loading it twice enters it once.
func declarationID(raw []byte, recipient string, from, to time.Time) id.Import {
	h := sha256.Sum256(fmt.Appendf(nil, "declaration\x00%x\x00%s\x00%d\x00%d", sha256.Sum256(raw), recipient, from.UnixMicro(), to.UnixMicro()))
	return id.Import(h[:16])
}

// verifyRegister holds the register against the imports' manifests.
func (c *VerifyCmd) verifyRegister(e *env, manifests []verify.ManifestEntry) (report *verify.RegisterReport, err error) {
	source, err := c.verifyRegisterSource(e.ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	return verify.Register(e.ctx, source, manifests)
}

func (p place) verifySource(ctx context.Context) (*snapshot.Vault, error) {
	if p.VaultDatabase != "" {
		return postgres.OpenVerify(ctx, p.VaultDatabase)
	}
	return sqlite.OpenVerify(p.vaultDB())
}

func (p place) verifyRegisterSource(ctx context.Context) (*snapshot.Register, error) {
	if p.Database != "" {
		return postgres.OpenVerifyRegister(ctx, p.Database)
	}
	return sqlite.OpenVerifyRegister(p.registerDB())
}

package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/letter"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/web"
)

// The pages say the same number of days as the register counts by; another does not compile.
var _ = [1]struct{}{}[web.ReturnDays-register.ReturnDays]

// Batches implements web.Batches.
func (p pagesRegister) Batches(ctx context.Context, auth vaultclient.Auth, o id.Organisation) ([]web.BadgeBatch, error) {
	today := day.At(p.Now().UTC())
	counts, err := p.BadgeCounts(ctx, auth, o, today.AddMonths(-24), today.AddMonths(24))
	if err != nil {
		return nil, err
	}
	type key struct {
		from, to day.Day
		batch    string
	}
	by := map[key]*web.BadgeBatch{}
	for _, c := range counts {
		k := key{c.Starts, c.Ends, c.Batch}
		if by[k] == nil {
			by[k] = &web.BadgeBatch{From: c.Starts, To: c.Ends, Batch: c.Batch}
		}
		b := by[k]
		*map[register.BadgeState]*int{register.Ordered: &b.Ordered, register.Issued: &b.Issued, register.Returned: &b.Returned, register.Sent: &b.Sent, register.Read: &b.Read}[c.State] += c.N
	}
	out := make([]web.BadgeBatch, 0, len(by))
	for _, b := range by {
		out = append(out, *b)
	}
	slices.SortFunc(out, func(a, b web.BadgeBatch) int {
		return cmp.Or(cmp.Compare(b.To, a.To), cmp.Compare(b.From, a.From), cmp.Compare(a.Batch, b.Batch))
	})
	return out, nil
}

// MoveBatch implements web.Batches.
func (p pagesRegister) MoveBatch(ctx context.Context, auth vaultclient.Auth, o id.Organisation, batch, to string) (int, error) {
	state := register.Sent
	if to == register.Issued.String() {
		state = register.Issued
	}
	return p.Service.MoveBatch(ctx, auth, o, batch, state)
}

// Unreturned implements web.Batches.
func (p pagesRegister) Unreturned(ctx context.Context, auth vaultclient.Auth, o id.Organisation, on day.Day, offset, limit int) ([]web.NamedBadge, int, error) {
	all, err := p.Service.Unreturned(ctx, auth, o, on)
	if err != nil || limit == 0 {
		return nil, len(all), err
	}
	named, err := p.Named(ctx, auth, "badges not returned", all[min(offset, len(all)):min(offset+limit, len(all))])
	if err != nil {
		return nil, 0, err
	}
	out := make([]web.NamedBadge, len(named))
	for i, b := range named {
		out[i] = web.NamedBadge{Barcode: b.Barcode, Wearer: b.Wearer, Identity: b.Identity, Department: b.Department, Position: b.Position, From: b.Starts, To: b.Ends}
	}
	return out, len(all), nil
}

// nothing turns the register's refusal to print nothing into the pages'.
func nothing(err error) error {
	if input, ok := errors.AsType[*register.InputError](err); ok {
		return errors.Join(web.ErrNothingToPrint, input)
	}
	return err
}

// UnreturnedFile implements web.Batches.
func (p pagesRegister) UnreturnedFile(ctx context.Context, auth vaultclient.Auth, o id.Organisation, on day.Day) ([]byte, id.Export, error) {
	printed, err := p.PrintUnreturned(ctx, auth, o, on)
	if err != nil {
		return nil, id.Export{}, nothing(err)
	}
	var b bytes.Buffer
	err = writeBadges(&b, printed)
	return b.Bytes(), printed.Export, err
}

func registerPeriod(p web.BadgePeriod) register.Period {
	return register.Period{Organisation: p.Organisation, From: p.From, To: p.To, Batch: p.Batch}
}

// Departments implements web.Batches.
func (p pagesRegister) Departments(ctx context.Context, auth vaultclient.Auth, period web.BadgePeriod) (map[string]int, error) {
	return p.Service.Departments(ctx, auth, registerPeriod(period))
}

// Print implements web.Batches.
func (p pagesRegister) Print(ctx context.Context, auth vaultclient.Auth, period web.BadgePeriod, department *string, kind string) ([]byte, id.Export, error) {
	orgs, err := p.Vault.Organisations(ctx, auth)
	if err != nil {
		return nil, id.Export{}, err
	}
	stock, labels := letter.StockNamed(kind[max(0, len(kind)-2):])
	reason := "issue sheet"
	if labels {
		reason = "labels"
	}
	printed, err := p.PrintPeriod(ctx, auth, registerPeriod(period), department, reason)
	if err != nil {
		return nil, id.Export{}, nothing(err)
	}
	paper := onPaper(printed, organisationName(orgs, period.Organisation), day.At(p.Now().UTC()))
	var b bytes.Buffer
	if labels {
		err = letter.Labels(&b, paper, stock)
	} else {
		err = letter.Sheets(&b, paper)
	}
	return b.Bytes(), printed.Export, err
}

// rateMonths is how far back rates of return look.
const rateMonths = 12

func rate(r register.Rate) web.ReturnRate {
	return web.ReturnRate{InTime: r.InTime, Late: r.Late, Unknown: r.Unknown, NotBack: r.NotBack}
}

// ReturnRates implements web.Batches.
func (p pagesRegister) ReturnRates(ctx context.Context, auth vaultclient.Auth) (map[id.Organisation]web.ReturnRate, error) {
	all, err := p.Service.ReturnRates(ctx, auth, rateMonths)
	out := make(map[id.Organisation]web.ReturnRate, len(all))
	for o, r := range all {
		out[o] = rate(r)
	}
	return out, err
}

// DepartmentRates implements web.Batches.
func (p pagesRegister) DepartmentRates(ctx context.Context, auth vaultclient.Auth, o id.Organisation) (map[string]web.ReturnRate, error) {
	all, err := p.Service.DepartmentRates(ctx, auth, o, rateMonths)
	out := make(map[string]web.ReturnRate, len(all))
	for d, r := range all {
		out[d] = rate(r)
	}
	return out, err
}

// IssueSpare implements web.Spares.
func (p pagesRegister) IssueSpare(ctx context.Context, auth vaultclient.Auth, x web.Spare) (string, error) {
	code, err := p.Service.IssueSpare(ctx, auth, register.Spare{Barcode: x.Barcode, Period: registerPeriod(x.Period), Wearer: x.Wearer, Position: x.Position})
	if errors.Is(err, register.ErrBarcode) {
		err = web.ErrBarcode
	}
	return code, err
}

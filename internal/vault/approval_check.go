package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// ApprovalRows is a snapshot of a vault's database.
type ApprovalRows interface {
	Installation(ctx context.Context) (string, error)
	Rows(ctx context.Context, table string, fn func(id, sealed []byte) error) error
}

// CheckApprovals holds every proposal of a database against its signatures, and returns how many took effect. The error names
// the first that does not hold. open opens a sealed row. It is what verify does.
func CheckApprovals(ctx context.Context, src ApprovalRows, open func(table string, id, sealed []byte) ([]byte, error)) (done int, err error) {
	installation, err := src.Installation(ctx)
	if err != nil {
		return 0, err
	}
	err = src.Rows(ctx, string(TableApproval), func(key, sealed []byte) error {
		n, err := id.From[id.Approval](key)
		if err != nil {
			return fmt.Errorf("table %s, row %x: %w", TableApproval, key, err)
		}
		one := new(proposal)
		if b, err := open(string(TableApproval), key, sealed); err != nil || json.Unmarshal(b, one) != nil {
			return fmt.Errorf("table %s, row %x: does not open here", TableApproval, key)
		}
		if err := one.checkSignatures(installation, n); err != nil {
			return err
		}
		if one.State == vaultclient.Done {
			done++
		}
		return nil
	})
	return done, err
}

// checkSignatures says what is wrong with a proposal's signatures: each is one of a passkey of whom it says, over the digest of
// what the row holds now; and what one person proposed and another one approved has a signature of both. It needs nothing but
// the row: whose passkey it was, the ledger says.
func (p *proposal) checkSignatures(installation string, n id.Approval) error {
	d := p.digest(installation, n)
	for i, s := range p.Signatures {
		if s.Key == nil {
			continue // a demonstration's
		}
		var a Assertion
		err := json.Unmarshal(s.Key, &a)
		switch {
		case err != nil:
		case a.User != s.User:
			err = errors.New("the passkey's answer is another user's")
		default:
			err = a.Verify(s.Origin, d)
		}
		if err != nil {
			return fmt.Errorf("%s, signature %d: %w", approvalSubject(n), i+1, err)
		}
	}
	if p.State == vaultclient.Done && p.By != p.Proposer && (!p.signedBy(p.Proposer) || !p.signedBy(p.By)) {
		return fmt.Errorf("%s took effect without the signatures of two people", approvalSubject(n))
	}
	return nil
}

package cli

import (
	"github.com/dosevault/dosevault/internal/ledger/verify"
)

// verifyRegister holds the register against the imports' manifests.
func (c *VerifyCmd) verifyRegister(e *env, manifests []verify.ManifestEntry) (imports, rows int, err error) {
	return len(manifests), 0, nil
}

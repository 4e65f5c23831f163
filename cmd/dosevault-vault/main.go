// Command dosevault-vault is the vault alone, so that what it is made of can be read: go list -deps ./cmd/dosevault-vault.
package main

import (
	"os"

	"github.com/dosevault/dosevault/internal/vaultcmd"
)

func main() { os.Exit(vaultcmd.Main(os.Args[1:], os.Stdout, os.Stderr)) }

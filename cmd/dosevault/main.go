// Command dosevault runs a staff radiation-badge service; see the README.
package main

import (
	"os"

	"github.com/dosevault/dosevault/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

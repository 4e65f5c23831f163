package web

import (
	"context"
	"strings"

	"github.com/dosevault/dosevault/internal/words"
)

// Weakness is a promise that does not hold on a set-up, as the command line hands it to the web node.
type Weakness string

// The weaknesses.
const (
	OneDisk   Weakness = "one-disk"
	OneUser   Weakness = "one-user"
	NoWitness Weakness = "no-witness"
)

// OneAdministrator is that a single administrator decides, after a delay such as 24h0m0s.
func OneAdministrator(delay string) Weakness { return Weakness(oneAdministrator + delay) }

const oneAdministrator = "one-administrator="

var weaknessWords = map[Weakness]words.Key{
	OneDisk:   "keys and databases are on one machine, so whoever takes its disk has everything",
	OneUser:   "vault, web node and worker run as one user, so whoever takes over the web node has the vault too",
	NoWitness: "no witness keeps the ledger's heads elsewhere",
}

// Text says which promise does not hold.
func (w Weakness) Text(ctx context.Context) string {
	if delay, ok := strings.CutPrefix(string(w), oneAdministrator); ok {
		return words.T(ctx, "a single administrator decides, after %s", delay)
	}
	if k, ok := weaknessWords[w]; ok {
		return words.T(ctx, k)
	}
	return string(w) // a node that is older than its supervisor
}

package vault

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// machineProposal gives a machine outside leave, by the public key that it signs for. The machine's id is its proposal's, so
// that whoever runs it can be told at once what it will sign under. One person ends it.
type machineProposal struct{ vaultclient.NewMachine }

func (b *machineProposal) where(*Vault) []id.Organisation { return b.Organisations }

// Whoever approves may be an administrator as well, who reads nothing of it.
func (b *machineProposal) may(approves bool) []ask {
	asks := []ask{{action: policy.Machine, purpose: b.Purpose, fields: b.Fields}}
	if approves {
		asks = append(asks, administer...)
	}
	return asks
}

func (b *machineProposal) check(v *Vault, now time.Time) error {
	switch {
	case badName(b.Name):
		return invalid("a machine has a name of at most %d bytes", maxMachineName)
	case b.Fields == 0 || b.Fields&^policy.AllFields != 0 || b.MaxWearers < 1 || b.MaxWearers > vaultclient.MaxMachineWearers || b.Node == "":
		return invalid("a machine's leave names fields, a number of people from 1 to %d, and the node that it comes in by", vaultclient.MaxMachineWearers)
	case !b.Ends.After(now) || b.Ends.After(now.Add(maxMachineLife)):
		return invalid("a machine's leave ends within a year")
	case len(b.Key) != ed25519.PublicKeySize:
		return invalid("a machine has an Ed25519 public key of %d bytes", ed25519.PublicKeySize)
	}
	for _, other := range v.state.grants {
		switch {
		case !other.isMachine():
		case v.state.runs(other, now) && person.Fold(other.Name) == person.Fold(b.Name):
			return &vaultclient.Error{Code: vaultclient.Conflict, Message: "a machine of this name has leave already: end it first, or choose another name"}
		case bytes.Equal(other.Key, b.Key):
			return &vaultclient.Error{Code: vaultclient.Conflict, Message: "this key is another machine's, or was: each has a key of its own, and a new one when it gets leave again"}
		}
	}
	return v.checkOrganisations(b.Organisations)
}

func (b *machineProposal) read(ctx context.Context, _ *Vault) []Line {
	return []Line{
		{"Name", b.Name},
		{"Purpose", words.T(ctx, PurposeWords(b.Purpose))},
		{"Fields", FieldWords(ctx, b.Fields)},
		{"Comes in by the node", b.Node},
		{"Different people, at most", words.Count(ctx, b.MaxWearers, "person", "people")},
		{"Ends on", words.Moment(ctx, b.Ends)},
		{"Fingerprint of its public key: have whoever runs the machine read out theirs", vaultclient.Fingerprint(b.Key)},
	}
}

func (b *machineProposal) do(t *tx, p *approved) error {
	return t.enterLeave(id.Grant(p.id), &grant{User: p.proposer, Name: b.Name, Key: b.Key, Node: b.Node, Purpose: b.Purpose, Fields: b.Fields, Organisations: b.Organisations,
		MaxWearers: b.MaxWearers, Expires: b.Ends.UnixMicro(), used: newWearerSet()}, p.opening, "given")
}

// badName reports whether a name of a machine or of recurring work can't stand in a ledger.
func badName(name string) bool {
	return name != strings.TrimSpace(name) || name == "" || len(name) > maxMachineName || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '\u007f' })
}

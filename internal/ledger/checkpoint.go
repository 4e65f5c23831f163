package ledger

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"

	"golang.org/x/mod/sumdb/note"
)

// InstallationLog is the name of the log that holds what belongs to no organisation. The other logs are
// named "<organisation id>/<year>".
const InstallationLog = "installation"

// Origin returns the origin line, and key name, of a log's checkpoints: "<installation>.dosevault/<log>".
func Origin(installation, log string) string { return installation + ".dosevault/" + log }

// Signer signs the checkpoints of one installation with Ed25519; every log has its origin as key name.
type Signer struct {
	installation string
	key          ed25519.PrivateKey
}

// NewSigner returns a signer; the seed is the private key's 32 bytes.
func NewSigner(installation string, seed [ed25519.SeedSize]byte) *Signer {
	return &Signer{installation, ed25519.NewKeyFromSeed(seed[:])}
}

// VerifierKey returns the public key of a log's checkpoints in the form of signed notes.
func (s *Signer) VerifierKey(log string) (string, error) {
	return note.NewEd25519VerifierKey(Origin(s.installation, log), s.key.Public().(ed25519.PublicKey))
}

// PublicKey returns the public key.
func (s *Signer) PublicKey() ed25519.PublicKey { return s.key.Public().(ed25519.PublicKey) }

// Sign returns a head as a signed checkpoint.
func (s *Signer) Sign(h Head) ([]byte, error) {
	origin := Origin(s.installation, h.Log)
	return note.Sign(&note.Note{Text: CheckpointBody(origin, h)}, logSigner{origin, s.key})
}

// logSigner is a note.Signer whose name is a log's origin.
type logSigner struct {
	name string
	key  ed25519.PrivateKey
}

func (s logSigner) Name() string { return s.name }

// KeyHash is the note format's: the first 4 bytes of SHA-256 over name, newline, algorithm 1 and public key.
func (s logSigner) KeyHash() uint32 {
	h := sha256.New()
	h.Write([]byte(s.name + "\n\x01"))
	h.Write(s.key.Public().(ed25519.PublicKey))
	return binary.BigEndian.Uint32(h.Sum(nil))
}

func (s logSigner) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.key, msg), nil }

package ledger

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"

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

// Sign returns a head as a signed checkpoint; tallies may be nil, see CheckpointBody.
func (s *Signer) Sign(h Head, tallies []byte) ([]byte, error) {
	origin := Origin(s.installation, h.Log)
	return note.Sign(&note.Note{Text: CheckpointBody(origin, h, tallies)}, logSigner{origin, s.key})
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

// ErrCheckpoint says that bytes are no checkpoint of the log, or not signed by the installation.
var ErrCheckpoint = errors.New("ledger: not a checkpoint of this log")

// Open reads a checkpoint that this signer signed, and its tallies, nil where it has none; the error is ErrCheckpoint.
func (s *Signer) Open(log string, checkpoint []byte) (h Head, tallies []byte, err error) {
	vkey, err := s.VerifierKey(log)
	if err != nil {
		return Head{}, nil, ErrCheckpoint
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return Head{}, nil, ErrCheckpoint
	}
	n, err := note.Open(checkpoint, note.VerifierList(verifier))
	if err != nil {
		return Head{}, nil, ErrCheckpoint
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) == 5 {
		if tallies, err = decodeHash(strings.CutPrefix(lines[3], talliesLine)); err != nil {
			return Head{}, nil, ErrCheckpoint
		}
	} else if len(lines) != 4 {
		return Head{}, nil, ErrCheckpoint
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || lines[0] != Origin(s.installation, log) {
		return Head{}, nil, ErrCheckpoint
	}
	root, err := decodeHash(lines[2], true)
	if err != nil {
		return Head{}, nil, ErrCheckpoint
	}
	return Head{Log: log, Size: size, Root: root}, tallies, nil
}

// decodeHash reads 32 bytes in base64.
func decodeHash(s string, ok bool) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if !ok || err != nil || len(b) != sha256.Size {
		return nil, ErrCheckpoint
	}
	return b, nil
}

package verify

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Head is a log's size and root as a checkpoint states them.
type Head struct {
	Origin string // "<installation>.dosevault/<log>"
	Log    string
	Size   int64
	Root   [sha256.Size]byte
	// Tallies is the keyed hash over the tables of authority, see Authority; nil where the checkpoint has none.
	Tallies []byte

	text []byte // what is signed
	sigs []signature
}

// signature is one signature line of a note.
type signature struct {
	name string
	id   [4]byte
	sig  []byte
}

// Reasons why bytes are no checkpoint.
var (
	errNote       = errors.New("not a signed note")
	errCheckpoint = errors.New("not a checkpoint of a dosevault log: origin, size and root expected, and of the installation log the tallies, and nothing else")
)

// Errors of Verify.
var (
	ErrUnsigned  = errors.New("no signature by the installation's key")
	ErrSignature = errors.New("the signature by the installation's key is wrong")
)

// maxNote bounds a note: three lines and the signatures of a log and its witnesses.
const maxNote = 64 << 10

var base64Strict = base64.StdEncoding.Strict()

// ParseCheckpoint reads a checkpoint. The signatures are parsed, not checked: see Verify.
//
// The form is the C2SP signed note (https://c2sp.org/signed-note): a text, an empty line, and signature lines
//
//	— <key name> <base64 of key id (4 bytes) and signature>
//
// around the C2SP checkpoint (https://c2sp.org/tlog-checkpoint) in its narrowest form: three lines of origin,
// decimal size and base64 root. The one extension line that dosevault writes, and only in the installation log's, is
//
//	tallies <base64 of 32 bytes>
func ParseCheckpoint(note []byte) (Head, error) {
	if len(note) > maxNote || !utf8.Valid(note) || bytes.ContainsFunc(note, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }) {
		return Head{}, errNote
	}
	// The last empty line divides text and signatures; a text may hold empty lines itself.
	cut := bytes.LastIndex(note, []byte("\n\n"))
	if cut < 0 {
		return Head{}, errNote
	}
	text, lines := note[:cut+1], string(note[cut+2:])
	if lines == "" || !strings.HasSuffix(lines, "\n") {
		return Head{}, errNote
	}
	h := Head{text: bytes.Clone(text)}
	for line := range strings.Lines(lines) {
		rest, dash := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "— ")
		name, encoded, space := strings.Cut(rest, " ")
		b, err := base64Strict.DecodeString(encoded)
		if !dash || !space || !isKeyName(name) || err != nil || len(b) < 5 {
			return Head{}, errNote
		}
		h.sigs = append(h.sigs, signature{name, [4]byte(b), b[4:]})
	}

	body := strings.Split(string(text), "\n")
	if n := len(body); n != 4 && n != 5 || body[n-1] != "" {
		return Head{}, errCheckpoint
	}
	installation, log, ok := strings.Cut(body[0], ".dosevault/")
	if !ok || installation == "" || log == "" || !isKeyName(body[0]) {
		return Head{}, errCheckpoint
	}
	size, err := strconv.ParseInt(body[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != body[1] {
		return Head{}, errCheckpoint
	}
	root, err := base64Strict.DecodeString(body[2])
	if err != nil || len(root) != sha256.Size {
		return Head{}, errCheckpoint
	}
	if len(body) == 5 {
		encoded, ok := strings.CutPrefix(body[3], "tallies ")
		if h.Tallies, err = base64Strict.DecodeString(encoded); !ok || err != nil || len(h.Tallies) != sha256.Size || log != installationLog {
			return Head{}, errCheckpoint
		}
	}
	h.Origin, h.Log, h.Size, h.Root = body[0], log, size, [sha256.Size]byte(root)
	return h, nil
}

// isKeyName reports whether a text can be the name of a note's key.
func isKeyName(s string) bool {
	return s != "" && !strings.Contains(s, "+") && !strings.ContainsFunc(s, unicode.IsSpace)
}

// Verify checks that the key signed the checkpoint under its origin's name. Signatures by others, as of witnesses,
// are left aside. The error is ErrUnsigned or ErrSignature.
func (h Head) Verify(pub ed25519.PublicKey) error {
	if len(pub) != ed25519.PublicKeySize {
		return ErrUnsigned
	}
	// A key's id: the first 4 bytes of SHA-256 over name, newline, algorithm (1: Ed25519) and public key.
	sum := sha256.Sum256(append([]byte(h.Origin+"\n\x01"), pub...))
	signed := false
	for _, s := range h.sigs {
		if s.name != h.Origin || s.id != [4]byte(sum[:4]) {
			continue
		}
		if !ed25519.Verify(pub, h.text, s.sig) {
			return ErrSignature
		}
		signed = true
	}
	if !signed {
		return ErrUnsigned
	}
	return nil
}

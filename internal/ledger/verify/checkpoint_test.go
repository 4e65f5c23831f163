package verify

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/dosevault/dosevault/internal/ledger"
)

func signed(t testing.TB, signer *ledger.Signer, log string, size int64) []byte {
	t.Helper()
	root := bytes.Repeat([]byte{7}, 32)
	cp, err := signer.Sign(ledger.Head{Log: log, Size: size, Root: root}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return cp
}

func TestParseCheckpoint(t *testing.T) {
	signer := ledger.NewSigner("inst", [32]byte{1})
	cp := signed(t, signer, "installation", 12)
	h, err := ParseCheckpoint(cp)
	if err != nil || h.Origin != "inst.dosevault/installation" || h.Log != "installation" || h.Size != 12 || h.Root[31] != 7 {
		t.Fatalf("%+v, %v", h, err)
	}
	if err := h.Verify(signer.PublicKey()); err != nil {
		t.Error(err)
	}
	if err := h.Verify(ledger.NewSigner("inst", [32]byte{2}).PublicKey()); !errors.Is(err, ErrUnsigned) {
		t.Errorf("another key: %v", err)
	}
	if err := h.Verify(nil); !errors.Is(err, ErrUnsigned) {
		t.Errorf("no key: %v", err)
	}
	h.text = append(h.text, 'x')
	if err := h.Verify(signer.PublicKey()); !errors.Is(err, ErrSignature) {
		t.Errorf("another text: %v", err)
	}

	// A witness's line beside it is no matter, whatever its signature is.
	skey, _, err := note.GenerateKey(nil, "witness.example/w")
	if err != nil {
		t.Fatal(err)
	}
	w, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(cp), "\n\n")
	line, err := note.Sign(&note.Note{Text: text + "\n"}, w)
	if err != nil {
		t.Fatal(err)
	}
	_, witness, _ := strings.Cut(string(line), "\n\n")
	h, err = ParseCheckpoint(append(bytes.Clone(cp), witness...))
	if err != nil || h.Verify(signer.PublicKey()) != nil {
		t.Errorf("with a witness: %v", err)
	}
	if h, err = ParseCheckpoint(line); err != nil || !errors.Is(h.Verify(signer.PublicKey()), ErrUnsigned) {
		t.Errorf("by the witness alone: %v", err)
	}
	// Two lines by the key, one of them wrong.
	wrong := strings.Replace(string(cp), "\n\n", "\n\n"+wrongLine(string(cp)), 1)
	if h, err = ParseCheckpoint([]byte(wrong)); err != nil || !errors.Is(h.Verify(signer.PublicKey()), ErrSignature) {
		t.Errorf("with a wrong line by the key: %v", err)
	}
}

// wrongLine returns the note's signature line with another signature.
func wrongLine(note string) string {
	line := note[strings.Index(note, "— "):]
	i := strings.LastIndexByte(line, ' ')
	b, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(line[i+1:]))
	b[10] ^= 1
	return line[:i+1] + base64.StdEncoding.EncodeToString(b) + "\n"
}

func TestParseCheckpointRefuses(t *testing.T) {
	good := string(signed(t, ledger.NewSigner("inst", [32]byte{1}), "installation", 12))
	root := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	change := func(old, new string) string {
		s := strings.Replace(good, old, new, 1)
		if s == good {
			t.Fatalf("%q is not in the note", old)
		}
		return s
	}
	for name, s := range map[string]string{
		"empty":                "",
		"no signature":         good[:strings.Index(good, "— ")],
		"no empty line":        change("\n\n", "\n"),
		"no last newline":      strings.TrimSuffix(good, "\n"),
		"carriage return":      change("\n12\n", "\r\n12\r\n"),
		"tab":                  change("12", "\t12"),
		"not UTF-8":            change("inst.", "\xff."),
		"another dash":         change("— ", "- "),
		"base64 cut":           good[:len(good)-3] + "\n",
		"short signature":      good[:strings.LastIndexByte(good, ' ')+1] + "AAAAAA==\n",
		"plus in a key's name": strings.Replace(good, "— inst", "— in+st", 1),
		"size with a zero":     change("\n12\n", "\n012\n"),
		"size with a plus":     change("\n12\n", "\n+12\n"),
		"size below zero":      change("\n12\n", "\n-12\n"),
		"size too large":       change("\n12\n", "\n9223372036854775808\n"),
		"size in words":        change("\n12\n", "\ntwelve\n"),
		"root too short":       change(root, "BwcHBw=="),
		"root unpadded":        change(root, strings.TrimRight(root, "=")),
		"root's spare bits":    change(root, root[:42]+"d="),
		"an extension line":    change(root, root+"\nextension"),
		"a line less":          change("12\n", ""),
		"foreign origin":       change("inst.dosevault/", "go.sum.database/"),
		"no installation":      change("inst.dosevault/", ".dosevault/"),
		"no log":               change("dosevault/installation", "dosevault/"),
		"space in the origin":  change("inst.dosevault", "in st.dosevault"),
		"too long":             good + strings.Repeat(good[strings.Index(good, "— "):], 1000),
	} {
		if h, err := ParseCheckpoint([]byte(s)); err == nil {
			t.Errorf("%s: was read as %+v", name, h)
		}
	}
}

// The parser never panics, reads what it reads in one way, and verifies only what x/mod's implementation does.
func FuzzParseCheckpoint(f *testing.F) {
	signer := ledger.NewSigner("inst", [32]byte{1})
	good := signed(f, signer, "installation", 12)
	f.Add(good)
	f.Add(signed(f, signer, "aeaaaaaaaaaaaaaaaaaaaaaaaa/2026", 1<<40))
	f.Add([]byte(strings.Replace(string(good), "\n\n", "\n\n"+wrongLine(string(good)), 1)))
	f.Add([]byte("inst.dosevault/installation\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— x AAAAAAA=\n"))
	f.Add([]byte("\n\n\n\n"))
	vkey, err := signer.VerifierKey("installation")
	if err != nil {
		f.Fatal(err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		f.Fatal(err)
	}
	pub := signer.PublicKey()
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseCheckpoint(b)
		if err != nil {
			return
		}
		text := ledger.CheckpointBody(h.Origin, ledger.Head{Log: h.Log, Size: h.Size, Root: h.Root[:]}, h.Tallies)
		if text != string(h.text) || !strings.HasSuffix(h.Origin, ".dosevault/"+h.Log) {
			t.Errorf("read as %+v, which is written as %q", h, text)
		}
		if h.Verify(pub) == nil && h.Log == "installation" {
			if n, err := note.Open(b, note.VerifierList(verifier)); err != nil || n.Text != text {
				t.Errorf("verified, but x/mod says %v", err)
			}
		}
	})
}

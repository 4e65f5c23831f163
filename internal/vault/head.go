package vault

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
)

// The file vault/head has two slots of 512 bytes, and every commit writes the one with the older head:
//
//	+------------------------+----------------+------------------------------------+
//	| checkpoint (n bytes)   | zero bytes ... | SHA-256 of all before it (32)      |
//	+------------------------+----------------+------------------------------------+
//
// It is written in place, since making a new file for each commit costs as much as the commit. Whatever cuts a write short,
// the other slot still has the head before it. A slot of zeros was never written. The file is not flushed: the database is,
// and it may be ahead of the head, never behind.
const (
	headSlot = 512
	headText = headSlot - sha256.Size // for the checkpoint
)

// Head reads the last head kept; nil when none was.
func (d KeyDir) Head() ([]byte, error) {
	b, err := os.ReadFile(d.path("vault", "head"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	head, _, err := newestHead(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.path("vault", "head"), err)
	}
	return head, nil
}

// SetHead keeps a head: should the write be cut short, the one before it is still there.
func (d KeyDir) SetHead(checkpoint []byte) (err error) {
	if len(checkpoint) > headText {
		return fmt.Errorf("a head of %d bytes is too long to be kept", len(checkpoint))
	}
	f, err := os.OpenFile(d.path("vault", "head"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var kept [2 * headSlot]byte
	n, err := f.ReadAt(kept[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	_, newest, _ := newestHead(kept[:n]) // what holds no head is written over
	var slot [headSlot]byte
	copy(slot[:], checkpoint)
	sum := sha256.Sum256(slot[:headText])
	copy(slot[headText:], sum[:])
	_, err = f.WriteAt(slot[:], int64(1-newest)*headSlot)
	return err
}

var errNoHead = errors.New("it holds no head that was written whole: was it changed?")

// HeadIn returns the head in a copy of the file vault/head, or in the text of a checkpoint.
func HeadIn(b []byte) ([]byte, error) {
	if len(b) != headSlot && len(b) != 2*headSlot {
		return b, nil
	}
	head, _, err := newestHead(b)
	if head == nil && err == nil {
		err = errNoHead
	}
	return head, err
}

// newestHead returns the newer of the heads in the file, and its slot; nil when nothing was written yet. The error says that
// no slot is whole.
func newestHead(b []byte) (head []byte, slot int, err error) {
	var most int64 = -1
	spoilt := false
	slot = 1 // so that the first is written first
	for i := 0; i*headSlot < len(b); i++ {
		s := b[i*headSlot : min(len(b), (i+1)*headSlot)]
		if len(bytes.Trim(s, "\x00")) == 0 {
			continue
		}
		if len(s) < headSlot || sha256.Sum256(s[:headText]) != [sha256.Size]byte(s[headText:]) {
			spoilt = true
			continue
		}
		text := bytes.TrimRight(s[:headText], "\x00")
		if n := headSize(text); n > most {
			head, slot, most = text, i, n
		}
	}
	if head == nil && spoilt {
		return nil, slot, errNoHead
	}
	return head, slot, nil
}

// headSize is how many entries a checkpoint says its log has.
func headSize(checkpoint []byte) int64 {
	_, rest, _ := bytes.Cut(checkpoint, []byte("\n"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	n, err := strconv.ParseInt(string(line), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

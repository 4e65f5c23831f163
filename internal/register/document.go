package register

import (
	"bytes"
	"cmp"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"math"

	"github.com/dosevault/dosevault/internal/vaultclient"
)

// A document is compressed (RFC 1951: a laboratory's file shrinks to a tenth) and then sealed in parts, some in a call of
// the vault.
const (
	documentPart  = 1 << 20
	documentParts = 16
	inMemory      = 32 << 20 // bytes of a text that is read again and again: a longer one stays compressed
)

// documentWriter seals what is written to it. Memory does not grow with what was written, but with what is sealed of it.
type documentWriter struct {
	seal   func(part int, b []byte) vaultclient.Item
	call   func(items []vaultclient.Item) ([][]byte, error)
	small  bytes.Buffer
	flate  *flate.Writer
	sealed [][]byte
}

func (s *Service) newDocument(ctx context.Context, auth vaultclient.Auth, im ImportRow, name string) (*documentWriter, error) {
	d := &documentWriter{
		seal: func(part int, b []byte) vaultclient.Item {
			return vaultclient.Item{Context: documentContext(im.ID, name, part), Value: b, Pad: documentPad}
		},
		call: func(items []vaultclient.Item) ([][]byte, error) { return s.seal(ctx, auth, im.purpose(), items) },
	}
	var err error
	d.flate, err = flate.NewWriter(&d.small, flate.BestSpeed)
	return d, err
}

func (d *documentWriter) Write(b []byte) (int, error) {
	n, err := d.flate.Write(b)
	if err == nil && d.small.Len() >= documentParts*documentPart {
		err = d.flush(documentPart)
	}
	return n, err
}

// flush seals what is there of parts that have at least so many bytes.
func (d *documentWriter) flush(least int) error {
	var items []vaultclient.Item
	for d.small.Len() >= least {
		items = append(items, d.seal(len(d.sealed)+len(items), bytes.Clone(d.small.Next(documentPart))))
	}
	sealed, err := d.call(items)
	d.sealed = append(d.sealed, sealed...)
	return err
}

// parts ends the document and returns its sealed parts.
func (d *documentWriter) parts() ([][]byte, error) {
	if err := d.flate.Close(); err != nil {
		return nil, fmt.Errorf("compressing a document: %w", err)
	}
	err := d.flush(1)
	return d.sealed, err
}

// sealDocument seals a document.
func (s *Service) sealDocument(ctx context.Context, auth vaultclient.Auth, im ImportRow, name string, b []byte) ([][]byte, error) {
	d, err := s.newDocument(ctx, auth, im, name)
	if err == nil {
		_, err = d.Write(b)
	}
	if err != nil {
		return nil, fmt.Errorf("compressing a document: %w", err)
	}
	return d.parts()
}

// openDocument opens a document. It is a reveal of all that the document holds.
func (s *Service) openDocument(ctx context.Context, auth vaultclient.Auth, im ImportRow, name, reason string) ([]byte, error) {
	size := 0
	if name == docRows {
		size = acceptedSize * min(max(im.Stored, 0), maxRows) // whoever can write to the register can write any number
	}
	d, err := s.openCompressed(ctx, auth, im, name, reason)
	if err != nil {
		return nil, err
	}
	return d.text(math.MaxInt64-1, size)
}

// readDocument is openDocument for a text that is read in passing, and may be long.
func (s *Service) readDocument(ctx context.Context, auth vaultclient.Auth, im ImportRow, name, reason string) (io.ReadSeeker, error) {
	d, err := s.openCompressed(ctx, auth, im, name, reason)
	if err != nil {
		return nil, err
	}
	b, err := d.text(inMemory, 0)
	if err != nil || b != nil {
		return bytes.NewReader(b), err
	}
	return d, d.rewind()
}

func (s *Service) openCompressed(ctx context.Context, auth vaultclient.Auth, im ImportRow, name, reason string) (*document, error) {
	parts, err := s.Store.Document(ctx, im.ID, name)
	if err != nil {
		return nil, err
	}
	items := make([]vaultclient.Item, len(parts))
	for i, p := range parts {
		items[i] = vaultclient.Item{Context: documentContext(im.ID, name, i), Value: p}
	}
	opened, err := s.openBy(ctx, auth, im.purpose(), reason, documentParts, items)
	if err != nil {
		return nil, err
	}
	d := &document{small: bytes.Join(opened, nil)}
	return d, d.rewind()
}

// document is a long document's text, compressed in memory but for where it is read. Its error is errBlob.
type document struct {
	small []byte
	flate io.ReadCloser
	at    int64
}

func (d *document) rewind() error {
	d.at = 0
	if d.flate == nil {
		d.flate = flate.NewReader(bytes.NewReader(d.small))
		return nil
	}
	return d.flate.(flate.Resetter).Reset(bytes.NewReader(d.small), nil)
}

func (d *document) Read(b []byte) (int, error) {
	n, err := d.flate.Read(b)
	d.at += int64(n)
	if err != nil && err != io.EOF {
		err = errBlob
	}
	return n, err
}

// text returns the text from where the document stands to its end, nil where that is more than most bytes. size is about
// how long it is, 0 where nobody knows: then it is taken for one that shrank to an eighth.
func (d *document) text(most int64, size int) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(cmp.Or(size, min(8*len(d.small), inMemory)) + bytes.MinRead)
	n, err := b.ReadFrom(io.LimitReader(d, most+1))
	if err != nil || n > most {
		return nil, err
	}
	return b.Bytes(), nil
}

// Seek implements io.Seeker, but not from the end. Going back reads from the beginning.
func (d *document) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekCurrent {
		offset += d.at
	}
	if whence == io.SeekEnd || offset < 0 {
		return d.at, fmt.Errorf("a document can't be read from there")
	}
	if offset < d.at {
		if err := d.rewind(); err != nil {
			return 0, err
		}
	}
	_, err := io.CopyN(io.Discard, d, offset-d.at)
	return d.at, err
}

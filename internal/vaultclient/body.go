package vaultclient

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
)

// The two forms of a request's or an answer's body. Most are JSON. One with columns of many values is, as TypeColumns,
// its JSON and then each column, all preceded by their length (4 bytes, big endian): in JSON, the base64 of a hundred thousand
// values costs more than all that the vault does with them.
const (
	TypeJSON    = "application/json"
	TypeColumns = "application/vnd.dosevault.columns"
)

// Columns is a body with columns that travel beside its JSON, in this order.
type Columns interface{ Columns() []*[]byte }

// columnsOf returns a body's columns; none: it travels as JSON alone.
func columnsOf(body any) []*[]byte {
	if c, ok := body.(Columns); ok {
		return c.Columns()
	}
	return nil
}

// Body is a body laid out for the wire, in pieces, so that large columns are not copied.
type Body struct {
	Type   string
	Size   int64
	pieces [][]byte
}

// NewBody lays v out as JSON, and the columns of body, a part of v, beside it.
func NewBody(v, body any) (Body, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return Body{}, err
	}
	columns := columnsOf(body)
	if columns == nil {
		return Body{TypeJSON, int64(len(b)), [][]byte{b}}, nil
	}
	w := Body{Type: TypeColumns}
	w.add(b)
	for _, c := range columns {
		w.add(*c)
	}
	if w.Size <= 64<<10 { // in one piece
		all := make([]byte, 0, w.Size)
		for _, p := range w.pieces {
			all = append(all, p...)
		}
		w.pieces = [][]byte{all}
	}
	return w, nil
}

// WriteTo implements io.WriterTo.
func (w Body) WriteTo(to io.Writer) (n int64, err error) {
	for _, p := range w.pieces {
		k, err := to.Write(p)
		n += int64(k)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func (w *Body) add(b []byte) {
	w.pieces = append(w.pieces, binary.BigEndian.AppendUint32(nil, uint32(len(b))), b)
	w.Size += 4 + int64(len(b))
}

// Reader reads the body from its beginning.
func (w Body) Reader() io.Reader {
	readers := make([]io.Reader, len(w.pieces))
	for i, p := range w.pieces {
		readers[i] = bytes.NewReader(p)
	}
	return io.MultiReader(readers...)
}

// errBody says that a body is not what its method takes.
var errBody = errors.New("the body can't be read")

// ReadBody reads a body to its end. size is what the sender says, below 0 where it says nothing: no more than 16 MiB are
// set aside before they have come.
func ReadBody(r io.Reader, size int64) ([]byte, error) {
	var buf bytes.Buffer
	buf.Grow(int(min(max(size, 0), 16<<20)) + bytes.MinRead)
	_, err := buf.ReadFrom(r)
	return buf.Bytes(), err
}

// maxObjects is how many objects a request's JSON can hold: a few for each of its items. A list of empty ones takes a hundred
// times its own length in memory.
const maxObjects = 2*MaxItems + 1000

// Decode takes apart what NewBody laid out. The columns are parts of b, not copies. strict refuses fields that v does not have.
func Decode(b []byte, contentType string, v, body any, strict bool) error {
	columns := columnsOf(body)
	if (contentType == TypeColumns) != (columns != nil) {
		return errBody
	}
	head, rest := b, []byte(nil)
	if columns != nil {
		var err error
		if head, rest, err = cut(b); err != nil {
			return err
		}
	}
	dec := json.NewDecoder(bytes.NewReader(head))
	if strict {
		if bytes.Count(head, []byte("{"))+bytes.Count(head, []byte("null")) > maxObjects {
			return errBody
		}
		dec.DisallowUnknownFields()
	}
	if err := dec.Decode(v); err != nil {
		return err
	}
	for _, c := range columns {
		var err error
		if *c, rest, err = cut(rest); err != nil {
			return err
		}
	}
	if len(rest) != 0 {
		return errBody
	}
	return nil
}

// cut takes the first of some bytes that are preceded by their length.
func cut(b []byte) (first, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, errBody
	}
	n := int64(binary.BigEndian.Uint32(b))
	if n > int64(len(b)-4) {
		return nil, nil, errBody
	}
	return b[4 : 4+n : 4+n], b[4+n:], nil
}

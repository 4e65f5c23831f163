package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dosevault/dosevault/internal/id"
)

// What leaf version 1 is made of.
const (
	leafSize  = 56
	lastKind  = 29
	lastBasis = 3

	kindOpenLog = 1
	kindHeads   = 2
	kindImport  = 11
)

// entry is a decoded leaf. Times are µs since 1970-01-01 UTC.
type entry struct {
	kind, basis        uint8
	count              uint32
	recorded, occurred int64
	opening            [sha256.Size]byte
}

// decodeLeaf reads a leaf; the error says what is wrong with it.
func decodeLeaf(b []byte) (entry, error) {
	switch {
	case len(b) != leafSize:
		return entry{}, fmt.Errorf("the leaf has %d bytes, want %d", len(b), leafSize)
	case b[0] != 1:
		return entry{}, fmt.Errorf("the leaf is of version %d, want 1", b[0])
	case b[1] == 0 || b[1] > lastKind:
		return entry{}, fmt.Errorf("the leaf is of the unknown kind %d", b[1])
	case b[2] == 0 || b[2] > lastBasis:
		return entry{}, fmt.Errorf("the leaf is of the unknown basis %d", b[2])
	case b[3] != 0:
		return entry{}, errors.New("the leaf's fourth byte is not zero")
	}
	return entry{
		kind: b[1], basis: b[2],
		count:    binary.BigEndian.Uint32(b[4:8]),
		recorded: int64(binary.BigEndian.Uint64(b[8:16])),
		occurred: int64(binary.BigEndian.Uint64(b[16:24])),
		opening:  [sha256.Size]byte(b[24:56]),
	}, nil
}

// opening is what verifying needs of an opening.
type opening struct {
	Salt     []byte      `json:"salt"`
	Wearers  []id.Wearer `json:"wearers"`
	Import   id.Import   `json:"import"`
	Manifest *struct {
		Kind string `json:"kind"`
		Rows int    `json:"rows"`
		Hash []byte `json:"hash"`
	} `json:"manifest"`
	Previous *head  `json:"previous"`
	Heads    []head `json:"heads"`
}

var openingStart = []byte(`{"salt":"`)

// decodeOpening reads an opening and checks it against its leaf; the error says what is wrong with it and holds
// nothing of its content.
func decodeOpening(b []byte, e entry) (opening, error) {
	if sha256.Sum256(b) != e.opening {
		return opening{}, errors.New("the opening's hash is not the leaf's")
	}
	var o opening
	if !bytes.HasPrefix(b, openingStart) || json.Unmarshal(b, &o) != nil || len(o.Salt) != 16 {
		return opening{}, errors.New("the opening is malformed")
	}
	for _, h := range o.Heads {
		if h.Size < 1 || len(h.Root) != sha256.Size {
			return opening{}, errors.New("the opening has a malformed head")
		}
	}
	if e.kind == kindHeads {
		if int(e.count) != len(o.Heads) {
			return opening{}, fmt.Errorf("the leaf counts %d logs, the opening names %d", e.count, len(o.Heads))
		}
	} else if len(o.Wearers) > 0 && int(e.count) != len(o.Wearers) {
		return opening{}, fmt.Errorf("the leaf counts %d wearers, the opening names %d", e.count, len(o.Wearers))
	}
	if m := o.Manifest; m != nil && (m.Kind == "" || m.Rows < 0 || len(m.Hash) != sha256.Size || o.Import.IsZero()) {
		return opening{}, errors.New("the opening has a malformed manifest")
	}
	return o, nil
}

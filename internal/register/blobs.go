package register

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// What is sealed in the register's rows, before the vault pads and seals it. Integers are big endian.
//
// Wear period, version 1 (3 bytes, padded to 16):
//
//	offset 0  1  version, 1
//	       1  1  position (dose.Position); a foetal badge says whole body here, and only the wearer's health row says more
//	       2  1  flags: 1 = belongs to no assigned dose
//
// Reading, version 1 (8 + 10 for each quantity, padded to 64):
//
//	offset 0  1  version, 1
//	       1  1  flags: 1 = belongs to no assigned dose
//	       2  1  notes of the laboratory, as bits: 1 unused, 2 received damaged, 4 damaged in processing, 8 several accounts
//	       3  4  day of the scan (days since 1970-01-01, 0 none)
//	       7  1  number of quantities
//	  then for each: quantity (1), qualifier (1), dose in µSv (8)
//
// Wearer, health, organisation and investigation: JSON, see the types below; padded to 512, 256, 8192 and 2048: a wearer's
// two texts of 200 bytes fit, so that no row stands out by its length.
const (
	periodPad        = 16
	readingPad       = 64
	wearerPad        = 512
	healthPad        = 256
	organisationPad  = 8192
	investigationPad = 2048
	documentPad      = 4096
)

// errBlob says that an opened value is not what its row should hold.
var errBlob = errors.New("a sealed value holds something unexpected: the database was changed; run dosevault verify")

// Wear is what a wear period's blob says.
type Wear struct {
	Position   dose.Position
	NotCounted bool
}

func (w Wear) encode() []byte {
	b := []byte{1, byte(w.Position), 0}
	if w.NotCounted {
		b[2] = 1
	}
	return b
}

func decodeWear(b []byte) (Wear, error) {
	if len(b) != 3 || b[0] != 1 || b[2] > 1 {
		return Wear{}, errBlob
	}
	return Wear{dose.Position(b[1]), b[2] == 1}, nil
}

// Report is what a reading's blob says.
type Report struct {
	Scanned    day.Day
	NotCounted bool
	Notes      []string
	Readings   []dose.Reading
}

var noteBits = []string{labfile.NoteUnused, labfile.NoteReceivedDamaged, labfile.NoteDamagedInProcessing, labfile.NoteMultipleAccounts}

func (r Report) encode() []byte {
	b := make([]byte, 8, 8+10*len(r.Readings))
	b[0] = 1
	if r.NotCounted {
		b[1] = 1
	}
	for _, n := range r.Notes {
		for i, known := range noteBits {
			if n == known {
				b[2] |= 1 << i
			}
		}
	}
	binary.BigEndian.PutUint32(b[3:], uint32(r.Scanned))
	b[7] = byte(len(r.Readings))
	for _, x := range r.Readings {
		b = append(b, byte(x.Quantity), byte(x.Qualifier))
		b = binary.BigEndian.AppendUint64(b, uint64(x.Dose))
	}
	return b
}

func decodeReport(b []byte) (Report, error) {
	if len(b) < 8 || b[0] != 1 || b[1] > 1 || len(b) != 8+10*int(b[7]) {
		return Report{}, errBlob
	}
	r := Report{NotCounted: b[1] == 1, Scanned: day.Day(binary.BigEndian.Uint32(b[3:]))}
	for i, n := range noteBits {
		if b[2]&(1<<i) != 0 {
			r.Notes = append(r.Notes, n)
		}
	}
	for at := 8; at < len(b); at += 10 {
		r.Readings = append(r.Readings, dose.Reading{Quantity: dose.Quantity(b[at]), Qualifier: dose.Qualifier(b[at+1]), Dose: dose.MicroSv(binary.BigEndian.Uint64(b[at+2:]))})
	}
	return r, nil
}

// Employment is what the organisation's side of a wearer's row says.
type Employment struct {
	Department string `json:"department,omitempty"`
	JobTitle   string `json:"job_title,omitempty"`
}

// Health is what the health side of a wearer's row says; every wearer has one.
type Health struct {
	Declared day.Day  `json:"declared,omitzero"` // pregnancy
	End      day.Day  `json:"end,omitzero"`
	Foetal   []string `json:"foetal,omitempty"` // barcodes of badges worn for the unborn child
	Review   day.Day  `json:"review,omitzero"`  // last medical review
}

func (h Health) isZero() bool {
	return h.Declared.IsZero() && h.End.IsZero() && len(h.Foetal) == 0 && h.Review.IsZero()
}

func encode(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding a row: %w", err)
	}
	return b, nil
}

// encodeNamed is JSON with the id of the wearer whom it is about before it (16 bytes), so that the vault enters whose dose is read.
func encodeNamed(w id.Wearer, v any) ([]byte, error) {
	b, err := encode(v)
	return append(w[:], b...), err
}

// cutWearer takes the wearer off.
func cutWearer(b []byte) (w id.Wearer, rest []byte, err error) {
	if len(b) < len(w) {
		return w, nil, errBlob
	}
	return id.Wearer(b[:len(w)]), b[len(w):], nil
}

func decode(b []byte, v any) error {
	if json.Unmarshal(b, v) != nil {
		return errBlob
	}
	return nil
}

// The places of sealed values. Bind covers the columns that stand in the clear beside them, but for a badge's state.

func (p *PeriodRow) context() vaultclient.Context {
	h := sha256.New()
	h.Write([]byte("wear_period\x00" + p.Barcode + "\x00" + p.Batch + "\x00"))
	var n [8]byte
	binary.BigEndian.PutUint32(n[:], uint32(p.Starts))
	binary.BigEndian.PutUint32(n[4:], uint32(p.Ends))
	h.Write(n[:])
	h.Write(p.Import[:])
	return vaultclient.Context{Table: "wear_period", Row: p.ID, Version: 1, Class: policy.ClassEmployment, Organisation: p.Organisation, Wearer: p.Wearer, Bind: h.Sum(nil)}
}

// context is a reading's: sealed for the wearer as dose, a control badge's for the organisation.
func (r *ReadingRow) context(p *PeriodRow) vaultclient.Context {
	return vaultclient.Context{Table: "reading", Row: r.Period, Version: r.Version, Class: policy.ClassDose, Organisation: p.Organisation, Wearer: p.Wearer, Year: uint16(p.Ends.Year()), Bind: r.Import[:]}
}

func (w *WearerRow) context(class policy.Class) vaultclient.Context {
	return vaultclient.Context{Table: "wearer", Row: id.Row(w.ID), Version: w.Version, Class: class, Organisation: w.Organisation, Wearer: w.ID, Bind: w.Import[:]}
}

func (i *InvestigationRow) context() vaultclient.Context {
	return vaultclient.Context{Table: "investigation", Row: i.ID, Version: 1, Class: policy.ClassEmployment, Organisation: i.Organisation, Bind: append(append([]byte{}, i.Tag...), i.Import[:]...), Named: true}
}

func organisationContext(org id.Organisation) vaultclient.Context {
	return vaultclient.Context{Table: "organisation", Row: id.Row(org), Version: 1, Class: policy.ClassEmployment, Organisation: org}
}

// documentContext is a document's part: the vault keeps a key for each import's documents.
func documentContext(n id.Import, name string, part int) vaultclient.Context {
	return vaultclient.Context{Table: "document/" + name, Row: id.Row(n), Version: uint32(part), Class: policy.ClassDocument}
}

package register

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// A manifest is what an import's entry in an organisation's ledger says of the rows that it stored: their number,
// and SHA-256 over them. Whoever deletes, adds, changes or re-assigns one of them changes the hash.
//
// # Format, version 1
//
// The hash is over the concatenation of one record for each row that the import stored for the organisation: first
// the wearers', then the wear periods', the readings' and the investigations', each in order of its key's bytes;
// wear periods and readings in order of wearer, then key.
// Integers are big endian; SHA is SHA-256 of the sealed column.
//
//	wearer         'w'  id (16)  version (4)  SHA(sealed) (32)  SHA(health) (32)
//	wear period    'p'  id (16)  wearer (16, zero for a control badge)  starts (4)  ends (4)  SHA(sealed) (32)
//	reading        'r'  wear period (16)  version (4)  wearer of the wear period (16)  SHA(sealed) (32)
//	investigation  'i'  id (16)  tag (16)  SHA(sealed) (32); what is written about one too
//
// Days are days since 1970-01-01. A wearer's rows are in order of id, then version.
type manifest struct {
	h    hash.Hash
	rows int
}

func (m *manifest) record(kind byte, parts ...[]byte) {
	m.h.Write([]byte{kind})
	for _, p := range parts {
		m.h.Write(p)
	}
	m.rows++
}

func be32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

func sha(b []byte) []byte {
	s := sha256.Sum256(b)
	return s[:]
}

// Manifests returns the manifests of an import's rows, by organisation. It sorts the rows.
func Manifests(kind string, rows *Rows) []vaultclient.Manifest {
	rows.sort()
	m := newManifests(kind)
	m.add(rows)
	return m.list()
}

// manifests are an import's, by organisation, while its rows come.
type manifests struct {
	kind string
	by   map[id.Organisation]*manifest
}

func newManifests(kind string) *manifests { return &manifests{kind, map[id.Organisation]*manifest{}} }

func (m *manifests) of(org id.Organisation) *manifest {
	if m.by[org] == nil {
		m.by[org] = &manifest{h: sha256.New()}
	}
	return m.by[org]
}

// add adds rows, which are sorted. Rows in parts come in the order that they have as a whole.
func (m *manifests) add(rows *Rows) {
	periods := make(map[id.Row]*PeriodRow, len(rows.ReadingPeriods))
	for i := range rows.ReadingPeriods {
		periods[rows.ReadingPeriods[i].ID] = &rows.ReadingPeriods[i]
	}
	for i := range rows.Wearers {
		w := &rows.Wearers[i]
		m.of(w.Organisation).record('w', w.ID[:], be32(w.Version), sha(w.Sealed), sha(w.Health))
	}
	for i := range rows.Periods {
		p := &rows.Periods[i]
		m.of(p.Organisation).record('p', p.ID[:], p.Wearer[:], be32(uint32(p.Starts)), be32(uint32(p.Ends)), sha(p.Sealed))
	}
	for i := range rows.Readings {
		r := &rows.Readings[i]
		p := periods[r.Period]
		m.of(p.Organisation).record('r', r.Period[:], be32(r.Version), p.Wearer[:], sha(r.Sealed))
	}
	for i := range rows.Investigations {
		v := &rows.Investigations[i]
		m.of(v.Organisation).record('i', v.ID[:], v.Tag, sha(v.Sealed))
	}
}

func (m *manifests) list() []vaultclient.Manifest {
	out := make([]vaultclient.Manifest, 0, len(m.by))
	for org, one := range m.by {
		out = append(out, vaultclient.Manifest{Organisation: org, Kind: m.kind, Rows: one.rows, Hash: one.h.Sum(nil)})
	}
	slices.SortFunc(out, func(a, b vaultclient.Manifest) int { return bytes.Compare(a.Organisation[:], b.Organisation[:]) })
	return out
}

// sort puts the rows in the order in which a manifest has them.
func (rows *Rows) sort() {
	slices.SortFunc(rows.Wearers, func(a, b WearerRow) int {
		return cmp.Or(bytes.Compare(a.ID[:], b.ID[:]), cmp.Compare(a.Version, b.Version))
	})
	slices.SortFunc(rows.Periods, func(a, b PeriodRow) int {
		return cmp.Or(bytes.Compare(a.Wearer[:], b.Wearer[:]), bytes.Compare(a.ID[:], b.ID[:]))
	})
	slices.SortFunc(rows.Readings, func(a, b ReadingRow) int {
		return cmp.Or(bytes.Compare(a.Wearer[:], b.Wearer[:]), bytes.Compare(a.Period[:], b.Period[:]), cmp.Compare(a.Version, b.Version))
	})
	slices.SortFunc(rows.Investigations, func(a, b InvestigationRow) int { return bytes.Compare(a.ID[:], b.ID[:]) })
}

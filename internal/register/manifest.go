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
	return manifests(kind, rows)
}

// manifests returns the manifests of sorted rows.
func manifests(kind string, rows *Rows) []vaultclient.Manifest {
	periods := make(map[id.Row]*PeriodRow, len(rows.ReadingPeriods))
	for i := range rows.ReadingPeriods {
		periods[rows.ReadingPeriods[i].ID] = &rows.ReadingPeriods[i]
	}
	by := map[id.Organisation]*manifest{}
	of := func(org id.Organisation) *manifest {
		if by[org] == nil {
			by[org] = &manifest{h: sha256.New()}
		}
		return by[org]
	}
	for i := range rows.Wearers {
		w := &rows.Wearers[i]
		of(w.Organisation).record('w', w.ID[:], be32(w.Version), sha(w.Sealed), sha(w.Health))
	}
	for i := range rows.Periods {
		p := &rows.Periods[i]
		of(p.Organisation).record('p', p.ID[:], p.Wearer[:], be32(uint32(p.Starts)), be32(uint32(p.Ends)), sha(p.Sealed))
	}
	for i := range rows.Readings {
		r := &rows.Readings[i]
		p := periods[r.Period]
		of(p.Organisation).record('r', r.Period[:], be32(r.Version), p.Wearer[:], sha(r.Sealed))
	}
	for i := range rows.Investigations {
		v := &rows.Investigations[i]
		of(v.Organisation).record('i', v.ID[:], v.Tag, sha(v.Sealed))
	}
	orgs := make([]id.Organisation, 0, len(by))
	for org := range by {
		orgs = append(orgs, org)
	}
	slices.SortFunc(orgs, func(a, b id.Organisation) int { return bytes.Compare(a[:], b[:]) })
	out := make([]vaultclient.Manifest, len(orgs))
	for i, org := range orgs {
		out[i] = vaultclient.Manifest{Organisation: org, Kind: kind, Rows: by[org].rows, Hash: by[org].h.Sum(nil)}
	}
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

package register

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
)

// accepted is a row that an import stores: a report, and the wear period that it is of.
type accepted struct {
	period  PeriodRow // ID, Organisation, Wearer, Starts and Ends
	wear    Wear
	version int // the laboratory's
	report  Report
}

// acceptedRows are the rows that a preview accepts. They stay as they are written, since a file may have a million, in order
// of wearer, wear period and version. Version 1: a byte 1, then for each row
//
//	offset 0  16  wear period
//	      16  16  wearer (zero: control badge)
//	      32  16  organisation
//	      48   4  first day of the wear period, 52 4 last day
//	      56   4  the laboratory's version
//	      60   3  the wear period's blob
//	      63   2  length of the reading's blob, which follows
//
// As they are written, they stand in the order of their file.
type acceptedRows struct {
	b  []byte
	at []uint32 // where each row stands in b
}

// acceptedVersion begins what is written; most rows, which have one or two readings, take no more than acceptedSize bytes.
const (
	acceptedVersion = 1
	acceptedSize    = 96
)

// appendAccepted writes a row.
func appendAccepted(b []byte, a *accepted) []byte {
	b = append(append(append(b, a.period.ID[:]...), a.period.Wearer[:]...), a.period.Organisation[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(a.period.Starts))
	b = binary.BigEndian.AppendUint32(b, uint32(a.period.Ends))
	b = binary.BigEndian.AppendUint32(b, uint32(a.version))
	b = append(b, a.wear.encode()...)
	report := a.report.encode()
	b = binary.BigEndian.AppendUint16(b, uint16(len(report)))
	return append(b, report...)
}

// readAccepted reads the row that b begins with, and says how long it is; the error is errBlob.
func readAccepted(b []byte) (a accepted, n int, err error) {
	if len(b) < 65 {
		return a, 0, errBlob
	}
	copy(a.period.ID[:], b)
	copy(a.period.Wearer[:], b[16:])
	copy(a.period.Organisation[:], b[32:])
	a.period.Starts, a.period.Ends = day.Day(binary.BigEndian.Uint32(b[48:])), day.Day(binary.BigEndian.Uint32(b[52:]))
	a.version = int(binary.BigEndian.Uint32(b[56:]))
	n = 65 + int(binary.BigEndian.Uint16(b[63:]))
	if len(b) < n {
		return a, 0, errBlob
	}
	if a.wear, err = decodeWear(b[60:63]); err != nil {
		return a, 0, err
	}
	a.report, err = decodeReport(b[65:n])
	return a, n, err
}

// decodeAccepted reads rows to their end; the error is errBlob.
func decodeAccepted(b []byte) (*acceptedRows, error) {
	if len(b) == 0 || b[0] != acceptedVersion {
		return nil, errBlob
	}
	rows := &acceptedRows{b: b}
	for at := 1; at < len(b); {
		_, n, err := readAccepted(b[at:])
		if err != nil {
			return nil, err
		}
		rows.at = append(rows.at, uint32(at))
		at += n
	}
	key := func(at uint32) (wearer, period, version []byte) {
		b := rows.b[at:]
		return b[16:32], b[:16], b[56:60]
	}
	slices.SortFunc(rows.at, func(i, j uint32) int {
		wearer, period, version := key(i)
		otherWearer, otherPeriod, otherVersion := key(j)
		if c := bytes.Compare(wearer, otherWearer); c != 0 {
			return c
		}
		if c := bytes.Compare(period, otherPeriod); c != 0 {
			return c
		}
		return bytes.Compare(version, otherVersion)
	})
	return rows, nil
}

func (r *acceptedRows) len() int { return len(r.at) }

func (r *acceptedRows) row(i int) accepted {
	a, _, _ := readAccepted(r.b[r.at[i]:]) // it was read once when it came
	return a
}

// owned are the rows of one wearer.
type owned struct {
	wearer   id.Wearer
	from, to int // the first row, and the one after the last
}

// wearers returns whose rows there are, in order; control badges are nobody's.
func (r *acceptedRows) wearers() (list []owned) {
	for i, at := range r.at {
		w := id.Wearer(r.b[at+16 : at+32])
		switch last := len(list) - 1; {
		case w.IsZero():
		case last >= 0 && list[last].wearer == w:
			list[last].to = i + 1
		default:
			list = append(list, owned{w, i, i + 1})
		}
	}
	return list
}

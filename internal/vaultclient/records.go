package vaultclient

import (
	"encoding/binary"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
)

// WireRecords are Records on the wire, as columns. Ids are 16 bytes each. Of each record Facts has 1 byte (bit 0: current,
// bit 1: classified), Lists 2 bytes (how many former names and lines of address), and Texts in this order: from, to, surname,
// forenames, known as, date of birth, sex, staff number, registration, NI number, e-mail, telephone, language, then the former
// names and the lines of the address.
type WireRecords struct {
	Wearers       []byte     `json:"-"`
	Organisations []byte     `json:"-"`
	Facts         []byte     `json:"-"`
	Lists         []byte     `json:"-"`
	Texts         WireValues `json:"-"`
}

// Columns implements Columns.
func (w *WireRecords) Columns() []*[]byte {
	return append([]*[]byte{&w.Wearers, &w.Organisations, &w.Facts, &w.Lists}, w.Texts.Columns()...)
}

const (
	isCurrent    = 1
	isClassified = 2
	textsEach    = 13 // of a record without lists
)

// WireRecordsOf lays records out as columns.
func WireRecordsOf(recs []Record) WireRecords {
	n := len(recs)
	w := WireRecords{Wearers: make([]byte, 0, 16*n), Organisations: make([]byte, 0, 16*n), Facts: make([]byte, n), Lists: make([]byte, 0, 2*n),
		Texts: WireValues{Lengths: make([]byte, 0, 4*textsEach*n), Data: make([]byte, 0, 48*n)}}
	text := func(s string) {
		w.Texts.Lengths = binary.BigEndian.AppendUint32(w.Texts.Lengths, uint32(len(s)))
		w.Texts.Data = append(w.Texts.Data, s...)
	}
	for i := range recs {
		r := &recs[i]
		w.Wearers = append(w.Wearers, r.Wearer[:]...)
		w.Organisations = append(w.Organisations, r.Organisation[:]...)
		if r.Current {
			w.Facts[i] |= isCurrent
		}
		if r.Classified {
			w.Facts[i] |= isClassified
		}
		w.Lists = append(w.Lists, byte(len(r.Identity.Former)), byte(len(r.Contact.Address)))
		text(r.From)
		text(r.To)
		for _, v := range [...]person.Value{r.Identity.Surname, r.Identity.Forenames, r.Identity.KnownAs, r.Identity.Birth, r.Identity.Sex,
			r.Identity.StaffNumber, r.Identity.Registration, r.NI, r.Contact.Email, r.Contact.Phone, r.Contact.Language} {
			text(v.Expose())
		}
		for _, v := range r.Identity.Former {
			text(v.Expose())
		}
		for _, v := range r.Contact.Address {
			text(v.Expose())
		}
	}
	return w
}

// Records reads the columns.
func (w WireRecords) Records() ([]Record, error) {
	n := len(w.Facts)
	if len(w.Wearers) != 16*n || len(w.Organisations) != 16*n || len(w.Lists) != 2*n {
		return nil, errColumns
	}
	lengths, data := w.Texts.Lengths, string(w.Texts.Data)
	whole := true
	text := func() string {
		if len(lengths) < 4 {
			whole = false
			return ""
		}
		k := int64(binary.BigEndian.Uint32(lengths))
		if lengths = lengths[4:]; k > int64(len(data)) {
			whole = false
			return ""
		}
		s := data[:k]
		data = data[k:]
		return s
	}
	values := func(k byte) []person.Value {
		var all []person.Value
		for range k {
			all = append(all, person.NewValue(text()))
		}
		return all
	}
	recs := make([]Record, n)
	for i := range recs {
		r := &recs[i]
		r.Wearer, r.Organisation = id.Wearer(w.Wearers[16*i:]), id.Organisation(w.Organisations[16*i:])
		r.Current, r.Classified = w.Facts[i]&isCurrent != 0, w.Facts[i]&isClassified != 0
		r.From, r.To = text(), text()
		for _, v := range [...]*person.Value{&r.Identity.Surname, &r.Identity.Forenames, &r.Identity.KnownAs, &r.Identity.Birth, &r.Identity.Sex,
			&r.Identity.StaffNumber, &r.Identity.Registration, &r.NI, &r.Contact.Email, &r.Contact.Phone, &r.Contact.Language} {
			*v = person.NewValue(text())
		}
		r.Identity.Former, r.Contact.Address = values(w.Lists[2*i]), values(w.Lists[2*i+1])
		if !whole {
			return nil, errColumns
		}
	}
	if len(lengths) != 0 || data != "" {
		return nil, errColumns
	}
	return recs, nil
}

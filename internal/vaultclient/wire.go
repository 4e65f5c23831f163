package vaultclient

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
)

// The wire: POST /v1/<method> with a Call; the answer is an Error, as JSON, with a status of 400 or more. Both are
// JSON, or JSON and columns; see [Body].
// Types that hold personal values have a wire form here, since the values themselves refuse to be printed.

// Call is the body of a request.
type Call[T any] struct {
	Auth Auth `json:"auth,omitzero"`
	Body T    `json:"body"`
}

// Status is the HTTP status of each kind of error.
var Status = map[Code]int{Refused: 403, IsFrozen: 423, Unauthenticated: 401, NotFound: 404, Invalid: 400, Conflict: 409, NeedsApproval: 409, Internal: 500, OverBudget: 429}

type (
	// WireChange is a Change on the wire.
	WireChange struct {
		Organisation id.Organisation `json:"organisation"`
		Identity     []byte          `json:"identity"`
		Contact      []byte          `json:"contact"`
		NI           string          `json:"ni,omitempty"`
		From         string          `json:"from,omitempty"`
		To           string          `json:"to,omitempty"`
		Classified   bool            `json:"classified,omitempty"`
		SamePerson   id.Wearer       `json:"same_person,omitzero"`

		KeepTo         bool `json:"keep_to,omitempty"`
		KeepClassified bool `json:"keep_classified,omitempty"`

		New     bool          `json:"new,omitempty"`
		Wearer  id.Wearer     `json:"wearer,omitzero"`
		Replace policy.Fields `json:"replace,omitempty"`
		Also    policy.Fields `json:"also,omitempty"`

		Invented bool `json:"invented,omitempty"`
	}
	// WireStage is the body of stage and weigh.
	WireStage struct {
		Import  id.Import    `json:"import"`
		Changes []WireChange `json:"changes"`
	}
	// WireInvent is the body of invent.
	WireInvent struct {
		Organisation id.Organisation `json:"organisation"`
		Number       int             `json:"number"`
		Worn         []Span          `json:"worn,omitempty"`
	}
	// WireConfirm is the body of confirm and discard.
	WireConfirm struct {
		Import    id.Import  `json:"import"`
		Manifests []Manifest `json:"manifests,omitempty"`
	}
	// WireSearch is a SearchRequest on the wire.
	WireSearch struct {
		Purpose      policy.Purpose  `json:"purpose"`
		Organisation id.Organisation `json:"organisation,omitzero"`
		Query        string          `json:"query"`
		Leavers      bool            `json:"leavers,omitempty"`
		Left         bool            `json:"left,omitempty"`
		Among        []byte          `json:"among,omitempty"`
		NamesOnly    bool            `json:"names_only,omitempty"`
		Offset       int             `json:"offset,omitempty"`
		Limit        int             `json:"limit"`
	}
	// WireMatch is the body of match.
	WireMatch struct {
		Organisation id.Organisation `json:"organisation"`
		Identity     []byte          `json:"identity"`
		NI           string          `json:"ni,omitempty"`
	}
	// WireLink is the body of link-persons and tell-apart.
	WireLink struct {
		One   id.Wearer `json:"one"`
		Other id.Wearer `json:"other"`
	}
	// WireSearchResult is a SearchResult on the wire.
	WireSearchResult struct {
		Total   int         `json:"total"`
		Records WireRecords `json:"-"`
	}
	// WireReveal is a RevealRequest on the wire; Wearers holds 16 bytes each.
	WireReveal struct {
		Purpose policy.Purpose `json:"purpose"`
		Fields  policy.Fields  `json:"fields"`
		Wearers []byte         `json:"wearers"`
		Reason  string         `json:"reason,omitempty"`
	}
	// WireLook is a LookRequest on the wire.
	WireLook struct {
		Fields  policy.Fields `json:"fields"`
		Wearers []byte        `json:"wearers"`
		Items   WireItems     `json:"items"`
	}
	// WireLooked is a Look on the wire.
	WireLooked struct {
		Records WireRecords `json:"-"`
		Values  WireValues  `json:"-"`
	}
	// WireCompare is the body of compare, as columns.
	WireCompare struct {
		Purpose policy.Purpose `json:"purpose"`
		Wearers []byte         `json:"-"`
		Names   WireValues     `json:"-"`
		Births  WireValues     `json:"-"`
	}
	// WireStaff is the body of find-staff.
	WireStaff struct {
		Purpose policy.Purpose `json:"purpose"`
		Orgs    []byte         `json:"orgs"`
		Numbers []string       `json:"numbers"`
	}
	// WireNI is the body of find-ni.
	WireNI struct {
		Purpose policy.Purpose `json:"purpose"`
		NI      string         `json:"ni"`
	}
	// WireWearers is the body of linked.
	WireWearers struct {
		Purpose policy.Purpose `json:"purpose"`
		Wearers []byte         `json:"wearers"`
	}
	// WireTags is the body of tags.
	WireTags struct {
		Purpose policy.Purpose `json:"purpose"`
		Items   []TagItem      `json:"items"`
	}
	// WireIntake is an Intake on the wire.
	WireIntake struct {
		Import  id.Import     `json:"import"`
		Source  string        `json:"source"`
		SHA256  []byte        `json:"sha256,omitempty"`
		Bytes   int64         `json:"bytes,omitempty"`
		Rows    int           `json:"rows,omitempty"`
		Sender  string        `json:"sender,omitempty"`
		Via     string        `json:"via,omitempty"`
		Held    policy.Fields `json:"held,omitempty"`
		Wearers []byte        `json:"wearers,omitempty"`

		About []id.Organisation `json:"about,omitempty"`
	}
	// WireReseal is the body of reseal: values, and their new places without values.
	WireReseal struct {
		From WireItems `json:"from"`
		To   WireItems `json:"to"`
	}
	// WireItems is the body of seal and open: the items as columns. Ids are 16 bytes each, numbers 4, big endian; values
	// stand one after the other.
	WireItems struct {
		Purpose       policy.Purpose `json:"purpose"`
		Reason        string         `json:"reason,omitempty"`
		About         []byte         `json:"about,omitempty"`
		Tables        []string       `json:"tables"` // one for all, or one for each
		Rows          []byte         `json:"-"`
		Versions      []byte         `json:"-"`
		Classes       []byte         `json:"-"` // 128 added where Named
		Organisations []byte         `json:"-"`
		Wearers       []byte         `json:"-"`
		Years         []byte         `json:"-"`
		Pads          []byte         `json:"-"`
		Binds         WireValues     `json:"-"`
		Values        WireValues     `json:"-"`
	}
	// WireValues is a list of byte strings as two columns; lengths are 4 bytes each, big endian.
	WireValues struct {
		Lengths []byte `json:"-"`
		Data    []byte `json:"-"`
	}
	// WireSessions is the body of sessions.
	WireSessions struct {
		All bool `json:"all,omitempty"` // everybody's
	}
	// WireSecret is the body of redeem-code and redeem-link.
	WireSecret struct {
		Secret string `json:"secret"`
	}
)

// Columns implements Columns.
func (w *WireValues) Columns() []*[]byte { return []*[]byte{&w.Lengths, &w.Data} }

// Columns implements Columns.
func (w *WireCompare) Columns() []*[]byte {
	return slices.Concat([]*[]byte{&w.Wearers}, w.Names.Columns(), w.Births.Columns())
}

// Columns implements Columns.
func (w *WireItems) Columns() []*[]byte {
	return slices.Concat([]*[]byte{&w.Rows, &w.Versions, &w.Classes, &w.Organisations, &w.Wearers, &w.Years, &w.Pads}, w.Binds.Columns(), w.Values.Columns())
}

// Columns implements Columns.
func (w *WireLook) Columns() []*[]byte { return w.Items.Columns() }

// Columns implements Columns.
func (w *WireLooked) Columns() []*[]byte {
	return slices.Concat(w.Records.Columns(), w.Values.Columns())
}

// Columns implements Columns.
func (w *WireSearchResult) Columns() []*[]byte { return w.Records.Columns() }

// Columns implements Columns.
func (w *WireReseal) Columns() []*[]byte { return slices.Concat(w.From.Columns(), w.To.Columns()) }

// Wire returns the wire form.
func (c Change) Wire() WireChange {
	return WireChange{c.Organisation, c.Identity.Encode(), c.Contact.Encode(), c.NI.Expose(), c.From, c.To, c.Classified, c.SamePerson, c.KeepTo, c.KeepClassified, c.New, c.Wearer, c.Replace, c.Also, c.Invented}
}

// Change reads the wire form.
func (w WireChange) Change() (Change, error) {
	i, err := person.DecodeIdentity(w.Identity)
	if err != nil {
		return Change{}, err
	}
	k, err := person.DecodeContact(w.Contact)
	if err != nil {
		return Change{}, err
	}
	return Change{w.Organisation, i, k, person.NewValue(w.NI), w.From, w.To, w.Classified, w.SamePerson, w.KeepTo, w.KeepClassified, w.New, w.Wearer, w.Replace, w.Invented, w.Also}, nil
}

// errColumns says that the columns of a request do not fit each other.
var errColumns = errors.New("columns differ in length, or a number is too large")

// WireList returns ids one after the other.
func WireList[K any](ids []id.ID[K]) []byte {
	b := make([]byte, 0, 16*len(ids))
	for _, v := range ids {
		b = append(b, v[:]...)
	}
	return b
}

// ReadList reads what WireList returned.
func ReadList[K any](b []byte) ([]id.ID[K], error) {
	if len(b)%16 != 0 {
		return nil, errColumns
	}
	ids := make([]id.ID[K], len(b)/16)
	for i := range ids {
		copy(ids[i][:], b[16*i:])
	}
	return ids, nil
}

// Join lays byte strings out as columns.
func Join(values [][]byte) WireValues {
	w := WireValues{Lengths: make([]byte, 0, 4*len(values))}
	n := 0
	for _, v := range values {
		w.Lengths = binary.BigEndian.AppendUint32(w.Lengths, uint32(len(v)))
		n += len(v)
	}
	w.Data = make([]byte, 0, n)
	for _, v := range values {
		w.Data = append(w.Data, v...)
	}
	return w
}

// Split reads the columns.
func (w WireValues) Split() ([][]byte, error) {
	if len(w.Lengths)%4 != 0 {
		return nil, errColumns
	}
	out := make([][]byte, len(w.Lengths)/4)
	rest := w.Data
	for i := range out {
		n := int(binary.BigEndian.Uint32(w.Lengths[4*i:]))
		if n > len(rest) {
			return nil, errColumns
		}
		out[i], rest = rest[:n:n], rest[n:]
	}
	if len(rest) != 0 {
		return nil, errColumns
	}
	return out, nil
}

// named marks in the column of classes what is Named.
const named = 0x80

// WireItemsOf lays items out as columns.
func WireItemsOf(purpose policy.Purpose, reason string, items []Item) WireItems {
	n := len(items)
	w := WireItems{Purpose: purpose, Reason: reason, Tables: []string{""}, Rows: make([]byte, 0, 16*n), Versions: make([]byte, 0, 4*n), Classes: make([]byte, n),
		Organisations: make([]byte, 0, 16*n), Wearers: make([]byte, 0, 16*n), Years: make([]byte, 0, 4*n), Pads: make([]byte, 0, 4*n)}
	binds := make([][]byte, n)
	values := make([][]byte, n)
	one := true
	for i, it := range items {
		one = one && it.Table == items[0].Table
		w.Rows = append(w.Rows, it.Row[:]...)
		w.Classes[i] = byte(it.Class)
		if it.Named {
			w.Classes[i] |= named
		}
		w.Versions = binary.BigEndian.AppendUint32(w.Versions, it.Version)
		w.Years = binary.BigEndian.AppendUint32(w.Years, uint32(it.Year))
		w.Pads = binary.BigEndian.AppendUint32(w.Pads, uint32(it.Pad))
		w.Organisations = append(w.Organisations, it.Organisation[:]...)
		w.Wearers = append(w.Wearers, it.Wearer[:]...)
		binds[i], values[i] = it.Bind, it.Value
	}
	w.Binds, w.Values = Join(binds), Join(values)
	switch {
	case !one:
		w.Tables = make([]string, n)
		for i, it := range items {
			w.Tables[i] = it.Table
		}
	case n > 0:
		w.Tables[0] = items[0].Table
	}
	return w
}

// Items reads the columns.
func (w WireItems) Items() ([]Item, error) {
	n := len(w.Values.Lengths) / 4
	if len(w.Rows) != 16*n || len(w.Organisations) != 16*n || len(w.Wearers) != 16*n || len(w.Versions) != 4*n || len(w.Classes) != n ||
		len(w.Years) != 4*n || len(w.Binds.Lengths) != 4*n || len(w.Pads) != 4*n || len(w.Tables) != 1 && len(w.Tables) != n {
		return nil, errColumns
	}
	values, err := w.Values.Split()
	if err != nil {
		return nil, err
	}
	binds, err := w.Binds.Split()
	if err != nil {
		return nil, err
	}
	items := make([]Item, n)
	for i := range items {
		it := &items[i]
		it.Table = w.Tables[min(i, len(w.Tables)-1)]
		copy(it.Row[:], w.Rows[16*i:])
		copy(it.Organisation[:], w.Organisations[16*i:])
		copy(it.Wearer[:], w.Wearers[16*i:])
		it.Class, it.Named = policy.Class(w.Classes[i]&^named), w.Classes[i]&named != 0
		it.Version = binary.BigEndian.Uint32(w.Versions[4*i:])
		year, pad := binary.BigEndian.Uint32(w.Years[4*i:]), binary.BigEndian.Uint32(w.Pads[4*i:])
		if year > math.MaxUint16 || pad > MaxPad {
			return nil, errColumns
		}
		it.Year, it.Pad = uint16(year), int(pad)
		it.Bind, it.Value = binds[i], values[i]
	}
	return items, nil
}

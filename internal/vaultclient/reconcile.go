package vaultclient

import (
	"context"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
)

// Listed is one row of a list of people that somebody else made, as a supplier that was hacked sends it. What the row does not
// say, or says in a way that can't be read, is empty.
type Listed struct {
	Organisation id.Organisation // zero: not said, or none that is known
	Name         person.Value    // as it is printed: "SURNAME, Forename" or "Forename Surname"
	Birth        person.Value    // YYYY-MM-DD
	NI           person.Value
}

// Found is who somebody on a list may be: wearers who fit for one reason, the likeliest. Nobody: no Wearers, and no Why.
type Found struct {
	Why     person.Likeness `json:"why,omitempty"`
	Wearers []FoundWearer   `json:"wearers,omitempty"`
	// Another says that the row's name is none of a wearer's whose NI number it has.
	Another bool `json:"another,omitempty"`
	// More says that still others fit.
	More bool `json:"more,omitempty"`
}

// FoundWearer is one of them.
type FoundWearer struct {
	Wearer       id.Wearer       `json:"wearer"`
	Organisation id.Organisation `json:"organisation"`
	Person       int             `json:"person"`         // the same number: employments of one human being
	Left         bool            `json:"left,omitempty"` // no longer employed there
}

// WireListed is the body of match-list, as columns of texts. An organisation has 16 bytes.
type WireListed struct {
	Purpose       policy.Purpose `json:"purpose"`
	Organisations []byte         `json:"-"`
	Names         WireValues     `json:"-"`
	Births        WireValues     `json:"-"`
	NIs           WireValues     `json:"-"`
}

// Columns implements Columns.
func (w *WireListed) Columns() []*[]byte {
	out := []*[]byte{&w.Organisations}
	for _, v := range []*WireValues{&w.Names, &w.Births, &w.NIs} {
		out = append(out, v.Columns()...)
	}
	return out
}

// Listed reads the columns.
func (w WireListed) Listed() ([]Listed, error) {
	names, err := w.Names.Split()
	births, errBirths := w.Births.Split()
	nis, errNIs := w.NIs.Split()
	if err != nil || errBirths != nil || errNIs != nil || len(w.Organisations) != 16*len(names) || len(births) != len(names) || len(nis) != len(names) {
		return nil, errColumns
	}
	out := make([]Listed, len(names))
	for i := range out {
		out[i] = Listed{id.Organisation(w.Organisations[16*i:]), person.NewValue(string(names[i])), person.NewValue(string(births[i])), person.NewValue(string(nis[i]))}
	}
	return out, nil
}

// MatchList says of each row of a list who it may be. No field comes back; that some agree is entered as seen, of everybody who is named,
// and each row that fits nobody counts as a guess.
func (c *Client) MatchList(ctx context.Context, auth Auth, rows []Listed) (out []Found, err error) {
	w := WireListed{Purpose: policy.BreachNotice, Organisations: make([]byte, 0, 16*len(rows))}
	names, births, nis := make([][]byte, len(rows)), make([][]byte, len(rows)), make([][]byte, len(rows))
	for i, r := range rows {
		w.Organisations = append(w.Organisations, r.Organisation[:]...)
		names[i], births[i], nis[i] = []byte(r.Name.Expose()), []byte(r.Birth.Expose()), []byte(r.NI.Expose())
	}
	w.Names, w.Births, w.NIs = Join(names), Join(births), Join(nis)
	err = call(ctx, c, "match-list", auth, w, &out)
	return out, err
}

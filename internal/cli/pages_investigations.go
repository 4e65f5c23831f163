package cli

import (
	"context"
	"errors"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/web"
)

// Investigations implements web.Investigations.
func (p pagesRegister) Investigations(ctx context.Context, auth vaultclient.Auth, o id.Organisation) ([]web.Investigation, error) {
	all, err := p.Service.Investigations(ctx, auth, o)
	out := make([]web.Investigation, len(all))
	for i, v := range all {
		out[i] = investigation(v)
	}
	return out, err
}

// Note implements web.Investigations.
func (p pagesRegister) Note(ctx context.Context, auth vaultclient.Auth, o id.Organisation, of id.Row, what, text string) error {
	err := p.Service.Note(ctx, auth, o, of, what, text)
	if errors.Is(err, register.ErrNotFound) {
		return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such investigation"}
	}
	return notAccepted(err)
}

// investigation is one as the pages see it.
func investigation(v register.Investigation) web.Investigation {
	one := web.Investigation{ID: v.ID, Wearer: v.Wearer, Kind: v.Kind, Window: v.Window, Year: v.Year, Dose: v.Dose, Bound: v.Bound, Overexposure: v.Overexposure,
		Name: v.Name, On: v.On, Opened: time.UnixMicro(v.Opened), Reason: v.Reason}
	if v.Closed != 0 {
		one.Closed = time.UnixMicro(v.Closed)
	}
	for _, n := range v.Notes {
		one.Notes = append(one.Notes, web.Note{At: time.UnixMicro(n.At), By: n.By, Text: n.Text, Close: n.Close, Open: n.Open})
	}
	return one
}

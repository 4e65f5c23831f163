package cli

import (
	"context"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/web"
)

// ReceiveList implements web.Lists.
func (p pagesRegister) ReceiveList(ctx context.Context, auth vaultclient.Auth, l web.List) (id.Import, error) {
	n, err := p.Service.ReceiveList(ctx, auth, register.List(l))
	return n, notAccepted(err)
}

// ListPreview implements web.Lists.
func (p pagesRegister) ListPreview(ctx context.Context, auth vaultclient.Auth, n id.Import) (*web.ListPreview, error) {
	got, err := p.ListPreviewOf(ctx, auth, n)
	if err != nil {
		return nil, err
	}
	out := &web.ListPreview{In: got.In, Stored: got.Stored, Blank: len(got.Blank), New: got.New, Changed: got.Changed, Ended: got.Ended, Same: got.Same, Controls: got.Controls,
		Refused: rowNotes(got.Refused), NotUsed: got.NotUsed, NINotTaken: got.NINotTaken, ByOrg: got.ByOrg}
	for _, c := range got.Rows {
		out.Rows = append(out.Rows, web.ListChange(c))
	}
	for _, a := range got.Alike {
		out.Alike = append(out.Alike, web.ListAlike(a))
	}
	return out, nil
}

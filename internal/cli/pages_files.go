package cli

import (
	"context"
	"errors"
	"io"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/web"
)

// importState is an import as the pages see it.
func importState(im register.ImportRow) web.ImportState {
	return web.ImportState{ID: im.ID, At: im.Created, Kind: im.Kind, State: string(im.State), In: im.In, Stored: im.Stored, Refused: im.Counts.Refused, Ignored: im.Ignored, Failure: im.Failure}
}

// Files implements web.Files.
func (p pagesRegister) Files(ctx context.Context, auth vaultclient.Auth, skip, most int) ([]web.ImportState, int, error) {
	list, total, err := p.Service.Files(ctx, auth, skip, most)
	out := make([]web.ImportState, len(list))
	for i, im := range list {
		out[i] = importState(im)
	}
	return out, total, err
}

// File implements web.Files.
func (p pagesRegister) File(ctx context.Context, auth vaultclient.Auth, n id.Import) (web.ImportState, error) {
	im, err := p.Service.File(ctx, auth, n)
	return importState(im), err
}

// ReceiveResults implements web.Files.
func (p pagesRegister) ReceiveResults(ctx context.Context, auth vaultclient.Auth, file, profile []byte, sender string) (id.Import, error) {
	if len(profile) == 0 { // what a browser sends where nothing was chosen
		profile = nil
	}
	n, err := p.ReceiveBy(ctx, auth, file, sender, profile)
	return n, notAccepted(err)
}

// FilePreview implements web.Files.
func (p pagesRegister) FilePreview(ctx context.Context, auth vaultclient.Auth, n id.Import) (*web.FilePreview, error) {
	_, got, err := p.PreviewOf(ctx, auth, n)
	if err != nil {
		return nil, err
	}
	if got == nil {
		return nil, &vaultclient.Error{Code: vaultclient.NotFound, Message: "no preview"}
	}
	return &web.FilePreview{Profile: got.Profile, In: got.In, Accepted: got.Accepted, Reissues: got.Reissues, Ignored: len(got.Ignored), Refused: rowNotes(got.Refused), Notices: rowNotes(got.Notices), ByOrg: got.ByOrg}, nil
}

func rowNotes(notes []register.RowNote) []web.RowNote {
	out := make([]web.RowNote, len(notes))
	for i, n := range notes {
		out[i] = web.RowNote{Row: n.Row, Column: n.Column, Text: n.Text}
	}
	return out
}

// AcceptFile implements web.Files.
func (p pagesRegister) AcceptFile(ctx context.Context, auth vaultclient.Auth, n id.Import) error {
	return notWaiting(notAccepted(p.Accept(ctx, auth, n)))
}

// DeclineFile implements web.Files.
func (p pagesRegister) DeclineFile(ctx context.Context, auth vaultclient.Auth, n id.Import) error {
	return notWaiting(p.Decline(ctx, auth, n))
}

// notWaiting turns an import's wrong state into the code that the pages know.
func notWaiting(err error) error {
	if errors.Is(err, register.ErrState) {
		return &vaultclient.Error{Code: vaultclient.Conflict, Message: "the file does not wait for an answer any more"}
	}
	return err
}

// RefusedRows implements web.Files.
func (p pagesRegister) RefusedRows(ctx context.Context, auth vaultclient.Auth, n id.Import, w io.Writer) (id.Export, error) {
	auth.Export = id.New[id.Export]()
	return auth.Export, p.WriteRefused(ctx, auth, n, w)
}

// InvestigationsOpened implements web.Files.
func (p pagesRegister) InvestigationsOpened(ctx context.Context, auth vaultclient.Auth, n id.Import) (map[id.Organisation]int, error) {
	return p.OpenedBy(ctx, auth, n)
}

// BadgeGaps implements web.Gaps.
func (p pagesRegister) BadgeGaps(ctx context.Context, auth vaultclient.Auth, o id.Organisation) ([]web.BadgeGap, error) {
	all, err := p.Gaps(ctx, auth, o)
	out := make([]web.BadgeGap, len(all))
	for i, g := range all {
		out[i] = web.BadgeGap(g)
	}
	return out, err
}

package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
)

// Import is a file or list that this machine delivered.
type Import struct {
	ID      id.Import `json:"id"`
	Kind    string    `json:"kind"`
	State   string    `json:"state" doc:"received, previewing, previewed, confirmed, importing, stored, done, declined or failed"`
	Created time.Time `json:"created"`
	In      int       `json:"in" doc:"Rows that came in: stored, refused and ignored ones"`
	Stored  int       `json:"stored"`
	Refused int       `json:"refused"`
	Ignored int       `json:"ignored" doc:"Rows without content; of a staff list, people who are as they were"`
	Failure string    `json:"failure,omitempty"`
}

// Note is something about a row, without what the row says of anybody.
type Note struct {
	Row    int    `json:"row"`
	Column string `json:"column,omitempty"`
	Text   string `json:"text"`
}

// Preview is an import with what it would do.
type Preview struct {
	Import
	RefusedRows []Note `json:"refused_rows"`
	Notices     []Note `json:"notices" doc:"Accepted, but to be looked at"`
}

func importOf(im register.ImportRow) Import {
	return Import{im.ID, im.Kind, string(im.State), im.Created.UTC(), im.In, im.Stored, im.Refused, im.Ignored, im.Failure}
}

// accepted is the answer to what is not done yet: where to look.
type accepted struct {
	Location string `header:"Location"`
	Body     Import
}

func acceptedOf(im register.ImportRow) *accepted {
	return &accepted{Prefix + "/imports/" + im.ID.String(), importOf(im)}
}

type ofImport struct {
	Import string `path:"import" maxLength:"26"`
}

func (a *api) addImports(to huma.API) {
	deliver := post("deliver", "/laboratory-files", "Deliver a laboratory's file; it is read by a worker, and nothing is stored before it is accepted")
	deliver.DefaultStatus, deliver.MaxBodyBytes = http.StatusAccepted, maxFile
	add(a, to, deliver, a.deliver, "laboratory")
	add(a, to, get("imports", "/imports", "The files and lists that this machine delivered, newest first"), a.imports, "laboratory", "staff")
	add(a, to, get("import", "/imports/{import}", "An import: how far it is, and what it would do"), a.importOf, "laboratory", "staff")
	add(a, to, post("decline", "/imports/{import}/decline", "Have a previewed file dropped and its key destroyed"), a.decline, "laboratory")
	accept := post("accept", "/imports/{import}/accept", "Have a previewed file stored")
	accept.DefaultStatus = http.StatusAccepted
	add(a, to, accept, a.accept, "laboratory")
}

func (a *api) deliver(ctx context.Context, c *caller, in *struct {
	RawBody []byte `contentType:"application/octet-stream"`
}) (*accepted, error) {
	n, err := a.Register.Receive(ctx, c.auth, in.RawBody, c.machine.Name)
	if err != nil {
		return nil, err
	}
	im, err := a.Register.Store.Import(ctx, n)
	if err != nil {
		return nil, err
	}
	return acceptedOf(im), nil
}

// newest is how many of the service's newest imports a machine's are looked for among.
const newest = 1000

func (a *api) imports(ctx context.Context, c *caller, _ *struct{}) (*answer[[]Import], error) {
	own, err := a.Vault.Delivered(ctx, c.auth)
	if err != nil {
		return nil, err
	}
	all, _, err := a.Register.Store.Imports(ctx, 0, newest)
	if err != nil {
		return nil, err
	}
	out := []Import{}
	for _, im := range all {
		if slices.Contains(own, im.ID) {
			out = append(out, importOf(im))
		}
	}
	return &answer[[]Import]{out}, nil
}

// own returns an import that the machine delivered; another's is not told apart from none.
func (a *api) own(ctx context.Context, c *caller, text string) (register.ImportRow, error) {
	n, err := parse[id.Import](text)
	if err != nil {
		return register.ImportRow{}, err
	}
	own, err := a.Vault.Delivered(ctx, c.auth)
	if err != nil {
		return register.ImportRow{}, err
	}
	if !slices.Contains(own, n) {
		return register.ImportRow{}, register.ErrNotFound
	}
	return a.Register.Store.Import(ctx, n)
}

func (a *api) importOf(ctx context.Context, c *caller, in *ofImport) (*answer[Preview], error) {
	im, err := a.own(ctx, c, in.Import)
	if err != nil {
		return nil, err
	}
	out := Preview{Import: importOf(im), RefusedRows: []Note{}, Notices: []Note{}}
	if c.work != "laboratory" || im.State == register.Received || im.State == register.Previewing {
		return &answer[Preview]{out}, nil
	}
	_, p, err := a.Register.PreviewOf(ctx, c.auth, im.ID)
	if err != nil || p == nil {
		return &answer[Preview]{out}, err
	}
	for _, n := range p.Refused {
		out.RefusedRows = append(out.RefusedRows, Note{n.Row, n.Column, n.Text})
	}
	for _, n := range p.Notices {
		out.Notices = append(out.Notices, Note{n.Row, n.Column, n.Text})
	}
	return &answer[Preview]{out}, nil
}

func (a *api) decline(ctx context.Context, c *caller, in *ofImport) (*answer[Import], error) {
	im, err := a.own(ctx, c, in.Import)
	if err != nil {
		return nil, err
	}
	if err := a.Register.DeclineOwn(ctx, c.auth, im); err != nil {
		return nil, err
	}
	im.State = register.Declined
	return &answer[Import]{importOf(im)}, nil
}

func (a *api) accept(ctx context.Context, c *caller, in *ofImport) (*accepted, error) {
	im, err := a.own(ctx, c, in.Import)
	if err != nil {
		return nil, err
	}
	if im.State != register.Previewed {
		return nil, register.ErrState
	}
	if err := a.Register.Accept(ctx, c.auth, im.ID); err != nil {
		return nil, err
	}
	im.State = register.Confirmed
	return acceptedOf(im), nil
}

package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/web"
)

// PutPerson implements web.People.
func (p pagesRegister) PutPerson(ctx context.Context, auth vaultclient.Auth, x web.Person) (id.Wearer, error) {
	j := register.Joiner{Organisation: x.Organisation, Identity: x.Identity, Contact: x.Contact, NI: x.NI, From: x.From, To: x.To, Classified: x.Classified,
		SamePerson: x.SamePerson, KeepTo: x.KeepTo, KeepClassified: x.KeepClassified, New: x.Wearer.IsZero(), Wearer: x.Wearer, Replace: x.Replace, Employment: register.Employment(x.Work)}
	if x.Employment {
		j.Also = policy.FieldEmployment
	}
	w, err := p.TakeOnOne(ctx, auth, j)
	if no, ok := errors.AsType[*vaultclient.Error](err); ok && no.Code == vaultclient.Invalid {
		return w, &web.NotAccepted{Message: strings.TrimPrefix(no.Message, "person 1: ")}
	}
	return w, err
}

// Match implements web.People.
func (p pagesRegister) Match(ctx context.Context, auth vaultclient.Auth, org id.Organisation, identity person.Identity, ni person.Value) ([]vaultclient.Candidate, error) {
	return p.client.Match(ctx, auth, org, identity, ni)
}

// Pairs implements web.People.
func (p pagesRegister) Pairs(ctx context.Context, auth vaultclient.Auth, r vaultclient.PairsRequest) (vaultclient.PairsPage, error) {
	return p.client.Pairs(ctx, auth, r)
}

// LinkPersons implements web.People.
func (p pagesRegister) LinkPersons(ctx context.Context, auth vaultclient.Auth, one, other id.Wearer) error {
	return p.client.LinkPersons(ctx, auth, one, other)
}

// TellApart implements web.People.
func (p pagesRegister) TellApart(ctx context.Context, auth vaultclient.Auth, one, other id.Wearer) error {
	return p.client.TellApart(ctx, auth, one, other)
}

// Linked implements web.People.
func (p pagesRegister) Linked(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, ws []id.Wearer) ([][]vaultclient.LinkedWearer, error) {
	return p.client.Linked(ctx, auth, purpose, ws)
}

// Work implements web.People.
func (p pagesRegister) Work(ctx context.Context, auth vaultclient.Auth, ws []id.Wearer) (map[id.Wearer]web.Work, error) {
	all, err := p.Employments(ctx, auth, ws)
	return works(all), err
}

// WorkOf implements web.People.
func (p pagesRegister) WorkOf(ctx context.Context, auth vaultclient.Auth, o id.Organisation) (map[id.Wearer]web.Work, error) {
	all, err := p.EmploymentsOf(ctx, auth, o)
	return works(all), err
}

func works(all map[id.Wearer]register.Employment) map[id.Wearer]web.Work {
	out := make(map[id.Wearer]web.Work, len(all))
	for w, e := range all {
		out[w] = web.Work(e)
	}
	return out
}

// BadgesOut implements web.People.
func (p pagesRegister) BadgesOut(ctx context.Context, auth vaultclient.Auth, o id.Organisation, w id.Wearer) ([]web.BadgeOut, error) {
	all, err := p.Service.BadgesOut(ctx, auth, o, w)
	out := make([]web.BadgeOut, len(all))
	for i, b := range all {
		out[i] = web.BadgeOut{Barcode: b.Barcode, From: b.Starts, To: b.Ends}
	}
	return out, err
}

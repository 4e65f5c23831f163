package cli

import (
	"context"
	"errors"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/web"
)

// pagesRegister is the register as the pages see it.
type pagesRegister struct {
	*register.Service
	client *vaultclient.Client
}

// WearerRecord implements web.Register.
func (p pagesRegister) WearerRecord(ctx context.Context, auth vaultclient.Auth, w id.Wearer, fields policy.Fields) (*web.WearerRecord, error) {
	rec, err := p.Service.WearerRecord(ctx, auth, w, fields)
	if errors.Is(err, register.ErrNotFound) {
		return nil, &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such wearer"}
	}
	if err != nil {
		return nil, err
	}
	out := &web.WearerRecord{Records: rec.Records, Department: rec.Employment.Department, Subject: rec.Subject, Levels: rec.Levels, Assessment: rec.Assessment}
	for _, r := range rec.Reports {
		for _, one := range r.Report.Readings {
			out.Readings = append(out.Readings, web.Reading{Organisation: r.Organisation, From: r.From, To: r.To, Position: r.Wear.Position, Reading: one, Version: r.Version,
				Superseded: r.Superseded, NotCounted: r.Wear.NotCounted || r.Report.NotCounted, Notes: r.Report.Notes})
		}
	}
	for _, b := range rec.Waiting {
		if !b.Wear.NotCounted {
			out.Waiting = append(out.Waiting, web.WaitingBadge{Organisation: b.Organisation, Position: b.Wear.Position, From: b.From, To: b.To, State: b.State.String()})
		}
	}
	for _, v := range rec.Investigations {
		out.Investigations = append(out.Investigations, investigation(v))
	}
	return out, nil
}

// Overview implements web.Register.
func (p pagesRegister) Overview(ctx context.Context, auth vaultclient.Auth) (*web.Overview, error) {
	orgs, imports, err := p.Service.Overview(ctx, auth)
	if err != nil {
		return nil, err
	}
	user, err := p.Vault.Whoami(ctx, auth)
	if err != nil {
		return nil, err
	}
	out := &web.Overview{}
	for _, o := range orgs {
		out.Organisations = append(out.Organisations, web.OrganisationState{Organisation: o.Organisation, Issued: o.Badges[register.Issued], Returned: o.Badges[register.Returned],
			Sent: o.Badges[register.Sent], Read: o.Badges[register.Read], Investigated: o.Investigations > 0})
	}
	if user.Role == policy.Coordinator {
		for _, im := range imports {
			out.Imports = append(out.Imports, importState(im))
		}
	}
	return out, nil
}

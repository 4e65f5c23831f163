package web

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// whoMayView is a page of who may see a wearer's data, and by which rules. It is what the policies permit; whether anybody
// looked is what the ledger answers.
type whoMayView struct {
	Caption, Path, Policy string
	Own                   bool
	Viewers               []viewerRow
	Rules                 []string
}

var whoMayColumns = [...]words.Key{"Who", "Role", "What for", "What they could see"}

// viewerRow is somebody who may see fields, for a purpose.
type viewerRow struct{ Who, Role, Purpose, Fields string }

// whoMay shows who may see a wearer's data.
func (h *handler) whoMay(v *visit) error {
	var w id.Wearer
	if err := idIn(v, "wearer", &w); err != nil {
		return err
	}
	got, err := h.Vault.WhoMay(v.ctx, v.auth, vaultclient.WhoMayRequest{Wearer: w, Fields: policy.AllFields})
	if err != nil {
		return err
	}
	x := whoMayView{Path: wearerPath(w), Policy: got.Policy, Own: slices.Contains(v.user.Wearers, w)}
	for _, one := range got.Viewers {
		x.Viewers = append(x.Viewers, viewerOf(v.ctx, one))
	}
	for _, rule := range slices.Sorted(maps.Keys(got.Rules)) {
		x.Rules = append(x.Rules, got.Rules[rule])
	}
	all, err := h.Vault.Organisations(v.ctx, v.auth)
	if err != nil && errorCode(err) != vaultclient.Refused {
		return err
	}
	x.Caption = organisationName(v.ctx, all, got.Organisation)
	title, ledger, record := words.Key(titleWhoMay), words.Key(titleWearerLedger), words.Key(titleWearer)
	if x.Own {
		title, ledger, record = titleOwnWhoMay, titleOwnLedger, "My doses"
	}
	crumbs := h.wearerCrumbs(v, vaultclient.Record{Organisation: got.Organisation}, x.Caption)
	crumbs = append(crumbs, link{Text: record, Href: x.Path}, link{Text: ledger, Href: x.Path + "/ledger"})
	h.render(v.w, v.r, http.StatusOK, whoMayPage(h.frame(title, &v.user, crumbs...), title, x))
	return nil
}

// viewerOf puts somebody who may see fields in words. Who is not named is told by role, and how many they are.
func viewerOf(ctx context.Context, one vaultclient.Viewer) viewerRow {
	row := viewerRow{Who: one.Actor, Role: roleWord(ctx, policy.Role(one.Role)), Purpose: capital(strings.TrimSpace(purpose(ctx, one.Purpose))), Fields: capital(fieldWords(ctx, one.Fields, 1))}
	switch one.Role {
	case "job":
		row.Role = words.T(ctx, "a job of the service")
	case "machine":
		row.Role = words.T(ctx, "a machine outside")
	}
	if !one.Named {
		row.Who = capital(people(ctx, one.Number))
		if one.Role == "job" {
			row.Who = words.Count(ctx, one.Number, "job", "jobs")
		}
	}
	row.Role = capital(row.Role)
	return row
}

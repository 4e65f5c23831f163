package origin

import (
	"net/http"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

func (o *Origin) grantRoutes() []route {
	return []route{
		{"GET /grants", o.signedIn(o.grants)},
		{"POST /grants/{id}/end", o.signedIn(o.endGrant)},
	}
}

func init() { dones["ended"] = "The grant has ended." }

type grantsPage struct {
	frame
	Kinds []grantKind
}

// grantKind is a kind of leave with what is given of it.
type grantKind struct {
	Title, None words.Key
	Grants      []shownGrant
}

type shownGrant struct {
	vaultclient.Grant
	What, Where string
}

// grants lists the leave that is given for work without a user.
func (o *Origin) grants(w http.ResponseWriter, r *http.Request, v *visit) error {
	all, err := o.Vault.Grants(v.ctx, v.caller)
	if err != nil {
		return err
	}
	p := &grantsPage{frame: frame{Title: "Grants"}, Kinds: []grantKind{
		{Title: "Standing grants", None: "No recurring work has leave."},
		{Title: "Machines outside", None: "No machine has leave."},
		{Title: "Jobs that run now", None: "No job runs."},
	}}
	for _, g := range all {
		one := shownGrant{Grant: g, Where: o.Vault.Where(v.ctx, g.Organisations)}
		one.What = words.T(v.ctx, "%s: %s", vault.PurposeWords(g.Purpose), vault.FieldWords(v.ctx, g.Fields))
		kind := map[string]int{"standing": 0, "machine": 1, "job": 2}[g.Kind]
		p.Kinds[kind].Grants = append(p.Kinds[kind].Grants, one)
	}
	o.render(w, r, http.StatusOK, "grants", p)
	return nil
}

func (o *Origin) endGrant(w http.ResponseWriter, r *http.Request, v *visit) error {
	n, err := id.Parse[id.Grant](r.PathValue("id"))
	if err != nil {
		return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such grant"}
	}
	if err := o.Vault.EndGrant(v.ctx, v.caller, n); err != nil {
		return err
	}
	http.Redirect(w, r, "/grants?done=ended", http.StatusSeeOther)
	return nil
}

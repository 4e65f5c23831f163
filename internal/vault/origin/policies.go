package origin

import (
	"net/http"
	"slices"

	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/words"
)

func (o *Origin) policyRoutes() []route {
	return []route{
		{"GET /policies", o.signedIn(o.policies)},
		{"GET /policies/{version}", o.signedIn(o.policies)},
	}
}

type policiesPage struct {
	frame
	Held    []heldPolicies
	Files   []policyFile
	Version string // whose files are shown
	Approve bool   // whoever looks can open approvals
}

// heldPolicies are policies that hold somewhere.
type heldPolicies struct {
	vault.HeldPolicies
	Where, Since string
	By           string // the approval, by its number; empty: none
	Shown        bool   // their files are
}

type policyFile struct{ Name, Text string }

// policies shows which policies hold where, since when and by which approval, and the files of one version.
func (o *Origin) policies(w http.ResponseWriter, r *http.Request, v *visit) error {
	held, err := o.Vault.PoliciesHeld(v.ctx, v.caller)
	if err != nil {
		return err
	}
	p := &policiesPage{frame: frame{Title: "Policies"}, Version: r.PathValue("version"), Approve: mayAdminister(v)}
	if p.Version == "" {
		p.Version = held[0].Version
	}
	shown := slices.IndexFunc(held, func(h vault.HeldPolicies) bool { return h.Version == p.Version })
	if shown < 0 {
		return errNoPage // they hold nowhere, or nowhere that whoever asks is told of
	}
	for _, h := range held {
		one := heldPolicies{HeldPolicies: h, Where: h.Name, Shown: h.Version == p.Version}
		if one.Where == "" {
			one.Where = words.T(v.ctx, "The whole service")
		}
		if len(held) > 1 && h.Organisation.IsZero() {
			one.Where = words.T(v.ctx, "The service, but for those below")
		}
		one.Since = words.T(v.ctx, "The installation was made")
		if !h.Approval.IsZero() {
			one.Since, one.By = words.Moment(v.ctx, h.Since), "approval:"+h.Approval.String()
		}
		p.Held = append(p.Held, one)
	}
	files := held[shown].Files
	for _, name := range files.Names() {
		p.Files = append(p.Files, policyFile{name, files[name]})
	}
	o.render(w, r, http.StatusOK, "policies", p)
	return nil
}

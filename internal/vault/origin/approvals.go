package origin

import (
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// mayPropose says whether somebody may approve anything, or propose it.
func mayPropose(v *visit) bool {
	return mayAdminister(v) || v.may(policy.Freeze, policy.Oversight)
}

func (o *Origin) approvalRoutes() []route {
	return []route{
		{"GET /approvals", o.signedIn(o.approvals)},
		{"GET /approvals/{id}", o.signedIn(o.approval)},
		{"POST /approvals/{id}/sign", o.signedIn(o.onApproval(o.signApproval))},
		{"GET /approvals/{id}/decline", o.signedIn(o.askToDecline)},
		{"POST /approvals/{id}/decline", o.signedIn(o.onApproval(o.declineApproval))},
		{"POST /approvals/{id}/withdraw", o.signedIn(o.onApproval(o.withdrawApproval))},
		{"POST /approvals/{id}/link", o.signedIn(o.recoveryLink)},
		{"POST /two-people", o.signedIn(o.endSingle)},
	}
}

func init() {
	dones["signed"] = "You have signed this. It now waits for somebody else."
	dones["approved"] = "You have approved this. It has taken effect."
	dones["declined"] = "You have declined this. Nothing was changed by it."
	dones["withdrawn"] = "You have withdrawn this. Nothing was changed by it."
	dones["two"] = "From now on it takes two people."
}

type approvalsPage struct {
	frame
	Single         string // after which delay a single administrator decides; empty: it takes two
	MayEndSingle   bool
	Yours, Others  []vault.ApprovalView // that wait
	Settled        []vault.ApprovalView
	SettledNewest  int  // how many of them are shown
	MoreWereBefore bool // than are shown
}

// settledShown is how many proposals that are settled a page shows.
const settledShown = 50

// approvals lists what waits for whoever looks, what waits for others, and what became of the rest.
func (o *Origin) approvals(w http.ResponseWriter, r *http.Request, v *visit) error {
	all, err := o.Vault.ApprovalViews(v.ctx, v.caller)
	if err != nil {
		return err
	}
	p := &approvalsPage{frame: frame{Title: "Approvals"}, SettledNewest: settledShown, MayEndSingle: mayAdminister(v)}
	p.Single = o.single(r)
	for _, one := range all {
		switch {
		case one.MaySign || one.MayUse:
			p.Yours = append(p.Yours, one)
		case one.State == vaultclient.Waiting:
			p.Others = append(p.Others, one)
		case len(p.Settled) < settledShown:
			p.Settled = append(p.Settled, one)
		default:
			p.MoreWereBefore = true
		}
	}
	o.render(w, r, http.StatusOK, "approvals", p)
	return nil
}

// single says after how long a single administrator decides, or nothing.
func (o *Origin) single(r *http.Request) string {
	delay, ok := o.Vault.Single()
	switch {
	case !ok:
		return ""
	case delay == 0:
		return words.T(r.Context(), "at once")
	case delay < time.Hour:
		return words.T(r.Context(), "after %s", words.Count(r.Context(), int(delay.Minutes()), "minute", "minutes"))
	}
	return words.T(r.Context(), "after %s", words.Count(r.Context(), int(delay.Hours()), "hour", "hours"))
}

// stateWords say what a proposal waits for, or what became of it.
var stateWords = map[vaultclient.ApprovalState]words.Key{
	vaultclient.Done:      "Approved",
	vaultclient.Declined:  "Declined",
	vaultclient.Withdrawn: "Withdrawn",
	vaultclient.Expired:   "Expired",
}

// StateOf says what a proposal waits for, or what became of it.
func (f *frame) StateOf(x vault.ApprovalView) string {
	if k, ok := stateWords[x.State]; ok {
		return f.T(k)
	}
	switch {
	case !x.Signed && x.Mine:
		return f.T("Waits for your signature")
	case !x.Signed:
		return f.T("Waits for the signature of who proposed it")
	case !x.Due.IsZero():
		return f.T("Takes effect on %s", x.Due)
	case x.Mine:
		return f.T("Waits for somebody else")
	}
	return f.T("Waits for you")
}

type approvalPage struct {
	frame
	vault.ApprovalView
	Hex     string // the digest that the form carries
	Confirm confirmation
}

func (o *Origin) approval(w http.ResponseWriter, r *http.Request, v *visit) error {
	return o.showApproval(w, r, v, http.StatusOK, nil)
}

// showApproval shows one proposal: all that takes effect, its digest, and what whoever looks can do with it.
func (o *Origin) showApproval(w http.ResponseWriter, r *http.Request, v *visit, status int, wrongs []wrong) error {
	n, err := id.Parse[id.Approval](r.PathValue("id"))
	if err != nil {
		return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such proposal"}
	}
	x, err := o.Vault.ApprovalViewOf(v.ctx, v.caller, n)
	if err != nil {
		return err
	}
	p := &approvalPage{frame: frame{Title: x.About, Wrong: wrongs}, ApprovalView: x, Hex: hex.EncodeToString(x.Digest[:])}
	digest := x.Digest
	if x.MayUse {
		if digest, err = vault.Confirmation(vault.ConfirmRecovery, n); err != nil {
			return err
		}
	}
	if x.MaySign || x.MayUse {
		if p.Confirm, err = o.confirmation(v, digest); err != nil {
			return err
		}
	}
	o.render(w, r, status, "approval", p)
	return nil
}

// onApproval answers a form about a proposal. What is refused is said on the proposal's page, as it stands now.
func (o *Origin) onApproval(do func(r *http.Request, v *visit, n id.Approval) (done string, err error)) func(http.ResponseWriter, *http.Request, *visit) error {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		n, err := id.Parse[id.Approval](r.PathValue("id"))
		if err != nil {
			return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such proposal"}
		}
		done, err := do(r, v, n)
		var known *vaultclient.Error
		if errors.As(err, &known) && known.Code != vaultclient.Unauthenticated && known.Code != vaultclient.NotFound {
			return o.showApproval(w, r, v, vaultclient.Status[known.Code], []wrong{{Text: whyNot(err)}})
		}
		if err != nil {
			return err
		}
		http.Redirect(w, r, "/approvals/"+n.String()+"?done="+done, http.StatusSeeOther)
		return nil
	}
}

// whyNot says why a proposal was not signed, declined or withdrawn.
func whyNot(err error) words.Key {
	switch {
	case errors.Is(err, vault.ErrOtherDigest):
		return "What waits is not what you were shown. Read it again; nothing was changed."
	case errors.Is(err, vault.ErrNotWaiting):
		return "This does not wait any more."
	case errors.Is(err, vault.ErrOwnApproval):
		return "You proposed this. Somebody else has to approve it."
	case errors.Is(err, vault.ErrUnsignedYet):
		return "Whoever proposed this has not signed it yet."
	case errors.Is(err, vault.ErrMayNoLonger):
		return "Whoever proposed this may not do so any more."
	case errors.Is(err, vault.ErrConfirm):
		return "Your passkey did not confirm it, so nothing was changed. Try again."
	}
	return "This could not be done as things stand. Nothing was changed."
}

func (o *Origin) signApproval(r *http.Request, v *visit, n id.Approval) (string, error) {
	var shown vault.Digest
	b, err := hex.DecodeString(r.PostFormValue("digest"))
	if err != nil || len(b) != len(shown) {
		return "", vault.ErrOtherDigest
	}
	copy(shown[:], b)
	if err := o.Vault.SignApproval(v.ctx, v.caller, n, shown, []byte(r.PostFormValue("response"))); err != nil {
		return "", err
	}
	x, err := o.Vault.ApprovalViewOf(v.ctx, v.caller, n)
	if err == nil && x.State == vaultclient.Done {
		return "approved", nil
	}
	return "signed", err
}

// askToDecline asks for the passkey before a proposal is declined.
func (o *Origin) askToDecline(w http.ResponseWriter, r *http.Request, v *visit) error {
	n, err := id.Parse[id.Approval](r.PathValue("id"))
	if err != nil {
		return errNoPage
	}
	x, err := o.Vault.ApprovalViewOf(v.ctx, v.caller, n)
	if err != nil {
		return err
	}
	if !x.MayDecline {
		return errNoPage
	}
	return o.askToConfirm(w, r, v, vault.ConfirmDecline, n, &confirmPage{frame: frame{Title: "Decline the proposal"}, Lines: []line{{"About", words.T(v.ctx, x.About)}, {"Proposed by", x.Proposer}},
		Text: "Nothing of it takes effect. Who proposed it can propose it again.", Action: r.URL.Path, Button: "Decline", Warning: true, Back: "/approvals/" + n.String()})
}

func (o *Origin) declineApproval(r *http.Request, v *visit, n id.Approval) (string, error) {
	return "declined", o.Vault.DeclineApproval(v.ctx, v.confirmed(r), n)
}

func (o *Origin) withdrawApproval(_ *http.Request, v *visit, n id.Approval) (string, error) {
	return "withdrawn", o.Vault.WithdrawApproval(v.ctx, v.caller, n)
}

type recoveryPage struct {
	frame
	Link string
}

// recoveryLink makes the link of a recovery that was approved, and shows it once, to who proposed it.
func (o *Origin) recoveryLink(w http.ResponseWriter, r *http.Request, v *visit) error {
	n, err := id.Parse[id.Approval](r.PathValue("id"))
	if err != nil {
		return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such proposal"}
	}
	secret, err := o.Vault.RecoveryLink(v.ctx, v.confirmed(r), n)
	if err != nil {
		return err
	}
	o.render(w, r, http.StatusOK, "recovery", &recoveryPage{frame{Title: "A new enrolment link"}, o.URL + "/link?secret=" + secret})
	return nil
}

// endSingle ends that a single administrator decides.
func (o *Origin) endSingle(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := o.Vault.EndSingleAdministrator(v.ctx, v.caller); err != nil {
		return err
	}
	http.Redirect(w, r, "/approvals?done=two", http.StatusSeeOther)
	return nil
}

// listing is a list of proposals with the page that it stands on.
type listing struct {
	Page *approvalsPage
	List []vault.ApprovalView
}

// Listing hands a list to its template.
func (p *approvalsPage) Listing(l []vault.ApprovalView) listing { return listing{p, l} }

// confirmation is what a form needs to be signed with a passkey.
type confirmation struct {
	Options string // for the browser; empty in a demonstration
	Missing bool   // there is no passkey to sign with
}

// confirmation asks for a passkey over a digest, except in a demonstration.
func (o *Origin) confirmation(v *visit, digest vault.Digest) (confirmation, error) {
	if o.Demo {
		return confirmation{}, nil
	}
	options, err := o.Vault.BeginAssertion(v.user.ID, digest)
	var known *vaultclient.Error
	if errors.As(err, &known) && known.Code == vaultclient.Conflict || errors.Is(err, vault.ErrNoPasskeys) {
		return confirmation{Missing: true}, nil
	}
	return confirmation{Options: string(options)}, err
}

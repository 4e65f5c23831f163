package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

func init() { dones["frozen"] = "It is frozen" }

// suspectRow is something suspected that can be frozen.
type suspectRow struct {
	Scope  vaultclient.Scope
	Name   string
	Frozen bool
}

// freezeView asks what is to be frozen.
type freezeView struct {
	caseView
	Suspects []suspectRow
	Sure     bool // ask whether it is to be frozen though too few are left who could let it go on
	Thaw     string
}

// suspects are what the hypotheses suspect and can be frozen, each once.
func (h *handler) suspects(v *visit, x caseView) ([]suspectRow, error) {
	frozen, err := h.Register.Frozen(v.ctx, v.auth)
	if err != nil {
		return nil, err
	}
	var rows []suspectRow
	for _, one := range x.hypotheses() {
		scope, err := vaultclient.ParseScope(string(one.Recipient))
		if err != nil || slices.ContainsFunc(rows, func(r suspectRow) bool { return r.Scope == scope }) {
			continue
		}
		rows = append(rows, suspectRow{scope, x.suspect(v.ctx, one), slices.ContainsFunc(frozen, func(f vaultclient.Frozen) bool {
			return f.Scope == scope || f.Scope == vaultclient.Everything
		})})
	}
	return rows, nil
}

// stopTask says how much of what is suspected is frozen.
func (h *handler) stopTask(v *visit, x *incidentView) (task, error) {
	t := task{Title: "Stop it", Hint: "Freeze what is suspected. Work with badges goes on", Href: x.Path + "/freeze", State: "Nothing to freeze"}
	rows, err := h.suspects(v, x.caseView)
	if err != nil {
		return t, err
	}
	open := slices.DeleteFunc(slices.Clone(rows), func(r suspectRow) bool { return r.Frozen })
	switch {
	case len(rows) == 0:
	case x.Drill:
		t.State = "Not in a rehearsal"
	case len(open) == 0:
		t.State = "Frozen"
	default:
		t.State, t.Colour = "Not frozen", "red"
	}
	return t, nil
}

// freezeSuspect freezes what an incident suspects.
func (h *handler) freezeSuspect(v *visit) error {
	x := freezeView{Thaw: h.VaultOrigin + "/freeze"}
	var err error
	if x.caseView, err = h.theIncident(v); err != nil {
		return err
	}
	if x.Suspects, err = h.suspects(v, x.caseView); err != nil {
		return err
	}
	var f form
	if v.r.Method == http.MethodPost {
		if f, err = readForm(v); err != nil {
			return err
		}
		i := slices.IndexFunc(x.Suspects, func(r suspectRow) bool { return string(r.Scope) == f.Value("scope") })
		if i < 0 || x.Drill {
			return errForm
		}
		done, err := h.freezeNow(v, x.caseView, x.Suspects[i].Scope, &f)
		if done || err != nil {
			return err
		}
		x.Sure = true
	}
	h.render(v.w, v.r, f.status(), freezePage(h.frame("Stop it", &v.user, incidentCrumbs(&x.Incident)...).of(f), f, x))
	return nil
}

// freezeNow freezes, and answers; false: the form says what is wrong. When the pages' own node is frozen, nothing more can be asked of the vault.
func (h *handler) freezeNow(v *visit, x caseView, scope vaultclient.Scope, f *form) (done bool, err error) {
	reason := strings.TrimPrefix(x.Number+": "+x.Steps[0].Text, ": ")
	if r := []rune(reason); len(r) > vaultclient.MaxFreezeReason {
		reason = strings.TrimSpace(string(r[:vaultclient.MaxFreezeReason]))
	}
	err = h.Register.Freeze(v.ctx, v.auth, vaultclient.FreezeRequest{Scope: scope, Reason: reason, Purpose: policy.BreachNotice, Sure: f.Value("sure") != ""})
	switch {
	case errorCode(err) == vaultclient.Conflict:
		f.wrong("sure", "Fewer than two people would be left who could let it go on. Tick the box to freeze it all the same")
		return false, nil
	case err != nil:
		return false, err
	case scope == vaultclient.NodeScope("web") || scope == vaultclient.UserScope(v.user.ID):
		h.render(v.w, v.r, http.StatusOK, frozenOutPage(h.frame("Frozen", nil), x))
		return true, nil
	}
	http.Redirect(v.w, v.r, x.Path+"?done=frozen", http.StatusSeeOther)
	return true, nil
}

// scopeHint says what goes on when something is frozen.
func scopeHint(s vaultclient.Scope) words.Key {
	switch s.Kind() {
	case vaultclient.ScopeSupplier:
		return "Nothing personal goes to this supplier from now on. Barcodes, badge types and dates still do, so badges are still read."
	case vaultclient.ScopeNode:
		return "Nothing is shown through it from now on. If it is the web node, these pages stop too: go on at the command line."
	case vaultclient.ScopeUser:
		return "Whoever holds this account sees nothing from now on, and no job that it gave leave goes on."
	}
	return "Nothing is opened for it from now on."
}

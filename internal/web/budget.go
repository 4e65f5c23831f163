package web

import (
	"net/http"
	"time"

	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

const (
	budgetPath  = "/budget"
	titleBudget = "How much you may read"
)

// budgetRoutes are what somebody has read in a day, and going over it.
func (h *handler) budgetRoutes() []route {
	return []route{
		{"GET " + budgetPath, h.page(h.budget)},
		{"POST " + budgetPath, h.page(h.budget)},
	}
}

// budgetRow is one line of the budget.
type budgetRow struct {
	What words.Key
	vaultclient.BudgetLine
}

type budgetView struct {
	Rows     []budgetRow
	MayBreak bool
	Broken   time.Time // until when the budget is doubled
}

// budgetWords say what is counted.
var budgetWords = map[string]words.Key{
	"guesses": "Searches that found nobody", "identity": "People's names, dates of birth and numbers", "ni": "NI numbers", "contact": "Ways to reach people", "health": "Health records",
	"dose": "People's doses", "document": "People in files", "employment": "People's departments and jobs",
}

// budget shows what the user has read in the last day and takes the reason for going over it.
func (h *handler) budget(v *visit) error {
	b, err := h.Vault.Budgets(v.ctx, v.auth)
	if err != nil {
		return err
	}
	f := formOf()
	if v.r.Method == http.MethodPost {
		if f, err = readForm(v); err != nil {
			return err
		}
		reason := f.Text("reason")
		switch n := len([]rune(reason)); {
		case n < vaultclient.MinReason:
			f.wrong("reason", "Write a reason of at least %d characters", vaultclient.MinReason)
		case len(reason) > vaultclient.MaxReason:
			f.wrong("reason", "Shorten the reason")
		default:
			if _, err := h.Vault.BreakGlass(v.ctx, v.auth, reason); err != nil {
				return err
			}
			http.Redirect(v.w, v.r, budgetPath, http.StatusSeeOther)
			return nil
		}
	}
	x := budgetView{MayBreak: b.MayBreak, Broken: b.Broken}
	for _, l := range b.Lines {
		x.Rows = append(x.Rows, budgetRow{budgetWords[l.Class], l})
	}
	h.render(v.w, v.r, f.status(), budgetPage(h.frame(titleBudget, &v.user, link{Text: "Overview", Href: "/"}).of(f), f, x))
	return nil
}

// overBudget is the page for who has read as much as they may.
func overBudget(e *vaultclient.Error) problem {
	p := problem{Status: http.StatusTooManyRequests, Title: "You have read as much as you may for now", Budget: true, Again: e.Again, Paragraphs: []words.Key{
		"Everybody may read so much in a day, so that a stolen session can't read everything. Nothing was shown to you. That you asked was entered in the ledger, and somebody was told."}}
	if e.Again.IsZero() {
		p.Paragraphs = append(p.Paragraphs, "It was too much at once. Ask for fewer people.")
	}
	if !e.Own {
		p.Paragraphs = append(p.Paragraphs, "It is what all users together, or this one export, may read that is used up, not what you may.")
	}
	p.Paragraphs = append(p.Paragraphs, "If your work needs more, an administrator can raise it together with a second person.")
	if e.Glass {
		p.Paragraphs = append(p.Paragraphs, "If it can't wait, you can go over it for an hour with a reason.")
	}
	return p
}

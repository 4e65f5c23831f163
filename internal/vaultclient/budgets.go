package vaultclient

import (
	"time"

	"github.com/dosevault/dosevault/internal/policy"
)

// Bounds of the reason for which somebody goes over a budget: characters at least, bytes at most.
const (
	MinReason = 10
	MaxReason = 500
)

// Budgets is what one party read in the last day, and how much that may be.
type Budgets struct {
	Who      Recipient    `json:"who,omitempty"`
	Role     policy.Role  `json:"role,omitempty"`
	Lines    []BudgetLine `json:"lines,omitempty"` // empty: nothing is counted
	Broken   time.Time    `json:"broken,omitzero"` // until when the user goes over it
	MayBreak bool         `json:"may_break,omitempty"`
}

// BudgetLine is a budget of one field class, in different wearers, or of guesses that miss.
type BudgetLine struct {
	Class string `json:"class"` // identity, ni, contact, health, dose, document, employment or guesses
	Used  int    `json:"used"`
	Limit int    `json:"limit"`
}

// NewBudget is another budget than the default for a user, a role, a node, a machine or an organisation.
type NewBudget struct {
	Who    Recipient      `json:"who"`    // user:ID, role:NAME, node:NAME, grant:ID, organisation:ID
	Limits map[string]int `json:"limits"` // by class, as in BudgetLine; those left out are as without it
}

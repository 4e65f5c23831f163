package vaultclient

import "github.com/dosevault/dosevault/internal/policy"

// Bounds of an assessment.
const (
	MaxOverrides    = 50  // combinations that are seen otherwise
	MaxOverrideText = 500 // characters of a reason
)

// Assessment is how somebody sees what happened. The newest one counts; of an organisation's, its own before the service's.
type Assessment struct {
	// How far each was lost: 0 no sign of it, 1 some, 2 for good or to nobody knows whom.
	Confidentiality uint8      `json:"confidentiality,omitempty"`
	Integrity       uint8      `json:"integrity,omitempty"`
	Availability    uint8      `json:"availability,omitempty"`
	Malicious       bool       `json:"malicious,omitempty"`
	Unintelligible  bool       `json:"unintelligible,omitempty"`
	Overrides       []Override `json:"overrides,omitempty"`
}

// Override is a factor of the severity that somebody sees otherwise than the method, in quarters.
type Override struct {
	Fields         policy.Fields `json:"fields,omitempty"` // the combination; 0: each that has no override of its own
	Context        *int          `json:"context,omitempty"`
	Identification *int          `json:"identification,omitempty"`
	Circumstances  *int          `json:"circumstances,omitempty"`
	Why            string        `json:"why"`
}

package vaultclient

import (
	"context"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
)

// WhoMayRequest asks who may read fields of a wearer. It is asked of the policies, not of the ledger: whether anybody did is
// what [Client.Seen] answers.
type WhoMayRequest struct {
	Wearer id.Wearer     `json:"wearer"`
	Fields policy.Fields `json:"fields"`
}

// Viewer is somebody who may read fields of a wearer, and by which rules.
type Viewer struct {
	Actor   string         `json:"actor"` // name of the user, where the asker may see it, else role; a machine's name, or a job
	Role    string         `json:"role"`  // of a user; "machine", "job"
	Named   bool           `json:"named,omitempty"`
	Number  int            `json:"number"` // how many users of a role that are not named
	Purpose policy.Purpose `json:"purpose"`
	Fields  policy.Fields  `json:"fields"`
	Rules   []string       `json:"rules"`
}

// WhoMay is the answer: who may, under which version of the policies, with the rules as they stand in their files.
type WhoMay struct {
	Organisation id.Organisation   `json:"organisation"`
	Policy       string            `json:"policy"`
	Viewers      []Viewer          `json:"viewers"`
	Rules        map[string]string `json:"rules"`
}

// Sees is what a user may read, by organisation.
type Sees struct {
	User   User              `json:"user"`
	Places []SeesPlace       `json:"places"`
	Rules  map[string]string `json:"rules"`
}

// SeesPlace is what a user may read of the people of an organisation; zero: of all whose policies are the installation's.
type SeesPlace struct {
	Organisation id.Organisation `json:"organisation,omitzero"`
	Name         string          `json:"name,omitempty"`
	Policy       string          `json:"policy"`
	Sights       []policy.Sight  `json:"sights"`
}

// WhoMay lists who may read fields of a wearer: for whoever may read who has seen that wearer's data. The names of staff in
// it are entered.
func (c *Client) WhoMay(ctx context.Context, auth Auth, r WhoMayRequest) (w WhoMay, err error) {
	err = call(ctx, c, "who-may", auth, r, &w)
	return w, err
}

// Sees lists what a user may read: for that user, and for whoever administers users.
func (c *Client) Sees(ctx context.Context, auth Auth, user id.User) (s Sees, err error) {
	err = call(ctx, c, "sees", auth, user, &s)
	return s, err
}

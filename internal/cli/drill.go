package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/incident"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// DrillCmd rehearses a breach.
type DrillCmd struct {
	signedIn
	Kind     string `arg:"" optional:"" help:"supplier NAME, account USER, node [NAME], worker, database or export ID: who would have read what they should not."`
	Target   string `arg:"" optional:"" help:"The supplier's or user's name, the node or the export's id."`
	From     string `help:"From which day on, or moment; six years ago for a supplier, else 30 days ago." placeholder:"DAY"`
	To       string `help:"Until which day, or moment; until now if left out." placeholder:"DAY"`
	CallBack string `help:"The telephone number in the notices." default:"01632 960000" placeholder:"NUMBER"`
	Yes      bool   `help:"Wait for no person's decision."`
	JSON     bool   `help:"Print the drill as JSON, with the wearers and fields of its scope."`
	History  bool   `help:"Play the breach of 2016 through instead, with invented people, in an installation of its own: below --dir, or a temporary one."`
	People   int    `help:"How many people of the history, instead of 4,766." placeholder:"N"`
}

// Run plays the drill through on the installation's own ledgers, with nothing sent and nothing frozen.
func (c *DrillCmd) Run(e *env) error {
	if c.History {
		if c.Kind != "" {
			return errors.New("--history is a drill of its own: leave the kind out")
		}
		return c.history(e)
	}
	if !slices.Contains(incident.DrillKinds, incident.DrillKind(c.Kind)) {
		return errors.New("what is to be rehearsed: supplier NAME, account USER, node, worker, database, export ID, or --history")
	}
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	play := incident.Play{Vault: client, Auth: auth, Now: time.Now, Drill: true, CallBack: c.CallBack}
	if play.What, play.Text, err = c.what(e, client, auth); err != nil {
		return err
	}
	if !c.Yes {
		in := bufio.NewReader(e.stdin)
		play.Decide = func(question string) error {
			fmt.Fprintf(e.stderr, "%s [Enter: yes, n: stop here] ", question)
			answer, err := in.ReadString('\n')
			if err != nil || strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "n") {
				return errors.New("the drill was stopped; what was done stays entered. Give --yes to wait for nobody")
			}
			return nil
		}
	}
	played, err := play.Run(e.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return printDrillJSON(e, played, nil)
	}
	fmt.Fprintf(e.stdout, "%s: %s. Nothing was sent, and nothing frozen.\n\n", played.Number, inWords(&play.What))
	orgs, err := client.Organisations(e.ctx, auth)
	if err != nil {
		return err
	}
	if err := printTable(e, orgs, played.Table); err != nil {
		return err
	}
	return printParts(e, played)
}

// what is supposed, in the vault's words and a person's.
func (c *DrillCmd) what(e *env, client *vaultclient.Client, auth vaultclient.Auth) (h vaultclient.Hypothesis, text string, err error) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	h.From, h.To = now.AddDate(0, 0, -30), now
	kind := incident.DrillKind(c.Kind)
	needs := map[incident.DrillKind]string{incident.SupplierDrill: "the supplier's name", incident.AccountDrill: "the user's name", incident.ExportDrill: "the export's id"}[kind]
	if (needs == "") != (c.Target == "") && kind != incident.NodeDrill {
		if needs != "" {
			return h, "", fmt.Errorf("drill %s: %s is expected", kind, needs)
		}
		return h, "", fmt.Errorf("drill %s: nothing is expected after it", kind)
	}
	switch kind {
	case incident.SupplierDrill:
		h.Recipient, h.From = vaultclient.Recipient("supplier:"+strings.TrimPrefix(c.Target, "supplier:")), now.AddDate(-6, 0, 0)
		text = "Drill: the supplier was hacked"
	case incident.AccountDrill:
		n, err := userNamed(e, client, auth, c.Target)
		if err != nil {
			return h, "", err
		}
		h.Recipient, text = vaultclient.Recipient("user:"+n.String()), "Drill: somebody else used an account"
	case incident.NodeDrill:
		name := "web"
		if c.Target != "" {
			name = strings.TrimPrefix(c.Target, "node:")
		}
		h.Recipient, text = vaultclient.Recipient("node:"+name), "Drill: a node was taken over"
	case incident.WorkerDrill:
		h.Recipient, text = "node:worker", "Drill: the worker was taken over"
	case incident.DatabaseDrill:
		h.Medium, text = true, "Drill: a database or backup was stolen, without its keys"
	case incident.ExportDrill:
		h.Recipient, text = vaultclient.Recipient("export:"+strings.TrimPrefix(c.Target, "export:")), "Drill: an export was lost"
	}
	for _, flag := range []struct {
		name, given string
		to          *time.Time
		end         bool
	}{{"--from", c.From, &h.From, false}, {"--to", c.To, &h.To, true}} {
		if flag.given == "" {
			continue
		}
		at, whole, err := moment(flag.given)
		if err != nil {
			return h, "", fmt.Errorf("%s: %w", flag.name, err)
		}
		if whole && flag.end {
			at = at.AddDate(0, 0, 1)
		}
		*flag.to = at
	}
	if !h.From.Before(h.To) {
		return h, "", errors.New("--to is before --from")
	}
	return h, text, nil
}

// userNamed finds a user by name or id.
func userNamed(e *env, client *vaultclient.Client, auth vaultclient.Auth, name string) (id.User, error) {
	users, err := client.Users(e.ctx, auth)
	if err != nil {
		return id.User{}, err
	}
	var found []id.User
	for _, u := range users {
		if strings.EqualFold(u.Name, name) || u.ID.String() == name {
			found = append(found, u.ID)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return id.User{}, errors.New("drill account: no user has this name or id: dosevault users list")
	}
	return id.User{}, errors.New("drill account: several users have this name: give the id, as dosevault users list shows it")
}

// printTable prints organisations and combinations of fields.
func printTable(e *env, orgs []vaultclient.Organisation, table []incident.Row) error {
	if len(table) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ORGANISATION\tWEARERS\tFIELDS")
	for _, row := range table {
		fmt.Fprintf(t, "%s\t%d\t%s\n", organisationName(orgs, row.Organisation), row.Wearers, row.Fields)
	}
	fmt.Fprintln(t)
	return t.Flush()
}

// printParts prints how long each part took.
func printParts(e *env, p *incident.Played) error {
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PART\tMACHINE\tPEOPLE\tWHAT")
	line := func(name string, took, waited time.Duration, says string) {
		w := "-"
		if waited > 0 {
			w = incident.Short(waited)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", name, incident.Short(took), w, says)
	}
	for _, x := range p.Parts {
		line(x.Name, x.Took, x.Waited, x.Says)
	}
	line("together", p.Machine, p.Waited, fmt.Sprintf("every organisation told %s after the declaration", incident.Short(p.UntilTold)))
	return t.Flush()
}

// printDrillJSON prints a drill for a program that holds it against something else.
func printDrillJSON(e *env, p *incident.Played, taken *incident.Taken) error {
	type wearer struct {
		Wearer id.Wearer `json:"wearer"`
		Fields []string  `json:"fields"`
	}
	type listed struct {
		Row     int         `json:"row"`
		Outcome string      `json:"outcome"`
		Wearers []id.Wearer `json:"wearers,omitempty"` // of a match; else who may be meant
	}
	fields := map[id.Wearer]policy.Fields{}
	for _, x := range p.Exposures.List {
		fields[x.Wearer] |= x.Fields
	}
	out := struct {
		*incident.Played
		People        int      `json:"people"`
		Organisations int      `json:"organisations"`
		Wearers       []wearer `json:"wearers"`
		List          []listed `json:"list,omitempty"`
	}{p, p.Exposures.People, len(p.Told), []wearer{}, nil}
	if taken != nil {
		for _, r := range taken.Rows {
			one := listed{r.Number, r.Outcome.String(), nil}
			for _, w := range r.Wearers {
				one.Wearers = append(one.Wearers, w.Wearer)
			}
			out.List = append(out.List, one)
		}
	}
	seen := map[id.Wearer]bool{}
	for _, x := range p.Exposures.List { // sorted
		if !seen[x.Wearer] {
			seen[x.Wearer] = true
			out.Wearers = append(out.Wearers, wearer{x.Wearer, fields[x.Wearer].Names()})
		}
	}
	b, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%s\n", b)
	return err
}

// printLastDrills says when each kind of breach was rehearsed last.
func printLastDrills(e *env, all []vaultclient.Incident) error {
	last := incident.LastDrills(all)
	parts := make([]string, len(incident.DrillKinds))
	for i, k := range incident.DrillKinds {
		parts[i] = string(k) + " never"
		if at, ok := last[k]; ok {
			parts[i] = fmt.Sprintf("%s %s", k, at.Format(time.DateOnly))
		}
	}
	_, err := fmt.Fprintf(e.stdout, "\nLast drills: %s.\n", strings.Join(parts, ", "))
	return err
}

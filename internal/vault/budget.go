package vault

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// A budget bounds how much a party reads in a day: different wearers for each field class, and guesses that missed. It is
// counted for each user, machine (its guesses; whom it touches has a number of its own), node and export. For an organisation,
// what all readers together saw of it is counted too, and raises an alarm. The ledger is the truth: the counts are made from its
// entries at the start, and by the committer, which makes them, from then on. Nothing else keeps them.

// limits are how many a day, by class; at guesses stands how many guesses may miss.
type limits [8]int

// guesses is the place of guesses among the classes.
const guesses = policy.NoClass

const (
	unlimited = 1 << 30
	// fewest is what holds for a class that a role's line leaves out. Policies refuse it anyway, until somebody widens them.
	fewest = 100
)

// The budgets of a day. Each line is what the role does on its busiest day, and not much more: a co-ordinator prints issue
// sheets and goes through the doses of some thousand people, but writes to few of them; a supervisor or local co-ordinator has
// a list of the whole employer on the page; a records officer makes statutory returns of the classified people.
var (
	roleBudgets = map[policy.Role]limits{
		//                      guesses  identity     ni contact health    dose document employment
		policy.Coordinator:    {1_000, 20_000, 500, 2_000, 0, 20_000, 20_000, 100_000},
		policy.RecordsOfficer: {100, 2_000, 500, 0, 0, 0, 0, 5_000},
		policy.Supervisor:     {300, 10_000, 0, 0, 0, 10_000, 0, 20_000},
		policy.Local:          {300, 10_000, 0, 0, 0, 0, 0, 20_000},
		policy.DataProtection: {200, 2_000, 0, 2_000, 0, 0, 0, 5_000},
	}
	// A machine and its jobs, and other jobs, touch no more people than their own number.
	machineBudget = limits{1_000, unlimited, unlimited, unlimited, unlimited, unlimited, unlimited, unlimited}
	nodeBudget    = limits{5_000, 100_000, 2_000, 10_000, 1_000, 100_000, 100_000, 200_000}
	workerBudget  = limits{5_000, 200_000, 200_000, 200_000, 200_000, 200_000, 200_000, 200_000} // evaluates everybody's doses, by grants
	exportBudget  = limits{100, 20_000, 500, 2_000, 0, 20_000, 0, 20_000}
	// Of an organisation by all of its readers: an alarm, and no refusal.
	organisationBudget = limits{2_000, 20_000, 1_000, 2_000, 20_000, 20_000, 20_000, 50_000}
)

// spanHours is how many hours of reading count: the one that runs and the 24 before it.
const spanHours = 25

func hourOf(t time.Time) uint32 { return uint32(t.Unix() / 3600) }

// counter counts what one party read. Whoever was read keeps the hour of the last time for each class, so that reading them
// again moves them in the window and counts nothing more.
type counter struct {
	last  map[id.Wearer]*[8]uint32
	hours [8][spanHours]int // by class: how many were read last in each hour, at hour % spanHours
	total [8]int
	hour  uint32 // up to which hours are rolled
}

func newCounter(hour uint32) *counter {
	return &counter{last: map[id.Wearer]*[8]uint32{}, hour: hour}
}

// roll moves the window on.
func (c *counter) roll(hour uint32) {
	if hour <= c.hour {
		return
	}
	if hour-c.hour >= spanHours {
		*c = *newCounter(hour)
		return
	}
	for c.hour < hour {
		c.hour++
		at := c.hour % spanHours
		for class := range c.total {
			c.total[class] -= c.hours[class][at]
			c.hours[class][at] = 0
		}
	}
	for w, last := range c.last {
		if slices.Max(last[:])+spanHours <= hour {
			delete(c.last, w)
		}
	}
}

// fresh says how many of the wearers do not count yet, by class.
func (c *counter) fresh(mask uint8, wearers []id.Wearer) (n [8]int) {
	for _, w := range wearers {
		last := c.last[w]
		for class := range n {
			if mask&(1<<class) != 0 && (last == nil || last[class]+spanHours <= c.hour) {
				n[class]++
			}
		}
	}
	return n
}

// count counts wearers as read in an hour that is in the window.
func (c *counter) count(hour uint32, mask uint8, wearers []id.Wearer) {
	at := hour % spanHours
	for _, w := range wearers {
		last := c.last[w]
		if last == nil {
			last = new([8]uint32)
			c.last[w] = last
		}
		for class := range last {
			was := last[class]
			if mask&(1<<class) == 0 || was >= hour {
				continue
			}
			last[class] = hour
			c.hours[class][at]++
			if was+spanHours > c.hour {
				c.hours[class][was%spanHours]--
			} else {
				c.total[class]++
			}
		}
	}
}

// add counts what has no name: guesses, and wearers that nobody knows any more.
func (c *counter) add(hour uint32, class policy.Class, n int) {
	c.hours[class][hour%spanHours] += n
	c.total[class] += n
}

// again is the hour in which n more fit into a limit; 0: never, at once they are too many.
func (c *counter) again(class policy.Class, n, limit int) uint32 {
	left := c.total[class] + n
	for h := c.hour - spanHours + 1; h <= c.hour; h++ {
		left -= c.hours[class][h%spanHours]
		if left <= limit {
			return h + spanHours
		}
	}
	return 0
}

// budgets is all that is counted. Only the committer, and who opens the vault before it, touches it.
type budgets struct {
	by     map[string]*counter // by party: user:…, grant:…, node:…, export:…, organisation:…
	glass  map[id.User]time.Time
	warned map[string]uint32 // organisation and class: the hour of the last alarm
}

func newBudgets() budgets {
	return budgets{by: map[string]*counter{}, glass: map[id.User]time.Time{}, warned: map[string]uint32{}}
}

// of returns a party's counter with its window at an hour.
func (b *budgets) of(who string, hour uint32) *counter {
	c := b.by[who]
	if c == nil {
		c = newCounter(hour)
		b.by[who] = c
	}
	c.roll(hour)
	return c
}

// How long the glass stays broken, and how soon it can be broken again.
const (
	glassOpen  = time.Hour
	glassAgain = 24 * time.Hour
)

// spent is what one entry counts, and whose.
type spent struct {
	who     []string
	org     id.Organisation
	mask    uint8 // classes, as bits
	wearers []id.Wearer
	guesses int
}

// spentBy says what an entry counts. It is asked about new entries and, at the start, about old ones.
func spentBy(org id.Organisation, kind ledger.Kind, o *ledger.Opening) (s spent) {
	if kind != ledger.Reveal && kind != ledger.Search && kind != ledger.Compare || o.Fields == 0 && o.Guesses == 0 {
		return s
	}
	s.org, s.wearers, s.guesses = org, o.Wearers, o.Guesses
	fields := o.Fields
	if o.Subject != "" && fields&policy.FieldDocument != 0 {
		fields = policy.FieldDocument // a file that waits: what it holds came in a moment ago, of as many people as it names
	}
	for _, c := range fields.Classes() {
		s.mask |= 1 << c
	}
	for _, r := range o.Recipients {
		switch kind, _, _ := strings.Cut(r, ":"); kind {
		case "user":
			if o.Role != policy.Wearer { // who reads the own record
				s.who = append(s.who, r)
			}
		case "node", "export":
			s.who = append(s.who, r)
		case "grant":
			if machineIn(o.Recipients) != "" {
				s.who = append(s.who, r)
			} else {
				s.guesses = 0 // a job may read what it would guess
			}
		}
	}
	if !org.IsZero() {
		s.who = append(s.who, "organisation:"+org.String())
	}
	return s
}

// limitsOf returns a party's budget.
func (v *Vault) limitsOf(who string, role policy.Role, now time.Time) limits {
	kind, name, _ := strings.Cut(who, ":")
	var l limits
	switch {
	case kind == "user":
		l = roleBudgets[role]
	case kind == "grant":
		l = machineBudget
	case who == "node:worker":
		l = workerBudget
	case kind == "node":
		l = nodeBudget
	case kind == "export":
		l = exportBudget
	case kind == "organisation":
		l = organisationBudget
	}
	for c := range l {
		l[c] = min(max(l[c], fewest)*v.budgetFactor, unlimited)
	}
	set := v.state.budgets[who]
	if set == nil && kind == "user" {
		set = v.state.budgets["role:"+string(role)]
	}
	if set != nil {
		for c, n := range set.Limits {
			l[budgetClass(c)] = n
		}
	}
	if kind == "user" {
		var n id.User
		if n.UnmarshalText([]byte(name)) == nil && v.glassOpen(n, now) {
			for c := range l {
				l[c] = min(2*l[c], unlimited)
			}
		}
	}
	return l
}

func (v *Vault) glassOpen(u id.User, now time.Time) bool {
	at, ok := v.budgets.glass[u]
	return ok && now.Before(at.Add(glassOpen))
}

// budgetNames are the words for what is counted.
var budgetNames = [8]string{"guesses", "names", "NI numbers", "contacts", "health records", "doses", "documents", "employments"}

// classWord is how a budget's class is spelled in rows and commands.
func classWord(c policy.Class) string {
	if c == guesses {
		return "guesses"
	}
	return c.String()
}

// budgetClass reads what classWord returned; 8: none.
func budgetClass(word string) policy.Class {
	for c := range policy.Class(8) {
		if classWord(c) == word {
			return c
		}
	}
	return 8
}

// over says whose budget an ask is over, and by what.
type over struct {
	who   string
	class policy.Class
	err   *vaultclient.Error
}

func (o *over) Error() string { return o.err.Message }

// spend counts what the entries of one ask make readable, or refuses them all. Should the commit fail, they stay counted until
// the next start.
func (t *tx) spend(role policy.Role, entries []spent) error {
	v, hour := t.v, hourOf(t.now)
	for _, who := range whoseBudgets(entries) {
		if err := v.overBudget(who, role, entries, t.now); err != nil {
			return err
		}
	}
	for _, s := range entries {
		for _, who := range s.who {
			c := v.budgets.of(who, hour)
			c.count(hour, s.mask, s.wearers)
			c.add(hour, guesses, s.guesses)
			if isOrganisation(who) {
				if err := t.warn(who, s.org, c); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func isOrganisation(who string) bool { return strings.HasPrefix(who, "organisation:") }

// whoseBudgets are the parties whose budgets bound an ask: the same for each of its entries.
func whoseBudgets(entries []spent) []string {
	if len(entries) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(entries[0].who), isOrganisation)
}

// overBudget says whether an ask goes over a party's budget. Its entries are each about other wearers.
func (v *Vault) overBudget(who string, role policy.Role, entries []spent, now time.Time) error {
	c, l := v.budgets.of(who, hourOf(now)), v.limitsOf(who, role, now)
	var most, n [8]int // first as if nobody counted yet: that is cheap, and mostly enough
	for _, s := range entries {
		for class := range most {
			if s.mask&(1<<class) != 0 {
				most[class] += len(s.wearers)
			}
		}
		n[guesses] += s.guesses
	}
	most[guesses] = n[guesses]
	if within(c.total, most, l) {
		return nil
	}
	for _, s := range entries {
		for class, fresh := range c.fresh(s.mask, s.wearers) {
			n[class] += fresh
		}
	}
	for class := range policy.Class(8) {
		if n[class] > 0 && c.total[class]+n[class] > l[class] {
			return &over{who, class, v.overError(who, role, class, c, n[class], l[class], now)}
		}
	}
	return nil
}

func within(total, more [8]int, l limits) bool {
	for class := range l {
		if more[class] > 0 && total[class]+more[class] > l[class] {
			return false
		}
	}
	return true
}

// overError says when more will be possible, and whom to ask.
func (v *Vault) overError(who string, role policy.Role, class policy.Class, c *counter, n, limit int, now time.Time) *vaultclient.Error {
	e := &vaultclient.Error{Code: vaultclient.OverBudget}
	whose := map[string]string{"user": "your budget", "grant": "this machine's budget", "node": "the budget of all users of this node together", "export": "the budget of one export"}
	kind, name, _ := strings.Cut(who, ":")
	e.Message = fmt.Sprintf("this goes over %s of %d %s in 24 hours", whose[kind], limit, budgetNames[class])
	if at := c.again(class, n, limit); at == 0 {
		e.Message += "; ask for fewer at once"
	} else {
		e.Again = time.Unix(int64(at)*3600, 0).UTC()
		e.Message += "; it is possible again from " + e.Again.In(london).Format("15:04 on 2 January")
	}
	e.Message += ", or an administrator can raise it"
	if kind == "user" {
		e.Own = true
		var u id.User
		if u.UnmarshalText([]byte(name)) == nil {
			e.Glass = mayBreak(role) && v.glassLeft(u, now)
		}
	}
	return e
}

// warn raises an alarm, once a day, when more of an organisation was read than is usual.
func (t *tx) warn(who string, org id.Organisation, c *counter) error {
	l := t.v.limitsOf(who, "", t.now)
	for class := range policy.Class(8) {
		key := who + " " + classWord(class)
		if c.total[class] <= l[class] || t.v.budgets.warned[key]+spanHours > c.hour {
			continue
		}
		t.v.budgets.warned[key] = c.hour
		if err := t.raise(vaultclient.AlarmOrganisation, org, ledger.Opening{Subject: who, Reason: fmt.Sprintf("more than %d %s were read of this organisation in 24 hours", l[class], budgetNames[class])}); err != nil {
			return err
		}
	}
	return nil
}

// mayBreak lists who may break the glass: those whose work stops without it.
func mayBreak(r policy.Role) bool {
	return r == policy.Coordinator || r == policy.RecordsOfficer || r == policy.Supervisor || r == policy.Local || r == policy.DataProtection
}

func (v *Vault) glassLeft(u id.User, now time.Time) bool {
	at, ok := v.budgets.glass[u]
	return !ok || !now.Before(at.Add(glassAgain))
}

// glassSubject marks a broken glass among the entries about budgets.
const glassSubject = "break-glass"

// BreakGlass doubles the caller's budget for an hour, once in 24 hours. It is entered, with the reason, where the user works,
// and alarmed.
func (v *Vault) BreakGlass(ctx context.Context, c Caller, reason string) (vaultclient.Budgets, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return vaultclient.Budgets{}, err
	}
	reason = strings.TrimSpace(reason)
	switch {
	case p.grant != nil || !mayBreak(p.Role):
		return vaultclient.Budgets{}, refused("who has this role can't go over a budget")
	case len([]rune(reason)) < vaultclient.MinReason || len(reason) > vaultclient.MaxReason:
		return vaultclient.Budgets{}, invalid("a reason has at least %d characters, and at most %d bytes", vaultclient.MinReason, vaultclient.MaxReason)
	}
	err = v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		if !v.glassLeft(p.User, t.now) {
			return &vaultclient.Error{Code: vaultclient.Conflict, Message: "you went over your budget in the last 24 hours already; an administrator can raise it"}
		}
		for _, org := range scopeOf(p.Organisations) {
			o := v.opening(p, ask{reason: reason, subject: glassSubject})
			o.From, o.To = t.now.UnixMicro(), t.now.Add(glassOpen).UnixMicro()
			e, err := v.seal(entry{org: org, kind: ledger.Budget, basis: ledger.Gate}, o)
			if err != nil {
				return err
			}
			t.append(e)
			if err := t.raise(vaultclient.AlarmBreakGlass, org, ledger.Opening{User: p.User, Role: p.Role, Node: p.node, Subject: "user:" + p.User.String()}); err != nil {
				return err
			}
		}
		t.apply(func(*state) { v.budgets.glass[p.User] = t.now })
		return nil
	})
	if err != nil {
		return vaultclient.Budgets{}, hideCommitError(err)
	}
	return v.Budgets(ctx, c)
}

// Budgets says what the caller read in the last day, and how much that may be.
func (v *Vault) Budgets(ctx context.Context, c Caller) (out vaultclient.Budgets, err error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return out, err
	}
	if p.Role == policy.Wearer || p.grant != nil && !p.Machine {
		return out, nil // not counted
	}
	err = v.commit(ctx, func(t *tx) error { // the committer owns the counts
		out = v.budgetOf(p.recipients[0], p.Role, t.now)
		out.MayBreak = p.grant == nil && mayBreak(p.Role) && v.glassLeft(p.User, t.now)
		return nil
	})
	return out, hideCommitError(err)
}

// budgetOf is a party's budget as callers see it, with the classes that its role's line names.
func (v *Vault) budgetOf(who string, role policy.Role, now time.Time) vaultclient.Budgets {
	out := vaultclient.Budgets{Who: vaultclient.Recipient(who), Role: role}
	c, l := v.budgets.of(who, hourOf(now)), v.limitsOf(who, role, now)
	for class := range policy.Class(8) {
		if l[class] < unlimited && (c.total[class] > 0 || !strings.HasPrefix(who, "user:") || roleBudgets[role][class] > 0) {
			out.Lines = append(out.Lines, vaultclient.BudgetLine{Class: classWord(class), Used: c.total[class], Limit: l[class]})
		}
	}
	if _, name, ok := strings.Cut(who, "user:"); ok {
		var u id.User
		if u.UnmarshalText([]byte(name)) == nil && v.glassOpen(u, now) {
			out.Broken = v.budgets.glass[u].Add(glassOpen)
		}
	}
	return out
}

// AllBudgets says of everybody who read something in the last day how much that was, and of each budget that was set, for
// whoever administers the installation. Who reads how much is about staff: it is entered.
func (v *Vault) AllBudgets(ctx context.Context, c Caller) ([]vaultclient.Budgets, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if _, err := v.gate(ctx, p, ask{action: policy.Administer, purpose: policy.KeepRecords, kind: ledger.Oversee, subject: "budgets"}); err != nil {
		return nil, err
	}
	out := []vaultclient.Budgets{}
	err = v.commit(ctx, func(t *tx) error {
		names := slices.Collect(maps.Keys(v.state.budgets))
		for who, counted := range v.budgets.by {
			if counted.roll(hourOf(t.now)); counted.total != [8]int{} {
				names = append(names, who)
			}
		}
		slices.Sort(names)
		for _, who := range slices.Compact(names) {
			var role policy.Role
			if kind, name, _ := strings.Cut(who, ":"); kind == "role" {
				role = policy.Role(name)
				out = append(out, v.budgetOfRole(role))
				continue
			} else if kind == "user" {
				var n id.User
				if n.UnmarshalText([]byte(name)) == nil && v.state.users[n] != nil {
					role = v.state.users[n].Role
				}
			}
			out = append(out, v.budgetOf(who, role, t.now))
		}
		return nil
	})
	return out, hideCommitError(err)
}

// budgetOfRole is what is set for all users of a role.
func (v *Vault) budgetOfRole(role policy.Role) vaultclient.Budgets {
	out := vaultclient.Budgets{Who: vaultclient.Recipient("role:" + role), Role: role}
	for class := range policy.Class(8) {
		if n, ok := v.state.budgets["role:"+string(role)].Limits[classWord(class)]; ok {
			out.Lines = append(out.Lines, vaultclient.BudgetLine{Class: classWord(class), Limit: n})
		}
	}
	return out
}

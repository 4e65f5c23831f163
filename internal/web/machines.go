package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Machines is what the pages of machines outside need of the vault.
type Machines interface {
	// Machines lists those that have leave, and those that had it; it is entered.
	Machines(ctx context.Context, auth vaultclient.Auth) ([]vaultclient.Machine, error)
	// ProposeMachine proposes leave, which takes two people, and returns the id that the machine will sign under. Code Conflict: a
	// machine of this name has leave, or the key is another's.
	ProposeMachine(ctx context.Context, auth vaultclient.Auth, m vaultclient.NewMachine) (id.Approval, error)
	// EndMachine ends a machine's leave at once.
	EndMachine(ctx context.Context, auth vaultclient.Auth, n id.Grant) error
}

func (h *handler) machineRoutes() []route {
	return []route{
		{"GET /machines", h.page(h.machineList)},
		{"GET /machines/new", h.page(h.newMachine)},
		{"POST /machines/new", h.page(h.newMachine)},
		{"GET /machines/{machine}/end", h.page(h.endMachine)},
		{"POST /machines/{machine}/end", h.page(h.endMachine)},
	}
}

// titleMachines is known to menus.
const titleMachines = "Machines"

func init() { dones["machine-ended"] = "Its leave has ended" }

func machinePath(n id.Grant, what string) string { return "/machines/" + n.String() + "/" + what }

// machinesView is the list of machines.
type machinesView struct {
	Rows []machineRow
	Done words.Key
}

// machineRow is a machine with where its leave holds.
type machineRow struct {
	vaultclient.Machine
	Where string
	Over  bool // ended, or past its end
}

// works are what a machine can be for.
var works = []option{
	{"doses", "Reads doses", "Names, staff numbers, departments, doses, badges and investigations"},
	{"badges", "Reads badges", "Names, staff numbers, departments and badges; no doses"},
	{"laboratory", "Delivers laboratory files", "Hands files in, and reads what becomes of its own files"},
	{"staff", "Sends joiners, changes and leavers", "Writes people; reads staff numbers and employment"},
	{"ledger", "Reads ledgers", "Who saw what; nobody's record"},
}

func workTitle(name string) words.Key {
	for _, o := range works {
		if o.Value == name {
			return o.Label
		}
	}
	return words.Plain(name)
}

func (h *handler) machineRows(v *visit) ([]machineRow, error) {
	machines, err := h.Register.Machines(v.ctx, v.auth)
	if err != nil {
		return nil, err
	}
	all, err := h.Vault.Organisations(v.ctx, v.auth)
	if err != nil {
		return nil, err
	}
	rows := make([]machineRow, len(machines))
	for i, m := range machines {
		rows[i] = machineRow{m, words.T(v.ctx, "The whole service"), !m.Ended.IsZero() || !h.Now().Before(m.Ends)}
		if len(m.Organisations) > 0 {
			names := make([]string, len(m.Organisations))
			for j, o := range m.Organisations {
				names[j] = organisationName(v.ctx, all, o)
			}
			rows[i].Where = words.List(v.ctx, names)
		}
	}
	slices.SortStableFunc(rows, func(a, b machineRow) int { // those that have leave first
		switch {
		case a.Over == b.Over:
			return 0
		case b.Over:
			return -1
		}
		return 1
	})
	return rows, nil
}

func (h *handler) machineList(v *visit) error {
	rows, err := h.machineRows(v)
	if err != nil {
		return err
	}
	h.render(v.w, v.r, http.StatusOK, machinesPage(h.frame(titleMachines, &v.user, link{Text: "Overview", Href: "/"}), machinesView{rows, v.done()}))
	return nil
}

// newMachineView is a step of proposing leave.
type newMachineView struct {
	Organisations []option
	Where         string
	Ends          time.Time
	Fingerprint   string // of its key
	ID            string // that it will sign under
	Approval      string // address on the vault's own origin where the proposal is signed
}

// newMachine asks what a machine is to do, shows the answers, proposes leave, and says where two people sign it.
func (h *handler) newMachine(v *visit) error {
	f, x := formOf("days", "365"), newMachineView{}
	if v.r.Method == http.MethodPost {
		var err error
		if f, err = readForm(v); err != nil {
			return err
		}
	}
	all, err := h.Vault.Organisations(v.ctx, v.auth)
	if err != nil {
		return err
	}
	sortOrganisations(all)
	for _, o := range all {
		x.Organisations = append(x.Organisations, option{Value: o.ID.String(), Label: words.Plain(o.Name)})
	}
	crumbs := []link{{Text: "Overview", Href: "/"}, {Text: titleMachines, Href: "/machines"}}
	ask := func() error {
		h.render(v.w, v.r, f.status(), newMachinePage(h.frame("Propose leave for a machine", &v.user, crumbs...).of(f), f, x))
		return nil
	}
	if v.r.Method == http.MethodGet {
		return ask()
	}
	m := h.machineIn(v.ctx, &f, &x)
	switch {
	case len(f.Errors) > 0 || f.Value("step") == "change":
		return ask()
	case f.Value("step") != "propose":
		h.render(v.w, v.r, http.StatusOK, checkMachinePage(h.frame("Check before you propose leave", &v.user, crumbs...), f, x))
		return nil
	}
	n, err := h.Register.ProposeMachine(v.ctx, v.auth, m)
	if errorCode(err) == vaultclient.Conflict {
		f.wrong("name", "A machine of this name has leave already, or this is another machine's key: end that one first, or choose another name or key")
		return ask()
	}
	if err != nil {
		return err
	}
	x.ID, x.Approval = n.String(), h.VaultOrigin+"/approvals/"+n.String()
	h.render(v.w, v.r, http.StatusOK, proposedPage(h.frame("Leave is proposed", &v.user, crumbs...), m.Name, x))
	return nil
}

// machineIn reads a machine from a form.
func (h *handler) machineIn(ctx context.Context, f *form, x *newMachineView) vaultclient.NewMachine {
	m := vaultclient.NewMachine{Name: f.need("name", "Enter the machine's name"), Node: "web"}
	if len(m.Name) > 60 {
		f.wrong("name", "The name must be 60 characters or less")
	}
	var names []string
	for _, o := range works {
		names = append(names, o.Value)
	}
	work := f.choice("work", "Select what it does", names...)
	for _, w := range vaultclient.Works {
		if w.Name == work {
			m.Purpose, m.Fields = w.Purpose, w.Fields
		}
	}
	var where []string
	for _, o := range x.Organisations {
		if n, err := id.Parse[id.Organisation](o.Value); err == nil && f.Has("organisation", o.Value) {
			m.Organisations, where = append(m.Organisations, n), append(where, words.T(ctx, o.Label))
		}
	}
	x.Where = words.T(ctx, "The whole service")
	if len(where) > 0 {
		x.Where = words.List(ctx, where)
	}
	var err error
	if m.MaxWearers, err = strconv.Atoi(f.Text("people")); err != nil || m.MaxWearers < 1 || m.MaxWearers > vaultclient.MaxMachineWearers {
		f.wrong("people", "Enter how many different people it may touch, from 1 to %s", number(vaultclient.MaxMachineWearers))
	}
	if m.Key, err = vaultclient.ParseMachineKey(f.Value("key")); err != nil {
		f.wrong("key", "Enter the machine's public key, from the line that begins it to the line that ends it")
	} else {
		x.Fingerprint = vaultclient.Fingerprint(m.Key)
	}
	days, err := strconv.Atoi(f.Text("days"))
	if err != nil || days < 1 || days > 365 {
		f.wrong("days", "Enter after how many days its leave ends, from 1 to 365")
	}
	m.Ends = h.Now().AddDate(0, 0, min(max(days, 1), 365)).UTC().Truncate(time.Second)
	x.Ends = m.Ends
	return m
}

// endMachine asks whether a machine's leave is to end, and ends it.
func (h *handler) endMachine(v *visit) error {
	var n id.Grant
	if err := idIn(v, "machine", &n); err != nil {
		return err
	}
	rows, err := h.machineRows(v)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rows, func(r machineRow) bool { return r.ID == n })
	if i < 0 {
		return errNoPage
	}
	if v.r.Method == http.MethodPost {
		if err := h.Register.EndMachine(v.ctx, v.auth, n); err != nil {
			return err
		}
		http.Redirect(v.w, v.r, "/machines?done=machine-ended", http.StatusSeeOther)
		return nil
	}
	crumbs := []link{{Text: "Overview", Href: "/"}, {Text: titleMachines, Href: "/machines"}}
	h.render(v.w, v.r, http.StatusOK, endMachinePage(h.frame("End leave", &v.user, crumbs...), rows[i]))
	return nil
}

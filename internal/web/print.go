package web

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// printView asks what of a period is printed.
type printView struct {
	Organisation vaultclient.Organisation
	Period       BadgePeriod
	Form         form
	What         group
	Departments  []option
}

// printKinds are what can be printed.
var printKinds = []option{
	{"sheets", "Issue sheets", "One for each department, with names, to be signed"},
	{"labels-21", "Labels, 21 on a sheet", "63.5 × 38.1 mm, such as L7160"},
	{"labels-65", "Labels, 65 on a sheet", "38.1 × 21.2 mm, such as L7651"},
}

// printing makes the questions of a print.
func (h *handler) printing(v *visit, f form) (x printView, err error) {
	if x.Organisation, err = h.ofBadges(v); err != nil {
		return x, err
	}
	x.Form = f
	x.Period = BadgePeriod{Organisation: x.Organisation.ID, Batch: f.Value("batch")}
	for name, to := range map[string]*day.Day{"from": &x.Period.From, "to": &x.Period.To} {
		if *to, err = day.Parse(f.Value(name)); err != nil || to.IsZero() {
			return x, errNoPage
		}
	}
	of, err := h.Register.Departments(v.ctx, v.auth, x.Period)
	if err != nil {
		return x, err
	}
	if len(of) == 0 {
		return x, errNoPage
	}
	x.What = group{Name: "kind", Legend: "What do you want to print?", Options: printKinds}
	total := 0
	for _, name := range slices.Sorted(maps.Keys(of)) {
		total += of[name]
		x.Departments = append(x.Departments, option{Value: "of " + name, Label: words.Plain(cmp.Or(name, words.T(v.ctx, "No department, and control badges")) + " (" + number(of[name]) + ")")})
	}
	x.Departments = append([]option{{Value: "all", Label: words.Plain(words.T(v.ctx, "All departments (%s)", number(total)))}}, x.Departments...)
	return x, nil
}

func (h *handler) printPage(v *visit) error {
	x, err := h.printing(v, form{values: v.r.URL.Query()})
	if err != nil {
		return err
	}
	return h.askPrint(v, x, http.StatusOK)
}

func (h *handler) askPrint(v *visit, x printView, status int) error {
	h.render(v.w, v.r, status, printPageOf(h.frame("Print badges", &v.user, badgeCrumbs(x.Organisation.ID, true)...).of(x.Form), x))
	return nil
}

// print answers with a PDF. It is a form, not an address: each print is entered as a recipient of its own.
func (h *handler) print(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	x, err := h.printing(v, f)
	if err != nil {
		return err
	}
	kind := x.Form.choice("kind", "Select what you want to print", "sheets", "labels-21", "labels-65")
	var values []string
	for _, o := range x.Departments {
		values = append(values, o.Value)
	}
	var department *string
	if name, one := strings.CutPrefix(x.Form.choice("department", "Select a department", values...), "of "); one {
		department = &name
	}
	if len(x.Form.Errors) > 0 {
		return h.askPrint(v, x, http.StatusBadRequest)
	}
	b, export, err := h.Register.Print(v.ctx, v.auth, x.Period, department, kind)
	if errors.Is(err, ErrNothingToPrint) {
		x.Form.wrong("department", "This department wears no badge in the period: select another")
		return h.askPrint(v, x, http.StatusBadRequest)
	}
	if err != nil {
		return err
	}
	name := "labels-"
	if kind == "sheets" {
		name = "issue-sheets-"
	}
	v.file(b, "application/pdf", name+export.String()+".pdf")
	return nil
}

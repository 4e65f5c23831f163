package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Spares is what the page for issuing a spare badge needs of the register.
type Spares interface {
	// IssueSpare issues a spare badge to a wearer and returns its barcode as it is stored. ErrBarcode: it can't be a spare's.
	IssueSpare(ctx context.Context, auth vaultclient.Auth, x Spare) (barcode string, err error)
}

// Spare is a badge out of the drawer for somebody who joins within a period.
type Spare struct {
	Barcode  string
	Period   BadgePeriod
	Wearer   id.Wearer
	Position dose.Position
}

// ErrBarcode says that a barcode is none, or is another badge's.
var ErrBarcode = errors.New("the barcode is none, or another badge's")

func (h *handler) spareRoutes() []route {
	return []route{
		{"GET /wearers/{wearer}/spare", h.page(h.spare)},
		{"POST /wearers/{wearer}/spare", h.page(h.spare)},
	}
}

func sparePath(w id.Wearer) string { return wearerPath(w) + "/spare" }

// issuesSpares reports whether a role has a use for the page; the vault decides.
func issuesSpares(r policy.Role) bool { return r == policy.Coordinator }

func init() { dones["spare-issued"] = "The spare badge was issued" }

// sparePositions are where a spare is worn. A badge for an unborn child is none: it comes with its declaration.
var sparePositions = []dose.Position{dose.WholeBody, dose.Collar, dose.Eye, dose.LeftFinger, dose.RightFinger, dose.LeftWrist, dose.RightWrist}

// spareView asks which spare badge a wearer is given.
type spareView struct {
	Path         string
	Organisation string
	Name         person.Value
	Form         form
	Position     []option
	Period       group
}

// spare issues a spare badge to a wearer: a form of one page, whose reader sees whose name it is about.
func (h *handler) spare(v *visit) error {
	var w id.Wearer
	if err := idIn(v, "wearer", &w); err != nil {
		return err
	}
	if !issuesSpares(v.user.Role) {
		return errNoPage
	}
	record, organisation, err := h.revealFor(v, w, policy.FieldName, policy.IssueBadges)
	if err != nil {
		return err
	}
	all, err := h.Register.Batches(v.ctx, v.auth, record.Organisation)
	if err != nil {
		return err
	}
	x := spareView{Path: sparePath(w), Organisation: organisation, Name: fullName(record.Identity), Form: formOf(),
		Period: group{Name: "period", Legend: "From which batch is it?", Hint: "Those whose period has not ended"}}
	var batches []BadgeBatch
	for _, b := range all {
		if b.To >= h.today() {
			x.Period.Options = append(x.Period.Options, option{Value: strconv.Itoa(len(batches)), Label: words.Plain(words.T(v.ctx, "Batch %s", b.Batch)), Hint: words.Plain(words.T(v.ctx, "Worn %s", words.Period(v.ctx, b.From, b.To)))})
			batches = append(batches, b)
		}
	}
	for _, p := range sparePositions {
		x.Position = append(x.Position, option{Value: strconv.Itoa(int(p)), Label: positionWord(p)})
	}
	status := http.StatusOK
	if v.r.Method == http.MethodPost {
		code, err := h.issueSpare(v, &x, w, record.Organisation, batches)
		if err != nil {
			return err
		}
		if len(x.Form.Errors) == 0 {
			http.Redirect(v.w, v.r, badgePath(code)+"?done=spare-issued", http.StatusSeeOther)
			return nil
		}
		status = http.StatusBadRequest
	}
	crumbs := append(h.wearerCrumbs(v, record, organisation), link{Text: titleWearer, Href: wearerPath(w)})
	h.render(v.w, v.r, status, sparePage(h.frame("Issue a spare badge", &v.user, crumbs...).of(x.Form), x))
	return nil
}

// issueSpare reads the form and issues the badge, or says in the form what is wrong.
func (h *handler) issueSpare(v *visit, x *spareView, w id.Wearer, o id.Organisation, batches []BadgeBatch) (string, error) {
	f, err := readForm(v)
	if err != nil {
		return "", err
	}
	s := Spare{Wearer: w, Barcode: strings.TrimSpace(f.need("barcode", "Scan the badge, or enter its barcode"))}
	var positions, periods []string
	for _, p := range x.Position {
		positions = append(positions, p.Value)
	}
	for _, p := range x.Period.Options {
		periods = append(periods, p.Value)
	}
	position := f.choice("position", "Select where it is worn", positions...)
	chosen := f.choice("period", "Select the batch that the badge is from", periods...)
	if len(f.Errors) == 0 {
		n, _ := strconv.Atoi(position) // one of the options
		i, _ := strconv.Atoi(chosen)
		s.Position = dose.Position(n)
		s.Period = BadgePeriod{Organisation: o, From: batches[i].From, To: batches[i].To, Batch: batches[i].Batch}
		code, err := h.Register.IssueSpare(v.ctx, v.auth, s)
		if !errors.Is(err, ErrBarcode) {
			return code, err
		}
		f.wrong("barcode", "This is no barcode, or a badge that was issued already: check the number, or take another spare")
	}
	x.Form = f
	return "", nil
}

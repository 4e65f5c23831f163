package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Lists is what the pages about lists of people, leavers and badges need of the register. A list is a file as those of
// Files are: it is looked at, accepted, declined and its refused rows are had in the same way.
type Lists interface {
	// ReceiveList takes a list in. An error that is a *NotAccepted says why it was not.
	ReceiveList(ctx context.Context, auth vaultclient.Auth, l List) (id.Import, error)
	// ListPreview opens what storing a list would do, or did; it is entered. Code NotFound: there is none.
	ListPreview(ctx context.Context, auth vaultclient.Auth, n id.Import) (*ListPreview, error)
}

// List is a list that somebody loads.
type List struct {
	Kind         string // people, leavers or dispatch
	File         []byte
	Organisation id.Organisation // whose it is, where it has no column that says so; may be zero
	Sender       string
}

// ListPreview is what storing a list would do.
type ListPreview struct {
	In, Stored, Blank         int // rows
	New, Changed, Ended, Same int // people; New are the badges of a dispatch list
	Controls                  int // of the badges
	Refused                   []RowNote
	Rows                      []ListChange
	Alike                     []ListAlike
	NotUsed                   []string // headings
	NINotTaken                int
	ByOrg                     map[id.Organisation]int
}

// ListChange is a row that changes somebody who is known.
type ListChange struct {
	Row    int
	Ends   bool // it is somebody's last day
	Fields policy.Fields
}

// ListAlike is a row of somebody new who may be somebody known, or somebody in another row.
type ListAlike struct {
	Row   int
	Like  []vaultclient.Candidate
	Twins []int // rows
}

// listKind is what the pages say of a kind of list.
type listKind struct {
	Kind    string // also the last part of its address
	Title   words.Key
	Lead    words.Key
	Label   words.Key      // of the file
	Columns [][2]words.Key // that are read, and when they are needed
	Sender  words.Key
}

const listSenderHint = "A department or laboratory, not a person: it stands in the ledger"

// loadable are the lists that can be loaded, in the order in which they are needed.
var loadable = []listKind{
	{Kind: "people", Title: "Load a staff list", Label: "The staff list",
		Lead: "For taking many people on, and for changes. The staff number is the key: who has it already is changed, anybody else is taken on. What the list does not mention stays as it is.",
		Columns: [][2]words.Key{{"Staff number", "always"}, {"Surname", "for somebody new"}, {"Forenames, known as, former name", ""}, {"Date of birth, sex", ""}, {"Department, job title", ""},
			{"Start date, leaving date", ""}, {"Classified, NI number", "an NI number is kept of classified people only"}, {"Email, phone, address, language", ""}, {"Organisation", "where the list is of several employers"}},
		Sender: "Who sent it?"},
	{Kind: "leavers", Title: "Load a list of leavers", Label: "The list of leavers",
		Lead:    "Staff numbers and last days of employment. Nothing else of the list is read. Records stay as long as the law says; who has left is found among “people who have left”.",
		Columns: [][2]words.Key{{"Staff number", "always"}, {"Last day", "always"}, {"Organisation", "where the list is of several employers"}},
		Sender:  "Who sent it?"},
	{Kind: "dispatch", Title: "Load a list of badges", Label: "The laboratory's dispatch list",
		Lead: "Which badge is whose, and for which wear period. Take the people on first.",
		Columns: [][2]words.Key{{"Barcode", "always"}, {"Batch", "always"}, {"Staff number", "of the wearer; none for a control badge"}, {"Position", "whole body, collar, eye, left finger, right finger, left wrist, right wrist, foetal or control"},
			{"From, to", "first and last day of the wear period"}, {"Organisation", "where the list is of several employers"}},
		Sender: "Which laboratory sent it?"},
}

// listKindOf finds a kind of list; nil: what is none.
func listKindOf(kind string) *listKind {
	i := slices.IndexFunc(loadable, func(k listKind) bool { return k.Kind == kind })
	if i < 0 {
		return nil
	}
	return &loadable[i]
}

const listPattern = "POST /lists/{kind}"

func init() {
	largeBodies[listPattern] = maxUpload
	dones["list-received"] = "The list was read. Nothing of it is stored yet"
}

func (h *handler) listRoutes() []route {
	return []route{
		{"GET /lists/{kind}", h.page(h.newList)},
		{listPattern, h.page(h.loadList)},
	}
}

// listPath is where a list of a kind is loaded, for one organisation or for any.
func listPath(kind string, o id.Organisation) string {
	path := "/lists/" + kind
	if !o.IsZero() {
		path += "?organisation=" + o.String()
	}
	return path
}

// newListView asks for a list.
type newListView struct {
	listKind
	Form          form
	Organisations []option
}

func (h *handler) newList(v *visit) error {
	return h.askList(v, formOf("organisation", v.r.URL.Query().Get("organisation")))
}

// askList shows the form of a list, with what is wrong with it.
func (h *handler) askList(v *visit, f form) error {
	kind := listKindOf(v.r.PathValue("kind"))
	if kind == nil || !loadsFiles(v.user.Role) {
		return errNoPage
	}
	x := newListView{listKind: *kind, Form: f, Organisations: []option{{Label: "The list says so in a column"}}}
	all, err := h.Vault.Organisations(v.ctx, v.auth)
	if err != nil {
		return err
	}
	for _, o := range all {
		x.Organisations = append(x.Organisations, option{Value: o.ID.String(), Label: words.Plain(o.Name)})
	}
	h.render(v.w, v.r, f.status(), newListPage(h.frame(kind.Title, &v.user, filesCrumbs...).of(f), x))
	return nil
}

// loadList takes a list in and leads to its preview.
func (h *handler) loadList(v *visit) error {
	kind := listKindOf(v.r.PathValue("kind"))
	if kind == nil || !loadsFiles(v.user.Role) {
		return errNoPage
	}
	ctx, cancel := v.slowly()
	defer cancel()
	f := formOf()
	file, _, err := readUpload(v.r, &f)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok || len(file) > maxFile {
		f.wrong("file", "The file must be smaller than 64 MiB")
		return h.askList(v, f)
	}
	if err != nil {
		return errForm
	}
	l := List{Kind: kind.Kind, File: file}
	if len(file) == 0 {
		f.wrong("file", "Select a file that is not empty")
	}
	if l.Organisation, err = id.Parse[id.Organisation](f.Value("organisation")); err != nil {
		f.wrong("organisation", "Select whose list it is")
	}
	if l.Sender = f.need("sender", "Enter who sent it"); len(l.Sender) > maxSettingText {
		f.wrong("sender", "Enter 100 characters or less")
	}
	if len(f.Errors) > 0 {
		return h.askList(v, f)
	}
	n, err := h.Register.ReceiveList(ctx, v.auth, l)
	if no, ok := errors.AsType[*NotAccepted](err); ok {
		field := "file"
		if strings.Contains(no.Message, "names the employer") {
			field = "organisation"
		}
		f.wrongInEnglish(field, statement(no.Message))
		return h.askList(v, f)
	}
	if err != nil {
		return err
	}
	http.Redirect(v.w, v.r, filePath(n)+"?done=list-received", http.StatusSeeOther)
	return nil
}

// slowly gives a request the time that a large file over a slow line needs, whatever becomes of the line meanwhile: what
// is begun is finished.
func (v *visit) slowly() (context.Context, context.CancelFunc) {
	control, until := http.NewResponseController(v.w), time.Now().Add(uploadTime)
	control.SetReadDeadline(until) // what can't be set (in a test) stays as it is
	control.SetWriteDeadline(until)
	return context.WithDeadline(context.WithoutCancel(v.ctx), until)
}

// IsList reports whether a file is a list of people, leavers or badges.
func (x ImportState) IsList() bool { return listKindOf(x.Kind) != nil }

// changeWords says what a row changes.
func (c ListChange) changeWords(ctx context.Context) string {
	fields := c.Fields
	if c.Ends {
		if fields &^= policy.FieldEmployment; fields == 0 {
			return words.T(ctx, "Last day of employment")
		}
		return words.T(ctx, "Last day of employment; %s", fieldWords(ctx, fields, 1))
	}
	return capital(fieldWords(ctx, fields, 1))
}

// Again is where a file of the same kind is loaded.
func (x ImportState) Again() string {
	if x.IsList() {
		return listPath(x.Kind, id.Organisation{})
	}
	return "/files/new"
}

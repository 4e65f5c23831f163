package web

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Files is what the pages about files need of the register.
type Files interface {
	// Files returns most imports, newest first, after the newest skip, and how many there are. Nothing of it names anybody.
	Files(ctx context.Context, auth vaultclient.Auth, skip, most int) ([]ImportState, int, error)
	// File returns one. Code NotFound: there is none.
	File(ctx context.Context, auth vaultclient.Auth, n id.Import) (ImportState, error)
	// ReceiveResults takes a laboratory's file in, to be read by a profile or, with none, by a layout that is built in. An
	// error that is a *NotAccepted says why it was not.
	ReceiveResults(ctx context.Context, auth vaultclient.Auth, file, profile []byte, sender string) (id.Import, error)
	// FilePreview opens what storing a file would do; it is entered. Code NotFound: there is no preview.
	FilePreview(ctx context.Context, auth vaultclient.Auth, n id.Import) (*FilePreview, error)
	// AcceptFile has a previewed file stored; a list is stored when it returns. Code Conflict: it does not wait for an answer
	// any more. An error that is a *NotAccepted: it has failed, and says why.
	AcceptFile(ctx context.Context, auth vaultclient.Auth, n id.Import) error
	// DeclineFile ends a previewed file and deletes it. Code Conflict likewise.
	DeclineFile(ctx context.Context, auth vaultclient.Auth, n id.Import) error
	// RefusedRows writes a file's refused rows as they stood in it: a reveal of what it holds, to the export that it returns.
	RefusedRows(ctx context.Context, auth vaultclient.Auth, n id.Import, w io.Writer) (id.Export, error)
	// InvestigationsOpened counts what a stored file opened, by organisation.
	InvestigationsOpened(ctx context.Context, auth vaultclient.Auth, n id.Import) (map[id.Organisation]int, error)
}

// FilePreview is what storing a file would do.
type FilePreview struct {
	Profile                         string // name and version of what it was read by
	In, Accepted, Reissues, Ignored int
	Refused, Notices                []RowNote
	ByOrg                           map[id.Organisation]int
}

// RowNote is something about one row of a file, without what the row says of anybody.
type RowNote struct {
	Row    int // the heading being 1
	Column string
	Text   string
}

// Limits of taking a file in.
const (
	maxFile    = 64 << 20
	maxProfile = 64 << 10
	maxUpload  = maxFile + maxProfile + 16<<10
	uploadTime = 5 * time.Minute
	mostNotes  = 50 // rows listed on a page; the others are in the file that is downloaded
)

const (
	titleFiles    = "Files"
	uploadPattern = "POST /files/new"
)

func (h *handler) fileRoutes() []route {
	return []route{
		{"GET /files", h.page(h.files)},
		{"GET /files/new", h.page(h.newFile)},
		{uploadPattern, h.page(h.upload)},
		{"GET /files/{import}", h.page(h.file)},
		{"GET /files/{import}/state", h.page(h.fileState)},
		{"POST /files/{import}/import", h.page(h.acceptFile)},
		{"GET /files/{import}/decline", h.page(h.askDecline)},
		{"POST /files/{import}/decline", h.page(h.declineFile)},
		{"POST /files/{import}/refused", h.page(h.refusedRows)},
	}
}

// loadsFiles reports whether a role has a use for these pages.
func loadsFiles(r policy.Role) bool { return r == policy.Coordinator }

func filePath(n id.Import) string { return "/files/" + n.String() }

func init() {
	dones["file-received"] = "The file was taken in"
	dones["file-declined"] = "The file was declined and deleted"
}

// filesView is the list of files.
type filesView struct {
	Rows  []ImportState
	Pages pages
	Done  words.Key
}

// Href is the address of a page of the list.
func (x filesView) Href(page int) string {
	q := url.Values{}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	return withQuery("/files", q)
}

func (h *handler) files(v *visit) error {
	if !loadsFiles(v.user.Role) {
		return errNoPage
	}
	page := pageNumber(v.r.URL.Query().Get("page"))
	list, total, err := h.Register.Files(v.ctx, v.auth, (page-1)*pageSize, pageSize)
	if err != nil {
		return err
	}
	x := filesView{Rows: list, Pages: paged(total, page), Done: v.done()}
	if x.Pages.Page != page {
		if x.Rows, _, err = h.Register.Files(v.ctx, v.auth, x.Pages.Offset(), pageSize); err != nil {
			return err
		}
	}
	h.render(v.w, v.r, http.StatusOK, filesPage(h.frame(titleFiles, &v.user, link{Text: "Overview", Href: "/"}), x))
	return nil
}

var filesCrumbs = []link{{Text: "Overview", Href: "/"}, {Text: titleFiles, Href: "/files"}}

func (h *handler) newFile(v *visit) error {
	if !loadsFiles(v.user.Role) {
		return errNoPage
	}
	return h.askFile(v, formOf())
}

func (h *handler) askFile(v *visit, f form) error {
	options, last, err := h.profileOptions(v)
	if err != nil {
		return err
	}
	if _, asked := f.values["stored"]; !asked {
		f.values.Set("stored", last)
	}
	h.render(v.w, v.r, f.status(), newFilePage(h.frame("Load a laboratory's file", &v.user, filesCrumbs...).of(f), f, options))
	return nil
}

// upload takes a file in. It is read into memory, never onto a disk: it stands in the clear until it is sealed.
func (h *handler) upload(v *visit) error {
	if !loadsFiles(v.user.Role) {
		return errNoPage
	}
	ctx, cancel := v.slowly()
	defer cancel()
	f := formOf()
	file, profile, err := readUpload(v.r, &f)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok || len(file) > maxFile {
		f.wrong("file", "The file must be smaller than 64 MiB")
		return h.askFile(v, f)
	}
	if err != nil {
		return errForm
	}
	sender := f.need("sender", "Enter which laboratory sent it")
	if len(sender) > maxSettingText {
		f.wrong("sender", "Enter 100 characters or less")
	}
	if len(file) == 0 {
		f.wrong("file", "Select a file that is not empty")
	}
	if len(profile) > maxProfile {
		f.wrong("profile", "The profile must be smaller than 64 KiB")
	}
	if len(f.Errors) > 0 {
		return h.askFile(v, f)
	}
	var n id.Import
	by := "profile"
	if stored := f.Value("stored"); stored != "" && len(profile) == 0 {
		p, errID := id.Parse[id.Import](stored)
		if errID != nil {
			return errForm
		}
		by = "stored"
		n, err = h.Register.ReceiveByStored(ctx, v.auth, file, sender, p)
	} else {
		n, err = h.Register.ReceiveResults(ctx, v.auth, file, profile, sender)
	}
	if no, ok := errors.AsType[*NotAccepted](err); ok {
		field := "file"
		if strings.HasPrefix(no.Message, "profile: ") {
			field = by
		}
		f.wrongInEnglish(field, statement(no.Message))
		return h.askFile(v, f)
	}
	if err != nil {
		return err
	}
	http.Redirect(v.w, v.r, filePath(n)+"?done=file-received", http.StatusSeeOther)
	return nil
}

// readUpload reads a form with a file: its other fields go into f. A file's own name is not kept: it may name somebody.
func readUpload(r *http.Request, f *form) (file, profile []byte, err error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return nil, nil, errForm
	}
	parts := multipart.NewReader(r.Body, params["boundary"])
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return file, profile, nil
		}
		if err != nil {
			return nil, nil, err
		}
		switch p.FormName() {
		case "file":
			file, err = io.ReadAll(io.LimitReader(p, maxFile+1))
		case "profile":
			profile, err = io.ReadAll(io.LimitReader(p, maxProfile+1))
		default:
			var b []byte
			b, err = io.ReadAll(io.LimitReader(p, 1<<10))
			f.values.Set(p.FormName(), string(b))
		}
		if err != nil {
			return nil, nil, err
		}
	}
}

// fileView is a file's own page.
type fileView struct {
	ImportState
	Path    string
	Done    words.Key
	Preview *FilePreview // nil: not opened
	List    *ListPreview // likewise, of a list

	Organisations []vaultclient.Organisation
	ByOrg         []orgRows
	Opened        []orgRows // investigations
	OfOpened      int
}

// orgRows counts something of an organisation.
type orgRows struct {
	Organisation vaultclient.Organisation
	N            int
}

// Busy: the worker has it, and the page will say more in a moment.
func (x ImportState) Busy() bool {
	return slices.Contains([]string{"received", "previewing", "confirmed", "importing", "stored"}, x.State)
}

// Stands reports whether a file has been stored.
func (x ImportState) Stands() bool { return x.State == "stored" || x.State == "done" }

// Next says what is to be done about a file.
func (x ImportState) Next() words.Key {
	switch x.State {
	case "received", "previewing":
		return "The worker reads it; its preview follows"
	case "previewed":
		return "Look at its preview and confirm it"
	case "confirmed", "importing":
		return "The worker stores it"
	case "failed":
		return "Mend it and load it again"
	case "stored", "done":
		if x.Refused > 0 {
			return "Correct the refused rows and load them"
		}
	}
	return ""
}

// fileOf finds the file that an address names.
func (h *handler) fileOf(v *visit) (ImportState, error) {
	var n id.Import
	if err := idIn(v, "import", &n); err != nil {
		return ImportState{}, err
	}
	if !loadsFiles(v.user.Role) {
		return ImportState{}, errNoPage
	}
	return h.Register.File(v.ctx, v.auth, n)
}

// file is the page of one file. Its preview is opened where it is to be decided on, or where the reader asks for it.
func (h *handler) file(v *visit) error {
	im, err := h.fileOf(v)
	if err != nil {
		return err
	}
	organisations, err := h.Vault.Organisations(v.ctx, v.auth)
	if err != nil {
		return err
	}
	x := fileView{ImportState: im, Path: filePath(im.ID), Done: v.done(), Organisations: organisations}
	show := im.State == "previewed" || im.Stands() && v.r.URL.Query().Get("preview") == "show"
	if im.IsList() && show {
		if x.List, err = h.Register.ListPreview(v.ctx, v.auth, im.ID); err != nil {
			return err
		}
		x.ByOrg = byOrganisation(organisations, x.List.ByOrg)
	}
	if im.Kind == "laboratory" && show {
		if x.Preview, err = h.Register.FilePreview(v.ctx, v.auth, im.ID); err != nil {
			return err
		}
		x.ByOrg = byOrganisation(organisations, x.Preview.ByOrg)
	}
	if im.State == "done" && im.Kind == "laboratory" {
		opened, err := h.Register.InvestigationsOpened(v.ctx, v.auth, im.ID)
		if err != nil {
			return err
		}
		x.Opened = byOrganisation(organisations, opened)
		for _, o := range x.Opened {
			x.OfOpened += o.N
		}
	}
	if im.Busy() {
		head := v.w.Header()
		head.Set("Content-Security-Policy", head.Get("Content-Security-Policy")+"; connect-src 'self'") // await.js asks for the state
	}
	h.render(v.w, v.r, http.StatusOK, filePage(h.frame("File", &v.user, filesCrumbs...), x))
	return nil
}

// byOrganisation lists counts, the largest first.
func byOrganisation(all []vaultclient.Organisation, n map[id.Organisation]int) (out []orgRows) {
	for _, o := range all {
		if n[o.ID] > 0 {
			out = append(out, orgRows{o, n[o.ID]})
		}
	}
	slices.SortFunc(out, func(a, b orgRows) int {
		return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Organisation.Name, b.Organisation.Name))
	})
	return out
}

// fileState answers the page's script with the state's word: one that differs from the page's own is worth a new look.
func (h *handler) fileState(v *visit) error {
	im, err := h.fileOf(v)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(v.w, im.State) // an error here is a client that has gone
	return nil
}

func (h *handler) acceptFile(v *visit) error {
	im, err := h.fileOf(v)
	if err != nil {
		return err
	}
	ctx, cancel := v.slowly() // a list is stored before this ends
	defer cancel()
	err = h.Register.AcceptFile(ctx, v.auth, im.ID)
	if _, ok := errors.AsType[*NotAccepted](err); err != nil && !ok { // else why it was not stored after all stands on its page
		return err
	}
	http.Redirect(v.w, v.r, filePath(im.ID), http.StatusSeeOther)
	return nil
}

// askDecline asks whether a file is really not to be stored.
func (h *handler) askDecline(v *visit) error {
	im, err := h.fileOf(v)
	if err != nil {
		return err
	}
	if im.State != "previewed" {
		http.Redirect(v.w, v.r, filePath(im.ID), http.StatusSeeOther)
		return nil
	}
	h.render(v.w, v.r, http.StatusOK, declinePage(h.frame("Decline a file", &v.user, append(slices.Clone(filesCrumbs), link{Text: "File", Href: filePath(im.ID)})...), im))
	return nil
}

func (h *handler) declineFile(v *visit) error {
	im, err := h.fileOf(v)
	if err != nil {
		return err
	}
	if err := h.Register.DeclineFile(v.ctx, v.auth, im.ID); err != nil {
		return err
	}
	http.Redirect(v.w, v.r, "/files?done=file-declined", http.StatusSeeOther)
	return nil
}

// refusedRows answers with a file's refused rows. It is a form, not an address: each is a reveal.
func (h *handler) refusedRows(v *visit) error {
	im, err := h.fileOf(v)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	export, err := h.Register.RefusedRows(v.ctx, v.auth, im.ID, &b)
	if err != nil {
		return err
	}
	v.file(b.Bytes(), "text/csv; charset=utf-8", "refused-rows-"+export.String()+".csv")
	return nil
}

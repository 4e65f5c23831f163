package web

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
)

// sendList sends the form of a list as a browser does.
func sendList(t *testing.T, pages http.Handler, user, path, file string, fields ...string) *httptest.ResponseRecorder {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", "Siân Ŵyn-Jones.csv")
	must(t, err)
	_, err = part.Write([]byte(file))
	must(t, err)
	for i := 0; i+1 < len(fields); i += 2 {
		must(t, w.WriteField(fields[i], fields[i+1]))
	}
	must(t, w.Close())
	r := httptest.NewRequest(http.MethodPost, sampleOrigin+path, &b)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return ask(t, pages, user, r)
}

func TestLoadingAList(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	for _, c := range []struct{ file, sender, organisation, want string }{
		{"", "Personnel", "", `<a href="#file">Select a file that is not empty</a>`},
		{"x", " ", "", `<a href="#sender">Enter who sent it</a>`},
		{"x", strings.Repeat("x", 200), "", `<a href="#sender">Enter 100 characters or less</a>`},
		{"x", "Personnel", "nowhere", `<a href="#organisation">Select whose list it is</a>`},
		{"no staff number", "Personnel", "", `<a href="#file">Line 1: no column with the staff number.</a>`},
		{"no employer", "Personnel", "", `<a href="#organisation">The list has no column that names the employer`},
		{strings.Repeat("x", maxFile+1), "Personnel", "", `<a href="#file">The file must be smaller than 64 MiB</a>`},
	} {
		w := sendList(t, pages, "co-ordinator", "/lists/people", c.file, "sender", c.sender, "organisation", c.organisation)
		if body := w.Body.String(); w.Code != http.StatusUnprocessableEntity || !strings.Contains(body, c.want) {
			t.Errorf("a list of %d bytes from %q: status %d, no %q", len(c.file), c.sender, w.Code, c.want)
		}
	}
	w := sendList(t, pages, "co-ordinator", "/lists/leavers", "L1", "sender", "Adnoddau  Dynol", "organisation", organisationID(2).String())
	if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != filePath(peopleList)+"?done=list-received" {
		t.Fatalf("%d to %q", w.Code, got)
	}
	if l := s.files.loaded; l.Kind != "leavers" || string(l.File) != "L1" || l.Sender != "Adnoddau Dynol" || l.Organisation != organisationID(2) {
		t.Errorf("%+v was taken in", l)
	}
	for user, path := range map[string]string{"supervisor": "/lists/people", "co-ordinator": "/lists/laboratory"} {
		if w := sendList(t, pages, user, path, "x", "sender", "x"); w.Code != http.StatusNotFound {
			t.Errorf("%s by %s: status %d", path, user, w.Code)
		}
	}
	if w := post(t, pages, "co-ordinator", "/lists/people", nil); w.Code != http.StatusBadRequest {
		t.Errorf("a form that is none: status %d", w.Code)
	}
	if body := get(t, pages, "co-ordinator", listPath("people", organisationID(1))).Body.String(); !strings.Contains(body, `<option value="`+organisationID(1).String()+`" selected>`) {
		t.Error("the employer that leads to the page is not selected")
	}
}

func TestPagesOfALoadedList(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	see := func(path string, want ...string) {
		t.Helper()
		w := get(t, pages, "co-ordinator", path)
		for _, text := range want {
			if body := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(body, text) {
				t.Errorf("%s: status %d, no %q", path, w.Code, text)
			}
		}
	}
	see("/files", `href="/lists/people"`, `href="/lists/leavers"`, `href="/lists/dispatch"`)
	see(filePath(peopleList), "Check your list", "Store 207 rows", "Row 17", "Refused: 2 rows", "Last day of employment; name", "Name and contact details", `href="`+wearerPath(wearerID(3))+`"`,
		"Same name and date of birth", "Row 30 of this list", "NI numbers left out: 12", "Shoe size and Car park", "Ynys Wen Hospital: 7")
	see(filePath(leaversList), "Store 3 rows", "Leaving")
	see(filePath(dispatchList), "Store 640 rows", "Of them control badges")
	see(filePath(sameList), "Nothing in this list is new")
	see(filePath(storedList), "8 rows stored", "What comes next", "Show the refused rows", `href="/lists/people"`)
	see(filePath(storedList)+"?preview=show", "Download the refused rows")
	see(filePath(failedList), "Row 2: it changed since the preview", `href="/lists/leavers"`)
	see(badgesPath(organisationID(2)), `href="`+listPath("dispatch", organisationID(2))+`"`)
	see(wearersPath(organisationID(2)), `href="`+listPath("people", organisationID(2))+`"`)

	w := post(t, pages, "co-ordinator", filePath(storedList)+"/refused", nil)
	if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="refused-rows-`+fixed2(id.Export{}, 1).String()+`.csv"` {
		t.Error(got)
	}
	if w := post(t, pages, "co-ordinator", filePath(peopleList)+"/import", nil); w.Header().Get("Location") != filePath(peopleList) {
		t.Errorf("storing leads to %q", w.Header().Get("Location"))
	}
	s.files.accept = &NotAccepted{"row 2: somebody was faster"}
	if w := post(t, pages, "co-ordinator", filePath(leaversList)+"/import", nil); w.Header().Get("Location") != filePath(leaversList) {
		t.Errorf("a list that was not stored after all leads to %q", w.Header().Get("Location"))
	}
}

// TestListsByKeyboard loads a list that is wrong, then looks at what waits to be checked, and stores it.
func TestListsByKeyboard(t *testing.T) {
	walks(t, "co-ordinator", func(w *walker) {
		w.open("/files")
		w.look("lists-files", "Load a staff list")
		w.open(listPath("people", organisationID(1)))
		w.look("list-people", "Columns of the list")
		w.enter(send)
		w.look("list-errors", "Select a file that is not empty")
		for name, path := range map[string]string{"list-leavers": "/lists/leavers", "list-dispatch": "/lists/dispatch"} {
			w.open(path)
			w.look(name, "Nothing is stored yet")
		}
		w.open(filePath(leaversList))
		w.look("list-preview-leavers", "Leaving")
		w.open(filePath(dispatchList))
		w.look("list-preview-dispatch", "Of them control badges")
		w.open(filePath(sameList))
		w.look("list-preview-same", "Nothing in this list is new")
		w.open(filePath(failedList))
		w.look("list-failed", "Row 2: it changed since the preview")
		w.open(filePath(storedList) + "?preview=show")
		w.look("list-stored-preview", "Download the refused rows")
		w.open(filePath(peopleList))
		w.look("list-preview", "Check your list")
		w.enter(send)
		w.look("list-stored", "What comes next")
	})
}

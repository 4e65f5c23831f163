package web

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/web/webtest"
)

// sendFile sends the form of a file as a browser does.
func sendFile(t *testing.T, pages http.Handler, user string, file []byte, sender string, profile ...string) *httptest.ResponseRecorder {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", "Siân Ŵyn-Jones.csv")
	must(t, err)
	_, err = part.Write(file)
	must(t, err)
	must(t, w.WriteField("sender", sender))
	part, err = w.CreateFormFile("profile", "Siân.json")
	must(t, err)
	_, err = part.Write([]byte(strings.Join(profile, "")))
	must(t, err)
	must(t, w.Close())
	r := httptest.NewRequest(http.MethodPost, sampleOrigin+"/files/new", &b)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return ask(t, pages, user, r)
}

func TestLoadingAFile(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	for _, c := range []struct {
		file, sender string
		want         string
	}{
		{"", "Cardiff Dosimetry", `<a href="#file">Select a file that is not empty</a>`},
		{"x", " ", `<a href="#sender">Enter which laboratory sent it</a>`},
		{"the same again", "Cardiff Dosimetry", `<a href="#file">This very file was imported on 3 March 2026`},
		{strings.Repeat("x", maxFile+1), "Cardiff Dosimetry", `<a href="#file">The file must be smaller than 64 MiB</a>`},
		{strings.Repeat("x", maxUpload+1), "Cardiff Dosimetry", `<a href="#file">The file must be smaller than 64 MiB</a>`},
	} {
		w := sendFile(t, pages, "co-ordinator", []byte(c.file), c.sender)
		if body := w.Body.String(); w.Code != http.StatusUnprocessableEntity || !strings.Contains(body, c.want) {
			t.Errorf("a file of %d bytes from %q: status %d, no %q", len(c.file), c.sender, w.Code, c.want)
		}
	}
	for profile, want := range map[string]string{"{": `<a href="#profile">Profile: line 1: this is no JSON`, strings.Repeat(" ", maxProfile+1): `<a href="#profile">The profile must be smaller than 64 KiB</a>`} {
		if w := sendFile(t, pages, "co-ordinator", []byte("x"), "Cardiff Dosimetry", profile); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), want) {
			t.Errorf("a profile of %d bytes: status %d, no %q", len(profile), w.Code, want)
		}
	}
	if w := sendFile(t, pages, "co-ordinator", []byte("x"), "Cardiff Dosimetry", "{}"); w.Code != http.StatusSeeOther || s.files.profile != "{}" {
		t.Errorf("%d, with the profile %q", w.Code, s.files.profile)
	}
	// Far more than any form may have; a file's own name goes nowhere.
	w := sendFile(t, pages, "co-ordinator", make([]byte, 1<<20), "Cardiff  Dosimetry")
	if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != filePath(importID(4))+"?done=file-received" {
		t.Fatalf("%d to %q", w.Code, got)
	}
	if s.files.received != 1<<20 || s.files.sender != "Cardiff Dosimetry" {
		t.Errorf("%d bytes from %q were taken in", s.files.received, s.files.sender)
	}
	if w := sendFile(t, pages, "supervisor", []byte("x"), "x"); w.Code != http.StatusNotFound {
		t.Errorf("a supervisor's file: status %d", w.Code)
	}
	if w := post(t, pages, "co-ordinator", "/files/new", nil); w.Code != http.StatusBadRequest {
		t.Errorf("a form that is none: status %d", w.Code)
	}
}

func TestFilesPages(t *testing.T) {
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
	see("/files", "Showing 1 to 25 of 37 files", "To be confirmed", "Look at its preview and confirm it", "Declined", "Mend it and load it again")
	see("/files?page=99", "Showing 26 to 37 of 37 files")
	see("/", `href="/files/new"`, `href="`+filePath(importID(1))+`"`)
	see(filePath(importID(4)), "Check again", `data-state="received"`)
	see(filePath(importID(4))+"/state", "received")
	see(filePath(importID(1)), "1,598", "Import 1,598 rows", "Row 17", "Label differs: check assignment.", "Refused: 68 rows", "3 rows are re-issues")
	see(filePath(importID(7)), "No row can be stored")
	see(filePath(importID(3)), "Line 1: the column Serial Number is missing.")
	see(filePath(importID(5)), "398 rows stored", "3 investigations opened")
	see(filePath(importID(5))+"?preview=show", "Refused: 2 rows")
	see(filePath(importID(1))+"/decline", "Decline this file?")

	w := post(t, pages, "co-ordinator", filePath(importID(5))+"/refused", nil)
	if w.Body.String() != "refused 0\nrefused 1\n" || w.Header().Get("Content-Disposition") != `attachment; filename="refused-rows-`+fixed2(id.Export{}, 1).String()+`.csv"` || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("refused rows: %v: %s", w.Header(), w.Body)
	}
	if w := post(t, pages, "co-ordinator", filePath(importID(7))+"/decline", nil); w.Header().Get("Location") != "/files?done=file-declined" {
		t.Errorf("declining leads to %q", w.Header().Get("Location"))
	}
	if w := post(t, pages, "co-ordinator", filePath(importID(1))+"/import", nil); w.Header().Get("Location") != filePath(importID(1)) || s.files.list[0].State != "confirmed" {
		t.Errorf("importing leads to %q", w.Header().Get("Location"))
	}
	for _, what := range []string{"/import", "/decline"} {
		if w := post(t, pages, "co-ordinator", filePath(importID(1))+what, nil); w.Code != http.StatusConflict {
			t.Errorf("%s of a file that was answered: status %d", what, w.Code)
		}
	}
	for _, path := range []string{"/files", "/files/new", filePath(importID(1)), filePath(importID(1)) + "/state"} {
		if w := get(t, pages, "supervisor", path); w.Code != http.StatusNotFound {
			t.Errorf("%s by a supervisor: status %d", path, w.Code)
		}
	}
}

// The page of a file that the worker has looks again by itself, and shows the preview when it is there.
func TestFilesByKeyboard(t *testing.T) {
	walks(t, "co-ordinator", func(w *walker) {
		w.open("/files")
		w.look("files", "Showing 1 to 25 of 37 files")
		w.open("/files/new")
		w.enter(send)
		w.look("file-errors", "Select a file that is not empty")
		w.open(filePath(importID(4)))
		w.look("file-waiting", "Check again")
		w.open(filePath(importID(3)))
		w.look("file-failed", "Nothing of it was stored")
		w.open(filePath(importID(5)) + "?preview=show")
		w.look("file-stored", "398 rows stored")
		w.open(filePath(importID(1)) + "/decline")
		w.look("file-decline", "Decline this file?")
		w.open(filePath(importID(1)))
		w.look("file-preview", "Check before you import")
		w.enter(send)
		w.look("file-confirmed", "The worker stores it")
		if got := webtest.Eval[string](w.Tab, `document.querySelector("[data-await]").dataset.state`); got != "confirmed" {
			t.Errorf("the page waits for the end of %q", got)
		}
		webtest.Eval[chromedp.Void](w.Tab, `document.querySelector("[data-await]").dataset.state = "importing"`) // as an older page has it
		w.Do(chromedp.WaitReady(chromedp.CSS(`[data-state="confirmed"]`)))
	})
}

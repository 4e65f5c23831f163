package web

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// sendForm sends a form with files, as a browser does: fields are its other answers.
func sendForm(t *testing.T, pages http.Handler, user, path string, files map[string]string, fields map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, text := range files {
		part, err := w.CreateFormFile(name, "Siân Ŵyn-Jones."+name)
		must(t, err)
		_, err = part.Write([]byte(text))
		must(t, err)
	}
	for name, text := range fields {
		must(t, w.WriteField(name, text))
	}
	must(t, w.Close())
	r := httptest.NewRequest(http.MethodPost, sampleOrigin+path, &b)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return ask(t, pages, user, r)
}

func TestProfilesPages(t *testing.T) {
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
	see("/files", `href="/profiles"`)
	see("/profiles", "Landauer DoseReport", "cardiff-monthly", "In use", "Replaced", "Retired", "11 March 2026")
	see(builtInProfilePath, "Serial Number", "Built in")
	see(profilePath(profileID(1)), "Cardiff Dosimetry", "Worn at", "Column 9", "Ring right", "Right finger", "Not returned", "ISO-8859-14", "Semicolon", "Comma",
		"Less than 0.1 mSv is below level; ignored for badges worn elsewhere", "DD/MM/YYYY", "CONTROL*", "A control badge", "(blank)", "Refuses its row", "Says nothing of the dose")
	see(profilePath(profileID(3)), "written for another version of this program")
	if w := get(t, pages, "co-ordinator", profilePath(profileID(99))); w.Code != http.StatusNotFound {
		t.Errorf("an unknown profile: status %d", w.Code)
	}

	w := post(t, pages, "co-ordinator", profilePath(profileID(1))+"/download", nil)
	if w.Body.String() != sampleProfile || w.Header().Get("Content-Disposition") != `attachment; filename="cardiff-monthly-2.json"` {
		t.Errorf("downloaded: %v: %s", w.Header(), w.Body)
	}

	for text, want := range map[string]string{
		"":                                "Select a profile that is not empty",
		"{":                               "Profile: line 1: this is no JSON",
		strings.Repeat(" ", maxProfile+1): "The profile must be smaller than 64 KiB",
		strings.Repeat(" ", 3*maxProfile): "The profile must be smaller than 64 KiB",
	} {
		if w := sendForm(t, pages, "co-ordinator", "/profiles/new", map[string]string{"profile": text}, nil); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), want) {
			t.Errorf("a profile of %d bytes: status %d, no %q", len(text), w.Code, want)
		}
	}
	w = sendForm(t, pages, "co-ordinator", "/profiles/new", map[string]string{"profile": strings.Replace(sampleProfile, `"version": 2`, `"version": 3`, 1)}, nil)
	if got := w.Header().Get("Location"); got != profilePath(profileID(4))+"?done=profile-added" {
		t.Fatalf("%d to %q: %s", w.Code, got, w.Body)
	}
	see(profilePath(profileID(4))+"?done=profile-added", "The profile was stored", "cardiff-monthly, version 3")

	see(profilePath(profileID(4))+"/retire", "Retire cardiff-monthly, version 3?")
	if w := post(t, pages, "co-ordinator", profilePath(profileID(4))+"/retire", nil); w.Header().Get("Location") != "/profiles?done=profile-retired" {
		t.Errorf("retiring: %d to %q", w.Code, w.Header().Get("Location"))
	}
	if w := get(t, pages, "co-ordinator", profilePath(profileID(4))+"/retire"); w.Code != http.StatusSeeOther {
		t.Errorf("asked again to retire: status %d", w.Code)
	}
	if w := post(t, pages, "co-ordinator", profilePath(profileID(4))+"/retire", nil); w.Code != http.StatusConflict {
		t.Errorf("retired again: status %d", w.Code)
	}
	for _, path := range []string{"/profiles", "/profiles/new", builtInProfilePath, profilePath(profileID(1)), profilePath(profileID(1)) + "/retire"} {
		if w := get(t, pages, "supervisor", path); w.Code != http.StatusNotFound {
			t.Errorf("%s by a supervisor: status %d", path, w.Code)
		}
	}
}

// A file is read by the stored profile that is chosen; one that is sent along is used instead.
func TestLoadingAFileByAStoredProfile(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	if body := get(t, pages, "co-ordinator", "/files/new").Body.String(); !strings.Contains(body, `<option value="`+profileID(1).String()+`" selected>cardiff-monthly, version 2`) || strings.Contains(body, profileID(2).String()) {
		t.Errorf("the profile used last is not chosen, or an old one is offered: %s", body)
	}
	load := func(profile, stored string) *httptest.ResponseRecorder {
		return sendForm(t, pages, "co-ordinator", "/files/new", map[string]string{"file": "x", "profile": profile}, map[string]string{"sender": "Cardiff", "stored": stored})
	}
	if w := load("", profileID(1).String()); w.Code != http.StatusSeeOther || s.profiles.used != profileID(1) || s.files.profile != sampleProfile {
		t.Errorf("%d, read by %q", w.Code, s.files.profile)
	}
	s.profiles.used = profileID(9)
	if w := load("{}", profileID(1).String()); w.Code != http.StatusSeeOther || s.profiles.used != profileID(9) || s.files.profile != "{}" {
		t.Errorf("%d, read by %q", w.Code, s.files.profile)
	}
	if w := load("", ""); w.Code != http.StatusSeeOther || s.files.profile != "" {
		t.Errorf("%d, read by %q", w.Code, s.files.profile)
	}
	w := load("", profileID(3).String())
	if body := w.Body.String(); w.Code == http.StatusSeeOther {
		t.Errorf("a file read by a retired profile: %d: %s", w.Code, body)
	}
	if w := load("", profileID(2).String()); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `<a href="#stored">Profile: it was retired meanwhile`) {
		t.Errorf("a file read by an earlier version: %d", w.Code)
	}
	if w := load("", "x"); w.Code != http.StatusBadRequest {
		t.Errorf("no id of a profile: status %d", w.Code)
	}
}

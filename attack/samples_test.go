package attack_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/attack/scan"
)

// TestASampleIsSealedAndGone: somebody makes a profile from a sample by the pages. Nothing of the sample is readable in
// what the program keeps or prints while it is kept; when the profile is stored, it stands in no file any more and
// has no key; a file is read by the profile, which holds nothing of the sample but its headings.
func TestASampleIsSealedAndGone(t *testing.T) {
	t.Parallel()
	h := copyOfFilled(t)
	h.Start("demo", "--people", small)
	auth, err := h.SignIn(h.Client("web"), h.DemoUsers()["Eleri Vaughan"])
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, kind string, body io.Reader) (to, page string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+h.Listen+path, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", kind)
		req.AddCookie(&http.Cookie{Name: "session", Value: auth.Session})
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: status %d, %v: %s", method, path, resp.StatusCode, err, b)
		}
		return resp.Request.URL.Path, string(b)
	}
	upload := func(path string, file []byte, fields ...string) (string, string) {
		t.Helper()
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		part, err := w.CreateFormFile("file", "Quimbellthwaite.csv")
		if err == nil {
			_, err = part.Write(file)
		}
		for i := 0; err == nil && i+1 < len(fields); i += 2 {
			err = w.WriteField(fields[i], fields[i+1])
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return ask(http.MethodPost, path, w.FormDataContentType(), &form)
	}
	set, err := scan.Compile(scan.Text("name", "Quimbellthwaite"), scan.Text("name", "Ŵyddgrugfawr"), scan.Text("badge", "QZX7734190"), scan.Text("remark", "Overheard at lunch"))
	if err != nil {
		t.Fatal(err)
	}
	sample := []byte("Serial Number;Account Number;Position;From;To;Wearer;Hp(10) mSv;Remarks\n" +
		"QZX7734190;700123;Chest;2026-01-01;2026-01-31;Quimbellthwaite Ŵyddgrugfawr;0.35;Overheard at lunch\n" +
		"QZX7734191;700123;Chest;2026-01-01;2026-01-31;Quimbellthwaite Ann;0.40;\n")

	keysBefore := number(t, vaultDB(h), "SELECT count(*) FROM document_key")
	to, page := upload("/profiles/sample", sample)
	if !strings.HasSuffix(to, "/columns") || !strings.Contains(page, "Quimbellthwaite") {
		t.Fatalf("%s shows: %s", to, page)
	}
	at := strings.TrimSuffix(to, "/columns")
	var sealed [][]byte
	db := readOnly(t, registerDB(h))
	rows, err := db.Query("SELECT sealed FROM document WHERE import = (SELECT id FROM import WHERE kind = 'sample')")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			t.Fatal(err)
		}
		sealed = append(sealed, b[len(b)/2:][:40], b[len(b)-40:])
	}
	if err := rows.Close(); err != nil || len(sealed) != 4 { // the sample and its draft
		t.Fatalf("%d pieces of sealed documents: %v", len(sealed), err)
	}
	db.Close()

	for _, step := range []struct {
		name   string
		answer url.Values
		next   string
	}{
		{"columns", url.Values{"column-1": {"barcode"}, "column-2": {"account"}, "column-3": {"position"}, "column-4": {"from"}, "column-5": {"to"}, "column-6": {"name"}, "column-7": {"Hp(10)"}}, "reading"},
		{"reading", url.Values{"decimal": {"."}}, "positions"},
		{"positions", url.Values{"position-1": {"whole body"}}, "doses"},
		{"doses", url.Values{"unit-1": {"mSv"}}, "about"},
		{"about", url.Values{"name": {"attacked"}}, "check"},
	} {
		to, page := ask(http.MethodPost, at+"/"+step.name, "application/x-www-form-urlencoded", strings.NewReader(step.answer.Encode()))
		if to != at+"/"+step.next {
			t.Fatalf("%s leads to %s: %s", step.name, to, page)
		}
		if step.next == "check" && (!strings.Contains(page, "2 badges read, 0 rows refused") || strings.Contains(page, "Quimbell")) {
			t.Fatalf("the answers to be checked: %s", page)
		}
	}
	nothingReadable(t, set, filepath.Dir(h.Dir), h.Log())
	to, page = ask(http.MethodPost, at+"/save", "application/x-www-form-urlencoded", nil)
	if !strings.Contains(page, "The profile was stored") {
		t.Fatalf("%s shows: %s", to, page)
	}
	if n := number(t, vaultDB(h), "SELECT count(*) FROM document_key"); n != keysBefore+1 {
		t.Errorf("%d keys of documents, want the profile's beside the %d before", n, keysBefore)
	}
	_, text := ask(http.MethodPost, to+"/download", "application/x-www-form-urlencoded", nil)
	for _, s := range []string{"Quimbell", "QZX", "Overheard", "700123"} {
		if strings.Contains(text, s) || !strings.Contains(text, "Serial Number") {
			t.Errorf("the profile says %q: %s", s, text)
		}
	}

	file, page := upload("/files/new", bytes.ReplaceAll(sample, []byte("0.35"), []byte("0.36")), "sender", "Cardiff Dosimetry", "stored", strings.TrimPrefix(to, "/profiles/"))
	if !strings.HasPrefix(file, "/files/") {
		t.Fatalf("loading a file leads to %s: %s", file, page)
	}
	until(t, h, registerDB(h), "SELECT count(*) FROM (SELECT state FROM import ORDER BY created DESC LIMIT 1) WHERE state = 'previewed'")
	if _, page := ask(http.MethodGet, file, "", nil); !strings.Contains(page, "Read by the profile attacked/1") || !strings.Contains(page, "Refused: 2 rows") { // no such badge was dispatched
		t.Errorf("the preview: %s", page)
	}
	h.Stop()
	nothingReadable(t, set, filepath.Dir(h.Dir), h.Log())
	files, err := filepath.Glob(filepath.Join(filepath.Dir(registerDB(h)), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range sealed {
			if bytes.Contains(b, s) {
				t.Errorf("a piece of the sample is still in %s", filepath.Base(f))
			}
		}
	}
	if out, err := h.Run("verify"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

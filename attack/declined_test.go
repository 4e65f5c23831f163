package attack_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestADeclinedFileIsGone: a file comes in by the pages, its preview is declined, and what was sealed of it stands in no
// file of the program any more, nor does its key. The same file is taken again, and stored by the pages.
func TestADeclinedFileIsGone(t *testing.T) {
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
	post := func(path string) string {
		t.Helper()
		_, page := ask(http.MethodPost, path, "application/x-www-form-urlencoded", nil)
		return page
	}
	newest := func(state string) string {
		return "SELECT count(*) FROM (SELECT state FROM import ORDER BY created DESC LIMIT 1) WHERE state = '" + state + "'"
	}
	load := func() string {
		t.Helper()
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		part, err := w.CreateFormFile("file", "report.csv")
		if err == nil {
			_, err = part.Write(reissued(t, "9"))
		}
		if err == nil {
			err = w.WriteField("sender", "Cardiff Dosimetry")
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		to, _ := ask(http.MethodPost, "/files/new", w.FormDataContentType(), &form)
		until(t, h, registerDB(h), newest("previewed"))
		return to
	}

	keysBefore := number(t, vaultDB(h), "SELECT count(*) FROM document_key")
	path := load()
	if n := number(t, vaultDB(h), "SELECT count(*) FROM document_key"); n != keysBefore+1 {
		t.Fatalf("%d keys of documents, not one more than %d: nothing is shown", n, keysBefore)
	}
	var sealed [][]byte
	db := readOnly(t, registerDB(h))
	rows, err := db.Query("SELECT sealed FROM document WHERE import = (SELECT id FROM import ORDER BY created DESC LIMIT 1)")
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
	if err := rows.Close(); err != nil || len(sealed) < 6 { // the file, its preview, its rows
		t.Fatalf("%d parts of documents: %v", len(sealed), err)
	}
	// What was sealed last may still be in the log that the database writes first.
	found := func() (n int) {
		t.Helper()
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
					n++
				}
			}
		}
		return n
	}
	if n := found(); n < len(sealed) {
		t.Fatalf("%d of %d pieces are found before the file is declined: nothing is shown", n, len(sealed))
	}
	if page := post(path + "/decline"); !strings.Contains(page, "The file was declined and deleted") {
		t.Fatalf("declining shows: %s", page)
	}
	db.Close()
	h.Stop()
	if n := found(); n != 0 {
		t.Errorf("%d pieces of the declined file are still there", n)
	}
	if n := number(t, vaultDB(h), "SELECT count(*) FROM document_key"); n != keysBefore {
		t.Errorf("%d keys of documents, want %d", n, keysBefore)
	}
	if out, err := h.Run("verify"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}

	h.Start("demo", "--people", small)
	if auth, err = h.SignIn(h.Client("web"), h.DemoUsers()["Eleri Vaughan"]); err != nil {
		t.Fatal(err)
	}
	path = load()
	want := number(t, registerDB(h), "SELECT rows_stored FROM import ORDER BY created DESC LIMIT 1")
	post(path + "/import")
	until(t, h, registerDB(h), newest("done"))
	if _, page := ask(http.MethodGet, path, "", nil); !strings.Contains(strings.ReplaceAll(page, ",", ""), strconv.Itoa(want)+" rows stored") {
		t.Errorf("%d rows were accepted, and the page shows: %s", want, page)
	}
}

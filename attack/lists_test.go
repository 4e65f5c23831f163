package attack_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/attack/house"
)

// pageUser asks the pages as somebody signed in, without a browser's patience.
type pageUser struct {
	t       *testing.T
	h       *house.House
	session string
}

func pageUserOf(t *testing.T, h *house.House, user string) *pageUser {
	t.Helper()
	auth, err := h.SignIn(h.Client("web"), h.DemoUsers()[user])
	if err != nil {
		t.Fatal(err)
	}
	return &pageUser{t, h, auth.Session}
}

// try sends a request and follows where it leads.
func (b *pageUser) try(method, path, kind string, body io.Reader) (to, page string, status int, err error) {
	req, err := http.NewRequestWithContext(b.t.Context(), method, "http://"+b.h.Listen+path, body)
	if err != nil {
		return "", "", 0, err
	}
	req.Header.Set("Content-Type", kind)
	req.AddCookie(&http.Cookie{Name: "session", Value: b.session})
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", "", 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.Request.URL.Path, string(text), resp.StatusCode, err
}

// ask is try where nothing may go wrong.
func (b *pageUser) ask(method, path, kind string, body io.Reader) (to, page string) {
	b.t.Helper()
	to, page, status, err := b.try(method, path, kind, body)
	if err != nil || status != http.StatusOK {
		b.t.Fatalf("%s %s: status %d, %v: %s", method, path, status, err, page)
	}
	return to, page
}

// load loads a list and returns the path of its page.
func (b *pageUser) load(kind, organisation string, list []byte) (path, page string) {
	b.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", "list.csv")
	if err == nil {
		_, err = part.Write(list)
	}
	for name, text := range map[string]string{"sender": "Adran bersonél", "organisation": organisation} {
		if err == nil {
			err = w.WriteField(name, text)
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return b.ask(http.MethodPost, "/lists/"+kind, w.FormDataContentType(), &form)
}

// optionOf is the value of the option with this text.
func optionOf(page, text string) string {
	before, _, ok := strings.Cut(page, ">"+text+"</option>")
	if !ok {
		return ""
	}
	_, value, _ := strings.Cut(before[strings.LastIndex(before, "<option"):], `value="`)
	value, _, _ = strings.Cut(value, `"`)
	return value
}

// TestAListThatIsKilled loads a list of people by the pages, confirms it, and kills the program with signal 9 in the middle.
// Before that, after that and in the end nothing of the list is readable in any file; after the restart all of it is stored,
// or nothing of it, and what was not stored can be.
func TestAListThatIsKilled(t *testing.T) {
	t.Parallel()
	org, list, set := strangers(t)
	rows := bytes.Count(list, []byte("\n")) - 1
	for _, at := range []struct {
		name  string
		vault bool
		query string // becomes more than it was
	}{
		{"claimed", false, "SELECT count(*) FROM import WHERE state IN ('importing', 'stored', 'done')"},
		{"staged", true, "SELECT (SELECT count(*) FROM staged) + (SELECT count(*) FROM wearer)"},
		{"stored", false, "SELECT count(*) FROM wearer"},
	} {
		t.Run(at.name, func(t *testing.T) {
			h := copyOfFilled(t)
			h.Start("demo", "--people", small)
			b := pageUserOf(t, h, "Eleri Vaughan")
			_, form := b.ask(http.MethodGet, "/lists/people", "", nil)
			employer := optionOf(form, seeded().Organisations[org].Name)
			path, page := b.load("people", employer, list)
			if !strings.Contains(page, "Store "+strconv.Itoa(rows)+" rows") {
				t.Fatalf("the list is not accepted: %s", page)
			}
			nothingReadable(t, set, filepath.Dir(h.Dir), h.Log())

			before := number(t, registerDB(h), "SELECT count(*) FROM wearer")
			look := registerDB(h)
			if at.vault {
				look = vaultDB(h)
			}
			query := "SELECT (" + at.query + ") > " + strconv.Itoa(number(t, look, at.query))
			answered := make(chan error, 1)
			go func() {
				_, _, _, err := b.try(http.MethodPost, path+"/import", "application/x-www-form-urlencoded", nil)
				answered <- err
			}()
			until(t, h, look, query)
			h.Kill()
			if err := <-answered; err == nil {
				t.Log("it was answered before the kill")
			}
			nothingReadable(t, set, filepath.Dir(h.Dir), h.Log())

			h.Start("demo", "--people", small)
			until(t, h, registerDB(h), "SELECT count(*) = 0 FROM import WHERE state IN ('importing', 'stored')")
			registered := number(t, registerDB(h), "SELECT count(DISTINCT id) FROM wearer") - before
			known := number(t, vaultDB(h), "SELECT count(*) FROM wearer") - before
			if registered != known || known != 0 && known != rows {
				t.Errorf("after the kill the register has %d and the vault %d of %d people", registered, known, rows)
			}
			b = pageUserOf(t, h, "Eleri Vaughan")
			_, page = b.ask(http.MethodGet, path, "", nil)
			switch {
			case known == rows:
				if !strings.Contains(page, "rows stored") {
					t.Errorf("the list is stored, and its page does not say so: %s", page)
				}
			case !strings.Contains(page, "Nothing of it was stored"):
				t.Errorf("nothing of the list is stored, and its page does not say so: %s", page)
			default:
				path, _ = b.load("people", employer, list)
				if _, page = b.ask(http.MethodPost, path+"/import", "application/x-www-form-urlencoded", nil); !strings.Contains(page, strconv.Itoa(rows)+" rows stored") {
					t.Errorf("the same list is not taken after the kill: %s", page)
				}
			}
			t.Logf("killed with %d of %d people stored", known, rows)
			h.Stop()
			if out, err := h.Run("verify"); err != nil {
				t.Errorf("verify: %v\n%s", err, out)
			}
			if n := number(t, vaultDB(h), "SELECT count(*) FROM wearer") - before; n != rows {
				t.Errorf("%d people in the end, by a list of %d", n, rows)
			}
			if n := number(t, vaultDB(h), "SELECT count(*) FROM staged"); n != 0 {
				t.Errorf("%d people are still staged", n)
			}
			if n := number(t, registerDB(h), "SELECT count(*) FROM document WHERE name = 'rows' AND import IN (SELECT id FROM import WHERE kind = 'people')"); n != 0 {
				t.Errorf("%d parts of lists are kept whose rows are stored", n)
			}
			nothingReadable(t, set, filepath.Dir(h.Dir), h.Log())
		})
	}
}

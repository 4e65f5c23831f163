package origin

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A page that panics becomes an error page, and the panic's value is not logged.
func TestAPanicTellsNothing(t *testing.T) {
	var logged bytes.Buffer
	o := &Origin{URL: "http://localhost:8081", Log: slog.New(slog.NewTextHandler(&logged, nil))} // without a vault every page panics
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://localhost:8081/account", nil)
	r.AddCookie(&http.Cookie{Name: o.prefixed(sessionCookie), Value: "token"})
	o.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "Sorry, there is a problem") {
		t.Errorf("status %d", w.Code)
	}
	if got := logged.String(); !strings.Contains(got, "panicked") || strings.Contains(got, "nil pointer") {
		t.Errorf("logged %q", got)
	}
}

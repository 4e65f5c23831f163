package vault

import (
	"bytes"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A panic's value may be somebody's name: it reaches neither the caller nor a log.
func TestAPanicTellsNothing(t *testing.T) {
	var logged bytes.Buffer
	v := &Vault{log: slog.New(slog.NewTextHandler(&logged, nil))}
	s := httptest.NewUnstartedServer(v.lastResort(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("the beginning of an answer"))
		panic("Zzyzx")
	}))
	s.Config.ErrorLog = log.New(&logged, "", 0)
	s.Start()
	resp, err := http.Get(s.URL)
	if err == nil {
		resp.Body.Close()
		t.Errorf("an answer of status %d came", resp.StatusCode)
	}
	s.Close()
	if got := logged.String(); !strings.Contains(got, "panicked") || strings.Contains(got, "Zzyzx") {
		t.Errorf("logged %q", got)
	}
}

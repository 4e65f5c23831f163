package house

import (
	"strings"
	"testing"
)

func TestMain(m *testing.M) { Main(m) }

func TestDemoStartsSignsInAndStopsByItself(t *testing.T) {
	h := New(t)
	h.Start("demo", "--people", "40")
	users := h.DemoUsers()
	if len(users) < 6 {
		t.Fatalf("users %v", users)
	}
	web := h.Client("web")
	auth, err := h.SignIn(web, users["Eleri Vaughan"])
	if err != nil {
		t.Fatal(err)
	}
	if u, err := web.Whoami(t.Context(), auth); err != nil || u.Name != "Eleri Vaughan" {
		t.Fatalf("signed in as %+v, %v", u, err)
	}
	for _, p := range []string{"vault", "web", "worker"} {
		h.Process(p)
	}
	h.Kill()
	h.Start("demo", "--people", "40")
	if out, err := h.Run("verify"); err != nil || !strings.Contains(out, "every hash, checkpoint and head holds") {
		t.Fatalf("verify: %v\n%s", err, out)
	}
}

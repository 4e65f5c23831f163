package vaultclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// served starts a TLS server over TCP that answers with fn, and a client of it.
func served(t *testing.T, fn http.HandlerFunc) (*Client, *httptest.Server) {
	t.Helper()
	s := httptest.NewTLSServer(fn)
	t.Cleanup(s.Close)
	c := New(Config{Address: s.Listener.Addr().String(), Vault: s.Certificate()})
	t.Cleanup(c.Close)
	return c, s
}

func name(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"name":"Rhys"}`) }

func TestAConnectionIsUsedAgainWhileItStands(t *testing.T) {
	var from sync.Map
	c, s := served(t, func(w http.ResponseWriter, r *http.Request) {
		from.Store(r.RemoteAddr, true)
		name(w, r)
	})
	n := func() (n int) { from.Range(func(any, any) bool { n++; return true }); return n }
	for range 5 {
		if u, err := c.Whoami(t.Context(), Auth{}); err != nil || u.Name != "Rhys" {
			t.Fatal(u, err)
		}
	}
	if n() != 1 {
		t.Errorf("five calls took %d connections", n())
	}
	s.CloseClientConnections() // as a vault does that starts again
	for range 5 {
		if _, err := c.Whoami(t.Context(), Auth{}); err != nil {
			t.Fatal(err)
		}
	}
	if n() != 2 {
		t.Errorf("after they were closed, %d connections", n())
	}
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			for range 20 {
				if u, err := c.Whoami(t.Context(), Auth{}); err != nil || u.Name != "Rhys" {
					t.Error(u, err)
				}
			}
		})
	}
	group.Wait()
	if len(c.conns.idle) > idleConns {
		t.Errorf("%d connections are kept", len(c.conns.idle))
	}
}

// A request that may have been carried out is not sent again.
func TestARequestIsSentOnce(t *testing.T) {
	var calls atomic.Int32
	c, _ := served(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			name(w, r)
			return
		}
		panic(http.ErrAbortHandler) // the connection ends without an answer
	})
	if _, err := c.Whoami(t.Context(), Auth{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Whoami(t.Context(), Auth{}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("the vault went away: %v", err)
	}
	if calls.Load() != 2 {
		t.Errorf("2 requests reached the vault as %d", calls.Load())
	}
}

// Who no longer waits gets an error at once, and the connection with the answer that still comes is given up.
func TestACallEndsWithItsContext(t *testing.T) {
	entered, leave := make(chan bool), make(chan bool)
	c, _ := served(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/pending") {
			entered <- true
			<-leave
		}
		name(w, r)
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-entered
		cancel()
	}()
	if _, err := c.Pending(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	close(leave)
	if u, err := c.Whoami(t.Context(), Auth{}); err != nil || u.Name != "Rhys" {
		t.Errorf("the next call: %+v, %v", u, err)
	}
	late, stop := context.WithDeadline(t.Context(), time.Now())
	defer stop()
	if _, err := c.Whoami(late, Auth{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("too late: %v", err)
	}
}

func TestWhoeverElseAnswersIsNotTheVault(t *testing.T) {
	_, s := served(t, name)
	other := httptest.NewUnstartedServer(http.HandlerFunc(name))
	other.StartTLS()
	defer other.Close()
	cert := *s.Certificate()
	cert.RawSubjectPublicKeyInfo = append([]byte{1}, cert.RawSubjectPublicKeyInfo...)
	if _, err := New(Config{Address: other.Listener.Addr().String(), Vault: &cert}).Whoami(t.Context(), Auth{}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("another key: %v", err)
	}
}

package register_test

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// A sample is kept sealed with its draft, for who loads files, and goes when it is dropped or nobody comes back to it.
func TestSamples(t *testing.T) {
	h := newHouse(t)
	file := []byte("Badge;Wearer\nX1;Ŵyn-Jones Siân\n")
	kept, err := h.web.AddSample(t.Context(), h.auth, file, []byte("{}"))
	h.ok(err)
	left, err := h.web.AddSample(t.Context(), h.auth, file, []byte("{}"))
	h.ok(err)
	for _, b := range [][]byte{nil, make([]byte, register.MaxSample+1)} {
		_, err := h.web.AddSample(t.Context(), h.auth, b, nil)
		h.refusedWith("a sample of another size", err, "at most 4 MiB")
	}
	h.ok(h.web.SetDraft(t.Context(), h.auth, kept, []byte(`{"name": "lab"}`)))
	got, draft, err := h.web.Sample(t.Context(), h.auth, kept)
	if err != nil || !bytes.Equal(got, file) || string(draft) != `{"name": "lab"}` {
		t.Errorf("%s, %s, %v", got, draft, err)
	}
	none := func(what string, err error) {
		t.Helper()
		var v *vc.Error
		if !errors.As(err, &v) || v.Code != vc.NotFound {
			t.Errorf("%s: %v", what, err)
		}
	}
	other := h.user(policy.Supervisor, h.org)
	_, _, err = h.web.Sample(t.Context(), other, kept)
	none("shown to a supervisor", err)
	_, err = h.web.AddSample(t.Context(), other, file, nil)
	none("added by a supervisor", err)
	none("dropped by a supervisor", h.web.DropSample(t.Context(), other, kept))
	_, err = h.web.File(t.Context(), h.auth, kept)
	none("as a file", err)
	if err := h.web.Accept(t.Context(), h.auth, kept); !errors.Is(err, register.ErrState) {
		t.Errorf("imported: %v", err)
	}
	arrived, opened := len(h.installation("intake")), len(h.installation("reveal"))
	if arrived != 2 || opened != 2 {
		t.Errorf("%d entries of samples that arrived, %d of what was opened of them", arrived, opened)
	}

	h.ok(h.web.DropSample(t.Context(), h.auth, kept))
	none("dropped again", h.web.DropSample(t.Context(), h.auth, kept))
	_, _, err = h.web.Sample(t.Context(), h.auth, kept)
	none("after it was dropped", err)

	// A worker drops what was left, an hour later and no sooner.
	at := func(who *register.Service, d time.Duration) *register.Service {
		return register.New(register.Config{Store: h.store, Vault: who.Vault, Now: func() time.Time { return now.Add(d) }, Log: slog.New(slog.DiscardHandler), Node: who.Node, Owner: owner})
	}
	h.ok(at(h.worker, register.SampleLife-time.Second).Reconcile(t.Context()))
	_, _, err = h.web.Sample(t.Context(), h.auth, left)
	h.ok(err)
	_, _, err = at(h.web, register.SampleLife).Sample(t.Context(), h.auth, left)
	none("after an hour", err)
	h.ok(at(h.worker, register.SampleLife).Reconcile(t.Context()))
	_, _, err = h.web.Sample(t.Context(), h.auth, left)
	none("after a worker dropped it", err)
	for _, name := range []string{"file", "draft"} {
		if parts, err := h.store.Document(t.Context(), left, name); !errors.Is(err, register.ErrNotFound) {
			t.Errorf("%d parts of the %s are kept: %v", len(parts), name, err)
		}
	}
	if dropped := h.installation("discard"); len(dropped) != 2 {
		t.Errorf("%d entries of dropped samples", len(dropped))
	}
}

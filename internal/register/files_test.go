package register_test

import (
	"errors"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/register"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// A declined file is gone: nothing of it is stored, kept or opened any more, and it can be loaded again.
func TestDeclining(t *testing.T) {
	h := newHouse(t)
	b := h.badge(h.org, h.takeOn(h.joiner(h.org))[0], time.May)
	h.dispatch(b)
	f := file(line{Dispatched: b, deep: "0.35"})
	im, _ := h.preview(f)
	kept, err := h.store.Document(t.Context(), im.ID, "file")
	h.ok(err)
	h.ok(h.web.Decline(t.Context(), h.auth, im.ID))
	im, err = h.web.File(t.Context(), h.auth, im.ID)
	h.ok(err)
	if im.State != register.Declined {
		t.Errorf("the import is %s", im.State)
	}
	for _, name := range []string{"file", "preview", "rows"} {
		if _, err := h.store.Document(t.Context(), im.ID, name); !errors.Is(err, register.ErrNotFound) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	// Somebody who has an earlier copy of the register puts the file back: its key is gone.
	h.ok(h.store.SetDocument(t.Context(), im.ID, "preview", kept))
	var vault *vc.Error
	if _, _, err := h.web.PreviewOf(t.Context(), h.auth, im.ID); !errors.As(err, &vault) {
		t.Errorf("a declined import's preview: error %v", err)
	}
	for what, err := range map[string]error{"accepting": h.web.Accept(t.Context(), h.auth, im.ID), "declining again": h.web.Decline(t.Context(), h.auth, im.ID)} {
		if !errors.Is(err, register.ErrState) {
			t.Errorf("%s: error %v", what, err)
		}
	}
	if im, _ := h.imported(f); im.State != register.Done {
		t.Errorf("loaded again, it is %s", im.State)
	}
	if err := h.web.Decline(t.Context(), h.auth, im.ID); !errors.Is(err, register.ErrState) {
		t.Errorf("declining what is stored: error %v", err)
	}
	list, total, err := h.web.Files(t.Context(), h.auth, 0, 2)
	h.ok(err)
	if len(list) != 2 || total != 4 { // people, dispatch, declined, done
		t.Errorf("%d of %d files are listed", len(list), total)
	}
}

// A file that fails keeps nothing either.
func TestWhatFailsKeepsNoFile(t *testing.T) {
	h := newHouse(t)
	im, _ := h.preview([]byte("Annwyl Siân,"))
	if _, err := h.store.Document(t.Context(), im.ID, "file"); im.State != register.Failed || !errors.Is(err, register.ErrNotFound) {
		t.Errorf("the import is %s, its file: %v", im.State, err)
	}
}

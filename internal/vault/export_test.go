package vault_test

import (
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// What is read for an export is answered for by its id, over a restart too, and nothing that was read without it is.
func TestAnExportIsARecipient(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("Bwrdd Iechyd Glyndŵr")
	ws := h.join(org, "Jones, Siân, A1", "Prys-Davies, Llŷr, A2", "O’Brien, Tomos, A3")
	web := h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator})
	reveal := func(auth vc.Auth, who ...id.Wearer) {
		t.Helper()
		must(h.nodes["web"].Reveal(t.Context(), auth, vc.RevealRequest{Purpose: policy.IssueBadges, Fields: policy.FieldName, Wearers: who}))
	}
	reveal(web, ws[0])
	printed := web
	printed.Export = id.New[id.Export]()
	reveal(printed, ws[1], ws[2])
	other := web
	other.Export = id.New[id.Export]()
	reveal(other, ws[2])
	h.stop()
	h.start()
	for _, c := range []struct {
		who  vc.Recipient
		want []id.Wearer
	}{
		{vc.Recipient("export:" + printed.Export.String()), ws[1:]},
		{vc.Recipient("export:" + other.Export.String()), ws[2:]},
		{vc.Recipient("export:" + id.New[id.Export]().String()), nil},
	} {
		x, err := h.nodes["cli"].Exposures(t.Context(), h.root, vc.ExposureRequest{Recipient: c.who, From: time.Unix(0, 0), To: time.Now().AddDate(99, 0, 0), List: true})
		if err != nil {
			t.Fatal(err)
		}
		got := map[id.Wearer]policy.Fields{}
		for _, e := range x.List {
			got[e.Wearer] = e.Fields
		}
		if len(got) != len(c.want) {
			t.Errorf("%s received %v, want %v", c.who, got, c.want)
		}
		for _, w := range c.want {
			if got[w] != policy.FieldName|policy.FieldEmployment {
				t.Errorf("%s received %v of %s", c.who, got[w], w)
			}
		}
	}
	// An export is no leave: without a session or grant nothing is read.
	if _, err := h.nodes["web"].Reveal(t.Context(), vc.Auth{Export: printed.Export}, vc.RevealRequest{Purpose: policy.IssueBadges, Fields: policy.FieldName, Wearers: ws}); code(err) != vc.Unauthenticated {
		t.Errorf("with an export alone: %v", err)
	}
}

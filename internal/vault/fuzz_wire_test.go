package vault_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/testcorpus"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// Bits of the byte that says who sends a fuzzed request, beside the number of the caller.
const (
	wholeBody = 0x80 // the JSON is all of the body, and not only what the method takes
	otherKind = 0x40 // the content type is the other one
)

// Whatever a node sends to any method, the vault answers with a status of the wire's, neither fails nor repeats what it was
// sent, and shows nobody's fields without leave and without an entry in the ledger of their organisation.
func FuzzWire(f *testing.F) {
	h := newFuzzHouse(f)
	methods := vault.Methods()
	f.Fuzz(func(t *testing.T, method string, who byte, head, columns []byte) {
		if len(head)+len(columns) > 1<<20 {
			return
		}
		h.ready(t)
		c := h.callers[int(who&0x3f)%len(h.callers)]
		head, columns = h.real(t, head), h.real(t, columns)
		kind, body := h.body(c, who, head, columns)
		before := make([]int64, len(h.orgs))
		for i, org := range h.orgs {
			before[i] = h.v.LogSize(org)
		}
		w := h.send(c.node, method, kind, body)
		answer := w.Body.Bytes()
		for _, text := range h.shown(answer) {
			i := slices.Index(h.orgs, h.plain[text])
			if h.v.LogSize(h.orgs[i]) == before[i] {
				t.Errorf("%s by %s shows %q, and no entry says so", method, c.what, text)
			}
			if c.auth == (vc.Auth{}) || strings.HasPrefix(c.what, "nobody") || strings.HasPrefix(c.what, "session") {
				t.Errorf("%s by %s shows %q", method, c.what, text)
			}
		}
		switch {
		case !slices.Contains(methods, method):
			if w.Code < 300 || w.Code >= 500 {
				t.Errorf("%q is no method: %d", method, w.Code)
			}
		case w.Code == http.StatusOK:
			if len(answer) > 1<<20+64*len(body) {
				t.Errorf("%s answers with %d bytes to %d", method, len(answer), len(body))
			}
		default:
			checkRefusal(t, method, w.Code, answer, body)
		}
	})
}

// body lays a request out.
func (f *fuzzHouse) body(c fuzzCaller, who byte, head, columns []byte) (kind string, body []byte) {
	if who&wholeBody == 0 {
		head = slices.Concat([]byte(`{"auth":`), must(json.Marshal(c.auth)), []byte(`,"body":`), head, []byte(`}`))
	}
	kind, body = vc.TypeJSON, head
	if len(columns) > 0 {
		kind, body = vc.TypeColumns, slices.Concat([]byte{byte(len(head) >> 24), byte(len(head) >> 16), byte(len(head) >> 8), byte(len(head))}, head, columns)
	}
	if who&otherKind != 0 {
		kind = map[string]string{vc.TypeJSON: vc.TypeColumns, vc.TypeColumns: vc.TypeJSON}[kind]
	}
	return kind, body
}

// checkRefusal checks the form of an answer that is an error.
func checkRefusal(t *testing.T, method string, status int, answer, body []byte) {
	t.Helper()
	var e vc.Error
	dec := json.NewDecoder(bytes.NewReader(answer))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil || vc.Status[e.Code] != status || e.Message == "" {
		t.Errorf("%s: status %d with %q", method, status, answer)
	}
	if e.Code == vc.Internal {
		t.Errorf("%s failed", method)
	}
	if strings.HasPrefix(e.Message, "policies: ") {
		return // says where in the proposed text, which is nobody's
	}
	for _, text := range texts(body) {
		if strings.Contains(string(answer), text) {
			t.Errorf("%s repeats %q of its request: %s", method, text, answer)
		}
	}
}

var telling = regexp.MustCompile(`[^a-z ]`)

// texts are the texts in a body that an answer could only have from it.
func texts(body []byte) (out []string) {
	var walk func(any)
	walk = func(x any) {
		switch x := x.(type) {
		case string:
			if len(x) >= 6 && telling.MatchString(x) {
				out = append(out, x)
			}
		case []any:
			for _, y := range x {
				walk(y)
			}
		case map[string]any:
			for k, y := range x {
				walk(k)
				walk(y)
			}
		}
	}
	var x any
	if i := bytes.IndexByte(body, '{'); i >= 0 {
		json.NewDecoder(bytes.NewReader(body[i:])).Decode(&x)
	}
	walk(x)
	return out
}

// Every method has a seed of its name that the vault can read, sent by somebody who is known there, so that fuzzing begins behind the decoder.
func TestEveryMethodIsFuzzed(t *testing.T) {
	h := newFuzzHouse(t)
	names := must(testcorpus.Names("FuzzWire"))
	for _, method := range vault.Methods() {
		if !slices.Contains(names, method) {
			t.Errorf("testdata/fuzz/FuzzWire/%s is missing: a request to this method, from which fuzzing begins", method)
			continue
		}
		args := must(testcorpus.Read("FuzzWire", method))
		if len(args) != 4 || string(args[0]) != method {
			t.Errorf("the seed %s is a request to another method", method)
			continue
		}
		h.ready(t)
		who := args[1][0]
		c := h.callers[int(who&0x3f)%len(h.callers)]
		kind, body := h.body(c, who, h.real(t, args[2]), h.real(t, args[3]))
		w := h.send(c.node, method, kind, body)
		t.Logf("%s by %s: %d %.150s", method, c.what, w.Code, w.Body)
		if w.Code == http.StatusBadRequest || w.Code == http.StatusUnauthorized {
			t.Errorf("the seed %s is answered with %d: %s", method, w.Code, w.Body)
		}
	}
}

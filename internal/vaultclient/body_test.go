package vaultclient

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// allocated is how many bytes fn takes from the heap.
func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A body that lies about its lengths, or that holds little in many pieces, takes no more memory than a fixed part and a few
// times what was sent.
func TestABodyTakesLittleMoreThanWasSent(t *testing.T) {
	const fixed, times = 128 << 20, 16
	list := func(of string) []byte {
		return []byte(`{"body":{"changes":[` + strings.Repeat(of+",", 4<<20) + of + `]}}`)
	}
	for name, b := range map[string][]byte{"empty people": list(`{}`), "nobody": list(`null`)} {
		var call Call[WireStage]
		var err error
		if got := allocated(func() { err = Decode(b, TypeJSON, &call, &call.Body, true) }); got > fixed+times*uint64(len(b)) || err == nil {
			t.Errorf("%s: %d bytes for %d, error %v", name, got, len(b), err)
		}
	}
	for name, b := range map[string][]byte{
		"a frame of 4 GiB":  []byte("\xff\xff\xff\xff{}"),
		"a column of 4 GiB": []byte("\x00\x00\x00\x02{}\xff\xff\xff\xff"),
		"many empty values": framed(t, make([]byte, 4<<20)),
		"values of 4 GiB":   framed(t, bytes.Repeat([]byte{255}, 4<<20)),
	} {
		got := allocated(func() {
			var call Call[WireCompare]
			if Decode(b, TypeColumns, &call, &call.Body, true) == nil {
				call.Body.Names.Split()
			}
			var items Call[WireItems]
			if Decode(b, TypeColumns, &items, &items.Body, true) == nil {
				items.Body.Items()
			}
		})
		if got > 1<<20+times*uint64(len(b)) {
			t.Errorf("%s: %d bytes for %d", name, got, len(b))
		}
	}
	// What a sender says of a length is believed for 16 MiB at most; under the race detector they are there twice.
	if got := allocated(func() { ReadBody(strings.NewReader("{}"), 1<<40) }); got > 33<<20 {
		t.Errorf("a request that is said to have %d bytes takes %d", 1<<40, got)
	}
	long := 64 << 20
	if got := allocated(func() { ReadBody(io.LimitReader(zeros{}, int64(long)), -1) }); got > uint64(times*long) {
		t.Errorf("%d bytes take %d", long, got)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// framed is a body whose second column, the lengths of names, is that.
func framed(t *testing.T, lengths []byte) []byte {
	t.Helper()
	c := WireCompare{Names: WireValues{Lengths: lengths}}
	w, err := NewBody(Call[WireCompare]{Body: c}, &c)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(w.Reader())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// As many items as a request may have can be read.
func TestTheLargestListCanBeRead(t *testing.T) {
	one := `{"organisation":"","identity":"e30=","contact":"e30="}`
	b := fmt.Appendf(nil, `{"body":{"changes":[%s%s]}}`, strings.Repeat(one+",", MaxItems-1), one)
	var call Call[WireStage]
	if err := Decode(b, TypeJSON, &call, &call.Body, true); err != nil || len(call.Body.Changes) != MaxItems {
		t.Errorf("%d people: %v", len(call.Body.Changes), err)
	}
}

package seal

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func counting(from byte) (k Key) {
	for i := range k {
		k[i] = from + byte(i)
	}
	return k
}

// These bytes are frozen: what any release sealed opens in every later one.
func TestVectors(t *testing.T) {
	box := counting(0).Box()
	for name, v := range map[string]struct {
		sealed string
		ctx    Context
		want   string
	}{
		"padded to 32": {
			"01" + "07e740b2907ad25dec6f8078" + "51a0626a996bfe729eacc72110b13c5b4c019836e5d9bcdbd8478843b39550e2" + "6c007142f076ecf26e441e20a2cdd77e",
			NewContext("test", []byte("row"), []byte("7")), "Llŷr",
		},
		"empty value": {
			"01" + "895e57696adbc55bab8f3657" + "62618cd9" + "bd9e167ddb919ec3c8d4983b2ad44378",
			NewContext("empty"), "",
		},
	} {
		got, err := box.Open(v.ctx, unhex(t, v.sealed))
		if err != nil || string(got) != v.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	wrapped := unhex(t, "0153a04b8b7ba6102ba76098f5831ae9d95e603493b2644a47807f40112a28209e11318aeebd0e7f67ce9a88cf942bd0f1f9dd27712d53b11cbbd7d6c28d10c210")
	if k, err := box.Unwrap(NewContext("wearer key", []byte{1, 2}), wrapped); err != nil || k != counting(0xA0) {
		t.Errorf("wrapped key: %v", err)
	}
	if d := counting(0).Derive("authority"); hex.EncodeToString(d[:]) != "4105a7c95d50070f07c05f9b5c3a3f839035ec5b02adf2c27952a4a4ae2f28f5" {
		t.Error("derived key changed")
	}
	if got := hex.EncodeToString(NewContext("test", []byte("row"), nil, []byte("7"))); got != "00000011646f73657661756c742f76312f7465737400000003726f77000000000000000137" {
		t.Errorf("context changed: %s", got)
	}
}

func TestOpensOnlyWhatWasSealedWhereItWasSealed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "value")
		pad := rapid.IntRange(0, 200).Draw(t, "pad")
		parts := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 5), 0, 4).Draw(t, "parts")
		others := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 5), 0, 4).Draw(t, "others")
		k := NewKey()
		ctx, other := NewContext("t", parts...), NewContext("t", others...)
		sealed, err := k.Box().Seal(ctx, pad, value)
		if err != nil {
			t.Fatal(err)
		}
		if (len(sealed)-Overhead)%max(pad, 1) != 0 {
			t.Fatalf("%d bytes are not padded to %d", len(sealed), pad)
		}
		if got, err := k.Box().Open(ctx, sealed); err != nil || !bytes.Equal(got, value) {
			t.Fatalf("opened %x, %v", got, err)
		}
		if fmt.Sprint(parts) != fmt.Sprint(others) {
			if _, err := k.Box().Open(other, sealed); err == nil {
				t.Fatalf("opened in the context %v of %v", others, parts)
			}
		}
		if _, err := NewKey().Box().Open(ctx, sealed); err == nil {
			t.Fatal("opened with another key")
		}
		i := rapid.IntRange(0, len(sealed)-1).Draw(t, "flip")
		sealed[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, err := k.Box().Open(ctx, sealed); err == nil {
			t.Fatalf("opened with byte %d changed", i)
		}
		if _, err := k.Box().Open(ctx, sealed[:i]); err == nil {
			t.Fatalf("opened cut to %d bytes", i)
		}
	})
}

func TestKeysNeverPrint(t *testing.T) {
	k := counting(0x41)
	out := fmt.Sprintf("%v %+v %#v %s %x %d %q", k, k, k, k, k, k, struct{ K Key }{k})
	if strings.ContainsAny(out, "ABC0123456789") {
		t.Errorf("a key printed: %s", out)
	}
}

func BenchmarkFreshKeyOpen100(b *testing.B) {
	k := NewKey()
	ctx := NewContext("bench", make([]byte, 16))
	sealed, _ := k.Box().Seal(ctx, 100, make([]byte, 96))
	for b.Loop() {
		if _, err := k.Box().Open(ctx, sealed); err != nil {
			b.Fatal(err)
		}
	}
}

package scan

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func compile(t testing.TB, markers ...Marker) *Set {
	t.Helper()
	s, err := Compile(markers...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func found(t testing.TB, s *Set, b []byte) []Finding {
	t.Helper()
	f, n, err := s.Reader(bytes.NewReader(b))
	if err != nil || n != int64(len(b)) {
		t.Fatalf("read %d of %d bytes, %v", n, len(b), err)
	}
	return f
}

func noise(n int, seed uint64) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	r.Read(b)
	return b
}

// planted are ways to hide a marker, made with other code than the scanner's own where there is some.
func planted(t testing.TB) map[string][]byte {
	name := "Llŷr Gwyndâf-Qxz"
	upper, lower := strings.ToUpper(name), strings.ToLower(name)
	utf16 := func(s string, order binary.AppendByteOrder) []byte {
		var b []byte
		for _, r := range s { // no character beyond the basic plane here
			b = order.AppendUint16(b, uint16(r))
		}
		return b
	}
	latin, err := charmap.Windows1252.NewEncoder().String("Gwyndâf-Qxzvw")
	if err != nil {
		t.Fatal(err)
	}
	celtic, err := charmap.ISO8859_14.NewEncoder().String(name)
	if err != nil {
		t.Fatal(err)
	}
	ascii, err := json.Marshal(name)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{
		"name as it is":              []byte(name),
		"name in JSON":               ascii,
		"name upper":                 []byte(upper),
		"name lower":                 []byte(lower),
		"name without accents":       []byte("Llyr Gwyndaf-Qxz"),
		"name without accents upper": []byte("LLYR GWYNDAF-QXZ"),
		"name decomposed":            norm.NFD.Bytes([]byte(name)),
		"name UTF-16LE":              utf16(name, binary.LittleEndian),
		"name UTF-16BE":              utf16(upper, binary.BigEndian),
		"name ISO-8859-14":           []byte(celtic),
		"latin Windows-1252":         []byte(latin),
		"name hex":                   []byte(hex.EncodeToString([]byte(name))),
		"name hex upper":             []byte(strings.ToUpper(hex.EncodeToString([]byte(lower)))),
		"name hex of UTF-16":         []byte(hex.EncodeToString(utf16(name, binary.LittleEndian))),
		"name query":                 []byte(url.QueryEscape(name)),
		"name path":                  []byte(url.PathEscape(name)),
		"name escapes":               []byte(`Ll\u0177r Gwynd\u00e2f-Qxz`),
		"name escapes upper":         []byte(`Ll\u0177r Gwynd\u00E2f-Qxz`),
		"name all percent":           []byte("%4C%6C%C5%B7%72%20%47%77%79%6E%64%C3%A2%66%2D%51%78%7A"),
		"ni together":                []byte("ZX482915C"),
		"ni spaced":                  []byte("ZX 48 29 15 C"),
		"ni lower":                   []byte("zx482915c"),
		"ni hyphens":                 []byte("zx-48-29-15-c"),
		"born ISO":                   []byte("1931-07-04"),
		"born UK":                    []byte("04/07/1931"),
		"born US":                    []byte("07/04/1931"),
		"born packed":                []byte(" 19310704,"),
		"born English":               []byte("4 July 1931"),
		"born Welsh":                 []byte("4 Gorffennaf 1931"),
		"born short":                 []byte("04-Jul-31"),
		"born RFC 3339":              []byte("1931-07-04T00:00:00Z"),
		"born packed hex":            []byte("f3" + hex.EncodeToString([]byte("19310704")) + "31"),
		"born micros BE":             binary.BigEndian.AppendUint64(nil, uint64(day(1931, 7, 4).UnixMicro())),
		"born micros LE":             binary.LittleEndian.AppendUint64(nil, uint64(day(1931, 7, 4).UnixMicro())),
		"born micros digits":         fmt.Appendf(nil, `{"birth":%d}`, day(1931, 7, 4).UnixMicro()),
		"born nanos zigzag":          binary.AppendVarint(nil, day(1931, 7, 4).UnixNano()),
		"big BE":                     binary.BigEndian.AppendUint64(nil, 0x00_12_34_56_78_9a_bc_de),
		"big LE":                     binary.LittleEndian.AppendUint64(nil, 0x00_12_34_56_78_9a_bc_de),
		"big varint":                 binary.AppendUvarint(nil, 0x00_12_34_56_78_9a_bc_de),
		"big digits":                 fmt.Appendf(nil, "x%dx", 0x00_12_34_56_78_9a_bc_de),
		"dose µSv":                   []byte("37411 µSv"),
		"dose mSv":                   []byte("37.411 mSv"),
		"dose with a comma":          []byte("37,411 mSv"),
		"dose JSON":                  []byte(`{"dose":37411}`),
		"key raw":                    noise(32, 9),
		"key hex":                    []byte(hex.EncodeToString(noise(32, 9))),
		"ni query":                   []byte("/wearers?q=ZX+48+29+15+C&page=2"),
		"ni path":                    []byte("/wearers/ZX%2048%2029%2015%20C"),
	}
	for n := range 5 {
		before := bytes.Repeat([]byte{0xA5}, n)
		b := append(before, []byte(name)...)
		b = append(b, 0x5A, 0x3C)
		all[fmt.Sprint("name base64 ", n)] = []byte(base64.StdEncoding.EncodeToString(b))
		all[fmt.Sprint("name base64url ", n)] = []byte(base64.RawURLEncoding.EncodeToString(b))
		all[fmt.Sprint("name base32 ", n)] = []byte(base32.StdEncoding.EncodeToString(b))
		all[fmt.Sprint("name base32 lower ", n)] = []byte(strings.ToLower(base32.StdEncoding.EncodeToString(b)))
		all[fmt.Sprint("name base32hex ", n)] = []byte(base32.HexEncoding.EncodeToString(b))
		all[fmt.Sprint("key base64 ", n)] = []byte(base64.StdEncoding.EncodeToString(append(bytes.Clone(before), noise(32, 9)...)))
	}
	return all
}

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func markers() []Marker {
	return []Marker{
		Text("name", "Llŷr Gwyndâf-Qxz"), Text("latin", "Gwyndâf-Qxzvw"), NI("ni", "ZX 48 29 15 C"), Date("born", 1931, 7, 4),
		Integer("big", 0x00_12_34_56_78_9a_bc_de), Dose("dose", 37411), Bytes("key", noise(32, 9)), Text("surname", "Quernmoor-vext"),
	}
}

func TestEveryEncodingIsFound(t *testing.T) {
	s := compile(t, markers()...)
	for what, b := range planted(t) {
		for _, at := range []int{0, 1, 777} {
			got := found(t, s, slicesOf(noise(at, 1), b, noise(500, 2)))
			marker, _, _ := strings.Cut(what, " ")
			if len(got) == 0 || !has(got, marker) {
				t.Errorf("%s at %d: found %v", what, at, got)
			}
			for _, f := range got {
				if f.Marker == marker && f.Offset < int64(at) {
					t.Errorf("%s at %d: offset %d", what, at, f.Offset)
				}
			}
		}
	}
}

func slicesOf(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func has(f []Finding, marker string) bool {
	for _, one := range f {
		if one.Marker == marker {
			return true
		}
	}
	return false
}

func TestEveryPatternIsFoundAcrossBlocks(t *testing.T) {
	s := compile(t, markers()...)
	for i, p := range s.patterns {
		before := 6
		if i%40 == 0 { // not all, to be quick
			before = blockSize + s.longest - len(p.bytes)/2 - i%7
		}
		b := slicesOf(bytes.Repeat([]byte{'~'}, before), p.bytes, []byte("~~~"))
		ok := false
		for _, f := range found(t, s, b) {
			ok = ok || f.Encoding == p.encoding && f.Marker == s.names[p.marker] && f.Count == 1
		}
		if !ok {
			t.Errorf("%s as %s is not found", s.names[p.marker], p.encoding)
		}
	}
}

func TestNothingInRandomBytes(t *testing.T) {
	s := compile(t, crowd(200)...)
	b := noise(12<<20, 77)
	if f := found(t, s, b); len(f) != 0 {
		t.Errorf("found %v", f)
	}
	if c := s.Chance(1 << 28); c > 0.001 {
		t.Errorf("%.4f findings by chance in 256 MiB", c)
	}
	text := []byte(hex.EncodeToString(b[:1<<20]) + base64.StdEncoding.EncodeToString(b[:1<<20]) + strings.ToLower(base32.StdEncoding.EncodeToString(b[:1<<20])))
	if f := found(t, s, text); len(f) != 0 {
		t.Errorf("found %v in encoded random bytes", f)
	}
}

// crowd makes n people's markers, ten each.
func crowd(n int) []Marker {
	r := rand.New(rand.NewPCG(3, 4))
	word := func(k int) string {
		b := make([]byte, k)
		for i := range b {
			b[i] = "bcdfghjklmnpqrstvwxyz"[r.IntN(21)]
		}
		return string(b)
	}
	var all []Marker
	for i := range n {
		of := func(what string) string { return fmt.Sprintf("%s of %d", what, i) }
		all = append(all, Text(of("surname"), "Ŵ"+word(9)), Text(of("forename"), "Siân"+word(8)), Text(of("e-mail"), word(9)+"@"+word(7)+".example"),
			Text(of("address"), "14 Heol "+word(10)), Text(of("staff number"), "Q"+word(9)), Text(of("registration"), "HCPC RA"+word(7)),
			Text(of("phone"), fmt.Sprintf("01632 %d", 960000+i)), NI(of("NI"), fmt.Sprintf("ZX%06dC", r.IntN(1_000_000))),
			Date(of("birth"), 1925+i%30, time.Month(1+i%12), 1+i%28), Dose(of("dose"), int64(30000+r.IntN(900000))))
	}
	return all
}

func TestWholeNumbersOnly(t *testing.T) {
	s := compile(t, Date("born", 1931, 7, 4))
	for text, want := range map[string]bool{
		"19310704": true, "a19310704b": true, "119310704": false, "193107041": false, "(19310704)": true, "0 19310704": true,
	} {
		if got := len(found(t, s, []byte(text))) > 0; got != want {
			t.Errorf("%s: found %v, want %v", text, got, want)
		}
	}
	// The digit to the left lies in the block before.
	for shift := range 20 {
		b := append(bytes.Repeat([]byte{'.'}, blockSize-shift), "719310704"...)
		if f := found(t, s, append(b, bytes.Repeat([]byte{'.'}, blockSize)...)); len(f) != 0 {
			t.Errorf("shift %d: %v", shift, f)
		}
	}
}

func TestTooShortIsAnError(t *testing.T) {
	if _, err := Compile(Text("short", "Jones"), Text("long enough", "Jonesville")); err == nil || !strings.Contains(err.Error(), `"short"`) || strings.Contains(err.Error(), "long enough") {
		t.Errorf("error %v", err)
	}
	if _, err := Compile(Integer("dose", 350)); err == nil {
		t.Error("350 can't be told from chance, and yet is looked for")
	}
	s := compile(t, Dose("dose", 350))
	if len(s.Skipped()) == 0 {
		t.Error("the bare integer 350 is not told as left out")
	}
}

func TestDir(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a/clean.db", noise(100_000, 1))
	write("a/b/dirty.db-wal", slicesOf(noise(5000, 2), []byte("Quernmoor-vext"), noise(10, 3), []byte("Quernmoor-vext")))
	write("c/for Quernmoor-vext.pdf", noise(10, 4))
	write("empty", nil)
	r, err := compile(t, markers()...).Dir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if r.Files != 4 || r.Bytes != 100_000+5000+14+10+14+10 {
		t.Errorf("scanned %d files, %d bytes", r.Files, r.Bytes)
	}
	want := []Finding{
		{"a/b/dirty.db-wal", "surname", "text in UTF-8", 5000, 2},
		{"c/for Quernmoor-vext.pdf", "surname", "text in UTF-8", -1, 1},
	}
	if fmt.Sprint(r.Findings) != fmt.Sprint(want) || fmt.Sprint(r.Found()) != "[surname]" {
		t.Errorf("found %v", r.Findings)
	}
	if _, err := compile(t, markers()...).Dir(filepath.Join(dir, "missing")); err == nil {
		t.Error("a missing directory is no error")
	}
}

func TestFoundHoweverTheBytesArrive(t *testing.T) {
	s := compile(t, markers()...)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(s.patterns).Draw(t, "pattern")
		at := rapid.IntRange(0, 4*s.longest).Draw(t, "at")
		b := slicesOf(bytes.Repeat([]byte{' '}, at), p.bytes, bytes.Repeat([]byte{' '}, rapid.IntRange(0, 50).Draw(t, "after")))
		f, _, err := s.Reader(iotest.OneByteReader(bytes.NewReader(b)))
		ok := false
		for _, one := range f {
			ok = ok || one.Offset == int64(at) && one.Encoding == p.encoding
		}
		if err != nil || !ok {
			t.Fatalf("%s at %d: %v, %v", p.encoding, at, f, err)
		}
	})
}

func TestAReadErrorIsNotSilence(t *testing.T) {
	s := compile(t, markers()...)
	if _, _, err := s.Reader(iotest.TimeoutReader(iotest.HalfReader(bytes.NewReader(noise(5<<20, 1))))); err == nil {
		t.Error("a broken read is no error")
	}
}

func BenchmarkCrowd(b *testing.B) {
	s := compile(b, crowd(200)...)
	data := noise(64<<20, 5)
	b.Logf("%d patterns", s.Patterns())
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, _, err := s.Reader(bytes.NewReader(data)); err != nil {
			b.Fatal(err)
		}
	}
}

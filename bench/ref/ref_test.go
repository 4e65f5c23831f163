package ref

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFileSystemsInMemoryAreRefused(t *testing.T) {
	for magic, name := range fileSystems {
		got, err := named(magic)
		if got != name || errors.Is(err, ErrMemory) != (name == "tmpfs" || name == "ramfs") {
			t.Errorf("%#x: %s, %v", magic, got, err)
		}
	}
	if name, err := named(0x1234); name != "file system 0x1234" || err != nil {
		t.Errorf("unknown: %s, %v", name, err)
	}
	if _, err := FileSystem(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("a missing directory has a file system")
	}
}

func TestFdatasync(t *testing.T) {
	dir := t.TempDir()
	took, err := Fdatasync(dir)
	if err != nil || took <= 0 || took > 10*time.Second {
		t.Errorf("%v, %v", took, err)
	}
	empty(t, dir)
}

func empty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestHashChain(t *testing.T) {
	for _, c := range []struct{ writers, n int }{{1, 20}, {7, 100}, {64, 640}, {3, 0}} {
		dir := t.TempDir()
		got, err := hashChain(dir, c.writers, c.n)
		if err != nil || got.N != c.n || got.Groups > c.n || c.n > 0 && (got.Groups < (c.n+c.writers-1)/c.writers || got.Median <= 0 || got.PerSecond() <= 0) {
			t.Errorf("%d writers, %d entries: %+v, %v", c.writers, c.n, got, err)
		}
		empty(t, dir)
	}
}

func TestEveryEntryIsHashedToTheOneBefore(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "chain"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	queue := make(chan *appended, 50)
	for i := range 50 {
		e := &appended{done: make(chan error, 1)}
		e.payload[9] = byte(i)
		queue <- e
	}
	close(queue)
	if groups := commit(f, queue); groups != 1 {
		t.Errorf("50 waiting entries made %d groups", groups)
	}
	b, err := os.ReadFile(f.Name())
	if err != nil || len(b) != 50*(sha256.Size+EntryBytes) {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	var head [sha256.Size]byte
	for i := range 50 {
		e := b[i*(sha256.Size+EntryBytes):][:sha256.Size+EntryBytes]
		head = sha256.Sum256(append(head[:], e[sha256.Size:]...))
		if string(e[:sha256.Size]) != string(head[:]) || e[sha256.Size+9] != byte(i) {
			t.Fatalf("entry %d is not chained to the one before", i)
		}
	}
}

func TestAFailedWriteReachesTheWriter(t *testing.T) {
	f, err := os.Open(os.DevNull) // for reading only
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	queue := make(chan *appended, 1)
	e := &appended{done: make(chan error, 1)}
	queue <- e
	close(queue)
	commit(f, queue)
	if <-e.done == nil {
		t.Error("an entry that was not written is durable")
	}
}

const header = "\ufeffAccount Number,Account Name,Series Code,AWO,Scan Date,Import Date,Participant Number,UniqueID,ID Number,Participant Name,DOB,Dosimeter,Use,Rad Quality,Period Begin Date,Period End Date,Current DDE,Current LDE,Current SDE,Current Neutron,Quarter DDE,Quarter LDE,Quarter SDE,YTD DDE,YTD LDE,YTD SDE,Life DDE,Life LDE,Life SDE,Inception Date,Serial Number,Version,NoteCode\n"

func report(rows ...string) string { return header + strings.Join(rows, "\n") + "\n" }

func row(barcode, dde, sde, note string) string {
	return fmt.Sprintf("A1,Ysbyty,DRS,,2026-02-03,2026-02-04,00001,,,\"JONES, SIÂN\",1980-01-02,P,CHEST,P,2026-01-01,2026-01-31,%s,M,%s,,,,,,,,,,,2020/01,%s,0,\"%s\"", dde, sde, barcode, note)
}

func TestPlainImport(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "report.csv")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(report(row("X1", "0.35", "12", "Unused\nand more"), strings.Repeat(",", 32), row("X2", "M", "", "")))
	for _, synchronous := range []string{"FULL", "NORMAL"} {
		got, err := plainImport(dir, file, synchronous)
		if err != nil || got.N != 3 || got.Blank != 1 || got.Readings != 5 || got.Elapsed <= 0 {
			t.Errorf("%s: %+v, %v", synchronous, got, err)
		}
	}
	if _, err := plainImport(dir, file, "OFF"); err == nil {
		t.Error("synchronous OFF is allowed")
	}
	for what, text := range map[string]string{
		"a comma in a dose":    report(row("X1", `"0,35"`, "", "")),
		"too many decimals":    report(row("X1", "0.3555", "", "")),
		"the same row twice":   report(row("X1", "M", "", ""), row("X1", "M", "", "")),
		"a short row":          header + "A1,2\n",
		"a missing column":     "Account Number\nA1\n",
		"no header":            "",
		"a version that isn't": report(strings.Replace(row("X1", "M", "", ""), ",X1,0,", ",X1,b,", 1)),
	} {
		write(text)
		if got, err := plainImport(dir, file, "FULL"); err == nil {
			t.Errorf("%s: stored as %+v", what, got)
		}
	}
	empty(t, dir)
}

func TestMicro(t *testing.T) {
	for text, want := range map[string]int{"0.35": 350, "12": 12000, "0.001": 1, "20.60": 20600, "0": 0} {
		if got, err := micro(text); got != want || err != nil {
			t.Errorf("%s mSv: %d µSv, %v", text, got, err)
		}
	}
}

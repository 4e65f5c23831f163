package attack_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// readers are sessions that ask for names without pause, and remember whose they got.
type readers struct {
	got   sync.Map // wearer → fields obtained
	n     atomic.Int64
	stop  chan struct{}
	group sync.WaitGroup
}

// readWithoutPause starts readers as the co-ordinator.
func readWithoutPause(t *testing.T, h *house.House) *readers {
	t.Helper()
	wearers, orgs, _ := plain(t, h)
	web := h.Client("web")
	auth, err := h.SignIn(web, h.DemoUsers()["Eleri Vaughan"])
	if err != nil {
		t.Fatal(err)
	}
	r := &readers{stop: make(chan struct{})}
	for i := range 4 {
		r.group.Go(func() {
			for n := i; ; n++ {
				select {
				case <-r.stop:
					return
				default:
				}
				own := wearers[orgs[n%len(orgs)]]
				w := id.Wearer(own[n%len(own)])
				recs, err := web.Reveal(t.Context(), auth, vaultclient.RevealRequest{Purpose: policy.IssueBadges, Fields: policy.FieldName, Wearers: []id.Wearer{w}})
				if err == nil && len(recs) == 1 && !recs[0].Identity.Surname.IsZero() {
					r.got.Store(w.String(), policy.FieldName|policy.FieldEmployment)
					r.n.Add(1)
				} else {
					time.Sleep(5 * time.Millisecond)
				}
			}
		})
	}
	return r
}

// more waits until the readers have got n more answers.
func (r *readers) more(t *testing.T, n int64) {
	t.Helper()
	want := r.n.Load() + n
	for deadline := time.Now().Add(60 * time.Second); r.n.Load() < want; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the vault answered %d times, and then no more", r.n.Load())
		}
	}
}

// none checks that the readers get nothing any more.
func (r *readers) none(t *testing.T, what string) {
	t.Helper()
	time.Sleep(300 * time.Millisecond) // what was under way when the fault began
	before := r.n.Load()
	time.Sleep(1500 * time.Millisecond)
	if n := r.n.Load() - before; n != 0 {
		t.Errorf("%s: %d plaintexts left the vault", what, n)
	}
}

// settle stops the readers and checks that what they got stands in the ledger, which verifies.
func (r *readers) settle(t *testing.T, h *house.House, from time.Time) {
	t.Helper()
	close(r.stop)
	r.group.Wait()
	web := h.Client("web")
	auth, err := h.SignIn(web, h.DemoUsers()["Eleri Vaughan"])
	if err != nil {
		t.Fatal(err)
	}
	x, err := web.Exposures(t.Context(), auth, vaultclient.ExposureRequest{Recipient: "node:web", From: from, To: time.Now().Add(time.Minute), List: true, Proofs: true})
	if err != nil {
		t.Fatal(err)
	}
	entered, obtained := map[string]policy.Fields{}, map[string]policy.Fields{}
	for _, e := range x.List {
		entered[e.Wearer.String()] |= e.Fields
	}
	r.got.Range(func(w, f any) bool { obtained[w.(string)] = f.(policy.Fields); return true })
	if len(obtained) == 0 {
		t.Fatal("nothing was obtained: nothing is shown")
	}
	within(t, "the node web", obtained, entered)
	if n := r.n.Load(); int64(len(x.Proofs)) < n {
		t.Errorf("%d plaintexts left the vault, and only %d entries say so", n, len(x.Proofs))
	}
	if out, err := h.Run("verify"); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
}

// waitFor polls the program's log.
func waitFor(t *testing.T, h *house.House, text string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(h.Log(), text); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the program never said %q", text)
		}
	}
}

// The disk is full: nothing is revealed, the vault says in one line what to do, and goes on by itself when there is room.
func TestAFullDiskRevealsNothing(t *testing.T) {
	h := copyOfFilled(t)
	dir := filepath.Join(h.Dir, "vault")
	kept := filepath.Join(t.TempDir(), "vault")
	copyTree(t, dir, kept)
	fi, err := os.Stat(filepath.Join(kept, "vault.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", fi.Size()+24<<20)); err != nil {
		t.Fatalf("mounting a small file system needs root (run the tests as root, or with: unshare --user --map-root-user --mount): %v", err)
	}
	t.Cleanup(func() {
		h.Stop()
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	copyTree(t, kept, dir)
	from := time.Now()
	h.Start("demo")
	r := readWithoutPause(t, h)
	r.more(t, 50)
	// Somebody reads meanwhile, a backup for instance: or else the vault could write its log anew over its own beginning, which takes
	// no room, and then would rightly reveal.
	reading, err := readOnly(t, vaultDB(h)).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Rollback()
	var leaves int
	if err := reading.QueryRow("SELECT count(*) FROM leaf").Scan(&leaves); err != nil {
		t.Fatal(err)
	}
	r.more(t, 50)
	filler, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 4096)
	for err = nil; err == nil; {
		_, err = filler.Write(block)
	}
	filler.Close()
	waitFor(t, h, "free space or mend the disk")
	r.none(t, "full disk")
	if err := os.Remove(filler.Name()); err != nil {
		t.Fatal(err)
	}
	r.more(t, 20) // it started again by itself
	r.settle(t, h, from)
}

// A flush that fails leaves it open what is on the disk: nothing is revealed any more, the vault stops and starts anew.
func TestAFailingFlushRevealsNothing(t *testing.T) {
	h := copyOfFilled(t)
	from := time.Now()
	h.Start("demo")
	r := readWithoutPause(t, h)
	r.more(t, 50)
	strace := exec.Command("strace", "-f", "-qq", "-o", "/dev/null", "-p", strconv.Itoa(h.Process("vault")), "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO")
	var said bytes.Buffer
	strace.Stderr = &said
	if err := strace.Start(); err != nil {
		t.Fatalf("strace is needed (apt-get install strace): %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- strace.Wait() }()
	waitFor(t, h, "commit ended in doubt")
	waitFor(t, h, "a process ended; starting it again")
	select {
	case <-ended: // with the process that it held
	case <-time.After(10 * time.Second):
		strace.Process.Kill()
		t.Errorf("strace held on: %s", said.String())
	}
	r.more(t, 20)
	r.settle(t, h, from)
}

// A limit on the size of files stands for a disk that refuses: the vault ends at the write, and with it every answer.
func TestARefusedWriteRevealsNothing(t *testing.T) {
	h := copyOfFilled(t)
	from := time.Now()
	h.Start("demo")
	r := readWithoutPause(t, h)
	r.more(t, 50)
	pid := h.Process("vault")
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 4096, Max: 4096}, nil); err != nil {
		t.Fatal(err)
	}
	waitFor(t, h, "a process ended; starting it again")
	r.more(t, 20)
	r.settle(t, h, from)
}

// Vault and worker are killed, each alone, while a file comes in: the supervisor starts them again, and the file is
// stored whole or can be loaded again.
func TestOneProcessKilledInAnImport(t *testing.T) {
	for _, name := range []string{"vault", "worker"} {
		t.Run(name, func(t *testing.T) {
			h := copyOfFilled(t)
			h.Start("demo")
			coordinator(t, h)
			file := filepath.Join(t.TempDir(), "report.csv")
			write(t, file, reissued(t, "6"))
			rows := bytes.Count(read(t, file), []byte("\r\n")) - 1
			before := number(t, registerDB(h), "SELECT count(*) FROM reading")
			newest := "SELECT count(*) FROM import WHERE created > " + strconv.Itoa(number(t, registerDB(h), "SELECT max(created) FROM import")) + " AND state IN "
			cmd, _ := background(t, h, "import", "--yes", file)
			until(t, h, registerDB(h), newest+"('importing', 'stored', 'done')")
			if err := syscall.Kill(h.Process(name), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Logf("the command line: %v", err)
			}
			waitFor(t, h, "a process ended; starting it again")
			until(t, h, registerDB(h), newest+"('done', 'failed')")
			if out, err := h.Run("import", "--yes", file); err != nil && !strings.Contains(out, "this very file was imported") {
				t.Errorf("the same file is not taken afterwards: %v\n%s", err, out)
			}
			if n := number(t, registerDB(h), "SELECT count(*) FROM reading"); n-before != rows {
				t.Errorf("%d of %d rows are stored", n-before, rows)
			}
			if out, err := h.Run("verify"); err != nil {
				t.Errorf("verify: %v\n%s", err, out)
			}
		})
	}
}

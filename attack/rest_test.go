package attack_test

import (
	"bytes"
	"compress/flate"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/attack/scan"
	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/store/postgres/server"
	"github.com/dosevault/dosevault/internal/synth"
)

// people is what a demonstration of that size is filled with: the program makes the same from the same seed.
func people(seed uint64, n string) *synth.Service {
	c := synth.Default()
	c.Seed = seed
	c.People, _ = strconv.Atoi(n)
	return synth.Generate(c)
}

// seeded is everything that a demonstration of the small size is filled with, and what to look for of it.
var seeded = sync.OnceValue(func() *synth.Service { return people(1, small) })

var seededSet = sync.OnceValues(func() (*scan.Set, error) { return scan.Compile(personal(seeded())...) })

// personal lists the values of a service that must not be readable: every text of the marker people, and of everybody
// else what chance would not write.
func personal(s *synth.Service) []scan.Marker {
	var all []scan.Marker
	add := func(m scan.Marker) { all = append(all, m) }
	birth := func(what string, v person.Value) {
		if d, err := day.Parse(v.Expose()); err == nil && !d.IsZero() {
			t := d.Time()
			add(scan.Date(what, t.Year(), t.Month(), t.Day()))
		}
	}
	for _, m := range s.Markers {
		what := fmt.Sprintf("%s of marker person %d", m.Field, m.Person)
		switch m.Field {
		case policy.FieldBirth:
			birth(what, person.NewValue(m.Text))
		case policy.FieldNI:
			add(scan.NI(what, m.Text))
		case policy.FieldDose:
			n, err := strconv.ParseInt(m.Text, 10, 64)
			if err != nil {
				panic(err)
			}
			add(scan.Dose(what, n))
			add(scan.Text(what+" in digits", m.Text))
			add(scan.Bytes(what+" in eight bytes", bigEndian(n))) // as a sealed reading has it inside
		default:
			add(scan.Text(what, m.Text))
		}
	}
	text := func(what string, v string) {
		if len(v) >= 10 {
			add(scan.Text(what, v))
		}
	}
	for i, w := range s.Wearers {
		if w.Marker {
			continue
		}
		who := " of wearer " + strconv.Itoa(i)
		text("name"+who, w.Identity.Forenames.Expose()+" "+w.Identity.Surname.Expose())
		text("name, surname first"+who, w.Identity.Surname.Expose()+", "+w.Identity.Forenames.Expose())
		birth("birth"+who, w.Identity.Birth)
		if !w.NI.IsZero() {
			add(scan.NI("NI number"+who, w.NI.Expose()))
		}
		text("e-mail"+who, w.Contact.Email.Expose())
		text("telephone"+who, w.Contact.Phone.Expose())
		if len(w.Contact.Address) > 1 {
			text("address"+who, w.Contact.Address[0].Expose()+", "+w.Contact.Address[1].Expose())
		}
		text("registration"+who, w.Identity.Registration.Expose())
		text("job title"+who, w.Role)
	}
	for i, o := range s.Organisations {
		text("name of organisation "+strconv.Itoa(i), o.Name)
	}
	return all
}

func bigEndian(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// nothingReadable scans a directory and texts for a set.
func nothingReadable(t *testing.T, set *scan.Set, dir string, printed ...string) {
	t.Helper()
	r, err := set.Dir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if r.Files < 2 || r.Bytes < 100_000 {
		t.Fatalf("only %d files with %d bytes were scanned: nothing is shown", r.Files, r.Bytes)
	}
	if c := set.Chance(r.Bytes); c > 0.01 {
		t.Fatalf("chance alone would find %.3f of these patterns in %d bytes", c, r.Bytes)
	}
	for i, f := range r.Findings {
		if i == 20 {
			t.Errorf("and %d more", len(r.Findings)-20)
			break
		}
		t.Errorf("readable at rest: %s", f)
	}
	for _, p := range printed {
		found, _, err := set.Reader(strings.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			t.Errorf("readable in what the program printed: %s", f)
		}
	}
}

// keys are the secret keys of a house and the command line's session token: none of them lies in the data directory.
func keys(t *testing.T, h *house.House) *scan.Set {
	t.Helper()
	var all []scan.Marker
	for _, name := range []string{"root.key", "epoch-1.key"} {
		for line := range strings.Lines(string(read(t, filepath.Join(h.Keys, "vault", name)))) {
			if b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line)); err == nil && len(b) == 32 {
				all = append(all, scan.Bytes(name, b))
			}
		}
	}
	if len(all) != 2 {
		t.Fatalf("%d of 2 keys were read", len(all))
	}
	if token, err := os.ReadFile(sessionOf(h)); err == nil {
		all = append(all, scan.Text("session token", strings.TrimSpace(string(token))))
	}
	set, err := scan.Compile(all...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func sessionOf(h *house.House) string {
	return filepath.Join(h.Home, ".config", "dosevault", "session")
}

// TestTheScanFindsWhatIsReadable is the control: the very same values, written down without sealing, are all found.
func TestTheScanFindsWhatIsReadable(t *testing.T) {
	t.Parallel()
	set, err := seededSet()
	if err != nil {
		t.Fatal(err)
	}
	s := seeded()
	var plain bytes.Buffer
	var eight [][]byte
	w := csv.NewWriter(&plain)
	for o := range s.Organisations {
		w.Write([]string{s.Organisations[o].Name})
		w.Flush()
		if err := s.WritePeopleCSV(&plain, o); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range s.Wearers {
		w.Write([]string{p.Identity.Forenames.Expose() + " " + p.Identity.Surname.Expose(), p.Identity.Surname.Expose() + ", " + p.Identity.Forenames.Expose(), p.Health.Note.Expose()})
		if len(p.Contact.Address) > 1 {
			w.Write([]string{p.Contact.Address[0].Expose() + ", " + p.Contact.Address[1].Expose()})
		}
	}
	w.Flush()
	for _, m := range s.Markers {
		if n, err := strconv.ParseInt(m.Text, 10, 64); err == nil && m.Field == policy.FieldDose {
			fmt.Fprintf(&plain, "%d\n%d µSv\n", n, n)
			eight = append(eight, bigEndian(n))
			plain.Write(bigEndian(n))
		}
	}
	var want []string
	for _, m := range personal(s) {
		want = append(want, m.Name)
	}
	slices.Sort(want)
	want = slices.Compact(want)

	dir := t.TempDir()
	db := openDB(t, filepath.Join(dir, "people.db"))
	if _, err := db.Exec("PRAGMA journal_mode(WAL)"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE plain (line BLOB)"); err != nil {
		t.Fatal(err)
	}
	for _, line := range append(bytes.Split(plain.Bytes(), []byte("\n")), eight...) {
		if _, err := db.Exec("INSERT INTO plain VALUES ($1)", line); err != nil {
			t.Fatal(err)
		}
	}
	for name, b := range map[string][]byte{
		"people.csv": plain.Bytes(), "people.hex": []byte(hex.EncodeToString(plain.Bytes())), "people.base64": []byte(base64.StdEncoding.EncodeToString(plain.Bytes())),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := set.Dir(dir)
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]map[string]bool{}
	for _, f := range r.Findings {
		name := f.File
		if strings.HasPrefix(name, "people.db") {
			name = "people.db" // with its write-ahead log
		}
		if in[name] == nil {
			in[name] = map[string]bool{}
		}
		in[name][f.Marker] = true
	}
	for _, file := range []string{"people.csv", "people.hex", "people.base64", "people.db"} {
		missed := 0
		for _, m := range want {
			if !in[file][m] {
				if missed++; missed <= 3 {
					t.Errorf("%s: not found: %s", file, m)
				}
			}
		}
		t.Logf("%s: %d of %d values found", file, len(want)-missed, len(want))
	}
}

// readOnly opens a database that a running program has open, without writing anything beside it.
func readOnly(t testing.TB, path string) *sql.DB {
	t.Helper()
	return connect(t, path, "?mode=ro&_pragma=busy_timeout(2000)&_pragma=query_only(1)")
}

// until polls a database of a running installation until a query gives a number above zero.
func until(t *testing.T, h *house.House, path, query string) {
	t.Helper()
	var db *sql.DB
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if db == nil {
			if fi, err := os.Stat(path); !server.Is(path) && (err != nil || fi.Size() == 0) {
				continue
			}
			db = readOnly(t, path)
			defer db.Close()
		}
		var n int
		if db.QueryRow(query).Scan(&n) == nil && n > 0 {
			return
		}
	}
	t.Fatalf("the program never came to: %s\n%s", query, h.Log())
}

// number returns the number that a query on a stopped installation gives.
func number(t *testing.T, path, query string, args ...any) int {
	t.Helper()
	db := openDB(t, path)
	defer db.Close()
	var n int
	if err := db.QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// TestKilledWhileItFills: promises 1 and 2. A demonstration is killed while its people, badges, results and the
// laboratory's file are on their way in; nothing of them can be read in any file it left, and the next start goes on.
func TestKilledWhileItFills(t *testing.T) {
	t.Parallel()
	set, err := seededSet()
	if err != nil {
		t.Fatal(err)
	}
	for i, at := range []struct{ name, query string }{
		{"people are taken on", "SELECT count(*) FROM import WHERE kind = 'people'"},
		{"badges are dispatched", "SELECT count(*) FROM import WHERE kind = 'dispatch'"},
		{"results are stored", "SELECT count(*) FROM import WHERE kind = 'laboratory'"},
		{"the file has arrived", "SELECT count(*) FROM document"},
	} {
		t.Run(at.name, func(t *testing.T) {
			h := house.New(t)
			h.Launch("demo", "--people", small)
			until(t, h, registerDB(h), at.query)
			time.Sleep(time.Duration(20*i) * time.Millisecond)
			h.Kill()
			nothingReadable(t, set, filepath.Dir(h.Dir), h.Log())
			nothingReadable(t, keys(t, h), h.Dir)
			if out, err := h.Run("verify"); err != nil {
				t.Errorf("verify right after the kill: %v\n%s", err, out)
			}
			if at.query != "SELECT count(*) FROM document" {
				return // what comes after is the same for all of them; once is enough
			}
			h.Start("demo", "--people", small)
			h.Stop()
			if out, err := h.Run("verify"); err != nil {
				t.Errorf("verify after the next start: %v\n%s", err, out)
			}
			if n := number(t, registerDB(h), "SELECT count(*) FROM import WHERE state <> 'done'"); n != 0 {
				t.Errorf("%d imports are half done", n)
			}
			nothingReadable(t, set, filepath.Dir(h.Dir), h.Log())
		})
	}
}

// coordinator signs the command line in as the demonstration's co-ordinator, through a link that she makes for it.
func coordinator(t *testing.T, h *house.House) {
	t.Helper()
	code, err := h.CommandLine(h.DemoUsers()["Eleri Vaughan"])
	if err != nil {
		t.Fatal(err)
	}
	if out, err := h.Run("signin", code); err != nil {
		t.Fatalf("signing in: %v\n%s", err, out)
	}
}

// reissued is a laboratory's file that the filled demonstration can take in: the last year's results under a version
// that it has not seen.
func reissued(t *testing.T, version string) []byte {
	t.Helper()
	var file bytes.Buffer
	if _, err := seeded().WriteDoseReport(&file, synth.ReportOptions{Year: 2026}); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	seen := map[string]bool{}
	for i, r := range records {
		if seen[r[30]] { // a version of a badge that this file has already
			continue
		}
		if seen[r[30]] = true; i > 0 {
			r[31] = version
		}
		w.Write(r)
	}
	w.Flush()
	return out.Bytes()
}

// background starts a command of the house in the background and returns what it printed so far.
func background(t *testing.T, h *house.House, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := h.Command(args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, &out
}

// TestKilledWhileAFileComesIn: the filled demonstration takes in a file and is killed on the way. Nothing can be read;
// the start after it goes on by itself; all of the file is stored, or none, and then the same file is taken.
func TestKilledWhileAFileComesIn(t *testing.T) {
	t.Parallel()
	killedWhileAFileComesIn(t, copyOfFilled, nil,
		killedAt{"previewing", "'previewing', 'previewed', 'confirmed', 'importing', 'stored', 'done'", 0},
		killedAt{"importing", "'importing', 'stored', 'done'", 0},
		killedAt{"importing, later", "'importing', 'stored', 'done'", 200 * time.Millisecond},
		killedAt{"stored", "'stored', 'done'", 0})
}

// killedAt is when a program is killed while a file comes in.
type killedAt struct {
	name, state string // a state that was looked for too late has become one of the others
	later       time.Duration
}

// killedWhileAFileComesIn kills houses; files is called when nothing may be readable at rest, to look elsewhere too.
func killedWhileAFileComesIn(t *testing.T, filled func(*testing.T) *house.House, files func(*testing.T, *house.House, *scan.Set), points ...killedAt) {
	t.Helper()
	set, err := seededSet()
	if err != nil {
		t.Fatal(err)
	}
	file := reissued(t, "7")
	rows := bytes.Count(file, []byte("\r\n")) - 1
	for _, at := range points {
		t.Run(at.name, func(t *testing.T) {
			h := filled(t)
			h.Start("demo", "--people", small)
			coordinator(t, h)
			path := filepath.Join(t.TempDir(), "report.csv")
			if err := os.WriteFile(path, file, 0o600); err != nil {
				t.Fatal(err)
			}
			before := number(t, registerDB(h), "SELECT count(*) FROM reading")
			newest := "SELECT count(*) FROM import WHERE created > " + strconv.Itoa(number(t, registerDB(h), "SELECT max(created) FROM import")) + " AND state IN "
			cmd, printed := background(t, h, "import", "--yes", path)
			until(t, h, registerDB(h), newest+"("+at.state+")")
			time.Sleep(at.later)
			h.Kill()
			cmd.Process.Kill()
			cmd.Wait()
			if files != nil {
				files(t, h, set)
			} else {
				nothingReadable(t, set, filepath.Dir(h.Dir), h.Log(), printed.String())
				nothingReadable(t, keys(t, h), h.Dir)
			}
			if out, err := h.Run("verify"); err != nil {
				t.Errorf("verify right after the kill: %v\n%s", err, out)
			}

			h.Start("demo", "--people", small)
			until(t, h, registerDB(h), newest+"('previewed', 'done', 'failed')")
			out, err := h.Run("import", "--yes", path)
			if err != nil && !strings.Contains(out, "this very file was imported") {
				t.Errorf("the same file is not taken after the kill: %v\n%s", err, out)
			}
			h.Stop()
			if out, err := h.Run("verify"); err != nil {
				t.Errorf("verify after the next start: %v\n%s", err, out)
			}
			if n := number(t, registerDB(h), "SELECT count(*) FROM reading"); n-before != rows {
				t.Errorf("%d of %d rows are stored", n-before, rows)
			}
			if n := number(t, registerDB(h), "SELECT count(*) FROM import i WHERE (SELECT count(*) FROM reading r WHERE r.import = i.id) NOT IN (0, rows_stored)"); n != 0 {
				t.Errorf("%d imports are stored in part", n)
			}
			if n := number(t, registerDB(h), "SELECT count(*) FROM import WHERE state NOT IN ('done', 'previewed', 'failed')"); n != 0 {
				t.Errorf("%d imports are half done", n)
			}
			if files != nil {
				files(t, h, set)
			} else {
				nothingReadable(t, set, filepath.Dir(h.Dir), h.Log(), out)
			}
		})
	}
}

// strangers is a list of people of an organisation whom nobody has seen before, and what is to be found nowhere of them.
func strangers(t *testing.T) (org int, list []byte, set *scan.Set) {
	t.Helper()
	c := synth.Default()
	c.Seed, c.People, c.Markers = 2, 60, 120
	fresh := synth.Generate(c)
	for i, w := range fresh.Wearers {
		if w.Marker {
			org = w.Organisation
		}
		// Not the staff numbers of those who are there.
		fresh.Wearers[i].Identity.StaffNumber = person.NewValue(fmt.Sprintf("77%08d", i*7919+31))
	}
	fresh.Markers = slices.DeleteFunc(fresh.Markers, func(m synth.Marker) bool {
		return fresh.Wearers[m.Wearer].Organisation != org || m.Field == policy.FieldStaffNumber
	})
	set, err := scan.Compile(personal(fresh)...)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := fresh.WritePeopleCSV(&b, org); err != nil {
		t.Fatal(err)
	}
	return org, b.Bytes(), set
}

// TestKilledWhilePeopleComeIn: the same for a list of people nobody has seen before, whose values the vault stages.
func TestKilledWhilePeopleComeIn(t *testing.T) {
	t.Parallel()
	org, list, set := strangers(t)
	rows := bytes.Count(list, []byte("\n")) - 1
	for _, at := range []struct {
		name  string
		vault bool
		query string // becomes more than it was
	}{
		{"entered", false, "SELECT count(*) FROM import"},
		{"staged", true, "SELECT (SELECT count(*) FROM staged) + (SELECT count(*) FROM wearer)"},
		{"stored", false, "SELECT count(*) FROM wearer"},
	} {
		t.Run(at.name, func(t *testing.T) {
			h := copyOfFilled(t)
			h.Start("demo", "--people", small)
			coordinator(t, h)
			path := filepath.Join(t.TempDir(), "people.csv")
			if err := os.WriteFile(path, list, 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"people", "import", "--yes", "--organisation", seeded().Organisations[org].Name, path}
			before := number(t, registerDB(h), "SELECT count(*) FROM wearer")
			look := registerDB(h)
			if at.vault {
				look = vaultDB(h)
			}
			query := fmt.Sprintf("SELECT (%s) > %d", at.query, number(t, look, at.query))
			cmd, printed := background(t, h, args...)
			until(t, h, look, query)
			h.Kill()
			cmd.Process.Kill()
			cmd.Wait()
			nothingReadable(t, set, filepath.Dir(h.Dir), h.Log(), printed.String())
			staged := number(t, vaultDB(h), "SELECT count(*) FROM staged")
			stored := number(t, registerDB(h), "SELECT count(*) FROM wearer") - before
			t.Logf("killed with %d people staged, %d in the register", staged, stored)

			h.Start("demo", "--people", small)
			until(t, h, registerDB(h), "SELECT count(*) = 0 FROM import WHERE state IN ('importing', 'stored')")
			out, err := h.Run(args...)
			if err != nil || !strings.Contains(out, "Stored: ") {
				t.Errorf("the same list is not taken after the kill: %v\n%s", err, out)
			}
			h.Stop()
			if out, err := h.Run("verify"); err != nil {
				t.Errorf("verify: %v\n%s", err, out)
			}
			if n := number(t, registerDB(h), "SELECT count(DISTINCT id) FROM wearer") - before; n != rows {
				t.Errorf("%d wearers were added by a list of %d, killed once and loaded again", n, rows)
			}
			if n := number(t, vaultDB(h), "SELECT count(*) FROM wearer") - before; n != rows {
				t.Errorf("the vault has %d wearers more, by a list of %d", n, rows)
			}
			if n := number(t, vaultDB(h), "SELECT count(*) FROM staged"); n != 0 {
				t.Errorf("%d people are still staged", n)
			}
			nothingReadable(t, set, filepath.Dir(h.Dir), h.Log())
		})
	}
}

// lengths are what a sealed column's values may measure: base plus a multiple of pad. one: the multiple is the same in
// every row, so that the length tells nothing at all. docs/security.md says the same in words.
var lengths = map[string]struct {
	base, pad int
	one       bool
}{
	"vault.secret.sealed":           {29, 36, true},
	"vault.organisation_key.sealed": {29, 36, true},
	"vault.wearer_key.sealed":       {29, 36, true},
	"vault.document_key.sealed":     {29, 36, true},
	"vault.organisation.sealed":     {29, 2048, true},
	"vault.user.sealed":             {29, 256, false}, // a user's organisations and wearers
	"vault.session.sealed":          {29, 256, true},
	"vault.link.sealed":             {29, 256, true},
	"vault.job_grant.sealed":        {29, 256, false}, // its organisations
	"vault.wearer.sealed":           {29, 256, true},
	"vault.import.sealed":           {29, 256, false}, // whom it names, as its entries' counts say too
	"vault.staged.sealed":           {29, 256, false}, // what of a person changes
	"vault.apart.sealed":            {29, 256, true},
	"vault.credential.sealed":       {29, 256, false}, // a passkey's key, or the name that a provider has for somebody
	"vault.provider.sealed":         {29, 256, false}, // its rules
	"vault.approval.sealed":         {29, 256, false}, // what is proposed
	"vault.policy.sealed":           {29, 256, false}, // the texts
	"vault.frozen.sealed":           {29, 256, false}, // why
	"vault.budget.sealed":           {29, 256, false}, // of how many classes
	"vault.alarm.sealed":            {29, 256, false}, // about what, and how it was acknowledged
	"vault.setting.sealed":          {29, 256, false},
	"vault.incident.sealed":         {29, 256, false},  // how much was written
	"vault.exposed.sealed":          {29, 1024, false}, // how many wearers became readable
	"vault.tally.sealed":            {29, 256, true},
	"vault.field.sealed":            {29, 32, false},  // by class; see below
	"vault.opening.sealed":          {29, 256, false}, // whom and how many it names, as the leaf's count says too
	"register.organisation.sealed":  {31, 8192, true},
	"register.wearer.sealed":        {31, 512, true},
	"register.wearer.health":        {31, 256, true},
	"register.wear_period.sealed":   {31, 16, true},
	"register.reading.sealed":       {31, 64, true},
	"register.investigation.sealed": {31, 2048, true},
	"register.document.sealed":      {31, 4096, false}, // the file's size
}

// inTheClear are the blobs in the clear, which are no ciphertexts: random ids and hashes that docs/security.md lists.
var inTheClear = map[string]bool{
	"vault.meta.value": true, "vault.log.checkpoint": true, "vault.leaf.data": true, "vault.node.hash": true,
	"register.wearer.organisation": true, "register.wearer.import": true, "register.wear_period.organisation": true, "register.wear_period.wearer": true,
	"register.wear_period.import": true, "register.reading.wear_period": true, "register.reading.import": true, "register.investigation.organisation": true,
	"register.investigation.import": true, "register.investigation.tag": true, "register.import.job_grant": true, "register.import.sha256": true, "register.document.import": true,
	"register.wearer.id": true, "register.reading.wearer": true, "register.movement.by_user": true, "register.import.owner": true, "register.profile.import": true,
}

// TestEqualContentsLookDifferent: frequency and length. No two sealed values share a ciphertext, a nonce or a block,
// whatever is in them; lengths are the padded ones only; and no row of a table stands out by its length but where that is listed.
func TestEqualContentsLookDifferent(t *testing.T) {
	t.Parallel()
	h := copyOfFilled(t)
	whole, nonces, blocks := map[string]string{}, map[string]string{}, map[string]string{}
	seen := map[string]bool{}
	var all bytes.Buffer
	for name, path := range map[string]string{"vault": vaultDB(h), "register": registerDB(h)} {
		db := openDB(t, path)
		for table, columns := range schema(t, db) {
			for _, c := range columns {
				full := name + "." + table + "." + c.name
				if c.kind != "BLOB" {
					continue
				}
				want, isSealed := lengths[full]
				if !isSealed {
					if c.name != "id" && !inTheClear[full] {
						t.Errorf("%s is neither a ciphertext with a known length nor listed as plain", full)
					}
					continue
				}
				seen[full] = true
				values, err := db.Query("SELECT " + c.name + " FROM " + table)
				if err != nil {
					t.Fatal(err)
				}
				sizes := map[int]int{}
				for values.Next() {
					var v []byte
					if err := values.Scan(&v); err != nil {
						t.Fatal(err)
					}
					if len(v) <= 29 {
						t.Fatalf("%s: a value of %d bytes", full, len(v))
					}
					sizes[len(v)]++
					if other, twice := whole[string(v)]; twice {
						t.Errorf("%s shares a ciphertext with %s", full, other)
					}
					whole[string(v)] = full
					v = v[want.base-28:] // without the versions of the formats, which are in the clear
					if other, twice := nonces[string(v[:12])]; twice {
						t.Errorf("%s shares a nonce with %s", full, other)
					}
					nonces[string(v[:12])] = full
					for at := 12; at+16 <= len(v); at += 16 {
						if other, twice := blocks[string(v[at:at+16])]; twice {
							t.Fatalf("%s shares a block with %s", full, other)
						}
						blocks[string(v[at:at+16])] = full
					}
					all.Write(v)
				}
				if err := values.Err(); err != nil {
					t.Fatal(err)
				}
				for n := range sizes {
					if (n-want.base)%want.pad != 0 {
						t.Errorf("%s: a length of %d bytes, which is not %d and a multiple of %d", full, n, want.base, want.pad)
					}
				}
				if want.one && len(sizes) > 1 {
					t.Errorf("%s: lengths %v, so they tell something of the contents", full, sizes)
				}
			}
		}
		db.Close()
	}
	for full := range lengths {
		if !seen[full] {
			t.Errorf("%s: there is no such column any more", full)
		}
	}
	if len(whole) < 5000 {
		t.Fatalf("only %d sealed values were looked at", len(whole))
	}
	// What is random can't be made shorter.
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(all.Bytes())
	w.Close()
	if packed.Len() < all.Len() {
		t.Errorf("%d bytes of ciphertext can be packed into %d: they are not random", all.Len(), packed.Len())
	}

	// A wearer's three fields have one length each, whoever the wearer is, and everybody has all three.
	for _, q := range []struct {
		what, query string
		want        int
	}{
		{"lengths of one class of a wearer's fields", "SELECT max(n) FROM (SELECT count(DISTINCT length(sealed)) n FROM field GROUP BY substr(id, 17, 1))", 1},
		{"different numbers of classes that wearers have", "SELECT count(DISTINCT n) FROM (SELECT count(DISTINCT substr(id, 17, 1)) n FROM field GROUP BY substr(id, 1, 16))", 1},
		{"different numbers of keys that wearers have", "SELECT count(DISTINCT n) FROM (SELECT count(*) n FROM wearer_key GROUP BY substr(id, 1, 16))", 1},
		{"wearers without fields", "SELECT count(*) FROM wearer WHERE NOT EXISTS (SELECT 1 FROM field WHERE substr(field.id, 1, 16) = wearer.id)", 0},
	} {
		if n := number(t, vaultDB(h), q.query); n != q.want {
			t.Errorf("%s: %d, want %d", q.what, n, q.want)
		}
	}
}

type column struct {
	name, kind string
	key        int // place in the primary key, from 1; 0: not in it
}

// schema returns every table of the program's with its columns, as the database itself says.
func schema(t testing.TB, db *sql.DB) map[string][]column {
	t.Helper()
	rows, err := db.Query("SELECT m.name, c.name, c.type, c.pk FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name <> 'goose_db_version'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := map[string][]column{}
	for rows.Next() {
		var table string
		var c column
		if err := rows.Scan(&table, &c.name, &c.kind, &c.key); err != nil {
			t.Fatal(err)
		}
		out[table] = append(out[table], c)
	}
	if err := rows.Err(); err != nil || len(out) < 7 {
		t.Fatalf("%d tables: %v", len(out), err)
	}
	return out
}

// TestWithoutItsKeysACopyIsRefused: promise 2. Somebody has everything in the data directory and tries the keys of
// another installation, some of the right ones, or none.
func TestWithoutItsKeysACopyIsRefused(t *testing.T) {
	t.Parallel()
	other := copyOfFilled(t)
	if err := os.RemoveAll(other.Dir); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(other.Keys); err != nil {
		t.Fatal(err)
	}
	other.Start("serve")
	other.Stop()
	for name, do := range map[string]struct {
		spoil func(h *house.House)
		want  string
	}{
		"no keys":                            {func(h *house.House) { os.RemoveAll(h.Keys) }, "holds no keys"},
		"the keys of another installation":   {func(h *house.House) { os.RemoveAll(h.Keys); copyTree(t, other.Keys, h.Keys) }, "key"},
		"another root key, with the head":    {func(h *house.House) { swapFile(t, other, h, "root.key") }, "key"},
		"another epoch key, the right root":  {func(h *house.House) { swapFile(t, other, h, "epoch-1.key") }, "key"},
		"another installation's head beside": {func(h *house.House) { swapFile(t, other, h, "head") }, "head"},
	} {
		t.Run(name, func(t *testing.T) {
			h := copyOfFilled(t)
			do.spoil(h)
			for _, args := range [][]string{{"verify"}, {"demo", "--once", "--people", small, "--listen", h.Listen, "--vault-listen", h.Vault}} {
				out, err := h.Run(args...)
				if err == nil {
					t.Errorf("%v opened it:\n%s", args, out)
				}
				if !strings.Contains(out, do.want) || strings.Contains(out, "panic") || strings.Contains(out, "goroutine") {
					t.Errorf("%v does not say what is wrong:\n%s", args, out)
				}
			}
			if _, err := os.Stat(filepath.Join(h.Keys, "vault", "root.key")); name == "no keys" && err == nil {
				t.Error("new keys were made for an old installation")
			}
		})
	}
}

func swapFile(t *testing.T, from, to *house.House, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(to.Keys, "vault", name), read(t, filepath.Join(from.Keys, "vault", name)), 0o600); err != nil {
		t.Fatal(err)
	}
}

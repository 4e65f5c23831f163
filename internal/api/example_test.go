package api

import (
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// The commands that docs/api.md shows are run as they stand there.
func TestTheWorkedExample(t *testing.T) {
	h := newHouse(t)
	server := httptest.NewServer(h.api)
	defer server.Close()
	doc, err := os.ReadFile("../../docs/api.md")
	h.ok(err)
	dir, err := filepath.Abs("../../docs")
	h.ok(err)
	work := t.TempDir()
	env := append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "ORGANISATION="+h.a.String())
	keys := map[string][]byte{}
	for name, kind := range map[string]string{"reporting": "doses", "hr": "staff"} {
		m, _ := h.machine(kind, 500)
		keys[name] = m.Public()
		der, err := x509.MarshalPKCS8PrivateKey(m.Key)
		h.ok(err)
		h.ok(os.WriteFile(filepath.Join(work, name+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
		env = append(env, strings.ToUpper(name)+"="+m.ID)
	}
	commands := regexp.MustCompile(`(?m)^\$ ((?:dosevault-call|echo) .*)$`).FindAllStringSubmatch(string(doc), -1)
	if len(commands) < 8 {
		t.Fatalf("%d commands", len(commands))
	}
	for _, c := range commands {
		run := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(c[1], "http://localhost:8080", server.URL))
		run.Env, run.Dir = env, work
		out, err := run.CombinedOutput()
		if err != nil || len(out) == 0 && !strings.HasPrefix(c[1], "echo") {
			t.Errorf("%s: %v\n%s%s", c[1], err, out, h.log.String())
		}
	}
	// OpenSSL's fingerprint of a key is the one that the pages show.
	shown := regexp.MustCompile(`(?m)^\$ (openssl .*dgst.*)$`).FindStringSubmatch(string(doc))
	if shown == nil {
		t.Fatal("it does not say how a fingerprint is computed")
	}
	print := exec.CommandContext(t.Context(), "sh", "-c", shown[1])
	print.Dir = work
	printed, err := print.Output()
	h.ok(err)
	if want := vc.Fingerprint(keys["reporting"]); !strings.Contains(string(printed), strings.ReplaceAll(want, " ", "")) {
		t.Errorf("%s says %s, and the pages say %s", shown[1], printed, want)
	}
	// OpenSSL's form of a public key is the one that is read.
	pub, err := exec.CommandContext(t.Context(), "openssl", "pkey", "-in", filepath.Join(work, "hr.key"), "-pubout").Output()
	h.ok(err)
	if _, err := vc.ParseMachineKey(string(pub)); err != nil {
		t.Error(err)
	}
	if orgs, err := h.cli.Organisations(t.Context(), h.root); err != nil || orgs[0].Wearers != 2 {
		t.Errorf("after the example: %+v, %v", orgs, err)
	}
}

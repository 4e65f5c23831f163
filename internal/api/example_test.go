package api

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The commands that docs/api.md shows are run as they stand there.
func TestTheWorkedExample(t *testing.T) {
	h := newHouse(t)
	server := httptest.NewServer(h.api)
	defer server.Close()
	doc, err := os.ReadFile("../../docs/api.md")
	h.ok(err)
	reporting, _ := h.machine("doses", 500)
	hr, _ := h.machine("staff", 500)
	commands := regexp.MustCompile(`(?m)^\$ (curl (?:.*\\\n)*.*)$`).FindAllStringSubmatch(string(doc), -1)
	if len(commands) < 5 {
		t.Fatalf("%d commands", len(commands))
	}
	for _, c := range commands {
		run := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(c[1], "http://localhost:8080", server.URL))
		run.Env = append(os.Environ(), "REPORTING="+reporting, "HR="+hr, "ORGANISATION="+h.a.String())
		out, err := run.CombinedOutput()
		if err != nil || len(out) == 0 {
			t.Errorf("%s: %v\n%s%s", c[1], err, out, h.log.String())
		}
	}
	if orgs, err := h.cli.Organisations(t.Context(), h.root); err != nil || orgs[0].Wearers != 2 {
		t.Errorf("after the example: %+v, %v", orgs, err)
	}
}

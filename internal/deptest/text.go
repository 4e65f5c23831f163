package deptest

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
)

// machine finds what belongs to one machine: absolute paths of somebody's work tree or home, and hosts that
// packages came from. The words are put together here, so that this file does not find itself.
var machine = regexp.MustCompile(`(?:^|[^\w./~-])/(?:work|root|home)/|` + strings.Join([]string{
	"proxy" + `\.golang`, "sum" + `\.golang`, "registry" + `\.npmjs`, "deb" + `\.debian`, "security" + `\.debian`, "archive" + `\.ubuntu`, "pypi" + `\.org`, "go" + "proxy=http", "artifact" + "ory",
}, "|"))

// CheckText reports lines of a text file that name a path of a machine or a host that packages come from.
// A file with a zero byte is no text.
func CheckText(name string, content []byte) (bad []Violation) {
	if bytes.IndexByte(content, 0) >= 0 {
		return nil
	}
	for i, line := range bytes.Split(content, []byte("\n")) {
		if m := machine.Find(bytes.ToLower(line)); m != nil {
			bad = append(bad, Violation{lineOf(name, i+1), "holds " + strings.TrimSpace(string(m)), "the repository holds no path or package host of one machine"})
		}
	}
	return bad
}

// Command is one command line of a document.
type Command struct {
	Where string // file:line
	Args  []string
}

// Commands returns the command lines of a document's console blocks: the lines that begin with "$ ", joined with
// the next where they end in a backslash, and cut at a comment, pipe or redirection.
func Commands(name string, document string) (all []Command) {
	inside := false
	lines := strings.Split(document, "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		if strings.HasPrefix(line, "```") {
			inside = line == "```console"
			continue
		}
		text, ok := strings.CutPrefix(line, "$ ")
		if !inside || !ok {
			continue
		}
		at := i + 1
		for strings.HasSuffix(text, `\`) && i+1 < len(lines) {
			i++
			text = strings.TrimSuffix(text, `\`) + " " + strings.TrimSpace(lines[i])
		}
		var args []string
		for _, word := range strings.Fields(text) {
			if strings.ContainsAny(word[:1], "#|>&;<") {
				break
			}
			args = append(args, word)
		}
		if len(args) > 0 {
			all = append(all, Command{lineOf(name, at), args})
		}
	}
	return all
}

// Own returns the part of a command that is the house's: a script below ./, a directory below cmd/, and the words
// before the first argument in capitals or flag (the subcommand). All are empty for another program's command.
func (c Command) Own() (script, dir string, sub []string) {
	args := c.Args
	for len(args) > 0 && (args[0] == "sudo" || strings.Contains(args[0], "=") && !strings.HasPrefix(args[0], "-")) {
		args = args[1:] // sudo and NAME=value before the command
	}
	if len(args) == 0 {
		return "", "", nil
	}
	switch {
	case len(args) >= 3 && args[0] == "go" && args[1] == "run" && strings.HasPrefix(args[2], "./cmd/"):
		dir, args = strings.TrimPrefix(args[2], "./"), args[3:]
	case args[0] == "dosevault" || args[0] == "./dosevault":
		dir, args = "cmd/dosevault", args[1:]
	case args[0] == "dosevault-vault":
		dir, args = "cmd/dosevault-vault", args[1:]
	case strings.HasPrefix(args[0], "./"):
		return strings.TrimPrefix(args[0], "./"), "", nil
	default:
		return "", "", nil
	}
	for _, a := range args {
		if strings.HasPrefix(a, "-") || !subcommand.MatchString(a) {
			break
		}
		sub = append(sub, a)
	}
	return "", dir, sub
}

var subcommand = regexp.MustCompile(`^[a-z][a-z-]*$`)

func lineOf(name string, line int) string { return name + ":" + strconv.Itoa(line) }

var link = regexp.MustCompile(`\]\(([^)\s#:]+)(?:#[^)\s]*)?\)`)

// Links returns the paths of a document's links and pictures within the repository.
func Links(document string) (all []string) {
	for _, m := range link.FindAllStringSubmatch(document, -1) {
		all = append(all, m[1])
	}
	return all
}

// Package testcorpus is for fuzz tests: it reads their committed inputs, so that a test can tell whether one is missing, and puts
// back what they work on.
package testcorpus

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Names lists the inputs of a fuzz test of the package that is tested.
func Names(fuzz string) ([]string, error) {
	files, err := os.ReadDir(filepath.Join("testdata", "fuzz", fuzz))
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names, err
}

// Read reads one of its inputs: the values in order, of which each is a text, bytes or a byte.
func Read(fuzz, name string) ([][]byte, error) {
	b, err := os.ReadFile(filepath.Join("testdata", "fuzz", fuzz, name))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	var out [][]byte
	for i, line := range lines[1:] {
		_, literal, _ := strings.Cut(strings.TrimSuffix(line, ")"), "(")
		text, err := strconv.Unquote(literal)
		if err != nil {
			return nil, fmt.Errorf("%s/%s, line %d: %w", fuzz, name, i+2, err)
		}
		if strings.HasPrefix(line, "byte(") {
			r := []rune(text)
			text = string([]byte{byte(r[0])})
		}
		out = append(out, []byte(text))
	}
	return out, nil
}

// CopyFiles copies a directory's files, which only their owner may read.
func CopyFiles(to, from string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.Join(to, strings.TrimPrefix(path, from))
		if d.IsDir() {
			return os.MkdirAll(name, 0o700)
		}
		if !d.Type().IsRegular() {
			return nil // the socket
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(name, b, 0o600)
	})
}

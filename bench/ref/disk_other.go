//go:build !linux

package ref

import "os"

// FileSystem names no file system here: only Linux tells which it is.
func FileSystem(dir string) (string, error) {
	if _, err := os.Stat(dir); err != nil {
		return "", err
	}
	return "unknown file system", nil
}

func fdatasync(f *os.File) error { return f.Sync() }

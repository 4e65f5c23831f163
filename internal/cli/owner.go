package cli

import (
	"io/fs"
	"os"
	"path/filepath"
)

// ownership hands each process what is its own: the vault its database and keys, the nodes theirs, and the register and
// the socket's directory to their common group. Users are base (vault), base+1 (web node), base+2 (worker); group base.
func ownership(p place, base int) error {
	give := func(root string, uid int, dirs, files os.FileMode) error {
		return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			mode := files
			if d.IsDir() {
				mode = dirs
			}
			if err := os.Lchown(path, uid, base); err != nil || d.Type()&fs.ModeType&^fs.ModeDir != 0 {
				return err
			}
			return os.Chmod(path, mode)
		})
	}
	for _, own := range []struct {
		path        string
		uid         int
		dirs, files os.FileMode
	}{
		{filepath.Join(p.Dir, "vault"), base, 0o700, 0o600},
		{filepath.Join(p.Keys, "vault"), base, 0o700, 0o600},
		{filepath.Join(p.Dir, "register"), base + 1, 0o770, 0o660},
		{filepath.Join(p.Dir, "run"), base, 0o750, 0o660},
	} {
		if err := give(own.path, own.uid, own.dirs, own.files); err != nil {
			return err
		}
	}
	for i, node := range []string{"web", "worker"} {
		for _, suffix := range []string{".key", ".crt"} {
			path := filepath.Join(p.Keys, "nodes", node+suffix)
			if err := os.Chown(path, base+1+i, base); err != nil {
				return err
			}
		}
	}
	// The directories above are passed through, not listed; the vault's certificate is for everybody.
	for _, path := range []string{p.Dir, p.Keys, filepath.Join(p.Keys, "nodes")} {
		if err := os.Chmod(path, 0o711); err != nil {
			return err
		}
	}
	return os.Chmod(filepath.Join(p.Keys, "nodes", "vault.crt"), 0o644)
}

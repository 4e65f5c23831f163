package ref

import (
	"fmt"
	"os"
	"syscall"
)

// fileSystems names the magic numbers of statfs(2).
var fileSystems = map[int64]string{
	0xEF53: "ext4", 0x58465342: "xfs", 0x9123683E: "btrfs", 0x2FC12FC1: "zfs", 0xF2F52010: "f2fs", 0x794C7630: "overlay",
	0x6969: "nfs", 0x65735546: "fuse", 0x01021997: "9p", 0x01021994: "tmpfs", 0x858458F6: "ramfs",
}

// FileSystem returns the name of the file system that dir lies on; tmpfs and ramfs are ErrMemory.
func FileSystem(dir string) (string, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return "", fmt.Errorf("ref: asking for the file system of %s: %w", dir, err)
	}
	return named(int64(st.Type) & 0xFFFFFFFF) //nolint:unconvert // the type differs between architectures
}

func named(magic int64) (string, error) {
	switch name := fileSystems[magic]; name {
	case "tmpfs", "ramfs":
		return name, ErrMemory
	case "":
		return fmt.Sprintf("file system %#x", magic), nil
	default:
		return name, nil
	}
}

func fdatasync(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }

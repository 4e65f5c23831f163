package vaultcmd

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// Certificate names the files, in PEM, that pages are served with. Without them they are plain HTTP.
type Certificate struct{ Cert, Key string }

// Listen listens for browsers. A certificate that is renewed is used from the next connection on; while its files can't be
// used, the one before is, and the log says so.
func (c Certificate) Listen(ctx context.Context, address string, log *slog.Logger) (net.Listener, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	if c.Cert != "" {
		files := &files{Certificate: c, log: log}
		if err := files.load(); err != nil {
			return nil, fmt.Errorf("reading the pages' certificate: %w", err)
		}
		conf.GetCertificate = files.get
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil || c.Cert == "" {
		return l, err
	}
	return tls.NewListener(l, conf), nil
}

// files is a certificate with what its files were when they were read.
type files struct {
	Certificate
	log *slog.Logger

	mu     sync.Mutex
	read   [2]time.Time // when certificate and key had changed last
	loaded *tls.Certificate
}

// load reads the files, where they have changed. The caller holds the lock, or is alone.
func (f *files) load() error {
	var changed [2]time.Time
	for i, name := range []string{f.Cert, f.Key} {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		changed[i] = info.ModTime()
	}
	if f.loaded != nil && changed == f.read {
		return nil
	}
	c, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return err
	}
	f.read, f.loaded = changed, &c
	return nil
}

func (f *files) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.load(); err != nil {
		f.log.Warn("the pages' certificate can't be read again; the one before is used on", "error", err)
	}
	return f.loaded, nil
}

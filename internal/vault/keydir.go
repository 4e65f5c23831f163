package vault

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/seal"
)

// KeyDir is the directory with what must never lie beside the databases. Its files (0600 in directories of 0700):
//
//	vault/root.key        the root key: wraps the vault's own secrets
//	vault/epoch-1.key     the epoch key: wraps the wearers', organisations' and documents' keys
//	vault/tls.key, .crt   who the vault is to its nodes
//	vault/nodes/NAME.crt  the nodes that may call
//	vault/head            the installation log's last checkpoint: what the database is held against at start; see head.go
//	nodes/NAME.key, .crt  a node's own key; belongs on the node's host
//	nodes/vault.crt       the vault's certificate, which nodes insist on
//
// A key file is one line of comment and one line of base64.
type KeyDir string

const keyFileHead = "# dosevault key, version 1: 32 secret bytes"

// CheckKeyDir refuses key directories that lie inside the data directory, or the other way round.
func CheckKeyDir(keys, dir string) error {
	k, err := filepath.Abs(keys)
	if err != nil {
		return err
	}
	d, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	// Compare what the names lead to, as far as it exists, so that a link does not hide one in the other.
	k, d = resolve(k), resolve(d)
	inside := func(a, b string) bool {
		rel, err := filepath.Rel(b, a)
		return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
	}
	if inside(k, d) || inside(d, k) {
		return errors.New("the key directory and the data directory must lie apart: whoever copies one must not get the other; give --keys another place")
	}
	return nil
}

func resolve(path string) string {
	if r, err := filepath.EvalSymlinks(path); err == nil {
		return r
	}
	parent := filepath.Dir(path)
	if parent == path {
		return path
	}
	return filepath.Join(resolve(parent), filepath.Base(path))
}

func (d KeyDir) path(parts ...string) string {
	return filepath.Join(append([]string{string(d)}, parts...)...)
}

// Create makes the directory with new keys and a certificate for each node. It refuses one that holds keys already.
func (d KeyDir) Create(nodes []string, now time.Time) error {
	if d.Exists() {
		return fmt.Errorf("%s holds keys already; nothing was changed", d)
	}
	for _, sub := range []string{"", "vault", "vault/nodes", "nodes"} {
		if err := os.MkdirAll(d.path(sub), 0o700); err != nil {
			return fmt.Errorf("making the key directory: %w", err)
		}
	}
	if err := writeCertificate(d.path("vault", "tls"), "vault", now); err != nil {
		return err
	}
	if err := copyFile(d.path("vault", "tls.crt"), d.path("nodes", "vault.crt")); err != nil {
		return err
	}
	for _, n := range nodes {
		if err := writeCertificate(d.path("nodes", n), n, now); err != nil {
			return err
		}
		if err := copyFile(d.path("nodes", n+".crt"), d.path("vault", "nodes", n+".crt")); err != nil {
			return err
		}
	}
	if err := writeKey(d.path("vault", "epoch-1.key"), seal.NewKey()); err != nil {
		return err
	}
	// The root key comes last: with it, the directory is complete.
	return writeKey(d.path("vault", "root.key"), seal.NewKey())
}

// Exists reports whether the directory holds a root key.
func (d KeyDir) Exists() bool {
	_, err := os.Lstat(d.path("vault", "root.key"))
	return err == nil
}

// Root reads the root key.
func (d KeyDir) Root() (seal.Key, error) { return readKey(d.path("vault", "root.key")) }

// Epoch reads an epoch key.
func (d KeyDir) Epoch(n int) (seal.Key, error) {
	return readKey(d.path("vault", fmt.Sprintf("epoch-%d.key", n)))
}

// Nodes reads the certificates of the nodes that may call, by name.
func (d KeyDir) Nodes() (map[string]*x509.Certificate, error) {
	files, err := filepath.Glob(d.path("vault", "nodes", "*.crt"))
	if err != nil {
		return nil, err
	}
	nodes := make(map[string]*x509.Certificate, len(files))
	for _, f := range files {
		c, err := ReadCertificate(f)
		if err != nil {
			return nil, err
		}
		nodes[strings.TrimSuffix(filepath.Base(f), ".crt")] = c
	}
	return nodes, nil
}

// TLS reads the vault's own key and certificate.
func (d KeyDir) TLS() (tls.Certificate, error) {
	return tls.LoadX509KeyPair(d.path("vault", "tls.crt"), d.path("vault", "tls.key"))
}

// ReadCertificate reads a certificate file.
func ReadCertificate(path string) (*x509.Certificate, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("%s holds no certificate", path)
	}
	return x509.ParseCertificate(block.Bytes)
}

func readKey(path string) (k seal.Key, err error) {
	info, err := os.Lstat(path)
	if err != nil {
		return k, fmt.Errorf("reading a key: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return k, fmt.Errorf("%s must be a plain file that only its owner may read: chmod 600 it", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return k, fmt.Errorf("reading a key: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	if !lines.Scan() || lines.Text() != keyFileHead || !lines.Scan() {
		return k, fmt.Errorf("%s is not a key file of version 1", path)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(lines.Text())
	if err != nil || len(raw) != len(k) {
		return k, fmt.Errorf("%s does not hold 32 bytes in base64", path)
	}
	copy(k[:], raw)
	return k, nil
}

func writeKey(path string, k seal.Key) error {
	return writeNew(path, []byte(keyFileHead+"\n"+base64.StdEncoding.EncodeToString(k[:])+"\n"))
}

// writeCertificate makes a P-256 key and a self-signed certificate of it. Peers compare the public key, not
// names or dates; the certificate is only the form that TLS wants.
func writeCertificate(base, name string, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "dosevault " + name}, DNSNames: []string{name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(30, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writeNew(base+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})); err != nil {
		return err
	}
	return writeNew(base+".crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return writeNew(to, b)
}

// writeNew writes a file that may not exist yet, or only as the rest of a start that was cut off, and flushes it.
func writeNew(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(b); err != nil {
		f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

package attack_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/web/webtest"
)

// TestPagesOnANetwork: with certificates, pages and vault are https under two names. A passkey works there, every cookie is bound to
// its host and to TLS, and a certificate that is renewed is served without a restart.
func TestPagesOnANetwork(t *testing.T) {
	h := house.New(t)
	_, port, _ := net.SplitHostPort(h.Listen)
	_, vaultPort, _ := net.SplitHostPort(h.Vault)
	pages, vault := "https://badges.localhost:"+port, "https://vault.localhost:"+vaultPort
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	certify(t, file("pages"), "badges.localhost", 1)
	certify(t, file("vault"), "vault.localhost", 2)
	h.Start("serve", "--origin", pages, "--vault-origin", vault, "--tls-cert", file("pages.crt"), "--tls-key", file("pages.key"),
		"--vault-tls-cert", file("vault.crt"), "--vault-tls-key", file("vault.key"))

	tab := webtest.Open(t, webtest.Browser(t, chromedp.Flag("ignore-certificate-errors", true)), 1280, 900, pages, vault)
	authenticator(t, tab)
	tab.Go(pages + "/")
	tab.Go(vault + "/link?secret=" + h.FirstLink())
	tab.Do(chromedp.SendKeys(chromedp.CSS("#name"), "work laptop"))
	tab.Click("main form button")
	tab.Go(pages + "/signin")
	tab.Click("main form button")
	tab.Go(pages + "/")
	if text := tab.Text(); !strings.Contains(text, "Sign out") {
		t.Errorf("not signed in on the pages: %s", text)
	}
	all, err := chromedp.Call(tab.Ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{pages, vault}})
	if err != nil {
		t.Fatal(err)
	}
	if len(all.Cookies) < 2 {
		t.Errorf("only %d cookies", len(all.Cookies))
	}
	for _, c := range all.Cookies {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HTTPOnly {
			t.Errorf("the cookie %s of %s: secure %v, hidden from scripts %v", c.Name, c.Domain, c.Secure, c.HTTPOnly)
		}
	}

	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // its answers are looked at, not who it is
	defer client.CloseIdleConnections()
	for _, address := range []string{h.Listen, h.Vault} {
		resp, err := client.Get("https://" + address + "/signin")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s lets a browser come back by plain HTTP", address)
		}
	}
	if out, err := h.Run("demo", "--once", "--dir", file("demo"), "--keys", file("keys"), "--origin", pages, "--vault-origin", vault); err == nil || !strings.Contains(out, "open doors") {
		t.Errorf("a demonstration on a network: %v, %s", err, out)
	}

	if got := serial(t, h.Listen, "badges.localhost"); got != 1 {
		t.Fatalf("the pages' certificate has the number %d", got)
	}
	certify(t, file("pages"), "badges.localhost", 3)
	if got := serial(t, h.Listen, "badges.localhost"); got != 3 {
		t.Errorf("after a renewal the pages' certificate has the number %d", got)
	}
	if err := os.WriteFile(file("vault.key"), []byte("half a k"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := serial(t, h.Vault, "vault.localhost"); got != 2 {
		t.Errorf("with a broken key file the vault's certificate has the number %d", got)
	}
}

// certify writes a certificate for a host, signed by itself, and its key.
func certify(t *testing.T, name, host string, number int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(number), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name + ".crt": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// serial is the number of the certificate that a server shows.
func serial(t *testing.T, address, host string) int64 {
	t.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{ServerName: host, InsecureSkipVerify: true}) // its number is asked for, not who it is
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

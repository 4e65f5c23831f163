package cli

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/dosevault/dosevault/internal/vaultcmd"
)

// signInPages is where the vault's own pages are, for browsers and in links.
type signInPages struct {
	VaultListen string `help:"Address of the vault's own sign-in pages." default:"localhost:8081" env:"DOSEVAULT_VAULT_LISTEN" group:"place"`
	VaultOrigin string `help:"The same as browsers see it, as in https://vault.badges.example.org; http:// and that address without it." env:"DOSEVAULT_VAULT_ORIGIN" placeholder:"URL" group:"place"`
}

// url is the vault's own pages as a browser sees them, without a path.
func (s signInPages) url() string { return originOf(s.VaultOrigin, s.VaultListen) }

func originOf(given, listen string) string {
	if given != "" {
		return strings.TrimSuffix(given, "/")
	}
	return "http://" + listen
}

// addresses are where the two web origins listen, and as what browsers see them.
type addresses struct {
	Listen string `help:"Address of the pages." default:"localhost:8080" env:"DOSEVAULT_LISTEN" group:"place"`
	Origin string `help:"The same as browsers see it, as in https://badges.example.org; http:// and that address without it." env:"DOSEVAULT_ORIGIN" placeholder:"URL" group:"place"`
	signInPages
	TLSCert      string `help:"Certificates that the pages are served with (PEM), read again when the file changes. Without them only this machine can reach the pages, such as a proxy on it." env:"DOSEVAULT_TLS_CERT" placeholder:"FILE" group:"place" name:"tls-cert"`
	TLSKey       string `help:"Their key." env:"DOSEVAULT_TLS_KEY" placeholder:"FILE" group:"place" name:"tls-key"`
	VaultTLSCert string `help:"The same for the vault's own pages." env:"DOSEVAULT_VAULT_TLS_CERT" placeholder:"FILE" group:"place" name:"vault-tls-cert"`
	VaultTLSKey  string `help:"Their key." env:"DOSEVAULT_VAULT_TLS_KEY" placeholder:"FILE" group:"place" name:"vault-tls-key"`
}

func (a addresses) certificate() vaultcmd.Certificate {
	return vaultcmd.Certificate{Cert: a.TLSCert, Key: a.TLSKey}
}

func (a addresses) vaultCertificate() vaultcmd.Certificate {
	return vaultcmd.Certificate{Cert: a.VaultTLSCert, Key: a.VaultTLSKey}
}

// flags are the addresses as they are passed on to the processes.
func (a addresses) flags() []string {
	return []string{"--listen", a.Listen, "--vault-listen", a.VaultListen, "--origin", a.Origin, "--vault-origin", a.VaultOrigin,
		"--tls-cert", a.TLSCert, "--tls-key", a.TLSKey, "--vault-tls-cert", a.VaultTLSCert, "--vault-tls-key", a.VaultTLSKey}
}

// origins returns the two origins as a browser sees them, or says why they can't be these.
func (a addresses) origins() (pages, signIn string, err error) {
	pages, signIn = originOf(a.Origin, a.Listen), a.url()
	ours, err := checkOrigin("--", pages, a.Listen, a.certificate())
	if err != nil {
		return "", "", err
	}
	vaults, err := checkOrigin("--vault-", signIn, a.VaultListen, a.vaultCertificate())
	if err != nil {
		return "", "", err
	}
	host, vaultHost := ours.Hostname(), vaults.Hostname()
	switch {
	case a.Listen == a.VaultListen || pages == signIn:
		return "", "", errors.New("the pages and the vault's sign-in need two addresses: a page of the one must not be able to play the other")
	case ours.Scheme != vaults.Scheme:
		return "", "", errors.New("either both of --origin and --vault-origin are https, or both are this machine's")
	case ours.Scheme == "https" && host == vaultHost:
		return "", "", errors.New("--vault-origin: another host name than that of --origin is needed: browsers send a host's cookies to all of its ports")
	case strings.HasSuffix(host, "."+vaultHost):
		return "", "", fmt.Errorf("--vault-origin: %s is a domain above %s, whose pages could then ask for its passkeys; take one beside it, such as vault.%s", vaultHost, host, vaultHost)
	}
	return pages, signIn, nil
}

// checkOrigin says whether pages that listen on an address can be what browsers see at an origin. Plain HTTP does not leave this machine.
func checkOrigin(flag, origin, listen string, c vaultcmd.Certificate) (*url.URL, error) {
	listenHost, _, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, fmt.Errorf("%slisten: %s is not an address such as localhost:8080", flag, listen)
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || origin != u.Scheme+"://"+strings.ToLower(u.Host) ||
		u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80" {
		return nil, fmt.Errorf("%sorigin: an address such as https://badges.example.org is expected, in small letters, without a path or a usual port", flag)
	}
	switch {
	case (c.Cert == "") != (c.Key == ""):
		return nil, fmt.Errorf("%stls-cert and %stls-key: give both or neither", flag, flag)
	case c.Cert == "" && !loopback(listenHost):
		return nil, fmt.Errorf("%slisten: %s is not a loopback address: without %stls-cert the pages speak plain HTTP, which may not leave this machine", flag, listen, flag)
	case c.Cert != "" && u.Scheme != "https":
		return nil, fmt.Errorf("%sorigin: https and the name that the certificate is for are expected", flag)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("%sorigin: https is expected: plain HTTP may not leave this machine", flag)
	}
	return u, nil
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

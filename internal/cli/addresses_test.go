package cli

import (
	"strings"
	"testing"
)

// A page that isn't this machine's is https, and the vault's own pages have a host of their own.
func TestOrigins(t *testing.T) {
	local := addresses{Listen: "localhost:8080", signInPages: signInPages{VaultListen: "localhost:8081"}}
	proxied := local
	proxied.Origin, proxied.VaultOrigin = "https://badges.example.org", "https://vault.badges.example.org"
	served := proxied
	served.Listen, served.VaultListen = "0.0.0.0:443", "192.0.2.7:8443"
	served.TLSCert, served.TLSKey, served.VaultTLSCert, served.VaultTLSKey = "a.crt", "a.key", "b.crt", "b.key"
	served.VaultOrigin = "https://vault.example.org:8443"
	for name, c := range map[string]struct {
		of            addresses
		change        func(*addresses)
		pages, signIn string
		refused       string
	}{
		"this machine":         {of: local, pages: "http://localhost:8080", signIn: "http://localhost:8081"},
		"a proxy":              {of: proxied, pages: "https://badges.example.org", signIn: "https://vault.badges.example.org"},
		"certificates":         {of: served, pages: "https://badges.example.org", signIn: "https://vault.example.org:8443"},
		"the network":          {of: local, change: func(a *addresses) { a.Listen = "0.0.0.0:8080" }, refused: "--listen: 0.0.0.0:8080 is not a loopback address"},
		"the vault's network":  {of: proxied, change: func(a *addresses) { a.VaultListen = "192.0.2.7:1" }, refused: "--vault-listen: 192.0.2.7:1 is not"},
		"one address":          {of: local, change: func(a *addresses) { a.VaultListen = a.Listen }, refused: "need two addresses"},
		"one origin":           {of: proxied, change: func(a *addresses) { a.VaultOrigin = a.Origin }, refused: "need two addresses"},
		"one host":             {of: proxied, change: func(a *addresses) { a.VaultOrigin = a.Origin + ":8443" }, refused: "another host name"},
		"a domain above":       {of: proxied, change: func(a *addresses) { a.VaultOrigin = "https://example.org" }, refused: "a domain above"},
		"half":                 {of: proxied, change: func(a *addresses) { a.VaultOrigin = "" }, refused: "both of --origin and --vault-origin"},
		"no key":               {of: served, change: func(a *addresses) { a.TLSKey = "" }, refused: "--tls-cert and --tls-key: give both"},
		"no name":              {of: served, change: func(a *addresses) { a.VaultOrigin = "" }, refused: "--vault-origin: https and the name"},
		"plain over a network": {of: proxied, change: func(a *addresses) { a.Origin = "http://badges.example.org" }, refused: "--origin: https is expected"},
		"a path":               {of: proxied, change: func(a *addresses) { a.Origin += "/badges" }, refused: "--origin: an address such as"},
		"a usual port":         {of: proxied, change: func(a *addresses) { a.Origin += ":443" }, refused: "--origin: an address such as"},
		"capitals":             {of: proxied, change: func(a *addresses) { a.Origin = "https://Badges.example.org" }, refused: "--origin: an address such as"},
		"no address":           {of: proxied, change: func(a *addresses) { a.Origin = "badges.example.org" }, refused: "--origin: an address such as"},
		"somebody in it":       {of: proxied, change: func(a *addresses) { a.Origin = "https://you@badges.example.org" }, refused: "--origin: an address such as"},
		"nothing to listen on": {of: local, change: func(a *addresses) { a.Listen = "8080" }, refused: "is not an address such as"},
		"a slash at its end":   {of: proxied, change: func(a *addresses) { a.Origin += "/" }, pages: "https://badges.example.org", signIn: "https://vault.badges.example.org"},
		"names of this machine": {of: local, change: func(a *addresses) {
			a.Origin, a.VaultOrigin = "http://pages.localhost:8080", "http://vault.localhost:8081"
		}, pages: "http://pages.localhost:8080", signIn: "http://vault.localhost:8081"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.change != nil {
				c.change(&c.of)
			}
			pages, signIn, err := c.of.origins()
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("%q, %q, %v", pages, signIn, err)
				}
			} else if err != nil || pages != c.pages || signIn != c.signIn {
				t.Errorf("%q, %q, %v", pages, signIn, err)
			}
		})
	}
}

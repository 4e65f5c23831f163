package vault

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// A machine outside signs each of its requests with a key of its own (HTTP Message Signatures, RFC 9421, Ed25519). It covers
// always the same: method, host, path, query, and by Content-Digest (RFC 9530) the body; with the time, the machine's id and a
// random nonce. The node hands on what it got, and the vault decides. For a signature that holds and was not seen before, the
// node gets a session for that machine, for the one request: in memory only, for two minutes, on that node. So a node can
// neither forge a request nor use one again, and nothing that is stored or logged can sign.

// covered are the components that a signature covers, in this order.
const covered = `("@method" "@authority" "@path" "@query" "content-digest")`

// How long a signature holds, how far a machine's clock may be ahead, and how long its session lasts.
const (
	signatureLife  = time.Minute
	signatureAhead = 2 * time.Second
	machineSession = 2 * time.Minute
)

// signatureInput is what a request says of its signature.
type signatureInput struct {
	params  string // as they stood, from the first bracket
	created int64  // s
	machine id.Grant
	nonce   string
	sig     []byte
}

var (
	labelForm  = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,19}$`)
	nonceForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{16,64}$`)
	methodForm = regexp.MustCompile(`^[A-Z]{1,10}$`)
	hostForm   = regexp.MustCompile(`^[a-z0-9._:\[\]-]{1,260}$`)
	targetForm = regexp.MustCompile(`^/[!-~]*$`)
	digestForm = regexp.MustCompile(`^sha-256=:[A-Za-z0-9+/]{43}=:$`)
)

var base64Strict = base64.StdEncoding.Strict()

// parseSignature reads the fields Signature-Input and Signature. Of the two it takes the one form that the API describes: one
// signature, these components, and the parameters created, keyid and nonce, and perhaps alg, in any order.
func parseSignature(input, signature string) (in signatureInput, ok bool) {
	label, params, _ := strings.Cut(input, "=")
	rest, ours := strings.CutPrefix(params, covered)
	encoded, same := strings.CutPrefix(signature, label+"=:")
	encoded, ends := strings.CutSuffix(encoded, ":")
	if !labelForm.MatchString(label) || !ours || !same || !ends || len(input) > 500 || len(encoded) > 100 {
		return in, false
	}
	var err error
	if in.sig, err = base64Strict.DecodeString(encoded); err != nil || len(in.sig) != ed25519.SignatureSize {
		return in, false
	}
	in.params = params
	seen := map[string]bool{}
	first, list, _ := strings.Cut(rest, ";")
	if first != "" {
		return in, false
	}
	for p := range strings.SplitSeq(list, ";") {
		name, value, _ := strings.Cut(p, "=")
		if seen[name] {
			return in, false
		}
		seen[name] = true
		text, quoted := strings.CutPrefix(value, `"`)
		text, closed := strings.CutSuffix(text, `"`)
		switch {
		case name == "created" && !quoted:
			in.created, err = strconv.ParseInt(value, 10, 64)
			if err != nil || in.created < 1 || strconv.FormatInt(in.created, 10) != value {
				return in, false
			}
		case !quoted || !closed:
			return in, false
		case name == "keyid":
			in.machine, err = id.Parse[id.Grant](text)
			if err != nil || in.machine.String() != text {
				return in, false
			}
		case name == "nonce" && nonceForm.MatchString(text):
			in.nonce = text
		case name == "alg" && text == "ed25519":
		default:
			return in, false
		}
	}
	return in, seen["created"] && seen["keyid"] && seen["nonce"]
}

// signatureBase is what is signed (RFC 9421, section 2.5); ok: the request's parts have the form that they need.
func signatureBase(r vaultclient.SignedRequest, in signatureInput) (base string, ok bool) {
	host := strings.ToLower(r.Host)
	if !methodForm.MatchString(r.Method) || !hostForm.MatchString(host) || !targetForm.MatchString(r.Target) || strings.Contains(r.Target, "#") || len(r.Target) > 4000 || !digestForm.MatchString(r.ContentDigest) {
		return "", false
	}
	path, query, _ := strings.Cut(r.Target, "?")
	return fmt.Sprintf("\"@method\": %s\n\"@authority\": %s\n\"@path\": %s\n\"@query\": ?%s\n\"content-digest\": %s\n\"@signature-params\": %s",
		r.Method, host, path, query, r.ContentDigest, in.params), true
}

// admissions are the machines' sessions and the nonces that were seen, in memory only.
type admissions struct {
	mu       sync.Mutex
	from     time.Time // signatures of before the vault's start may have been seen by the one that ran then
	latest   time.Time // a clock that is put back makes no old signature new
	swept    time.Time
	nonces   map[secretHash]time.Time // until when
	sessions map[secretHash]admission
}

type admission struct {
	machine id.Grant
	node    string
	expires time.Time
}

// clear forgets what has ended. The caller holds the lock.
func (a *admissions) clear(now time.Time) {
	if now.Sub(a.swept) < time.Second {
		return
	}
	a.swept = now
	for h, until := range a.nonces {
		if now.After(until) {
			delete(a.nonces, h)
		}
	}
	for h, s := range a.sessions {
		if !now.Before(s.expires) {
			delete(a.sessions, h)
		}
	}
}

// Admit begins a machine's session for the request that it signed.
func (v *Vault) Admit(_ context.Context, c Caller, r vaultclient.SignedRequest) (string, error) {
	in, ok := parseSignature(r.Input, r.Signature)
	if !ok {
		return "", errUnauthenticated
	}
	base, ok := signatureBase(r, in)
	if !ok {
		return "", errUnauthenticated
	}
	now := v.now()
	v.mu.RLock()
	g := v.state.grants[in.machine]
	ok = g != nil && g.isMachine() && g.Node == c.Node && v.state.runs(g, now)
	v.mu.RUnlock()
	if !ok || !ed25519.Verify(g.Key, []byte(base), in.sig) {
		return "", errUnauthenticated
	}
	a := &v.admissions
	a.mu.Lock()
	defer a.mu.Unlock()
	if now.Before(a.latest) {
		now = a.latest
	}
	a.latest = now
	created := time.Unix(in.created, 0)
	if created.After(now.Add(signatureAhead)) || now.Sub(created) > signatureLife || !created.After(a.from) {
		return "", errUnauthenticated
	}
	a.clear(now)
	nonce := secretHash(sha256.Sum256([]byte(in.machine.String() + in.nonce)))
	if _, seen := a.nonces[nonce]; seen {
		return "", errUnauthenticated
	}
	a.nonces[nonce] = created.Add(signatureLife)
	token := newSecret()
	a.sessions[hashSecret(token)] = admission{in.machine, c.Node, now.Add(machineSession)}
	return token, nil
}

// admitted returns the machine of a session on a node; none: zero.
func (v *Vault) admitted(token, node string, now time.Time) id.Grant {
	a := &v.admissions
	a.mu.Lock()
	defer a.mu.Unlock()
	if s, ok := a.sessions[hashSecret(token)]; ok && s.node == node && now.Before(s.expires) {
		return s.machine
	}
	return id.Grant{}
}

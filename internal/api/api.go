// Package api is what machines outside call: an HR system, a laboratory's, a reporting tool. It is HTTP and JSON under
// /api/v1, described by an OpenAPI document that is generated from this package and kept as docs/openapi.json.
//
// A machine signs each request with its own key (HTTP Message Signatures, RFC 9421), and comes with nothing else: no cookie is
// read, so no other site can make a browser call. What is true of every answer:
//
//   - it was decided and entered by the vault, for this machine; the package has no right of its own;
//   - nothing is cached (no-store), and no personal text is in an address: what is looked for comes in a body;
//   - an error says what is wrong and where, and never repeats what was sent.
package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Prefix is where the API is, on the pages' own listener.
const Prefix = "/api/v1"

// Vault is what the API needs of the vault beside what the register asks of it; *vaultclient.Client has it.
type Vault interface {
	Admit(ctx context.Context, r vaultclient.SignedRequest) (session string, err error)
	Self(ctx context.Context, auth vaultclient.Auth) (vaultclient.Machine, error)
	Delivered(ctx context.Context, auth vaultclient.Auth) ([]id.Import, error)
	Organisations(ctx context.Context, auth vaultclient.Auth) ([]vaultclient.Organisation, error)
	Search(ctx context.Context, auth vaultclient.Auth, r vaultclient.SearchRequest) (vaultclient.SearchResult, error)
	FindStaff(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, keys []vaultclient.StaffKey) ([]id.Wearer, error)
	Ledger(ctx context.Context, auth vaultclient.Auth, r vaultclient.LedgerRequest) (vaultclient.LedgerPage, error)
}

// Config is what the API works with.
type Config struct {
	Vault    Vault
	Register *register.Service
	Now      func() time.Time
	Log      *slog.Logger
}

// Limits of a request.
const (
	maxBody   = 64 << 10 // bytes
	maxList   = 8 << 20  // bytes of a staff list
	maxFile   = 64 << 20 // bytes of a laboratory's file
	timeout   = 50 * time.Second
	strangers = 5 // requests in the names of unknown machines that are asked about in a second, and at once
)

type api struct {
	Config
	gate gate
}

// caller is the machine of a request.
type caller struct {
	auth    vaultclient.Auth
	machine vaultclient.Machine
	work    string // what it has leave for, as in doses
	digest  string // of the body that it signed, as the header field has it
}

type callerKey struct{}

// New returns the API's handler, for addresses below Prefix.
func New(c Config) http.Handler {
	a := &api{Config: c, gate: gate{now: c.Now, known: map[string]bool{}}}
	mux := http.NewServeMux()
	a.register(mux)
	document := Document()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { write(w, problem(http.StatusNotFound)) })
	inside := a.authenticated(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		defer func() {
			if recover() != nil {
				a.Log.Error("api: a request panicked", "route", r.Pattern, "method", r.Method) // the value may hold anything
				write(w, problem(http.StatusInternalServerError))
			}
		}()
		if r.URL.Path == Prefix+"/openapi.json" && r.Method == http.MethodGet {
			w.Header().Set("Content-Type", "application/openapi+json")
			w.Write(document)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		inside.ServeHTTP(w, r.WithContext(ctx))
	})
}

// keyID finds in whose name a request is signed, for the gate alone: the vault reads it by itself.
var keyID = regexp.MustCompile(`;keyid="([a-z2-7]{26})"`)

// authenticated lets through what a machine signed. That the body is the signed one is checked where it is read, see digested.
func (a *api) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		unsigned := func() {
			w.Header().Set("WWW-Authenticate", "Signature")
			write(w, problem(http.StatusUnauthorized))
		}
		signed := vaultclient.SignedRequest{Method: r.Method, Host: r.Host, Target: r.RequestURI}
		for name, field := range map[string]*string{"Content-Digest": &signed.ContentDigest, "Signature-Input": &signed.Input, "Signature": &signed.Signature} {
			values := r.Header.Values(name)
			if len(values) != 1 || len(values[0]) > 500 {
				unsigned()
				return
			}
			*field = values[0]
		}
		who := keyID.FindStringSubmatch(signed.Input)
		if who == nil {
			unsigned()
			return
		}
		if !a.gate.open(who[1]) {
			w.Header().Set("Retry-After", "1")
			write(w, problem(http.StatusTooManyRequests))
			return
		}
		session, err := a.Vault.Admit(r.Context(), signed)
		auth := vaultclient.Auth{Machine: session}
		var m vaultclient.Machine
		if err == nil {
			a.gate.knows(who[1])
			m, err = a.Vault.Self(r.Context(), auth)
		}
		if err != nil {
			if p := a.problemOf(err); p.Status != http.StatusUnauthorized {
				write(w, p)
				return
			}
			unsigned()
			return
		}
		c := &caller{auth, m, m.WorkOf().Name, signed.ContentDigest}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
	})
}

// digested reads an operation's body and lets through only the one that was signed.
func digested(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	c, ok := ctx.Context().Value(callerKey{}).(*caller)
	if !ok {
		write(w, problem(http.StatusUnauthorized))
		return
	}
	most := ctx.Operation().MaxBodyBytes
	b, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	sum := sha256.Sum256(b)
	switch {
	case err != nil:
		write(w, problem(http.StatusBadRequest))
	case int64(len(b)) > most:
		write(w, problem(http.StatusRequestEntityTooLarge))
	case c.digest != "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":":
		w.Header().Set("WWW-Authenticate", "Signature")
		write(w, problem(http.StatusUnauthorized))
	default:
		r.Body = io.NopCloser(bytes.NewReader(b))
		next(ctx)
	}
}

// gate bounds how often requests are asked about that are signed in the names of machines that were never let in. Those that
// were are never held up by it.
type gate struct {
	now   func() time.Time
	mu    sync.Mutex
	known map[string]bool
	left  float64
	last  time.Time
}

func (g *gate) open(who string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known[who] {
		return true
	}
	now := g.now()
	g.left = min(strangers, g.left+strangers*now.Sub(g.last).Seconds())
	g.last = now
	if g.left < 1 {
		return false
	}
	g.left--
	return true
}

func (g *gate) knows(who string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known[who] = true
}

// add registers an operation for machines of some kinds of work (none: all).
func add[I, O any](a *api, to huma.API, o huma.Operation, fn func(context.Context, *caller, *I) (*O, error), works ...string) {
	o.Security = []map[string][]string{{"machine": {}}}
	o.Errors = []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusTooManyRequests}
	if o.MaxBodyBytes == 0 {
		o.MaxBodyBytes = maxBody
	}
	if len(works) > 0 {
		o.Description = strings.TrimSpace(o.Description + "\n\nFor machines given leave for: " + strings.Join(works, ", ") + ".")
	}
	huma.Register(to, o, func(ctx context.Context, in *I) (*O, error) {
		c, ok := ctx.Value(callerKey{}).(*caller)
		if !ok {
			return nil, problem(http.StatusUnauthorized)
		}
		if len(works) > 0 && !slices.Contains(works, c.work) {
			p := problem(http.StatusForbidden)
			p.Detail = "this machine's leave is for other work: " + strings.Join(works, " or ") + " is needed here"
			return nil, p
		}
		out, err := fn(ctx, c, in)
		if err != nil {
			return nil, a.problemOf(err)
		}
		return out, nil
	})
}

// register adds every operation to a mux and returns what describes them.
func (a *api) register(mux *http.ServeMux) *huma.OpenAPI {
	schemas := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	to := humago.NewWithPrefix(mux, Prefix, huma.Config{
		OpenAPI: &huma.OpenAPI{OpenAPI: "3.1.0", Info: &huma.Info{Title: "dosevault", Version: "1",
			Description: "What machines outside can do, each within the leave that a co-ordinator gave it. Everything that is read is entered in the organisation's ledger first."},
			Components: &huma.Components{Schemas: schemas, SecuritySchemes: map[string]*huma.SecurityScheme{"machine": {Type: "apiKey", In: "header", Name: "Signature", Description: "An Ed25519 signature by the machine's own key over @method, @authority, @path, @query and content-digest, with created, keyid (the machine's id) and nonce: HTTP Message Signatures (RFC 9421), with the fields Signature-Input, Signature and Content-Digest (RFC 9530, sha-256, also of an empty body). It holds for one minute and one request."}}}},
		Formats: map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat}, DefaultFormat: "application/json",
		RejectUnknownQueryParameters: true,
	})
	to.UseMiddleware(digested)
	a.addReads(to)
	a.addImports(to)
	a.addStaff(to)
	return to.OpenAPI()
}

// Document returns the OpenAPI document.
func Document() []byte {
	doc := (&api{}).register(http.NewServeMux())
	b, err := doc.MarshalJSON()
	if err != nil {
		panic("api: the OpenAPI document can't be written: " + err.Error())
	}
	return indent(b)
}

// errInput is what is wrong with a request, in several places.
type errInput []Wrong

func (errInput) Error() string { return "the request is wrong" }

// problemOf is the one table from errors to answers. What is not in it is our own mistake, and goes to the log.
func (a *api) problemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if in, ok := errors.AsType[errInput](err); ok {
		p := problem(http.StatusUnprocessableEntity)
		p.Errors = in
		return p
	}
	if in, ok := errors.AsType[*register.InputError](err); ok {
		p := problem(http.StatusUnprocessableEntity)
		p.Detail = in.Message
		return p
	}
	if e, ok := errors.AsType[*vaultclient.Error](err); ok && e.Code != vaultclient.Internal {
		p := problem(vaultclient.Status[e.Code])
		if e.Code != vaultclient.NotFound && e.Code != vaultclient.Unauthenticated {
			p.Detail = e.Message
		}
		return p
	}
	switch {
	case errors.Is(err, register.ErrNotFound):
		return problem(http.StatusNotFound)
	case errors.Is(err, register.ErrState):
		p := problem(http.StatusConflict)
		p.Detail = "it is in another state, or being worked on: look at it again"
		return p
	case errors.Is(err, vaultclient.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return problem(http.StatusServiceUnavailable)
	}
	a.Log.Error("api: a request failed", "error", err)
	return problem(http.StatusInternalServerError)
}

// text is a personal value on its way out, to a machine that the vault let see it.
func text(v person.Value) string { return v.Expose() }

// parse reads an id out of an address; what is none names nothing.
func parse[T ~[16]byte](s string) (T, error) {
	x, err := id.Parse[T](s)
	if err != nil || x == (T{}) {
		return x, register.ErrNotFound
	}
	return x, nil
}

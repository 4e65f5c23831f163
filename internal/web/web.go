// Package web is the web node's pages: overview, the wearers of an organisation, a wearer, an organisation's ledger.
//
// The node owns no right of its own: every page is made with the session of whoever asks, and every name and dose
// on it was revealed by the vault for that page and entered in a ledger first. What is true of every page:
//
//   - nothing is cached, here or in the browser: Cache-Control is no-store;
//   - no personal text is in a URL, so a search is a POST; URLs hold ids;
//   - no inline style or script, and nothing from another host: the content security policy forbids both;
//   - it works without JavaScript and by keyboard.
//
// What a role may see is decided by the vault alone. Pages leave out what a role has no use for, but that protects
// nothing. Signing in happens on the vault's own origin; the node only redeems the one-time code that comes back.
//
// The *_templ.go files are generated from the *.templ files beside them:
//
//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.977 generate
package web

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Vault is what the pages need of the vault; *vaultclient.Client has it. Its errors are *vaultclient.Error, or
// vaultclient.ErrUnavailable when the vault could not be asked.
type Vault interface {
	// RedeemCode turns a one-time code of the vault's sign-in into a session. Code Unauthenticated: no such code, or used.
	RedeemCode(ctx context.Context, code string) (vaultclient.Session, error)
	// SignOut ends a session.
	SignOut(ctx context.Context, auth vaultclient.Auth) error
	// Whoami returns the session's user. Code Unauthenticated: the session has ended.
	Whoami(ctx context.Context, auth vaultclient.Auth) (vaultclient.User, error)
	// Organisations lists those that the user may see.
	Organisations(ctx context.Context, auth vaultclient.Auth) ([]vaultclient.Organisation, error)
	// Search lists wearers, a page at a time; their names are entered as revealed.
	Search(ctx context.Context, auth vaultclient.Auth, r vaultclient.SearchRequest) (vaultclient.SearchResult, error)
	// FindNI finds classified wearers by their whole NI number.
	FindNI(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, ni person.Value) ([]id.Wearer, error)
	// Reveal returns fields of wearers, entered first. Code NotFound: no such wearer.
	Reveal(ctx context.Context, auth vaultclient.Auth, r vaultclient.RevealRequest) ([]vaultclient.Record, error)
	// Ledger returns a page of an organisation's ledger, newest first.
	Ledger(ctx context.Context, auth vaultclient.Auth, r vaultclient.LedgerRequest) (vaultclient.LedgerPage, error)
	// Seen answers who has seen what of a wearer, summed up by day; it is entered.
	Seen(ctx context.Context, auth vaultclient.Auth, r vaultclient.SeenRequest) (vaultclient.SeenPage, error)
	// WhoMay lists who may see fields of a wearer, and by which rules; it is entered.
	WhoMay(ctx context.Context, auth vaultclient.Auth, r vaultclient.WhoMayRequest) (vaultclient.WhoMay, error)
	// Budgets says what the user has read in a day, and how much that may be.
	Budgets(ctx context.Context, auth vaultclient.Auth) (vaultclient.Budgets, error)
	// BreakGlass lets the user read twice as much for an hour; the reason is entered.
	BreakGlass(ctx context.Context, auth vaultclient.Auth, reason string) (vaultclient.Budgets, error)
}

// Config is what the pages are made with.
type Config struct {
	Vault    Vault
	Register Register
	// Origin is this node's own, as browsers see it: scheme, host and port, as in "http://localhost:8080".
	// Plain http is for loopback only. Requests for another host are sent there.
	Origin      string
	VaultOrigin string           // the vault's own origin, where people sign in, as in "http://localhost:8081"
	Demo        bool             // say on every page that the people on it are invented
	Warnings    []Weakness       // the promises that do not hold on this set-up; shown on the overview
	Now         func() time.Time // nil: time.Now
	Log         *slog.Logger     // nil: slog.Default
}

// Limits of a request, and how long it may take.
const (
	maxBody        = 16 << 10 // bytes of a form; largeBodies has the routes that take more
	maxSearch      = 200      // bytes of a search text
	requestTimeout = 30 * time.Second
)

type handler struct {
	Config
	plain bool // plain http on loopback: no Secure cookie
	host  string
}

// New returns the node's pages. It panics on a Config that lacks Vault, Register or an origin: that is a mistake in
// the program, not in what it was given.
func New(c Config) http.Handler {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	own, err := url.Parse(c.Origin)
	vault, errVault := url.Parse(c.VaultOrigin)
	if c.Vault == nil || c.Register == nil || err != nil || errVault != nil || own.Host == "" || vault.Host == "" {
		panic("web: Config needs Vault, Register, Origin and VaultOrigin")
	}
	if own.Scheme != "https" && !loopback(own.Host) {
		panic("web: Origin is plain http outside this machine: sessions would travel in the clear")
	}
	c.Origin, c.VaultOrigin = own.Scheme+"://"+own.Host, vault.Scheme+"://"+vault.Host
	h := &handler{Config: c, plain: own.Scheme == "http", host: own.Host}

	mux := http.NewServeMux()
	mux.Handle("GET /assets/", assets())
	mux.Handle("GET /favicon.ico", http.RedirectHandler("/assets/favicon.svg", http.StatusMovedPermanently))
	for _, r := range h.routes() {
		mux.Handle(r.pattern, http.MaxBytesHandler(r.serve, cmp.Or(largeBodies[r.pattern], maxBody)))
	}
	mux.HandleFunc("/", h.page(func(*visit) error { return errNoPage }))

	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.fail(w, r, nil, errCrossOrigin)
	}))
	return h.guard(protection.Handler(mux))
}

// route is an address that the pages answer, but for the assets.
type route struct {
	pattern string
	serve   http.HandlerFunc
}

// largeBodies are the bytes of the requests that may have more than maxBody, by pattern.
var largeBodies = map[string]int64{uploadPattern: maxUpload}

// routes are all of them, a list for each area of the service.
func (h *handler) routes() []route {
	return slices.Concat(
		h.sessionRoutes(),
		h.languageRoutes(),
		h.recordRoutes(),
		h.ownRoutes(),
		h.seenRoutes(),
		h.findRoutes(),
		h.returnRoutes(),
		h.badgeRoutes(),
		h.batchRoutes(),
		h.spareRoutes(),
		h.doseRoutes(),
		h.organisationRoutes(),
		h.peopleRoutes(),
		h.userRoutes(),
		h.machineRoutes(),
		h.fileRoutes(),
		h.listRoutes(),
		h.profileRoutes(),
		h.sampleRoutes(),
		h.investigationRoutes(),
		h.gapRoutes(),
		h.budgetRoutes(),
		h.incidentRoutes(),
	)
}

// recordRoutes are the overview and the pages of wearers and of ledgers.
func (h *handler) recordRoutes() []route {
	return []route{
		{"GET /{$}", h.page(h.overview)},
		{"GET /organisations/{organisation}/wearers", h.page(h.wearers)},
		{"POST /organisations/{organisation}/wearers", h.page(h.wearers)},
		{"GET /organisations/{organisation}/ledger", h.page(h.ledger)},
		{"GET /wearers/{wearer}", h.page(h.wearer)},
	}
}

// Server returns a server for the pages with time limits on everything that a slow or hostile client could stretch.
func Server(pages http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           pages,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      requestTimeout + 15*time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// guard sets what holds for every answer, sends requests for another host to the node's own origin, and turns a
// panic into an error page.
func (h *handler) guard(next http.Handler) http.Handler {
	policy := strings.Join([]string{
		"default-src 'none'", "style-src 'self'", "script-src 'self'", "img-src 'self'",
		"form-action 'self' " + h.VaultOrigin, "base-uri 'none'", "frame-ancestors 'none'",
	}, "; ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("X-Content-Type-Options", "nosniff")
		// Not no-referrer: browsers would then send "Origin: null" with our own forms.
		head.Set("Referrer-Policy", "same-origin")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("X-Frame-Options", "DENY")
		head.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		head.Set("Cache-Control", "no-store")
		if !h.plain {
			head.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if r.Host != h.host {
			// One origin, one cookie; and a name that somebody else pointed at this address gets nothing.
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				http.Error(w, "Wrong host: use "+h.Origin, http.StatusMisdirectedRequest)
				return
			}
			http.Redirect(w, r, h.Origin+"/", http.StatusSeeOther)
			return
		}
		r = h.speak(w, r)
		ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				// The value may hold anything: it is not logged, only where it happened.
				h.Log.Error("web: a page panicked", "route", r.Pattern, "method", r.Method)
				h.fail(w, r, nil, errPanic)
			}
		}()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// visit is one request by somebody signed in.
type visit struct {
	w    http.ResponseWriter
	r    *http.Request
	ctx  context.Context
	auth vaultclient.Auth
	user vaultclient.User
}

// page serves a page to who is signed in; anybody else is asked to sign in. An error from make must
// come before anything was written.
func (h *handler) page(make func(*visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		auth, ok := h.session(r)
		if !ok {
			http.Redirect(w, r, "/welcome", http.StatusSeeOther)
			return
		}
		user, err := h.Vault.Whoami(r.Context(), auth)
		if err != nil {
			h.fail(w, r, nil, err)
			return
		}
		v := &visit{w: w, r: r, ctx: r.Context(), auth: auth, user: user}
		if err := make(v); err != nil {
			h.fail(w, r, &user, err)
		}
	}
}

// idIn reads an id in the path; what is none names no page.
func idIn[K any](v *visit, name string, to *id.ID[K]) error {
	x, err := id.Parse[id.ID[K]](v.r.PathValue(name))
	if err != nil || x.IsZero() {
		return errNoPage
	}
	*to = x
	return nil
}

// loopback reports whether a host, with or without a port, is this machine.
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

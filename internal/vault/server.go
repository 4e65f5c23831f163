package vault

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// Server answers nodes. The certificate of a connection says which node calls; one that isn't known is not spoken to.
type Server struct {
	http *http.Server
	tls  *tls.Config
}

// NewServer returns a server for the nodes whose certificates lie in the key directory.
func NewServer(v *Vault, keys KeyDir) (*Server, error) {
	own, err := keys.TLS()
	if err != nil {
		return nil, err
	}
	nodes, err := keys.Nodes()
	if err != nil {
		return nil, err
	}
	name := func(certs []*x509.Certificate) string {
		if len(certs) > 0 {
			for n, c := range nodes {
				if bytes.Equal(c.RawSubjectPublicKeyInfo, certs[0].RawSubjectPublicKeyInfo) {
					return n
				}
			}
		}
		return ""
	}
	mux := http.NewServeMux()
	s := &Server{
		http: &http.Server{Handler: v.lastResort(func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, vc.MaxBody)
			r.SetPathValue("node", name(r.TLS.PeerCertificates))
			mux.ServeHTTP(w, r)
		}), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 5 * time.Minute, ErrorLog: slog.NewLogLogger(v.log.Handler(), slog.LevelWarn)},
		tls: &tls.Config{
			MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAnyClientCert, DynamicRecordSizingDisabled: true,
			VerifyConnection: func(c tls.ConnectionState) error {
				if name(c.PeerCertificates) == "" {
					return errors.New("unknown node")
				}
				return nil
			},
		},
	}
	routes(mux, v)
	return s, nil
}

// Serve answers on a listener until the server is shut down.
func (s *Server) Serve(l net.Listener) error {
	err := s.http.Serve(tls.NewListener(l, s.tls))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Shutdown waits for running requests and stops.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.Shutdown(ctx) }

// reserved are the methods that not every node may call, by the kinds of node that may. Who makes users, links and sessions by
// links is the command line's and the vault's own origin's business (which calls the vault directly): a web node in the wrong
// hands has the sessions of whoever uses it, and must make nothing of them that outlives them.
var reserved = map[string][]string{
	"redeem-link":  {"cli"},
	"users":        {"cli"},
	"create-users": {"cli"},
	"new-link":     {"cli"},
	"end-user":     {"cli"},
}

// kindOf is what a node is, by its name: of web, web2 and web-2 "web".
func kindOf(node string) string { return strings.TrimRight(node, "-0123456789") }

// mayCall reports whether a node may call a method at all.
func mayCall(node, method string) bool {
	kinds, ok := reserved[method]
	return !ok || slices.Contains(kinds, kindOf(node))
}

// registrar is the part of an http.ServeMux that methods are registered with.
type registrar interface {
	HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request))
}

// handle answers one method.
func handle[In, Out any](mux registrar, v *Vault, method string, fn func(context.Context, Caller, In) (Out, error)) {
	mux.HandleFunc("POST /v1/"+method, func(w http.ResponseWriter, r *http.Request) {
		var call vc.Call[In]
		b, err := vc.ReadBody(r.Body, r.ContentLength)
		if err == nil {
			err = vc.Decode(b, r.Header.Get("Content-Type"), &call, &call.Body, true)
		}
		if err != nil {
			v.fail(w, method, invalid("the request can't be read"))
			return
		}
		node := r.PathValue("node")
		if !mayCall(node, method) {
			v.fail(w, method, refused("a node of this kind does not call %s", method))
			return
		}
		out, err := fn(r.Context(), Caller{Node: node, Auth: call.Auth}, call.Body)
		if err != nil {
			v.fail(w, method, err)
			return
		}
		answer, err := vc.NewBody(out, &out)
		if err != nil {
			v.fail(w, method, err)
			return
		}
		w.Header().Set("Content-Type", answer.Type)
		w.Header().Set("Content-Length", strconv.FormatInt(answer.Size, 10))
		answer.WriteTo(w) // an error is the caller's, who has gone
	})
}

// fail answers with an error. What is not meant for callers goes to the log alone, with the method.
func (v *Vault) fail(w http.ResponseWriter, method string, err error) {
	var known *vc.Error
	if !errors.As(err, &known) {
		v.log.Error("request failed", "method", method, "error", err)
		known = &vc.Error{Code: vc.Internal, Message: "it failed; see the vault's log"}
	}
	b, err := json.Marshal(known)
	if err != nil {
		b = nil
	}
	w.Header().Set("Content-Type", vc.TypeJSON)
	w.WriteHeader(vc.Status[known.Code])
	w.Write(b)
}

// lastResort ends a request that panics. The panic's value may hold anything, and the server would log it: the method alone is logged.
// The connection breaks, so that nothing passes for a whole answer.
func (v *Vault) lastResort(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				v.log.Error("a request panicked", "route", r.Pattern)
				panic(http.ErrAbortHandler)
			}
		}()
		next(w, r)
	})
}

type nothing struct{}

// onlyCLI answers the command line alone: who may sign in is not for web nodes and workers to say.
func onlyCLI[In, Out any](fn func(context.Context, Caller, In) (Out, error)) func(context.Context, Caller, In) (Out, error) {
	return func(ctx context.Context, c Caller, in In) (out Out, err error) {
		if c.Node != "cli" {
			return out, refused("this is for the command line alone")
		}
		return fn(ctx, c, in)
	}
}

// routes lists every method that nodes may call.
func routes(mux registrar, v *Vault) {
	handle(mux, v, "redeem-code", func(ctx context.Context, c Caller, in vc.WireSecret) (vc.Session, error) {
		return v.RedeemCode(ctx, c, in.Secret)
	})
	handle(mux, v, "redeem-link", func(ctx context.Context, c Caller, in vc.WireSecret) (vc.Session, error) {
		return v.RedeemLink(ctx, c, in.Secret)
	})
	handle(mux, v, "sign-out", func(ctx context.Context, c Caller, _ nothing) (nothing, error) { return nothing{}, v.SignOut(ctx, c) })
	handle(mux, v, "whoami", func(ctx context.Context, c Caller, _ nothing) (vc.User, error) { return v.Whoami(ctx, c) })
	handle(mux, v, "organisations", func(ctx context.Context, c Caller, _ nothing) ([]vc.Organisation, error) {
		return v.Organisations(ctx, c)
	})
	handle(mux, v, "sessions", func(ctx context.Context, c Caller, in vc.WireSessions) ([]vc.OpenSession, error) {
		if in.All {
			return v.AllSessions(ctx, c)
		}
		return v.Sessions(ctx, c)
	})
	handle(mux, v, "end-session", func(ctx context.Context, c Caller, name string) (nothing, error) {
		return nothing{}, v.EndSession(ctx, c, name)
	})
	handle(mux, v, "add-provider", onlyCLI(v.AddProvider))
	handle(mux, v, "providers", onlyCLI(func(ctx context.Context, c Caller, _ nothing) ([]vc.Provider, error) { return v.Providers(ctx, c) }))
	handle(mux, v, "end-provider", onlyCLI(func(ctx context.Context, c Caller, n id.Provider) (nothing, error) {
		return nothing{}, v.EndProvider(ctx, c, n)
	}))
	handle(mux, v, "create-organisations", v.CreateOrganisations)
	handle(mux, v, "change-organisation", func(ctx context.Context, c Caller, in vc.Organisation) (nothing, error) {
		return nothing{}, v.ChangeOrganisation(ctx, c, in)
	})
	handle(mux, v, "set-notice-contact", func(ctx context.Context, c Caller, in vc.NewNoticeContact) (nothing, error) {
		return nothing{}, v.SetNoticeContact(ctx, c, in)
	})
	handle(mux, v, "create-users", v.CreateUsers)
	handle(mux, v, "users", func(ctx context.Context, c Caller, _ nothing) ([]vc.User, error) { return v.Users(ctx, c) })
	handle(mux, v, "new-link", v.NewLink)
	handle(mux, v, "stage", func(ctx context.Context, c Caller, in vc.WireStage) ([]vc.Staged, error) {
		changes, err := changesIn(in)
		if err != nil {
			return nil, err
		}
		return v.Stage(ctx, c, in.Import, changes)
	})
	handle(mux, v, "invent", func(ctx context.Context, c Caller, in vc.WireInvent) ([]vc.WireChange, error) {
		made, err := v.Invent(ctx, c, in.Organisation, in.Number, in.Worn)
		out := make([]vc.WireChange, len(made))
		for i, ch := range made {
			out[i] = ch.Wire()
		}
		return out, err
	})
	handle(mux, v, "weigh", func(ctx context.Context, c Caller, in vc.WireStage) ([]vc.Weighed, error) {
		changes, err := changesIn(in)
		if err != nil {
			return nil, err
		}
		return v.Weigh(ctx, c, in.Import, changes)
	})
	handle(mux, v, "confirm", func(ctx context.Context, c Caller, in vc.WireConfirm) (nothing, error) {
		return nothing{}, v.Confirm(ctx, c, in.Import, in.Manifests)
	})
	handle(mux, v, "discard", func(ctx context.Context, c Caller, in vc.WireConfirm) (nothing, error) {
		return nothing{}, v.Discard(ctx, c, in.Import)
	})
	handle(mux, v, "pending", func(ctx context.Context, c Caller, _ nothing) ([]id.Import, error) { return v.Pending(ctx, c) })
	handle(mux, v, "find-staff", func(ctx context.Context, c Caller, in vc.WireStaff) ([]byte, error) {
		if len(in.Orgs) != 16*len(in.Numbers) {
			return nil, invalid("columns differ in length")
		}
		keys := make([]vc.StaffKey, len(in.Numbers))
		for i, n := range in.Numbers {
			keys[i] = vc.StaffKey{Organisation: id.Organisation(in.Orgs[16*i:]), StaffNumber: person.NewValue(n)}
		}
		found, err := v.FindStaff(ctx, c, in.Purpose, keys)
		return vc.WireList(found), err
	})
	handle(mux, v, "find-ni", func(ctx context.Context, c Caller, in vc.WireNI) ([]byte, error) {
		found, err := v.FindNI(ctx, c, in.Purpose, person.NewValue(in.NI))
		return vc.WireList(found), err
	})
	handle(mux, v, "reveal", func(ctx context.Context, c Caller, in vc.WireReveal) (vc.WireRecords, error) {
		ws, err := wireWearers(in.Wearers)
		if err != nil {
			return vc.WireRecords{}, err
		}
		recs, err := v.Reveal(ctx, c, vc.RevealRequest{Purpose: in.Purpose, Fields: in.Fields, Wearers: ws, Reason: in.Reason})
		return vc.WireRecordsOf(recs), err
	})
	handle(mux, v, "search", func(ctx context.Context, c Caller, in vc.WireSearch) (vc.WireSearchResult, error) {
		res, err := v.Search(ctx, c, vc.SearchRequest{Purpose: in.Purpose, Organisation: in.Organisation, Query: person.NewValue(in.Query), Leavers: in.Leavers, Left: in.Left, Among: unpackWearers(in.Among), NamesOnly: in.NamesOnly, Offset: in.Offset, Limit: in.Limit})
		return vc.WireSearchResult{Total: res.Total, Records: vc.WireRecordsOf(res.Records)}, err
	})
	handle(mux, v, "match", func(ctx context.Context, c Caller, in vc.WireMatch) ([]vc.Candidate, error) {
		identity, err := person.DecodeIdentity(in.Identity)
		if err != nil {
			return nil, invalid("the person can't be read")
		}
		return v.Match(ctx, c, in.Organisation, identity, person.NewValue(in.NI))
	})
	handle(mux, v, "match-list", func(ctx context.Context, c Caller, in vc.WireListed) ([]vc.Found, error) {
		rows, err := in.Listed()
		if err != nil {
			return nil, invalid("%v", err)
		}
		return v.MatchList(ctx, c, in.Purpose, rows)
	})
	handle(mux, v, "pairs", v.Pairs)
	handle(mux, v, "link-persons", func(ctx context.Context, c Caller, in vc.WireLink) (nothing, error) {
		return nothing{}, v.LinkPersons(ctx, c, in.One, in.Other)
	})
	handle(mux, v, "tell-apart", func(ctx context.Context, c Caller, in vc.WireLink) (nothing, error) {
		return nothing{}, v.TellApart(ctx, c, in.One, in.Other)
	})
	handle(mux, v, "end-user", func(ctx context.Context, c Caller, in id.User) (nothing, error) {
		return nothing{}, v.EndUser(ctx, c, in)
	})
	handle(mux, v, "compare", func(ctx context.Context, c Caller, in vc.WireCompare) ([]vc.Verdict, error) {
		ws, err := wireWearers(in.Wearers)
		names, errNames := in.Names.Split()
		births, errBirths := in.Births.Split()
		if err != nil || errNames != nil || errBirths != nil || len(names) != len(ws) || len(births) != len(ws) {
			return nil, invalid("columns differ in length")
		}
		items := make([]vc.Comparison, len(ws))
		for i := range items {
			items[i] = vc.Comparison{Wearer: ws[i], Name: person.NewValue(string(names[i])), Birth: person.NewValue(string(births[i]))}
		}
		return v.Compare(ctx, c, in.Purpose, items)
	})
	handle(mux, v, "linked", func(ctx context.Context, c Caller, in vc.WireWearers) ([][]vc.LinkedWearer, error) {
		ws, err := wireWearers(in.Wearers)
		if err != nil {
			return nil, err
		}
		return v.Linked(ctx, c, in.Purpose, ws)
	})
	handle(mux, v, "tags", func(ctx context.Context, c Caller, in vc.WireTags) ([][]byte, error) {
		return v.Tags(ctx, c, in.Purpose, in.Items)
	})
	handle(mux, v, "seal", func(ctx context.Context, c Caller, in vc.WireItems) (vc.WireValues, error) {
		items, err := in.Items()
		if err != nil {
			return vc.WireValues{}, invalid("%v", err)
		}
		out, err := v.Seal(ctx, c, in.Purpose, items)
		return vc.Join(out), err
	})
	handle(mux, v, "reseal", func(ctx context.Context, c Caller, in vc.WireReseal) (vc.WireValues, error) {
		items, err := in.From.Items()
		to, errTo := in.To.Items()
		if err != nil || errTo != nil {
			return vc.WireValues{}, invalid("columns differ in length, or a number is too large")
		}
		out, err := v.Reseal(ctx, c, in.From.Purpose, items, to)
		return vc.Join(out), err
	})
	handle(mux, v, "open", func(ctx context.Context, c Caller, in vc.WireItems) (vc.WireValues, error) {
		r, err := openRequest(in)
		if err != nil {
			return vc.WireValues{}, err
		}
		out, err := v.Open(ctx, c, r)
		return vc.Join(out), err
	})
	handle(mux, v, "look", func(ctx context.Context, c Caller, in vc.WireLook) (vc.WireLooked, error) {
		r, err := openRequest(in.Items)
		if err != nil {
			return vc.WireLooked{}, err
		}
		ws, err := wireWearers(in.Wearers)
		if err != nil {
			return vc.WireLooked{}, err
		}
		out, err := v.Look(ctx, c, vc.LookRequest{OpenRequest: r, Fields: in.Fields, Wearers: ws})
		return vc.WireLooked{Records: vc.WireRecordsOf(out.Records), Values: vc.Join(out.Values)}, err
	})
	handle(mux, v, "intake", func(ctx context.Context, c Caller, in vc.WireIntake) (nothing, error) {
		ws, err := wireWearers(in.Wearers)
		if err != nil {
			return nothing{}, err
		}
		return nothing{}, v.Intake(ctx, c, vc.Intake{Import: in.Import, Source: in.Source, SHA256: in.SHA256, Bytes: in.Bytes, Rows: in.Rows, Sender: in.Sender, Via: in.Via, Held: in.Held, Wearers: ws, About: in.About})
	})
	handle(mux, v, "grant-job", v.GrantJob)
	handle(mux, v, "admit", v.Admit)
	handle(mux, v, "machines", func(ctx context.Context, c Caller, _ nothing) ([]vc.Machine, error) { return v.Machines(ctx, c) })
	handle(mux, v, "end-machine", func(ctx context.Context, c Caller, n id.Grant) (nothing, error) {
		return nothing{}, v.EndMachine(ctx, c, n)
	})
	handle(mux, v, "delivered", func(ctx context.Context, c Caller, _ nothing) ([]id.Import, error) { return v.Delivered(ctx, c) })
	handle(mux, v, "self", func(ctx context.Context, c Caller, _ nothing) (vc.Machine, error) { return v.Self(ctx, c) })
	handle(mux, v, "freeze", func(ctx context.Context, c Caller, in vc.FreezeRequest) (nothing, error) {
		return nothing{}, v.Freeze(ctx, c, in)
	})
	handle(mux, v, "frozen", func(ctx context.Context, c Caller, _ nothing) ([]vc.Frozen, error) { return v.Frozen(ctx, c) })
	handle(mux, v, "propose", v.Propose)
	handle(mux, v, "approvals", func(ctx context.Context, c Caller, _ nothing) ([]vc.Approval, error) { return v.Approvals(ctx, c) })
	handle(mux, v, "withdraw-approval", func(ctx context.Context, c Caller, n id.Approval) (nothing, error) {
		return nothing{}, v.WithdrawApproval(ctx, c, n)
	})
	handle(mux, v, "standing-grants", func(ctx context.Context, c Caller, _ nothing) ([]vc.StandingGrant, error) {
		return v.StandingGrants(ctx, c)
	})
	handle(mux, v, "grants", func(ctx context.Context, c Caller, _ nothing) ([]vc.Grant, error) { return v.Grants(ctx, c) })
	handle(mux, v, "end-grant", func(ctx context.Context, c Caller, n id.Grant) (nothing, error) {
		return nothing{}, v.EndGrant(ctx, c, n)
	})
	handle(mux, v, "end-single-administrator", func(ctx context.Context, c Caller, _ nothing) (nothing, error) {
		return nothing{}, v.EndSingleAdministrator(ctx, c)
	})
	handle(mux, v, "alarms", v.Alarms)
	handle(mux, v, "enter-step", v.EnterStep)
	handle(mux, v, "tell", v.Tell)
	handle(mux, v, "incidents", func(ctx context.Context, c Caller, _ nothing) ([]vc.Incident, error) { return v.Incidents(ctx, c) })
	handle(mux, v, "ack-alarm", func(ctx context.Context, c Caller, in vc.AlarmAck) (nothing, error) {
		return nothing{}, v.AckAlarm(ctx, c, in)
	})
	handle(mux, v, "ledger", v.Ledger)
	handle(mux, v, "seen", v.Seen)
	handle(mux, v, "who-may", v.WhoMay)
	handle(mux, v, "sees", v.Sees)
	handle(mux, v, "policies", func(ctx context.Context, c Caller, _ nothing) (vc.Policies, error) { return v.Policies(ctx, c) })
	handle(mux, v, "exposures", v.Exposures)
	handle(mux, v, "declare", func(ctx context.Context, c Caller, in vc.Declaration) (nothing, error) {
		return nothing{}, v.Declare(ctx, c, in)
	})
	handle(mux, v, "checkpoint", v.Checkpoint)
	handle(mux, v, "budgets", func(ctx context.Context, c Caller, _ nothing) (vc.Budgets, error) { return v.Budgets(ctx, c) })
	handle(mux, v, "all-budgets", func(ctx context.Context, c Caller, _ nothing) ([]vc.Budgets, error) { return v.AllBudgets(ctx, c) })
	handle(mux, v, "set-budget", func(ctx context.Context, c Caller, in vc.NewBudget) (nothing, error) {
		return nothing{}, v.SetBudget(ctx, c, in)
	})
	handle(mux, v, "break-glass", v.BreakGlass)
}

// openRequest reads what is to be opened.
func openRequest(in vc.WireItems) (vc.OpenRequest, error) {
	items, err := in.Items()
	if err != nil {
		return vc.OpenRequest{}, invalid("%v", err)
	}
	about, err := wireWearers(in.About)
	return vc.OpenRequest{Purpose: in.Purpose, Reason: in.Reason, Items: items, About: about}, err
}

func wireWearers(b []byte) ([]id.Wearer, error) {
	if len(b)%16 != 0 {
		return nil, invalid("columns differ in length")
	}
	return unpackWearers(b), nil
}

// changesIn reads the changes of a request.
func changesIn(in vc.WireStage) ([]vc.Change, error) {
	changes := make([]vc.Change, len(in.Changes))
	for i, w := range in.Changes {
		var err error
		if changes[i], err = w.Change(); err != nil {
			return nil, invalid("person %d can't be read", i+1)
		}
	}
	return changes, nil
}

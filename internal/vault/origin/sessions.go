package origin

import (
	"net/http"

	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

func (o *Origin) sessionRoutes() []route {
	return []route{
		{"GET /sessions", o.signedIn(o.sessions)},
		{"GET /sessions/all", o.signedIn(o.allSessions)},
		{"POST /sessions/{session}/end", o.signedIn(o.endSession)},
	}
}

func init() { dones["session-ended"] = "The session has ended" }

type sessionsPage struct {
	frame
	All, MayAll bool
	Rows        []sessionRow
}

type sessionRow struct {
	vaultclient.OpenSession
	Where              words.Key
	RoleName           words.Key
	Began, Used, Until string
}

// sessions shows somebody where they are signed in.
func (o *Origin) sessions(w http.ResponseWriter, r *http.Request, v *visit) error {
	list, err := o.Vault.Sessions(v.ctx, v.caller)
	if err != nil {
		return err
	}
	o.render(w, r, http.StatusOK, "sessions", &sessionsPage{frame: frame{Title: "Sessions"}, MayAll: mayAdminister(v), Rows: sessionRows(v, list)})
	return nil
}

// allSessions shows who else is signed in; that somebody looked is entered.
func (o *Origin) allSessions(w http.ResponseWriter, r *http.Request, v *visit) error {
	list, err := o.Vault.AllSessions(v.ctx, v.caller)
	if err != nil {
		return err
	}
	o.render(w, r, http.StatusOK, "sessions", &sessionsPage{frame: frame{Title: "Everybody’s sessions"}, All: true, Rows: sessionRows(v, list)})
	return nil
}

func sessionRows(v *visit, list []vaultclient.OpenSession) []sessionRow {
	rows := make([]sessionRow, len(list))
	for i, s := range list {
		rows[i] = sessionRow{OpenSession: s, Where: words.Plain(s.Node), Began: words.Moment(v.ctx, s.Began), Used: words.Moment(v.ctx, s.Used), Until: words.Moment(v.ctx, s.Expires)}
		switch s.Node {
		case "web":
			rows[i].Where = "The web pages"
		case "cli":
			rows[i].Where = "The command line"
		case v.caller.Node:
			rows[i].Where = "The vault’s own pages"
		}
		for _, x := range roleWords {
			if x.role == s.Role {
				rows[i].RoleName = x.name
			}
		}
	}
	return rows
}

// endSession ends a session at once, whoever's the vault lets.
func (o *Origin) endSession(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := o.Vault.EndSession(v.ctx, v.caller, r.PathValue("session")); err != nil {
		return err
	}
	to := "/sessions"
	if r.PostFormValue("all") != "" {
		to = "/sessions/all"
	}
	http.Redirect(w, r, to+"?done=session-ended", http.StatusSeeOther)
	return nil
}

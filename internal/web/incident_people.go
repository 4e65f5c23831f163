package web

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/incident"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// concernedRow is one of an organisation's own people, and what became readable of them.
type concernedRow struct {
	vaultclient.Record
	Of incident.Concerned
}

// peopleView is the list of an organisation's own people who are concerned.
type peopleView struct {
	caseView
	People []concernedRow
	Pages  pages
}

// Href is the address of a page of the list.
func (x peopleView) Href(page int) string {
	return withQuery(x.Path+"/people", url.Values{"page": {strconv.Itoa(page)}})
}

// concernedPeople names an organisation's own people who are concerned, to its data protection officer. Each page of names is entered.
func (h *handler) concernedPeople(v *visit) error {
	var x peopleView
	var err error
	if x.caseView, err = h.theIncident(v); err != nil {
		return err
	}
	r, open := incident.Scope(x.Incident)
	if x.Service || !open {
		return errNoPage
	}
	all, err := h.Register.Exposures(v.ctx, v.auth, r)
	if err != nil {
		return err
	}
	concerned := incident.ConcernedOf(all.List, id.Organisation{})
	slices.SortFunc(concerned, func(a, b incident.Concerned) int { return slices.Compare(a.Wearer[:], b.Wearer[:]) })
	x.Pages = paged(len(concerned), pageNumber(v.r.URL.Query().Get("page")))
	if concerned = concerned[x.Pages.Offset():x.Pages.To()]; len(concerned) > 0 {
		of, wearers := map[id.Wearer]incident.Concerned{}, make([]id.Wearer, len(concerned))
		for i, c := range concerned {
			of[c.Wearer], wearers[i] = c, c.Wearer
		}
		named, err := h.Vault.Reveal(v.ctx, v.auth, vaultclient.RevealRequest{Purpose: policy.BreachNotice, Fields: policy.FieldName, Wearers: wearers, Reason: x.Number})
		if err != nil {
			return err
		}
		for _, one := range named {
			x.People = append(x.People, concernedRow{one, of[one.Wearer]})
		}
	}
	h.render(v.w, v.r, http.StatusOK, concernedPage(h.frame("People concerned", &v.user, incidentCrumbs(&x.Incident)...), x))
	return nil
}

// years writes calendar years, runs of them from the first to the last: "2019 to 2021, 2024".
func years(all []uint16) (runs []string) {
	for i := 0; i < len(all); i++ {
		from := all[i]
		for i+1 < len(all) && all[i+1] == all[i]+1 {
			i++
		}
		run := strconv.Itoa(int(from))
		if all[i] != from {
			run += "–" + strconv.Itoa(int(all[i]))
		}
		runs = append(runs, run)
	}
	return runs
}

// proofsFile answers with the entries that the figures rest on: what somebody compares with a copy of the ledger of their own. It names nobody.
func (h *handler) proofsFile(v *visit) error {
	x, err := h.theIncident(v)
	if err != nil {
		return err
	}
	r, open := incident.Scope(x.Incident)
	if !open {
		return errNoPage
	}
	r.Proofs, r.List = true, false
	all, err := h.Register.Exposures(v.ctx, v.auth, r)
	if err != nil {
		return err
	}
	rows := [][]string{{"log", "entry", "recorded", "leaf_hash"}}
	for _, p := range all.Proofs {
		rows = append(rows, []string{p.Log, strconv.FormatInt(p.Seq, 10), p.Recorded.UTC().Format(time.RFC3339Nano), hex.EncodeToString(p.LeafHash)})
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		return err
	}
	v.file(b.Bytes(), "text/csv; charset=utf-8", fmt.Sprintf("incident-%s-proofs.csv", x.Number))
	return nil
}

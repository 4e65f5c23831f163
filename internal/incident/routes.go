package incident

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Nation is a nation of the United Kingdom.
type Nation string

// Nations lists them.
var Nations = []Nation{"england", "wales", "scotland", "northern-ireland"}

// Body is what kind of body an organisation is, for who else it tells of a breach.
type Body string

// Bodies lists them: of the NHS (in Northern Ireland of Health and Social Care), another public one, a private one.
var Bodies = []Body{"nhs", "public", "private"}

// BodyOf is what an organisation's kind says; empty: nothing, so somebody has to.
func BodyOf(k vaultclient.Kind) Body {
	switch k {
	case vaultclient.HealthBoard, vaultclient.NHSTrust:
		return "nhs"
	case vaultclient.PrivateHospital, vaultclient.DentalPractice, vaultclient.VetPractice, vaultclient.Airport:
		return "private"
	case vaultclient.OtherKind:
	}
	return ""
}

// Route is one place that a breach is reported to.
type Route struct {
	who, when [2]string // in English and Welsh
	nations   []string
	bodies    []string
	How       string        // address, number, or through whom
	Within    time.Duration // of becoming aware; 0: no fixed time
	Source    string
	Checked   day.Day // when the source was read; zero: still to be confirmed
}

// Who says who is told.
func (r Route) Who(ctx context.Context) string { return inLanguage(ctx, r.who) }

// When says in which case.
func (r Route) When(ctx context.Context) string { return inLanguage(ctx, r.when) }

func inLanguage(ctx context.Context, s [2]string) string {
	if words.Of(ctx) == words.Welsh {
		return s[1]
	}
	return s[0]
}

//go:embed routes.csv
var routesFile []byte

// Routes are the places that a body of a nation reports a breach to, in the order in which they are thought of.
func Routes(n Nation, b Body) []Route {
	all, err := readRoutes(routesFile)
	if err != nil {
		panic(err) // embedded, and read by a test
	}
	return slices.DeleteFunc(all, func(r Route) bool { return !r.meant(string(n), string(b)) })
}

func (r Route) meant(nation, body string) bool {
	in := func(list []string, x string) bool { return slices.Contains(list, "all") || slices.Contains(list, x) }
	return in(r.nations, nation) && in(r.bodies, body)
}

// readRoutes reads the table. An error names the line.
func readRoutes(file []byte) ([]Route, error) {
	in := csv.NewReader(bytes.NewReader(file))
	in.Comment, in.FieldsPerRecord = '#', 10
	rows, err := in.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("routes.csv: %w", err)
	}
	var all []Route
	for i, row := range rows[1:] {
		wrong := func(what string) error { return fmt.Errorf("routes.csv, route %d: %s", i+1, what) }
		r := Route{who: [2]string{row[0], row[1]}, nations: strings.Fields(row[2]), bodies: strings.Fields(row[3]), when: [2]string{row[4], row[5]}, How: row[6], Source: row[8]}
		for _, text := range []string{row[0], row[1], row[4], row[5], r.How, r.Source} {
			if text == "" {
				return nil, wrong("a text is missing")
			}
		}
		for _, n := range r.nations {
			if n != "all" && !slices.Contains(Nations, Nation(n)) {
				return nil, wrong("no nation " + n)
			}
		}
		for _, b := range r.bodies {
			if b != "all" && !slices.Contains(Bodies, Body(b)) {
				return nil, wrong("no body " + b)
			}
		}
		if row[7] != "" {
			hours, err := strconv.Atoi(row[7])
			if err != nil || hours < 1 {
				return nil, wrong("hours: a whole number is expected")
			}
			r.Within = time.Duration(hours) * time.Hour
		}
		if row[9] != "V" {
			if r.Checked, err = day.Parse(row[9]); err != nil {
				return nil, wrong("checked: a day or V is expected")
			}
		}
		all = append(all, r)
	}
	return all, nil
}

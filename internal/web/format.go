package web

import (
	"context"
	"fmt"
	"strings"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// dateOf writes a day given as YYYY-MM-DD as in "12 March 2026"; what is no day stays as it is.
func dateOf(ctx context.Context, s string) string {
	d, err := day.Parse(s)
	if err != nil {
		return s
	}
	return words.Date(ctx, d)
}

// millisievert writes a dose without its unit: two places, three where the third is not zero.
func millisievert(d dose.MicroSv) string {
	sign := ""
	if d < 0 {
		sign, d = "−", -d
	}
	s := fmt.Sprintf("%s%s.%03d", sign, number(int(d/1000)), d%1000)
	return strings.TrimSuffix(s, "0")
}

// mSv writes a dose with its unit, as in "0.35 mSv".
func mSv(d dose.MicroSv) string { return millisievert(d) + "\u00a0mSv" }

// limitMSv writes a limit with its unit, without places where there are none: "20 mSv".
func limitMSv(d dose.MicroSv) string {
	return strings.TrimSuffix(millisievert(d), ".00") + "\u00a0mSv"
}

// number writes a whole number with commas between the thousands.
func number(n int) string { return words.Number(n) }

// people writes a number of human beings: "nobody", "one person", "25 people".
func people(ctx context.Context, n int) string {
	switch n {
	case 0:
		return words.T(ctx, "nobody")
	case 1:
		return words.T(ctx, "one person")
	}
	return words.T(ctx, "%s people", number(n))
}

// capital makes the first letter a capital one.
func capital(s string) string {
	for i, r := range s {
		if i == 0 {
			return strings.ToUpper(string(r)) + s[len(string(r)):]
		}
	}
	return s
}

// lower makes the first letter a small one.
func lower(s string) string {
	for i, r := range s {
		if i == 0 {
			return strings.ToLower(string(r)) + s[len(string(r)):]
		}
	}
	return s
}

var kindWords = map[vaultclient.Kind]words.Key{
	vaultclient.HealthBoard: "Health board", vaultclient.NHSTrust: "NHS trust", vaultclient.PrivateHospital: "Private hospital",
	vaultclient.DentalPractice: "Dental practice", vaultclient.VetPractice: "Veterinary practice", vaultclient.Airport: "Airport",
	vaultclient.OtherKind: "Other",
}

// kindWord says what kind of organisation it is.
func kindWord(k vaultclient.Kind) words.Key {
	if w := kindWords[k]; w != "" {
		return w
	}
	return words.Plain(string(k))
}

var roleWords = map[policy.Role]words.Key{
	policy.Coordinator: "co-ordinator", policy.Local: "local badge co-ordinator", policy.Supervisor: "radiation protection supervisor",
	policy.RecordsOfficer: "records officer", policy.DataProtection: "data protection officer", policy.Wearer: "wearer", policy.Operator: "operator",
	policy.Administrator: "administrator",
}

// roleWord says a role in words.
func roleWord(ctx context.Context, r policy.Role) string {
	if w := roleWords[r]; w != "" {
		return words.T(ctx, w)
	}
	return strings.ReplaceAll(string(r), "-", " ")
}

// orDash shows that there is nothing where there is nothing.
func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// statement writes words as a sentence: with a capital and a full stop.
func statement(s string) string {
	if s = capital(s); s != "" && !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}

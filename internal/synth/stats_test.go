package synth

import (
	"testing"
	"time"
)

func TestStatsProbe(t *testing.T) {
	begun := time.Now()
	s := Generate(Default())
	t.Log(time.Since(begun), len(s.People), len(s.Wearers), len(s.Organisations), len(s.Badges), len(s.Batches), len(s.Latest), len(s.Markers), len(s.Cases))
	st := map[State]int{}
	pos := map[string]int{}
	cur := 0
	for _, b := range s.Badges {
		st[b.State]++
		pos[b.Position.String()]++
	}
	months := map[int]int{}
	for _, w := range s.Wearers {
		if w.To.IsZero() {
			cur++
			months[w.Months]++
		}
	}
	t.Log(st, pos, cur, months)
	kinds := map[Kind]int{}
	for _, o := range s.Organisations {
		kinds[o.Kind]++
	}
	t.Log(kinds)
	t.Logf("%+v", s.Cases)
	rec := map[[2]int]int{}
	for i := range s.Badges {
		b := &s.Badges[i]
		if b.Wearer >= 0 && b.Position.String() == "whole body" && !b.NotCounted && len(b.Results) > 0 && (s.Organisations[b.Organisation].Kind.NHS() || s.Organisations[b.Organisation].Kind == PrivateHospital) {
			rs := b.Results[len(b.Results)-1].Readings
			rec[[2]int{b.Wearer, b.To.Year()}] += int(rs[0].Dose)
		}
	}
	zero, two := 0, 0
	for _, v := range rec {
		if v == 0 {
			zero++
		}
		if v > 2000 {
			two++
		}
	}
	t.Log(len(rec), float64(zero)/float64(len(rec)), float64(two)/float64(len(rec)))
}

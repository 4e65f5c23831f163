package vaultcmd

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Up to this much memory, garbage is left lying until there is four times as much as what is in use.
const roomy = 256 << 20

// collectSeldom has memory collected seldom while the vault is small, and as often as Go does by itself once it is large: what
// a request leaves behind is much more than what a small vault keeps.
func collectSeldom(ctx context.Context) {
	debug.SetGCPercent(400)
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		debug.SetMemoryLimit(max(roomy, 2*int64(live[0].Value.Uint64())))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

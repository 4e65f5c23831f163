// Package worker works through what waits in the register: imports to be
// previewed or stored. It has no listener and no right of its own: each import
// carries the grant that it works by.
package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// How long a worker waits, and how often it tries.
const (
	pause     = 50 * time.Millisecond // when there was nothing to do, at most; soon after some work less: the next step may follow
	every     = register.Lease / 4    // that it looks for what others left
	firstWait = time.Second           // after a fault, then twice as long …
	most      = 30 * time.Second      // … up to this
	tries     = 8                     // of one import, about two minutes; without the vault no try counts
)

// Run reconciles what an earlier stop left behind, then works until the context ends.
func Run(ctx context.Context, s *register.Service, log *slog.Logger) error {
	failed := map[id.Import]int{}
	wait := firstWait
	later := func() bool {
		ok := sleep(ctx, wait)
		wait = min(2*wait, most)
		return ok
	}
	var settled time.Time // when it last looked; zero after a fault
	var night time.Time   // when it last asked whether a night's run is due
	worked := time.Now()
	for {
		if time.Since(settled) > every {
			// A stop or a fault, here or elsewhere, left imports as they were claimed: they are put back.
			if err := s.Reconcile(ctx); err != nil {
				if ctx.Err() == nil {
					log.Error("reconciling the databases; trying again", "error", err, "in", wait)
				}
				if !later() {
					return nil
				}
				continue
			}
			settled = time.Now()
		}
		if time.Since(night) > register.NightEvery {
			if err := s.StartNight(ctx); err != nil && ctx.Err() == nil {
				log.Error("asking for a night's run; trying again later", "error", err)
			}
			night = time.Now()
		}
		im, err := next(ctx, s, log)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			again(ctx, s, log, im, err, failed)
			settled = time.Time{}
			if !later() {
				return nil
			}
		case im.ID.IsZero():
			if !sleep(ctx, min(pause, max(time.Since(worked)/20, time.Millisecond))) {
				return nil
			}
		default:
			delete(failed, im.ID)
			wait, worked = firstWait, time.Now()
		}
	}
}

// again counts an import's faults, and gives it up where they are too many: the imports behind it must not wait for ever.
func again(ctx context.Context, s *register.Service, log *slog.Logger, im register.ImportRow, why error, failed map[id.Import]int) {
	log.Error("working on an import", "import", im.ID, "error", why)
	if im.ID.IsZero() || errors.Is(why, vaultclient.ErrUnavailable) || allFrozen(why) {
		return
	}
	if failed[im.ID]++; failed[im.ID] < tries {
		return
	}
	delete(failed, im.ID)
	if err := s.GiveUp(ctx, im); err != nil {
		log.Error("giving up an import", "import", im.ID, "error", err)
	}
}

// allFrozen reports whether nothing goes on until two people thaw the whole installation: no import is to blame for that.
func allFrozen(err error) bool {
	known, ok := errors.AsType[*vaultclient.Error](err)
	return ok && known.Code == vaultclient.IsFrozen && known.Scope == string(vaultclient.Everything)
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// next does one step of one import and returns it; the zero one when none waits.
func next(ctx context.Context, s *register.Service, log *slog.Logger) (register.ImportRow, error) {
	for _, step := range []struct{ from, to register.State }{{register.Confirmed, register.Importing}, {register.Received, register.Previewing}} {
		im, err := s.Claim(ctx, step.from, step.to)
		if errors.Is(err, register.ErrNotFound) {
			continue
		}
		if err != nil {
			return im, err
		}
		began := time.Now()
		err = s.WorkOn(ctx, im)
		log.Info("worked on an import", "import", im.ID, "step", step.to, "seconds", time.Since(began).Seconds())
		return im, err
	}
	return register.ImportRow{}, nil
}

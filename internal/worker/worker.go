// Package worker works through what waits in the register: imports to be
// previewed or stored. It has no listener and no right of its own: each import
// carries the grant that it works by.
package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/dosevault/dosevault/internal/register"
)

// pause is how long a worker waits before it looks again, when there was nothing to do.
const pause = 150 * time.Millisecond

// Run reconciles what an earlier stop left behind, then works until the context ends.
func Run(ctx context.Context, s *register.Service, log *slog.Logger) error {
	for wait := time.Second; ; wait = min(2*wait, 30*time.Second) {
		err := s.Reconcile(ctx)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return nil
		}
		log.Error("reconciling the databases; trying again", "error", err, "in", wait)
		if !sleep(ctx, wait) {
			return nil
		}
	}
	for {
		worked, err := next(ctx, s, log)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			log.Error("working on an import; trying again", "error", err)
			if !sleep(ctx, time.Second) {
				return nil
			}
			// A fault left the import as it was claimed: put it back.
			if err := s.Reconcile(ctx); err != nil {
				log.Error("reconciling the databases", "error", err)
			}
			continue
		}
		if !worked && !sleep(ctx, pause) {
			return nil
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// next does one step of one import, and reports whether there was any.
func next(ctx context.Context, s *register.Service, log *slog.Logger) (bool, error) {
	for from, to := range map[register.State]register.State{register.Received: register.Previewing, register.Confirmed: register.Importing} {
		im, err := s.Store.Claim(ctx, from, to)
		if errors.Is(err, register.ErrNotFound) {
			continue
		}
		if err != nil {
			return false, err
		}
		began := time.Now()
		err = s.WorkOn(ctx, im)
		log.Info("worked on an import", "import", im.ID, "step", to, "seconds", time.Since(began).Seconds())
		return true, err
	}
	return false, nil
}

package vault

import (
	"context"
	"fmt"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// A vault that runs says so in a row of table setting, which it takes away when it is shut down. A start that finds the row
// comes after a crash, a power cut, or a kill, and raises an alarm.

var settingRunning = []byte("running")

// running is the row of a vault that runs.
type running struct {
	Since int64 `json:"since"` // µs
}

// enterStart writes that the vault runs, and raises an alarm where the row of an earlier run is still there.
func (t *tx) enterStart() error {
	if was := t.v.state.running; was != nil {
		o := ledger.Opening{Reason: fmt.Sprintf("it ran since %s, and was not shut down", time.UnixMicro(was.Since).UTC().Format(time.RFC3339))}
		if err := t.raise(vaultclient.AlarmUncleanStop, id.Organisation{}, o); err != nil {
			return err
		}
	}
	row := &running{t.now.UnixMicro()}
	sealed, err := t.v.sealRow(TableSetting, settingRunning, row)
	if err != nil {
		return err
	}
	t.put(TableSetting, settingRunning, sealed)
	t.apply(func(s *state) { s.running = row })
	return nil
}

// enterStop takes away that the vault runs. Where that fails, the next start says that it was not shut down, which is so.
func (v *Vault) enterStop() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := v.commit(ctx, func(t *tx) error {
		if v.state.running == nil {
			return nil
		}
		t.put(TableSetting, settingRunning, nil)
		t.apply(func(s *state) { s.running = nil })
		return nil
	})
	if err != nil {
		v.log.Warn("that the vault is shut down could not be kept: the next start raises an alarm", "error", err)
	}
}

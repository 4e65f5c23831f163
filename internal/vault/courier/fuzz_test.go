package courier

import (
	"strings"
	"testing"
	"time"
)

// Whatever settings a start is given for alarms, they are taken or refused in words that hold no secret, and nothing personal or secret goes without TLS beyond this machine.
func FuzzSettings(f *testing.F) {
	f.Fuzz(func(t *testing.T, mail, from, smtp, password, webhook, key string) {
		s := Settings{Mail: strings.Fields(mail), From: from, SMTP: smtp, Password: password, Webhook: webhook, WebhookKey: key}
		check := func(err error) {
			t.Helper()
			for _, secret := range []string{password, key} {
				if err != nil && len(secret) > 8 && !strings.Contains("--smtp --alarm-mail DOSEVAULT_SMTP_PASSWORD DOSEVAULT_ALARM_WEBHOOK_KEY", secret) && !strings.Contains(mail+from, secret) && strings.Contains(err.Error(), secret) {
					t.Errorf("the error holds a secret: %v", err)
				}
			}
		}
		m, err := newMailer(s)
		check(err)
		if err == nil && (m.host == "" || len(m.to) == 0) {
			t.Errorf("taken: %+v", m)
		}
		h, err := newWebhook(s, time.Now)
		check(err)
		if err == nil && !strings.HasPrefix(strings.ToLower(h.to), "https://") && !strings.HasPrefix(strings.ToLower(h.to), "http://") {
			t.Errorf("taken: %q", h.to)
		}
	})
}

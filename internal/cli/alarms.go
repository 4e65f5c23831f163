package cli

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vault/courier"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// alarmSettings say where alarms go.
type alarmSettings struct {
	AlarmMail           []string `help:"E-mail addresses that alarms go to." env:"DOSEVAULT_ALARM_MAIL" placeholder:"ADDRESS" group:"place"`
	AlarmFrom           string   `help:"Sender of these e-mails; the first of the addresses, without it." env:"DOSEVAULT_ALARM_FROM" placeholder:"ADDRESS" group:"place"`
	SMTP                string   `help:"Mail server, as in smtp://user@mail.board.example:587 (STARTTLS) or smtps://… (TLS). Its password stands in DOSEVAULT_SMTP_PASSWORD or a file." name:"smtp" env:"DOSEVAULT_SMTP" placeholder:"URL" group:"place"`
	SMTPPasswordFile    string   `help:"File with that password." name:"smtp-password-file" env:"DOSEVAULT_SMTP_PASSWORD_FILE" type:"path" placeholder:"FILE" group:"place"`
	AlarmWebhook        string   `help:"Address that alarms are posted to, signed with the key in DOSEVAULT_ALARM_WEBHOOK_KEY or a file." env:"DOSEVAULT_ALARM_WEBHOOK" placeholder:"URL" group:"place"`
	AlarmWebhookKeyFile string   `help:"File with that key." env:"DOSEVAULT_ALARM_WEBHOOK_KEY_FILE" type:"path" placeholder:"FILE" group:"place"`
}

// settings reads what stands in the files too.
func (a alarmSettings) settings() (courier.Settings, error) {
	s := courier.Settings{Mail: a.AlarmMail, From: a.AlarmFrom, SMTP: a.SMTP, Webhook: a.AlarmWebhook}
	for _, secret := range []struct {
		to         *string
		name, path string
	}{{&s.Password, "DOSEVAULT_SMTP_PASSWORD", a.SMTPPasswordFile}, {&s.WebhookKey, "DOSEVAULT_ALARM_WEBHOOK_KEY", a.AlarmWebhookKeyFile}} {
		*secret.to = os.Getenv(secret.name)
		if secret.path != "" {
			b, err := os.ReadFile(secret.path)
			if err != nil {
				return s, err
			}
			*secret.to = strings.TrimRight(string(b), "\r\n")
		}
	}
	return s, nil
}

// environment is how the settings reach the vault's process: not as arguments, which anybody on the machine can read.
func (a alarmSettings) environment() []string {
	all := []string{"DOSEVAULT_ALARM_MAIL=" + strings.Join(a.AlarmMail, ","), "DOSEVAULT_ALARM_FROM=" + a.AlarmFrom, "DOSEVAULT_SMTP=" + a.SMTP, "DOSEVAULT_SMTP_PASSWORD_FILE=" + a.SMTPPasswordFile,
		"DOSEVAULT_ALARM_WEBHOOK=" + a.AlarmWebhook, "DOSEVAULT_ALARM_WEBHOOK_KEY_FILE=" + a.AlarmWebhookKeyFile}
	return slices.DeleteFunc(all, func(v string) bool { return strings.HasSuffix(v, "=") }) // not set at all
}

// alarmSecrets are variables that only the vault's process may see.
var alarmSecrets = []string{"DOSEVAULT_SMTP_PASSWORD=", "DOSEVAULT_ALARM_WEBHOOK=", "DOSEVAULT_ALARM_WEBHOOK_KEY="}

// AlarmsCmd lists alarms, or acknowledges one.
type AlarmsCmd struct {
	signedIn
	Open  bool   `help:"Only those that wait for somebody."`
	Limit int    `help:"How many to show." default:"25"`
	Ack   string `help:"Acknowledge the alarm of this id." placeholder:"ID"`
	Note  string `help:"What was found or done about it." placeholder:"TEXT"`
}

// Run prints alarms, open ones first, newest first.
func (c *AlarmsCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	if c.Ack != "" {
		n, err := id.Parse[id.Alarm](c.Ack)
		if err != nil {
			return fmt.Errorf("--ack: %w", err)
		}
		if err := client.AckAlarm(e.ctx, auth, vaultclient.AlarmAck{ID: n, Note: c.Note}); err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "Acknowledged: %s.\n", n)
		return nil
	}
	page, err := client.Alarms(e.ctx, auth, vaultclient.AlarmsRequest{Limit: c.Limit, Open: c.Open})
	if err != nil {
		return err
	}
	orgs, err := client.Organisations(e.ctx, auth)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ALARM\tKIND\tLAST\tTIMES\tABOUT\tBY\tORGANISATION\tWHY\tACKNOWLEDGED\t")
	for _, a := range page.Alarms {
		acked := "open"
		if !a.Acknowledged.IsZero() {
			acked = strings.TrimSuffix(a.AckBy+": "+a.Note, ": ")
		}
		org := "-"
		if !a.Organisation.IsZero() {
			org = organisationName(orgs, a.Organisation)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t\n", a.ID, a.Kind, minute(a.Last), a.Count, aboutOf(a.About, a.Name), cmp.Or(a.By, "-"), org, cmp.Or(a.Reason, "-"), acked)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%d shown of %d; %d open.\n", len(page.Alarms), page.Total, page.Open)
	return nil
}

// aboutOf names what something is about, with its name where it has one.
func aboutOf(scope, name string) string {
	if name != "" {
		return scope + " (" + name + ")"
	}
	return cmp.Or(scope, "-")
}

package cli

import (
	"net/netip"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"vserver/service/config"
)

// configShowCommand prints the settings that a server would run with.
func (p *program) configShowCommand() *cobra.Command {
	var f instanceFlags
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show the settings in effect, with defaults and without secrets",
		Long: "Show the settings that a server would run with: those of the chosen environment, with what the\n" +
			"process's environment changes and with defaults. Secrets are shown as ***.",
		Args: nothing,
		RunE: func(*cobra.Command, []string) error {
			inst, err := f.find(p)
			if err != nil {
				return err
			}
			if p.forPrograms {
				return p.printJSON(settingsOf(inst))
			}
			encoder := yaml.NewEncoder(p.out)
			encoder.SetIndent(2)
			if err := encoder.Encode(settingsOf(inst)); err != nil {
				return err
			}
			return encoder.Close()
		},
	}
	f.shared(cmd)
	p.jsonFlag(cmd)
	return cmd
}

// settings are those of an instance under the keys of its file, behind where it is
// kept. What the file can leave out stands there with its default.
type settings struct {
	Name        string       `json:"name" yaml:"name"`
	Scope       config.Scope `json:"scope" yaml:"scope"`
	File        string       `json:"file" yaml:"file"`
	Environment string       `json:"environment" yaml:"environment"`
	DataFolder  string       `json:"data_folder" yaml:"data_folder"`
	LogFile     string       `json:"log_file" yaml:"log_file"`
	Database    string       `json:"database" yaml:"database"`
	Settings    inEffect     `json:"settings" yaml:"settings"`
}

type inEffect struct {
	Description        string          `json:"description" yaml:"description"`
	Type               string          `json:"type" yaml:"type"`
	IP                 string          `json:"ip" yaml:"ip"`
	Port               int             `json:"port" yaml:"port"`
	APIPath            string          `json:"api_path" yaml:"api_path"`
	URI                string          `json:"uri" yaml:"uri"`
	AllowDropAll       bool            `json:"allow_drop_all" yaml:"allow_drop_all"`
	JWTSecretKey       string          `json:"jwt_secret_key" yaml:"jwt_secret_key"`
	Logging            loggingInEffect `json:"logging" yaml:"logging"`
	SMTP               *smtpInEffect   `json:"smtp" yaml:"smtp"`
	SupportEmail       string          `json:"support_email" yaml:"support_email"`
	EmailTokenMinutes  float64         `json:"email_token_validity_minutes" yaml:"email_token_validity_minutes"`
	AccessTokenHours   float64         `json:"token_expires_hours" yaml:"token_expires_hours"`
	RefreshTokenHours  float64         `json:"refresh_token_expires_hours" yaml:"refresh_token_expires_hours"`
	TwoFactorAuth      bool            `json:"two_factor_auth" yaml:"two_factor_auth"`
	PasswordPolicy     policyInEffect  `json:"password_policy" yaml:"password_policy"`
	VPN                *vpnInEffect    `json:"vpn_server" yaml:"vpn_server"`
	RabbitMQURI        string          `json:"rabbitmq_uri" yaml:"rabbitmq_uri"`
	CORSAllowedOrigins []string        `json:"cors_allowed_origins" yaml:"cors_allowed_origins"`
	TrustedProxies     []netip.Prefix  `json:"trusted_proxies" yaml:"trusted_proxies"`
	TLS                *tlsInEffect    `json:"tls" yaml:"tls"`
	Metrics            *placeInEffect  `json:"metrics" yaml:"metrics"`
	UI                 bool            `json:"ui" yaml:"ui"`
}

type loggingInEffect struct {
	Level       string            `json:"level" yaml:"level"`
	File        string            `json:"file" yaml:"file"`
	UseConsole  bool              `json:"use_console" yaml:"use_console"`
	BackupCount int               `json:"backup_count" yaml:"backup_count"`
	MaxSize     int               `json:"max_size" yaml:"max_size"`
	Format      string            `json:"format" yaml:"format"`
	DateFormat  string            `json:"datefmt" yaml:"datefmt"`
	Loggers     map[string]string `json:"loggers,omitempty" yaml:"loggers,omitempty"` // level by name
}

type smtpInEffect struct {
	Server   string `json:"server" yaml:"server"`
	Port     int    `json:"port" yaml:"port"`
	Username string `json:"username" yaml:"username"`
	Password string `json:"password" yaml:"password"`
	UseTLS   bool   `json:"MAIL_USE_TLS" yaml:"MAIL_USE_TLS"`
	UseSSL   bool   `json:"MAIL_USE_SSL" yaml:"MAIL_USE_SSL"`
}

type policyInEffect struct {
	MaxFailedAttempts int     `json:"max_failed_attempts" yaml:"max_failed_attempts"`
	Inactivation      float64 `json:"inactivation_minutes" yaml:"inactivation_minutes"`
}

type vpnInEffect struct {
	URL            string `json:"url" yaml:"url"`
	RedirectURL    string `json:"redirect_url" yaml:"redirect_url"`
	ClientID       string `json:"client_id" yaml:"client_id"`
	ClientSecret   string `json:"client_secret" yaml:"client_secret"`
	PortalUsername string `json:"portal_username" yaml:"portal_username"`
	PortalUserpass string `json:"portal_userpass" yaml:"portal_userpass"`
}

type tlsInEffect struct {
	Cert string `json:"cert" yaml:"cert"`
	Key  string `json:"key" yaml:"key"`
}

type placeInEffect struct {
	IP   string `json:"ip" yaml:"ip"`
	Port int    `json:"port" yaml:"port"`
}

// settingsOf takes a configuration apart, without its secrets.
func settingsOf(inst config.Instance) settings {
	c := inst.Config.Redacted()
	s := settings{
		Name: inst.Name, Scope: inst.Scope, File: inst.File, Environment: c.Environment,
		DataFolder: inst.DataDir, LogFile: inst.LogFile, Database: inst.Database.String(),
		Settings: inEffect{
			Description: c.Description, Type: c.Type, IP: c.IP, Port: c.Port, APIPath: c.APIPath,
			URI: c.URI.Reveal(), AllowDropAll: c.AllowDropAll, JWTSecretKey: c.JWTSecretKey.Reveal(),
			Logging: loggingOf(c.Logging), SupportEmail: c.SupportEmail,
			EmailTokenMinutes: c.EmailTokenLife.Minutes(), AccessTokenHours: c.AccessTokenLife.Hours(), RefreshTokenHours: c.RefreshTokenLife.Hours(),
			TwoFactorAuth: c.TwoFactorAuth, PasswordPolicy: policyInEffect{c.PasswordPolicy.MaxFailedAttempts, c.PasswordPolicy.Inactivation.Minutes()},
			RabbitMQURI: c.RabbitMQURI.Reveal(), CORSAllowedOrigins: append([]string{}, c.CORSAllowedOrigins.List...),
			TrustedProxies: append([]netip.Prefix{}, c.TrustedProxies...), UI: c.UI,
		},
	}
	if c.JWTSecretGenerated {
		s.Settings.JWTSecretKey = "generated at each start"
	}
	if c.CORSAllowedOrigins.Any {
		s.Settings.CORSAllowedOrigins = []string{"*"}
	}
	s.Settings.blocks(c)
	return s
}

// blocks adds those that a file can do without.
func (s *inEffect) blocks(c config.Config) {
	if c.SMTP.Configured {
		s.SMTP = &smtpInEffect{c.SMTP.Server, c.SMTP.Port, c.SMTP.Username, c.SMTP.Password.Reveal(), c.SMTP.UseTLS, c.SMTP.UseSSL}
	}
	if v := c.VPN; v != nil {
		s.VPN = &vpnInEffect{v.URL, v.RedirectURL, v.ClientID, v.ClientSecret.Reveal(), v.PortalUsername, v.PortalUserpass.Reveal()}
	}
	if c.TLS != nil {
		s.TLS = &tlsInEffect{c.TLS.Cert, c.TLS.Key}
	}
	if c.Metrics != nil {
		s.Metrics = &placeInEffect{c.Metrics.IP, c.Metrics.Port}
	}
}

func loggingOf(l config.Logging) loggingInEffect {
	shown := loggingInEffect{
		Level: l.Level, File: l.File, UseConsole: l.UseConsole, BackupCount: l.BackupCount, MaxSize: l.MaxSize,
		Format: l.Format, DateFormat: l.DateFormat,
	}
	for _, one := range l.Loggers {
		if shown.Loggers == nil {
			shown.Loggers = map[string]string{}
		}
		shown.Loggers[one.Name] = one.Level
	}
	return shown
}

package service

import (
	"vserver/handlers"
	"vserver/service/config"
	"vserver/service/mail"
)

// placesOf returns the addresses that mails name. A page is named only where the configuration
// says how people reach the server (/docs/mail#link).
func placesOf(c config.Config) mail.Places {
	at := mail.Places{Support: c.SupportEmail}
	if c.UI && len(c.PublicURL) > 0 {
		at.Page = c.PublicURL[0] + handlers.InterfaceAt(c.APIPath) + "/"
	}
	return at
}

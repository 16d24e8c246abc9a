package mail

import (
	"fmt"
	"html"
	"strings"
	"time"

	"vserver/service/core"
)

// Text is what a mail says, as text and as HTML.
type Text struct {
	Subject, Plain, HTML string
}

// words are the sentences of a language. Each gets the arguments that its use below has.
type words struct {
	lang     string
	greeting string // name
	closing  string // address for help
	time     string // layout of a moment
	at       string // address that something came from
	unknown  string // in place of at
	operator string // in place of at, for what the operator did
	there    string // where nobody can log in: from there
	anywhere string // or from anywhere
	minute   string
	minutes  string // number
	hour     string
	hours    string // number
	days     string // number, of more than one
	page     string // address where a token is entered
	subjects map[core.MailKind]string
	bodies   map[core.MailKind][]string
}

// tokenLine stands among the paragraphs where the token comes, on a line of its own.
const tokenLine = "\x00"

// inLanguage returns the words of a language, English where the language is none that is
// known. The arguments of a body are by number: 1 how long the token or the lock lasts, 2 the
// moment, 3 from where, 4 how many wrong passwords, 5 where nobody can log in, 6 the username.
func inLanguage(language string) words {
	if language == "nl" {
		return dutch()
	}
	return english()
}

func english() words {
	return words{
		lang: "en", greeting: "Hello %s,", closing: "Do you need help? Write to %s.", time: "2 January 2006 at 15:04 UTC",
		at: "from the address %s", unknown: "from an unknown address", operator: "by who operates the server",
		there: "from there", anywhere: "from anywhere",
		minute: "1 minute", minutes: "%d minutes", hour: "1 hour", hours: "%d hours", days: "%d days",
		page: "Enter it here, under “I have a token”: %s",
		subjects: map[core.MailKind]string{
			core.PasswordRecovery:     "Set a new password",
			core.SecondFactorRecovery: "Set up your second factor again",
			core.AccountLocked:        "Your account is locked for a while",
			core.PasswordChanged:      "Your password was changed",
			core.SecondFactorChanged:  "Your second factor was changed",
			core.Invitation:           "You are invited: set your password",
		},
		bodies: map[core.MailKind][]string{
			core.PasswordRecovery: {
				"somebody asked for a new password for your account. With this token you can set one within %[1]s:",
				tokenLine,
				"In Python: client.util.set_my_password(token, new_password). The token works once, and only the newest one does.",
				"If it was not you who asked, you need not do anything: your password stays as it is.",
			},
			core.SecondFactorRecovery: {
				"somebody who knows your password asked to set up the second factor of your account again. With this token you can do that within %[1]s:",
				tokenLine,
				"In Python: client.util.set_two_factor_auth(token). The token works once, and only the newest one does.",
				"If it was not you who asked, somebody else knows your password: change it right away, and tell who operates the server.",
			},
			core.AccountLocked: {
				"a wrong password was entered for your account %[4]d times, last on %[2]s %[3]s. To keep others out, the server lets nobody log in to it %[5]s for %[1]s.",
				"If it was you, wait until then, or ask for a new password. If it was not, nobody got in, and you need not do anything.",
			},
			core.PasswordChanged: {
				"the password of your account was changed on %[2]s %[3]s.",
				"If it was not you, ask for a new password right away, and tell who operates the server.",
			},
			core.SecondFactorChanged: {
				"the second factor of your account was changed on %[2]s %[3]s.",
				"If it was not you, change your password right away, and tell who operates the server.",
			},
			core.Invitation: {
				"there is an account for you: %[6]s. With this token you set its password within %[1]s:",
				tokenLine,
				"Open the page of the server, choose to set a lost password, and enter the token. In Python: client.util.set_my_password(token, new_password). The token works once, and only the newest one does.",
				"If you do not know what this is about, you need not do anything.",
			},
		},
	}
}

//nolint:misspell // Dutch
func dutch() words {
	return words{
		lang: "nl", greeting: "Beste %s,", closing: "Hulp nodig? Schrijf naar %s.", time: "02-01-2006 om 15:04 UTC",
		at:      "vanaf het adres %s", //nolint:misspell // it is Dutch
		unknown: "vanaf een onbekend adres", operator: "door de beheerder van de server",
		there: "vanaf daar niet", anywhere: "helemaal niet",
		minute: "1 minuut", minutes: "%d minuten", hour: "1 uur", hours: "%d uur", days: "%d dagen",
		page: "Voer de code hier in, onder “Ik heb een token”: %s",
		subjects: map[core.MailKind]string{
			core.PasswordRecovery:     "Stel een nieuw wachtwoord in",
			core.SecondFactorRecovery: "Stel uw tweede factor opnieuw in",
			core.AccountLocked:        "Uw account is tijdelijk geblokkeerd",
			core.PasswordChanged:      "Uw wachtwoord is gewijzigd",
			core.SecondFactorChanged:  "Uw tweede factor is gewijzigd",
			core.Invitation:           "U bent uitgenodigd: stel uw wachtwoord in",
		},
		bodies: map[core.MailKind][]string{
			core.PasswordRecovery: {
				"iemand heeft een nieuw wachtwoord voor uw account aangevraagd. Met deze code kunt u dat binnen %[1]s instellen:",
				tokenLine,
				"In Python: client.util.set_my_password(code, nieuw_wachtwoord). De code werkt één keer, en alleen de nieuwste code is geldig.",
				"Hebt u dit niet aangevraagd? Dan hoeft u niets te doen: uw wachtwoord blijft zoals het is.",
			},
			core.SecondFactorRecovery: {
				"iemand die uw wachtwoord kent, wil de tweede factor van uw account opnieuw instellen. Met deze code kan dat binnen %[1]s:",
				tokenLine,
				"In Python: client.util.set_two_factor_auth(code). De code werkt één keer, en alleen de nieuwste code is geldig.",
				"Hebt u dit niet aangevraagd? Dan kent iemand anders uw wachtwoord: wijzig het meteen en meld het aan de beheerder van de server.",
			},
			core.AccountLocked: {
				"voor uw account is %[4]d keer een verkeerd wachtwoord ingevoerd, voor het laatst op %[2]s %[3]s. Om anderen buiten te houden kan %[1]s lang %[5]s worden ingelogd.",
				"Was u het zelf? Wacht dan tot die tijd voorbij is, of vraag een nieuw wachtwoord aan. Was u het niet, dan is er niemand binnengekomen en hoeft u niets te doen.",
			},
			core.PasswordChanged: {
				"het wachtwoord van uw account is gewijzigd op %[2]s %[3]s.",
				"Was u dit niet? Vraag dan meteen een nieuw wachtwoord aan en meld het aan de beheerder van de server.",
			},
			core.SecondFactorChanged: {
				"de tweede factor van uw account is gewijzigd op %[2]s %[3]s.",
				"Was u dit niet? Wijzig dan meteen uw wachtwoord en meld het aan de beheerder van de server.",
			},
			core.Invitation: {
				"er is een account voor u: %[6]s. Met deze code stelt u binnen %[1]s het wachtwoord in:",
				tokenLine,
				"Open de pagina van de server, kies voor een vergeten wachtwoord en voer de code in. In Python: client.util.set_my_password(code, nieuw_wachtwoord). De code werkt één keer, en alleen de nieuwste code is geldig.",
				"Weet u niet waar dit over gaat? Dan hoeft u niets te doen.",
			},
		},
	}
}

// Places are the addresses that mails name.
type Places struct {
	Support string // of those who help
	Page    string // of the web interface, as people reach it (/docs/mail#link); empty: no mail names it
}

// Compose writes a mail in a language. The address for help stands at its end, that of the page below a token.
func Compose(language string, kind core.MailKind, f core.MailFacts, at Places) Text {
	w := inLanguage(language)
	paragraphs, locked := []string{fmt.Sprintf(w.greeting, oneLine(f.Name))}, w.there
	if f.Everywhere {
		locked = w.anywhere
	}
	for _, p := range w.bodies[kind] {
		if p != tokenLine {
			p = fmt.Sprintf(p+"%[7]s", w.lasts(f.Lasts), f.At.UTC().Format(w.time), w.place(kind, f.From), f.Attempts, locked, oneLine(f.Username), "")
		}
		paragraphs = append(paragraphs, p)
		if p == tokenLine && at.Page != "" {
			paragraphs = append(paragraphs, fmt.Sprintf(w.page, at.Page))
		}
	}
	paragraphs = append(paragraphs, fmt.Sprintf(w.closing, at.Support))
	return Text{Subject: w.subjects[kind], Plain: plain(paragraphs, f.Token), HTML: w.html(w.subjects[kind], paragraphs, f.Token, at.Page)}
}

// Trial is the text of a mail that is sent to try a mail server; name is that of the server
// that sends it.
func Trial(name, support string) Text {
	w := english()
	subject := "Mail of the server " + name
	paragraphs := []string{
		"This mail was sent to see whether mail of the server " + name + " arrives. It does.",
		fmt.Sprintf(w.closing, support),
	}
	return Text{Subject: subject, Plain: plain(paragraphs, ""), HTML: w.html(subject, paragraphs, "", "")}
}

// lasts words a time in minutes, or in hours where it is some.
func (w words) lasts(d time.Duration) string {
	minutes := int(max(d.Round(time.Minute), time.Minute) / time.Minute)
	switch hours := minutes / 60; {
	case minutes == 1:
		return w.minute
	case minutes%60 != 0:
		return fmt.Sprintf(w.minutes, minutes)
	case hours == 1:
		return w.hour
	case hours > 24 && hours%24 == 0:
		return fmt.Sprintf(w.days, hours/24)
	default:
		return fmt.Sprintf(w.hours, hours)
	}
}

func (w words) place(kind core.MailKind, from string) string {
	switch {
	case from != "":
		return fmt.Sprintf(w.at, from)
	case kind == core.AccountLocked:
		return w.unknown
	}
	return w.operator
}

// oneLine keeps a name from looking like a line of the mail.
func oneLine(name string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, name)), " ")
}

// plain is the mail as text, each paragraph on a line that mail programs wrap.
func plain(paragraphs []string, token string) string {
	var b strings.Builder
	for i, p := range paragraphs {
		if i > 0 {
			b.WriteString("\r\n\r\n")
		}
		if p == tokenLine {
			p = token
		}
		b.WriteString(p)
	}
	b.WriteString("\r\n")
	return b.String()
}

// html is the mail as HTML, where the address of the page is a link: colours and sizes are those
// of the reader's program.
func (w words) html(title string, paragraphs []string, token, page string) string {
	var b strings.Builder
	page = html.EscapeString(page)
	fmt.Fprintf(&b, "<!DOCTYPE html>\r\n<html lang=%q>\r\n<head><meta charset=\"utf-8\"><title>%s</title></head>\r\n<body>\r\n", w.lang, html.EscapeString(title))
	for _, p := range paragraphs {
		if p == tokenLine {
			fmt.Fprintf(&b, "<p><code style=\"font-size:1.25em\">%s</code></p>\r\n", html.EscapeString(token))
			continue
		}
		p = html.EscapeString(p)
		if page != "" {
			p = strings.Replace(p, page, `<a href="`+page+`">`+page+`</a>`, 1)
		}
		fmt.Fprintf(&b, "<p>%s</p>\r\n", p)
	}
	b.WriteString("</body>\r\n</html>\r\n")
	return b.String()
}

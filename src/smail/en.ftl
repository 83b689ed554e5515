### What smail says in English. Each message has its counterpart in fr.ftl.

## Help

help-title = smail { $version }: { $about }
help-about = sends mails from the command line, by SMTP or Microsoft Graph
help-usage = Usage
help-usage-lines =
    smail /OPTION=value … /SWITCH …
    smail /?
help-writing =
    Options may be written in any case, as /NAME=value or as --name=value. A value with blanks stands in quotes: /SUBJECT="March invoice". Several addresses or files are separated by commas or semicolons; a name that holds one of these then stands in quotes of its own: /TO="\"Doe, Jane\" <jane@example.com>" (in a batch file ""Doe, Jane""). A single file needs none: /ATTACH="Offer, final.pdf" is the file of that name, if there is one. An empty value counts as none.
help-required = What each way of sending requires
help-secrets = Passwords and secrets
help-secrets-text =
    A password on the command line can be read by every user of the machine in its list of processes. Recommended: /SMTP_PASSWORD=@C:\safe\password.txt reads the first line of a file, which only the job's user should be able to read; or leave the option out and set the environment variable SMAIL_SMTP_PASSWORD. The same goes for /O365_SECRET with SMAIL_O365_SECRET. A password that begins with @ is written with another @ before it.
help-retry = Attempts
help-retry-text =
    /RETRY repeats what may pass by itself (server not reachable, 4xx answers), with pauses of 1, 2, 4 … up to 60 seconds. What the server refused for good is not repeated. When a whole mail was sent and the server's answer to it was lost, nobody knows whether it was taken: it is never sent again, and the exit code is 5.
help-exit = Exit codes
help-examples = Examples
example-simple = Plain SMTP:
example-secured = SMTP with TLS and a password, HTML with a picture and attachments:
example-token = SMTP with an OAuth 2.0 token (XOAUTH2):
example-graph = Microsoft Graph, as an application:

group-general = General options
group-message = Message options
group-smtp = SMTP options
group-graph = Microsoft Graph options

way-smtp = plain SMTP
way-sasl = SMTP with a password (SASL)
way-xoauth2 = SMTP with a token (XOAUTH2)
way-graph = Microsoft Graph

place-address = address
place-addresses = "address,address"
place-file = file
place-files = "file,file"
place-host = host
place-id = ID
place-name = "name"
place-number = N
place-password = password
place-port = port
place-text = "text"
place-url = address
place-user = user

option-mode = How the mail is sent. Default: SMTP.
option-lang = Language of help, messages, log and errors. Default: the system's, or English if that is neither.
option-retry = Attempts, 1 to 100. Default: 1.
option-log = Log file; lines are added at its end. Another name of it: /LOG_FILE.
option-log-level = What is logged, each level with those before it. DEBUG adds the conversation with the server, and technical details in the words of the system and its libraries; secrets are starred. Default: INFO.
option-error-file = On failure the final error message is written to this file; on success it is deleted.
option-help = Shows this help.
option-subject = Subject.
option-from-name = Name of the sender.
option-from-addr = Address of the sender. Default: /SMTP_USERNAME if that is an address, or /GRAPH_SENDER.
option-to = Recipients.
option-cc = Copies.
option-bcc = Blind copies: no other recipient sees them.
option-body-file = The text: .htm and .html are sent as HTML, with a plain text made of it beside; everything else as plain text. UTF-8, UTF-16 and Windows-1252 are recognised.
option-attach = Attachments.
option-inline = Pictures of an HTML text, which shows them as cid:name, for example cid:logo.png.
option-priority = Priority. Default: NORMAL.
option-read-ack = Asks for a receipt when the mail is read.
option-reception-ack = Asks for a receipt when the mail is delivered: as a delivery status notification (DSN) where the server offers it, else by a header of the mail; smail says which.
option-smtp-server = Name or address of the SMTP server, as its certificate has it.
option-smtp-port = Port. Default: 25, with TLS 587 (STARTTLS). On port 465 TLS begins at once.
option-smtp-username = User to log in as.
option-smtp-password = Password; preferably @file or SMAIL_SMTP_PASSWORD, see below.
option-smtp-token-file = File with the access token for XOAUTH2: the token itself, or JSON with access_token.
option-auth-type = DEFAULT logs in when /SMTP_USERNAME is given, NONE never, SASL by user and password over TLS, XOAUTH2 by user and token over TLS. Default: DEFAULT.
option-ssl-version = Lowest TLS version; a higher one is used where the server has it. SSLV2, SSLV23, SSLV3 and TLSV1 mean the lowest that the TLS library still has. Without this option the connection is secured with SASL, XOAUTH2 and port 465 only, by TLSV1_2 at least.
option-o365-tenant-id = ID or domain name of the directory (tenant).
option-o365-app-id = ID of the application, which needs the application permission Mail.Send.
option-o365-secret = Secret of the application; preferably @file or SMAIL_O365_SECRET, see below.
option-graph-sender = Mailbox that sends.
option-o365-authority = Address of the issuer of tokens; national clouds have their own. Default: https://login.microsoftonline.com
option-graph-server = Address of Microsoft Graph; national clouds have their own. Default: https://graph.microsoft.com

exit-ok = The mail was sent
exit-error = General error (a file can't be read or written)
exit-param = An option is missing or wrong
exit-connect = No connection, or none as secure as demanded
exit-auth = The log-in was refused
exit-send = The mail or a recipient was refused, or the server's answer to the mail was lost
exit-retry-exceeded = All attempts of /RETRY have failed
exit-internal = Internal error
exit-file-not-found = File not found
exit-invalid-mode = Invalid mode

## Messages

error-line = Error: { $message }
warning-line = Warning: { $message }

wrong-unknown = { $option } is not an option of smail; smail /? lists them
wrong-unknown-near = { $option } is not an option of smail; did you mean { $near }?
argument-at = Argument { $place }
wrong-stray = Argument { $place } begins neither with / nor with --: put a value that holds blanks in quotes
wrong-unicode = Argument { $place } is not valid Unicode text
wrong-twice = { $option } is given twice
wrong-no-value = { $option } needs a value: { $option }=…
wrong-switch = { $option } is a switch and takes no value
wrong-choice = { $option }={ $value } is not valid; possible values: { $choices }
wrong-number = { $option }={ $value } is not a number from { $low } to { $high }
wrong-address = { $option }: "{ $value }" is not a mail address
wrong-quote = { $option }: a quote is opened but not closed
wrong-missing =
    { $count ->
        [one] This option is missing for { $way }: { $options }
       *[other] These options are missing for { $way }: { $options }
    }
wrong-inline-text = /INLINE goes with an HTML text only, and { $file } is plain text: use /ATTACH, or a file that ends in .htm or .html
wrong-inline-twice = /INLINE has two files of the name { $name }, so cid:{ $name } can't mean both: rename one
wrong-not-text = /BODY_FILE: { $file } holds no text
wrong-floor = /SSL_VERSION=TLSV1_3 can't be demanded of Microsoft Graph by this version of smail; TLSV1_2 can (TLS 1.3 is used where both sides have it)
wrong-url = { $option }={ $value } is not an address such as https://host
wrong-tenant = /O365_TENANT_ID={ $value } is neither the ID nor the domain name of a directory
wrong-token = /SMTP_TOKEN_FILE: { $file } holds no token. It should hold the access token alone, or JSON with access_token
wrong-secret = { $option }: the first line of { $file } is empty
wrong-file-name = The name of the file { $file } is too long for a mail: shorten it

mode-unknown = /MODE={ $value } is not a mode; possible values: SMTP, GRAPH

file-missing = { $option }: the file { $file } does not exist
file-missing-secret = { $option }: the file { $file } does not exist. (A password that begins with @ is written with another @ before it)
file-unreadable = { $option }: the file { $file } can't be read: { $cause }
file-unwritable = { $option }: the file { $file } can't be written: { $cause }
error-file-stays = /ERROR_FILE: { $file } can't be deleted ({ $cause }); what it says is not of this mail, which was sent
file-too-large = { $option }: the file { $file } has more than { $limit } MiB, which is too much for a mail
cause-denied = access is denied
cause-folder = it is a folder
cause-missing = it or its folder does not exist
cause-other = error { $number } of the operating system

internal-fault = Internal error at { $place }: please report it together with the command line, without its secrets

lost-unresolved = The address of { $host } can't be found: check { $option } and the name service
lost-refused = { $server } refused the connection: check { $options }, and that the server runs
lost-unreachable = { $server } can't be reached: check { $options }, the network and the firewalls
lost-timed-out = { $server } took too long ({ $step }, { $seconds } s): check { $options }, the network and the firewalls
step-resolving = finding its address
step-connecting = connecting
step-answering = waiting for its answer
step-sending = sending
lost-closed = { $server } closed the connection
lost-closed-saying = { $server } closed the connection and said: { $words }
lost-broken = The connection to { $server } broke
lost-no-start-tls = { $server } does not offer STARTTLS, so everything would cross the network in clear text: check /SMTP_PORT (465 begins with TLS)
lost-tls = No secure connection to { $server }: { $fault }
tls-floor = the server has nothing as new as { $floor }: have it updated, or lower /SSL_VERSION
tls-not-here = the server and this machine have no version in common: of those that /SSL_VERSION allows, the TLS library of this machine lacks { $versions }
tls-nothing-in-common = the server broke the handshake off: it has no version or cipher in common with this machine; lower /SSL_VERSION, or ask its administrator
tls-not-tls = the port does not speak TLS: check { $options }
tls-not-tls-after-all = the server agreed to begin TLS and then did not speak it
tls-hung-up = the server hung up in the middle of the handshake: it may have nothing as new as { $floor }, or the port is for something else
tls-expired = the server's certificate has expired
tls-outside-its-time = the server's certificate is not valid on this day: it has expired, or its time has not begun
tls-not-yet-valid = the server's certificate is not valid yet: check the clocks of both machines
tls-wrong-host = the server's certificate is not for { $host }: write the server's name as in the certificate
tls-unknown-authority = the authority that issued the server's certificate is not trusted on this machine: have its root certificate installed
tls-self-signed = the server's certificate is self-signed: have it installed on this machine as trusted
tls-bad-certificate = the server's certificate is refused: { $flaw }
flaw-revoked = it has been revoked; have it issued anew
flaw-too-weak = its key or its signature is too weak; have it issued anew
flaw-wrong-purpose = it was not issued for servers; have it issued anew
flaw-other = the log says why, with /LOG_LEVEL=DEBUG
tls-other = the two sides did not agree: check /SSL_VERSION and the server; with /LOG_LEVEL=DEBUG the log says why
tls-web-floor = the server and this machine have no version of TLS from 1.2 on in common, or no cipher: have the server updated, or ask its administrator
tls-web-other = the two sides did not agree: ask the server's administrator; with /LOG_LEVEL=DEBUG the log says why

unanswered = The whole mail was sent, but the server's answer to it was lost. Whether it arrived is not known; it is not sent again, so that nobody gets it twice. ({ $cause })

login-refused = { $server } refused the log-in as { $user }: { $answer }. { $advice }
login-unanswered = { $server } left the log-in as { $user } without an answer ({ $how }), which is how many servers refuse. { $advice }
login-advice = Check /SMTP_USERNAME and /SMTP_PASSWORD
login-advice-token = Check /SMTP_USERNAME, and renew the token in /SMTP_TOKEN_FILE
how-closed = connection closed
how-closed-saying = connection closed, with these words: { $words }
how-timed-out = time limit: { $step }, { $seconds } s
how-broken = connection broken
login-not-offered = No log-in to { $server }: it offers { $offered }, and smail needs { $wanted }. Check /AUTH_TYPE
login-none-offered = No log-in to { $server }: it offers none at this port, or not without TLS. Check /SMTP_PORT and /SSL_VERSION, or use /AUTH_TYPE=NONE if the server wants none
login-zero-byte = No log-in: the user or the password holds a zero byte
login-demanded = { $server } takes mails only after a log-in or over a secure connection ({ $answer }): check /AUTH_TYPE, /SMTP_USERNAME and /SSL_VERSION

refused-recipient = { $recipient } ({ $answer })
nobody-took = No recipient was accepted: { $list }
some-refused = The mail was sent, but not to these recipients, who were refused: { $list }
refused-conversation = { $server } refused to talk with this machine: { $answer }
refused-sender = { $server } refused the sender: { $answer }. Check /FROM_ADDR
refused-mail = { $server } refused to take a mail: { $answer }
refused-contents = { $server } refused the mail: { $answer }
too-large = The mail has { $size } bytes, and { $server } takes no more than { $limit }: send smaller attachments
not-ascii = { $server } takes no address with characters beyond ASCII: { $address }
not-ascii-recipient = { $server } takes no address with characters beyond ASCII
no-mail-server = { $server } does not answer as a mail server does: check /SMTP_SERVER and /SMTP_PORT

token-rejected = { $server } gave no token ({ $said }): { $advice }
token-advice-secret = /O365_SECRET is wrong (it is the secret's value, not its ID)
token-advice-expired = the secret has expired; have a new one made for /O365_SECRET
token-advice-application = the directory has no such application; check /O365_APP_ID and /O365_TENANT_ID
token-advice-tenant = there is no such directory; check /O365_TENANT_ID
token-advice-other = check /O365_TENANT_ID, /O365_APP_ID and /O365_SECRET
token-busy = { $server } gave no token for the moment (status { $status }): try later, or use /RETRY
token-malformed = { $server } does not answer as a token endpoint does: check /O365_AUTHORITY and /O365_TENANT_ID
token-unusable = The access token holds characters that no request can carry
web-bad-address = { $address } is not an address that can be asked: check /GRAPH_SENDER, /GRAPH_SERVER and /O365_AUTHORITY
web-clear-text = { $server } would be asked in clear text: write https:// (http:// is for this machine itself only)
web-malformed = { $server } does not answer as Microsoft Graph does: check /GRAPH_SERVER
status = status { $status }
graph-refused = { $server } refused the mail ({ $said }). Check /GRAPH_SENDER and the recipients
graph-busy = { $server } does not take the mail for the moment ({ $said }): try later, or use /RETRY
graph-too-large = { $server } takes no mail of this size ({ $said }): send smaller attachments
graph-refused-rights = { $server } refused the mail ({ $said }). Check that the application /O365_APP_ID has the permission Mail.Send for the mailbox /GRAPH_SENDER
graph-uncertain = { $server } failed while it had the mail ({ $said }). Whether it arrived is not known; it is not sent again, so that nobody gets it twice

retries-used-up =
    { $tries ->
        [one] The one attempt has failed. { $cause }
       *[other] All { $tries } attempts have failed. The last one: { $cause }
    }

tell-start = smail { $version }, { $way }
tell-route = From { $from } to { $recipients }, { $size } bytes of text and files
tell-attempt = Attempt { $number } of { $tries }
tell-attempt-failed =
    { $seconds ->
        [one] { $cause } – next attempt in { $seconds } second
       *[other] { $cause } – next attempt in { $seconds } seconds
    }
tell-sent = Mail sent to { $recipients } through { $server }
tell-receipt-dsn = The delivery receipt is asked for as a delivery status notification (DSN)
tell-receipt-header = The server offers no delivery status notifications (DSN): the delivery receipt is asked for by the header Return-Receipt-To, and may not come
tell-receipt-service = The delivery receipt is asked for as a property of the mail
warn-clear-login = User and password cross the network to { $server } in clear text: add /SSL_VERSION=TLSV1_2

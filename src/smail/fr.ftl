### Ce que smail dit en français. Chaque message a son pendant dans en.ftl.

## Aide

help-title = smail { $version } : { $about }
help-about = envoi de courriels en ligne de commande, par SMTP ou Microsoft Graph
help-usage = Syntaxe
help-usage-lines =
    smail /OPTION=valeur … /COMMUTATEUR …
    smail /?
help-writing =
    Les options s’écrivent en majuscules ou en minuscules, sous la forme /NOM=valeur ou --nom=valeur. Une valeur qui contient des espaces se met entre guillemets : /SUBJECT="Facture de mars". Plusieurs adresses ou fichiers se séparent par des virgules ou des points-virgules ; un nom qui contient l’un de ces signes se met alors entre ses propres guillemets : /TO="\"Dupont, Jeanne\" <jeanne@exemple.fr>" (dans un fichier de commandes ""Dupont, Jeanne""). Un fichier seul n’en a pas besoin : /ATTACH="Offre, finale.pdf" désigne le fichier de ce nom, s’il existe. Une valeur vide équivaut à une absence de valeur.
help-required = Options requises par mode d’envoi
help-secrets = Mots de passe et secrets
help-secrets-text =
    Un mot de passe écrit sur la ligne de commande est lisible par tous les utilisateurs de la machine dans la liste des processus. Il est recommandé de le lire dans un fichier : /SMTP_PASSWORD=@C:\privé\motdepasse.txt en prend la première ligne, et seul l’utilisateur de la tâche devrait pouvoir lire ce fichier. Autre possibilité : omettre l’option et définir la variable d’environnement SMAIL_SMTP_PASSWORD. Il en va de même pour /O365_SECRET avec SMAIL_O365_SECRET. Un mot de passe qui commence par @ s’écrit avec un second @ devant.
help-retry = Tentatives
help-retry-text =
    /RETRY renouvelle l’envoi lorsque l’échec peut n’être que passager (serveur injoignable, réponses 4xx), avec des pauses de 1, 2, 4… jusqu’à 60 secondes. Un refus définitif du serveur n’est pas suivi d’une nouvelle tentative. Si le message a été transmis en entier mais que la réponse du serveur s’est perdue, on ne sait pas s’il a été accepté : il n’est jamais renvoyé, et le code de sortie est 5.
help-exit = Codes de sortie
help-examples = Exemples
example-simple = SMTP simple :
example-secured = SMTP avec TLS et mot de passe, HTML avec image et pièces jointes :
example-token = SMTP avec un jeton OAuth 2.0 (XOAUTH2) :
example-graph = Microsoft Graph, en mode applicatif :

group-general = Options générales
group-message = Options du message
group-smtp = Options SMTP
group-graph = Options Microsoft Graph

way-smtp = SMTP classique
way-sasl = SMTP avec mot de passe (SASL)
way-xoauth2 = SMTP avec jeton (XOAUTH2)
way-graph = Microsoft Graph

place-address = adresse
place-addresses = "adresse,adresse"
place-file = fichier
place-files = "fichier,fichier"
place-host = serveur
place-id = identifiant
place-name = "nom"
place-number = N
place-password = motdepasse
place-port = port
place-text = "texte"
place-url = adresse
place-user = identifiant

option-mode = Mode d’envoi. Par défaut : SMTP.
option-lang = Langue de l’aide, des messages, du journal et des erreurs. Par défaut : celle du système, ou l’anglais si ce n’est ni le français ni l’anglais.
option-retry = Nombre de tentatives, de 1 à 100. Par défaut : 1.
option-log = Fichier journal ; les lignes sont ajoutées à la fin. Autre nom : /LOG_FILE.
option-log-level = Ce qui est journalisé, chaque niveau comprenant les précédents. DEBUG ajoute le dialogue avec le serveur et des détails techniques, dans les termes du système et de ses bibliothèques, les secrets étant masqués par des étoiles. Par défaut : INFO.
option-error-file = En cas d’échec, le message d’erreur final est écrit dans ce fichier ; en cas de succès, le fichier est supprimé.
option-help = Affiche cette aide.
option-subject = Objet.
option-from-name = Nom de l’expéditeur.
option-from-addr = Adresse de l’expéditeur. Par défaut : /SMTP_USERNAME s’il s’agit d’une adresse, ou /GRAPH_SENDER.
option-to = Destinataires.
option-cc = Destinataires en copie.
option-bcc = Destinataires en copie cachée : les autres ne les voient pas.
option-body-file = Fichier contenant le texte : .htm et .html sont envoyés en HTML, accompagnés d’une version en texte brut ; tout autre fichier l’est en texte brut. Les encodages UTF-8, UTF-16 et Windows-1252 sont reconnus.
option-attach = Pièces jointes.
option-inline = Images d’un texte HTML, qui les affiche par cid:nom, par exemple cid:logo.png.
option-priority = Priorité. Par défaut : NORMAL.
option-read-ack = Demande un accusé de lecture.
option-reception-ack = Demande un accusé de réception : par notification de remise (DSN) si le serveur la propose, sinon par un en-tête du message ; smail indique lequel des deux.
option-smtp-server = Nom ou adresse du serveur SMTP, tel qu’il figure dans son certificat.
option-smtp-port = Port. Par défaut : 25, ou 587 en TLS (STARTTLS). Sur le port 465, TLS commence d’emblée.
option-smtp-username = Identifiant de connexion.
option-smtp-password = Mot de passe ; de préférence @fichier ou SMAIL_SMTP_PASSWORD, voir plus bas.
option-smtp-token-file = Fichier du jeton d’accès pour XOAUTH2 : le jeton lui-même, ou du JSON avec access_token.
option-auth-type = DEFAULT s’authentifie si /SMTP_USERNAME est indiqué, NONE jamais, SASL par identifiant et mot de passe en TLS, XOAUTH2 par identifiant et jeton en TLS. Par défaut : DEFAULT.
option-ssl-version = Version minimale de TLS ; une version supérieure est utilisée si le serveur la prend en charge. SSLV2, SSLV23, SSLV3 et TLSV1 désignent la plus basse que la bibliothèque TLS prenne encore en charge. Sans cette option, la connexion n’est sécurisée qu’avec SASL, XOAUTH2 ou le port 465, en TLSV1_2 au moins.
option-o365-tenant-id = Identifiant ou nom de domaine de l’annuaire (tenant).
option-o365-app-id = Identifiant de l’application, qui doit avoir l’autorisation d’application Mail.Send.
option-o365-secret = Secret de l’application ; de préférence @fichier ou SMAIL_O365_SECRET, voir plus bas.
option-graph-sender = Boîte aux lettres expéditrice.
option-o365-authority = Adresse de l’émetteur des jetons ; les clouds nationaux ont la leur. Par défaut : https://login.microsoftonline.com
option-graph-server = Adresse de Microsoft Graph ; les clouds nationaux ont la leur. Par défaut : https://graph.microsoft.com

exit-ok = Message envoyé avec succès
exit-error = Erreur générique (fichier impossible à lire ou à écrire)
exit-param = Paramètre manquant ou invalide
exit-connect = Échec de connexion, ou sécurité exigée impossible à obtenir
exit-auth = Échec d’authentification
exit-send = Échec d’envoi : message ou destinataire refusé, ou réponse du serveur perdue après l’envoi du message
exit-retry-exceeded = Tentatives de /RETRY épuisées
exit-internal = Erreur interne
exit-file-not-found = Fichier introuvable
exit-invalid-mode = Mode invalide

## Messages

error-line = Erreur : { $message }
warning-line = Avertissement : { $message }

wrong-unknown = { $option } n’est pas une option de smail ; smail /? en donne la liste
wrong-unknown-near = { $option } n’est pas une option de smail ; vouliez-vous dire { $near } ?
argument-at = L’argument { $place }
wrong-stray = L’argument { $place } ne commence ni par / ni par -- : mettez entre guillemets toute valeur qui contient des espaces
wrong-unicode = L’argument { $place } n’est pas un texte Unicode valide
wrong-twice = { $option } est indiquée deux fois
wrong-no-value = { $option } attend une valeur : { $option }=…
wrong-switch = { $option } est un commutateur et n’accepte pas de valeur
wrong-choice = { $option }={ $value } n’est pas valide ; valeurs possibles : { $choices }
wrong-number = { $option }={ $value } n’est pas un nombre de { $low } à { $high }
wrong-address = { $option } : « { $value } » n’est pas une adresse de courriel
wrong-quote = { $option } : un guillemet ouvert n’est pas refermé
wrong-missing =
    { $count ->
        [one] Option manquante pour le mode « { $way } » : { $options }
       *[other] Options manquantes pour le mode « { $way } » : { $options }
    }
wrong-inline-text = /INLINE ne convient qu’à un texte HTML, or { $file } est du texte brut : utilisez /ATTACH, ou un fichier .htm ou .html
wrong-inline-twice = /INLINE contient deux fichiers nommés { $name }, et cid:{ $name } ne peut désigner les deux : renommez-en un
wrong-not-text = /BODY_FILE : { $file } ne contient pas de texte
wrong-floor = Cette version de smail ne peut pas exiger /SSL_VERSION=TLSV1_3 de Microsoft Graph ; TLSV1_2 est possible (TLS 1.3 est utilisé si les deux côtés le prennent en charge)
wrong-url = { $option }={ $value } n’est pas une adresse telle que https://serveur
wrong-tenant = /O365_TENANT_ID={ $value } n’est ni l’identifiant ni le nom de domaine d’un annuaire
wrong-token = /SMTP_TOKEN_FILE : { $file } ne contient pas de jeton. Le fichier doit contenir le jeton d’accès seul, ou du JSON avec access_token
wrong-secret = { $option } : la première ligne de { $file } est vide
wrong-file-name = Le nom du fichier { $file } est trop long pour un courriel : raccourcissez-le

mode-unknown = /MODE={ $value } n’est pas un mode ; valeurs possibles : SMTP, GRAPH

file-missing = { $option } : le fichier { $file } est introuvable
file-missing-secret = { $option } : le fichier { $file } est introuvable. (Un mot de passe qui commence par @ s’écrit avec un second @ devant)
file-unreadable = { $option } : impossible de lire le fichier { $file } : { $cause }
file-unwritable = { $option } : impossible d’écrire le fichier { $file } : { $cause }
error-file-stays = /ERROR_FILE : impossible de supprimer { $file } ({ $cause }) ; son contenu ne concerne pas ce message, qui a été envoyé
file-too-large = { $option } : le fichier { $file } dépasse { $limit } Mio, ce qui est trop pour un courriel
cause-denied = accès refusé
cause-folder = c’est un dossier
cause-missing = il n’existe pas, ou son dossier n’existe pas
cause-other = erreur { $number } du système d’exploitation

internal-fault = Erreur interne ({ $place }) : merci de la signaler en joignant la ligne de commande, sans ses secrets

lost-unresolved = L’adresse de { $host } est introuvable : vérifiez { $option } et le service de noms
lost-refused = { $server } a refusé la connexion : vérifiez { $options } et assurez-vous que le serveur fonctionne
lost-unreachable = { $server } est injoignable : vérifiez { $options }, le réseau et les pare-feu
lost-timed-out = { $server } n’a pas réagi à temps ({ $step }, { $seconds } s) : vérifiez { $options }, le réseau et les pare-feu
step-resolving = recherche de son adresse
step-connecting = connexion
step-answering = attente de sa réponse
step-sending = envoi
lost-closed = { $server } a fermé la connexion
lost-closed-saying = { $server } a fermé la connexion en disant : { $words }
lost-broken = La connexion avec { $server } s’est rompue
lost-no-start-tls = { $server } ne propose pas STARTTLS, tout passerait donc en clair sur le réseau : vérifiez /SMTP_PORT (465 commence en TLS)
lost-tls = Connexion sécurisée impossible avec { $server } : { $fault }
tls-floor = le serveur ne connaît que des versions antérieures à { $floor } : faites-le mettre à jour ou abaissez /SSL_VERSION
tls-not-here = le serveur et cette machine n’ont aucune version en commun : parmi celles que permet /SSL_VERSION, la bibliothèque TLS de cette machine ne prend pas en charge { $versions }
tls-nothing-in-common = le serveur a interrompu la négociation : il n’a ni version ni chiffrement en commun avec cette machine ; abaissez /SSL_VERSION, ou adressez-vous à son administrateur
tls-not-tls = le port ne parle pas TLS : vérifiez { $options }
tls-not-tls-after-all = le serveur a accepté STARTTLS, puis n’a pas parlé TLS
tls-hung-up = le serveur a coupé la connexion au milieu de la négociation : il ne connaît peut-être que des versions antérieures à { $floor }, ou le port sert à autre chose
tls-expired = le certificat du serveur a expiré
tls-outside-its-time = le certificat du serveur n’est pas valide à ce jour : il a expiré, ou sa période de validité n’a pas commencé
tls-not-yet-valid = le certificat du serveur n’est pas encore valide : vérifiez l’horloge des deux machines
tls-wrong-host = le certificat du serveur n’est pas établi pour { $host } : écrivez le nom du serveur tel qu’il figure dans le certificat
tls-unknown-authority = l’autorité qui a émis le certificat du serveur n’est pas reconnue sur cette machine : faites-y installer son certificat racine
tls-self-signed = le certificat du serveur est auto-signé : faites-le installer parmi les certificats de confiance de cette machine
tls-bad-certificate = le certificat du serveur est refusé : { $flaw }
flaw-revoked = il a été révoqué ; faites-en émettre un autre
flaw-too-weak = sa clé ou sa signature est trop faible ; faites-en émettre un autre
flaw-wrong-purpose = il n’a pas été émis pour un serveur ; faites-en émettre un autre
flaw-other = la raison figure dans le journal, avec /LOG_LEVEL=DEBUG
tls-other = les deux côtés ne se sont pas mis d’accord : vérifiez /SSL_VERSION et le serveur ; avec /LOG_LEVEL=DEBUG, la raison figure dans le journal
tls-web-floor = le serveur et cette machine n’ont en commun aucune version de TLS à partir de la 1.2, ou aucun chiffrement : faites mettre à jour le serveur, ou adressez-vous à son administrateur
tls-web-other = les deux côtés ne se sont pas mis d’accord : adressez-vous à l’administrateur du serveur ; avec /LOG_LEVEL=DEBUG, la raison figure dans le journal

unanswered = Le message a été transmis en entier, mais la réponse du serveur s’est perdue. On ne sait pas s’il est arrivé ; il n’est pas renvoyé, pour que personne ne le reçoive deux fois. ({ $cause })

login-refused = { $server } a refusé l’authentification de { $user } : { $answer }. { $advice }
login-unanswered = { $server } a laissé sans réponse l’authentification de { $user } ({ $how }) ; c’est ainsi que refusent de nombreux serveurs. { $advice }
login-advice = Vérifiez /SMTP_USERNAME et /SMTP_PASSWORD
login-advice-token = Vérifiez /SMTP_USERNAME et renouvelez le jeton de /SMTP_TOKEN_FILE
how-closed = connexion fermée
how-closed-saying = connexion fermée sur ces mots : { $words }
how-timed-out = délai dépassé : { $step }, { $seconds } s
how-broken = connexion rompue
login-not-offered = Authentification impossible auprès de { $server } : il propose { $offered }, alors que smail utilise { $wanted }. Vérifiez /AUTH_TYPE
login-none-offered = Authentification impossible auprès de { $server } : il n’en propose aucune sur ce port, ou aucune sans TLS. Vérifiez /SMTP_PORT et /SSL_VERSION, ou utilisez /AUTH_TYPE=NONE si le serveur n’en exige pas
login-zero-byte = Authentification impossible : l’identifiant ou le mot de passe contient un octet nul
login-demanded = { $server } n’accepte de message qu’après authentification ou par une connexion sécurisée ({ $answer }) : vérifiez /AUTH_TYPE, /SMTP_USERNAME et /SSL_VERSION

refused-recipient = { $recipient } ({ $answer })
nobody-took = Aucun destinataire n’a été accepté : { $list }
some-refused = Le message a été envoyé, sauf aux destinataires suivants, qui ont été refusés : { $list }
refused-conversation = { $server } a refusé le dialogue avec cette machine : { $answer }
refused-sender = { $server } a refusé l’expéditeur : { $answer }. Vérifiez /FROM_ADDR
refused-mail = { $server } a refusé de recevoir un message : { $answer }
refused-contents = { $server } a refusé le message : { $answer }
too-large = Le message compte { $size } octets, et { $server } n’en accepte pas plus de { $limit } : envoyez des pièces jointes plus petites
not-ascii = { $server } n’accepte pas les adresses comportant des caractères non ASCII : { $address }
not-ascii-recipient = { $server } n’accepte pas les adresses comportant des caractères non ASCII
no-mail-server = { $server } ne répond pas comme un serveur de courriel : vérifiez /SMTP_SERVER et /SMTP_PORT

token-rejected = { $server } n’a pas délivré de jeton ({ $said }) : { $advice }
token-advice-secret = /O365_SECRET est erroné (il faut la valeur du secret, pas son identifiant)
token-advice-expired = le secret a expiré ; faites-en créer un nouveau pour /O365_SECRET
token-advice-application = l’annuaire ne connaît pas cette application ; vérifiez /O365_APP_ID et /O365_TENANT_ID
token-advice-tenant = cet annuaire n’existe pas ; vérifiez /O365_TENANT_ID
token-advice-other = vérifiez /O365_TENANT_ID, /O365_APP_ID et /O365_SECRET
token-busy = { $server } ne délivre pas de jeton pour le moment (statut { $status }) : réessayez plus tard, ou utilisez /RETRY
token-malformed = { $server } ne répond pas comme un émetteur de jetons : vérifiez /O365_AUTHORITY et /O365_TENANT_ID
token-unusable = Le jeton d’accès contient des caractères interdits dans une requête
web-bad-address = { $address } n’est pas une adresse utilisable : vérifiez /GRAPH_SENDER, /GRAPH_SERVER et /O365_AUTHORITY
web-clear-text = { $server } serait interrogé en clair : écrivez https:// (http:// n’est admis que pour cette machine)
web-malformed = { $server } ne répond pas comme Microsoft Graph : vérifiez /GRAPH_SERVER
status = statut { $status }
graph-refused = { $server } a refusé le message ({ $said }). Vérifiez /GRAPH_SENDER et les destinataires
graph-busy = { $server } n’accepte pas le message pour le moment ({ $said }) : réessayez plus tard, ou utilisez /RETRY
graph-too-large = { $server } n’accepte pas de message de cette taille ({ $said }) : envoyez des pièces jointes plus petites
graph-refused-rights = { $server } a refusé le message ({ $said }). Vérifiez que l’application /O365_APP_ID a l’autorisation Mail.Send pour la boîte aux lettres /GRAPH_SENDER
graph-uncertain = { $server } a connu une défaillance après avoir reçu le message ({ $said }). On ne sait pas s’il est arrivé ; il n’est pas renvoyé, pour que personne ne le reçoive deux fois

retries-used-up =
    { $tries ->
        [one] L’unique tentative a échoué. { $cause }
       *[other] Les { $tries } tentatives ont échoué. La dernière : { $cause }
    }

tell-start = smail { $version }, { $way }
tell-route = De { $from } à { $recipients }, { $size } octets de texte et de fichiers
tell-attempt = Tentative { $number } sur { $tries }
tell-attempt-failed =
    { $seconds ->
        [one] { $cause } – nouvelle tentative dans { $seconds } seconde
       *[other] { $cause } – nouvelle tentative dans { $seconds } secondes
    }
tell-sent = Message envoyé à { $recipients } par { $server }
tell-receipt-dsn = L’accusé de réception est demandé par notification de remise (DSN)
tell-receipt-header = Le serveur ne propose pas de notification de remise (DSN) : l’accusé de réception est demandé par l’en-tête Return-Receipt-To, et pourrait ne pas arriver
tell-receipt-service = L’accusé de réception est demandé au moyen d’une propriété du message
warn-clear-login = L’identifiant et le mot de passe transitent en clair sur le réseau vers { $server } : ajoutez /SSL_VERSION=TLSV1_2

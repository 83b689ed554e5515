//! French and English, wherever something is said.

use crate::harness::graph::Fault;
use crate::harness::{CountingProxy, Graph, IdentityProvider};
use crate::modes::graph_options;
use crate::{Sender, recorder};

#[test]
fn the_language_is_the_one_asked_for_or_the_system_s() {
    let english = "Passwords and secrets";
    let french = "Mots de passe et secrets";
    for (locale, option, expected) in [
        ("C", None, english),
        ("fr_FR.UTF-8", None, french),
        ("fr_CA", None, french),
        ("de_DE.UTF-8", None, english),
        ("de_DE.UTF-8", Some("/LANG=FR"), french),
        ("fr_FR.UTF-8", Some("/lang=en"), english),
    ] {
        let sender = Sender::new().env("LC_ALL", locale);
        let arguments: Vec<_> = [Some("/?"), option].into_iter().flatten().collect();
        sender.run(&arguments).exit(0).says(expected);
    }
    let sender = Sender::new().env("LC_ALL", "fr_FR.UTF-8");
    sender
        .run(&["/LANG=DE"])
        .exit(2)
        .complains("/LANG=DE n\u{2019}est pas valide");
}

#[test]
fn messages_log_and_errors_are_in_the_same_language() {
    let Some(server) = recorder() else { return };
    let sender = Sender::new();
    let usual = [
        "/LANG=FR",
        "/LOG=journal.txt",
        "/ERROR_FILE=erreur.txt",
        "/LOG_LEVEL=INFO",
    ];
    let run = |arguments: &[&str]| sender.mail(server.smtp, &[&usual, arguments].concat());
    run(&["/RECEPTION_ACK"])
        .exit(0)
        .without_complaint()
        .says("Message envoy\u{e9} \u{e0} bob@example.test par localhost:")
        .says("L\u{2019}accus\u{e9} de r\u{e9}ception est demand\u{e9} par notification de remise (DSN)");
    run(&["/TO=reject@example.test"])
        .exit(5)
        .complains("Erreur\u{a0}: Aucun destinataire n\u{2019}a \u{e9}t\u{e9} accept\u{e9}\u{a0}: reject@example.test");
    let told = sender.world.read("erreur.txt");
    assert!(told.starts_with("Aucun destinataire"), "{told}");
    let log = sender.world.read("journal.txt");
    for text in [
        "INFO    smail 0.1.0, SMTP classique",
        "INFO    De jobs@example.test \u{e0} bob@example.test, 17\u{a0}octets de texte et de fichiers",
        "INFO    Tentative 1 sur 1",
        "INFO    Message envoy\u{e9} \u{e0} bob@example.test",
        "ERROR   Aucun destinataire",
        "[EXIT_SEND 5]",
    ] {
        assert!(log.contains(text), "{text} in {log}");
    }
    sender
        .run(&["/LANG=FR", "/SUBJET=x", "/TO=bob"])
        .exit(2)
        .complains("Erreur\u{a0}: /SUBJET n\u{2019}est pas une option de smail\u{202f}; vouliez-vous dire /SUBJECT\u{202f}?")
        .complains("Options manquantes pour le mode \u{ab}\u{a0}SMTP classique\u{a0}\u{bb}\u{a0}: /SMTP_SERVER, /FROM_ADDR, /BODY_FILE")
        .complains("/TO\u{a0}: \u{ab}\u{a0}bob\u{a0}\u{bb} n\u{2019}est pas une adresse de courriel");
}

#[test]
fn what_is_no_word_of_a_server_s_is_in_french_too() {
    let Some(server) = recorder() else { return };
    let sender = Sender::new();
    let french = |port, arguments: &[&str]| {
        sender.mail(
            port,
            &[&["/LANG=FR", "/LOG=journal.txt"], arguments].concat(),
        )
    };
    let without = CountingProxy::before("127.0.0.1", server.smtp);
    without.hide("SMTPUTF8");
    french(
        without.port,
        &["/TO=bob@example.test,ren\u{e9}@example.test"],
    )
    .exit(5)
    .complains("ren\u{e9}@example.test (localhost:")
    .complains(" n\u{2019}accepte pas les adresses comportant des caract\u{e8}res non ASCII)");
    let leaves = CountingProxy::before("127.0.0.1", server.smtp);
    // The password in base64.
    leaves.lose_answer_to("eA==");
    let login = ["/SMTP_USERNAME=u@example.test", "/SMTP_PASSWORD=x"];
    french(leaves.port, &login)
        .exit(4)
        .complains("(connexion ferm\u{e9}e)")
        .complains("V\u{e9}rifiez /SMTP_USERNAME et /SMTP_PASSWORD");
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let graph = Graph::start(&provider);
    let options = graph_options(&provider, &graph);
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let mail = ["/LANG=FR", "/TO=a@example.test", "/BODY_FILE=Msg.txt"];
    for (status, code, told) in [
        (400, "", "(statut 400"),
        (503, "ErrorServerBusy", "r\u{e9}essayez plus tard"),
        (413, "", "pi\u{e8}ces jointes plus petites"),
    ] {
        graph.fail("sendMail", Fault::Refuse(status, code, Vec::new()));
        sender
            .run(&[&options[..], &mail].concat())
            .exit(5)
            .complains(told);
    }
}

//! What command lines mean.

use super::*;

fn parse_line(line: &str) -> Result<Request, UsageError> {
    let arguments: Vec<String> = line
        .split(' ')
        .filter(|a| !a.is_empty())
        .map(Into::into)
        .collect();
    parse(&arguments)
}

fn pass_of(line: &str) -> Pass {
    match parse_line(line) {
        Ok(Request::Pass(pass)) => pass,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn spellings_are_the_same() {
    for line in [
        "-server:mail.example.com",
        "--Server=mail.example.com",
        "--server mail.example.com",
        "-SERVER mail.example.com",
    ] {
        assert_eq!(
            pass_of(line).mailbox.server.as_deref(),
            Some("mail.example.com"),
            "{line}"
        );
    }
}

#[test]
fn contradictions_name_both_switches() {
    for (line, names) in [
        ("--pop --imap", ["--pop", "--imap"]),
        ("--ssl --tls1_2", ["--ssl", "--tls1_2"]),
        ("--imap -folder:mails", ["--imap", "--folder"]),
        (
            "--renewMsalToken --renewTokenSilent --doNotSaveAccount",
            ["--renewTokenSilent", "--doNotSaveAccount"],
        ),
        (
            "--renewMsalToken --renewTokenSilent --deviceCode",
            ["--renewTokenSilent", "--deviceCode"],
        ),
        (
            "--renewMsalToken --delete",
            ["--renewMsalToken", "--delete"],
        ),
        ("--explain --check", ["--explain", "--check"]),
        (
            "--acceptCertificate --check",
            ["--acceptCertificate", "--check"],
        ),
        (
            "-folder:mails --acceptCertificate",
            ["--folder", "--acceptCertificate"],
        ),
    ] {
        let message = parse_line(line).unwrap_err().to_string();
        let first = message.lines().next().unwrap();
        for name in names {
            assert!(first.contains(name), "{line}: {message}");
        }
        assert!(
            message.lines().nth(1).unwrap().starts_with("usage:"),
            "{message}"
        );
    }
}

#[test]
fn mistakes_name_the_switch() {
    for (line, name) in [
        ("--bogus", "--bogus"),
        ("-server", "--server"),
        ("-server:", "--server"),
        ("-server --imap", "--server"),
        ("--delete --delete", "--delete"),
        ("-port:99999", "--port"),
        ("-port:abc", "--port"),
        ("--delete:yes", "--delete"),
        ("--renewTokenSilent", "--renewMsalToken"),
        ("--doNotSaveAccount", "--renewMsalToken"),
        ("--deviceCode", "--renewMsalToken"),
        ("--credentials -opconuser:a", "--opconpassword"),
        ("-user:a", "--credentials"),
        ("stray", "stray"),
        ("--explain=xml", "--explain"),
        ("--acceptCertificate:12:34", "--acceptCertificate"),
    ] {
        let message = parse_line(line).unwrap_err().to_string();
        assert!(
            message.lines().next().unwrap().contains(name),
            "{line}: {message}"
        );
        assert_eq!(message.lines().count(), 2, "{message}");
    }
}

#[test]
fn a_secret_without_value_is_asked_for() {
    let Ok(Request::Credentials(c)) =
        parse_line("--credentials -opconuser:ocadm -opconpassword -password -")
    else {
        panic!("credentials");
    };
    assert!(matches!(c.opcon_password, Typed::Ask));
    assert!(matches!(c.password, Some(Typed::Ask)));
    assert!(c.user.is_none());
    assert!(matches!(c.opcon_user, Typed::Value(_)));
}

#[test]
fn no_mistake_shows_a_password() {
    for line in [
        "--credentials -opconuser:u -opconpassword -S3cretPw",
        "--credentials -opconuser:u -opconpassword my S3cretPw",
        "--credentials -opconuser:u -opconpassword:x --S3cretPw:y",
        "-password S3cretPw",
        "--credentials -smtppasswordS3cretPw",
        "/SMTP_PASSWORD=S3cretPw",
        "/O365_SECRET=S3cretPw",
        "--credentials -opconuser:u -opconpassword:S3cretPw -opconpassword:S3cretPw",
    ] {
        let message = parse_line(line).unwrap_err().to_string();
        assert!(!message.contains("S3cretPw"), "{message}");
    }
}

#[test]
fn a_slip_is_named_where_no_password_is_near() {
    for line in [
        "-seal smtp-client.password -chekc",
        "-inifile:/etc/secret/x.ini -chekc",
        "-inifile C:\\secret\\x.ini -chekc",
    ] {
        let message = parse_line(line).unwrap_err().to_string();
        assert!(message.contains("did you mean --check?"), "{message}");
    }
}

#[test]
fn one_setting_is_sealed_by_its_name() {
    let Ok(Request::Seal(seal)) = parse_line("-SEAL:Secret-smtp.Password -inifile:a.ini") else {
        panic!("seal");
    };
    assert_eq!(
        (seal.setting.section.as_str(), seal.setting.key),
        ("Secret-smtp", "password")
    );
    assert_eq!(seal.inifile.as_deref(), Some("a.ini"));
    for (line, name) in [
        ("-seal", "--seal"),
        ("-seal:mail.server", "smtp-client.password"),
        ("-seal:mail.user -seal:mail.password", "--seal"),
        ("-seal:mail.user --check", "--check"),
        (
            "-seal:mail.user --credentials -opconuser:a -opconpassword:b",
            "--credentials",
        ),
    ] {
        let message = parse_line(line).unwrap_err().to_string();
        let first = message.lines().next().unwrap();
        assert!(first.contains(name), "{line}: {message}");
    }
}

#[test]
fn help_wins_over_everything_but_a_mistake() {
    let Ok(Request::Print(text)) = parse_line("--HELP --delete") else {
        panic!("help")
    };
    for name in ["--renewMsalToken", "--tls1_1", "--explain"] {
        assert!(text.contains(name), "{name} is not in the help");
    }
}

#[test]
fn help_is_asked_for_as_on_windows_too() {
    for line in [
        "/?",
        "-?",
        "/HELP",
        "-h",
        "--check /?",
        "--credentials -password /?",
    ] {
        assert!(matches!(parse_line(line), Ok(Request::Print(_))), "{line}");
    }
    assert!(parse_line("/x").is_err());
}

#[test]
fn the_table_of_switches_is_sound() {
    command().debug_assert();
}

#[test]
fn every_switch_is_explained() {
    for argument in command().get_arguments() {
        assert!(argument.get_help().is_some(), "{argument} has no help");
        assert!(
            argument.get_help_heading().is_some(),
            "{argument} stands in no group"
        );
    }
}

#[test]
fn a_sign_in_is_by_a_person_or_silent() {
    let way_of = |line| match parse_line(line) {
        Ok(Request::SignIn(asked)) => asked.way,
        other => panic!("{line}: {other:?}"),
    };
    let person = |device, save| Way::Person { device, save };
    assert_eq!(way_of("--renewMsalToken"), person(false, true));
    assert_eq!(way_of("--msal --renewMsalToken"), person(false, true));
    assert_eq!(way_of("--renewMsalToken --deviceCode"), person(true, true));
    let line = "--renewMsalToken --doNotSaveAccount";
    assert_eq!(way_of(line), person(false, false));
    assert_eq!(way_of("--renewMsalToken --renewTokenSilent"), Way::Silent);
}

#[test]
fn a_certificate_is_named_or_the_one_that_is_shown() {
    let digits = "ab".repeat(32);
    let named = Some(Accept::Exactly(digits.parse().unwrap()));
    let colons = ["AB"; 32].join(":");
    for (line, accept) in [
        ("".to_owned(), None),
        ("--acceptCertificate --imap".to_owned(), Some(Accept::Shown)),
        (format!("-acceptcertificate:{digits}"), named),
        (format!("--acceptCertificate {colons}"), named),
        (format!("--AcceptCertificate={colons}"), named),
    ] {
        assert_eq!(pass_of(&line).accept, accept, "{line}");
    }
}

//! An identity provider for one test: oidc-provider behind Microsoft's paths, with the grants
//! that the program knows.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::daemon::{self, Account, Daemon};
use super::{certs, schemas, site};

/// The directory that it knows.
pub const DIRECTORY: &str = "contoso.example";
/// A user who may get tokens by password, and the mailbox of the applications.
pub const USER: &str = "ops@example.com";
/// That user's password, with characters that a form has to encode.
pub const PASSWORD: &str = "Id&p= pass+6127%word";
/// A user whose sign-in wants a second factor.
pub const USER_WITH_MFA: &str = "mfa@example.com";
/// An application without a secret.
pub const NATIVE: &str = "0a1b-native";
/// An application with one.
pub const DAEMON: &str = "0a1b-daemon";
/// Another with the same secret, which may not do much.
pub const NARROW: &str = "0a1b-narrow";
/// Another with the certificate `application` (see [`certs::folder`]).
pub const CERTIFIED: &str = "0a1b-certified";
/// The secret of those that have one.
pub const SECRET: &str = "Client~secret+8842/word=";

const ADDRESS: &str = "127.0.0.1";

/// A running provider. Dropping it ends it.
pub struct IdentityProvider {
    /// The port of its HTTP.
    pub port: u16,
    _daemon: Daemon,
}

/// A request to the token endpoint and what came of it.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// Where it was sent.
    pub path: String,
    /// The fields of the form.
    pub form: Value,
    /// The answer's status.
    pub status: u64,
    /// The answer's body.
    pub body: String,
}

impl IdentityProvider {
    /// Starts one whose refresh tokens are good for one use; `None` (said on standard output)
    /// where it is not installed and the run does not demand it.
    pub fn start() -> Option<Self> {
        Self::with(true)
    }

    /// Starts one whose refresh tokens are replaced at each use, or stay.
    pub fn with(rotating: bool) -> Option<Self> {
        Self::installed(rotating, None)
    }

    /// Starts one that speaks TLS with this certificate (see [`certs::folder`]) and does not hear
    /// what a test wishes.
    pub fn over_tls(certificate: &str) -> Option<Self> {
        Self::installed(true, Some(certificate))
    }

    fn installed(rotating: bool, certificate: Option<&str>) -> Option<Self> {
        let npm = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm");
        let node = daemon::find("node");
        let needs = [
            node.as_path(),
            &npm.join("node_modules/oidc-provider/package.json"),
            Path::new("/usr/bin/setpriv"),
        ];
        daemon::is_installed("oidc-provider", &needs).then(|| {
            daemon::persist("oidc-provider", || {
                Self::attempt(&node, &npm.join("idp.mjs"), rotating, certificate)
            })
        })
    }

    fn attempt(
        node: &Path,
        script: &Path,
        rotating: bool,
        certificate: Option<&str>,
    ) -> Option<Self> {
        let folder = daemon::folder();
        let [port] = daemon::free_ports(ADDRESS);
        let mfa = "AADSTS50076: Due to a configuration change made by your administrator, you must use \
                   multi-factor authentication.\r\nTrace ID: 41f3\r\nCorrelation ID: 9c2b";
        let application = folder.path().join("application.pem");
        let known = certs::folder().unwrap().join("application.pem");
        fs::copy(known, &application).unwrap();
        let tls = certificate.map(|name| {
            certs::copy(name, folder.path());
            ["server.pem", "server.key"].map(|name| folder.path().join(name))
        });
        let code = "authorization_code";
        let device = "urn:ietf:params:oauth:grant-type:device_code";
        let settings = json!({
            "certificate": application,
            "cert": tls.as_ref().map(|[cert, _]| cert), "key": tls.as_ref().map(|[_, key]| key),
            "port": port, "tenant": DIRECTORY, "rotate": rotating, "application": USER,
            "scope": "https://graph.microsoft.com/.default",
            "users": [
                { "name": USER, "password": PASSWORD },
                { "name": USER_WITH_MFA, "aadsts": mfa },
            ],
            "clients": [
                { "id": NATIVE, "grants": ["password", "refresh_token", code, device] },
                { "id": NARROW, "secret": SECRET, "grants": ["password"] },
                { "id": CERTIFIED, "certified": true, "grants": ["client_credentials"] },
                { "id": DAEMON, "secret": SECRET, "grants": ["client_credentials", "password", "refresh_token"] },
            ],
        });
        let path = folder.path().join("settings.json");
        fs::write(&path, settings.to_string()).unwrap();
        let mut command = Account::ordinary().command(node, folder.path());
        command.arg(script).arg(path);
        let serves = || TcpStream::connect((ADDRESS, port)).is_ok();
        Some(Self {
            port,
            _daemon: Daemon::start(folder, command, serves)?,
        })
    }

    /// Its address as `tenant-authority` has it.
    pub fn authority(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Its address in Google's place.
    pub fn google(&self) -> String {
        format!("http://localhost:{}/google", self.port)
    }

    /// From now on access tokens live so many seconds.
    pub fn lifetime(&self, seconds: u64) {
        self.tell("/test/lifetime", &json!({ "access": seconds }));
    }

    /// From now on codes for other devices live so many seconds.
    pub fn lifetime_of_codes(&self, seconds: u64) {
        self.tell("/test/lifetime", &json!({ "device": seconds }));
    }

    /// A person who signs in as this user, in the place of a browser: the value of the variable
    /// `BROWSER`. Who begins with "deny" says no.
    pub fn browser(user: &str) -> String {
        let [node, script] = browser();
        format!("{} {} open %s {user}", node.display(), script.display())
    }

    /// A person opens a page and signs in, or says no. Gives what is shown in the end.
    pub fn open(page: &str, user: &str) -> String {
        person(&["open", page, user])
    }

    /// A person enters a code on another device, and then goes on or does not.
    pub fn enter(page: &str, code: &str, goes_on: bool) -> String {
        person(&["enter", page, code, if goes_on { "yes" } else { "no" }])
    }

    /// The queries of the sign-in pages that were opened so far.
    pub fn pages(&self) -> Vec<Value> {
        let all = self.tell("/test/pages", &json!({}));
        all.as_array().unwrap().clone()
    }

    /// The token endpoint answers the next requests with this, before it looks at them.
    pub fn fault(&self, count: usize, status: u16, headers: Value, body: &str) {
        let fault = json!({ "path": "/token", "count": count, "status": status, "headers": headers, "body": body });
        self.tell("/test/fault", &fault);
    }

    /// The token endpoint closes the connection of the next request.
    pub fn hang_up(&self) {
        self.tell(
            "/test/fault",
            &json!({ "path": "/token", "count": 1, "hang_up": true }),
        );
    }

    /// The first request of each application by each grant is put off from now on.
    pub fn put_off(&self) {
        self.tell("/test/busy", &json!({}));
    }

    /// A refresh token of the application with a secret, as somebody gets it by signing in.
    pub fn refresh_token(&self, scope: &str) -> String {
        let answer = self.tell(
            "/test/refresh-token",
            &json!({ "client_id": DAEMON, "scope": scope }),
        );
        answer["refresh_token"].as_str().unwrap().to_owned()
    }

    /// What the token endpoint was asked so far.
    pub fn requests(&self) -> Vec<TokenRequest> {
        let all = self.tell("/test/requests", &json!({}));
        let all = all.as_array().unwrap().iter();
        all.map(|request| TokenRequest {
            path: request["path"].as_str().unwrap().to_owned(),
            form: request["form"].clone(),
            status: request["status"].as_u64().unwrap(),
            body: request["body"].as_str().unwrap().to_owned(),
        })
        .collect()
    }

    /// Every token that it has given out so far, of both kinds.
    pub fn issued(&self) -> Vec<String> {
        let answers = self.requests().into_iter();
        let answers = answers.filter_map(|asked| serde_json::from_str::<Value>(&asked.body).ok());
        answers
            .flat_map(|answer| ["access_token", "refresh_token"].map(|kind| answer[kind].clone()))
            .filter_map(|token| Some(token.as_str()?.to_owned()))
            .collect()
    }

    /// Every request and every answer so far is one of the description (see [`schemas`]), and so
    /// is every sign-in page. It knows nothing of certificates. Gives how many were judged.
    #[track_caller]
    pub fn assert_described(&self) -> usize {
        let path = schemas::folder().join("identity/token-endpoint.schema.json");
        let text = fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let description: Value = serde_json::from_slice(&text).unwrap();
        let mut count = 0;
        let mut judged = |name: &str, what: &Value| {
            count += 1;
            let schema = json!({
                "$schema": description["$schema"], "$defs": description["$defs"], "$ref": format!("#/$defs/{name}"),
            });
            let valid = jsonschema::validate(&schema, what);
            assert!(valid.is_ok(), "{name}: {valid:?} in {what}");
        };
        for page in self.pages() {
            judged("authorize.query", &page);
        }
        for request in self.requests() {
            if request.form.get("client_assertion").is_some() {
                continue;
            }
            let grant = request.form["grant_type"].as_str().unwrap();
            let grant = grant.rsplit(':').next().unwrap();
            judged(&format!("request.{grant}"), &request.form);
            // The others are those of a fault.
            if let Ok(body) = serde_json::from_str(&request.body) {
                let answer = if request.status == 200 {
                    "token"
                } else {
                    "error"
                };
                judged(&format!("response.{answer}"), &body);
            }
        }
        count
    }

    fn tell(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = site::ask(self.port, "POST", path, "", &body.to_string());
        assert_eq!(status, 200, "{answer}");
        serde_json::from_str(&answer).unwrap()
    }
}

fn browser() -> [PathBuf; 2] {
    let npm = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm");
    [daemon::find("node"), npm.join("browser.mjs")]
}

fn person(does: &[&str]) -> String {
    let [node, script] = browser();
    let done = Command::new(node).arg(script).args(does).output().unwrap();
    let complaint = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{does:?}: {complaint}");
    String::from_utf8(done.stdout).unwrap()
}

/// Whom a token stands for and what it is good for, as a mail server asks the provider
/// (RFC 7662); `None` for a token that is not valid.
pub fn introspect(port: u16, token: &str) -> Option<Value> {
    let plain = token
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    assert!(plain, "an opaque token");
    let headers = format!(
        "Authorization: Basic {}\r\nContent-Type: application/x-www-form-urlencoded\r\n",
        data_encoding::BASE64.encode(b"mail-server:introspection")
    );
    let target = format!("/{DIRECTORY}/introspect");
    let (status, answer) = site::ask(port, "POST", &target, &headers, &format!("token={token}"));
    assert_eq!(status, 200, "{answer}");
    let told: Value = serde_json::from_str(&answer).unwrap();
    (told["active"] == true).then_some(told)
}

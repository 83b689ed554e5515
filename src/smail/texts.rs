//! Everything that is said, in French and English (Project Fluent: `en.ftl`, `fr.ftl`).
//!
//! The code speaks in [`Message`]s, which are in no language; a [`Speaker`] puts them into one.

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};

const ENGLISH: &str = include_str!("en.ftl");
const FRENCH: &str = include_str!("fr.ftl");

/// The languages that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// French.
    French,
}

impl Language {
    /// Reads the value of `/LANG`.
    pub(super) fn of_option(value: &str) -> Option<Self> {
        match value.to_ascii_uppercase().as_str() {
            "EN" => Some(Self::English),
            "FR" => Some(Self::French),
            _ => None,
        }
    }

    /// The first of the system's languages; English where there is none that is spoken here.
    pub(super) fn of_system() -> Self {
        Self::of_locale(&sys_locale::get_locale().unwrap_or_default())
    }

    /// Reads a locale such as `fr-CA`, `fr_FR.UTF-8` or `C`.
    fn of_locale(locale: &str) -> Self {
        let language = locale.split(['-', '_', '.', '@']).next();
        match language {
            Some(language) if language.eq_ignore_ascii_case("fr") => Self::French,
            _ => Self::English,
        }
    }

    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::English => ("en", ENGLISH),
            Self::French => ("fr", FRENCH),
        }
    }
}

/// Something to say, in no language yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    text: Phrase,
    values: Vec<(&'static str, Value)>,
}

/// What takes the place of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Text that is the same in all languages, fit for a terminal.
    Words(String),
    /// A number, by which a text may choose its form.
    Number(usize),
    /// What has to be said as well.
    Message(Box<Message>),
    /// Several of these, with this between them.
    List(Vec<Value>, &'static str),
}

impl Message {
    /// Gives a variable its value.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.values.push((name, value.into()));
        self
    }
}

impl Phrase {
    /// A message with a value for one variable.
    pub(super) fn with(self, name: &'static str, value: impl Into<Value>) -> Message {
        Message::from(self).with(name, value)
    }
}

impl From<Phrase> for Message {
    fn from(text: Phrase) -> Self {
        Self {
            text,
            values: Vec::new(),
        }
    }
}

impl From<String> for Value {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<&str> for Value {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(number)
    }
}

impl From<Message> for Value {
    fn from(message: Message) -> Self {
        Self::Message(Box::new(message))
    }
}

/// Speaks one language.
pub(super) struct Speaker(FluentBundle<FluentResource>);

impl Speaker {
    /// Learns a language.
    pub(super) fn of(language: Language) -> Self {
        let (name, texts) = language.texts();
        // What is wrong with a text is found by the tests below; the others are spoken anyway.
        let resource = match FluentResource::try_new(texts.to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        let mut bundle = FluentBundle::new(vec![name.parse().unwrap_or_default()]);
        // The marks around values are for texts that run in both directions; consoles show them.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        Self(bundle)
    }

    /// Says it.
    pub(super) fn say(&self, message: &Message) -> String {
        let id = message.text.id();
        let pattern = self.0.get_message(id).and_then(|text| text.value());
        let Some(pattern) = pattern else {
            return id.to_owned();
        };
        let mut values = FluentArgs::new();
        for (name, value) in &message.values {
            values.set(*name, self.value(value));
        }
        let mut errors = Vec::new();
        let said = self.0.format_pattern(pattern, Some(&values), &mut errors);
        debug_assert!(errors.is_empty(), "{id}: {errors:?}");
        said.into_owned()
    }

    fn value(&self, value: &Value) -> FluentValue<'static> {
        match value {
            Value::Number(number) => FluentValue::from(*number),
            other => FluentValue::from(self.text(other)),
        }
    }

    fn text(&self, value: &Value) -> String {
        match value {
            Value::Words(words) => words.clone(),
            Value::Number(number) => number.to_string(),
            Value::Message(inner) => self.say(inner),
            Value::List(values, between) => {
                let texts: Vec<_> = values.iter().map(|value| self.text(value)).collect();
                texts.join(between)
            }
        }
    }
}

/// Names each text once, with its identifier in the files.
macro_rules! texts {
    ($($name:ident = $id:literal,)+) => {
        /// Everything that can be said.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Phrase {
            $($name,)+
        }

        impl Phrase {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$name,)+];

            fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)+
                }
            }
        }
    };
}

texts! {
    HelpTitle = "help-title",
    HelpAbout = "help-about",
    HelpUsage = "help-usage",
    HelpUsageLines = "help-usage-lines",
    HelpWriting = "help-writing",
    HelpRequired = "help-required",
    HelpSecrets = "help-secrets",
    HelpSecretsText = "help-secrets-text",
    HelpRetry = "help-retry",
    HelpRetryText = "help-retry-text",
    HelpExit = "help-exit",
    HelpExamples = "help-examples",
    ExampleSimple = "example-simple",
    ExampleSecured = "example-secured",
    ExampleToken = "example-token",
    ExampleGraph = "example-graph",
    GroupGeneral = "group-general",
    GroupMessage = "group-message",
    GroupSmtp = "group-smtp",
    GroupGraph = "group-graph",
    WaySmtp = "way-smtp",
    WaySasl = "way-sasl",
    WayXoauth2 = "way-xoauth2",
    WayGraph = "way-graph",
    PlaceAddress = "place-address",
    PlaceAddresses = "place-addresses",
    PlaceFile = "place-file",
    PlaceFiles = "place-files",
    PlaceHost = "place-host",
    PlaceId = "place-id",
    PlaceName = "place-name",
    PlaceNumber = "place-number",
    PlacePassword = "place-password",
    PlacePort = "place-port",
    PlaceText = "place-text",
    PlaceUrl = "place-url",
    PlaceUser = "place-user",
    OptionMode = "option-mode",
    OptionLang = "option-lang",
    OptionRetry = "option-retry",
    OptionLog = "option-log",
    OptionLogLevel = "option-log-level",
    OptionErrorFile = "option-error-file",
    OptionHelp = "option-help",
    OptionSubject = "option-subject",
    OptionFromName = "option-from-name",
    OptionFromAddr = "option-from-addr",
    OptionTo = "option-to",
    OptionCc = "option-cc",
    OptionBcc = "option-bcc",
    OptionBodyFile = "option-body-file",
    OptionAttach = "option-attach",
    OptionInline = "option-inline",
    OptionPriority = "option-priority",
    OptionReadAck = "option-read-ack",
    OptionReceptionAck = "option-reception-ack",
    OptionSmtpServer = "option-smtp-server",
    OptionSmtpPort = "option-smtp-port",
    OptionSmtpUsername = "option-smtp-username",
    OptionSmtpPassword = "option-smtp-password",
    OptionSmtpTokenFile = "option-smtp-token-file",
    OptionAuthType = "option-auth-type",
    OptionSslVersion = "option-ssl-version",
    OptionTenantId = "option-o365-tenant-id",
    OptionAppId = "option-o365-app-id",
    OptionSecret = "option-o365-secret",
    OptionGraphSender = "option-graph-sender",
    OptionAuthority = "option-o365-authority",
    OptionGraphServer = "option-graph-server",
    ExitOk = "exit-ok",
    ExitError = "exit-error",
    ExitParam = "exit-param",
    ExitConnect = "exit-connect",
    ExitAuth = "exit-auth",
    ExitSend = "exit-send",
    ExitRetryExceeded = "exit-retry-exceeded",
    ExitInternal = "exit-internal",
    ExitFileNotFound = "exit-file-not-found",
    ExitInvalidMode = "exit-invalid-mode",
    ErrorLine = "error-line",
    WarningLine = "warning-line",
    WrongUnknown = "wrong-unknown",
    WrongUnknownNear = "wrong-unknown-near",
    ArgumentAt = "argument-at",
    WrongStray = "wrong-stray",
    WrongUnicode = "wrong-unicode",
    WrongTwice = "wrong-twice",
    WrongNoValue = "wrong-no-value",
    WrongSwitch = "wrong-switch",
    WrongChoice = "wrong-choice",
    WrongNumber = "wrong-number",
    WrongAddress = "wrong-address",
    WrongQuote = "wrong-quote",
    WrongMissing = "wrong-missing",
    WrongInlineText = "wrong-inline-text",
    WrongInlineTwice = "wrong-inline-twice",
    WrongNotText = "wrong-not-text",
    WrongFloor = "wrong-floor",
    WrongUrl = "wrong-url",
    WrongTenant = "wrong-tenant",
    WrongToken = "wrong-token",
    WrongSecret = "wrong-secret",
    WrongFileName = "wrong-file-name",
    ModeUnknown = "mode-unknown",
    FileMissing = "file-missing",
    FileMissingSecret = "file-missing-secret",
    FileUnreadable = "file-unreadable",
    FileTooLarge = "file-too-large",
    FileUnwritable = "file-unwritable",
    ErrorFileStays = "error-file-stays",
    CauseDenied = "cause-denied",
    CauseFolder = "cause-folder",
    CauseMissing = "cause-missing",
    CauseOther = "cause-other",
    InternalFault = "internal-fault",
    LostUnresolved = "lost-unresolved",
    LostRefused = "lost-refused",
    LostUnreachable = "lost-unreachable",
    LostTimedOut = "lost-timed-out",
    StepResolving = "step-resolving",
    StepConnecting = "step-connecting",
    StepAnswering = "step-answering",
    StepSending = "step-sending",
    LostClosed = "lost-closed",
    LostClosedSaying = "lost-closed-saying",
    LostBroken = "lost-broken",
    LostNoStartTls = "lost-no-start-tls",
    LostTls = "lost-tls",
    TlsFloor = "tls-floor",
    TlsNothingInCommon = "tls-nothing-in-common",
    TlsNotHere = "tls-not-here",
    TlsNotTls = "tls-not-tls",
    TlsNotTlsAfterAll = "tls-not-tls-after-all",
    TlsHungUp = "tls-hung-up",
    TlsExpired = "tls-expired",
    TlsOutsideItsTime = "tls-outside-its-time",
    TlsNotYetValid = "tls-not-yet-valid",
    TlsWrongHost = "tls-wrong-host",
    TlsUnknownAuthority = "tls-unknown-authority",
    TlsSelfSigned = "tls-self-signed",
    TlsBadCertificate = "tls-bad-certificate",
    FlawRevoked = "flaw-revoked",
    FlawTooWeak = "flaw-too-weak",
    FlawWrongPurpose = "flaw-wrong-purpose",
    FlawOther = "flaw-other",
    TlsOther = "tls-other",
    TlsWebFloor = "tls-web-floor",
    TlsWebOther = "tls-web-other",
    Unanswered = "unanswered",
    LoginRefused = "login-refused",
    LoginUnanswered = "login-unanswered",
    LoginAdvice = "login-advice",
    LoginAdviceToken = "login-advice-token",
    HowClosed = "how-closed",
    HowClosedSaying = "how-closed-saying",
    HowTimedOut = "how-timed-out",
    HowBroken = "how-broken",
    LoginNotOffered = "login-not-offered",
    LoginNoneOffered = "login-none-offered",
    LoginZeroByte = "login-zero-byte",
    LoginDemanded = "login-demanded",
    RefusedRecipient = "refused-recipient",
    NobodyTook = "nobody-took",
    SomeRefused = "some-refused",
    RefusedConversation = "refused-conversation",
    RefusedSender = "refused-sender",
    RefusedMail = "refused-mail",
    RefusedContents = "refused-contents",
    TooLarge = "too-large",
    NotAscii = "not-ascii",
    NotAsciiRecipient = "not-ascii-recipient",
    NoMailServer = "no-mail-server",
    TokenRejected = "token-rejected",
    TokenAdviceSecret = "token-advice-secret",
    TokenAdviceExpired = "token-advice-expired",
    TokenAdviceApplication = "token-advice-application",
    TokenAdviceTenant = "token-advice-tenant",
    TokenAdviceOther = "token-advice-other",
    TokenBusy = "token-busy",
    TokenMalformed = "token-malformed",
    TokenUnusable = "token-unusable",
    WebBadAddress = "web-bad-address",
    WebClearText = "web-clear-text",
    WebMalformed = "web-malformed",
    Status = "status",
    GraphRefused = "graph-refused",
    GraphBusy = "graph-busy",
    GraphTooLarge = "graph-too-large",
    GraphRefusedRights = "graph-refused-rights",
    GraphUncertain = "graph-uncertain",
    RetriesUsedUp = "retries-used-up",
    TellStart = "tell-start",
    TellRoute = "tell-route",
    TellAttempt = "tell-attempt",
    TellAttemptFailed = "tell-attempt-failed",
    TellSent = "tell-sent",
    TellReceiptDsn = "tell-receipt-dsn",
    TellReceiptHeader = "tell-receipt-header",
    TellReceiptService = "tell-receipt-service",
    WarnClearLogin = "warn-clear-login",
}

#[cfg(test)]
mod tests;

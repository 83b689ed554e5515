//! A connection that breaks at every place of a conversation: what is said of the mail is what
//! became of it.

use std::time::Duration;

use smartemail::net::Security;

use crate::harness::Recorder;
use crate::harness::faulty_line::{Fault, FaultyLine, Kind, Way};
use crate::{mail, outbox, send_one, settings};

#[test]
fn what_is_said_of_a_mail_is_what_became_of_it() {
    let Some(server) = Recorder::start() else {
        return;
    };
    let line = FaultyLine::before("127.0.0.1", server.smtp);
    let mut settings = settings(line.port, Security::None);
    settings.endpoint.timeouts.read = Duration::from_millis(600);
    send_one(settings.clone(), mail("healthy", &["a@example.test"])).unwrap();
    let exchanges = line.conversation();
    // Greeting, EHLO, envelope, contents, QUIT.
    assert_eq!(exchanges.len(), 5);
    let contents = 3;
    let mut unknown = 0;
    for (number, exchange) in exchanges.iter().enumerate().take(contents + 1) {
        for (way, bytes) in [
            (Way::Question, &exchange.question),
            (Way::Answer, &exchange.answer),
        ] {
            let places = [0, bytes.len() / 2, bytes.len().saturating_sub(1)];
            for (kind, after) in [Kind::Reset, Kind::HalfClose, Kind::Stall]
                .into_iter()
                .flat_map(|kind| places.map(|after| (kind, after)))
            {
                let before = server.mails().len();
                line.strike_next(Fault {
                    kind,
                    exchange: number,
                    way,
                    after,
                    line: false,
                });
                let outbox = outbox(settings.clone());
                let result = outbox
                    .send(&[mail("struck", &["a@example.test"])])
                    .pop()
                    .unwrap();
                drop(outbox);
                let arrived = server.mails().len() - before;
                let place = format!("{kind:?} of {way:?} {number} after {after}: {result:?}");
                match result {
                    Ok(_) => assert_eq!(arrived, 1, "{place}"),
                    Err(error) if error.may_have_arrived() => {
                        assert_eq!(number, contents, "{place}");
                        unknown += 1;
                    }
                    Err(error) => {
                        assert_eq!(arrived, 0, "{place}");
                        assert!(error.is_connection(), "{place}");
                    }
                }
            }
        }
    }
    assert!(
        unknown > 0,
        "the answer to the contents was lost at least once"
    );
}

//! A mail over which the service fails each time, and a service that fails over all of them.

use serde_json::json;
use smartemail::mailbox::{Error, Known, MailId, Mailbox, Query};

use crate::bed::{Bed, contents, listed};
use crate::harness::Cloud;
use crate::harness::cloud::RULE;
use crate::harness::graph::Fault;
use crate::harness::idp::USER;

/// What a server behind the service says that fails, for a moment or over one mail each time.
const BEHIND: [(u16, &str); 4] = [
    (502, "badGateway"),
    (504, "gatewayTimeout"),
    (500, "ErrorInternalServerTransientError"),
    (500, "ErrorMailboxStoreUnavailable"),
];

fn now() -> Vec<(&'static str, String)> {
    vec![("Retry-After", "0".into())]
}

#[test]
fn a_mail_over_which_the_service_fails_each_time_is_named() {
    let Some(bed) = Bed::start() else { return };
    bed.deliver_many(3);
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    let queries = |ids: &[MailId]| -> Vec<Query> {
        let query = |id: &MailId| Query {
            id: id.clone(),
            text: true,
        };
        ids.iter().map(query).collect()
    };
    for (status, code) in BEHIND {
        bed.graph.inbox(|inbox| inbox.spoil(2, status, code));
        for error in [
            mailbox.raw(&ids, &mut |_, _| {}).unwrap_err(),
            mailbox.contents(&queries(&ids)).unwrap_err(),
            bed.open().summaries(&ids).unwrap_err(),
            bed.open().summaries(&ids[1..2]).unwrap_err(),
        ] {
            assert!(error.is_transient());
            assert!(error.to_string().contains(code), "{error}");
            let Error::OneMail { mail, .. } = error else {
                panic!("{error}");
            };
            assert_eq!(mail, ids[1]);
        }
        // On a later page of its files.
        bed.graph.inbox(|inbox| inbox.free(2));
        let path = format!("v1.0/users/{USER}/mailFolders/inbox/messages/x/attachments?$skip=1");
        let link = format!("{}/{path}", bed.graph.endpoint());
        let page = json!({ "value": [], "@odata.nextLink": link });
        bed.graph.fail("attachments", Fault::Say(200, page));
        for _ in 0..5 {
            let refusal = Fault::Refuse(status, code, now());
            bed.graph.fail("attachments", refusal);
        }
        let query = Query {
            text: false,
            ..queries(&ids)[2].clone()
        };
        let error = mailbox.contents(&[query]).unwrap_err();
        assert!(
            matches!(&error, Error::OneMail { mail, .. } if *mail == ids[2]),
            "{error}"
        );
        assert_eq!(contents(&mut mailbox, &ids, true).len(), 3);
    }
    // That there is no time is no mail's fault, nor is a list's failure.
    for (status, code) in [
        (429, "ApplicationThrottled"),
        (503, "ErrorMailboxStoreUnavailable"),
        (500, "ErrorServerBusy"),
    ] {
        bed.graph.inbox(|inbox| inbox.spoil(2, status, code));
        for error in [
            mailbox.raw(&ids, &mut |_, _| {}).unwrap_err(),
            mailbox.contents(&queries(&ids)).unwrap_err(),
        ] {
            assert!(matches!(error, Error::Busy { .. }), "{error}");
        }
    }
    for _ in 0..5 {
        let refusal = Fault::Refuse(502, "badGateway", now());
        bed.graph.fail("messages", refusal);
    }
    let error = mailbox.list(&Known::default()).unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
}

#[test]
fn a_mail_over_which_the_service_fails_each_time_stops_no_other() {
    for rule in [
        "SubjectLineMask=Test (\\w+)\nEvent=$CONSOLE:DISPLAY,[[1]]",
        "ProcessBody=YES\nQualifyingSubjectLine=Test\nSubjectLineMask=(.*)\nEvent=$CONSOLE:DISPLAY,[[SUBJECT]]",
    ] {
        let Some(cloud) = Cloud::start() else { return };
        cloud.deliver_many(0..30);
        let ini = cloud
            .ini()
            .set("Mail", "Retries", "1")
            .set("General", "DeleteEmails", "Match")
            .set("General", "DownloadEmails", "True")
            .rule(rule);
        let world = cloud.application(ini);
        cloud.graph.inbox(|inbox| inbox.spoil(8, 502, "badGateway"));
        cloud.graph.inbox(|inbox| {
            inbox.spoil(15, 502, "badGateway");
            inbox.spoil(22, 502, "badGateway");
        });
        let explained = world.run(&["--explain"]);
        cloud
            .graph
            .inbox(|inbox| [15, 22].map(|number| inbox.free(number)));
        if rule.contains("ProcessBody") {
            explained
                .says("\"Test m7\": ")
                .says("badGateway")
                .says("30 mails, 27 would be accepted, 0 not, 3 failed");
        } else {
            explained.says("30 mails, 30 would be accepted, 0 not\n");
        }
        explained.exit(0);
        for run in 1..=5 {
            let ran = world.run(&[]);
            ran.exit(2)
                .complains("badGateway")
                .complains("\"Test m7\": ")
                .complains("It stays on the server")
                .says(if run == 1 {
                    "29 accepted"
                } else {
                    "0 accepted"
                })
                .says("1 failed");
            assert_eq!(
                ran.lines_starting("set aside: "),
                usize::from(run == 5),
                "{ran}"
            );
        }
        assert_eq!(world.events().len(), 29);
        assert_eq!(cloud.graph.inbox(|inbox| inbox.folder("inbox")), [8]);
        world.run(&[]).exit(0).says("set aside: ");
        cloud.graph.inbox(|inbox| inbox.free(8));
        world.run(&["--retry"]).exit(0).says("1 accepted");
        assert_eq!(cloud.folder("deleteditems"), 30);
    }
}

#[test]
fn a_service_that_fails_over_all_mails_fails_few_of_them() {
    let Some(cloud) = Cloud::start() else { return };
    let mut expected = cloud.deliver_many(0..30);
    let ini = cloud
        .ini()
        .set("Mail", "Retries", "1")
        .set("General", "DownloadEmails", "True")
        .rule(RULE);
    let world = cloud.application(ini);
    cloud.graph.inbox(|inbox| {
        for number in 1..=30 {
            inbox.spoil(number, 504, "gatewayTimeout");
        }
    });
    let ran = world.run(&[]);
    ran.exit(2).complains("given up after 2 attempts");
    assert_eq!(ran.lines_starting("failed: "), 2, "{ran}");
    let reading = "ProcessBody=YES\nQualifyingSubjectLine=Test\nSubjectLineMask=(.*)\nEvent=$CONSOLE:DISPLAY,x";
    let explained = cloud
        .application(cloud.ini().rule(reading))
        .run(&["--explain"]);
    explained.exit(2).complains("gatewayTimeout");
    assert_eq!(
        explained.stdout.matches(" failed\n").count(),
        2,
        "{explained}"
    );
    cloud
        .graph
        .inbox(|inbox| (1..=30).for_each(|number| inbox.free(number)));
    world.run(&[]).exit(0).says("30 accepted");
    let mut events = world.events();
    events.sort();
    expected.sort();
    assert_eq!(events, expected);
}

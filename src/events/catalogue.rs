//! OpCon's event types and their actions, for the warnings of `--check`. An event that is not
//! listed is written all the same: OpCon knows its own events best.

/// Types and actions, each type followed by what may stand behind its colon.
const TYPES: [(&str, &[&str]); 12] = [
    ("$CALENDAR", &["ADD", "DEL"]),
    ("$CONSOLE", &["DISPLAY"]),
    (
        "$JOB",
        &[
            "ADD", "ADDHLD", "BAD", "CANCEL", "DELETE", "FIXED", "GOOD", "HOLD", "KILL", "MACHGRP", "MAXRUNTIME",
            "PRIORITY", "QUESTATE", "RELEASE", "RESCHEDHLD", "RESCHEDULE", "RESTART", "RESTARTHLD", "REVIEW", "SKIP",
            "START", "TAGADD", "TAGDEL", "USER",
        ],
    ),
    ("$JOBMASTER", &["BUILDSTATE", "TAGADD", "TAGDEL"]),
    ("$MACHINE", &["MAXJOBS", "STATUS"]),
    ("$NOTIFY", &["COMMAND", "EMAIL", "LOG", "NETSEND", "SNMP", "SPOAL", "SPOCO", "TASKS", "TEXTMSG"]),
    ("$PROPERTY", &["ADD", "DELETE", "SET"]),
    ("$RESOURCE", &["DEL", "RENAME", "SET"]),
    ("$SCHEDULE", &["BUILD", "BUILDHLD", "CANCEL", "CHECK", "CHECKALL", "CLOSE", "DELETE", "HOLD", "RELEASE", "START"]),
    ("$THRESHOLD", &["DEL", "RENAME", "SET"]),
    // The old name of $PROPERTY:SET.
    ("$TOKEN", &["SET"]),
    // The XML form is not looked into.
    ("<EVENT", &[]),
];

/// What is odd about an event's type, as the rest of a sentence; `None` when it is listed.
#[must_use]
pub fn doubt(event: &str) -> Option<String> {
    if super::line::is_xml(event) {
        return None;
    }
    let head = event.split(',').next().unwrap_or_default().trim();
    let (kind, action) = head.split_once(':').unwrap_or((head, ""));
    let Some((_, actions)) = TYPES.iter().find(|(name, _)| name.eq_ignore_ascii_case(kind)) else {
        let near = crate::suggest::nearest(kind, TYPES.iter().map(|(name, _)| *name));
        return Some(format!("\"{head}\" is no event type of OpCon's{}", did_you_mean(near)));
    };
    if actions.iter().any(|known| known.eq_ignore_ascii_case(action)) {
        return None;
    }
    let near = crate::suggest::nearest(action, actions.iter().copied()).map(|near| format!("{kind}:{near}"));
    Some(format!("\"{head}\" is no event of OpCon's{}", did_you_mean(near.as_deref())))
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean {near}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::doubt;

    #[test]
    fn known_events_raise_no_doubt() {
        for event in ["$JOB:START,a,b", "$job:start", "$TOKEN:SET,x,y", "<EVENT><X/></EVENT>", "$CONSOLE:DISPLAY,hello"] {
            assert_eq!(doubt(event), None, "{event}");
        }
        assert!(doubt("$JOB:STRAT,a").unwrap().contains("$JOB:START"));
        assert!(doubt("$CONSOL:DISPLAY,a").unwrap().contains("$CONSOLE"));
        assert!(doubt("hello").is_some());
    }
}

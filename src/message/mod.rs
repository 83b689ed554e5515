//! Bytes of a mail, or of its parts, to what the rules look at: sender, subject, date,
//! body lines and attachment names.
//!
//! Pure: no network, no files, no rules. Mail is hostile input: nothing here panics,
//! everything is bounded by [`Limits`], and what can't be read gives a defined weaker
//! answer (an empty subject, no sender) or a [`Fault`], never a guess.
//!
//! Two roads lead to the same answers. A mailbox that has the whole mail uses
//! [`Mail::parse`]; one that asks the server for the structure first builds a [`Part`]
//! tree from BODYSTRUCTURE and decodes only the text parts that the tree names.

//! HTML to lines of text, as a reader of the mail sees them.
//!
//! One pass over the tokens of html5gum (which decodes entities and knows where scripts
//! and styles end), no tree: the time is linear, and nesting costs nothing.

use std::convert::Infallible;

use html5gum::Tokenizer;
use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};

/// The text of an HTML document.
///
/// Block elements and `<br>` end lines; white space is folded as a browser does, but kept
/// in `<pre>`. A table row is a line, its cells separated by a blank, unless a cell holds
/// several lines. A no-break space becomes a blank. The contents of scripts, styles,
/// titles and templates are left out.
#[must_use]
pub fn to_text(html: &str) -> String {
    let mut page = Page::default();
    let mut emitter = CallbackEmitter::new(
        |event: CallbackEvent<'_>, _: html5gum::Span<()>| -> Option<Infallible> {
            match event {
                CallbackEvent::OpenStartTag { name } => page.start(name),
                CallbackEvent::EndTag { name } => page.end(name),
                CallbackEvent::String { value } => page.text(&String::from_utf8_lossy(value)),
                _ => {}
            }
            None
        },
    );
    // Scripts, styles and titles hold no tags; the tokenizer must be told.
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(html, emitter).finish();
    page.out
}

/// What stands between the text so far and the text to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Gap {
    #[default]
    None,
    Blank,
    Line,
}

#[derive(Default)]
struct Page {
    out: String,
    gap: Gap,
    /// Inside `<pre>` this deep.
    preformatted: usize,
    /// Inside `<template>` this deep.
    templates: usize,
    /// Inside an element whose text is not shown; those hold no others.
    dropping: bool,
    /// A cell of the current table row has begun.
    in_row: bool,
    /// Nothing has been seen of the current cell; a block in it begins no line.
    cell_is_empty: bool,
}

impl Page {
    fn start(&mut self, name: &[u8]) {
        match name {
            _ if is_unseen(name) => self.dropping = true,
            b"template" => self.templates += 1,
            _ if self.templates > 0 => {}
            b"br" => self.line_break(),
            b"pre" | b"listing" | b"xmp" => {
                self.preformatted += 1;
                self.block();
            }
            b"td" | b"th" => self.cell(),
            b"table" | b"tr" => self.row(false),
            _ if is_block(name) => self.block(),
            _ => {}
        }
    }

    fn end(&mut self, name: &[u8]) {
        match name {
            _ if is_unseen(name) => self.dropping = false,
            b"template" => self.templates = self.templates.saturating_sub(1),
            _ if self.templates > 0 => {}
            b"pre" | b"listing" | b"xmp" => {
                self.preformatted = self.preformatted.saturating_sub(1);
                self.block();
            }
            // A browser reads it as a new line, too.
            b"br" => self.line_break(),
            b"tr" => self.row(false),
            // Back in the cell of an outer row, if there is one.
            b"table" => self.row(true),
            _ if is_block(name) => self.block(),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.dropping || self.templates > 0 {
            return;
        }
        for c in text.chars() {
            match c {
                '\n' if self.preformatted > 0 => self.line_break(),
                '\r' if self.preformatted > 0 => {}
                ' ' | '\t' if self.preformatted > 0 => self.put(c),
                ' ' | '\t' | '\n' | '\r' | '\u{c}' => {
                    if self.gap == Gap::None {
                        self.gap = Gap::Blank;
                    }
                }
                '\u{a0}' => self.put(' '),
                c => self.put(c),
            }
        }
    }

    fn put(&mut self, c: char) {
        match self.gap {
            Gap::Line if !self.at_line_start() => self.out.push('\n'),
            Gap::Blank if !self.at_line_start() => self.out.push(' '),
            _ => {}
        }
        self.gap = Gap::None;
        self.cell_is_empty = false;
        self.out.push(c);
    }

    fn line_break(&mut self) {
        if self.gap == Gap::Line && !self.at_line_start() {
            self.out.push('\n');
        }
        self.gap = Gap::None;
        self.cell_is_empty = false;
        self.out.push('\n');
    }

    fn block(&mut self) {
        if !self.cell_is_empty {
            self.gap = Gap::Line;
        }
    }

    fn row(&mut self, in_row: bool) {
        self.in_row = in_row;
        self.cell_is_empty = false;
        self.gap = Gap::Line;
    }

    fn cell(&mut self) {
        if self.in_row {
            // Not the line end that a block at the end of the cell before left.
            self.gap = Gap::Blank;
            self.cell_is_empty = true;
        }
        self.in_row = true;
    }

    fn at_line_start(&self) -> bool {
        self.out.is_empty() || self.out.ends_with('\n')
    }
}

/// Elements whose text no page shows, or only where a script or frame is missing.
fn is_unseen(name: &[u8]) -> bool {
    matches!(
        name,
        b"script" | b"style" | b"title" | b"iframe" | b"noframes" | b"noembed" | b"noscript"
    )
}

fn is_block(name: &[u8]) -> bool {
    matches!(
        name,
        b"address"
            | b"article"
            | b"aside"
            | b"blockquote"
            | b"body"
            | b"caption"
            | b"center"
            | b"dd"
            | b"details"
            | b"dialog"
            | b"dir"
            | b"div"
            | b"dl"
            | b"dt"
            | b"fieldset"
            | b"figcaption"
            | b"figure"
            | b"footer"
            | b"form"
            | b"h1"
            | b"h2"
            | b"h3"
            | b"h4"
            | b"h5"
            | b"h6"
            | b"header"
            | b"hgroup"
            | b"hr"
            | b"html"
            | b"legend"
            | b"li"
            | b"main"
            | b"menu"
            | b"nav"
            | b"ol"
            | b"optgroup"
            | b"option"
            | b"p"
            | b"search"
            | b"section"
            | b"summary"
            | b"tbody"
            | b"textarea"
            | b"tfoot"
            | b"thead"
            | b"ul"
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pages() {
        let cases = [
            ("", ""),
            ("plain", "plain"),
            ("<p>one</p><p>two</p>", "one\ntwo"),
            ("<div>one<div>two</div>three</div>", "one\ntwo\nthree"),
            ("a<br>b<br/>c</br>d", "a\nb\nc\nd"),
            ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
            ("<div>a<br></div><div>b</div>", "a\nb"),
            ("  a \r\n  b\t<b> c</b> ", "a b c"),
            ("a<b>b</b>c <i>d</i>", "abc d"),
            ("a&nbsp;&nbsp;b", "a  b"),
            (
                "&lt;x&gt; &amp;amp; &#8364;&#x20AC; &copy &quot;",
                "<x> &amp; €€ © \"",
            ),
            ("<pre>a  b\n c</pre>d", "a  b\n c\nd"),
            ("<ul><li>one<li>two</ul>end", "one\ntwo\nend"),
            (
                "<html><head><title>no</title><style>p{}</style></head><body>yes</body></html>",
                "yes",
            ),
            ("a<script>if (1 < 2) '</p>'</script>b", "ab"),
            (
                "a<template><p>no</p><template>x</template>no</template>b",
                "ab",
            ),
            ("a<!-- no -->b<!--[if mso]>no<![endif]-->c", "abc"),
            ("<h1>Head</h1>text<hr>text", "Head\ntext\ntext"),
            // Rows are lines, in each of the shapes that mailers write.
            (
                "<table><tr><td>Job</td><td>12</td></tr><tr><td>End</td><td>ok</td></tr></table>",
                "Job 12\nEnd ok",
            ),
            (
                "<table>\n <tr>\n  <th>Job\n  <td>12\n <tr><td>End<td>ok</table>after",
                "Job 12\nEnd ok\nafter",
            ),
            (
                "<table><tr><td><p>Job</p></td><td><p>12</p></td></tr></table>",
                "Job 12",
            ),
            (
                "<table><tr><td>a<p>b</p></td><td>c</td></tr></table>",
                "a\nb c",
            ),
            (
                "<table><tr><td></td><td>a</td><td></td><td>b</td></tr></table>",
                "a b",
            ),
            (
                "<table><tr><td><table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table></td><td>d</td></tr><tr><td>e</td></tr></table>",
                "a b\nc d\ne",
            ),
            // Broken pages.
            ("<p>open <b>bold <div", "open bold"),
            ("</div></p></td>a", "a"),
            ("1 < 2 & 3", "1 < 2 & 3"),
            ("<style>never closed <p>text", ""),
            ("<p title=\"a > b\">x</p>", "x"),
        ];
        for (page, expected) in cases {
            assert_eq!(to_text(page), expected, "{page}");
        }
    }

    proptest! {
        #[test]
        fn any_page_is_read(page in "(<|/|>|!|--|p|td|tr|table|pre|br|template|script|&|#|x|;| |\\n|é|\\PC){0,40}") {
            let text = to_text(&page);
            prop_assert!(!text.contains(char::from(0xA0)));
        }
    }
}

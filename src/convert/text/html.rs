//! HTML as readable plain text, for the text/plain part of messages that have HTML only, and for search.
//!
//! One pass over the markup without a tree: `markup` cuts it as browsers do, this file knows the elements, and
//! `layout` turns their breaks into lines. Nothing is fetched, run or styled.
#![forbid(unsafe_code)]

mod entity;
mod layout;
mod markup;
mod wrap;

pub use wrap::wrap;

use layout::Layout;
use markup::{Piece, Pieces, attribute};

/// Lists within lists whose numbering is kept.
const MAX_LISTS: usize = 64;

/// Readable text of HTML. Lines end with LF; the text ends with one, unless it is empty.
///
/// Blocks become lines, list items get `* ` or their number, quotes `> `, links are followed by their address in
/// angle brackets where the text does not show it, cells of a row are separated by tabs, images show their
/// alternative text. Comments, scripts, styles and the head are dropped.
pub fn to_text(html: &str) -> String {
    let mut renderer = Renderer {
        layout: Layout::with_capacity(html.len()),
        ..Renderer::default()
    };
    let mut lower = String::new();
    for piece in Pieces::new(html) {
        match piece {
            Piece::Text(text) => renderer.text(text),
            Piece::Start { name, attributes } => {
                renderer.start(lower_case(name, &mut lower), attributes);
            }
            Piece::End { name } => renderer.end(lower_case(name, &mut lower)),
        }
    }
    renderer.close_link();
    renderer.layout.finish()
}

/// What the start tags of elements `wanted` have as attributes, for [`attribute_of`]: of HTML, and of XML that has its
/// values there.
pub(crate) fn start_tags<'a>(markup: &'a str, wanted: &'a str) -> impl Iterator<Item = &'a str> {
    Pieces::new(markup).filter_map(move |piece| match piece {
        Piece::Start { name, attributes } if name.eq_ignore_ascii_case(wanted) => Some(attributes),
        _ => None,
    })
}

/// The value of attribute `wanted`, decoded.
pub(crate) fn attribute_of(attributes: &str, wanted: &str) -> Option<String> {
    attribute(attributes, wanted)
}

/// `name` in lower case, in a buffer that serves all names.
fn lower_case<'a>(name: &str, buffer: &'a mut String) -> &'a str {
    buffer.clear();
    buffer.push_str(name);
    buffer.make_ascii_lowercase();
    buffer
}

/// A link whose element is open.
struct Link {
    address: String,
    /// Where its text begins.
    start: usize,
}

#[derive(Default)]
struct Renderer {
    layout: Layout,
    /// Within `<head>`, whose text is not part of the page.
    in_head: bool,
    /// Open `<pre>` elements.
    preformatted: usize,
    /// The number of the next item of each open list; `None` for bullets.
    lists: Vec<Option<i64>>,
    link: Option<Link>,
    /// Cells of the current row so far.
    row_cells: usize,
}

impl Renderer {
    fn text(&mut self, text: &str) {
        if self.in_head {
            return;
        }
        let text = entity::decode(text, false);
        if self.preformatted > 0 {
            self.layout.preformatted(&text);
        } else {
            self.layout.flowing(&text);
        }
    }

    fn start(&mut self, name: &str, attributes: &str) {
        if name == "head" {
            self.in_head = true;
            return;
        }
        self.in_head = self.in_head && belongs_to_head(name);
        match name {
            "br" => self.layout.line_break(),
            "hr" => self.layout.rule(),
            "a" => self.open_link(attributes),
            "img" => self.image(attributes),
            "ul" | "ol" | "menu" | "dir" => self.open_list(name, attributes),
            "li" => self.open_item(),
            "blockquote" => {
                self.layout.block(2);
                self.layout.quote_depth += 1;
            }
            "pre" | "listing" | "xmp" => {
                self.layout.block(2);
                self.preformatted += 1;
            }
            "tr" | "table" => self.end_row(),
            "td" | "th" => {
                self.row_cells += 1;
                self.layout.open_cell(self.row_cells == 1);
            }
            _ => self.layout.block(lines_around(name)),
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "head" => self.in_head = false,
            "a" => self.close_link(),
            // Browsers read </br> as <br>.
            "br" => self.layout.line_break(),
            "ul" | "ol" | "menu" | "dir" => {
                self.lists.pop();
                self.layout.close_item();
                self.layout.indent_depth = self.lists.len();
                self.layout.block(if self.lists.is_empty() { 2 } else { 1 });
            }
            "li" => {
                self.layout.close_item();
                self.layout.block(1);
            }
            "blockquote" => {
                self.layout.block(2);
                self.layout.quote_depth = self.layout.quote_depth.saturating_sub(1);
            }
            "pre" | "listing" | "xmp" => {
                self.layout.block(2);
                self.preformatted = self.preformatted.saturating_sub(1);
            }
            "tr" | "table" => self.end_row(),
            _ => self.layout.block(lines_around(name)),
        }
    }

    fn end_row(&mut self) {
        self.layout.end_row(self.row_cells);
        self.row_cells = 0;
    }

    fn open_list(&mut self, name: &str, attributes: &str) {
        self.layout.block(if self.lists.is_empty() { 2 } else { 1 });
        if self.lists.len() < MAX_LISTS {
            let first = || attribute(attributes, "start").and_then(|start| start.parse().ok());
            self.lists
                .push((name == "ol").then(|| first().unwrap_or(1)));
        }
        self.layout.indent_depth = self.lists.len();
    }

    fn open_item(&mut self) {
        self.layout.close_item();
        self.layout.block(1);
        let marker = match self.lists.last_mut() {
            Some(Some(number)) => {
                let marker = format!("{number}. ");
                *number = number.saturating_add(1);
                marker
            }
            _ => "* ".to_owned(),
        };
        self.layout.open_item(marker);
    }

    fn image(&mut self, attributes: &str) {
        if let Some(text) = attribute(attributes, "alt") {
            let text = text.trim();
            if !text.is_empty() {
                self.layout.flowing(&format!("[{text}]"));
            }
        }
    }

    fn open_link(&mut self, attributes: &str) {
        self.close_link();
        self.link = attribute(attributes, "href")
            .map(|address| address.replace(|c: char| c.is_control(), ""))
            .filter(|address| leads_elsewhere(address))
            .map(|address| Link {
                address: address.trim().to_owned(),
                start: self.layout.len(),
            });
    }

    fn close_link(&mut self) {
        let Some(link) = self.link.take() else {
            return;
        };
        let text = self.layout.text_from(link.start).trim();
        if text.is_empty() {
            self.layout.flowing(&format!("<{}>", link.address));
        } else if !shows(text, &link.address) {
            self.layout.append(&format!(" <{}>", link.address));
        }
    }
}

/// Elements that may stand in the head; any other one begins the body, as in browsers.
fn belongs_to_head(name: &str) -> bool {
    matches!(
        name,
        "meta"
            | "link"
            | "base"
            | "title"
            | "style"
            | "script"
            | "noscript"
            | "object"
            | "template"
    ) || name.contains(':')
}

/// How many line ends are around an element at least; 0 for those within a line.
fn lines_around(name: &str) -> usize {
    match name {
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "dl" => 2,
        "address" | "article" | "aside" | "body" | "caption" | "center" | "dd" | "details"
        | "dialog" | "div" | "dt" | "fieldset" | "figcaption" | "figure" | "footer" | "form"
        | "header" | "hgroup" | "html" | "legend" | "main" | "nav" | "noscript" | "option"
        | "search" | "section" | "summary" | "tbody" | "tfoot" | "thead" => 1,
        _ => 0,
    }
}

/// Whether an address is one that a reader can use outside the page.
fn leads_elsewhere(address: &str) -> bool {
    let Some((scheme, rest)) = address.trim().split_once(':') else {
        return false;
    };
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let inner = [
        "javascript",
        "vbscript",
        "data",
        "cid",
        "mid",
        "about",
        "blob",
    ];
    !rest.is_empty()
        && !scheme.is_empty()
        && scheme.chars().all(is_scheme)
        && !inner.iter().any(|inner| scheme.eq_ignore_ascii_case(inner))
}

/// Whether the text of a link is its address, give or take what people leave out.
fn shows(text: &str, address: &str) -> bool {
    let bare = |address: &str| {
        let address = address.trim_end_matches('/').to_lowercase();
        ["https://", "http://", "mailto:", "tel:"]
            .iter()
            .find_map(|scheme| address.strip_prefix(scheme).map(str::to_owned))
            .unwrap_or(address)
    };
    bare(text) == bare(address)
}

#[cfg(test)]
mod tests;

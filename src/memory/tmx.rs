//! A translation memory as TMX 1.4, which other translation tools read.

use std::borrow::Cow;
use std::io::Write;

use super::file::{MemoryFile, Unit};
use crate::error::{Error, Result};

impl MemoryFile {
    /// Writes all segments as TMX 1.4, in UTF-8; returns how many there were. `name` is what errors
    /// call the place that is written to.
    ///
    /// Characters that XML cannot hold, which are control characters, are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where it cannot be written; [`Error::Memory`] where the memory is damaged.
    pub fn export_tmx(&self, writer: &mut impl Write, name: &str) -> Result<u64> {
        let mut count = 0;
        let version = env!("CARGO_PKG_VERSION");
        let mut write = |text: &str| {
            let written = writer.write_all(text.as_bytes());
            written.map_err(Error::io("write", name))
        };
        write(&format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<tmx version=\"1.4\">\n\
             <header creationtool=\"newsml\" creationtoolversion=\"{version}\" segtype=\"sentence\" \
             o-tmf=\"newsml\" adminlang=\"en\" srclang=\"*all*\" datatype=\"plaintext\"/>\n<body>\n"
        ))?;
        self.each(|unit| {
            count += 1;
            write(&element(&unit))
        })?;
        write("</body>\n</tmx>\n")?;
        Ok(count)
    }
}

fn element(unit: &Unit) -> String {
    let variant = |language: &str, text: &str| {
        let (language, text) = (escape(language), escape(text));
        format!("<tuv xml:lang=\"{language}\"><seg>{text}</seg></tuv>")
    };
    format!(
        "<tu srclang=\"{}\"><prop type=\"x-model\">{}</prop>{}{}</tu>\n",
        escape(&unit.from),
        escape(&unit.model),
        variant(&unit.from, &unit.source),
        variant(&unit.to, &unit.target)
    )
}

/// A text inside an element or an attribute.
fn escape(text: &str) -> Cow<'_, str> {
    let is_allowed = |c: char| match c {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        c => !c.is_control(),
    };
    if text.chars().all(is_allowed) {
        return html_escape::encode_quoted_attribute(text);
    }
    let allowed: String = text.chars().filter(|&c| is_allowed(c)).collect();
    html_escape::encode_quoted_attribute(&allowed)
        .into_owned()
        .into()
}

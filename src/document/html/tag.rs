//! What an element says of itself.

use html5ever::Attribute;

use super::dom::ElementData;

/// An element, as it stands in the page.
pub(super) struct Tag<'a>(pub(super) &'a ElementData);

impl Tag<'_> {
    pub(super) fn name(&self) -> &str {
        &self.0.name.local
    }

    pub(super) fn attribute(&self, key: &str) -> Option<&str> {
        let is_it = |attribute: &&Attribute| &*attribute.name.local == key;
        self.0
            .attributes
            .iter()
            .find(is_it)
            .map(|found| &*found.value)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.attribute(key).is_some()
    }

    pub(super) fn marks(&self) -> String {
        let keys = [
            "class",
            "id",
            "role",
            "itemprop",
            "data-testid",
            "data-component",
        ];
        let named = keys.iter().filter_map(|key| self.attribute(key));
        let made_up = Some(self.name()).filter(|name| name.contains('-'));
        let mut marks = String::new();
        for mark in named.chain(made_up) {
            if !marks.is_empty() {
                marks.push(' ');
            }
            marks.push_str(mark);
        }
        marks.make_ascii_lowercase();
        marks
    }
}

//! Folders that Outlook keeps for itself (PidTagAttributeHidden): not among those of the user, unless they hold mail.
//! [MS-OXCFOLD] 2.2.2.2

use super::Tree;
use crate::ltp::tags;
use crate::messaging::{Folder, MessageClass};
use crate::ndb::{NodeId, whole};

/// Folders within each other that are looked at, as many as Exchange allows.
const MAX_DEPTH: usize = 300;

impl Tree {
    /// Whether folder `nid` is hidden, and neither it nor a folder below it holds mail or chats. One that cannot be read
    /// is not.
    pub(super) fn is_kept_hidden(&self, nid: NodeId) -> bool {
        let is_kept = || Ok(self.says_hidden(nid) && !self.holds_mail(nid, MAX_DEPTH));
        whole(is_kept).unwrap_or(false)
    }

    fn says_hidden(&self, nid: NodeId) -> bool {
        let properties = Folder::new(&self.store, nid).properties();
        let hidden = properties.and_then(|own| own.boolean(tags::ATTRIBUTE_HIDDEN));
        matches!(hidden, Ok(Some(true)))
    }

    /// Whether there is mail in folder `nid` or below it, as their tables tell.
    fn holds_mail(&self, nid: NodeId, depth: usize) -> bool {
        if let Some(known) = self.holds_mail.lock().get(&nid) {
            return *known;
        }
        // A folder that is below itself by its own word must come to an end.
        self.holds_mail.lock().insert(nid, false);
        let folder = Folder::new(&self.store, nid);
        let contents = folder.contents();
        let mut classed = 0;
        let is_mail = |class: String| {
            classed += 1;
            MessageClass::parse(&class).kind.is_mail()
        };
        // An item without a class may be mail.
        let own = contents.classes().any(is_mail) || classed < contents.len();
        let holds = own
            || depth > 0
                && folder.subfolders().iter().any(|child| {
                    self.parent_of(child.nid) == Some(nid) && self.holds_mail(child.nid, depth - 1)
                });
        self.holds_mail.lock().insert(nid, holds);
        holds
    }
}

//! Folders that Outlook keeps for itself (PidTagAttributeHidden): not among those of the user, unless they hold mail.
//! [MS-OXCFOLD] 2.2.2.2
//!
//! A hidden folder stays hidden if no table in it or below it has mail. It is not lost either: `lost+found` goes by
//! what belongs into a folder, listings by what is shown of that.

use std::collections::HashSet;
use std::sync::Arc;

use super::context::{Context, MAX_FOLDER_DEPTH};
use crate::error::Result;
use crate::ltp::tags;
use crate::messaging::{Folder, MessageClass};
use crate::ndb::NodeId;
use crate::ndb::kept::Map;

/// The hidden folders of one tree.
#[derive(Debug)]
pub(super) struct Hidden {
    context: Arc<Context>,
    /// Whether there is mail in a folder or below it.
    mail: Map<NodeId, bool>,
}

impl Hidden {
    /// Those of `context`. Nothing is read yet.
    pub fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            mail: Map::default(),
        }
    }

    /// Whether folder `nid` is hidden, and neither it nor a folder below it holds mail or chats. One that cannot be read
    /// is not.
    pub fn has(&self, nid: NodeId) -> bool {
        self.says_hidden(nid) && matches!(self.holds_mail(nid, &mut HashSet::new()), Ok(false))
    }

    fn says_hidden(&self, nid: NodeId) -> bool {
        let properties = Folder::new(&self.context.store, nid).properties();
        let hidden = properties.and_then(|own| own.boolean(tags::ATTRIBUTE_HIDDEN));
        matches!(hidden, Ok(Some(true)))
    }

    /// Whether there is mail in folder `nid` or below it, by their tables; `above` are the folders above it.
    fn holds_mail(&self, nid: NodeId, above: &mut HashSet<NodeId>) -> Result<bool> {
        self.mail.get_or_make(nid, || {
            let folder = Folder::new(&self.context.store, nid);
            if has_mail(&folder) {
                return Ok(true);
            }
            if above.len() >= MAX_FOLDER_DEPTH {
                return Ok(false);
            }
            above.insert(nid);
            let mut holds = false;
            for child in folder.subfolders().into_iter().map(|child| child.nid) {
                let is_own = self.context.parent_of(child) == Some(nid);
                // A folder that is below itself by its own word must come to an end.
                if !holds && is_own && !above.contains(&child) {
                    holds = self.holds_mail(child, above)?;
                }
            }
            above.remove(&nid);
            Ok(holds)
        })
    }
}

/// Whether some item of `folder` is mail; one without a class may be.
fn has_mail(folder: &Folder) -> bool {
    let contents = folder.contents();
    let mut classed = 0;
    let is_mail = |class: String| {
        classed += 1;
        MessageClass::parse(&class).kind.is_mail()
    };
    contents.classes().any(is_mail) || classed < contents.len()
}

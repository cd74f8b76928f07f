//! Messaging layer: store, folders, messages, recipients, attachments, named properties. [MS-PST] 2.4
//!
//! Uses `ltp` and `ndb`. Lazy as they are: a folder's listing comes from its contents table alone, a message is
//! opened only when something of it is asked for.
#![forbid(unsafe_code)]

mod attachment;
mod attachment_list;
mod cells;
mod chat_folder;
mod configuration;
mod contents_table;
mod declared_sizes;
mod entry_id;
mod folder;
mod ipm_subtree;
mod item_rows;
mod message;
mod message_class;
mod named_properties;
mod owner;
mod properties;
mod recipient;
pub(crate) mod special_folders;
mod state;
mod store;
mod store_page;
mod subject;

pub use attachment::{AttachMethod, Attachment, AttachmentData};
pub use cells::Cells;
pub use chat_folder::{TEAMS_MESSAGES, is_for_chats};
pub use configuration::{Configurations, all_folders};
pub use contents_table::{ContentsRow, ContentsTable};
pub use entry_id::{EntryId, OneOffEntryId};
pub use folder::{Folder, Subfolder};
pub use ipm_subtree::IpmSubtreeEntry;
pub use item_rows::ItemRows;
pub use message::{
    MAX_EMBEDDED_DEPTH, MSGFLAG_ASSOCIATED, MSGFLAG_HASATTACH, MSGFLAG_READ, MSGFLAG_SUBMIT,
    MSGFLAG_UNSENT, Message, TIMES, lists_attachments,
};
pub use message_class::{
    ConfigurationKind, ItemKind, MeetingKind, MessageClass, ReportKind, is_derived,
};
pub use named_properties::{FIRST_NAMED_ID, NamedProperties, PropertyName, PropertySet};
pub use owner::owner;
pub use properties::{CONTRADICTION, Properties, text_of_value};
pub use recipient::{Recipient, RecipientType};
pub use special_folders::{ServerCounter, SpecialFolders};
pub use state::State;
pub use store::{NamesProblem, Restore, Store};
pub use store_page::{PageReason, StorePage};
pub use subject::Subject;

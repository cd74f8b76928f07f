//! Folders that Teams and Skype keep their chats in. Some exports give the messages there the class of mail, so the folder
//! counts as well.

use super::message_class::is_derived;

/// Name of the folder that Teams keeps its messages in, in every language; mostly beside the user's folders, not among
/// them.
pub const TEAMS_MESSAGES: &str = "TeamsMessagesData";
/// PidTagContainerClass of folders with chats.
const CONTAINER: &str = "IPF.SkypeTeams";

/// Whether a folder with this name and PidTagContainerClass is for chats.
pub fn is_for_chats(name: Option<&str>, container_class: Option<&str>) -> bool {
    name == Some(TEAMS_MESSAGES)
        || container_class.is_some_and(|class| is_derived(class, CONTAINER))
}

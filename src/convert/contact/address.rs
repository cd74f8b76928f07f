//! The postal addresses of a contact. [MS-OXOCNTC] 2.2.1.3
#![forbid(unsafe_code)]

use super::vcard::Card;
use crate::convert::lids::{self, Key};
use crate::convert::reader::Reader;
use crate::ltp::tags;

/// PidLidPostalAddressId.
const POSTAL_HOME: i32 = 1;
const POSTAL_WORK: i32 = 2;
const POSTAL_OTHER: i32 = 3;
/// Where among its parts an address has its street.
const STREET: usize = 1;

/// The addresses of work and home and another; the copy that mail goes to, if it is none of them.
pub(super) fn write(reader: &Reader<'_>, card: &mut Card) {
    type Parts = [Key; 6];
    let of_tags = |ids: [u16; 6]| ids.map(Key::Tag);
    let work: Parts = [
        lids::WORK_ADDRESS_POST_OFFICE_BOX,
        lids::WORK_ADDRESS_STREET,
        lids::WORK_ADDRESS_CITY,
        lids::WORK_ADDRESS_STATE,
        lids::WORK_ADDRESS_POSTAL_CODE,
        lids::WORK_ADDRESS_COUNTRY,
    ];
    let home = of_tags([
        tags::HOME_ADDRESS_POST_OFFICE_BOX,
        tags::HOME_ADDRESS_STREET,
        tags::HOME_ADDRESS_CITY,
        tags::HOME_ADDRESS_STATE_OR_PROVINCE,
        tags::HOME_ADDRESS_POSTAL_CODE,
        tags::HOME_ADDRESS_COUNTRY,
    ]);
    let other = of_tags([
        tags::OTHER_ADDRESS_POST_OFFICE_BOX,
        tags::OTHER_ADDRESS_STREET,
        tags::OTHER_ADDRESS_CITY,
        tags::OTHER_ADDRESS_STATE_OR_PROVINCE,
        tags::OTHER_ADDRESS_POSTAL_CODE,
        tags::OTHER_ADDRESS_COUNTRY,
    ]);
    // A copy of the one that mail goes to; the only one where a program has written nothing else.
    let mailing = of_tags([
        tags::POST_OFFICE_BOX,
        tags::STREET_ADDRESS,
        tags::LOCALITY,
        tags::STATE_OR_PROVINCE,
        tags::POSTAL_CODE,
        tags::COUNTRY,
    ]);
    let read = |keys: Parts| keys.map(|key| reader.string(key));
    let mailing = read(mailing);
    let chosen = reader.integer(lids::POSTAL_ADDRESS_ID);
    let kinds: [(Parts, Key, &[&str], i32); 3] = [
        (work, lids::WORK_ADDRESS, &["WORK"], POSTAL_WORK),
        (home, lids::HOME_ADDRESS, &["HOME"], POSTAL_HOME),
        (other, lids::OTHER_ADDRESS, &[], POSTAL_OTHER),
    ];
    let mut has_any = false;
    let mut is_told = mailing.iter().all(Option::is_none);
    for (keys, whole, types, id) in kinds {
        let own = read(keys);
        let fits = own.iter().any(Option::is_some) && own.iter().zip(&mailing).all(agree);
        let is_chosen = chosen == Some(id);
        // The copy may have what the original lacks, such as the post office box.
        let parts: Vec<Option<String>> = match fits && (is_chosen || !has_kind(chosen)) {
            true => own
                .into_iter()
                .zip(mailing.clone())
                .map(|(own, copy)| own.or(copy))
                .collect(),
            false => own.to_vec(),
        };
        is_told |= mailing
            .iter()
            .zip(&parts)
            .all(|(copy, part)| copy.is_none() || copy == part);
        let parts = whole_if_none(parts, || reader.string(whole));
        has_any |= parts.iter().any(Option::is_some);
        write_address(card, &parts, types, is_chosen);
    }
    if !is_told {
        write_address(card, &mailing, &[], true);
    } else if !has_any {
        let parts = whole_if_none(mailing.to_vec(), || reader.string(tags::POSTAL_ADDRESS));
        write_address(card, &parts, &[], true);
    }
}

/// `parts`; if all are missing, the `whole` address of some lines in place of the street.
fn whole_if_none(
    mut parts: Vec<Option<String>>,
    whole: impl FnOnce() -> Option<String>,
) -> Vec<Option<String>> {
    if parts.iter().all(Option::is_none)
        && let Some(street) = parts.get_mut(STREET)
    {
        *street = whole();
    }
    parts
}

/// Whether PidLidPostalAddressId names one of the three addresses.
fn has_kind(chosen: Option<i32>) -> bool {
    chosen.is_some_and(|id| [POSTAL_HOME, POSTAL_WORK, POSTAL_OTHER].contains(&id))
}

/// Whether two parts of an address do not contradict each other.
fn agree((one, other): (&Option<String>, &Option<String>)) -> bool {
    one.is_none() || other.is_none() || one == other
}

/// Post office box, street, city, state, postal code, country.
fn write_address(card: &mut Card, parts: &[Option<String>], types: &[&str], is_preferred: bool) {
    let Some((post_office_box, rest)) = parts.split_first() else {
        return;
    };
    let extended = None;
    let components: Vec<Option<String>> = [post_office_box, &extended]
        .into_iter()
        .chain(rest)
        .cloned()
        .collect();
    let name = card.typed("ADR", types, is_preferred);
    card.structured(&name, &components);
}

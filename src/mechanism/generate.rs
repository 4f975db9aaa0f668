//! Making secret keys. PKCS#11 3.2, sections 6.8.2 and 6.10.2.

use cryptoki_sys::{CKM_AES_KEY_GEN, CKM_GENERIC_SECRET_KEY_GEN};

use super::parameter::Shape;
use super::{AES, Does, Keys, Mechanism, NOTHING};
use crate::key::{KeyType, Size};

pub(super) const ROWS: &[Mechanism] = &[
    Mechanism {
        number: CKM_AES_KEY_GEN,
        name: "CKM_AES_KEY_GEN",
        parameter: Shape::None,
        keys: AES,
        does: Does { generate: Some(KeyType::Aes), ..NOTHING },
    },
    Mechanism {
        number: CKM_GENERIC_SECRET_KEY_GEN,
        name: "CKM_GENERIC_SECRET_KEY_GEN",
        parameter: Shape::None,
        keys: Some(Keys { types: &[KeyType::GenericSecret], lengths: 1..=KeyType::LONGEST, unit: Size::Bits }),
        does: Does { generate: Some(KeyType::GenericSecret), ..NOTHING },
    },
];

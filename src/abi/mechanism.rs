//! A caller's `CK_MECHANISM`.

use std::ffi::c_void;

use cryptoki_sys::*;

use super::memory;
use crate::error::{Error, Result};
use crate::mechanism::{Mechanism, Oaep, Parameter, Shape};
use crate::module::Module;

/// The longest parameter of plain bytes that any mechanism takes.
const LONGEST: CK_ULONG = 1024;

/// An Init: `begin` with what the caller's mechanism says, or, where it is NULL, the end of whatever is active. PKCS#11 3.2, section
/// 5.8.1 and its like.
#[inline(always)]
pub(super) unsafe fn init(
    module: &Module,
    pointer: *const CK_MECHANISM,
    cancel: impl FnOnce() -> Result<()>,
    begin: impl FnOnce(&'static Mechanism, &Parameter<'_>) -> Result<()>,
) -> Result<()> {
    if pointer.is_null() {
        return cancel();
    }
    // SAFETY: the caller's contract.
    let (mechanism, parameter) = unsafe { read(module, pointer) }?;
    begin(mechanism, &parameter)
}

/// The mechanism and its parameter.
#[inline(always)]
pub(super) unsafe fn read<'a>(
    module: &Module,
    pointer: *const CK_MECHANISM,
) -> Result<(&'static Mechanism, Parameter<'a>)> {
    // SAFETY: the caller's contract.
    let CK_MECHANISM { mechanism: number, pParameter: at, ulParameterLen: length } = unsafe { memory::read(pointer) }?;
    let mechanism = module.mechanisms().find(number)?;
    // SAFETY: the caller's contract.
    let parameter = unsafe { parameter(mechanism.parameter, at, length) }?;
    Ok((mechanism, parameter))
}

#[inline(always)]
unsafe fn parameter<'a>(shape: Shape, at: *const c_void, length: CK_ULONG) -> Result<Parameter<'a>> {
    if at.is_null() && length != 0 {
        return Err(Error::MechanismParamInvalid("NULL with a length"));
    }
    if at.is_null() || length == 0 {
        return Ok(Parameter::None);
    }
    match shape {
        Shape::None => Err(Error::MechanismParamInvalid("the mechanism takes none")),
        Shape::Bytes if length > LONGEST => Err(Error::MechanismParamInvalid("its length")),
        // SAFETY: not NULL, and valid for that length by the caller's contract.
        Shape::Bytes => unsafe { inner(at.cast(), length) }.map(Parameter::Bytes),
        // SAFETY: as above.
        Shape::Counter => unsafe { of_length::<CK_AES_CTR_PARAMS>(at, length) }
            .map(|params| Parameter::Counter { bits: params.ulCounterBits, block: params.cb }),
        // SAFETY: as above.
        Shape::Gcm => unsafe { gcm(at, length) },
        // SAFETY: as above.
        Shape::Number => unsafe { of_length::<CK_ULONG>(at, length) }.map(Parameter::Number),
        // SAFETY: as above.
        Shape::Pss => unsafe { of_length::<CK_RSA_PKCS_PSS_PARAMS>(at, length) }.map(|params| Parameter::Pss {
            hash: params.hashAlg,
            mgf: params.mgf,
            salt: params.sLen,
        }),
        // SAFETY: as above.
        Shape::Oaep => unsafe { oaep(at, length) }.map(Parameter::Oaep),
        // SAFETY: as above.
        Shape::RsaAes => unsafe { rsa_aes(at, length) },
        // SAFETY: as above.
        Shape::Ecdh => unsafe { ecdh(at, length) },
        // SAFETY: as above.
        Shape::Eddsa => unsafe { eddsa(at, length) },
    }
}

unsafe fn oaep<'a>(at: *const c_void, length: CK_ULONG) -> Result<Oaep<'a>> {
    // SAFETY: the caller's contract.
    let params = unsafe { of_length::<CK_RSA_PKCS_OAEP_PARAMS>(at, length) }?;
    // SAFETY: the pointer in the struct is the caller's, under the same contract.
    let label = unsafe { inner(params.pSourceData.cast(), params.ulSourceDataLen) }?;
    Ok(Oaep { hash: params.hashAlg, mgf: params.mgf, source: params.source, label })
}

unsafe fn rsa_aes<'a>(at: *const c_void, length: CK_ULONG) -> Result<Parameter<'a>> {
    // SAFETY: the caller's contract.
    let params = unsafe { of_length::<CK_RSA_AES_KEY_WRAP_PARAMS>(at, length) }?;
    if params.pOAEPParams.is_null() {
        return Err(Error::MechanismParamInvalid("pOAEPParams is NULL"));
    }
    // SAFETY: not NULL, and by its type a struct of that length.
    let oaep = unsafe { oaep(params.pOAEPParams.cast(), size_of::<CK_RSA_PKCS_OAEP_PARAMS>() as CK_ULONG) }?;
    Ok(Parameter::RsaAes { aes_bits: params.ulAESKeyBits, oaep })
}

unsafe fn ecdh<'a>(at: *const c_void, length: CK_ULONG) -> Result<Parameter<'a>> {
    // SAFETY: the caller's contract.
    let params = unsafe { of_length::<CK_ECDH1_DERIVE_PARAMS>(at, length) }?;
    // SAFETY: the pointers in the struct are the caller's, under the same contract.
    let (shared, point) = unsafe {
        (inner(params.pSharedData, params.ulSharedDataLen)?, inner(params.pPublicData, params.ulPublicDataLen)?)
    };
    Ok(Parameter::Ecdh { kdf: params.kdf, shared, point })
}

unsafe fn eddsa<'a>(at: *const c_void, length: CK_ULONG) -> Result<Parameter<'a>> {
    // SAFETY: the caller's contract.
    let params = unsafe { of_length::<CK_EDDSA_PARAMS>(at, length) }?;
    // SAFETY: the pointer in the struct is the caller's, under the same contract.
    let context = unsafe { inner(params.pContextData, params.ulContextDataLen) }?;
    match params.phFlag {
        CK_FALSE | CK_TRUE => Ok(Parameter::Eddsa { prehashed: params.phFlag == CK_TRUE, context }),
        _ => Err(Error::MechanismParamInvalid("phFlag is neither CK_FALSE nor CK_TRUE")),
    }
}

/// A parameter of one known length.
unsafe fn of_length<T: Copy>(at: *const c_void, length: CK_ULONG) -> Result<T> {
    if length != size_of::<T>() as CK_ULONG {
        return Err(Error::MechanismParamInvalid("its length"));
    }
    // SAFETY: the length is that of the type, and the pointer is valid for it by the caller's contract.
    unsafe { memory::read(at.cast()) }
}

/// `CK_GCM_PARAMS`, with and without the field `ulIvBits`: the headers of 2.40 have it, its text has not.
#[inline(always)]
unsafe fn gcm<'a>(at: *const c_void, length: CK_ULONG) -> Result<Parameter<'a>> {
    #[derive(Clone, Copy)]
    #[repr(C)]
    struct WithoutIvBits {
        iv: *const u8,
        iv_length: CK_ULONG,
        aad: *const u8,
        aad_length: CK_ULONG,
        tag_bits: CK_ULONG,
    }
    let params = if length == size_of::<CK_GCM_PARAMS>() as CK_ULONG {
        // SAFETY: the length is that of the struct.
        let params = unsafe { memory::read(at.cast::<CK_GCM_PARAMS>()) }?;
        WithoutIvBits {
            iv: params.pIv,
            iv_length: params.ulIvLen,
            aad: params.pAAD,
            aad_length: params.ulAADLen,
            tag_bits: params.ulTagBits,
        }
    } else if length == size_of::<WithoutIvBits>() as CK_ULONG {
        // SAFETY: the length is that of the struct.
        unsafe { memory::read(at.cast::<WithoutIvBits>()) }?
    } else if length == size_of::<CK_GCM_WRAP_PARAMS>() as CK_ULONG {
        // SAFETY: as above.
        return unsafe { gcm_wrap(at) };
    } else {
        return Err(Error::MechanismParamInvalid("it has not the length of CK_GCM_PARAMS"));
    };
    // SAFETY: the pointers in the struct are the caller's, under the same contract.
    let (iv, aad) = unsafe { (inner(params.iv, params.iv_length)?, inner(params.aad, params.aad_length)?) };
    Ok(Parameter::Gcm { iv, aad, tag_bits: params.tag_bits })
}

/// `CK_GCM_WRAP_PARAMS`, which is longer than either form of `CK_GCM_PARAMS`.
unsafe fn gcm_wrap<'a>(at: *const c_void) -> Result<Parameter<'a>> {
    // SAFETY: the pointer is valid for the struct by the caller's contract.
    let params = unsafe { memory::read(at.cast::<CK_GCM_WRAP_PARAMS>()) }?;
    // SAFETY: the pointers in the struct are the caller's, under the same contract.
    let (iv, aad) = unsafe { (inner(params.pIv, params.ulIvLen)?, inner(params.pAAD, params.ulAADLen)?) };
    Ok(Parameter::GcmWrap {
        generator: params.ivGenerator,
        fixed_bits: params.ulIvFixedBits,
        iv,
        aad,
        tag_bits: params.ulTagBits,
    })
}

/// Where the caller of a wrapping wants what the token made for it.
#[derive(Clone, Copy)]
pub(super) struct Made {
    iv: *mut u8,
    tag: *mut u8,
    /// In bytes.
    pub(super) tag_length: usize,
}

impl Made {
    /// Writes initialisation vector and tag; what has no place is not there either.
    pub(super) unsafe fn write(self, iv: Option<&[u8]>, tag: &[u8]) -> Result<()> {
        let put = |from: &[u8], to: *mut u8| {
            if !from.is_empty() {
                memory::check_place(to)?;
                // SAFETY: the caller's parameter says that there is room for an IV and a tag of these lengths.
                unsafe { std::ptr::copy(from.as_ptr(), to, from.len()) };
            }
            Ok(())
        };
        put(iv.unwrap_or_default(), self.iv)?;
        put(tag, self.tag)
    }

    /// The tag that the caller gives back, behind what it belongs to. `None` for one that is too long to be any.
    pub(super) unsafe fn behind(self, wrapped: &[u8]) -> Result<Vec<u8>> {
        const LONGEST_TAG: usize = 16;
        if self.tag_length > LONGEST_TAG {
            return Err(Error::MechanismParamInvalid("ulTagBits is more than 128"));
        }
        let mut whole = Vec::new();
        let length = wrapped.len().saturating_add(self.tag_length);
        whole.try_reserve_exact(length).map_err(|_| Error::HostMemory("a wrapped key and its tag"))?;
        whole.extend_from_slice(wrapped);
        // SAFETY: not NULL, and by the caller's parameter there is a tag of that length.
        whole.extend_from_slice(unsafe { memory::bytes(self.tag, self.tag_length as CK_ULONG) }?);
        Ok(whole)
    }
}

/// As [`read`], with the place for an initialisation vector.
pub(super) unsafe fn read_wrapping<'a>(
    module: &Module,
    pointer: *const CK_MECHANISM,
) -> Result<(&'static Mechanism, Parameter<'a>, Made)> {
    // SAFETY: the caller's contract.
    let (mechanism, parameter) = unsafe { read(module, pointer) }?;
    let mut made = Made { iv: std::ptr::null_mut(), tag: std::ptr::null_mut(), tag_length: 0 };
    if let Parameter::GcmWrap { .. } = parameter {
        // SAFETY: such a parameter was read from this struct.
        made.iv = unsafe { memory::read(memory::read(pointer)?.pParameter.cast::<CK_GCM_WRAP_PARAMS>()) }?.pIv;
    }
    Ok((mechanism, parameter, made))
}

/// A mechanism with the parameter of messages, `CK_GCM_MESSAGE_PARAMS`, and the associated data beside it. PKCS#11 3.2, sections
/// 5.18.6 and 6.13.3.
pub(super) unsafe fn read_authenticated<'a>(
    module: &Module,
    pointer: *const CK_MECHANISM,
    aad: &'a [u8],
) -> Result<(&'static Mechanism, Parameter<'a>, Made)> {
    // SAFETY: the caller's contract.
    let CK_MECHANISM { mechanism: number, pParameter: at, ulParameterLen: length } = unsafe { memory::read(pointer) }?;
    let mechanism = module.mechanisms().find(number)?;
    if mechanism.parameter != Shape::Gcm {
        return Err(Error::MechanismInvalid(number));
    }
    if at.is_null() {
        return Err(Error::MechanismParamInvalid("CK_GCM_MESSAGE_PARAMS is needed"));
    }
    // SAFETY: the caller's contract.
    let params = unsafe { of_length::<CK_GCM_MESSAGE_PARAMS>(at, length) }?;
    // SAFETY: the pointer in the struct is the caller's, under the same contract.
    let iv = unsafe { inner(params.pIv, params.ulIvLen) }?;
    if params.pTag.is_null() {
        return Err(Error::MechanismParamInvalid("pTag is NULL"));
    }
    // What is too long is no length of a tag, and refused as such with the rest of the parameter.
    let tag_length = usize::try_from(params.ulTagBits / 8).unwrap_or(usize::MAX);
    let parameter = Parameter::GcmWrap {
        generator: params.ivGenerator,
        fixed_bits: params.ulIvFixedBits,
        iv,
        aad,
        tag_bits: params.ulTagBits,
    };
    Ok((mechanism, parameter, Made { iv: params.pIv, tag: params.pTag, tag_length }))
}

/// Bytes that a parameter points to.
unsafe fn inner<'a>(pointer: *const u8, length: CK_ULONG) -> Result<&'a [u8]> {
    // SAFETY: the caller's contract.
    unsafe { memory::bytes(pointer, length) }.map_err(|_| Error::MechanismParamInvalid("NULL with a length inside it"))
}

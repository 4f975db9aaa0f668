//! Key management functions and randomness. PKCS#11 3.2, sections 5.18 and 5.20.

use cryptoki_sys::*;

use super::{mechanism, memory};
use crate::handle::Handle;

entry!(fn C_GenerateKey(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    into: *mut CK_OBJECT_HANDLE,
) |module| {
    memory::check_place(into)?;
    let (mechanism, _) = mechanism::read(module, mechanism)?;
    let template = memory::template(template, count)?;
    memory::write(into, module.sessions().generate(Handle::from_raw(session), mechanism, &template)?.raw())
});

entry!(fn C_GenerateKeyPair(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    public_template: *mut CK_ATTRIBUTE,
    public_count: CK_ULONG,
    private_template: *mut CK_ATTRIBUTE,
    private_count: CK_ULONG,
    into_public: *mut CK_OBJECT_HANDLE,
    into_private: *mut CK_OBJECT_HANDLE,
) |module| {
    memory::check_place(into_public)?;
    memory::check_place(into_private)?;
    let (mechanism, _) = mechanism::read(module, mechanism)?;
    let public = memory::template(public_template, public_count)?;
    let private = memory::template(private_template, private_count)?;
    let session = Handle::from_raw(session);
    let [public, private] = module.sessions().generate_pair(session, mechanism, [&public, &private])?;
    memory::write(into_public, public.raw())?;
    memory::write(into_private, private.raw())
});

entry!(fn C_DeriveKey(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    base: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    into: *mut CK_OBJECT_HANDLE,
) |module| {
    memory::check_place(into)?;
    let (mechanism, parameter) = mechanism::read(module, mechanism)?;
    let template = memory::template(template, count)?;
    let (session, base) = (Handle::from_raw(session), Handle::from_raw(base));
    memory::write(into, module.sessions().derive(session, mechanism, &parameter, base, &template)?.raw())
});

entry!(fn C_SeedRandom(session: CK_SESSION_HANDLE, seed: *mut CK_BYTE, length: CK_ULONG) |module| {
    memory::bytes(seed, length)?;
    module.sessions().seed(Handle::from_raw(session))
});

entry!(fn C_GenerateRandom(session: CK_SESSION_HANDLE, into: *mut CK_BYTE, length: CK_ULONG) |module| {
    module.sessions().random(Handle::from_raw(session), memory::room(into, length)?)
});

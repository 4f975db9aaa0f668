//! Keys: generated, wrapped, unwrapped. PKCS#11 3.2, section 5.18.

use super::{Length, Output, Session, Sessions};
use crate::crypto::random;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::key::{Act, Caller, Class, Purpose, Use, admit, permit};
use crate::mechanism::{Keyed, Mechanism, Parameter, Wrapping};
use crate::object::{Draft, Given, Template, Way};
use crate::secret::Secret;

impl Sessions {
    /// `C_GenerateKey`
    pub fn generate(&self, session: Handle, mechanism: &Mechanism, given: &[Given<'_>]) -> Result<Handle> {
        self.with(session, |session| {
            let caller = session.caller();
            let key_type = mechanism.does.generate.ok_or(Error::MechanismInvalid(mechanism.number))?;
            let template = Template::parse(given, Way::Generate(Class::SecretKey, key_type, mechanism.number))?;
            let length = template.value_length.ok_or(Error::TemplateIncomplete("CKA_VALUE_LEN"))?;
            if !key_type.takes_length(length) {
                return Err(Error::AttributeValueInvalid("CKA_VALUE_LEN"));
            }
            let draft = Draft::new(template, caller.login);
            session.add_key(&caller, draft, || random::secret(length))
        })
    }

    /// `C_WrapKey`
    pub fn wrap(
        &self,
        session: Handle,
        mechanism: &Mechanism,
        parameter: &Parameter<'_>,
        [wrapping, key]: [Handle; 2],
        output: &mut Output<'_>,
    ) -> Result<Length> {
        self.with(session, |session| {
            let caller = session.caller();
            session.token.revision()?;
            let how = wrapping_of(mechanism)?;
            let by =
                session.token.opened(&caller, wrapping).map_err(|error| as_key(error, Purpose::Wrap.no_such_key()))?;
            let target = session.token.opened(&caller, key).map_err(|error| as_key(error, Error::KeyHandleInvalid))?;
            let facts = by.facts().ok_or(Error::WrappingKeyHandleInvalid)?;
            let target_facts = target.facts().ok_or(Error::KeyHandleInvalid)?;
            let fit = mechanism.fit(Purpose::Wrap)?;
            let asked = Use { purpose: Purpose::Wrap, fit, key: facts, other: Some(target_facts) };
            let grant = permit(&caller, &asked)?;
            let length = (how.wrapped_length)(target_facts.length)?;
            let io = match output {
                Output::Query(_) => return Ok(Length::Needed(length)),
                Output::Buffer(io) if io.room() < length => return Ok(Length::TooSmall(length)),
                Output::Buffer(io) => io,
            };
            let (by, target) = (session.token.prepared(&by)?, session.token.prepared(&target)?);
            let keyed = Keyed::new(&by, &grant);
            let wrapped = (how.wrap)(&keyed, parameter, keyed.release(&target)?)?;
            io.write(&wrapped)?;
            Ok(Length::Written(wrapped.len()))
        })
    }

    /// `C_UnwrapKey`. The template is judged before the wrapped key is opened, so that a bad template never tells whether
    /// the wrapped key was good.
    pub fn unwrap(
        &self,
        session: Handle,
        mechanism: &Mechanism,
        parameter: &Parameter<'_>,
        unwrapping: Handle,
        wrapped: &[u8],
        given: &[Given<'_>],
    ) -> Result<Handle> {
        self.with(session, |session| {
            let caller = session.caller();
            let how = wrapping_of(mechanism)?;
            let (key, grant) = session.key(Purpose::Unwrap, mechanism, unwrapping)?;
            let keyed = Keyed::new(&key, &grant);
            let template = Template::parse(given, Way::Unwrap)?;
            let key_type = template.key_type.ok_or(Error::TemplateIncomplete("CKA_KEY_TYPE"))?;
            let length = template.value_length;
            if length.is_none() && key_type.has_open_length() && !how.tells_length {
                return Err(Error::TemplateIncomplete("CKA_VALUE_LEN"));
            }
            let draft = Draft::new(template, caller.login);
            session.add_key(&caller, draft, || {
                let value = (how.unwrap)(&keyed, parameter, wrapped, length)?;
                if key_type.takes_length(value.len()) { Ok(value) } else { Err(Error::WrappedKeyLenRange) }
            })
        })
    }
}

impl Session {
    /// Makes a key if it may be made, and only then its value.
    fn add_key(&mut self, caller: &Caller, draft: Draft, value: impl FnOnce() -> Result<Secret>) -> Result<Handle> {
        admit(caller, Act::Create, &draft.preview()?.standing(true))?;
        let (object, material) = draft.finish_key(value()?)?;
        self.insert(caller, object, Some(material))
    }
}

fn wrapping_of(mechanism: &Mechanism) -> Result<&Wrapping> {
    mechanism.does.wrap.as_ref().ok_or(Error::MechanismInvalid(mechanism.number))
}

/// The code for a key that is not there instead of that for an object.
fn as_key(error: Error, key: Error) -> Error {
    if error == Error::ObjectHandleInvalid { key } else { error }
}

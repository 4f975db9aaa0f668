//! Keys: generated, wrapped, unwrapped, derived. PKCS#11 3.2, section 5.18.

use cryptoki_sys::{CKA_DERIVE_TEMPLATE, CKA_UNWRAP_TEMPLATE, CKA_WRAP_TEMPLATE};

use super::{Length, Output, Session, Sessions};
use crate::crypto::{PrivateKey, random};
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::key::{Act, Caller, Class, KeyType, Login, Other, Purpose, Use, admit, permit};
use crate::mechanism::{Keyed, Mechanism, Parameter, Wanted, Wrapping, generated_iv};
use crate::object::{Draft, Given, New, Template, Way};
use crate::secret::Secret;

/// What `C_WrapKey` gives besides the wrapped key.
pub struct Wrapped {
    /// The length of the wrapped key.
    pub length: Length,
    /// The initialisation vector, where the token made it.
    pub iv: Option<Vec<u8>>,
    /// What stands apart.
    pub tag: Vec<u8>,
}

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
            session.add(&caller, template, |draft| draft.finish_secret(random::secret(length)?))
        })
    }

    /// `C_GenerateKeyPair`: the public key and the private one. Both come to be, or neither. An RSA pair takes long, so the session's
    /// lock is not held meanwhile: who logs out or closes the session does not wait, and then there is no pair.
    pub fn generate_pair(
        &self,
        session: Handle,
        mechanism: &Mechanism,
        [public, private]: [&[Given<'_>]; 2],
    ) -> Result<[Handle; 2]> {
        let (pair, began, [public, private]) = self.with(session, |session| {
            let pair = mechanism.does.generate_pair.as_ref().ok_or(Error::MechanismInvalid(mechanism.number))?;
            let began = Began { login: session.token.login_word(), caller: session.caller() };
            let draft = |given, class| {
                let way = Way::Generate(class, pair.key_type, mechanism.number);
                session.admitted(&began.caller, Template::parse(given, way)?)
            };
            let drafts = [draft(public, Class::PublicKey)?, draft(private, Class::PrivateKey)?];
            Ok((pair, began, drafts))
        })?;
        let key = (pair.generate)(public.given())?;
        let made = Draft::finish_pair(public, private, &key)?;
        self.with(session, |session| {
            began.still_holds(session)?;
            session.insert_all(&session.caller(), made)
        })
    }

    /// `C_WrapKey`. The last `tag` bytes of what it gives do not go to `output` but stand apart, as `C_WrapKeyAuthenticated` has
    /// them.
    pub fn wrap(
        &self,
        session: Handle,
        mechanism: &Mechanism,
        parameter: &Parameter<'_>,
        [wrapping, key]: [Handle; 2],
        output: &mut Output<'_>,
        tag: usize,
    ) -> Result<Wrapped> {
        self.with(session, |session| {
            let caller = session.caller();
            session.token.revision()?;
            if mechanism.does.mask {
                return session.mask(&caller, [wrapping, key], output);
            }
            let how = wrapping_of(mechanism)?;
            let by =
                session.token.opened(&caller, wrapping).map_err(|error| as_key(error, Purpose::Wrap.no_such_key()))?;
            let target = session.token.opened(&caller, key).map_err(|error| as_key(error, Error::KeyHandleInvalid))?;
            let facts = by.facts().ok_or(Error::WrappingKeyHandleInvalid)?;
            let target_facts = target.facts().ok_or(Error::KeyHandleInvalid)?;
            let fit = mechanism.fit(Purpose::Wrap)?;
            let fits = target.object().fits(&by.object().template(CKA_WRAP_TEMPLATE));
            let other = Some(Other { key: target_facts, fits });
            let asked = Use { purpose: Purpose::Wrap, fit, key: facts, other };
            let grant = permit(&caller, &asked)?;
            if target_facts.class == Class::PrivateKey && !how.private_keys {
                return Err(Error::KeyNotWrappable("the mechanism carries secret keys alone"));
            }
            let (by, target) = (session.token.prepared(&by)?, session.token.prepared(&target)?);
            let keyed = Keyed::new(&by, &grant);
            let length = (how.wrapped_length)(&keyed, parameter, target.material().length())?.saturating_sub(tag);
            let io = match output.room(length) {
                Ok(io) => io,
                Err(told) => return Ok(Wrapped { length: told, iv: None, tag: Vec::new() }),
            };
            let iv = generated_iv(parameter)?;
            let parameter = iv.as_deref().map_or(*parameter, |iv| parameter.with_iv(iv));
            let mut wrapped = (how.wrap)(&keyed, &parameter, keyed.release(&target)?)?;
            let tag = wrapped.split_off(wrapped.len().saturating_sub(tag));
            io.write(&wrapped)?;
            Ok(Wrapped { length: Length::Written(wrapped.len()), iv, tag })
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
            if mechanism.does.mask {
                return session.unmask(&caller, unwrapping, wrapped, given);
            }
            let how = wrapping_of(mechanism)?;
            let (opened, key, grant) = session.key(Purpose::Unwrap, mechanism, unwrapping)?;
            let keyed = Keyed::new(&key, &grant);
            let added = opened.object().template(CKA_UNWRAP_TEMPLATE);
            let template = Template::parse_under(given, &added, Way::Unwrap)?;
            let (class, length) = (template.class, template.value_length);
            let key_type = template.key_type().ok_or(Error::TemplateIncomplete("CKA_KEY_TYPE"))?;
            if class == Class::SecretKey && length.is_none() && key_type.has_open_length() && !how.tells_length {
                return Err(Error::TemplateIncomplete("CKA_VALUE_LEN"));
            }
            if class == Class::PrivateKey && !how.private_keys {
                return Err(Error::TemplateInconsistent("CKA_CLASS"));
            }
            let wanted = Wanted { key_type, length };
            session.add(&caller, template, |draft| {
                let value = (how.unwrap)(&keyed, parameter, wrapped, &wanted)?;
                match class {
                    Class::PrivateKey => draft.finish_private(&private_key(&value, key_type)?),
                    _ if key_type.takes_length(value.len()) => draft.finish_secret(value),
                    _ => Err(Error::WrappedKeyLenRange),
                }
            })
        })
    }

    /// `C_DeriveKey`
    pub fn derive(
        &self,
        session: Handle,
        mechanism: &Mechanism,
        parameter: &Parameter<'_>,
        base: Handle,
        given: &[Given<'_>],
    ) -> Result<Handle> {
        self.with(session, |session| {
            let caller = session.caller();
            let derive = mechanism.does.derive.ok_or(Error::MechanismInvalid(mechanism.number))?;
            let (opened, key, grant) = session.key(Purpose::Derive, mechanism, base)?;
            let keyed = Keyed::new(&key, &grant);
            let history = key.facts();
            let added = opened.object().template(CKA_DERIVE_TEMPLATE);
            let way = Way::Derive(history.always_sensitive, history.never_extractable);
            let template = Template::parse_under(given, &added, way)?;
            let key_type = template.key_type().ok_or(Error::TemplateIncomplete("CKA_KEY_TYPE"))?;
            let length = template.value_length;
            match length {
                Some(length) if !key_type.takes_length(length) => {
                    return Err(Error::AttributeValueInvalid("CKA_VALUE_LEN"));
                }
                // PKCS#11 3.2, section 6.3.17: only a generic secret has a natural length.
                None if key_type != KeyType::GenericSecret => return Err(Error::TemplateIncomplete("CKA_VALUE_LEN")),
                _ => (),
            }
            session.add(&caller, template, |draft| draft.finish_secret(derive(&keyed, parameter, length)?))
        })
    }
}

impl Session {
    /// Makes a key if it may be made, and only then its value.
    fn add(&mut self, caller: &Caller, template: Template, make: impl FnOnce(Draft) -> Result<New>) -> Result<Handle> {
        let draft = self.admitted(caller, template)?;
        self.insert(caller, make(draft)?)
    }

    /// The beginning of a key that may be made.
    fn admitted(&self, caller: &Caller, template: Template) -> Result<Draft> {
        let sealed = template.class.is_secret();
        let mut draft = Draft::new(template, self.token.basis(caller));
        admit(caller, Act::Create, &draft.preview()?.standing(sealed))?;
        Ok(draft)
    }
}

/// How things stood when something began that is finished later.
struct Began {
    login: u64,
    caller: Caller,
}

impl Began {
    /// Whether the login has lasted since. One that came meanwhile does no harm: what was begun without it does not need it.
    fn still_holds(&self, session: &Session) -> Result<()> {
        if self.caller.login == Login::Public || self.login == session.token.login_word() {
            Ok(())
        } else {
            Err(Error::UserNotLoggedIn)
        }
    }
}

fn wrapping_of(mechanism: &Mechanism) -> Result<&Wrapping> {
    mechanism.does.wrap.as_ref().ok_or(Error::MechanismInvalid(mechanism.number))
}

/// The private key in what was unwrapped: of the template's type, or it is not what was meant.
fn private_key(value: &Secret, key_type: KeyType) -> Result<PrivateKey> {
    let key = PrivateKey::from_pkcs8(value.expose()).map_err(|_| Error::WrappedKeyInvalid)?;
    if KeyType::of(&key) == key_type { Ok(key) } else { Err(Error::WrappedKeyInvalid) }
}

/// The code for a key that is not there instead of that for an object.
pub(super) fn as_key(error: Error, key: Error) -> Error {
    if error == Error::ObjectHandleInvalid { key } else { error }
}

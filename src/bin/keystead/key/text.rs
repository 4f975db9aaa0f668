//! The text file of a wrapped key: what it says of the key, and the wrapped bytes. docs/formats.md, "Wrapped keys".

use clap::ValueEnum;
use pem_rfc7468::LineEnding;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::describe::hex;
use super::select::bytes;
use super::wrapping::{Hash, Means, Method};
use super::wrapping_key::WrappingKey;
use crate::failure::{Failure, Result};

/// What stands above the wrapped bytes, in TOML.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Header {
    format: u64,
    /// Which key unwraps it.
    pub wrapping_key: WrappingKey,
    mechanism: Table,
    /// How the key is wrapped under the transport key, where there is one: `mechanism` is then that of the transport key.
    #[serde(skip_serializing_if = "Option::is_none")]
    transport: Option<Table>,
    /// What the key is to be: a proposal.
    pub attributes: Map<String, Value>,
}

/// A file that was read.
#[derive(Debug, PartialEq)]
pub struct Text {
    /// What it says.
    pub header: Header,
    /// The same as it stands there: AES-GCM vouches for it.
    pub above: String,
    /// The wrapped key.
    pub key: Vec<u8>,
    /// The transport key that the key is wrapped under, wrapped itself.
    pub transport_key: Option<Vec<u8>>,
}

/// A mechanism and its parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aes_bits: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iv: Option<String>,
}

const FORMAT: u64 = 1;

/// The labels of the two blocks.
const KEY: &str = "WRAPPED KEY";
const TRANSPORT_KEY: &str = "WRAPPED TRANSPORT KEY";

/// What a block begins with.
const BEGIN: &str = "-----BEGIN ";

const COMMENT: &str = "\
# A wrapped key. `keystead key unwrap` makes a key of this file alone, in a token that has the wrapping key.
# What stands under [attributes] is a proposal: read it before you follow it.
";

impl Header {
    /// Of a key that is wrapped by these means; if it is wrapped under a transport key, `means` are those of that key, and
    /// `under` those of the key itself.
    pub fn new(
        wrapping_key: WrappingKey,
        means: &Means,
        under: Option<&Means>,
        attributes: Map<String, Value>,
    ) -> Self {
        let transport = under.map(Table::of);
        Self { format: FORMAT, wrapping_key, mechanism: Table::of(means), transport, attributes }
    }

    /// How the first of the wrapped keys is unwrapped.
    pub fn means(&self) -> Result<Means> {
        self.mechanism.means()
    }

    /// How the key is unwrapped under the transport key.
    pub fn means_under(&self) -> Result<Means> {
        self.transport.as_ref().map_or_else(|| Err(refused("it says nothing of its transport key")), Table::means)
    }

    /// What stands above the wrapped bytes.
    pub fn above(&self) -> Result<String> {
        let toml = toml::to_string(self).map_err(|error| Failure::of("the text form", error))?;
        Ok(format!("{COMMENT}\n{toml}\n"))
    }
}

/// The file of a wrapped key, and of the transport key that it is wrapped under, if any.
pub fn file(above: &str, transport_key: Option<&[u8]>, key: &[u8]) -> Result<Vec<u8>> {
    let mut file = above.to_owned();
    for (label, wrapped) in transport_key.map(|wrapped| (TRANSPORT_KEY, wrapped)).into_iter().chain([(KEY, key)]) {
        let block = pem_rfc7468::encode_string(label, LineEnding::LF, wrapped);
        file.push_str(&block.map_err(|error| Failure::of("the text form", error))?);
    }
    Ok(file.into_bytes())
}

impl Text {
    /// Reads a file, if it is one of these.
    pub fn read(content: &[u8]) -> Result<Option<Self>> {
        let Some((above, blocks)) = str::from_utf8(content).ok().and_then(parts) else { return Ok(None) };
        check_format(above)?;
        let header: Header = toml::from_str(above).map_err(|error| refused(error.message()))?;
        let mut blocks = blocks.into_iter();
        let mut next = |wanted| match blocks.next().map(read_block).transpose()? {
            Some((label, wrapped)) if label == wanted => Ok(wrapped),
            _ => Err(wrong_blocks()),
        };
        let transport_key = header.transport.as_ref().map(|_| next(TRANSPORT_KEY)).transpose()?;
        let key = next(KEY)?;
        if blocks.next().is_some() {
            return Err(wrong_blocks());
        }
        Ok(Some(Self { header, above: above.to_owned(), key, transport_key }))
    }
}

impl Table {
    fn of(means: &Means) -> Self {
        let word = means.hash.to_possible_value().map(|value| value.get_name().to_owned());
        Self {
            name: means.method.name().to_owned(),
            hash: word.filter(|_| means.method.is_rsa()),
            aes_bits: Some(means.aes_bits).filter(|_| means.method == Method::RsaAes),
            iv: Some(hex(&means.iv)).filter(|digits| !digits.is_empty()),
        }
    }

    fn means(&self) -> Result<Means> {
        let unknown = |what: &str, word: &str| refused(format!("the {what} {word} is none that is known here"));
        let method = Method::value_variants().iter().find(|known| known.name() == self.name);
        let mut means = Means::plain(*method.ok_or_else(|| unknown("mechanism", &self.name))?);
        if let Some(word) = &self.hash {
            means.hash = Hash::from_str(word, false).map_err(|_| unknown("hash", word))?;
        }
        if let Some(bits) = self.aes_bits {
            means.aes_bits = bits;
        }
        if let Some(digits) = &self.iv {
            means.iv = bytes(digits).ok_or_else(|| refused("its IV is not in hexadecimal digits"))?;
        }
        // What is said has to be what the mechanism takes, and all of it.
        let has_its_iv = means.iv.is_empty() == (means.method.iv_length() == 0);
        match has_its_iv && Self::of(&means) == *self {
            true => Ok(means),
            false => Err(refused(format!("{} takes other parameters", self.name))),
        }
    }
}

/// What stands above the first block, and the blocks, if there is one of ours.
fn parts(text: &str) -> Option<(&str, Vec<&str>)> {
    let (above, rest) = text.split_at_checked(text.find(&format!("{BEGIN}WRAPPED "))?)?;
    let mut begins: Vec<usize> = rest.match_indices(BEGIN).map(|(at, _)| at).collect();
    begins.push(rest.len());
    let blocks = begins.windows(2).filter_map(|pair| rest.get(*pair.first()?..*pair.last()?)).collect();
    Some((above, blocks))
}

fn read_block(text: &str) -> Result<(&str, Vec<u8>)> {
    pem_rfc7468::decode_vec(text.as_bytes()).map_err(|error| refused(error.to_string()))
}

/// A file of another format may be anything but its format's number.
fn check_format(above: &str) -> Result<()> {
    #[derive(Deserialize)]
    struct Format {
        format: u64,
    }
    match toml::from_str::<Format>(above).map_err(|error| refused(error.message()))?.format {
        FORMAT => Ok(()),
        other => Err(refused(format!("its format is {other}, and this version reads {FORMAT}"))
            .with_next("unwrap it with the version of Keystead that wrote it")),
    }
}

fn wrong_blocks() -> Failure {
    refused("its blocks are not those that it describes")
}

fn refused(why: impl AsRef<str>) -> Failure {
    // Messages of parsers may have several lines.
    let why = why.as_ref().lines().collect::<Vec<_>>().join(" ");
    Failure::of("this file of a wrapped key is not understood", why)
}

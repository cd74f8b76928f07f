//! Property values, their types, and payloads too long to keep in memory. [MS-PST] 2.3.3, [MS-OXCDATA] 2.11.
use std::sync::Arc;

use super::format::mix;

/// Property types.
pub const PT_I16: u16 = 0x0002;
pub const PT_I32: u16 = 0x0003;
pub const PT_F32: u16 = 0x0004;
pub const PT_F64: u16 = 0x0005;
pub const PT_CURRENCY: u16 = 0x0006;
pub const PT_APPTIME: u16 = 0x0007;
pub const PT_ERROR: u16 = 0x000A;
pub const PT_BOOL: u16 = 0x000B;
pub const PT_OBJECT: u16 = 0x000D;
pub const PT_I64: u16 = 0x0014;
pub const PT_STRING8: u16 = 0x001E;
pub const PT_STRING: u16 = 0x001F;
pub const PT_TIME: u16 = 0x0040;
pub const PT_GUID: u16 = 0x0048;
pub const PT_BINARY: u16 = 0x0102;
const MV: u16 = 0x1000;

/// A property value. `Str` becomes PtypString, in ANSI stores PtypString8 in the code page of the object.
#[derive(Clone, Debug)]
pub enum Value {
    I16(i16),
    I32(i32),
    F32(f32),
    F64(f64),
    Currency(i64),
    AppTime(f64),
    Error(u32),
    Bool(bool),
    I64(i64),
    /// FILETIME: 100 ns since 1601.
    Time(u64),
    Guid([u8; 16]),
    Str(String),
    Str8(Vec<u8>),
    Bin(Vec<u8>),
    /// A PtypBinary that is generated while it is written.
    Stream(Payload),
    /// PtypObject: a sub-node and the size of what it holds.
    Object {
        nid: u32,
        size: u32,
    },
    MvI16(Vec<i16>),
    MvI32(Vec<i32>),
    MvI64(Vec<i64>),
    MvTime(Vec<u64>),
    MvGuid(Vec<[u8; 16]>),
    MvStr(Vec<String>),
    MvStr8(Vec<Vec<u8>>),
    MvBin(Vec<Vec<u8>>),
    /// Any type with the given stored bytes, right or wrong.
    Raw(u16, Vec<u8>),
}

impl From<&str> for Value {
    fn from(s: &str) -> Value {
        Value::Str(s.into())
    }
}
impl From<String> for Value {
    fn from(s: String) -> Value {
        Value::Str(s)
    }
}
impl From<i32> for Value {
    fn from(n: i32) -> Value {
        Value::I32(n)
    }
}
impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::Bool(b)
    }
}
impl From<Vec<u8>> for Value {
    fn from(b: Vec<u8>) -> Value {
        Value::Bin(b)
    }
}
impl From<&[u8]> for Value {
    fn from(b: &[u8]) -> Value {
        Value::Bin(b.to_vec())
    }
}
impl From<Payload> for Value {
    fn from(p: Payload) -> Value {
        Value::Stream(p)
    }
}

/// How an object's strings are stored.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// UTF-16, else 8-bit in `code_page`.
    pub wide: bool,
    pub code_page: u16,
}

impl Text {
    pub fn encode(&self, s: &str) -> Vec<u8> {
        if self.wide {
            s.encode_utf16().flat_map(u16::to_le_bytes).collect()
        } else {
            to_code_page(s, self.code_page)
        }
    }
}

/// `s` in a Windows code page, `?` for what it lacks.
pub fn to_code_page(s: &str, code_page: u16) -> Vec<u8> {
    let encoding = codepage::to_encoding(code_page).unwrap_or(encoding_rs::WINDOWS_1252);
    let mut out = Vec::new();
    let mut buffer = [0; 4];
    for c in s.chars() {
        let (bytes, _, unmappable) = encoding.encode(c.encode_utf8(&mut buffer));
        out.extend_from_slice(if unmappable { b"?" } else { &bytes });
    }
    out
}

/// A value ready for a heap or sub-node.
pub enum Stored<'a> {
    /// Fits the 4 bytes of a PC record.
    Inline(u32),
    Bytes(Vec<u8>),
    Stream(&'a Payload),
}

impl Value {
    /// Property type on disk.
    pub fn ptype(&self, text: Text) -> u16 {
        let string = if text.wide { PT_STRING } else { PT_STRING8 };
        match self {
            Value::I16(_) => PT_I16,
            Value::I32(_) => PT_I32,
            Value::F32(_) => PT_F32,
            Value::F64(_) => PT_F64,
            Value::Currency(_) => PT_CURRENCY,
            Value::AppTime(_) => PT_APPTIME,
            Value::Error(_) => PT_ERROR,
            Value::Bool(_) => PT_BOOL,
            Value::I64(_) => PT_I64,
            Value::Time(_) => PT_TIME,
            Value::Guid(_) => PT_GUID,
            Value::Str(_) => string,
            Value::Str8(_) => PT_STRING8,
            Value::Bin(_) | Value::Stream(_) => PT_BINARY,
            Value::Object { .. } => PT_OBJECT,
            Value::MvI16(_) => MV | PT_I16,
            Value::MvI32(_) => MV | PT_I32,
            Value::MvI64(_) => MV | PT_I64,
            Value::MvTime(_) => MV | PT_TIME,
            Value::MvGuid(_) => MV | PT_GUID,
            Value::MvStr(_) => MV | string,
            Value::MvStr8(_) => MV | PT_STRING8,
            Value::MvBin(_) => MV | PT_BINARY,
            Value::Raw(ptype, _) => *ptype,
        }
    }

    pub fn stored(&self, text: Text) -> Stored<'_> {
        Stored::Bytes(match self {
            Value::I16(n) => return Stored::Inline(*n as u16 as u32),
            Value::I32(n) => return Stored::Inline(*n as u32),
            Value::F32(n) => return Stored::Inline(n.to_bits()),
            Value::Error(n) => return Stored::Inline(*n),
            Value::Bool(b) => return Stored::Inline(u32::from(*b)),
            Value::Stream(payload) => return Stored::Stream(payload),
            Value::Raw(PT_I16 | PT_I32 | PT_F32 | PT_ERROR | PT_BOOL, bytes) => {
                let mut word = [0; 4];
                word[..bytes.len()].copy_from_slice(bytes);
                return Stored::Inline(u32::from_le_bytes(word));
            }
            Value::F64(n) | Value::AppTime(n) => n.to_le_bytes().to_vec(),
            Value::Currency(n) | Value::I64(n) => n.to_le_bytes().to_vec(),
            Value::Time(n) => n.to_le_bytes().to_vec(),
            Value::Guid(g) => g.to_vec(),
            Value::Str(s) => text.encode(s),
            Value::Str8(b) | Value::Bin(b) | Value::Raw(_, b) => b.clone(),
            Value::Object { nid, size } => [nid.to_le_bytes(), size.to_le_bytes()].concat(),
            Value::MvI16(v) => v.iter().flat_map(|n| n.to_le_bytes()).collect(),
            Value::MvI32(v) => v.iter().flat_map(|n| n.to_le_bytes()).collect(),
            Value::MvI64(v) => v.iter().flat_map(|n| n.to_le_bytes()).collect(),
            Value::MvTime(v) => v.iter().flat_map(|n| n.to_le_bytes()).collect(),
            Value::MvGuid(v) => v.concat(),
            Value::MvStr(v) => packed(v.iter().map(|s| text.encode(s)).collect()),
            Value::MvStr8(v) | Value::MvBin(v) => packed(v.clone()),
        })
    }

    /// Length of the stored value in bytes.
    pub fn len(&self, text: Text) -> u64 {
        match self.stored(text) {
            Stored::Inline(_) => 4,
            Stored::Bytes(b) => b.len() as u64,
            Stored::Stream(p) => p.len(),
        }
    }
}

/// Multiple values of variable length: count, offsets, items.
fn packed(items: Vec<Vec<u8>>) -> Vec<u8> {
    let mut out = (items.len() as u32).to_le_bytes().to_vec();
    let mut offset = 4 + 4 * items.len();
    for item in &items {
        out.extend((offset as u32).to_le_bytes());
        offset += item.len();
    }
    out.extend(items.concat());
    out
}

/// Writes the bytes from an offset on into a buffer.
pub type Fill = Arc<dyn Fn(u64, &mut [u8]) + Send + Sync>;

/// Bytes by offset, generated on demand, so that gigabytes need no memory and any range can be checked.
#[derive(Clone)]
pub enum Payload {
    Bytes(Arc<[u8]>),
    /// Incompressible bytes, a function of seed and offset.
    Random {
        len: u64,
        seed: u64,
    },
    /// Whatever a function gives.
    Fill {
        len: u64,
        fill: Fill,
    },
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({} bytes)", self.len())
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Payload {
        Payload::Bytes(bytes.into())
    }
}
impl From<&[u8]> for Payload {
    fn from(bytes: &[u8]) -> Payload {
        Payload::Bytes(bytes.into())
    }
}
impl<const N: usize> From<&[u8; N]> for Payload {
    fn from(bytes: &[u8; N]) -> Payload {
        Payload::Bytes(bytes.as_slice().into())
    }
}
impl From<&str> for Payload {
    fn from(text: &str) -> Payload {
        Payload::Bytes(text.as_bytes().into())
    }
}

impl Payload {
    pub fn random(len: u64, seed: u64) -> Payload {
        Payload::Random { len, seed }
    }

    pub fn len(&self) -> u64 {
        match self {
            Payload::Bytes(b) => b.len() as u64,
            Payload::Random { len, .. } | Payload::Fill { len, .. } => *len,
        }
    }

    /// All bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len() as usize];
        self.read_at(0, &mut bytes);
        bytes
    }

    /// The bytes from `offset` on; `buffer` must not reach past the end.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) {
        assert!(offset + buffer.len() as u64 <= self.len());
        match self {
            Payload::Bytes(b) => buffer.copy_from_slice(&b[offset as usize..][..buffer.len()]),
            Payload::Fill { fill, .. } => fill(offset, buffer),
            Payload::Random { seed, .. } => {
                let word = |at: u64| mix(seed ^ (at / 8).wrapping_mul(0x2545_F491_4F6C_DD1D));
                let mut at = offset;
                let lead = ((8 - offset % 8) % 8).min(buffer.len() as u64) as usize;
                let (head, body) = buffer.split_at_mut(lead);
                head.copy_from_slice(&word(at).to_le_bytes()[(offset % 8) as usize..][..lead]);
                at += lead as u64;
                for chunk in body.chunks_mut(8) {
                    chunk.copy_from_slice(&word(at).to_le_bytes()[..chunk.len()]);
                    at += 8;
                }
            }
        }
    }

    /// All of it in memory.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = vec![0; self.len() as usize];
        self.read_at(0, &mut out);
        out
    }
}

//! The errno for each error of the tree.
#![forbid(unsafe_code)]

use fuser::Errno;

use crate::error::Error;

/// The `errno` of an error of the library.
pub(super) fn errno(error: &Error) -> Errno {
    match error {
        Error::Open { source, .. } | Error::Io { source, .. } => {
            source.raw_os_error().map_or(Errno::EIO, Errno::from_i32)
        }
        Error::Changed => Errno::ESTALE,
        Error::NotOutlook(_) | Error::Unsupported(_) => Errno::EOPNOTSUPP,
        Error::Truncated(_) | Error::Corrupt(_) | Error::Repeated(_) => Errno::EIO,
        Error::NotFound => Errno::ENOENT,
        Error::NotADirectory => Errno::ENOTDIR,
        Error::IsADirectory => Errno::EISDIR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    fn io_error(source: io::Error) -> Error {
        Error::Io {
            offset: 0x200,
            length: 512,
            source,
        }
    }

    #[test]
    fn every_error_has_the_errno_that_programs_expect() {
        let cases = [
            (Error::Changed, libc::ESTALE),
            (Error::NotFound, libc::ENOENT),
            (Error::NotADirectory, libc::ENOTDIR),
            (Error::IsADirectory, libc::EISDIR),
            (Error::Unsupported(String::new()), libc::EOPNOTSUPP),
            (
                Error::corrupt("BTPAGE", "offset 0x4400", "bad CRC"),
                libc::EIO,
            ),
            (
                io_error(io::Error::from_raw_os_error(libc::ESTALE)),
                libc::ESTALE,
            ),
            (io_error(io::ErrorKind::UnexpectedEof.into()), libc::EIO),
        ];
        for (error, expected) in cases {
            assert_eq!(errno(&error).code(), expected, "{error}");
        }
    }
}

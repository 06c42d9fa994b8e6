//! POSIX ACLs as text, for tools that read them from `SCHILY.acl.*` rather than from extended attributes.

use std::fmt::Write;

/// The attribute that holds a thing's own ACL.
pub(super) const ACCESS: &[u8] = b"system.posix_acl_access";
/// The attribute that holds what new things in a folder get.
pub(super) const DEFAULT: &[u8] = b"system.posix_acl_default";

/// The text of an ACL from its attribute (linux/posix_acl_xattr.h: version 2, then tag, permissions and id of each entry,
/// little-endian). Nothing when it is none.
pub(super) fn text(value: &[u8]) -> Option<String> {
    let entries = value.strip_prefix(&[2, 0, 0, 0])?;
    let mut text = String::new();
    let (entries, rest) = entries.as_chunks::<8>();
    if !rest.is_empty() {
        return None;
    }
    for [t0, t1, p0, p1, i0, i1, i2, i3] in entries {
        let permissions = u16::from_le_bytes([*p0, *p1]);
        let id = u32::from_le_bytes([*i0, *i1, *i2, *i3]);
        if !text.is_empty() {
            text.push(',');
        }
        let written = match u16::from_le_bytes([*t0, *t1]) {
            0x01 => write!(text, "user:"),
            0x02 => write!(text, "user:{id}"),
            0x04 => write!(text, "group:"),
            0x08 => write!(text, "group:{id}"),
            0x10 => write!(text, "mask:"),
            0x20 => write!(text, "other:"),
            _ => return None,
        };
        written.ok()?;
        text.push(':');
        for (bit, letter) in [(4, 'r'), (2, 'w'), (1, 'x')] {
            text.push(if permissions & bit == 0 { '-' } else { letter });
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_acl_reads_as_getfacl_shows_it() {
        let mut value = vec![2, 0, 0, 0];
        for (tag, permissions, id) in [(1_u16, 6_u16, u32::MAX), (2, 5, 1000), (4, 4, u32::MAX)] {
            value.extend(tag.to_le_bytes());
            value.extend(permissions.to_le_bytes());
            value.extend(id.to_le_bytes());
        }
        let text = super::text(&value).expect("an acl");
        assert_eq!(text, "user::rw-,user:1000:r-x,group::r--");
        assert_eq!(super::text(b"\x02\0\0\0x"), None);
        assert_eq!(super::text(b"nonsense"), None);
    }
}

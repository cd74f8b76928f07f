use ostfs::convert::*;
use ostfs::messaging::*;
use ostfs::ndb::NodeType;
use std::io::Write;
use std::sync::Arc;
fn read(r: &Rendition) -> Result<Vec<u8>, ostfs::error::Error> {
    let mut v = Vec::new();
    let mut b = vec![0; 1 << 20];
    loop {
        let n = r.read_at(v.len() as u64, &mut b)?;
        if n == 0 {
            break;
        }
        v.extend_from_slice(&b[..n]);
    }
    assert_eq!(v.len() as u64, r.len());
    Ok(v)
}
fn attachments(c: &Converter, m: &Message, dir: &std::path::Path) {
    for (i, a) in c.attachments(m).into_iter().enumerate() {
        std::fs::create_dir_all(dir).unwrap();
        let name = format!("{i}-{}", a.name.replace('/', "_"));
        let name: String = name.chars().take(80).collect();
        match a.content {
            AttachmentContent::File(r) => match read(&r) {
                Ok(v) => std::fs::write(dir.join(name), v).unwrap(),
                Err(e) => eprintln!("{name}: {e}"),
            },
            AttachmentContent::Message(m) => {
                match read(&c.render(&m)) {
                    Ok(v) => std::fs::write(dir.join(format!("{i}-emb.eml")), v).unwrap(),
                    Err(e) => eprintln!("{e}"),
                };
                attachments(c, &m, &dir.join(format!("{i}-emb.attachments")));
            }
            AttachmentContent::Unreadable(e) => eprintln!("{name}: {e}"),
        }
    }
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let out = std::path::PathBuf::from(&a[1]);
    let mut o = Options::default();
    for f in &a[2..] {
        match f.as_str() {
            "--utf8" => {
                o.headers = Headers::Utf8;
                continue;
            }
            "--crlf" => {
                o.eol = Eol::Crlf;
                continue;
            }
            "--noatt" => {
                o.attachments_in_message = false;
                continue;
            }
            _ => {}
        }
        let p = std::path::Path::new(f);
        let ndb = match ostfs::recover::open(p, 64 << 20) {
            Ok(n) => n,
            Err(e) => {
                eprintln!("{f}: {e}");
                continue;
            }
        };
        let store = Arc::new(Store::open(ndb));
        let c = Converter::new(store.clone(), o);
        let dir = out.join(p.file_name().unwrap());
        std::fs::create_dir_all(&dir).unwrap();
        let t = std::time::Instant::now();
        let (mut n, mut bytes) = (0, 0u64);
        for e in store.ndb().nodes() {
            let Ok(e) = e else { continue };
            if e.nid.node_type() != NodeType::NORMAL_MESSAGE {
                continue;
            }
            n += 1;
            let m = Message::open(&store, e.nid);
            let r = match &m {
                Ok(m) => c.render(m),
                Err(err) => c.placeholder(e.nid, err),
            };
            for p in r.problems() {
                eprintln!("{f} {:#x}: {p}", e.nid.0);
            }
            bytes += r.len();
            match read(&r) {
                Ok(v) => {
                    std::fs::File::create(dir.join(format!("{:08x}.eml", e.nid.0)))
                        .unwrap()
                        .write_all(&v)
                        .unwrap();
                }
                Err(err) => eprintln!("{f} {:#x}: EIO {err}", e.nid.0),
            }
            if let Ok(m) = &m {
                attachments(&c, m, &dir.join(format!("{:08x}.attachments", e.nid.0)));
            }
        }
        eprintln!(
            "{}: {n} messages {bytes} bytes {:?}",
            p.file_name().unwrap().to_str().unwrap(),
            t.elapsed()
        );
    }
}

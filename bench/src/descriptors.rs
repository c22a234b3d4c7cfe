//! Open files, TCP connections and threads of a process, from `/proc`.

use std::{collections::HashSet, fs, path::PathBuf};

/// State of a socket that listens, in `/proc/net/tcp`.
const LISTEN: &str = "0A";

/// What a process holds at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Held {
    pub(crate) descriptors: u64,
    /// TCP sockets in any state except listening, those included that only one side has closed.
    pub(crate) connections: u64,
    pub(crate) threads: u64,
}

impl Held {
    /// Returns what a process holds, or `None` if it has exited.
    pub(crate) fn by(pid: u32) -> Option<Self> {
        let links = links(pid)?;
        let sockets = sockets(pid)?;
        let is_connection = |link: &&PathBuf| {
            let inode = link.to_str().and_then(socket_inode);
            inode.is_some_and(|inode| sockets.contains(inode))
        };
        Some(Self {
            descriptors: links.len() as u64,
            connections: links.iter().filter(is_connection).count() as u64,
            threads: fs::read_dir(format!("/proc/{pid}/task")).ok()?.count() as u64,
        })
    }
}

/// Returns what the descriptors of a process refer to.
fn links(pid: u32) -> Option<Vec<PathBuf>> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.flatten();
    // One that has been closed meanwhile has no link.
    let links = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
    Some(links.collect())
}

fn socket_inode(link: &str) -> Option<&str> {
    link.strip_prefix("socket:[")?.strip_suffix(']')
}

/// Returns the inodes of the TCP sockets in the network of a process that do not listen.
fn sockets(pid: u32) -> Option<HashSet<String>> {
    let mut inodes = HashSet::new();
    for table in ["tcp", "tcp6"] {
        // Without IPv6 there is no table of it.
        let table = fs::read_to_string(format!("/proc/{pid}/net/{table}"));
        inodes.extend(table.iter().flat_map(|it| it.lines()).filter_map(inode));
    }
    (!inodes.is_empty()).then_some(inodes)
}

/// Returns the inode of a socket that does not listen, from its line in `/proc/net/tcp`.
fn inode(line: &str) -> Option<String> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let (state, inode) = (fields.get(3)?, fields.get(9)?);
    let is_socket = *state != LISTEN && inode.parse::<u64>().is_ok();
    is_socket.then(|| (*inode).to_owned())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_line_of_a_connection_has_its_inode_and_one_of_a_listener_has_none() {
        let line = |state| {
            format!("  1: 0100007F:1F90 0100007F:C350 {state} 0:0 00:0 0 0 0 777 1 0 20 4 30 10 -1")
        };
        assert_eq!(inode(&line("01")).as_deref(), Some("777"));
        assert_eq!(inode(&line("0A")), None);
        assert_eq!(inode("  sl  local_address rem_address   st"), None);
    }

    #[test]
    fn connections_of_this_process_are_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let clients: Vec<_> = (0..20)
            .map(|_| TcpStream::connect(address).unwrap())
            .collect();
        let held = Held::by(std::process::id()).unwrap();
        assert!(held.connections >= 20, "{held:?}");
        assert!(held.descriptors > held.connections, "{held:?}");
        assert!(held.threads >= 1, "{held:?}");
        drop(clients);
    }
}

//! Which processor does what: each node of a provider has one for itself, all else shares the rest.

use anyhow::{Context as _, ensure};
use std::path::Path;
use std::process::{Command, Stdio};

/// The processors that we may use.
#[derive(Clone, Debug)]
pub struct Cores(Vec<u32>);

impl Cores {
    /// As the system tells.
    ///
    /// # Errors
    /// It doesn't.
    pub fn available() -> anyhow::Result<Self> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        Self::parse(list.context("no Cpus_allowed_list")?)
    }

    fn parse(list: &str) -> anyhow::Result<Self> {
        let mut cores = Vec::new();
        for part in list.trim().split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            cores.extend(first.parse::<u32>()?..=last.parse()?);
        }
        Ok(Self(cores))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The processor of a node.
    fn of_node(&self, node: usize) -> Vec<u32> {
        match self.0.len() {
            0 | 1 => self.0.clone(),
            all => vec![self.0[node % all]],
        }
    }

    /// What is left beside so many nodes, for databases and for us; all, if nothing is.
    fn beside(&self, nodes: usize) -> Vec<u32> {
        match self.0.get(nodes..) {
            Some(rest) if !rest.is_empty() => rest.to_vec(),
            _ => self.0.clone(),
        }
    }

    /// A command that runs on a node's processor.
    pub fn node_command(&self, node: usize, program: &Path) -> Command {
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", &list(&self.of_node(node))]).arg(program);
        command
    }

    /// Moves a process with all its threads beside so many nodes.
    ///
    /// # Errors
    /// The system refuses.
    pub fn move_beside(&self, nodes: usize, pid: u32) -> anyhow::Result<()> {
        let mut taskset = Command::new("taskset");
        taskset.args([
            "--all-tasks",
            "--cpu-list",
            "--pid",
            &list(&self.beside(nodes)),
            &pid.to_string(),
        ]);
        let moved = taskset.stdout(Stdio::null()).status().context("taskset")?;
        ensure!(moved.success(), "taskset failed");
        Ok(())
    }
}

fn list(cores: &[u32]) -> String {
    let cores: Vec<_> = cores.iter().map(u32::to_string).collect();
    cores.join(",")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_systems_list_is_read() {
        assert_eq!(Cores::parse("\t0-2,5,7-8\n").unwrap().0, [0, 1, 2, 5, 7, 8]);
        assert_eq!(Cores::parse("3").unwrap().0, [3]);
        assert!(Cores::parse("").is_err() && Cores::parse("a-b").is_err());
    }

    #[test]
    fn a_node_has_a_processor_for_itself_as_long_as_there_are_enough() {
        let two = Cores::parse("0-1").unwrap();
        assert_eq!((two.of_node(0), two.of_node(1)), (vec![0], vec![1]));
        assert_eq!((two.beside(1), two.beside(2)), (vec![1], vec![0, 1]));
        let four = Cores::parse("4-7").unwrap();
        assert_eq!((four.of_node(1), four.beside(2)), (vec![5], vec![6, 7]));
        let one = Cores::parse("0").unwrap();
        assert_eq!((one.of_node(1), one.beside(1)), (vec![0], vec![0]));
    }

    #[test]
    fn lists_are_written_as_they_are_read() {
        assert_eq!(list(&[1, 3]), "1,3");
    }
}

//! Host programs in C, for what a Rust host cannot show: symbols of its own, destructors at exit, `fork` handlers.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::{Home, Module};

/// A program or library compiled from `tests/hosts`.
pub struct Host {
    file: PathBuf,
}

impl Host {
    /// Compiles a program into the home; `flags` go to the compiler.
    pub fn program(home: &Home, source: &str, flags: &[&str]) -> Host {
        Host::compile(home, source, &source.replace(".c", ""), flags)
    }

    /// Compiles a shared library into the home.
    pub fn library(home: &Home, source: &str, flags: &[&str]) -> Host {
        let flags = [&["-shared", "-fPIC"], flags].concat();
        Host::compile(home, source, &source.replace(".c", ".so"), &flags)
    }

    /// The file that was made.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// Runs the program with the module's path as first argument, then these; it must succeed. What it printed.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.outcome(arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {}\n{said}{errors}", self.file.display(), output.status);
        said
    }

    /// Runs the program likewise, however it ends.
    pub fn outcome(&self, arguments: &[&str]) -> Output {
        self.outcome_with(&Module::path(), arguments)
    }

    /// Runs the program with another copy of the module, however it ends.
    pub fn outcome_with(&self, module: &Path, arguments: &[&str]) -> Output {
        Command::new(&self.file).arg(module).args(arguments).output().expect("the host starts")
    }

    fn compile(home: &Home, source: &str, name: &str, flags: &[&str]) -> Host {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts");
        let file = home.path().join(name);
        let mut compiler = Command::new("cc");
        compiler.args(["-std=gnu11", "-D_GNU_SOURCE", "-O1", "-Wall", "-Werror", "-pthread", "-I"]).arg(&sources);
        compiler.arg("-o").arg(&file).arg(sources.join(source)).args(flags).arg("-ldl");
        let output = compiler.output().expect("a C compiler called cc");
        assert!(output.status.success(), "cc {source}: {}", String::from_utf8_lossy(&output.stderr));
        Host { file }
    }
}

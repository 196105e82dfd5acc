//! Migrations are embedded by a macro that doesn't see new files by itself.

fn main() {
    println!("cargo:rerun-if-changed=../../db/migrations");
}

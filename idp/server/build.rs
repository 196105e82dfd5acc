//! Has the server built anew when a migration comes or goes: the macro that embeds them sees changed files, not changed folders.

fn main() {
    println!("cargo:rerun-if-changed=../../db/migrations/postgres");
    println!("cargo:rerun-if-changed=../../db/migrations/sqlite");
}

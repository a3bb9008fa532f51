//! Clients by the thousand, made beside the server: to create one costs Argon2.

use super::{Server, TestClient, in_process};

impl Server {
    /// Makes copies of a client, one for each of `ids`, with the same secret. Their Argon2 hashes are useless.
    pub fn copy_client(&self, original: &TestClient, ids: &[String]) {
        let file = self.database.folder.path().join("sealwright.toml");
        let digests = in_process::secret_digests(&file, ids, &original.secret);
        let (open, close) = if self.database.url().is_some() { ("CAST('\\x", "' AS BYTEA)") } else { ("x'", "'") };
        let columns = self.database.columns("credentials", &["id"]);
        let of_original: Vec<String> = columns.iter().map(|column| format!("credentials.{column}")).collect();
        let (columns, of_original) = (columns.join(", "), of_original.join(", "));
        for (ids, digests) in ids.chunks(500).zip(digests.chunks(500)) {
            let rows = ids.iter().zip(digests).map(|(id, digest)| {
                let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("('{id}', {open}{hex}{close})")
            });
            let rows = rows.collect::<Vec<_>>().join(", ");
            self.database.execute(&format!(
                "CREATE TEMPORARY TABLE copies AS WITH copy (id, digest) AS (VALUES {rows}) SELECT * FROM copy; \
                 INSERT INTO credentials (id, {columns}) SELECT copies.id, {of_original} FROM copies, credentials \
                     WHERE credentials.id = '{original}'; \
                 INSERT INTO credential_secrets \
                     (id, credential, hash, keyed_digest, prefix, last_four, created_at) \
                     SELECT 'sec_' || substr(id, 5), id, 'useless', digest, '', '0000', 0 FROM copies; \
                 DROP TABLE copies",
                original = original.id,
            ));
        }
    }

    /// How often Argon2 was needed since the server started.
    pub fn argon2_checks(&self) -> u64 {
        let metrics = self.get("/metrics").text;
        let line = metrics.lines().find_map(|line| line.strip_prefix("sealwright_argon2_checks_total "));
        line.unwrap().parse().unwrap()
    }
}

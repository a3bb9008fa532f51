//! The command line.

use crate::support::{Server, both};

both! {
    /// A change made by the command line reaches a running server within one second.
    fn a_change_by_the_command_line_reaches_a_running_server_within_a_second(database) {
        let server = Server::start(database);
        let client = server.client("orders:read");
        assert_eq!(server.token(&client).status, 200);
        server.cli(&["client", "disable", &client.id]);
        std::thread::sleep(std::time::Duration::from_secs(1));
        let refused = server.token(&client);
        assert_eq!((refused.status, refused.body["error"].as_str()), (401, Some("invalid_client")));
    }
}

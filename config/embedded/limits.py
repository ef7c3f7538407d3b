"""How long and how often: every wait and every repetition has an end."""

# A supervisor waits this long after its last user, so that two commands in a row share one server.
GRACE_S = 2.0
POLL_S = 0.1
# Crash recovery after a power cut is the slow case; a healthy start takes about a second.
START_S_MAX = 120.0
STOP_S_MAX = 60.0
# Another start does not help a server that crashes more often than this.
RESTARTS_MAX = 5
RESTARTS_WINDOW_S = 60.0
LOG_BYTES_MAX = 10 * 1024 * 1024
# sockaddr_un holds 108 bytes on Linux and 104 on macOS, one of them the final zero.
SOCKET_PATH_BYTES_MAX = 103

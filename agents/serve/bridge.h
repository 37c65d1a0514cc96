// bridge: carries one connection between this program's standard streams and a unix socket: the agent's end of an SSH channel.
// Threads: blocking; a mode of the program of its own.
#pragma once

#include <string>

namespace ph::agents {

// Waits at the socket for one connection, or until standard input ends. The socket file is ours from then on: mode 0600, removed at
// the end. The answer is the program's exit code; reasons go to standard error.
int bridgeListen(const std::string& socket);
// Connects to the socket, waiting a little for it to appear.
int bridgeConnect(const std::string& socket);

}  // namespace ph::agents

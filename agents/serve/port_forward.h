// Port-forward: connections into a pod's network for a client's WebSocket. In Kubernetes' two forms: SPDY/3.1 inside binary messages
// (kubectl; any number of connections), and v4.channel.k8s.io (a pair of channels a port, one connection each).
// Threads: one lane.
#pragma once

#include <map>
#include <vector>

#include "engine/net/spdy_session.h"

namespace ph::agents {

inline constexpr const char* kForwardTunnel = "SPDY/3.1+portforward.k8s.io";
inline constexpr const char* kForwardChannels = "v4.channel.k8s.io";

// Makes a connected descriptor to a port of the pod's own loopback; `done` comes on the lane.
using PodDial = std::function<void(uint16_t port, std::function<void(Result<int>)> done)>;
// Connects to a port inside of a network namespace (its file; empty: the host's). Sockets are made on `blocking`, which outlives
// the connections.
PodDial podDial(std::shared_ptr<net::Lane> lane, std::shared_ptr<Executor> blocking, std::string namespaceFile);

// Both answer nothing: they take a WebSocket that is open. Live until it closes. `pod` is for messages.
void forwardTunnel(std::shared_ptr<net::Lane> lane, std::shared_ptr<net::WebSocket> socket, std::string pod, PodDial dial);
void forwardChannels(std::shared_ptr<net::Lane> lane, std::shared_ptr<net::WebSocket> socket, std::string pod, std::vector<uint16_t> ports, PodDial dial);

// The query's ports (each `ports=`, also several with commas); 400 when there is none or one is no port.
Result<std::vector<uint16_t>> forwardPorts(const std::vector<std::pair<std::string, std::string>>& query);

}  // namespace ph::agents

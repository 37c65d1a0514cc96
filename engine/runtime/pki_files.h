// The cluster's certificates on disk (DIR/pki) and the administrator's credentials (DIR/tokens, DIR/admin.kubeconfig).
// Threads: called once at start, before anything serves.
#pragma once

#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/net/pki.h"

namespace ph::runtime {

struct PkiFiles {
  net::KeyPair ca, server, admin;
  std::string accountKey;  // PEM: signs service accounts' tokens (sa.key)
};

// Reads, makes or renews. The CA lives ten years; the others one, made anew when a third of that is left or, for the
// server's, when the names or addresses of this machine have changed.
Result<PkiFiles> loadPki(const std::string& dataDir, const std::string& listenHost, WallTime now);
// DIR/tokens with one administrator's token, when there is none yet.
Result<> ensureTokens(const std::string& file, Random& random);
// Self-contained, mode 0600.
Result<> writeKubeconfig(const std::string& file, const std::string& address, const PkiFiles& pki);
// The whole file at once (a reader sees the old or the new), with this mode.
Result<> writeFile(const std::string& file, const std::string& text, int mode);

}  // namespace ph::runtime

// kubeconfig files: which server, whom to trust, who we are.
// Threads: pure, but loadKubeconfig() and files named in a kubeconfig are read on the calling thread.
#pragma once

#include <string>

#include "engine/client/http_client.h"

namespace ph::client {

struct Kubeconfig {
  std::string server;  // "https://HOST:PORT[/PREFIX]"
  std::string caPem;   // empty: the system's
  std::string certPem, keyPem;
  std::string token;
  std::string tlsServerName;  // empty: the server's host
  std::string ns;             // empty: none chosen
  bool insecureSkipVerify = false;
};

// The file's current context, or `context` when given. Relative file names in it are relative to `folder`.
// 400 with what is wrong; log-in plugins (exec, auth-provider) are not supported and said to be so.
Result<Kubeconfig> parseKubeconfig(const std::string& text, const std::string& folder = ".",
                                   const std::string& context = {});
Result<Kubeconfig> loadKubeconfig(const std::string& path, const std::string& context = {});

// A self-contained file with one cluster, user and context named "pilothouse"; each ...-data field on a line
// of its own.
std::string makeKubeconfig(const std::string& server, const std::string& caPem, const std::string& certPem,
                           const std::string& keyPem);

// Fills in http, bearerToken and pathPrefix; io, executor and registry stay the caller's.
Result<HttpClientOptions> clientOptions(const Kubeconfig& config);

}  // namespace ph::client

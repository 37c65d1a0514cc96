#include "engine/client/kubeconfig.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "engine/api/codec.h"
#include "engine/base/base64.h"

namespace ph::client {

namespace {

using api::Json;

constexpr size_t kMaxFile = 4 * 1024 * 1024;  // bytes

std::string textAt(const Json& tree, std::string_view path) {
  const Json* value = api::at(tree, path);
  if (!value || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

bool truthAt(const Json& tree, std::string_view path) {
  const Json* value = api::at(tree, path);
  return value && value->is_bool() && value->get_bool();
}

Result<std::string> readFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Status::notFound("\"" + path + "\" can't be read");
  std::ostringstream out;
  out << in.rdbuf();
  if (out.str().size() > kMaxFile) return Status::tooLarge("\"" + path + "\" is too large");
  return out.str();
}

// "x-data" holds it in base64, "x" names a file; neither: empty.
Result<std::string> contentOf(const Json& tree, const std::string& field, const std::string& folder) {
  auto data = textAt(tree, field + "-data");
  if (!data.empty()) {
    auto content = fromBase64(data);
    if (!content) return Status::badRequest("kubeconfig: " + field + "-data is not base64");
    return std::move(*content);
  }
  auto path = textAt(tree, field);
  if (path.empty()) return std::string();
  return readFile(path[0] == '/' ? path : folder + "/" + path);
}

// The entry of `list` with this name, its part `part`.
Result<Json> named(const Json& tree, const std::string& list, const std::string& name,
                   const std::string& part) {
  const Json* entries = api::at(tree, list);
  if (entries && entries->is_array()) {
    for (auto& entry : entries->get_array()) {
      if (textAt(entry, "name") != name) continue;
      const Json* found = api::at(entry, part);
      return found ? *found : Json(api::JsonObject());
    }
  }
  return Status::badRequest(fmt::format("kubeconfig: {} has no \"{}\"", list, name));
}

}  // namespace

Result<Kubeconfig> parseKubeconfig(const std::string& text, const std::string& folder,
                                   const std::string& context) {
  PH_ASSIGN(Json tree, api::parseYaml(text));
  if (!tree.is_object()) return Status::badRequest("kubeconfig: not a kubeconfig");
  std::string chosen = context.empty() ? textAt(tree, "current-context") : context;
  if (chosen.empty()) return Status::badRequest("kubeconfig: no current-context");
  PH_ASSIGN(Json contextEntry, named(tree, "contexts", chosen, "context"));
  PH_ASSIGN(Json cluster, named(tree, "clusters", textAt(contextEntry, "cluster"), "cluster"));
  Kubeconfig config;
  config.ns = textAt(contextEntry, "namespace");
  config.server = textAt(cluster, "server");
  if (config.server.empty()) return Status::badRequest("kubeconfig: the cluster has no server");
  config.tlsServerName = textAt(cluster, "tls-server-name");
  config.insecureSkipVerify = truthAt(cluster, "insecure-skip-tls-verify");
  PH_ASSIGN(config.caPem, contentOf(cluster, "certificate-authority", folder));
  std::string userName = textAt(contextEntry, "user");
  if (userName.empty()) return config;
  PH_ASSIGN(Json user, named(tree, "users", userName, "user"));
  if (api::at(user, "exec") || api::at(user, "auth-provider"))
    return Status::badRequest("kubeconfig: user \"" + userName +
                              "\" logs in through a plugin, which is not supported");
  PH_ASSIGN(config.certPem, contentOf(user, "client-certificate", folder));
  PH_ASSIGN(config.keyPem, contentOf(user, "client-key", folder));
  config.token = textAt(user, "token");
  if (auto file = textAt(user, "tokenFile"); config.token.empty() && !file.empty()) {
    PH_ASSIGN(config.token, readFile(file[0] == '/' ? file : folder + "/" + file));
    while (!config.token.empty() && isspace(static_cast<unsigned char>(config.token.back())))
      config.token.pop_back();
  }
  return config;
}

Result<Kubeconfig> loadKubeconfig(const std::string& path, const std::string& context) {
  PH_ASSIGN(std::string text, readFile(path));
  size_t slash = path.rfind('/');
  return parseKubeconfig(text, slash == path.npos ? "." : path.substr(0, slash + 1), context);
}

std::string makeKubeconfig(const std::string& server, const std::string& caPem, const std::string& certPem,
                           const std::string& keyPem) {
  return fmt::format(
      "apiVersion: v1\n"
      "kind: Config\n"
      "clusters:\n"
      "- name: pilothouse\n"
      "  cluster:\n"
      "    server: {}\n"
      "    certificate-authority-data: {}\n"
      "users:\n"
      "- name: pilothouse\n"
      "  user:\n"
      "    client-certificate-data: {}\n"
      "    client-key-data: {}\n"
      "contexts:\n"
      "- name: pilothouse\n"
      "  context:\n"
      "    cluster: pilothouse\n"
      "    user: pilothouse\n"
      "current-context: pilothouse\n",
      server, toBase64(caPem), toBase64(certPem), toBase64(keyPem));
}

Result<HttpClientOptions> clientOptions(const Kubeconfig& config) {
  HttpClientOptions options;
  std::string rest = config.server;
  bool secure = true;
  if (rest.starts_with("https://")) {
    rest.erase(0, 8);
  } else if (rest.starts_with("http://")) {
    rest.erase(0, 7);
    secure = false;
  }
  if (size_t slash = rest.find('/'); slash != rest.npos) {
    options.pathPrefix = rest.substr(slash);
    rest.resize(slash);
    while (!options.pathPrefix.empty() && options.pathPrefix.back() == '/') options.pathPrefix.pop_back();
  }
  if (rest.empty())
    return Status::badRequest("kubeconfig: \"" + config.server + "\" is not a server's address");
  size_t colon = rest.rfind(':');
  if (colon == rest.npos || rest.back() == ']') rest += secure ? ":443" : ":80";
  options.http.endpoint = rest;
  if (secure) {
    options.http.tls = net::ClientTls{.caPem = config.caPem,
                                      .certPem = config.certPem,
                                      .keyPem = config.keyPem,
                                      .serverName = config.tlsServerName,
                                      .insecureSkipVerify = config.insecureSkipVerify};
  } else {
    options.http.http2 = false;  // few servers take HTTP/2 in clear text
  }
  options.bearerToken = config.token;
  return options;
}

}  // namespace ph::client

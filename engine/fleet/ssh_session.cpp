#include "engine/fleet/ssh_session.h"

#include <fmt/format.h>
#include <libssh/libssh.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "engine/base/base64.h"
#include "engine/fleet/problem.h"
#include "engine/fleet/tcp_dial.h"

namespace ph::fleet {
namespace {

using namespace std::chrono_literals;

struct KeyFree {
  void operator()(ssh_key k) const { ssh_key_free(k); }
};
using Key = std::unique_ptr<ssh_key_struct, KeyFree>;

struct ChannelFree {
  void operator()(ssh_channel c) const { ssh_channel_free(c); }
};

std::string expandHome(const std::string& path) {
  const char* home = std::getenv("HOME");
  return path.rfind("~/", 0) == 0 && home ? std::string(home) + path.substr(1) : path;
}

// OpenSSH keys say so inside their base64 text, PEM keys in the clear.
bool looksEncrypted(const std::string& text) {
  if (text.find("ENCRYPTED") != std::string::npos) return true;
  std::istringstream lines(text);
  std::string line, body;
  while (std::getline(lines, line))
    if (!line.empty() && line[0] != '-') body += line;
  auto raw = fromBase64(body);
  return raw && raw->substr(0, 64).find("bcrypt") != std::string::npos;
}

std::string algorithmsFor(const std::string& hostKeyType) {
  return hostKeyType == "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256,ssh-rsa" : hostKeyType;
}

Result<HostKey> readHostKey(ssh_session session) {
  ssh_key raw = nullptr;
  if (ssh_get_server_publickey(session, &raw) != SSH_OK) return Status::internal("the server showed no host key");
  Key key(raw);
  unsigned char* hash = nullptr;
  size_t length = 0;
  if (ssh_get_publickey_hash(key.get(), SSH_PUBLICKEY_HASH_SHA256, &hash, &length) != 0)
    return Status::internal("the host key can't be hashed");
  char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length);
  HostKey out;
  out.type = ssh_key_type_to_char(ssh_key_type(key.get()));
  if (text) out.fingerprint = text;
  ssh_string_free_char(text);
  ssh_clean_pubkey_hash(&hash);
  return out;
}

void splitLines(std::string& pending, const std::function<void(std::string_view)>& onLine) {
  size_t from = 0;
  for (size_t end; (end = pending.find('\n', from)) != std::string::npos; from = end + 1)
    onLine(std::string_view(pending).substr(from, end - from));
  pending.erase(0, from);
  if (pending.size() > 64 * 1024) pending.clear();  // no line of ours is so long
}

}  // namespace

void Cancel::cancel() {
  std::lock_guard lock(mutex_);
  cancelled_ = true;
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

bool Cancel::cancelled() const {
  std::lock_guard lock(mutex_);
  return cancelled_;
}

void Cancel::attach(int fd) {
  std::lock_guard lock(mutex_);
  fd_ = fd;
  if (cancelled_) ::shutdown(fd_, SHUT_RDWR);
}

void Cancel::detach(int fd) {
  std::lock_guard lock(mutex_);
  if (fd_ == fd) fd_ = -1;
}

Result<std::unique_ptr<SshSession>> SshSession::connect(const Endpoint& endpoint, const std::string& hostKeyType,
                                                        Duration timeout, std::shared_ptr<Cancel> cancel) {
  if (cancel->cancelled()) return problem(kCancelled, "stopped", "");
  auto dialled = dialTcp(endpoint.address, endpoint.port, timeout);
  if (!dialled.ok()) return dialled.status();
  std::unique_ptr<SshSession> self(new SshSession);
  self->fd_ = dialled.value();
  self->endpoint_ = endpoint;
  self->cancel_ = cancel;
  cancel->attach(self->fd_);
  self->handle_ = ssh_new();
  if (!self->handle_) return Status::internal("out of memory");
  ssh_session s = self->handle_;
  // Nothing on this box decides how we connect but the Machine: no ~/.ssh/config, no known_hosts.
  bool processConfig = false;
  ssh_options_set(s, SSH_OPTIONS_PROCESS_CONFIG, &processConfig);
  ssh_options_set(s, SSH_OPTIONS_KNOWNHOSTS, "/dev/null");
  ssh_options_set(s, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
  ssh_options_set(s, SSH_OPTIONS_HOST, endpoint.address.c_str());
  ssh_options_set(s, SSH_OPTIONS_USER, endpoint.user.c_str());
  ssh_options_set(s, SSH_OPTIONS_FD, &self->fd_);
  long seconds = std::max<long>(1, std::chrono::ceil<std::chrono::seconds>(timeout).count());
  ssh_options_set(s, SSH_OPTIONS_TIMEOUT, &seconds);
  if (!hostKeyType.empty()) ssh_options_set(s, SSH_OPTIONS_HOSTKEYS, algorithmsFor(hostKeyType).c_str());
  if (ssh_connect(s) != SSH_OK) {
    if (cancel->cancelled()) return problem(kCancelled, "stopped", "");
    return problem(kNotSsh, fmt::format("{}:{} accepts connections, but SSH can't be agreed on: {}", endpoint.address, endpoint.port, ssh_get_error(s)),
                   "Check that an SSH server listens on this port, and that it is not overloaded or limiting connections.");
  }
  auto key = readHostKey(s);
  if (!key.ok()) return key.status();
  self->hostKey_ = std::move(key).value();
  return self;
}

SshSession::~SshSession() {
  if (cancel_ && fd_ >= 0) cancel_->detach(fd_);
  if (handle_) closeHandle(handle_);
  else if (fd_ >= 0) ::close(fd_);
}

ssh_session_struct* SshSession::release() {
  if (cancel_) cancel_->detach(fd_);
  fd_ = -1;
  return std::exchange(handle_, nullptr);
}

void SshSession::closeHandle(ssh_session_struct* handle) {
  // libssh leaves a descriptor that it was given open, unless it forgets that it was given.
  ssh_options_set(handle, SSH_OPTIONS_FD, nullptr);
  ssh_disconnect(handle);
  ssh_free(handle);
}

Status SshSession::broken(const std::string& doing) const {
  if (cancel_->cancelled()) return problem(kCancelled, "stopped", "");
  return problem(kLost, fmt::format("the connection to {} broke while {}: {}", endpoint_.address, doing, ssh_get_error(handle_)),
                 "Check the network between this computer and the machine.");
}

Result<> SshSession::authenticate(const Credential& credential) {
  if (!credential.privateKey.empty() || !credential.identityFile.empty()) return authenticateWithKey(credential);
  int rc = ssh_userauth_publickey_auto(handle_, nullptr, credential.passphrase.empty() ? nullptr : credential.passphrase.c_str());
  if (rc == SSH_AUTH_SUCCESS) return {};
  if (rc == SSH_AUTH_ERROR && !ssh_is_connected(handle_)) return broken("logging in");
  const bool agent = std::getenv("SSH_AUTH_SOCK") != nullptr;
  return problem(kAuth, fmt::format("{} lets nobody in as {} with the keys of the ssh-agent ({}) or those in ~/.ssh",
                                    endpoint_.address, endpoint_.user, agent ? "running" : "not running"),
                 "Name a key in the machine's credentials, or add one to the ssh-agent (ssh-add), and put its public half into the user's authorized_keys.");
}

Result<> SshSession::authenticateWithKey(const Credential& credential) {
  std::string text = credential.privateKey, called = "the credential's key";
  if (text.empty()) {
    const std::string path = expandHome(credential.identityFile);
    called = "the key " + path;
    std::ifstream in(path, std::ios::binary);
    std::ostringstream content;
    if (!in || !(content << in.rdbuf()))
      return problem(kKey, fmt::format("{} can't be read: {}", called, std::strerror(errno)),
                     "Correct the path, and let the user who runs the engine read the file.");
    text = content.str();
  }
  ssh_key raw = nullptr;
  const char* passphrase = credential.passphrase.empty() ? nullptr : credential.passphrase.c_str();
  if (ssh_pki_import_privkey_base64(text.c_str(), passphrase, nullptr, nullptr, &raw) != SSH_OK) {
    if (looksEncrypted(text))
      return problem(kKey, passphrase ? fmt::format("the passphrase does not open {}", called) : fmt::format("{} needs a passphrase", called),
                     "Store the key with its passphrase as a credential, or load it into the ssh-agent and leave the machine's credentials empty.");
    return problem(kKey, fmt::format("{} is not a private key", called), "Give the private key file (id_ed25519), not the public one (.pub).");
  }
  Key key(raw);
  int rc = ssh_userauth_publickey(handle_, nullptr, key.get());
  if (rc == SSH_AUTH_SUCCESS) return {};
  if (!ssh_is_connected(handle_)) return broken("logging in");
  if (rc == SSH_AUTH_PARTIAL)
    return problem(kAuth, fmt::format("{} wants a second factor after the key", endpoint_.address),
                   "Let this key in without a second factor: an engine can't answer its question.");
  return problem(kAuth, fmt::format("{} does not accept {} for the user {}", endpoint_.address, called, endpoint_.user),
                 fmt::format("Add the key's public half to ~{}/.ssh/authorized_keys on the machine, or choose another user or key.", endpoint_.user));
}

Result<ssh_channel_struct*> SshSession::openCommand(const std::string& command) {
  std::unique_ptr<ssh_channel_struct, ChannelFree> channel(ssh_channel_new(handle_));
  if (!channel) return Status::internal("out of memory");
  if (ssh_channel_open_session(channel.get()) != SSH_OK) return broken("opening a channel");
  if (ssh_channel_request_exec(channel.get(), command.c_str()) != SSH_OK) return broken("starting a command");
  return channel.release();
}

Result<CommandOutput> SshSession::run(const std::string& command, const RunOptions& options) {
  const MonoTime deadline = systemClock().monoNow() + options.timeout;
  auto opened = openCommand(command);
  if (!opened.ok()) return opened.status();
  std::unique_ptr<ssh_channel_struct, ChannelFree> channel(opened.value());
  if (!options.input.empty() &&
      ssh_channel_write(channel.get(), options.input.data(), static_cast<uint32_t>(options.input.size())) != static_cast<int>(options.input.size()))
    return broken("sending a script");
  ssh_channel_send_eof(channel.get());
  return collect(channel.get(), command, options, {}, deadline);
}

Result<CommandOutput> SshSession::collect(ssh_channel_struct* channel, const std::string& command, const RunOptions& options,
                                          CommandOutput output, MonoTime deadline) {
  char buffer[16 * 1024];
  std::string pending;
  for (;;) {
    int n = ssh_channel_read_timeout(channel, buffer, sizeof buffer, 0, 100);
    if (n == SSH_ERROR) return broken("reading a command's answer");
    if (n > 0) {
      if (output.out.size() < options.maxOutput) output.out.append(buffer, n);
      if (options.onLine) {
        pending.append(buffer, n);
        splitLines(pending, options.onLine);
      }
    }
    int e = 0;
    while ((e = ssh_channel_read_nonblocking(channel, buffer, sizeof buffer, 1)) > 0)
      if (output.err.size() < options.maxOutput) output.err.append(buffer, e);
    if (n <= 0 && ssh_channel_is_eof(channel)) break;
    if (cancel_->cancelled()) return problem(kCancelled, "stopped", "");
    if (!ssh_is_connected(handle_)) return broken("reading a command's answer");
    if (systemClock().monoNow() > deadline)
      return problem(kTimeout, fmt::format("a command on {} did not end in time: {}", endpoint_.address, command.substr(0, 80)),
                     "Look at the machine: it may be overloaded, or its disk may hang.");
  }
  output.exit = ssh_channel_get_exit_status(channel);
  ssh_channel_close(channel);
  return output;
}

Result<CommandOutput> SshSession::runWithFile(const std::string& command, int fd, size_t bytes, Duration timeout,
                                              const std::function<void(int)>& onPercent) {
  const MonoTime deadline = systemClock().monoNow() + timeout;
  auto opened = openCommand(command);
  if (!opened.ok()) return opened.status();
  std::unique_ptr<ssh_channel_struct, ChannelFree> channel(opened.value());
  auto buffer = std::make_unique<char[]>(128 * 1024);
  size_t sent = 0;
  int shown = -1;
  while (sent < bytes) {
    ssize_t n = ::pread(fd, buffer.get(), 128 * 1024, static_cast<off_t>(sent));
    if (n <= 0) return Status::internal("the file to send became shorter");
    if (ssh_channel_write(channel.get(), buffer.get(), static_cast<uint32_t>(n)) != n) {
      // The other side gave up (a full disk): its last words say why.
      if (ssh_is_connected(handle_) && !cancel_->cancelled()) break;
      return broken("sending a file");
    }
    sent += static_cast<size_t>(n);
    int percent = static_cast<int>(sent * 100 / bytes);
    if (percent / 5 != shown / 5 || shown < 0) onPercent(shown = percent);
    if (cancel_->cancelled()) return problem(kCancelled, "stopped", "");
    if (systemClock().monoNow() > deadline)
      return problem(kTimeout, fmt::format("sending a file to {} takes too long: {} of {} bytes", endpoint_.address, sent, bytes),
                     "The connection is very slow, or the machine's disk hangs.");
  }
  ssh_channel_send_eof(channel.get());
  return collect(channel.get(), command, {}, {}, deadline);
}

}  // namespace ph::fleet

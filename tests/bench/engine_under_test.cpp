#include "tests/bench/engine_under_test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/base/base64.h"
#include "engine/base/check.h"

namespace ph::bench {
namespace {

pid_t spawn(const std::vector<std::string>& command, int stdoutFd) {
  std::vector<char*> argv;
  for (auto& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_t pid = fork();
  PH_CHECK(pid >= 0);
  if (pid == 0) {
    int quiet = open("/dev/null", O_WRONLY);
    dup2(stdoutFd >= 0 ? stdoutFd : quiet, 1);
    if (!getenv("PH_BENCH_VERBOSE")) dup2(quiet, 2);
    execv(argv[0], argv.data());
    _exit(127);
  }
  return pid;
}

void end(pid_t pid) {
  kill(pid, SIGTERM);
  waitpid(pid, nullptr, 0);
}

double residentOf(pid_t pid) {
  std::ifstream f("/proc/" + std::to_string(pid) + "/statm");
  long size = 0, resident = 0;
  f >> size >> resident;
  return double(resident) * double(sysconf(_SC_PAGESIZE)) / (1024 * 1024);
}

double cpuOf(pid_t pid) {
  std::ifstream f("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(f, line);
  std::istringstream rest(line.substr(line.rfind(')') + 2));
  std::string word;
  long user = 0, system = 0;
  for (int i = 0; i < 11; ++i) rest >> word;  // utime is field 14; field 3 comes first here
  rest >> user >> system;
  return double(user + system) / double(sysconf(_SC_CLK_TCK));
}

// The value of a `key: value` line of the kubeconfig that the engine writes (each stands on a line of its own).
std::string field(const std::string& text, const std::string& key) {
  size_t at = text.find(key + ": ");
  PH_CHECK_MSG(at != std::string::npos, key);
  at += key.size() + 2;
  std::string value = text.substr(at, text.find('\n', at) - at);
  if (value.size() > 1 && value.front() == '"') value = value.substr(1, value.size() - 2);
  return value;
}

std::string decoded(const std::string& text) {
  auto out = fromBase64(text);
  PH_CHECK(out.has_value());
  return *out;
}

}  // namespace

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string binDir() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path().string();
}

std::string temporaryDir() {
  struct Removed {
    std::vector<std::string> paths;
    ~Removed() {
      for (auto& path : paths) std::filesystem::remove_all(path);
    }
  };
  static Removed removed;
  char name[] = "/var/tmp/ph-bench-XXXXXX";  // a disk, where /tmp may be memory
  PH_CHECK(mkdtemp(name));
  removed.paths.push_back(name);
  return name;
}

EngineUnderTest::EngineUnderTest(std::string dataDir) : dataDir_(std::move(dataDir)) {
  int fds[2];
  PH_CHECK(pipe(fds) == 0);
  double begin = seconds();
  pid_ = spawn({binDir() + "/pilothouse-engine", "serve", "--data", dataDir_, "--listen", "127.0.0.1:0"}, fds[1]);
  close(fds[1]);
  FILE* out = fdopen(fds[0], "r");
  char line[512];
  bool ready = false;
  while (!ready && std::fgets(line, sizeof line, out)) ready = std::string_view(line).starts_with("ready https://");
  PH_CHECK_MSG(ready, "the engine did not become ready");
  secondsToReady_ = seconds() - begin;
  std::fclose(out);
  std::string text = line + sizeof("ready https://") - 1;
  access_.endpoint = text.substr(0, text.find(' '));
  std::ostringstream config;
  config << std::ifstream(kubeconfig()).rdbuf();
  access_.ca = decoded(field(config.str(), "certificate-authority-data"));
  access_.cert = decoded(field(config.str(), "client-certificate-data"));
  access_.key = decoded(field(config.str(), "client-key-data"));
}

EngineUnderTest::~EngineUnderTest() { end(pid_); }
double EngineUnderTest::residentMiB() const { return residentOf(pid_); }
double EngineUnderTest::cpuSeconds() const { return cpuOf(pid_); }

std::shared_ptr<net::HttpClient> Access::client(const std::shared_ptr<net::Io>& io) const {
  net::ClientOptions o;
  o.endpoint = endpoint;
  o.tls = net::ClientTls{.caPem = ca, .certPem = cert, .keyPem = key};
  return net::HttpClient::make(io, o);
}

Companion::Companion(std::vector<std::string> command) : pid_(spawn(command, -1)) {}
Companion::~Companion() { end(pid_); }
double Companion::residentMiB() const { return residentOf(pid_); }
double Companion::cpuSeconds() const { return cpuOf(pid_); }

}  // namespace ph::bench

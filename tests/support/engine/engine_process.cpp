#include "tests/support/engine/engine_process.h"

#include <signal.h>

#include <QElapsedTimer>
#include <QFile>
#include <QProcessEnvironment>
#include <QRegularExpression>
#include <QStandardPaths>
#include <condition_variable>
#include <deque>
#include <future>

#include "engine/base/time.h"
#include "engine/net/pki.h"

namespace ph::test {

Ran runProgram(const QString& program, const QStringList& arguments, const QByteArray& input, int seconds,
               const QStringList& environment) {
  QProcess process;
  auto env = QProcessEnvironment::systemEnvironment();
  for (auto& e : environment) env.insert(e.section('=', 0, 0), e.section('=', 1));
  process.setProcessEnvironment(env);
  process.start(program, arguments);
  process.write(input);
  process.closeWriteChannel();
  Ran ran;
  if (!process.waitForFinished(seconds * 1000)) {
    process.kill();
    process.waitForFinished();
    ran.err = "did not end in time\n";
  } else if (process.exitStatus() == QProcess::NormalExit) {
    ran.code = process.exitCode();
  }
  ran.out += QString::fromUtf8(process.readAllStandardOutput());
  ran.err += QString::fromUtf8(process.readAllStandardError());
  return ran;
}

EngineProcess::EngineProcess() = default;

EngineProcess::~EngineProcess() {
  if (running()) kill9();
}

bool EngineProcess::start(const QStringList& more) {
  process_ = std::make_unique<QProcess>();
  process_->setStandardErrorFile(dir_.path() + "/log", QIODevice::Append);
  QStringList arguments = {"serve", "--data", dataDir(), "--listen", address_.isEmpty() ? "127.0.0.1:0" : address_};
  process_->start(QString(PH_BIN_DIR) + "/pilothouse-engine", arguments + more);
  QElapsedTimer timer;
  timer.start();
  QByteArray text;
  while (!text.contains('\n') && timer.elapsed() < 20000) {
    if (!process_->waitForReadyRead(200) && process_->state() == QProcess::NotRunning) break;
    text += process_->readAllStandardOutput();
  }
  ready_ = QString::fromUtf8(text).trimmed();
  if (!ready_.startsWith("ready https://")) return false;
  address_ = ready_.section("https://", 1).section(' ', 0, 0);
  return true;
}

void EngineProcess::kill9() {
  if (!running()) return;
  ::kill(pid_t(pid()), SIGKILL);
  process_->waitForFinished();
}

bool EngineProcess::stop() {
  if (!running()) return false;
  ::kill(pid_t(pid()), SIGTERM);
  if (!process_->waitForFinished(20000)) {
    kill9();
    return false;
  }
  return process_->exitStatus() == QProcess::NormalExit && process_->exitCode() == 0;
}

QString EngineProcess::log() const {
  QFile f(dir_.path() + "/log");
  return f.open(QIODevice::ReadOnly) ? QString::fromUtf8(f.readAll()) : QString();
}

QByteArray EngineProcess::file(const QString& name) const {
  QFile f(dataDir() + "/" + name);
  return f.open(QIODevice::ReadOnly) ? f.readAll() : QByteArray();
}

QString EngineProcess::kubectlPath() {
  auto given = qEnvironmentVariable("PH_KUBECTL");
  return given.isEmpty() ? QStandardPaths::findExecutable("kubectl") : given;
}

Ran EngineProcess::kubectl(const QStringList& arguments, const QByteArray& input, const QString& binary) const {
  return runProgram(binary.isEmpty() ? kubectlPath() : binary, arguments, input, 60,
                    {"KUBECONFIG=" + kubeconfig(), "HOME=" + dir_.path(), "KUBECTL_EXTERNAL_DIFF=diff -u"});
}

HollowNodes::~HollowNodes() {
  process_.terminate();
  if (!process_.waitForFinished(5000)) {
    process_.kill();
    process_.waitForFinished();
  }
}

bool HollowNodes::start(const EngineProcess& engine, int count) {
  process_.setProcessChannelMode(QProcess::MergedChannels);
  process_.start(QString(PH_BIN_DIR) + "/pilothouse-agent", {"--hollow", QString::number(count), "--kubeconfig", engine.kubeconfig()});
  if (!process_.waitForStarted()) return false;
  QElapsedTimer timer;
  timer.start();
  while (timer.elapsed() < 20000) {
    auto nodes = engine.kubectl({"get", "nodes", "--no-headers"}).out.split('\n', Qt::SkipEmptyParts);
    if (nodes.filter(QRegularExpression("\\sReady\\s")).size() == count) return true;
  }
  return false;
}

std::string q(std::string text) {
  for (auto& c : text)
    if (c == '\'') c = '"';
  return text;
}

// ---- HTTP ---------------------------------------------------------------------------------------------------------

struct LineState {
  std::mutex mutex;
  std::condition_variable changed;
  int code = 0;
  QByteArray rest;
  std::deque<QByteArray> lines;
  bool ended = false;
};

Http::Http(const EngineProcess& engine, const Identity& identity, bool http2) : token_(identity.token.toStdString()) {
  io_ = net::Io::make(1);
  net::ClientOptions options;
  options.endpoint = engine.address().toStdString();
  options.http2 = http2;
  net::ClientTls tls;
  tls.caPem = identity.ca.toStdString();
  tls.certPem = identity.cert.toStdString();
  tls.keyPem = identity.key.toStdString();
  tls.insecureSkipVerify = identity.ca.isEmpty();
  options.tls = tls;
  client_ = net::HttpClient::make(io_, std::move(options));
}

Identity Http::admin(const EngineProcess& engine) {
  return {engine.file("pki/admin.crt"), engine.file("pki/admin.key"), {}, engine.file("pki/ca.crt")};
}

Identity Http::issued(const EngineProcess& engine, const std::string& name, const std::vector<std::string>& groups) {
  net::CertSpec spec;
  spec.commonName = name;
  spec.organizations = groups;
  spec.clientAuth = true;
  auto now = systemClock().wallNow();
  spec.notBefore = now - std::chrono::hours(1);
  spec.notAfter = now + std::chrono::hours(1);
  auto pair = net::issue({engine.file("pki/ca.crt").toStdString(), engine.file("pki/ca.key").toStdString()}, spec);
  if (!pair.ok()) return {};
  return {QByteArray::fromStdString(pair->certPem), QByteArray::fromStdString(pair->keyPem), {}, engine.file("pki/ca.crt")};
}

static net::Request makeRequest(const std::string& method, const std::string& pathAndQuery, const std::string& token) {
  net::Request request;
  request.method = method;
  auto mark = pathAndQuery.find('?');
  request.path = pathAndQuery.substr(0, mark);
  if (mark != std::string::npos) request.query = pathAndQuery.substr(mark + 1);
  if (!token.empty()) request.headers.add("authorization", "Bearer " + token);
  return request;
}

Answer Http::send(const std::string& method, const std::string& pathAndQuery, const std::string& body,
                  const std::vector<std::pair<std::string, std::string>>& headers) {
  auto request = makeRequest(method, pathAndQuery, token_);
  request.body = body;
  bool typed = false;
  for (auto& [name, value] : headers) {
    request.headers.add(name, value);
    typed = typed || name == "content-type";
  }
  if (!body.empty() && !typed) request.headers.add("content-type", "application/json");
  auto promise = std::make_shared<std::promise<Answer>>();
  auto future = promise->get_future();
  client_->send(std::move(request), std::chrono::seconds(30), [promise](Result<net::Response> result) {
    Answer answer;
    if (result.ok()) {
      answer.code = result->status;
      answer.body = QByteArray::fromStdString(result->bodyText());
      answer.headers = result->headers;
    } else {
      answer.body = QByteArray::fromStdString(result.status().message);
    }
    promise->set_value(std::move(answer));
  });
  return future.get();
}

Answer Http::get(const std::string& pathAndQuery, const std::string& accept) {
  if (accept.empty()) return send("GET", pathAndQuery);
  return send("GET", pathAndQuery, {}, {{"accept", accept}});
}

Answer Http::patch(const std::string& path, const std::string& body, const std::string& type) {
  return send("PATCH", path, body, {{"content-type", type}});
}

Http::Lines Http::watch(const std::string& pathAndQuery, const std::string& accept) {
  auto request = makeRequest("GET", pathAndQuery, token_);
  if (!accept.empty()) request.headers.add("accept", accept);
  Lines out;
  out.state = std::make_shared<LineState>();
  net::StreamCallbacks callbacks;
  callbacks.onHeaders = [s = out.state](int status, const net::Headers&) {
    std::lock_guard lock(s->mutex);
    s->code = status;
    s->changed.notify_all();
  };
  callbacks.onData = [s = out.state](std::string_view data) {
    std::lock_guard lock(s->mutex);
    s->rest.append(data.data(), qsizetype(data.size()));
    for (auto at = s->rest.indexOf('\n'); at >= 0; at = s->rest.indexOf('\n')) {
      s->lines.push_back(s->rest.left(at));
      s->rest.remove(0, at + 1);
    }
    s->changed.notify_all();
  };
  callbacks.onEnd = [s = out.state](Result<net::Headers>) {
    std::lock_guard lock(s->mutex);
    s->ended = true;
    s->changed.notify_all();
  };
  out.handle = client_->stream(std::move(request), std::move(callbacks));
  return out;
}

int Http::Lines::code() {
  std::unique_lock lock(state->mutex);
  state->changed.wait_for(lock, std::chrono::seconds(10), [&] { return state->code || state->ended; });
  return state->code;
}

QByteArray Http::Lines::rest() {
  std::lock_guard lock(state->mutex);
  return state->rest;
}

std::optional<QByteArray> Http::Lines::next(int milliseconds) {
  std::unique_lock lock(state->mutex);
  state->changed.wait_for(lock, std::chrono::milliseconds(milliseconds),
                          [&] { return !state->lines.empty() || state->ended; });
  if (state->lines.empty()) return std::nullopt;
  auto line = state->lines.front();
  state->lines.pop_front();
  return line;
}

bool Http::Lines::waitEnd(int milliseconds) {
  std::unique_lock lock(state->mutex);
  return state->changed.wait_for(lock, std::chrono::milliseconds(milliseconds), [&] { return state->ended; });
}

}  // namespace ph::test

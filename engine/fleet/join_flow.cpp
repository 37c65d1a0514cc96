// The controller's way from a Machine to a ready Node, and back to it after each loss.
#include <fmt/format.h>

#include <algorithm>

#include "engine/api/conditions.h"
#include "engine/api/types/core.h"
#include "engine/base/log.h"
#include "engine/fleet/controller.h"
#include "engine/fleet/problem.h"
#include "engine/fleet/scripts.h"
#include "engine/fleet/status_words.h"

namespace ph::fleet {
namespace {

using namespace std::chrono_literals;

bool nodeReady(const api::Object& node) { return api::conditionTrue(node.as<api::core::Node>().status.conditions, "Ready"); }

Duration pauseAfter(const Status& why, int failures) {
  const bool late = whenAgain(why) == Again::Late;
  Duration base = late ? Duration(15s) : Duration(1s), most = late ? Duration(5min) : Duration(30s);
  for (int i = 1; i < failures && base < most; ++i) base *= 2;
  return std::min(base, most);
}

// With a connection that is gone, being refused or not answered is the same news again, not a new trouble.
bool isOutage(const Status& s) { return s.is(kUnreachable) || s.is(kTimeout) || s.is(kRefused) || s.is(kNotSsh) || s.is(kLost) || s.is(kUnresolved); }

}  // namespace

Access Controller::accessOf(const Record& r) const {
  auto& s = r->spec();
  Access a;
  a.endpoint = {s.address, s.user.empty() ? "root" : s.user, s.port ? s.port : 22};
  a.hostKey = s.hostKey;
  a.hostKeyTypeHint = !s.hostKey.empty() && s.hostKey == r->status.hostKey ? r->status.hostKeyType : "";
  a.identityFile = s.credentials.identityFile;
  a.credential = s.credentials.name;
  a.connectTimeout = options_.connectTimeout;
  return a;
}

JoinPlan Controller::planFor(const Record& r) const {
  JoinPlan plan;
  plan.access = accessOf(r);
  plan.node = r->name;
  plan.agentDir = options_.agentDir;
  plan.agentArguments = {"run", "--node-name", r->name, "--engine", "unix:" + options_.engineSocket};
  // Labels and taints are not told to the agent: node_sync.cpp puts them on its Node, and a change needs no restart.
  plan.neighbours.self = r->name;
  for (auto& [name, other] : records_)
    if (other != r && !other->status.hostname.empty()) plan.neighbours.nodeByHostname[other->status.hostname] = name;
  return plan;
}

void Controller::beginJoin(const Record& r) {
  if (!r->spec().jumpHosts.empty())
    return failed(r, problem(kPreflight, "this version connects to machines directly, not through jump hosts", "Leave spec.jumpHosts empty, and give an address that this computer reaches."));
  r->doing = Doing::Joining;
  r->waiting = false;
  const uint64_t epoch = ++r->epoch;
  r->began = executor_->monoNow();
  r->cancel = newCancel();
  r->status.nextAttempt.reset();
  if (!r->everJoined() && r->status.phase != "Failed") setPhase(r, "Connecting", fmt::format("connecting to {}", r->spec().address));
  flush(r);
  std::weak_ptr<Controller> weak = weak_from_this();
  auto progress = [weak, r, epoch](const JoinProgress& p) {
    if (auto self = weak.lock()) self->post([r, epoch, p](Controller& c) { c.onProgress(r, epoch, p); });
  };
  pool_->post([weak, r, epoch, plan = planFor(r), cancel = r->cancel, credentials = options_.credentials, progress] {
    auto result = std::make_shared<Result<Joined>>(join(plan, credentials, cancel, progress));
    if (auto self = weak.lock()) {
      self->drop(cancel);
      self->post([r, epoch, result](Controller& c) { c.onJoined(r, epoch, result); });
    }
  });
}

void Controller::onProgress(const Record& r, uint64_t epoch, const JoinProgress& p) {
  if (!current(r, epoch)) return;
  auto& s = r->status;
  if (!p.hostKey.fingerprint.empty()) {
    s.hostKey = p.hostKey.fingerprint;
    s.hostKeyType = p.hostKey.type;
  }
  if (p.hasProbe) {
    s.architecture = p.probe.arch;
    s.hostname = p.probe.hostname;
    s.versions.kernel = p.probe.kernel;
    s.versions.os = p.probe.os;
    s.versions.containerd = p.probe.containerdVersion;
    s.findings = p.findings;
  }
  if (p.phase == "Preflight" || p.phase == "Installing" || p.phase == "Starting") {
    setFinding(s, "SSH", "", "", "");
    s.lastSeen = now();
    if (!r->joining && !r->everJoined())
      s.joinStarted = now() - std::chrono::duration_cast<WallTime::duration>(executor_->monoNow() - r->began);
    r->joining = true;
  }
  // From here on something of ours is on the machine, and removal has to go there.
  if (p.phase == "Installing" || p.phase == "Starting") s.nodeName = r->name;
  // A machine that comes back stays "Lost" until it is ready, unless there is something to install first.
  if (!r->everJoined() || p.phase == "Installing") setPhase(r, p.phase == "Starting" ? "Joining" : p.phase, p.step);
  setProgress(r, p.step, p.percent);
  r->statusDirty = true;
  flush(r);
}

void Controller::onJoined(const Record& r, uint64_t epoch, std::shared_ptr<Result<Joined>> result) {
  if (!current(r, epoch)) return;  // the session closes with the result
  r->cancel.reset();
  r->doing = Doing::Nothing;
  if (!result->ok()) return failed(r, result->status());
  r->failures = 0;
  r->status.attempts = 0;
  link(r, std::move(result->value().session));
  lookAtNode(r);
  flush(r);
}

void Controller::link(const Record& r, std::unique_ptr<SshSession> session) {
  r->doing = Doing::Linked;
  const uint64_t epoch = ++r->epoch;
  std::weak_ptr<Controller> weak = weak_from_this();
  LinkSpec spec;
  spec.name = r->name;
  const std::string agent(place::kAgent);
  spec.listenCommand = asRoot(agent + " bridge --listen " + options_.engineSocket);
  spec.connectCommand = asRoot(agent + " bridge --connect " + options_.agentSocket);
  spec.onStream = [accept = options_.acceptStream, name = r->name](int fd) {
    net::Peer peer;
    peer.address = "ssh:" + name;
    peer.pinnedUser = "system:node:" + name;
    peer.pinnedGroups = {"system:nodes"};
    accept(fd, std::move(peer));
  };
  spec.onLost = [weak, r, epoch](std::string reason) {
    if (auto self = weak.lock()) self->post([r, epoch, reason](Controller& c) { c.onLost(r, epoch, reason); });
  };
  r->link->store(poller_->add(std::move(session), std::move(spec)));
  if (options_.io) {
    std::lock_guard lock(mutex_);
    auto& way = ways_[r->name];
    if (!way.client || way.link != r->link) {
      net::ClientOptions options;
      options.dial = [poller = std::weak_ptr<SshPoller>(poller_), link = r->link](std::function<void(Result<int>)> done) {
        auto p = poller.lock();
        const SshPoller::Id id = link->load();
        if (!p || !id) return done(Status::unavailable("there is no connection to the machine"));
        p->dial(id, std::move(done));
      };
      way = {net::HttpClient::make(options_.io, std::move(options)), r->link};
    }
  }
  r->status.lastSeen = now();
  if (setCondition(r->status, "Connected", true, "SshSession", "", now())) event(r, false, "Connected", fmt::format("connected to {}", r->spec().address));
  r->statusDirty = true;
  r->timer = strand_->after(options_.joinTimeout, [weak, r, epoch] {
    auto self = weak.lock();
    if (!self || !self->current(r, epoch) || conditionIs(r->status, "Ready", true)) return;
    setFinding(r->status, "Agent", "Error", "the agent runs, but its node did not become ready", fmt::format("Look at {} on the machine, or at the agent's journal.", place::kLog));
    self->setPhase(r, "Failed", "the agent runs, but its node did not become ready");
    self->event(r, true, "NodeNotReady", "the agent runs, but its node did not become ready in time");
    self->flush(r);
  });
}

void Controller::lookAtNode(const Record& r) {
  if (r->doing != Doing::Linked || !r->object) return;
  auto node = nodeCache_->get(r->name);
  const bool ready = node && nodeReady(*node);
  if (node) syncNode(r);
  if (!ready) {
    setCondition(r->status, "Ready", false, node ? "NodeNotReady" : "NodeMissing", node ? "its node is not ready" : "its node is not there yet", now());
    if (r->status.phase != "Failed")
      setPhase(r, r->everJoined() && !r->joining ? "Lost" : "Joining", node ? "waiting for its node to become ready" : "waiting for its node to appear");
    return flush(r);
  }
  if (r->status.phase == "Ready" && conditionIs(r->status, "Ready", true)) return flush(r);
  setCondition(r->status, "Ready", true, "NodeReady", "", now());
  setFinding(r->status, "Agent", "", "", "");
  setFinding(r->status, "SSH", "", "", "");
  r->status.versions.agent = node->as<api::core::Node>().status.nodeInfo.kubeletVersion;
  setProgress(r, "", 0);
  setPhase(r, "Ready", "");
  if (r->joining && !r->everJoined() && r->status.joinStarted) {
    r->status.joinFinished = now();
    r->status.joinSeconds = std::chrono::duration<double>(now() - *r->status.joinStarted).count();
    event(r, false, "Joined", fmt::format("joined as node {} in {:.1f} s", r->name, r->status.joinSeconds));
  }
  r->joining = false;
  flush(r);
}

void Controller::onLost(const Record& r, uint64_t epoch, const std::string& reason) {
  if (!current(r, epoch) || r->doing != Doing::Linked) return;
  r->link->store(0);
  r->doing = Doing::Nothing;
  r->timer.cancel();
  r->status.lastSeen = now();
  setCondition(r->status, "Connected", false, "ConnectionLost", reason, now());
  setPhase(r, "Lost", "the connection was lost: " + reason);
  event(r, true, "ConnectionLost", "the connection was lost: " + reason);
  flush(r);
  tryAgain(r, 200ms);
}

void Controller::failed(const Record& r, const Status& why) {
  r->doing = Doing::Nothing;
  r->joining = false;
  if (why.is(kCancelled)) return;
  ++r->failures;
  r->status.attempts = r->failures;
  setProgress(r, "", 0);
  const bool trust = why.is(kHostKeyUnknown);
  // What the checks found stands in the findings already; the way there is a finding of its own.
  if (!why.is(kPreflight) || r->status.findings.empty())
    setFinding(r->status, why.is(kInstall) || why.is(kUpload) || why.is(kStart) ? "Install" : "SSH", trust ? "Warning" : "Error", why.message, fixOf(why));
  setCondition(r->status, "Connected", false, why.reason, why.message, now());
  const bool known = r->status.message == why.message;
  if (trust) setPhase(r, "Untrusted", why.message);
  else setPhase(r, r->everJoined() && isOutage(why) ? "Lost" : "Failed", why.message);
  if (!known) event(r, true, why.reason, why.message);
  if (whenAgain(why) == Again::AfterChange) {
    r->waiting = true;
    r->status.nextAttempt.reset();
    return flush(r);
  }
  const Duration pause = pauseAfter(why, r->failures);
  r->status.nextAttempt = now() + std::chrono::duration_cast<WallTime::duration>(pause);
  flush(r);
  tryAgain(r, pause);
}

void Controller::tryAgain(const Record& r, Duration delay) {
  r->waiting = true;
  const uint64_t epoch = r->epoch;
  // Some spread, so that a rack that lost power together does not come back as one crowd.
  delay += Duration(static_cast<int64_t>(static_cast<double>(delay.count()) * 0.2 * executor_->random().unit()));
  r->timer = strand_->after(delay, [weak = weak_from_this(), r, epoch] {
    auto self = weak.lock();
    if (!self || !self->current(r, epoch) || r->doing != Doing::Nothing) return;
    r->waiting = false;
    self->reconcile(r);
  });
}

void Controller::abandon(const Record& r) {
  ++r->epoch;
  if (r->cancel) r->cancel->cancel();
  r->cancel.reset();
  r->timer.cancel();
  if (SshPoller::Id id = r->link->exchange(0)) poller_->remove(id);
  r->doing = Doing::Nothing;
  r->joining = false;
}

}  // namespace ph::fleet

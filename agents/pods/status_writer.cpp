#include "agents/pods/status_writer.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "engine/api/codec.h"
#include "engine/api/types/core.h"
#include "engine/base/log.h"

namespace ph::agents {

using api::Json;
using api::JsonObject;

StatusWriter::StatusWriter(client::Client& client, std::shared_ptr<Executor> strand)
    : client_(client), strand_(std::move(strand)), info_(client.registry().find("", "v1", "pods")) {}

void StatusWriter::set(const client::ObjectPtr& pod, Json status, Duration delay) {
  auto& entry = entries_[pod->uid()];
  entry.ns = pod->ns();
  entry.name = pod->name();
  std::string text = api::toText(status);
  if (text == entry.wanted && (entry.wanted == entry.written || entry.busy || entry.timer.armed())) return;
  entry.wanted = std::move(text);
  if (entry.busy || entry.failures > 0) return;  // goes out when the write under way, or the back-off, is over
  if (delay > Duration::zero()) {
    if (entry.timer.armed()) return;
    std::weak_ptr<StatusWriter> weak = weak_from_this();
    entry.timer = strand_->after(delay, [weak, uid = pod->uid()] {
      if (auto self = weak.lock()) self->pump(uid);
    });
    return;
  }
  entry.timer.cancel();
  pump(pod->uid());
}

void StatusWriter::seen(const client::ObjectPtr& pod) {
  auto it = entries_.find(pod->uid());
  if (it == entries_.end()) return;
  it->second.latest = pod;
  correct(it->first, it->second);
}

namespace {

bool saysSo(const api::core::PodStatus& held, const std::string& wanted) {
  auto parsed = api::parseJson(wanted);
  if (!parsed.ok()) return true;
  auto* phase = api::at(*parsed, "phase");
  if (phase && phase->is_string() && held.phase != std::string_view(phase->as_string())) return false;
  auto* conditions = api::at(*parsed, "conditions");
  if (!conditions || !conditions->is_array()) return true;
  for (auto& c : conditions->as_array()) {
    std::string_view type = c.at("type").as_string(), status = c.at("status").as_string();
    bool same = std::any_of(held.conditions.begin(), held.conditions.end(),
                            [&](auto& h) { return h.type == type && h.status == status; });
    if (!same) return false;
  }
  return true;
}

}  // namespace

void StatusWriter::correct(const std::string& uid, Entry& entry) {
  if (entry.busy || entry.failures > 0 || entry.wanted != entry.written || entry.wanted.empty()) return;
  if (!entry.latest || entry.latest->revision() <= entry.writtenRevision) return;
  if (saysSo(entry.latest->as<api::core::Pod>().status, entry.wanted)) return;
  entry.written.clear();
  pump(uid);
}

void StatusWriter::finish(const client::ObjectPtr& pod, std::function<void()> gone) {
  auto& entry = entries_[pod->uid()];
  entry.ns = pod->ns();
  entry.name = pod->name();
  entry.deleting = true;
  entry.gone = std::move(gone);
  if (!entry.busy && entry.failures == 0) pump(pod->uid());
}

void StatusWriter::retryNow() {
  std::vector<std::string> waiting;
  for (auto& [uid, entry] : entries_)
    if (entry.failures > 0 && !entry.busy) waiting.push_back(uid);
  for (auto& uid : waiting) pump(uid);
}

void StatusWriter::forget(const std::string& uid) { entries_.erase(uid); }

size_t StatusWriter::pending() const {
  return size_t(std::count_if(entries_.begin(), entries_.end(), [](auto& e) { return e.second.busy || e.second.wanted != e.second.written; }));
}

void StatusWriter::retry(const std::string& uid, Entry& entry) {
  ++entry.failures;
  auto base = std::chrono::milliseconds(200) * (1 << std::min(entry.failures, 5));
  auto wait = base / 2 + std::chrono::nanoseconds(int64_t(strand_->random().unit() * double(Duration(base).count())));
  std::weak_ptr<StatusWriter> weak = weak_from_this();
  entry.timer = strand_->after(wait, [weak, uid] {
    if (auto self = weak.lock()) self->pump(uid);
  });
}

void StatusWriter::pump(const std::string& uid) {
  auto it = entries_.find(uid);
  if (it == entries_.end() || it->second.busy) return;
  auto& entry = it->second;
  entry.timer.cancel();
  if (entry.wanted == entry.written) {
    if (entry.deleting) return writeDelete(uid, entry);
    entry.failures = 0;
    return;
  }
  entry.busy = true;
  client::Write write;
  write.verb = client::Verb::Patch;
  write.info = info_;
  write.ns = entry.ns;
  write.name = entry.name;
  write.subresource = "status";
  write.uid = uid;
  write.body = "{\"metadata\":{\"uid\":\"" + uid + "\"},\"status\":" + entry.wanted + "}";
  std::weak_ptr<StatusWriter> weak = weak_from_this();
  client_.write(std::move(write), [weak, strand = strand_, uid, sent = entry.wanted](Result<client::ObjectPtr> result) {
    strand->post([weak, uid, sent, result = std::move(result)]() mutable {
      auto self = weak.lock();
      if (!self) return;
      auto it = self->entries_.find(uid);
      if (it == self->entries_.end()) return;
      auto& entry = it->second;
      entry.busy = false;
      if (!result.ok() && !result.status().isNotFound() && !result.status().isConflict()) {
        if (result.status().code >= 400 && result.status().code < 500 && result.status().code != 429) {
          PH_LOG(Warn, "status", "pod {}/{}: status refused: {}", entry.ns, entry.name, result.status().message);
          entry.written = sent;  // the same text would be refused again; the next one may not
        } else {
          // It may have been written all the same, the answer alone being lost: nobody knows what the API holds now.
          entry.written.clear();
          return self->retry(uid, entry);
        }
      } else {
        // Not found, or another uid under this name: the pod is gone from the API, nothing more is to be told.
        entry.written = sent;
        if (result.ok() && *result) entry.writtenRevision = (*result)->revision();
        if (result.ok() && *result && self->onWritten_) self->onWritten_(*result);
      }
      entry.failures = 0;
      self->pump(uid);
      // What came while this was on its way.
      if (auto again = self->entries_.find(uid); again != self->entries_.end()) self->correct(uid, again->second);
    });
  });
}

void StatusWriter::writeDelete(const std::string& uid, Entry& entry) {
  entry.busy = true;
  client::Write write;
  write.verb = client::Verb::Delete;
  write.info = info_;
  write.ns = entry.ns;
  write.name = entry.name;
  write.uid = uid;
  write.gracePeriodSeconds = 0;
  std::weak_ptr<StatusWriter> weak = weak_from_this();
  client_.write(std::move(write), [weak, strand = strand_, uid](Result<client::ObjectPtr> result) {
    strand->post([weak, uid, result = std::move(result)] {
      auto self = weak.lock();
      if (!self) return;
      auto it = self->entries_.find(uid);
      if (it == self->entries_.end()) return;
      it->second.busy = false;
      if (result.ok() || result.status().isNotFound() || result.status().code == 409) {
        auto gone = std::move(it->second.gone);
        self->entries_.erase(it);
        if (gone) gone();
      } else {
        self->retry(uid, it->second);
      }
    });
  });
}

}  // namespace ph::agents

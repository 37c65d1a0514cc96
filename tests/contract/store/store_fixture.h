// What the store tests share: waiting for answers, and short ways to write and read.
#pragma once

#include <QTest>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <string>

#include "engine/store/store.h"

namespace ph::store::testing {

inline std::shared_ptr<const std::string> bytes(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

using Answer = Result<std::vector<int64_t>>;

inline std::future<Answer> send(Store& store, std::vector<Op> ops) {
  auto promise = std::make_shared<std::promise<Answer>>();
  auto future = promise->get_future();
  store.commit({std::move(ops), [promise](Answer answer) { promise->set_value(std::move(answer)); }});
  return future;
}

inline Answer commit(Store& store, std::vector<Op> ops) {
  auto future = send(store, std::move(ops));
  if (future.wait_for(std::chrono::seconds(30)) != std::future_status::ready)
    return Status::timeout("no answer from the store");
  return future.get();
}

// The revision, or minus the status code.
inline int64_t put(Store& store, const std::string& key, const std::string& value,
                   std::optional<int64_t> expected = {}) {
  auto answer = commit(store, {{key, bytes(value), expected}});
  return answer.ok() ? answer->at(0) : -answer.status().code;
}
inline int64_t erase(Store& store, const std::string& key, std::optional<int64_t> expected = {}) {
  auto answer = commit(store, {{key, nullptr, expected}});
  return answer.ok() ? answer->at(0) : -answer.status().code;
}

inline Result<> compact(Store& store, int64_t revision) {
  auto promise = std::make_shared<std::promise<Result<>>>();
  auto future = promise->get_future();
  store.compact(revision, [promise](Result<> answer) { promise->set_value(std::move(answer)); });
  if (future.wait_for(std::chrono::seconds(30)) != std::future_status::ready)
    return Status::timeout("no answer from the store");
  return future.get();
}

// "key=value@revision key2=..." of what lives.
inline std::string state(Store& store) {
  std::string text;
  auto result = store.load([&](Record r) {
    text += (text.empty() ? "" : " ") + r.key + "=" + *r.value + "@" + std::to_string(r.revision);
  });
  return result.ok() ? text : result.status().message;
}
// "key=value@revision" or "-key@revision" for tombstones.
inline std::string history(Store& store, int64_t after, size_t limit = SIZE_MAX) {
  std::string text;
  auto result = store.history(after, [&](Record r) {
    text += text.empty() ? "" : " ";
    text += (r.value ? r.key + "=" + *r.value : "-" + r.key) + "@" + std::to_string(r.revision);
    return --limit > 0;
  });
  return result.ok() ? text : std::to_string(result.status().code);
}

}  // namespace ph::store::testing

// PathWatch: lists and then watches one path of the API as it answers, in a form of the asker's choice: the
// server's tables, metadata only, or whole objects, of kinds that no registry here needs to know. Pages while
// listing; after a break it watches on from where it was, or lists again when that is too long ago (410).
// Threads: start() and stop() from any thread; handlers run on `strand`, one at a time, none after stop() has
// returned on the strand.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <string>

#include "engine/base/executor.h"
#include "engine/client/client.h"

namespace ph::models {

// Kubernetes' media types (API concepts, "Receiving resources as Tables").
inline constexpr const char* kAsTable = "application/json;as=Table;v=v1;g=meta.k8s.io";
inline constexpr const char* kAsMetadata = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
inline constexpr const char* kAsMetadataWatch = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";

class PathWatch : public std::enable_shared_from_this<PathWatch> {
  struct Private {};

 public:
  using Value = boost::json::value;
  struct Handlers {
    // A page of the list; `first` begins a new list (what it does not name is gone when `last` has come).
    std::function<void(const Value& page, bool first, bool last)> onPage;
    // type: ADDED, MODIFIED, DELETED.
    std::function<void(std::string_view type, const Value& object)> onEvent;
    // Up, or down with the reason. A path that does not exist ends here: code 404 and no more tries.
    std::function<void(bool up, const Status& why)> onState;
  };
  struct Options {
    std::string path, query;  // query without '?': "fieldSelector=…"
    std::string listAs, watchAs;  // Accept; empty: JSON objects
    int pageSize = 500;
    Duration relistEvery{};  // for kinds that can't be watched; 0: watch
  };
  static std::shared_ptr<PathWatch> start(std::shared_ptr<client::Client> client, std::shared_ptr<Executor> strand,
                                          Options options, Handlers handlers);
  PathWatch(Private, std::shared_ptr<client::Client> client, std::shared_ptr<Executor> strand, Options options,
            Handlers handlers);
  void stop();

 private:
  void list(const std::string& token);
  void onList(uint64_t epoch, Result<std::string> body);
  void watch();
  void onData(uint64_t epoch, const std::string& data);
  void onLine(std::string_view line);
  void down(const Status& why, bool listAgain);

  const std::shared_ptr<client::Client> client_;
  const std::shared_ptr<Executor> strand_;
  const Options options_;
  const Handlers handlers_;
  std::atomic<bool> stopped_{false};
  // On the strand:
  uint64_t epoch_ = 0;
  bool first_ = true, again_ = false, up_ = false;
  std::string revision_, rest_;
  std::shared_ptr<void> call_;
  Timer timer_;
  int failures_ = 0;
};

}  // namespace ph::models

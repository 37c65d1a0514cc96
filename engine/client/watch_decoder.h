// WatchDecoder: a watch's stream of JSON lines as events. One thread at a time.
#pragma once

#include "engine/client/client.h"

namespace ph::client {

class WatchDecoder {
 public:
  explicit WatchDecoder(const ResourceInfo& info) : info_(info) {}
  // Takes bytes as they come, cut anywhere; complete events are appended. Fails with the Status of an ERROR
  // event (410 when the revision is too old), or when a line is malformed or longer than 32 MB; nothing may
  // be fed after that.
  Result<> feed(std::string_view bytes, std::vector<WatchEvent>& events);

 private:
  Result<> line(std::string_view text, std::vector<WatchEvent>& events);

  const ResourceInfo& info_;
  std::string rest_;  // the beginning of a line
};

}  // namespace ph::client

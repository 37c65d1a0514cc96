#include "engine/client/watch_decoder.h"

#include "engine/api/codec.h"
#include "engine/client/http_client.h"
#include "engine/client/http_requests.h"

namespace ph::client {

namespace {
constexpr size_t kMaxLine = 32 * 1024 * 1024;  // bytes
}

Result<> WatchDecoder::feed(std::string_view bytes, std::vector<WatchEvent>& events) {
  while (!bytes.empty()) {
    size_t end = bytes.find('\n');
    if (end == bytes.npos) {
      if (rest_.size() + bytes.size() > kMaxLine) return Status::tooLarge("a watch event is too large");
      rest_.append(bytes);
      break;
    }
    if (rest_.empty()) {
      PH_TRY(line(bytes.substr(0, end), events));
    } else {
      rest_.append(bytes.substr(0, end));
      std::string whole;
      whole.swap(rest_);
      PH_TRY(line(whole, events));
    }
    bytes.remove_prefix(end + 1);
  }
  return {};
}

Result<> WatchDecoder::line(std::string_view text, std::vector<WatchEvent>& events) {
  if (text.find_first_not_of(" \r\t") == text.npos) return {};
  PH_ASSIGN(api::Json tree, api::parseJson(text));
  const api::Json* type = api::at(tree, "type");
  const api::Json* object = api::at(tree, "object");
  if (!type || !type->is_string() || !object || !object->is_object())
    return Status::internal("the watch sent a line that is no event");
  std::string_view name(type->get_string().data(), type->get_string().size());
  if (name == "ERROR") {
    auto* code = api::at(*object, "code");
    return statusOf(code && code->is_int64() ? int(code->get_int64()) : 500, api::toText(*object));
  }
  WatchEvent event;
  if (name == "ADDED") {
    event.type = EventType::Added;
  } else if (name == "MODIFIED") {
    event.type = EventType::Modified;
  } else if (name == "DELETED") {
    event.type = EventType::Deleted;
  } else if (name == "BOOKMARK") {
    event.type = EventType::Bookmark;
  } else {
    return Status::internal("the watch sent an event of the unknown type " + std::string(name));
  }
  auto decoded = objectOf(info_, *object);
  event.revision = decoded->revision();
  if (event.type != EventType::Bookmark) event.object = std::move(decoded);
  events.push_back(std::move(event));
  return {};
}

}  // namespace ph::client

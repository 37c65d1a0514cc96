#include "models/path_watch.h"

#include <algorithm>

#include "models/json_read.h"

namespace ph::models {

namespace {
constexpr auto kFirstRetry = std::chrono::milliseconds(200), kLastRetry = std::chrono::milliseconds(15000);
constexpr size_t kMaxLine = 64 << 20;  // of one event
}  // namespace

std::shared_ptr<PathWatch> PathWatch::start(std::shared_ptr<client::Client> client, std::shared_ptr<Executor> strand,
                                            Options options, Handlers handlers) {
  auto watch = std::make_shared<PathWatch>(Private(), std::move(client), strand, std::move(options), std::move(handlers));
  strand->post([watch] {
    if (!watch->stopped_) watch->list({});
  });
  return watch;
}

PathWatch::PathWatch(Private, std::shared_ptr<client::Client> client, std::shared_ptr<Executor> strand, Options options,
                     Handlers handlers)
    : client_(std::move(client)), strand_(std::move(strand)), options_(std::move(options)), handlers_(std::move(handlers)) {}

void PathWatch::stop() {
  stopped_ = true;
  // Its call and its timer belong to the strand; the client lives on until that has run.
  strand_->post([self = shared_from_this()] {
    ++self->epoch_;
    self->call_.reset();
    self->timer_.cancel();
  });
}

void PathWatch::list(const std::string& token) {
  const uint64_t epoch = ++epoch_;
  std::string target = options_.path + "?limit=" + std::to_string(options_.pageSize);
  if (!options_.query.empty()) target += '&' + options_.query;
  if (token.empty())
    first_ = true;
  else
    target += "&continue=" + token;
  call_ = client_->raw("GET", target, {}, options_.listAs, nullptr,
                       [weak = weak_from_this(), strand = strand_, epoch](Result<std::string> body) {
                         auto shared = std::make_shared<Result<std::string>>(std::move(body));
                         strand->post([weak, epoch, shared] {
                           if (auto self = weak.lock()) self->onList(epoch, std::move(*shared));
                         });
                       });
}

void PathWatch::onList(uint64_t epoch, Result<std::string> body) {
  if (stopped_ || epoch != epoch_) return;
  if (!body.ok()) return down(body.status(), true);
  boost::system::error_code failed;
  const Value page = boost::json::parse(*body, failed);
  if (failed) return down(Status::internal("the answer is no JSON"), true);
  const std::string token(json::view(&page, {"metadata", "continue"}));
  revision_ = std::string(json::view(&page, {"metadata", "resourceVersion"}));
  handlers_.onPage(page, std::exchange(first_, false), token.empty());
  if (stopped_) return;
  if (!token.empty()) return list(token);
  again_ = false;
  if (options_.relistEvery.count() == 0) return watch();
  up_ = true;
  failures_ = 0;
  if (handlers_.onState) handlers_.onState(true, {});
  timer_ = strand_->after(options_.relistEvery, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (self && !self->stopped_) self->list({});
  });
}

void PathWatch::watch() {
  const uint64_t epoch = ++epoch_;
  rest_.clear();
  std::string target = options_.path + "?watch=true&allowWatchBookmarks=true&resourceVersion=" + revision_;
  if (!options_.query.empty()) target += '&' + options_.query;
  call_ = client_->raw(
      "GET", target, {}, options_.watchAs,
      [weak = weak_from_this(), strand = strand_, epoch](std::string_view data) {
        strand->post([weak, epoch, text = std::string(data)] {
          if (auto self = weak.lock()) self->onData(epoch, text);
        });
      },
      [weak = weak_from_this(), strand = strand_, epoch](Result<std::string> end) {
        const Status why = end.ok() ? Status{200, {}, {}} : end.status();
        strand->post([weak, epoch, why] {
          auto self = weak.lock();
          if (self && !self->stopped_ && epoch == self->epoch_) self->down(why, why.code == 410);
        });
      });
  up_ = true;
  if (handlers_.onState) handlers_.onState(true, {});
}

void PathWatch::onData(uint64_t epoch, const std::string& data) {
  if (stopped_ || epoch != epoch_) return;
  size_t from = 0;
  for (size_t at; (at = data.find('\n', from)) != std::string::npos; from = at + 1) {
    if (rest_.empty()) {
      onLine(std::string_view(data).substr(from, at - from));
    } else {
      rest_.append(data, from, at - from);
      onLine(std::exchange(rest_, {}));
    }
    if (stopped_ || epoch != epoch_) return;
  }
  rest_.append(data, from);
  if (rest_.size() > kMaxLine) down(Status::tooLarge("an event is too large"), true);
}

void PathWatch::onLine(std::string_view line) {
  if (line.empty()) return;
  boost::system::error_code failed;
  const Value event = boost::json::parse(boost::json::string_view(line.data(), line.size()), failed);
  if (failed) return down(Status::internal("an event is no JSON"), true);
  const std::string_view type = json::view(&event, {"type"});
  const Value* object = json::find(&event, {"object"});
  if (!object) return;
  if (type == "ERROR") {
    Status why = Status::internal(std::string(json::view(object, {"message"})));
    why.code = int(json::number(object, {"code"}));
    return down(why, true);
  }
  failures_ = 0;
  if (const auto revision = json::view(object, {"metadata", "resourceVersion"}); !revision.empty()) revision_ = revision;
  if (type != "BOOKMARK") handlers_.onEvent(type, *object);
}

void PathWatch::down(const Status& why, bool listAgain) {
  ++epoch_;
  call_.reset();
  again_ = again_ || listAgain;
  // A watch that just ran out, or expired, is no news.
  const bool quiet = up_ && (why.code == 200 || why.code == 410);
  up_ = false;
  if (!quiet && handlers_.onState) handlers_.onState(false, why);
  if (stopped_ || why.code == 404 || why.code == 403 || why.code == 405) return;
  auto delay = kFirstRetry * (1 << std::min(failures_, 7));
  ++failures_;
  timer_ = strand_->after(std::min<Duration>(delay, kLastRetry), [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self || self->stopped_) return;
    if (self->again_ || self->revision_.empty())
      self->list({});
    else
      self->watch();
  });
}

}  // namespace ph::models

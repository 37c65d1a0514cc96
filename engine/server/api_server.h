// ApiServer: the HTTP front door. Routes a request, says who it is, and hands it to the verbs; everything that has a fixed
// path (discovery, health, OpenAPI, images) is answered here too.
// Threads: handle() on any thread, never blocking (image uploads go to `blocking`).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

#include "engine/client/node_dialer.h"
#include "engine/net/http.h"
#include "engine/server/authn.h"
#include "engine/server/core.h"
#include "engine/server/event_encoder.h"
#include "engine/server/fairness/deadlines.h"
#include "engine/server/fairness/limits.h"
#include "engine/server/image_store.h"
#include "engine/server/image_uploads.h"
#include "engine/server/openapi_cache.h"
#include "engine/server/call.h"
#include "engine/server/metrics.h"

namespace ph::server {

class ApiServer : public std::enable_shared_from_this<ApiServer> {
 public:
  struct Parts {
    std::shared_ptr<Core> core;
    Authenticator authenticator;
    std::shared_ptr<ImageStore> images;            // null: none are served
    std::shared_ptr<Executor> blocking;            // for files; null: core's
    std::shared_ptr<client::NodeDialer> dialer;    // null: nodes can't be reached
    std::shared_ptr<AuditLog> audit;               // null: none is kept
    Allowances allowances = kDefaultAllowances;
  };
  explicit ApiServer(Parts parts);

  void handle(net::Request request, std::shared_ptr<net::Responder> responder);
  net::Handler handler();
  // What /readyz says; false until the defaults exist.
  void setReady(bool ready) { ready_.store(ready, std::memory_order_release); }
  void setConnections(std::function<int()> count) { connections_ = std::move(count); }
  void setDialer(std::shared_ptr<client::NodeDialer> dialer);
  const std::shared_ptr<Core>& core() const { return core_; }

 private:
  void route(const CallPtr& call);
  bool routeFixed(const CallPtr& call);
  void routeImages(const CallPtr& call);
  void routeUploads(const CallPtr& call);
  bool openApi(const CallPtr& call);
  // Takes the request's place among those in flight, and its deadline. False: it was answered (429, 400).
  bool admit(const CallPtr& call, Traffic traffic);
  void resource(const CallPtr& call, std::string_view group, std::string_view version, size_t at);
  void dispatch(const CallPtr& call, ApiRequest&& request);
  void readVirtual(const CallPtr& call, ApiRequest&& request);
  void read(const CallPtr& call, ApiRequest&& request);
  void change(const CallPtr& call, ApiRequest&& request);
  void startWatch(const CallPtr& call, ApiRequest&& request);
  void connect(const CallPtr& call, ApiRequest&& request);

  std::shared_ptr<Core> core_;
  Authenticator authenticator_;
  std::shared_ptr<ImageStore> images_;
  std::shared_ptr<ImageUploads> uploads_;
  std::shared_ptr<Executor> blocking_;
  std::mutex dialerMutex_;
  std::shared_ptr<client::NodeDialer> dialer_;
  std::shared_ptr<OpenApiCache> openApi_;
  std::shared_ptr<EventEncoder> encoder_ = std::make_shared<EventEncoder>();
  std::shared_ptr<Metrics> metrics_ = std::make_shared<Metrics>();
  std::shared_ptr<AuditLog> audit_;
  std::shared_ptr<Limits> limits_;
  std::shared_ptr<Deadlines> deadlines_;
  std::function<int()> connections_;
  std::atomic<bool> ready_{false};
};

}  // namespace ph::server

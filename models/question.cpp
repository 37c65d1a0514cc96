#include "models/question.h"

#include <QPointer>

#include "engine/client/client.h"
#include "models/gui_thread.h"
#include "models/json_read.h"

namespace ph::models {

Question::Question(int waitMs, Answer answer, QObject* parent) : QObject(parent), answer_(std::move(answer)) {
  wait_.setSingleShot(true);
  wait_.setInterval(waitMs);
  connect(&wait_, &QTimer::timeout, this, &Question::send);
}

Question::~Question() = default;

void Question::stop() {
  ++serial_;
  wait_.stop();
  handle_.reset();
  path_.clear();
  running_ = again_ = false;
}

void Question::ask(const std::shared_ptr<client::Client>& client, const QString& path) {
  if (path != path_ || client != client_) {
    stop();
    client_ = client;
    path_ = path;
    send();
  } else if (running_) {
    again_ = true;
  } else if (!wait_.isActive()) {
    wait_.start();
  }
}

void Question::send() {
  const quint64 serial = ++serial_;
  if (!client_) return answer_(Status::unavailable("the cluster is not connected"));
  running_ = true;
  again_ = false;
  auto done = [self = QPointer<Question>(this), serial](Result<std::string> text) {
    auto shared = std::make_shared<Result<boost::json::value>>(json::parsed(text));
    onGui([self, serial, shared] {
      if (!self || serial != self->serial_) return;
      self->running_ = false;
      if (std::exchange(self->again_, false)) self->wait_.start();
      self->answer_(*shared);
    });
  };
  handle_ = client_->raw("GET", path_.toStdString(), {}, {}, nullptr, std::move(done));
}

}  // namespace ph::models

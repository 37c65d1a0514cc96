// Question: one GET of the API, asked again whenever what it is about has changed. One is under way at a time: what is
// asked meanwhile is asked once more after the answer, and no sooner than `waitMs` after the last; the answer to an
// earlier path is dropped. Threads: GUI thread only; answers are parsed where the client brings them, then carried over.
#pragma once

#include <QObject>
#include <QTimer>
#include <boost/json.hpp>
#include <functional>
#include <memory>

#include "engine/base/result.h"

namespace ph::client {
class Client;
}

namespace ph::models {

class Question : public QObject {
  Q_OBJECT
 public:
  using Answer = std::function<void(const Result<boost::json::value>&)>;
  Question(int waitMs, Answer answer, QObject* parent = nullptr);
  ~Question() override;

  // Another path than the last one is asked at once.
  void ask(const std::shared_ptr<client::Client>& client, const QString& path);
  void stop();
  const QString& path() const { return path_; }

 private:
  void send();

  const Answer answer_;
  std::shared_ptr<client::Client> client_;
  QString path_;
  std::shared_ptr<void> handle_;
  quint64 serial_ = 0;  // of the question that counts
  bool running_ = false, again_ = false;
  QTimer wait_;
};

}  // namespace ph::models

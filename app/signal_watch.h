// SignalWatch: SIGINT and SIGTERM as Qt signals. One a process. Threads: made on the GUI thread before
// others.
#pragma once

#include <QObject>
#include <QSocketNotifier>
#include <memory>

namespace ph::app {

class SignalWatch : public QObject {
  Q_OBJECT
 public:
  explicit SignalWatch(QObject* parent = nullptr);
  ~SignalWatch() override;

 signals:
  void asked();

 private:
  int ends_[2] = {-1, -1};
  std::unique_ptr<QSocketNotifier> notifier_;
};

}  // namespace ph::app

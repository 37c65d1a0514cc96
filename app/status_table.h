// StatusTable: the cluster as text on stdout, for a window that nobody sees: printed when it changed, at most
// once a second. Threads: GUI thread only.
#pragma once

#include <QObject>
#include <QTimer>

#include "models/session.h"

namespace ph::app {

class StatusTable : public QObject {
  Q_OBJECT
 public:
  explicit StatusTable(models::Session* session, QObject* parent = nullptr);
  // The table as it would be printed now.
  QString text() const;

 private:
  void print();
  models::Session* session_;
  QString last_;
  QTimer timer_;
};

}  // namespace ph::app

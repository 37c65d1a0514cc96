#include "app/status_table.h"

#include <algorithm>
#include <cstdio>

namespace ph::app {

namespace words = models::words;

namespace {

// Columns as wide as their widest cell, two blanks between.
QString columns(const QList<QStringList>& rows) {
  QList<int> widths;
  for (auto& row : rows) {
    for (int i = 0; i < row.size(); ++i) {
      if (i >= widths.size()) widths << 0;
      widths[i] = std::max<int>(widths[i], int(row[i].size()));
    }
  }
  QString out;
  for (auto& row : rows) {
    QString line = QStringLiteral("  ");
    for (int i = 0; i < row.size(); ++i)
      line += i + 1 < row.size() ? row[i].leftJustified(widths[i] + 2) : row[i];
    while (line.endsWith(' ')) line.chop(1);
    out += line + '\n';
  }
  return out;
}

}  // namespace

StatusTable::StatusTable(models::Session* session, QObject* parent) : QObject(parent), session_(session) {
  timer_.setSingleShot(true);
  timer_.setInterval(1000);
  connect(&timer_, &QTimer::timeout, this, &StatusTable::print);
  auto soon = [this] {
    if (!timer_.isActive()) timer_.start();
  };
  connect(&session->state, &models::ClusterState::changed, this, soon);
  connect(&session->state, &models::ClusterState::linkChanged, this, soon);
}

QString StatusTable::text() const {
  auto& state = session_->state;
  QString out = words::health(state.health(), state.link()) + '\n';
  QList<QStringList> machines{{tr("MACHINE"), tr("STATE"), tr("CPU"), tr("MEMORY"), tr("PODS"), tr("NOTE")}};
  for (auto& group : session_->map.groups()) {
    for (int index : group.places) {
      if (index < 0) continue;
      auto& card = session_->map.card(index);
      const auto view = words::machineView(state.machine(card.key), state.node(card.node));
      machines << QStringList{card.key,
                              view.title,
                              words::percent(card.cpu),
                              words::percent(card.memory),
                              QString::number(card.pods),
                              view.note};
    }
  }
  if (machines.size() > 1) out += columns(machines);
  QList<QStringList> apps{{tr("APPLICATION"), tr("READY"), tr("PODS ON")}};
  for (auto& app : session_->map.apps()) {
    if (!app.listed) continue;
    QMap<QString, int> on;
    for (auto& key : state.podsOfApp(app.key)) {
      auto* pod = state.pod(key);
      ++on[pod->node.isEmpty() ? tr("(waiting)") : pod->node];
    }
    QStringList places;
    for (auto it = on.begin(); it != on.end(); ++it)
      places << QStringLiteral("%1: %2").arg(it.key()).arg(it.value());
    apps << QStringList{app.name, QStringLiteral("%1/%2").arg(app.ready).arg(app.wanted),
                        places.join(QStringLiteral(", "))};
  }
  if (apps.size() > 1) out += columns(apps);
  auto& now = session_->now;
  if (now.rowCount() > 0)
    out += QStringLiteral("  ") + now.index(0).data(models::NowModel::TimeRole).toString() + ' ' +
           now.index(0).data().toString() + '\n';
  return out;
}

void StatusTable::print() {
  const QString now = text();
  if (now == last_) return;
  last_ = now;
  std::printf("%s %s\n", qPrintable(words::clock(session_->state.now())), now.toUtf8().constData());
  std::fflush(stdout);
}

}  // namespace ph::app

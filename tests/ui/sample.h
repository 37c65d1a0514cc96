// Sample clusters for the window's tests and pictures, as diffs for a ClusterState. Times are around kNow.
#pragma once

#include <QDateTime>
#include <QString>

#include "models/app_map_model.h"
#include "models/session.h"

namespace ph::sample {

// 2026-03-14 12:04:35 local time, whatever the zone, so that pictures don't change.
inline int64_t now() {
  return QDateTime(QDate(2026, 3, 14), QTime(12, 4, 35)).toMSecsSinceEpoch();
}

models::NodeFacts node(const QString& name, const QString& zone, const QString& arch, int cores, int gib);
models::PodFacts pod(const QString& ns, const QString& app, const QString& suffix, const QString& node,
                     models::PodState state, const QString& image, int64_t createdAgoMs = 600000);
models::WorkloadFacts app(const QString& ns, const QString& name, int wanted, int ready, const QString& image,
                          int64_t createdAgoMs);

// The fleet of the look: 8 machines in two zones, 5 applications, 62 pods, one machine lost, one crowded.
void fleet(models::Session& session);
models::Diff fleetDiff(models::Session& session);         // the same, not applied yet
void fleetNames(models::Session& session, bool chinese);  // long names, or Chinese ones
// The fleet's applications with all they are made of, a second namespace, a rollout, and what may be wrong.
void applications(models::Session& session, models::AppMapModel& map);
void many(models::Session& session, int machines, int podsEach);

}  // namespace ph::sample

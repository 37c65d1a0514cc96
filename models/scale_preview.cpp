#include "models/scale_preview.h"

#include <QPointer>
#include <algorithm>

#include "engine/client/client.h"
#include "models/gui_thread.h"
#include "models/json_read.h"

namespace ph::models {

namespace {

namespace bj = boost::json;
constexpr int kAskAtLeast = 16;    // the hand moves on
constexpr int kAskAtMost = 1000;   // what a SchedulingPreview takes

const PodFacts* youngestOf(const ClusterState& state, const WorkloadFacts& w) {
  const PodFacts* youngest = nullptr;
  for (auto& key : state.podsOfApp(w.key)) {
    auto* p = state.pod(key);
    if (!youngest || p->created > youngest->created || (p->created == youngest->created && p->key > youngest->key))
      youngest = p;
  }
  return youngest;
}

// The model for new copies: the youngest pod, which knows its owner; without one, the template.
bj::object modelOf(const WorkloadFacts& w, const PodFacts* youngest) {
  if (youngest) return {{"pod", youngest->name.toStdString()}};
  const bj::value tree = w.object ? w.object->tree() : bj::value();
  auto* found = json::find(&tree, {"spec", "template"});
  return found ? bj::object{{"template", *found}} : bj::object{};
}

}  // namespace

ScalePreview::ScalePreview(MapModel* map, QObject* parent) : QObject(parent), map_(map) {}

int ScalePreview::current() const {
  auto* w = map_->state()->workload(app_);
  return w ? w->wanted : 0;
}

void ScalePreview::hold(const QString& app, int target) {
  auto* w = map_->state()->workload(app);
  if (!w) return;
  target = std::clamp(target, 0, kMaxCopies);
  if (app == app_ && target == target_) return;
  if (app != app_) {
    places_.clear();
    asked_ = 0;
    ++question_;
  }
  app_ = app;
  target_ = target;
  const int more = std::min(target - w->wanted, kAskAtMost);
  if (more > asked_) ask(std::min(std::max(more, kAskAtLeast), kAskAtMost));
  work();
}

void ScalePreview::work() {
  auto* w = map_->state()->workload(app_);
  if (!w) return;
  const int more = target_ - w->wanted;
  if (more > 0 && more <= places_.size()) {
    estimate_ = {};
    estimate_.sure = true;
    for (int i = 0; i < more; ++i) {
      if (places_[i].isEmpty())
        ++estimate_.unplaced;
      else
        ++estimate_.come[places_[i]];
    }
  } else {
    estimate_ = more == 0 ? Estimate{} : estimateScale(*map_->state(), app_, target_);
  }
  QHash<QString, int> byCard;
  for (auto it = estimate_.come.begin(); it != estimate_.come.end(); ++it) {
    auto* machine = map_->state()->machineOfNode(it.key());
    byCard[machine ? machine->key : it.key()] += it.value();
  }
  map_->setPreview(app_, byCard, estimate_.go);
  emit changed();
}

void ScalePreview::ask(int copies, bool fromTemplate) {
  asked_ = copies;
  auto* w = map_->state()->workload(app_);
  auto* info = client_ ? client_->registry().find("pilothouse.io", "v1", "schedulingpreviews") : nullptr;
  bj::object spec = w ? modelOf(*w, fromTemplate ? nullptr : youngestOf(*map_->state(), *w)) : bj::object{};
  refused_ = !info || spec.empty();
  if (refused_) return;
  spec["copies"] = copies;
  client::Write write;
  write.verb = client::Verb::Create;
  write.info = info;
  write.ns = w->ns.toStdString();
  write.body = bj::serialize(bj::object{{"apiVersion", "pilothouse.io/v1"},
                                        {"kind", "SchedulingPreview"},
                                        {"metadata", bj::object{{"name", "scale"}, {"namespace", write.ns}}},
                                        {"spec", std::move(spec)}});
  QPointer<ScalePreview> self(this);
  client_->write(std::move(write), [self, question = ++question_, copies, fromTemplate](Result<client::ObjectPtr> r) {
    QStringList places;
    if (r.ok()) {
      const bj::value tree = (*r)->tree();
      for (auto& p : json::list(&tree, {"status", "places"})) places << json::text(&p);
    }
    const bool gone = !r.ok() && r.status().isNotFound();
    onGui([self, question, places, copies, again = gone && !fromTemplate, refused = !r.ok()] {
      if (!self || self->question_ != question || !self->active()) return;
      if (again) return self->ask(copies, true);  // the pod that was the model went meanwhile
      self->refused_ = refused;
      self->places_ = places;
      self->work();
    });
  });
}

void ScalePreview::cancel() {
  if (!active()) return;
  app_.clear();
  places_.clear();
  asked_ = 0;
  ++question_;
  estimate_ = {};
  map_->setPreview({}, {}, {});
  emit changed();
}

void ScalePreview::release() {
  if (!active()) return;
  const QString app = app_;
  const int target = target_, was = current();
  cancel();
  if (target != was) emit released(app, target);
}

QString ScalePreview::hint() const {
  if (!active()) return tr("Drag to scale.");
  const int by = target_ - current();
  if (by == 0) return tr("Drag to scale.");
  if (by < 0) return tr("Release to scale. The %n faded pod(s) would most likely stop.", nullptr, -by);
  const int placed = by - estimate_.unplaced;
  // Whose word this is stands behind it.
  const QString source = estimate_.sure ? QString()
                         : refused_     ? tr(" An estimate: this cluster's scheduler can't be asked.")
                                        : tr(" An estimate until the scheduler has answered.");
  if (estimate_.unplaced > 0 && placed == 0)
    return tr("Release to scale. No machine has room for more now; they would wait.") + source;
  if (estimate_.unplaced > 0) {
    return tr("Release to scale. Room for %1 of the %2 now; the others would wait.").arg(placed).arg(by) + source;
  }
  return (estimate_.sure ? tr("Release to scale. The ghosts show where the scheduler would put the %n.", nullptr, by)
                         : tr("Release to scale. The ghosts show where the %n would most likely go.", nullptr, by)) +
         source;
}

}  // namespace ph::models

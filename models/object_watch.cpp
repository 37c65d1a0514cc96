#include "models/object_watch.h"

#include <QPointer>

#include "models/gui_thread.h"
#include "models/json_read.h"
#include "models/path_watch.h"

namespace ph::models {

ObjectWatch::ObjectWatch(QObject* parent) : QObject(parent) {}

ObjectWatch::~ObjectWatch() {
  stop();
}

void ObjectWatch::stop() {
  ++generation_;
  if (watch_) watch_->stop();
  watch_.reset();
}

void ObjectWatch::put(std::shared_ptr<const boost::json::value> tree, Phase phase, const QString& problem) {
  if (tree) tree_ = std::move(tree);
  phase_ = phase;
  problem_ = problem;
  emit changed();
}

void ObjectWatch::follow(const Session& session, const ObjectRef& ref) {
  if (ref == ref_ && watch_) return;
  stop();
  ref_ = ref;
  tree_.reset();
  phase_ = session.client() ? Phase::Loading : Phase::Offline;
  problem_.clear();
  if (!session.client() || ref.name.isEmpty()) {
    emit changed();
    return;
  }
  auto tell = [self = QPointer<ObjectWatch>(this), generation = generation_](std::shared_ptr<const boost::json::value> tree,
                                                                            Phase phase, const QString& problem = {}) {
    onGui([self, generation, tree, phase, problem] {
      if (self && generation == self->generation_) self->put(tree, phase, problem);
    });
  };
  auto give = [tell, ref](const boost::json::value& object, Phase phase) {
    auto tree = std::make_shared<boost::json::value>(object);
    if (auto* o = tree->if_object()) {
      // A list leaves out what its items are.
      o->insert_or_assign("apiVersion", ref.kindRef().apiVersion().toStdString());
      o->insert_or_assign("kind", ref.kind.toStdString());
      if (auto* meta = o->if_contains("metadata"); meta && meta->is_object()) meta->get_object().stable_erase("managedFields");
    }
    tell(tree, phase);
  };
  PathWatch::Handlers handlers;
  handlers.onPage = [give, tell](const boost::json::value& page, bool, bool) {
    auto& items = json::list(&page, {"items"});
    if (items.empty())
      tell(nullptr, Phase::Gone);
    else
      give(items.front(), Phase::Live);
  };
  handlers.onEvent = [give](std::string_view type, const boost::json::value& object) {
    give(object, type == "DELETED" ? Phase::Gone : Phase::Live);
  };
  handlers.onState = [tell](bool up, const Status& why) {
    if (!up) tell(nullptr, Phase::Offline, QString::fromStdString(why.message));
  };
  PathWatch::Options options;
  options.path = ref.kindRef().path(ref.ns).toStdString();
  options.query = "fieldSelector=metadata.name%3D" + ref.name.toStdString();
  watch_ = PathWatch::start(session.client(), session.executor()->strand(), std::move(options), std::move(handlers));
}

}  // namespace ph::models

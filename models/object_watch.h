// ObjectWatch: one object of any kind, as the API answers it, kept current. Threads: GUI thread only; decoding is
// on a strand of the executor.
#pragma once

#include <QObject>
#include <boost/json.hpp>
#include <memory>

#include "models/object_ref.h"
#include "models/session.h"

namespace ph::models {

class PathWatch;

class ObjectWatch : public QObject {
  Q_OBJECT
 public:
  enum class Phase { Idle, Loading, Live, Gone, Offline };
  explicit ObjectWatch(QObject* parent = nullptr);
  ~ObjectWatch() override;

  void follow(const Session& session, const ObjectRef& ref);
  void stop();
  const ObjectRef& ref() const { return ref_; }
  // Without its managedFields. Null until it is read; stays when it is gone.
  const std::shared_ptr<const boost::json::value>& tree() const { return tree_; }
  Phase phase() const { return phase_; }
  QString problem() const { return problem_; }
  void put(std::shared_ptr<const boost::json::value> tree, Phase phase, const QString& problem = {});  // the way in

 signals:
  void changed();

 private:
  ObjectRef ref_;
  std::shared_ptr<const boost::json::value> tree_;
  std::shared_ptr<PathWatch> watch_;
  Phase phase_ = Phase::Idle;
  QString problem_;
  uint64_t generation_ = 0;
};

}  // namespace ph::models

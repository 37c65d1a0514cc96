// Objects into facts. Threads: pure; called on the engine's executor, one at a time each.
#pragma once

#include "models/facts.h"

namespace ph::models {

// Shared strings (node names, namespaces, images...) are kept once: a hundred thousand pods name a few
// hundred of them.
class FactDecoder {
 public:
  PodFacts pod(const api::ObjectPtr& object);
  NodeFacts node(const api::ObjectPtr& object);
  MachineFacts machine(const api::ObjectPtr& object);
  WorkloadFacts deployment(const api::ObjectPtr& object);
  ServiceFacts service(const api::ObjectPtr& object);
  EventFacts event(const api::ObjectPtr& object);

 private:
  QString once(const QString& text);
  QSet<QString> known_;
};

}  // namespace ph::models

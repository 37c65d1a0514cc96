// A DaemonSet's pod: which nodes it fits, which one it is for, and how it is made.
// Threads: pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/api/selector.h"
#include "engine/api/types/core.h"
#include "engine/controllers/plan.h"

namespace ph::controllers::daemonset {

enum class Fit {
  Never,  // a pod there has to go
  Stay,   // none is made, but one that is there may stay
  Run,    // there is to be one
};

// What a template asks of a node. The template must outlive it.
class Demand {
 public:
  explicit Demand(const api::core::PodSpec& spec);
  Fit on(const ObjectPtr& node) const;
  // The template's, and those that let every daemon pod live through what happens to its node.
  const std::vector<api::core::Toleration>& tolerations() const { return tolerations_; }

 private:
  const api::core::PodSpec& spec_;
  api::LabelSelector nodeSelector_;
  std::vector<api::core::Toleration> tolerations_;
};

// The node that it is on, or made for; empty when it names none.
std::string_view nodeOf(const ObjectPtr& pod);

// Whatever it did is over.
bool ended(const ObjectPtr& pod);

// How many pods of the same template failed on this node in a row before this one.
int failuresBefore(const ObjectPtr& pod);

// Makes the bodies of one DaemonSet's pods. The scheduler binds them: they may have to wait for room, or make
// some.
class PodMaker {
 public:
  PodMaker(const api::Object& set, const std::string& hash, const Demand& demand);
  Json forNode(const std::string& node, int failures) const;

 private:
  Json pod_;
};

}  // namespace ph::controllers::daemonset

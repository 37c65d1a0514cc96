#include "engine/scheduler/plugins/plugins.h"

namespace ph::scheduler {
namespace {

// A node that has the images already starts the pod sooner.
class ImageLocality : public ScorePlugin {
 public:
  std::string_view name() const override { return "ImageLocality"; }
  double weight() const override { return 0.2; }  // a copy costs seconds once; crowding costs for as long as the pod runs
  bool prepare(const PodInfo& pod, Cluster&, PreparedPtr&) const override { return !pod.images.empty(); }
  double score(const PodInfo& pod, const Prepared*, const NodeInfo& node, int) const override {
    if (node.images.empty()) return 0;
    int here = 0;
    for (auto& image : pod.images) here += node.images.contains(image);
    return 100.0 * here / double(pod.images.size());
  }
};

}  // namespace
std::unique_ptr<ScorePlugin> makeImageLocality() { return std::make_unique<ImageLocality>(); }
}  // namespace ph::scheduler

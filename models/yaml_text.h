// JSON trees as block YAML, for reading: keys in the order given, strings quoted only where YAML would read
// them as something else. Threads: pure.
#pragma once

#include <QString>
#include <boost/json.hpp>

namespace ph::models {

// An object's keys as people read them: kind and name first, the status last. The others keep their places.
boost::json::value inReadingOrder(boost::json::value object);

// `after` with its keys in the order that `before` has them in, new ones behind: what differs is then the values only.
// Elements of lists are matched by their "name", else by their place. (Keys are taken out with stable_erase() where their
// order is shown: erase() moves the last key to the gap.)
boost::json::value orderedLike(boost::json::value after, const boost::json::value& before);

QString toYaml(const boost::json::value& tree);

}  // namespace ph::models

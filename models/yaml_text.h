// JSON trees as block YAML, for reading: keys in the order given, strings quoted only where YAML would read
// them as something else. Threads: pure.
#pragma once

#include <QString>
#include <boost/json.hpp>

namespace ph::models {

QString toYaml(const boost::json::value& tree);

}  // namespace ph::models

// For suites that run with each kubectl that is on the box: members `engine_` (to an EngineProcess) and `binary_`.
// Threads: one test thread.
#pragma once

#include "tests/support/engine/checks.h"

namespace ph::test {

// A row for each: its path in the column "binary", empty where it is not on the box.
inline void kubectlRows() {
  QTest::addColumn<QString>("binary");
  QTest::newRow("newest") << EngineProcess::kubectlPath();
  QTest::newRow("1.20") << qEnvironmentVariable("PH_KUBECTL_120");
}

}  // namespace ph::test

#define KUBECTL(...) engine_->kubectl({__VA_ARGS__}, {}, binary_)
#define KUBECTL_IN(input, ...) engine_->kubectl({__VA_ARGS__}, input, binary_)

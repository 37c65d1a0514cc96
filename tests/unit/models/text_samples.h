// JSON samples of text_test.cpp.
#pragma once

namespace ph::sample {

extern const char *const kScalars,
    *const kStrings, *const kNested, *const kChinese, *const kReadyPod, *const kCrashingPod,
                                                                            *const kWaitingPod,
                                                                                *const kLeavingPod,
                                                                                    *const kMachine,
                                                                                        *const kNode;

}  // namespace ph::sample

// What can go wrong on the way to a machine, each with a sentence on what to do about it.
// A Status carries it: `reason` is one of the words below, `causes[0].message` the advice.
// Threads: plain values.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace ph::fleet {

// reasons
inline constexpr std::string_view kUnresolved = "AddressUnknown", kRefused = "ConnectionRefused", kUnreachable = "Unreachable",
                                  kTimeout = "ConnectTimeout", kNotSsh = "NotSsh", kHostKeyUnknown = "HostKeyUnknown",
                                  kHostKeyChanged = "HostKeyChanged", kAuth = "AuthenticationFailed", kKey = "KeyUnusable",
                                  kPreflight = "PreflightFailed", kInstall = "InstallFailed", kUpload = "UploadFailed",
                                  kStart = "AgentStartFailed", kLost = "ConnectionLost", kCancelled = "Cancelled";

Status problem(std::string_view reason, std::string message, std::string fix);
std::string fixOf(const Status& status);  // empty when there is no advice

// Problems that go away by themselves are tried again soon; others wait longer, or for a change of the Machine.
enum class Again { Soon, Late, AfterChange };
Again whenAgain(const Status& status);

}  // namespace ph::fleet

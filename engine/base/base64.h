// Base64 (RFC 4648, with padding), as JSON carries bytes.
// Threads: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ph {

std::string toBase64(std::string_view bytes);
// Line breaks are skipped; nullopt when malformed, and `badAt` then has the offset.
std::optional<std::string> fromBase64(std::string_view text, size_t* badAt = nullptr);
// Checks without decoding; nullopt when fine, else the offset of what is wrong.
std::optional<size_t> checkBase64(std::string_view text);
size_t base64Size(std::string_view text);  // bytes that a valid text stands for

}  // namespace ph

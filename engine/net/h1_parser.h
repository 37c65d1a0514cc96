// HTTP/1.1 message parsing: Beast's parser with its events turned into plain values. One thread at a time.
#pragma once

#include <boost/beast/http/basic_parser.hpp>

#include "engine/net/http.h"

namespace ph::net {

// Collects a whole request.
class H1RequestParser final : public boost::beast::http::basic_parser<true> {
  using Error = boost::system::error_code;
  using View = boost::beast::string_view;

 public:
  H1RequestParser(size_t maxHeader, size_t maxBody) {
    header_limit(uint32_t(std::min<size_t>(maxHeader, UINT32_MAX)));
    body_limit(uint64_t(maxBody));
    eager(true);
  }
  Request request;
  std::string target;
  int minorVersion = 1;  // of HTTP/1

 private:
  void on_request_impl(boost::beast::http::verb, View method, View path, int version, Error&) override {
    request.method.assign(method.data(), method.size());
    target.assign(path.data(), path.size());
    minorVersion = version % 10;
  }
  void on_response_impl(int, View, int, Error&) override {}
  void on_field_impl(boost::beast::http::field, View name, View value, Error&) override {
    if (!headDone_)
      request.headers.add(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
  }
  void on_header_impl(Error&) override { headDone_ = true; }
  void on_body_init_impl(const boost::optional<uint64_t>& size, Error&) override {
    if (size) request.body.reserve(size_t(std::min<uint64_t>(*size, 64 * 1024)));
  }
  size_t on_body_impl(View body, Error&) override {
    request.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(uint64_t, View, Error&) override {}
  size_t on_chunk_body_impl(uint64_t, View body, Error&) override {
    request.body.append(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(Error&) override {}

  bool headDone_ = false;
};

// Hands out a response's parts as they come. `onHead` may be called for 1xx too.
class H1ResponseParser final : public boost::beast::http::basic_parser<false> {
  using Error = boost::system::error_code;
  using View = boost::beast::string_view;

 public:
  H1ResponseParser() {
    header_limit(256 * 1024);
    body_limit(boost::none);
    eager(true);
  }
  int status = 0;
  Headers headers, trailers;
  std::function<void()> onHead;
  std::function<void(std::string_view)> onBody;

 private:
  void on_request_impl(boost::beast::http::verb, View, View, int, Error&) override {}
  void on_response_impl(int code, View, int, Error&) override { status = code; }
  void on_field_impl(boost::beast::http::field, View name, View value, Error&) override {
    (headDone_ ? trailers : headers)
        .add(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
  }
  void on_header_impl(Error&) override {
    headDone_ = true;
    onHead();
  }
  void on_body_init_impl(const boost::optional<uint64_t>&, Error&) override {}
  size_t on_body_impl(View body, Error&) override {
    onBody({body.data(), body.size()});
    return body.size();
  }
  void on_chunk_header_impl(uint64_t, View, Error&) override {}
  size_t on_chunk_body_impl(uint64_t, View body, Error&) override {
    onBody({body.data(), body.size()});
    return body.size();
  }
  void on_finish_impl(Error&) override {}

  bool headDone_ = false;
};

// True when the text may stand in a header line: no line breaks or other control bytes that would end or
// split it.
inline bool safeHeaderText(std::string_view text) {
  for (char c : text)
    if (c == '\r' || c == '\n' || c == '\0') return false;
  return true;
}

}  // namespace ph::net

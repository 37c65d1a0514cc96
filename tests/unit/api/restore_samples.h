// Texts for restore_test.cpp.
#pragma once

namespace ph::api::test {

// "metadata" stands in it at other places, too.
inline constexpr const char* kPod = R"({"spec":{"nodeName":"n1","metadata":{"name":"not this"},"containers":[{"name":"metadata","env":[{"value":
  "{\"metadata\":{}}"}]}]},"metadata":{"name":"p","namespace":"ns","uid":"u","generation":7,"labels":{"metadata":"x","a":"\u00e9"},
  "annotations":{"big":18446744073709551615,"half":0.5,"none":null,"yes":true,"list":[1,[2,{"metadata":{}}]]},"finalizers":["a/b"],
  "deletionTimestamp":"2026-01-02T03:04:05Z","deletionGracePeriodSeconds":9},"status":{"x":1e300,"y":-1}})";
inline constexpr const char* kOtherVersion =
    R"({"apiVersion":"apps/v1beta2","kind":"Deployment","metadata":{"name":"d","resourceVersion":"4"}})";
inline constexpr const char* kOtherVersionNow =
    R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"resourceVersion":"5","name":"d"}})";
inline constexpr const char* kWithRevision = R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","resourceVersion":"4"}})";
inline constexpr const char* kWithRevisionNow = R"({"apiVersion":"v1","kind":"Pod","metadata":{"resourceVersion":"5","name":"p"}})";
inline constexpr const char* kNoObjects[] = {
    R"({"apiVersion":"v1","kind":"Pod","metadata":{},"spec":1e999})", R"({"apiVersion":"v1","kind":"Pod","metadata":{},"spec":tru})",
    R"({"apiVersion":"v1","kind":"Pod","metadata":{},"spec":"\q"})", R"({"apiVersion":"v1","kind":"Pod","metadata":{"a":1e999}})",
    R"({"kind":"Pod"})", R"([1])", ""};
struct Member {
  const char *text, *b;
};
inline constexpr Member kMembers[] = {
    {R"({"a":{"b":1},"b":[2,{"b":3}],"c":4})", R"([2,{"b":3}])"}, {R"({"a":[1,"b"],"b":1,"c":{"b":{}}})", "1"},
    {R"({"b":-1})", "-1"},           {R"({"b":18446744073709551615})", "18446744073709551615"},
    {R"({"b":0.25})", "0.25"},       {R"({"b":true,"a":false})", "true"},
    {R"({"b":null})", "null"},       {R"({"b":"x\ty"})", R"("x\ty")"},
    {R"({"b":[],"a":[1]})", "[]"},   {R"({"b":{},"a":{"b":1}})", "{}"},
    {R"({"a":{"b":1}})", "null"},    {R"([{"b":1}])", "null"},
    {R"("b")", "null"},              {R"({"b":1,"b":2})", "1"},
    {R"({"b":1} 2)", "BadRequest"},  {R"({"b":1,"a":[})", "BadRequest"},
};

}  // namespace ph::api::test

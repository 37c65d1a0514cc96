// The JSON that text_test.cpp reads: in a file of its own, as moc can't read raw strings.
#include "tests/unit/models/text_samples.h"

namespace ph::sample {

const char* const kScalars = R"({"a":1,"b":"x","c":[1,2,{"d":"e","f":[]}],"g":{},"h":null,"i":true})";

const char* const kStrings =
    R"({"s":["true","null","1.5","-","a: b","# no","","  x","x ","~","yes","0x1F","1e3","2026-01-01","a\nb\n","a\nb","\ttab","quote\"d","it's","[x]","{y}","*z","&z","!z","%z","@z",": x","x:","- x"]})";

const char* const kNested =
    R"({"labels":{"app.kubernetes.io/name":"web","true":"1"},"list":[[1,2],[3]],"text":"line one\nline two\n\nline four"})";

const char* const kChinese = R"({"name":"订单","cmd":["sh","-c","echo hi; sleep 1"]})";

const char* const kReadyPod =
    R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-7c-x","namespace":"default","uid":"u",
      "creationTimestamp":"2026-01-02T03:04:05Z","labels":{"app":"web","pod-template-hash":"7c"},
      "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-7c","uid":"r","controller":true}]},
      "spec":{"nodeName":"kepler","containers":[{"name":"c","image":"web:1","resources":{"requests":{"cpu":"250m"},"limits":{"memory":"1Gi"}}}]},
      "status":{"phase":"Running","podIP":"10.0.0.1","conditions":[{"type":"Ready","status":"True"}],
      "containerStatuses":[{"name":"c","ready":true,"restartCount":2,"image":"web:1","imageID":"","state":{"running":{"startedAt":"2026-01-02T03:04:06Z"}},
      "lastState":{"terminated":{"exitCode":3,"finishedAt":"2026-01-02T03:04:05Z"}}}]}})";

const char* const kCrashingPod =
    R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"default"},"spec":{"nodeName":"k","containers":[{"name":"c","image":"x"}]},
      "status":{"phase":"Running","containerStatuses":[{"name":"c","ready":false,"restartCount":3,"image":"x","imageID":"","state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}})";

const char* const kWaitingPod =
    R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"default"},"spec":{"containers":[{"name":"c","image":"x"}]},
      "status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/1 nodes are available: 1 Insufficient cpu."}]}})";

const char* const kLeavingPod =
    R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"default","deletionTimestamp":"2026-01-02T03:04:05Z"},"spec":{"nodeName":"k","containers":[{"name":"c","image":"x"}]}})";

const char* const kMachine =
    R"({"apiVersion":"fleet.pilothouse.io/v1","kind":"Machine","metadata":{"name":"pi"},
      "spec":{"address":"10.0.0.2","port":22,"user":"pi","labels":{"topology.kubernetes.io/zone":"shelf"}},
      "status":{"phase":"Untrusted","hostKey":"SHA256:abc","hostKeyType":"ssh-ed25519","findings":[{"name":"Disk","severity":"Warning","message":"little","fix":"more"}]}})";

const char* const kNode =
    R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"pi","labels":{"topology.kubernetes.io/zone":"shelf"}},
      "spec":{"unschedulable":true},"status":{"capacity":{"cpu":"4","memory":"8Gi"},"allocatable":{"cpu":"3800m","memory":"7Gi","pods":"110"},
      "conditions":[{"type":"Ready","status":"Unknown","lastTransitionTime":"2026-01-02T03:04:05Z"},{"type":"MemoryPressure","status":"True"}],
      "nodeInfo":{"architecture":"arm64"}}})";

}  // namespace ph::sample

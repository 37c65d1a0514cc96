#include <QTest>
#include <condition_variable>
#include <mutex>

#include "agents/dns/server.h"
#include "engine/api/codec.h"

using namespace ph;
using namespace ph::agents::dns;
using namespace std::chrono_literals;

namespace {

std::string question(const std::string& name) {
  std::string m("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12);
  return m + nameData(name) + std::string{0, 1, 0, 1};
}

// Asks and waits; empty when there was no answer.
std::string ask(const std::shared_ptr<net::Io>& io, const std::string& server, const std::string& message, bool stream,
                Duration timeout = 5s) {
  std::mutex m;
  std::condition_variable cv;
  std::optional<std::string> answer;
  net::exchangeMessage(io, server, message, stream, timeout, [&](Result<std::string> r) {
    std::lock_guard lock(m);
    answer = r.ok() ? *r : std::string();
    cv.notify_one();
  });
  std::unique_lock lock(m);
  cv.wait(lock, [&] { return answer.has_value(); });
  return *answer;
}

int rcode(const std::string& answer) { return answer.size() < 12 ? -1 : answer[3] & 15; }
int answers(const std::string& answer) { return answer.size() < 12 ? -1 : uint8_t(answer[7]); }

}  // namespace

class DnsServerTest : public QObject {
  Q_OBJECT
  std::shared_ptr<net::Io> io = net::Io::make(1);

  client::Change added(const char* plural, const char* json) {
    static auto registry = api::Registry::builtin();
    return {nullptr, *api::Object::parse(registry->storage("", plural), json, 1)};
  }

 private slots:
  void answersOverBothTransports() {
    auto dns = DnsServer::make(io, io->executor()->strand(), {});
    dns->onServices({added("services", R"({"metadata":{"name":"web","namespace":"a"},"spec":{"clusterIP":"10.96.0.9"}})")});
    QVERIFY(dns->listen("127.0.0.1:0").ok());
    for (bool stream : {false, true}) {
      std::string answer = ask(io, dns->address(), question("web.a.svc.cluster.local"), stream);
      QCOMPARE(answers(answer), 1);
      QVERIFY(answer.ends_with(addressData("10.96.0.9")));
      QCOMPARE(rcode(ask(io, dns->address(), question("nope.a.svc.cluster.local"), stream)), int(kNxDomain));
    }
  }

  void asksUpstreamForOthersAndTheNextWhenOneIsSilent() {
    auto silent = net::MessageServer::listen(io, "127.0.0.1:0", [](std::string, bool, auto) {});
    auto helpful = net::MessageServer::listen(io, "127.0.0.1:0", [](std::string m, bool, auto reply) {
      auto q = parseQuery(m);
      reply(encodeAnswer(*q, {.answers = {{q->name, kA, 60, addressData("192.0.2.1")}}}, m, 512));
    });
    QVERIFY(silent.ok() && helpful.ok());
    auto dns = DnsServer::make(io, io->executor()->strand(),
                               {.upstreams = {(*silent)->address(), (*helpful)->address()}, .upstreamTimeout = 100ms});
    QVERIFY(dns->listen("127.0.0.1:0").ok());
    std::string answer = ask(io, dns->address(), question("debian.org"), false);
    QCOMPARE(answers(answer), 1);
    auto lonely = DnsServer::make(io, io->executor()->strand(),
                                  {.upstreams = {(*silent)->address()}, .upstreamTimeout = 100ms});
    QVERIFY(lonely->listen("127.0.0.1:0").ok());
    QCOMPARE(rcode(ask(io, lonely->address(), question("debian.org"), false)), int(kServFail));
  }

  void rubbishIsDroppedAndTheServerGoesOn() {
    auto dns = DnsServer::make(io, io->executor()->strand(), {});
    QVERIFY(dns->listen("127.0.0.1:0").ok());
    QCOMPARE(ask(io, dns->address(), "\x12\x34rubbish", false, 200ms), std::string());
    QCOMPARE(rcode(ask(io, dns->address(), question("x.svc.cluster.local"), false)), int(kNxDomain));
  }

  void aTakenAddressIsAnError() {
    auto first = DnsServer::make(io, io->executor()->strand(), {});
    QVERIFY(first->listen("127.0.0.1:0").ok());
    auto second = DnsServer::make(io, io->executor()->strand(), {});
    auto r = second->listen(first->address());
    QVERIFY(!r.ok());
    QVERIFY(r.status().message.find(first->address()) != std::string::npos);
  }

  void upstreamsComeFromResolvConf() {
    auto found = DnsServer::upstreamsIn("# x\nsearch lan\nnameserver 10.0.0.1\nnameserver 10.96.0.10\nnameserver fd00::1\nnameserver\n",
                                        "10.96.0.10");
    QCOMPARE(found, (std::vector<std::string>{"10.0.0.1:53", "[fd00::1]:53"}));
  }
};

QTEST_GUILESS_MAIN(DnsServerTest)
#include "server_test.moc"

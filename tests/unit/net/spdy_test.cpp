// SPDY/3.1: frames as they are on the wire, sessions over real sockets, and everything malformed.
#include <fcntl.h>

#include <random>

#include "engine/net/spdy_session.h"
#include "tests/unit/net/support.h"

using namespace ph;
using namespace ph::net;
using namespace ph::net::test;

namespace {

struct Seen : SpdySink {
  std::vector<SpdyFrame> frames;
  std::map<uint32_t, std::string> data;
  std::vector<uint32_t> fins;
  bool onFrame(SpdyFrame frame) override {
    frames.push_back(std::move(frame));
    return true;
  }
  bool onData(uint32_t stream, std::string_view bytes, bool fin) override {
    data[stream] += bytes;
    if (fin) fins.push_back(stream);
    return true;
  }
};

std::string hex(std::string_view bytes) { return QByteArray(bytes.data(), int(bytes.size())).toHex().toStdString(); }

// Two sessions joined by a socket pair, all on one lane.
struct Ends {
  std::shared_ptr<Io> io = Io::make(1);
  std::shared_ptr<Lane> lane = pickLane(io);
  std::shared_ptr<SpdySession> client, server;
  Waiter waiter;
  std::vector<std::shared_ptr<SpdyStream>> opened;
  std::map<uint32_t, std::string> got;
  std::map<uint32_t, ByteStream::End> ended;
  std::string clientEnd, serverEnd;

  Ends() {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) qFatal("no socket pair");
    onLane([&] {
      client = std::make_shared<SpdySession>(makeByteStream(lane, pair[0]), SpdySession::Role::Client);
      server = std::make_shared<SpdySession>(makeByteStream(lane, pair[1]), SpdySession::Role::Server);
      SpdySession::Events c, s;
      c.onEnd = [this](std::string why) { waiter.change([&] { clientEnd = why; }); };
      s.onEnd = [this](std::string why) { waiter.change([&] { serverEnd = why; }); };
      s.onStream = [this](std::shared_ptr<SpdyStream> stream) {
        listen(stream);
        waiter.change([&] { opened.push_back(stream); });
      };
      client->start(c);
      server->start(s);
    });
  }
  ~Ends() {
    onLane([&] {
      client->close();
      server->close();
      opened.clear();
      client.reset();
      server.reset();
    });
  }
  void listen(const std::shared_ptr<SpdyStream>& stream) {
    auto id = stream->id();
    stream->listen([this, id](std::string_view bytes) { waiter.change([&] { got[id] += bytes; }); },
                   [this, id](ByteStream::End how) { waiter.change([&] { ended[id] = how; }); });
  }
  void onLane(std::function<void()> task) {
    bool done = false;
    lane->post([&] {
      task();
      waiter.change([&] { done = true; });
    });
    if (!waiter.until([&] { return done; })) qFatal("the lane is stuck");
  }
};

}  // namespace

class SpdyTest : public QObject {
  Q_OBJECT
 private slots:
  // Made with another implementation's reading of the protocol: a frame's fixed parts.
  void framesOnTheWire() {
    QCOMPARE(hex(SpdyWriter::data(5, "hi")), std::string("0000000500000002") + hex("hi"));
    QCOMPARE(hex(SpdyWriter::data(5, "", true)), std::string("0000000501000000"));
    QCOMPARE(hex(SpdyWriter::reset(3, 5)), std::string("80030003000000080000000300000005"));
    QCOMPARE(hex(SpdyWriter::ping(1)), std::string("800300060000000400000001"));
    QCOMPARE(hex(SpdyWriter::goAway(7, 0)), std::string("80030007000000080000000700000000"));
    SpdyWriter w;
    auto syn = w.synStream(1, {{"streamtype", "stdin"}});
    QCOMPARE(hex(syn.substr(0, 4)), std::string("80030001"));
    // zlib's head with the mark of a dictionary, and the checksum of the protocol's own.
    QVERIFY(uint8_t(syn[19]) & 0x20);
    QCOMPARE(hex(syn.substr(20, 4)), std::string("e3c6a7c2"));
  }

  void headersComeThrough() {
    SpdyWriter w;
    SpdyReader r;
    Seen seen;
    std::string wire;
    for (uint32_t id = 1; id < 40; id += 2) wire += w.synStream(id, {{"streamtype", "data"}, {"port", std::to_string(id)}, {"requestid", ""}}, id == 5);
    wire += w.synReply(7, {}) + SpdyWriter::data(7, std::string(100000, 'x')) + SpdyWriter::data(7, "", true);
    // In pieces of every small size.
    for (size_t at = 0, step = 1; at < wire.size(); at += step, step = step % 13 + 1)
      QVERIFY(r.feed(std::string_view(wire).substr(at, step), seen).ok());
    QCOMPARE(seen.frames.size(), size_t(21));
    QCOMPARE(seen.frames[3].stream, 7u);
    QVERIFY(seen.frames[2].fin && !seen.frames[3].fin);
    QCOMPARE(std::string(spdyHeader(seen.frames[3].headers, "port")), std::string("7"));
    QCOMPARE(seen.data[7].size(), size_t(100000));
    QCOMPARE(seen.fins, std::vector<uint32_t>{7});
  }

  void malformed_data() {
    QTest::addColumn<QByteArray>("wire");
    auto row = [](const char* name, std::string hexText) { QTest::newRow(name) << QByteArray::fromHex(QByteArray::fromStdString(hexText)); };
    row("another version", "800200060000000400000001");
    row("control frame of 16 MB", "8003000100ffffff");
    row("syn without a number", "80030001" "0000000a" "00000000000000000000");
    row("short syn", "80030001" "00000004" "00000001");
    row("headers that are not packed", "80030001" "0000000e" "00000001000000000000" "01020304");
    row("short reset", "80030003" "00000004" "00000001");
    row("short ping", "80030006" "00000000");
    row("data of no stream", "0000000000000001" "61");
  }
  void malformed() {
    QFETCH(QByteArray, wire);
    SpdyReader r;
    Seen seen;
    QVERIFY(!r.feed({wire.data(), size_t(wire.size())}, seen).ok());
  }

  // Small on the wire, large when unpacked.
  void headerBomb() {
    SpdyWriter w;
    auto wire = w.synStream(1, {{"a", std::string(10 << 20, 'a')}});
    QVERIFY(wire.size() < 60000);
    SpdyReader r;
    Seen seen;
    QVERIFY(!r.feed(wire, seen).ok());
  }

  void noise() {
    std::mt19937 random(7);
    for (int round = 0; round < 3000; ++round) {
      SpdyWriter w;
      std::string wire = w.synStream(1, {{"streamtype", "data"}, {"port", "80"}}) + w.synReply(1, {{"a", "b"}}) + SpdyWriter::data(1, "hello") + SpdyWriter::ping(2);
      for (int change = int(random() % 6); change >= 0; --change) wire[random() % wire.size()] = char(random());
      if (round % 3 == 0) wire.resize(random() % wire.size());
      if (round % 7 == 0)
        for (auto& c : wire) c = char(random());
      SpdyReader r;
      Seen seen;
      bool fine = true;
      for (size_t at = 0; fine && at < wire.size(); at += 5) fine = r.feed(std::string_view(wire).substr(at, 5), seen).ok();
    }
  }

  void streamsBothWays() {
    Ends e;
    std::shared_ptr<SpdyStream> s;
    e.onLane([&] {
      s = e.client->open({{"streamtype", "stdin"}});
      e.listen(s);
      s->write("question");
      s->finish();
      s->write("lost");
    });
    QVERIFY(e.waiter.until([&] { return e.ended.count(1) && e.got[1] == "question"; }));
    QCOMPARE(std::string(spdyHeader(e.opened[0]->headers(), "streamtype")), std::string("stdin"));
    e.waiter.read([&] { return e.ended.clear(), e.got.clear(), 0; });
    // The other half is still open.
    e.onLane([&] {
      e.opened[0]->write("answer");
      e.opened[0]->finish();
    });
    QVERIFY(e.waiter.until([&] { return e.ended.count(1) && e.got[1] == "answer"; }));
    QCOMPARE(e.waiter.read([&] { return e.ended[1]; }), ByteStream::End::Finished);
    e.onLane([&] { QVERIFY(s->over() && e.opened[0]->over()); });
  }

  void aResetIsTold() {
    Ends e;
    e.onLane([&] { e.client->open({})->write("x"); });
    QVERIFY(e.waiter.until([&] { return e.got[1] == "x"; }));
    e.onLane([&] { e.opened[0]->reset(kSpdyCancel); });
    QVERIFY(e.waiter.until([&] { return e.ended.count(1) > 0; }));
    QCOMPARE(e.waiter.read([&] { return e.ended[1]; }), ByteStream::End::Broken);
  }

  // One that takes nothing stops the sender, whose bytes are bounded by the sockets.
  void backPressure() {
    Ends e;
    std::shared_ptr<SpdyStream> s;
    e.onLane([&] {
      s = e.client->open({});
      s->write("x");
    });
    QVERIFY(e.waiter.until([&] { return e.got[1] == "x"; }));
    e.onLane([&] {
      e.opened[0]->pause(true);
      for (int i = 0; i < 256; ++i) s->write(std::string(32 * 1024, 'y'));
    });
    QTest::qWait(100);
    e.onLane([&] { QVERIFY(e.client->buffered() > 4 << 20); });
    QVERIFY(e.waiter.read([&] { return e.got[1].size() < (4 << 20); }));
    e.onLane([&] { e.opened[0]->pause(false); });
    QVERIFY(e.waiter.until([&] { return e.got[1].size() == 1 + 256 * 32 * 1024; }));
    e.onLane([&] { QCOMPARE(e.client->buffered(), size_t(0)); });
  }

  void theEndOfTheConnectionEndsAll() {
    Ends e;
    std::shared_ptr<SpdyStream> s;
    e.onLane([&] {
      s = e.client->open({});
      e.listen(s);
    });
    QVERIFY(e.waiter.until([&] { return e.opened.size() == 1; }));
    e.onLane([&] { e.server->close(); });
    QVERIFY(e.waiter.until([&] { return !e.clientEnd.empty(); }));
    e.onLane([&] { QVERIFY(s->over() && !e.client->open({})); });
  }

  void tooManyStreamsAreRefused() {
    Ends e;
    std::vector<std::shared_ptr<SpdyStream>> all;
    e.onLane([&] {
      for (size_t i = 0; i < SpdySession::kMaxStreams + 1; ++i) all.push_back(e.client->open({}));
    });
    QVERIFY(e.waiter.until([&] { return e.opened.size() == SpdySession::kMaxStreams; }));
    for (int tries = 0; tries < 100; ++tries) {
      bool over = false;
      e.onLane([&] { over = all.back()->over(); });
      if (over) return;
      QTest::qWait(20);
    }
    QFAIL("the last stream was not refused");
  }
};

QTEST_GUILESS_MAIN(SpdyTest)
#include "spdy_test.moc"

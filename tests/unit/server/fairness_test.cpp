// Limits of requests in flight, deadlines, and how an answer's end is seen.
#include <QTest>

#include "engine/server/authz.h"
#include "engine/server/fairness/deadlines.h"
#include "engine/server/fairness/limits.h"
#include "engine/server/tracked_responder.h"

using namespace ph;
using namespace ph::server;

namespace {

constexpr Allowances kFew = {{{3, 2}, {3, 2}, {3, 2}, {3, 2}, {3, 2}}};

User user(const std::string& name) { return {name, {std::string(kAuthenticated)}}; }
User node(const std::string& name) { return {"system:node:" + name, {std::string(kNodes)}}; }

struct Recorder : net::Responder {
  int code = 0;
  std::string text;
  bool ended = false;
  net::Headers headers;
  std::function<void()> close;
  void send(net::Response r) override {
    code = r.status;
    headers = r.headers;
    text += r.bodyText();
    ended = true;
  }
  void begin(int status, net::Headers h) override {
    code = status;
    headers = std::move(h);
  }
  void write(net::Buffer chunk) override { text += *chunk; }
  void end() override { ended = true; }
  size_t buffered() const override { return 0; }
  void onClose(std::function<void()> callback) override { close = std::move(callback); }
  void onDrain(std::function<void()>) override {}
  void upgrade(std::string, std::function<void(Result<std::shared_ptr<net::WebSocket>>)> done) override {
    done(Status::badRequest("no upgrade"));
  }
};

struct Listener : AnswerListener {
  std::vector<int> heads;
  int lates = 0;
  std::function<void()> late;
  void onHead(int code, net::Headers& headers) override {
    heads.push_back(code);
    headers.add("x-seen", "yes");
  }
  void onLate() override {
    ++lates;
    if (late) late();
  }
};

net::Response response(int code) {
  net::Response r;
  r.status = code;
  return r;
}

struct Request {
  std::shared_ptr<Recorder> to = std::make_shared<Recorder>();
  std::shared_ptr<Listener> listener = std::make_shared<Listener>();
  std::shared_ptr<TrackedResponder> tracked = std::make_shared<TrackedResponder>(to, listener);
};

}  // namespace

class FairnessTest : public QObject {
  Q_OBJECT
 private slots:
  void oneClientCanNotTakeAll() {
    auto limits = std::make_shared<Limits>(kFew);
    auto a = limits->enter(Traffic::Get, user("a"));
    auto b = limits->enter(Traffic::Get, user("a"));
    QVERIFY(a.ok() && b.ok());
    auto third = limits->enter(Traffic::Get, user("a"));
    QVERIFY(!third.ok());
    QCOMPARE(third.status().code, 429);
    QCOMPARE(third.status().retryAfterSeconds, 1);
    QVERIFY(limits->enter(Traffic::Change, user("a")).ok());  // another kind of traffic
    auto other = limits->enter(Traffic::Get, user("b"));
    QVERIFY(other.ok());
    QCOMPARE(limits->inFlight(Traffic::Get), 3);
    QVERIFY(!limits->enter(Traffic::Get, user("c")).ok());  // all together
    QCOMPARE(limits->refused(Traffic::Get), uint64_t(2));
    a->leave();
    QVERIFY(limits->enter(Traffic::Get, user("a")).ok());
  }
  void administratorsAndNodesAreNotStarved() {
    auto limits = std::make_shared<Limits>(kFew);
    std::vector<Seat> seats;
    for (auto name : {"a", "a", "b"}) seats.push_back(std::move(*limits->enter(Traffic::Change, user(name))));
    QVERIFY(!limits->enter(Traffic::Change, user("c")).ok());
    for (int i = 0; i < 10; ++i) seats.push_back(std::move(*limits->enter(Traffic::Change, systemAdmin())));
    for (auto name : {"n1", "n1", "n2"}) seats.push_back(std::move(*limits->enter(Traffic::Change, node(name))));
    QVERIFY(!limits->enter(Traffic::Change, node("n3")).ok());
    // Only who is in the nodes' group is a node.
    QVERIFY(!limits->enter(Traffic::Change, user("system:node:n4")).ok());
    QCOMPARE(limits->inFlight(Traffic::Change), 16);
    seats.clear();
    QCOMPARE(limits->inFlight(Traffic::Change), 0);
    for (auto name : {"x", "y", "z"}) seats.push_back(std::move(*limits->enter(Traffic::Change, user(name))));
  }
  void seatsComeBackOnce() {
    auto limits = std::make_shared<Limits>(kFew);
    {
      auto one = limits->enter(Traffic::Watch, user("a"));
      Seat moved = std::move(*one);
      Seat again;
      again = std::move(moved);
      again.leave();
      again.leave();
      QCOMPARE(limits->inFlight(Traffic::Watch), 0);
    }
    QCOMPARE(limits->inFlight(Traffic::Watch), 0);
  }

  void aSeatIsHeldUntilTheAnswerIsComplete() {
    auto limits = std::make_shared<Limits>(kFew);
    Request sent, streamed, left, dropped;
    for (auto* r : {&sent, &streamed, &left, &dropped}) r->tracked->hold(std::move(*limits->enter(Traffic::Watch, systemAdmin())));
    QCOMPARE(limits->inFlight(Traffic::Watch), 4);
    sent.tracked->send(response(201));
    QCOMPARE(limits->inFlight(Traffic::Watch), 3);
    QCOMPARE(sent.listener->heads, std::vector<int>{201});
    QCOMPARE(std::string(sent.to->headers.get("x-seen")), std::string("yes"));
    streamed.tracked->begin(200, {});
    streamed.tracked->write(net::makeBuffer("x"));
    QCOMPARE(limits->inFlight(Traffic::Watch), 3);
    streamed.tracked->end();
    QCOMPARE(limits->inFlight(Traffic::Watch), 2);
    QCOMPARE(streamed.to->text, std::string("x"));
    bool closed = false;
    left.tracked->onClose([&] { closed = true; });
    left.tracked->begin(200, {});
    left.to->close();
    QVERIFY(closed);
    QCOMPARE(limits->inFlight(Traffic::Watch), 1);
    dropped.tracked.reset();
    QCOMPARE(limits->inFlight(Traffic::Watch), 0);
  }
  void onlyTheFirstAnswerCounts() {
    Request r;
    r.tracked->send(response(504));
    r.tracked->send(response(200));
    r.tracked->begin(200, {});
    r.tracked->write(net::makeBuffer("late"));
    r.tracked->end();
    QCOMPARE(r.to->code, 504);
    QCOMPARE(r.to->text, std::string());
    QCOMPARE(r.listener->heads, std::vector<int>{504});
  }

  void whatTakesTooLongIsAnswered() {
    auto executor = SimExecutor::make(1);
    auto deadlines = std::make_shared<Deadlines>(executor);
    Request slow, quick, asked;
    slow.listener->late = [&] { slow.tracked->send(response(504)); };
    asked.listener->late = [&] { asked.tracked->send(response(504)); };
    slow.tracked->limit(deadlines, std::chrono::seconds(60));
    quick.tracked->limit(deadlines, std::chrono::seconds(60));
    asked.tracked->limit(deadlines, std::chrono::seconds(5));
    quick.tracked->send(response(200));
    executor->runFor(std::chrono::seconds(6));
    QCOMPARE(asked.to->code, 504);
    QCOMPARE(slow.to->code, 0);
    executor->runFor(std::chrono::seconds(55));
    QCOMPARE(slow.to->code, 504);
    QCOMPARE(quick.to->code, 200);
    QCOMPARE(quick.listener->lates, 0);
    QCOMPARE(deadlines->size(), size_t(0));
    executor->runFor(std::chrono::hours(1));
    QCOMPARE(executor->pending(), size_t(0));  // nothing ticks while nothing waits
  }
  void aStreamLivesAsLongAsItIsTaken() {
    auto executor = SimExecutor::make(1);
    auto deadlines = std::make_shared<Deadlines>(executor);
    Request r;
    r.tracked->limit(deadlines, std::chrono::seconds(60));
    r.tracked->begin(200, {});
    for (int i = 0; i < 10; ++i) {
      r.tracked->write(net::makeBuffer("x"));
      executor->runFor(std::chrono::seconds(50));
      QVERIFY(!r.to->ended);
    }
    executor->runFor(std::chrono::seconds(130));
    QVERIFY(r.to->ended);
    QCOMPARE(r.to->text, std::string(10, 'x'));
    QCOMPARE(deadlines->size(), size_t(0));
  }
};

QTEST_GUILESS_MAIN(FairnessTest)
#include "fairness_test.moc"

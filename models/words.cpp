#include "models/words.h"

#include <QDateTime>
#include <QLocale>
#include <QRegularExpression>
#include <algorithm>
#include <cmath>

#include "models/map_model.h"

namespace ph::models::words {

namespace {

// One translation context for all of it.
struct Words {
  Q_DECLARE_TR_FUNCTIONS(Words)
};

int backOffSeconds(int restarts) {
  // The node's back-off: 10 s doubled with each restart, at most 5 minutes.
  return std::min(300, 10 << std::min(std::max(restarts - 1, 0), 5));
}

}  // namespace

QString span(int64_t ms) {
  const int64_t s = std::max<int64_t>(0, ms / 1000);
  if (s < 60) return Words::tr("%1 s").arg(s);
  if (s < 3600) return Words::tr("%1 min").arg(s / 60);
  if (s < 48 * 3600) return Words::tr("%1 h").arg(s / 3600);
  return Words::tr("%1 d").arg(s / 86400);
}

QString ago(int64_t ms) {
  return ms < 1000 ? Words::tr("just now") : Words::tr("%1 ago").arg(span(ms));
}

QString took(int64_t ms) {
  // What comes in one diff has no measured time between.
  if (ms < 50) return Words::tr("a moment");
  if (ms < 1000) return Words::tr("%1 ms").arg(std::max<int64_t>(0, ms));
  if (ms < 60000)
    return Words::tr("%1 s").arg(QLocale::c().toString(double(ms) / 1000.0, 'f', ms < 10000 ? 1 : 0));
  return Words::tr("%1 min %2 s").arg(ms / 60000).arg(ms / 1000 % 60);
}

QString clock(int64_t ms) {
  return QDateTime::fromMSecsSinceEpoch(ms).toString(QStringLiteral("HH:mm:ss"));
}

QString cores(int64_t milli) {
  const double c = double(milli) / 1000.0;
  return QLocale::c().toString(c, 'f',
                               milli % 1000 == 0           ? 0
                               : c < 1 && milli % 100 != 0 ? 2
                               : c < 10                    ? 1
                                                           : 0);
}

QString memory(int64_t bytes) {
  const char* unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double v = double(bytes);
  int u = 0;
  while (v >= 1024 && u < 4) {
    v /= 1024;
    ++u;
  }
  const bool whole = std::abs(v - std::round(v)) < 0.05 || v >= 100;
  return QStringLiteral("%1 %2").arg(QLocale::c().toString(v, 'f', whole ? 0 : 1), QLatin1String(unit[u]));
}

QString percent(double part) {
  return part < 0 ? QStringLiteral("–") : QStringLiteral("%1%").arg(int(std::lround(part * 100)));
}

QString hardware(const NodeFacts& node) {
  const QString cpu = Words::tr("%1 cpu").arg(cores(node.cpu));
  return node.arch.isEmpty() ? cpu : QStringLiteral("%1 · %2").arg(node.arch, cpu);
}

MachineView machineView(const MachineFacts* machine, const NodeFacts* node) {
  MachineView v{CardState::Joining};
  v.since = node ? node->readySince : machine ? machine->created : 0;
  if (machine && machine->deleting) {
    v.state = CardState::Leaving;
    v.tone = Tone::Info;
    v.title = Words::tr("Leaving");
    v.note = machine->message.isEmpty() ? Words::tr("being removed") : machine->message;
    return v;
  }
  // A lost connection is the fastest news there is: all of the machine's traffic goes through it.
  if (machine && machine->phase == u"Lost") {
    v.state = CardState::Lost;
    v.tone = Tone::Error;
    v.title = Words::tr("Lost");
    v.note = machine->message;
    v.since = machine->lostSince ? machine->lostSince : node ? node->readySince : 0;
    if (node && !node->ready && node->readySince > 0) v.since = std::min(v.since, node->readySince);
    return v;
  }
  // While the node reports, its own word counts; a machine's troubles count while it has none.
  if (node && node->ready) {
    v.state = CardState::Ready;
    v.tone = node->cordoned || !node->pressure.isEmpty() ? Tone::Warn : Tone::Ok;
    v.title = node->cordoned ? Words::tr("Ready, takes no new pods") : Words::tr("Ready");
    v.since = node->readySince;
    if (node->cordoned) v.note = Words::tr("takes no new pods");
    if (!node->pressure.isEmpty())
      v.note = Words::tr("short of %1").arg(node->pressure.join(QStringLiteral(", ")));
    return v;
  }
  const QString phase = machine ? machine->phase : QString();
  const bool strange =
      machine && !machine->seenHostKey.isEmpty() && machine->seenHostKey != machine->trustedHostKey;
  if (phase == u"Untrusted" && machine->trustedHostKey.isEmpty()) {
    v.state = CardState::NeedsTrust;
    v.tone = Tone::Warn;
    v.title = Words::tr("Waits for your trust");
    v.note = Words::tr("check its host key");
    return v;
  }
  if (phase == u"Failed" || (phase == u"Untrusted" && strange)) {
    v.state = CardState::Failed;
    v.tone = Tone::Error;
    v.title = strange ? Words::tr("Refused: its host key changed") : Words::tr("Could not join");
    v.note = machine->message;
    return v;
  }
  if (node) {
    const bool neverWas =
        node->readySince == 0 || (node->readySince <= node->created + 1000 && !node->ready && node->known);
    if (!neverWas) {
      v.state = CardState::Lost;
      v.tone = Tone::Error;
      v.title = node->known ? Words::tr("Not ready") : Words::tr("Lost");
      v.note = node->message;
      v.since = node->readySince;
      return v;
    }
  }
  v.tone = Tone::Info;
  v.title = Words::tr("Joining");
  v.note = machine && !machine->message.isEmpty() ? machine->message : Words::tr("starting");
  if (machine && !machine->step.isEmpty()) {
    v.note = machine->step;
    v.percent = machine->percent;
  }
  return v;
}

QString podState(PodState state) {
  switch (state) {
    case PodState::Waiting:
      return Words::tr("Waiting");
    case PodState::Starting:
      return Words::tr("Starting");
    case PodState::Ready:
      return Words::tr("Ready");
    case PodState::Failing:
      return Words::tr("Failing");
    case PodState::Leaving:
      return Words::tr("Leaving");
    case PodState::Finished:
      return Words::tr("Finished");
  }
  return {};
}

Tone podTone(PodState state) {
  switch (state) {
    case PodState::Ready:
      return Tone::Ok;
    case PodState::Waiting:
    case PodState::Starting:
      return Tone::Warn;
    case PodState::Failing:
      return Tone::Error;
    default:
      return Tone::Plain;
  }
}

QString whyWaiting(const QString& message) {
  // "0/3 nodes are available: 2 Insufficient cpu, 1 node(s) had ..." -> "no machine fits: cpu short on 2,
  // ..."
  static const QRegularExpression head(QStringLiteral("^0/(\\d+) nodes are available: ?"));
  auto m = head.match(message);
  if (!m.hasMatch()) return message;
  QStringList parts;
  static const QRegularExpression item(QStringLiteral("^(\\d+) (.*)$"));
  for (QString part : message.mid(m.capturedEnd()).split(QStringLiteral(", "))) {
    while (part.endsWith('.')) part.chop(1);
    auto i = item.match(part);
    if (!i.hasMatch()) {
      parts << part;
      continue;
    }
    const QString n = i.captured(1), what = i.captured(2);
    if (what.startsWith(u"Insufficient "))
      parts << Words::tr("%1 short on %2", "a resource, machines").arg(what.mid(13), n);
    else if (what.contains(u"unschedulable"))
      parts << Words::tr("%1 take no new pods").arg(n);
    else if (what.contains(u"taint"))
      parts << Words::tr("%1 are tainted").arg(n);
    else if (what.contains(u"selector") || what.contains(u"affinity"))
      parts << Words::tr("%1 don't match what it asks for").arg(n);
    else
      parts << QStringLiteral("%1 %2").arg(n, what);
  }
  return Words::tr("none of %n machine(s) fits: %1", nullptr, m.captured(1).toInt())
      .arg(parts.join(QStringLiteral(", ")));
}

QString podProblem(const PodFacts& pod, int64_t now) {
  for (auto& c : pod.containers) {
    const QString& r = c.reason;
    if (r == u"ImagePullBackOff" || r == u"ErrImagePull" || r == u"ErrImageNeverPull" ||
        r == u"InvalidImageName") {
      return Words::tr("the image %1 can't be had").arg(c.image);
    }
    if (r == u"CrashLoopBackOff") {
      QString s = c.exitCode ? Words::tr("exits with %1").arg(c.exitCode) : Words::tr("exits");
      s += Words::tr(", tried %n time(s)", nullptr, c.restarts);
      const int64_t next = c.lastExitAt + backOffSeconds(c.restarts) * 1000LL - now;
      if (c.lastExitAt > 0 && next > 0) s += Words::tr(", next in %1").arg(span(next));
      return s;
    }
    if (r == u"CreateContainerConfigError" || r == u"CreateContainerError" || r == u"RunContainerError") {
      return c.message.isEmpty() ? Words::tr("can't start") : Words::tr("can't start: %1").arg(c.message);
    }
  }
  if (pod.state == PodState::Waiting && !pod.message.isEmpty()) return whyWaiting(pod.message);
  if (pod.state == PodState::Failing) {
    for (auto& c : pod.containers) {
      if (c.exitCode) return Words::tr("exited with %1").arg(c.exitCode);
    }
    return pod.message.isEmpty() ? Words::tr("failed") : pod.message;
  }
  return {};
}

QString podNow(const PodFacts& pod, int64_t now) {
  const QString problem = podProblem(pod, now);
  if (!problem.isEmpty()) return problem;
  switch (pod.state) {
    case PodState::Waiting:
      return Words::tr("waits for a machine");
    case PodState::Starting: {
      for (auto& c : pod.containers) {
        if (c.state == u"running" && !c.ready) return Words::tr("runs, not ready for work yet");
      }
      return Words::tr("is being started");
    }
    case PodState::Ready:
      return pod.started ? Words::tr("running for %1").arg(span(now - pod.started)) : Words::tr("running");
    case PodState::Leaving:
      return Words::tr("is being stopped");
    case PodState::Finished:
      return Words::tr("has done its work");
    case PodState::Failing:
      return Words::tr("failed");
  }
  return {};
}

QString health(const Health& h, Link link) {
  if (link == Link::Loading) return Words::tr("Reading the cluster…");
  if (link == Link::Offline) return Words::tr("The engine does not answer");
  if (h.machines == 0) return Words::tr("No machines yet");
  QStringList parts{Words::tr("%1 of %2 machines").arg(h.machinesReady).arg(h.machines)};
  if (h.pods > 0) parts << Words::tr("%1 of %2 pods ready").arg(h.podsReady).arg(h.pods);
  if (h.failing > 0) parts << Words::tr("%n failing", nullptr, h.failing);
  if (h.moving > 0) parts << Words::tr("%n on the move", nullptr, h.moving);
  return parts.join(QStringLiteral(" · "));
}

Tone healthTone(const Health& h, Link link) {
  if (link == Link::Offline) return Tone::Error;
  if (link == Link::Loading || h.machines == 0) return Tone::Plain;
  if (h.machinesReady < h.machines || h.failing > 0 || h.podsReady < h.pods || h.moving > 0)
    return Tone::Warn;
  return Tone::Ok;
}

QString imageTag(const QString& image) {
  const QString last = image.section('/', -1);
  return last.contains(':') ? last.section(':', 1) : QString();
}

}  // namespace ph::models::words

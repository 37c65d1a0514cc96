// Words: what the window says, in kind sentences. Every user-visible text that is not a fixed label of one
// widget is made here. Threads: pure; tr() needs the application's translators.
#pragma once

#include <QCoreApplication>

#include "models/cluster_state.h"

namespace ph::models {

enum class CardState : uint8_t;
enum class Tone : uint8_t { Plain, Info, Ok, Warn, Error };

// A machine as its card and its panel show it.
struct MachineView {
  CardState state;
  Tone tone = Tone::Plain;
  QString title;  // "Ready", "Lost", "Joining", "Waits for your trust"
  QString note;   // for the card; empty when all is fine
  int percent = -1;
  int64_t since = 0;
};

namespace words {

// "4 s", "3 min", "2 h", "5 d": the largest unit, whole.
QString span(int64_t ms);
// "just now", "4 s ago"
QString ago(int64_t ms);
// "412 ms", "2.6 s", "1 min 20 s"
QString took(int64_t ms);
QString clock(int64_t ms);                // "12:04:31", local
QString cores(int64_t milli);             // "1.8", "8"
QString memory(int64_t bytes);            // "3.5 GiB"
QString percent(double part);             // "46%"; "–" when negative
QString hardware(const NodeFacts& node);  // "amd64 · 8 cpu"

MachineView machineView(const MachineFacts* machine, const NodeFacts* node);

QString podState(PodState state);  // "Ready", "Starting", ...
Tone podTone(PodState state);
// "exits with 1, tried 3 times, next in 40 s"; empty when all is well. `now` for what comes next.
QString podProblem(const PodFacts& pod, int64_t now);
// What a pod waits for or does now: "pulling its image", "running for 3 min"...
QString podNow(const PodFacts& pod, int64_t now);
// The scheduler's reason in words.
QString whyWaiting(const QString& message);

QString health(const Health& health, Link link);
Tone healthTone(const Health& health, Link link);
QString imageTag(const QString& image);  // "2.4"

}  // namespace words
}  // namespace ph::models

// CowMap: a sorted map with cheap snapshots: copying shares all nodes; a change copies only the path to what changed, and
// not even that while no copy shares it. Iteration is in key order.
// Threads: a value; copies may be read from any thread while the original changes.
#pragma once

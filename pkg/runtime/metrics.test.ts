import { expect, test } from "vitest";
import { Metrics } from "./metrics.ts";

test("counters, gauges and histograms are rendered as Prometheus reads them", () => {
  const metrics = new Metrics();
  const requests = metrics.counter({ name: "requests_total", help: "Requests.", labels: ["verb", "code"] });
  const open = metrics.gauge({ name: "open", help: "Open\nones.", labels: [] });
  const seconds = metrics.histogram({
    name: "seconds",
    help: "How long.",
    labels: ["verb"],
    buckets: [0.1, 1],
  });
  metrics.observed({ name: "read", help: "Read at once.", labels: ["of"] }, () => [[{ of: "a" }, 7]]);
  requests.add({ verb: "get", code: "200" });
  requests.add({ verb: "get", code: "200" }, 2);
  requests.add({ verb: 'a"\\\n', code: "404" });
  open.add({}, 2);
  open.add({}, -1);
  seconds.observe({ verb: "get" }, 0.1);
  seconds.observe({ verb: "get" }, 0.5);
  seconds.observe({ verb: "get" }, 2);

  expect(metrics.render()).toBe(`# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{verb="get",code="200"} 3
requests_total{verb="a\\"\\\\\\n",code="404"} 1
# HELP open Open\\nones.
# TYPE open gauge
open 1
# HELP seconds How long.
# TYPE seconds histogram
seconds_bucket{verb="get",le="0.1"} 1
seconds_bucket{verb="get",le="1"} 2
seconds_bucket{verb="get",le="+Inf"} 3
seconds_sum{verb="get"} 2.6
seconds_count{verb="get"} 3
# HELP read Read at once.
# TYPE read gauge
read{of="a"} 7
`);
});

test("two metrics can't have one name", () => {
  const metrics = new Metrics();
  metrics.counter({ name: "a", help: "", labels: [] });
  expect(() => metrics.gauge({ name: "a", help: "", labels: [] })).toThrow("named a");
});

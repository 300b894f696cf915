import { expect, test } from "vitest";
import { type HealthCheck, health } from "./health.ts";

const ping: HealthCheck = { name: "ping", check: () => undefined };
const ill: HealthCheck = { name: "storage", check: () => "the disk is full" };
const well: HealthCheck = { name: "storage", check: () => undefined };

test.each<
  [name: string, target: string, checks: HealthCheck[], want: [code: number, text: string] | undefined]
>([
  ["all well", "readyz", [ping, well], [200, "ok"]],
  [
    "all well, in detail",
    "livez?verbose",
    [ping, well],
    [200, "[+]ping ok\n[+]storage ok\nlivez check passed\n"],
  ],
  [
    "one failed: always in detail, without the reason",
    "healthz",
    [ping, ill],
    [500, "[+]ping ok\n[-]storage failed: reason withheld\nhealthz check failed\n"],
  ],
  ["the failed one excluded", "readyz?exclude=storage", [ping, ill], [200, "ok"]],
  [
    "excluded in detail, beside one that is not there",
    "readyz?verbose&exclude=storage&exclude=etcd",
    [ping, ill],
    [
      200,
      '[+]ping ok\n[+]storage excluded: ok\nwarn: some health checks cannot be excluded: no matches for "etcd"\nreadyz check passed\n',
    ],
  ],
  ["one check that holds", "livez/ping", [ping, ill], [200, "ok"]],
  [
    "one check that fails says why",
    "livez/storage",
    [ill],
    [500, "internal server error: the disk is full\n"],
  ],
  ["a check that is not there", "livez/etcd", [ping], undefined],
])("%s", (_, target, checks, want) => {
  const { pathname, searchParams } = new URL(target, "http://localhost");
  const answer = health(pathname.slice(1), searchParams, checks);
  expect(answer && [answer.code, answer.text]).toEqual(want);
});

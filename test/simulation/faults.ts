/** How often what goes wrong does, in one place: rough weather, and factors on it. */
import type { NetworkFaults } from "./cluster/network.ts";
import type { Faults } from "./kernel/sim-client.ts";
import type { DiskFaults } from "./world/disk.ts";
import type { Weather } from "./world/seen-by.ts";
import type { World } from "./world.ts";

const client: Faults = { conflict: 0.02, unknown: 0.005, refused: 0.005, expired: 0.002, ended: 0.001 };
const network: NetworkFaults = {
  ...{ refused: 0.005, busy: 0.005, failed: 0.003, conflict: 0.02, lost: 0.005, slow: 0.003 },
  ...{ cut: 0.001, ended: 0.001, expired: 0.002, silent: 0.0005 },
};
const weather: Weather = { refused: 0.005, lost: 0.005, unknown: 0.01 };
const disk: DiskFaults = { deaths: 0.0003, slow: 0.1 };
const upstream = { limited: 0.01, fails: 0.005, cut: 0.01, silent: 0.005, unreachable: 0.01 };

export interface Roughness {
  readonly client: Faults;
  readonly network: NetworkFaults;
  readonly weather: Weather;
  readonly disk: DiskFaults;
  readonly failpoints: { deaths: number };
  /** From now on everything goes wrong `times` as often as in rough weather: 0 is fair. */
  set(times: number): void;
}

/** Of one world, and fair until it is set. */
export function roughness({ upstream: model, money, quality }: World): Roughness {
  const failpoints = { deaths: 0 };
  const now = { client: { ...client }, network: { ...network }, weather: { ...weather }, disk: { ...disk } };
  const set = (times: number): void => {
    assign(now.client, client, times);
    assign(now.network, network, times);
    assign(now.weather, weather, times);
    assign(now.disk, disk, times);
    assign(money.diskFaults, disk, times);
    assign(model.faults, upstream, times);
    failpoints.deaths = 0.01 * times;
    money.deaths = 0.001 * times;
    quality.flakes = 0.02 * times;
  };
  set(0);
  return { ...now, failpoints, set };
}

function assign<T extends { [K in keyof T]: number }>(to: T, rough: T, times: number): void {
  for (const key in rough) to[key] = (rough[key] * times) as T[typeof key];
}

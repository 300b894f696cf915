/** The life of the gateway's process: one at a time, kept while it has work, gone when nobody wants it. */
import { createHash } from "node:crypto";
import type { Clock } from "../runtime/clock.ts";
import { systemFailpoints } from "../system/failpoint.ts";
import { startTimeOf } from "../system/process-identity.ts";
import { systemClock, systemIds, systemRandom } from "../system/system.ts";
import { type ControlHandler, controlCalls, serveControl } from "./control.ts";
import { Gateway, type GatewayConfig, type GatewayDeps } from "./gateway.ts";
import { keepGatewayLogShort } from "./gateway-log.ts";
import { heedLatch } from "./heed-latch.ts";
import prices from "./prices.json" with { type: "json" };
import { readProcessRecord, writeProcessRecord } from "./process-record.ts";

export interface ProcessConfig extends GatewayConfig {
  /** Absolute path of the control socket. */
  socketPath: string;
  /** Of the operator that starts or adopts it, from its lock; 0 when left out. */
  term?: number;
  /** While this file exists no gateway runs: one that lives ends all that the emergency stop has to end, then itself. */
  stopLatch?: string;
}

/** Without a lease for this long, and with nothing left to drain, the process ends, in milliseconds. */
const ABANDONED_MS = 60_000;
/** Grows with what operators may ask of it: one of an older package is not adopted, since it would not answer. */
const PROTOCOL = 2;
/** How often is looked whether the last of an abandoned one's work has drained, in milliseconds. */
const LOOK_EVERY_MS = 1_000;

/**
 * Runs the gateway until it is stopped or abandoned.
 *
 * @param ready - called once it answers on both sockets
 * @param clock - another one than this machine's only in tests
 * @throws Error when another gateway lives on the same state folder; LedgerError when the ledger can't be trusted
 */
export async function runGateway(
  config: ProcessConfig,
  ready: () => void,
  clock: Clock = systemClock,
): Promise<void> {
  const heeding = new AbortController();
  if (config.stopLatch !== undefined) void heedLatch(config.stopLatch, clock, heeding.signal);
  const before = await readProcessRecord(config.stateDirectory);
  if (
    before !== undefined &&
    before.pid !== process.pid &&
    (await startTimeOf(before.pid)) === before.startTime
  ) {
    throw new Error(`The gateway of ${config.stateDirectory} already runs as process ${before.pid}.`);
  }
  const startTime = await startTimeOf(process.pid);
  if (startTime === undefined) throw new Error("This process can't find out when it was started.");

  // The socket first: while one listens no other begins, and the calls are answered once the ledger is open.
  const calls: Record<string, ControlHandler> = {};
  const control = await serveControl(config.socketPath, calls);
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  const gateway = await Gateway.start(config, depsOf(clock, config), before?.port);
  const hello = { pid: process.pid, startTime, fingerprint: fingerprintOf(config), term: config.term ?? 0 };
  await writeProcessRecord(config.stateDirectory, {
    pid: process.pid,
    startTime,
    port: gateway.port,
    socketPath: config.socketPath,
  });
  Object.assign(calls, controlCalls(gateway, hello, stop));
  process.once("SIGTERM", stop);
  ready();

  const startedMs = clock.elapsed();
  while (!stopping.signal.aborted) {
    const idleMs = Math.min(gateway.leaseAgeMs, clock.elapsed() - startedMs);
    if (idleMs > ABANDONED_MS && gateway.inFlight === 0) break;
    // No sooner than it can be: most of them rest, and each look wakes them.
    await clock.sleep(Math.max(LOOK_EVERY_MS, ABANDONED_MS - idleMs), stopping.signal).catch(() => {
      // Stopped: the loop sees it.
    });
  }
  await gateway.stop();
  control.close();
  control.closeAllConnections();
  // Until here: what still runs must see the stop, and afterwards nothing keeps the process.
  heeding.abort();
}

function depsOf(clock: Clock, { ledgerDirectory }: GatewayConfig): GatewayDeps {
  return {
    clock,
    random: systemRandom,
    ids: systemIds,
    failpoints: systemFailpoints(),
    log(error) {
      console.error(new Date(clock.now()).toISOString(), error);
      keepGatewayLogShort(ledgerDirectory);
    },
    ledgerFailed(error) {
      console.error("The ledger can't be written, so the gateway ends.", error);
      process.exit(1);
    },
  };
}

/** Equal for configurations between which a running gateway need not be restarted. */
export function fingerprintOf({ ledgerDirectory, stateDirectory, upstream }: ProcessConfig): string {
  const wanted = [PROTOCOL, ledgerDirectory, stateDirectory, upstream.baseUrl, upstream.credential, prices];
  return createHash("sha256").update(JSON.stringify(wanted)).digest("hex");
}

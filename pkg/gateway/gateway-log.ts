import { join } from "node:path";
import { keepShort } from "../system/keep-short.ts";

/** Of the file and of its predecessor. */
const bytesMax = 10 * 1024 * 1024;

/** Where the gateway's process prints to. */
export function gatewayLog(ledgerDirectory: string): string {
  return join(ledgerDirectory, "gateway.log");
}

/** Begins it anew once it is long; what it held is in `gateway.log.1` then. */
export function keepGatewayLogShort(ledgerDirectory: string): void {
  try {
    keepShort(gatewayLog(ledgerDirectory), bytesMax);
  } catch {
    // A full disk, which is told of where money needs it: the log grows until there is room for its copy.
  }
}

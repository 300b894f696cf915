/** A watch's answer as events. */
import type { KubeObject } from "../api/meta.ts";
import type { Status } from "../api/status-error.ts";
import { linesOf } from "../encoding/lines.ts";
import { deepFreeze } from "../registry/json.ts";
import { type Call, type ExchangeDeps, exchange, statusError } from "./exchange.ts";
import type { Answer } from "./transport.ts";

export interface StreamEvent {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  object: KubeObject;
}

export interface StreamDeps extends ExchangeDeps {
  /**
   * A stream that is silent for longer than this is taken for dead, in milliseconds; 150 s when absent. The server
   * sends a bookmark each minute or so, and a connection that was cut says nothing by itself.
   */
  silentMs?: number;
}

/**
 * Opens a watch. The events come in the server's order and end when the server, the connection or `call.signal` ends
 * them: the caller goes on from the last revision it saw.
 *
 * @throws StatusError when the server refuses the watch, or ends it with an ERROR event: `Expired` (410) when the
 *   history is gone; TransientError when it can't be reached
 */
export async function* openStream(deps: StreamDeps, call: Call): AsyncGenerator<StreamEvent, void> {
  let response: Answer;
  try {
    response = await exchange(deps, { silentMs: deps.silentMs ?? 150_000, ...call });
  } catch (error) {
    if (call.signal?.aborted === true) return;
    throw error;
  }
  try {
    for await (const line of linesUntilCut(response)) {
      const event = JSON.parse(line) as StreamEvent | { type: "ERROR"; object: Status };
      if (event.type === "ERROR") throw statusError(event.object, 500);
      yield deepFreeze(event);
    }
  } finally {
    // Whoever stops reading ends the watch: its connection can't be used for anything else.
    response.destroy();
  }
}

/** Whole lines until the answer ends, for whatever reason: half a line at a cut is lost, and comes again. */
async function* linesUntilCut(response: Answer): AsyncGenerator<string, void> {
  try {
    yield* linesOf(response);
  } catch (error) {
    if (!isCut(error as NodeJS.ErrnoException)) throw error;
  }
}

/** How Node tells that a connection was cut, fell silent or was given up. */
function isCut({ code, name }: NodeJS.ErrnoException): boolean {
  return code === "ECONNRESET" || code === "ERR_STREAM_PREMATURE_CLOSE" || name === "AbortError";
}

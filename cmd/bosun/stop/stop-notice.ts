/** How an operator is told of an emergency stop. Whatever else it is busy with or still opening, it answers at once. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { http } from "../../../pkg/system/http.ts";
import { socketPath } from "../../../pkg/system/socket-path.ts";

/** Beside the paths of Kubernetes, which it has no part in. Only who may open the socket reaches it. */
const noticePath = "/bosun.dev/stop";

/**
 * Answers a notice, and says whether this request was one.
 *
 * An answer promises that nothing is started from now on while the latch is engaged: whoever starts something looks
 * at the latch without letting go of the event loop in between, so a start is over before the answer or never begins.
 */
export function answerNotice(incoming: IncomingMessage, response: ServerResponse, heed: () => void): boolean {
  if (incoming.url !== noticePath || incoming.method !== "POST") return false;
  heed();
  response.end();
  return true;
}

/**
 * Resolves when the operator at `socket` has answered.
 *
 * @param signal - gives it up: one that never answers would keep this process for as long as it lives
 * @throws Error when nobody listens there, or it was given up
 */
export function tellOfStop(socket: string, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = http.request({
      socketPath: socketPath(socket),
      method: "POST",
      path: noticePath,
      agent: false,
      ...(signal === undefined ? {} : { signal }),
    });
    asked.on("error", reject);
    asked.on("response", (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`The operator answered ${response.statusCode}.`));
    });
    asked.end();
  });
}

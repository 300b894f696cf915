import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * To be called before `request` is answered. Where that is done before its body was read, it is read on, so that its sender
 * sees the answer and the next request can follow, but not for ever: who sends more than `bytesMax` bytes of it is cut off.
 */
export function boundUnread(request: IncomingMessage, response: ServerResponse, bytesMax: number): void {
  // Before Node sees that it is answered, and reads on to an end that may never come.
  response.prependOnceListener("finish", () => {
    if (request.complete || request.readableDidRead) return;
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) request.destroy();
    });
    request.on("error", () => {
      // It is cut off, or its sender has left: there is nobody to tell.
    });
  });
}

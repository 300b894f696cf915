import type { IncomingMessage } from "node:http";
import { tooLargeEntity } from "../registry/status-errors.ts";

/** The most bytes a request's body may have: 3 MiB, as in kube-apiserver. */
export const maxBodyBytes = 3 * 1024 * 1024;

/** The whole body as text; throws as `readBytes`. */
export async function readBody(request: IncomingMessage): Promise<string> {
  return (await readBytes(request)).toString("utf8");
}

/**
 * The whole body.
 *
 * @throws StatusError RequestEntityTooLarge (413) beyond `maxBodyBytes`; the rest is left unread
 */
export async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > maxBodyBytes) throw tooLargeEntity(limit);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw tooLargeEntity(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const limit = `limit is ${maxBodyBytes}`;

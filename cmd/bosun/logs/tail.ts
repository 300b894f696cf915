import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** How often a followed file is looked at, in milliseconds. */
const lookEveryMs = 250;

/**
 * The whole lines of `file`, then with `follow` those that are added, until `signal` aborts. A line that is still
 * being written is held back. A missing file has no lines yet.
 */
export async function* tail(
  file: string,
  { follow, signal }: { follow: boolean; signal: AbortSignal },
): AsyncGenerator<string> {
  let position = 0;
  let rest = Buffer.alloc(0);
  for (;;) {
    const added = readFrom(file, position);
    position += added.length;
    rest = Buffer.concat([rest, added]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield rest.subarray(0, end).toString("utf8");
      rest = rest.subarray(end + 1);
    }
    if (!follow || signal.aborted) return;
    await sleep(lookEveryMs, undefined, { signal }).catch(() => {
      // Ctrl-C: what is there by now is read once more, then it ends.
    });
  }
}

function readFrom(file: string, position: number): Buffer {
  if (!existsSync(file)) return Buffer.alloc(0);
  const handle = openSync(file, "r");
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(handle).size - position));
    return bytes.subarray(0, readSync(handle, bytes, 0, bytes.length, position));
  } finally {
    closeSync(handle);
  }
}

import type { Api, Stream } from "../../support/api.ts";
import type { Probe } from "./probe-kind.ts";

export interface Following {
  /** Rejects when the watch can't go on. */
  readonly failure: Promise<never>;
  close(): void;
}

/**
 * Tells each change of the objects at `path` after `revision`. A watch that the server ends is opened anew where it
 * ended: a kube-apiserver ends those that are slow to read, and who counts on one alone would wait for ever.
 */
export async function follow(
  api: Api,
  { path, revision }: { path: string; revision: string },
  tell: (probe: Probe) => void,
): Promise<Following> {
  const failure = Promise.withResolvers<never>();
  // Whoever awaits nothing more is not to end by it.
  failure.promise.catch(() => {});
  let from = revision;
  let isClosed = false;
  const see = (line: string): void => {
    try {
      const { type, object } = JSON.parse(line) as { type?: string; object?: Probe };
      if (type === undefined || type === "ERROR" || object === undefined) throw new Error(line.slice(0, 300));
      from = object.metadata.resourceVersion;
      tell(object);
    } catch (cause) {
      failure.reject(new Error("The benchmark's own watch failed", { cause }));
    }
  };
  const open = (): Promise<Stream> => api.watch(`${path}?watch=true&resourceVersion=${from}`, see);
  let stream = await open();
  const keep = async (): Promise<void> => {
    for (;;) {
      await stream.ended;
      if (isClosed) return;
      stream = await open();
      if (isClosed) stream.close();
    }
  };
  keep().catch(failure.reject);
  return {
    failure: failure.promise,
    close() {
      isClosed = true;
      stream.close();
    },
  };
}
